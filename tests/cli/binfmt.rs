//! `gb binfmt`, as far as it needs no emulator; and that its documentation has everything.

use std::collections::BTreeSet;

use gb::binfmt::reason::Reason;
use serde_json::Value;

use crate::gb::{Call, PATH};

const DOCUMENT: &str = include_str!("../../docs/binfmt.md");

/// gb with nothing in its environment that it goes by here.
fn gb() -> Call {
    Call::new(PATH).env("PATH", "/nonexistent").env("GB_BINFMT", "")
}

/// A section of the document, without its heading.
fn section(name: &str) -> &'static str {
    let (_, rest) = DOCUMENT.split_once(&format!("\n## {name}\n")).unwrap();
    rest.split("\n## ").next().unwrap()
}

#[test]
fn every_reason_is_documented_and_nothing_else_is() {
    let rows = section("Reasons").lines().filter_map(|line| line.strip_prefix("| `")?.split_once('`'));
    let documented: Vec<_> = rows.map(|(code, _)| code).collect();
    let codes: Vec<_> = Reason::ALL.iter().map(|reason| reason.code()).collect();
    assert_eq!(documented, codes);
}

/// The names of all fields, below a pattern's or an entry's as well.
fn fields(value: &Value, into: &mut BTreeSet<String>) {
    match value {
        Value::Object(object) => {
            for (name, value) in object {
                into.insert(name.clone());
                fields(value, into);
            }
        }
        Value::Array(values) => values.iter().for_each(|value| fields(value, into)),
        _ => {}
    }
}

#[test]
fn the_documented_json_has_the_fields_of_the_real_one() {
    let (_, example) = section("JSON").split_once("```json\n").unwrap();
    let (example, rest) = example.split_once("```").unwrap();
    let example: Value = serde_json::from_str(example).unwrap();
    let output = gb().args(["binfmt", "check", "--json", "amd64"]).output();
    let real: Value = serde_json::from_slice(&output.stdout).unwrap();
    let names = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(names(&example), names(&real));
    assert_eq!(names(&example["platforms"][0]), names(&real["platforms"][0]));
    let mut all = BTreeSet::new();
    fields(&example, &mut all);
    let explained: String =
        rest.lines().filter(|line| line.starts_with("| `") || line.contains("`magic`")).collect();
    for name in all.iter().filter(|name| *name != "platforms") {
        assert!(explained.contains(&format!("`{name}`")), "{name} is not explained");
    }
}

#[test]
fn this_machine_runs_its_own_programs_and_is_healthy() {
    let host = gb::platform::Platform::host().unwrap().goarch;
    let output = gb().args(["binfmt", "check", host]).output();
    let text = String::from_utf8(output.stdout).unwrap();
    assert_eq!(text, format!("linux/{host}: runs: this machine runs it itself\n"));
    assert_eq!(output.status.code(), Some(0));
    let health = gb().args(["binfmt", "check", "--health"]).output();
    assert_eq!((health.status.code(), health.stdout.len(), health.stderr.len()), (Some(0), 0, 0));
    let nonsense = gb().args(["binfmt", "check", "--health"]).env("GOARCH", "amd46").output();
    assert_eq!((nonsense.status.code(), nonsense.stderr.len()), (Some(1), 0));
}

#[test]
fn whoever_waits_for_ever_gets_an_answer_all_the_same() {
    let host = gb::platform::Platform::host().unwrap().goarch;
    for arguments in [["--wait", "18446744073709551615"], ["--timeout", "1e19"]] {
        let output = gb().args(["binfmt", "check", host]).args(arguments).output();
        assert_eq!(
            output.status.code(),
            Some(0),
            "{arguments:?}: {}",
            String::from_utf8_lossy(&output.stderr)
        );
    }
}

#[test]
fn what_contradicts_itself_is_refused() {
    for arguments in [
        &["--health", "--deep"][..],
        &["--health", "arm64"],
        &["--all", "arm64"],
        &["--quiet", "--json"],
        &["--timeout", "0"],
        &["--timeout", "-1"],
        &["--timeout", "inf"],
        &["--require", "X"],
        &["amd46"],
        &["--deep"],
    ] {
        let output = gb().args(["binfmt", "check"]).args(arguments).output();
        assert_eq!(output.status.code(), Some(125), "{arguments:?}");
        let error = String::from_utf8(output.stderr).unwrap();
        assert!(error.starts_with("gb: ") && error.lines().count() == 1, "{error}");
    }
}
