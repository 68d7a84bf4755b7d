//! Versions of symbols: those that a file asks of others, and those that it has (gABI of Solaris; glibc's dl-version.c).

use super::ElfError;
use super::dynamic::Strings;
use super::reader::{Layout, Reader};

/// What a file asks of one library.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct NeededVersions {
    /// The library's name.
    pub library: Vec<u8>,
    /// The versions.
    pub versions: Vec<Version>,
}

/// A version that a file asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Version {
    /// Its name.
    pub name: Vec<u8>,
    /// Whether it may be missing (VER_FLG_WEAK).
    pub is_weak: bool,
    /// The number by which symbols refer to it (vna_other).
    pub index: u16,
}

/// More than any real file has.
const MOST: usize = 1 << 16;
/// Nor longer names of libraries, each counted for all versions that are asked of it: who reads them has it with each.
const MOST_TEXT: usize = 4 << 20;
const WHAT: &str = "the table of its versions";
const NAME: &str = "the name of a version";

pub(super) fn needed(
    reader: &Reader<'_>,
    layout: Layout,
    offset: u64,
    strings: &Strings<'_>,
) -> Result<Vec<NeededVersions>, ElfError> {
    const VER_FLG_WEAK: u16 = 2;
    const LIBRARY: &str = "the name of a library";
    let mut needed = Vec::new();
    let (mut seen, mut text) = (0, 0usize);
    // Verneed: version, count, file, auxiliary, next. Vernaux: hash, flags, other, name, next.
    for (at, entry) in chain(reader, layout, offset, 16, 12, &mut seen)? {
        if layout.u16(&entry, 0) != 1 {
            return Err(ElfError::Senseless("the table of its versions is of an unknown kind"));
        }
        let first = at.checked_add(layout.u32(&entry, 8).into()).ok_or(ElfError::outside(WHAT))?;
        let mut versions = Vec::new();
        for (_, version) in chain(reader, layout, first, 16, 12, &mut seen)? {
            let name = strings.get(layout.u32(&version, 8).into(), NAME)?;
            versions.push(Version {
                name,
                is_weak: layout.u16(&version, 4) & VER_FLG_WEAK != 0,
                index: layout.u16(&version, 6),
            });
        }
        let library = strings.get(layout.u32(&entry, 4).into(), LIBRARY)?;
        text = text.saturating_add(library.len().saturating_mul(versions.len()));
        if text > MOST_TEXT {
            return Err(ElfError::large(LIBRARY));
        }
        needed.push(NeededVersions { library, versions });
    }
    Ok(needed)
}

pub(super) fn defined(
    reader: &Reader<'_>,
    layout: Layout,
    offset: u64,
    strings: &Strings<'_>,
) -> Result<Vec<Vec<u8>>, ElfError> {
    let mut defined = Vec::new();
    let mut seen = 0;
    // Verdef: version, flags, index, count, hash, auxiliary, next. Verdaux: name, next; the first one is its own name.
    for (at, entry) in chain(reader, layout, offset, 20, 16, &mut seen)? {
        if layout.u16(&entry, 0) != 1 {
            return Err(ElfError::Senseless("the table of its versions is of an unknown kind"));
        }
        let first = at.checked_add(layout.u32(&entry, 12).into()).ok_or(ElfError::outside(WHAT))?;
        let name = reader.read(first, 8, WHAT)?;
        defined.push(strings.get(layout.u32(&name, 0).into(), NAME)?);
    }
    Ok(defined)
}

/// The entries of a table each of which says how far it is to the next: where they are, and their bytes.
fn chain(
    reader: &Reader<'_>,
    layout: Layout,
    mut offset: u64,
    size: u64,
    next: usize,
    seen: &mut usize,
) -> Result<Vec<(u64, Vec<u8>)>, ElfError> {
    let mut entries = Vec::new();
    loop {
        *seen += 1;
        if *seen > MOST {
            return Err(ElfError::large(WHAT));
        }
        let entry = reader.read(offset, size, WHAT)?;
        let distance = layout.u32(&entry, next);
        entries.push((offset, entry));
        if distance == 0 {
            return Ok(entries);
        }
        offset = offset.checked_add(distance.into()).ok_or(ElfError::outside(WHAT))?;
    }
}
