//! A program on a pseudo-terminal.

use std::fs::File;
use std::os::fd::OwnedFd;
use std::os::unix::fs::OpenOptionsExt;
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::fcntl::OFlag;
use nix::pty::{grantpt, posix_openpt, ptsname_r, unlockpt};

use crate::root::Place;
use crate::running::{Running, Stream};

/// Starts a command with a new terminal as its three standard streams. (Its controlling terminal it becomes by
/// `setsid --ctty`.)
#[track_caller]
pub fn start(mut command: Command, shown: String, place: Arc<Place>) -> Running {
    let (master, slave) = open();
    let stream = || Stdio::from(slave.try_clone().expect("a descriptor more"));
    command.stdin(stream()).stdout(stream()).stderr(stream());
    let child = command.spawn().expect("the root could not be entered");
    // The terminal ends when the last of its users has gone; the command is one of them.
    drop(command);
    drop(slave);
    let output = Stream::of(master.try_clone().expect("a descriptor more"));
    Running::on_terminal(child, shown, place, Box::new(master), output)
}

/// Both sides of a new terminal. openpty(3) would give descriptors that a program which another test starts at the same
/// time inherits.
fn open() -> (File, File) {
    let flags = OFlag::O_RDWR | OFlag::O_NOCTTY | OFlag::O_CLOEXEC;
    let master = posix_openpt(flags).expect("no pseudo-terminal");
    grantpt(&master).and_then(|()| unlockpt(&master)).expect("no right to the pseudo-terminal");
    let name = ptsname_r(&master).expect("a pseudo-terminal has a name");
    let mut options = File::options();
    let slave = options.read(true).write(true).custom_flags(OFlag::O_NOCTTY.bits()).open(name);
    (File::from(OwnedFd::from(master)), slave.expect("no other side of the pseudo-terminal"))
}
