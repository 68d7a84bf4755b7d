//! The rules by which dynamic loaders find what a program needs. No I/O: what there is in a root, [`Files`] tells.
//!
//! | file | what it is |
//! |---|---|
//! | `glibc.rs`, `musl.rs` | the order in which either loads objects, and where it looks for each |
//! | `own.rs` | what a loader's own file says: its directories, `$LIB`, the names of glibc-hwcaps |
//! | `cache.rs`, `cache_writing.rs`, `conf.rs` | ld.so.cache, and ld.so.conf, which it is made from |
//! | `tokens.rs`, `paths.rs` | `$ORIGIN` and the like; lists of directories |
//! | `search.rs` | where glibc's looks for one name |
//! | `verify.rs` | which files fit, which are passed over, and which are the program's end |
//! | `versions.rs` | whether every version of a symbol that is asked for is there |
//! | `graph.rs` | the answer: what is loaded, who asked for it, by which rule, and every path that was tried |
//!
//! Sources: glibc 2.41 (elf/dl-load.c, dl-deps.c, dl-cache.c, dl-version.c, rtld.c; "to the letter" means these) and musl
//! 1.2.5 (ldso/dynlink.c).

mod cache;
mod cache_writing;
mod conf;
mod files;
mod glibc;
mod graph;
mod musl;
mod own;
mod paths;
mod search;
mod tokens;
mod verify;
mod versions;

pub use cache::{Cache, CacheError};
pub use cache_writing::cache as write_cache;
pub use conf::{Conf, Line, directories, glob};
pub use files::{FileId, Files, Opened};
pub use graph::{
    Answer, Asker, Graph, How, Limit, MissingVersion, Object, Outcome, Place, Problem, Rule, Try,
};
pub use own::{Glibc, Kind, Musl, NoLoader, Own};
pub use verify::{Machine, Verdict};

use crate::elf::Elf;

/// What is asked of a resolution beside the program itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// LD_LIBRARY_PATH
    pub library_path: Option<Vec<u8>>,
    /// LD_PRELOAD
    pub preload: Option<Vec<u8>>,
    /// The names of glibc-hwcaps that the processor has, best first. None: a processor of the oldest kind.
    pub hwcaps: Vec<Vec<u8>>,
    /// What `$PLATFORM` stands for, which only the processor knows.
    pub platform: Option<Vec<u8>>,
    /// The working directory, which paths that are not absolute begin in; without it they lead nowhere.
    pub directory: Option<Vec<u8>>,
}

/// What is started.
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// Its path, as whoever starts it names it.
    pub path: &'a [u8],
    /// The same without links, as the kernel tells (/proc/self/exe); none if it is a library that is looked at by itself.
    pub real_path: Option<&'a [u8]>,
    /// Which file it is.
    pub id: FileId,
    /// What it says of itself.
    pub elf: std::rc::Rc<Elf>,
}

/// What a program's loader would load, and what it would miss.
pub fn resolve(files: &dyn Files, own: &Own, program: &Program<'_>, settings: &Settings) -> Graph {
    match &own.kind {
        Kind::Glibc(loader) => glibc::resolve(files, own, loader, program, settings),
        Kind::Musl(loader) => musl::resolve(files, own, loader, program, settings),
    }
}
