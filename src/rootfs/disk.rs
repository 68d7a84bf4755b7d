//! A directory of this machine as a root, by descriptors.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, AsRawFd, OwnedFd};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, OpenHow, ResolveFlag, open, openat, openat2, readlinkat};
use nix::sys::stat::Mode;
use nix::sys::statfs::{PROC_SUPER_MAGIC, SYSFS_MAGIC, fstatfs};

use super::metadata::{Kind, Metadata};
use super::regular::Regular;
use super::walk::{Last, Places, Resolved, walk};
use crate::sys;

/// The flags of a descriptor that is for looking only: no FIFO waits, no device does anything.
const LOOK: OFlag = OFlag::O_PATH.union(OFlag::O_CLOEXEC);
/// Those of a descriptor for reading what is known to be a file.
const READ: OFlag = OFlag::O_RDONLY.union(OFlag::O_CLOEXEC).union(OFlag::O_NONBLOCK).union(OFlag::O_NOCTTY);
/// Those of one for reading a directory that is no link.
pub(super) const DIRECTORY: OFlag =
    OFlag::O_RDONLY.union(OFlag::O_DIRECTORY).union(OFlag::O_NOFOLLOW).union(OFlag::O_CLOEXEC);

/// A directory that nothing leads out of.
#[derive(Debug)]
pub(super) struct Disk {
    directory: OwnedFd,
    way: Way,
}

/// How paths are resolved.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Way {
    /// By the kernel: RESOLVE_IN_ROOT (Linux 5.6).
    Kernel,
    /// By [`walk`].
    Walk,
}

impl Disk {
    pub(super) fn open(path: &Path) -> io::Result<Disk> {
        let directory = open(path, LOOK | OFlag::O_DIRECTORY, Mode::empty())?;
        let mut disk = Disk { directory, way: Way::Kernel };
        // ENOSYS of an older kernel, EPERM of filters that are older than the call, and what emulators say.
        if disk.open_in_kernel(Path::new("/"), LOOK, ResolveFlag::empty()).is_err() {
            disk.way = Way::Walk;
        }
        Ok(disk)
    }

    #[cfg(test)]
    pub(super) fn by(path: &Path, way: Way) -> Disk {
        Disk { way, ..Disk::open(path).unwrap() }
    }

    pub(super) fn resolve(&self, path: &Path, last: Last) -> Result<Resolved, Errno> {
        match self.resolve_without_links(path, last) {
            Some(found) => Ok(found),
            None => Ok(walk(self, path, last)?.resolved),
        }
    }

    /// Where a path leads that has neither links nor `..`: to itself. So the kernel can be asked once, where a walk asks for each
    /// name. `None` of any other path, and of one that leads nowhere.
    fn resolve_without_links(&self, path: &Path, last: Last) -> Option<Resolved> {
        let is_plain = |name: &[u8]| name != b"." && name != b"..";
        let bytes = path.as_os_str().as_bytes();
        let is_plain = !bytes.ends_with(b"/") && bytes.split(|byte| *byte == b'/').all(is_plain);
        if self.way != Way::Kernel || !is_plain {
            return None;
        }
        let handle = self.open_in_kernel(path, flags(last), ResolveFlag::RESOLVE_NO_SYMLINKS).ok()?;
        let metadata = Metadata::of(handle.as_fd()).ok()?;
        let target = match metadata.kind {
            Kind::Link => Some(self.target(&handle).ok()?.into()),
            _ => None,
        };
        let mut real = PathBuf::from("/");
        let names = bytes.split(|byte| *byte == b'/').filter(|name| !name.is_empty());
        real.extend(names.map(OsStr::from_bytes));
        Some(Resolved { path: real, links: Vec::new(), metadata, target })
    }

    pub(super) fn is_kernels(&self, path: &Path) -> bool {
        let found = self.look(path, Last::Follow).and_then(|(handle, _)| fstatfs(&handle));
        found.is_ok_and(|found| [PROC_SUPER_MAGIC, SYSFS_MAGIC].contains(&found.filesystem_type()))
    }

    /// Opens a regular file that was looked at for reading.
    pub(super) fn open_regular(
        &self,
        path: &Path,
        looked: &OwnedFd,
        metadata: Metadata,
    ) -> io::Result<Regular> {
        // The file that was looked at, whatever its names lead to by now.
        let by_handle = format!("/proc/self/fd/{}", looked.as_raw_fd());
        let file = match open(by_handle.as_str(), READ, Mode::empty()) {
            Ok(file) => file,
            Err(Errno::ENOENT | Errno::ENOTDIR) => self.open_again(path)?,
            Err(error) => return Err(error.into()),
        };
        match Metadata::of(file.as_fd())?.id == metadata.id {
            true => Ok(Regular::whole(file.into(), metadata)),
            false => Err(io::Error::other("it was replaced while it was looked at")),
        }
    }

    /// The names in a directory, sorted, of which there may be at most so many.
    pub(super) fn list(&self, path: &Path, most: usize) -> io::Result<Vec<OsString>> {
        let (handle, _) = self.look(path, Last::Follow)?;
        let mut names = Vec::new();
        for name in sys::names(&handle)? {
            let name = name?.into_bytes();
            if names.len() == most {
                return Err(io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} names")));
            }
            names.push(OsString::from_vec(name));
        }
        names.sort_unstable();
        Ok(names)
    }

    /// Looks at a file without opening it.
    pub(super) fn look(&self, path: &Path, last: Last) -> Result<(OwnedFd, Metadata), Errno> {
        if self.way == Way::Kernel {
            match self.open_in_kernel(path, flags(last), ResolveFlag::empty()) {
                // Something was renamed while the kernel looked, and it can't tell whether `..` led out (openat2(2)).
                Err(Errno::EAGAIN) => {}
                handle => {
                    let handle = handle?;
                    let metadata = Metadata::of(handle.as_fd())?;
                    return Ok((handle, metadata));
                }
            }
        }
        let found = walk(self, path, last)?;
        Ok((found.handle, found.resolved.metadata))
    }

    fn open_in_kernel(&self, path: &Path, flags: OFlag, resolve: ResolveFlag) -> Result<OwnedFd, Errno> {
        let resolve = resolve | ResolveFlag::RESOLVE_IN_ROOT | ResolveFlag::RESOLVE_NO_MAGICLINKS;
        openat2(&self.directory, path, OpenHow::new().flags(flags).resolve(resolve))
    }

    /// Opens a file for reading where there is no /proc.
    fn open_again(&self, path: &Path) -> Result<OwnedFd, Errno> {
        let found = walk(self, path, Last::Follow)?;
        let (directory, name) = match found.place {
            Some(place) if found.resolved.metadata.kind == Kind::File => place,
            _ => return Err(Errno::EAGAIN),
        };
        let directory = directory.as_ref().map_or(self.directory.as_fd(), OwnedFd::as_fd);
        openat(directory, name.as_os_str(), READ | OFlag::O_NOFOLLOW, Mode::empty())
    }
}

impl Places for Disk {
    type Handle = OwnedFd;

    fn child(&self, directory: Option<&OwnedFd>, name: &OsStr) -> Result<(OwnedFd, Metadata), Errno> {
        let directory = directory.map_or(self.directory.as_fd(), OwnedFd::as_fd);
        let handle = openat(directory, name, LOOK | OFlag::O_NOFOLLOW, Mode::empty())?;
        let metadata = Metadata::of(handle.as_fd())?;
        Ok((handle, metadata))
    }

    fn target(&self, link: &OwnedFd) -> Result<OsString, Errno> {
        readlinkat(link, "")
    }

    fn is_magic(&self, link: &OwnedFd) -> Result<bool, Errno> {
        Ok(fstatfs(link)?.filesystem_type() == PROC_SUPER_MAGIC)
    }
}

/// The flags for looking at what a path ends in.
fn flags(last: Last) -> OFlag {
    if last == Last::Keep { LOOK | OFlag::O_NOFOLLOW } else { LOOK }
}
