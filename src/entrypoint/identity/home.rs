//! The home directory: made, handed over, or replaced where it can't be used.

use std::ffi::{OsStr, OsString};
use std::fs::{self, DirBuilder, File};
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown, symlink,
};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, RenameFlags, renameat2};
use nix::unistd::{AccessFlags, access};

use super::edit::HOME;
use crate::sys;

/// What new homes begin with (useradd(8), SKEL).
const SKELETON: &str = "/etc/skel";
/// A home that holds more directories than this is not walked to its end.
const MAX_DIRECTORIES: usize = 10_000;
/// Deeper trees than this are not made by people.
const MAX_DEPTH: usize = 64;

/// Who a home is for.
#[derive(Debug, Clone, Copy)]
pub struct Owner {
    /// The user.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// The id that the same account had in an earlier start.
    pub earlier_uid: Option<u32>,
}

/// Makes /home/user with the contents of /etc/skel, or hands one over that is there.
///
/// Handed over are directories that belong to root, as the engine makes them on the way to a mount, and everything that
/// belonged to the account's earlier id. What is mounted, and what is below that, stays as it is.
pub fn prepare(owner: Owner) -> io::Result<()> {
    let home = Path::new(HOME);
    match fs::symlink_metadata(home) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => make(home, owner),
        Err(error) => Err(error),
        Ok(metadata) if metadata.uid() == owner.uid => Ok(()),
        Ok(metadata) if metadata.is_dir() => hand_over(home, owner),
        Ok(_) => Err(Errno::ENOTDIR.into()),
    }
}

/// Makes the home under another name first, so that nobody sees a part of it.
fn make(home: &Path, owner: Owner) -> io::Result<()> {
    let parent = home.parent().unwrap_or(Path::new("/"));
    DirBuilder::new().recursive(true).mode(0o755).create(parent)?;
    let new = parent.join(format!(".{}.gb-{}", owner.uid, nix::unistd::getpid()));
    // Only an earlier process of this number can have left it, and that is gone.
    match fs::remove_dir_all(&new) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let made = copy_skeleton(Path::new(SKELETON), &new, owner, 0).and_then(|()| {
        let renamed =
            renameat2(nix::fcntl::AT_FDCWD, &new, nix::fcntl::AT_FDCWD, home, RenameFlags::RENAME_NOREPLACE);
        match renamed {
            // A file system without the flag. Replacing an empty directory is all that rename(2) can do then.
            Err(Errno::EINVAL) => fs::rename(&new, home),
            other => other.map_err(io::Error::from),
        }
    });
    if made.is_err() {
        let _removed = fs::remove_dir_all(&new);
    }
    match made {
        // Another gb was faster, for the same user or for another.
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => hand_over(home, owner),
        other => other,
    }
}

/// Copies a directory with its files, directories and links; a skeleton that is not there makes an empty one.
fn copy_skeleton(from: &Path, to: &Path, owner: Owner, depth: usize) -> io::Result<()> {
    DirBuilder::new().mode(0o700).create(to)?;
    let entries = match fs::read_dir(from) {
        Ok(entries) if depth < MAX_DEPTH => Some(entries),
        _ => None,
    };
    for entry in entries.into_iter().flatten() {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            copy_skeleton(&from, &to, owner, depth + 1)?;
        } else if kind.is_symlink() {
            symlink(fs::read_link(&from)?, &to)?;
            lchown(&to, Some(owner.uid), Some(owner.gid))?;
        } else if kind.is_file() {
            fs::copy(&from, &to)?;
            lchown(&to, Some(owner.uid), Some(owner.gid))?;
        }
    }
    let directory = File::options().read(true).custom_flags(libc::O_DIRECTORY | libc::O_NOFOLLOW).open(to)?;
    // useradd's mode of a home (login.defs(5), HOME_MODE) is 0755 on Debian; a skeleton's directories keep theirs.
    let mode = if depth == 0 { 0o755 } else { fs::metadata(from)?.mode() & 0o755 };
    directory.set_permissions(PermissionsExt::from_mode(mode))?;
    fchown(&directory, Some(owner.uid), Some(owner.gid))
}

/// Gives the user what is to be given of a directory that is there.
fn hand_over(home: &Path, owner: Owner) -> io::Result<()> {
    let mount = |path: &Path| sys::mount_id(path).ok_or(Errno::ENOSYS);
    let parent = home.parent().unwrap_or(Path::new("/"));
    let mount_of_home = mount(home)?;
    if mount_of_home != mount(parent)? {
        return Ok(());
    }
    // Directories are opened before they are looked at, and links not followed: what was looked at is what is given.
    let mut left = MAX_DIRECTORIES;
    walk(home, owner, mount_of_home, 0, &mut left)
}

fn walk(dir: &Path, owner: Owner, mount: u64, depth: usize, left: &mut usize) -> io::Result<()> {
    let flags = libc::O_DIRECTORY | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    let directory = File::options().read(true).custom_flags(flags).open(dir)?;
    let metadata = directory.metadata()?;
    let is_given = |uid: u32| uid == 0 || Some(uid) == owner.earlier_uid;
    if sys::mount_id_of(directory.as_fd()) != Some(mount)
        || !(is_given(metadata.uid()) || metadata.uid() == owner.uid)
    {
        return Ok(());
    }
    if *left == 0 || depth == MAX_DEPTH {
        return Err(io::Error::new(
            io::ErrorKind::QuotaExceeded,
            "it has too many directories that belong to root",
        ));
    }
    *left -= 1;
    for entry in fs::read_dir(dir)? {
        let entry = entry?;
        let kind = entry.file_type()?;
        if kind.is_dir() {
            walk(&entry.path(), owner, mount, depth + 1, left)?;
        } else if owner.earlier_uid.is_some() && Some(entry.metadata()?.uid()) == owner.earlier_uid {
            give_file(&directory, &entry.file_name(), mount, owner)?;
        }
    }
    if metadata.uid() == owner.uid {
        return Ok(());
    }
    fchown(&directory, Some(owner.uid), Some(owner.gid))
}

/// Gives one file of a directory, which may be a mount of its own.
fn give_file(directory: &File, name: &OsStr, mount: u64, owner: Owner) -> io::Result<()> {
    let flags = nix::fcntl::OFlag::O_PATH | nix::fcntl::OFlag::O_NOFOLLOW | nix::fcntl::OFlag::O_CLOEXEC;
    let file = nix::fcntl::openat(directory, name, flags, nix::sys::stat::Mode::empty())?;
    let is_earlier = nix::sys::stat::fstat(&file).is_ok_and(|stat| Some(stat.st_uid) == owner.earlier_uid);
    if sys::mount_id_of(file.as_fd()) != Some(mount) || !is_earlier {
        return Ok(());
    }
    let (uid, gid) = (owner.uid.into(), owner.gid.into());
    nix::unistd::fchownat(&file, c"", Some(uid), Some(gid), AtFlags::AT_EMPTY_PATH)?;
    Ok(())
}

/// Whether the user, who gb must be by now, can make files in a directory.
pub fn is_usable(home: &Path) -> Result<(), Errno> {
    // With the dot only a directory is found.
    access(&home.join("."), AccessFlags::W_OK | AccessFlags::X_OK)
}

/// A directory of the user's own, where the home can't be used: in a place that anybody may write to.
///
/// Called as the user, so that nothing can be done in it that the user could not do.
pub fn substitute(uid: u32) -> Option<OsString> {
    let own = |dir: &Path| {
        fs::symlink_metadata(dir)
            .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == uid && metadata.mode() & 0o022 == 0)
    };
    ["/tmp", "/var/tmp", "/dev/shm"]
        .iter()
        .map(|place| PathBuf::from(place).join(format!("gb-home-{uid}")))
        .find_map(|dir| {
            let made = DirBuilder::new().mode(0o700).create(&dir);
            // Anybody may have put something else there under this name.
            (made.is_ok() || own(&dir)).then(|| dir.into_os_string())
        })
}
