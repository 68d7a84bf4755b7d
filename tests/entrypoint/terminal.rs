//! A program on a pseudo-terminal.

use std::fs::File;
use std::process::{Command, Stdio};
use std::sync::Arc;

use nix::pty::{OpenptyResult, openpty};

use crate::root::Place;
use crate::running::{Running, Stream};

/// Starts a command with a new terminal as its three standard streams. (Its controlling terminal it becomes by
/// `setsid --ctty`.)
#[track_caller]
pub fn start(mut command: Command, shown: String, place: Arc<Place>) -> Running {
    let OpenptyResult { master, slave } = openpty(None, None).expect("no pseudo-terminal");
    let stream = || Stdio::from(slave.try_clone().expect("a descriptor more"));
    command.stdin(stream()).stdout(stream()).stderr(stream());
    let child = command.spawn().expect("the root could not be entered");
    // The terminal ends when the last of its users has gone; the command is one of them.
    drop(command);
    drop(slave);
    let master = File::from(master);
    let output = Stream::of(master.try_clone().expect("a descriptor more"));
    Running::on_terminal(child, shown, place, Box::new(master), output)
}
