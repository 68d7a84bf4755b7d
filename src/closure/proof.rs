//! A finished root, looked at as if nothing were known of it: does everything in it find what it needs?

use std::collections::HashSet;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::hole::Hole;
use super::script;
use super::{base, data, nsswitch};
use crate::elf::ElfError;
use crate::loader::{Errno, FileId, Object, Own, Settings};
use crate::rootfs::{self, Finder, Kind, Last, Needs, Root, StartError, Variant};

/// What was looked at, and what is missing.
#[derive(Debug, Default)]
pub struct Proof {
    /// Files, links and directories.
    pub files: usize,
    /// Programs and libraries that a loader loads.
    pub objects: usize,
    /// What is missing. A root that could not be looked at to its end is not proven, so that is among it.
    pub holes: Vec<Hole>,
    /// Those of the holes that say what could not be looked at.
    pub unseen: Vec<Hole>,
    /// What is to be known beside that.
    pub notes: Vec<String>,
}

/// No image has more files.
const MOST_FILES: usize = 1 << 22;
/// As many programs are asked whether they find what a library of theirs does not.
const MOST_PROGRAMS: usize = 64;

/// Looks at everything in a root, whose programs run with this LD_LIBRARY_PATH.
///
/// A library is asked about as part of each program that loads it. One that no program loads is a plugin: it has to find what
/// it needs by itself, or as part of some program of the root.
pub fn prove(root: &Root, library_path: Option<Vec<u8>>) -> Proof {
    let settings = Settings { library_path, ..Settings::default() };
    let settings = rootfs::Request { settings, ..rootfs::Request::default() };
    let mut looking = Looking {
        root,
        finder: Finder::new(root, &settings),
        proof: Proof::default(),
        libraries: Vec::new(),
        programs: Vec::new(),
        loaded: HashSet::new(),
        libc: None,
        owns: Vec::new(),
        names: HashSet::new(),
        unstartable: Vec::new(),
    };
    looking.owns.extend(looking.finder.usual());
    looking.walk();
    looking.plugins();
    looking.services();
    looking.settle();
    let mut proof = looking.proof;
    proof.holes.sort();
    proof.holes.dedup();
    proof
}

/// Whether an error tells what is there: nothing, or links in a circle.
fn is_answer(errno: Errno) -> bool {
    [Errno::ENOENT, Errno::ENOTDIR, Errno::ELOOP].contains(&errno)
}

struct Looking<'a> {
    root: &'a Root,
    finder: Finder<'a>,
    proof: Proof,
    /// Files that a loader may load, and no program was seen to.
    libraries: Vec<(PathBuf, FileId)>,
    /// The first programs, as those who load.
    programs: Vec<(Rc<Own>, Object)>,
    loaded: HashSet<FileId>,
    libc: Option<(Object, Rc<Own>)>,
    /// The loaders of the root's programs.
    owns: Vec<Rc<Own>>,
    /// The names that libraries may be asked for by.
    names: HashSet<OsString>,
    /// Files that no loader of the root loads.
    unstartable: Vec<(PathBuf, StartError)>,
}

impl Looking<'_> {
    fn walk(&mut self) {
        let mut directories = vec![PathBuf::from("/")];
        while let Some(directory) = directories.pop() {
            if self.root.is_kernels(&directory) {
                continue;
            }
            let names = match self.root.list(&directory, MOST_FILES) {
                Ok(names) => names,
                Err(error) => {
                    self.unseen(&directory, "what is in it", error.to_string());
                    continue;
                }
            };
            for name in names {
                let file = directory.join(name);
                self.proof.files += 1;
                if self.proof.files > MOST_FILES {
                    return self.unseen(
                        &file,
                        "the rest",
                        "there are more files than gb is willing to look at",
                    );
                }
                match self.root.lstat(&file) {
                    Ok(found) => match found.kind {
                        Kind::Directory => directories.push(file),
                        Kind::Link => self.link(&file),
                        Kind::File => self.file(&file, found.mode, found.id),
                        _ => {}
                    },
                    Err(error) => self.unseen(&file, "it", error.to_string()),
                }
            }
        }
    }

    /// A link to nothing matters where loaders and shells look; a documentation's may well be left without it.
    fn link(&mut self, file: &Path) {
        let found = self.root.resolve(file, Last::Follow);
        self.names.extend(found.is_ok().then(|| file.file_name().unwrap_or_default().to_owned()));
        let Err(error) = found else { return };
        let directory = file.parent().and_then(Path::file_name).unwrap_or_default().as_bytes();
        let is_place =
            data::is_of_programs(file.parent()) || [b"lib".as_slice(), b"lib64"].contains(&directory);
        if is_place || data::is_library_name(file) {
            // What is not there, and a circle, were seen; whatever else is wrong may be with who looks.
            let code = error.raw_os_error().map(Errno::from_raw);
            match code.is_some_and(is_answer) {
                true => self.hole(file, "what the link leads to", error.to_string()),
                false => self.unseen(file, "what the link leads to", error.to_string()),
            }
        }
    }

    fn file(&mut self, file: &Path, mode: u32, id: FileId) {
        match self.finder.needs(file).result {
            Ok(Needs::Loaded { own, graphs }) => {
                if !self.owns.iter().any(|known| known.path == own.path) {
                    self.owns.push(Rc::clone(&own));
                }
                if data::is_data(file, mode) {
                    return;
                }
                if rootfs::is_program(&graphs) {
                    self.take(&own, &graphs);
                } else {
                    self.names.extend(file.file_name().map(OsStr::to_owned));
                    self.libraries.push((file.to_owned(), id));
                }
            }
            Ok(Needs::Interpreter(_)) | Err(StartError::Script) if mode & 0o111 != 0 => self.script(file),
            Ok(Needs::Interpreter(_) | Needs::Nothing) | Err(StartError::Script) => {}
            Err(StartError::Elf(ElfError::NotElf | ElfError::TooShort)) => {}
            // A library of a machine that has no loader here is somebody's data.
            Err(StartError::NoUsualLoader(_)) => {}
            Err(_) if data::is_data(file, mode) => {}
            Err(error) => self.unstartable.push((file.to_owned(), error)),
        }
    }

    /// Files of other machines than the root's programs are somebody's data, too.
    fn settle(&mut self) {
        for (file, error) in std::mem::take(&mut self.unstartable) {
            if !data::is_foreign(self.finder.seen(), self.owns.iter().map(Rc::as_ref), &file) {
                let hole = Hole::of_start(&file, &error);
                let is_unseen = match error {
                    StartError::Open(errno) => !is_answer(errno),
                    StartError::Elf(ElfError::Unreadable(_)) => true,
                    _ => false,
                };
                self.proof.unseen.extend(is_unseen.then(|| hole.clone()));
                self.proof.holes.push(hole);
            }
        }
    }

    /// What a program loads: none of it may miss anything.
    fn take(&mut self, own: &Rc<Own>, graphs: &[Variant]) {
        self.proof.notes.extend(Hole::platforms(graphs));
        self.proof.holes.extend(Hole::all_of_graphs(self.finder.seen(), own, graphs));
        for variant in graphs {
            for object in &variant.graph.objects {
                if self.loaded.insert(object.id) {
                    self.proof.objects += 1;
                }
                self.see_libc(own, object);
            }
        }
        if let Some(program) = graphs.first().and_then(|variant| variant.graph.objects.first()) {
            if self.programs.len() < MOST_PROGRAMS {
                self.programs.push((Rc::clone(own), program.clone()));
            }
        }
    }

    fn see_libc(&mut self, own: &Rc<Own>, object: &Object) {
        if nsswitch::is_glibc(own, object) {
            self.libc.get_or_insert_with(|| (object.clone(), Rc::clone(own)));
        }
    }

    fn plugins(&mut self) {
        let mut by_others = Vec::new();
        for (file, id) in std::mem::take(&mut self.libraries) {
            if self.loaded.contains(&id) {
                continue;
            }
            let Ok(Needs::Loaded { own, graphs }) = self.finder.needs(&file).result else { continue };
            let mut holes = Hole::all_of_graphs(self.finder.seen(), &own, &graphs);
            if !holes.is_empty() && self.some_program_loads(&file) {
                holes.clear();
            }
            let (found, holes): (Vec<_>, Vec<_>) =
                holes.into_iter().partition(|hole| self.names.contains(OsStr::new(&hole.missing)));
            by_others.extend(found);
            self.proof.objects += 1;
            self.proof.holes.extend(holes);
            for object in graphs.iter().flat_map(|variant| &variant.graph.objects) {
                self.see_libc(&own, object);
            }
        }
        self.proof.notes.extend(Hole::by_others(&by_others));
    }

    /// Whether a library finds everything when one of the programs loads it.
    fn some_program_loads(&mut self, file: &Path) -> bool {
        let name = file.as_os_str().as_bytes();
        let finder = &mut self.finder;
        self.programs.iter().any(|(own, program)| {
            let graphs = finder.asked(own, Some(program), name);
            Hole::all_of_graphs(finder.seen(), own, &graphs).is_empty()
        })
    }

    fn script(&mut self, file: &Path) {
        for interpreter in script::of(self.root, file) {
            let Err(hole) = script::find(self.root, file, &interpreter) else { continue };
            match data::is_started(file, &interpreter) {
                true => self.proof.holes.push(hole),
                false => {
                    self.proof.notes.push(format!("{} is for {}, which is not there", hole.by, hole.missing))
                }
            }
        }
    }

    fn services(&mut self) {
        let Some((libc, own)) = self.libc.clone() else { return };
        let Ok(configured) = self.root.read(Path::new(base::NSSWITCH_PATH), 1 << 20) else { return };
        let databases = match nsswitch::databases(&configured) {
            Ok(databases) => databases,
            Err(error) => {
                match error.hole(&libc) {
                    Ok(hole) => self.proof.holes.push(hole),
                    Err(note) => self.proof.notes.push(note),
                }
                return;
            }
        };
        let mut holes = Vec::new();
        let mut is_there = |module: &str| {
            let graphs = self.finder.asked(&own, Some(&libc), module.as_bytes());
            let is_there = rootfs::is_answered(&graphs);
            if is_there {
                holes.extend(Hole::all_of_graphs(self.finder.seen(), &own, &graphs));
            }
            is_there
        };
        for absent in nsswitch::absent(&databases, &libc, &mut is_there) {
            match absent.leaves {
                Some(_) => holes.push(Hole::new("", &absent.module, absent.to_string())),
                None => self.proof.notes.push(absent.to_string()),
            }
        }
        let by = base::NSSWITCH_PATH.to_owned();
        self.proof.holes.extend(holes.into_iter().map(|hole| Hole { by: by.clone(), ..hole }));
    }

    /// A hole that is one because nobody could look.
    fn unseen(&mut self, by: &Path, missing: &str, why: impl Into<String>) {
        let hole = Hole::new(by.to_string_lossy(), missing, why);
        self.proof.unseen.push(hole.clone());
        self.proof.holes.push(hole);
    }

    fn hole(&mut self, by: &Path, missing: impl Into<String>, why: impl Into<String>) {
        self.proof.holes.push(Hole::new(by.to_string_lossy(), missing, why));
    }
}
