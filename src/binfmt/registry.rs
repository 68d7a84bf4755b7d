//! The kernel's entries, where this process can see them.
//!
//! In a container the directory is mostly an empty one of /proc's, and a mount that belongs to a user namespace shows that
//! namespace's entries alone. So what is here, or not here, proves nothing.

use std::ffi::OsString;
use std::fs::File;
use std::io::Read;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::fcntl::{OFlag, openat};
use nix::sys::stat::Mode;
use nix::sys::statfs::{FsType, fstatfs};

use super::entry::{Entry, ParseEntryError, RegistrationError};
use super::host;
use crate::sys::{self, errno};
use crate::user_namespace::IdMap;

/// Where it is mounted by convention.
pub const DIRECTORY: &str = "/proc/sys/fs/binfmt_misc";
/// Where a container has the host's: engines bind nothing inside of a container's /proc (runc's `checkProcMount`).
const BOUND: &str = "/binfmt_misc";
/// BINFMTFS_MAGIC (include/uapi/linux/magic.h).
const BINFMTFS: FsType = FsType(0x4249_4e4d);
/// An entry's file is a few hundred bytes, and a path of the interpreter at most.
const MAX_FILE: u64 = 64 << 10;

/// Where to look when nobody says: at what is bound into this container, else where it is by convention.
pub fn directory() -> PathBuf {
    let is_bound = matches!(Mount::open(Path::new(BOUND)), Ok(Some(_)));
    PathBuf::from(if is_bound { BOUND } else { DIRECTORY })
}

/// What can be seen of the entries.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Registry {
    /// A mounted binfmt_misc.
    Mounted {
        /// The switch of all entries.
        is_enabled: bool,
        /// The entries in the order in which the kernel goes by them: the youngest first.
        entries: Vec<Entry>,
        /// What could not be read.
        unread: Vec<String>,
    },
    /// The directory is there, and nothing is mounted on it that this process can see.
    NotMounted,
    /// There is no directory: the kernel has no binfmt_misc, or there is no /proc.
    Missing,
    /// It can't be looked at.
    Unreadable(Errno),
}

impl Registry {
    /// The entries that can be seen.
    pub fn entries(&self) -> &[Entry] {
        match self {
            Registry::Mounted { entries, .. } => entries,
            _ => &[],
        }
    }

    /// Looks.
    pub fn read(directory: &Path) -> Registry {
        match Mount::open(directory) {
            Ok(Some(mount)) => mount.read(),
            Ok(None) => Registry::NotMounted,
            Err(Errno::ENOENT) => Registry::Missing,
            Err(errno) => Registry::Unreadable(errno),
        }
    }
}

/// A mounted binfmt_misc.
pub struct Mount {
    directory: OwnedFd,
    /// Where this process has mounted it, if it has.
    own: Option<PathBuf>,
}

impl Mount {
    /// Opens a directory; `None` if it is another file system's.
    ///
    /// Only what is mounted is asked, so that a host that mounts on demand (systemd's automount) is not made to.
    pub fn open(directory: &Path) -> Result<Option<Mount>, Errno> {
        let flags = libc::O_PATH | libc::O_DIRECTORY | libc::O_CLOEXEC;
        let place = File::options().read(true).custom_flags(flags).open(directory).map_err(errno)?;
        if fstatfs(&place)?.filesystem_type() != BINFMTFS {
            return Ok(None);
        }
        Ok(Some(Mount { directory: place.into(), own: None }))
    }

    /// The mounted directory; where nothing is mounted, this process mounts it, and [`close`](Mount::close) has to show what
    /// becomes of the entries. Where the host's processes can be seen, it is mounted there first, which keeps them.
    pub fn open_or_mount(directory: &Path) -> Result<Mount, MountError> {
        let is_first = IdMap::of_users().is_everything();
        if is_first && matches!(Mount::open(directory), Ok(None)) {
            // If that can't be, the entries go with this process's own mount, and are seen to be gone.
            let _on_host = host::mount();
        }
        Mount::open_or_mount_here(directory)
    }

    /// The same, only to look: nothing is done on the host.
    ///
    /// Never in a user namespace: from Linux 6.7 on that one goes by entries of its own from then on, for good, of which there
    /// are none (`load_binfmt_misc` in fs/binfmt_misc.c).
    pub fn open_or_mount_here(directory: &Path) -> Result<Mount, MountError> {
        let failed = |errno| MountError { directory: directory.to_owned(), errno };
        match Mount::open(directory) {
            Ok(Some(mount)) => return Ok(mount),
            Ok(None) if !IdMap::of_users().is_everything() => return Err(failed(Errno::EPERM)),
            Ok(None) => {}
            Err(errno) => return Err(failed(errno)),
        }
        let none: Option<&str> = None;
        nix::mount::mount(
            Some("binfmt_misc"),
            directory,
            Some("binfmt_misc"),
            nix::mount::MsFlags::empty(),
            none,
        )
        .map_err(failed)?;
        match Mount::open(directory) {
            Ok(Some(mount)) => Ok(Mount { own: Some(directory.to_owned()), ..mount }),
            Ok(None) => Err(failed(Errno::ENODEV)),
            Err(errno) => Err(failed(errno)),
        }
    }

    /// Whether this process has mounted it.
    pub fn is_own(&self) -> bool {
        self.own.is_some()
    }

    /// Takes away what this process has mounted.
    pub fn close(self) -> Result<(), MountError> {
        let Mount { directory, own } = self;
        drop(directory);
        let Some(directory) = own else { return Ok(()) };
        nix::mount::umount(&directory).map_err(|errno| MountError { directory, errno })
    }

    /// Everything in it.
    pub fn read(&self) -> Registry {
        let names: Vec<_> = match sys::names(&self.directory).and_then(Iterator::collect) {
            Ok(names) => names,
            Err(errno) => return Registry::Unreadable(errno),
        };
        let status = self.file(Path::new("status")).unwrap_or_default();
        let mut entries = Vec::new();
        let mut unread = Vec::new();
        for name in names.into_iter().filter(|name| ![c"status", c"register"].contains(&name.as_c_str())) {
            match self.entry(OsString::from_vec(name.into_bytes())) {
                Ok(entry) => entries.push(entry),
                // Somebody has just removed it.
                Err(ReadEntryError::File(_, Errno::ENOENT)) => {}
                Err(error) => unread.push(error.to_string()),
            }
        }
        Registry::Mounted { is_enabled: status.starts_with(b"enabled"), entries, unread }
    }

    /// Waits until no other gb makes entries here, on this machine; none does as long as the file is held. `None` for who may not
    /// make any.
    ///
    /// Only root can open the file that is locked, so nobody else can keep it locked.
    pub fn lock(&self) -> Option<OwnedFd> {
        let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(self.directory.as_fd(), c"register", flags, Mode::empty()).ok()?;
        loop {
            match sys::lock(file.as_fd(), true) {
                Err(Errno::EINTR) => {}
                locked => return locked.ok().map(|()| file),
            }
        }
    }

    /// Makes an entry.
    pub fn register(&self, entry: &Entry) -> Result<(), WriteError> {
        let text = entry.registration().map_err(WriteError::Registration)?;
        // The kernel takes an entry by one write only.
        self.write(Path::new("register"), &text).map_err(|errno| WriteError::Refused {
            name: entry.name.clone(),
            errno,
            interpreter: entry.interpreter.clone(),
        })
    }

    /// Removes an entry. One that is not there is no failure.
    pub fn remove(&self, name: &std::ffi::OsStr) -> Result<(), WriteError> {
        match self.write(Path::new(name), b"-1") {
            Ok(()) | Err(Errno::ENOENT) => Ok(()),
            Err(errno) => Err(WriteError::Stays { name: name.to_owned(), errno }),
        }
    }

    fn write(&self, name: &Path, text: &[u8]) -> Result<(), Errno> {
        let flags = OFlag::O_WRONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(self.directory.as_fd(), name, flags, Mode::empty())?;
        match nix::unistd::write(&file, text)? {
            length if length == text.len() => Ok(()),
            _ => Err(Errno::EIO),
        }
    }

    fn entry(&self, name: OsString) -> Result<Entry, ReadEntryError> {
        let path = PathBuf::from(&name);
        let text = self.file(&path).map_err(|errno| ReadEntryError::File(path, errno))?;
        Ok(Entry::parse(&name, &text)?)
    }

    fn file(&self, name: &Path) -> Result<Vec<u8>, Errno> {
        let flags = OFlag::O_RDONLY | OFlag::O_NOFOLLOW | OFlag::O_CLOEXEC;
        let file = openat(self.directory.as_fd(), name, flags, Mode::empty())?;
        let mut text = Vec::new();
        let read = File::from(file).take(MAX_FILE).read_to_end(&mut text);
        read.map_err(errno)?;
        Ok(text)
    }
}

/// There is no binfmt_misc to write to.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[error(
    "mount binfmt_misc on {}: {} (docker run --volume /proc/sys/fs/binfmt_misc:/binfmt_misc; where the host has not mounted it: mount -t \
     binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc there, or docker run --privileged --pid=host)",
    directory.display(),
    match errno {
        Errno::EPERM => "not in a user namespace, and not without CAP_SYS_ADMIN",
        Errno::ENODEV => "the kernel has none (modprobe binfmt_misc)",
        errno => errno.desc(),
    }
)]
pub struct MountError {
    /// Where.
    pub directory: PathBuf,
    /// The answer.
    pub errno: Errno,
}

/// What the kernel does not do.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum WriteError {
    /// The entry is none.
    #[error(transparent)]
    Registration(RegistrationError),
    /// It does not take the entry.
    #[error("register {}, by {}: {} ({})", name.to_string_lossy(), interpreter.display(), errno.desc(), remedy(*errno))]
    Refused {
        /// The entry's name.
        name: OsString,
        /// The answer.
        errno: Errno,
        /// The interpreter.
        interpreter: PathBuf,
    },
    /// It does not remove the entry.
    #[error("remove {}: {} ({})", name.to_string_lossy(), errno.desc(), remedy(*errno))]
    Stays {
        /// The entry's name.
        name: OsString,
        /// The answer.
        errno: Errno,
    },
}

fn remedy(errno: Errno) -> &'static str {
    match errno {
        Errno::EACCES | Errno::EPERM => "as root of the host, in no user namespace",
        Errno::EROFS => {
            "it is mounted read-only here: docker run --volume /proc/sys/fs/binfmt_misc:/binfmt_misc"
        }
        Errno::EINVAL => "the kernel does not know the entry's flags: Linux 4.8 has F, 5.12 has P",
        Errno::EEXIST => "another program is registering, too: try again",
        Errno::ENOENT => "the kernel opens the interpreter when it is registered with F, and it is not there",
        _ => "see the kernel's log",
    }
}

/// An entry that is there and can't be told.
#[derive(Debug, thiserror::Error)]
enum ReadEntryError {
    #[error("read entry {}: {}", .0.display(), .1.desc())]
    File(PathBuf, Errno),
    #[error(transparent)]
    Text(#[from] ParseEntryError),
}
