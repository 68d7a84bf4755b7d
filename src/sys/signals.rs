//! Signals by number: which are blocked, which are waiting, and sending one.
//!
//! The crates know signals by name, and the real-time ones have none; glibc's functions leave out 32 and 33, which it
//! keeps for itself (signal(7)). An init has to forward all of them, so this goes by numbers.

use std::io;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use nix::errno::Errno;

/// The kernel's sigset_t in bytes: a bit for each of 64 signals, of 128 on MIPS (arch/mips/include/uapi/asm/signal.h).
const SET_BYTES: usize = if cfg!(any(
    target_arch = "mips",
    target_arch = "mips32r6",
    target_arch = "mips64",
    target_arch = "mips64r6"
)) {
    16
} else {
    8
};
const SET_WORDS: usize = SET_BYTES / size_of::<usize>();

/// The kernel's sigset_t: an array of unsigned longs (include/uapi/asm-generic/signal.h).
type Set = [usize; SET_WORDS];

/// Sets the signal mask and returns the one before.
///
/// The system call rather than sigprocmask(3), which neither blocks 32 and 33 nor puts back a mask that has them.
fn set_mask(mask: &Set) -> Option<Set> {
    let mut before: Set = [0; SET_WORDS];
    // SAFETY: both sets are of the size that is passed, and outlive the call.
    let rc = unsafe {
        libc::syscall(
            libc::SYS_rt_sigprocmask,
            libc::SIG_SETMASK,
            mask.as_ptr(),
            before.as_mut_ptr(),
            SET_BYTES,
        )
    };
    (rc == 0).then_some(before)
}

/// The mask that [`block_all`] found.
static MASK: [AtomicUsize; SET_WORDS] = [const { AtomicUsize::new(0) }; SET_WORDS];

/// Blocks all signals (but SIGKILL and SIGSTOP, which the kernel leaves out), and records the mask before.
///
/// Whether that was done. Uses nothing but a system call and atomics: it is called before `main`.
pub(super) fn block_all() -> bool {
    let Some(before) = set_mask(&[usize::MAX; SET_WORDS]) else { return false };
    for (word, value) in MASK.iter().zip(before) {
        word.store(value, Ordering::Relaxed);
    }
    true
}

/// Puts the mask back that [`block_all`] recorded.
pub(super) fn unblock() {
    let mut mask: Set = [0; SET_WORDS];
    for (value, word) in mask.iter_mut().zip(&MASK) {
        *value = word.load(Ordering::Relaxed);
    }
    set_mask(&mask);
}

/// Whether a signal is ignored.
pub(super) fn is_ignored(signal: libc::c_int) -> bool {
    // SAFETY: sigaction is plain data for which all zeroes is a valid value.
    let mut action: libc::sigaction = unsafe { std::mem::zeroed() };
    // SAFETY: a null new action only reads the old one into `action`, which outlives the call.
    let rc = unsafe { libc::sigaction(signal, std::ptr::null(), &mut action) };
    rc == 0 && action.sa_sigaction == libc::SIG_IGN
}

/// Ignores a signal.
pub(super) fn ignore(signal: libc::c_int) {
    // SAFETY: SIG_IGN installs no handler.
    unsafe { libc::signal(signal, libc::SIG_IGN) };
}

/// Ignores what people and service managers end programs with: for a process that ends by itself when another one has ended.
pub fn ignore_endings() {
    [libc::SIGHUP, libc::SIGINT, libc::SIGQUIT, libc::SIGTERM].into_iter().for_each(ignore);
}

/// Gives a signal its default action.
pub(super) fn default(signal: libc::c_int) {
    // SAFETY: SIG_DFL installs no handler.
    unsafe { libc::signal(signal, libc::SIG_DFL) };
}

/// SIGXFSZ ignored: until this is dropped, writing more than RLIMIT_FSIZE allows is an error (EFBIG) and not the end of the
/// process (setrlimit(2)).
pub struct FileSizeSignal {
    was_ignored: bool,
}

impl FileSizeSignal {
    /// Ignores it.
    pub fn ignore() -> FileSizeSignal {
        let was_ignored = is_ignored(libc::SIGXFSZ);
        if !was_ignored {
            ignore(libc::SIGXFSZ);
        }
        FileSizeSignal { was_ignored }
    }
}

impl Drop for FileSizeSignal {
    fn drop(&mut self) {
        if !self.was_ignored {
            default(libc::SIGXFSZ);
        }
    }
}

/// A signal that was received.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Signal {
    /// Its number.
    pub number: i32,
    /// Whether the kernel sent it, as it does for a key pressed or a hang-up on a terminal, rather than a process.
    pub from_kernel: bool,
    /// Whether this process sent it itself, as it does with SIGPIPE by a write that nobody reads.
    pub from_self: bool,
}

/// Takes a signal that was sent and is blocked; waits for one if there is none, for ever or at most as long as `limit`.
///
/// All signals have to be blocked, as [`block_all`] does it. `None`: time is over.
pub fn wait_for_signal(limit: Option<Duration>) -> io::Result<Option<Signal>> {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the pointer is to one sigset_t, which may be written. Not sigfillset(3), which leaves 32 and 33 out.
    unsafe { std::ptr::write_bytes(set.as_mut_ptr(), 0xff, 1) };
    // SAFETY: siginfo_t is plain data for which all zeroes is a valid value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    let limit = limit.map(|limit| {
        // SAFETY: timespec is plain data (with padding on some architectures) for which all zeroes is a valid value.
        let mut time: libc::timespec = unsafe { std::mem::zeroed() };
        time.tv_sec = libc::time_t::try_from(limit.as_secs()).unwrap_or(libc::time_t::MAX);
        // Below 10^9, which every type of this field holds.
        time.tv_nsec = limit.subsec_nanos() as _;
        time
    });
    let limit = limit.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
    // SAFETY: the set is initialised, a null limit stands for none, and all three outlive the call.
    let number = unsafe { libc::sigtimedwait(set.as_ptr(), &mut info, limit) };
    if number == -1 {
        return match Errno::last() {
            Errno::EAGAIN => Ok(None),
            errno => Err(errno.into()),
        };
    }
    let sent = matches!(info.si_code, libc::SI_USER | libc::SI_QUEUE | libc::SI_TKILL);
    // SAFETY: sigaction(2): a signal that a process sent has the sender's process id in si_pid.
    let from_self = sent && unsafe { info.si_pid() } == nix::unistd::getpid().as_raw();
    Ok(Some(Signal { number, from_kernel: info.si_code == libc::SI_KERNEL, from_self }))
}

/// Takes the SIGCHLD away that tells of this child, which was reaped since: where it is blocked, as in PID 1, it would tell others
/// of it.
pub fn forget_child(child: nix::unistd::Pid) {
    let mut set = std::mem::MaybeUninit::<libc::sigset_t>::uninit();
    // SAFETY: the first call initialises the set, which both may write; the number is a signal's.
    unsafe { libc::sigemptyset(set.as_mut_ptr()) };
    // SAFETY: as above.
    unsafe { libc::sigaddset(set.as_mut_ptr(), libc::SIGCHLD) };
    // SAFETY: siginfo_t is plain data for which all zeroes is a valid value.
    let mut info: libc::siginfo_t = unsafe { std::mem::zeroed() };
    // SAFETY: timespec is plain data for which all zeroes is a valid value: no time at all.
    let now: libc::timespec = unsafe { std::mem::zeroed() };
    // SAFETY: all three are initialised and outlive the call.
    let number = unsafe { libc::sigtimedwait(set.as_ptr(), &mut info, &now) };
    // SAFETY: sigaction(2): SIGCHLD has the child's process id in si_pid.
    if number == libc::SIGCHLD && unsafe { info.si_pid() } != child.as_raw() {
        // It was another's, whom whoever is to reap it has to hear of.
        let _sent = send(nix::unistd::getpid().as_raw(), libc::SIGCHLD);
    }
}

/// Sends a signal as kill(2) does: to a process, to a process group (`-pgrp`), or to everyone (-1).
///
/// Signal 0 only tells whether there is anyone to send to.
pub fn send(target: i32, signal: i32) -> Result<(), Errno> {
    // SAFETY: takes no pointer.
    Errno::result(unsafe { libc::kill(target, signal) }).map(drop)
}
