//! What is missing: with who needs it, and where it was looked for.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt;
use std::path::Path;

use super::words::{asker, by_place, path_of, problem_of, text};
use crate::loader::{Answer, Files, Graph, Kind, MissingVersion, Outcome, Own, Problem, directories};
use crate::rootfs::{Needs, Start, StartError, Variant};

/// What comes before a version.
const VERSION: &str = "version ";

/// What is missing.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Hole {
    /// Who needs it.
    pub by: String,
    /// What.
    pub missing: String,
    /// Why it is not there.
    pub why: String,
    /// Where it was looked for: the rule, and directories.
    pub searched: Vec<String>,
    /// What may help.
    pub hint: Option<String>,
}

impl fmt::Display for Hole {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "find {} for {}: {}", self.missing, self.by, self.why)?;
        if !self.searched.is_empty() {
            write!(f, "; looked in {}", self.searched.join("; "))?;
        }
        match &self.hint {
            Some(hint) => write!(f, " ({hint})"),
            None => Ok(()),
        }
    }
}

impl Hole {
    /// Something that is missing, and nowhere to look for it.
    pub(super) fn new(by: impl Into<String>, missing: impl Into<String>, why: impl Into<String>) -> Hole {
        Hole { by: by.into(), missing: missing.into(), why: why.into(), searched: Vec::new(), hint: None }
    }

    /// What a file of a root misses to be started.
    pub(super) fn of_start(file: &Path, error: &StartError) -> Hole {
        Hole::new(file.to_string_lossy(), "what is needed", error.to_string())
    }

    /// What to tell of libraries that are there, but where those that need them would not look by themselves.
    pub(super) fn by_others(holes: &[Hole]) -> Vec<String> {
        let mut first: BTreeMap<&str, (&str, usize)> = BTreeMap::new();
        for hole in holes {
            first.entry(&hole.missing).or_insert((&hole.by, 0)).1 += 1;
        }
        let line = |(missing, (by, count)): (&str, (&str, usize))| {
            let others = if count > 1 { " and others find" } else { " finds" };
            format!("{by}{others} {missing} only in a program that has loaded it before")
        };
        first.into_iter().map(line).collect()
    }

    /// Everything that a program misses, on whatever processor.
    pub fn all_of(files: &dyn Files, start: &Start) -> Vec<Hole> {
        match &start.result {
            Ok(Needs::Nothing | Needs::Interpreter(_)) => Vec::new(),
            Ok(Needs::Loaded { own, graphs }) => Hole::all_of_graphs(files, own, graphs),
            Err(error) => vec![Hole::of_start(&start.path, error)],
        }
    }

    /// What is to be known of a program whose loader looks where `$PLATFORM` is.
    pub(super) fn platforms(graphs: &[Variant]) -> Option<String> {
        let names = graphs.iter().filter_map(|variant| variant.platform.as_deref()).map(text);
        let names: BTreeSet<_> = names.collect();
        let program = path_of(&graphs.first()?.graph, 0);
        (!names.is_empty()).then(|| {
            let names = Vec::from_iter(names).join(", ");
            format!(
                "{program} looks in directories of $PLATFORM, which the processor decides: taken for {names}"
            )
        })
    }

    /// Everything that is missing in what a loader has loaded.
    pub(super) fn all_of_graphs(files: &dyn Files, own: &Own, graphs: &[Variant]) -> Vec<Hole> {
        let mut holes = Vec::new();
        for Variant { graph, .. } in graphs {
            let program = path_of(graph, 0);
            let answers = graph.answers.iter().filter(|answer| answer.is_hole());
            holes.extend(answers.map(|answer| Hole::of_answer(files, own, graph, answer)));
            holes.extend(graph.missing_versions.iter().map(|missing| Hole::of_version(graph, missing)));
            holes.extend(graph.limit.map(|limit| Hole::new(&program, "what is needed", limit.to_string())));
        }
        holes.sort();
        holes.dedup();
        holes
    }

    /// What a loader has not found.
    pub(super) fn of_answer(files: &dyn Files, own: &Own, graph: &Graph, answer: &Answer) -> Hole {
        let by = of_program(asker(graph, answer.asker), &path_of(graph, 0));
        let problem = answer.result.as_ref().err().unwrap_or(&Problem::NotFound);
        let mut hole = Hole::new(by, text(&answer.name), problem_of(problem));
        if *problem == Problem::NotFound {
            hole.searched = searched(graph, answer);
            hole.hint = hint(files, own, &answer.name);
        }
        hole
    }

    fn of_version(graph: &Graph, missing: &MissingVersion) -> Hole {
        let by = of_program(path_of(graph, missing.asker), &path_of(graph, 0));
        let library = match missing.object {
            Some(object) => path_of(graph, object),
            None => format!("{}, which nothing loads", text(&missing.library)),
        };
        Hole::new(by, format!("{VERSION}{}", text(&missing.version)), format!("it is not in {library}"))
    }

    /// The version of symbols that is missing, if it is one.
    pub fn version(&self) -> Option<&str> {
        self.missing.strip_prefix(VERSION)
    }
}

/// Who asks, with the program for which that is loaded.
fn of_program(asker: String, program: &str) -> String {
    if asker == program { asker } else { format!("{asker} of {program}") }
}

/// The directories that were looked in, by rule.
pub(super) fn searched(graph: &Graph, answer: &Answer) -> Vec<String> {
    use nix::errno::Errno;
    let mut places: Vec<(String, Vec<String>)> = Vec::new();
    for tried in &answer.tried {
        let place = by_place(graph, tried.place);
        let directory = text(tried.path.strip_suffix(answer.name.as_slice()).unwrap_or(&tried.path));
        let outcome = match &tried.outcome {
            Outcome::Skipped(why) => format!(" ({why})"),
            Outcome::Errno(Errno::ENOENT | Errno::ENOTDIR) => String::new(),
            Outcome::Errno(errno) => format!(" ({})", errno.desc()),
            Outcome::Found | Outcome::Fatal(_) => String::new(),
        };
        let directory = format!("{directory}{outcome}");
        match places.last_mut().filter(|(last, _)| *last == place) {
            Some((_, directories)) => directories.push(directory),
            None => places.push((place, vec![directory])),
        }
    }
    places.iter().map(|(place, directories)| format!("{place}: {}", directories.join(" "))).collect()
}

/// Where the file is that the loader does not look for there: in a directory of ld.so.conf, of which the cache does not know.
fn hint(files: &dyn Files, own: &Own, name: &[u8]) -> Option<String> {
    let Kind::Glibc(loader) = &own.kind else { return None };
    let conf = loader.cache.strip_suffix(b"cache")?;
    let listed = directories(files, &[conf, b"conf"].concat());
    let found = listed.iter().map(|directory| [directory, b"/".as_slice(), name].concat());
    let found = found.into_iter().find(|path| files.open(path).is_ok())?;
    Some(format!("it is at {}, and ld.so.conf names that directory: run ldconfig", text(&found)))
}
