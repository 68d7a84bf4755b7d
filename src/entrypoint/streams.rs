//! The command's standard streams, which are root's until root gives them away.
//!
//! A program that opens `/dev/stderr` opens the stream's file anew, for which the file's owner and mode count: a pipe that
//! the engine made is root's, 0600, and so is the container's terminal. An engine gives them to the user of `docker run
//! --user` (runc: fixStdioPermissions); for a user that gb makes out of root, gb does.

use std::fs;
use std::os::fd::BorrowedFd;

use nix::sys::stat::{FileStat, SFlag, fstat, major, stat};
use nix::sys::statfs::{FsType, fstatfs};
use nix::unistd::{Pid, Uid, fchown, getpid, getppid, getsid, tcgetpgrp};

use super::identity::Ids;
use crate::sys;

/// Gives root's pipes and the container's own terminal among the standard streams to the user that root is about to become.
///
/// Nothing else is given: no file, no named pipe, no device, no terminal of a session outside, and nothing of another
/// user's. What can't be given stays as it is, and so does its group.
pub fn give(from: &Ids, to: &Ids) {
    if from.uid != 0 || to.uid == 0 {
        return;
    }
    for number in (0..3).filter(|number| !sys::was_closed(*number)) {
        let stream = sys::standard_stream(number);
        let Ok(status) = fstat(stream) else { continue };
        if status.st_uid == 0 && (is_nameless_pipe(stream, &status) || is_own_terminal(stream, &status)) {
            // Without CAP_CHOWN it stays root's.
            let _given = fchown(stream, Some(Uid::from_raw(to.uid)), None);
        }
    }
}

fn kind(status: &FileStat) -> SFlag {
    SFlag::from_bits_truncate(status.st_mode) & SFlag::S_IFMT
}

/// A pipe of pipe(2): who has one of its ends was given it. A named pipe is a file, which may be anybody's.
fn is_nameless_pipe(stream: BorrowedFd<'_>, status: &FileStat) -> bool {
    /// PIPEFS_MAGIC (include/uapi/linux/magic.h).
    const PIPEFS: FsType = FsType(0x5049_5045);
    kind(status) == SFlag::S_IFIFO && fstatfs(stream).is_ok_and(|system| system.filesystem_type() == PIPEFS)
}

/// A terminal of this container's instance of devpts, in a session that began with this program, or with the container's
/// init: no shell of root's waits on it.
fn is_own_terminal(stream: BorrowedFd<'_>, status: &FileStat) -> bool {
    /// Unix98 pseudo-terminals (Documentation/admin-guide/devices.txt).
    const MAJORS: std::ops::RangeInclusive<u64> = 136..=143;
    kind(status) == SFlag::S_IFCHR
        && MAJORS.contains(&major(status.st_rdev))
        && is_first(stream)
        && stat("/dev/pts").is_ok_and(|devpts| devpts.st_dev == status.st_dev)
}

/// Whether the terminal is that of this program's session (which a program of another one, as setsid(1) starts it, can only
/// hold open), and was this program's from the start: it leads the session, or is what an init has put in the foreground.
fn is_first(terminal: BorrowedFd<'_>) -> bool {
    let init = Pid::from_raw(1);
    tcgetpgrp(terminal) == Ok(getpid())
        && getsid(None)
            .is_ok_and(|leader| leader == getpid() || leader == init && getppid() == init && is_mere_init())
}

/// Whether PID 1 does nothing but wait for its child, as a shell of root's does not.
fn is_mere_init() -> bool {
    /// What engines (`--init`) and images put there.
    const INITS: [&str; 6] = ["docker-init", "podman-init", "tini", "tini-static", "catatonit", "dumb-init"];
    fs::read_to_string("/proc/1/comm").is_ok_and(|name| INITS.contains(&name.trim_end()))
}
