//! Child processes, and what a process that only waits for them need not hold.

use std::os::fd::{AsRawFd, BorrowedFd, RawFd};

use nix::errno::Errno;
use nix::unistd::{ForkResult, Pid};

/// Forks: `None` in the child, the child's process id in the parent.
pub fn fork() -> Result<Option<Pid>, Errno> {
    // SAFETY: fork(2) is dangerous where other threads may hold locks, and gb starts no thread. So the child may do
    // whatever gb may.
    Ok(match unsafe { nix::unistd::fork() }? {
        ForkResult::Parent { child } => Some(child),
        ForkResult::Child => None,
    })
}

/// What a child process answers with its exit code; `None` if there could be no child, or it was killed or stopped.
///
/// The child has none of this process's descriptors but the standard streams: a lock is not its own.
pub fn ask_child(question: impl FnOnce() -> u8) -> Option<u8> {
    // Where SIGCHLD is ignored no exit code is kept.
    super::startup::default_sigchld();
    match fork().ok()? {
        None => {
            close_descriptors_but(None);
            end_now(question())
        }
        Some(child) => loop {
            match wait(child.as_raw(), libc::WUNTRACED) {
                Err(Errno::EINTR) => {}
                // A child that has become a user can be stopped by that user's programs, for ever.
                Ok(Some((_, Change::Stopped(_)))) => {
                    let _killed = super::signals::send(child.as_raw(), libc::SIGKILL);
                }
                Ok(Some((_, Change::Exited(code)))) => return Some(code),
                _ => return None,
            }
        },
    }
}

/// Ends this process, a child, at once: what is buffered or registered to be done is the parent's.
pub fn end_now(code: u8) -> ! {
    // SAFETY: takes no pointer, and ends the process.
    unsafe { libc::_exit(code.into()) }
}

/// A standard stream (0 to 2).
pub fn standard_stream(number: u8) -> BorrowedFd<'static> {
    // SAFETY: Rust's runtime opens the standard streams before `main` where they are closed, and nothing in gb closes
    // one. (A number above 2 becomes 2.)
    unsafe { BorrowedFd::borrow_raw(number.min(2).into()) }
}

/// What has become of a child.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Change {
    /// It has ended by itself, with this code.
    Exited(u8),
    /// A signal of this number has ended it.
    Killed(u8),
    /// A signal of this number has stopped it, and nobody has continued it since. (A debugger's stops are told to the
    /// debugger alone, ptrace(2).)
    Stopped(u8),
}

/// Reaps any child that has ended, or tells once of one that is stopped, without waiting; `None` if there is no news,
/// ECHILD if there is no child.
///
/// Not nix's waitpid, for which a child that a real-time signal has ended is an error.
pub fn reap() -> Result<Option<(Pid, Change)>, Errno> {
    wait(-1, libc::WNOHANG | libc::WUNTRACED)
}

/// Reaps one child, if it has ended.
pub fn reap_child(child: Pid) -> Result<Option<Change>, Errno> {
    Ok(wait(child.as_raw(), libc::WNOHANG)?.map(|(_, change)| change))
}

/// Waits for the end of a child.
pub fn wait_child(child: Pid) -> Result<Change, Errno> {
    wait(child.as_raw(), 0)?.map(|(_, change)| change).ok_or(Errno::ECHILD)
}

fn wait(child: libc::pid_t, options: libc::c_int) -> Result<Option<(Pid, Change)>, Errno> {
    let mut status = 0;
    // SAFETY: `status` outlives the call.
    let pid = Errno::result(unsafe { libc::waitpid(child, &mut status, options) })?;
    if pid == 0 {
        return Ok(None);
    }
    // Each of these numbers is of 7 or 8 bits (wait(2)).
    let byte = |number: i32| u8::try_from(number).unwrap_or(u8::MAX);
    let change = if libc::WIFEXITED(status) {
        Change::Exited(byte(libc::WEXITSTATUS(status)))
    } else if libc::WIFSTOPPED(status) {
        Change::Stopped(byte(libc::WSTOPSIG(status)))
    } else {
        Change::Killed(byte(libc::WTERMSIG(status)))
    };
    Ok(Some((Pid::from_raw(pid), change)))
}

/// Closes every descriptor but the standard streams and the given one.
///
/// Nothing may use another descriptor afterwards, the owner of one by closing it included.
pub fn close_descriptors_but(keep: Option<BorrowedFd<'_>>) {
    let mut first = 3;
    if let Some(keep) = keep.map(|fd| fd.as_raw_fd()).filter(|fd| *fd >= 3) {
        close_range(first, keep - 1);
        first = keep + 1;
    }
    close_range(first, RawFd::MAX);
}

fn close_range(first: RawFd, last: RawFd) {
    if first > last {
        return;
    }
    // SAFETY: takes no pointer. By the contract above nobody uses these descriptors any more.
    if unsafe { libc::syscall(libc::SYS_close_range, first, last, 0) } == 0 {
        return;
    }
    // Before Linux 5.9, or refused by a filter that is older. The limit may be a billion, but a descriptor that high is
    // one that somebody has asked for by its number.
    // SAFETY: takes no pointer.
    let limit = unsafe { libc::sysconf(libc::_SC_OPEN_MAX) }.clamp(1024, 65536);
    let limit = RawFd::try_from(limit).unwrap_or(RawFd::MAX);
    for descriptor in first..=last.min(limit) {
        // SAFETY: as above.
        unsafe { libc::close(descriptor) };
    }
}

/// Takes the pages of the program's code and constants out of this process: those that it still needs come back from the
/// page cache one by one. A process that from now on only waits is that much smaller.
pub fn forget_code() {
    // SAFETY: the callback is called during the call only, and gets no data.
    unsafe { libc::dl_iterate_phdr(Some(forget_segments), std::ptr::null_mut()) };
}

/// The callback of dl_iterate_phdr(3), which gets the program itself first.
///
/// # Safety
///
/// `info` is as dl_iterate_phdr(3) passes it.
unsafe extern "C" fn forget_segments(
    info: *mut libc::dl_phdr_info,
    _size: usize,
    _data: *mut libc::c_void,
) -> libc::c_int {
    // SAFETY: the contract above.
    let info = unsafe { &*info };
    if info.dlpi_phdr.is_null() {
        return 1;
    }
    // SAFETY: dlpi_phdr points to dlpi_phnum program headers, which are part of the program.
    let headers = unsafe { std::slice::from_raw_parts(info.dlpi_phdr, info.dlpi_phnum.into()) };
    // SAFETY: takes no pointer.
    let page = usize::try_from(unsafe { libc::sysconf(libc::_SC_PAGESIZE) }).unwrap_or(4096);
    for header in headers {
        // Never a page that was written to (relocated ones included): it would come back as it is in the file.
        if header.p_type != libc::PT_LOAD || header.p_flags & libc::PF_W != 0 {
            continue;
        }
        // Whole pages inside the segment. Both numbers are addresses in this process, so they fit.
        let (Ok(address), Ok(size)) = (usize::try_from(header.p_vaddr), usize::try_from(header.p_memsz))
        else {
            continue;
        };
        let Ok(base) = usize::try_from(info.dlpi_addr) else { continue };
        let start = base.wrapping_add(address);
        let first = start.next_multiple_of(page);
        let end = start.wrapping_add(size) & !(page - 1);
        if first < end {
            // SAFETY: the range is part of a private mapping of the program's file that was never writable, so its
            // pages are what the file holds, and the next touch of one brings it back as the first touch brought it
            // (madvise(2)).
            unsafe { libc::madvise(first as *mut libc::c_void, end - first, libc::MADV_DONTNEED) };
        }
    }
    // Not the libraries: their pages are shared with every other process.
    1
}
