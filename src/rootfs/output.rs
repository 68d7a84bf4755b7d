//! Where a tree is written to: all of it, or nothing.
//!
//! It is written beside its place and moved there when it is whole. Where its place is a mount, which can't be moved to, or
//! nothing may be written beside it, it is written into a directory in it.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, open, openat, renameat};
use nix::sys::stat::{Mode, SFlag, fstatat, futimens};
use nix::sys::time::TimeSpec;

use super::disk::DIRECTORY;
use super::metadata::Metadata;
use crate::sys;

/// What is done with what there is at the place already.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Existing {
    /// There may be an empty directory.
    Refuse,
    /// It stays, but for files that are in the tree as well.
    Merge,
}

/// Why there is no output.
#[derive(Debug, thiserror::Error)]
pub enum OutputError {
    /// A system call failed.
    #[error("{attempt} {}: {source}", path.display())]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        source: io::Error,
    },
    /// There is something.
    #[error("write {}: it is not empty (remove it, or add to it with --merge)", .0.display())]
    NotEmpty(PathBuf),
    /// There is something else than a directory.
    #[error("write {}: it is there, and no directory (remove it)", .0.display())]
    NoDirectory(PathBuf),
    /// It is the root directory of this system.
    #[error("write {}: it is the root of this system (name another directory)", .0.display())]
    Whole(PathBuf),
    /// Another process writes there.
    #[error("write {}: another gb is writing it (wait for it)", .0.display())]
    Busy(PathBuf),
    /// What is to be merged does not fit.
    #[error("write {}: {} is a {theirs} there, and a {ours} here (remove it)", out.display(), path.display())]
    Conflict {
        /// The place.
        out: PathBuf,
        /// The file.
        path: PathBuf,
        /// What is there.
        theirs: &'static str,
        /// What was to be there.
        ours: &'static str,
    },
}

/// A place that is being written to. Whatever is not [finished](Output::finish) is taken away.
#[derive(Debug)]
pub struct Output {
    out: PathBuf,
    temporary: PathBuf,
    /// The temporary directory, which is locked.
    directory: OwnedFd,
    /// Its files are moved one by one, as the place is a mount, or not empty.
    merges: bool,
    /// When the place was changed last: it is while the temporary directory comes and goes in it.
    changed: (i64, i64),
    is_finished: bool,
}

impl Output {
    /// Makes a directory to write to, for a tree that is to be at `out`.
    pub fn prepare(out: &Path, existing: Existing) -> Result<Output, OutputError> {
        let failed = |attempt, path: &Path| {
            let path = path.to_owned();
            move |source: io::Error| OutputError::Io { attempt, path, source }
        };
        // `.` and `..` have another name where they are.
        let out = &match out.file_name() {
            Some(_) => out.to_owned(),
            None => std::fs::canonicalize(out).map_err(failed("look at", out))?,
        };
        let (Some(parent), Some(name)) = (out.parent(), out.file_name()) else {
            return Err(OutputError::Whole(out.to_owned()));
        };
        let parent = if parent.as_os_str().is_empty() { Path::new(".") } else { parent };
        // Without a slash at the end, by which a link would be followed.
        let out = &out.with_file_name(name);
        std::fs::create_dir_all(parent).map_err(failed("make", parent))?;
        let (is_there, changed) = match std::fs::symlink_metadata(out) {
            Ok(found) if !found.is_dir() => return Err(OutputError::NoDirectory(out.to_owned())),
            Ok(found) => (true, (found.mtime(), found.mtime_nsec())),
            Err(error) if error.kind() == io::ErrorKind::NotFound => (false, (i64::MIN, 0)),
            Err(error) => return Err(failed("look at", out)(error)),
        };
        let is_mount = is_there && sys::is_mount(out);
        let inside = || Ok((claim(&out.join(TEMPORARY), out)?, out.join(TEMPORARY), true));
        let beside = || {
            let mut hidden = OsString::from(".");
            hidden.push(name);
            hidden.push(TEMPORARY);
            Ok((claim(&parent.join(&hidden), out)?, parent.join(hidden), false))
        };
        let claimed = if is_mount { inside() } else { beside() };
        let (directory, temporary, merges) = match claimed {
            // A directory of one's own in one of somebody else's.
            Err(OutputError::Io { source, .. }) if is_there && !is_mount && is_refused(&source) => inside()?,
            claimed => claimed?,
        };
        let mut output =
            Output { out: out.to_owned(), temporary, directory, merges, changed, is_finished: false };
        if is_there && !output.is_empty().map_err(failed("look at", out))? {
            if existing == Existing::Refuse {
                return Err(OutputError::NotEmpty(out.to_owned()));
            }
            output.merges = true;
        }
        Ok(output)
    }

    /// The directory to write to.
    pub fn directory(&self) -> BorrowedFd<'_> {
        self.directory.as_fd()
    }

    /// Whether what is written is moved beside what is there.
    pub fn merges(&self) -> bool {
        self.merges
    }

    /// Its path, for looking at what was written.
    pub fn path(&self) -> &Path {
        &self.temporary
    }

    /// Moves everything to its place.
    pub fn finish(mut self) -> Result<(), OutputError> {
        let out = self.out.clone();
        let failed = |attempt| {
            let path = out.clone();
            move |errno: Errno| OutputError::Io { attempt, path, source: errno.into() }
        };
        if self.merges {
            let place = open(&self.out, DIRECTORY, Mode::empty()).map_err(failed("open"))?;
            let time =
                Metadata::of(self.directory.as_fd()).map_err(failed("look at"))?.modified.max(self.changed);
            // All of it is looked at before any of it is moved.
            for moves in [false, true] {
                self.merge(self.directory.as_fd(), place.as_fd(), Path::new("/"), moves)?;
            }
            self.clear();
            set_time(place.as_fd(), time).map_err(failed("change"))?;
        } else {
            std::fs::rename(&self.temporary, &self.out).map_err(|source| OutputError::Io {
                attempt: "make",
                path: self.out.clone(),
                source,
            })?;
            self.is_finished = true;
        }
        Ok(())
    }

    fn merge(
        &self,
        from: BorrowedFd<'_>,
        to: BorrowedFd<'_>,
        at: &Path,
        moves: bool,
    ) -> Result<(), OutputError> {
        let time = younger(from, to).map_err(|errno| self.failed("look at", at, errno))?;
        for name in names(from).map_err(|errno| self.failed("look at", at, errno))? {
            let path = at.join(&name);
            let failed = |errno| self.failed("move", &path, errno);
            let ours = kind(from, &name).map_err(failed)?;
            let theirs = match kind(to, &name) {
                Err(Errno::ENOENT) => None,
                theirs => Some(theirs.map_err(failed)?),
            };
            match theirs {
                Some(DIRECTORY_KIND) if ours == DIRECTORY_KIND => {
                    let open = |parent| openat(parent, name.as_os_str(), DIRECTORY, Mode::empty());
                    let (from, to) = (open(from).map_err(failed)?, open(to).map_err(failed)?);
                    self.merge(from.as_fd(), to.as_fd(), &path, moves)?;
                }
                Some(theirs) if (ours == DIRECTORY_KIND) != (theirs == DIRECTORY_KIND) => {
                    return Err(OutputError::Conflict { out: self.out.clone(), path, theirs, ours });
                }
                _ if moves => {
                    renameat(from, name.as_os_str(), to, name.as_os_str()).map_err(failed)?;
                }
                _ => {}
            }
        }
        if moves {
            // Moving has changed it, and no two runs move at the same time.
            set_time(to, time).map_err(|errno| self.failed("change", at, errno))?;
        }
        Ok(())
    }

    /// Whether there is nothing at the place but what this has made.
    fn is_empty(&self) -> io::Result<bool> {
        let own = self.temporary.file_name().filter(|_| self.temporary.parent() == Some(&self.out));
        for entry in std::fs::read_dir(&self.out)? {
            if own != Some(&entry?.file_name()) {
                return Ok(false);
            }
        }
        Ok(true)
    }

    fn failed(&self, attempt: &'static str, path: &Path, errno: Errno) -> OutputError {
        let path = self.out.join(path.strip_prefix("/").unwrap_or(path));
        OutputError::Io { attempt, path, source: errno.into() }
    }
}

impl Output {
    /// Takes away what has not been moved.
    fn clear(&mut self) {
        if !std::mem::replace(&mut self.is_finished, true) {
            let _removed = std::fs::remove_dir_all(&self.temporary);
        }
    }
}

impl Drop for Output {
    fn drop(&mut self) {
        self.clear();
    }
}

/// What a temporary directory's name ends in.
const TEMPORARY: &str = ".gb-unfinished";

/// A new directory of this name, locked. One that a gb has left which was killed goes.
fn claim(path: &Path, out: &Path) -> Result<OwnedFd, OutputError> {
    let failed = |attempt, source: io::Error| OutputError::Io { attempt, path: path.to_owned(), source };
    let lock = || match open(path, DIRECTORY, Mode::empty()) {
        Err(Errno::ENOENT) => Ok(None),
        Err(errno) => Err(failed("open", errno.into())),
        Ok(directory) => match sys::lock(directory.as_fd(), false) {
            Ok(()) => Ok(Some(directory)),
            Err(Errno::EWOULDBLOCK) => Err(OutputError::Busy(out.to_owned())),
            Err(errno) => Err(failed("lock", errno.into())),
        },
    };
    if let Some(left) = lock()? {
        std::fs::remove_dir_all(path).map_err(|source| failed("remove", source))?;
        drop(left);
    }
    let mode = std::os::unix::fs::DirBuilderExt::mode(&mut std::fs::DirBuilder::new(), 0o700).create(path);
    mode.map_err(|source| failed("make", source))?;
    // Whoever else removes it, or takes it, does so before this is told that it has it.
    let locked = lock().and_then(|lock| lock.ok_or_else(|| OutputError::Busy(out.to_owned())));
    if let Err(OutputError::Io { .. }) = locked {
        let _removed = std::fs::remove_dir(path);
    }
    locked
}

fn is_refused(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::PermissionDenied | io::ErrorKind::ReadOnlyFilesystem)
}

fn names(directory: BorrowedFd<'_>) -> Result<Vec<OsString>, Errno> {
    let names = sys::names(directory)?.map(|name| Ok(OsString::from_vec(name?.into_bytes())));
    let mut names = names.collect::<Result<Vec<_>, Errno>>()?;
    names.sort_unstable();
    Ok(names)
}

/// The time of the directory that was changed last.
fn younger(one: BorrowedFd<'_>, two: BorrowedFd<'_>) -> Result<(i64, i64), Errno> {
    Ok(Metadata::of(one)?.modified.max(Metadata::of(two)?.modified))
}

/// Says when a directory was changed last. Another user's has the time that it has.
// The types of these fields differ between architectures.
#[allow(clippy::useless_conversion, clippy::unnecessary_cast)]
fn set_time(directory: BorrowedFd<'_>, (seconds, nanoseconds): (i64, i64)) -> Result<(), Errno> {
    let time = TimeSpec::from(libc::timespec { tv_sec: seconds as _, tv_nsec: nanoseconds as _ });
    match futimens(directory, &time, &time) {
        Err(Errno::EPERM) => Ok(()),
        set => set,
    }
}

const DIRECTORY_KIND: &str = "directory";

fn kind(parent: BorrowedFd<'_>, name: &OsStr) -> Result<&'static str, Errno> {
    let stat = fstatat(parent, name, AtFlags::AT_SYMLINK_NOFOLLOW)?;
    Ok(match SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT {
        SFlag::S_IFDIR => DIRECTORY_KIND,
        SFlag::S_IFLNK => "link",
        _ => "file",
    })
}
