//! What a root is to consist of, each file with its reason.

use std::path::{Path, PathBuf};

use super::packages::Packages;
use super::{Arguments, packages};
use crate::closure::{Closure, Item};
use crate::error::{Error, one_line};
use crate::packages::{ByPath, Described};
use crate::rootfs::{AddError, Added, Made, Node, Root, Tree};

/// Why something is there that is made.
pub(super) const MADE: &str = "is made here, and not of the root";

/// What a root is to consist of.
pub(super) struct Taken {
    /// The files.
    pub(super) tree: Tree,
    /// Why they are there.
    pub(super) origins: ByPath<Origin>,
    /// Whose they are; none if nobody looked, or the root has no database that is known.
    pub(super) packages: Option<Packages>,
}

/// Where a file is from.
#[derive(Default)]
pub(super) struct Origin {
    /// Why it is there.
    pub(super) reason: String,
    /// Of what is made of another file: that one.
    pub(super) source: Option<PathBuf>,
    /// The packages that it is there for: places in their list.
    pub(super) packages: Vec<usize>,
}

impl Origin {
    pub(super) fn because(reason: impl Into<String>) -> Origin {
        Origin { reason: reason.into(), ..Origin::default() }
    }
}

/// The files of a closure with the links that lead to them, and what goes with their packages.
pub(super) fn take(arguments: &Arguments, root: &Root, closure: &Closure) -> Result<Taken, Error> {
    let mut taken = Taken { tree: Tree::default(), origins: ByPath::default(), packages: None };
    for Item { path, why } in &closure.items {
        taken.add(root, path, &|| Origin::because(why.to_string()))?;
    }
    for link in &closure.links {
        let added = taken.tree.add_link(root, link).map_err(failed_to_take)?;
        taken.because(added, &|| Origin::because("is in a directory that was asked for"));
    }
    for (path, made) in &closure.made {
        taken.make(path, made.clone(), Origin::because(MADE))?;
    }
    if !arguments.no_metadata {
        packages::add(&mut taken, root)?;
    }
    Ok(taken)
}

impl Taken {
    /// Takes over what a path leads to. The first reason is the file's.
    pub(super) fn add(&mut self, root: &Root, path: &Path, origin: &dyn Fn() -> Origin) -> Result<(), Error> {
        let added = self.tree.add(root, path).map_err(failed_to_take)?;
        self.because(added, origin);
        Ok(())
    }

    /// Links are there for the same reason as what they lead to.
    fn because(&mut self, added: Added, origin: &dyn Fn() -> Origin) {
        for path in added.links.into_iter().chain([added.place]) {
            self.origins.get_or(path, origin);
        }
    }

    /// Makes a file, instead of one that may be there.
    pub(super) fn make(&mut self, path: &Path, made: Made, origin: Origin) -> Result<(), Error> {
        self.tree.make(path, made).map_err(failed_to_take)?;
        self.origins.insert(path.to_owned(), origin);
        Ok(())
    }

    /// Makes a file that everybody may read.
    pub(super) fn make_text(&mut self, path: &Path, contents: Vec<u8>, origin: Origin) -> Result<(), Error> {
        self.make(path, Made { contents: Some(contents), mode: 0o644 }, origin)
    }

    /// The packages whose a file is: places in their list. None if that is not known, as of links to directories.
    pub(super) fn packages_of(&self, path: &Path) -> Option<Vec<usize>> {
        let owners = &self.packages.as_ref()?.owners;
        let origin = self.origins.get(path).map(|origin| &origin.packages).filter(|of| !of.is_empty());
        match (self.tree.get(path)?, owners.of.get(path), origin) {
            (Node::Made(_), _, of) => Some(of.cloned().unwrap_or_default()),
            (_, Some(of), None) => Some(of.clone()),
            (_, Some(of), Some(_)) if !of.is_empty() => Some(of.clone()),
            (_, _, of) => of.cloned(),
        }
    }

    /// Whether a file is the text of a licence.
    pub(super) fn is_licence(&self, path: &Path) -> bool {
        self.packages.as_ref().is_some_and(|known| known.licences.texts.get(path).is_some())
    }

    /// The packages, each with its licence.
    pub(super) fn described(&self) -> Vec<Described> {
        let Some(Packages { owners, licences }) = &self.packages else { return Vec::new() };
        let both = owners.packages.iter().zip(&licences.declared);
        both.map(|(owner, licence)| Described::new(owner.package.clone(), licence.clone())).collect()
    }

    /// How many files and links are from the root and no package's; none if that is not known.
    pub(super) fn of_no_package(&self) -> Option<usize> {
        self.packages.as_ref()?;
        let taken = self.tree.nodes().filter(|(_, node)| matches!(node, Node::Copied(_) | Node::Link(..)));
        Some(taken.filter(|(path, _)| self.packages_of(path).is_some_and(|of| of.is_empty())).count())
    }
}

/// What can't be part of a tree.
fn failed_to_take(error: AddError) -> Error {
    Error::Usage(format!("take {error}"))
}

/// The files; links with what they lead to.
pub(super) fn listed(tree: &Tree) -> impl Iterator<Item = (&Path, Option<&Path>)> {
    tree.nodes().filter_map(|(path, node)| match node {
        Node::Directory(_) => None,
        Node::Link(_, target) => Some((path, Some(target.as_path()))),
        Node::Copied(_) | Node::Made(_) => Some((path, None)),
    })
}

/// The same, a line each.
pub(super) fn listing(tree: &Tree) -> String {
    let line = |(path, target): (&Path, Option<&Path>)| match target {
        Some(target) => format!("{} -> {}", path.display(), target.display()),
        None => path.display().to_string(),
    };
    listed(tree).map(|file| format!("{}\n", one_line(&line(file)))).collect()
}
