//! How the plan of a user is shown, by `gb run --dry-run` and `gb env`.

use std::ffi::OsStr;

use serde_json::{Value, json};

use crate::entrypoint::identity::{Anonymous, Forecast, HOME, Ids, Plan, UserPlan};
use crate::entrypoint::{Mounts, init, work_tree};
use crate::environment::Environment;
use crate::error::Error;
use crate::toolchain::Setting;

/// A user's plan, ready to be shown beside that of a target.
pub(super) struct Shown {
    /// For people.
    pub(super) lines: Vec<String>,
    /// For programs.
    pub(super) json: Value,
}

/// The plan of a user, or why there is none.
pub(super) fn shown(
    user: Result<&Plan, &Error>,
    init: Result<Option<&init::Settings>, &Error>,
    no_new_privileges: Result<bool, &Error>,
    environment: &Environment,
) -> Shown {
    let mut text = Vec::new();
    let mut value = match user {
        Ok(plan) => {
            let forecast = match plan {
                Plan::User(user) => Some((user.as_ref(), user.forecast())),
                Plan::Unchanged { .. } => None,
            };
            text.extend(lines(plan, forecast.as_ref(), environment));
            json(plan, forecast.as_ref())
        }
        Err(error) => {
            text.push(format!("user: {error}"));
            json!({"error": error.to_string()})
        }
    };
    match no_new_privileges {
        Ok(true) => text.push("privileges: no program can give any (no_new_privs)".to_owned()),
        Ok(false) => {}
        Err(error) => text.push(format!("privileges: {error}")),
    }
    set(&mut value, "no_new_privileges", no_new_privileges.ok().into());
    text.push(init.map_or_else(|error| format!("process: {error}"), process));
    set(&mut value, "init", init.ok().map(|settings| settings.is_some() && init::is_pid_1()).into());
    let errors: Vec<_> = [user.err(), init.err(), no_new_privileges.err()].into_iter().flatten().collect();
    set(&mut value, "errors", errors.iter().map(ToString::to_string).collect());
    Shown { lines: text, json: value }
}

pub(super) fn set(object: &mut Value, name: &str, value: Value) {
    if let Some(object) = object.as_object_mut() {
        object.insert(name.to_owned(), value);
    }
}

/// Where a home is that is not the usual one.
const ELSEWHERE: &str = "one in /tmp, /var/tmp or /dev/shm";

/// The plan in lines for people.
fn lines(plan: &Plan, user: Option<&(&UserPlan, Forecast)>, environment: &Environment) -> Vec<String> {
    let Ids { uid, gid, groups } = plan.ids();
    let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
    let mut lines =
        vec![format!("user: uid {uid}, gid {gid}, groups {} ({})", groups.join(" "), plan.reason())];
    if let Some((user, forecast)) = user {
        lines.push(match (user.name(), &forecast.no_account, user.writes_files) {
            (Some(name), None, true) => {
                format!("account: {name}, to be written to /etc/passwd and /etc/group")
            }
            (Some(name), None, false) if user.moves_to(OsStr::new(HOME)) && forecast.no_home.is_none() => {
                format!("account: {name}, whose home in /etc/passwd becomes {HOME}")
            }
            (Some(name), None, false) => format!("account: {name}, as it is in /etc/passwd"),
            (Some(_), Some(cause), _) => format!("account: none: {cause}"),
            (None, ..) => "account: none".to_owned(),
        });
        lines.push(match &forecast.no_home {
            None => format!("home: {HOME}"),
            Some(cause) => format!("home: not {HOME}: {cause}: {ELSEWHERE}"),
        });
    } else {
        let Anonymous { needs_home, adds_account } = Anonymous::find(plan.ids(), environment);
        lines.extend(adds_account.then(|| "account: to be added to /etc/passwd".to_owned()));
        lines.extend(needs_home.then(|| format!("home: {ELSEWHERE}, as the engine's can't be written to")));
    }
    lines.extend(plan.notes().iter().map(|note| format!("note: {note}")));
    lines
}

/// The plan for programs.
fn json(plan: &Plan, user: Option<&(&UserPlan, Forecast)>) -> Value {
    let Ids { uid, gid, groups } = plan.ids();
    let (account, writes, home) = match user {
        None => (None, false, None),
        Some((user, forecast)) => {
            let account = user.name().filter(|_| forecast.no_account.is_none());
            let writes = user.writes_files && account.is_some();
            (account, writes, Some(HOME).filter(|_| forecast.no_home.is_none()))
        }
    };
    json!({
        "uid": uid,
        "gid": gid,
        "groups": groups,
        "reason": plan.reason(),
        "changes_user": matches!(plan, Plan::User(_)),
        "account": account,
        "writes_account": writes,
        "home": home,
        "notes": plan.notes(),
    })
}

fn process(init: Option<&init::Settings>) -> String {
    match (init, init::is_pid_1()) {
        (_, false) => "process: gb becomes the command, as it is not PID 1".to_owned(),
        (None, true) => "process: gb becomes the command, as no init is wanted".to_owned(),
        (Some(settings), true) => {
            let whom = if settings.group { "the command's process group" } else { "the command" };
            let grace = match settings.grace.as_secs() {
                0 => String::new(),
                seconds => format!(", and gives what is left {seconds} s to end"),
            };
            format!("process: gb is PID 1 and stays as init: it forwards signals to {whom}{grace}")
        }
    }
}

/// What lets Git work in the mounted trees, as settings of the environment.
pub(super) fn trusted_trees(environment: &Environment, mounts: &Mounts, uid: u32) -> Vec<Setting> {
    let settings = work_tree::settings(environment, mounts, uid).into_iter();
    settings.map(|work_tree::Setting { name, value, reason }| Setting { name, value, reason }).collect()
}
