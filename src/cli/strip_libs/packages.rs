//! What goes with files that packages own: what scanners read of it, and licences.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::build::failed_to_take;
use crate::error::{Error, tell};
use crate::packages::{Files, owners, scanners};
use crate::rootfs::{Last, Made, Node, Root, Tree};

/// A root as the room of packages asks for it.
struct Of<'a>(&'a Root);

impl Files for Of<'_> {
    fn open(&self, path: &Path) -> io::Result<File> {
        self.0.open_regular(path)?.into_file()
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        const MOST_NAMES: usize = 1 << 20;
        self.0.list(directory, MOST_NAMES)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.0.resolve(path, Last::Follow)?.path)
    }
}

/// No text of a licence is longer.
const MOST_BYTES: u64 = 16 << 20;

/// Adds what is written of the packages whose files are in a tree: the databases that scanners read, of exactly these files;
/// what tells them the distribution; and the packages' licences. `latest` is the newest time that is told.
pub(super) fn add(tree: &mut Tree, root: &Root, latest: Option<u64>) -> Result<(), Error> {
    let files = Of(root);
    let copied: Vec<PathBuf> = tree
        .nodes()
        .filter(|(_, node)| matches!(node, Node::Copied(_)))
        .map(|(path, _)| path.to_owned())
        .collect();
    let unread =
        |error: crate::packages::ReadError| Error::Usage(format!("{error}; or leave it out: --no-metadata"));
    let owners = owners(&files, copied.iter().map(PathBuf::as_path)).map_err(unread)?;
    if owners.packages.is_empty() {
        return Ok(());
    }
    for path in scanners::releases(&files) {
        tree.add(root, &path).map_err(failed_to_take)?;
    }
    let licences = scanners::licences(&files, &owners).map_err(unread)?;
    for (place, from) in &licences.texts {
        if place == from {
            tree.add(root, from).map_err(failed_to_take)?;
            continue;
        }
        let attempt = || format!("read {}", from.display());
        let contents =
            root.read(from, MOST_BYTES).map_err(|source| Error::Io { attempt: attempt(), source })?;
        tree.make(place, Made { contents: Some(contents), mode: 0o644 }).map_err(failed_to_take)?;
    }
    if !licences.without_text.is_empty() {
        let packages = licences.without_text.join(" ");
        tell(format!(
            "the root has no text of the licence of {packages} (install them with their documentation)"
        ));
    }
    for (path, contents) in scanners::databases(&owners, latest) {
        tree.make(&path, Made { contents: Some(contents), mode: 0o644 }).map_err(failed_to_take)?;
    }
    Ok(())
}
