//! Who needs what, as a tree: each file where it was asked for first, as the loader goes about it.

use super::shown;
use crate::closure::words::{by_rule, how, path_of, problem_of, processor};
use crate::error::one_line;
use crate::loader::{Graph, Rule};
use crate::rootfs::{Needs, Start};

pub(super) fn write(starts: &[Start]) -> String {
    let mut text = String::new();
    for start in starts {
        text.push_str(&shown(start.path.as_os_str().as_encoded_bytes()));
        match &start.result {
            Ok(Needs::Nothing) => text.push_str(": needs no other file\n"),
            Ok(Needs::Interpreter(path)) => {
                text.push_str(&format!(": a script of {}\n", shown(path.as_os_str().as_encoded_bytes())));
            }
            Ok(Needs::Loaded { graphs, .. }) => {
                for variant in graphs {
                    let graph = &variant.graph;
                    let with = one_line(&processor(variant));
                    // The first one stands behind the program.
                    text.push_str(if text.ends_with('\n') { with.trim_start() } else { &with });
                    text.push('\n');
                    branch(graph, 0, 1, &mut vec![false; graph.objects.len()], &mut text);
                }
            }
            Err(error) => text.push_str(&format!(": {}\n", one_line(&error.to_string()))),
        }
    }
    text
}

/// Writes what an object has asked for.
fn branch(graph: &Graph, object: usize, depth: usize, done: &mut [bool], text: &mut String) {
    if let Some(done) = done.get_mut(object) {
        *done = true;
    }
    for answer in graph.answers.iter().filter(|answer| answer.asker.object() == object) {
        text.push_str(&"  ".repeat(depth));
        text.push_str(&shown(&answer.name));
        if let Some(how) = how(answer.how) {
            text.push_str(&format!(" ({how})"));
        }
        match &answer.result {
            Ok((found, rule)) => {
                let path = one_line(&path_of(graph, *found));
                if path != shown(&answer.name) {
                    text.push_str(&format!(" => {path}"));
                }
                text.push_str(&format!(" [{}]\n", one_line(&by_rule(graph, *rule))));
                // Below the one that it was loaded for. (None is as deep as that; --list leaves nothing out.)
                let is_here = matches!(rule, Rule::Found(_)) && done.get(*found) == Some(&false);
                if is_here && depth < 64 {
                    branch(graph, *found, depth + 1, done, text);
                }
            }
            Err(problem) => text.push_str(&format!(": {}\n", one_line(&problem_of(problem)))),
        }
    }
}
