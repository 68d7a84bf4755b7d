//! The files of a root as a loader in it would see them, each read once.

use std::cell::RefCell;
use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::rc::Rc;

use nix::errno::Errno;

use super::metadata::{Kind, Metadata};
use super::regular::Regular;
use super::root::Root;
use super::script;
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
    /// The beginnings of the scripts among them.
    scripts: RefCell<HashMap<FileId, Rc<[u8]>>>,
    /// Whether these are directories.
    directories: RefCell<HashMap<Vec<u8>, bool>>,
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
            scripts: RefCell::default(),
            directories: RefCell::default(),
            contents: RefCell::default(),
            cache: RefCell::default(),
        }
    }

    /// The root.
    pub fn root(&self) -> &'a Root {
        self.root
    }

    /// What the kernel looks at of a file that begins as scripts do; `None` of any other that was [opened](Files::open).
    pub fn script(&self, id: FileId) -> Option<Rc<[u8]>> {
        self.scripts.borrow().get(&id).cloned()
    }

    fn look(&self, path: &[u8]) -> Result<Opened, Errno> {
        let at = Path::new(OsStr::from_bytes(path));
        let known = |metadata: &Metadata| self.files.borrow().get(&metadata.id).cloned();
        let found = self.root.open_wanted(at, &mut |metadata| known(metadata).is_none());
        let (metadata, file) = found.map_err(errno)?;
        let elf = match (known(&metadata), file) {
            (Some(known), _) => return Ok(Opened { id: metadata.id, elf: known }),
            (None, Some(file)) => self.read(&file),
            (None, None) => Err(ElfError::Unreadable(format!("it is {}", metadata.kind.name()))),
        };
        self.files.borrow_mut().insert(metadata.id, elf.clone());
        Ok(Opened { id: metadata.id, elf })
    }

    /// Reads what a file says of itself, or of a script, which is no ELF file, its beginning.
    fn read(&self, file: &Regular) -> Result<Rc<Elf>, ElfError> {
        let elf = Elf::read(file).map(Rc::new);
        if matches!(elf, Err(ElfError::NotElf | ElfError::TooShort)) {
            let head = script::head_of(file).map_err(|error| ElfError::Unreadable(error.to_string()))?;
            if head.starts_with(b"#!") {
                self.scripts.borrow_mut().insert(file.metadata().id, head.into());
            }
        }
        elf
    }
}

impl Files for Seen<'_> {
    fn open(&self, path: &[u8]) -> Result<Opened, Errno> {
        if let Some(known) = self.paths.borrow().get(path) {
            return known.clone();
        }
        let opened = self.look(path);
        remember(&self.paths, path, opened.clone());
        opened
    }

    fn is_directory(&self, path: &[u8]) -> bool {
        if let Some(known) = self.directories.borrow().get(path) {
            return *known;
        }
        let metadata = self.root.stat(Path::new(OsStr::from_bytes(path)));
        let is_directory = metadata.is_ok_and(|metadata| metadata.kind == Kind::Directory);
        remember(&self.directories, path, is_directory);
        is_directory
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

fn remember<T>(known: &RefCell<HashMap<Vec<u8>, T>>, path: &[u8], found: T) {
    let mut known = known.borrow_mut();
    if known.len() >= MOST_REMEMBERED {
        known.clear();
    }
    known.insert(path.to_vec(), found);
}
