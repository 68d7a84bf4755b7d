//! A program of any architecture, small enough to be made by hand.

use crate::binfmt::entry::from_hex;
use crate::platform::{ElfClass, ElfData, Platform};

/// What the kernel is asked about an ELF file besides its architecture: all of these are usual, and an entry's mask may leave
/// some out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Variant {
    /// `EI_OSABI`: ELFOSABI_NONE, or ELFOSABI_GNU as static programs of glibc have it that use IFUNCs.
    pub osabi: u8,
    /// `e_type`: ET_EXEC, or ET_DYN as position-independent programs have it.
    pub kind: u16,
}

impl Variant {
    /// Its name, for programs.
    pub fn name(self) -> &'static str {
        match (self.osabi, self.kind) {
            (0, 2) => "exec",
            (0, _) => "pie",
            (_, 2) => "exec-osabi3",
            _ => "pie-osabi3",
        }
    }

    /// What has it.
    pub fn words(self) -> &'static str {
        match (self.osabi, self.kind) {
            (0, 2) => "usual programs",
            (0, _) => "position-independent programs",
            (_, 2) => "static programs of glibc (OSABI 3)",
            _ => "static position-independent programs of glibc (OSABI 3)",
        }
    }
}

/// ELFOSABI_NONE, ET_EXEC: what Go's linker writes.
pub const PLAIN: Variant = Variant { osabi: 0, kind: 2 };

/// All kinds of programs that there are of an architecture.
pub const VARIANTS: [Variant; 4] =
    [PLAIN, Variant { osabi: 3, kind: 2 }, Variant { osabi: 0, kind: 3 }, Variant { osabi: 3, kind: 3 }];

/// Where the program is in memory. No system has anything there before a program.
const BASE: u64 = 0x0040_0000;
/// No system has larger pages.
const ALIGN: u64 = 0x1_0000;

/// The probe of an architecture as an ELF file (System V gABI, chapters 4 and 5): a header, one segment, which is the whole
/// file, and the instructions. `None` if the table's instructions are no hexadecimal digits.
pub fn probe(platform: &Platform, variant: Variant) -> Option<Vec<u8>> {
    let code = from_hex(platform.probe.code.as_bytes())?;
    let is_wide = platform.elf.class == ElfClass::Elf64;
    let headers: u16 = if is_wide { 64 + 56 } else { 52 + 32 };
    let size = u64::from(headers) + u64::try_from(code.len()).ok()?;
    let mut file = Writer { bytes: Vec::new(), data: platform.elf.data, is_wide };
    file.bytes.extend_from_slice(b"\x7fELF");
    file.bytes.push(if is_wide { 2 } else { 1 });
    file.bytes.push(if platform.elf.data == ElfData::Little { 1 } else { 2 });
    // EI_VERSION, EI_OSABI, and the rest of e_ident.
    file.bytes.extend_from_slice(&[1, variant.osabi, 0, 0, 0, 0, 0, 0, 0, 0]);
    file.half(variant.kind);
    file.half(platform.elf.machine.0);
    file.word(1);
    file.address(BASE + u64::from(headers));
    // e_phoff, e_shoff
    file.address(if is_wide { 64 } else { 52 });
    file.address(0);
    file.word(platform.probe.flags);
    // e_ehsize, e_phentsize, e_phnum, e_shentsize, e_shnum, e_shstrndx
    let (header, segment) = if is_wide { (64, 56) } else { (52, 32) };
    for half in [header, segment, 1, 0, 0, 0] {
        file.half(half);
    }
    // PT_LOAD, to be read and run; its flags come second in a wide file, and last but one in the other.
    const READ_AND_RUN: u32 = 4 | 1;
    file.word(1);
    if is_wide {
        file.word(READ_AND_RUN);
    }
    for address in [0, BASE, BASE, size, size] {
        file.address(address);
    }
    if !is_wide {
        file.word(READ_AND_RUN);
    }
    file.address(ALIGN);
    file.bytes.extend_from_slice(&code);
    Some(file.bytes)
}

/// Writes numbers as an ELF file of a class and a byte order has them.
struct Writer {
    bytes: Vec<u8>,
    data: ElfData,
    is_wide: bool,
}

impl Writer {
    fn half(&mut self, value: u16) {
        self.number(&value.to_le_bytes());
    }

    fn word(&mut self, value: u32) {
        self.number(&value.to_le_bytes());
    }

    fn address(&mut self, value: u64) {
        // What does not fit does not occur: the program is below 4 GiB.
        let width = if self.is_wide { 8 } else { 4 };
        self.number(value.to_le_bytes().get(..width).unwrap_or_default());
    }

    fn number(&mut self, little: &[u8]) {
        match self.data {
            ElfData::Little => self.bytes.extend_from_slice(little),
            ElfData::Big => self.bytes.extend(little.iter().rev()),
        }
    }
}

#[cfg(test)]
mod tests {
    use goblin::elf::Elf;
    use goblin::elf::program_header::PT_LOAD;

    use super::*;
    use crate::binfmt::entry::{Entry, Flags, Pattern};
    use crate::platform::PLATFORMS;

    #[test]
    fn the_probe_of_every_port_is_an_elf_file_of_that_port_in_every_variant() {
        for platform in PLATFORMS {
            for variant in VARIANTS {
                let file = probe(platform, variant).unwrap();
                let elf = Elf::parse(&file).unwrap();
                assert_eq!(Platform::by_elf_header(&file), Some(platform), "{}", platform.goarch);
                assert_eq!((elf.header.e_type, elf.header.e_ident[7]), (variant.kind, variant.osabi));
                assert_eq!((elf.header.e_flags, elf.header.e_version), (platform.probe.flags, 1));
                let [segment] = &elf.program_headers[..] else { panic!("one segment") };
                assert_eq!((segment.p_type, segment.p_flags, segment.p_offset), (PT_LOAD, 5, 0));
                assert_eq!((segment.p_vaddr, segment.p_align), (0x40_0000, 0x1_0000));
                assert_eq!(segment.p_filesz, u64::try_from(file.len()).unwrap());
                let start = usize::try_from(elf.entry - segment.p_vaddr).unwrap();
                assert_eq!(file.len() - start, platform.probe.code.len() / 2, "{}", platform.goarch);
                assert!((120..=200).contains(&file.len()), "{} has {} bytes", platform.goarch, file.len());
            }
        }
    }

    /// The kernel gives each port's programs, of every kind, to that port's emulator and to no other.
    #[test]
    fn the_tables_magic_and_mask_match_the_programs_of_their_port_alone() {
        let entry = |platform: &Platform| {
            let bytes = |digits: &str| from_hex(digits.as_bytes()).unwrap();
            let (magic, mask) = (bytes(platform.binfmt.magic), Some(bytes(platform.binfmt.mask)));
            let pattern = Pattern::Magic { offset: 0, magic, mask };
            let flags = Flags::default();
            Entry { name: "x".into(), is_enabled: true, interpreter: "/x".into(), flags, pattern }
        };
        for of in PLATFORMS {
            for variant in VARIANTS {
                let file = probe(of, variant).unwrap();
                let matching = PLATFORMS.iter().filter(|platform| entry(platform).matches(&file));
                assert_eq!(matching.map(|p| p.goarch).collect::<Vec<_>>(), [of.goarch], "{variant:?}");
            }
        }
    }
}
