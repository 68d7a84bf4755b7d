//! `gb run`: the entrypoint.

use std::ffi::OsString;
use std::process::ExitCode;

use super::emulation::Wish;
use super::forms::dry_run;
use super::go_cache::{fill_for, planned};
use super::output::print;
use super::program::become_program;
use super::target::request;
use super::user::{shown, trusted_trees};
use crate::entrypoint::identity::{Anonymous, Facts, Lock, Plan, Problem, Request, become_user, plan};
use crate::entrypoint::privileges::{System, forbid_new_privileges, wants_no_new_privileges};
use crate::entrypoint::{Mounts, caches, hand_over, init, work_tree};
use crate::environment::Environment;
use crate::error::{Error, announce, tell};
use crate::go_cache;
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
    let no_new_privs = arguments.no_new_privs || wants_no_new_privileges(&environment)?;
    let emulation = Wish::read(&environment)?;
    let fills = go_cache::is_wanted(&environment)?;
    let target = request(None, &environment)?;
    target.check_sysroot(&environment, Platform::host())?;
    let user = Request::read(&environment)?;
    let mounts = Mounts::read();
    if arguments.dry_run {
        let user = plan(&user, &Facts::gather(&user))?;
        let facts = target_facts(&target, &environment)?;
        let mut target = toolchain::plan(target, &environment, facts.as_ref());
        target.settings.extend(trusted_trees(&environment, &mounts, user.ids().uid));
        target.notes.extend(emulation.note(&target.request));
        target.notes.extend(planned(&target.request, &environment, fills).note().map(str::to_owned));
        let shown = shown(Ok(&user), Ok(init.as_ref()), Ok(no_new_privs), &environment);
        return print(&dry_run(&target, &shown, &arguments.command, arguments.json));
    }
    // Until this program is the user nobody else is to change what it finds in the account files.
    let lock = Lock::take(&user);
    let user = plan(&user, &Facts::gather(&user))?;

    if no_new_privs {
        forbid_new_privileges(&mut System)?;
    }
    let became = match &user {
        Plan::Unchanged { ids, .. } => {
            drop(lock);
            Anonymous::find(ids, &environment).act(ids, &mut environment);
            Ok(Vec::new())
        }
        Plan::User(user) => {
            hand_over(&environment, &mounts, user.ids.uid, user.ids.gid);
            become_user(user, lock, &mut environment)
        }
    };
    // Not while the lock is held: nobody may read what is written to standard error.
    if let Plan::User(user) = &user {
        user.announcements.iter().for_each(|line| announce(line));
    }
    user.notes().iter().for_each(tell);
    let mut problems = became?;

    // From here on as the user. What follows looks at files that the caller names, and none of it can fail but the exec: save
    // for GB_SYSROOT, by which the caller has said against what to build, and which only the user may look at, and for
    // GB_BINFMT=require, for which a program is run.
    let facts = target_facts(&target, &environment)?;
    emulation.look(&target, facts.as_ref().is_some_and(|facts| facts.runner.is_some()))?;
    let target = toolchain::plan(target, &environment, facts.as_ref());
    for leak in &target.leaks {
        tell(leak);
    }
    target.apply(&mut environment);
    let uid = user.ids().uid;
    problems.extend(caches::unwritable(&environment, &mounts, uid));
    tell_of(&problems, uid);
    for setting in work_tree::settings(&environment, &mounts, uid) {
        // Neither a path nor a number has a NUL byte.
        let _set = environment.set(&setting.name, &setting.value);
    }
    let become_command = || {
        // Not as PID 1, which no signal would end meanwhile.
        if fills {
            fill_for(&target.request, &environment);
        }
        become_program(program, args, &environment)
    };
    match init {
        Some(settings) if init::is_pid_1() => {
            let code = init::stay(&settings, &|line: &str| tell(line), become_command)?;
            Ok(ExitCode::from(code))
        }
        _ => Err(become_command()),
    }
}

/// What there is to build against, if it is not what GB_SYSROOT says in vain.
fn target_facts(
    target: &toolchain::Request,
    environment: &Environment,
) -> Result<Option<toolchain::Facts>, Error> {
    let facts = toolchain::Facts::gather(target, environment, Platform::host());
    facts.as_ref().map_or(Ok(()), |facts| facts.named_sysroot(environment))?;
    Ok(facts)
}

/// All problems in one line, with the remedies that there are.
fn tell_of(problems: &[Problem], uid: u32) {
    if problems.is_empty() {
        return;
    }
    let mut remedies: Vec<&str> = problems.iter().map(|problem| problem.remedy.as_str()).collect();
    remedies.retain(|remedy| !remedy.is_empty());
    remedies.dedup();
    let whats: Vec<&str> = problems.iter().map(|problem| problem.what.as_str()).collect();
    let remedy = if remedies.is_empty() { String::new() } else { format!(" ({})", remedies.join("; ")) };
    tell(format!("prepare for uid {uid}: {}{remedy}", whats.join("; ")));
}
