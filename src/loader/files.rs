//! What a loader asks the system.

use std::rc::Rc;

use nix::errno::Errno;

use super::cache::Cache;
use crate::elf::{Elf, ElfError};
use crate::platform::ElfData;

/// Which file it is, whatever its name: st_dev and st_ino.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct FileId {
    /// The file system.
    pub device: u64,
    /// The file on it.
    pub inode: u64,
}

/// A file that could be opened.
#[derive(Debug, Clone)]
pub struct Opened {
    /// Which one it is.
    pub id: FileId,
    /// What it says of itself, or why that can't be read.
    pub elf: Result<Rc<Elf>, ElfError>,
}

/// The files of a root. Paths are absolute.
pub trait Files {
    /// open(2) and what the file says of itself.
    fn open(&self, path: &[u8]) -> Result<Opened, Errno>;

    /// Whether it is a directory, or a link to one.
    fn is_directory(&self, path: &[u8]) -> bool;

    /// The names in a directory, sorted; none if it can't be read.
    fn names(&self, directory: &[u8]) -> Vec<Vec<u8>>;

    /// The contents of a configuration file.
    fn contents(&self, path: &[u8]) -> Result<Rc<[u8]>, Errno>;

    /// What a cache says, of a machine of the given byte order; the same contents come many times.
    fn cache(&self, contents: &Rc<[u8]>, data: ElfData) -> Option<Rc<Cache>> {
        Cache::read(contents, data).ok().map(Rc::new)
    }
}
