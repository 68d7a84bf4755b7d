//! Looking for a file by glibc's rules: one list of directories after the other, the first hit wins (`_dl_map_object` and
//! `open_path` in glibc's elf/dl-load.c).

use std::rc::Rc;

use nix::errno::Errno;

use super::Settings;
use super::cache::Cache;
use super::files::{Files, Opened};
use super::graph::{Limit, Object, Outcome, Place, Problem, Try};
use super::own::Glibc;
use super::paths::{self, Directory, absolute, join};
use super::tokens::{Tokens, Trust};
use super::verify::{Machine, Verdict};
use crate::elf::{Dynamic, Elf};

/// A file that was found: its path as opened, and where.
pub(super) type Hit = (Vec<u8>, Opened, Place);

/// What does not change while a program is loaded.
pub(super) struct Search<'a> {
    pub(super) files: &'a dyn Files,
    pub(super) machine: Machine<'a>,
    pub(super) loader: &'a Glibc,
    pub(super) settings: &'a Settings,
    /// None where there is none that can be used.
    pub(super) cache: Option<Rc<Cache>>,
    /// The kind and ABI of the entries in it that are for this loader.
    pub(super) cache_flags: u32,
    /// Whether the program runs with other rights than its caller.
    pub(super) is_secure: bool,
    /// LD_LIBRARY_PATH
    pub(super) library_path: Vec<Directory>,
    /// How many paths may still be tried.
    pub(super) tries_left: usize,
}

/// DT_FLAGS_1: the loader's own directories are not looked in.
const DF_1_NODEFLIB: u64 = 0x800;
/// A hundred times what the largest programs need.
pub(super) const MOST_TRIES: usize = 200_000;

/// One look for a name.
pub(super) struct Look<'s, 'a> {
    search: &'s mut Search<'a>,
    name: &'s [u8],
    pub(super) tried: Vec<Try>,
}

/// How the look goes on after a list of directories.
type Step = Result<Option<Hit>, Problem>;

impl<'a> Search<'a> {
    pub(super) fn tokens<'t>(&'t self, object: &'t Object) -> Tokens<'t> {
        let trust = Trust {
            directories: &self.loader.directories,
            is_program: object.parent.is_none() && object.elf.interpreter.is_some(),
        };
        Tokens {
            origin: Some(&object.origin),
            lib: Some(&self.loader.lib),
            platform: self.settings.platform.as_deref(),
            trust: self.is_secure.then_some(trust),
        }
    }

    pub(super) fn look<'s>(&'s mut self, name: &'s [u8]) -> Look<'s, 'a> {
        Look { search: self, name, tried: Vec::new() }
    }

    fn list(&self, text: &[u8], object: &Object) -> Vec<Directory> {
        paths::list(text, b":", &self.tokens(object), self.settings.directory.as_deref())
    }
}

pub(super) fn dynamic(elf: &Elf) -> Option<&Dynamic> {
    elf.dynamic.as_ref()
}

/// DT_RPATH, unless there is DT_RUNPATH, which takes its place.
fn rpath(object: &Object) -> Option<&[u8]> {
    dynamic(&object.elf)
        .filter(|dynamic| dynamic.runpath.is_none())
        .and_then(|dynamic| dynamic.rpath.as_deref())
}

fn runpath(object: &Object) -> Option<&[u8]> {
    dynamic(&object.elf).and_then(|dynamic| dynamic.runpath.as_deref())
}

impl Look<'_, '_> {
    /// Looks for a name on behalf of an object. `program` is the index of the program, whose RPATH counts for all; for an
    /// audit library its RUNPATH does, too.
    pub(super) fn find(&mut self, objects: &[Object], asker: usize, program: usize, is_audit: bool) -> Step {
        let Some(object) = objects.get(asker) else { return Err(Problem::NotFound) };
        if self.name.contains(&b'/') {
            let path = match self.search.tokens(object).expand(self.name) {
                Ok(path) if !path.is_empty() => path,
                Ok(_) => return Err(Problem::Token("")),
                Err(token) => return Err(Problem::Token(token)),
            };
            return self.try_path(&path, Place::Path).map(|found| found.ok());
        }
        if is_audit || runpath(object).is_none() {
            if let Some(hit) = self.by_rpaths(objects, asker, program, is_audit)? {
                return Ok(Some(hit));
            }
        }
        let library_path = std::mem::take(&mut self.search.library_path);
        let hit = self.in_directories(&library_path, Place::LibraryPath);
        self.search.library_path = library_path;
        if let Some(hit) = hit? {
            return Ok(Some(hit));
        }
        if let Some(text) = runpath(object).filter(|_| !is_audit) {
            let directories = self.search.list(text, object);
            if let Some(hit) = self.in_directories(&directories, Place::Runpath(asker))? {
                return Ok(Some(hit));
            }
        }
        let no_system =
            dynamic(&object.elf).is_some_and(|dynamic| dynamic.flags_1 & DF_1_NODEFLIB != 0) && !is_audit;
        if let Some(hit) = self.in_cache(no_system)? {
            return Ok(Some(hit));
        }
        if no_system {
            return Ok(None);
        }
        let system: Vec<_> = self.search.loader.directories.iter().cloned().map(Directory::At).collect();
        self.in_directories(&system, Place::System)
    }

    /// The RPATHs of the object, of the one that it was loaded for, and so on, and at last the program's.
    fn by_rpaths(&mut self, objects: &[Object], asker: usize, program: usize, is_audit: bool) -> Step {
        let mut chain = Vec::new();
        let mut next = if is_audit { None } else { Some(asker) };
        while let Some((index, object)) = next.and_then(|index| Some((index, objects.get(index)?))) {
            chain.push(index);
            next = object.parent.filter(|parent| !chain.contains(parent));
        }
        if !chain.contains(&program) {
            chain.push(program);
        }
        for index in chain {
            let Some(object) = objects.get(index) else { continue };
            if let Some(text) = rpath(object) {
                let directories = self.search.list(text, object);
                if let Some(hit) = self.in_directories(&directories, Place::Rpath(index))? {
                    return Ok(Some(hit));
                }
            }
        }
        if let Some((object, text)) =
            objects.get(program).filter(|_| is_audit).and_then(|object| Some((object, runpath(object)?)))
        {
            let directories = self.search.list(text, object);
            return self.in_directories(&directories, Place::Runpath(program));
        }
        Ok(None)
    }

    fn in_cache(&mut self, no_system: bool) -> Step {
        let Some(cache) = self.search.cache.clone() else { return Ok(None) };
        let Some(entry) = cache.find(self.name, self.search.cache_flags, &self.search.settings.hwcaps) else {
            return Ok(None);
        };
        let is_of_system =
            || self.search.loader.directories.iter().any(|system| entry.path.starts_with(system));
        if no_system && is_of_system() {
            return Ok(None);
        }
        Ok(self.try_path(&entry.path, Place::Cache)?.ok())
    }

    /// Looks in directories one after the other, in each first in those of glibc-hwcaps.
    fn in_directories(&mut self, directories: &[Directory], place: Place) -> Step {
        for directory in directories {
            let directory = match directory {
                Directory::At(directory) => directory,
                Directory::Unknown { text, why } => {
                    self.tried.push(Try { path: text.clone(), place, outcome: Outcome::Skipped(why) });
                    continue;
                }
            };
            let mut last = Errno::ENOENT;
            let hwcaps: &[Vec<u8>] =
                if self.search.loader.hwcaps.is_empty() { &[] } else { &self.search.settings.hwcaps };
            let hwcaps = hwcaps.iter().map(|hwcap| join(&[directory, b"glibc-hwcaps/", hwcap, b"/"]));
            let places: Vec<_> = hwcaps.chain([directory.clone()]).collect();
            for at in &places {
                match self.try_path(&join(&[at, self.name]), place)? {
                    Ok(hit) => return Ok(Some(hit)),
                    Err(errno) => last = errno,
                }
            }
            // "The file exists and is readable, but something went wrong": this list is at its end.
            let goes_on = matches!(last, Errno::ENOENT | Errno::EACCES);
            if !goes_on && places.iter().any(|at| self.search.files.is_directory(at)) {
                return Ok(None);
            }
        }
        Ok(None)
    }

    /// Tries a path. `Err` of the inner result: how it can't be opened, which being passed over counts as (ENOENT).
    fn try_path(&mut self, path: &[u8], place: Place) -> Result<Result<Hit, Errno>, Problem> {
        self.search.tries_left = self.search.tries_left.saturating_sub(1);
        if self.search.tries_left == 0 {
            return Err(Problem::Limit(Limit::Tries(MOST_TRIES)));
        }
        let Some(path) = absolute(path, self.search.settings.directory.as_deref()) else {
            let outcome = Outcome::Skipped(paths::NO_DIRECTORY);
            self.tried.push(Try { path: path.to_vec(), place, outcome });
            return Ok(Err(Errno::ENOENT));
        };
        let (outcome, result) = match self.search.files.open(&path) {
            Err(errno) => (Outcome::Errno(errno), Ok(Err(errno))),
            Ok(opened) => {
                let elf = opened.elf.as_ref().map(AsRef::as_ref);
                match self.search.machine.glibc(self.search.loader, elf) {
                    Verdict::Fits => (Outcome::Found, Ok(Ok((path.clone(), opened, place)))),
                    Verdict::Skip(why) => (Outcome::Skipped(why), Ok(Err(Errno::ENOENT))),
                    Verdict::Fatal(why) => {
                        let problem = Problem::Fatal { path: path.clone(), why: why.clone() };
                        (Outcome::Fatal(why), Err(problem))
                    }
                }
            }
        };
        self.tried.push(Try { path, place, outcome });
        result
    }
}
