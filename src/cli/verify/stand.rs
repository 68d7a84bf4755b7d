//! `--against`: files as if they stood in a root.

use std::os::unix::ffi::OsStringExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::rc::Rc;

use super::lines;
use super::list::{List, Listed};
use crate::closure::{Hole, Placed, Stand};
use crate::elf::Elf;
use crate::error::Error;
use crate::layers;
use crate::platform::Target;
use crate::rootfs::{self, Last, Root};
use crate::verify::{Facts, Finding, Kind, symbols};

/// A root, and where it is on this machine.
pub(super) struct Rootfs {
    root: Root,
    path: PathBuf,
}

/// The root with the files in it.
pub(super) struct Place<'a> {
    stand: Stand<'a>,
    rootfs: &'a Rootfs,
    /// Where the files are put.
    at: PathBuf,
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

impl<'a> Place<'a> {
    /// Puts all files that are listed there, so that they see each other.
    pub(super) fn new(
        rootfs: &'a Rootfs,
        request: &'a rootfs::Request,
        at: &Path,
        list: &List,
    ) -> Result<Place<'a>, Error> {
        let at = Path::new("/").join(at);
        // Programs see where they are without links.
        let at = rootfs.root.resolve(&at, Last::Follow).map_or(at, |found| found.path);
        let mut placed = Vec::new();
        for file in &list.files {
            // What can't be read is told of when it is looked at.
            let Ok(opened) = file.open() else { continue };
            let Ok(elf) = Elf::read(&opened) else { continue };
            let (path, is_there) = rootfs.path_of(&at, file);
            if !is_there {
                let is_secure = opened.0.metadata().is_ok_and(|found| found.mode() & 0o6000 != 0);
                placed.push(Placed { path, elf: Rc::new(elf), is_secure });
            }
        }
        Ok(Place { stand: Stand::new(&rootfs.root, request, &placed), rootfs, at })
    }

    /// What a file misses there.
    pub(super) fn lacks(&mut self, file: &Listed, facts: &Facts) -> Vec<Finding> {
        if !matches!(facts.kind, Kind::Program | Kind::Library) {
            return Vec::new();
        }
        let (path, _) = self.rootfs.path_of(&self.at, file);
        let holes = self.stand.holes(&path);
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
    /// Where a file stands in the root: where it is, if it is in it; else where it is put. Whether it is in it.
    fn path_of(&self, at: &Path, file: &Listed) -> (Vec<u8>, bool) {
        let real = file.path.canonicalize().ok();
        match real.as_deref().and_then(|real| real.strip_prefix(&self.path).ok()) {
            Some(inside) => (Path::new("/").join(inside).into_os_string().into_vec(), true),
            None => (at.join(&file.below).into_os_string().into_vec(), false),
        }
    }
}
