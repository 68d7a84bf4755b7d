//! What a resolution has found, in words.

use crate::elf::RequestKind;
use crate::loader::{Asker, Graph, How, Place, Problem, Rule};
use crate::rootfs::Variant;

/// Bytes of a root as text.
pub fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

/// The path of an object.
pub fn path_of(graph: &Graph, object: usize) -> String {
    graph.objects.get(object).map(|object| text(&object.path)).unwrap_or_default()
}

/// On which processors something is loaded, if not on all: ` with x86-64-v3 and older`.
pub fn processor(variant: &Variant) -> String {
    let hwcaps = variant.hwcaps.first().map(|best| format!(" with {} and older", text(best)));
    let platform = variant.platform.as_ref().map(|name| format!(" with $PLATFORM {}", text(name)));
    hwcaps.into_iter().chain(platform).collect()
}

/// Who asks for a file: an object, or what names one to be preloaded.
pub fn asker(graph: &Graph, asker: Asker) -> String {
    match asker {
        Asker::Object(object) => path_of(graph, object),
        Asker::PreloadFile => "/etc/ld.so.preload".to_owned(),
    }
}

/// A rule as it follows "found".
pub fn by_rule(graph: &Graph, rule: Rule) -> String {
    match rule {
        Rule::Found(place) => by_place(graph, place),
        Rule::SameFile(place) => format!("{}, the same file as one loaded before", by_place(graph, place)),
        Rule::Name => "loaded before".to_owned(),
        Rule::Soname => "loaded before under another name".to_owned(),
        Rule::Itself => "the loader itself".to_owned(),
    }
}

/// Where a loader looks.
pub fn by_place(graph: &Graph, place: Place) -> String {
    match place {
        Place::Path => "by its path".to_owned(),
        Place::Rpath(object) => format!("RPATH of {}", path_of(graph, object)),
        Place::LibraryPath => "LD_LIBRARY_PATH".to_owned(),
        Place::Runpath(object) => format!("RUNPATH of {}", path_of(graph, object)),
        Place::Cache => "ld.so.cache".to_owned(),
        Place::System => "the loader's directories".to_owned(),
    }
}

/// How a file is asked for, where it is not the usual way.
pub fn how(how: How) -> Option<&'static str> {
    match how {
        How::Interpreter => Some("loader"),
        How::Preload => Some("preload"),
        How::Audit => Some("audit"),
        How::Request(RequestKind::Filter) => Some("filter"),
        How::Request(RequestKind::Auxiliary) => Some("auxiliary filter"),
        How::Request(RequestKind::Needed) => None,
    }
}

/// Why there is no file.
pub fn problem_of(problem: &Problem) -> String {
    match problem {
        Problem::NotFound => "not found".to_owned(),
        Problem::Fatal { path, why } => format!("{}: {why}", text(path)),
        Problem::Token("") => "its name is empty".to_owned(),
        Problem::Token(token) => format!("it can't be told what ${token} stands for"),
        Problem::Limit(limit) => limit.to_string(),
    }
}
