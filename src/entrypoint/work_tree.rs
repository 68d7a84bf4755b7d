//! The Git work trees that the caller has mounted.
//!
//! Git refuses to work in a tree of another user (git-config(1), `safe.directory`), because such a tree can make it run
//! programs (CVE-2022-24765). What a caller mounts is something that the caller trusts, so a tree in a mount that belongs
//! to whom the mount belongs to is trusted as well; a tree that another user has put there is not, nor one that is not
//! mounted, which may be anybody's who was in the container before. This is said in the environment, for each tree and
//! what is below it alone, so that no configuration of the user's or of the system's is touched.

use std::collections::VecDeque;
use std::ffi::{OsStr, OsString};
use std::fs::{self, DirEntry};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::identity;
use super::mounts::{Mount, Mounts};
use super::places;
use crate::environment::Environment;
use crate::file;
use crate::sys;
use crate::user_namespace::IdMap;

/// More settings than anybody makes.
const MAX_COUNT: usize = 10_000;
/// So many trees are trusted beside the one at the working directory. Each takes four variables.
const MAX_TREES: usize = 64;
/// So many directories, of all mounts together, are looked at, and so many names in them.
const MAX_DIRECTORIES: usize = 256;
const MAX_NAMES: usize = 16_384;
/// /builds/group/subgroup/project, src/github.com/project/repository
const MAX_DEPTH: usize = 4;
/// More than a path, and what is before it.
const MAX_GIT_FILE: u64 = 4352;

/// A variable that lets Git work in a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: OsString,
    /// Why it is set.
    pub reason: String,
}

/// The variables that let Git work in the mounted trees that belong to another user than `uid`; none if there is no such.
pub fn settings(environment: &Environment, mounts: &Mounts, uid: u32) -> Vec<Setting> {
    // git-config(1), "ENVIRONMENT": settings by number. A count that is none is the caller's mistake, and Git's to report.
    let count =
        environment.get_nonempty("GIT_CONFIG_COUNT").map_or(Some(0), |count| count.to_str()?.parse().ok());
    let Some(count) = count.filter(|count| *count < MAX_COUNT) else { return Vec::new() };
    let is_set = |value: &OsStr| {
        (0..count).any(|n| {
            environment.get(&format!("GIT_CONFIG_KEY_{n}")) == Some(OsStr::new("safe.directory"))
                && environment.get(&format!("GIT_CONFIG_VALUE_{n}")) == Some(value)
        })
    };
    let mut settings = Vec::new();
    let mut next = count;
    for (tree, owner) in trees(environment, mounts, uid) {
        let reason =
            format!("Git may work in {}, which is mounted and belongs to uid {owner}", tree.display());
        // What is below it are submodules (Git 2.46 and later understand the asterisk).
        let mut below = tree.clone().into_os_string();
        below.push("/*");
        for value in [tree.into_os_string(), below].into_iter().filter(|value| !is_set(value)) {
            let setting = |name: &str, value| Setting {
                name: format!("GIT_CONFIG_{name}_{next}"),
                value,
                reason: reason.clone(),
            };
            settings.extend([setting("KEY", "safe.directory".into()), setting("VALUE", value)]);
            next += 1;
        }
    }
    if next > count {
        let reason = "how many settings Git finds in the environment".to_owned();
        settings.push(Setting {
            name: "GIT_CONFIG_COUNT".to_owned(),
            value: next.to_string().into(),
            reason,
        });
    }
    settings
}

/// The trees that are to be named, with their owners: first the one at the working directory.
fn trees(environment: &Environment, mounts: &Mounts, uid: u32) -> Vec<(PathBuf, u32)> {
    let callers = mounts.callers().filter(|mount| !places::is_cache(&mount.path, environment));
    let mut foreign: Vec<Foreign> = callers.filter_map(|mount| Foreign::new(mount, uid)).collect();
    if foreign.is_empty() {
        return Vec::new();
    }
    // Nobody can tell the users apart whom a user namespace does not have.
    let uids = IdMap::of_users();
    foreign.retain(|mount| !uids.is_nobodys(mount.owner));
    let mut trees: Vec<(PathBuf, u32)> = work_tree_here(mounts, &foreign).into_iter().collect();
    // A host's mounts are nobody's word.
    if !identity::is_host() {
        search(environment, mounts, &foreign, &mut trees);
    }
    trees
}

/// The closest work tree at or above the working directory, at any depth.
fn work_tree_here(mounts: &Mounts, foreign: &[Foreign]) -> Option<(PathBuf, u32)> {
    let here = std::env::current_dir().ok()?;
    let mount = mounts.callers_of(&here)?;
    let mount = foreign.iter().find(|foreign| foreign.mount == mount)?;
    let inside = here.ancestors().take_while(|dir| dir.starts_with(&mount.mount.path));
    let (tree, verdict) =
        inside.map(|dir| (dir, mount.judge(dir))).find(|(_, verdict)| *verdict != Verdict::NoTree)?;
    (verdict == Verdict::Trusted).then(|| (tree.to_owned(), mount.owner))
}

/// Looks for trees, closest to the tops of the mounts first, and not in trees.
fn search(environment: &Environment, mounts: &Mounts, foreign: &[Foreign], trees: &mut Vec<(PathBuf, u32)>) {
    let mut queue: VecDeque<(PathBuf, usize, &Foreign)> =
        foreign.iter().map(|mount| (mount.mount.path.clone(), 0, mount)).collect();
    let (mut directories, mut names, most) = (0, 0, trees.len() + MAX_TREES);
    while let Some((dir, depth, mount)) = queue.pop_front().filter(|_| directories < MAX_DIRECTORIES) {
        directories += 1;
        match mount.judge(&dir) {
            Verdict::Trusted if trees.len() < most => {
                if !trees.iter().any(|(tree, _)| *tree == dir) {
                    trees.push((dir, mount.owner));
                }
                continue;
            }
            Verdict::Trusted | Verdict::Own => continue,
            Verdict::Distrusted | Verdict::NoTree => {}
        }
        // Those that wait are closer to the top than what is in this one.
        let has_turn = directories + queue.len() < MAX_DIRECTORIES && names < MAX_NAMES;
        if depth == MAX_DEPTH || !has_turn || is_hidden(&dir) {
            continue;
        }
        let Ok(entries) = fs::read_dir(&dir) else { continue };
        let entries = entries.take(MAX_NAMES - names).flatten().inspect(|_| names += 1);
        let is_directory = |entry: &DirEntry| entry.file_type().is_ok_and(|kind| kind.is_dir());
        let mut below: Vec<PathBuf> = entries.filter(is_directory).map(|entry| entry.path()).collect();
        // A mount in it is one of its own, if it is another user's.
        below.retain(|dir| {
            !is_hidden(dir) && !mounts.is_mount_point(dir) && !places::is_cache(dir, environment)
        });
        // Which trees are found must not depend on how a file system keeps its names.
        below.sort();
        queue.extend(below.into_iter().map(|dir| (dir, depth + 1, mount)));
    }
}

/// Whether a part of a path begins with a dot: what programs keep for themselves.
fn is_hidden(path: &Path) -> bool {
    path.components().any(|part| part.as_os_str().as_bytes().starts_with(b"."))
}

/// What Git would make of a directory.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Verdict {
    NoTree,
    /// It is the user's, and Git needs no word.
    Own,
    /// It is the mount's owner's.
    Trusted,
    /// A part of it is another user's.
    Distrusted,
}

/// A mount of another user's.
struct Foreign<'a> {
    mount: &'a Mount,
    owner: u32,
    user: u32,
}

impl Foreign<'_> {
    fn new(mount: &Mount, user: u32) -> Option<Foreign<'_>> {
        let top = fs::symlink_metadata(&mount.path).ok()?;
        let owner = top.uid();
        // What lies below another mount is not seen.
        let is_seen = || sys::is_mount(&mount.path);
        (top.is_dir() && owner != user && is_seen()).then_some(Foreign { mount, owner, user })
    }

    /// Git goes by the owners of the tree, of its .git, and where that is a file of the repository that it names
    /// (setup.c, ensure_valid_ownership). All have to be the mount's owner's, or the user's.
    fn judge(&self, dir: &Path) -> Verdict {
        let owner = |path: &Path| fs::symlink_metadata(path).ok().map(|metadata| metadata.uid());
        let owners = match fs::symlink_metadata(dir.join(".git")) {
            Ok(git) if git.is_file() => {
                vec![owner(dir), Some(git.uid()), named_repository(dir).and_then(|path| owner(&path))]
            }
            Ok(git) => vec![owner(dir), Some(git.uid())],
            Err(_) if is_bare_repository(dir) => vec![owner(dir)],
            Err(_) => return Verdict::NoTree,
        };
        if owners.iter().all(|owner| *owner == Some(self.user)) {
            Verdict::Own
        } else if owners.iter().all(|owner| [Some(self.owner), Some(self.user)].contains(owner)) {
            Verdict::Trusted
        } else {
            Verdict::Distrusted
        }
    }
}

/// Where the repository of a tree is whose .git is a file (gitrepository-layout(5)).
fn named_repository(tree: &Path) -> Option<PathBuf> {
    let text = file::read_part(&tree.join(".git"), 0, MAX_GIT_FILE).ok()?;
    let path = text.strip_prefix(b"gitdir: ")?.trim_ascii_end();
    Some(tree.join(OsStr::from_bytes(path)))
}

/// A repository without a work tree is its own directory (setup.c, is_git_directory).
fn is_bare_repository(dir: &Path) -> bool {
    ["HEAD", "objects", "refs"].iter().all(|name| fs::symlink_metadata(dir.join(name)).is_ok())
}
