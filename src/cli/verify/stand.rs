//! `--against`: files as if they stood in a root.

use std::collections::HashMap;
use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::lines;
use super::list::{Link, List, Listed};
use crate::closure::{Hole, Placed, Stand, place};
use crate::elf::{Elf, ElfError};
use crate::error::Error;
use crate::layers;
use crate::platform::Target;
use crate::rootfs::{self, Root};
use crate::verify::{Facts, Finding, Kind, symbols};

/// A root, and where it is on this machine.
pub(super) struct Rootfs {
    root: Root,
    path: PathBuf,
}

/// Where the files are put in a root, and the links that come with them.
pub(super) struct Places {
    rootfs: Rootfs,
    placed: Vec<Placed>,
    /// Which of these a file is, by the path that it is listed by.
    numbers: HashMap<PathBuf, usize>,
    links: HashMap<Vec<u8>, Vec<u8>>,
}

/// The root with the files in it.
pub(super) struct Place<'a> {
    stand: Stand<'a>,
    places: &'a Places,
}

/// Opens a root: a directory, or an image that is an archive; of several images the one for a platform.
pub(super) fn root(path: &Path, platform: Option<&Target>) -> Result<Root, Error> {
    layers::open(path, platform).map_err(|error| {
        Error::Usage(format!("open {}: {}", lines::path(path), lines::clean(&error.to_string())))
    })
}

/// Opens a root that files are to stand in.
pub(super) fn open(path: &Path, platform: Option<&Target>) -> Result<Rootfs, Error> {
    let root = root(path, platform)?;
    let failed = |source| Error::Io { attempt: format!("open {}", lines::path(path)), source };
    Ok(Rootfs { root, path: path.canonicalize().map_err(failed)? })
}

impl Places {
    /// Puts all files that are listed into a root, so that they see each other.
    pub(super) fn new(rootfs: Rootfs, at: &Path, list: &List) -> Places {
        let (mut placed, mut numbers) = (Vec::new(), HashMap::new());
        let mut directories = HashMap::new();
        let mut absolute = |below: &Path| {
            let whole = at.join(below);
            let directory = whole.parent().unwrap_or(at).to_owned();
            // Programs see where they are without links.
            let real = directories.entry(directory);
            let real = real.or_insert_with_key(|directory| place(&rootfs.root, directory));
            real.join(below.file_name().unwrap_or_default()).into_os_string().into_vec()
        };
        for file in list.files.iter().filter(|file| rootfs.inside(&file.path).is_none()) {
            // What can't be read is told of when it is looked at.
            let Ok(opened) = file.open() else { continue };
            let elf = match Elf::read(&opened) {
                Err(ElfError::NotElf | ElfError::TooShort) => continue,
                elf => elf.map(Rc::new),
            };
            let is_secure = opened.0.metadata().is_ok_and(|found| found.mode() & 0o6000 != 0);
            let others = file.others.iter().map(|below| absolute(below)).collect();
            numbers.insert(file.path.clone(), placed.len());
            placed.push(Placed { path: absolute(&file.below), others, elf, is_secure });
        }
        let is_there =
            |link: &&Link| link.path.parent().is_some_and(|parent| rootfs.inside(parent).is_some());
        let links = list.links.iter().filter(|link| !is_there(link));
        let links =
            links.map(|link| (absolute(&link.below), link.target.clone().into_os_string().into_vec()));
        let links = links.collect();
        Places { rootfs, placed, numbers, links }
    }
}

impl<'a> Place<'a> {
    /// The root with the files in it.
    pub(super) fn new(places: &'a Places, request: &'a rootfs::Request) -> Place<'a> {
        let stand = Stand::new(&places.rootfs.root, request, &places.placed, &places.links);
        Place { stand, places }
    }

    /// What a file misses there.
    pub(super) fn lacks(&mut self, file: &Listed, facts: &Facts) -> Vec<Finding> {
        if !matches!(facts.kind, Kind::Program | Kind::Library) {
            return Vec::new();
        }
        let number = self.places.numbers.get(&file.path);
        let placed = number.and_then(|number| Some((*number, self.places.placed.get(*number)?)));
        let (path, holes) = match (placed, self.places.rootfs.inside(&file.path)) {
            (Some((number, placed)), _) => (placed.path.clone(), self.stand.holes(number)),
            (None, Some(path)) => {
                let holes = self.stand.own_holes(&path);
                (path, holes)
            }
            (None, None) => return Vec::new(),
        };
        let mut findings: Vec<_> = holes.iter().take(MOST).map(|hole| finding(hole, &path, facts)).collect();
        if let Some(more) = holes.len().checked_sub(MOST).filter(|more| *more > 0) {
            findings.push(Finding::new("missing", format!("misses {more} more")));
        }
        findings
    }
}

/// As much that a file misses is told.
const MOST: usize = 256;

/// What a file at a path misses, with the symbols that ask for it.
fn finding(hole: &Hole, path: &[u8], facts: &Facts) -> Finding {
    let is_own = hole.by.as_bytes() == path;
    let version = hole.version().filter(|_| is_own);
    let need =
        version.and_then(|version| facts.versions.iter().find(|need| need.version == version.as_bytes()));
    let asked = need.map(symbols).filter(|symbols| !symbols.is_empty());
    let asked = asked.map(|symbols| format!(" (asked for by {symbols})")).unwrap_or_default();
    let by = if is_own { String::new() } else { format!(" for {}", hole.by) };
    let searched = match hole.searched.as_slice() {
        [] => String::new(),
        searched => format!("; looked in {}", searched.join("; ")),
    };
    let what = format!("misses {}{asked}{by}: {}{searched}", hole.missing, hole.why);
    Finding { remedy: hole.hint.clone(), ..Finding::new("missing", what) }
}

impl Rootfs {
    /// The path in the root of a file that is in it.
    fn inside(&self, path: &Path) -> Option<Vec<u8>> {
        let real = path.canonicalize().ok()?;
        let inside = real.strip_prefix(&self.path).ok()?;
        Some(Path::new("/").join(inside).into_os_string().into_vec())
    }
}
