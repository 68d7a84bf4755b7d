//! `gb install-links`: the names by which gb's roles are called, and with them the names of the LLVM tools that configure
//! scripts and `CROSS_COMPILE=<triple>-` look for.

use std::io;
use std::path::{Path, PathBuf};

use super::binutils::Tool;
use super::{Programs, Runner};
use crate::platform::PLATFORMS;

/// A name to be linked.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Link {
    /// Where the link is, or is to be.
    pub path: PathBuf,
    /// What it leads to: gb, or a tool of LLVM.
    pub target: PathBuf,
    /// What was found there.
    pub state: State,
}

/// What is at the place of a link.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum State {
    /// Nothing yet.
    Absent,
    /// A link to the target.
    Installed,
    /// A link to where the target was before: it leads to another file of the same name, or nowhere.
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
    #[error("install links in {}: {} exists and is not gb's link (remove it, or choose another directory)", dir.display(), path.display())]
    Occupied {
        /// The directory.
        dir: PathBuf,
        /// The file in the way.
        path: PathBuf,
    },
    /// The file system refused.
    #[error("link {} to {}: {source}", path.display(), target.display())]
    Io {
        /// The link.
        path: PathBuf,
        /// What it should lead to.
        target: PathBuf,
        /// The cause.
        source: io::Error,
    },
}

/// The links to be made in a directory.
#[derive(Debug)]
pub struct Links {
    dir: PathBuf,
    /// Every name, with what is at its place.
    pub links: Vec<Link>,
    /// Names left out because a real tool of that name exists.
    pub left_out: Vec<String>,
}

/// GNU names of the tools that LLVM has under its own names. Each of these takes the machine from the objects that it
/// reads.
const LLVM_TOOLS: [(&str, &str); 15] = [
    ("ar", "llvm-ar"),
    ("ranlib", "llvm-ranlib"),
    ("nm", "llvm-nm"),
    ("strip", "llvm-strip"),
    ("objdump", "llvm-objdump"),
    ("readelf", "llvm-readelf"),
    ("addr2line", "llvm-addr2line"),
    ("c++filt", "llvm-cxxfilt"),
    ("dwp", "llvm-dwp"),
    ("size", "llvm-size"),
    ("strings", "llvm-strings"),
    // GCC's own, whose LTO needs them.
    ("gcc-ar", "llvm-ar"),
    ("gcc-nm", "llvm-nm"),
    ("gcc-ranlib", "llvm-ranlib"),
    ("gcov", "llvm-cov"),
];

/// The same for Windows alone: it takes the machine from its own name.
const DLLTOOL: (&str, &str) = ("dlltool", "llvm-dlltool");

impl Links {
    /// Decides which links a directory needs; refuses, before anything is changed, if one can't be made.
    ///
    /// `gb` is the program that plays the roles.
    pub fn plan(dir: &Path, gb: &Path, programs: Programs<'_>) -> Result<Links, LinkError> {
        if !dir.is_dir() {
            return Err(LinkError::NotADirectory(dir.into()));
        }
        let mut plan = Links { dir: dir.into(), links: Vec::new(), left_out: Vec::new() };
        // What derived images and their scripts call.
        for name in ["entrypoint.sh", "su-exec"] {
            plan.add_unless_real(name.to_owned(), gb, programs)?;
        }
        // Of every port: PATH's for this machine's own programs is looked for by a Go that is another machine's.
        for runner in Runner::all() {
            plan.add_unless_real(runner.name(), gb, programs)?;
        }
        // Those that gb plays itself, because LLVM's are to be told the machine.
        let played = Tool::ALL.into_iter().filter(|(_, _, llvm_name)| programs.find(llvm_name).is_some());
        let played: Vec<_> = played.collect();
        let found = |(name, llvm_name): (&'static str, &str)| (name, programs.find(llvm_name));
        let (llvm_tools, dlltool) = (LLVM_TOOLS.map(found), found(DLLTOOL));
        for abi in PLATFORMS.iter().filter(|p| p.cgo).flat_map(|p| p.all_abis().chain(p.windows_abi())) {
            for tool in ["clang", "clang++", "cc", "c++", "pkg-config"] {
                plan.add(&format!("{}-{tool}", abi.triple), gb)?;
            }
            for tool in ["gcc", "g++"] {
                plan.add_unless_real(format!("{}-{tool}", abi.triple), gb, programs)?;
            }
            for (tool, ..) in played.iter().filter(|(_, tool, _)| tool.is_of(abi)) {
                plan.add_unless_real(format!("{}-{tool}", abi.triple), gb, programs)?;
            }
            let dlltool = Some(&dlltool).filter(|_| abi.is_windows());
            for (tool, llvm_tool) in llvm_tools.iter().chain(dlltool) {
                if let Some(llvm_tool) = llvm_tool {
                    plan.add_unless_real(format!("{}-{tool}", abi.triple), llvm_tool, programs)?;
                }
            }
        }
        Ok(plan)
    }

    /// Adds a name that belongs to others as much as to gb: Debian's binutils and gcc have it, too.
    fn add_unless_real(&mut self, name: String, to: &Path, programs: Programs<'_>) -> Result<(), LinkError> {
        let real = programs.find_outside(&name, &self.dir).and_then(|path| path.canonicalize().ok());
        if real.is_some() && real != to.canonicalize().ok() {
            self.left_out.push(name);
            return Ok(());
        }
        self.add(&name, to)
    }

    fn add(&mut self, name: &str, to: &Path) -> Result<(), LinkError> {
        let path = self.dir.join(name);
        let state = state(&path, to);
        if state == State::Foreign {
            return Err(LinkError::Occupied { dir: self.dir.clone(), path });
        }
        // Relative within one directory, so that a tree can be moved.
        let same_dir = to.parent().and_then(|d| d.canonicalize().ok()) == self.dir.canonicalize().ok();
        let target = to.file_name().filter(|_| same_dir).map_or_else(|| to.into(), PathBuf::from);
        self.links.push(Link { path, target, state });
        Ok(())
    }

    /// Makes the links that are not there yet; says how many that were.
    pub fn act(&self) -> Result<usize, LinkError> {
        let mut made = 0;
        for link in self.links.iter().filter(|link| link.state != State::Installed) {
            make(link).map_err(|source| LinkError::Io {
                path: link.path.clone(),
                target: link.target.clone(),
                source,
            })?;
            made += 1;
        }
        Ok(made)
    }
}

/// A rename replaces an outdated link at once, so that no parallel build finds the compiler gone.
fn make(link: &Link) -> io::Result<()> {
    if link.state == State::Absent {
        return std::os::unix::fs::symlink(&link.target, &link.path);
    }
    let mut name = std::ffi::OsString::from(".");
    name.push(link.path.file_name().unwrap_or_default());
    name.push(format!(".{}", std::process::id()));
    let new = link.path.with_file_name(name);
    std::os::unix::fs::symlink(&link.target, &new)?;
    std::fs::rename(&new, &link.path).inspect_err(|_| {
        // The cause is reported; that the new link may stay beside it is the lesser trouble.
        let _removed = std::fs::remove_file(&new);
    })
}

fn state(path: &Path, to: &Path) -> State {
    let Ok(metadata) = path.symlink_metadata() else { return State::Absent };
    if !metadata.is_symlink() {
        return State::Foreign;
    }
    let target = std::fs::read_link(path).unwrap_or_default();
    match (path.canonicalize(), to.canonicalize()) {
        (Ok(found), Ok(to)) if found == to => State::Installed,
        _ if target.file_name() == to.file_name() => State::Outdated,
        (Err(_), _) => State::Outdated,
        _ => State::Foreign,
    }
}
