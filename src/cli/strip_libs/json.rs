//! Everything, for programs.

use std::path::Path;

use serde_json::{Value, json};

use super::taken::{Taken, listed};
use crate::closure::words::{asker, how, path_of, text};
use crate::closure::{Closure, Hole};
use crate::loader::{Answer, Graph, Kind, Outcome, Place, Problem, Rule};
use crate::rootfs::{Needs, Start, Variant};

/// The form of the answer; a change that readers would notice raises it.
const SCHEMA: u32 = 1;

pub(super) fn write(place: &Path, closure: &Closure, taken: &Taken) -> String {
    let files = listed(&taken.tree).map(|(path, target)| match target {
        Some(target) => json!({ "path": path.to_string_lossy(), "link": target.to_string_lossy() }),
        None => json!({ "path": path.to_string_lossy() }),
    });
    let answer = json!({
        "schema": SCHEMA,
        "root": place.to_string_lossy(),
        "files": files.collect::<Vec<_>>(),
        "files_of_no_package": taken.of_no_package(),
        "reasons": closure.items.iter().map(|item| json!({
            "path": item.path.to_string_lossy(),
            "why": item.why.to_string(),
        })).collect::<Vec<_>>(),
        "programs": closure.starts.iter().map(program).collect::<Vec<_>>(),
        "holes": closure.holes.iter().map(hole).collect::<Vec<_>>(),
        "notes": closure.notes,
    });
    format!("{answer:#}\n")
}

/// What is missing.
pub(super) fn hole(hole: &Hole) -> Value {
    json!({ "by": hole.by, "missing": hole.missing, "why": hole.why, "searched": hole.searched, "hint": hole.hint })
}

fn program(start: &Start) -> Value {
    let path = start.path.to_string_lossy();
    match &start.result {
        Err(error) => json!({ "path": path, "closed": false, "error": error.to_string() }),
        Ok(Needs::Nothing) => json!({ "path": path, "closed": true }),
        Ok(Needs::Interpreter(interpreter)) => {
            json!({ "path": path, "closed": true, "interpreter": interpreter.to_string_lossy() })
        }
        Ok(Needs::Loaded { own, graphs }) => json!({
            "path": path,
            "closed": graphs.iter().all(|variant| variant.graph.is_closed()),
            "architecture": own.platform.goarch,
            "libc": match &own.kind {
                Kind::Glibc(_) => "glibc",
                Kind::Musl(_) => "musl",
            },
            "system_directories": match &own.kind {
                Kind::Glibc(loader) => Some(loader.directories.iter().map(|path| text(path)).collect::<Vec<_>>()),
                Kind::Musl(_) => None,
            },
            "system_directories_guessed": matches!(&own.kind, Kind::Glibc(loader) if loader.is_guess),
            "variants": graphs.iter().map(variant).collect::<Vec<_>>(),
        }),
    }
}

fn variant(Variant { hwcaps, platform, graph }: &Variant) -> Value {
    let objects = graph.objects.iter().map(|object| {
        json!({
            "path": text(&object.path),
            "names": object.names.iter().map(|name| text(name)).collect::<Vec<_>>(),
            "soname": object.elf.soname().map(text),
        })
    });
    let missing = graph.missing_versions.iter().map(|missing| {
        json!({
            "asker": path_of(graph, missing.asker),
            "library": text(&missing.library),
            "version": text(&missing.version),
        })
    });
    json!({
        "hwcaps": hwcaps.iter().map(|name| text(name)).collect::<Vec<_>>(),
        "platform": platform.as_ref().map(|name| text(name)),
        "objects": objects.collect::<Vec<_>>(),
        "requests": graph.answers.iter().map(|answer| request(graph, answer)).collect::<Vec<_>>(),
        "missing_versions": missing.collect::<Vec<_>>(),
        "limit": graph.limit.map(|limit| limit.to_string()),
    })
}

fn request(graph: &Graph, answer: &Answer) -> Value {
    let tried = answer.tried.iter().map(|tried| {
        let (outcome, reason) = match &tried.outcome {
            Outcome::Found => ("found", None),
            Outcome::Errno(errno) => ("error", Some(errno.desc().to_owned())),
            Outcome::Skipped(why) => ("skipped", Some((*why).to_owned())),
            Outcome::Fatal(why) => ("fatal", Some(why.clone())),
        };
        let (rule, of) = place(graph, tried.place);
        json!({ "path": text(&tried.path), "rule": rule, "of": of, "outcome": outcome, "reason": reason })
    });
    let (found, rule, of, problem) = match &answer.result {
        Ok((object, rule)) => {
            let (rule, of) = match rule {
                Rule::Found(at) => place(graph, *at),
                Rule::SameFile(at) => ("same-file", place(graph, *at).1),
                Rule::Name => ("loaded", None),
                Rule::Soname => ("loaded-soname", None),
                Rule::Itself => ("loader", None),
            };
            (Some(path_of(graph, *object)), Some(rule), of, None)
        }
        Err(problem) => {
            let problem = match problem {
                Problem::NotFound => "not-found",
                Problem::Fatal { .. } => "fatal",
                Problem::Token(_) => "token",
                Problem::Limit(_) => "limit",
            };
            (None, None, None, Some(problem))
        }
    };
    json!({
        "asker": asker(graph, answer.asker),
        "how": how(answer.how).unwrap_or("needed"),
        "name": text(&answer.name),
        "found": found,
        "rule": rule,
        "of": of,
        "problem": problem,
        "is_hole": answer.is_hole(),
        "tried": tried.collect::<Vec<_>>(),
    })
}

/// The name of a place, and the object whose it is.
fn place(graph: &Graph, place: Place) -> (&'static str, Option<String>) {
    match place {
        Place::Path => ("path", None),
        Place::Rpath(object) => ("rpath", Some(path_of(graph, object))),
        Place::LibraryPath => ("library-path", None),
        Place::Runpath(object) => ("runpath", Some(path_of(graph, object))),
        Place::Cache => ("cache", None),
        Place::System => ("system", None),
    }
}
