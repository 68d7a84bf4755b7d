//! What is in a root: every file, where it is from, whose it is and why it is there.

use std::borrow::Cow;
use std::collections::BTreeMap;
use std::path::PathBuf;

use serde_json::Value;

use super::by_path::ByPath;
use super::digest::{Digests, sha256};
use super::distribution::Distribution;
use super::json::{object, optional, path, put, text, texts};
use super::licence::Declared;
use super::package::{Package, Record};
use super::purl::purl;

/// Where the manifest of a root is: each tool that makes roots keeps its record below `/var/lib`, by its own name (dpkg, rpm,
/// chisel), and no program of the root looks there.
pub const MANIFEST: &str = "/var/lib/gb/manifest.json";

/// The form of the manifest; a change that readers would notice raises it.
pub(super) const SCHEMA: u64 = 1;

/// What is in a root, in every form.
#[derive(Debug)]
pub struct Contents<'a> {
    /// A name for the root.
    pub name: &'a str,
    /// Its version, if it has one.
    pub version: Option<&'a str>,
    /// When it was made, in seconds since 1970: SOURCE_DATE_EPOCH, so that the same root is described by the same bytes.
    pub created: u64,
    /// The distribution that it is from, if that is known.
    pub distribution: Option<&'a Distribution>,
    /// The databases that know the packages.
    pub databases: &'a [PathBuf],
    /// The packages.
    pub packages: &'a [Described],
    /// The files and links.
    pub items: &'a [Item],
}

/// A package, and what it says of its licence.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Described {
    /// The package. Its own lists of files do not matter.
    pub package: Package,
    /// Its licence.
    pub licence: Declared,
    /// The distribution that it is of, if that is another one than the root's.
    pub distribution: Option<Distribution>,
    /// The files that tell of it: a database, programs; a program's own place.
    pub at: Vec<PathBuf>,
    /// What it is made of: places in their list.
    pub parts: Vec<usize>,
}

impl Described {
    /// A package of the root's own distribution.
    pub fn new(package: Package, licence: Declared) -> Described {
        Described { package, licence, distribution: None, at: Vec::new(), parts: Vec::new() }
    }
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
    /// The packages whose it is: places in their list. None if nobody has looked.
    pub packages: Option<Vec<usize>>,
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

impl ItemKind {
    /// What tells it from others: SHA-256 of a file, or what a link says.
    pub fn is(&self) -> Cow<'_, str> {
        match self {
            ItemKind::File(digests) => Cow::from(&digests.sha256),
            ItemKind::Link(target) => target.to_string_lossy(),
        }
    }
}

impl Contents<'_> {
    /// The manifest: a JSON document, with a line for each package and for each file, in the order of their paths. The same
    /// contents make the same bytes.
    pub fn manifest(&self) -> String {
        let names = self.names();
        let packages = self.packages.iter().zip(&names).map(|(described, name)| self.listed(described, name));
        let files = self.sorted().into_iter().map(|item| file(item, &names));
        let databases = texts(&mut self.databases.iter().map(|path| path.to_string_lossy()));
        let distribution = self.distribution.map(Distribution::label);
        format!(
            "{{\n\"schema\": {SCHEMA},\n\"distribution\": {},\n\"databases\": {databases},\n\"packages\": {},\n\"files\": {}\n}}\n",
            optional(distribution.as_deref()),
            lines(&mut { packages }),
            lines(&mut { files }),
        )
    }

    fn listed(&self, described: &Described, name: &str) -> Value {
        let Described { package, licence, .. } = described;
        let source = package.source.as_ref().map_or(Value::Null, |source| {
            object(&mut [("name", text(&source.name)), ("version", optional(source.version.as_deref()))])
        });
        let mut names = object(&mut []);
        for (name, licence) in &licence.references {
            put(&mut names, name, text(licence));
        }
        let mut value = object(&mut [
            ("id", text(name)),
            ("kind", text(package.kind())),
            ("name", text(&package.name)),
            ("version", text(&package.version)),
            ("architecture", optional(package.architecture.as_deref())),
            ("source", source),
            ("supplier", optional(package.supplier.as_deref())),
            ("homepage", optional(package.homepage.as_deref())),
            ("licence", optional(licence.expression.as_deref())),
            ("licence_names", names),
            ("purl", text(&self.purl(described))),
        ]);
        if let Record::Rpm(record) = &package.record {
            put(&mut value, "epoch", record.epoch.map_or(Value::Null, Value::from));
            put(&mut value, "source_rpm", optional(record.source_rpm.as_deref()));
            put(&mut value, "modularity", optional(record.modularity.as_deref()));
        }
        value
    }

    /// What packages are called in the manifest: by their labels, and where two have the same one with their versions.
    fn names(&self) -> Vec<String> {
        let labels: Vec<String> = self.packages.iter().map(|described| described.package.label()).collect();
        let mut counts: BTreeMap<&str, usize> = BTreeMap::new();
        for label in &labels {
            *counts.entry(label).or_default() += 1;
        }
        let name = |(described, label): (&Described, &String)| match counts.get(label.as_str()) {
            Some(2..) => format!("{label}={}", described.package.version),
            _ => label.clone(),
        };
        self.packages.iter().zip(&labels).map(name).collect()
    }

    /// The files in the order of their paths.
    pub(super) fn sorted(&self) -> Vec<&Item> {
        let mut items: ByPath<&Item> = ByPath::default();
        self.items.iter().for_each(|item| items.insert(item.path.clone(), item));
        items.iter().map(|(_, item)| *item).collect()
    }

    /// The name that a package has for scanners.
    pub(super) fn purl(&self, described: &Described) -> String {
        purl(&described.package, described.distribution.as_ref().or(self.distribution))
    }

    /// Whether each of the packages is one that others are made of.
    pub(super) fn parts(&self) -> Vec<bool> {
        let mut parts = vec![false; self.packages.len()];
        for place in self.packages.iter().flat_map(|described| &described.parts) {
            if let Some(is_part) = parts.get_mut(*place) {
                *is_part = true;
            }
        }
        parts
    }

    /// A digest of all that is described: what documents about the same contents share, and no others.
    pub(super) fn digest(&self) -> String {
        let mut all = format!("{} {} {}", self.name, self.created, self.manifest());
        if let Some(version) = self.version {
            all.push_str(version);
        }
        for described in self.packages {
            for at in &described.at {
                all.push_str(&format!("\n{}", at.to_string_lossy()));
            }
            for part in &described.parts {
                all.push_str(&format!(" {part}"));
            }
        }
        sha256(all.as_bytes())
    }
}

/// A list with a line for each of its values.
fn lines(values: &mut dyn Iterator<Item = Value>) -> String {
    let mut text = String::from("[");
    for (number, value) in values.enumerate() {
        let separator = if number == 0 { "" } else { "," };
        text.push_str(&format!("{separator}\n{value}"));
    }
    text + "]"
}

/// A file or a link; `names` are those of the packages.
fn file(item: &Item, names: &[String]) -> Value {
    let owners = item.packages.as_ref().map_or(Value::Null, |places| {
        texts(&mut places.iter().filter_map(|place| names.get(*place)).map(Cow::from))
    });
    let mut file = object(&mut [
        ("path", path(&item.path)),
        ("source", item.source.as_deref().map_or(Value::Null, path)),
        ("packages", owners),
        ("reason", text(&item.reason)),
    ]);
    match &item.kind {
        ItemKind::File(digests) => {
            put(&mut file, "sha256", text(&digests.sha256));
            put(&mut file, "size", Value::from(digests.size));
        }
        ItemKind::Link(target) => put(&mut file, "link", path(target)),
    }
    file
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
    use serde_json::json;

    use super::*;
    use crate::packages::package::Source;

    fn described(name: &str, licence: Declared) -> Described {
        let package = Package {
            name: name.to_owned(),
            version: "1.0-1".to_owned(),
            architecture: Some("amd64".to_owned()),
            source: Some(Source { name: "both".to_owned(), version: None }),
            licence: None,
            supplier: Some("Somebody <somebody@example.org>".to_owned()),
            homepage: None,
            files: Vec::new(),
            record: Record::Deb { stanza: Vec::new(), is_multi_arch: false },
        };
        Described::new(package, licence)
    }

    /// Two packages that share a file, and files of no package; in one order of the files or the other.
    pub(in crate::packages) fn with_example<T>(reversed: bool, then: impl FnOnce(&Contents<'_>) -> T) -> T {
        let packages = [
            described("one", Declared::from_text("MIT AND Artistic")),
            described("two", Declared::default()),
        ];
        let item = |path: &str, source: Option<&str>, owners: &[usize]| Item {
            path: path.into(),
            kind: ItemKind::File(Digests::of(&mut path.as_bytes(), true).unwrap()),
            source: source.map(PathBuf::from),
            packages: Some(owners.to_vec()),
            reason: format!("needed by \"{path}\""),
        };
        let mut items = vec![
            item("/usr/lib/b", Some("/usr/lib/b"), &[0, 1]),
            item("/usr/lib/a", Some("/usr/lib/a"), &[0]),
            item("/etc/c", Some("/etc/c"), &[]),
            item("/etc/made", None, &[]),
            Item {
                path: "/lib".into(),
                kind: ItemKind::Link("usr/lib".into()),
                source: Some("/lib".into()),
                packages: None,
                reason: "on the way to /lib/a".to_owned(),
            },
        ];
        if reversed {
            items.reverse();
        }
        let distribution = Distribution {
            id: "debian".to_owned(),
            version: Some("13".to_owned()),
            pretty_name: Some("Debian GNU/Linux 13 (trixie)".to_owned()),
            ..Default::default()
        };
        then(&Contents {
            name: "rootfs",
            version: None,
            created: 1_700_000_000,
            distribution: Some(&distribution),
            databases: &["/var/lib/dpkg/status".into()],
            packages: &packages,
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
        assert_eq!(manifest.lines().filter(|line| line.contains("\"path\":")).count(), 5, "a line each");
        let manifest: Value = serde_json::from_str(&manifest).unwrap();
        assert_eq!(manifest["schema"], SCHEMA);
        let files = manifest["files"].as_array().unwrap();
        let paths: Vec<_> = files.iter().map(|file| file["path"].as_str().unwrap()).collect();
        assert_eq!(paths, ["/etc/c", "/etc/made", "/lib", "/usr/lib/a", "/usr/lib/b"]);
        assert_eq!(files[0]["packages"], json!([]));
        assert_eq!(files[1]["source"], Value::Null);
        assert_eq!((&files[2]["link"], &files[2]["packages"]), (&json!("usr/lib"), &Value::Null));
        assert_eq!(files[4]["packages"], json!(["one", "two"]));
        assert_eq!(files[3]["sha256"], sha256(b"/usr/lib/a"));
        assert_eq!(
            manifest["packages"][0]["purl"],
            "pkg:deb/debian/one@1.0-1?arch=amd64&distro=debian-13&upstream=both"
        );
    }

    #[test]
    fn packages_of_the_same_name_are_told_apart_by_their_versions() {
        let mut packages = [described("one", Declared::default()), described("one", Declared::default())];
        packages[1].package.version = "2".to_owned();
        let contents = Contents {
            name: "",
            version: None,
            created: 0,
            distribution: None,
            databases: &[],
            packages: &packages,
            items: &[],
        };
        assert_eq!(contents.names(), ["one=1.0-1", "one=2"]);
        let manifest: Value = serde_json::from_str(&contents.manifest()).unwrap();
        assert_eq!((&manifest["files"], &manifest["distribution"]), (&json!([]), &Value::Null));
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
