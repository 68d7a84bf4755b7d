//! The files of archives that lie one upon another.

use std::cell::Cell;
use std::collections::BTreeMap;
use std::ffi::{OsStr, OsString};
use std::io;

use super::laying::{LARGE, Wrong};
use super::tar::Entry;
use crate::loader::FileId;
use crate::rootfs::{Kind, Metadata, Regular, Stored};

/// No image has more files, those that are hidden included.
const MOST_NODES: usize = 1 << 21;
/// A path that can be looked up has no more directories.
const DEEPEST: u16 = 2048;

/// Files by numbers, in the order in which they came; the root directory is the first.
pub struct Merged {
    pub(super) nodes: Vec<Node>,
    /// The layers, the lowest first.
    pub(super) archives: Vec<Regular>,
    /// The bytes of names and links.
    pub(super) text: usize,
    /// How many names have been looked up.
    pub(super) steps: Cell<u64>,
}

pub(super) struct Node {
    pub(super) mode: u32,
    pub(super) uid: u32,
    pub(super) gid: u32,
    pub(super) modified: (i64, u32),
    /// How many names it has.
    pub(super) names: u32,
    pub(super) what: What,
}

pub(super) enum What {
    Directory {
        children: BTreeMap<OsString, Child>,
        /// How many of them are not hidden.
        visible: usize,
        /// The layer that has hidden all of those below it last.
        cleared: Option<usize>,
        depth: u16,
    },
    Link(OsString),
    File {
        archive: usize,
        start: u64,
        size: u64,
        capabilities: Option<Box<[u8]>>,
    },
    Fifo,
    Device,
}

/// The file of a name that is hidden: none.
pub(super) const HIDDEN: usize = usize::MAX;

/// A name in a directory: of which file, and of which layer it is.
#[derive(Clone, Copy)]
pub(super) struct Child {
    pub(super) node: usize,
    pub(super) layer: usize,
}

impl Default for Merged {
    fn default() -> Merged {
        Merged { nodes: vec![Node::default()], archives: Vec::new(), text: 0, steps: Cell::new(0) }
    }
}

/// A directory that is there because something is in it.
impl Default for Node {
    fn default() -> Node {
        Node { mode: 0o755, uid: 0, gid: 0, modified: (0, 0), names: 1, what: What::directory(0) }
    }
}

impl What {
    pub(super) fn directory(depth: u16) -> What {
        What::Directory { children: BTreeMap::new(), visible: 0, cleared: None, depth }
    }
}

impl Merged {
    /// A file of which nothing is said but what it is.
    pub(super) fn push(&mut self, what: What) -> Result<usize, Wrong> {
        if self.nodes.len() >= MOST_NODES {
            return Err(LARGE);
        }
        self.nodes.push(Node { what, ..Node::default() });
        Ok(self.nodes.len() - 1)
    }

    /// Says of a file what an entry says.
    pub(super) fn describe(&mut self, node: usize, entry: &Entry) {
        if let Some(node) = self.nodes.get_mut(node) {
            (node.mode, node.uid, node.gid, node.modified) =
                (entry.mode, entry.uid, entry.gid, entry.modified);
        }
    }

    /// Gives a file a name; what had it loses it.
    pub(super) fn name(&mut self, directory: usize, name: &OsStr, child: Child) {
        let what = self.nodes.get_mut(directory).map(|node| &mut node.what);
        let Some(What::Directory { children, visible, .. }) = what else { return };
        let replaced = children.insert(name.to_owned(), child).map_or(HIDDEN, |replaced| replaced.node);
        *visible += usize::from(child.node != HIDDEN);
        *visible = visible.saturating_sub(usize::from(replaced != HIDDEN));
        // A further name of a file that it has already; a directory has one.
        if replaced != child.node || !self.is_directory(replaced) {
            self.release(replaced);
        }
    }

    /// Takes one name from a file, and of a directory all that is in it.
    pub(super) fn release(&mut self, node: usize) {
        let Some(found) = self.nodes.get_mut(node) else { return };
        found.names = found.names.saturating_sub(1);
        let below = match &mut found.what {
            What::Directory { children, visible, .. } => {
                *visible = 0;
                std::mem::take(children)
            }
            _ => return,
        };
        // No deeper than [`DEEPEST`].
        below.into_values().for_each(|child| self.release(child.node));
    }

    pub(super) fn children(&self, directory: usize) -> Option<&BTreeMap<OsString, Child>> {
        match &self.nodes.get(directory)?.what {
            What::Directory { children, .. } => Some(children),
            _ => None,
        }
    }

    pub(super) fn child_of(&self, directory: usize, name: &OsStr) -> Option<Child> {
        self.steps.set(self.steps.get().saturating_add(1));
        self.children(directory)?.get(name).copied().filter(|child| child.node != HIDDEN)
    }

    /// Whether anything is in a directory.
    pub(super) fn has_children(&self, directory: usize) -> bool {
        let what = self.nodes.get(directory).map(|node| &node.what);
        matches!(what, Some(What::Directory { visible, .. }) if *visible > 0)
    }

    /// Whether a layer is to hide what is in a directory: it does so once.
    pub(super) fn clears(&mut self, directory: usize, layer: usize) -> bool {
        match self.nodes.get_mut(directory).map(|node| &mut node.what) {
            Some(What::Directory { cleared, .. }) => cleared.replace(layer) != Some(layer),
            _ => false,
        }
    }

    pub(super) fn is_directory(&self, node: usize) -> bool {
        self.children(node).is_some()
    }

    /// How deep a directory in this one is.
    pub(super) fn depth_below(&self, directory: usize) -> Option<u16> {
        match self.nodes.get(directory)?.what {
            What::Directory { depth, .. } if depth < DEEPEST => Some(depth + 1),
            _ => None,
        }
    }
}

impl Stored for Merged {
    fn metadata(&self, file: usize) -> Metadata {
        let number = u64::try_from(file).unwrap_or_default();
        let mut metadata = Metadata {
            kind: Kind::Device,
            id: FileId { device: 0, inode: number.saturating_add(1) },
            mode: 0,
            uid: 0,
            gid: 0,
            size: 0,
            names: 0,
            modified: (0, 0),
            changed: (0, 0),
        };
        let Some(node) = self.nodes.get(file) else { return metadata };
        (metadata.mode, metadata.uid, metadata.gid) = (node.mode, node.uid, node.gid);
        metadata.names = node.names.into();
        metadata.modified = (node.modified.0, node.modified.1.into());
        metadata.changed = metadata.modified;
        (metadata.kind, metadata.size) = match &node.what {
            What::Directory { .. } => (Kind::Directory, 0),
            What::Link(target) => (Kind::Link, u64::try_from(target.len()).unwrap_or_default()),
            What::File { size, .. } => (Kind::File, *size),
            What::Fifo => (Kind::Fifo, 0),
            What::Device => (Kind::Device, 0),
        };
        metadata
    }

    fn child(&self, directory: usize, name: &OsStr) -> Option<usize> {
        Some(self.child_of(directory, name)?.node)
    }

    fn target(&self, link: usize) -> &OsStr {
        match self.nodes.get(link).map(|node| &node.what) {
            Some(What::Link(target)) => target,
            _ => OsStr::new(""),
        }
    }

    fn names(&self, directory: usize) -> Vec<OsString> {
        let all = self.children(directory).into_iter().flatten();
        all.filter(|(_, child)| child.node != HIDDEN).map(|(name, _)| name.clone()).collect()
    }

    fn open(&self, file: usize) -> io::Result<Regular> {
        let Some(What::File { archive, start, capabilities, .. }) =
            self.nodes.get(file).map(|node| &node.what)
        else {
            return Err(io::ErrorKind::InvalidInput.into());
        };
        let archive = self.archives.get(*archive).ok_or(io::ErrorKind::InvalidInput)?;
        Ok(archive.part(*start, self.metadata(file), capabilities.as_deref().map(<[u8]>::to_vec)))
    }
}
