//! Writing an ld.so.cache (the newer format of glibc's sysdeps/generic/dl-cache.h), for files that no other rule leads to.

use super::name_order::compare_to_sort;
use crate::platform::ElfData;

/// The bytes of a cache with these files, each by the name that it is asked for by; all are for every processor.
///
/// `flags` are those of the kind of libraries and their ABI. The same files give the same bytes.
pub fn cache(files: &[(Vec<u8>, Vec<u8>)], flags: u32, data: ElfData) -> Vec<u8> {
    const HEADER: usize = 48;
    const ENTRY: usize = 24;
    let mut files = files.to_vec();
    // The loader looks for names by halves (search_cache in elf/dl-cache.c).
    files.sort_by(|one, two| compare_to_sort(&two.0, &one.0).then_with(|| one.cmp(two)));
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
            // As numbers of 32 bits: -2079746048, -1640531968 and 0.
            file("liba.so.20240101120000", "/opt/c"),
            file("liba.so.6949402624", "/opt/d"),
            file("liba.so.4294967296", "/opt/e"),
        ];
        for data in [ElfData::Little, ElfData::Big] {
            let bytes = cache(&files, 0x303, data);
            let read = Cache::read(&bytes, data).unwrap();
            let names: Vec<_> =
                read.entries().iter().map(|entry| String::from_utf8_lossy(&entry.name)).collect();
            assert_eq!(
                names,
                [
                    "libz.so",
                    "liba.so.10",
                    "liba.so.2",
                    "liba.so.4294967296",
                    "liba.so.6949402624",
                    "liba.so.20240101120000"
                ]
            );
            for (name, path) in &files {
                assert_eq!(read.find(name, 0x303, &[]).unwrap().path, *path);
            }
            let reversed: Vec<_> = files.iter().rev().cloned().collect();
            assert_eq!(bytes, cache(&reversed, 0x303, data));
        }
    }
}
