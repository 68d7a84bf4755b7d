//! What a root is to consist of. Pure but for looking at the root that it is taken from.

use std::collections::BTreeMap;
use std::io;
use std::path::{Component, Path, PathBuf};

use super::metadata::{Kind, Metadata};
use super::root::Root;
use super::walk::Last;

/// A tree of files, by their paths: from the root, and without links in them. So a file has one place however many links
/// lead to it, and a link to a directory (`/lib` of a merged `/usr`) stays one.
#[derive(Debug, Clone, Default)]
pub struct Tree {
    nodes: BTreeMap<PathBuf, Node>,
}

/// A file of a tree.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Node {
    /// A directory, of the other root or of this tree's own.
    Directory(Option<Metadata>),
    /// A link of the other root, and what it says, word for word.
    Link(Metadata, PathBuf),
    /// A file of the other root, which is there under the same path.
    Copied(Metadata),
    /// A file that is made.
    Made(Made),
}

/// A file that is made.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Made {
    /// What is in it; none for a directory.
    pub contents: Option<Vec<u8>>,
    /// Its permissions.
    pub mode: u32,
}

/// What can't be part of a tree.
#[derive(Debug, thiserror::Error)]
pub enum AddError {
    /// It is not in the other root.
    #[error("{}: {source}", path.display())]
    Look {
        /// What was asked for.
        path: PathBuf,
        /// Why it can't be looked at.
        source: io::Error,
    },
    /// It is no file, directory or link.
    #[error("{}: {}, which is nothing to copy", path.display(), kind.name())]
    Special {
        /// What was asked for.
        path: PathBuf,
        /// What it is.
        kind: Kind,
    },
    /// Another file is at its place.
    #[error("{}: there is another file at this place of the tree", path.display())]
    Taken {
        /// The place.
        path: PathBuf,
    },
}

/// What was taken over for a path.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Added {
    /// Where it leads.
    pub place: PathBuf,
    /// The links on the way, in order.
    pub links: Vec<PathBuf>,
}

impl Tree {
    /// Takes over what a path leads to, with every link on the way and every directory above; returns its place.
    ///
    /// Of a directory only the directory itself.
    pub fn add(&mut self, root: &Root, path: &Path) -> Result<Added, AddError> {
        self.take(root, path, Last::Follow)
    }

    /// Takes over a link as it is, wherever it leads, with every directory above; returns its place.
    pub fn add_link(&mut self, root: &Root, path: &Path) -> Result<Added, AddError> {
        self.take(root, path, Last::Keep)
    }

    fn take(&mut self, root: &Root, path: &Path, last: Last) -> Result<Added, AddError> {
        let found = root.resolve(path, last).map_err(looking(path))?;
        let node = match (found.metadata.kind, found.target) {
            (Kind::Directory, _) => Node::Directory(Some(found.metadata)),
            (Kind::File, _) => Node::Copied(found.metadata),
            (Kind::Link, Some(target)) => Node::Link(found.metadata, target),
            (kind, _) => return Err(AddError::Special { path: path.to_owned(), kind }),
        };
        let mut links = Vec::new();
        for link in found.links {
            self.add_above(root, &link.path)?;
            links.push(link.path.clone());
            self.insert(link.path, Node::Link(link.metadata, link.target))?;
        }
        self.add_above(root, &found.path)?;
        self.insert(found.path.clone(), node)?;
        Ok(Added { place: found.path, links })
    }

    /// Makes a file at a place, or a directory; what is there already is replaced, as long as it is of the same kind.
    pub fn make(&mut self, path: &Path, made: Made) -> Result<(), AddError> {
        for above in above(path) {
            match self.nodes.get(above) {
                None => drop(self.nodes.insert(above.to_owned(), Node::Directory(None))),
                Some(Node::Directory(_)) => {}
                Some(Node::Made(Made { contents: None, .. })) => {}
                Some(_) => return Err(AddError::Taken { path: above.to_owned() }),
            }
        }
        let is_directory = made.contents.is_none();
        match self.nodes.get(path) {
            Some(Node::Link(..)) => Err(AddError::Taken { path: path.to_owned() }),
            Some(node) if node.is_directory() != is_directory => {
                Err(AddError::Taken { path: path.to_owned() })
            }
            _ => {
                self.nodes.insert(path.to_owned(), Node::Made(made));
                Ok(())
            }
        }
    }

    /// The files by their paths, each after the directory that it is in.
    pub fn nodes(&self) -> impl Iterator<Item = (&Path, &Node)> {
        self.nodes.iter().map(|(path, node)| (path.as_path(), node))
    }

    /// What is at a place.
    pub fn get(&self, path: &Path) -> Option<&Node> {
        self.nodes.get(path)
    }

    /// The directories above a path, as they are in the other root.
    fn add_above(&mut self, root: &Root, path: &Path) -> Result<(), AddError> {
        // Where the nearest one is, the others are.
        if path.parent().is_some_and(|parent| self.nodes.contains_key(parent)) {
            return Ok(());
        }
        for above in above(path) {
            if self.nodes.contains_key(above) {
                continue;
            }
            let metadata = root.lstat(above).map_err(looking(above))?;
            self.insert(above.to_owned(), Node::Directory(Some(metadata)))?;
        }
        Ok(())
    }

    fn insert(&mut self, path: PathBuf, node: Node) -> Result<(), AddError> {
        match self.nodes.get(&path) {
            // What is made stays, and what is there again is the same.
            Some(Node::Made(_)) => Ok(()),
            Some(known) if known.is_same(&node) => Ok(()),
            Some(Node::Directory(None)) if node.is_directory() => {
                self.nodes.insert(path, node);
                Ok(())
            }
            Some(_) => Err(AddError::Taken { path }),
            None => {
                self.nodes.insert(path, node);
                Ok(())
            }
        }
    }
}

impl Node {
    /// Whether it is a directory.
    pub fn is_directory(&self) -> bool {
        matches!(self, Node::Directory(_) | Node::Made(Made { contents: None, .. }))
    }

    /// What the other root has, if it is from there.
    pub fn metadata(&self) -> Option<&Metadata> {
        match self {
            Node::Directory(metadata) => metadata.as_ref(),
            Node::Link(metadata, _) | Node::Copied(metadata) => Some(metadata),
            Node::Made(_) => None,
        }
    }

    fn is_same(&self, other: &Node) -> bool {
        match (self, other) {
            (Node::Link(_, one), Node::Link(_, two)) => one == two,
            (Node::Directory(Some(one)), Node::Directory(Some(two)))
            | (Node::Copied(one), Node::Copied(two)) => one.id == two.id,
            _ => false,
        }
    }
}

/// The directories above a path, the root first and the nearest last; the root itself is not one of them.
fn above(path: &Path) -> impl Iterator<Item = &Path> {
    let mut all: Vec<&Path> = path.ancestors().skip(1).collect();
    all.retain(|above| above.components().any(|component| matches!(component, Component::Normal(_))));
    all.into_iter().rev()
}

fn looking(path: &Path) -> impl FnOnce(io::Error) -> AddError + '_ {
    move |source| AddError::Look { path: path.to_owned(), source }
}
