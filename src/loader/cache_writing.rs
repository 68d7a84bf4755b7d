//! Writing an ld.so.cache (the newer format of glibc's sysdeps/generic/dl-cache.h), for files that no other rule leads to.

use std::cmp::Ordering;

use crate::platform::ElfData;

/// The bytes of a cache with these files, each by the name that it is asked for by; all are for every processor.
///
/// `flags` are those of the kind of libraries and their ABI. The same files give the same bytes.
pub fn cache(files: &[(Vec<u8>, Vec<u8>)], flags: u32, data: ElfData) -> Vec<u8> {
    const HEADER: usize = 48;
    const ENTRY: usize = 24;
    let mut files = files.to_vec();
    // The loader looks for names by halves (search_cache in elf/dl-cache.c).
    files.sort_by(|one, two| compare(&two.0, &one.0).then_with(|| one.cmp(two)));
    files.dedup();
    let mut strings = Vec::new();
    let mut entries = Vec::new();
    let start = HEADER + ENTRY * files.len();
    let number = |value: usize| {
        let value = u32::try_from(value).unwrap_or(u32::MAX);
        if data == ElfData::Big { value.to_be_bytes() } else { value.to_le_bytes() }
    };
    let flags = if data == ElfData::Big { flags.to_be_bytes() } else { flags.to_le_bytes() };
    for (name, path) in &files {
        entries.extend_from_slice(&flags);
        for text in [name, path] {
            entries.extend_from_slice(&number(start + strings.len()));
            strings.extend_from_slice(text);
            strings.push(0);
        }
        // The version of the system and the processor: any.
        entries.extend_from_slice(&[0; 12]);
    }
    let mut bytes = b"glibc-ld.so.cache1.1".to_vec();
    bytes.extend_from_slice(&number(files.len()));
    bytes.extend_from_slice(&number(strings.len()));
    bytes.extend_from_slice(&[if data == ElfData::Big { 3 } else { 2 }, 0, 0, 0]);
    bytes.resize(HEADER, 0);
    bytes.extend_from_slice(&entries);
    bytes.extend_from_slice(&strings);
    bytes
}

/// How glibc orders names: what is a number in them by its value (`_dl_cache_libcmp` in elf/dl-cache.c).
fn compare(mut one: &[u8], mut two: &[u8]) -> Ordering {
    loop {
        let order = match (one.first(), two.first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => Ordering::Less,
            (Some(_), None) => Ordering::Greater,
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                let (left, right) = (number(&mut one), number(&mut two));
                if left == right {
                    continue;
                }
                left.cmp(&right)
            }
            (Some(a), Some(_)) if a.is_ascii_digit() => Ordering::Greater,
            (Some(_), Some(b)) if b.is_ascii_digit() => Ordering::Less,
            // Bytes are signed or not as the architecture's char is; names have none above 127.
            (Some(a), Some(b)) => a.cmp(b),
        };
        if order != Ordering::Equal {
            return order;
        }
        (one, two) = (one.get(1..).unwrap_or_default(), two.get(1..).unwrap_or_default());
    }
}

/// Takes a number from the beginning.
fn number(text: &mut &[u8]) -> u64 {
    let mut value: u64 = 0;
    while let Some((digit, rest)) = text.split_first().filter(|(digit, _)| digit.is_ascii_digit()) {
        value = value.saturating_mul(10).saturating_add(u64::from(digit - b'0'));
        *text = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::super::Cache;
    use super::*;

    #[test]
    fn a_cache_is_read_as_it_was_written_in_either_byte_order() {
        let file = |name: &str, path: &str| (name.as_bytes().to_vec(), path.as_bytes().to_vec());
        let files = [
            file("liba.so.2", "/opt/a/liba.so.2"),
            file("liba.so.10", "/opt/b/liba.so.10"),
            file("libz.so", "/z"),
        ];
        for data in [ElfData::Little, ElfData::Big] {
            let bytes = cache(&files, 0x303, data);
            let read = Cache::read(&bytes, data).unwrap();
            let names: Vec<_> =
                read.entries().iter().map(|entry| String::from_utf8_lossy(&entry.name)).collect();
            assert_eq!(names, ["libz.so", "liba.so.10", "liba.so.2"]);
            for (name, path) in &files {
                assert_eq!(read.find(name, 0x303, &[]).unwrap().path, *path);
            }
            assert_eq!(bytes, cache(&[files[2].clone(), files[0].clone(), files[1].clone()], 0x303, data));
        }
        assert_eq!(compare(b"lib01", b"lib1"), Ordering::Equal);
        assert_eq!(compare(b"lib9.so", b"lib10.so"), Ordering::Less);
        assert_eq!(compare(b"liba", b"lib1"), Ordering::Less);
        assert_eq!(compare(b"lib", b"liba"), Ordering::Less);
    }
}
