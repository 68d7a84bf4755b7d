//! The controlling terminal.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::unistd::tcgetpgrp;

use crate::sys;

/// The controlling terminal of this process.
pub(super) enum Terminal {
    /// Opened by gb.
    Opened(File),
    /// Inherited, as a standard stream.
    Standard(BorrowedFd<'static>),
}

impl Terminal {
    /// Finds it, if there is one.
    pub fn find() -> Option<Terminal> {
        let opened = OpenOptions::new().read(true).write(true).custom_flags(libc::O_NOCTTY).open("/dev/tty");
        if let Ok(file) = opened {
            return Some(Terminal::Opened(file));
        }
        // In a root directory without that device. A terminal has a foreground group only for those that it controls
        // (ENOTTY for the others, ioctl_tty(2)).
        let streams = [sys::standard_stream(0), sys::standard_stream(1), sys::standard_stream(2)];
        streams.into_iter().find(|stream| tcgetpgrp(stream).is_ok()).map(Terminal::Standard)
    }

    /// The descriptor.
    pub fn descriptor(&self) -> BorrowedFd<'_> {
        match self {
            Terminal::Opened(file) => file.as_fd(),
            Terminal::Standard(stream) => *stream,
        }
    }

    /// Gives it up, for another session to take.
    pub fn leave(&self) -> Result<(), Errno> {
        sys::leave_terminal(self.descriptor())
    }

    /// Takes it, if no session has it, with the foreground for this process's group.
    pub fn take(&self) -> Result<(), Errno> {
        sys::take_terminal(self.descriptor())
    }
}
