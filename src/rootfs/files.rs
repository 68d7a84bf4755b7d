//! The files of a root as a loader in it would see them, each read once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::rc::Rc;

use nix::errno::Errno;

use super::metadata::Kind;
use super::root::Root;
use crate::elf::{Elf, ElfError};
use crate::loader::{Cache, FileId, Files, Opened};
use crate::platform::ElfData;
use crate::sys::errno;

/// A configuration file or a cache is no larger.
const LARGEST_CONFIGURATION: u64 = 64 << 20;
/// No directory of configuration files has more names.
const MOST_NAMES: usize = 1 << 16;
/// How many paths are remembered. (Some hundred programs look at some ten thousand.)
const MOST_REMEMBERED: usize = 1 << 18;

type Contents = Result<Rc<[u8]>, Errno>;

/// A cache that was read: its contents, the byte order, and what it says.
type ReadCache = (Rc<[u8]>, ElfData, Option<Rc<Cache>>);

/// What was found out about the files of a root.
#[derive(Debug)]
pub struct Seen<'a> {
    root: &'a Root,
    paths: RefCell<HashMap<Vec<u8>, Result<Opened, Errno>>>,
    files: RefCell<HashMap<FileId, Result<Rc<Elf>, ElfError>>>,
    contents: RefCell<HashMap<Vec<u8>, Contents>>,
    /// The last cache that was read, by its contents.
    cache: RefCell<Option<ReadCache>>,
}

impl<'a> Seen<'a> {
    /// Begins to look at the files of a root.
    pub fn new(root: &'a Root) -> Seen<'a> {
        Seen {
            root,
            paths: RefCell::default(),
            files: RefCell::default(),
            contents: RefCell::default(),
            cache: RefCell::default(),
        }
    }

    /// The root.
    pub fn root(&self) -> &'a Root {
        self.root
    }

    fn look(&self, path: &[u8]) -> Result<Opened, Errno> {
        let at = Path::new(OsStr::from_bytes(path));
        let metadata = self.root.stat(at).map_err(errno)?;
        if let Some(elf) = self.files.borrow().get(&metadata.id) {
            return Ok(Opened { id: metadata.id, elf: elf.clone() });
        }
        let (id, elf) = match metadata.kind {
            Kind::File => {
                let (file, metadata) = self.root.open_regular(at).map_err(errno)?;
                (metadata.id, Elf::read(&(file, metadata.size)).map(Rc::new))
            }
            kind => (metadata.id, Err(ElfError::Unreadable(format!("it is {}", kind.name())))),
        };
        self.files.borrow_mut().insert(id, elf.clone());
        Ok(Opened { id, elf })
    }
}

impl Files for Seen<'_> {
    fn open(&self, path: &[u8]) -> Result<Opened, Errno> {
        if let Some(known) = self.paths.borrow().get(path) {
            return known.clone();
        }
        let opened = self.look(path);
        let mut paths = self.paths.borrow_mut();
        if paths.len() >= MOST_REMEMBERED {
            paths.clear();
        }
        paths.insert(path.to_vec(), opened.clone());
        opened
    }

    fn is_directory(&self, path: &[u8]) -> bool {
        let metadata = self.root.stat(Path::new(OsStr::from_bytes(path)));
        metadata.is_ok_and(|metadata| metadata.kind == Kind::Directory)
    }

    fn names(&self, directory: &[u8]) -> Vec<Vec<u8>> {
        let names = self.root.list(Path::new(OsStr::from_bytes(directory)), MOST_NAMES);
        names.unwrap_or_default().into_iter().map(OsStringExt::into_vec).collect()
    }

    fn contents(&self, path: &[u8]) -> Contents {
        if let Some(known) = self.contents.borrow().get(path) {
            return known.clone();
        }
        let read = self.root.read(Path::new(OsStr::from_bytes(path)), LARGEST_CONFIGURATION);
        let contents = read.map(Rc::from).map_err(errno);
        self.contents.borrow_mut().insert(path.to_vec(), contents.clone());
        contents
    }

    fn cache(&self, contents: &Rc<[u8]>, data: ElfData) -> Option<Rc<Cache>> {
        let mut last = self.cache.borrow_mut();
        if let Some((known, order, cache)) = last.as_ref() {
            if Rc::ptr_eq(known, contents) && *order == data {
                return cache.clone();
            }
        }
        let cache = Cache::read(contents, data).ok().map(Rc::new);
        *last = Some((Rc::clone(contents), data, cache.clone()));
        cache
    }
}
