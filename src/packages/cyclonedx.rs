//! What is in a root as a CycloneDX document, version 1.5.
//!
//! The properties of trivy are what it needs to know the source package, which is what its lists of vulnerabilities name.

use std::collections::BTreeMap;

use serde_json::{Value, json};

use super::licence::{Declared, identifier};
use super::manifest::{Contents, Item, ItemKind, put, text, timestamp};
use super::owners::Owner;
use super::package::{Package, Record};
use super::purl::purl;
use super::spdx::{full_version, is_address, source};

impl Contents<'_> {
    /// A CycloneDX document: JSON. The same contents make the same bytes.
    pub fn cyclonedx(&self) -> String {
        let mut owned: BTreeMap<usize, Vec<Value>> = BTreeMap::new();
        let mut of_nobody = Vec::new();
        for item in self.sorted() {
            let places: Vec<usize> = self.owner_places(item).collect();
            let Some(file) = self.file(item, places.get(1..).unwrap_or_default()) else { continue };
            match places.first() {
                Some(place) => owned.entry(*place).or_default().push(file),
                None => of_nobody.push(file),
            }
        }
        let root = "root";
        let system = self.distribution.map(|distribution| format!("system:{}", distribution.label()));
        let packages: Vec<String> =
            self.packages().map(|(owner, _)| purl(&owner.package, self.distribution)).collect();
        let mut components = Vec::new();
        let mut dependencies = Vec::new();
        match (&system, self.distribution) {
            (Some(system), Some(distribution)) => {
                components.push(json!({
                    "type": "operating-system",
                    "bom-ref": system,
                    "name": distribution.id,
                    "version": distribution.version.clone().unwrap_or_default(),
                }));
                dependencies.push(json!({ "ref": root, "dependsOn": [system] }));
                dependencies.push(json!({ "ref": system, "dependsOn": packages }));
            }
            _ => dependencies.push(json!({ "ref": root, "dependsOn": packages })),
        }
        for (place, (owner, declared)) in self.packages().enumerate() {
            components.push(self.package(owner, declared, owned.remove(&place).unwrap_or_default()));
        }
        components.append(&mut of_nobody);
        text(&json!({
            "$schema": "http://cyclonedx.org/schema/bom-1.5.schema.json",
            "bomFormat": "CycloneDX",
            "specVersion": "1.5",
            "serialNumber": self.serial_number(),
            "version": 1,
            "metadata": {
                "timestamp": timestamp(self.created),
                "tools": { "components": [
                    { "type": "application", "name": "gb", "version": env!("CARGO_PKG_VERSION") },
                ]},
                "component": { "type": "container", "bom-ref": root, "name": self.name },
            },
            "components": components,
            "dependencies": dependencies,
        }))
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

    fn package(&self, owner: &Owner, declared: &Declared, files: Vec<Value>) -> Value {
        let package = &owner.package;
        let mut component = json!({
            "type": "library",
            "bom-ref": purl(package, self.distribution),
            "name": package.name,
            "version": full_version(package),
            "purl": purl(package, self.distribution),
            "properties": properties(package),
        });
        if let Some(licences) = licences(declared) {
            put(&mut component, "licenses", licences);
        }
        if let Some(supplier) = &package.supplier {
            put(&mut component, "supplier", json!({ "name": supplier }));
        }
        if let Some(homepage) = package.homepage.as_deref().filter(|page| is_address(page)) {
            put(&mut component, "externalReferences", json!([{ "type": "website", "url": homepage }]));
        }
        if !files.is_empty() {
            put(&mut component, "components", json!(files));
        }
        component
    }

    /// A file, within its package or without; `others` are further packages that own it.
    fn file(&self, item: &Item, others: &[usize]) -> Option<Value> {
        let ItemKind::File(digests) = &item.kind else { return None };
        let mut properties = vec![property("gb:reason", &item.reason)];
        for owner in others.iter().filter_map(|place| self.owners.packages.get(*place)) {
            properties.push(property("gb:package", &purl(&owner.package, self.distribution)));
        }
        Some(json!({
            "type": "file",
            "bom-ref": format!("file:{}", super::digest::sha256(item.path.as_os_str().as_encoded_bytes())),
            "name": item.path.to_string_lossy(),
            "hashes": [
                { "alg": "SHA-1", "content": digests.sha1 },
                { "alg": "SHA-256", "content": digests.sha256 },
            ],
            "properties": properties,
        }))
    }
}

/// One licence by its identifier or its own name, or one expression of several.
fn licences(declared: &Declared) -> Option<Value> {
    let expression = declared.expression.as_ref()?;
    Some(match (identifier(expression), declared.references.get(expression)) {
        (Some(id), _) => json!([{ "license": { "id": id } }]),
        (None, Some(text)) => json!([{ "license": { "name": text } }]),
        (None, None) => json!([{ "expression": expression }]),
    })
}

fn properties(package: &Package) -> Vec<Value> {
    let kind = match package.record {
        Record::Deb { .. } => "debian",
        Record::Rpm(_) => "redhat",
        Record::Apk { .. } => "alpine",
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
    json!({ "name": name, "value": value })
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
