//! Laying archives upon one another, as layers of an image lie.
//!
//! What a layer hides of those below it is told by names (whiteouts: "image layer filesystem changeset" of the OCI image
//! specification, layer.md): `.wh.NAME` hides NAME, `.wh..wh..opq` all that is in the directory. Neither hides what is of the same
//! layer, wherever in it that stands. A link in a directory's place is followed, but never out of the root, as the engines do
//! (`RootPath` of containerd's continuity/fs, docker's pkg/archive in a chroot).

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

use super::merged::{Child, HIDDEN, Merged, What};
use super::tar::{Entry, EntryKind, Reader, TarError};
use crate::rootfs::{Last, Regular, Stored, find};

/// Why layers are no root.
#[derive(Debug, thiserror::Error)]
pub enum LayerError {
    /// An archive can't be read.
    #[error(transparent)]
    Tar(#[from] TarError),
    /// What it says of a file can't be.
    #[error("{}: {what}", String::from_utf8_lossy(path))]
    Entry {
        /// The file.
        path: Vec<u8>,
        /// What is wrong with it.
        what: &'static str,
    },
}

/// What is wrong with an entry.
pub(super) type Wrong = &'static str;

/// What is wrong if there is too much.
pub(super) const LARGE: Wrong = "there are more files, or longer names, than gb is willing to remember";
const DEEP: Wrong = "it is deeper than any path";

/// No image has longer names and links, all together.
const MOST_TEXT: usize = 256 << 20;
/// Nor does it take so long to find the places of its files, behind whatever links (a million files take some ten million).
const MOST_STEPS: u64 = 1 << 28;
/// The kernel's limits of a name's length, and of a path's with the NUL byte at its end.
const NAME_MAX: usize = 255;
const PATH_MAX: usize = 4096;
/// How an archive is read.
#[derive(Debug, Clone, Copy)]
pub struct Manner {
    /// Its names may hide what is below it; else they are names as others.
    pub has_whiteouts: bool,
    /// It is known to be whole, so that the mark of its end may be missing.
    pub is_known_whole: bool,
}

impl Merged {
    /// Lays an archive upon what is there.
    pub fn add(&mut self, archive: Regular, manner: Manner) -> Result<(), LayerError> {
        let layer = self.archives.len();
        self.archives.push(archive.clone());
        let mut reader = Reader::new(&archive, manner.is_known_whole);
        while let Some(entry) = reader.next()? {
            let put = self.entry(&entry, layer, manner);
            put.map_err(|what| LayerError::Entry { path: entry.path, what })?;
        }
        Ok(())
    }

    fn entry(&mut self, entry: &Entry, layer: usize, manner: Manner) -> Result<(), Wrong> {
        let names = names(&entry.path)?;
        let link = match &entry.kind {
            EntryKind::Link(target) | EntryKind::HardLink(target) => target.len(),
            _ => 0,
        };
        if link >= PATH_MAX {
            return Err("it is a link to a longer path than there is");
        }
        self.text = self.text.saturating_add(entry.path.len() + link);
        if self.text > MOST_TEXT || self.steps.get() > MOST_STEPS {
            return Err(LARGE);
        }
        let Some((name, above)) = names.split_last() else {
            // The root itself.
            if entry.kind != EntryKind::Directory {
                return Err("it is to be the root, and no directory");
            }
            self.describe(0, entry);
            return Ok(());
        };
        let parent = self.parent(above, layer)?;
        if let Some(hidden) = name.strip_prefix(b".wh.").filter(|_| manner.has_whiteouts) {
            match hidden {
                b".wh..opq" => self.hide_all(parent, layer),
                // What aufs keeps for itself.
                hidden if hidden.starts_with(b".wh.") => {}
                b"" | b"." | b".." => return Err("it hides nothing that there could be"),
                hidden => self.hide(parent, OsStr::from_bytes(hidden), layer),
            }
            return Ok(());
        }
        let name = OsStr::from_bytes(name);
        let known = self.child_of(parent, name).filter(|known| self.is_directory(known.node));
        let what = match (&entry.kind, known) {
            (EntryKind::HardLink(target), _) => {
                let node = self.target_of(target)?;
                if let Some(node) = self.nodes.get_mut(node) {
                    node.names = node.names.saturating_add(1);
                }
                self.name(parent, name, Child { node, layer });
                return Ok(());
            }
            (EntryKind::Directory, Some(known)) => {
                // It stays with what is in it.
                self.name(parent, name, Child { layer, ..known });
                self.describe(known.node, entry);
                return Ok(());
            }
            (EntryKind::Directory, None) => self.directory_in(parent)?,
            (EntryKind::Link(target), _) => What::Link(OsStr::from_bytes(target).to_owned()),
            (EntryKind::File { start, size }, _) => What::File {
                archive: layer,
                start: *start,
                size: *size,
                capabilities: entry.capabilities.clone().map(Vec::into_boxed_slice),
            },
            (EntryKind::Fifo, _) => What::Fifo,
            (EntryKind::Device, _) => What::Device,
        };
        let node = self.push(what)?;
        self.describe(node, entry);
        self.name(parent, name, Child { node, layer });
        Ok(())
    }

    /// The directory that a name is to be put into; what is missing of its path is made.
    fn parent(&mut self, above: &[&[u8]], layer: usize) -> Result<usize, Wrong> {
        let mut here = 0;
        for (at, name) in above.iter().enumerate() {
            let name = OsStr::from_bytes(name);
            let Some(child) = self.child_of(here, name) else {
                let what = self.directory_in(here)?;
                let node = self.push(what)?;
                self.name(here, name, Child { node, layer });
                here = node;
                continue;
            };
            here = match self.nodes.get(child.node).map(|node| &node.what) {
                Some(What::Directory { .. }) => child.node,
                Some(What::Link(_)) => {
                    let whole: PathBuf =
                        above.iter().take(at + 1).map(|name| OsStr::from_bytes(name)).collect();
                    let found = find(self, &whole, Last::Follow).ok();
                    let found = found.filter(|found| self.is_directory(*found));
                    found.ok_or("it is behind a link that leads to no directory")?
                }
                _ => return Err("it is in what is no directory"),
            };
        }
        Ok(here)
    }

    /// An empty directory in a directory.
    fn directory_in(&self, directory: usize) -> Result<What, Wrong> {
        Ok(What::directory(self.depth_below(directory).ok_or(DEEP)?))
    }

    /// The file that a hard link is a further name of.
    fn target_of(&self, target: &[u8]) -> Result<usize, Wrong> {
        let path: PathBuf = names(target)?.into_iter().map(OsStr::from_bytes).collect();
        match find(self, &path, Last::Keep) {
            Ok(found) if self.is_directory(found) => Err("it is a hard link to a directory"),
            Ok(found) => Ok(found),
            Err(_) => Err("it is a hard link to nothing"),
        }
    }

    /// Hides a name, as far as it is of the layers below.
    fn hide(&mut self, directory: usize, name: &OsStr, layer: usize) {
        let Some(child) = self.child_of(directory, name) else { return };
        self.hide_all(child.node, layer);
        if child.layer != layer && !self.has_children(child.node) {
            self.name(directory, name, Child { node: HIDDEN, layer });
        }
    }

    /// Hides all that is in a directory, as far as it is of the layers below.
    fn hide_all(&mut self, directory: usize, layer: usize) {
        if !self.clears(directory, layer) {
            return;
        }
        for name in self.names(directory) {
            self.hide(directory, &name, layer);
        }
    }
}

/// The names of a path, without those that say nothing.
fn names(path: &[u8]) -> Result<Vec<&[u8]>, Wrong> {
    if path.len() >= PATH_MAX {
        return Err("its path is longer than any");
    }
    let names: Vec<_> =
        path.split(|byte| *byte == b'/').filter(|name| !name.is_empty() && *name != b".").collect();
    if names.contains(&b"..".as_slice()) {
        return Err("there is .. in its path, by which files are put elsewhere");
    }
    match names.iter().all(|name| name.len() <= NAME_MAX) {
        true => Ok(names),
        false => Err("its name is longer than any"),
    }
}
