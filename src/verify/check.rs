//! What is the matter with an ELF file.

use super::facts::{Facts, Kind};
use super::finding::Finding;
use super::wish::Wish;
use super::{glibc, machine, place};

/// What is the matter with a file, and what it has that was not asked for.
pub fn check(facts: &Facts, wish: &Wish) -> Vec<Finding> {
    let is_run = matches!(facts.kind, Kind::Program | Kind::Library);
    let system = machine::check_system(facts, wish).filter(|_| is_run);
    let finding = system.or_else(|| machine::check(&facts.header, facts.floats, wish));
    let mut findings: Vec<Finding> = finding.into_iter().collect();
    if !is_run {
        return findings;
    }
    if !facts.is_loadable {
        findings.push(Finding::new("no-program", "has nothing that could be loaded"));
    }
    let is_for_it = findings.is_empty();
    findings.extend(machine::check_variant(facts, wish).into_iter().filter(|_| is_for_it));
    if wish.is_static {
        findings.extend(dynamic(facts));
    }
    findings.extend(glibc::check(facts, wish));
    findings.extend(place::check(facts));
    let needs_it = facts.platform.is_some_and(|platform| platform.needs_executable_stack());
    if facts.executable_stack == Some(true) && !needs_it {
        let finding = Finding::degraded("executable-stack", "asks for a stack whose contents can be run");
        findings.push(finding.with("link it with -Wl,-z,noexecstack; assembler files lack .note.GNU-stack"));
    }
    if facts.has_text_relocations {
        let finding = Finding::degraded("text-relocations", "has its code changed when it is loaded");
        findings.push(finding.with("compile all of it with -fPIC"));
    }
    findings
}

/// What a file that is to be static has that is not.
fn dynamic(facts: &Facts) -> Option<Finding> {
    let text = |name: &Vec<u8>| String::from_utf8_lossy(name).into_owned();
    let needed: Vec<_> = facts.needed.iter().map(text).collect();
    let what = match (&facts.interpreter, needed.as_slice()) {
        (None, []) => return None,
        (Some(loader), []) => format!("is not static: {} loads it", text(loader)),
        (_, needed) => format!("is not static: it asks for {}", needed.join(" ")),
    };
    let remedy = match &facts.go {
        Some(go) if go.setting("CGO_ENABLED") == Some("1") => {
            "CGO_ENABLED=0, or -ldflags '-linkmode external -extldflags -static'"
        }
        Some(_) => "go build without -buildmode=pie and -linkshared",
        None => "link it with -static",
    };
    Some(Finding::new("dynamic", what).with(remedy))
}
