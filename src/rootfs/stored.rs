//! A root whose files are in no file system: those of an archive, say.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;

use nix::errno::Errno;

use super::metadata::{Kind, Metadata};
use super::regular::Regular;
use super::walk::{Last, Places, walk};

/// The files of a root by numbers; that of the root directory is 0. No method follows a link.
pub trait Stored {
    /// What is told of a file.
    fn metadata(&self, file: usize) -> Metadata;

    /// The file of a name in a directory.
    fn child(&self, directory: usize, name: &OsStr) -> Option<usize>;

    /// What a link says; nothing of what is no link.
    fn target(&self, link: usize) -> &OsStr;

    /// The names in a directory, sorted.
    fn names(&self, directory: usize) -> Vec<OsString>;

    /// Opens a regular file.
    fn open(&self, file: usize) -> io::Result<Regular>;
}

/// Which file a path leads to, as it would in a file system.
pub fn find(stored: &dyn Stored, path: &Path, last: Last) -> Result<usize, Errno> {
    Ok(walk(&Numbered(stored), path, last)?.handle)
}

/// Such a root for a walk.
pub(super) struct Numbered<'a>(pub(super) &'a dyn Stored);

/// The kernel's limit of a name's length.
const NAME_MAX: usize = 255;

impl Places for Numbered<'_> {
    type Handle = usize;

    fn child(&self, directory: Option<&usize>, name: &OsStr) -> Result<(usize, Metadata), Errno> {
        let directory = directory.copied().unwrap_or_default();
        let child = match name {
            name if name == "." => directory,
            name if name.len() > NAME_MAX => return Err(Errno::ENAMETOOLONG),
            name => self.0.child(directory, name).ok_or(Errno::ENOENT)?,
        };
        Ok((child, self.0.metadata(child)))
    }

    fn target(&self, link: &usize) -> Result<OsString, Errno> {
        Ok(self.0.target(*link).to_owned())
    }

    fn is_magic(&self, _link: &usize) -> Result<bool, Errno> {
        Ok(false)
    }
}

/// The names in a directory that a path leads to, of which there may be at most so many.
pub(super) fn list(stored: &dyn Stored, path: &Path, most: usize) -> io::Result<Vec<OsString>> {
    let found = walk(&Numbered(stored), path, Last::Follow)?;
    if found.resolved.metadata.kind != Kind::Directory {
        return Err(Errno::ENOTDIR.into());
    }
    let names = stored.names(found.handle);
    match names.len() <= most {
        true => Ok(names),
        false => Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} names"))),
    }
}
