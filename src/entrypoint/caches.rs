//! Go's caches, which a build can't do without.

use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use crate::environment::Environment;

/// The caches that the user, who gb must be by now, can't write to, each with the reason.
///
/// A volume that the engine makes belongs to root, and Go fails late then, with the name of some file in it.
pub fn unwritable(environment: &Environment) -> Vec<String> {
    let variable =
        |name: &str| environment.get_nonempty(name).map(|value| (name.to_owned(), PathBuf::from(value)));
    // go help environment: GOMODCACHE is pkg/mod in the first directory of GOPATH, unless it is set.
    let gopath = || {
        let first = environment.get_nonempty("GOPATH").and_then(|path| std::env::split_paths(path).next())?;
        Some(("module cache".to_owned(), first.join("pkg/mod")))
    };
    [variable("GOCACHE"), variable("GOMODCACHE").or_else(gopath)]
        .into_iter()
        .flatten()
        .filter(|(_, path)| path.is_absolute())
        .filter_map(|(name, path)| {
            let errno = writable(&path).err()?;
            Some(format!("{name} {}: {}", path.display(), errno.desc()))
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
