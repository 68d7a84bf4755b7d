//! What the caller handed over, recorded before Rust's runtime changes it, and put back before an exec.
//!
//! Before `main` Rust's standard library ignores SIGPIPE and opens /dev/null on a closed standard stream
//! (library/std/src/sys/pal/unix/mod.rs, `init`). Both would be inherited by the command that gb runs: `yes | head`
//! would misbehave, and a program that tells a closed stdin from an empty one would be misled.

use std::sync::atomic::{AtomicU8, Ordering};

/// Bit n: stream n was closed. Bit 3: SIGPIPE was ignored.
static INHERITED: AtomicU8 = AtomicU8::new(0);

const SIGPIPE_IGNORED: u8 = 1 << 3;

extern "C" fn record() {
    let mut state = 0;
    for stream in 0..3 {
        // SAFETY: F_GETFD takes no pointer and changes nothing.
        if unsafe { libc::fcntl(stream, libc::F_GETFD) } == -1 {
            state |= 1 << stream;
        }
    }
    // SAFETY: sigaction is plain data for which all zeroes is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action only reads the old one into `action`, which outlives the call.
    let rc = unsafe { libc::sigaction(libc::SIGPIPE, std::ptr::null(), &mut action) };
    if rc == 0 && action.sa_sigaction == libc::SIG_IGN {
        state |= SIGPIPE_IGNORED;
    }
    INHERITED.store(state, Ordering::Relaxed);
}

// SAFETY: .init_array holds pointers to functions that the C runtime calls once before main (ELF gABI, "Initialization
// and Termination Functions"); `record` uses nothing but system calls and an atomic, both available by then.
#[used]
#[unsafe(link_section = ".init_array")]
static RECORD: extern "C" fn() = record;

/// Gives the next program the SIGPIPE disposition and the closed standard streams that gb was started with.
///
/// To be called right before an exec.
pub fn restore_inherited() {
    let state = INHERITED.load(Ordering::Relaxed);
    if state & SIGPIPE_IGNORED == 0 {
        // SAFETY: SIG_DFL installs no handler.
        unsafe { libc::signal(libc::SIGPIPE, libc::SIG_DFL) };
    }
    for stream in 0..3 {
        if state & (1 << stream) != 0 {
            // SAFETY: takes no pointer. The descriptor is the /dev/null that Rust's runtime opened; marking it, rather
            // than closing it, keeps an error message of a failed exec from landing in a file opened meanwhile.
            unsafe { libc::fcntl(stream, libc::F_SETFD, libc::FD_CLOEXEC) };
        }
    }
}

/// Whether a standard stream (0 to 2) was closed when gb was started.
pub fn was_closed(stream: u8) -> bool {
    stream < 3 && INHERITED.load(Ordering::Relaxed) & (1 << stream) != 0
}

/// Ignores SIGPIPE again, as Rust's runtime does: after a failed exec the message about it must not end gb.
pub fn ignore_sigpipe() {
    // SAFETY: SIG_IGN installs no handler.
    unsafe { libc::signal(libc::SIGPIPE, libc::SIG_IGN) };
}
