//! The command's standard streams, which are root's until root gives them away.
//!
//! A program that opens `/dev/stderr` opens the stream's file anew, for which the file's owner and mode count: a pipe that
//! the engine made is root's, 0600, and so is the container's terminal. An engine gives them to the user of `docker run
//! --user` (runc: fixStdioPermissions); for a user that gb makes out of root, gb does.

use std::os::fd::BorrowedFd;

use nix::sys::stat::{FileStat, SFlag, fstat, major, stat};
use nix::sys::statfs::{FsType, fstatfs};
use nix::unistd::{Pid, Uid, fchown, getpid, getppid, getsid};

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
        if status.st_uid == 0 && (is_nameless_pipe(stream, &status) || is_own_terminal(&status)) {
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

/// A terminal of this container's instance of devpts, in a session that began with this program, or with the container:
/// no shell of root's waits on it.
fn is_own_terminal(status: &FileStat) -> bool {
    /// Unix98 pseudo-terminals (Documentation/admin-guide/devices.txt).
    const MAJORS: std::ops::RangeInclusive<u64> = 136..=143;
    let init = Pid::from_raw(1);
    let is_first =
        || getsid(None).is_ok_and(|leader| leader == getpid() || leader == init && getppid() == init);
    kind(status) == SFlag::S_IFCHR
        && MAJORS.contains(&major(status.st_rdev))
        && is_first()
        && stat("/dev/pts").is_ok_and(|devpts| devpts.st_dev == status.st_dev)
}
