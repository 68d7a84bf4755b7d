//! ld.so.cache: which file ldconfig(8) has found for each name (glibc's sysdeps/generic/dl-cache.h, elf/dl-cache.c).

use std::cmp::Ordering;

use super::name_order::compare;
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
    /// Features by number, which glibc has not gone by since 2.37, or by a name that is not there.
    Legacy,
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
        let matching = || self.of(name).iter().filter(|entry| entry.flags == flags);
        let named = hwcaps.iter().find_map(|hwcap| {
            matching().find(|entry| matches!(&entry.hwcap, Hwcap::Named(needed) if needed == hwcap))
        });
        named.or_else(|| matching().find(|entry| entry.hwcap == Hwcap::None))
    }

    /// The entries of a name: those that a loader finds, which looks by halves and so relies on their order (`search_cache`).
    fn of(&self, name: &[u8]) -> &[Entry] {
        let order = |entry: &Entry| compare(name, &entry.name);
        let (mut from, mut to) = (0, self.entries.len());
        while from < to {
            let middle = (from + to - 1) / 2;
            let (before, rest) = self.entries.split_at(middle);
            match rest.first().map(order) {
                // The greatest name is the first.
                Some(Ordering::Less) => from = middle + 1,
                Some(Ordering::Greater) | None => to = middle,
                Some(Ordering::Equal) => {
                    let is_same = |entry: &&Entry| order(entry) == Ordering::Equal;
                    let first = middle - before.iter().rev().take_while(is_same).count();
                    let after = rest.iter().take(to - middle).take_while(is_same).count();
                    return self.entries.get(first..middle + after).unwrap_or_default();
                }
            }
        }
        &[]
    }

    /// Whether there are files for some processors only.
    pub fn has_variants(&self) -> bool {
        self.entries.iter().any(|entry| matches!(entry.hwcap, Hwcap::Named(_)))
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
                let index = usize::try_from(number & u64::from(u32::MAX)).ok();
                match index.and_then(|index| hwcaps.get(index)) {
                    Some(name) => Hwcap::Named(name.to_vec()),
                    None => Hwcap::Legacy,
                }
            }
            _ => Hwcap::Legacy,
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

#[cfg(test)]
mod tests {
    use super::*;

    fn u32s(data: ElfData, values: &[u32]) -> Vec<u8> {
        let number = |value: &u32| match data {
            ElfData::Big => value.to_be_bytes(),
            ElfData::Little => value.to_le_bytes(),
        };
        values.iter().flat_map(number).collect()
    }

    /// A cache with entries of flags, name, path and hwcap (both halves, as numbers), and the names of glibc-hwcaps.
    fn new(data: ElfData, entries: &[(u32, &str, &str, u32, u32)], hwcaps: &[&str]) -> Vec<u8> {
        let mut strings = Vec::new();
        let start = NEW_HEADER + NEW_ENTRY * entries.len();
        let mut text = |text: &str| {
            let at = start + strings.len();
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            u32::try_from(at).unwrap()
        };
        let mut table = Vec::new();
        for (flags, name, path, high, low) in entries {
            table.extend(u32s(data, &[*flags, text(name), text(path), 0]));
            let halves = if data == ElfData::Big { [*high, *low] } else { [*low, *high] };
            table.extend(u32s(data, &halves));
        }
        let names: Vec<_> = hwcaps.iter().map(|name| text(name)).collect();
        strings.resize((start + strings.len()).next_multiple_of(4) - start, 0);
        let extension = u32::try_from(start + strings.len()).unwrap();
        let size = u32::try_from(names.len() * 4).unwrap();
        let mut bytes = NEW.to_vec();
        bytes.extend(u32s(data, &[entries.len().try_into().unwrap(), strings.len().try_into().unwrap()]));
        bytes.push(if data == ElfData::Big { 3 } else { 2 });
        bytes.extend([0; 3]);
        bytes.extend(u32s(data, &[extension, 0, 0, 0]));
        bytes.extend(table);
        bytes.extend(strings);
        bytes.extend(u32s(data, &[EXTENSION_MAGIC, 1, TAG_HWCAPS, 0, extension + 24, size]));
        bytes.extend(u32s(data, &names));
        bytes
    }

    fn old(entries: &[(u32, &str, &str)]) -> Vec<u8> {
        let (mut table, mut strings) = (Vec::new(), Vec::new());
        for (flags, name, path) in entries {
            let at = u32::try_from(strings.len()).unwrap();
            strings.extend_from_slice(format!("{name}\0{path}\0").as_bytes());
            let path = at + u32::try_from(name.len()).unwrap() + 1;
            table.extend(u32s(ElfData::Little, &[*flags, at, path]));
        }
        let mut bytes = OLD.to_vec();
        bytes.extend(u32s(ElfData::Little, &[entries.len().try_into().unwrap()]));
        bytes.extend(table);
        bytes.extend(strings);
        bytes
    }

    const NAMED: u32 = 1 << 30;

    #[test]
    fn the_entry_of_the_abi_and_of_the_best_processor_is_found() {
        for data in [ElfData::Little, ElfData::Big] {
            let bytes = new(
                data,
                &[
                    (0x303, "libb.so.2", "/v2/libb.so.2", NAMED | 1, 0),
                    (0x303, "libb.so.2", "/v3/libb.so.2", NAMED | 2, 1),
                    (0x303, "libb.so.2", "/lib/libb.so.2", 0, 0),
                    (0x003, "liba.so.1", "/lib32/liba.so.1", 0, 0),
                    (0x303, "liba.so.1", "/old/liba.so.1", 0, 4),
                    (0x303, "liba.so.1", "/lib/liba.so.1", 0, 0),
                    (0x303, "liba.so.1", "/second/liba.so.1", 0, 0),
                ],
                &["x86-64-v2", "x86-64-v3"],
            );
            let cache = Cache::read(&bytes, data).unwrap();
            let find = |name: &str, flags, hwcaps: &[&str]| {
                let hwcaps: Vec<_> = hwcaps.iter().map(|name| name.as_bytes().to_vec()).collect();
                let entry = cache.find(name.as_bytes(), flags, &hwcaps);
                entry.map(|entry| String::from_utf8(entry.path.clone()).unwrap())
            };
            for (name, flags, hwcaps, expected) in [
                ("liba.so.1", 0x303, &[][..], Some("/lib/liba.so.1")),
                ("liba.so.01", 0x303, &[], Some("/lib/liba.so.1")),
                ("liba.so.1", 0x003, &[], Some("/lib32/liba.so.1")),
                ("liba.so.1", 0x403, &[], None),
                ("liba.so", 0x303, &[], None),
                ("libb.so.2", 0x303, &[], Some("/lib/libb.so.2")),
                ("libb.so.2", 0x303, &["x86-64-v2"], Some("/v2/libb.so.2")),
                ("libb.so.2", 0x303, &["x86-64-v3", "x86-64-v2"], Some("/v3/libb.so.2")),
                ("libb.so.2", 0x303, &["x86-64-v4", "x86-64-v2"], Some("/v2/libb.so.2")),
            ] {
                assert_eq!(find(name, flags, hwcaps).as_deref(), expected, "{name} {flags:x} {hwcaps:?}");
            }
        }
    }

    #[test]
    fn the_old_format_is_read_alone_and_with_the_new_one_in_it() {
        let mut bytes = old(&[(3, "liba.so.1", "/lib/liba.so.1")]);
        let cache = Cache::read(&bytes, ElfData::Little).unwrap();
        assert_eq!(cache.find(b"liba.so.1", 3, &[]).unwrap().path, b"/lib/liba.so.1");
        // ldconfig -c compat has the new format behind the table, and the texts of both behind that.
        bytes.truncate(OLD_HEADER + OLD_ENTRY);
        bytes.resize(bytes.len().next_multiple_of(8), 0);
        bytes.extend(new(ElfData::Little, &[(0x303, "libb.so.1", "/lib/libb.so.1", 0, 0)], &[]));
        let cache = Cache::read(&bytes, ElfData::Little).unwrap();
        assert!(cache.find(b"liba.so.1", 3, &[]).is_none());
        assert_eq!(cache.find(b"libb.so.1", 0x303, &[]).unwrap().path, b"/lib/libb.so.1");
    }

    #[test]
    fn what_is_no_cache_or_of_another_machine_is_refused() {
        let bytes = new(ElfData::Little, &[(3, "liba.so.1", "/lib/liba.so.1", 0, 0)], &[]);
        assert_eq!(Cache::read(&bytes, ElfData::Big), Err(CacheError::OtherOrder));
        assert_eq!(Cache::read(b"ld.so-1", ElfData::Little), Err(CacheError::NoCache));
        for length in 0..bytes.len() {
            let _either = Cache::read(&bytes[..length], ElfData::Little);
        }
        let mut many = bytes.clone();
        many[NEW.len()..NEW.len() + 4].fill(0xff);
        assert_eq!(Cache::read(&many, ElfData::Little), Err(CacheError::Damaged));
        assert_eq!(Cache::read(&old(&[])[..12], ElfData::Little), Err(CacheError::Damaged));
    }
}
