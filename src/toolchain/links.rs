//! `gb install-links`: the names by which the compiler and pkg-config roles are called.

use std::io;
use std::path::{Path, PathBuf};

use super::Programs;
use crate::platform::PLATFORMS;

/// A name to be linked to gb.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where the link is, or is to be.
    pub path: PathBuf,
    /// What was found there.
    pub state: State,
}

/// What is at the place of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Absent,
    /// A link to gb.
    Installed,
    /// A link to what was gb's place before: it leads to a file of the name gb, or nowhere.
    Outdated,
    /// Something else, which is never touched.
    Foreign,
}

/// Why links could not be made.
#[derive(Debug, thiserror::Error)]
pub enum LinkError {
    /// The directory is missing or is something else.
    #[error("install links in {}: not a directory (create it first)", .0.display())]
    NotADirectory(PathBuf),
    /// Something that is not gb's has the name.
    #[error("install links in {}: {} exists and is not a link to gb (remove it, or choose another directory)", dir.display(), path.display())]
    Occupied {
        /// The directory.
        dir: PathBuf,
        /// The file in the way.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("link {} to {}: {source}", path.display(), gb.display())]
    Io {
        /// The link.
        path: PathBuf,
        /// gb.
        gb: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// The links to be made in a directory.
#[derive(Debug)]
pub struct Links {
    gb: PathBuf,
    /// Every name, with what is at its place.
    pub links: Vec<Link>,
    /// Names left out because a real compiler of that name exists.
    pub left_out: Vec<String>,
}

impl Links {
    /// Decides which links a directory needs; refuses, before anything is changed, if one can't be made.
    ///
    /// `gb` is the program to link to: relative if it is in the same directory, so that the tree can be moved.
    pub fn plan(dir: &Path, gb: &Path, programs: Programs<'_>) -> Result<Links, LinkError> {
        if !dir.is_dir() {
            return Err(LinkError::NotADirectory(dir.into()));
        }
        let same = |d: &Path| d.canonicalize().ok().zip(dir.canonicalize().ok()).is_some_and(|(a, b)| a == b);
        let target = match gb.parent().filter(|parent| same(parent)).and(gb.file_name()) {
            Some(name) => PathBuf::from(name),
            None => gb.into(),
        };
        let mut plan = Links { gb: target, links: Vec::new(), left_out: Vec::new() };
        for abi in PLATFORMS.iter().filter(|p| p.cgo).flat_map(|p| p.all_abis()) {
            for tool in ["clang", "clang++", "cc", "c++", "pkg-config"] {
                plan.add(dir, gb, &format!("{}-{tool}", abi.triple))?;
            }
            for tool in ["gcc", "g++"] {
                let name = format!("{}-{tool}", abi.triple);
                match programs.find(&name) {
                    Some(_) => plan.left_out.push(name),
                    None => plan.add(dir, gb, &name)?,
                }
            }
        }
        Ok(plan)
    }

    fn add(&mut self, dir: &Path, gb: &Path, name: &str) -> Result<(), LinkError> {
        let path = dir.join(name);
        let state = state(&path, gb);
        if state == State::Foreign {
            return Err(LinkError::Occupied { dir: dir.into(), path });
        }
        self.links.push(Link { path, state });
        Ok(())
    }

    /// Makes the links that are not there yet; says how many that were.
    pub fn act(&self) -> Result<usize, LinkError> {
        let mut made = 0;
        for link in self.links.iter().filter(|link| link.state != State::Installed) {
            self.make(link).map_err(|source| LinkError::Io {
                path: link.path.clone(),
                gb: self.gb.clone(),
                source,
            })?;
            made += 1;
        }
        Ok(made)
    }

    /// A rename replaces an outdated link at once, so that no parallel build finds the compiler gone.
    fn make(&self, link: &Link) -> io::Result<()> {
        if link.state == State::Absent {
            return std::os::unix::fs::symlink(&self.gb, &link.path);
        }
        let mut name = std::ffi::OsString::from(".");
        name.push(link.path.file_name().unwrap_or_default());
        name.push(format!(".{}", std::process::id()));
        let new = link.path.with_file_name(name);
        std::os::unix::fs::symlink(&self.gb, &new)?;
        std::fs::rename(&new, &link.path).inspect_err(|_| {
            // The cause is reported; that the new link may stay beside it is the lesser trouble.
            let _removed = std::fs::remove_file(&new);
        })
    }
}

fn state(path: &Path, gb: &Path) -> State {
    let Ok(metadata) = path.symlink_metadata() else { return State::Absent };
    if !metadata.is_symlink() {
        return State::Foreign;
    }
    match (path.canonicalize(), gb.canonicalize()) {
        (Ok(found), Ok(gb)) if found == gb => State::Installed,
        (Ok(found), _) if found.file_name() != Some("gb".as_ref()) => State::Foreign,
        _ => State::Outdated,
    }
}
