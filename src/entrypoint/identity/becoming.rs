//! Doing what a plan says: the account, the home, the drop, and what to do where one of the first two can't be had.

use std::ffi::{OsStr, OsString};
use std::fs;
use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{Uid, setfsuid};

use super::edit::HOME;
use super::home;
use super::lock::Lock;
use super::plan::UserPlan;
use super::record::{FILE_SIZE, RecordError};
use crate::entrypoint::privileges::{DropError, System, drop_to};
use crate::entrypoint::streams;
use crate::environment::Environment;
use crate::sys;

/// Something that does not keep the command from running, but may make it fail.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Problem {
    /// What, and why.
    pub what: String,
    /// What the caller can do about it; empty if there is nothing.
    pub remedy: String,
}

/// Becomes the user: as root makes the account and the home, gives up root, and as the user makes sure of a home.
///
/// The lock is held until gb is seen to be the user. HOME is set in the environment. The error is that of the drop alone, after which nothing may
/// be started.
pub fn become_user(
    plan: &UserPlan,
    lock: Result<Lock, RecordError>,
    environment: &mut Environment,
) -> Result<Vec<Problem>, DropError> {
    let uid = plan.ids.uid;
    // The home first: if this is interrupted, the account still tells whose it was.
    // Where no account can be made over no home is.
    let earlier_uid = plan.edited.earlier_uid.filter(|_| plan.writes_files && lock.is_ok());
    let owner = home::Owner { uid, gid: plan.ids.gid, earlier_uid };
    let prepared = home::prepare(owner);
    let certain = *prepared.as_ref().unwrap_or(&false);
    let (lock, no_account) = match lock {
        Ok(lock) => {
            let recorded = plan.record(&lock, &home_to_tell(plan, certain));
            (Some(lock), recorded.err())
        }
        Err(error) => (None, Some(error).filter(|_| plan.writes_files)),
    };
    streams::give(&plan.from, &plan.ids);
    // Who takes the lock now finds a program of the user running. Were it held until after the drop, a program of the
    // user's could stop gb, and keep it so; whose file system user alone is another cannot be signalled by that user.
    setfsuid(Uid::from_raw(uid));
    drop(lock);
    drop_to(&plan.ids, &plan.from, &mut System)?;

    let mut problems = Vec::new();
    let no_home = if certain { None } else { home::is_usable(Path::new(HOME), uid).err() };
    let substitute = no_home.and_then(|_| home::substitute(uid));
    let instead = instead(no_home, substitute.as_deref());
    // HOME is what it should be, or what there is; a path has no NUL byte.
    let _set = environment.set("HOME", substitute.as_deref().unwrap_or(OsStr::new(HOME)));
    let cause = match (prepared, no_home) {
        (Ok(_), None) => None,
        (Ok(_), Some(errno)) => Some(io::Error::from(errno)),
        (Err(error), _) => Some(error),
    };
    let read_only = |error: Option<&io::Error>| error.is_some_and(|e| errno(e) == Some(Errno::EROFS));
    if no_account.as_ref().is_some_and(RecordError::is_read_only) && read_only(cause.as_ref()) {
        problems.push(Problem {
            what: format!("the root file system is read-only, so there is no account, {instead}"),
            remedy: "--tmpfs /home/user".to_owned(),
        });
        return Ok(problems);
    }
    problems.extend(
        no_account.map(|error| Problem { what: format!("no account: {error}"), remedy: error.remedy() }),
    );
    problems.extend(cause.map(|error| Problem {
        what: format!("{HOME}: {}, {instead}", in_words(&error)),
        remedy: home_remedy(&error, plan.ids.uid),
    }));
    Ok(problems)
}

/// The home that the account is to tell: the one that the command will have.
///
/// Whether the user can write to somebody else's directory, a child finds out as the user. If there can be none it is
/// /home/user.
fn home_to_tell(plan: &UserPlan, certain: bool) -> OsString {
    let home = Path::new(HOME);
    let matters = plan.writes_files || plan.account_home.is_some();
    if certain || !matters {
        return home.into();
    }
    let uid = plan.ids.uid;
    let answer = sys::ask_child(|| {
        let Ok(()) = drop_to(&plan.ids, &plan.from, &mut System) else { return 0 };
        match home::is_usable(home, uid) {
            Ok(()) => 0,
            // The same is found again afterwards: it is the user's own by then.
            Err(_) => home::substitute(uid)
                .and_then(|found| home::substitutes(uid).position(|dir| dir == found))
                .and_then(|at| u8::try_from(at + 1).ok())
                .unwrap_or(0),
        }
    });
    let substitute = answer.and_then(|number| usize::from(number).checked_sub(1));
    substitute.and_then(|at| home::substitutes(uid).nth(at)).unwrap_or(home.into()).into()
}

fn errno(error: &io::Error) -> Option<Errno> {
    error.raw_os_error().map(Errno::from_raw)
}

/// Without the number that io::Error writes after it.
fn in_words(error: &io::Error) -> String {
    match errno(error) {
        None => error.to_string(),
        Some(errno @ (Errno::EACCES | Errno::EPERM)) => match fs::symlink_metadata(HOME) {
            Ok(metadata) => format!("it belongs to uid {}", metadata.uid()),
            Err(_) => errno.desc().to_owned(),
        },
        Some(errno) => errno.desc().to_owned(),
    }
}

fn instead(no_home: Option<Errno>, substitute: Option<&OsStr>) -> String {
    match (no_home, substitute) {
        (None, _) => "so some of it may not be the user's".to_owned(),
        (Some(_), Some(home)) => format!("and HOME is {}", home.to_string_lossy()),
        (Some(_), None) => "and no other directory can be written to".to_owned(),
    }
}

fn home_remedy(error: &io::Error, uid: u32) -> String {
    match errno(error) {
        Some(Errno::EROFS) => "--tmpfs /home/user".to_owned(),
        Some(Errno::EFBIG) => FILE_SIZE.to_owned(),
        Some(Errno::EPERM) => "--cap-add CHOWN".to_owned(),
        Some(Errno::EACCES) if sys::is_mount(Path::new(HOME)) => {
            format!("chown {uid} what is mounted there")
        }
        _ => String::new(),
    }
}
