//! The Git work tree at the working directory.
//!
//! Git refuses to work in a tree of another user (git-config(1), `safe.directory`). The tree that a caller mounts and
//! starts a build in is one that the caller trusts. This is said in the environment, for this tree and what is below it
//! alone, so that no configuration of the user's or of the system's is touched.

use std::ffi::{OsStr, OsString};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;

/// Adds the work tree to `safe.directory` if it belongs to another user.
pub fn trust(environment: &mut Environment, uid: u32) {
    let Some(tree) = std::env::current_dir().ok().and_then(|dir| work_tree(&dir)) else { return };
    let is_others = |path: &Path| std::fs::symlink_metadata(path).is_ok_and(|metadata| metadata.uid() != uid);
    if !is_others(&tree) && !is_others(&tree.join(".git")) {
        return;
    }
    // git-config(1), "ENVIRONMENT": settings by number. A count that is none is the caller's mistake, and Git's to report.
    let count =
        environment.get_nonempty("GIT_CONFIG_COUNT").map_or(Some(0), |count| count.to_str()?.parse().ok());
    let Some(count): Option<usize> = count else { return };
    // What is below it are submodules (Git 2.46 and later understand the asterisk).
    let mut below = tree.clone().into_os_string();
    below.push("/*");
    let set = |environment: &Environment, value: &OsStr| {
        (0..count.min(1000)).any(|n| {
            environment.get(&format!("GIT_CONFIG_KEY_{n}")) == Some(OsStr::new("safe.directory"))
                && environment.get(&format!("GIT_CONFIG_VALUE_{n}")) == Some(value)
        })
    };
    let mut next = count;
    for value in [tree.into_os_string(), below] {
        if !set(environment, &value) {
            add(environment, next, &value);
            next += 1;
        }
    }
    // A number has no NUL byte, and neither has a path.
    let _set = environment.set("GIT_CONFIG_COUNT", &OsString::from(next.to_string()));
}

fn add(environment: &mut Environment, number: usize, value: &OsStr) {
    let key = environment.set(&format!("GIT_CONFIG_KEY_{number}"), OsStr::new("safe.directory"));
    let value = environment.set(&format!("GIT_CONFIG_VALUE_{number}"), value);
    debug_assert!(key && value, "neither has a NUL byte");
}

/// The directory or the closest one above it that has a `.git`.
fn work_tree(dir: &Path) -> Option<PathBuf> {
    dir.ancestors().find(|dir| std::fs::symlink_metadata(dir.join(".git")).is_ok()).map(Path::to_owned)
}
