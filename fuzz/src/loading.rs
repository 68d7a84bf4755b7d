//! What loaders and libc are configured by.

use std::collections::BTreeSet;
use std::rc::Rc;

use gb::closure::databases;
use gb::loader::{Cache, Conf, Errno, Files, Line, Opened, directories};
use gb::platform::ElfData;

use super::parts;

/// A cache is read or refused; what it says has no end within, and each of its names is found.
pub fn ld_cache(input: &[u8]) {
    for data in [ElfData::Little, ElfData::Big] {
        let Ok(cache) = Cache::read(input, data) else { continue };
        assert!(cache.entries().len() <= input.len() / 12);
        // Looking for all of many would take its square.
        for entry in cache.entries().iter().take(64) {
            assert!(!entry.name.contains(&0) && !entry.path.contains(&0));
            if let Some(found) = cache.find(&entry.name, entry.flags, &[]) {
                assert_eq!(found.flags, entry.flags);
            }
        }
    }
}

/// Files that may include one another.
struct Configuration<'a>(Vec<(&'a [u8], &'a [u8])>);

impl Files for Configuration<'_> {
    fn open(&self, _path: &[u8]) -> Result<Opened, Errno> {
        Err(Errno::ENOENT)
    }

    fn is_directory(&self, _path: &[u8]) -> bool {
        false
    }

    fn names(&self, directory: &[u8]) -> Vec<Vec<u8>> {
        let inside = self.0.iter().filter_map(|(path, _)| path.strip_prefix(directory)?.strip_prefix(b"/"));
        inside.map(<[u8]>::to_vec).collect()
    }

    fn contents(&self, path: &[u8]) -> Result<Rc<[u8]>, Errno> {
        let found = self.0.iter().find(|(found, _)| *found == path);
        found.map(|(_, contents)| Rc::from(*contents)).ok_or(Errno::ENOENT)
    }
}

/// However files include one another, there is an end; the directories are paths from the root, each once. The input: the
/// first file, then names of others and their contents, in turn; a name's line feed does not belong to it.
pub fn ld_conf(input: &[u8]) {
    let mut parts = parts(input);
    let mut files = vec![(b"/etc/ld.so.conf".as_slice(), parts.next().unwrap_or_default())];
    while let (Some(name), Some(contents)) = (parts.next(), parts.next()) {
        files.push((name.strip_suffix(b"\n").unwrap_or(name), contents));
    }
    for (_, contents) in &files {
        for line in Conf::read(contents).lines {
            let (Line::Directory(words) | Line::Include(words)) = line;
            assert!(!words.is_empty() && !words.contains(&b'\n') && !words.contains(&b'#'));
        }
    }
    let found = directories(&Configuration(files), b"/etc/ld.so.conf");
    assert!(found.iter().all(|directory| directory.starts_with(b"/")));
    assert_eq!(found.iter().collect::<BTreeSet<_>>().len(), found.len());
}

/// Each database has its services once; a line that can't be read is one of the file's.
pub fn nsswitch(input: &[u8]) {
    match databases(input) {
        Ok(databases) => {
            let names: BTreeSet<_> = databases.iter().map(|(name, _)| name).collect();
            assert_eq!(names.len(), databases.len());
            for service in databases.iter().flat_map(|(_, services)| services) {
                assert!(!service.is_empty() && !service.starts_with('#'));
                assert!(!service.contains(|letter: char| letter.is_ascii_whitespace() || letter == '['));
            }
        }
        Err(error) => {
            let line = input.split(|byte| *byte == b'\n').nth(error.line - 1).unwrap_or_default();
            assert!(error.text.starts_with(b"[") && !error.text.contains(&b'\n'));
            assert!(line.windows(error.text.len()).any(|window| window == error.text));
        }
    }
}
