//! What is missing: a line each, with who asks for it and where it was looked for.

use std::collections::BTreeSet;

use super::tree::{path_of, problem_of};
use super::{by_place, shown};
use crate::loader::{Answer, Asker, Files, Graph, Kind, MissingVersion, Outcome, Own, Problem, directories};
use crate::rootfs::{Needs, Seen, Start, Variant};

/// Every hole of every program, each said once.
pub(super) fn of(seen: &Seen<'_>, starts: &[Start]) -> Vec<String> {
    let mut said = BTreeSet::new();
    let mut lines = Vec::new();
    let mut say = |line: String| {
        if said.insert(line.clone()) {
            lines.push(line);
        }
    };
    for start in starts {
        let program = shown(start.path.as_os_str().as_encoded_bytes());
        match &start.result {
            Err(error) => say(format!("find what {program} needs: {error}")),
            Ok(Needs::Nothing | Needs::Interpreter(_)) => {}
            Ok(Needs::Loaded { own, graphs }) => {
                for Variant { graph, .. } in graphs {
                    for answer in graph.answers.iter().filter(|answer| answer.is_hole()) {
                        say(hole(seen, own, graph, answer, &program));
                    }
                    for missing in &graph.missing_versions {
                        say(version(graph, missing, &program));
                    }
                    if let Some(limit) = graph.limit {
                        say(format!("find what {program} needs: {limit}"));
                    }
                }
            }
        }
    }
    lines
}

fn hole(seen: &Seen<'_>, own: &Own, graph: &Graph, answer: &Answer, program: &str) -> String {
    let name = shown(&answer.name);
    let asker = match answer.asker {
        Asker::Object(object) => path_of(graph, object),
        Asker::Environment => "LD_PRELOAD".to_owned(),
        Asker::PreloadFile => "/etc/ld.so.preload".to_owned(),
    };
    let of = if asker == program { String::new() } else { format!(" of {program}") };
    let begin = format!(
        "find {name} for {asker}{of}: {}",
        problem_of(match &answer.result {
            Err(problem) => problem,
            Ok(_) => &Problem::NotFound,
        })
    );
    if answer.result != Err(Problem::NotFound) {
        return begin;
    }
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    for tried in &answer.tried {
        let place = by_place(tried.place, &|object| path_of(graph, object));
        let directory = shown(tried.path.strip_suffix(answer.name.as_slice()).unwrap_or(&tried.path));
        let outcome = match &tried.outcome {
            Outcome::Skipped(why) => format!(" ({why})"),
            Outcome::Errno(nix::errno::Errno::ENOENT | nix::errno::Errno::ENOTDIR) => String::new(),
            Outcome::Errno(errno) => format!(" ({})", errno.desc()),
            Outcome::Found | Outcome::Fatal(_) => String::new(),
        };
        let directory = format!("{directory}{outcome}");
        match places.last_mut().filter(|(last, _)| *last == place) {
            Some((_, directories)) => directories.push(directory),
            None => places.push((place, vec![directory])),
        }
    }
    let places = places.iter().map(|(place, directories)| format!("{place}: {}", directories.join(" ")));
    let mut line = format!("{begin}; looked in {}", places.collect::<Vec<_>>().join("; "));
    if let Some(hint) = hint(seen, own, &answer.name) {
        line.push_str(&format!(" ({hint})"));
    }
    line
}

/// Where the file is that the loader does not look for there: in a directory of ld.so.conf, of which the cache does not know.
fn hint(seen: &Seen<'_>, own: &Own, name: &[u8]) -> Option<String> {
    let Kind::Glibc(loader) = &own.kind else { return None };
    let conf = loader.cache.strip_suffix(b"cache")?;
    let listed = directories(seen, &[conf, b"conf"].concat());
    let found = listed.iter().map(|directory| [directory, b"/".as_slice(), name].concat());
    let found = found.into_iter().find(|path| seen.open(path).is_ok())?;
    Some(format!("it is at {}, and ld.so.conf names that directory: run ldconfig", shown(&found)))
}

fn version(graph: &Graph, missing: &MissingVersion, program: &str) -> String {
    let asker = path_of(graph, missing.asker);
    let of = if asker == program { String::new() } else { format!(" of {program}") };
    let library = match missing.object {
        Some(object) => path_of(graph, object),
        None => format!("{}, which nothing loads", shown(&missing.library)),
    };
    format!("find version {} for {asker}{of}: it is not in {library}", shown(&missing.version))
}
