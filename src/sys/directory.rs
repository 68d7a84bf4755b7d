//! Reading directories.
//!
//! nix's `Dir` takes an error of readdir_r(3), which is a positive number, for the end of the directory: on a disk or a network
//! that fails, half of the names would be all of them.

use std::ffi::{CStr, CString};
use std::os::fd::{AsFd, IntoRawFd};
use std::ptr::NonNull;

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;

/// The names in a directory but `.` and `..`, in no order. After an error there are no more.
#[derive(Debug)]
pub struct Names {
    stream: Option<NonNull<libc::DIR>>,
}

/// Begins to read the names in a directory, whose descriptor may be one for looking only (O_PATH).
///
/// "." is opened in it, which is not another directory, whoever renames what.
pub fn names(directory: impl AsFd) -> Result<Names, Errno> {
    let flags = OFlag::O_RDONLY | OFlag::O_DIRECTORY | OFlag::O_CLOEXEC;
    let opened = openat(directory, c".", flags, Mode::empty())?.into_raw_fd();
    // SAFETY: the descriptor is open and nobody else's; from here on it is the stream's.
    let stream = NonNull::new(unsafe { libc::fdopendir(opened) });
    match stream {
        Some(stream) => Ok(Names { stream: Some(stream) }),
        None => {
            let errno = Errno::last();
            // SAFETY: without a stream the descriptor is still this function's.
            unsafe { libc::close(opened) };
            Err(errno)
        }
    }
}

impl Names {
    fn close(&mut self) {
        if let Some(stream) = self.stream.take() {
            // SAFETY: the stream is open, and is forgotten here.
            unsafe { libc::closedir(stream.as_ptr()) };
        }
    }
}

impl Iterator for Names {
    type Item = Result<CString, Errno>;

    fn next(&mut self) -> Option<Result<CString, Errno>> {
        loop {
            let stream = self.stream?;
            // How the end differs from an error (readdir(3)).
            Errno::clear();
            // SAFETY: the stream is open.
            let entry = unsafe { libc::readdir64(stream.as_ptr()) };
            let Some(entry) = NonNull::new(entry) else {
                let errno = Errno::last();
                self.close();
                return (errno != Errno::from_raw(0)).then_some(Err(errno));
            };
            // SAFETY: an entry is there until the next one is read, and its name ends with a NUL byte. It may be longer than
            // the type's field, so no reference to the whole is made.
            let name = unsafe { CStr::from_ptr((&raw const (*entry.as_ptr()).d_name).cast()) };
            if name != c"." && name != c".." {
                return Some(Ok(name.to_owned()));
            }
        }
    }
}

impl Drop for Names {
    fn drop(&mut self) {
        self.close();
    }
}
