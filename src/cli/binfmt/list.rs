//! `gb binfmt list`.

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::binfmt::entry::{Entry, Pattern};
use crate::binfmt::program::PLAIN;
use crate::binfmt::registry::Registry;
use crate::binfmt::verdict::{entry_for, serves};
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
    let served = |entry: &Entry| -> Vec<&'static str> {
        let platforms = PLATFORMS.iter().filter(|platform| serves(entry, platform));
        platforms.map(|platform| platform.goarch).collect()
    };
    let first = |platform: &Platform| entry_for(&entries, platform, PLAIN, true).filter(|_| is_enabled);
    if as_json {
        let value = json!({
            "schema": 1,
            "enabled": is_enabled,
            "entries": entries.iter().map(|entry| {
                let mut value = entry_json(entry);
                if let Some(object) = value.as_object_mut() {
                    object.insert("serves".to_owned(), served(entry).into());
                }
                value
            }).collect::<Value>(),
            "platforms": PLATFORMS.iter().map(|platform| {
                json!({"platform": format!("linux/{}", platform.goarch), "entry": first(platform).map(|entry| entry.name.to_string_lossy())})
            }).collect::<Value>(),
            "unread": unread,
        });
        return print(format!("{value:#}\n").as_bytes());
    }
    let mut text = String::new();
    if !is_enabled {
        text.push_str(
            "all entries are switched off (echo 1 >/proc/sys/fs/binfmt_misc/status, on the host)\n",
        );
    }
    for entry in &entries {
        let files = match (&entry.pattern, served(entry)) {
            (Pattern::Extension(extension), _) => format!("*.{}", extension.to_string_lossy()),
            (Pattern::Magic { .. }, serves) if serves.is_empty() => "other files".to_owned(),
            (Pattern::Magic { .. }, serves) => {
                serves.iter().map(|goarch| format!("linux/{goarch}")).collect::<Vec<_>>().join(" ")
            }
        };
        let letters = entry.flags.letters();
        let flags = if letters.is_empty() { "no flags".to_owned() } else { format!("flags {letters}") };
        let off = if entry.is_enabled { "" } else { ", switched off" };
        let (name, interpreter) = (entry.name.to_string_lossy(), entry.interpreter.display());
        text.push_str(&one_line(&format!("{name}: {files}, by {interpreter}, {flags}{off}")));
        text.push('\n');
    }
    for platform in PLATFORMS {
        let by = match first(platform) {
            Some(entry) => format!("goes to {}", entry.name.to_string_lossy()),
            None if Some(platform) == Platform::host() => "is this machine's own".to_owned(),
            None => "has no entry".to_owned(),
        };
        text.push_str(&one_line(&format!("linux/{} {by}", platform.goarch)));
        text.push('\n');
    }
    text.extend(unread.iter().map(|problem| format!("{}\n", one_line(problem))));
    print(text.as_bytes())
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
