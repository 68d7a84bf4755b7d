//! Finding the programs that gb stands in front of.

use std::ffi::{OsStr, OsString};
use std::fs::{DirEntry, Metadata};
use std::io;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::process::ExitStatus;

use nix::unistd::{AccessFlags, access};
use which::sys::Sys;

use crate::environment::Environment;

/// The exit code of a program that was run. A signal that ended it has none; 1 is a compiler's own code for a failure.
pub fn exit_code(status: ExitStatus) -> u8 {
    status.code().and_then(|code| u8::try_from(code).ok()).unwrap_or(1)
}

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

    /// The first program of this name that is neither gb itself nor a compiler cache that would call gb again: either
    /// would go on for ever.
    pub fn find(&self, name: &str) -> Option<PathBuf> {
        let own = file_number(Path::new("/proc/self/exe"));
        self.all(name).find(|path| {
            let found = file_number(path);
            found.is_some() && found != own && !is_masquerade(path)
        })
    }

    /// Whether a path, or a name in PATH, is a link to gb.
    pub fn is_gb(&self, program: &Path) -> bool {
        let own = file_number(Path::new("/proc/self/exe"));
        let found = self.locate(program).and_then(|path| file_number(&path));
        found.is_some() && found == own
    }

    /// The file of a path, or of a name in PATH.
    pub fn locate(&self, program: &Path) -> Option<PathBuf> {
        match program.to_str().filter(|name| !name.contains('/')) {
            Some(name) => self.all(name).next(),
            None => Some(program.to_owned()).filter(|path| path.exists()),
        }
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
        // The working directory matters to relative elements alone; without one only these are lost.
        let is_relative = |element: &[u8]| element.first() != Some(&b'/');
        let relative = path.as_bytes().split(|b| *b == b':').any(is_relative);
        let cwd = Some(relative).filter(|relative| *relative).and_then(|_| std::env::current_dir().ok());
        let search = which::WhichConfig::new_with_sys(Files).binary_name(name.into()).custom_path_list(path);
        search.custom_cwd(cwd.unwrap_or("/".into())).all_results().into_iter().flatten()
    }
}

/// What the crate is told of the system. Its own answers ask NSS for a home, which a static program must not.
struct Files;

impl Sys for Files {
    type ReadDirEntry = DirEntry;
    type Metadata = Metadata;

    fn is_windows(&self) -> bool {
        false
    }

    fn current_dir(&self) -> io::Result<PathBuf> {
        std::env::current_dir()
    }

    fn home_dir(&self) -> Option<PathBuf> {
        None
    }

    fn env_split_paths(&self, paths: &OsStr) -> Vec<PathBuf> {
        std::env::split_paths(paths).collect()
    }

    fn env_path(&self) -> Option<OsString> {
        std::env::var_os("PATH")
    }

    fn env_path_ext(&self) -> Option<OsString> {
        None
    }

    fn metadata(&self, path: &Path) -> io::Result<Metadata> {
        std::fs::metadata(path)
    }

    fn symlink_metadata(&self, path: &Path) -> io::Result<Metadata> {
        std::fs::symlink_metadata(path)
    }

    /// Asked for on Windows alone.
    fn read_dir(&self, _: &Path) -> io::Result<Box<dyn Iterator<Item = io::Result<DirEntry>>>> {
        Err(io::ErrorKind::Unsupported.into())
    }

    fn is_valid_executable(&self, path: &Path) -> io::Result<bool> {
        Ok(access(path, AccessFlags::X_OK).map(|()| true)?)
    }
}

/// What tells a file from every other.
fn file_number(path: &Path) -> Option<(u64, u64)> {
    std::fs::metadata(path).map(|m| (m.dev(), m.ino())).ok()
}

/// Whether a program is a compiler cache under the name of a compiler, as /usr/lib/ccache/clang is (ccache(1), "Run
/// modes").
fn is_masquerade(path: &Path) -> bool {
    const CACHES: [&str; 5] = ["ccache", "sccache", "distcc", "icecc", "colorgcc"];
    let program = path.canonicalize().unwrap_or_default();
    program.file_name().and_then(OsStr::to_str).is_some_and(|name| CACHES.contains(&name))
}
