//! What is in a root as a CycloneDX document, version 1.5.
//!
//! The properties of trivy are what it needs to know the source package, which is what its lists of vulnerabilities name.

use std::borrow::Cow;
use std::collections::BTreeMap;

use serde_json::Value;

use super::json::{document, object, path, put, text, texts};
use super::licence::{Declared, identifier};
use super::manifest::{Contents, Described, Item, ItemKind, timestamp};
use super::package::{Package, Record};
use super::spdx::{full_version, is_address, source};

impl Contents<'_> {
    /// A CycloneDX document: JSON. The same contents make the same bytes.
    pub fn cyclonedx(&self) -> String {
        let mut owned: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        let mut of_nobody = Vec::new();
        for item in self.sorted() {
            let places = item.packages.as_deref().unwrap_or_default();
            let Some(file) = self.file(item, places.get(1..).unwrap_or_default()) else { continue };
            match places.first() {
                Some(place) => owned.entry(*place).or_default().push(file),
                None => of_nobody.push(file),
            }
        }
        let root = "root";
        let system = self.distribution.map(|distribution| format!("system:{}", distribution.label()));
        let purls: Vec<String> = self.packages.iter().map(|described| self.purl(described)).collect();
        let named = |places: &mut dyn Iterator<Item = usize>| {
            texts(&mut places.filter_map(|place| purls.get(place)).map(Cow::from))
        };
        let parts = self.parts();
        let tops = |of_system: bool| {
            let all = self.packages.iter().enumerate();
            let tops = all.filter(|(place, described)| {
                parts.get(*place) == Some(&false)
                    && (system.is_some() && self.is_systems(described)) == of_system
            });
            tops.map(|(place, _)| place).collect::<Vec<usize>>()
        };
        let depends = |what: &str, on| object(&mut [("ref", text(what)), ("dependsOn", on)]);
        let mut components = Vec::new();
        let mut others = named(&mut tops(false).into_iter());
        let mut dependencies = match (&system, self.distribution) {
            (Some(system), Some(distribution)) => {
                components.push(object(&mut [
                    ("type", text("operating-system")),
                    ("bom-ref", text(system)),
                    ("name", text(&distribution.id)),
                    ("version", text(distribution.version.as_deref().unwrap_or_default())),
                ]));
                if let Value::Array(others) = &mut others {
                    others.insert(0, text(system));
                }
                vec![depends(root, others), depends(system, named(&mut tops(true).into_iter()))]
            }
            _ => vec![depends(root, others)],
        };
        for (described, purl) in self.packages.iter().zip(&purls).filter(|(known, _)| !known.parts.is_empty())
        {
            dependencies.push(depends(purl, named(&mut described.parts.iter().copied())));
        }
        for (place, described) in self.packages.iter().enumerate() {
            components.push(self.component(described, owned.remove(&place).unwrap_or_default()));
        }
        components.append(&mut of_nobody);
        let tool = object(&mut [
            ("type", text("application")),
            ("name", text("gb")),
            ("version", text(env!("CARGO_PKG_VERSION"))),
        ]);
        let mut whole =
            object(&mut [("type", text("container")), ("bom-ref", text(root)), ("name", text(self.name))]);
        if let Some(version) = self.version {
            put(&mut whole, "version", text(version));
        }
        let metadata = object(&mut [
            ("timestamp", text(&timestamp(self.created))),
            ("tools", object(&mut [("components", Value::Array(vec![tool]))])),
            ("component", whole),
        ]);
        document(&object(&mut [
            ("$schema", text("http://cyclonedx.org/schema/bom-1.5.schema.json")),
            ("bomFormat", text("CycloneDX")),
            ("specVersion", text("1.5")),
            ("serialNumber", text(&self.serial_number())),
            ("version", Value::from(1)),
            ("metadata", metadata),
            ("components", Value::Array(components)),
            ("dependencies", Value::Array(dependencies)),
        ]))
    }

    /// A UUID of the contents' digest: version 8, which is for what one makes oneself (RFC 9562).
    fn serial_number(&self) -> String {
        let digest = self.digest();
        let part = |from: usize, to: usize| digest.get(from..to).unwrap_or_default();
        format!(
            "urn:uuid:{}-{}-8{}-8{}-{}",
            part(0, 8),
            part(8, 12),
            part(13, 16),
            part(17, 20),
            part(20, 32)
        )
    }

    fn component(&self, described: &Described, files: Vec<Value>) -> Value {
        let package = &described.package;
        let purl = self.purl(described);
        let mut component = object(&mut [
            ("type", text("library")),
            ("bom-ref", text(&purl)),
            ("name", text(&package.name)),
            ("purl", text(&purl)),
        ]);
        if !package.version.is_empty() {
            put(&mut component, "version", text(&full_version(package)));
        }
        match &package.record {
            Record::Program { sha256 } => {
                put(&mut component, "type", text("application"));
                put(&mut component, "hashes", Value::Array(vec![hash(sha256)]));
            }
            Record::Golang { sum: Some(sum) } => {
                put(&mut component, "properties", Value::Array(vec![property("gb:go.sum", sum)]));
            }
            Record::Golang { sum: None } | Record::Cargo => {}
            _ => put(&mut component, "properties", Value::Array(properties(package))),
        }
        if !described.at.is_empty() {
            let places = described.at.iter().map(|place| object(&mut [("location", path(place))]));
            let evidence = object(&mut [("occurrences", places.collect())]);
            put(&mut component, "evidence", evidence);
        }
        if let Some(licences) = licences(&described.licence) {
            put(&mut component, "licenses", licences);
        }
        if let Some(supplier) = &package.supplier {
            put(&mut component, "supplier", object(&mut [("name", text(supplier))]));
        }
        if let Some(homepage) = package.homepage.as_deref().filter(|page| is_address(page)) {
            let reference = object(&mut [("type", text("website")), ("url", text(homepage))]);
            put(&mut component, "externalReferences", Value::Array(vec![reference]));
        }
        if !files.is_empty() {
            put(&mut component, "components", Value::Array(files));
        }
        component
    }

    /// A file, within its package or without; `others` are further packages that own it.
    fn file(&self, item: &Item, others: &[usize]) -> Option<Value> {
        let ItemKind::File(digests) = &item.kind else { return None };
        let mut properties = vec![property("gb:reason", &item.reason)];
        for other in others.iter().filter_map(|place| self.packages.get(*place)) {
            properties.push(property("gb:package", &self.purl(other)));
        }
        let id = super::digest::sha256(item.path.as_os_str().as_encoded_bytes());
        Some(object(&mut [
            ("type", text("file")),
            ("bom-ref", text(&format!("file:{id}"))),
            ("name", path(&item.path)),
            ("hashes", Value::Array(vec![hash(&digests.sha256)])),
            ("properties", Value::Array(properties)),
        ]))
    }
}

fn hash(sha256: &str) -> Value {
    object(&mut [("alg", text("SHA-256")), ("content", text(sha256))])
}

/// One licence by its identifier or its own name, or one expression of several.
fn licences(declared: &Declared) -> Option<Value> {
    let expression = declared.expression.as_ref()?;
    let licence = |field, value| object(&mut [("license", object(&mut [(field, text(value))]))]);
    Some(Value::Array(vec![match (identifier(expression), declared.references.get(expression)) {
        (Some(id), _) => licence("id", id),
        (None, Some(name)) => licence("name", name),
        (None, None) => object(&mut [("expression", text(expression))]),
    }]))
}

fn properties(package: &Package) -> Vec<Value> {
    let kind = match package.record {
        Record::Deb { .. } => "debian",
        Record::Rpm(_) => "redhat",
        Record::Apk { .. } => "alpine",
        _ => return Vec::new(),
    };
    let (name, version) = source(package);
    let mut properties =
        vec![property("aquasecurity:trivy:PkgType", kind), property("aquasecurity:trivy:SrcName", &name)];
    match &package.record {
        Record::Apk { .. } => properties.push(property("aquasecurity:trivy:SrcVersion", &version)),
        Record::Rpm(record) => {
            properties.extend(parted(&version, record.epoch));
            if let Some(module) = &record.modularity {
                properties.push(property("aquasecurity:trivy:Modularitylabel", module));
            }
        }
        Record::Deb { .. } => {
            let (epoch, version) = version.split_once(':').unwrap_or(("", &version));
            properties.extend(parted(version, epoch.parse().ok()));
        }
        _ => {}
    }
    properties
}

/// A version in the parts that trivy takes: what is before the last hyphen, what is after it, and an epoch.
fn parted(version: &str, epoch: Option<u32>) -> Vec<Value> {
    let (version, release) = version.rsplit_once('-').unwrap_or((version, ""));
    let mut properties = vec![property("aquasecurity:trivy:SrcVersion", version)];
    if !release.is_empty() {
        properties.push(property("aquasecurity:trivy:SrcRelease", release));
    }
    if let Some(epoch) = epoch {
        properties.push(property("aquasecurity:trivy:SrcEpoch", &epoch.to_string()));
    }
    properties
}

fn property(name: &str, value: &str) -> Value {
    object(&mut [("name", text(name)), ("value", text(value))])
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::manifest::tests::with_example;

    #[test]
    fn the_same_contents_make_the_same_document() {
        let document = with_example(false, |contents| contents.cyclonedx());
        assert_eq!(document, with_example(true, |contents| contents.cyclonedx()));
        let document: Value = serde_json::from_str(&document).unwrap();
        let components = document["components"].as_array().unwrap();
        let names: Vec<_> = components.iter().map(|component| component["name"].as_str().unwrap()).collect();
        assert_eq!(names, ["debian", "one", "two", "/etc/c", "/etc/made"]);
        assert_eq!(components[1]["components"].as_array().unwrap().len(), 2);
        assert!(components[2].get("components").is_none(), "a file that two packages share is listed once");
        assert_eq!(document["dependencies"][1]["dependsOn"].as_array().unwrap().len(), 2);
        let serial = document["serialNumber"].as_str().unwrap();
        assert_eq!(serial.len(), "urn:uuid:".len() + 36);
        assert_eq!(serial.as_bytes()["urn:uuid:".len() + 14], b'8');
    }

    #[test]
    fn a_version_is_taken_apart_as_scanners_compare_it() {
        let values = |version: &str| {
            let found = parted(version, Some(1));
            found.iter().map(|property| property["value"].as_str().unwrap().to_owned()).collect::<Vec<_>>()
        };
        assert_eq!(values("2.41-12"), ["2.41", "12", "1"]);
        assert_eq!(values("1.0-rc-2"), ["1.0-rc", "2", "1"]);
        assert_eq!(values("2025b"), ["2025b", "1"]);
    }
}
