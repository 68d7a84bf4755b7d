//! Writing the account files: all or nothing, one writer at a time.

use std::ffi::{OsStr, OsString};
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::edit::{self, Files, User};
use super::facts;
use super::lock::Lock;
use super::plan::UserPlan;
use crate::sys;

/// What lets files become as large as they have to (setrlimit(2), RLIMIT_FSIZE).
pub(super) const FILE_SIZE: &str = "--ulimit fsize=-1";

/// Why the user has no account.
#[derive(Debug, thiserror::Error)]
pub enum RecordError {
    /// A file can't be written.
    #[error("{path}: {}", errno.desc())]
    File {
        /// The file.
        path: &'static str,
        /// Why not.
        errno: Errno,
    },
    /// Another program holds the lock.
    #[error("another program has held the lock /etc/.pwd.lock for 15 s")]
    Locked,
    /// The file is one of the host's.
    #[error("{0} is a mount, which is left as it is")]
    Mount(&'static str),
    /// This is no container.
    #[error("this system is run by systemd, so it is no container whose accounts are gb's to change")]
    NoContainer,
    /// What is there can't be read.
    #[error("{0}")]
    Unreadable(String),
    /// Nobody else may write them.
    #[error("the account files are root's")]
    NotRoot,
}

impl RecordError {
    /// Whether the cause is a read-only file system.
    pub fn is_read_only(&self) -> bool {
        matches!(self, RecordError::File { errno: Errno::EROFS, .. })
    }

    /// What the caller can do about it, if anything.
    pub fn remedy(&self) -> String {
        match self {
            RecordError::File { errno: Errno::EPERM | Errno::EACCES, .. } => "--cap-add CHOWN".to_owned(),
            RecordError::File { errno: Errno::EFBIG, .. } => FILE_SIZE.to_owned(),
            _ => String::new(),
        }
    }

    pub(super) fn file(path: &'static str, error: &io::Error) -> RecordError {
        match error.raw_os_error().map(Errno::from_raw) {
            // rename(2): what a mount is on can't be replaced.
            Some(Errno::EBUSY) => RecordError::Mount(path),
            // Only system calls fail here.
            errno => RecordError::File { path, errno: errno.unwrap_or(Errno::EIO) },
        }
    }
}

impl UserPlan {
    /// Makes the account files know the user, and the home that it has.
    ///
    /// An account that was there before is told another home if that can be done; it serves without, too.
    pub fn record(&self, _lock: &Lock, home: &OsStr) -> Result<(), RecordError> {
        if !self.writes_files && !self.moves_to(home) {
            return Ok(());
        }
        if is_host() {
            return if self.writes_files { Err(RecordError::NoContainer) } else { Ok(()) };
        }
        // Of shadow a new account alone makes use, and it may be unreadable.
        let (before, unreadable) = match self.edited.files.shadow {
            Some(_) => facts::account_files(),
            None => facts::accounts_and_groups(),
        };
        if let Some(problem) = unreadable {
            return Err(RecordError::Unreadable(problem));
        }
        // Under the lock these can only be what a gb that was killed has left.
        for path in ["/etc/shadow", "/etc/group", "/etc/passwd"] {
            let _removed = fs::remove_file(beside(&target(path)));
        }
        let user = User { home: home.to_owned(), ..self.user.clone() };
        let Files { passwd, group, shadow } = edit::with_user(&before, &user).files;
        let moved = edit::with_home(&passwd, user.uid, home);
        // The account comes last: nobody may find it before its password is locked and its groups are there.
        if let Some(shadow) = shadow.as_ref().filter(|_| shadow != before.shadow) {
            replace("/etc/shadow", shadow, 0o640)?;
        }
        if group != before.group {
            replace("/etc/group", &group, 0o644)?;
        }
        if passwd != before.passwd {
            replace("/etc/passwd", &passwd, 0o644)?;
        } else if let Some(passwd) = moved {
            let _moved = replace("/etc/passwd", &passwd, 0o644);
        }
        Ok(())
    }

    /// Whether the account was there before, and has another home.
    pub fn moves_to(&self, home: &OsStr) -> bool {
        self.account_home.as_deref().is_some_and(|known| known != home)
    }
}

/// Whether this is a system of its own rather than a container (sd_booted(3)).
pub(in crate::entrypoint) fn is_host() -> bool {
    fs::symlink_metadata("/run/systemd/system").is_ok()
}

/// Puts a new file in the place of one, with the old one's owner and mode. Readers see the old one or the new one.
fn replace(path: &'static str, contents: &[u8], mode: u32) -> Result<(), RecordError> {
    let failed = |error: io::Error| RecordError::file(path, &error);
    let target = target(path);
    let new = beside(&target);
    let written = write_new(&new, &target, contents, mode).and_then(|()| fs::rename(&new, &target));
    written.map_err(|error| {
        // Nothing half-written stays. The cause to tell is the first one.
        let _removed = fs::remove_file(&new);
        failed(error)
    })
}

/// The file itself: a link (/etc/passwd may be one into a volume) stays a link.
fn target(path: &str) -> PathBuf {
    fs::canonicalize(path).unwrap_or_else(|_| PathBuf::from(path))
}

/// The name of the new file until it is complete: in the same directory, or it could not be renamed.
fn beside(target: &Path) -> PathBuf {
    let mut name = OsString::from(".");
    name.push(target.file_name().unwrap_or_default());
    name.push(".gb");
    target.with_file_name(name)
}

fn write_new(new: &Path, old: &Path, contents: &[u8], mode: u32) -> io::Result<()> {
    let _signal = sys::FileSizeSignal::ignore();
    let mut file = File::options()
        .write(true)
        .create_new(true)
        .mode(0o600)
        .custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW)
        .open(new)?;
    file.write_all(contents)?;
    match fs::metadata(old) {
        Ok(metadata) => {
            std::os::unix::fs::fchown(&file, Some(metadata.uid()), Some(metadata.gid()))?;
            file.set_permissions(metadata.permissions())
        }
        Err(_) => file.set_permissions(std::os::unix::fs::PermissionsExt::from_mode(mode)),
    }
}
