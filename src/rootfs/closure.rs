//! What programs of a root need to start: everything that their loaders would load, for every processor that is asked for.

use std::collections::HashMap;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use nix::errno::Errno;

use super::files::Seen;
use super::platforms;
use super::root::Root;
use super::script;
use super::walk::Last;
use crate::elf::{Dynamic, Elf, ElfError, Notes, Request as DynamicRequest, RequestKind};
use crate::loader::{
    Answer, Asker, FileId, Files, Graph, How, Kind, NoLoader, Object, Own, Program, Settings, resolve,
};
use crate::sys::errno;

/// Which files of glibc-hwcaps count. Which processor this machine has never does.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub enum Hwcaps {
    /// Those for every processor that the loader knows.
    #[default]
    All,
    /// None: what every processor runs.
    None,
    /// Those for processors that have these, best first.
    Only(Vec<Vec<u8>>),
}

/// What is asked for.
#[derive(Debug, Clone, Default)]
pub struct Request {
    /// Which files of glibc-hwcaps count.
    pub hwcaps: Hwcaps,
    /// Beside that, what is asked of each resolution.
    pub settings: Settings,
}

/// A program, and what it needs.
#[derive(Debug, Clone)]
pub struct Start {
    /// Its path, as it was asked for.
    pub path: PathBuf,
    /// What it needs, or why that can't be told.
    pub result: Result<Needs, StartError>,
}

/// What a program needs.
#[derive(Debug, Clone)]
pub enum Needs {
    /// Nothing: it is static, or a library that asks for no other.
    Nothing,
    /// It is a script, and needs what this program needs.
    Interpreter(PathBuf),
    /// What its loader loads.
    Loaded {
        /// The loader.
        own: Rc<Own>,
        /// For each kind of processor that makes a difference what is loaded. The first one is of the oldest kind.
        graphs: Vec<Variant>,
    },
}

/// What is loaded on one kind of processor.
#[derive(Debug, Clone)]
pub struct Variant {
    /// The names of glibc-hwcaps that it has, best first.
    pub hwcaps: Vec<Vec<u8>>,
    /// What `$PLATFORM` stands for on it, where that makes a difference.
    pub platform: Option<Vec<u8>>,
    /// What is loaded.
    pub graph: Graph,
}

/// Whether what is loaded first is a program, not a library that was looked at by itself.
pub fn is_program(graphs: &[Variant]) -> bool {
    let first = graphs.first().and_then(|variant| variant.graph.objects.first());
    first.is_some_and(|object| object.elf.interpreter.is_some())
}

/// Whether what was [asked](Finder::asked) for is there.
pub fn is_answered(graphs: &[Variant]) -> bool {
    answer(graphs).is_some_and(|answer| answer.result.is_ok())
}

/// The answer to what was [asked](Finder::asked) for.
pub fn answer(graphs: &[Variant]) -> Option<&Answer> {
    let is_this =
        |answer: &&Answer| matches!(answer.how, How::Request(_)) && answer.asker == Asker::Object(0);
    graphs.first()?.graph.answers.iter().find(is_this)
}

/// Why it can't be told what a program needs.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum StartError {
    /// It can't be opened.
    #[error("{}", .0.desc())]
    Open(Errno),
    /// It is no program.
    #[error("{0}")]
    Elf(#[from] ElfError),
    /// Its loader is not there, or can't be read.
    #[error(
        "its loader {} {}: {}",
        String::from_utf8_lossy(.path),
        if *.errno == Errno::ENOENT { "is not there" } else { "can't be read" },
        .errno.desc()
    )]
    Loader {
        /// The loader's path.
        path: Vec<u8>,
        /// Why it can't be opened.
        errno: Errno,
    },
    /// Its loader is none that gb knows.
    #[error("its loader {}: {why}", String::from_utf8_lossy(.path))]
    NoLoader {
        /// The loader's path.
        path: Vec<u8>,
        /// Why.
        why: NoLoader,
    },
    /// Its loader is for another machine.
    #[error("its loader {} is for another machine", String::from_utf8_lossy(.0))]
    OtherMachine(Vec<u8>),
    /// It is a library, and there is no loader for it at any of the usual paths.
    #[error("it names no loader, and there is none for it ({})", paths(.0))]
    NoUsualLoader(Vec<Vec<u8>>),
    /// It begins with `#!`, and what follows is no path.
    #[error("the program after its #! is not named by a path from the root")]
    Script,
}

fn paths(paths: &[Vec<u8>]) -> String {
    match paths.is_empty() {
        true => "gb knows none for its machine".to_owned(),
        false => paths.iter().map(|path| String::from_utf8_lossy(path)).collect::<Vec<_>>().join(" "),
    }
}

/// Finds out what programs need.
pub struct Finder<'a> {
    seen: Seen<'a>,
    request: &'a Request,
    loaders: HashMap<Vec<u8>, Result<Rc<Own>, StartError>>,
}

/// Programs that every system has some of.
const USUAL_PROGRAMS: [&str; 5] =
    ["/bin/sh", "/usr/bin/env", "/bin/ls", "/usr/sbin/ldconfig", "/bin/busybox"];
/// No loader is larger.
const LARGEST_LOADER: u64 = 64 << 20;

impl<'a> Finder<'a> {
    /// Begins to look in a root.
    pub fn new(root: &'a Root, request: &'a Request) -> Finder<'a> {
        Finder { seen: Seen::new(root), request, loaders: HashMap::new() }
    }

    /// The files that were seen on the way.
    pub fn seen(&self) -> &Seen<'a> {
        &self.seen
    }

    /// Finds out what a program needs; its path is from the root.
    pub fn needs(&mut self, path: &Path) -> Start {
        let absolute = Path::new("/").join(path);
        Start { path: absolute.clone(), result: self.find(&absolute) }
    }

    fn find(&mut self, path: &Path) -> Result<Needs, StartError> {
        let bytes = path.as_os_str().as_bytes();
        let opened = self.seen.open(bytes).map_err(StartError::Open)?;
        let elf = match opened.elf {
            Ok(elf) => elf,
            Err(ElfError::NotElf | ElfError::TooShort) => match self.seen.script(opened.id) {
                Some(head) => return interpreter(&head).map(Needs::Interpreter),
                None => return Err(ElfError::NotElf.into()),
            },
            Err(error) => return Err(error.into()),
        };
        let Some(own) = self.loader_of(&elf)? else { return Ok(Needs::Nothing) };
        let real = match elf.interpreter {
            // Only a program's own loader asks the kernel where that is.
            Some(_) => Some(self.seen.root().resolve(path, Last::Follow)),
            None => None,
        };
        let real = real.transpose().map_err(|error| StartError::Open(errno(error)))?;
        let real_path = real.as_ref().map(|real| real.path.as_os_str().as_bytes());
        let is_secure = elf.interpreter.is_some() && self.is_secure(path, &elf);
        let program = Program { path: bytes, real_path, id: opened.id, elf, is_secure };
        let graphs = self.variants(&self.seen, &own, &program);
        Ok(Needs::Loaded { own, graphs })
    }

    /// The loader of a program or a library; none of what asks for nothing.
    pub fn loader_of(&mut self, elf: &Elf) -> Result<Option<Rc<Own>>, StartError> {
        let asks = elf.dynamic.as_ref().is_some_and(|dynamic| !dynamic.requests.is_empty());
        let own = match &elf.interpreter {
            Some(loader) => self.loader(loader)?,
            None if !asks => return Ok(None),
            None => self.usual_loader(elf)?,
        };
        match elf.header.is_like(&own.header) {
            true => Ok(Some(own)),
            false => Err(StartError::OtherMachine(own.path.clone())),
        }
    }

    /// Whether a program runs with rights that not everyone has who starts it, as far as that makes a difference to its
    /// loader. (It does not while its owner, or root, starts it. A root is for the others, too.)
    fn is_secure(&self, path: &Path, elf: &Elf) -> bool {
        let texts = elf.dynamic.iter().flat_map(|dynamic| {
            let names = dynamic.requests.iter().map(|request| &request.name);
            names
                .chain(&dynamic.rpath)
                .chain(&dynamic.runpath)
                .chain(&dynamic.audit)
                .chain(&dynamic.dep_audit)
        });
        let matters = self.request.settings.library_path.is_some()
            || texts.into_iter().any(|text| text.contains(&b'$') || text.contains(&b'/'));
        matters
            && self.seen.root().open_regular(path).is_ok_and(|file| {
                // bprm_fill_uid in the kernel's fs/exec.c: without permission to run it for the group it is no set-group-ID.
                let mode = file.metadata().mode;
                mode & 0o4000 != 0
                    || mode & 0o2010 == 0o2010
                    || file.capabilities().is_ok_and(|capabilities| capabilities.is_some())
            })
    }

    /// What a loader loads when a file asks for a library by name while it runs (dlopen(3)): the answer to the first request of
    /// the first graph is the one to this. Without a file it is as if a program of no special needs asked.
    pub fn asked(&mut self, own: &Rc<Own>, by: Option<&Object>, name: &[u8]) -> Vec<Variant> {
        let asks = by.and_then(|object| object.elf.dynamic.clone()).unwrap_or_default();
        let request = DynamicRequest { kind: RequestKind::Needed, name: name.to_vec() };
        let dynamic = Dynamic {
            requests: vec![request],
            needed_versions: Vec::new(),
            audit: None,
            dep_audit: None,
            ..asks
        };
        let elf = Elf {
            header: own.header,
            is_loadable: true,
            interpreter: None,
            dynamic: Some(dynamic),
            notes: Notes::default(),
        };
        // No file has this number; so it is not taken for one that the library asks for.
        let nobody = FileId { device: u64::MAX, inode: u64::MAX };
        let path = by.map_or(b"/".as_slice(), |object| &object.path);
        let program = Program { path, real_path: None, id: nobody, elf: Rc::new(elf), is_secure: false };
        self.variants(&self.seen, own, &program)
    }

    /// What is loaded on each kind of processor, of the root's files or of others beside them.
    pub fn variants(&self, files: &dyn Files, own: &Own, program: &Program<'_>) -> Vec<Variant> {
        let processors = self.processors(own);
        let mut graphs: Vec<Variant> = Vec::new();
        for hwcaps in &processors {
            if graphs.first().is_some_and(|oldest| !has_variants(files, own, &oldest.graph)) {
                break;
            }
            self.add_variant(&mut graphs, files, own, program, (hwcaps, None));
        }
        let platforms = graphs.first().map(|oldest| platforms::of(files, &oldest.graph));
        let platforms = platforms.filter(|names| !names.is_empty());
        if let Some(platforms) = platforms {
            // Each processor is one of some name, and what it finds without one is not what it finds.
            graphs.clear();
            for hwcaps in &processors {
                for platform in &platforms {
                    self.add_variant(&mut graphs, files, own, program, (hwcaps, Some(platform)));
                }
            }
        }
        graphs
    }

    /// Adds what is loaded on a kind of processor, if it is not what is loaded on another one.
    fn add_variant(
        &self,
        graphs: &mut Vec<Variant>,
        files: &dyn Files,
        own: &Own,
        program: &Program<'_>,
        (hwcaps, platform): (&[Vec<u8>], Option<&Vec<u8>>),
    ) {
        let (hwcaps, platform) = (hwcaps.to_vec(), platform.cloned());
        let mut settings = self.request.settings.clone();
        (settings.hwcaps, settings.platform) = (hwcaps.clone(), platform.clone());
        let graph = resolve(files, own, program, &settings);
        if !graphs.iter().any(|known| known.graph.is_same(&graph)) {
            graphs.push(Variant { hwcaps, platform, graph });
        }
    }

    /// The kinds of processors, the oldest first; each newer one has all that the older ones have.
    fn processors(&self, own: &Own) -> Vec<Vec<Vec<u8>>> {
        let Kind::Glibc(loader) = &own.kind else { return vec![Vec::new()] };
        let names = match &self.request.hwcaps {
            Hwcaps::None => &[],
            Hwcaps::All => loader.hwcaps.as_slice(),
            Hwcaps::Only(names) => names.as_slice(),
        };
        let known = |names: &[Vec<u8>]| {
            names.iter().filter(|name| loader.hwcaps.contains(name)).cloned().collect::<Vec<_>>()
        };
        (0..=names.len()).rev().map(|from| known(names.get(from..).unwrap_or_default())).collect()
    }

    /// Reads the loader that a program names.
    pub fn loader(&mut self, path: &[u8]) -> Result<Rc<Own>, StartError> {
        if let Some(known) = self.loaders.get(path) {
            return known.clone();
        }
        let read = self.seen.root().read(Path::new(OsStr::from_bytes(path)), LARGEST_LOADER);
        let own = match read {
            Err(error) => Err(StartError::Loader { path: path.to_vec(), errno: errno(error) }),
            Ok(bytes) => Own::read(path, &bytes)
                .map(Rc::new)
                .map_err(|why| StartError::NoLoader { path: path.to_vec(), why }),
        };
        self.loaders.insert(path.to_vec(), own.clone());
        own
    }

    /// The loader of the root's own programs, if it has some that every system has.
    pub fn usual(&mut self) -> Option<Rc<Own>> {
        USUAL_PROGRAMS.iter().find_map(|program| match self.needs(Path::new(program)).result {
            Ok(Needs::Loaded { own, .. }) => Some(own),
            _ => None,
        })
    }

    /// The loader of a library: the first that is there of those that programs of its kind have.
    fn usual_loader(&mut self, elf: &Elf) -> Result<Rc<Own>, StartError> {
        let paths = Own::usual_paths(elf);
        for path in &paths {
            match self.loader(path) {
                Err(StartError::Loader { .. }) => {}
                Ok(own) if own.header.machine == elf.header.machine && own.header.data == elf.header.data => {
                    return Ok(own);
                }
                Ok(_) => {}
                Err(error) => return Err(error),
            }
        }
        Err(StartError::NoUsualLoader(paths))
    }
}

/// Whether a newer processor could find anything else than the oldest: one of the directories that this one was sent to has
/// a subdirectory for others, or the cache has entries for them.
fn has_variants(files: &dyn Files, own: &Own, oldest: &Graph) -> bool {
    let Kind::Glibc(loader) = &own.kind else { return false };
    let cache = files.contents(&loader.cache).ok();
    let cache = cache.and_then(|contents| files.cache(&contents, own.header.data));
    if cache.is_some_and(|cache| cache.has_variants()) {
        return true;
    }
    oldest.answers.iter().flat_map(|answer| &answer.tried).any(|tried| {
        let end = tried.path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
        let directory = tried.path.get(..end).unwrap_or_default();
        files.is_directory(&[directory, b"glibc-hwcaps"].concat())
    })
}

/// The program that a script is for, by its first line.
fn interpreter(head: &[u8]) -> Result<PathBuf, StartError> {
    match script::words(head).and_then(|mut words| words.next()) {
        Some(program) if program.starts_with(b"/") => Ok(OsStr::from_bytes(program).into()),
        _ => Err(StartError::Script),
    }
}
