//! A directory for a moment, which goes however this process ends, and with it what the process has started.
//!
//! A child waits for the end of a pipe that only this process can write to: then this one has ended, or has no more use for the
//! directory.

use std::fs::{DirBuilder, File};
use std::io::{self, Read, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::DirBuilderExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::unistd::{Pid, pipe2, setsid};

use crate::sys;

/// The directory.
pub struct Scratch {
    path: PathBuf,
    guard: Pid,
    told: Option<File>,
}

impl Scratch {
    /// Makes one in a directory, for this user alone.
    pub fn make(directory: &Path) -> io::Result<Scratch> {
        let (end, told) = pipe2(OFlag::O_CLOEXEC)?;
        for attempt in 0..16 {
            let path = directory.join(format!("gb-deep-{}-{attempt}", std::process::id()));
            match DirBuilder::new().mode(0o700).create(&path) {
                Err(error) if error.kind() == io::ErrorKind::AlreadyExists => continue,
                made => made?,
            }
            let forked = sys::fork();
            if forked == Ok(None) {
                drop(told);
                guard(File::from(end), &path);
            }
            let Ok(Some(guard)) = forked else {
                let _removed = std::fs::remove_dir(&path);
                return Err(forked.err().unwrap_or(Errno::EAGAIN).into());
            };
            return Ok(Scratch { path, guard, told: Some(File::from(told)) });
        }
        Err(Errno::EEXIST.into())
    }

    /// Where it is.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Has a process group ended with this process; `None` if the last one has ended.
    pub fn ends(&mut self, group: Option<Pid>) {
        let number = group.map_or(0, Pid::as_raw);
        if let Some(told) = &mut self.told {
            // Without a guard there is nobody to be told.
            let _told = told.write_all(&number.to_ne_bytes());
        }
    }
}

impl Drop for Scratch {
    fn drop(&mut self) {
        self.told = None;
        while let Err(Errno::EINTR) = sys::wait_child(self.guard) {}
    }
}

/// In the child: waits for the end, and tidies up.
fn guard(mut end: File, path: &Path) -> ! {
    // Not ended by what ends its parent from a terminal, and not in the way of whoever reads the parent's output.
    let _session = setsid();
    sys::ignore_endings();
    sys::close_descriptors_but(Some(end.as_fd()));
    let mut group = 0;
    let mut number = [0; 4];
    while end.read_exact(&mut number).is_ok() {
        group = i32::from_ne_bytes(number);
    }
    if group > 0 {
        let _killed = sys::send(-group, libc::SIGKILL);
    }
    // What was killed may still have been making files.
    for _ in 0..16 {
        match std::fs::remove_dir_all(path) {
            Err(error) if error.kind() == io::ErrorKind::DirectoryNotEmpty => {}
            _ => break,
        }
    }
    sys::end_now(0)
}
