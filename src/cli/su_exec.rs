//! `su-exec user[:group] COMMAND`: becomes another user, and then the command.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::program::become_program;
use crate::entrypoint::identity::{Ids, UserSpec, accounts_and_groups};
use crate::entrypoint::privileges::{System, drop_to};
use crate::entrypoint::streams;
use crate::environment::Environment;
use crate::error::{Error, tell};
use crate::sys;

/// Becomes the command; returns only if that failed. `args` come after `argv[0]`.
pub(super) fn su_exec(args: &[OsString]) -> Error {
    match prepare(args) {
        Ok((program, args, environment)) => become_program(program, args, &environment),
        Err(error) => error,
    }
}

fn prepare(args: &[OsString]) -> Result<(&OsStr, &[OsString], Environment), Error> {
    let [spec, program, args @ ..] = args else {
        let usage =
            "su-exec: a user-spec and a command are needed (su-exec user[:group] COMMAND [ARGUMENT]...)";
        return Err(Error::Usage(usage.to_owned()));
    };
    let spec = UserSpec::parse(spec)?;
    let (files, unreadable) = accounts_and_groups();
    if let Some(problem) = unreadable {
        tell(format!("{problem} (its accounts and groups are ignored)"));
    }
    let from = Ids::current();
    let resolved = spec.resolve(&files, &from)?;
    streams::give(&from, &resolved.ids);
    drop_to(&resolved.ids, &from, &mut System)?;
    let mut environment = Environment::new(sys::environ());
    // A line of /etc/passwd has no NUL byte that an environment could not hold; if it has, HOME stays.
    let _set = environment.set("HOME", OsStr::from_bytes(&resolved.home));
    Ok((program, args, environment))
}
