//! `gb run`: the entrypoint.

use std::ffi::{OsStr, OsString};
use std::io;
use std::path::Path;
use std::process::ExitCode;

use nix::errno::Errno;

use super::{become_program, identity, print, request};
use crate::entrypoint::identity::{Facts, HOME, Plan, Request, UserPlan, home, no_new_privileges, plan};
use crate::entrypoint::privileges::{System, drop_to, forbid_new_privileges};
use crate::entrypoint::{caches, init, work_tree};
use crate::environment::Environment;
use crate::error::{Error, announce, tell};
use crate::platform::Platform;
use crate::sys;
use crate::toolchain;

/// The arguments of `gb run`.
#[derive(Debug, Default, clap::Args)]
pub(super) struct Arguments {
    /// Show the user, the environment and the command, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// With --dry-run, write JSON
    #[arg(long, requires = "dry_run")]
    json: bool,
    /// Don't stay as init when gb is PID 1: become the command (GB_INIT=0)
    #[arg(long)]
    no_init: bool,
    /// As init, signal the command's whole process group (GB_INIT=group)
    #[arg(long, conflicts_with = "no_init")]
    group: bool,
    /// As init, give what the command leaves behind so many seconds to end (GB_GRACE)
    #[arg(long, value_name = "SECONDS", conflicts_with = "no_init")]
    grace: Option<OsString>,
    /// No program may give privileges back, as sudo does (GB_NO_NEW_PRIVS=1)
    #[arg(long)]
    no_new_privs: bool,
    /// The command and its arguments; a path, or a name to be found in PATH
    #[arg(trailing_var_arg = true, value_name = "COMMAND")]
    command: Vec<OsString>,
}

impl Arguments {
    /// A command without options, as entrypoint.sh takes it.
    pub(super) fn command(command: &[OsString]) -> Arguments {
        Arguments { command: command.to_vec(), ..Arguments::default() }
    }
}

/// Becomes the command, or as PID 1 runs it and ends as it ends.
pub(super) fn run(arguments: &Arguments) -> Result<ExitCode, Error> {
    let Some((program, args)) = arguments.command.split_first() else {
        return Err(Error::Usage("run: no command given (gb run COMMAND [ARGUMENT]...)".to_owned()));
    };
    let mut environment = toolchain::given(&Environment::new(sys::environ()));
    let init = init::Settings::read(
        &environment,
        &init::Flags {
            no_init: arguments.no_init,
            group: arguments.group,
            grace: arguments.grace.as_deref(),
        },
    )?;
    let no_new_privs = no_new_privileges(&environment)? || arguments.no_new_privs;
    let target = request(None, &environment)?;
    let user = Request::read(&environment)?;
    let user = plan(&user, &Facts::gather(&user))?;
    if arguments.dry_run {
        let facts = toolchain::Facts::gather(&target, &environment, Platform::host());
        let target = toolchain::plan(target, &environment, facts.as_ref());
        let shown = identity::shown(Ok(&user), Ok(init.as_ref()));
        return print(&identity::dry_run(&target, &shown, &arguments.command, arguments.json));
    }

    let mut problems = become_user(&user, &mut environment)?;
    if no_new_privs {
        forbid_new_privileges(&mut System)?;
    }

    // From here on as the user. What follows looks at files that the caller names, and none of it can fail but the exec.
    let facts = toolchain::Facts::gather(&target, &environment, Platform::host());
    let target = toolchain::plan(target, &environment, facts.as_ref());
    for leak in &target.leaks {
        tell(leak);
    }
    target.apply(&mut environment);
    let uid = user.ids().uid;
    for cache in caches::unwritable(&environment) {
        problems.0.push(Problem { what: cache, remedy: "-e GOCACHE=… -e GOMODCACHE=…" });
    }
    problems.tell(uid);
    work_tree::trust(&mut environment, uid);
    match init {
        Some(settings) if init::is_pid_1() => {
            let code = init::stay(&settings, &|line: &str| tell(line), || {
                become_program(program, args, &environment)
            })?;
            Ok(ExitCode::from(code))
        }
        _ => Err(become_program(program, args, &environment)),
    }
}

/// What does not keep the command from running, but may make it fail.
#[derive(Default)]
struct Problems(Vec<Problem>);

struct Problem {
    what: String,
    remedy: &'static str,
}

impl Problems {
    /// All of them in one line.
    fn tell(&self, uid: u32) {
        let mut remedies: Vec<&str> = self.0.iter().map(|problem| problem.remedy).collect();
        remedies.retain(|remedy| !remedy.is_empty());
        remedies.dedup();
        let remedy = if remedies.is_empty() { String::new() } else { format!(" ({})", remedies.join(", ")) };
        let whats: Vec<&str> = self.0.iter().map(|problem| problem.what.as_str()).collect();
        if !whats.is_empty() {
            tell(format!("prepare for uid {uid}: {}{remedy}", whats.join("; ")));
        }
    }
}

/// Becomes the user, with an account and a home. What went wrong on the way and does no harm to that is returned.
fn become_user(plan: &Plan, environment: &mut Environment) -> Result<Problems, Error> {
    let mut problems = Problems::default();
    match plan {
        Plan::Unchanged { notes, .. } => notes.iter().for_each(tell),
        Plan::User(user) => {
            for line in &user.announcements {
                announce(line);
            }
            user.notes.iter().for_each(tell);
            let prepared = prepare(user, &mut problems);
            drop_to(&user.ids, &user.from, &mut System)?;
            settle(user, prepared, environment, &mut problems);
        }
    }
    Ok(problems)
}

/// As root: makes the account and the home.
fn prepare(user: &UserPlan, problems: &mut Problems) -> io::Result<()> {
    let recorded = user.record();
    if let Err(error) = &recorded {
        problems.0.push(Problem { what: format!("no account: {error}"), remedy: "" });
    }
    let earlier_uid = recorded.ok().and_then(|edited| edited.earlier_uid);
    home::prepare(home::Owner { uid: user.ids.uid, gid: user.ids.gid, earlier_uid })
}

/// As the user: makes sure of a home.
fn settle(user: &UserPlan, prepared: io::Result<()>, environment: &mut Environment, problems: &mut Problems) {
    let mut home = OsString::from(HOME);
    let cause = prepared.err().map(|error| match error.raw_os_error() {
        Some(errno) => Errno::from_raw(errno).desc().to_owned(),
        None => error.to_string(),
    });
    let remedy = "--tmpfs /home/user";
    match (home::is_usable(Path::new(HOME)), cause) {
        (Ok(()), None) => {}
        (Ok(()), Some(cause)) => problems.0.push(Problem { what: format!("{HOME}: {cause}"), remedy }),
        (Err(errno), cause) => {
            let cause = cause.unwrap_or_else(|| errno.desc().to_owned());
            let instead = match home::substitute(user.ids.uid) {
                Some(substitute) => {
                    home = substitute;
                    format!("so HOME is {}", home.to_string_lossy())
                }
                None => "and no other directory can be written to".to_owned(),
            };
            problems.0.push(Problem { what: format!("{HOME}: {cause}, {instead}"), remedy });
        }
    }
    // Neither has a NUL byte.
    let _set = environment.set("HOME", OsStr::new(&home));
}
