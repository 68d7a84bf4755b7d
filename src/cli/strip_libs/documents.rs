//! The documents about a root that are in it: the manifest, and SBOMs.

use std::collections::HashMap;
use std::path::{Path, PathBuf};

use clap::ValueEnum;

use super::Arguments;
use super::before::{Before, Stays};
use super::packages::{Of, unread};
use super::taken::{Origin, Taken};
use crate::error::Error;
use crate::loader::FileId;
use crate::packages::{Contents, Described, Digests, Distribution, EarlierFile, Item, ItemKind, MANIFEST};
use crate::rootfs::{Made, Metadata, Node, Root, Times};

/// A form of SBOM.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(in crate::cli) enum Sbom {
    /// SPDX 2.3
    Spdx,
    /// CycloneDX 1.5
    Cyclonedx,
}

impl Sbom {
    const ALL: [Sbom; 2] = [Sbom::Spdx, Sbom::Cyclonedx];

    /// Where it is: trivy and syft go by the ending; the directory is the one in which Wolfi's and Chainguard's images have theirs.
    pub(super) fn path(self) -> &'static Path {
        Path::new(match self {
            Sbom::Spdx => "/var/lib/db/sbom/rootfs.spdx.json",
            Sbom::Cyclonedx => "/var/lib/db/sbom/rootfs.cdx.json",
        })
    }

    pub(in crate::cli) fn write(self, contents: &Contents<'_>) -> String {
        match self {
            Sbom::Spdx => contents.spdx(),
            Sbom::Cyclonedx => contents.cyclonedx(),
        }
    }
}

/// Which documents there will be.
#[derive(Debug, Default)]
pub(super) struct Documents {
    has_manifest: bool,
    sboms: Vec<Sbom>,
}

impl Documents {
    /// Those that are asked for, and those that a root has that is added to: they would not be true any more.
    pub(super) fn asked(arguments: &Arguments, before: Option<&Before>) -> Result<Documents, Error> {
        let has = |path: &Path| before.filter(|before| before.files.get(path).is_some());
        let stale = |before: &Before, path: &Path, option: &str| {
            let path = before.place(path);
            Error::Usage(format!(
                "add to {}: it would not be true (remove it, or leave out {option})",
                path.display()
            ))
        };
        if let Some(before) = has(Path::new(MANIFEST)).filter(|_| arguments.no_manifest) {
            return Err(stale(before, Path::new(MANIFEST), "--no-manifest"));
        }
        let mut documents = Documents { has_manifest: !arguments.no_manifest, sboms: Vec::new() };
        for sbom in Sbom::ALL {
            let is_there = has(sbom.path());
            if let Some(before) = is_there.filter(|_| arguments.no_metadata) {
                return Err(stale(before, sbom.path(), "--no-metadata"));
            }
            if is_there.is_some() || arguments.sboms.contains(&sbom) {
                documents.sboms.push(sbom);
            }
        }
        Ok(documents)
    }

    /// Puts them in their places with nothing in them, to be listed.
    pub(super) fn list(&self, taken: &mut Taken) -> Result<(), Error> {
        for path in self.sboms.iter().map(|sbom| sbom.path()).chain(self.manifest()) {
            taken.make_text(path, Vec::new(), Origin::default())?;
        }
        Ok(())
    }

    fn manifest(&self) -> Option<&'static Path> {
        self.has_manifest.then(|| Path::new(MANIFEST))
    }

    /// Writes them about all that is taken, and that stays where it is added to.
    pub(super) fn add(
        &self,
        taken: &mut Taken,
        root: &Root,
        times: Times,
        before: Option<&Before>,
    ) -> Result<(), Error> {
        if !self.has_manifest && self.sboms.is_empty() {
            return Ok(());
        }
        let mut gathered = Gathered {
            with_sha1: self.sboms.contains(&Sbom::Spdx),
            packages: taken.described(),
            databases: taken
                .packages
                .as_ref()
                .map(|known| known.owners.databases.clone())
                .unwrap_or_default(),
            items: Vec::new(),
            digests: HashMap::new(),
            youngest: 0,
        };
        let mut distribution = Distribution::of(&Of(root)).map_err(unread)?;
        gathered.taken(taken, root)?;
        if let Some(before) = before {
            gathered.before(before, taken, self)?;
            if distribution.is_none() {
                distribution = Distribution::of(&Of(&before.root)).map_err(|error| before.unread(&error))?;
            }
        }
        let created = match times {
            Times::All(second) => second,
            Times::Kept => gathered.youngest,
        };
        let Gathered { packages, databases, mut items, .. } = gathered;
        let contents = |items: &[Item], write: &dyn Fn(&Contents<'_>) -> String| {
            write(&Contents {
                name: "rootfs",
                version: None,
                created: u64::try_from(created).unwrap_or_default(),
                distribution: distribution.as_ref(),
                databases: &databases,
                packages: &packages,
                items,
            })
        };
        // Neither is described by itself, and the SBOMs not by each other: so both say the same.
        let sboms: Vec<_> =
            self.sboms.iter().map(|sbom| (sbom.path(), contents(&items, &|all| sbom.write(all)))).collect();
        for (path, text) in sboms {
            let origin = Origin::because("tells scanners what is in the root");
            let nobody = taken.packages.as_ref().map(|_| Vec::new());
            items.push(made(path, text.as_bytes(), &origin, nobody, false)?);
            taken.make_text(path, text.into_bytes(), origin)?;
        }
        if let Some(path) = self.manifest() {
            let text = contents(&items, &|all| all.manifest());
            taken.make_text(path, text.into_bytes(), Origin::because("tells what is in the root"))?;
        }
        Ok(())
    }
}

/// What the documents are about.
struct Gathered {
    with_sha1: bool,
    packages: Vec<Described>,
    databases: Vec<PathBuf>,
    items: Vec<Item>,
    /// What has been read, under whichever name.
    digests: HashMap<FileId, Digests>,
    /// When the youngest of the files was changed.
    youngest: i64,
}

impl Gathered {
    fn taken(&mut self, taken: &Taken, root: &Root) -> Result<(), Error> {
        let nothing = Origin::default();
        for (path, node) in taken.tree.nodes() {
            let origin = taken.origins.get(path).unwrap_or(&nothing);
            let packages = taken.packages_of(path);
            let kind = match node {
                Node::Directory(_) | Node::Made(Made { contents: None, .. }) => continue,
                Node::Link(_, target) => ItemKind::Link(target.clone()),
                Node::Copied(metadata) => ItemKind::File(self.digests(root, path, path, metadata)?),
                Node::Made(Made { contents: Some(contents), .. }) => {
                    self.items.push(made(path, contents, origin, packages, self.with_sha1)?);
                    continue;
                }
            };
            self.youngest = self.youngest.max(node.metadata().map_or(0, |metadata| metadata.modified.0));
            self.items.push(Item {
                path: path.to_owned(),
                kind,
                source: Some(path.to_owned()),
                packages,
                reason: origin.reason.clone(),
            });
        }
        Ok(())
    }

    /// What stays in a root that is added to: as its manifest says, if that is still so; else by the databases that are there.
    fn before(&mut self, before: &Before, taken: &Taken, documents: &Documents) -> Result<(), Error> {
        let mut unknown = Vec::new();
        let mut places = Vec::new();
        let mut databases: Vec<&PathBuf> = Vec::new();
        if let Some(earlier) = &before.earlier {
            places.extend(earlier.packages.iter().map(|described| self.place(described)));
            databases.extend(&earlier.databases);
            // A licence that is there again is of the packages that it was of as well, as far as these are still there.
            let left = before.left();
            let all = &self.packages;
            for item in self.items.iter_mut().filter(|item| taken.is_licence(&item.path)) {
                let (is, earlier) = (item.kind.is(), earlier.files.get(&item.path));
                let Some(earlier) = earlier.filter(|earlier| earlier.is == is) else { continue };
                if let (Some(packages), Some(earlier)) = (&mut item.packages, &earlier.packages) {
                    let is_version_of = |one: usize, other: usize| match (all.get(one), all.get(other)) {
                        (Some(one), Some(other)) => one.package.is_version_of(&other.package),
                        _ => false,
                    };
                    let earlier = earlier.iter().filter(|place| left.get(**place) == Some(&true));
                    for place in earlier.filter_map(|place| places.get(*place)) {
                        if !packages.iter().any(|known| is_version_of(*known, *place)) {
                            packages.push(*place);
                        }
                    }
                }
            }
        }
        for (path, Stays { metadata, target }) in before.files.iter() {
            // (The databases of packages have joined the tree since it was looked at.)
            let is_rewritten = taken.tree.get(path).is_some()
                || documents.manifest() == Some(path)
                || documents.sboms.iter().any(|sbom| sbom.path() == path);
            if is_rewritten {
                continue;
            }
            self.youngest = self.youngest.max(metadata.modified.0);
            let kind = match target {
                Some(target) => ItemKind::Link(target.clone()),
                None => ItemKind::File(self.digests(&before.root, path, &before.place(path), metadata)?),
            };
            let is = kind.is();
            let known = before.earlier.as_ref().and_then(|earlier| earlier.files.get(path));
            let item = match known.filter(|known| known.is == is) {
                Some(EarlierFile { source, packages, reason, .. }) => Item {
                    path: path.to_owned(),
                    kind,
                    source: source.clone(),
                    packages: packages.as_ref().map(|packages| {
                        packages.iter().filter_map(|place| places.get(*place).copied()).collect()
                    }),
                    reason: reason.clone(),
                },
                None => {
                    unknown.push(self.items.len());
                    let reason = "was there before".to_owned();
                    Item { path: path.to_owned(), kind, source: None, packages: None, reason }
                }
            };
            self.items.push(item);
        }
        let paths: Vec<_> = unknown.iter().filter_map(|place| self.items.get(*place)).collect();
        let paths: Vec<PathBuf> = paths.into_iter().map(|item| item.path.clone()).collect();
        let owners = before.owners(&paths.iter().map(PathBuf::as_path).collect::<Vec<_>>())?;
        let places: Vec<usize> = owners
            .packages
            .iter()
            .map(|owner| self.place(&Described::new(owner.package.clone(), Default::default())))
            .collect();
        for (place, path) in unknown.into_iter().zip(&paths) {
            let of = owners.of.get(path).filter(|_| !owners.databases.is_empty());
            if let (Some(item), Some(of)) = (self.items.get_mut(place), of) {
                item.packages = Some(of.iter().filter_map(|place| places.get(*place).copied()).collect());
            }
        }
        databases.extend(&owners.databases);
        for database in databases {
            if !self.databases.contains(database) {
                self.databases.push(database.clone());
            }
        }
        self.sort_packages_with_files();
        Ok(())
    }

    /// The place of a package in the list, at the end of which it is put if it is not there.
    fn place(&mut self, described: &Described) -> usize {
        let is_it = |known: &Described| known.package.key() == described.package.key();
        self.packages.iter().position(is_it).unwrap_or_else(|| {
            self.packages.push(described.clone());
            self.packages.len() - 1
        })
    }

    /// Puts the packages into their order, whichever came first. Those all of whose files have been replaced are not there any more.
    fn sort_packages_with_files(&mut self) {
        let mut places: Vec<Option<usize>> = vec![None; self.packages.len()];
        let mut kept: Vec<usize> = Vec::new();
        for place in self.items.iter().filter_map(|item| item.packages.as_ref()).flatten() {
            if let Some(unseen) = places.get_mut(*place).filter(|known| known.is_none()) {
                *unseen = Some(0);
                kept.push(*place);
            }
        }
        let key = |place: &usize| (self.packages.get(*place).map(|known| known.package.key()), *place);
        kept.sort_unstable_by(|one, other| key(one).cmp(&key(other)));
        for (now, place) in kept.iter().enumerate() {
            if let Some(place) = places.get_mut(*place) {
                *place = Some(now);
            }
        }
        self.packages = kept.iter().filter_map(|place| self.packages.get(*place).cloned()).collect();
        for packages in self.items.iter_mut().filter_map(|item| item.packages.as_mut()) {
            *packages = packages.iter().filter_map(|place| places.get(*place).copied().flatten()).collect();
            packages.sort_unstable();
        }
    }

    /// Reads a file, which `shown` names: the one that was looked at. (What becomes of it until it is copied, the copy tells.)
    fn digests(
        &mut self,
        root: &Root,
        path: &Path,
        shown: &Path,
        metadata: &Metadata,
    ) -> Result<Digests, Error> {
        if let Some(known) = self.digests.get(&metadata.id) {
            return Ok(known.clone());
        }
        let attempt = || format!("read {}", shown.display());
        let failed = |source| Error::Io { attempt: attempt(), source };
        let file = root.open_regular(path).map_err(failed)?;
        let digests = Digests::of(&mut file.reader(), self.with_sha1).map_err(failed)?;
        if file.metadata() != metadata || digests.size != metadata.size {
            return Err(Error::Usage(format!("{}: it changed meanwhile", attempt())));
        }
        if metadata.names > 1 {
            self.digests.insert(metadata.id, digests.clone());
        }
        Ok(digests)
    }
}

/// A file that is made.
fn made(
    path: &Path,
    mut contents: &[u8],
    origin: &Origin,
    packages: Option<Vec<usize>>,
    with_sha1: bool,
) -> Result<Item, Error> {
    let digests = Digests::of(&mut contents, with_sha1)
        .map_err(|source| Error::Io { attempt: format!("read {}", path.display()), source })?;
    Ok(Item {
        path: path.to_owned(),
        kind: ItemKind::File(digests),
        source: origin.source.clone(),
        packages,
        reason: origin.reason.clone(),
    })
}
