//! Everything that programs of a root need, each file with its reason.

use std::collections::{HashSet, VecDeque};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::hole::{Hole, searched};
use super::profile::BASE;
use super::request::Request;
use super::why::Why;
use super::words::{by_rule, path_of, text};
use super::{base, data};
use crate::elf::ElfError;
use crate::loader::{
    Answer, Cache, Entry, FileId, Graph, How, Hwcap, Kind, Object, Own, Place, Rule, Settings, write_cache,
};
use crate::rootfs::{self, Finder, Last, Made, Needs, Root, Start, StartError, Variant};

/// What is needed, and what is not there.
#[derive(Debug, Default)]
pub struct Closure {
    /// Files and directories by their names, in the order in which they were found to be needed. Links are not resolved.
    pub items: Vec<Item>,
    /// Files that are made.
    pub made: Vec<(PathBuf, Made)>,
    /// The programs and libraries among them that somebody asked for, with what their loader loads.
    pub starts: Vec<Start>,
    /// Links of directories that are asked for, which lead to nothing that can be copied, or nowhere.
    pub links: Vec<PathBuf>,
    /// What is missing.
    pub holes: Vec<Hole>,
    /// What is to be known beside that, a line each.
    pub notes: Vec<String>,
}

/// A file that is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name, by which it is looked for.
    pub path: PathBuf,
    /// Why.
    pub why: Why,
}

/// Why nothing can be gathered.
#[derive(Debug, thiserror::Error)]
pub enum GatherError {
    /// There is no loader that programs of the root would have.
    #[error("there is no C library's loader in {0} (is it the root directory of a system?)")]
    NoLoader(String),
    /// There are several.
    #[error("there are several loaders: {0} (name a program, whose loader counts)")]
    Loaders(String),
}

/// No root has more files that somebody would want.
pub(super) const MOST_ITEMS: usize = 1 << 20;

/// Gathers what is asked for, and what that needs.
pub fn gather(root: &Root, request: &Request) -> Result<Closure, GatherError> {
    let settings = rootfs::Request {
        hwcaps: request.hwcaps.clone(),
        settings: Settings { library_path: request.library_path.clone(), ..Settings::default() },
    };
    let mut gathering = Gathering {
        root,
        request,
        finder: Finder::new(root, &settings),
        closure: Closure::default(),
        queue: VecDeque::new(),
        names: HashSet::new(),
        started: HashSet::new(),
        objects: HashSet::new(),
        directories: HashSet::new(),
        unsettled: Vec::new(),
        libc: None,
        own: None,
        unwinds: false,
        cached: Vec::new(),
    };
    gathering.run()?;
    let mut closure = gathering.closure;
    closure.holes.sort();
    closure.holes.dedup();
    Ok(closure)
}

pub(super) struct Gathering<'a> {
    pub(super) root: &'a Root,
    pub(super) request: &'a Request,
    pub(super) finder: Finder<'a>,
    pub(super) closure: Closure,
    pub(super) queue: VecDeque<Item>,
    /// The names that are items already.
    pub(super) names: HashSet<PathBuf>,
    /// The names of the files that were asked what they need.
    started: HashSet<PathBuf>,
    /// The files whose own needs have been looked at.
    pub(super) objects: HashSet<FileId>,
    /// The directories all of which is taken.
    pub(super) directories: HashSet<FileId>,
    /// What libraries of directories do not find by themselves.
    pub(super) unsettled: Vec<Hole>,
    /// glibc's library and its loader, if anything needs it.
    pub(super) libc: Option<(Object, Rc<Own>)>,
    /// The loader that counts where nobody names one.
    pub(super) own: Option<Rc<Own>>,
    /// libgcc_s.so.1 has been asked for.
    pub(super) unwinds: bool,
    /// The files that only ld.so.cache leads to, by the names that they are asked for by.
    cached: Vec<(Vec<u8>, Vec<u8>)>,
}

impl Gathering<'_> {
    fn run(&mut self) -> Result<(), GatherError> {
        for file in &self.request.files {
            self.queue.push_back(Item { path: path(file), why: Why::Asked });
        }
        self.drain();
        for pattern in &self.request.patterns {
            let found = self.expand(pattern);
            if found.is_empty() {
                self.hole("--dir", text(pattern), "no file matches it");
            }
            for file in found {
                self.queue.push_back(Item { path: path(&file), why: Why::Matches(pattern.clone()) });
            }
        }
        self.drain();
        if !self.request.libraries.is_empty() || self.request.profiles.iter().any(|p| !p.libraries.is_empty())
        {
            let own = self.own()?;
            for name in &self.request.libraries {
                self.library(&own, None, name, &Why::Asked, true);
            }
            for profile in &self.request.profiles {
                for name in profile.libraries {
                    // A base has what there is of them.
                    let must = *profile != &BASE;
                    self.library(&own, None, name.as_bytes(), &Why::Profile(profile.name), must);
                }
            }
        }
        let makes_base = self.request.profiles.contains(&&BASE);
        if makes_base {
            // With musl that is the C library as well.
            let loader = path(&self.own()?.path);
            self.queue.push_back(Item { path: loader, why: Why::Profile(BASE.name) });
        }
        for profile in self.request.profiles.clone() {
            self.profile(profile)?;
        }
        self.drain();
        if makes_base {
            // What somebody asks for is what they want.
            self.closure.made = base::made();
            self.closure.made.retain(|(path, _)| !self.names.contains(path));
        }
        self.services();
        self.drain();
        self.settle();
        self.cache();
        Ok(())
    }

    /// Looks at everything that is to be looked at, and at what that needs.
    fn drain(&mut self) {
        while let Some(item) = self.queue.pop_front() {
            if self.closure.items.len() > MOST_ITEMS {
                self.hole("this root", "the rest", "there are more files than gb is willing to look at");
                self.queue.clear();
            } else if self.names.insert(item.path.clone()) {
                self.look(item);
            } else if item.why == Why::Asked && !self.started.contains(&item.path) {
                // Another program needs it, so it was not asked what it needs itself.
                self.needs(&item, 0o777);
            }
        }
    }

    /// A cache with what nothing else leads to, if there is something.
    fn cache(&mut self) {
        let Some((_, own)) = self.libc.as_ref().filter(|_| !self.cached.is_empty()) else { return };
        let Kind::Glibc(loader) = &own.kind else { return };
        let (flags, data) = (own.abi.loading.cache, own.header.data);
        let known =
            self.request.cache.as_ref().and_then(|cache| Cache::read(cache, data).ok()).unwrap_or_default();
        let is_ours = |entry: &&Entry| entry.flags == flags && entry.hwcap == Hwcap::None;
        let known = known
            .entries()
            .iter()
            .filter(is_ours)
            .filter(|entry| !self.cached.iter().any(|(name, _)| *name == entry.name));
        let files: Vec<_> = self
            .cached
            .iter()
            .cloned()
            .chain(known.map(|entry| (entry.name.clone(), entry.path.clone())))
            .collect();
        let contents = write_cache(&files, flags, data);
        self.closure.made.push((path(&loader.cache), Made { contents: Some(contents), mode: 0o644 }));
    }

    fn look(&mut self, item: Item) {
        let name = item.path.to_string_lossy().into_owned();
        // A link into /proc, say, can be looked at, but it is not of this root.
        let found = match item.why.is_within() {
            true => self.root.resolve(&item.path, Last::Follow).map(|found| found.metadata),
            false => self.root.stat(&item.path),
        };
        let found = match found {
            Ok(found) => found,
            Err(error) if item.why.is_within() => return self.leave(item, &error),
            Err(error) => return self.hole(item.why.by(), name, error.to_string()),
        };
        match found.kind {
            rootfs::Kind::Directory => self.directory(&item, found.id),
            rootfs::Kind::File => self.needs(&item, found.mode),
            _ if item.why.is_within() => return self.leave(item, &std::io::ErrorKind::InvalidInput.into()),
            _ => {}
        }
        self.sidecars(&item.path);
        self.closure.items.push(item);
    }

    /// What a file needs, if it is a program, a library or a script.
    fn needs(&mut self, item: &Item, mode: u32) {
        let start = self.finder.needs(&item.path);
        match &start.result {
            Ok(Needs::Nothing) | Err(StartError::Elf(ElfError::NotElf | ElfError::TooShort)) => {}
            // An interpreter's module may begin like a script.
            Ok(Needs::Interpreter(_)) | Err(StartError::Script)
                if item.why.is_within() && mode & 0o111 == 0 => {}
            Ok(Needs::Interpreter(_)) | Err(StartError::Script) => self.script(item),
            Ok(Needs::Loaded { own, graphs }) => {
                self.own.get_or_insert_with(|| Rc::clone(own));
                let holes = Hole::all_of_graphs(self.finder.seen(), own, graphs);
                match item.why.is_within() {
                    true if data::is_data(&item.path, mode) => {}
                    true if !rootfs::is_program(graphs) => self.unsettled.extend(holes),
                    _ => self.closure.holes.extend(holes),
                }
                self.take(own, graphs, None);
            }
            Err(error) if self.is_left(item, mode, error) => return,
            Err(error) => self.closure.holes.push(Hole::of_start(&item.path, error)),
        }
        self.started.insert(start.path.clone());
        self.closure.starts.push(start);
    }

    /// Takes what a loader has loaded, for every kind of processor. `why` is the reason of the first file that is asked for,
    /// where nothing in a file is.
    fn take(&mut self, own: &Rc<Own>, graphs: &[Variant], why: Option<&Why>) {
        self.closure.notes.extend(Hole::platforms(graphs));
        for variant in graphs {
            let hwcap = variant.hwcaps.first().map(|name| text(name)).unwrap_or_default();
            let graph = &variant.graph;
            for answer in &graph.answers {
                self.answer(own, graph, answer, &hwcap, why);
            }
            // What stands for the asker, where nothing in a file asks, is no file.
            for object in graph.objects.iter().skip(usize::from(why.is_some())) {
                self.object(own, object);
            }
        }
    }

    fn answer(&mut self, own: &Own, graph: &Graph, answer: &Answer, hwcap: &str, why: Option<&Why>) {
        let asker = answer.asker.object();
        let by = path_of(graph, asker);
        match &answer.result {
            Ok((index, rule)) => {
                // A name that leads to a file that is loaded by another name is looked for as well.
                let found = match rule {
                    Rule::Found(_) | Rule::SameFile(_) => answer.tried.last().map(|tried| tried.path.clone()),
                    Rule::Name | Rule::Soname | Rule::Itself => None,
                };
                let found = found.or_else(|| Some(graph.objects.get(*index)?.path.clone()));
                let why = match why {
                    Some(why) if asker == 0 => why.clone(),
                    _ => Why::Needed { by: by.into(), rule: by_rule(graph, *rule), hwcap: hwcap.to_owned() },
                };
                if let (
                    Rule::Found(Place::Cache) | Rule::SameFile(Place::Cache),
                    Some(found),
                    Kind::Glibc(loader),
                ) = (rule, &found, &own.kind)
                {
                    // The loader would not find it without its cache.
                    if !loader.directories.iter().any(|dir| is_in(found, dir)) && hwcap.is_empty() {
                        self.cached.push((answer.name.clone(), found.clone()));
                    }
                }
                // The loader looks at it: what it is, and what it needs, is told by the graph.
                let Some(found) = found.map(|found| path(&found)) else { return };
                if self.names.insert(found.clone()) {
                    self.sidecars(&found);
                    self.closure.items.push(Item { path: found, why });
                }
            }
            Err(_) if answer.is_hole() => {}
            Err(_) => {
                let what = match answer.how {
                    How::Preload => "to be preloaded",
                    How::Audit => "to audit the loader",
                    _ => "if it is there",
                };
                self.closure.notes.push(format!("{by} asks for {} {what}: it is not", text(&answer.name)));
            }
        }
    }

    /// Takes a library that is asked for by name, and whether it is there.
    pub(super) fn library(
        &mut self,
        own: &Rc<Own>,
        by: Option<&Object>,
        name: &[u8],
        why: &Why,
        must: bool,
    ) -> bool {
        let graphs = self.finder.asked(own, by, name);
        let answer = rootfs::answer(&graphs);
        let is_there = answer.is_some_and(|answer| answer.result.is_ok());
        if is_there {
            self.closure.holes.extend(Hole::all_of_graphs(self.finder.seen(), own, &graphs));
            self.take(own, &graphs, Some(why));
            if by.is_none() {
                let path = PathBuf::from(OsStr::from_bytes(name));
                self.closure
                    .starts
                    .push(Start { path, result: Ok(Needs::Loaded { own: Rc::clone(own), graphs }) });
            }
        } else if must {
            let searched =
                graphs.first().zip(answer).map(|(variant, answer)| searched(&variant.graph, answer));
            let by = if *why == Why::Asked { "--lib".to_owned() } else { why.by() };
            let hole = Hole::new(by, text(name), "not found");
            self.closure.holes.push(Hole { searched: searched.unwrap_or_default(), ..hole });
        }
        is_there
    }

    pub(super) fn hole(&mut self, by: impl Into<String>, missing: impl Into<String>, why: impl Into<String>) {
        self.closure.holes.push(Hole::new(by, missing, why));
    }
}

pub(super) fn path(bytes: &[u8]) -> PathBuf {
    Path::new("/").join(OsStr::from_bytes(bytes))
}

/// Whether a path is of a file of a directory, whose name has a slash at its end.
fn is_in(path: &[u8], directory: &[u8]) -> bool {
    path.strip_prefix(directory).is_some_and(|name| !name.contains(&b'/'))
}
