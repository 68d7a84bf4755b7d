//! What is in a root as an SPDX document, version 2.3.
//!
//! What scanners look for beside the standard: trivy finds the source package in `sourceInfo`, and the distribution in a package whose
//! purpose is OPERATING-SYSTEM and that contains the others.

use std::collections::BTreeMap;

use serde_json::Value;

use super::digest::{sha1, sha256};
use super::json::{document, object, optional, path, put, text};
use super::manifest::{Contents, Described, Item, ItemKind, timestamp};
use super::package::{Package, Record, SOURCE};

const ROOT: &str = "SPDXRef-Root";
const SYSTEM: &str = "SPDXRef-OperatingSystem";
/// Where nothing is said.
const UNKNOWN: &str = "NOASSERTION";

impl Contents<'_> {
    /// An SPDX document: JSON. The same contents make the same bytes. Each file's digests have to have SHA-1, which SPDX asks for.
    pub fn spdx(&self) -> String {
        let files: Vec<&Item> = self.sorted().into_iter().filter(|item| digests(item).is_some()).collect();
        let mut relationships = vec![relationship("SPDXRef-DOCUMENT", "DESCRIBES", ROOT)];
        let mut owned: BTreeMap<usize, Vec<&Item>> = BTreeMap::new();
        let mut of_nobody = Vec::new();
        for item in &files {
            let places = item.packages.as_deref().unwrap_or_default();
            if places.is_empty() {
                of_nobody.push(*item);
                relationships.push(relationship(ROOT, "CONTAINS", &file_id(item)));
            }
            places.iter().for_each(|place| owned.entry(*place).or_default().push(item));
        }
        let mut packages = vec![self.root(&of_nobody)];
        let mut distributions = ROOT;
        if let Some(distribution) = self.distribution {
            relationships.push(relationship(ROOT, "CONTAINS", SYSTEM));
            let mut system = package(SYSTEM, &distribution.id, &[]);
            put(&mut system, "primaryPackagePurpose", text("OPERATING-SYSTEM"));
            if let Some(version) = &distribution.version {
                put(&mut system, "versionInfo", text(version));
            }
            if let Some(name) = &distribution.pretty_name {
                put(&mut system, "summary", text(name));
            }
            packages.push(system);
            distributions = SYSTEM;
        }
        let mut references = BTreeMap::new();
        let parts = self.parts();
        for (place, described) in self.packages.iter().enumerate() {
            let id = self.package_id(described);
            if parts.get(place) == Some(&false) {
                let above = if self.is_systems(described) { distributions } else { ROOT };
                relationships.push(relationship(above, "CONTAINS", &id));
            }
            for part in described.parts.iter().filter_map(|part| self.packages.get(*part)) {
                let kind = if is_source(part) { "GENERATED_FROM" } else { "CONTAINS" };
                relationships.push(relationship(&id, kind, &self.package_id(part)));
            }
            let files = owned.remove(&place).unwrap_or_default();
            for item in &files {
                relationships.push(relationship(&id, "CONTAINS", &file_id(item)));
            }
            packages.push(self.package(&id, described, &files));
            references.extend(described.licence.references.clone());
        }
        let creation = object(&mut [
            ("created", text(&timestamp(self.created))),
            ("creators", list([text(&format!("Tool: gb-{}", env!("CARGO_PKG_VERSION")))])),
        ]);
        let mut spdx = object(&mut [
            ("spdxVersion", text("SPDX-2.3")),
            ("dataLicense", text("CC0-1.0")),
            ("SPDXID", text("SPDXRef-DOCUMENT")),
            ("name", text(self.name)),
            ("documentNamespace", text(&format!("https://spdx.org/spdxdocs/gb-{}", self.digest()))),
            ("creationInfo", creation),
            ("packages", Value::Array(packages)),
            ("files", files.iter().map(|item| file(item)).collect()),
            ("relationships", Value::Array(relationships)),
        ]);
        if !references.is_empty() {
            let licences = references.iter().map(|(id, name)| {
                object(&mut [
                    ("licenseId", text(id)),
                    ("name", text(name)),
                    ("extractedText", text(name)),
                    ("comment", text("the package's own name for its licence; the text is with the package")),
                ])
            });
            put(&mut spdx, "hasExtractedLicensingInfos", licences.collect());
        }
        document(&spdx)
    }

    /// The root itself, with the files of no package.
    fn root(&self, files: &[&Item]) -> Value {
        let mut root = package(ROOT, self.name, files);
        put(&mut root, "primaryPackagePurpose", text("CONTAINER"));
        if let Some(version) = self.version {
            put(&mut root, "versionInfo", text(version));
        }
        root
    }

    fn package(&self, id: &str, described: &Described, files: &[&Item]) -> Value {
        let known = &described.package;
        let mut package = package(id, &known.name, files);
        let purpose = match known.record {
            Record::Program { .. } => "APPLICATION",
            _ if is_source(described) => "SOURCE",
            _ => "LIBRARY",
        };
        put(&mut package, "primaryPackagePurpose", text(purpose));
        if !known.version.is_empty() {
            put(&mut package, "versionInfo", text(&full_version(known)));
        }
        if let Some(expression) = &described.licence.expression {
            put(&mut package, "licenseDeclared", text(expression));
        }
        if let Some(supplier) = known.supplier.as_deref().and_then(supplier) {
            put(&mut package, "supplier", text(&supplier));
        }
        if let Some(homepage) = known.homepage.as_deref().filter(|page| is_address(page)) {
            put(&mut package, "homepage", text(homepage));
        }
        match &known.record {
            Record::Program { sha256 } => {
                put(&mut package, "checksums", list([checksum("SHA256", Some(sha256))]));
                if let [place] = &described.at[..] {
                    put(&mut package, "packageFileName", path(place));
                }
            }
            Record::Golang { sum: Some(sum) } => {
                put(&mut package, "sourceInfo", text(&format!("its checksum in go.sum: {sum}")));
            }
            Record::Golang { sum: None } | Record::Cargo => {}
            _ => {
                let (name, version) = source(known);
                put(&mut package, "sourceInfo", text(&format!("built package from: {name} {version}")));
            }
        }
        if !described.at.is_empty() {
            let places: Vec<_> = described.at.iter().map(|place| place.to_string_lossy()).collect();
            put(&mut package, "comment", text(&format!("found in: {}", places.join(", "))));
        }
        let reference = object(&mut [
            ("referenceCategory", text("PACKAGE-MANAGER")),
            ("referenceType", text("purl")),
            ("referenceLocator", text(&self.purl(described))),
        ]);
        put(&mut package, "externalRefs", list([reference]));
        package
    }

    fn package_id(&self, described: &Described) -> String {
        let name = described.package.name.chars().map(|character| match character {
            '.' | '-' => character,
            _ if character.is_ascii_alphanumeric() => character,
            _ => '-',
        });
        id(&format!("Package-{}", name.collect::<String>()), self.purl(described).as_bytes())
    }
}

impl Contents<'_> {
    /// Whether a package is of the root's own distribution.
    pub(super) fn is_systems(&self, described: &Described) -> bool {
        described.package.is_distributions() && described.distribution.is_none()
    }
}

/// Whether it is a source package of Debian's.
pub(super) fn is_source(described: &Described) -> bool {
    described.package.architecture.as_deref() == Some(SOURCE)
}

/// A package, with the files that are analyzed as its.
fn package(id: &str, name: &str, files: &[&Item]) -> Value {
    let mut package = object(&mut [
        ("SPDXID", text(id)),
        ("name", text(name)),
        ("downloadLocation", text(UNKNOWN)),
        ("filesAnalyzed", Value::Bool(!files.is_empty())),
        ("licenseConcluded", text(UNKNOWN)),
        ("licenseDeclared", text(UNKNOWN)),
        ("copyrightText", text(UNKNOWN)),
    ]);
    if !files.is_empty() {
        // The digest of the files' digests, in their order ("Package verification code").
        let mut sums: BTreeMap<&str, usize> = BTreeMap::new();
        for sum in files.iter().filter_map(|item| digests(item)?.sha1.as_deref()) {
            *sums.entry(sum).or_default() += 1;
        }
        let sums: String = sums.into_iter().map(|(sum, count)| sum.repeat(count)).collect();
        let code = object(&mut [("packageVerificationCodeValue", text(&sha1(sums.as_bytes())))]);
        put(&mut package, "packageVerificationCode", code);
        put(&mut package, "licenseInfoFromFiles", list([text(UNKNOWN)]));
    }
    package
}

fn checksum(algorithm: &str, value: Option<&str>) -> Value {
    object(&mut [("algorithm", text(algorithm)), ("checksumValue", optional(value))])
}

fn file(item: &Item) -> Value {
    let digests = digests(item);
    let checksums = list([
        checksum("SHA1", digests.and_then(|digests| digests.sha1.as_deref())),
        checksum("SHA256", digests.map(|digests| digests.sha256.as_str())),
    ]);
    object(&mut [
        ("SPDXID", text(&file_id(item))),
        ("fileName", text(&format!(".{}", item.path.to_string_lossy()))),
        ("checksums", checksums),
        ("licenseConcluded", text(UNKNOWN)),
        ("licenseInfoInFiles", list([text(UNKNOWN)])),
        ("copyrightText", text(UNKNOWN)),
        ("comment", text(&item.reason)),
    ])
}

fn list<const N: usize>(values: [Value; N]) -> Value {
    Value::Array(values.into())
}

fn digests(item: &Item) -> Option<&super::digest::Digests> {
    match &item.kind {
        ItemKind::File(digests) => Some(digests),
        ItemKind::Link(_) => None,
    }
}

fn file_id(item: &Item) -> String {
    id("File", item.path.as_os_str().as_encoded_bytes())
}

fn id(kind: &str, name: &[u8]) -> String {
    format!("SPDXRef-{kind}-{}", sha256(name).get(..16).unwrap_or_default())
}

fn relationship(from: &str, kind: &str, to: &str) -> Value {
    object(&mut [
        ("spdxElementId", text(from)),
        ("relationshipType", text(kind)),
        ("relatedSpdxElement", text(to)),
    ])
}

/// The version with the epoch, as the package manager writes it.
pub(super) fn full_version(package: &Package) -> String {
    match &package.record {
        Record::Rpm(record) => match record.epoch {
            Some(epoch) => format!("{epoch}:{}", package.version),
            None => package.version.clone(),
        },
        _ => package.version.clone(),
    }
}

/// The name and version of the source package.
pub(super) fn source(package: &Package) -> (String, String) {
    match &package.source {
        Some(source) => {
            (source.name.clone(), source.version.clone().unwrap_or_else(|| package.version.clone()))
        }
        None => (package.name.clone(), package.version.clone()),
    }
}

/// `Person: name (address)` of a maintainer, `Organization: name` of a vendor.
fn supplier(text: &str) -> Option<String> {
    let plain =
        |text: &str| text.replace(|character: char| character.is_control() || "()".contains(character), " ");
    match text.split_once('<') {
        Some((name, address)) => {
            let name = plain(name).trim().to_owned();
            let address = plain(address.trim().trim_end_matches('>'));
            let is_plain = !address.trim().is_empty() && !address.contains(char::is_whitespace);
            match (name.is_empty(), is_plain) {
                (true, _) => None,
                (false, true) => Some(format!("Person: {name} ({address})")),
                (false, false) => Some(format!("Person: {name}")),
            }
        }
        None => Some(plain(text).trim().to_owned())
            .filter(|name| !name.is_empty())
            .map(|name| format!("Organization: {name}")),
    }
}

/// Whether a text is an address of the web, without what such an address can't have.
pub(super) fn is_address(text: &str) -> bool {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    rest.is_some_and(|rest| {
        let is_plain = |byte: u8| byte.is_ascii_graphic() && !b"\"<>\\^`{|}[]".contains(&byte);
        !rest.is_empty() && !rest.starts_with('/') && rest.bytes().all(is_plain)
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::manifest::tests::with_example;

    #[test]
    fn the_same_contents_make_the_same_document() {
        let document = with_example(false, |contents| contents.spdx());
        assert_eq!(document, with_example(true, |contents| contents.spdx()));
        let document: Value = serde_json::from_str(&document).unwrap();
        assert_eq!(document["creationInfo"]["created"], "2023-11-14T22:13:20Z");
        let relations = document["relationships"].as_array().unwrap();
        let contains = relations.iter().filter(|relation| relation["relationshipType"] == "CONTAINS");
        // The system in the root, two packages in it, three files of packages and two of none.
        assert_eq!(contains.count(), 8);
        assert_eq!(document["files"].as_array().unwrap().len(), 4, "links are no files");
        let packages = document["packages"].as_array().unwrap();
        assert_eq!(packages[2]["supplier"], "Person: Somebody (somebody@example.org)");
        let licence = packages[2]["licenseDeclared"].as_str().unwrap();
        assert_eq!(document["hasExtractedLicensingInfos"][0]["licenseId"], licence);
        assert_eq!(packages[3]["licenseDeclared"], "NOASSERTION");
    }

    #[test]
    fn suppliers_and_addresses_of_any_kind_make_no_invalid_field() {
        for (text, expected) in [
            ("Red Hat, Inc.", Some("Organization: Red Hat, Inc.")),
            ("A (B) <a@b>", Some("Person: A  B (a@b)")),
            ("A <a b>", Some("Person: A")),
            ("<a@b>", None),
            (" ", None),
        ] {
            assert_eq!(supplier(text).as_deref(), expected, "{text}");
        }
        assert!(is_address("https://www.gnu.org/software/libc/?a=b#c"));
        for text in ["", "https://", "gnu.org", "ftp://x", "https://a b", "http:///x", "https://x/\u{e9}"] {
            assert!(!is_address(text), "{text}");
        }
    }
}
