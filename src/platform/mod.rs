//! What gb knows about architectures: one table, and the parsing of every spelling into it.
//!
//! This room does no I/O and knows no other room. A fact about an architecture stands once, in [`table`].

mod levels;
mod parse;
mod spelling;
mod table;
mod variant;

use goblin::elf::header::{EI_CLASS, EI_DATA, ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB};

pub use levels::levels_of_this_machine;
pub use parse::{Named, Target, UnknownPlatform, Why, parse, parse_any, parse_parts, parse_system};
pub use spelling::Separator;
pub use table::{
    Abi, Binfmt, Binutils, Elf, ElfClass, ElfData, FloatMark, Loading, Machine, PLATFORMS, Platform, Probe,
    SYSTEMS, Variable,
};
pub use variant::{BadVariant, Variant};

/// A value from outside as a message has it: in quotes, without control characters, and no longer than a line.
fn shown(value: &str) -> String {
    const LENGTH: usize = 60;
    match value.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{:?}… ({} bytes)", value.get(..end).unwrap_or_default(), value.len()),
        None => format!("{value:?}"),
    }
}

/// The same without the quotes, where it is a plain word.
fn plain(value: &str) -> String {
    let is_plain = value.len() < 40 && value.bytes().all(|byte| byte.is_ascii_graphic());
    if is_plain { value.to_owned() } else { shown(value) }
}

impl Abi {
    /// Whether functions hand over floating point numbers in registers for integers, beside an ABI where they do not.
    pub fn has_soft_float(&self) -> bool {
        self.triple.ends_with("gnueabi")
    }

    /// The flags by which clang generates code for a variant on this ABI: the variant's, else the ABI's baseline.
    pub fn c_flags(&self, variant: Option<&Variant>) -> Vec<String> {
        match variant.map(|variant| variant.c_flags(self)) {
            Some(flags) if !flags.is_empty() => flags,
            _ => self.baseline.iter().map(|flag| (*flag).to_owned()).collect(),
        }
    }
}

impl Platform {
    /// The row of a GOARCH, exactly as Go spells it.
    pub fn by_goarch(goarch: &str) -> Option<&'static Platform> {
        PLATFORMS.iter().find(|p| p.goarch == goarch)
    }

    /// The row of the machine that this gb was compiled for.
    ///
    /// The image of an architecture holds the gb of that architecture, so this is what the container is,
    /// also where the whole container is emulated (`uname` would be asked of the emulator).
    pub fn host() -> Option<&'static Platform> {
        let little = cfg!(target_endian = "little");
        let goarch = match std::env::consts::ARCH {
            "x86" => "386",
            "x86_64" => "amd64",
            "arm" => "arm",
            "aarch64" => "arm64",
            "loongarch64" => "loong64",
            "mips" if little => "mipsle",
            "mips64" if little => "mips64le",
            "powerpc64" if little => "ppc64le",
            "powerpc64" => "ppc64",
            other => other,
        };
        Platform::by_goarch(goarch)
    }

    /// The platform whose code an ELF file holds, from the first 64 bytes of the file; `None` if it is no ELF file or
    /// for no port of Go.
    pub fn by_elf_header(head: &[u8]) -> Option<&'static Platform> {
        let header = goblin::elf::Elf::parse_header(head).ok()?;
        let class = match header.e_ident.get(EI_CLASS) {
            Some(&ELFCLASS32) => ElfClass::Elf32,
            Some(&ELFCLASS64) => ElfClass::Elf64,
            _ => return None,
        };
        let data = match header.e_ident.get(EI_DATA) {
            Some(&ELFDATA2LSB) => ElfData::Little,
            Some(&ELFDATA2MSB) => ElfData::Big,
            _ => return None,
        };
        Platform::by_identification(class, data, Machine(header.e_machine))
    }

    /// The platform whose ELF files are of this class, byte order and machine.
    pub fn by_identification(class: ElfClass, data: ElfData, machine: Machine) -> Option<&'static Platform> {
        PLATFORMS.iter().find(|p| (p.elf.class, p.elf.data, p.elf.machine) == (class, data, machine))
    }

    /// The C ABI that Go's variant selects; the platform's first ABI where the variant says nothing.
    pub fn abi(&'static self, variant: Option<&Variant>) -> &'static Abi {
        variant.and_then(|v| v.abi(self)).unwrap_or(self.default_abi())
    }

    /// The C ABI that a build without any variant uses.
    pub fn default_abi(&'static self) -> &'static Abi {
        &self.abis.0
    }

    /// The C ABI that `e_flags` tell; none where the platform has several and they tell none of them.
    pub fn abi_of_flags(&'static self, flags: u32) -> Option<&'static Abi> {
        self.all_abis().find(|abi| abi.loading.is_likely(flags))
    }

    /// Whether functions hand over floating point numbers in registers for them, on a platform that has both ways.
    pub fn has_hard_float(&'static self, variant: Option<&Variant>) -> Option<bool> {
        self.elf.machine.float_mark()?;
        let is_soft = match variant {
            Some(variant) if variant.is_soft() => true,
            variant => self.abi(variant).has_soft_float(),
        };
        Some(!is_soft)
    }

    /// Whether `e_flags` are of the ABI of this platform's programs, or of none in particular as those of some assemblers are.
    pub fn has_own_flags(&'static self, flags: u32) -> bool {
        let loading = &self.default_abi().loading;
        loading.is_for(flags) && (flags & self.elf.flags_mask == self.elf.flags || self.is_silent(flags))
    }

    /// Whether `e_flags` tell no ABI, and linkers take the file for any.
    pub fn is_silent(&'static self, flags: u32) -> bool {
        let loading = &self.default_abi().loading;
        loading.flags.0 != 0 && flags & loading.flags.0 == 0 && loading.is_for(0)
    }

    /// Every C ABI of the platform, the default one first.
    pub fn all_abis(&'static self) -> impl Iterator<Item = &'static Abi> {
        std::iter::once(&self.abis.0).chain(self.abis.1)
    }

    /// Whether a compiler's target, in whatever spelling, is this ABI's system on this machine: `arm64-linux-gnu`,
    /// `aarch64-unknown-linux`, `armv7a-unknown-linux-gnueabihf`, and for Windows `x86_64-pc-windows-gnu`.
    pub fn is_target(&self, abi: &Abi, target: &str) -> bool {
        if abi.is_windows() {
            let cpu = target.strip_suffix("-windows-gnu").and_then(|cpu| cpu.split('-').next());
            return target == abi.triple || cpu.is_some_and(|cpu| self.uname.contains(&cpu));
        }
        let mut parts = target.split('-');
        let cpu = parts.next().unwrap_or_default();
        let environment = match (parts.next(), parts.next(), parts.next(), parts.next()) {
            (Some("linux"), environment, None, None) => environment,
            (Some(_vendor), Some("linux"), environment, None) => environment,
            _ => return false,
        };
        let same_machine = parse(cpu).is_ok_and(|found| found.platform == self);
        let own_environment = abi.triple.rsplit('-').next();
        same_machine && (environment.is_none() || environment == own_environment)
    }

    /// The platform and ABI whose compilers and tools have names that begin with this triple: one of
    /// [`by_triple`](Platform::by_triple), or of Windows.
    pub fn by_tools(triple: &str) -> Option<(&'static Platform, &'static Abi)> {
        let windows = |p: &'static Platform| Some((p, p.windows_abi().filter(|abi| abi.triple == triple)?));
        Platform::by_triple(triple).or_else(|| PLATFORMS.iter().find_map(windows))
    }

    /// The platform and ABI that a GNU triple names, whatever its vendor: `aarch64-linux-gnu`,
    /// `aarch64-unknown-linux-gnu`, `aarch64-redhat-linux-gnu`.
    pub fn by_triple(triple: &str) -> Option<(&'static Platform, &'static Abi)> {
        let mut parts = triple.split('-');
        let (cpu, second, third, fourth) = (parts.next()?, parts.next()?, parts.next()?, parts.next());
        if parts.next().is_some() {
            return None;
        }
        let environment = match (second, third, fourth) {
            ("linux", environment, None) => environment,
            (_vendor, "linux", Some(environment)) => environment,
            _ => return None,
        };
        let short = format!("{cpu}-linux-{environment}");
        PLATFORMS
            .iter()
            .find_map(|p| p.all_abis().find(|a| a.triple == short || a.multiarch == short).map(|a| (p, a)))
    }
}
