//! What files would miss if they stood in a root that does not have them yet.

use std::cell::RefCell;
use std::collections::{HashMap, HashSet};
use std::ffi::OsStr;
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Component, Path, PathBuf};
use std::rc::Rc;

use super::hole::Hole;
use crate::elf::{Elf, ElfError};
use crate::loader::{Cache, Errno, FileId, Files, Opened, Own, Program};
use crate::platform::{ElfData, Platform};
use crate::rootfs::{self, Finder, Last, Needs, Root, StartError};

/// A file that is to stand in a root.
pub struct Placed {
    /// Where: an absolute path without `.`, `..` and links.
    pub path: Vec<u8>,
    /// Its other names (hard links), of the same form.
    pub others: Vec<Vec<u8>>,
    /// What it says of itself.
    pub elf: Result<Rc<Elf>, ElfError>,
    /// Whether it runs with rights that not everyone has who starts it (set-user-ID, set-group-ID).
    pub is_secure: bool,
}

/// A root, and files that are as if they stood in it: each sees the root's and the others.
pub struct Stand<'a> {
    finder: Finder<'a>,
    files: &'a [Placed],
    /// Which file is at a path, for those that ask for it by that.
    at: HashMap<&'a [u8], usize>,
    /// The last parts of all these paths and links.
    names: HashSet<&'a [u8]>,
    /// Where directories are in the root without links.
    directories: RefCell<HashMap<Vec<u8>, Vec<u8>>>,
    /// The loader of the root's own programs, once it was looked for.
    usual: Option<Option<Rc<Own>>>,
    /// Symbolic links that come with the files: where they are, and what they say.
    links: &'a HashMap<Vec<u8>, Vec<u8>>,
}

/// As many links are followed for a path (MAXSYMLINKS in the kernel's include/linux/namei.h).
const MOST_LINKS: usize = 40;

impl<'a> Stand<'a> {
    /// Puts files and links into a root; of several at one place the others see the last one.
    pub fn new(
        root: &'a Root,
        request: &'a rootfs::Request,
        files: &'a [Placed],
        links: &'a HashMap<Vec<u8>, Vec<u8>>,
    ) -> Stand<'a> {
        let names = files.iter().enumerate().flat_map(|(number, file)| {
            std::iter::once(&file.path).chain(&file.others).map(move |path| (path.as_slice(), number))
        });
        let at: HashMap<_, _> = names.collect();
        let names = at.keys().copied().chain(links.keys().map(Vec::as_slice)).map(|path| split(path).1);
        Stand {
            names: names.collect(),
            at,
            files,
            links,
            directories: RefCell::default(),
            usual: None,
            finder: Finder::new(root, request),
        }
    }

    /// Everything that one of the root's own files misses.
    pub fn own_holes(&mut self, path: &[u8]) -> Vec<Hole> {
        let start = self.finder.needs(Path::new(OsStr::from_bytes(path)));
        Hole::all_of(self.finder.seen(), &start)
    }

    /// Everything that the file of a number misses, on whatever processor; whatever else is at its place.
    pub fn holes(&mut self, number: usize) -> Vec<Hole> {
        let Some(file) = self.files.get(number) else { return Vec::new() };
        match self.needs(file, number) {
            Ok(Needs::Loaded { own, graphs }) => Hole::all_of_graphs(self, &own, &graphs),
            Ok(Needs::Nothing | Needs::Interpreter(_)) => self.of_other_machine(file).into_iter().collect(),
            Err(error) => vec![Hole::of_start(Path::new(OsStr::from_bytes(&file.path)), &error)],
        }
    }

    /// What is loaded for a file on each kind of processor.
    fn needs(&mut self, file: &Placed, number: usize) -> Result<Needs, StartError> {
        let elf = file.elf.clone()?;
        let Some(own) = self.finder.loader_of(&elf)? else { return Ok(Needs::Nothing) };
        let path = file.path.as_slice();
        let real_path = elf.interpreter.is_some().then_some(path);
        let is_secure = real_path.is_some() && file.is_secure;
        let program = Program { path, real_path, id: id_of(number), elf, is_secure };
        let graphs = self.finder.variants(self, &own, &program);
        Ok(Needs::Loaded { own, graphs })
    }

    /// What is the matter with a file that needs nothing, if the root's own programs are for a machine that does not run it.
    fn of_other_machine(&mut self, file: &Placed) -> Option<Hole> {
        let header = file.elf.as_ref().ok()?.header;
        let finder = &mut self.finder;
        let own = self.usual.get_or_insert_with(|| finder.usual()).as_ref()?.platform;
        let of = header.platform();
        let is_run = of.is_some_and(|of| own.runs(of));
        let name = |platform: Option<&Platform>| {
            platform.map_or("another machine".to_owned(), |of| format!("linux/{}", of.goarch))
        };
        let why = format!("it is for {}, and the root's programs are for {}", name(of), name(Some(own)));
        (!is_run).then(|| Hole::new(String::from_utf8_lossy(&file.path), "a machine that runs it", why))
    }

    /// The number of the file that a path leads to.
    fn number(&self, real: &[u8]) -> Option<usize> {
        if let Some(number) = self.at.get(real) {
            return Some(*number);
        }
        let (directory, name) = split(real);
        if !self.names.contains(name) {
            return None;
        }
        let mut known = self.directories.borrow_mut();
        let inside = known.entry(directory.to_vec()).or_insert_with(|| {
            place(self.finder.seen().root(), Path::new(OsStr::from_bytes(directory)))
                .into_os_string()
                .into_vec()
        });
        let inside = self.real(&[inside, b"/".as_slice(), name].concat())?;
        self.at.get(inside.as_slice()).copied()
    }

    /// Where a path leads by the links that come with the files, as if no directory of the root was a link; none in a circle.
    fn real(&self, path: &[u8]) -> Option<Vec<u8>> {
        let parts = |path: &[u8]| path.split(|byte| *byte == b'/').map(<[u8]>::to_vec).collect::<Vec<_>>();
        // The next one is the last.
        let mut left = parts(path);
        left.reverse();
        let mut real = Vec::new();
        let mut followed = 0;
        while let Some(part) = left.pop() {
            match part.as_slice() {
                b"" | b"." => {}
                b".." => real.truncate(real.iter().rposition(|byte| *byte == b'/').unwrap_or_default()),
                part => {
                    let next = [&real, b"/".as_slice(), part].concat();
                    let Some(target) = self.links.get(&next) else {
                        real = next;
                        continue;
                    };
                    followed += 1;
                    if followed > MOST_LINKS {
                        return None;
                    }
                    if target.starts_with(b"/") {
                        real.clear();
                    }
                    left.extend(parts(target).into_iter().rev());
                }
            }
        }
        Some(real)
    }
}

/// Where a path is in a root without links: as far as it is there, and what is not as it is written.
pub fn place(root: &Root, path: &Path) -> PathBuf {
    let mut real = PathBuf::from("/");
    for part in path.components() {
        match part {
            Component::Normal(name) => {
                let next = real.join(name);
                real = root.resolve(&next, Last::Follow).map_or(next, |found| found.path);
            }
            Component::ParentDir => drop(real.pop()),
            _ => {}
        }
    }
    real
}

/// A path's directory, and its last part.
fn split(path: &[u8]) -> (&[u8], &[u8]) {
    let at = path.iter().rposition(|byte| *byte == b'/').map_or(0, |at| at + 1);
    path.split_at(at)
}

/// The number of a file as that of its inode.
fn id_of(number: usize) -> FileId {
    // No file of a root is on this device.
    FileId { device: u64::MAX, inode: u64::try_from(number).unwrap_or_default() }
}

impl Files for Stand<'_> {
    fn open(&self, path: &[u8]) -> Result<Opened, Errno> {
        let real = self.real(path).ok_or(Errno::ELOOP)?;
        let placed = self.number(&real);
        if let Some((number, file)) = placed.and_then(|number| Some((number, self.files.get(number)?))) {
            return Ok(Opened { id: id_of(number), elf: file.elf.clone() });
        }
        match self.finder.seen().open(path) {
            // The directory, or a link, may be one that comes with the files.
            Err(Errno::ENOENT) if real != path => self.finder.seen().open(&real),
            opened => opened,
        }
    }

    fn is_directory(&self, path: &[u8]) -> bool {
        self.finder.seen().is_directory(path)
    }

    fn names(&self, directory: &[u8]) -> Vec<Vec<u8>> {
        self.finder.seen().names(directory)
    }

    fn contents(&self, path: &[u8]) -> Result<Rc<[u8]>, Errno> {
        self.finder.seen().contents(path)
    }

    fn cache(&self, contents: &Rc<[u8]>, data: ElfData) -> Option<Rc<Cache>> {
        self.finder.seen().cache(contents, data)
    }
}
