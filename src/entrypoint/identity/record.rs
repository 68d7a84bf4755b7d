//! Writing the account files: all or nothing, one writer at a time.

use std::ffi::OsString;
use std::fs::{self, File};
use std::io::{self, Write};
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};

use super::edit::{self, Edited, Files};
use super::facts;
use super::plan::UserPlan;

/// As long as lckpwdf(3) waits for the lock.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the lock is asked for.
const PAUSE: Duration = Duration::from_millis(10);

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
            _ => String::new(),
        }
    }

    fn file(path: &'static str, error: &io::Error) -> RecordError {
        match error.raw_os_error().map(Errno::from_raw) {
            // rename(2): what a mount is on can't be replaced.
            Some(Errno::EBUSY) => RecordError::Mount(path),
            // Only system calls fail here.
            errno => RecordError::File { path, errno: errno.unwrap_or(Errno::EIO) },
        }
    }
}

impl UserPlan {
    /// Makes the account files know the user.
    ///
    /// Returns what was written, which may differ from what was planned where another program wrote in between.
    pub fn record(&self) -> Result<Edited, RecordError> {
        if !self.writes_files {
            return Ok(self.edited.clone());
        }
        if is_host() {
            return Err(RecordError::NoContainer);
        }
        let _lock = lock()?;
        let (before, unreadable) = facts::account_files();
        if let Some(problem) = unreadable {
            return Err(RecordError::Unreadable(problem));
        }
        // Under the lock these can only be what a gb that was killed has left.
        for path in ["/etc/shadow", "/etc/group", "/etc/passwd"] {
            let _removed = fs::remove_file(beside(&target(path)));
        }
        let edited = edit::with_user(&before, &self.user);
        let Files { passwd, group, shadow } = &edited.files;
        // The account comes last: nobody may find it before its password is locked and its groups are there.
        if let Some(shadow) = shadow.as_ref().filter(|_| edited.files.shadow != before.shadow) {
            replace("/etc/shadow", shadow, 0o640)?;
        }
        if *group != before.group {
            replace("/etc/group", group, 0o644)?;
        }
        if *passwd != before.passwd {
            replace("/etc/passwd", passwd, 0o644)?;
        }
        Ok(edited)
    }
}

/// Whether this is a system of its own rather than a container (sd_booted(3)).
pub(super) fn is_host() -> bool {
    fs::symlink_metadata("/run/systemd/system").is_ok()
}

/// Takes the lock of lckpwdf(3), which useradd and its kin take as well; it lasts as long as the file is open.
fn lock() -> Result<File, RecordError> {
    let path = "/etc/.pwd.lock";
    let failed = |error: io::Error| RecordError::file(path, &error);
    let file = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o600)
        .custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW)
        .open(path)
        .map_err(failed)?;
    let request = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let tries = PATIENCE.as_millis() / PAUSE.as_millis();
    for _ in 0..tries {
        match fcntl(&file, FcntlArg::F_OFD_SETLK(&request)) {
            Ok(_) => return Ok(file),
            Err(Errno::EAGAIN | Errno::EACCES | Errno::EINTR) => std::thread::sleep(PAUSE),
            Err(errno) => return Err(failed(errno.into())),
        }
    }
    Err(RecordError::Locked)
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
