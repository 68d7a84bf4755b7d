//! What is known of a file beyond stat(2).

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

/// The mount that a path is on; a link at its end is not followed. `None` where it can't be told: no such file, or an old
/// kernel without /proc.
pub fn mount_id(path: &Path) -> Option<u64> {
    let flags = libc::O_PATH | libc::O_NOFOLLOW;
    let file = File::options().read(true).custom_flags(flags).open(path).ok()?;
    mount_id_of(file.as_fd())
}

/// The mount that an open file is on.
pub fn mount_id_of(file: BorrowedFd<'_>) -> Option<u64> {
    statx_mount_id(file).or_else(|| fdinfo_mount_id(file))
}

/// Whether a file or directory is on another mount than the directory that it is in.
pub fn is_mount(path: &Path) -> bool {
    let mount = mount_id(path);
    mount.is_some() && mount != path.parent().and_then(mount_id)
}

/// A file in memory for a program that this one becomes or starts, as a path by which that one finds it.
///
/// It is there as long as a process has it open, so this process keeps it open.
pub fn nameless_file(contents: &[u8]) -> io::Result<PathBuf> {
    // Not MFD_CLOEXEC: the program is to inherit it.
    let file = nix::sys::memfd::memfd_create(c"gb", nix::sys::memfd::MFdFlags::empty())?;
    let mut file = File::from(file);
    file.write_all(contents)?;
    Ok(format!("/proc/self/fd/{}", file.into_raw_fd()).into())
}

/// statx(2): since Linux 5.8.
fn statx_mount_id(file: BorrowedFd<'_>) -> Option<u64> {
    let mut answer = MaybeUninit::<libc::statx>::zeroed();
    // SAFETY: the path ends with a NUL byte and the answer has room for a statx; both outlive the call.
    let rc = unsafe {
        libc::statx(
            file.as_raw_fd(),
            c"".as_ptr(),
            libc::AT_EMPTY_PATH,
            libc::STATX_MNT_ID,
            answer.as_mut_ptr(),
        )
    };
    if rc != 0 {
        return None;
    }
    // SAFETY: statx is plain data, all zeroes at first, and filled in by the kernel as far as stx_mask says.
    let answer = unsafe { answer.assume_init() };
    (answer.stx_mask & libc::STATX_MNT_ID != 0).then_some(answer.stx_mnt_id)
}

/// proc_pid_fdinfo(5): since Linux 3.15.
fn fdinfo_mount_id(file: BorrowedFd<'_>) -> Option<u64> {
    let text = std::fs::read_to_string(format!("/proc/self/fdinfo/{}", file.as_raw_fd())).ok()?;
    text.lines().find_map(|line| line.strip_prefix("mnt_id:")?.trim().parse().ok())
}

/// Whether a file has capabilities of its own (capabilities(7), "File capabilities").
pub fn has_capabilities(path: &CStr) -> bool {
    // SAFETY: both strings end with a NUL byte; with a size of 0 nothing is written (getxattr(2)).
    let size =
        unsafe { libc::getxattr(path.as_ptr(), c"security.capability".as_ptr(), std::ptr::null_mut(), 0) };
    size > 0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_old_kernel_names_the_same_mounts() {
        for path in ["/", "/proc", "/dev/null"] {
            let file = File::open(path).unwrap();
            let old = fdinfo_mount_id(file.as_fd());
            assert!(old.is_some());
            assert_eq!((mount_id(Path::new(path)), mount_id_of(file.as_fd())), (old, old), "{path}");
        }
        assert_ne!(mount_id(Path::new("/")), mount_id(Path::new("/proc")));
        assert_eq!(mount_id(Path::new("/nowhere")), None);
    }
}
