//! The order in which glibc's loader loads objects: breadth first (`_dl_map_object_deps` in elf/dl-deps.c).
//!
//! The order decides. Who asks for a name first determines the file for everybody.

use std::collections::HashMap;
use std::rc::Rc;

use super::files::FileId;
use super::graph::{Answer, Asker, Graph, How, Limit, Object, Problem, Rule};
use super::own::{Glibc, Own};
use super::paths::{self, directory_of};
use super::search::{MOST_TRIES, Search, dynamic};
use super::tokens::Tokens;
use super::verify::Machine;
use super::versions;
use super::{Files, Program, Settings};
use crate::elf::RequestKind;

/// More than any real program loads.
const MOST_OBJECTS: usize = 1 << 14;
const PRELOAD_FILE: &[u8] = b"/etc/ld.so.preload";
/// The program, and its loader.
const PROGRAM: usize = 0;
const LOADER: usize = 1;

/// What is loaded together: names mean the same to all of it.
#[derive(Default)]
struct Namespace {
    /// Objects in the order in which they are searched for symbols; what they ask for is loaded in it.
    order: Vec<usize>,
    by_name: HashMap<Vec<u8>, usize>,
    by_soname: HashMap<Vec<u8>, usize>,
    by_file: HashMap<FileId, usize>,
}

struct Loading<'a> {
    search: Search<'a>,
    graph: Graph,
}

pub(super) fn resolve(
    files: &dyn Files,
    own: &Own,
    loader: &Glibc,
    program: &Program<'_>,
    settings: &Settings,
) -> Graph {
    let origin = directory_of(program.real_path.unwrap_or(program.path)).to_vec();
    let tokens = Tokens {
        origin: Some(&origin),
        lib: Some(&loader.lib),
        platform: settings.platform.as_deref(),
        ..Tokens::default()
    };
    // A variable of the caller's (unsecure_envvars in sysdeps/generic/unsecvars.h).
    let library_path = settings.library_path.as_deref().filter(|_| !program.is_secure).unwrap_or_default();
    let cache = files.contents(&loader.cache).ok();
    let cache = cache.and_then(|bytes| files.cache(&bytes, own.header.data));
    let search = Search {
        files,
        machine: Machine::of(own),
        loader,
        settings,
        cache,
        cache_flags: own.abi.loading.cache,
        is_secure: program.is_secure,
        library_path: paths::list(library_path, b":;", &tokens, settings.directory.as_deref()),
        tries_left: MOST_TRIES,
    };
    let mut loading = Loading { search, graph: Graph::default() };
    loading.graph.objects.push(Object {
        path: program.path.to_vec(),
        id: program.id,
        elf: Rc::clone(&program.elf),
        names: Vec::new(),
        parent: None,
        origin,
    });
    let mut namespace = Namespace::default();
    if program.real_path.is_none() {
        namespace.by_name.insert(program.path.to_vec(), PROGRAM);
    }
    if let Some(soname) = program.elf.soname() {
        namespace.by_soname.insert(soname.to_vec(), PROGRAM);
    }
    namespace.order.push(PROGRAM);
    loading.load_loader(own, &mut namespace);
    loading.preload(&mut namespace);
    loading.load_requests(&mut namespace);
    loading.audit(own);
    loading.graph
}

impl Loading<'_> {
    /// The loader is there before everything else, and known by the program's name for it and its own.
    fn load_loader(&mut self, own: &Own, namespace: &mut Namespace) {
        let opened = self.search.files.open(&own.path);
        let problem = match opened {
            Ok(opened) => match opened.elf {
                Ok(elf) => {
                    let mut names = vec![own.path.clone()];
                    names.extend(own.soname.clone().filter(|soname| *soname != own.path));
                    for name in &names {
                        namespace.by_name.entry(name.clone()).or_insert(LOADER);
                    }
                    let origin = directory_of(&own.path).to_vec();
                    let path = own.path.clone();
                    self.graph.objects.push(Object { path, id: opened.id, elf, names, parent: None, origin });
                    None
                }
                Err(error) => Some(Problem::Fatal { path: own.path.clone(), why: error.to_string() }),
            },
            Err(_) => Some(Problem::NotFound),
        };
        let result = match problem {
            None => Ok((LOADER, Rule::Found(super::Place::Path))),
            Some(problem) => Err(problem),
        };
        let answer = Answer {
            asker: Asker::Object(PROGRAM),
            how: How::Interpreter,
            name: own.path.clone(),
            tried: Vec::new(),
            result,
        };
        self.graph.answers.push(answer);
    }

    fn preload(&mut self, namespace: &mut Namespace) {
        let file = self.search.files.contents(PRELOAD_FILE).unwrap_or_default();
        // Comments go to the end of their line.
        let lines = file.split(|byte| *byte == b'\n');
        let lines = lines.map(|line| line.split(|byte| *byte == b'#').next().unwrap_or_default());
        let listed = lines.flat_map(|line| line.split(|byte| b" \t:".contains(byte)));
        let mut found = Vec::new();
        for name in listed.filter(|name| !name.is_empty()) {
            found.extend(self.load(namespace, Asker::PreloadFile, How::Preload, name));
        }
        for index in found {
            if !namespace.order.contains(&index) {
                namespace.order.push(index);
            }
        }
    }

    /// Loads what the objects of a namespace ask for, and what that asks for.
    fn load_requests(&mut self, namespace: &mut Namespace) {
        let mut at = 0;
        let mut done = vec![false; self.graph.objects.len()];
        while let Some(index) = namespace.order.get(at).copied() {
            done.resize(self.graph.objects.len().max(index + 1), false);
            match done.get_mut(index) {
                Some(done) if !*done => *done = true,
                _ => {
                    at += 1;
                    continue;
                }
            }
            let Some(elf) = self.graph.objects.get(index).map(|object| Rc::clone(&object.elf)) else {
                return;
            };
            // Where the object itself is: what it filters is put before it, and is the next to be looked at.
            let mut place = at;
            for request in dynamic(&elf).map(|dynamic| dynamic.requests.as_slice()).unwrap_or_default() {
                let found =
                    self.load(namespace, Asker::Object(index), How::Request(request.kind), &request.name);
                if self.graph.limit.is_some() {
                    return;
                }
                let Some(found) = found else { continue };
                let before = namespace.order.iter().position(|other| *other == found);
                match (request.kind, before) {
                    (RequestKind::Needed, None) => namespace.order.push(found),
                    (RequestKind::Needed, Some(_)) => {}
                    (_, Some(before)) if before <= place => {}
                    (_, before) => {
                        if let Some(before) = before {
                            namespace.order.remove(before);
                        }
                        namespace.order.insert(place, found);
                        place += 1;
                    }
                }
            }
        }
        let mut scope = namespace.order.clone();
        if !scope.contains(&LOADER) && self.graph.objects.len() > LOADER {
            scope.push(LOADER);
        }
        let missing = versions::missing(&self.graph.objects, &scope, &self.graph.answers);
        self.graph.missing_versions.extend(missing);
    }

    /// Loads the libraries that watch the loader, each apart from the program and with libraries of its own.
    fn audit(&mut self, own: &Own) {
        let Some(dynamic) = self.graph.objects.first().and_then(|object| object.elf.dynamic.clone()) else {
            return;
        };
        let lists = [dynamic.audit, dynamic.dep_audit].into_iter().flatten();
        let names: Vec<_> = lists
            .flat_map(|list| list.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect::<Vec<_>>())
            .collect();
        // dso_name_valid_for_suid in elf/rtld.c
        let is_taken = |name: &&Vec<u8>| !(name.is_empty() || self.search.is_secure && name.contains(&b'/'));
        let names: Vec<_> = names.iter().filter(is_taken).collect();
        for name in names {
            let mut namespace = Namespace::default();
            for name in [Some(&own.path), own.soname.as_ref()].into_iter().flatten() {
                namespace.by_name.insert(name.clone(), LOADER);
            }
            if let Some(index) = self.load(&mut namespace, Asker::Object(PROGRAM), How::Audit, name) {
                namespace.order.push(index);
                self.load_requests(&mut namespace);
            }
        }
    }

    /// Loads what is asked for, if it is not loaded; its index.
    fn load(&mut self, namespace: &mut Namespace, asker: Asker, how: How, name: &[u8]) -> Option<usize> {
        let mut answer =
            Answer { asker, how, name: name.to_vec(), tried: Vec::new(), result: Err(Problem::NotFound) };
        answer.result = self.find(namespace, asker.object(), &mut answer);
        if let Err(Problem::Limit(limit)) = answer.result {
            self.graph.limit = Some(limit);
        }
        let found = answer.result.as_ref().ok().map(|(index, _)| *index);
        self.graph.answers.push(answer);
        found
    }

    fn find(
        &mut self,
        namespace: &mut Namespace,
        asker: usize,
        answer: &mut Answer,
    ) -> Result<(usize, Rule), Problem> {
        let object = self.graph.objects.get(asker).ok_or(Problem::NotFound)?;
        // Tokens come first, also in a name that is looked for in directories.
        let name = match (&answer.how, answer.name.contains(&b'$')) {
            (How::Request(_), true) => {
                let tokens = self.search.tokens(object);
                let name = tokens.expand(&answer.name).map_err(Problem::Token)?;
                if self.search.is_secure && name != answer.name {
                    let why = "a program with rights of its own may not have tokens in names".to_owned();
                    return Err(Problem::Fatal { path: answer.name.clone(), why });
                }
                name
            }
            _ => answer.name.clone(),
        };
        if name.is_empty() && matches!(answer.how, How::Request(_)) && !answer.name.is_empty() {
            return Err(Problem::Token(""));
        }
        let by_name = namespace.by_name.get(&name);
        let by_soname = namespace.by_soname.get(&name);
        match (by_name, by_soname) {
            // The one that was loaded first.
            (Some(named), soname) if soname.is_none_or(|soname| named <= soname) => {
                return Ok((*named, Rule::Name));
            }
            (_, Some(index)) => {
                let index = *index;
                self.name(namespace, index, name);
                return Ok((index, Rule::Soname));
            }
            _ => {}
        }
        let is_audit = answer.how == How::Audit;
        let mut look = self.search.look(&name);
        let found = look.find(&self.graph.objects, asker, PROGRAM, is_audit);
        answer.tried = look.tried;
        let (path, opened, place) = found?.ok_or(Problem::NotFound)?;
        if let Some(index) = namespace.by_file.get(&opened.id).copied() {
            self.name(namespace, index, name);
            return Ok((index, Rule::SameFile(place)));
        }
        let Ok(elf) = opened.elf else { return Err(Problem::NotFound) };
        let index = self.graph.objects.len();
        if index == MOST_OBJECTS {
            return Err(Problem::Limit(Limit::Objects(MOST_OBJECTS)));
        }
        if let Some(soname) = elf.soname() {
            namespace.by_soname.entry(soname.to_vec()).or_insert(index);
        }
        namespace.by_file.insert(opened.id, index);
        let origin = directory_of(&path).to_vec();
        let parent = (!is_audit).then_some(asker);
        // Its path is one of its names.
        namespace.by_name.entry(path.clone()).or_insert(index);
        self.graph.objects.push(Object { path, id: opened.id, elf, names: Vec::new(), parent, origin });
        self.name(namespace, index, name);
        Ok((index, Rule::Found(place)))
    }

    /// Records a name by which an object was asked for.
    fn name(&mut self, namespace: &mut Namespace, index: usize, name: Vec<u8>) {
        let known = namespace.by_name.entry(name.clone()).or_insert(index);
        *known = (*known).min(index);
        if let Some(object) = self.graph.objects.get_mut(index).filter(|object| !object.names.contains(&name))
        {
            object.names.push(name);
        }
    }
}
