//! Writing a tree into an empty directory.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom, Write};
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, UtimensatFlags, fchmod, futimens, mkdirat, utimensat};
use nix::sys::time::TimeSpec;
use nix::unistd::{Gid, Uid, Whence, fchown, fchownat, linkat, lseek64, symlinkat};

use super::disk::DIRECTORY;
use super::metadata::Metadata;
use super::root::Root;
use super::tree::{Made, Node, Tree};
use crate::loader::FileId;
use crate::sys;

/// When files are said to have been changed last.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Times {
    /// When they were. What is made, and every directory, is as old as the youngest of them: so it is the same the next time.
    Kept,
    /// All at this second since 1970 (SOURCE_DATE_EPOCH).
    All(i64),
}

/// What was written.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Written {
    /// Files, each counted once however many names it has.
    pub files: u64,
    /// Their bytes.
    pub bytes: u64,
    /// Files that belong to this process's user, because it may not give them to whom they belonged.
    pub unowned: u64,
    /// Files whose capabilities could not be given to them.
    pub without_capabilities: u64,
}

/// What could not be written.
#[derive(Debug, thiserror::Error)]
pub enum WriteError {
    /// A system call failed.
    #[error("{attempt} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On what: a path from the root.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// It is not what it was when it was looked at.
    #[error("copy {}: it changed meanwhile", .0.display())]
    Changed(PathBuf),
}

/// Writes a tree into a directory in which there is nothing, and in which nobody else writes.
///
/// Files keep their permissions, owners and capabilities (capabilities(7)), and are one file under several names where they
/// were; no other extended attribute is copied. `tell` is told each file's size, before it is copied.
pub fn write(
    tree: &Tree,
    root: &Root,
    into: BorrowedFd<'_>,
    times: Times,
    tell: &mut dyn FnMut(u64),
) -> Result<Written, WriteError> {
    let youngest = match times {
        Times::All(second) => (second, 0),
        Times::Kept => youngest(tree),
    };
    let mut writer = Writer { root, times, youngest, names: HashMap::new(), written: Written::default() };
    let mut open: Vec<Open<'_>> = Vec::new();
    for (path, node) in tree.nodes() {
        let Some(name) = path.file_name() else { continue };
        while open.last().is_some_and(|directory| !path.starts_with(directory.path)) {
            if let Some(directory) = open.pop() {
                writer.close(&directory)?;
            }
        }
        let parent = open.last().map_or(into, |directory| directory.file.as_fd());
        let failed = |attempt| move |errno: Errno| io_error(attempt, path, errno.into());
        match node {
            Node::Directory(_) | Node::Made(Made { contents: None, .. }) => {
                mkdirat(parent, name, Mode::S_IRWXU).map_err(failed("make"))?;
                let file = openat(parent, name, DIRECTORY, Mode::empty()).map_err(failed("open"))?;
                open.push(Open { path, node, file });
            }
            Node::Link(metadata, target) => {
                symlinkat(target, parent, name).map_err(failed("link"))?;
                writer.finish_link(path, parent, name, metadata)?;
            }
            Node::Copied(metadata) => {
                if let Some(first) = writer.names.get(&metadata.id) {
                    let flags = AtFlags::empty();
                    linkat(into, *first, parent, name, flags).map_err(failed("link"))?;
                    continue;
                }
                tell(metadata.size);
                writer.copy(path, parent, name, metadata)?;
                if metadata.names > 1 {
                    writer.names.insert(metadata.id, relative(path));
                }
            }
            Node::Made(Made { contents: Some(contents), mode }) => {
                let mut file = create(parent, name).map_err(failed("make"))?;
                file.write_all(contents).map_err(|source| io_error("write", path, source))?;
                writer.finish(path, file.as_fd(), *mode, None)?;
                writer.count(contents.len());
            }
        }
    }
    while let Some(directory) = open.pop() {
        writer.close(&directory)?;
    }
    let node = tree.get(Path::new("/")).and_then(Node::metadata);
    let mode = node.map_or(0o755, |metadata| metadata.mode);
    writer.finish(Path::new("/"), into, mode, node)?;
    Ok(writer.written)
}

/// A directory that is being filled. Its permissions and its time come last.
struct Open<'a> {
    path: &'a Path,
    node: &'a Node,
    file: OwnedFd,
}

struct Writer<'a> {
    root: &'a Root,
    times: Times,
    youngest: (i64, i64),
    /// The first name of each file that has several.
    names: HashMap<FileId, &'a Path>,
    written: Written,
}

impl Writer<'_> {
    fn copy(
        &mut self,
        path: &Path,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        metadata: &Metadata,
    ) -> Result<(), WriteError> {
        let failed = |attempt| move |source| io_error(attempt, path, source);
        let from = self.root.open_regular(path).map_err(failed("open"))?;
        if from.metadata() != metadata {
            return Err(WriteError::Changed(path.to_owned()));
        }
        let mut to = create(parent, name).map_err(Errno::into).map_err(failed("make"))?;
        let length =
            copy_contents(from.file(), from.start(), &mut to, metadata.size).map_err(failed("copy"))?;
        let is_unchanged = from.is_unchanged().map_err(Errno::into).map_err(failed("look at"))?;
        if length != metadata.size || !is_unchanged {
            return Err(WriteError::Changed(path.to_owned()));
        }
        self.finish(path, to.as_fd(), metadata.mode, Some(metadata))?;
        // After the owner, who takes them away (capabilities(7)).
        if let Some(capabilities) = from.capabilities().map_err(failed("look at"))? {
            if sys::set_capabilities(to.as_fd(), &capabilities).is_err() {
                self.written.without_capabilities += 1;
            }
        }
        self.written.files += 1;
        self.written.bytes += length;
        Ok(())
    }

    fn count(&mut self, length: usize) {
        self.written.files += 1;
        self.written.bytes += u64::try_from(length).unwrap_or_default();
    }

    fn close(&mut self, directory: &Open<'_>) -> Result<(), WriteError> {
        let mode = match directory.node {
            Node::Made(made) => made.mode,
            node => node.metadata().map_or(0o755, |metadata| metadata.mode),
        };
        self.finish(directory.path, directory.file.as_fd(), mode, directory.node.metadata())
    }

    /// Gives a file its owner, permissions and time, in this order: the kernel takes set-user-ID away from whom it is given to.
    fn finish(
        &mut self,
        path: &Path,
        file: BorrowedFd<'_>,
        mode: u32,
        metadata: Option<&Metadata>,
    ) -> Result<(), WriteError> {
        let failed = |attempt| move |errno: Errno| io_error(attempt, path, errno.into());
        let mut mode = mode;
        let owner = metadata.map_or((0, 0), |metadata| (metadata.uid, metadata.gid));
        let given = fchown(file, Some(Uid::from_raw(owner.0)), Some(Gid::from_raw(owner.1)));
        if !self.is_given(given).map_err(failed("give away"))? {
            // Its bits would be another user's.
            mode &= 0o1777;
        }
        fchmod(file, Mode::from_bits_truncate(mode)).map_err(failed("change"))?;
        let time = self.time(metadata);
        futimens(file, &time, &time).map_err(failed("change"))
    }

    fn finish_link(
        &mut self,
        path: &Path,
        parent: BorrowedFd<'_>,
        name: &OsStr,
        metadata: &Metadata,
    ) -> Result<(), WriteError> {
        let failed = |attempt| move |errno: Errno| io_error(attempt, path, errno.into());
        let (uid, gid) = (Uid::from_raw(metadata.uid), Gid::from_raw(metadata.gid));
        let given = fchownat(parent, name, Some(uid), Some(gid), AtFlags::AT_SYMLINK_NOFOLLOW);
        self.is_given(given).map_err(failed("give away"))?;
        let time = self.time(Some(metadata));
        utimensat(parent, name, &time, &time, UtimensatFlags::NoFollowSymlink).map_err(failed("change"))
    }

    /// Only root may give files away, and in a user namespace only to users who exist there.
    fn is_given(&mut self, given: Result<(), Errno>) -> Result<bool, Errno> {
        match given {
            Ok(()) => Ok(true),
            Err(Errno::EPERM | Errno::EINVAL) => {
                self.written.unowned += 1;
                Ok(false)
            }
            Err(errno) => Err(errno),
        }
    }

    fn time(&self, metadata: Option<&Metadata>) -> TimeSpec {
        let (seconds, nanoseconds) = match (self.times, metadata) {
            (Times::Kept, Some(metadata)) if metadata.kind != super::Kind::Directory => metadata.modified,
            _ => self.youngest,
        };
        // Any 64 bits are a time to the kernel, which takes the nearest one that the file system has; nix's arithmetic ends in 2262.
        #[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
        TimeSpec::new(seconds as _, nanoseconds as _)
    }
}

fn create(parent: BorrowedFd<'_>, name: &OsStr) -> Result<File, Errno> {
    let flags = OFlag::O_WRONLY | OFlag::O_CREAT | OFlag::O_EXCL | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
    Ok(openat(parent, name, flags, Mode::S_IRUSR | Mode::S_IWUSR)?.into())
}

/// Copies so many bytes of a file from an offset on, and leaves out what it leaves out itself (the holes of a sparse file); how
/// many there were.
fn copy_contents(from: &File, start: u64, to: &mut File, size: u64) -> io::Result<u64> {
    let file_end = start.saturating_add(size);
    let mut at = start;
    while at < file_end {
        let Some(data) = seek(from, at, Whence::SeekData, at)?.filter(|data| *data < file_end) else { break };
        let end = seek(from, data, Whence::SeekHole, file_end)?.unwrap_or(file_end).min(file_end);
        (&mut &*from).seek(SeekFrom::Start(data))?;
        to.seek(SeekFrom::Start(data.saturating_sub(start)))?;
        // The standard library asks the kernel to copy, or to share the blocks (copy_file_range(2)).
        let copied = io::copy(&mut from.take(end.saturating_sub(data)), to)?;
        at = data.saturating_add(copied);
        if at < end {
            return Ok(at.saturating_sub(start));
        }
    }
    if at < file_end {
        // It ends in a hole.
        to.set_len(size)?;
    }
    Ok(size)
}

/// Where the next data or hole is; none if there is no more. `otherwise` where the file system does not tell.
fn seek(file: &File, from: u64, what: Whence, otherwise: u64) -> io::Result<Option<u64>> {
    let from = i64::try_from(from).map_err(|_| Errno::EOVERFLOW)?;
    match lseek64(file, from, what) {
        Ok(at) => Ok(u64::try_from(at).ok()),
        Err(Errno::ENXIO) => Ok(None),
        Err(Errno::EINVAL | Errno::EOPNOTSUPP | Errno::ENOSYS) => Ok(Some(otherwise)),
        Err(errno) => Err(errno.into()),
    }
}

fn youngest(tree: &Tree) -> (i64, i64) {
    let files = tree.nodes().filter(|(_, node)| !node.is_directory());
    files.filter_map(|(_, node)| Some(node.metadata()?.modified)).max().unwrap_or((0, 0))
}

fn relative(path: &Path) -> &Path {
    path.strip_prefix("/").unwrap_or(path)
}

fn io_error(attempt: &'static str, path: &Path, source: io::Error) -> WriteError {
    WriteError::Io { attempt, path: path.to_owned(), source }
}
