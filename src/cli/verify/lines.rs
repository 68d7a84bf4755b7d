//! What people read: a line for a file that is good, and one for each thing that is the matter.

use std::os::unix::ffi::OsStrExt;
use std::path::Path;

use super::Counts;
use super::look::{Report, What};
use crate::elf::FloatAbi;
use crate::verify::{
    Content, FAMILIES, Facts, Form, Format, Go, Item, Kind, Weight, described, highest, machines,
};

/// As many members of an archive are named, and as much is said of a file.
const MEMBERS: usize = 20;

/// A path as a line has it.
pub(super) fn path(path: &Path) -> String {
    escaped(path.as_os_str().as_bytes())
}

/// Bytes as a line has them: what would steer a terminal or end the line is written as Rust and C do.
pub(super) fn escaped(bytes: &[u8]) -> String {
    clean(&String::from_utf8_lossy(bytes))
}

/// The same of a text.
pub(super) fn clean(text: &str) -> String {
    let mut clean = String::with_capacity(text.len());
    for c in text.chars() {
        if c.is_control() { clean.extend(c.escape_default()) } else { clean.push(c) }
    }
    clean
}

/// The lines of a file.
pub(super) fn of(report: &Report) -> String {
    let name = path(&report.path);
    let mut lines = String::new();
    let mut line = |text: &str| {
        lines.push_str(&format!("{name}: {}\n", clean(text)));
    };
    match (report.weight(), &report.what) {
        (Some(Weight::Finding), _) => {}
        (_, What::Elf(facts)) => line(&elf(facts)),
        (_, What::Archive(form, items)) => line(&archive(*form, items)),
        (_, What::Other(_)) if !report.is_named => {}
        (_, What::Other(format)) => line(passed_over(*format)),
    }
    let mut of_members = 0;
    for (finding, member) in &report.findings {
        let level = if finding.weight == Weight::Degraded { "degraded: " } else { "" };
        match member {
            None => line(&format!("{level}{finding}")),
            Some(member) => {
                of_members += 1;
                if of_members <= MEMBERS {
                    line(&format!("{level}member {} {finding}", String::from_utf8_lossy(member)));
                }
            }
        }
    }
    if of_members > MEMBERS {
        line(&format!("so it is with {} more members (--json names them)", of_members - MEMBERS));
    }
    lines
}

/// The line at the end, where directories were named.
pub(super) fn end(counts: &Counts) -> String {
    let number = |count: usize, what: &str| (count > 0).then(|| format!("{count} {what}"));
    let parts = [
        number(counts.good, "good"),
        number(counts.degraded, "degraded"),
        number(counts.findings, "with findings"),
        number(counts.passed_over, "of other kinds passed over"),
        number(counts.failed, "not looked at"),
    ];
    format!("files: {}\n", parts.into_iter().flatten().collect::<Vec<_>>().join(", "))
}

fn passed_over(format: Format) -> &'static str {
    match format {
        Format::Script => "passed over: a script",
        Format::Bitcode => "passed over: LLVM bitcode, which is for no machine yet",
        Format::Foreign("Windows") => "passed over: a program for Windows",
        Format::Foreign("macOS") => "passed over: a program for macOS",
        Format::Foreign(_) => "passed over: a program for another system",
        _ => "passed over: no ELF file or archive",
    }
}

fn elf(facts: &Facts) -> String {
    let mut words = described(&facts.header);
    match facts.floats {
        Some(FloatAbi::Hard) => words.push_str(" hard-float"),
        Some(FloatAbi::Soft) => words.push_str(" soft-float"),
        None => {}
    }
    match (facts.kind, &facts.interpreter) {
        (Kind::Program | Kind::Library, _) if facts.is_static() && facts.kind == Kind::Program => {
            words.push_str(if facts.is_pie { " static-pie program" } else { " static program" });
        }
        (Kind::Program, Some(loader)) => {
            words.push_str(&format!(" program for {}", String::from_utf8_lossy(loader)))
        }
        (kind, _) => words.push_str(&format!(" {}", kind.name())),
    }
    let mut parts = vec![words];
    for family in FAMILIES {
        parts.extend(highest(&facts.versions, family).map(|number| format!("{family}_{number}")));
    }
    // Those that are no numbers: GLIBC_PRIVATE, GLIBC_ABI_DT_RELR.
    for need in facts.versions.iter().filter(|need| !need.is_weak && need.version.starts_with(b"GLIBC_")) {
        let version = String::from_utf8_lossy(&need.version).into_owned();
        let is_number = need.version.get(6).is_some_and(u8::is_ascii_digit);
        if !is_number && parts.len() < MEMBERS && !parts.contains(&version) {
            parts.push(version);
        }
    }
    // Bit 0 is what all have.
    let level = facts.notes.x86_levels_needed.checked_ilog2().filter(|bit| *bit > 0);
    parts.extend(level.map(|bit| format!("x86-64-v{}", bit + 1)));
    if let Some(go) = &facts.go {
        parts.extend(built(go, facts));
    }
    parts.join(", ")
}

/// How Go has built it.
fn built(go: &Go, facts: &Facts) -> Vec<String> {
    let mut first = go.version.clone();
    match (&go.module, &go.path) {
        (Some(module), _) => first.push_str(&format!(" {} {}", module.path, module.version)),
        (None, Some(path)) => first.push_str(&format!(" {path}")),
        (None, None) => {}
    }
    let mut parts = vec![first];
    let variable = facts.platform.and_then(|platform| platform.variable.as_ref());
    if let Some((variable, value)) = variable.and_then(|v| Some((v, go.setting(v.name)?))) {
        parts.extend((value != variable.default).then(|| format!("{}={value}", variable.name)));
    }
    parts.extend((go.setting("CGO_ENABLED") == Some("1")).then(|| "cgo".to_owned()));
    parts.extend((go.setting("-race") == Some("true")).then(|| "race".to_owned()));
    parts
}

fn archive(form: Form, items: &[Item]) -> String {
    let thin = if form == Form::Thin { "thin " } else { "" };
    let count = |is: &dyn Fn(&Content) -> bool| items.iter().filter(|item| is(&item.content)).count();
    let plural = |count: usize, what: &str| format!("{count} {what}{}", if count == 1 { "" } else { "s" });
    let objects = machines(items);
    let mut parts: Vec<_> =
        objects.iter().map(|(name, count)| format!("{} for {name}", plural(*count, "object"))).collect();
    let bitcode = count(&|content| *content == Content::Bitcode);
    parts.extend((bitcode > 0).then(|| format!("{} of LLVM bitcode", plural(bitcode, "member"))));
    let others = count(&|content| *content == Content::Other);
    parts.extend((others > 0).then(|| plural(others, "other member")));
    if parts.is_empty() {
        parts.push("nothing".to_owned());
    }
    format!("{thin}archive of {}", parts.join(", "))
}
