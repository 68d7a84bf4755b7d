//! What goes with files that packages own: what scanners read of it, and licences.

use std::collections::BTreeMap;
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};

use super::before::Before;
use super::taken::{Origin, Taken};
use crate::error::{Error, tell};
use crate::packages::scanners::{self, Licences, MOST_LICENCE};
use crate::packages::{Files, Owners, Package, ReadError, join, owners};
use crate::rootfs::{Kind, Last, Node, Root};

/// A root as the room of packages asks for it.
pub(in crate::cli) struct Of<'a>(pub(in crate::cli) &'a Root);

impl Files for Of<'_> {
    fn open(&self, path: &Path) -> io::Result<File> {
        self.0.open_regular(path)?.into_file()
    }

    fn size(&self, path: &Path) -> io::Result<Option<u64>> {
        let found = self.0.stat(path)?;
        Ok((found.kind == Kind::File).then_some(found.size))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        const MOST_NAMES: usize = 1 << 20;
        self.0.list(directory, MOST_NAMES)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        Ok(self.0.resolve(path, Last::Follow)?.path)
    }
}

/// The packages of which something is taken.
pub(super) struct Packages {
    pub(super) owners: Owners,
    pub(super) licences: Licences,
}

/// Adds what belongs to the packages whose files are taken: what tells scanners the distribution, and the licences.
pub(super) fn add(taken: &mut Taken, root: &Root) -> Result<(), Error> {
    let files = Of(root);
    // A link to a directory is one that dpkg has as a directory of every package with files in it (`/lib` of a merged `/usr`).
    let is_directory = |path: &Path| root.stat(path).is_ok_and(|found| found.kind == Kind::Directory);
    let is_asked = |path: &Path, node: &Node| match node {
        Node::Copied(_) => true,
        Node::Link(..) => !is_directory(path),
        _ => false,
    };
    let nodes = taken.tree.nodes().filter(|(path, node)| is_asked(path, node));
    let mut paths: Vec<PathBuf> = nodes.map(|(path, _)| path.to_owned()).collect();
    let count = paths.len();
    // Which licences there will be as well, the packages tell.
    let releases = scanners::releases(&files);
    paths.extend(releases.iter().filter_map(|path| files.resolve(path).ok()));
    paths.extend(releases.iter().cloned());
    let owners = owners(&files, paths.iter().map(PathBuf::as_path)).map_err(unread)?;
    if owners.databases.is_empty() {
        return Ok(());
    }
    let is_anybodys = |path: &PathBuf| owners.of.get(path).is_some_and(|of| !of.is_empty());
    if !paths.iter().take(count).any(is_anybodys) {
        let owners = Owners { packages: Vec::new(), ..owners };
        taken.packages = Some(Packages { owners, licences: Licences::default() });
        return Ok(());
    }
    for path in releases {
        taken.add(root, &path, &|| Origin::because("tells which distribution this is"))?;
    }
    let licences = scanners::licences(&files, &owners).map_err(unread)?;
    for (place, text) in licences.texts.iter() {
        let origin = |source| Origin {
            reason: "is a licence of its packages".to_owned(),
            source,
            packages: text.of.clone(),
        };
        if place == text.from {
            taken.add(root, place, &|| origin(None))?;
            continue;
        }
        let attempt = || format!("read {}", text.from.display());
        let contents =
            root.read(&text.from, MOST_LICENCE).map_err(|source| Error::Io { attempt: attempt(), source })?;
        taken.make_text(place, contents, origin(Some(text.from.clone())))?;
    }
    if !licences.without_text.is_empty() {
        let packages = licences.without_text.join(" ");
        tell(format!(
            "the root has no text of the licence of {packages} (install them with their documentation)"
        ));
    }
    taken.packages = Some(Packages { owners, licences });
    Ok(())
}

/// Makes what scanners read of the packages. `latest` is the newest time that is told.
pub(super) fn databases(
    taken: &mut Taken,
    latest: Option<u64>,
    before: Option<&Before>,
) -> Result<(), Error> {
    // What was there is not true of files that are replaced, whoever knows whose the new ones are.
    let nobody = Owners::default();
    let owners = taken.packages.as_ref().map_or(&nobody, |known| &known.owners);
    let made = match before {
        None => scanners::databases(owners, latest, None).map_err(unread)?,
        Some(before) => joined(taken, owners, latest, before).map_err(|error| before.unread(&error))?,
    };
    for (path, contents) in made {
        taken.make_text(&path, contents, Origin::because("tells scanners of the packages"))?;
    }
    Ok(())
}

/// The same, with what is in a root that is added to.
fn joined(
    taken: &Taken,
    owners: &Owners,
    latest: Option<u64>,
    before: &Before,
) -> Result<BTreeMap<PathBuf, Vec<u8>>, ReadError> {
    let there = Of(&before.root);
    let mut made = scanners::databases(owners, latest, Some(&there))?;
    let packages = before.earlier.iter().flat_map(|earlier| &earlier.packages);
    let known: Vec<(&Package, bool)> =
        packages.map(|described| &described.package).zip(before.left()).collect();
    join(&mut made, owners, &there, &|path| taken.tree.get(path).is_some(), &known)?;
    Ok(made)
}

/// A database that can't be read.
pub(super) fn unread(error: ReadError) -> Error {
    Error::Usage(format!("{error}; or leave it out: --no-metadata"))
}
