//! Which packages own which files.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use super::files::Files;
use super::package::{Package, PackageFile, Record};
use super::{Found, ReadError, Wanted, apk, deb, rpm};

/// The packages that own some of the files that were asked for.
#[derive(Debug, Default)]
pub struct Owners {
    /// The packages, by kind, name, architecture and version.
    pub packages: Vec<Owner>,
    /// Which of them own a file: places in the list. Files of no package have none; several own what they share.
    pub of: BTreeMap<PathBuf, Vec<usize>>,
    /// The databases that were read. None: the root has none that is known, and so its files have no owners.
    pub databases: Vec<PathBuf>,
}

/// A package, and its files among those that were asked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Owner {
    /// The package.
    pub package: Package,
    /// Its files: by their places in the root, as the database has them.
    pub files: BTreeMap<PathBuf, PackageFile>,
}

/// Finds the owners of the files at some paths.
///
/// The paths have no links in their directories; the last name may be a link's. A database may have a file in another
/// directory than the root: links to directories are followed, and where `/usr` was merged without them the other
/// place is tried. A file that dpkg has diverted is the diverted package's at its new place.
pub fn owners<'a>(files: &dyn Files, paths: impl IntoIterator<Item = &'a Path>) -> Result<Owners, ReadError> {
    let mut of: BTreeMap<PathBuf, Vec<usize>> = BTreeMap::new();
    of.extend(paths.into_iter().map(|path| (path.to_owned(), Vec::new())));
    let wanted = Wanted::new(of.keys().map(PathBuf::as_path));
    let mut found = Found::default();
    deb::read(files, &wanted, &mut found)?;
    rpm::read(files, &wanted, &mut found)?;
    apk::read(files, &wanted, &mut found)?;
    let Found { mut packages, databases, diversions } = found;
    packages.sort_unstable_by(|one, two| one.key().cmp(&two.key()));
    // A database that was moved may be left at its old place.
    packages.dedup();

    let mut directories = Directories { files, known: BTreeMap::new() };
    let mut owned: Vec<BTreeMap<PathBuf, PackageFile>> = vec![BTreeMap::new(); packages.len()];
    let mut elsewhere: BTreeMap<PathBuf, Vec<(usize, &PackageFile)>> = BTreeMap::new();
    for (place, (package, owned)) in packages.iter().zip(&mut owned).enumerate() {
        for file in &package.files {
            let path = diverted(&diversions, package, &file.path);
            let real = directories.real(path).unwrap_or_else(|| path.to_owned());
            match of.get_mut(&real) {
                Some(owners) => {
                    if owned.insert(real, file.clone()).is_none() {
                        owners.push(place);
                    }
                }
                None => {
                    if let Some(other) = other_place(&real).filter(|other| of.contains_key(other)) {
                        elsewhere.entry(other).or_default().push((place, file));
                    }
                }
            }
        }
    }
    for (path, candidates) in elsewhere {
        let Some(owners) = of.get_mut(&path).filter(|owners| owners.is_empty()) else { continue };
        for (place, file) in candidates {
            // What is there where the database has it is another file.
            if files.resolve(&file.path).is_ok() {
                continue;
            }
            let Some(owned) = owned.get_mut(place) else { continue };
            if owned.insert(path.clone(), file.clone()).is_none() {
                owners.push(place);
            }
        }
    }
    Ok(only_owners(packages, owned, of, databases))
}

/// Leaves out the packages that own nothing.
fn only_owners(
    packages: Vec<Package>,
    owned: Vec<BTreeMap<PathBuf, PackageFile>>,
    mut of: BTreeMap<PathBuf, Vec<usize>>,
    databases: Vec<PathBuf>,
) -> Owners {
    // How many owners there are before each package: the place of one that is an owner itself.
    let mut places = Vec::new();
    let mut owners = Vec::new();
    for (package, files) in packages.into_iter().zip(owned) {
        places.push(owners.len());
        if !files.is_empty() {
            owners.push(Owner { package, files });
        }
    }
    for place in of.values_mut().flatten() {
        *place = places.get(*place).copied().unwrap_or_default();
    }
    Owners { packages: owners, of, databases }
}

/// Where a package's file is, if dpkg has moved it out of the way.
fn diverted<'a>(
    diversions: &'a BTreeMap<PathBuf, (PathBuf, Option<String>)>,
    package: &Package,
    path: &'a Path,
) -> &'a Path {
    match diversions.get(path) {
        Some((to, not_for))
            if matches!(package.record, Record::Deb { .. }) && not_for.as_ref() != Some(&package.name) =>
        {
            to
        }
        _ => path,
    }
}

/// The place of a file in a root whose `/usr` is merged, or not, the other way round.
fn other_place(path: &Path) -> Option<PathBuf> {
    match path.strip_prefix("/usr") {
        Ok(rest) => Some(Path::new("/").join(rest)),
        Err(_) => Some(Path::new("/usr").join(path.strip_prefix("/").ok()?)),
    }
}

/// Where directories are, each looked up once.
struct Directories<'a> {
    files: &'a dyn Files,
    known: BTreeMap<PathBuf, Option<PathBuf>>,
}

impl Directories<'_> {
    /// A path without links in its directories; none if the directory is not there.
    fn real(&mut self, path: &Path) -> Option<PathBuf> {
        let (directory, name) = (path.parent()?, path.file_name()?);
        if !self.known.contains_key(directory) {
            let real = self.files.resolve(directory).ok();
            self.known.insert(directory.to_owned(), real);
        }
        Some(self.known.get(directory)?.as_ref()?.join(name))
    }
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::packages::files::fake::Directory;

    /// A Debian root whose database is older than its merged /usr.
    fn root() -> (tempfile::TempDir, Directory) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        for directory in ["usr/lib/x86_64-linux-gnu", "usr/bin", "var/lib/dpkg/info", "sbin", "etc"] {
            std::fs::create_dir_all(root.join(directory)).unwrap();
        }
        symlink("usr/lib", root.join("lib")).unwrap();
        symlink("usr/bin", root.join("bin")).unwrap();
        for file in [
            "usr/lib/x86_64-linux-gnu/libc.so.6",
            "usr/bin/sh",
            "usr/bin/sh.distrib",
            "usr/bin/bash",
            "sbin/init",
            "etc/made",
        ] {
            std::fs::write(root.join(file), file).unwrap();
        }
        let status = "Package: libc6\nArchitecture: amd64\nMulti-Arch: same\n\nPackage: libc6\nArchitecture: i386\n\
            Multi-Arch: same\n\nPackage: bash\n\nPackage: dash\n\nPackage: init\n\nPackage: unlisted\n";
        std::fs::write(root.join("var/lib/dpkg/status"), status).unwrap();
        std::fs::write(root.join("var/lib/dpkg/diversions"), "/bin/sh\n/bin/sh.distrib\ndash\n").unwrap();
        for (name, list) in [
            ("libc6:amd64", "/.\n/lib\n/lib/x86_64-linux-gnu/libc.so.6\n/usr/share/doc/libc6/copyright\n"),
            ("libc6:i386", "/.\n/lib/i386-linux-gnu/libc.so.6\n/usr/share/doc/libc6/copyright\n"),
            ("bash", "/bin/bash\n/bin/sh\n"),
            ("dash", "/bin/sh\n"),
            ("init", "/usr/sbin/init\n"),
        ] {
            std::fs::write(root.join("var/lib/dpkg/info").join(format!("{name}.list")), list).unwrap();
        }
        let directory = Directory(root.to_owned());
        (dir, directory)
    }

    fn labels(owners: &Owners, path: &str) -> Vec<String> {
        owners.of[Path::new(path)].iter().map(|place| owners.packages[*place].package.label()).collect()
    }

    #[test]
    fn a_file_is_its_packages_wherever_the_database_has_it() {
        let (_dir, root) = root();
        let paths = [
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "/usr/bin/bash",
            "/usr/bin/sh",
            "/usr/bin/sh.distrib",
            "/sbin/init",
            "/etc/made",
        ];
        let owners = owners(&root, paths.map(Path::new)).unwrap();
        assert_eq!(labels(&owners, paths[0]), ["libc6:amd64"]);
        assert_eq!(labels(&owners, paths[1]), ["bash"]);
        assert_eq!(labels(&owners, paths[2]), ["dash"], "the package that has diverted bash's");
        assert_eq!(labels(&owners, paths[3]), ["bash"], "at the place that it was diverted to");
        assert_eq!(labels(&owners, paths[4]), ["init"], "/usr/sbin/init is not there, and /sbin/init is");
        assert_eq!(labels(&owners, paths[5]), [""; 0]);
        assert_eq!(owners.packages.len(), 4, "packages of which nothing was asked for are left out");
        assert_eq!(owners.databases, [Path::new("/var/lib/dpkg/status")]);
    }

    #[test]
    fn what_is_at_both_places_of_a_split_usr_is_not_mixed_up() {
        let (_dir, root) = root();
        std::fs::create_dir_all(root.0.join("usr/sbin")).unwrap();
        std::fs::write(root.0.join("usr/sbin/init"), "another").unwrap();
        let owners = owners(&root, [Path::new("/sbin/init")]).unwrap();
        assert_eq!(labels(&owners, "/sbin/init"), [""; 0]);
    }

    #[test]
    fn a_root_without_a_database_is_told_from_files_of_no_package() {
        let dir = tempfile::tempdir().unwrap();
        let owners = owners(&Directory(dir.path().to_owned()), [Path::new("/bin/sh")]).unwrap();
        assert!(owners.databases.is_empty());
        assert_eq!(owners.of.len(), 1);
    }

    #[test]
    fn a_place_of_a_database_that_leads_nowhere_is_refused_and_one_that_is_missing_is_not() {
        let (_dir, root) = root();
        std::fs::create_dir_all(root.0.join("lib/apk/db")).unwrap();
        symlink("installed", root.0.join("lib/apk/db/installed")).unwrap();
        let error = owners(&root, []).unwrap_err().to_string();
        assert!(error.starts_with("read the package database /lib/apk/db/installed: "), "{error}");
        std::fs::remove_file(root.0.join("lib/apk/db/installed")).unwrap();
        symlink("nowhere", root.0.join("lib/apk/db/installed")).unwrap();
        assert!(owners(&root, []).is_ok());
        std::fs::create_dir(root.0.join("var/lib/rpm")).unwrap();
        std::fs::write(root.0.join("var/lib/rpm/Packages"), "something else").unwrap();
        assert_eq!(
            owners(&root, []).unwrap_err().to_string(),
            "read the package database /var/lib/rpm/Packages: not a Berkeley DB: it has 14 bytes (rpm --rebuilddb in \
             the root may mend it, or writes it in a format that is known)"
        );
    }
}
