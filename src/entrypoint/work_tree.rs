//! The Git work tree at the working directory.
//!
//! Git refuses to work in a tree of another user (git-config(1), `safe.directory`), because such a tree can make it run
//! programs (CVE-2022-24765). The tree that a caller mounts and starts a build in is one that the caller trusts. This is
//! said in the environment, for this tree and what is below it alone, so that no configuration of the user's or of the
//! system's is touched. A tree that is not mounted may be anybody's who was in the container before.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::sys;

/// More settings than anybody makes.
const MAX_COUNT: usize = 10_000;

/// The variables that let Git work in the mounted work tree, if it belongs to another user than `uid`; none if not.
pub fn settings(environment: &Environment, uid: u32) -> Vec<(String, OsString)> {
    let Some(tree) = std::env::current_dir().ok().and_then(|dir| mounted_work_tree(&dir)) else {
        return Vec::new();
    };
    let is_others = |path: &Path| owner(path).is_some_and(|owner| owner != uid);
    if !is_others(&tree) && !is_others(&tree.join(".git")) {
        return Vec::new();
    }
    // git-config(1), "ENVIRONMENT": settings by number. A count that is none is the caller's mistake, and Git's to report.
    let count =
        environment.get_nonempty("GIT_CONFIG_COUNT").map_or(Some(0), |count| count.to_str()?.parse().ok());
    let Some(count) = count.filter(|count| *count < MAX_COUNT) else { return Vec::new() };
    // What is below it are submodules (Git 2.46 and later understand the asterisk).
    let mut below = tree.clone().into_os_string();
    below.push("/*");
    let is_set = |value: &OsStr| {
        (0..count).any(|n| {
            environment.get(&format!("GIT_CONFIG_KEY_{n}")) == Some(OsStr::new("safe.directory"))
                && environment.get(&format!("GIT_CONFIG_VALUE_{n}")) == Some(value)
        })
    };
    let new: Vec<OsString> =
        [tree.into_os_string(), below].into_iter().filter(|value| !is_set(value)).collect();
    let mut settings = Vec::new();
    let all = count + new.len();
    for (number, value) in (count..).zip(new) {
        settings.push((format!("GIT_CONFIG_KEY_{number}"), "safe.directory".into()));
        settings.push((format!("GIT_CONFIG_VALUE_{number}"), value));
    }
    if !settings.is_empty() {
        settings.push(("GIT_CONFIG_COUNT".to_owned(), all.to_string().into()));
    }
    settings
}

/// The directory or the closest one above it that has a `.git`, if it is part of a mount and belongs to whom the mount
/// belongs to.
fn mounted_work_tree(dir: &Path) -> Option<PathBuf> {
    let is_tree = |dir: &Path| owner(&dir.join(".git")).is_some();
    // Without a tree, the usual case, mounts do not matter.
    let tree = dir.ancestors().find(|dir| is_tree(dir))?;
    let mount = sys::mount_id(dir)?;
    if sys::mount_id(Path::new("/")) == Some(mount) || sys::mount_id(tree) != Some(mount) {
        return None;
    }
    let top = tree.ancestors().take_while(|dir| sys::mount_id(dir) == Some(mount)).last()?;
    (owner(top) == owner(tree)).then(|| tree.to_owned())
}

fn owner(path: &Path) -> Option<u32> {
    std::fs::symlink_metadata(path).ok().map(|metadata| metadata.uid())
}
