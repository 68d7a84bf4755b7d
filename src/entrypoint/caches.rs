//! The places that a build can't do without, Go's caches first.

use std::fs::{self, Metadata};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::identity::Problem;
use super::mounts::{Mount, Mounts};
use super::places::{self, Place, Rule};
use crate::environment::Environment;

/// The places that the user, who gb must be by now, can't write to.
///
/// A volume that the engine makes belongs to root, and Go fails late then, with the name of some file in it.
pub fn unwritable(environment: &Environment, mounts: &Mounts, uid: u32) -> Vec<Problem> {
    let mut problems: Vec<Problem> = Vec::new();
    let mut causes = Vec::new();
    for place in places::needed(environment) {
        let Some(obstacle) = obstacle(&place) else { continue };
        let problem = problem(&place, &obstacle, mounts, uid);
        // One directory may be what keeps several from being made, and one remedy the one for all of GOPATH.
        if !causes.contains(&obstacle.at) && !problems.iter().any(|known| known.remedy == problem.remedy) {
            problems.push(problem);
        }
        causes.push(obstacle.at);
    }
    problems
}

/// Why files can't be made in a place.
struct Obstacle {
    errno: Errno,
    /// The directory, or what else is there, that is the reason.
    at: PathBuf,
}

/// `None` if files can be made there: the usual case, for which one system call has to do.
fn obstacle(place: &Place) -> Option<Obstacle> {
    let path = &place.path;
    if !path.is_absolute() {
        let is_refused = place.rule == Rule::GoMakes;
        return is_refused.then(|| Obstacle { errno: Errno::EINVAL, at: path.clone() });
    }
    let errno = writable(path).err()?;
    if errno == Errno::ENOENT && place.rule == Rule::Needs {
        return Some(Obstacle { errno, at: path.clone() });
    }
    // From the top: the first that is no directory or can't be entered, or that lacks the next one and can't be written to.
    let mut above: Vec<&Path> = path.ancestors().collect();
    above.reverse();
    for (directory, next) in above.iter().zip(above.iter().skip(1)) {
        match access(&next.join("."), AccessFlags::F_OK) {
            Ok(()) => {}
            // A link to what is not there is in the way of what is to be made.
            Err(Errno::ENOENT) if fs::symlink_metadata(next).is_err() => {
                let errno = writable(directory).err()?;
                return Some(Obstacle { errno, at: (*directory).to_owned() });
            }
            Err(errno) => return Some(Obstacle { errno, at: (*next).to_owned() }),
        }
    }
    Some(Obstacle { errno, at: path.clone() })
}

/// With the dot only a directory is found.
fn writable(directory: &Path) -> Result<(), Errno> {
    access(&directory.join("."), AccessFlags::W_OK | AccessFlags::X_OK)
}

fn problem(place: &Place, Obstacle { errno, at }: &Obstacle, mounts: &Mounts, uid: u32) -> Problem {
    let Place { name, path, .. } = place;
    let tmpfs = if writable(Path::new("/tmp")).is_ok() { "" } else { "--tmpfs /tmp:exec " };
    let elsewhere = format!("{tmpfs}-e {name}=/tmp/{}", name.to_ascii_lowercase());
    let real = at.canonicalize().unwrap_or_else(|_| at.clone());
    let (cause, remedy) = match (errno, mounts.callers_of(&real)) {
        (Errno::EINVAL, _) => ("Go takes nothing but an absolute path".to_owned(), elsewhere),
        (Errno::ENOENT, _) if place.rule == Rule::Needs => {
            (errno.desc().to_owned(), format!("make it, or {tmpfs}-e {name}=/tmp"))
        }
        (Errno::ENOENT, _) => (format!("{} is a link to nothing", at.display()), elsewhere),
        (Errno::ENOTDIR, _) => (format!("{} is no directory", at.display()), elsewhere),
        (Errno::EACCES | Errno::EPERM, mount) => denied(place, &real, mount, uid, elsewhere),
        _ => (errno.desc().to_owned(), elsewhere),
    };
    Problem { what: format!("{name} {}: {cause}", path.display()), remedy }
}

/// Why the user may not write to what is there, and the remedy.
fn denied(place: &Place, at: &Path, mount: Option<&Mount>, uid: u32, elsewhere: String) -> (String, String) {
    let denied = Errno::EACCES.desc().to_owned();
    let metadata = fs::symlink_metadata(at).ok();
    let owner = metadata.as_ref().map(Metadata::uid);
    let is_open = metadata.is_some_and(|metadata| metadata.mode() & 0o300 == 0o300);
    match (mount.map(|mount| (mount.path.display(), mount.path == at)), owner) {
        (_, Some(owner)) if owner == uid && !is_open => (denied, format!("chmod u+rwx {}", at.display())),
        // The kernel says no to the owner: a security module does.
        (Some((top, _)), Some(owner)) if owner == uid => (denied, format!("-v …:{top}:z, if SELinux is on")),
        (Some((top, true)), _) => {
            (denied, format!("chown {uid} what is mounted at {top}, or make it before docker run does"))
        }
        (Some((top, false)), _) => (denied, format!("chown -R {uid} what is mounted at {top}")),
        (None, owner) => {
            let owner = match owner {
                Some(0) => "root's".to_owned(),
                Some(owner) => format!("uid {owner}'s"),
                None => "not the user's".to_owned(),
            };
            let cause = format!("{} is {owner}", at.display());
            (cause, format!("{elsewhere}, or mount a directory for {}", place.name))
        }
    }
}
