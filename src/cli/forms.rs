//! The forms in which the plan of a build is written, by `gb env` and `gb run --dry-run`.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use clap::ValueEnum;
use serde_json::json;

use super::user::{Shown, set};
use crate::error::one_line;
use crate::platform::Platform;
use crate::toolchain::{Plan, Request, Setting};

/// The forms.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(super) enum Format {
    /// For a shell's eval
    Sh,
    /// For programs
    Json,
    /// For --env-file of Docker and others
    Dotenv,
    /// For appending to the file "$GITHUB_ENV"
    Github,
    /// CMake's toolchain file for the target
    Cmake,
    /// Meson's cross file for the target, or native file
    Meson,
}

/// The plan as text, with what else is to be said. Values are written byte for byte, but for JSON, which can't hold bytes
/// that are no UTF-8.
///
/// `left_over` are the variables that a shell has of another target.
pub(super) fn write(plan: &Plan, user: &Shown, left_over: &[String], format: Format) -> Vec<u8> {
    let mut text = Vec::new();
    for name in left_over.iter().filter(|_| format == Format::Sh) {
        text.extend_from_slice(format!("# another target's\nunset {name}\n").as_bytes());
    }
    match format {
        Format::Json => {
            text.extend_from_slice(format!("{:#}\n", json(plan, user)).as_bytes());
        }
        Format::Github => {
            for setting in &plan.settings {
                github(setting, &mut text);
            }
        }
        _ => {
            for setting in &plan.settings {
                text.extend_from_slice(format!("# {}\n", one_line(&setting.reason)).as_bytes());
                let (start, value) = match format {
                    Format::Sh => ("export ", sh_quoted(&setting.value)),
                    _ => ("", dotenv_quoted(&setting.value)),
                };
                text.extend_from_slice(format!("{start}{}=", setting.name).as_bytes());
                text.extend_from_slice(&value);
                text.push(b'\n');
            }
            for comment in comments(plan, user) {
                text.extend_from_slice(format!("# {}\n", one_line(&comment)).as_bytes());
            }
        }
    }
    text
}

/// What is to be said beside the settings, a line each.
pub(super) fn comments(plan: &Plan, user: &Shown) -> Vec<String> {
    let mut lines = Vec::new();
    let host = Platform::host().map_or("unknown", |host| host.goarch);
    match &plan.request {
        Request::Linux { target, source } => {
            lines.push(format!(
                "target: linux/{}, said by {source}; host: linux/{host}",
                target.platform.goarch
            ));
        }
        Request::Other { goos, goarch, source } => {
            let goarch = goarch.map(|goarch| format!("/{goarch}")).unwrap_or_default();
            lines.push(format!("target: {goos}{goarch}, said by {source}; host: linux/{host}"));
        }
    }
    lines.extend(plan.kept.iter().map(|name| format!("{name} is kept as you set it")));
    if let Some(cgo) = &plan.cgo {
        lines.push(format!("cgo is {}: {}", if cgo.enabled { "on" } else { "off" }, cgo.reason));
    }
    lines.extend(plan.leaks.iter().map(ToString::to_string));
    lines.extend(plan.notes.iter().cloned());
    lines.extend(user.lines.iter().cloned());
    lines
}

fn json(plan: &Plan, user: &Shown) -> serde_json::Value {
    let (goos, goarch, source) = match &plan.request {
        Request::Linux { target, source } => ("linux", Some(target.platform.goarch), source),
        Request::Other { goos, goarch, source } => (*goos, *goarch, source),
    };
    let set: Vec<_> = plan
        .settings
        .iter()
        .map(|s| json!({"name": s.name, "value": s.value.to_string_lossy(), "reason": s.reason}))
        .collect();
    let leaks: Vec<_> = plan
        .leaks
        .iter()
        .map(|l| json!({"name": l.name, "value": l.value.to_string_lossy(), "left_out": l.left_out}))
        .collect();
    json!({
        "schema": 1,
        "target": {"goos": goos, "goarch": goarch, "source": source.to_string()},
        "host": Platform::host().map(|host| host.goarch),
        "set": set,
        "kept": plan.kept,
        "leaks": leaks,
        "cgo": plan.cgo.as_ref().map(|cgo| json!({"enabled": cgo.enabled, "reason": cgo.reason})),
        "notes": plan.notes,
        "identity": user.json,
    })
}

/// What `gb run --dry-run` writes.
pub(super) fn dry_run(target: &Plan, user: &Shown, command: &[OsString], as_json: bool) -> Vec<u8> {
    if as_json {
        let mut value = json(target, user);
        let words: Vec<_> = command.iter().map(|word| word.to_string_lossy()).collect();
        set(&mut value, "command", json!(words));
        return format!("{value:#}\n").into_bytes();
    }
    let mut text = write(target, user, &[], Format::Sh);
    let words: Vec<_> = command.iter().map(|word| sh_quoted(word)).collect();
    text.extend_from_slice(&words.join(&b' '));
    text.push(b'\n');
    text
}

/// Bytes that no shell and no reader of env files takes for anything but themselves.
fn is_plain(value: &OsStr) -> bool {
    !value.is_empty()
        && value.as_bytes().iter().all(|b| b.is_ascii_alphanumeric() || b"_./:=+,-@%".contains(b))
}

/// Single quotes keep every byte but the single quote (POSIX Shell Command Language, 2.2.2).
fn sh_quoted(value: &OsStr) -> Vec<u8> {
    if is_plain(value) {
        return value.as_bytes().to_vec();
    }
    let mut text = vec![b'\''];
    for byte in value.as_bytes() {
        match byte {
            b'\'' => text.extend_from_slice(b"'\\''"),
            _ => text.push(*byte),
        }
    }
    text.push(b'\'');
    text
}

/// Double quotes with backslashes. Docker's --env-file takes quotes literally, so plain values have none.
fn dotenv_quoted(value: &OsStr) -> Vec<u8> {
    if is_plain(value) {
        return value.as_bytes().to_vec();
    }
    let mut text = vec![b'"'];
    for byte in value.as_bytes() {
        match byte {
            b'\n' => text.extend_from_slice(b"\\n"),
            b'"' | b'\\' | b'$' => text.extend_from_slice(&[b'\\', *byte]),
            _ => text.push(*byte),
        }
    }
    text.push(b'"');
    text
}

/// GitHub's workflow commands: `NAME=value`, or for a value of several lines a delimiter that it does not contain.
fn github(setting: &Setting, text: &mut Vec<u8>) {
    let value = setting.value.as_bytes();
    text.extend_from_slice(setting.name.as_bytes());
    if !value.contains(&b'\n') && !value.contains(&b'\r') {
        text.push(b'=');
        text.extend_from_slice(value);
        text.push(b'\n');
        return;
    }
    let mut delimiter = "gb".to_owned();
    while value.windows(delimiter.len()).any(|part| part == delimiter.as_bytes()) {
        delimiter.push('_');
    }
    text.extend_from_slice(format!("<<{delimiter}\n").as_bytes());
    text.extend_from_slice(value);
    text.extend_from_slice(format!("\n{delimiter}\n").as_bytes());
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_quoted_so_that_each_reader_gets_the_same_bytes() {
        let text = |value: &str| {
            let value = OsStr::new(value);
            let setting = Setting { name: "N".into(), value: value.to_owned(), reason: String::new() };
            let mut github_text = Vec::new();
            github(&setting, &mut github_text);
            [sh_quoted(value), dotenv_quoted(value), github_text].map(|t| String::from_utf8(t).unwrap())
        };
        assert_eq!(text("/usr/a-b"), ["/usr/a-b", "/usr/a-b", "N=/usr/a-b\n"]);
        assert_eq!(text("a 'b' $c"), ["'a '\\''b'\\'' $c'", "\"a 'b' \\$c\"", "N=a 'b' $c\n"]);
        assert_eq!(text("a\ngb"), ["'a\ngb'", "\"a\\ngb\"", "N<<gb_\na\ngb\ngb_\n"]);
        assert_eq!(text(""), ["''", "\"\"", "N=\n"]);
    }
}
