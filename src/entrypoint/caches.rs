//! Go's caches, which a build can't do without.

use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::identity::Problem;
use crate::environment::Environment;

/// The caches that the user, who gb must be by now, can't write to.
///
/// A volume that the engine makes belongs to root, and Go fails late then, with the name of some file in it.
pub fn unwritable(environment: &Environment, uid: u32) -> Vec<Problem> {
    let variable =
        |name: &'static str| environment.get_nonempty(name).map(|value| (name, PathBuf::from(value)));
    // go help environment: GOMODCACHE is pkg/mod in the first directory of GOPATH, unless it is set.
    let gopath = || {
        let first = environment.get_nonempty("GOPATH").and_then(|path| std::env::split_paths(path).next())?;
        Some(("GOMODCACHE", first.join("pkg/mod")))
    };
    let caches = [variable("GOCACHE"), variable("GOMODCACHE").or_else(gopath)];
    let caches = caches.into_iter().flatten().filter(|(_, path)| path.is_absolute());
    caches
        .filter_map(|(name, path)| {
            let errno = writable(&path).err()?;
            let remedy = match errno {
                Errno::EROFS => format!("-e {name}=/tmp/{}", name.to_ascii_lowercase()),
                _ => format!("chown {uid} what is mounted there, or make it before docker run does"),
            };
            Some(Problem { what: format!("{name} {}: {}", path.display(), errno.desc()), remedy })
        })
        .collect()
}

/// Whether files can be made in a directory, or the directory itself where it is not there.
fn writable(path: &Path) -> Result<(), Errno> {
    let mut answer = Ok(());
    for path in path.ancestors() {
        answer = access(path, AccessFlags::W_OK | AccessFlags::X_OK);
        if answer != Err(Errno::ENOENT) {
            return answer;
        }
    }
    answer
}
