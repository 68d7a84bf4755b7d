//! The symbols by which a file asks others for versions (glibc's dl-lookup.c; the gABI, "Hash Table"; binutils' elf.h).

use goblin::elf::dynamic::{
    DT_GNU_HASH, DT_HASH, DT_INIT, DT_JMPREL, DT_REL, DT_RELA, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERNEED,
    DT_VERSYM,
};

use super::ElfError;
use super::dynamic::Strings;
use super::header::{Header, Segments};
use super::reader::Reader;
use crate::platform::Platform;

/// A symbol that a file asks another for, in a version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Symbol {
    /// Its name.
    pub name: Vec<u8>,
    /// Whether it may be missing (STB_WEAK).
    pub is_weak: bool,
    /// The number of its version.
    pub version: u16,
}

const WHAT: &str = "the table of its symbols";
/// No real file has more symbols for others.
const MOST: u64 = 1 << 22;
/// The numbers 0 and 1 are symbols of no version: local ones, and those of everybody.
const FIRST_VERSION: u16 = 2;
/// The bit of a version's number that tells that it is not the default one.
const HIDDEN: u16 = 0x8000;

/// The symbols that have one of these versions.
pub(super) fn versioned(
    reader: &Reader<'_>,
    header: &Header,
    segments: &Segments,
    entries: &[(u64, u64)],
    versions: &[u16],
) -> Result<Vec<Symbol>, ElfError> {
    let last = |tag: u64| entries.iter().rfind(|entry| entry.0 == tag).map(|entry| entry.1);
    let place = |tag| -> Result<Option<(u64, u64)>, ElfError> {
        let Some(address) = last(tag) else { return Ok(None) };
        segments.place(address).map(Some).ok_or(ElfError::outside(WHAT))
    };
    let (Some(table), Some(numbers), Some(names)) = (place(DT_SYMTAB)?, place(DT_VERSYM)?, place(DT_STRTAB)?)
    else {
        return Ok(Vec::new());
    };
    let count = match (place(DT_GNU_HASH)?, place(DT_HASH)?) {
        (_, Some((offset, _))) => plain_count(reader, header, offset)?,
        // What has no symbols for others has none in that table.
        (Some((offset, _)), None) => match gnu_count(reader, header, offset)? {
            Some(count) => count,
            None => room(header, entries),
        },
        (None, None) => return Ok(Vec::new()),
    };
    if count > MOST {
        return Err(ElfError::large(WHAT));
    }
    let strings = Strings::new(reader, names);
    let layout = header.layout();
    // Elf32_Sym: name, value, size, info, other, section. Elf64_Sym: name, info, other, section, value, size.
    let (size, info) = if layout.is_wide { (24, 4) } else { (16, 12) };
    let mut is_wanted = vec![false; usize::from(HIDDEN)];
    for version in versions.iter().filter(|version| **version >= FIRST_VERSION) {
        if let Some(is_wanted) = is_wanted.get_mut(usize::from(*version)) {
            *is_wanted = true;
        }
    }
    let mut found = Vec::new();
    for number in 1..count {
        let version = reader.read(at(numbers.0, number, 2)?, 2, WHAT)?;
        let version = layout.u16(&version, 0) & !HIDDEN;
        if is_wanted.get(usize::from(version)) != Some(&true) {
            continue;
        }
        const STB_WEAK: u8 = 2;
        let symbol = reader.read(at(table.0, number, size)?, size, WHAT)?;
        let name = strings.get(layout.u32(&symbol, 0).into(), "the name of a symbol")?;
        let is_weak = symbol.get(info).is_some_and(|info| info >> 4 == STB_WEAK);
        found.push(Symbol { name, is_weak, version });
    }
    Ok(found)
}

fn at(start: u64, number: u64, size: u64) -> Result<u64, ElfError> {
    number.checked_mul(size).and_then(|offset| start.checked_add(offset)).ok_or(ElfError::outside(WHAT))
}

/// How many symbols there are, by the table that has a place for each (DT_HASH: nbucket, nchain).
fn plain_count(reader: &Reader<'_>, header: &Header, offset: u64) -> Result<u64, ElfError> {
    let layout = header.layout();
    let platform = header.platform();
    match layout.is_wide && platform.is_some_and(Platform::has_wide_hash) {
        true => Ok(layout.word(&reader.read(offset, 16, WHAT)?, 8)),
        false => Ok(layout.u32(&reader.read(offset, 8, WHAT)?, 4).into()),
    }
}

/// The same by the table that ends each of its chains with an odd number (DT_GNU_HASH); none if nothing is in it.
fn gnu_count(reader: &Reader<'_>, header: &Header, offset: u64) -> Result<Option<u64>, ElfError> {
    let layout = header.layout();
    let number =
        |offset| -> Result<u64, ElfError> { Ok(layout.u32(&reader.read(offset, 4, WHAT)?, 0).into()) };
    // nbuckets, symoffset, bloom_size, bloom_shift; words of the filter; buckets; chains.
    let head = reader.read(offset, 16, WHAT)?;
    let (buckets, first, filters) =
        (layout.u32(&head, 0).into(), u64::from(layout.u32(&head, 4)), u64::from(layout.u32(&head, 8)));
    let word = if layout.is_wide { 8 } else { 4 };
    let start = at(at(offset, 1, 16)?, filters, word)?;
    let mut highest = 0;
    for bucket in 0..buckets {
        if bucket > MOST {
            return Err(ElfError::large(WHAT));
        }
        highest = highest.max(number(at(start, bucket, 4)?)?);
    }
    if highest < first {
        return Ok(None);
    }
    let chains = at(start, buckets, 4)?;
    while number(at(chains, highest - first, 4)?)? & 1 == 0 {
        highest += 1;
        if highest > MOST {
            return Err(ElfError::large(WHAT));
        }
    }
    Ok(Some(highest + 1))
}

/// How many symbols there is room for, up to the next table.
fn room(header: &Header, entries: &[(u64, u64)]) -> u64 {
    const TABLES: [u64; 10] = [
        DT_STRTAB,
        DT_HASH,
        DT_GNU_HASH,
        DT_VERSYM,
        DT_VERNEED,
        DT_VERDEF,
        DT_RELA,
        DT_REL,
        DT_JMPREL,
        DT_INIT,
    ];
    let start = entries.iter().rfind(|entry| entry.0 == DT_SYMTAB).map_or(0, |entry| entry.1);
    let tables = entries.iter().filter(|(tag, address)| TABLES.contains(tag) && *address > start);
    let end = tables.map(|(_, address)| *address).min().unwrap_or(start);
    (end - start) / if header.layout().is_wide { 24 } else { 16 }
}
