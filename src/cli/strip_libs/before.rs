//! What is in a root that is added to.

use std::io;
use std::path::{Path, PathBuf};

use super::packages::Of;
use crate::error::Error;
use crate::packages::{ByPath, Earlier, MANIFEST, Owners, ReadError, owners};
use crate::rootfs::{Kind, Last, Metadata, Output, Resolved, Root, Tree};

/// No manifest is longer.
const MOST_BYTES: u64 = 256 << 20;
/// No directory has more names.
const MOST_NAMES: usize = 1 << 20;

/// What is in a root that is added to.
pub(super) struct Before {
    pub(super) root: Root,
    place: PathBuf,
    /// The files and links that stay.
    pub(super) files: ByPath<Stays>,
    /// What its manifest says.
    pub(super) earlier: Option<Earlier>,
}

/// A file or a link that stays.
pub(super) struct Stays {
    pub(super) metadata: Metadata,
    /// Of a link what it says.
    pub(super) target: Option<PathBuf>,
}

impl Before {
    /// Looks at all that is at the place of an output and stays: neither is it in the tree, nor is it the output itself.
    pub(super) fn look(place: &Path, tree: &Tree, output: &Output) -> Result<Before, Error> {
        let root = super::open(place)?;
        let mut before = Before { root, place: place.to_owned(), files: ByPath::default(), earlier: None };
        let own = output.path().strip_prefix(place).ok().map(|own| Path::new("/").join(own));
        let mut directories = vec![PathBuf::from("/")];
        while let Some(directory) = directories.pop() {
            let failed = |source| before.failed(&directory, source);
            for name in before.root.list(&directory, MOST_NAMES).map_err(failed)? {
                let path = directory.join(name);
                let failed = |source| before.failed(&path, source);
                let Resolved { metadata, target, .. } =
                    before.root.resolve(&path, Last::Keep).map_err(failed)?;
                match metadata.kind {
                    Kind::Directory if own.as_ref() != Some(&path) => {
                        directories.push(path);
                        continue;
                    }
                    Kind::Link | Kind::File => {}
                    _ => continue,
                }
                if tree.get(&path).is_none() {
                    before.files.insert(path, Stays { metadata, target });
                }
            }
        }
        if before.files.get(Path::new(MANIFEST)).is_some() {
            let failed = |source| before.failed(Path::new(MANIFEST), source);
            let manifest = before.root.read(Path::new(MANIFEST), MOST_BYTES).map_err(failed)?;
            let read = Earlier::read(&manifest, Path::new(MANIFEST));
            before.earlier = Some(read.map_err(|error| before.unread(&error))?);
        }
        Ok(before)
    }

    /// Whose files are of which the manifest says nothing, by the databases that are there.
    pub(super) fn owners(&self, paths: &[&Path]) -> Result<Owners, Error> {
        match paths {
            [] => Ok(Owners::default()),
            paths => owners(&Of(&self.root), paths.iter().copied()).map_err(|error| self.unread(&error)),
        }
    }

    /// Which of the packages of its manifest have a file that stays.
    pub(super) fn left(&self) -> Vec<bool> {
        let left = |earlier: &Earlier| earlier.left(&|path| self.files.get(path).is_some());
        self.earlier.as_ref().map(left).unwrap_or_default()
    }

    /// Something that is there can't be read.
    pub(super) fn unread(&self, error: &ReadError) -> Error {
        Error::Usage(format!("add to {}: {error}", self.place.display()))
    }

    /// Where a file of the root is.
    pub(super) fn place(&self, path: &Path) -> PathBuf {
        self.place.join(path.strip_prefix("/").unwrap_or(path))
    }

    fn failed(&self, path: &Path, source: io::Error) -> Error {
        Error::Io { attempt: format!("look at {}", self.place(path).display()), source }
    }
}
