//! Finding the programs that gb stands in front of.

use std::ffi::OsString;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;

/// The programs of a search path, gb's own links left out.
#[derive(Debug, Clone, Copy)]
pub struct Programs<'a> {
    environment: &'a Environment,
}

impl<'a> Programs<'a> {
    /// Looks in the PATH of this environment.
    pub fn new(environment: &'a Environment) -> Programs<'a> {
        Programs { environment }
    }

    /// Whether PATH has a program of this name, be it a link to gb or not.
    pub fn has(&self, name: &str) -> bool {
        self.all(name).next().is_some()
    }

    /// The first program of this name that is not gb itself: a compiler that calls itself would do so for ever.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let own = std::fs::metadata("/proc/self/exe").map(|m| (m.dev(), m.ino())).ok();
        self.all(name).find(|path| {
            let found = std::fs::metadata(path).map(|m| (m.dev(), m.ino())).ok();
            found.is_some() && found != own
        })
    }

    /// The first program of this name that is in another directory than this one.
    pub fn find_outside(&self, name: &str, dir: &Path) -> Option<PathBuf> {
        let dir = dir.canonicalize().ok();
        self.all(name).find(|path| path.parent().and_then(|parent| parent.canonicalize().ok()) != dir)
    }

    fn all(&self, name: &str) -> impl Iterator<Item = PathBuf> {
        let path = self.environment.search_path();
        // execvp(3) knows no home directories in PATH; the crate does, unless the element starts otherwise.
        let elements = path.as_bytes().split(|b| *b == b':').map(|element| match element {
            [b'~', ..] => [b"./", element].concat(),
            _ => element.to_vec(),
        });
        let path = OsString::from_vec(elements.collect::<Vec<_>>().join(&b':'));
        // Without a working directory only its relative elements are lost.
        let cwd = std::env::current_dir().unwrap_or_else(|_| PathBuf::from("/"));
        which::which_in_all(name, Some(path), cwd).into_iter().flatten()
    }
}
