//! What is known of a file beyond stat(2).

use std::ffi::CStr;
use std::fs::File;
use std::io::{self, Write};
use std::mem::MaybeUninit;
use std::os::fd::{AsFd, AsRawFd, BorrowedFd, IntoRawFd};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;

/// The number of an error of files; EIO where it has none, as of a file that is refused before the kernel is asked.
pub fn errno(error: io::Error) -> Errno {
    Errno::try_from(error).unwrap_or(Errno::EIO)
}

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

/// Locks a file against every other process that does, until its last descriptor is closed (flock(2)).
///
/// `waits`: until the others are done; else there is EWOULDBLOCK. (nix's `Flock` panics where the lock can't be given back, as on
/// a network's file system whose server has gone.)
pub fn lock(file: BorrowedFd<'_>, waits: bool) -> Result<(), Errno> {
    let operation = if waits { libc::LOCK_EX } else { libc::LOCK_EX | libc::LOCK_NB };
    // SAFETY: the descriptor is open, and no memory is handed over.
    Errno::result(unsafe { libc::flock(file.as_raw_fd(), operation) }).map(drop)
}

/// A file without a name, for reading and writing, in the directory for temporary files (TMPDIR, else /tmp). It is gone when it is
/// closed, however this process ends.
pub fn temporary_file() -> io::Result<File> {
    let directory = std::env::temp_dir();
    let mut options = File::options();
    options.read(true).write(true).custom_flags(libc::O_TMPFILE).mode(0o600);
    match options.open(&directory) {
        // Some file systems have no such files (open(2)).
        Err(error) if matches!(error.raw_os_error(), Some(libc::EISDIR | libc::EOPNOTSUPP)) => {
            let (file, name) = nix::unistd::mkstemp(&directory.join(".gb-XXXXXX"))?;
            std::fs::remove_file(&name)?;
            Ok(file.into())
        }
        file => file,
    }
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
    let size = unsafe { libc::getxattr(path.as_ptr(), CAPABILITY.as_ptr(), std::ptr::null_mut(), 0) };
    size > 0
}

/// The attribute that holds a file's capabilities (xattr(7)).
const CAPABILITY: &CStr = c"security.capability";

/// A file's capabilities, as the kernel keeps them; `None` if it has none, or its file system can't have any.
pub fn capabilities(file: BorrowedFd<'_>) -> io::Result<Option<Vec<u8>>> {
    // struct vfs_ns_cap_data of include/uapi/linux/capability.h has 24 bytes.
    let mut value = vec![0_u8; 64];
    // SAFETY: the name ends with a NUL byte, and the kernel writes no more than the length that it is told (fgetxattr(2)).
    let size = unsafe {
        libc::fgetxattr(file.as_raw_fd(), CAPABILITY.as_ptr(), value.as_mut_ptr().cast(), value.len())
    };
    match usize::try_from(size) {
        Ok(size) => {
            value.truncate(size);
            Ok(Some(value))
        }
        Err(_) => match io::Error::last_os_error() {
            error if matches!(error.raw_os_error(), Some(libc::ENODATA | libc::ENOTSUP)) => Ok(None),
            error => Err(error),
        },
    }
}

/// Gives a file capabilities, as [`capabilities`] tells them.
pub fn set_capabilities(file: BorrowedFd<'_>, value: &[u8]) -> io::Result<()> {
    // SAFETY: the name ends with a NUL byte, and the kernel reads no more than the value's length (fsetxattr(2)).
    let rc = unsafe {
        libc::fsetxattr(file.as_raw_fd(), CAPABILITY.as_ptr(), value.as_ptr().cast(), value.len(), 0)
    };
    if rc == 0 { Ok(()) } else { Err(io::Error::last_os_error()) }
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
