//! Whether a file asks for newer versions of symbols than there are.

use super::facts::{Facts, Need};
use super::finding::Finding;
use super::versions::{FAMILIES, Number};
use super::wish::{Ceiling, Wish};

/// As many symbols and versions are named.
const NAMED: usize = 3;

pub(super) fn check(facts: &Facts, wish: &Wish) -> Vec<Finding> {
    let mut findings = Vec::new();
    for Ceiling { family, number } in &wish.ceilings {
        let is_newer =
            |need: &&Need| !need.is_weak && since(&need.version, family).is_some_and(|since| since > *number);
        let mut newer: Vec<&Need> = facts.versions.iter().filter(is_newer).collect();
        let count = newer.len();
        if count > 0 {
            let is_relr = newer.iter().all(|need| need.version == RELR);
            // The newest ones are named.
            let mut named = Vec::new();
            while let Some((at, _)) =
                newer.iter().enumerate().max_by_key(|(_, need)| since(&need.version, family))
            {
                if named.len() == NAMED {
                    break;
                }
                named.push(self::named(newer.remove(at)));
            }
            let more = match count.saturating_sub(NAMED) {
                0 => String::new(),
                more => format!(" and {more} more"),
            };
            let what = format!(
                "asks for {}{more}, and {family}_{number} is the newest that it may",
                named.join(", ")
            );
            let remedy = match facts.go {
                Some(_) => "build it in the go-build image, or with CGO_ENABLED=0",
                None => "build it in the go-build image, or on a system as old as that",
            };
            let relr = "link it with -Wl,-z,nopack-relative-relocs";
            findings.push(Finding::new("version", what).with(if is_relr { relr } else { remedy }));
        }
        let is_glibcs = facts.defined_versions.iter().any(|version| version.starts_with(b"GLIBC_"));
        let private = |need: &&Need| need.version == b"GLIBC_PRIVATE" && !need.is_weak;
        if let Some(need) =
            facts.versions.iter().find(private).filter(|_| *family == FAMILIES[0] && !is_glibcs)
        {
            let what = format!("asks for {}: it runs with the very glibc that it was built for", named(need));
            findings.push(Finding::degraded("glibc-private", what));
        }
    }
    findings
}

/// Relocations in a packed form (`-z pack-relative-relocs`).
const RELR: &[u8] = b"GLIBC_ABI_DT_RELR";
/// The versions that tell of an ability of the loader's (glibc's NEWS for 2.36 and 2.42; some distributions have them in older
/// releases).
const ABI: &[u8] = b"GLIBC_ABI_";

/// The release that a version of a family came with.
fn since(version: &[u8], family: &str) -> Option<Number> {
    match version {
        RELR if family == FAMILIES[0] => Number::parse("2.36"),
        _ if version.starts_with(ABI) && family == FAMILIES[0] => Number::parse("2.42"),
        _ => Number::of(version, family),
    }
}

/// A version, with some of the symbols that ask for it.
fn named(need: &Need) -> String {
    let version = String::from_utf8_lossy(&need.version);
    let symbols = symbols(need);
    if symbols.is_empty() { version.into_owned() } else { format!("{version} ({symbols})") }
}

/// Some of the symbols that ask for a version.
pub fn symbols(need: &Need) -> String {
    let name = |(name, is_weak): &(Vec<u8>, bool)| {
        let weak = if *is_weak { " weakly" } else { "" };
        format!("{}{weak}", String::from_utf8_lossy(name))
    };
    let mut names: Vec<_> = need.symbols.iter().take(NAMED).map(name).collect();
    let more = need.symbols.len().saturating_sub(NAMED);
    names.extend((more > 0).then(|| format!("{more} more")));
    names.join(", ")
}
