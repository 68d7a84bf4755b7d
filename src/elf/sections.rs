//! Sections: what linkers and debuggers go by. Loaders don't, so a file may be without them, or have nonsense in their place.

use super::header::Header;
use super::reader::Reader;
use super::{Bytes, ElfError};

/// A section.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Section {
    name: u32,
    pub(super) kind: u32,
    flags: u64,
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
}

/// The sections of a file; none where the table makes no sense.
pub(super) struct Sections {
    table: Vec<Section>,
    names: Option<Section>,
}

/// The number of the section with the names is in the first section (SHN_XINDEX).
const IN_FIRST: u16 = 0xffff;
const SHT_NOTE: u32 = 7;
const SHT_NOBITS: u32 = 8;
const SHF_ALLOC: u64 = 2;
/// Where sh_flags is, in both classes.
const FLAGS: usize = 8;
/// No real file has more, and with `-ffunction-sections` some have many.
const MOST: u64 = 1 << 18;

const WHAT: &str = "its table of sections";

/// Where in a file the section of a name is, and how many bytes it has.
pub fn section(file: &dyn Bytes, header: &Header, name: &[u8]) -> Option<(u64, u64)> {
    let reader = Reader::new(file);
    let found = Sections::read(&reader, header);
    let found = found.named(&reader, name).filter(|section| section.kind != SHT_NOBITS)?;
    Some((found.offset, found.size))
}

/// What a file's header says of the table.
struct Place {
    /// e_shoff
    offset: u64,
    /// e_shentsize
    entry_size: u16,
    /// e_shnum
    count: u16,
    /// e_shstrndx
    names: u16,
}

impl Place {
    fn read(reader: &Reader<'_>, header: &Header) -> Result<Place, ElfError> {
        let layout = header.layout();
        // Elf32_Ehdr, Elf64_Ehdr.
        let (head, shoff, rest) = if layout.is_wide { (64, 40, 58) } else { (52, 32, 46) };
        let bytes = reader.read(0, head, WHAT)?;
        Ok(Place {
            offset: layout.word(&bytes, shoff),
            entry_size: layout.u16(&bytes, rest),
            count: layout.u16(&bytes, rest + 2),
            names: layout.u16(&bytes, rest + 4),
        })
    }
}

impl Sections {
    pub(super) fn read(reader: &Reader<'_>, header: &Header) -> Sections {
        Sections::try_read(reader, header).unwrap_or(Sections { table: Vec::new(), names: None })
    }

    fn try_read(reader: &Reader<'_>, header: &Header) -> Option<Sections> {
        let layout = header.layout();
        // Elf32_Shdr, Elf64_Shdr.
        let size = if layout.is_wide { 64 } else { 40 };
        let Place { offset, entry_size, count, names } = Place::read(reader, header).ok()?;
        if offset == 0 || u64::from(entry_size) != size {
            return None;
        }
        let at = |number: u64| offset.checked_add(number.checked_mul(size)?);
        let first = reader.read(offset, size, WHAT).ok()?;
        let [kind, address, place, length, link] =
            if layout.is_wide { [4, 16, 24, 32, 40] } else { [4, 12, 16, 20, 24] };
        let count = match count {
            0 => layout.word(&first, length),
            count => count.into(),
        };
        let names = match names {
            IN_FIRST => layout.u32(&first, link).into(),
            number => u64::from(number),
        };
        if count > MOST {
            return None;
        }
        let mut table = Vec::new();
        for number in 0..count {
            let entry = reader.read(at(number)?, size, WHAT).ok()?;
            table.push(Section {
                name: layout.u32(&entry, 0),
                kind: layout.u32(&entry, kind),
                flags: layout.word(&entry, FLAGS),
                address: layout.word(&entry, address),
                offset: layout.word(&entry, place),
                size: layout.word(&entry, length),
            });
        }
        let names = usize::try_from(names).ok().and_then(|number| table.get(number)).copied();
        Some(Sections { table, names })
    }

    /// Whether the table is where the header says, and all of it: it is the last part of most objects.
    pub(super) fn check_place(reader: &Reader<'_>, header: &Header) -> Result<(), ElfError> {
        let Place { offset, entry_size, count, .. } = Place::read(reader, header)?;
        if offset == 0 {
            return Ok(());
        }
        // The number 0 says that the first section has it.
        let size = u64::from(entry_size) * u64::from(count.max(1));
        let end = offset.checked_add(size).filter(|end| *end <= reader.length());
        end.map(|_| ()).ok_or(ElfError::outside(WHAT))
    }

    /// Whether code is what the file does not have, but tells about: what a debugger reads (`objcopy --only-keep-debug`).
    pub(super) fn lacks_code(&self, reader: &Reader<'_>) -> bool {
        self.named(reader, b".text").is_some_and(|section| section.kind == SHT_NOBITS)
    }

    /// Whether there is nothing in the file of all that is loaded but notes; `or_none`: or whether there is nothing to load.
    pub(super) fn lacks_all(&self, or_none: bool) -> bool {
        let is_loaded = |section: &&Section| section.flags & SHF_ALLOC != 0 && section.kind != SHT_NOTE;
        let mut loaded = self.table.iter().filter(is_loaded).peekable();
        let has_any = loaded.peek().is_some() || or_none && !self.table.is_empty();
        has_any && loaded.all(|section| section.kind == SHT_NOBITS)
    }

    /// The first of a kind (sh_type).
    pub(super) fn of_kind(&self, kind: u32) -> Option<&Section> {
        self.table.iter().find(|section| section.kind == kind)
    }

    /// The first of a name.
    pub(super) fn named(&self, reader: &Reader<'_>, name: &[u8]) -> Option<&Section> {
        let names = self.names?;
        let length = u64::try_from(name.len()).ok()?.checked_add(1)?;
        self.table.iter().find(|section| {
            let at = u64::from(section.name);
            let is_within = at.checked_add(length).is_some_and(|end| end <= names.size);
            let offset = names.offset.checked_add(at).filter(|_| is_within);
            let found = offset.and_then(|offset| reader.read(offset, length, "the name of a section").ok());
            found.is_some_and(|found| found.strip_suffix(b"\0") == Some(name))
        })
    }
}
