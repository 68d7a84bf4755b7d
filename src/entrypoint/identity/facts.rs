//! What there is: this process, its user namespace, the account files, the working directory.

use std::collections::BTreeSet;
use std::io::{self, Read};
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::unistd;

use super::accounts::{self, MAX_FILE};
use super::edit::{self, Files};
use super::request::{Request, UserRequest, Who};
use crate::file;
use crate::sys::{self, Capabilities};
use crate::user_namespace::{self, IdMap};

/// Everything that a plan is made of beside the request.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The user that gb was started as.
    pub ids: Ids,
    /// What may be changed; `None` if nothing is to be.
    pub root: Option<RootFacts>,
}

/// The ids of a process.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ids {
    /// The effective user.
    pub uid: u32,
    /// The effective group.
    pub gid: u32,
    /// The supplementary groups.
    pub groups: Vec<u32>,
}

/// What only matters to a gb that is root and is asked for a user.
#[derive(Debug, Clone)]
pub struct RootFacts {
    /// CAP_SETUID is effective.
    pub may_set_uid: bool,
    /// CAP_SETGID is effective.
    pub may_set_gid: bool,
    /// The user ids of this user namespace.
    pub uids: IdMap,
    /// The group ids of this user namespace.
    pub gids: IdMap,
    /// setgroups(2) is forbidden in this user namespace.
    pub setgroups_denied: bool,
    /// /etc/group is a mount: the groups that root was started with are those of another file.
    pub group_is_mounted: bool,
    /// The account files; one that is not there is empty.
    pub files: Files,
    /// Why an account file could not be read.
    pub unreadable: Option<String>,
    /// Programs of the user run whose account could be made over.
    pub earlier_is_running: bool,
    /// The owner and the group of the working directory, if that matters.
    pub workdir: Option<Workdir>,
}

/// The working directory.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Workdir {
    /// Its path.
    pub path: String,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// It is on another mount than the root directory.
    pub is_mounted: bool,
}

impl Ids {
    /// The ids of a user who is in these groups: the primary one first, and each once.
    pub fn new(uid: u32, gid: u32, further: impl IntoIterator<Item = u32>) -> Ids {
        let mut seen = BTreeSet::new();
        let groups = std::iter::once(gid).chain(further).filter(|group| seen.insert(*group)).collect();
        Ids { uid, gid, groups }
    }

    /// Those of this process.
    pub fn current() -> Ids {
        Ids {
            uid: unistd::geteuid().as_raw(),
            gid: unistd::getegid().as_raw(),
            // It fails for a wrong buffer alone.
            groups: sys::groups().unwrap_or_default(),
        }
    }

    /// Whether a process with those ids has these groups already; its primary group counts as one that it has.
    pub fn has_groups_of(&self, other: &Ids) -> bool {
        self.groups.iter().all(|group| other.groups.contains(group) || *group == other.gid)
            && other.groups.iter().all(|group| self.groups.contains(group))
    }
}

impl Facts {
    /// Looks for what the request needs to know.
    pub fn gather(request: &Request) -> Facts {
        let ids = Ids::current();
        let root = match request {
            Request::User(user) if ids.uid == 0 => Some(RootFacts::gather(user, &ids)),
            _ => None,
        };
        Facts { ids, root }
    }
}

impl RootFacts {
    fn gather(request: &UserRequest, ids: &Ids) -> RootFacts {
        // What can't be asked is found out by trying.
        let capabilities = Capabilities::get().ok();
        let has = |capability: u32| capabilities.is_none_or(|set| set.has(capability));
        let uids = IdMap::of_users();
        // Outside of user namespaces neither map is another; who makes a namespace maps users, at least.
        let gids = if uids.is_everything() { IdMap::everything() } else { IdMap::of_groups() };
        // Only a user namespace can deny it (user_namespaces(7)).
        let setgroups_denied =
            !(uids.is_everything() && gids.is_everything()) && user_namespace::denies_setgroups();
        let workdir = match request.who {
            Who::Id(..) => None,
            Who::Owner | Who::Default => workdir(),
        };
        let (mut files, mut unreadable) = accounts_and_groups();
        let uid = request.who.uid(workdir.as_ref().map(|workdir| workdir.uid));
        let is_new = !accounts::accounts(&files.passwd).any(|account| Some(account.uid) == uid);
        // Only a new account needs a line there.
        if is_new {
            files.shadow = read("/etc/shadow", &mut unreadable);
        }
        let has_groups = ids.groups.iter().any(|gid| *gid != ids.gid);
        let earlier = edit::earlier_account(&files.passwd).filter(|_| is_new);
        let earlier_is_running = earlier.is_some_and(|account| is_running(account.uid));
        RootFacts {
            may_set_uid: has(sys::CAP_SETUID),
            may_set_gid: has(sys::CAP_SETGID),
            uids,
            gids,
            setgroups_denied,
            group_is_mounted: has_groups && sys::is_mount(Path::new("/etc/group")),
            files,
            unreadable,
            earlier_is_running,
            workdir,
        }
    }
}

/// Reads the account files, and tells of the first that can't be read.
///
/// A missing one is empty; but for shadow, where that decides about the password field of passwd.
pub(super) fn account_files() -> (Files, Option<String>) {
    let (mut files, mut unreadable) = accounts_and_groups();
    files.shadow = read("/etc/shadow", &mut unreadable);
    (files, unreadable)
}

/// The same without shadow, which only root can read.
pub fn accounts_and_groups() -> (Files, Option<String>) {
    let mut unreadable = None;
    let passwd = read("/etc/passwd", &mut unreadable).unwrap_or_default();
    let group = read("/etc/group", &mut unreadable).unwrap_or_default();
    (Files { passwd, group, shadow: None }, unreadable)
}

fn read(path: &str, unreadable: &mut Option<String>) -> Option<Vec<u8>> {
    match read_bounded(Path::new(path)) {
        Ok(contents) => Some(contents),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => {
            unreadable.get_or_insert(format!("read {path}: {error}"));
            None
        }
    }
}

fn read_bounded(path: &Path) -> io::Result<Vec<u8>> {
    let mut contents = Vec::with_capacity(8192);
    file::open_regular(path)?.take(MAX_FILE + 1).read_to_end(&mut contents)?;
    match u64::try_from(contents.len()) {
        Ok(length) if length <= MAX_FILE => Ok(contents),
        _ => Err(io::Error::new(io::ErrorKind::InvalidData, "larger than any file of accounts")),
    }
}

/// Whether a program of this user runs. What can't be told is supposed.
fn is_running(uid: u32) -> bool {
    let Ok(processes) = procfs::process::all_processes() else { return true };
    // A process that has ended meanwhile has no status any more.
    let mut statuses = processes.flatten().filter_map(|process| process.status().ok());
    statuses.any(|status| [status.ruid, status.euid, status.suid, status.fuid].contains(&uid))
}

fn workdir() -> Option<Workdir> {
    let metadata = std::fs::metadata(".").ok()?;
    let path =
        std::env::current_dir().map_or_else(|_| ".".to_owned(), |dir| dir.to_string_lossy().into_owned());
    let is_mounted = match (sys::mount_id(Path::new(".")), sys::mount_id(Path::new("/"))) {
        (Some(here), Some(root)) => here != root,
        _ => false,
    };
    Some(Workdir { path, uid: metadata.uid(), gid: metadata.gid(), is_mounted })
}
