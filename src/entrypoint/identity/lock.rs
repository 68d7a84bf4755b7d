//! The lock of the account files.
//!
//! gb holds it from before it reads them until it is seen to be the user. So of many starts at a time one after the other decides who
//! gets the name `user` and its home, and each finds that the users before it are running: nobody's account is made over
//! to another before its command has begun.

use std::fs::File;
use std::io;
use std::os::unix::fs::OpenOptionsExt;
use std::time::Duration;

use nix::errno::Errno;
use nix::fcntl::{FcntlArg, fcntl};
use nix::unistd::geteuid;

use super::record::RecordError;
use super::request::Request;

/// As long as lckpwdf(3) waits for the lock.
const PATIENCE: Duration = Duration::from_secs(15);
/// How often the lock is asked for.
const PAUSE: Duration = Duration::from_millis(10);

/// The lock; it is held until this is dropped, or the program ends or becomes another one.
#[derive(Debug)]
pub struct Lock {
    _file: File,
}

impl Lock {
    /// Takes it, if the request may need accounts. The error is why nothing can be recorded.
    pub fn take(request: &Request) -> Result<Lock, RecordError> {
        if *request == Request::Unchanged || !geteuid().is_root() {
            return Err(RecordError::NotRoot);
        }
        lock().map(|file| Lock { _file: file })
    }
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
    match lock_for_writing(&file, PATIENCE) {
        Ok(()) => Ok(file),
        Err(Errno::ETIMEDOUT) => Err(RecordError::Locked),
        Err(errno) => Err(failed(errno.into())),
    }
}

/// Locks a whole file as long as it is open. ETIMEDOUT: somebody else has it locked, who need not be ready ever.
pub(super) fn lock_for_writing(file: &File, patience: Duration) -> Result<(), Errno> {
    let request = libc::flock {
        l_type: libc::F_WRLCK as libc::c_short,
        l_whence: libc::SEEK_SET as libc::c_short,
        l_start: 0,
        l_len: 0,
        l_pid: 0,
    };
    let tries = patience.as_millis() / PAUSE.as_millis();
    for _ in 0..tries {
        match fcntl(file, FcntlArg::F_OFD_SETLK(&request)) {
            Ok(_) => return Ok(()),
            Err(Errno::EAGAIN | Errno::EACCES | Errno::EINTR) => std::thread::sleep(PAUSE),
            Err(errno) => return Err(errno),
        }
    }
    Err(Errno::ETIMEDOUT)
}
