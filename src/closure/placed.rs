//! What files would miss if they stood in a root that does not have them yet.

use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::rc::Rc;

use super::hole::Hole;
use crate::elf::Elf;
use crate::loader::{Cache, Errno, FileId, Files, Opened, Program};
use crate::platform::ElfData;
use crate::rootfs::{self, Finder, Needs, Root, StartError};

/// A file that is to stand in a root.
pub struct Placed {
    /// Where: an absolute path without `.`, `..` and links.
    pub path: Vec<u8>,
    /// What it says of itself.
    pub elf: Rc<Elf>,
    /// Whether it runs with rights that not everyone has who starts it (set-user-ID, set-group-ID).
    pub is_secure: bool,
}

/// A root, and files that are as if they stood in it: each sees the root's and the others.
pub struct Stand<'a> {
    finder: Finder<'a>,
    placed: HashMap<Vec<u8>, Result<Opened, Errno>>,
    /// Those that are set-user-ID.
    secure: HashSet<FileId>,
}

impl<'a> Stand<'a> {
    /// Puts files into a root; of several at one place the last one counts.
    pub fn new(root: &'a Root, request: &'a rootfs::Request, files: &[Placed]) -> Stand<'a> {
        // No file of a root is on this device.
        let id_of = |at: usize| FileId { device: u64::MAX, inode: u64::try_from(at).unwrap_or_default() };
        let opened = files.iter().enumerate().map(|(at, file)| {
            let id = id_of(at);
            (file.path.clone(), Ok(Opened { id, elf: Ok(Rc::clone(&file.elf)) }))
        });
        let opened = opened.collect();
        let secure =
            files.iter().enumerate().filter(|(_, file)| file.is_secure).map(|(at, _)| id_of(at)).collect();
        Stand { placed: opened, secure, finder: Finder::new(root, request) }
    }

    /// Everything that a file at a place misses, on whatever processor. One of the root's own is
    /// looked at as the root is.
    pub fn holes(&mut self, path: &[u8]) -> Vec<Hole> {
        if !self.placed.contains_key(path) {
            let start = self.finder.needs(Path::new(OsStr::from_bytes(path)));
            return Hole::all_of(self.finder.seen(), &start);
        }
        match self.needs(path) {
            Ok(Needs::Loaded { own, graphs }) => Hole::all_of_graphs(self, &own, &graphs),
            Ok(Needs::Nothing | Needs::Interpreter(_)) => Vec::new(),
            Err(error) => vec![Hole::of_start(Path::new(OsStr::from_bytes(path)), &error)],
        }
    }

    /// What is loaded for a file on each kind of processor.
    fn needs(&mut self, path: &[u8]) -> Result<Needs, StartError> {
        let opened = self.open(path).map_err(StartError::Open)?;
        let elf = opened.elf?;
        let Some(own) = self.finder.loader_of(&elf)? else { return Ok(Needs::Nothing) };
        let real_path = elf.interpreter.is_some().then_some(path);
        let is_secure = real_path.is_some() && self.secure.contains(&opened.id);
        let program = Program { path, real_path, id: opened.id, elf, is_secure };
        let graphs = self.finder.variants(self, &own, &program);
        Ok(Needs::Loaded { own, graphs })
    }
}

impl Files for Stand<'_> {
    fn open(&self, path: &[u8]) -> Result<Opened, Errno> {
        let plain = plain(path);
        if let Some(placed) = self.placed.get(&plain) {
            return placed.clone();
        }
        match self.finder.seen().open(path) {
            // The directory may be one that comes with the file.
            Err(Errno::ENOENT) if plain != path => self.finder.seen().open(&plain),
            opened => opened,
        }
    }

    fn is_directory(&self, path: &[u8]) -> bool {
        self.finder.seen().is_directory(path)
    }

    fn names(&self, directory: &[u8]) -> Vec<Vec<u8>> {
        self.finder.seen().names(directory)
    }

    fn contents(&self, path: &[u8]) -> Result<Rc<[u8]>, Errno> {
        self.finder.seen().contents(path)
    }

    fn cache(&self, contents: &Rc<[u8]>, data: ElfData) -> Option<Rc<Cache>> {
        self.finder.seen().cache(contents, data)
    }
}

/// A path without `.`, `..` and doubled slashes, as if none of its directories was a link.
fn plain(path: &[u8]) -> Vec<u8> {
    let mut parts: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(parts.pop()),
            part => parts.push(part),
        }
    }
    parts.iter().flat_map(|part| [b"/".as_slice(), part].concat()).collect()
}
