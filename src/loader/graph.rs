//! What a resolution has found: the objects, who asked for each, and by which rule it was found or not.

use std::rc::Rc;

use nix::errno::Errno;

use super::files::FileId;
use crate::elf::{Elf, RequestKind};

/// What a program would load, and what it would miss.
#[derive(Debug, Clone, Default)]
pub struct Graph {
    /// The program, its loader, and what they load, in that order; a file that is loaded under several names is one.
    pub objects: Vec<Object>,
    /// Who asked for what, in the order in which the loader goes about it.
    pub answers: Vec<Answer>,
    /// Versions of symbols that are asked for, and are not there.
    pub missing_versions: Vec<MissingVersion>,
    /// Where there was too much to look at.
    pub limit: Option<Limit>,
}

/// A file that is loaded.
#[derive(Debug, Clone)]
pub struct Object {
    /// Its path, as the loader has opened it.
    pub path: Vec<u8>,
    /// Which file it is.
    pub id: FileId,
    /// What it says of itself.
    pub elf: Rc<Elf>,
    /// What it was asked for by.
    pub names: Vec<Vec<u8>>,
    /// The object for which it was loaded.
    pub parent: Option<usize>,
    /// The directory that `$ORIGIN` stands for.
    pub origin: Vec<u8>,
}

/// The answer to a request.
#[derive(Debug, Clone)]
pub struct Answer {
    /// Who asked.
    pub asker: Asker,
    /// How.
    pub how: How,
    /// For what.
    pub name: Vec<u8>,
    /// What was tried, in order; nothing where it was loaded already.
    pub tried: Vec<Try>,
    /// The object, and the rule by which it was found.
    pub result: Result<(usize, Rule), Problem>,
}

/// Who asks for a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// An object.
    Object(usize),
    /// /etc/ld.so.preload
    PreloadFile,
}

impl Asker {
    /// The object that it is; of the others the one that they ask for, the program.
    pub fn object(self) -> usize {
        match self {
            Asker::Object(object) => object,
            Asker::PreloadFile => 0,
        }
    }
}

/// How a file is asked for.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum How {
    /// As the loader (PT_INTERP), or as the one that libraries have.
    Interpreter,
    /// As one to load before all others.
    Preload,
    /// DT_NEEDED, DT_FILTER, DT_AUXILIARY
    Request(RequestKind),
    /// DT_AUDIT, DT_DEPAUDIT: loaded apart from the program, with libraries of its own.
    Audit,
}

/// Why a file is the one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// It was found there.
    Found(Place),
    /// It was found there, and is one that is loaded already under another name.
    SameFile(Place),
    /// It was loaded already by this name.
    Name,
    /// It was loaded already, and gives itself this name (DT_SONAME).
    Soname,
    /// musl's loader is its C library.
    Itself,
}

/// Where a loader looks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Place {
    /// At the path that is the name.
    Path,
    /// DT_RPATH of an object (with musl, its DT_RPATH or DT_RUNPATH).
    Rpath(usize),
    /// LD_LIBRARY_PATH
    LibraryPath,
    /// DT_RUNPATH of an object
    Runpath(usize),
    /// ld.so.cache
    Cache,
    /// The loader's own directories, or those of musl's ld-musl-….path.
    System,
}

/// A path that was tried.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Try {
    /// The path, or the directory where it can't be told.
    pub path: Vec<u8>,
    /// By which rule.
    pub place: Place,
    /// What came of it.
    pub outcome: Outcome,
}

/// What came of a try.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It was found.
    Found,
    /// It can't be opened.
    Errno(Errno),
    /// It was passed over.
    Skipped(&'static str),
    /// It ends the program.
    Fatal(String),
}

/// Why there is no file for a request.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Problem {
    /// It is in none of the places.
    NotFound,
    /// The first one found ends the program.
    Fatal {
        /// Its path.
        path: Vec<u8>,
        /// Why.
        why: String,
    },
    /// It can't be told what this token in its name stands for; empty where the name is, once its tokens are put in.
    Token(&'static str),
    /// gb has given up.
    Limit(Limit),
}

/// A version of symbols that an object asks another for, which does not have it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MissingVersion {
    /// Who asks.
    pub asker: usize,
    /// The library that it names.
    pub library: Vec<u8>,
    /// The version.
    pub version: Vec<u8>,
    /// The library; none if it was never loaded.
    pub object: Option<usize>,
}

/// What there was too much of.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum Limit {
    /// Paths to try.
    #[error("there are more than {0} paths to try")]
    Tries(usize),
    /// Files to load.
    #[error("there are more than {0} files to load")]
    Objects(usize),
}

impl Answer {
    /// Whether the program does not start without it.
    pub fn is_hole(&self) -> bool {
        let matters =
            matches!(self.how, How::Interpreter | How::Request(RequestKind::Needed | RequestKind::Filter));
        self.result.is_err() && matters
    }
}

impl Graph {
    /// Whether the program starts: everything that it needs is there, in the versions that it needs.
    pub fn is_closed(&self) -> bool {
        self.limit.is_none() && self.missing_versions.is_empty() && !self.answers.iter().any(Answer::is_hole)
    }

    /// Whether another one says the same: the same files for the same requests, by the same rules.
    pub fn is_same(&self, other: &Graph) -> bool {
        let paths =
            |graph: &Graph| graph.objects.iter().map(|object| object.path.clone()).collect::<Vec<_>>();
        let results = |graph: &Graph| {
            graph
                .answers
                .iter()
                .map(|answer| (answer.name.clone(), answer.result.clone()))
                .collect::<Vec<_>>()
        };
        paths(self) == paths(other)
            && results(self) == results(other)
            && self.missing_versions == other.missing_versions
    }
}
