//! The forms of a verdict.

use serde_json::{Value, json};

use crate::binfmt::emulator::is_qemu;
use crate::binfmt::entry::{Entry, Pattern};
use crate::binfmt::probe::Runner;
use crate::binfmt::verdict::{Level, Verdict};
use crate::error::one_line;
use crate::platform::Platform;

/// For people, a line.
pub(in crate::cli) fn line(verdict: &Verdict) -> String {
    let state = match verdict.level {
        Level::Good => "runs",
        Level::Degraded => "runs, not well",
        Level::Broken => "does not run",
        Level::Unknown => "unknown",
    };
    let flags = verdict.entry.as_ref().filter(|_| verdict.runner.is_some());
    let flags = flags.map(|entry| match entry.flags.letters() {
        none if none.is_empty() => ", no flags".to_owned(),
        letters => format!(", flags {letters}"),
    });
    let flags = flags.unwrap_or_default();
    let remarks: String = verdict.remarks.iter().map(|remark| format!("; {remark}")).collect();
    let fix = if verdict.fix.is_empty() { String::new() } else { format!(" ({})", verdict.fix) };
    let text =
        format!("linux/{}: {state}: {}{flags}{remarks}{fix}", verdict.platform.goarch, verdict.sentence);
    format!("{}\n", one_line(&text))
}

/// For programs, all of them.
pub(super) fn json(verdicts: &[Verdict]) -> String {
    let value = json!({
        "schema": 1,
        "host": Platform::host().map(|host| host.goarch),
        "platforms": verdicts.iter().map(verdict_json).collect::<Value>(),
    });
    format!("{value:#}\n")
}

fn verdict_json(verdict: &Verdict) -> Value {
    let runner = verdict.runner.as_ref().map(|runner| match runner {
        Runner::Machine => json!({"native": true}),
        Runner::Interpreter { path, is_deleted, is_here, version } => json!({
            "native": false,
            "interpreter": path.to_string_lossy(),
            "qemu": is_qemu(path) || version.as_ref().is_some_and(|version| version.starts_with("qemu-")),
            "version": version,
            "deleted": is_deleted,
            "here": is_here,
        }),
    });
    json!({
        "platform": format!("linux/{}", verdict.platform.goarch),
        "level": verdict.level.name(),
        "reason": verdict.reason.code(),
        "sentence": verdict.sentence,
        "fix": Some(&verdict.fix).filter(|fix| !fix.is_empty()),
        "remarks": verdict.remarks,
        "runner": runner,
        "entry": verdict.entry.as_ref().map(entry_json),
        "loses_argv0": verdict.loses_argv0,
        "deep": verdict.runs_deep,
    })
}

/// An entry for programs.
pub(super) fn entry_json(entry: &Entry) -> Value {
    let hex = |bytes: &[u8]| bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>();
    let pattern = match &entry.pattern {
        Pattern::Magic { offset, magic, mask } => {
            json!({"offset": offset, "magic": hex(magic), "mask": mask.as_deref().map(hex)})
        }
        Pattern::Extension(extension) => json!({"extension": extension.to_string_lossy()}),
    };
    json!({
        "name": entry.name.to_string_lossy(),
        "enabled": entry.is_enabled,
        "interpreter": entry.interpreter.to_string_lossy(),
        "flags": entry.flags.letters(),
        "pattern": pattern,
    })
}
