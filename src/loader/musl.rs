//! musl's loader (`load_library`, `path_open`, `fixup_rpath` and `load_deps` in ldso/dynlink.c).
//!
//! It loads breadth first, too. RPATH and RUNPATH are one, and count for what the objects load that are loaded for the one
//! that has it. There is no cache, no variant for a processor, no check of versions; the C library is the loader itself.

use std::collections::HashMap;
use std::rc::Rc;

use nix::errno::Errno;

use super::files::{FileId, Opened};
use super::graph::{Answer, Asker, Graph, How, Limit, Object, Outcome, Place, Problem, Rule, Try};
use super::own::{Musl, Own};
use super::paths::{absolute, directory_of, join};
use super::search::{MOST_TRIES, dynamic};
use super::tokens::Tokens;
use super::verify::{Machine, Verdict};
use super::{Files, Program, Settings};
use crate::elf::RequestKind;

const MOST_OBJECTS: usize = 1 << 14;
const PROGRAM: usize = 0;
const LOADER: usize = 1;
/// The names of libraries that are parts of the C library here, in whatever version: `libc.`, `libpthread.` …
const RESERVED: [&[u8]; 7] = [b"c.", b"pthread.", b"rt.", b"m.", b"dl.", b"util.", b"xnet."];
const USUAL_PATH: &[u8] = b"/lib:/usr/local/lib:/usr/lib";
/// The longest name of a file (limits.h).
const NAME_MAX: usize = 255;

struct Loading<'a> {
    files: &'a dyn Files,
    machine: Machine<'a>,
    settings: &'a Settings,
    is_secure: bool,
    /// The directories of the system, read when they are first needed.
    system: Vec<u8>,
    graph: Graph,
    /// The objects by the last part of the path that a search found them at.
    by_name: HashMap<Vec<u8>, usize>,
    by_file: HashMap<FileId, usize>,
    tries_left: usize,
}

pub(super) fn resolve(
    files: &dyn Files,
    own: &Own,
    loader: &Musl,
    program: &Program<'_>,
    settings: &Settings,
) -> Graph {
    let system = match files.contents(&loader.path_file) {
        Ok(text) => text.split(|byte| *byte == 0).next().unwrap_or_default().to_vec(),
        Err(Errno::ENOENT) => USUAL_PATH.to_vec(),
        Err(_) => Vec::new(),
    };
    let mut loading = Loading {
        files,
        machine: Machine::of(own),
        settings,
        is_secure: program.is_secure,
        system,
        graph: Graph::default(),
        by_name: HashMap::new(),
        by_file: HashMap::new(),
        tries_left: MOST_TRIES,
    };
    let origin = directory_of(program.real_path.unwrap_or(program.path)).to_vec();
    loading.graph.objects.push(Object {
        path: program.path.to_vec(),
        id: program.id,
        elf: Rc::clone(&program.elf),
        names: Vec::new(),
        parent: None,
        origin,
    });
    let result = match files.open(&own.path).map(|opened| (opened.id, opened.elf)) {
        Ok((id, Ok(elf))) => {
            let origin = directory_of(&own.path).to_vec();
            let path = own.path.clone();
            let names = vec![own.path.clone()];
            loading.by_file.insert(id, LOADER);
            loading.graph.objects.push(Object { path, id, elf, names, parent: None, origin });
            Ok((LOADER, Rule::Found(Place::Path)))
        }
        Ok((_, Err(error))) => Err(Problem::Fatal { path: own.path.clone(), why: error.to_string() }),
        Err(_) => Err(Problem::NotFound),
    };
    let is_there = result.is_ok();
    loading.graph.answers.push(Answer {
        asker: Asker::Object(PROGRAM),
        how: How::Interpreter,
        name: own.path.clone(),
        tried: Vec::new(),
        result,
    });
    if is_there {
        loading.load_all();
    }
    loading.graph
}

impl Loading<'_> {
    fn load_all(&mut self) {
        let mut index = 0;
        while let Some(elf) = self.graph.objects.get(index).map(|object| Rc::clone(&object.elf)) {
            for request in dynamic(&elf).map(|dynamic| dynamic.requests.as_slice()).unwrap_or_default() {
                // musl knows no filters.
                if request.kind == RequestKind::Needed {
                    self.load(index, How::Request(request.kind), &request.name);
                }
                if self.graph.limit.is_some() {
                    return;
                }
            }
            index += 1;
        }
    }

    fn load(&mut self, asker: usize, how: How, name: &[u8]) {
        let mut tried = Vec::new();
        let result = self.find(asker, name, &mut tried);
        if let Err(Problem::Limit(limit)) = result {
            self.graph.limit = Some(limit);
        }
        self.graph.answers.push(Answer {
            asker: Asker::Object(asker),
            how,
            name: name.to_vec(),
            tried,
            result,
        });
    }

    fn find(&mut self, asker: usize, name: &[u8], tried: &mut Vec<Try>) -> Result<(usize, Rule), Problem> {
        if is_reserved(name) || self.graph.objects.get(LOADER).is_some_and(|loader| loader.path == name) {
            self.name(LOADER, name);
            return Ok((LOADER, Rule::Itself));
        }
        let has_path = name.contains(&b'/');
        let hit = match has_path {
            true => self.open(name, Place::Path, tried)?.ok(),
            false => {
                if let Some(index) = self.by_name.get(name).copied() {
                    return Ok((index, Rule::Name));
                }
                match name.len() <= NAME_MAX && !name.is_empty() {
                    true => self.search(asker, name, tried)?,
                    false => None,
                }
            }
        };
        let (path, opened, place) = hit.ok_or(Problem::NotFound)?;
        let short = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default().to_vec();
        if let Some(index) = self.by_file.get(&opened.id).copied() {
            if !has_path && !self.by_name.values().any(|known| *known == index) {
                self.by_name.insert(short, index);
            }
            self.name(index, name);
            return Ok((index, Rule::SameFile(place)));
        }
        let elf = match self.machine.musl(opened.elf.as_ref().map(AsRef::as_ref)) {
            Verdict::Fits => opened.elf.map_err(|_| Problem::NotFound)?,
            Verdict::Skip(why) => return Err(fatal(tried, path, why.to_owned())),
            Verdict::Fatal(why) => return Err(fatal(tried, path, why)),
        };
        let index = self.graph.objects.len();
        if index == MOST_OBJECTS {
            return Err(Problem::Limit(Limit::Objects(MOST_OBJECTS)));
        }
        if !has_path {
            self.by_name.entry(short).or_insert(index);
        }
        self.by_file.insert(opened.id, index);
        let origin = directory_of(&path).to_vec();
        self.graph.objects.push(Object {
            path,
            id: opened.id,
            elf,
            names: Vec::new(),
            parent: Some(asker),
            origin,
        });
        self.name(index, name);
        Ok((index, Rule::Found(place)))
    }

    /// LD_LIBRARY_PATH, the paths of the object and of those that it was loaded for, and the system's.
    fn search(&mut self, asker: usize, name: &[u8], tried: &mut Vec<Try>) -> Result<Option<Hit>, Problem> {
        let mut lists = Vec::new();
        let library_path = self.settings.library_path.clone().filter(|_| !self.is_secure);
        lists.extend(library_path.map(|list| (list, Place::LibraryPath)));
        let mut next = Some(asker);
        let mut seen = Vec::new();
        while let Some((index, object)) = next.and_then(|index| Some((index, self.graph.objects.get(index)?)))
        {
            seen.push(index);
            let dynamic = dynamic(&object.elf);
            let text = dynamic.and_then(|dynamic| dynamic.runpath.as_ref().or(dynamic.rpath.as_ref()));
            // "The pathname is under the control of the caller of execve" (fixup_rpath).
            let origin = Some(object.origin.as_slice()).filter(|_| index != PROGRAM || !self.is_secure);
            if let Some(list) = text.and_then(|text| origin_in(text, origin)) {
                lists.push((list, Place::Rpath(index)));
            }
            next = object.parent.filter(|parent| !seen.contains(parent));
        }
        lists.push((self.system.clone(), Place::System));
        for (list, place) in lists {
            for directory in list.split(|byte| b":\n".contains(byte)).filter(|part| !part.is_empty()) {
                match self.open(&join(&[directory, b"/", name]), place, tried)? {
                    Ok(hit) => return Ok(Some(hit)),
                    Err(Errno::ENOENT | Errno::ENOTDIR | Errno::EACCES | Errno::ENAMETOOLONG) => {}
                    // Any other ends the whole search.
                    Err(_) => return Ok(None),
                }
            }
        }
        Ok(None)
    }

    fn open(
        &mut self,
        path: &[u8],
        place: Place,
        tried: &mut Vec<Try>,
    ) -> Result<Result<Hit, Errno>, Problem> {
        self.tries_left = self.tries_left.saturating_sub(1);
        if self.tries_left == 0 {
            return Err(Problem::Limit(Limit::Tries(MOST_TRIES)));
        }
        let Some(path) = absolute(path, self.settings.directory.as_deref()) else {
            let outcome = Outcome::Skipped(super::paths::NO_DIRECTORY);
            tried.push(Try { path: path.to_vec(), place, outcome });
            return Ok(Err(Errno::ENOENT));
        };
        let opened = self.files.open(&path);
        let outcome = opened.as_ref().map_or_else(|errno| Outcome::Errno(*errno), |_| Outcome::Found);
        tried.push(Try { path: path.clone(), place, outcome });
        Ok(opened.map(|opened| (path, opened, place)))
    }

    fn name(&mut self, index: usize, name: &[u8]) {
        let object = self.graph.objects.get_mut(index);
        if let Some(object) = object.filter(|object| !object.names.iter().any(|known| known == name)) {
            object.names.push(name.to_vec());
        }
    }
}

/// A file that was found: its path as opened, and where.
type Hit = (Vec<u8>, Opened, Place);

fn fatal(tried: &mut [Try], path: Vec<u8>, why: String) -> Problem {
    if let Some(last) = tried.last_mut() {
        last.outcome = Outcome::Fatal(why.clone());
    }
    Problem::Fatal { path, why }
}

fn is_reserved(name: &[u8]) -> bool {
    let rest = name.strip_prefix(b"lib");
    rest.is_some_and(|rest| RESERVED.iter().any(|reserved| rest.starts_with(reserved)))
}

/// The paths of an object with `$ORIGIN` put in, which is the only token: with any other one all of them are dropped.
fn origin_in(text: &[u8], origin: Option<&[u8]>) -> Option<Vec<u8>> {
    if !text.contains(&b'$') {
        return Some(text.to_vec());
    }
    let mut after = text.split(|byte| *byte == b'$').skip(1);
    let all = after.all(|rest| rest.starts_with(b"ORIGIN") || rest.starts_with(b"{ORIGIN}"));
    // Here `$ORIGINAL` is `$ORIGIN` and `AL`.
    let braced =
        text.split(|byte| *byte == b'$').enumerate().map(|(at, part)| match part.strip_prefix(b"ORIGIN") {
            Some(rest) if at > 0 => join(&[b"{ORIGIN}", rest]),
            _ => part.to_vec(),
        });
    let braced = braced.collect::<Vec<_>>().join(&b'$');
    let tokens = Tokens { origin, ..Tokens::default() };
    all.then(|| tokens.expand(&braced).ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn origin_is_the_only_token_and_any_other_drops_the_whole_list() {
        for (text, expected) in [
            ("/a:/b", Some("/a:/b")),
            ("$ORIGIN/../lib:/b", Some("/o/../lib:/b")),
            ("${ORIGIN}:$ORIGINAL", Some("/o:/oAL")),
            ("$ORIGIN:/$LIB", None),
            ("$", None),
        ] {
            let found = origin_in(text.as_bytes(), Some(b"/o"));
            assert_eq!(found, expected.map(|text| text.as_bytes().to_vec()), "{text}");
        }
    }

    #[test]
    fn the_parts_of_the_c_library_are_the_loader_in_every_version() {
        for (name, expected) in [
            ("libc.so", true),
            ("libc.so.6", true),
            ("libc.musl-x86_64.so.1", true),
            ("libpthread.so.0", true),
            ("libm.so.6", true),
            ("libcrypto.so.3", false),
            ("libc++.so.1", false),
            ("libmagic.so.1", false),
        ] {
            assert_eq!(is_reserved(name.as_bytes()), expected, "{name}");
        }
    }
}
