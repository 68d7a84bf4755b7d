//! The controlling terminal of a session (credentials(7), ioctl_tty(2)).

use std::os::fd::{AsRawFd, BorrowedFd};

use nix::errno::Errno;

/// Makes a terminal that controls no session the controlling one of this process's session, whose leader it must be; its
/// process group gets the foreground.
pub fn take_terminal(terminal: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: TIOCSCTTY takes an integer: 0, not to steal the terminal from another session.
    Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCSCTTY, 0) }).map(drop)
}

/// Gives up the controlling terminal, for the whole session if this process leads it.
///
/// The kernel then sends SIGHUP and SIGCONT to the group in the foreground, as if this process had sent them.
pub fn leave_terminal(terminal: BorrowedFd<'_>) -> Result<(), Errno> {
    // SAFETY: TIOCNOTTY takes no argument.
    Errno::result(unsafe { libc::ioctl(terminal.as_raw_fd(), libc::TIOCNOTTY) }).map(drop)
}
