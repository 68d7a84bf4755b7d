//! What scanners read of a root that has some files of its packages and none of their databases.
//!
//! | package manager | file | read by |
//! |---|---|---|
//! | dpkg | `var/lib/dpkg/status.d/NAME` and `NAME.md5sums`, as distroless has them (its PACKAGE_METADATA.md) | trivy, syft and others |
//! | rpm | `var/lib/rpmmanifest/container-manifest-2`, as CBL-Mariner's distroless images have it | trivy, syft |
//! | apk | `lib/apk/db/installed` | trivy, syft |
//!
//! Each is of the packages that own some of the files, and lists these files alone.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::by_path::ByPath;
use super::copyright;
use super::files::{Files, MOST_BYTES, resolved, text as read_text};
use super::licence::Declared;
use super::owners::{Owner, Owners};
use super::package::{Package, Record, RpmRecord};
use super::{ReadError, apk, deb};

/// Where CBL-Mariner has the list of its packages.
pub const RPM_MANIFEST: &str = "/var/lib/rpmmanifest/container-manifest-2";

/// What tells the distribution, and with it whose lists of vulnerabilities are looked into: os-release, and what trivy asks
/// instead where a distribution had a file of its own first.
const RELEASES: [&str; 12] = [
    "/etc/os-release",
    "/etc/alpine-release",
    "/etc/debian_version",
    "/etc/lsb-release",
    "/etc/redhat-release",
    "/etc/almalinux-release",
    "/etc/centos-release",
    "/etc/fedora-release",
    "/etc/oracle-release",
    "/etc/rocky-release",
    "/etc/system-release",
    "/usr/lib/os-release",
];

/// No text of a licence is longer.
pub const MOST_LICENCE: u64 = 16 << 20;

/// The files to make, with what is in each.
///
/// `latest` is the newest time that is told (SOURCE_DATE_EPOCH), so that an installation of today makes the same file tomorrow.
/// `there` is a root that is added to: what it has of a package is what is made anew.
pub fn databases(
    owners: &Owners,
    latest: Option<u64>,
    there: Option<&dyn Files>,
) -> Result<BTreeMap<PathBuf, Vec<u8>>, ReadError> {
    let mut made = BTreeMap::new();
    let mut add = |path: &Path, bytes: &[u8]| made.entry(path.to_owned()).or_insert(Vec::new()).extend(bytes);
    // Of a package that is there for several architectures each has its own file; else it has the plain name.
    let mut names: BTreeMap<&str, usize> = BTreeMap::new();
    for owner in &owners.packages {
        *names.entry(&owner.package.name).or_default() += 1;
    }
    for owner in &owners.packages {
        let package = &owner.package;
        match &package.record {
            Record::Deb { stanza, .. } => {
                let is_one_of_several = matches!(names.get(&*package.name), Some(2..));
                let name = file_name(package, is_one_of_several, there)?;
                let directory = Path::new(deb::STATUS_D);
                add(&directory.join(&name), &deb::control(stanza));
                add(&directory.join(format!("{name}{}", deb::SUMS)), md5_sums(owner).as_bytes());
            }
            Record::Rpm(record) => add(Path::new(RPM_MANIFEST), line(package, record, latest).as_bytes()),
            Record::Apk { stanza, files } => {
                // What is listed is by the database's paths.
                let mut kept: BTreeSet<&Path> = BTreeSet::new();
                kept.extend(owner.files.values().map(|file| file.path.as_path()));
                let cut = apk::cut(files, &|path| kept.contains(path));
                let place = apk_place(&owners.databases);
                add(&place, &[stanza, &cut[..], b"\n"].concat());
            }
            // These tell of themselves.
            Record::Golang { .. } | Record::Cargo | Record::Program { .. } => {}
        }
    }
    Ok(made)
}

/// The name of a Debian package's file: as it is there already, and with the architecture where another's has the plain name.
fn file_name(
    package: &Package,
    is_one_of_several: bool,
    there: Option<&dyn Files>,
) -> Result<String, ReadError> {
    let plain = package.name.clone();
    let Some(architecture) = &package.architecture else { return Ok(plain) };
    let full = format!("{plain}:{architecture}");
    let at = |name: &str| -> Result<Option<Package>, ReadError> {
        let path = Path::new(deb::STATUS_D).join(name);
        let Some(text) = there.map(|there| read_text(there, &path, MOST_BYTES)).transpose()?.flatten() else {
            return Ok(None);
        };
        // A package's script may be there as well, and is of no package then.
        Ok(deb::packages(&text, &path).unwrap_or_default().into_iter().next())
    };
    let is_of_several = |package: &Package| matches!(package.record, Record::Deb { is_multi_arch: true, .. });
    let has_full_name = match at(&plain)? {
        Some(other) if other.is_version_of(package) => false,
        // Others are not installed beside each other: there one takes the place of the other.
        Some(other) if is_of_several(&other) && is_of_several(package) => true,
        _ => is_one_of_several || at(&full)?.is_some(),
    };
    Ok(if has_full_name { full } else { plain })
}

/// Where apk's database was, since its path depends on whether /usr is merged.
pub(super) fn apk_place(databases: &[PathBuf]) -> PathBuf {
    let found = databases.iter().find(|path| path.ends_with("apk/db/installed"));
    found.cloned().unwrap_or_else(|| PathBuf::from("/lib/apk/db/installed"))
}

/// The sums that a package tells of its files, at the places where these are.
fn md5_sums(owner: &Owner) -> String {
    let mut sums = String::new();
    for (path, file) in &owner.files {
        if let (Some(sum), Some(path)) = (&file.md5, path.to_str().and_then(|path| path.strip_prefix('/'))) {
            sums.push_str(&format!("{sum}  {path}\n"));
        }
    }
    sums
}

/// What `rpm -qa --qf` with these tags writes, parted by tabs:
/// NAME VERSION-RELEASE INSTALLTIME BUILDTIME VENDOR (none) SIZE ARCH EPOCHNUM SOURCERPM
///
/// Where CBL-Mariner has EPOCH stands `(none)`: with a number there syft (1.18) takes SIZE for the epoch, and then every
/// version for newer than any with a vulnerability. And a package that tells no source is its own: trivy reads nothing of a
/// file in which a line has no source.
fn line(package: &Package, record: &RpmRecord, latest: Option<u64>) -> String {
    let number = |number: Option<u64>| number.map_or_else(none, |number| number.to_string());
    let install_time = record.install_time.map(|time| latest.map_or(time, |latest| time.min(latest)));
    let source = record.source_rpm.clone();
    let fields = [
        package.name.clone(),
        package.version.clone(),
        number(install_time),
        number(record.build_time),
        package.supplier.clone().unwrap_or_else(none),
        none(),
        number(record.size),
        package.architecture.clone().unwrap_or_else(none),
        record.epoch.unwrap_or_default().to_string(),
        source.unwrap_or_else(|| format!("{}-{}.src.rpm", package.name, package.version)),
    ];
    let plain = fields.map(|field| field.replace(|character: char| character.is_control(), " "));
    format!("{}\n", plain.join("\t"))
}

fn none() -> String {
    "(none)".to_owned()
}

/// The files that tell the distribution, as far as the root has them: without them scanners find packages and nothing about them.
pub fn releases(files: &dyn Files) -> Vec<PathBuf> {
    let paths = RELEASES.iter().map(PathBuf::from);
    paths.filter(|path| is_file(files, path)).collect()
}

fn is_file(files: &dyn Files, path: &Path) -> bool {
    files.size(path).is_ok_and(|size| size.is_some())
}

/// The licences of packages.
#[derive(Debug, Default)]
pub struct Licences {
    /// What each package says of its licence: in the order of the packages.
    pub declared: Vec<Declared>,
    /// The texts to copy, by the place where each belongs. The places have no links in them.
    pub texts: ByPath<LicenceText>,
    /// The packages whose licence has no text in the root.
    pub without_text: Vec<String>,
}

/// The text of a licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct LicenceText {
    /// Where it is in the root: a path without links.
    pub from: PathBuf,
    /// The packages whose licence it is: places in their list.
    pub of: Vec<usize>,
}

impl Licences {
    /// Adds a text for a package.
    fn add(&mut self, place: PathBuf, from: PathBuf, of: usize) {
        let text = self.texts.get_or(place, || LicenceText { from, of: Vec::new() });
        if let Some(text) = text.filter(|text| !text.of.contains(&of)) {
            text.of.push(of);
        }
    }
}

/// Finds the licences of packages: their names, and the texts that have to go with them.
///
/// A Debian package's text may be in the directory of another package that its own is a link to, and may refer to texts
/// that many have in common; both become files at the places where they are looked for.
pub fn licences(files: &dyn Files, owners: &Owners) -> Result<Licences, ReadError> {
    let mut licences = Licences::default();
    for (of, owner) in owners.packages.iter().enumerate() {
        let package = &owner.package;
        let declared = match package.record {
            Record::Deb { .. } => debian(files, package, of, &mut licences)?,
            Record::Rpm(_) => {
                for file in package.files.iter().filter(|file| file.is_licence) {
                    let real = files.resolve(&file.path).ok().filter(|real| is_file(files, real));
                    if let Some(real) = real {
                        licences.add(real.clone(), real, of);
                    }
                }
                Declared::from_text(package.licence.as_deref().unwrap_or_default())
            }
            _ => Declared::from_text(package.licence.as_deref().unwrap_or_default()),
        };
        // Alpine's packages come without texts.
        let has_text = licences.texts.iter().any(|(_, text)| text.of.contains(&of));
        if !has_text && !matches!(package.record, Record::Apk { .. }) {
            licences.without_text.push(package.label());
        }
        licences.declared.push(declared);
    }
    Ok(licences)
}

/// The licence of a Debian package, from its copyright file.
fn debian(
    files: &dyn Files,
    package: &Package,
    of: usize,
    licences: &mut Licences,
) -> Result<Declared, ReadError> {
    let place = Path::new("/usr/share/doc").join(&package.name).join("copyright");
    let Some(real) = resolved(files, &place)? else { return Ok(Declared::default()) };
    let Some(text) = read_text(files, &real, MOST_LICENCE)? else { return Ok(Declared::default()) };
    licences.add(place, real, of);
    for name in copyright::common(&text) {
        let place = Path::new(copyright::COMMON).join(name);
        if let Some(real) = files.resolve(&place).ok().filter(|real| is_file(files, real)) {
            licences.add(place, real, of);
        }
    }
    Ok(Declared::from_debian(&copyright::names(&text)))
}

#[cfg(test)]
mod tests {
    use std::os::unix::fs::symlink;

    use super::*;
    use crate::packages::files::fake::Directory;
    use crate::packages::owners;

    fn write(root: &Path, path: &str, text: &str) {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, text).unwrap();
    }

    const SUM: &str = "d41d8cd98f00b204e9800998ecf8427e";

    fn debian_root() -> (tempfile::TempDir, Directory) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path();
        write(
            root,
            "var/lib/dpkg/status",
            "Package: libgcc-s1\nStatus: install ok installed\nArchitecture: amd64\nVersion: 14\n\n\
             Package: libc6\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2\n\n\
             Package: libc6\nArchitecture: i386\nMulti-Arch: same\nVersion: 2\n",
        );
        for (name, path) in [
            ("libgcc-s1", "lib/libgcc_s.so.1"),
            ("libc6:amd64", "usr/lib/libc.so.6"),
            ("libc6:i386", "usr/lib32/libc.so.6"),
        ] {
            write(
                root,
                &format!("var/lib/dpkg/info/{name}.list"),
                &format!("/{path}\n/usr/bin/not-asked-for\n"),
            );
            let sums = format!("{SUM}  {path}\n{SUM}  usr/bin/not-asked-for\n");
            write(root, &format!("var/lib/dpkg/info/{name}.md5sums"), &sums);
        }
        for file in ["usr/lib/libgcc_s.so.1", "usr/lib/libc.so.6", "usr/lib32/libc.so.6"] {
            write(root, file, "");
        }
        symlink("usr/lib", root.join("lib")).unwrap();
        write(root, "usr/share/doc/gcc-14-base/copyright", "See /usr/share/common-licenses/GPL.\n");
        symlink("gcc-14-base", root.join("usr/share/doc/libgcc-s1")).unwrap();
        write(root, "usr/share/common-licenses/GPL-3", "text");
        symlink("GPL-3", root.join("usr/share/common-licenses/GPL")).unwrap();
        let directory = Directory(root.to_owned());
        (dir, directory)
    }

    #[test]
    fn debian_packages_have_a_file_each_with_the_sums_of_what_is_there() {
        let (_dir, root) = debian_root();
        let paths = ["/usr/lib/libgcc_s.so.1", "/usr/lib/libc.so.6", "/usr/lib32/libc.so.6"].map(Path::new);
        let made = databases(&owners(&root, paths).unwrap(), None, None).unwrap();
        let made: Vec<(&str, &str)> = made
            .iter()
            .map(|(path, bytes)| (path.to_str().unwrap(), std::str::from_utf8(bytes).unwrap()))
            .collect();
        let (libc, libc32) = (format!("{SUM}  usr/lib/libc.so.6\n"), format!("{SUM}  usr/lib32/libc.so.6\n"));
        let libgcc = format!("{SUM}  usr/lib/libgcc_s.so.1\n");
        assert_eq!(
            made,
            [
                (
                    "/var/lib/dpkg/status.d/libc6:amd64",
                    "Package: libc6\nArchitecture: amd64\nMulti-Arch: same\nVersion: 2\n"
                ),
                ("/var/lib/dpkg/status.d/libc6:amd64.md5sums", &libc),
                (
                    "/var/lib/dpkg/status.d/libc6:i386",
                    "Package: libc6\nArchitecture: i386\nMulti-Arch: same\nVersion: 2\n"
                ),
                ("/var/lib/dpkg/status.d/libc6:i386.md5sums", &libc32),
                (
                    "/var/lib/dpkg/status.d/libgcc-s1",
                    "Package: libgcc-s1\nArchitecture: amd64\nVersion: 14\n"
                ),
                ("/var/lib/dpkg/status.d/libgcc-s1.md5sums", &libgcc),
            ]
        );
    }

    #[test]
    fn the_root_that_is_made_is_read_again_with_the_same_owners() {
        let (dir, root) = debian_root();
        let path = Path::new("/usr/lib/libgcc_s.so.1");
        let before = owners(&root, [path]).unwrap();
        let out = dir.path().join("out");
        for (path, bytes) in databases(&before, None, None).unwrap() {
            write(&out, path.to_str().unwrap().trim_start_matches('/'), std::str::from_utf8(&bytes).unwrap());
        }
        write(&out, "usr/lib/libgcc_s.so.1", "");
        let after = owners(&Directory(out), [path]).unwrap();
        assert_eq!(after.of, before.of);
        assert_eq!(after.packages[0].package.name, "libgcc-s1");
    }

    #[test]
    fn a_copyright_behind_a_link_becomes_a_file_where_it_is_looked_for() {
        let (_dir, root) = debian_root();
        let owners = owners(&root, [Path::new("/usr/lib/libgcc_s.so.1"), Path::new("/usr/lib/libc.so.6")]);
        let found = licences(&root, &owners.unwrap()).unwrap();
        let texts: Vec<_> = found
            .texts
            .iter()
            .map(|(to, text)| format!("{} <- {}", to.display(), text.from.display()))
            .collect();
        assert_eq!(
            texts,
            [
                "/usr/share/common-licenses/GPL <- /usr/share/common-licenses/GPL-3",
                "/usr/share/doc/libgcc-s1/copyright <- /usr/share/doc/gcc-14-base/copyright"
            ]
        );
        assert!(found.texts.iter().all(|(_, text)| text.of == [1]));
        assert_eq!(found.without_text, ["libc6:amd64"]);
        assert_eq!(found.declared, [Declared::default(), Declared::default()]);
    }

    #[test]
    fn what_tells_the_distribution_is_told_as_far_as_it_is_there() {
        let (_dir, root) = debian_root();
        assert!(releases(&root).is_empty());
        write(&root.0, "usr/lib/os-release", "ID=debian\n");
        write(&root.0, "etc/debian_version", "13.1\n");
        std::fs::create_dir(root.0.join("etc/redhat-release")).unwrap();
        assert_eq!(releases(&root), ["/etc/debian_version", "/usr/lib/os-release"].map(PathBuf::from));
    }

    #[test]
    fn a_line_about_an_rpm_has_ten_fields_whatever_the_package_says() {
        let package = Package {
            name: "setup".into(),
            version: "2.13.7-10.el9".into(),
            architecture: Some("noarch".into()),
            source: None,
            licence: None,
            supplier: Some("A\tB\nC".into()),
            homepage: None,
            files: Vec::new(),
            record: Record::Rpm(RpmRecord::default()),
        };
        let record = RpmRecord { install_time: Some(9), build_time: Some(5), ..Default::default() };
        assert_eq!(
            line(&package, &record, Some(7)),
            "setup\t2.13.7-10.el9\t7\t5\tA B C\t(none)\t(none)\tnoarch\t0\tsetup-2.13.7-10.el9.src.rpm\n"
        );
    }
}
