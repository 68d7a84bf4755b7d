//! The controlling terminal, and the process group that it listens to.

use std::fs::{File, OpenOptions};
use std::os::fd::{AsFd, BorrowedFd};
use std::os::unix::fs::OpenOptionsExt;

use nix::errno::Errno;
use nix::unistd::{Pid, getpgrp, tcgetpgrp, tcsetpgrp};

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

    /// Whether gb's own process group has the foreground.
    pub fn is_ours(&self) -> bool {
        self.foreground().is_some_and(|foreground| foreground == getpgrp())
    }

    /// Whether nobody is left to give the foreground back: the group that has it is gb's own, in which nobody reads, or
    /// has no member any more.
    pub fn is_abandoned(&self) -> bool {
        self.foreground().is_some_and(|foreground| {
            foreground == getpgrp() || sys::send(-foreground.as_raw(), 0) == Err(Errno::ESRCH)
        })
    }

    /// Whether this group has the foreground.
    pub fn is_given_to(&self, group: Pid) -> bool {
        self.foreground() == Some(group)
    }

    /// Gives a process group the foreground. SIGTTOU, which a process in the background gets for this, has to be blocked.
    pub fn give_to(&self, group: Pid) {
        // Without the foreground the command still runs, and gets it when it first needs it.
        let _given = tcsetpgrp(self.descriptor(), group);
    }

    /// The group in the foreground, if it can be named: 0 stands for one from outside of the PID namespace.
    fn foreground(&self) -> Option<Pid> {
        tcgetpgrp(self.descriptor()).ok().filter(|group| group.as_raw() > 0)
    }
}
