//! What is in a root, package by package and program by program: all that its databases have, whether or not its files are looked
//! at, and what programs say that they were made of.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::copyright;
use super::distribution::Distribution;
use super::files::{Files, MOST_BYTES, is_missing, text as read_text};
use super::licence::Declared;
use super::manifest::Described;
use super::owners::owners;
use super::package::{Package, Record, SOURCE};
use super::purl::purl;
use super::scanners::MOST_LICENCE;
use super::{Found, ReadError, Wanted, apk, deb, rpm};

/// A program, or another file that is started or loaded.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Program {
    /// Where it is, without links.
    pub path: PathBuf,
    /// What it is.
    pub package: Package,
    /// What it says that it was made of.
    pub parts: Vec<Package>,
}

/// What is in a root.
#[derive(Debug, Default)]
pub struct Inventory {
    /// The packages and programs. Those of the databases come first, in their order.
    pub packages: Vec<Described>,
    /// The databases that were read.
    pub databases: Vec<PathBuf>,
    /// Which distribution it is of.
    pub distribution: Option<Distribution>,
    /// The places of packages in the list, by their names for scanners.
    known: Places,
    /// The owners of files that were asked for, by their paths.
    owners: Places,
}

/// Places in the list, by names.
type Places = BTreeMap<Vec<u8>, usize>;

/// A path as such a name.
fn name_of(path: &Path) -> Vec<u8> {
    path.as_os_str().as_encoded_bytes().to_vec()
}

/// Where packages are recorded that dpkg does not know of: a directory like dpkg's own, with a file `suite` that names the release.
struct Elsewhere {
    directory: PathBuf,
    suite: String,
    /// Where their documentation is, beside `/usr/share/doc`.
    documents: PathBuf,
}

/// Where they are beside `/usr/NAME/dpkg`.
const LOCAL: &str = "/usr/local/share/dpkg";
const DOCUMENTS: &str = "/usr/share/doc";

impl Inventory {
    /// Reads the databases of a root. `paths` are of files whose owners will be asked for; they have no links in their directories.
    ///
    /// Beside dpkg's, rpm's and apk's own these are directories like dpkg's of what was unpacked without being installed: a
    /// sysroot's `/usr/TRIPLE/dpkg`, and `/usr/local/share/dpkg`. The sums in their `status.d` are of paths from the root.
    pub fn read(files: &dyn Files, paths: &[&Path]) -> Result<Inventory, ReadError> {
        let distribution = Distribution::of(files)?;
        let mut inventory = Inventory { distribution, ..Inventory::default() };
        let none = Wanted::default();
        let mut found = Found::default();
        deb::read(files, &none, &mut found)?;
        rpm::read(files, &none, &mut found)?;
        apk::read(files, &none, &mut found)?;
        found.packages.sort_unstable_by(|one, two| one.key().cmp(&two.key()));
        for package in found.packages {
            let licence = licence(files, &package, &[])?;
            inventory.add(Described::new(package, licence));
        }
        inventory.databases = found.databases;
        let wanted = Wanted::new(paths.iter().copied());
        for elsewhere in elsewhere(files)? {
            inventory.unpacked(files, &elsewhere, &wanted)?;
        }
        inventory.built_in();
        let owners = owners(files, paths.iter().copied())?;
        for (path, of) in owners.of {
            let owner = of.first().and_then(|place| owners.packages.get(*place));
            let name = owner.map(|owner| purl(&owner.package, inventory.distribution.as_ref()));
            if let Some(place) = name.and_then(|name| inventory.known.get(name.as_bytes())) {
                inventory.owners.insert(name_of(&path), *place);
            }
        }
        Ok(inventory)
    }

    /// Adds what is recorded elsewhere.
    fn unpacked(
        &mut self,
        files: &dyn Files,
        elsewhere: &Elsewhere,
        wanted: &Wanted,
    ) -> Result<(), ReadError> {
        let mut found = Found::default();
        deb::read_at(files, &elsewhere.directory, &Wanted::default(), wanted, &mut found)?;
        found.packages.sort_unstable_by(|one, two| one.key().cmp(&two.key()));
        let distribution = self.distribution.as_ref().map(|own| own.release(&elsewhere.suite));
        for package in found.packages {
            let licence = licence(files, &package, &[&elsewhere.documents])?;
            let owned: Vec<Vec<u8>> = package.files.iter().map(|file| name_of(&file.path)).collect();
            let place = self.add(Described {
                distribution: distribution.clone(),
                at: vec![elsewhere.directory.clone()],
                ..Described::new(package, licence)
            });
            for path in owned {
                self.owners.insert(path, place);
            }
        }
        self.databases.append(&mut found.databases);
        Ok(())
    }

    /// Adds the source packages that are built into others.
    fn built_in(&mut self) {
        for place in 0..self.packages.len() {
            let Some(known) = self.packages.get(place) else { continue };
            let Record::Deb { stanza, .. } = &known.package.record else { continue };
            let (sources, distribution) = (deb::built_using(stanza), known.distribution.clone());
            for source in sources {
                let record = Record::Deb { stanza: Vec::new(), is_multi_arch: false };
                let mut package = Package::named(&source.name, &source.version.unwrap_or_default(), record);
                package.architecture = Some(SOURCE.to_owned());
                let described = Described {
                    distribution: distribution.clone(),
                    ..Described::new(package, Declared::default())
                };
                let part = self.add(described);
                self.add_part(place, part);
            }
        }
    }

    /// Whether a package has a file that was asked for.
    pub fn is_owned(&self, path: &Path) -> bool {
        self.owners.contains_key(&name_of(path))
    }

    /// Adds a program, and what it was made of. It is a part of the package whose it is.
    pub fn add_program(&mut self, program: Program) {
        let Program { path, package, parts } = program;
        let owner = self.owners.get(&name_of(&path)).copied();
        let place = self.add_told(package, &path);
        for part in parts {
            let part = self.add_told(part, &path);
            self.add_part(place, part);
        }
        if let Some(owner) = owner {
            self.add_part(owner, place);
        }
    }

    fn add_told(&mut self, mut package: Package, at: &Path) -> usize {
        let licence = Declared::from_text(&package.licence.take().unwrap_or_default());
        self.add(Described { at: vec![at.to_owned()], ..Described::new(package, licence) })
    }

    fn add_part(&mut self, of: usize, part: usize) {
        if let Some(whole) = self.packages.get_mut(of).filter(|whole| !whole.parts.contains(&part)) {
            whole.parts.push(part);
        }
    }

    /// The place of a package in the list, at the end of which it is put if it is not there.
    fn add(&mut self, described: Described) -> usize {
        let name = purl(&described.package, described.distribution.as_ref().or(self.distribution.as_ref()));
        let place = *self.known.entry(name.into_bytes()).or_insert(self.packages.len());
        match self.packages.get_mut(place) {
            None => self.packages.push(described),
            Some(known) => {
                for at in described.at {
                    if !known.at.contains(&at) {
                        known.at.push(at);
                    }
                }
            }
        }
        place
    }
}

/// The directories like dpkg's that a root has.
fn elsewhere(files: &dyn Files) -> Result<Vec<Elsewhere>, ReadError> {
    let usr = Path::new("/usr");
    let names = match files.list(usr) {
        Ok(names) => names,
        Err(error) if is_missing(&error) => return Ok(Vec::new()),
        Err(error) => return Err(ReadError::new(usr, error.to_string(), None)),
    };
    let beside =
        names.into_iter().map(|name| (usr.join(&name).join("dpkg"), usr.join(name).join("sys-root")));
    let local = (PathBuf::from(LOCAL), PathBuf::from("/usr/local"));
    let mut found = Vec::new();
    for (directory, root) in beside.chain([local]) {
        if let Some(suite) = read_text(files, &directory.join("suite"), MOST_BYTES)? {
            let documents = match directory == Path::new(LOCAL) {
                true => root.join("share/doc"),
                false => root.join("usr/share/doc"),
            };
            found.push(Elsewhere { directory, suite: super::package::text(&suite), documents });
        }
    }
    Ok(found)
}

/// What a package says of its licence: in the database, or Debian's in a copyright file.
fn licence(files: &dyn Files, package: &Package, documents: &[&Path]) -> Result<Declared, ReadError> {
    if !matches!(package.record, Record::Deb { .. }) {
        return Ok(Declared::from_text(package.licence.as_deref().unwrap_or_default()));
    }
    for directory in documents.iter().copied().chain([Path::new(DOCUMENTS)]) {
        let place = directory.join(&package.name).join("copyright");
        if let Some(text) = read_text(files, &place, MOST_LICENCE)? {
            return Ok(Declared::from_debian(&copyright::names(&text)));
        }
    }
    Ok(Declared::default())
}
