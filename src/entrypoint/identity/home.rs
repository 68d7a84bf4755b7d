//! The home directory: made, handed over, or replaced where it can't be used.
//!
//! Root works here among files of a user who may be running: of an earlier start, or beside this one. So below the home
//! nothing is named by a path. Each directory is opened from the one above it, as a mere place (O_PATH), looked at, and
//! only then read or given away, all by the same descriptor.

use std::ffi::{CStr, CString, OsStr, OsString};
use std::fs::{self, DirBuilder, File, Metadata};
use std::io;
use std::os::fd::{AsFd, BorrowedFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::{
    DirBuilderExt, MetadataExt, OpenOptionsExt, PermissionsExt, fchown, lchown, symlink,
};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag, RenameFlags, openat, renameat2};
use nix::sys::stat::{FileStat, Mode, SFlag, fstat};
use nix::unistd::{AccessFlags, Gid, Uid, access, fchownat, mkdtemp};

use super::edit::HOME;
use crate::sys;

/// What new homes begin with (useradd(8), SKEL).
const SKELETON: &str = "/etc/skel";
/// Looking at a million files takes seconds; more than that is not looked at.
const MAX_ENTRIES: usize = 1_000_000;
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
///
/// Whether the user can certainly use it, as far as root can tell: it is the user's own directory, on a file system that can
/// be written to, in a directory that anybody may enter.
pub fn prepare(owner: Owner) -> io::Result<bool> {
    let home = Path::new(HOME);
    let look = || fs::symlink_metadata(home);
    let metadata = match look() {
        Err(error) if error.kind() == io::ErrorKind::NotFound => {
            make(home, owner)?;
            look()?
        }
        Err(error) => return Err(error),
        Ok(metadata) if metadata.uid() == owner.uid => metadata,
        Ok(_) => {
            hand_over(home, owner)?;
            look()?
        }
    };
    let is_own = metadata.is_dir() && metadata.uid() == owner.uid && metadata.mode() & 0o300 == 0o300;
    let is_reached = || {
        let parent = home.parent().map(fs::metadata);
        parent.is_some_and(|parent| parent.is_ok_and(|parent| parent.mode() & 0o001 != 0))
    };
    Ok(is_own && is_reached() && access(home, AccessFlags::W_OK | AccessFlags::X_OK).is_ok())
}

/// Hands a home over, if it has to be.
fn take(home: &Path, metadata: &Metadata, owner: Owner) -> io::Result<()> {
    if metadata.uid() == owner.uid { Ok(()) } else { hand_over(home, owner) }
}

/// Makes the home under another name first, so that nobody sees a part of it.
fn make(home: &Path, owner: Owner) -> io::Result<()> {
    let parent = home.parent().unwrap_or(Path::new("/"));
    if !parent.exists() {
        DirBuilder::new().create(parent)?;
        // Whatever the umask says.
        fs::set_permissions(parent, PermissionsExt::from_mode(0o755))?;
    }
    let _signal = sys::FileSizeSignal::ignore();
    let new = mkdtemp(&parent.join(".user.gb-XXXXXX"))?;
    let made = copy_skeleton(Path::new(SKELETON), &new, owner, 0).and_then(|()| {
        let here = nix::fcntl::AT_FDCWD;
        match renameat2(here, &new, here, home, RenameFlags::RENAME_NOREPLACE) {
            // A file system without the flag. Replacing an empty directory is all that rename(2) can do then.
            Err(Errno::EINVAL | Errno::ENOSYS) => fs::rename(&new, home),
            other => other.map_err(io::Error::from),
        }
    });
    let Err(error) = made else { return Ok(()) };
    let _removed = fs::remove_dir_all(&new);
    // Another gb was faster, for the same user or for another.
    match fs::symlink_metadata(home) {
        Ok(metadata) => take(home, &metadata, owner),
        Err(_) => Err(error),
    }
}

/// Fills a directory with the files, directories and links of another; a skeleton that is not there has none.
fn copy_skeleton(from: &Path, to: &Path, owner: Owner, depth: usize) -> io::Result<()> {
    let entries = match fs::read_dir(from) {
        Ok(entries) if depth < MAX_DEPTH => Some(entries),
        _ => None,
    };
    for entry in entries.into_iter().flatten() {
        let entry = entry?;
        let (from, to) = (entry.path(), to.join(entry.file_name()));
        let kind = entry.file_type()?;
        if kind.is_dir() {
            DirBuilder::new().mode(0o700).create(&to)?;
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

/// Gives the user what is to be given of a directory that is there. What can't be given does not keep the rest from it; the
/// first such failure is returned.
fn hand_over(home: &Path, owner: Owner) -> io::Result<()> {
    let parent = home.parent().unwrap_or(Path::new("/"));
    let above = File::options().read(true).custom_flags(libc::O_DIRECTORY | libc::O_PATH).open(parent)?;
    let mount = sys::mount_id_of(above.as_fd()).ok_or(Errno::ENOSYS)?;
    let name = CString::new(home.file_name().unwrap_or_default().as_bytes())?;
    let mut walk = Walk { owner, mount, entries: 0, failure: None };
    walk.entry(above.as_fd(), &name, 0);
    walk.failure.map_or(Ok(()), Err)
}

struct Walk {
    owner: Owner,
    /// The mount that is not left.
    mount: u64,
    entries: usize,
    failure: Option<io::Error>,
}

impl Walk {
    fn entry(&mut self, above: BorrowedFd<'_>, name: &CStr, depth: usize) {
        self.entries += 1;
        let done = match self.entries > MAX_ENTRIES || depth > MAX_DEPTH {
            true => Err(io::Error::new(io::ErrorKind::QuotaExceeded, "it has too many files to hand over")),
            false => self.look(above, name, depth),
        };
        match done {
            // Somebody has just removed it.
            Err(error) if error.kind() == io::ErrorKind::NotFound => {}
            Err(error) => self.failure = self.failure.take().or(Some(error)),
            Ok(()) => {}
        }
    }

    fn look(&mut self, above: BorrowedFd<'_>, name: &CStr, depth: usize) -> io::Result<()> {
        // O_PATH opens nothing: no device acts, no file system of somebody else's is asked.
        let flags = OFlag::O_PATH | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let place = openat(above, name, flags, Mode::empty())?;
        if sys::mount_id_of(place.as_fd()) != Some(self.mount) {
            return Ok(());
        }
        let stat = fstat(&place)?;
        if SFlag::from_bits_truncate(stat.st_mode) & SFlag::S_IFMT == SFlag::S_IFDIR {
            self.directory(&place, &stat, depth)
        } else if Some(stat.st_uid) == self.owner.earlier_uid {
            self.give(&place)
        } else {
            Ok(())
        }
    }

    fn directory(&mut self, place: &OwnedFd, stat: &FileStat, depth: usize) -> io::Result<()> {
        let is_given = stat.st_uid == 0 || Some(stat.st_uid) == self.owner.earlier_uid;
        if !is_given && stat.st_uid != self.owner.uid {
            return Ok(());
        }
        for name in sys::names(place)? {
            let name = name?;
            if self.entries <= MAX_ENTRIES {
                self.entry(place.as_fd(), &name, depth + 1);
            }
        }
        if is_given { self.give(place) } else { Ok(()) }
    }

    fn give(&self, place: &OwnedFd) -> io::Result<()> {
        let (uid, gid) = (Uid::from_raw(self.owner.uid), Gid::from_raw(self.owner.gid));
        fchownat(place, c"", Some(uid), Some(gid), AtFlags::AT_EMPTY_PATH)?;
        Ok(())
    }
}

/// Whether a directory can be the home of the user, who gb must be by now: files can be made in it, and it is the user's, or
/// was mounted there by whoever started the container. In another user's home programs would find what that user wants
/// them to do (Go's env file, Git's configuration), root's programs too.
pub fn is_usable(home: &Path, uid: u32) -> Result<(), Errno> {
    // With the dot only a directory is found.
    access(&home.join("."), AccessFlags::W_OK | AccessFlags::X_OK)?;
    let metadata = fs::symlink_metadata(home).map_err(|_| Errno::EACCES)?;
    let is_own = metadata.is_dir() && metadata.uid() == uid;
    if is_own || sys::is_mount(home) { Ok(()) } else { Err(Errno::EACCES) }
}

/// A directory of the user's own, where the home can't be used: in a place that anybody may write to.
///
/// Called as the user, so that nothing can be done in it that the user could not do.
pub fn substitute(uid: u32) -> Option<OsString> {
    let own = |dir: &Path| {
        fs::symlink_metadata(dir)
            .is_ok_and(|metadata| metadata.is_dir() && metadata.uid() == uid && metadata.mode() & 0o022 == 0)
    };
    substitutes(uid).find_map(|dir| {
        let made = DirBuilder::new().mode(0o700).create(&dir);
        // Anybody may have put something else there under this name.
        (made.is_ok() || own(&dir)).then(|| dir.into_os_string())
    })
}

/// Whether a path is one that [`substitute`] may give.
pub fn is_substitute(home: &OsStr, uid: u32) -> bool {
    substitutes(uid).any(|dir| dir == home)
}

/// What [`substitute`] tries, in this order.
pub fn substitutes(uid: u32) -> impl Iterator<Item = PathBuf> {
    ["/tmp", "/var/tmp", "/dev/shm"]
        .into_iter()
        .map(move |place| PathBuf::from(place).join(format!("gb-home-{uid}")))
}
