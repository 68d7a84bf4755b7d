//! ld.so.cache: which file ldconfig(8) has found for each name (glibc's sysdeps/generic/dl-cache.h, elf/dl-cache.c).

use crate::platform::ElfData;

/// What ldconfig has found.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Cache {
    entries: Vec<Entry>,
}

/// A file that ldconfig has found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// The kind of library and its ABI.
    pub flags: u32,
    /// What it is asked for by.
    pub name: Vec<u8>,
    /// Where it is.
    pub path: Vec<u8>,
    /// What a processor must have for it.
    pub hwcap: Hwcap,
}

/// What a processor must have for a file.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Hwcap {
    /// Nothing.
    None,
    /// The features of a subdirectory of glibc-hwcaps.
    Named(Vec<u8>),
    /// Features by number, which glibc has not gone by since 2.37.
    Legacy(u64),
}

/// Why a cache can't be read. A loader that can't do without one goes on without.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum CacheError {
    /// It does not begin as caches do.
    #[error("it is no cache of glibc's")]
    NoCache,
    /// It is of a machine of the other byte order.
    #[error("it is of a machine of the other byte order")]
    OtherOrder,
    /// What it states leads out of it.
    #[error("it is cut off or damaged")]
    Damaged,
    /// It is larger than any real one.
    #[error("it has too many entries")]
    TooLarge,
}

const OLD: &[u8] = b"ld.so-1.7.0\0";
const NEW: &[u8] = b"glibc-ld.so.cache1.1";
const OLD_HEADER: usize = 16;
const OLD_ENTRY: usize = 12;
const NEW_HEADER: usize = 48;
const NEW_ENTRY: usize = 24;
const EXTENSION_MAGIC: u32 = 0xeaa4_2174;
const TAG_HWCAPS: u32 = 1;
/// DL_CACHE_HWCAP_EXTENSION: the lower half of such a number is an index into the names of glibc-hwcaps; bits 32 to 41 are a
/// level that the name implies.
const IS_NAMED: u64 = 1 << 62;
const NAMED_MASK: u64 = 0xffff_fc00_0000_0000;
/// Some hundred times what a large system has.
const MOST_ENTRIES: usize = 1 << 20;

/// The numbers of a cache.
#[derive(Clone, Copy)]
struct Numbers<'a> {
    bytes: &'a [u8],
    data: ElfData,
}

impl<'a> Numbers<'a> {
    fn u32(&self, at: usize) -> Result<u32, CacheError> {
        let bytes = self.bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(CacheError::Damaged)?;
        Ok(if self.data == ElfData::Big { u32::from_be_bytes(*bytes) } else { u32::from_le_bytes(*bytes) })
    }

    fn size(&self, at: usize) -> Result<usize, CacheError> {
        usize::try_from(self.u32(at)?).map_err(|_| CacheError::Damaged)
    }

    fn u64(&self, at: usize) -> Result<u64, CacheError> {
        let bytes = self.bytes.get(at..).and_then(|rest| rest.first_chunk()).ok_or(CacheError::Damaged)?;
        Ok(if self.data == ElfData::Big { u64::from_be_bytes(*bytes) } else { u64::from_le_bytes(*bytes) })
    }

    /// A text that a NUL byte ends. A loader looks no further than the file goes; one without an end is none.
    fn text(&self, at: usize) -> Option<&'a [u8]> {
        const LONGEST: usize = 1 << 16;
        let rest = self.bytes.get(at..)?;
        let rest = rest.get(..LONGEST).unwrap_or(rest);
        rest.get(..rest.iter().position(|byte| *byte == 0)?)
    }
}

impl Cache {
    /// Reads a cache of a machine of the given byte order.
    pub fn read(bytes: &[u8], data: ElfData) -> Result<Cache, CacheError> {
        let all = Numbers { bytes, data };
        if bytes.starts_with(NEW) {
            return new_format(all);
        }
        if !bytes.starts_with(OLD) {
            return Err(CacheError::NoCache);
        }
        let count = all.size(OLD.len())?;
        let table = count.checked_mul(OLD_ENTRY).and_then(|size| size.checked_add(OLD_HEADER));
        let table = table.filter(|end| *end <= bytes.len()).ok_or(CacheError::Damaged)?;
        let new = table.next_multiple_of(8);
        match bytes.get(new..).filter(|rest| rest.starts_with(NEW) && rest.len() >= NEW_HEADER) {
            Some(rest) => new_format(Numbers { bytes: rest, data }),
            None => old_format(all, count, table),
        }
    }

    /// The file that a loader takes for a name: of those for the processor's hwcaps (best first) the best one, else the
    /// first one that asks for nothing. No second one is tried if this one can't be opened.
    pub fn find(&self, name: &[u8], flags: u32, hwcaps: &[Vec<u8>]) -> Option<&Entry> {
        let matching =
            || self.entries.iter().filter(|entry| entry.flags == flags && same_name(&entry.name, name));
        let named = hwcaps.iter().find_map(|hwcap| {
            matching().find(|entry| matches!(&entry.hwcap, Hwcap::Named(needed) if needed == hwcap))
        });
        named.or_else(|| matching().find(|entry| entry.hwcap == Hwcap::None))
    }

    /// What ldconfig has found, in the order of the file.
    pub fn entries(&self) -> &[Entry] {
        &self.entries
    }
}

/// Reads the format of libc5 and glibc 2.0, whose texts are counted from the end of the table.
fn old_format(all: Numbers<'_>, count: usize, table: usize) -> Result<Cache, CacheError> {
    if count > MOST_ENTRIES {
        return Err(CacheError::TooLarge);
    }
    let mut entries = Vec::new();
    for at in (OLD_HEADER..).step_by(OLD_ENTRY).take(count) {
        let text =
            |at| table.checked_add(all.size(at)?).and_then(|at| all.text(at)).ok_or(CacheError::Damaged);
        // An entry that leads out of the file is one that loaders pass over.
        if let (Ok(name), Ok(path)) = (text(at + 4), text(at + 8)) {
            entries.push(Entry {
                flags: all.u32(at)?,
                name: name.to_vec(),
                path: path.to_vec(),
                hwcap: Hwcap::None,
            });
        }
    }
    Ok(Cache { entries })
}

fn new_format(all: Numbers<'_>) -> Result<Cache, CacheError> {
    let count = all.size(NEW.len())?;
    // cache_file_new_matches_endian: not told by a glibc before 2.33, which wrote zeroes here.
    match (all.bytes.get(28), all.data) {
        (Some(0), _) | (Some(2), ElfData::Little) | (Some(3), ElfData::Big) => {}
        (Some(2 | 3), _) => return Err(CacheError::OtherOrder),
        _ => return Err(CacheError::Damaged),
    }
    let room = all.bytes.len().checked_sub(NEW_HEADER).ok_or(CacheError::Damaged)? / NEW_ENTRY;
    if count > room {
        return Err(CacheError::Damaged);
    }
    if count > MOST_ENTRIES {
        return Err(CacheError::TooLarge);
    }
    let hwcaps = hwcap_names(all).unwrap_or_default();
    let mut entries = Vec::new();
    for at in (NEW_HEADER..).step_by(NEW_ENTRY).take(count) {
        let (name, path) = (all.text(all.size(at + 4)?), all.text(all.size(at + 8)?));
        let (Some(name), Some(path)) = (name, path) else { continue };
        let hwcap = match all.u64(at + 16)? {
            0 => Hwcap::None,
            number if number & NAMED_MASK == IS_NAMED => {
                // One without a name is for no processor.
                let index = usize::try_from(number & u64::from(u32::MAX)).ok();
                match index.and_then(|index| hwcaps.get(index)) {
                    Some(name) => Hwcap::Named(name.to_vec()),
                    None => Hwcap::Legacy(number),
                }
            }
            number => Hwcap::Legacy(number),
        };
        entries.push(Entry { flags: all.u32(at)?, name: name.to_vec(), path: path.to_vec(), hwcap });
    }
    Ok(Cache { entries })
}

/// The names of glibc-hwcaps, from the extension at the end.
fn hwcap_names(all: Numbers<'_>) -> Result<Vec<&[u8]>, CacheError> {
    let at = all.size(32)?;
    if at == 0 || at % 4 != 0 || all.u32(at)? != EXTENSION_MAGIC {
        return Ok(Vec::new());
    }
    let count = all.size(at + 4)?;
    for section in (at + 8..).step_by(16).take(count.min(1 << 10)) {
        if all.u32(section)? != TAG_HWCAPS {
            continue;
        }
        let (offset, size) = (all.size(section + 8)?, all.size(section + 12)?);
        let names = (offset..).step_by(4).take((size / 4).min(1 << 10));
        return names.map(|at| all.text(all.size(at)?).ok_or(CacheError::Damaged)).collect();
    }
    Ok(Vec::new())
}

/// Whether two names are the same to `_dl_cache_libcmp`, which compares numbers in them as numbers: `libx.so.01`.
fn same_name(one: &[u8], other: &[u8]) -> bool {
    let (mut one, mut other) = (one, other);
    loop {
        match (one.split_first(), other.split_first()) {
            (None, None) => return true,
            (Some((a, rest)), Some((b, other_rest))) => {
                if a.is_ascii_digit() && b.is_ascii_digit() {
                    let (first, after) = number(one);
                    let (second, other_after) = number(other);
                    if first != second {
                        return false;
                    }
                    (one, other) = (after, other_after);
                } else if a == b {
                    (one, other) = (rest, other_rest);
                } else {
                    return false;
                }
            }
            _ => return false,
        }
    }
}

/// The number that a text begins with, in the arithmetic of a C int that wraps, and what follows.
fn number(text: &[u8]) -> (u32, &[u8]) {
    let end = text.iter().position(|byte| !byte.is_ascii_digit()).unwrap_or(text.len());
    let (digits, rest) = text.split_at(end);
    let value = digits
        .iter()
        .fold(0u32, |value, digit| value.wrapping_mul(10).wrapping_add(u32::from(digit.wrapping_sub(b'0'))));
    (value, rest)
}
