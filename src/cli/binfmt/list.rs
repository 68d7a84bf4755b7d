//! `gb binfmt list`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use super::report::entry_json;
use crate::binfmt::emulator::is_qemu;
use crate::binfmt::entry::{Entry, Pattern};
use crate::binfmt::order::{Claim, claims, serves, unclaimed};
use crate::binfmt::program::{PLAIN, VARIANTS, Variant};
use crate::binfmt::registry::Registry;
use crate::cli::output::print;
use crate::error::{Error, one_line};
use crate::platform::{PLATFORMS, Platform};

/// Shows every entry, and what the kernel does for each architecture.
pub(super) fn list(directory: &Path, as_json: bool) -> Result<ExitCode, Error> {
    let cannot = |why: &str| Error::Usage(format!("binfmt list: {}: {why}", directory.display()));
    let (is_enabled, entries, unread) = match Registry::read(directory) {
        Registry::Mounted { is_enabled, entries, unread } => (is_enabled, entries, unread),
        Registry::NotMounted => {
            return Err(cannot(
                "binfmt_misc is not mounted here, as in most containers (gb binfmt check needs it not; to see the entries: \
                 docker run --volume /proc/sys/fs/binfmt_misc:/binfmt_misc:ro)",
            ));
        }
        Registry::Missing => return Err(cannot("there is none (modprobe binfmt_misc, on the host)")),
        Registry::Unreadable(errno) => return Err(cannot(errno.desc())),
    };
    // With the common switch off the kernel asks none of them.
    let considered = if is_enabled { entries.as_slice() } else { &[] };
    let text = match as_json {
        true => format!(
            "{:#}\n",
            json!({
                "schema": 1,
                "enabled": is_enabled,
                "entries": entries.iter().map(listed_json).collect::<Value>(),
                "platforms": PLATFORMS.iter().map(|platform| platform_json(considered, platform)).collect::<Value>(),
                "unread": unread,
            })
        ),
        false => {
            let off = "all entries are switched off (echo 1 >/proc/sys/fs/binfmt_misc/status, on the host)";
            let mut lines: Vec<String> = Vec::new();
            lines.extend((!is_enabled).then(|| off.to_owned()));
            lines.extend(entries.iter().map(entry_line));
            lines.extend(PLATFORMS.iter().map(|platform| platform_line(considered, platform)));
            lines.extend(unread);
            lines.iter().map(|line| format!("{}\n", one_line(line))).collect()
        }
    };
    print(text.as_bytes())
}

/// The architectures whose programs an entry is for.
fn served(entry: &Entry) -> Vec<&'static str> {
    PLATFORMS.iter().filter(|platform| serves(entry, platform)).map(|platform| platform.goarch).collect()
}

fn entry_line(entry: &Entry) -> String {
    let files = match (&entry.pattern, &served(entry)[..]) {
        (Pattern::Extension(extension), _) => {
            format!("*.{}, whatever is in it", extension.to_string_lossy())
        }
        (Pattern::Magic { magic, .. }, []) if magic.starts_with(b"MZ") => "programs of Windows".to_owned(),
        (Pattern::Magic { .. }, []) => "other files".to_owned(),
        (Pattern::Magic { .. }, all) if all.len() == PLATFORMS.len() => {
            "programs of every architecture".to_owned()
        }
        (Pattern::Magic { .. }, serves) => {
            serves.iter().map(|goarch| format!("linux/{goarch}")).collect::<Vec<_>>().join(" ")
        }
    };
    let letters = entry.flags.letters();
    let flags = if letters.is_empty() { "no flags".to_owned() } else { format!("flags {letters}") };
    let is_emulator = served(entry).is_empty() || is_qemu(&entry.interpreter);
    let kind = if is_emulator { "" } else { " (not QEMU, by its name)" };
    let off = if entry.is_enabled { "" } else { ", switched off" };
    format!("{}: {files}, by {}{kind}, {flags}{off}", name(entry), entry.interpreter.display())
}

/// What the kernel does with an architecture's programs, in its order.
fn platform_line(entries: &[Entry], platform: &Platform) -> String {
    let is_own = Some(platform) == Platform::host();
    let claims = claims(entries, platform);
    let taking: Vec<_> = claims.iter().filter(|claim| !claim.takes.is_empty()).collect();
    let mut clauses: Vec<String> = taking.iter().enumerate().map(|(at, claim)| taken(claim, at)).collect();
    let left = unclaimed(&claims);
    if is_own && left.len() == VARIANTS.len() {
        clauses.push("is this machine's own".to_owned());
    } else if is_own && !left.is_empty() {
        clauses.push("the rest is this machine's own".to_owned());
    } else if taking.is_empty() {
        clauses.push("has no entry".to_owned());
    } else if left.len() == VARIANTS.len() {
        clauses.push("nothing takes the rest".to_owned());
    } else if !left.is_empty() {
        clauses.push(format!("nothing takes {}", kinds(&left)));
    }
    for claim in claims.iter().filter(|claim| claim.takes.is_empty()) {
        clauses.push(match claim.loses.first() {
            Some((_, winner)) => {
                format!("{} is never asked: {} is younger", name(claim.entry), name(winner))
            }
            None => format!("{} is switched off", name(claim.entry)),
        });
    }
    format!("linux/{} {}", platform.goarch, clauses.join("; "))
}

fn taken(claim: &Claim<'_>, at: usize) -> String {
    let name = name(claim.entry);
    match (claim.takes.len() == VARIANTS.len(), claim.is_partial, at) {
        (true, false, 0) => format!("goes to {name}"),
        (true, false, _) => format!("the rest goes to {name}"),
        (_, true, _) => format!("some programs go to {name}, by more bytes than tell the architecture"),
        (false, false, _) => format!("{name} takes {}", kinds(&claim.takes)),
    }
}

fn kinds(variants: &[Variant]) -> String {
    variants.iter().map(|variant| variant.words()).collect::<Vec<_>>().join(", ")
}

fn name(entry: &Entry) -> String {
    entry.name.to_string_lossy().into_owned()
}

fn listed_json(entry: &Entry) -> Value {
    let mut value = entry_json(entry);
    if let Some(object) = value.as_object_mut() {
        object.insert("serves".to_owned(), served(entry).into());
    }
    value
}

fn platform_json(entries: &[Entry], platform: &Platform) -> Value {
    let claims = claims(entries, platform);
    let names = |variants: &[Variant]| variants.iter().map(|variant| variant.name()).collect::<Vec<_>>();
    let usual = claims.iter().find(|claim| !claim.is_partial && claim.takes.contains(&PLAIN));
    json!({
        "platform": format!("linux/{}", platform.goarch),
        "entry": usual.map(|claim| name(claim.entry)),
        "considered": claims.iter().map(|claim| json!({
            "entry": name(claim.entry),
            "enabled": claim.entry.is_enabled,
            "takes": names(&claim.takes),
            "partly": claim.is_partial,
            "loses": claim.loses.iter().map(|(variant, winner)| json!({
                "kind": variant.name(), "to": name(winner),
            })).collect::<Value>(),
        })).collect::<Value>(),
        "unclaimed": names(&unclaimed(&claims)),
    })
}
