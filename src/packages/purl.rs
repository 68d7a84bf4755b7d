//! The name that a package has for scanners: a package URL.
//!
//! Source: the purl specification and its types `deb`, `rpm`, `apk`, `golang`, `cargo` and `generic`. `distro` and `upstream` are the
//! qualifiers that scanners (syft, grype) look for: what vulnerabilities are known of is the source package.

use super::distribution::Distribution;
use super::package::{Package, Record};

/// `pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc`
pub(super) fn purl(package: &Package, distribution: Option<&Distribution>) -> String {
    let distribution = distribution.filter(|_| package.is_distributions());
    let id = distribution.map(|distribution| distribution.id.to_lowercase());
    let name = package.name.to_lowercase();
    let (namespace, name) = match package.record {
        Record::Rpm(_) => (id.map(|id| vendor(&id).to_owned()), package.name.clone()),
        Record::Deb { .. } | Record::Apk { .. } => (id, name),
        // A module's path, whose parts but the last are the namespace.
        Record::Golang { .. } => match name.rsplit_once('/') {
            Some((namespace, name)) => (Some(namespace.to_owned()), name.to_owned()),
            None => (None, name),
        },
        Record::Cargo | Record::Program { .. } => (None, package.name.clone()),
    };
    let mut purl = format!("pkg:{}/", package.kind());
    if let Some(namespace) = namespace {
        for part in namespace.split('/').filter(|part| !part.is_empty()) {
            purl.push_str(&format!("{}/", encoded(part)));
        }
    }
    purl.push_str(&encoded(&name));
    if !package.version.is_empty() {
        purl.push_str(&format!("@{}", encoded(&package.version)));
    }
    // In the order of their names, as the specification wants them.
    let epoch = match &package.record {
        Record::Rpm(record) => record.epoch.map(|epoch| epoch.to_string()),
        _ => None,
    };
    let checksum = match &package.record {
        Record::Program { sha256 } => Some(format!("sha256:{sha256}")),
        _ => None,
    };
    let qualifiers = [
        ("arch", package.architecture.clone()),
        ("checksum", checksum),
        ("distro", distribution.map(Distribution::label)),
        ("epoch", epoch),
        ("upstream", upstream(package)),
    ];
    let mut separator = '?';
    for (name, value) in qualifiers {
        if let Some(value) = value.filter(|value| !value.is_empty()) {
            purl.push_str(&format!("{separator}{name}={}", encoded(&value)));
            separator = '&';
        }
    }
    purl
}

/// Who a distribution with rpm is known by.
fn vendor(id: &str) -> &str {
    match id {
        "rhel" => "redhat",
        _ if id.starts_with("opensuse") => "opensuse",
        _ => id,
    }
}

/// The source package, if it has another name or version.
fn upstream(package: &Package) -> Option<String> {
    if let Record::Rpm(record) = &package.record {
        return record.source_rpm.clone();
    }
    let source = package.source.as_ref()?;
    match &source.version {
        Some(version) => Some(format!("{}@{version}", source.name)),
        None if source.name == package.name => None,
        None => Some(source.name.clone()),
    }
}

/// A part of a package URL: what is not a letter, a digit or one of `.-_~:` is encoded.
fn encoded(part: &str) -> String {
    let mut text = String::new();
    for byte in part.bytes() {
        match byte {
            b'a'..=b'z' | b'A'..=b'Z' | b'0'..=b'9' | b'.' | b'-' | b'_' | b'~' | b':' => {
                text.push(char::from(byte))
            }
            _ => text.push_str(&format!("%{byte:02X}")),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::packages::package::{RpmRecord, Source};

    fn package(name: &str, version: &str, record: Record) -> Package {
        Package { architecture: Some("amd64".to_owned()), ..Package::named(name, version, record) }
    }

    #[test]
    fn every_kind_of_package_has_its_name_for_scanners() {
        let deb = || Record::Deb { stanza: Vec::new(), is_multi_arch: false };
        let debian = Distribution { id: "debian".into(), version: Some("13".into()), ..Default::default() };
        let rhel = Distribution { id: "rhel".into(), version: Some("8.9".into()), ..Default::default() };
        let mut libc = package("libc6", "1:2.41+dfsg-12~deb13u1", deb());
        libc.source = Some(Source { name: "glibc".into(), version: Some("2.41-12".into()) });
        assert_eq!(
            purl(&libc, Some(&debian)),
            "pkg:deb/debian/libc6@1:2.41%2Bdfsg-12~deb13u1?arch=amd64&distro=debian-13&upstream=glibc%402.41-12"
        );
        assert_eq!(purl(&package("a", "", deb()), None), "pkg:deb/a?arch=amd64");
        let record = RpmRecord {
            epoch: Some(1),
            source_rpm: Some("dbus-1.12.8-26.el8.src.rpm".into()),
            ..Default::default()
        };
        assert_eq!(
            purl(&package("dbus-Libs", "1.12.8-26.el8", Record::Rpm(record)), Some(&rhel)),
            "pkg:rpm/redhat/dbus-Libs@1.12.8-26.el8?arch=amd64&distro=rhel-8.9&epoch=1&upstream=dbus-1.12.8-26.el8.src.rpm"
        );
        let alpine =
            Distribution { id: "alpine".into(), version: Some("3.22.1".into()), ..Default::default() };
        let mut scanelf =
            package("scanelf", "1.3.8-r1", Record::Apk { stanza: Vec::new(), files: Vec::new() });
        scanelf.source = Some(Source { name: "pax-utils".into(), version: None });
        assert_eq!(
            purl(&scanelf, Some(&alpine)),
            "pkg:apk/alpine/scanelf@1.3.8-r1?arch=amd64&distro=alpine-3.22.1&upstream=pax-utils"
        );
    }
}
