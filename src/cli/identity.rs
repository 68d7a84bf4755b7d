//! How the plan of a user is shown, by `gb run --dry-run` and `gb env`.

use std::ffi::OsString;

use serde_json::{Value, json};

use super::{Format, env};
use crate::entrypoint::identity::{HOME, Ids, Plan};
use crate::entrypoint::init;
use crate::error::Error;
use crate::toolchain;

/// A user's plan, ready to be shown beside that of a target.
pub(super) struct Shown {
    /// For people.
    pub(super) lines: Vec<String>,
    /// For programs.
    pub(super) json: Value,
}

/// The plan of a user, or why there is none.
pub(super) fn shown(user: Result<&Plan, &Error>, init: Result<Option<&init::Settings>, &Error>) -> Shown {
    let no_init = |error: &Error| format!("process: {error}");
    let process = init.map_or_else(no_init, process);
    match user {
        Ok(plan) => {
            let mut lines = lines(plan);
            lines.push(process);
            Shown { lines, json: json(plan, init.ok().flatten()) }
        }
        Err(error) => Shown {
            lines: vec![format!("user: {error}"), process],
            json: json!({"error": error.to_string()}),
        },
    }
}

/// What `gb run --dry-run` writes.
pub(super) fn dry_run(
    target: &toolchain::Plan,
    user: &Shown,
    command: &[OsString],
    as_json: bool,
) -> Vec<u8> {
    if as_json {
        let mut value = env::json(target, user);
        let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
        if let Some(object) = value.as_object_mut() {
            object.insert("command".to_owned(), json!(words));
        }
        return format!("{value:#}\n").into_bytes();
    }
    let mut text = env::write(target, user, Format::Sh);
    let words: Vec<_> = command.iter().map(|word| env::sh_quoted(word)).collect();
    text.extend_from_slice(&words.join(&b' '));
    text.push(b'\n');
    text
}

/// The plan in lines for people.
fn lines(plan: &Plan) -> Vec<String> {
    let Ids { uid, gid, groups } = plan.ids();
    let groups: Vec<String> = groups.iter().map(ToString::to_string).collect();
    let mut lines =
        vec![format!("user: uid {uid}, gid {gid}, groups {} ({})", groups.join(" "), plan.reason())];
    if let Plan::User(user) = plan {
        lines.push(match (user.name(), user.writes_files) {
            (Some(name), true) => format!("account: {name}, to be written to /etc/passwd and /etc/group"),
            (Some(name), false) => format!("account: {name}, as it is in /etc/passwd"),
            (None, _) => "account: none".to_owned(),
        });
        lines.push(format!("home: {HOME}"));
    }
    lines.extend(plan.notes().iter().map(|note| format!("note: {note}")));
    lines
}

/// The plan for programs.
fn json(plan: &Plan, init: Option<&init::Settings>) -> Value {
    let Ids { uid, gid, groups } = plan.ids();
    let (account, writes, home) = match plan {
        Plan::Unchanged { .. } => (None, false, None),
        Plan::User(user) => (user.name(), user.writes_files, Some(HOME)),
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
        "init": init.is_some() && init::is_pid_1(),
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
