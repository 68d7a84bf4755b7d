//! What `$PLATFORM` could stand for: what there are directories for. Only the processor that a program runs on decides
//! (AT_PLATFORM of getauxval(3); `haswell` and the like).

use crate::loader::{Files, Graph, NO_PLATFORM, Outcome, PLATFORM};

const MOST_NAMES: usize = 64;

/// The names for which there are directories where the loader was sent to by the token, sorted.
pub(super) fn of(files: &dyn Files, graph: &Graph) -> Vec<Vec<u8>> {
    let tried = graph.answers.iter().flat_map(|answer| &answer.tried);
    let unknown = tried.filter(|tried| matches!(tried.outcome, Outcome::Skipped(why) if why == NO_PLATFORM));
    let mut found: Vec<_> = unknown.flat_map(|tried| names(files, &tried.path)).collect();
    found.sort_unstable();
    found.dedup();
    // More are no names of processors.
    if found.len() > MOST_NAMES {
        found.clear();
    }
    found
}

/// The names that make a directory that is there of `/opt/lib-$PLATFORM/x`.
fn names(files: &dyn Files, path: &[u8]) -> Vec<Vec<u8>> {
    let Some(at) = path.windows(PLATFORM.len()).position(|window| window == PLATFORM) else {
        return Vec::new();
    };
    let (before, rest) = path.split_at(at);
    let after = rest.get(PLATFORM.len()..).unwrap_or_default();
    let start = before.iter().rposition(|byte| *byte == b'/').map_or(0, |slash| slash + 1);
    let (directory, begin) = before.split_at(start);
    let end = after.split(|byte| *byte == b'/').next().unwrap_or_default();
    let names = files.names(directory).into_iter();
    let names = names.filter_map(|name| Some(name.strip_prefix(begin)?.strip_suffix(end)?.to_vec()));
    let is_there = |name: &Vec<u8>| !name.is_empty() && files.is_directory(&[before, name, after].concat());
    names.filter(is_there).collect()
}
