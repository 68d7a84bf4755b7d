//! What matters to who looks at a file, and not to its loader. It is read only when it is asked for.

use goblin::elf::header::ET_REL;
use goblin::elf::program_header::{PF_W, PF_X, PT_DYNAMIC, PT_GNU_RELRO, PT_GNU_STACK, PT_LOAD};

use super::dynamic;
use super::header::{Header, Segment, Segments};
use super::reader::Reader;
use super::sections::Sections;
use super::symbols::{self, Symbol};
use super::{Bytes, Elf, ElfError, Notes};
use crate::platform::{FloatMark, Machine};

/// What an ELF file says beside what its loader goes by.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Details {
    /// Whether its stack is to be executable (PT_GNU_STACK); none if it says nothing.
    pub executable_stack: Option<bool>,
    /// Whether parts of it can't be written to once it is loaded (PT_GNU_RELRO).
    pub has_relro: bool,
    /// How functions hand over floating point numbers, where that is written apart from the header's flags.
    pub floats: Option<FloatAbi>,
    /// The symbols by which it asks others for versions, or why they can't be read.
    pub symbols: Result<Vec<Symbol>, ElfError>,
    /// Where in the file data is that is written to when it runs: offsets and lengths. A part that has a section of the name
    /// that was asked for comes first.
    pub data: Vec<(u64, u64)>,
    /// What is loaded: addresses, lengths and offsets.
    pub loaded: Vec<(u64, u64, u64)>,
}

/// How functions hand over floating point numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum FloatAbi {
    /// In the registers of the floating point unit.
    Hard,
    /// In those for integers.
    Soft,
}

/// A file, with all that is to be known of it.
pub struct Examined {
    /// What it says to its loader; nothing if it is one for debuggers.
    pub elf: Elf,
    /// What else it says.
    pub details: Details,
    /// Whether it is for debuggers, without what is loaded.
    pub is_for_debuggers: bool,
}

/// Reads all of a file that is to be known; `section` is the name of one that is looked for. A program or library that is shorter
/// than it says, and an object without its table of sections, is an error.
pub fn examine(file: &dyn Bytes, section: &[u8]) -> Result<Examined, ElfError> {
    let reader = Reader::new(file);
    let header = Header::read(&reader)?;
    let sections = Sections::read(&reader, &header);
    let segments = Segments::read(&reader, &header)?;
    let is_for_debuggers = header.is_loaded() && is_for_debuggers(&reader, &segments, &sections);
    let elf = match is_for_debuggers {
        true => Elf { header, is_loadable: false, interpreter: None, dynamic: None, notes: Notes::default() },
        false => {
            let elf = Elf::of(&reader, header, &segments)?;
            check_whole(&reader, &header, &segments)?;
            elf
        }
    };
    let details = Details::of(&reader, &elf, &segments, &sections, section);
    Ok(Examined { elf, details, is_for_debuggers })
}

impl Details {
    fn of(
        reader: &Reader<'_>,
        elf: &Elf,
        segments: &Segments,
        sections: &Sections,
        section: &[u8],
    ) -> Details {
        let header = &elf.header;
        let named = sections.named(reader, section).map(|section| (section.offset, section.size));
        let is_data = |flags: u32| flags & (PF_X | PF_W) == PF_W;
        let loads = || segments.all().iter().filter(|segment| segment.kind == PT_LOAD);
        let data = loads().filter(|segment| is_data(segment.flags));
        let data = data.map(|segment| (segment.offset, segment.file_size));
        Details {
            executable_stack: segments.last(PT_GNU_STACK).map(|segment| segment.flags & PF_X != 0),
            has_relro: segments.first(PT_GNU_RELRO).is_some(),
            floats: match header.kind {
                ET_REL => floats(reader, header, &Segments::none(), sections),
                _ => floats(reader, header, segments, sections),
            },
            symbols: symbols_of(reader, elf, segments),
            data: named.into_iter().chain(data).collect(),
            loaded: loads().map(|segment| (segment.address, segment.file_size, segment.offset)).collect(),
        }
    }

    /// Where in the file the byte is that is loaded at an address, and how many follow it there.
    pub fn place(&self, address: u64) -> Option<(u64, u64)> {
        self.loaded.iter().find_map(|(start, length, offset)| {
            let within = address.checked_sub(*start).filter(|within| within < length)?;
            Some((offset.checked_add(within)?, length - within))
        })
    }
}

/// Whether a program or library is one for debuggers, without what is loaded; what it says to a loader is nothing then. Loaders
/// don't look at sections, so that a single one proves nothing.
fn is_for_debuggers(reader: &Reader<'_>, segments: &Segments, sections: &Sections) -> bool {
    let is_code = |of: &Segment| of.kind == PT_LOAD && of.flags & PF_X != 0 && of.file_size > 0;
    let has_code = segments.all().iter().any(is_code);
    // The segments that `eu-strip -f` writes are those of the program; what several programs have in common (dwz) has none.
    let lacks_all = sections.lacks_all(segments.first(PT_LOAD).is_none());
    lacks_all || sections.lacks_code(reader) && !has_code
}

/// Whether a file is as long as it says: a program or library has all that is loaded of it, and an object its table of sections.
pub fn check_length(file: &dyn Bytes, header: &Header) -> Result<(), ElfError> {
    let reader = Reader::new(file);
    let segments = if header.is_loaded() { Segments::read(&reader, header)? } else { Segments::none() };
    check_whole(&reader, header, &segments)
}

fn check_whole(reader: &Reader<'_>, header: &Header, segments: &Segments) -> Result<(), ElfError> {
    if header.kind == ET_REL {
        return Sections::check_place(reader, header);
    }
    let is_whole = |segment: &Segment| {
        let end = segment.offset.checked_add(segment.file_size);
        segment.kind != PT_LOAD || segment.file_size == 0 || end.is_some_and(|end| end <= reader.length())
    };
    let is_whole = !header.is_loaded() || segments.all().iter().all(is_whole);
    is_whole.then_some(()).ok_or(ElfError::outside("part of what is loaded"))
}

/// How an object that is to be linked hands over floating point numbers, where its machine has several ways.
pub fn float_abi_of_object(file: &dyn Bytes, header: &Header) -> Option<FloatAbi> {
    header.machine.float_mark()?;
    let reader = Reader::new(file);
    floats(&reader, header, &Segments::none(), &Sections::read(&reader, header))
}

fn symbols_of(reader: &Reader<'_>, elf: &Elf, segments: &Segments) -> Result<Vec<Symbol>, ElfError> {
    let (Some(segment), Some(dynamic)) = (segments.last(PT_DYNAMIC), &elf.dynamic) else {
        return Ok(Vec::new());
    };
    let versions = dynamic.needed_versions.iter().flat_map(|needed| &needed.versions);
    let versions: Vec<_> = versions.map(|version| version.index).collect();
    if versions.is_empty() {
        return Ok(Vec::new());
    }
    let entries = dynamic::entries(reader, &elf.header, segments, segment.address)?;
    symbols::versioned(reader, &elf.header, segments, &entries, &versions)
}

fn floats(
    reader: &Reader<'_>,
    header: &Header,
    segments: &Segments,
    sections: &Sections,
) -> Option<FloatAbi> {
    const WHAT: &str = "its attributes";
    const MOST: u64 = 1 << 16;
    let mark = Machine::float_mark(header.machine)?;
    let (segment, section) = mark.kinds();
    let place = segments.first(segment).map(|segment| (segment.offset, segment.file_size));
    let place = place.or_else(|| sections.of_kind(section).map(|section| (section.offset, section.size)));
    let (offset, size) = place.filter(|(_, size)| *size <= MOST)?;
    let bytes = reader.read(offset, size, WHAT).ok()?;
    match mark {
        // Elf_MIPS_ABIFlags_v0: version, isa_level, isa_rev, gpr_size, cpr1_size, cpr2_size, fp_abi.
        FloatMark::Mips => match bytes.get(7)? {
            0 => None,
            3 => Some(FloatAbi::Soft),
            _ => Some(FloatAbi::Hard),
        },
        FloatMark::Arm => arm_floats(&bytes, |at| header.layout().u32(&bytes, at)),
    }
}

/// Reads Tag_ABI_VFP_args of build attributes ("Addenda to, and Errata in, the ABI for the Arm Architecture").
fn arm_floats(bytes: &[u8], number: impl Fn(usize) -> u32) -> Option<FloatAbi> {
    const VENDOR: &[u8] = b"aeabi\0";
    const TAG_FILE: u8 = 1;
    const TAG_ABI_VFP_ARGS: u64 = 28;
    const TAG_ABI_FP_NUMBER_MODEL: u64 = 23;
    // Format, then sections: length, vendor, then sub-sections: tag, length, attributes.
    let rest = bytes.strip_prefix(b"A")?.get(4..)?.strip_prefix(VENDOR)?;
    if *rest.first()? != TAG_FILE {
        return None;
    }
    let start = 5 + VENDOR.len();
    let end = start.checked_add(usize::try_from(number(start + 1)).ok()?)?;
    let mut attributes = bytes.get(start + 5..end.min(bytes.len()))?;
    // What has no such tag is as if it was 0, unless it has no numbers (as GNU's ld takes it).
    let mut default = None;
    while !attributes.is_empty() {
        let tag = uleb(&mut attributes)?;
        // Tag_CPU_raw_name, Tag_CPU_name, and from 32 on every odd one but Tag_compatibility are texts.
        let is_text = matches!(tag, 4 | 5) || (tag > 32 && tag % 2 == 1);
        if tag == 32 {
            uleb(&mut attributes)?;
        }
        if is_text || tag == 32 {
            let end = attributes.iter().position(|byte| *byte == 0)?;
            attributes = attributes.get(end + 1..)?;
            continue;
        }
        let value = uleb(&mut attributes)?;
        if tag == TAG_ABI_FP_NUMBER_MODEL && value != 0 {
            default = Some(FloatAbi::Soft);
        }
        if tag == TAG_ABI_VFP_ARGS {
            return match value {
                0 => Some(FloatAbi::Soft),
                1 => Some(FloatAbi::Hard),
                _ => None,
            };
        }
    }
    default
}

/// Takes a number from the beginning whose bytes have seven bits each, the lowest ones first (LEB128 of DWARF; Go's uvarint). It has
/// nine bytes at most.
pub fn uleb(bytes: &mut &[u8]) -> Option<u64> {
    let mut value = 0u64;
    for shift in (0..63).step_by(7) {
        let (byte, rest) = bytes.split_first()?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Some(value);
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_float_abi_of_arm_objects_is_read_from_their_attributes() {
        // As clang writes them for armhf and with -mfloat-abi=soft (which leaves the tag out).
        let attributes = |tags: &[u8]| {
            let file = [&[1u8][..], &(5 + tags.len() as u32).to_le_bytes(), tags].concat();
            [&b"A"[..], &(4 + 6 + file.len() as u32).to_le_bytes(), b"aeabi\0", &file].concat()
        };
        let read = |tags: &[u8]| {
            let bytes = attributes(tags);
            arm_floats(&bytes, |at| {
                bytes.get(at..at + 4).map_or(0, |n| u32::from_le_bytes(n.try_into().unwrap()))
            })
        };
        let name = b"\x05cortex-a8\0\x06\x0a";
        assert_eq!(read(&[&name[..], &[28, 1]].concat()), Some(FloatAbi::Hard));
        assert_eq!(
            read(&[&name[..], &[67], b"2.09\0", &[32, 1], b"x\0", &[28, 0]].concat()),
            Some(FloatAbi::Soft)
        );
        assert_eq!(read(&[&name[..], &[28, 3]].concat()), None);
        assert_eq!(read(name), None);
        assert_eq!(read(&[&name[..], &[23, 3]].concat()), Some(FloatAbi::Soft));
        for end in 0..40 {
            let bytes = attributes(&[&name[..], &[28, 1]].concat());
            let bytes = &bytes[..bytes.len().saturating_sub(end)];
            let _either = arm_floats(bytes, |at| bytes.get(at).copied().unwrap_or(0xff).into());
        }
    }
}
