//! `gb strip-libs`: what programs of a root need to start, and why.

mod holes;
mod json;
mod tree;
mod why;

use std::ffi::OsString;
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::output::print;
use crate::error::{Error, one_line, tell};
use crate::loader::{Place, Rule, Settings};
use crate::rootfs::{Finder, Hwcaps, Needs, Paths, Request, Root, Start};

#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The root that the programs are in: any unpacked one, of any architecture; nothing of it is run
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// List the files that are needed, a line each; links with what they lead to (the default)
    #[arg(long, group = "form")]
    list: bool,
    /// Show who needs what, and by which rule it was found
    #[arg(long, group = "form")]
    tree: bool,
    /// Show why a file is needed; exit code 1 if it is not
    #[arg(long, value_name = "PATH", group = "form")]
    why: Option<PathBuf>,
    /// Write JSON: everything, with every path that was tried
    #[arg(long, group = "form")]
    json: bool,
    /// The variants of libraries for newer processors that count: all, none, or names of glibc-hwcaps, best first
    #[arg(long, value_name = "all|none|NAME,…", default_value = "all")]
    hwcaps: OsString,
    /// What LD_LIBRARY_PATH is to be where the programs run
    #[arg(long, value_name = "DIR:…")]
    library_path: Option<OsString>,
    /// The programs and libraries, as paths in the root
    #[arg(required = true, value_name = "FILE")]
    files: Vec<PathBuf>,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        let root = Root::open(&self.root).map_err(|source| Error::Io {
            attempt: format!("open the root {}", self.root.display()),
            source,
        })?;
        let request = Request {
            hwcaps: hwcaps(self.hwcaps.clone())?,
            settings: Settings {
                library_path: self.library_path.clone().map(OsStringExt::into_vec),
                ..Settings::default()
            },
        };
        let mut finder = Finder::new(&root, &request);
        let starts = starts(&mut finder, &self.files);
        let text = match &self.why {
            Some(path) => {
                let text = why::write(&root, &starts, path);
                if text.is_empty() {
                    let none = format!("tell why {} is needed: none of these needs it", path.display());
                    return Err(Error::NoValue(none));
                }
                text
            }
            None if self.tree => tree::write(&starts),
            None if self.json => json::write(&root, &self.root, &starts)?,
            None => list(&root, &starts)?,
        };
        print(text.as_bytes())?;
        let holes = holes::of(finder.seen(), &starts);
        for hole in &holes {
            tell(hole);
        }
        Ok(ExitCode::from(u8::from(!holes.is_empty())))
    }
}

/// Finds out what programs need, and what the programs need that scripts are for.
fn starts(finder: &mut Finder<'_>, files: &[PathBuf]) -> Vec<Start> {
    let mut starts: Vec<Start> = Vec::new();
    let mut files: Vec<PathBuf> = files.iter().rev().cloned().collect();
    while let Some(file) = files.pop() {
        let file = Path::new("/").join(file);
        if starts.iter().any(|start| start.path == file) {
            continue;
        }
        let start = finder.needs(&file);
        if let Ok(Needs::Interpreter(interpreter)) = &start.result {
            files.push(interpreter.clone());
        }
        starts.push(start);
    }
    starts
}

fn hwcaps(word: OsString) -> Result<Hwcaps, Error> {
    match word.into_vec().as_slice() {
        b"all" => Ok(Hwcaps::All),
        b"none" => Ok(Hwcaps::None),
        names => {
            let names: Vec<_> = names.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect();
            let is_name = |name: &Vec<u8>| {
                !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            };
            match names.iter().all(is_name) {
                true => Ok(Hwcaps::Only(names)),
                false => {
                    Err(Error::Usage("--hwcaps is all, none, or names like x86-64-v3,x86-64-v2".to_owned()))
                }
            }
        }
    }
}

fn list(root: &Root, starts: &[Start]) -> Result<String, Error> {
    let mut text = String::new();
    for (path, target) in paths(root, starts)?.paths {
        let path = one_line(&path.to_string_lossy());
        match target {
            Some(target) => text.push_str(&format!("{path} -> {}\n", one_line(&target.to_string_lossy()))),
            None => text.push_str(&format!("{path}\n")),
        }
    }
    Ok(text)
}

fn paths(root: &Root, starts: &[Start]) -> Result<Paths, Error> {
    let mut paths = Paths::default();
    for start in starts.iter().filter(|start| start.result.is_ok()) {
        paths.add(root, start).map_err(|source| Error::Io {
            attempt: format!("list what {} needs", start.path.display()),
            source,
        })?;
    }
    Ok(paths)
}

/// Bytes of a root as a line for people has them.
fn shown(bytes: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(bytes))
}

/// A rule as it follows "found"; `name` gives the path of an object.
fn by_rule(rule: Rule, name: &dyn Fn(usize) -> String) -> String {
    match rule {
        Rule::Found(place) => by_place(place, name),
        Rule::SameFile(place) => format!("{}, the same file as one loaded before", by_place(place, name)),
        Rule::Name => "loaded before".to_owned(),
        Rule::Soname => "loaded before under another name".to_owned(),
        Rule::Itself => "the loader itself".to_owned(),
    }
}

fn by_place(place: Place, name: &dyn Fn(usize) -> String) -> String {
    match place {
        Place::Path => "by its path".to_owned(),
        Place::Rpath(object) => format!("RPATH of {}", name(object)),
        Place::LibraryPath => "LD_LIBRARY_PATH".to_owned(),
        Place::Runpath(object) => format!("RUNPATH of {}", name(object)),
        Place::Cache => "ld.so.cache".to_owned(),
        Place::System => "the loader's directories".to_owned(),
    }
}
