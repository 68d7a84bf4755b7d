//! The host of a container that was started with `--pid=host`: the mount namespace from which containers get what is bound
//! into them.

use std::fs::File;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::mount::MsFlags;
use nix::sched::{CloneFlags, setns};

use super::registry::DIRECTORY;
use crate::sys::{self, errno};

/// Mounts binfmt_misc on the host, if this is a container that sees the host's processes and may enter their mounts; the
/// kernel loads its module by itself. What the host has mounted keeps the entries when the container is gone.
///
/// The engine's view of the host counts, which is mostly the first process's.
pub fn mount() -> Result<(), Errno> {
    let namespace = format!("/proc/{}/ns/mnt", engine().unwrap_or(1));
    if same(std::fs::metadata(&namespace), std::fs::metadata("/proc/self/ns/mnt")) {
        return Err(Errno::EEXIST);
    }
    let enter_and_mount = || {
        let namespace = File::open(&namespace).map_err(errno)?;
        setns(&namespace, CloneFlags::CLONE_NEWNS)?;
        let none: Option<&str> = None;
        nix::mount::mount(Some("binfmt_misc"), DIRECTORY, Some("binfmt_misc"), MsFlags::empty(), none)
    };
    // A child, so that this process stays where the emulators are.
    let mounted = sys::ask_child(|| {
        match enter_and_mount() {
            // Somebody else has been faster.
            Ok(()) | Err(Errno::EBUSY) => 0,
            Err(errno) => u8::try_from(errno as i32).unwrap_or(u8::MAX),
        }
    });
    match mounted {
        Some(0) => Ok(()),
        Some(code) => Err(Errno::from_raw(code.into())),
        None => Err(Errno::ECHILD),
    }
}

/// The oldest process of root's that is called dockerd, in this user namespace.
fn engine() -> Option<u32> {
    let own = || std::fs::metadata("/proc/self/ns/user");
    let is_engine = |process: &u32| {
        let dir = format!("/proc/{process}");
        std::fs::read(format!("{dir}/comm")).is_ok_and(|name| name == b"dockerd\n")
            && std::fs::metadata(&dir).is_ok_and(|dir| dir.uid() == 0)
            && same(std::fs::metadata(Path::new(&dir).join("ns/user")), own())
    };
    let processes = std::fs::read_dir("/proc").ok()?.flatten();
    let processes = processes.filter_map(|process| process.file_name().to_str()?.parse().ok());
    processes.filter(is_engine).min()
}

fn same(one: std::io::Result<std::fs::Metadata>, other: std::io::Result<std::fs::Metadata>) -> bool {
    matches!((one, other), (Ok(one), Ok(other)) if (one.dev(), one.ino()) == (other.dev(), other.ino()))
}
