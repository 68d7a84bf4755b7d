//! What the caller handed over, recorded before gb or Rust's runtime changes it, and put back before an exec.
//!
//! Before `main` Rust's standard library ignores SIGPIPE and opens /dev/null on a closed standard stream
//! (library/std/src/sys/pal/unix/mod.rs, `init`). Both would be inherited by the command that gb runs: `yes | head`
//! would misbehave, and a program that tells a closed stdin from an empty one would be misled.
//!
//! To PID 1 the kernel delivers no signal that has its default action and is not blocked: it drops it (`sig_ignored` in
//! kernel/signal.c). A blocked one waits. So PID 1 blocks all of them here, where it has the first chance to, and a
//! `docker stop` that comes before the command is started still reaches it.

use std::sync::atomic::{AtomicU8, Ordering};

use super::signals;

/// Bit n: stream n was closed. The other bits have names.
static INHERITED: AtomicU8 = AtomicU8::new(0);

const SIGPIPE_IGNORED: u8 = 1 << 3;
/// Set by [`default_sigchld`] alone: before that SIGCHLD is as it was.
const SIGCHLD_IGNORED: u8 = 1 << 4;
const ALL_BLOCKED: u8 = 1 << 5;

extern "C" fn record() {
    let mut state = 0;
    // SAFETY: takes no pointer.
    if unsafe { libc::getpid() } == 1 && signals::block_all() {
        state |= ALL_BLOCKED;
    }
    for stream in 0..3 {
        // SAFETY: F_GETFD takes no pointer and changes nothing.
        if unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1 {
            state |= 1 << stream;
        }
    }
    if signals::is_ignored(libc::SIGPIPE) {
        state |= SIGPIPE_IGNORED;
    }
    INHERITED.store(state, Ordering::Relaxed);
}

// SAFETY: .init_array holds pointers to functions that the C runtime calls once before main (ELF gABI, "Initialization
// and Termination Functions"); `record` uses nothing but system calls and atomics, both available by then.
#[used]
#[unsafe(link_section = ".init_array")]
static RECORD: extern "C" fn() = record;

/// Gives the next program the signal mask, the dispositions and the closed standard streams that gb was started with.
///
/// To be called right before an exec.
pub fn restore_inherited() {
    let state = INHERITED.load(Ordering::Relaxed);
    if state & SIGPIPE_IGNORED == 0 {
        signals::default(libc::SIGPIPE);
    }
    if state & SIGCHLD_IGNORED != 0 {
        signals::ignore(libc::SIGCHLD);
    }
    for stream in 0..3 {
        if state & (1 << stream) != 0 {
            // SAFETY: takes no pointer. The descriptor is the /dev/null that Rust's runtime opened; marking it, rather
            // than closing it, keeps an error message of a failed exec from landing in a file opened meanwhile.
            unsafe { libc::fcntl(stream, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
    // Last: from here on a signal that has waited acts.
    if state & ALL_BLOCKED != 0 {
        signals::unblock();
    }
}

/// Whether a standard stream (0 to 2) was closed when gb was started.
pub fn was_closed(stream: u8) -> bool {
    stream < 3 && INHERITED.load(Ordering::Relaxed) & (1 << stream) != 0
}

/// Ignores SIGPIPE again, as Rust's runtime does: after a failed exec the message about it must not end gb.
pub fn ignore_sigpipe() {
    signals::ignore(libc::SIGPIPE);
}

/// Blocks all signals until [`restore_inherited`], as PID 1 has them from its start: they wait to be taken.
pub fn block_signals() {
    if INHERITED.load(Ordering::Relaxed) & ALL_BLOCKED == 0 && signals::block_all() {
        INHERITED.fetch_or(ALL_BLOCKED, Ordering::Relaxed);
    }
}

/// Gives SIGCHLD its default action until [`restore_inherited`]: where it is ignored, the kernel reaps children itself
/// and keeps no exit status (wait(2)).
pub fn default_sigchld() {
    if signals::is_ignored(libc::SIGCHLD) {
        signals::default(libc::SIGCHLD);
        INHERITED.fetch_or(SIGCHLD_IGNORED, Ordering::Relaxed);
    }
}
