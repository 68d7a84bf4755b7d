//! Scripts: which program runs them.

use std::collections::VecDeque;
use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::hole::Hole;
use super::words::text;
use crate::rootfs::{Root, script};

/// Where env(1) looks if nobody says (a container's usual PATH).
const SEARCH_PATH: [&str; 6] =
    ["/usr/local/sbin", "/usr/local/bin", "/usr/sbin", "/usr/bin", "/sbin", "/bin"];

/// A program that a script asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Interpreter {
    /// By its path.
    Path(Vec<u8>),
    /// By a name that env(1) looks for in PATH.
    Name(Vec<u8>),
}

/// The programs that a file of a root asks for; none if it can't be read.
pub fn of(root: &Root, file: &Path) -> Vec<Interpreter> {
    script::head(root, file).map(|head| interpreters(&head)).unwrap_or_default()
}

/// The program that a script asks for, in a root.
pub fn find(root: &Root, script: &Path, interpreter: &Interpreter) -> Result<PathBuf, Hole> {
    let place = |name: &[u8]| Path::new("/").join(OsStr::from_bytes(name));
    let hole = |name: &[u8], why: String| Hole::new(script.to_string_lossy(), text(name), why);
    match interpreter {
        Interpreter::Path(name) if !name.starts_with(b"/") => {
            Err(hole(name, "it is no path from the root".to_owned()))
        }
        Interpreter::Path(name) => {
            let found = root.stat(&place(name)).map(|_| place(name));
            found.map_err(|error: io::Error| hole(name, error.to_string()))
        }
        Interpreter::Name(name) => {
            let mut places = SEARCH_PATH.iter().map(|dir| Path::new(dir).join(OsStr::from_bytes(name)));
            places.find(|place| root.stat(place).is_ok()).ok_or_else(|| {
                let searched = vec![format!("PATH: {}", SEARCH_PATH.join(" "))];
                Hole { searched, ..hole(name, "not found".to_owned()) }
            })
        }
    }
}

/// The programs that a file's first line asks for; none of a file that is no script.
///
/// What follows `#!` is a path and at most one argument (`load_script` in fs/binfmt_script.c), which env(1) takes for a name,
/// or with -S for a line.
pub fn interpreters(head: &[u8]) -> Vec<Interpreter> {
    let Some(mut words) = script::words(head) else { return Vec::new() };
    let Some(path) = words.next() else { return Vec::new() };
    let mut found = vec![Interpreter::Path(path.to_vec())];
    if path.rsplit(|byte| *byte == b'/').next() == Some(b"env") {
        found.extend(of_env(words.collect()));
    }
    found
}

/// The program that env(1) is to find: what is neither an option nor a variable.
fn of_env(mut words: VecDeque<&[u8]>) -> Option<Interpreter> {
    while let Some(word) = words.pop_front() {
        match word {
            b"-S"
            | b"--split-string"
            | b"-i"
            | b"-"
            | b"--ignore-environment"
            | b"-v"
            | b"--debug"
            | b"--" => {}
            b"-u" | b"--unset" | b"-C" | b"--chdir" => drop(words.pop_front()),
            word if word.starts_with(b"--split-string=") => {
                words.push_front(word.strip_prefix(b"--split-string=").unwrap_or_default());
            }
            word if word.starts_with(b"-S") => words.push_front(word.get(2..).unwrap_or_default()),
            word if word.starts_with(b"-") || word.contains(&b'=') || word.is_empty() => {}
            word if word.contains(&b'/') => return Some(Interpreter::Path(word.to_vec())),
            word => return Some(Interpreter::Name(word.to_vec())),
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_scripts_interpreters_are_those_that_the_kernel_and_env_would_start() {
        let show = |head: &str| {
            let word = |found: Interpreter| match found {
                Interpreter::Path(path) => String::from_utf8(path).unwrap(),
                Interpreter::Name(name) => format!("PATH:{}", String::from_utf8(name).unwrap()),
            };
            interpreters(head.as_bytes()).into_iter().map(word).collect::<Vec<_>>().join(" ")
        };
        for (head, expected) in [
            ("\x7fELF", ""),
            ("", ""),
            ("#!", ""),
            ("#!\n/bin/sh", ""),
            ("#!/bin/sh", "/bin/sh"),
            ("#! /bin/bash -eu\necho", "/bin/bash"),
            ("#!\t/usr/bin/perl\t-w\n", "/usr/bin/perl"),
            ("#!/usr/bin/env python3\n", "/usr/bin/env PATH:python3"),
            ("#!/usr/bin/env -S FOO=1 -u BAR node --flag\n", "/usr/bin/env PATH:node"),
            ("#!/usr/bin/env -Sbash -e\n", "/usr/bin/env PATH:bash"),
            ("#!/bin/env /opt/tool\n", "/bin/env /opt/tool"),
            ("#!/usr/bin/env\n", "/usr/bin/env"),
            ("#!relative\n", "relative"),
        ] {
            assert_eq!(show(head), expected, "{head:?}");
        }
    }
}
