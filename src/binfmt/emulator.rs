//! The emulators that there are to register.

use std::io;
use std::os::unix::fs::PermissionsExt;
use std::path::{Path, PathBuf};

use goblin::container::Ctx;
use goblin::elf::program_header::PT_INTERP;
use goblin::elf::{Elf, ProgramHeader};

use crate::file;
use crate::platform::Platform;

/// What a file is to a kernel that would run it as an interpreter.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// There is none.
    Missing,
    /// It can't be read.
    Unreadable,
    /// It may not be run.
    NotExecutable,
    /// A program of this machine that needs nothing else, or a script.
    Static,
    /// A program of this machine that needs a loader and libraries.
    Dynamic,
    /// A program of another machine, or none at all.
    Foreign,
}

impl Kind {
    /// Looks at a file.
    pub fn of(path: &Path) -> Kind {
        let head = match file::read_part(path, 0, 4096) {
            Ok(head) => head,
            Err(error) if error.kind() == io::ErrorKind::NotFound => return Kind::Missing,
            Err(_) => return Kind::Unreadable,
        };
        let is_executable = std::fs::metadata(path).is_ok_and(|file| file.permissions().mode() & 0o111 != 0);
        if !is_executable {
            return Kind::NotExecutable;
        }
        if head.starts_with(b"#!") {
            return Kind::Static;
        }
        match Platform::by_elf_header(&head) {
            Some(platform) if Some(platform) == Platform::host() => match has_loader(&head) {
                Some(true) => Kind::Dynamic,
                _ => Kind::Static,
            },
            _ => Kind::Foreign,
        }
    }
}

/// Whether a program asks for a loader, from its beginning.
fn has_loader(head: &[u8]) -> Option<bool> {
    let header = Elf::parse_header(head).ok()?;
    let context = Ctx::new(header.container().ok()?, header.endianness().ok()?);
    let at = usize::try_from(header.e_phoff).ok()?;
    let segments = ProgramHeader::parse(head, at, header.e_phnum.into(), context).ok()?;
    Some(segments.iter().any(|segment| segment.p_type == PT_INTERP))
}

/// Whether an interpreter's name is that of a QEMU, Debian's `<arch>-binfmt-P` included.
pub fn is_qemu(interpreter: &Path) -> bool {
    let name = interpreter.file_name().unwrap_or_default().to_string_lossy();
    name.starts_with("qemu-") || name.ends_with("-binfmt-P")
}

/// No emulator that can be registered.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum NoEmulator {
    /// There is no such file.
    #[error("no {name} in {}", dirs.iter().map(|dir| dir.display().to_string()).collect::<Vec<_>>().join(":"))]
    Missing {
        /// Its name.
        name: String,
        /// Where it was looked for.
        dirs: Vec<PathBuf>,
    },
    /// There is, and it won't do.
    #[error("{}: {why}", path.display())]
    Unfit {
        /// The file.
        path: PathBuf,
        /// Why not.
        why: &'static str,
    },
}

/// What an architecture's emulator is called: as Debian called the static one, and QEMU's own name.
pub fn names(platform: &Platform) -> [String; 2] {
    let own = format!("qemu-{}", platform.qemu);
    [format!("{own}-static"), own]
}

/// An emulator of one of these names, from the first of the directories that has one.
///
/// With `in_containers` it has to be static: a container has neither its loader nor its libraries.
pub fn find(names: &[String], dirs: &[PathBuf], in_containers: bool) -> Result<PathBuf, NoEmulator> {
    let paths = dirs.iter().flat_map(|dir| names.iter().map(move |name| dir.join(name)));
    let mut unfit = None;
    for path in paths {
        let why = match Kind::of(&path) {
            Kind::Missing => continue,
            Kind::Static => return Ok(path),
            Kind::Dynamic if !in_containers => return Ok(path),
            Kind::Dynamic => "it is not static, so it would not run in containers",
            Kind::Foreign => "it is no program of this machine",
            Kind::NotExecutable => "it may not be run",
            Kind::Unreadable => "it can't be read",
        };
        unfit = unfit.or(Some(NoEmulator::Unfit { path, why }));
    }
    let name = names.last().cloned().unwrap_or_default();
    Err(unfit.unwrap_or(NoEmulator::Missing { name, dirs: dirs.to_vec() }))
}
