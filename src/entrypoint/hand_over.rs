//! Directories that the engine has made on the way to a mount, in places that a build writes to.
//!
//! For `--volume cache:/build/go/pkg/mod` the engine makes /build/go/pkg, which is root's then, and Go can't write
//! /build/go/pkg/sumdb. What is given to the user is a directory that cannot be anything else: root's, in the container's
//! own file system, not writable for everybody, and with nothing in it but mounts and directories of this kind. A
//! directory with anything of the image in it stays what it is, whatever a variable says.
//!
//! Root works here among directories of which some are writable for a user who may be running. So nothing is named by a
//! path: each directory is opened from the one above it, as a mere place (O_PATH), looked at, and then read or given away
//! by the same descriptor. Links are not followed, mounts and directories of other users not entered; and who is not root
//! can put no directory of root's into a place.

use std::ffi::{CStr, CString};
use std::io;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use nix::errno::Errno;
use nix::fcntl::{AT_FDCWD, AtFlags, OFlag, openat};
use nix::sys::stat::{Mode, SFlag, fstat};
use nix::unistd::{Gid, Uid, fchownat};

use super::mounts::Mounts;
use super::places;
use crate::environment::Environment;
use crate::sys;

/// The engine makes few directories, and each on the way to a mount.
const MAX_ENTRIES: usize = 64;
const MAX_DEPTH: usize = 32;

/// Gives the user what the engine has made in the places that the environment names.
///
/// Called as root. What can't be given stays, and is told of by [`super::caches`] if it matters.
pub fn hand_over(environment: &Environment, mounts: &Mounts, uid: u32, gid: u32) {
    for place in places::named(environment) {
        for mount in mounts.callers().filter(|mount| is_near(&place.path, &mount.path)) {
            let _given = walk(&place.path, &mount.path, &|directory| {
                let (uid, gid) = (Uid::from_raw(uid), Gid::from_raw(gid));
                fchownat(directory, c"", Some(uid), Some(gid), AtFlags::AT_EMPTY_PATH)
            });
        }
    }
}

/// Whether there may be a directory on the way to a mount that is in the place, or above it. Most often there is none,
/// and nothing is looked at.
fn is_near(place: &Path, mount: &Path) -> bool {
    let is_plain = place.components().all(|part| matches!(part, Component::RootDir | Component::Normal(_)));
    let first = |path: &Path| path.components().nth(1).map(|part| part.as_os_str().to_owned());
    is_plain && place.is_absolute() && first(place) == first(mount) && !place.starts_with(mount)
}

/// Goes towards the place, and if it is there from it towards the mount, and gives the first directory that is the
/// engine's, with those in it. If the place is not there, that can only be the directory in which it would be made.
fn walk(place: &Path, mount: &Path, give: &dyn Fn(&OwnedFd) -> nix::Result<()>) -> io::Result<()> {
    let mut here = open(AT_FDCWD, c"/")?;
    let own = sys::mount_id_of(here.as_fd()).ok_or(Errno::ENOSYS)?;
    let mut path = Path::new("/").to_owned();
    for part in place.components().skip(1) {
        match enter(&here, &CString::new(part.as_os_str().as_bytes())?, own)? {
            Found::Directory(directory) => here = directory,
            Found::Nothing if mount.starts_with(&path) && path.parent().is_some() => {
                return give_if_engines(&here, own, give).map(drop);
            }
            Found::Nothing | Found::Other | Found::Mount => return Ok(()),
        }
        path.push(part);
    }
    let Ok(rest) = mount.strip_prefix(&path) else { return Ok(()) };
    for part in rest.components() {
        if path.parent().is_some() && give_if_engines(&here, own, give)? {
            return Ok(());
        }
        match enter(&here, &CString::new(part.as_os_str().as_bytes())?, own)? {
            Found::Directory(directory) => here = directory,
            Found::Nothing | Found::Other | Found::Mount => return Ok(()),
        }
        path.push(part);
    }
    Ok(())
}

/// What a name is in a directory.
enum Found {
    Nothing,
    /// A directory of root's on the same mount.
    Directory(OwnedFd),
    Mount,
    Other,
}

fn enter(above: &OwnedFd, name: &CStr, own: u64) -> io::Result<Found> {
    let place = match open(above, name) {
        Err(Errno::ENOENT) => return Ok(Found::Nothing),
        place => place?,
    };
    if sys::mount_id_of(place.as_fd()) != Some(own) {
        return Ok(Found::Mount);
    }
    let stat = fstat(&place)?;
    let is_directory = SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR;
    Ok(if is_directory && stat.st_uid == 0 { Found::Directory(place) } else { Found::Other })
}

/// O_PATH opens nothing: no device acts, no file system of somebody else's is asked.
fn open<Fd: AsFd>(above: Fd, name: &CStr) -> nix::Result<OwnedFd> {
    openat(above, name, OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC, Mode::empty())
}

/// Gives a directory, and those in it, if it is on the way to mounts alone; whether it is.
fn give_if_engines(
    directory: &OwnedFd,
    own: u64,
    give: &dyn Fn(&OwnedFd) -> nix::Result<()>,
) -> io::Result<bool> {
    let mut engines = Vec::new();
    let is_engines = leads_to_mounts_alone(directory, own, 0, &mut engines)?;
    if is_engines {
        engines.iter().try_for_each(give)?;
        give(directory)?;
    }
    Ok(is_engines)
}

/// Whether a directory has mounts in it, and directories of the same kind, and nothing else. These are added to the list.
fn leads_to_mounts_alone(
    directory: &OwnedFd,
    own: u64,
    depth: usize,
    inner: &mut Vec<OwnedFd>,
) -> io::Result<bool> {
    let others_may_write = fstat(directory)?.st_mode & Mode::S_IWOTH.bits() != 0;
    if others_may_write || depth > MAX_DEPTH {
        return Ok(false);
    }
    let mut count = 0;
    for name in sys::names(directory)? {
        count += 1;
        let is_engines = match enter(directory, &name?, own)? {
            Found::Mount => true,
            Found::Directory(below) => {
                let is_engines = leads_to_mounts_alone(&below, own, depth + 1, inner)?;
                inner.push(below);
                is_engines
            }
            Found::Nothing | Found::Other => false,
        };
        if !is_engines || count > MAX_ENTRIES {
            return Ok(false);
        }
    }
    Ok(count > 0)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_place_is_looked_at_only_if_a_mount_may_be_in_it_or_beside_it() {
        let near = |place: &str, mount: &str| is_near(Path::new(place), Path::new(mount));
        assert!(near("/build/go", "/build/go/pkg/mod"));
        assert!(near("/build/cache", "/build/src"));
        assert!(near("//build/./go/", "/build/src"));
        // In a mount, or a mount itself, nothing is the engine's.
        assert!(!near("/build/go", "/build/go") && !near("/build/go", "/build"));
        assert!(!near("/go", "/src") && !near("/", "/src") && !near("go", "/go") && !near("", "/go"));
        assert!(!near("/build/../etc", "/build/src"));
    }
}
