//! A file that the kernel may run, which nobody has to clean up.

use std::ffi::CString;
use std::fs::File;
use std::io::{self, Write};
use std::os::fd::AsRawFd;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{MetadataExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::sys::memfd::{MFdFlags, memfd_create};

use super::process::Executable;

/// A program, somewhere.
pub struct Place {
    path: CString,
    /// Holds a file in memory; its path is one only as long.
    memory: Option<File>,
    /// The path leads to it.
    has_path: bool,
    number: (u64, u64),
}

impl Place {
    /// In memory. The error is the kernel's, where there is none, or nothing may be run from it (`vm.memfd_noexec`).
    pub fn in_memory(program: &[u8]) -> io::Result<Place> {
        // Not close-on-exec: an interpreter opens it by this path. Since Linux 6.3 whether it may be run is asked for.
        const MFD_EXEC: MFdFlags = MFdFlags::from_bits_retain(0x10);
        let memory = match memfd_create(c"gb-probe", MFD_EXEC) {
            Err(Errno::EINVAL) => memfd_create(c"gb-probe", MFdFlags::empty()),
            made => made,
        };
        let mut memory = File::from(memory?);
        memory.write_all(program)?;
        let path = format!("/proc/self/fd/{}", memory.as_raw_fd());
        // Without /proc it has no path.
        let has_path = std::fs::metadata(&path).is_ok();
        let metadata = memory.metadata()?;
        let number = (metadata.dev(), metadata.ino());
        Ok(Place { path: c_string(Path::new(&path))?, memory: Some(memory), has_path, number })
    }

    /// In a directory.
    pub fn in_directory(directory: &Path, program: &[u8]) -> io::Result<Place> {
        for attempt in 0..16 {
            let path = directory.join(format!(".gb-probe-{}-{attempt}", std::process::id()));
            let made = File::options()
                .write(true)
                .create_new(true)
                .mode(0o700)
                .custom_flags(libc::O_CLOEXEC | libc::O_NOFOLLOW)
                .open(&path);
            let mut file = match made {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            };
            let metadata = file.metadata()?;
            let number = (metadata.dev(), metadata.ino());
            let place = Place { path: c_string(&path)?, memory: None, has_path: true, number };
            // With that it is removed if it can't be written.
            file.write_all(program)?;
            return Ok(place);
        }
        Err(Errno::EEXIST.into())
    }

    /// How to run it.
    pub fn executable(&self) -> Executable<'_> {
        match &self.memory {
            Some(memory) if !self.has_path => Executable::Open(memory),
            _ => Executable::Path(&self.path),
        }
    }

    /// Whether it has a path, without which this machine runs it, but an interpreter may not find it.
    pub fn has_path(&self) -> bool {
        self.has_path
    }

    /// Whether the file of this device and number is the program.
    pub fn is(&self, dev: u64, ino: u64) -> bool {
        self.number == (dev, ino)
    }
}

impl Drop for Place {
    fn drop(&mut self) {
        if self.memory.is_none() {
            let _removed =
                std::fs::remove_file(PathBuf::from(std::ffi::OsStr::from_bytes(self.path.to_bytes())));
        }
    }
}

/// A path as the kernel takes it; one with a NUL byte names nothing.
pub fn c_string(path: &Path) -> io::Result<CString> {
    CString::new(path.as_os_str().as_bytes()).map_err(|_| Errno::ENOENT.into())
}
