//! Resolving a path inside a root, name by name: what the kernel's RESOLVE_IN_ROOT does (openat2(2)), and it tells which links
//! were followed.
//!
//! Each name is looked up in the directory that is held, never with its link followed, and `..` goes back to the directory that
//! the walk came from. So there is no moment at which a link or a renamed directory could lead out.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

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
    /// What is told of the link itself.
    pub metadata: Metadata,
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
    /// What it says, word for word, if it is a link.
    pub target: Option<PathBuf>,
}

/// What can be walked: directories and links. No method follows a link.
pub(super) trait Places {
    /// What a file is held by.
    type Handle;

    /// The file of a name in a directory, or in the root. `.` is the directory, if names may be looked up in it.
    fn child(
        &self,
        directory: Option<&Self::Handle>,
        name: &OsStr,
    ) -> Result<(Self::Handle, Metadata), Errno>;

    /// What a link says.
    fn target(&self, link: &Self::Handle) -> Result<OsString, Errno>;

    /// Whether a link may be one of those of /proc whose text is not where they lead: all of them there are taken for such.
    fn is_magic(&self, link: &Self::Handle) -> Result<bool, Errno>;
}

/// A file that was found, and what it is held by.
pub(super) struct Found<H> {
    pub(super) resolved: Resolved,
    pub(super) handle: H,
    /// The directory that it is in (none: the root), and its name there. No place of the root itself, and of what was reached by
    /// `.` or `..`.
    pub(super) place: Option<(Option<H>, OsString)>,
}

/// A directory that the walk is in, and its name in the one before.
type Step<H> = (OsString, H);

/// Resolves a path inside a root.
pub(super) fn walk<P: Places>(root: &P, path: &Path, last: Last) -> Result<Found<P::Handle>, Errno> {
    let bytes = path.as_os_str().as_bytes();
    if bytes.is_empty() {
        return Err(Errno::ENOENT);
    }
    if bytes.len() >= PATH_MAX {
        return Err(Errno::ENAMETOOLONG);
    }
    let mut links = Vec::new();
    let mut steps: Vec<Step<P::Handle>> = Vec::new();
    let mut names = VecDeque::new();
    push(&mut names, bytes);
    while let Some(name) = names.pop_front() {
        let here = steps.last().map(|(_, directory)| directory);
        if name == "." || name == ".." {
            // Whether names may be looked up in the directory is asked of these, too.
            root.child(here, OsStr::new("."))?;
            if name == ".." {
                steps.pop();
            }
            continue;
        }
        let (handle, metadata) = root.child(here, &name)?;
        match metadata.kind {
            Kind::Link if !names.is_empty() || last == Last::Follow => {
                if links.len() == MOST_LINKS || root.is_magic(&handle)? {
                    return Err(Errno::ELOOP);
                }
                let target = root.target(&handle)?;
                if target.is_empty() {
                    return Err(Errno::ENOENT);
                }
                let path = path_of(&steps, Some(&name));
                links.push(Link { path, target: target.clone().into(), metadata });
                if target.as_bytes().starts_with(b"/") {
                    steps.clear();
                }
                push(&mut names, target.as_bytes());
            }
            Kind::Directory => steps.push((name, handle)),
            _ if !names.is_empty() => return Err(Errno::ENOTDIR),
            kind => {
                let target = match kind {
                    Kind::Link => Some(root.target(&handle)?.into()),
                    _ => None,
                };
                let path = path_of(&steps, Some(&name));
                let place = Some((steps.pop().map(|(_, directory)| directory), name));
                let resolved = Resolved { path, links, metadata, target };
                return Ok(Found { resolved, handle, place });
            }
        }
    }
    let path = path_of(&steps, None);
    let here = steps.last().map(|(_, directory)| directory);
    let (handle, metadata) = root.child(here, OsStr::new("."))?;
    Ok(Found { resolved: Resolved { path, links, metadata, target: None }, handle, place: None })
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

fn path_of<H>(steps: &[Step<H>], name: Option<&OsStr>) -> PathBuf {
    let mut path = PathBuf::from("/");
    path.extend(steps.iter().map(|(name, _)| name.as_os_str()).chain(name));
    path
}
