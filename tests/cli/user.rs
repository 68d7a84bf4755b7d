//! The variables of the user: what makes no sense is refused before anything happens, and what would happen is shown.
//!
//! These need no root. What root does with users is what `tests/entrypoint` is about.

use crate::gb::{Call, Dir, gb, linked};

/// `gb run` for whoever the variables say.
fn run_as(variables: &[(&str, &str)]) -> Call {
    let call = gb(["run", "sh", "-c", "echo must not run"]).env("RUN_AS_ROOT", "");
    variables.iter().fold(call, |call, (name, value)| call.env(name, value))
}

#[test]
fn an_id_that_is_none_is_refused_by_its_variable_and_never_root() {
    let digits = "an id is decimal digits";
    let sign = "ids have no sign";
    let large = "the largest id is 4294967294";
    for (value, why) in [
        ("abc", digits),
        ("0day", digits),
        ("1e3", digits),
        ("4242.0", digits),
        ("1000:1000", digits),
        ("-1", sign),
        ("-2", sign),
        ("+0", sign),
        ("+4242", sign),
        (" 0", "it has white space around it"),
        ("4242 ", "it has white space around it"),
        ("0x0", "ids are decimal"),
        ("0x10", "ids are decimal"),
        ("'1000'", "the quotes are part of it"),
        ("$(id -u)", "the shell did not expand it"),
        ("4294967295", large),
        ("4294967296", large),
        ("4294967297", large),
        ("99999999999999999999", large),
    ] {
        let message = format!("LOCAL_USER_ID={value}: {why} (LOCAL_USER_ID=$(id -u))");
        run_as(&[("LOCAL_USER_ID", value)]).fails(125, &message);
        let message = format!("LOCAL_GROUP_ID={value}: {why} (LOCAL_GROUP_ID=$(id -g))");
        run_as(&[("LOCAL_GROUP_ID", value)]).fails(125, &message);
    }
}

#[test]
fn other_variables_that_make_no_sense_are_refused_too() {
    for (name, value, message) in [
        (
            "EXTRA_GROUP_ID",
            "-5",
            "neither a group's id nor its name (one id or name; EXTRA_GROUP_IDS takes several)",
        ),
        (
            "EXTRA_GROUP_ID",
            "1 2",
            "neither a group's id nor its name (one id or name; EXTRA_GROUP_IDS takes several)",
        ),
        (
            "EXTRA_GROUP_IDS",
            "-5",
            "neither a group's id nor its name (ids or names with commas between them)",
        ),
        (
            "EXTRA_GROUP_ID",
            "4294967295",
            "the largest id is 4294967294 (one id or name; EXTRA_GROUP_IDS takes several)",
        ),
        ("GB_USER", "me", "not a value it has (GB_USER=owner, or LOCAL_USER_ID for an id)"),
        ("GB_NO_NEW_PRIVS", "maybe", "neither 1 nor 0 (true and false are read as well)"),
        ("GB_INIT", "yes", "neither 1 nor 0 nor group (0 is for no init)"),
        ("GB_GRACE", "10s", "not a whole number of seconds from 0 to 86400 (GB_GRACE=10)"),
    ] {
        run_as(&[(name, value)]).fails(125, &format!("{name}={value}: {message}"));
    }
}

#[test]
fn a_value_cannot_steer_a_terminal() {
    let result = run_as(&[("LOCAL_USER_ID", "1\x1b[2J\n2")]).go();
    assert_eq!(result.status, Some(125));
    assert!(result.stderr.starts_with("gb: LOCAL_USER_ID=1?[2J?2: "), "{}", result.stderr);
    assert_eq!(result.stderr.lines().count(), 1);
}

#[test]
fn a_dry_run_shows_user_environment_and_command_and_does_nothing() {
    let dir = Dir::new();
    let out = dir.path().join("out");
    let words = ["run", "--dry-run", "--", "touch", out.to_str().unwrap(), "a b"];
    let shown = gb(words).env("RUN_AS_ROOT", "true").env("GOARCH", "s390x").stdout();
    let uid = nix::unistd::geteuid();
    assert!(shown.contains(&format!("# user: uid {uid}, gid ")), "{shown}");
    assert!(shown.contains("(RUN_AS_ROOT is true)"), "{shown}");
    assert!(shown.contains("# process: gb becomes the command, as it is not PID 1\n"), "{shown}");
    assert!(shown.contains("target: linux/s390x"), "{shown}");
    assert!(shown.ends_with(&format!("touch {} 'a b'\n", out.display())), "{shown}");
    assert!(!out.exists());
}

#[test]
fn a_dry_run_writes_json_for_programs() {
    let json = gb(["run", "--dry-run", "--json", "true", "x"]).stdout();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["schema"], 1);
    assert_eq!(value["identity"]["uid"], nix::unistd::geteuid().as_raw());
    assert_eq!(value["identity"]["changes_user"], false);
    assert_eq!(value["identity"]["init"], false);
    assert_eq!(value["command"], serde_json::json!(["true", "x"]));
    gb(["run", "--json", "true"])
        .fails(125, "the following required arguments were not provided: --dry-run (gb --help)");
}

#[test]
fn a_dry_run_fails_where_the_run_would() {
    gb(["run", "--dry-run", "true"])
        .env("RUN_AS_ROOT", "")
        .env("LOCAL_USER_ID", "x")
        .fails(125, "LOCAL_USER_ID=x: an id is decimal digits (LOCAL_USER_ID=$(id -u))");
}

#[test]
fn gb_env_shows_the_user_and_stays_usable_where_there_can_be_none() {
    let shown = gb(["env"]).stdout();
    assert!(shown.contains("# user: uid "), "{shown}");
    let shown = gb(["env"]).env("RUN_AS_ROOT", "").env("LOCAL_USER_ID", "x").stdout();
    assert!(shown.contains("# user: LOCAL_USER_ID=x: an id is decimal digits"), "{shown}");
    let json = gb(["env", "--json"]).env("RUN_AS_ROOT", "").env("LOCAL_USER_ID", "x").stdout();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert!(value["identity"]["error"].as_str().unwrap().starts_with("LOCAL_USER_ID=x"), "{json}");
    let json = gb(["env", "--json"]).env("GB_INIT", "yes").env("GB_NO_NEW_PRIVS", "zz").stdout();
    let value: serde_json::Value = serde_json::from_str(&json).unwrap();
    assert_eq!(value["identity"]["init"], serde_json::Value::Null);
    assert_eq!(value["identity"]["errors"].as_array().unwrap().len(), 2, "{json}");
}

#[test]
fn everything_after_the_name_entrypoint_sh_is_the_command() {
    let (_dir, entrypoint) = linked("entrypoint.sh");
    assert_eq!(Call::new(&entrypoint).args(["echo", "--dry-run", "--", "-c"]).stdout(), "--dry-run -- -c\n");
    Call::new(&entrypoint)
        .args(["--dry-run", "true"])
        .fails(127, "run --dry-run: not found in PATH=/usr/local/bin:/usr/bin:/bin");
    Call::new(&entrypoint).fails(125, "run: no command given (gb run COMMAND [ARGUMENT]...)");
}

#[test]
fn su_exec_says_what_it_needs_and_whom_it_does_not_know() {
    let (_dir, su_exec) = linked("su-exec");
    let usage = "su-exec: a user-spec and a command are needed (su-exec user[:group] COMMAND [ARGUMENT]...)";
    Call::new(&su_exec).fails(125, usage);
    Call::new(&su_exec).args(["root"]).fails(125, usage);
    for (spec, why) in [
        ("no-such-user", "no user of this name in /etc/passwd (an id is decimal digits)"),
        ("0:no-such-group", "no group of this name in /etc/group (an id is decimal digits)"),
        ("-1", "no user of this name in /etc/passwd (an id is decimal digits)"),
        ("", "it names nobody (user, user:group, uid or uid:gid)"),
        ("4294967296", "the largest id is 4294967294 (user, user:group, uid or uid:gid)"),
        ("0:0:0", "more than one colon (user, user:group, uid or uid:gid)"),
    ] {
        let shown = if spec.is_empty() { "\"\"" } else { spec };
        Call::new(&su_exec).args([spec, "true"]).fails(125, &format!("user-spec {shown}: {why}"));
    }
}

#[test]
// docs/compat.md: su-exec-same-user
fn su_exec_runs_the_command_for_somebody_who_is_that_user_already() {
    let (_dir, su_exec) = linked("su-exec");
    let spec = format!("{}:{}", nix::unistd::geteuid(), nix::unistd::getegid());
    assert_eq!(Call::new(&su_exec).args([spec.as_str(), "echo", "x"]).stdout(), "x\n");
}
