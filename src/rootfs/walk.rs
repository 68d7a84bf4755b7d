//! Resolving a path inside a root, name by name, with descriptors: what the kernel's RESOLVE_IN_ROOT does (openat2(2)), and
//! it tells which links were followed.
//!
//! Each name is opened in the directory that is held open, never with its link followed, and `..` goes back to the directory
//! that the walk came from. So there is no moment at which a link or a renamed directory could lead out.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat, readlinkat};
use nix::sys::stat::Mode;
use nix::sys::statfs::{PROC_SUPER_MAGIC, fstatfs};

use super::Metadata;
use super::metadata::Kind;

/// The kernel's limit of links in one path (MAXSYMLINKS in include/linux/namei.h).
const MOST_LINKS: usize = 40;
/// The kernel's limit of a path's length, the NUL byte included.
const PATH_MAX: usize = libc::PATH_MAX as usize;

/// What is done with a link that a path ends in.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Last {
    /// It is followed, as stat(2) does.
    Follow,
    /// It is what was looked for, as with lstat(2).
    Keep,
}

/// A link that was followed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where it is: a path without links, from the root.
    pub path: PathBuf,
    /// What it says, word for word.
    pub target: PathBuf,
}

/// A file that was found.
#[derive(Debug)]
pub struct Resolved {
    /// Where it is: a path without links, from the root.
    pub path: PathBuf,
    /// The links that were followed, in order.
    pub links: Vec<Link>,
    /// What it is.
    pub metadata: Metadata,
    /// The file, opened with O_PATH.
    pub(super) handle: OwnedFd,
    /// The directory that it is in, and its name there; none of the root itself, and of what was reached by `.` or `..`.
    pub(super) place: Option<(OwnedFd, OsString)>,
}

/// A directory that the walk is in, and its name in the one before.
type Step = (OsString, OwnedFd);

/// Resolves a path inside a root.
pub(super) fn walk(root: BorrowedFd<'_>, path: &Path, last: Last) -> Result<Resolved, Errno> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(Errno::ENOENT);
    }
    if bytes.len() >= PATH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let mut links = Vec::new();
    let mut steps: Vec<Step> = Vec::new();
    let mut names = VecDeque::new();
    push(&mut names, bytes);
    while let Some(name) = names.pop_front() {
        let here = steps.last().map_or(root, |(_, directory)| directory.as_fd());
        if name == "." || name == ".." {
            // Whether names may be looked up in the directory is asked of these, too.
            openat(here, ".", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?;
            if name == ".." {
                steps.pop();
            }
            continue;
        }
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let handle = openat(here, name.as_os_str(), flags, Mode::empty())?;
        let metadata = Metadata::of(handle.as_fd())?;
        match metadata.kind {
            Kind::Link if !names.is_empty() || last == Last::Follow => {
                if links.len() == MOST_LINKS || is_magic(handle.as_fd())? {
                    return Err(Errno::ELOOP);
                }
                let target = readlinkat(&handle, "")?;
                if target.is_empty() {
                    return Err(Errno::ENOENT);
                }
                links.push(Link { path: path_of(&steps, Some(&name)), target: target.clone().into() });
                if target.as_bytes().starts_with(b"/") {
                    steps.clear();
                }
                push(&mut names, target.as_bytes());
            }
            Kind::Directory => steps.push((name, handle)),
            _ if !names.is_empty() => return Err(Errno::ENOTDIR),
            _ => {
                let path = path_of(&steps, Some(&name));
                let directory = match steps.pop() {
                    Some((_, directory)) => directory,
                    None => root.try_clone_to_owned().map_err(|_| Errno::EMFILE)?,
                };
                return Ok(Resolved { path, links, metadata, handle, place: Some((directory, name)) });
            }
        }
    }
    let path = path_of(&steps, None);
    let handle = match steps.pop() {
        Some((_, directory)) => directory,
        None => openat(root, ".", OFlag::O_PATH | OFlag::O_CLOEXEC, Mode::empty())?,
    };
    let metadata = Metadata::of(handle.as_fd())?;
    Ok(Resolved { path, links, metadata, handle, place: None })
}

/// Puts the names of a path before those that are still to be walked.
///
/// A slash at the end stands for a dot: what is before it has to be a directory, and if it is a link it is followed.
fn push(names: &mut VecDeque<OsString>, path: &[u8]) {
    if path.ends_with(b"/") {
        names.push_front(".".into());
    }
    for name in path.rsplit(|byte| *byte == b'/').filter(|name| !name.is_empty()) {
        names.push_front(OsStr::from_bytes(name).into());
    }
}

fn path_of(steps: &[Step], name: Option<&OsStr>) -> PathBuf {
    let mut path = PathBuf::from("/");
    path.extend(steps.iter().map(|(name, _)| name.as_os_str()).chain(name));
    path
}

/// Whether a link may be one of those of /proc whose text is not where they lead: all of them there are taken for such.
fn is_magic(link: BorrowedFd<'_>) -> Result<bool, Errno> {
    Ok(fstatfs(link)?.filesystem_type() == PROC_SUPER_MAGIC)
}
