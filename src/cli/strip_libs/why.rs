//! Why a file is needed: who asked for it, for whom that was loaded, and so on up to the program.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::shown;
use super::taken::MADE;
use crate::closure::words::{by_rule, how, processor};
use crate::closure::{Closure, Why, words};
use crate::error::one_line;
use crate::loader::{Asker, Graph};
use crate::rootfs::{Last, Needs, Root};

/// The reasons, for each program that needs the file; empty if none does.
pub(super) fn write(root: &Root, closure: &Closure, path: &Path) -> String {
    let real = |path: &Path| -> Option<PathBuf> { Some(root.resolve(path, Last::Follow).ok()?.path) };
    let wanted = real(path).unwrap_or_else(|| path.to_owned());
    let is_wanted = |path: &[u8]| real(Path::new(OsStr::from_bytes(path))).as_deref() == Some(&wanted);
    let mut text = String::new();
    for start in &closure.starts {
        let program = shown(start.path.as_os_str().as_bytes());
        let Ok(Needs::Loaded { graphs, .. }) = &start.result else { continue };
        for variant in graphs {
            let graph = &variant.graph;
            let found = graph.objects.iter().position(|object| is_wanted(&object.path));
            let Some(found) = found else { continue };
            let with = one_line(&processor(variant));
            text.push_str(&format!("{program}{with}\n"));
            if found == 0 {
                text.push_str("  is it\n");
            }
            chain(graph, found, &mut text);
        }
    }
    // What no program asks for as its loader does.
    for item in &closure.items {
        let is_told = matches!(item.why, Why::Needed { .. });
        if !is_told && real(&item.path).as_ref() == Some(&wanted) {
            text.push_str(&format!(
                "{}: {}\n",
                shown(item.path.as_os_str().as_bytes()),
                one_line(&item.why.to_string())
            ));
        }
    }
    let made = closure.made.iter().filter(|(made, _)| made == path);
    text.extend(made.map(|(made, _)| format!("{}: {MADE}\n", shown(made.as_os_str().as_bytes()))));
    text
}

fn path_of(graph: &Graph, object: usize) -> String {
    one_line(&words::path_of(graph, object))
}

/// Who asked for an object: all of them; and of the first one the same, up to the program.
fn chain(graph: &Graph, object: usize, text: &mut String) {
    let mut next = object;
    let mut seen = Vec::new();
    while !seen.contains(&next) {
        seen.push(next);
        let path = path_of(graph, next);
        let askers: Vec<_> = graph
            .answers
            .iter()
            .filter(|answer| answer.result.as_ref().is_ok_and(|(found, _)| *found == next))
            .collect();
        let mut asker = None;
        for answer in &askers {
            let Ok((_, rule)) = answer.result else { continue };
            let by = one_line(&words::asker(graph, answer.asker));
            let as_what = how(answer.how).map(|how| format!(" as its {how}")).unwrap_or_default();
            text.push_str(&format!(
                "  {path}: {by} asks for {}{as_what} [{}]\n",
                shown(&answer.name),
                one_line(&by_rule(graph, rule))
            ));
            if let (None, Asker::Object(object)) = (asker, answer.asker) {
                asker = Some(object);
            }
        }
        match asker {
            Some(asker) if asker != 0 => next = asker,
            _ => return,
        }
    }
}
