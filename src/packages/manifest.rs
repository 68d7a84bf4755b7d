//! What is in a root: every file, where it is from, whose it is and why it is there.

use std::path::PathBuf;

use serde_json::{Value, json};

use super::digest::{Digests, sha256};
use super::distribution::Distribution;
use super::licence::Declared;
use super::owners::{Owner, Owners};
use super::purl::purl;

/// What is in a root, in every form.
#[derive(Debug)]
pub struct Contents<'a> {
    /// A name for the root.
    pub name: &'a str,
    /// When it was made, in seconds since 1970: SOURCE_DATE_EPOCH, so that the same root is described by the same bytes.
    pub created: u64,
    /// The distribution that it is from, if that is known.
    pub distribution: Option<&'a Distribution>,
    /// The packages.
    pub owners: &'a Owners,
    /// What each of them says of its licence.
    pub licences: &'a [Declared],
    /// The files and links.
    pub items: &'a [Item],
}

/// A file of a root, or a link.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its path, without links in its directories.
    pub path: PathBuf,
    /// What it is.
    pub kind: ItemKind,
    /// Where it is from: the path in the root that it was taken from; none if it was made.
    pub source: Option<PathBuf>,
    /// Why it is there.
    pub reason: String,
}

/// What a file is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum ItemKind {
    /// A regular file.
    File(Digests),
    /// A link, and what it says.
    Link(PathBuf),
}

impl Contents<'_> {
    /// The manifest: a JSON document, the files in the order of their paths. The same contents make the same bytes.
    pub fn manifest(&self) -> String {
        let packages = self.packages().map(|(owner, declared)| {
            json!({
                "name": owner.package.label(),
                "version": owner.package.version,
                "architecture": owner.package.architecture,
                "source": owner.package.source.as_ref().map(|source| &source.name),
                "licence": declared.expression,
                "purl": purl(&owner.package, self.distribution),
            })
        });
        let files = self.sorted().into_iter().map(|item| {
            let mut file = json!({
                "path": item.path.to_string_lossy(),
                "source": item.source.as_ref().map(|path| path.to_string_lossy()),
                "packages": self.owners_of(item).map(|owner| owner.package.label()).collect::<Vec<_>>(),
                "reason": item.reason,
            });
            match &item.kind {
                ItemKind::File(digests) => {
                    put(&mut file, "sha256", json!(digests.sha256));
                    put(&mut file, "size", json!(digests.size));
                }
                ItemKind::Link(target) => put(&mut file, "link", json!(target.to_string_lossy())),
            }
            file
        });
        text(&json!({
            "schema": 1,
            "distribution": self.distribution.map(Distribution::label),
            "databases": self.owners.databases.iter().map(|path| path.to_string_lossy()).collect::<Vec<_>>(),
            "packages": packages.collect::<Vec<_>>(),
            "files": files.collect::<Vec<_>>(),
        }))
    }

    /// The packages, each with what it says of its licence.
    pub(super) fn packages(&self) -> impl Iterator<Item = (&Owner, &Declared)> {
        const NOTHING: &Declared =
            &Declared { expression: None, references: std::collections::BTreeMap::new() };
        let licences = self.licences.iter().chain(std::iter::repeat(NOTHING));
        self.owners.packages.iter().zip(licences)
    }

    /// The files in the order of their paths.
    pub(super) fn sorted(&self) -> Vec<&Item> {
        let mut items: Vec<&Item> = self.items.iter().collect();
        items.sort_unstable_by(|one, two| one.path.cmp(&two.path));
        items.dedup_by(|one, two| one.path == two.path);
        items
    }

    /// The packages that own a file: by the path that it was taken from. What was made is nobody's.
    pub(super) fn owners_of(&self, item: &Item) -> impl Iterator<Item = &Owner> {
        self.owner_places(item).filter_map(|place| self.owners.packages.get(place))
    }

    /// The same, as places in the list of packages.
    pub(super) fn owner_places(&self, item: &Item) -> impl Iterator<Item = usize> {
        let source = item.source.as_ref().and_then(|source| self.owners.of.get(source));
        source.into_iter().flatten().copied()
    }

    /// A digest of all that is described: what documents about the same contents share, and no others.
    pub(super) fn digest(&self) -> String {
        sha256(format!("{} {} {}", self.name, self.created, self.manifest()).as_bytes())
    }
}

/// Adds a field to an object.
pub(super) fn put(object: &mut Value, name: &str, value: Value) {
    if let Value::Object(fields) = object {
        fields.insert(name.to_owned(), value);
    }
}

/// A document, as people can read it as well.
pub(super) fn text(document: &Value) -> String {
    format!("{document:#}\n")
}

/// Seconds since 1970 as ISO 8601 has them: `2025-01-31T23:59:59Z`.
pub(super) fn timestamp(seconds: u64) -> String {
    let (days, second) = (seconds / 86400, seconds % 86400);
    // Howard Hinnant's civil_from_days: eras of 400 years, each year beginning with March.
    let days = days.min(2_932_896) + 719_468;
    let (era, day_of_era) = (days / 146_097, days % 146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month_from_march = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month_from_march + 2) / 5 + 1;
    let month = if month_from_march < 10 { month_from_march + 3 } else { month_from_march - 9 };
    let year = era * 400 + year_of_era + u64::from(month <= 2);
    format!("{year:04}-{month:02}-{day:02}T{:02}:{:02}:{:02}Z", second / 3600, second / 60 % 60, second % 60)
}

#[cfg(test)]
pub(super) mod tests {
    use std::collections::BTreeMap;
    use std::path::Path;

    use super::*;
    use crate::packages::package::{Package, PackageFile, Record, Source};

    /// Two packages that share a file, and files of no package.
    pub(in crate::packages) fn example() -> (Owners, Vec<Declared>, Vec<Item>, Distribution) {
        let owner = |name: &str, paths: &[&str]| Owner {
            package: Package {
                name: name.to_owned(),
                version: "1.0-1".to_owned(),
                architecture: Some("amd64".to_owned()),
                source: Some(Source { name: "both".to_owned(), version: None }),
                licence: None,
                supplier: Some("Somebody <somebody@example.org>".to_owned()),
                homepage: None,
                files: Vec::new(),
                record: Record::Deb { stanza: Vec::new(), is_multi_arch: false },
            },
            files: paths
                .iter()
                .map(|path| (PathBuf::from(path), PackageFile::new(path.as_bytes(), false)))
                .collect(),
        };
        let owners = Owners {
            packages: vec![owner("one", &["/usr/lib/a", "/usr/lib/b"]), owner("two", &["/usr/lib/b"])],
            of: BTreeMap::from([
                ("/usr/lib/a".into(), vec![0]),
                ("/usr/lib/b".into(), vec![0, 1]),
                ("/etc/c".into(), vec![]),
            ]),
            databases: vec!["/var/lib/dpkg/status".into()],
        };
        let item = |path: &str, source: Option<&str>| Item {
            path: path.into(),
            kind: ItemKind::File(Digests::of(path.as_bytes()).unwrap()),
            source: source.map(PathBuf::from),
            reason: format!("needed by \"{path}\""),
        };
        let items = vec![
            item("/usr/lib/b", Some("/usr/lib/b")),
            item("/usr/lib/a", Some("/usr/lib/a")),
            item("/etc/c", Some("/etc/c")),
            item("/etc/made", None),
            Item {
                path: "/lib".into(),
                kind: ItemKind::Link("usr/lib".into()),
                source: Some("/lib".into()),
                reason: "on the way to /lib/a".to_owned(),
            },
        ];
        let licences = vec![Declared::from_text("MIT AND Artistic"), Declared::default()];
        let distribution = Distribution {
            id: "debian".to_owned(),
            version: Some("13".to_owned()),
            pretty_name: Some("Debian GNU/Linux 13 (trixie)".to_owned()),
            ..Default::default()
        };
        (owners, licences, items, distribution)
    }

    /// The contents of the example, in one order of the files or the other.
    pub(in crate::packages) fn with_example<T>(reversed: bool, then: impl FnOnce(&Contents<'_>) -> T) -> T {
        let (owners, licences, mut items, distribution) = example();
        if reversed {
            items.reverse();
        }
        then(&Contents {
            name: "rootfs",
            created: 1_700_000_000,
            distribution: Some(&distribution),
            owners: &owners,
            licences: &licences,
            items: &items,
        })
    }

    #[test]
    fn every_file_is_listed_with_where_it_is_from_and_whose_it_is() {
        let manifest = with_example(false, |contents| contents.manifest());
        assert_eq!(
            manifest,
            with_example(true, |contents| contents.manifest()),
            "the order of the files is the paths'"
        );
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["schema"], 1);
        let files = manifest["files"].as_array().unwrap();
        let paths: Vec<_> = files.iter().map(|file| file["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["/etc/c", "/etc/made", "/lib", "/usr/lib/a", "/usr/lib/b"]);
        assert_eq!(files[0]["packages"], json!([]));
        assert_eq!(files[1]["source"], Value::Null);
        assert_eq!(files[2]["link"], "usr/lib");
        assert_eq!(files[4]["packages"], json!(["one", "two"]));
        assert_eq!(files[3]["sha256"], Digests::of(&b"/usr/lib/a"[..]).unwrap().sha256);
        assert_eq!(
            manifest["packages"][0]["purl"],
            "pkg:deb/debian/one@1.0-1?arch=amd64&distro=debian-13&upstream=both"
        );
        assert!(Path::new("/lib").is_absolute());
    }

    #[test]
    fn times_are_written_as_date_writes_them() {
        for (seconds, expected) in [
            (0, "1970-01-01T00:00:00Z"),
            (951_782_399, "2000-02-28T23:59:59Z"),
            (951_782_400, "2000-02-29T00:00:00Z"),
            (1_735_689_599, "2024-12-31T23:59:59Z"),
            (4_107_542_400, "2100-03-01T00:00:00Z"),
            (u64::MAX, "9999-12-31T07:00:15Z"),
        ] {
            assert_eq!(timestamp(seconds), expected);
        }
    }
}
