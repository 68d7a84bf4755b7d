//! What is known of a file beyond stat(2).

use std::ffi::{CStr, CString};
use std::mem::MaybeUninit;
use std::os::fd::{AsRawFd, BorrowedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The mount that a path is on; a link at its end is not followed. `None` where it can't be told: no such file, or a
/// kernel before 5.8.
pub fn mount_id(path: &Path) -> Option<u64> {
    let path = CString::new(path.as_os_str().as_bytes()).ok()?;
    statx_mount_id(libc::AT_FDCWD, &path, libc::AT_SYMLINK_NOFOLLOW)
}

/// The mount that an open file is on.
pub fn mount_id_of(file: BorrowedFd<'_>) -> Option<u64> {
    statx_mount_id(file.as_raw_fd(), c"", libc::AT_EMPTY_PATH)
}

fn statx_mount_id(dir: libc::c_int, path: &CStr, flags: libc::c_int) -> Option<u64> {
    let mut answer = MaybeUninit::<libc::statx>::zeroed();
    let flags = flags | libc::AT_NO_AUTOMOUNT;
    // SAFETY: `path` ends with a NUL byte and the answer has room for a statx; both outlive the call.
    let rc = unsafe { libc::statx(dir, path.as_ptr(), flags, libc::STATX_MNT_ID, answer.as_mut_ptr()) };
    if rc != 0 {
        return None;
    }
    // SAFETY: statx is plain data, all zeroes at first, and filled in by the kernel as far as stx_mask says.
    let answer = unsafe { answer.assume_init() };
    (answer.stx_mask & libc::STATX_MNT_ID != 0).then_some(answer.stx_mnt_id)
}

/// Whether a file has capabilities of its own (capabilities(7), "File capabilities").
pub fn has_capabilities(path: &CStr) -> bool {
    // SAFETY: both strings end with a NUL byte; with a size of 0 nothing is written (getxattr(2)).
    let size =
        unsafe { libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
    size > 0
}
