//! Whether every version of a symbol that is asked for is there (`_dl_check_map_versions` and `match_symbol` in glibc's
//! elf/dl-version.c). musl does not ask.

use super::graph::{Answer, MissingVersion, Object};

/// The versions that are missing, of the objects of a namespace.
pub(super) fn missing(objects: &[Object], scope: &[usize], answers: &[Answer]) -> Vec<MissingVersion> {
    let mut missing = Vec::new();
    let in_scope = || scope.iter().filter_map(|index| Some((*index, objects.get(*index)?)));
    for (asker, object) in in_scope() {
        let Some(dynamic) = &object.elf.dynamic else { continue };
        for needed in &dynamic.needed_versions {
            let named =
                |object: &Object| object.names.contains(&needed.library) || object.path == needed.library;
            let found = in_scope().find(|(_, object)| named(object));
            let defined = match found.map(|(_, object)| object.elf.dynamic.as_ref()) {
                None if answers.iter().any(|a| a.result.is_err() && a.name == needed.library) => continue,
                // Nobody has asked for the library: glibc ends on an assertion.
                None => None,
                // A library without any versions passes for one that has them all.
                Some(dynamic) => match dynamic.and_then(|dynamic| dynamic.defined_versions.as_ref()) {
                    Some(defined) => Some(defined),
                    None => continue,
                },
            };
            for version in needed.versions.iter().filter(|version| !version.is_weak) {
                if defined.is_none_or(|defined| !defined.contains(&version.name)) {
                    missing.push(MissingVersion {
                        asker,
                        library: needed.library.clone(),
                        version: version.name.clone(),
                        object: found.map(|(index, _)| index),
                    });
                }
            }
        }
    }
    missing
}
