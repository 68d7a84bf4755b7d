//! What the command leaves behind when it ends.

use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::Tell;
use crate::sys;

/// How many processes a message names.
const NAMED: usize = 8;

/// Asks every process of the PID namespace to end, and waits until no descendant is left or the time is over.
///
/// A further SIGTERM or SIGINT ends the waiting: somebody has lost patience. What is left then, the kernel kills when
/// PID 1 ends (pid_namespaces(7)); it is named.
pub(super) fn end(grace: Duration, tell: Tell<'_>) {
    if grace.is_zero() || !any_left() {
        return;
    }
    // Not to init itself (kill(2)). A stopped process acts on SIGTERM only when it goes on.
    for signal in [libc::SIGTERM, libc::SIGCONT] {
        // ESRCH: they have just ended. EPERM: they all belong to somebody else, and are named if they do not end.
        let _sent = sys::send(-1, signal);
    }
    let start = Instant::now();
    while any_left() {
        let left = grace.saturating_sub(start.elapsed());
        // Signals that wait already would be taken even so, for ever if somebody goes on sending them.
        if left.is_zero() {
            break;
        }
        match sys::wait_for_signal(Some(left)) {
            Ok(Some(signal)) if [libc::SIGTERM, libc::SIGINT].contains(&signal.number) => break,
            Ok(None) => break,
            // A child has ended, or a signal came that is nobody's now. (EINTR: init itself was stopped and goes on.)
            Ok(Some(_)) | Err(_) => {}
        }
    }
    if any_left() {
        let seconds = start.elapsed().as_secs();
        tell(&format!("end what the command left behind: killed after {seconds} s: {}", names()));
    }
}

/// Reaps the children that have ended, and says whether there are others. Whoever descends from the command becomes
/// PID 1's child when its parent ends, so without children there are no descendants.
fn any_left() -> bool {
    loop {
        match sys::reap() {
            Ok(Some(_)) => {}
            Ok(None) => return true,
            Err(Errno::EINTR) => {}
            Err(_) => return false,
        }
    }
}

/// The names of all other processes, each with its process id.
fn names() -> String {
    let unknown = || "processes that /proc does not show".to_owned();
    // It may not be mounted, or be that of another PID namespace.
    if std::fs::read_link("/proc/self").ok().as_deref() != Some("1".as_ref()) {
        return unknown();
    }
    let Ok(processes) = procfs::process::all_processes() else { return unknown() };
    let mut names: Vec<String> = Vec::new();
    let mut more = 0;
    for stat in processes.flatten().filter_map(|process| process.stat().ok()).filter(|stat| stat.pid != 1) {
        if names.len() < NAMED {
            names.push(format!("{} ({})", stat.comm, stat.pid));
        } else {
            more += 1;
        }
    }
    match more {
        0 if names.is_empty() => unknown(),
        0 => names.join(", "),
        more => format!("{} and {more} more", names.join(", ")),
    }
}
