//! The documents by their validators, and what a scanner finds in a root that gb has made.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use gb::packages::scanners::{self, Licences};
use gb::packages::{Contents, Digests, Distribution, Files, Item, ItemKind, Owners};
use serde_json::Value;

use crate::Case;
use crate::place::{Root, text};

pub const CASES: [Case; 3] = [
    ("documents of a Debian root are valid, and a scanner finds its packages", debian),
    ("documents of an rpm root are valid, and a scanner finds its packages", rpm),
    ("documents of an Alpine root are valid, and a scanner finds its packages", alpine),
];

/// Makes a root with some files of another and what scanners read; checks the documents about it and what is found in it.
fn check(root: &Root, paths: &[PathBuf], expected_packages: usize) -> (Owners, Licences) {
    let owners = gb::packages::owners(root, paths.iter().map(PathBuf::as_path)).unwrap();
    assert_eq!(owners.packages.len(), expected_packages);
    let licences = scanners::licences(root, &owners).unwrap();
    let out = tempfile::tempdir().unwrap();
    let made = Root(out.path().join("rootfs"));
    let mut items = Vec::new();
    let mut copy = |from: &Path, to: &Path, reason: &str| {
        let contents = std::fs::read(root.at(from)).unwrap();
        made.write(to.to_str().unwrap(), &contents);
        let kind = ItemKind::File(Digests::of(&contents[..]).unwrap());
        items.push(Item {
            path: to.to_owned(),
            kind,
            source: Some(from.to_owned()),
            reason: reason.to_owned(),
        });
    };
    for path in paths {
        copy(path, path, "asked for");
    }
    for (to, from) in licences.texts.iter().filter(|(to, _)| !paths.contains(to)) {
        copy(from, to, "licence");
    }
    for (path, contents) in scanners::databases(&owners, Some(1_700_000_000)) {
        made.write(path.to_str().unwrap(), &contents);
        let kind = ItemKind::File(Digests::of(&contents[..]).unwrap());
        items.push(Item { path, kind, source: None, reason: "for scanners".to_owned() });
    }
    for path in scanners::releases(root) {
        made.write(path.to_str().unwrap(), std::fs::read(root.at(root.resolve(&path).unwrap())).unwrap());
    }
    let distribution = Distribution::of(root).unwrap();
    let contents = Contents {
        name: "rootfs",
        created: 1_700_000_000,
        distribution: distribution.as_ref(),
        owners: &owners,
        licences: &licences.declared,
        items: &items,
    };
    let manifest: Value = serde_json::from_str(&contents.manifest()).unwrap();
    assert_eq!(manifest["files"].as_array().unwrap().len(), items.len());
    for (kind, document) in [("spdx", contents.spdx()), ("cyclonedx", contents.cyclonedx())] {
        let name = if kind == "spdx" { "out.spdx.json" } else { "out.cdx.json" };
        let path = out.path().join(name);
        std::fs::write(&path, &document).unwrap();
        let purls = text("validate", &[kind, path.to_str().unwrap()]);
        assert_eq!(purls.trim().parse::<usize>().unwrap(), expected_packages, "{kind}");
    }
    assert_eq!(scanned(&made.0), names(&owners));
    (owners, licences)
}

/// The packages that syft finds.
fn scanned(root: &Path) -> BTreeSet<(String, String)> {
    let place = format!("dir:{}", root.display());
    let found =
        text("env", &["SYFT_CHECK_FOR_APP_UPDATE=false", "syft", "--quiet", "--output", "json", &place]);
    let found: Value = serde_json::from_str(&found).unwrap();
    let artifacts = found["artifacts"].as_array().unwrap();
    let kinds = ["deb", "rpm", "apk"];
    let packages = artifacts.iter().filter(|package| kinds.contains(&package["type"].as_str().unwrap()));
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    packages.map(|package| (text(&package["name"]), text(&package["version"]))).collect()
}

/// Names and versions as syft tells them.
fn names(owners: &Owners) -> BTreeSet<(String, String)> {
    owners.packages.iter().map(|owner| (owner.package.name.clone(), owner.package.version.clone())).collect()
}

fn debian() {
    let root = Root("/".into());
    // Something of every package of the image: the first regular file of each.
    let all = root.owners();
    let mut paths = BTreeSet::new();
    for owner in &all.packages {
        let file =
            owner.files.keys().find(|path| root.at(path).symlink_metadata().is_ok_and(|file| file.is_file()));
        paths.extend(file.cloned());
    }
    paths.insert("/etc/passwd".into());
    let paths: Vec<PathBuf> = paths.into_iter().collect();
    let count = gb::packages::owners(&root, paths.iter().map(PathBuf::as_path)).unwrap().packages.len();
    let (_, licences) = check(&root, &paths, count);
    println!(
        "{count} packages, {} texts of licences, none for {:?}",
        licences.texts.len(),
        licences.without_text
    );
    assert!(count > 100, "{count}");
    assert!(licences.without_text.is_empty(), "{:?}", licences.without_text);
    let declared = licences.declared.iter().filter(|declared| declared.expression.is_some()).count();
    println!("{declared} of {count} name their licences in the machine-readable format");
}

fn rpm() {
    let dir = tempfile::tempdir().unwrap();
    let root = crate::rpm::root(dir.path(), "sqlite");
    let release =
        "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"RHEL 9.4\"\n";
    root.write("etc/os-release", release);
    let paths = ["/usr/bin/first", "/usr/lib64/libfirst.so.1.2.3", "/usr/share/shared", "/usr/share/nobodys"];
    let paths: Vec<PathBuf> = paths.iter().map(PathBuf::from).collect();
    check(&root, &paths, 3);
}

/// Alpine's packages can't be had here: a root by its documentation.
fn alpine() {
    let dir = tempfile::tempdir().unwrap();
    let root = Root(dir.path().to_owned());
    root.write("etc/os-release", "NAME=\"Alpine Linux\"\nID=alpine\nVERSION_ID=3.22.1\n");
    root.write(
        "lib/apk/db/installed",
        "C:Q1xWqTzRzxs24jVq7p8sIcGGAvCXQ=\nP:musl\nV:1.2.5-r10\nA:x86_64\nS:411337\nI:667648\nT:the musl c library\n\
         U:https://musl.libc.org/\nL:MIT\no:musl\nm:A <a@example.org>\nt:1739400000\nc:abc\n\
         p:so:libc.musl-x86_64.so.1=1\nF:lib\nR:ld-musl-x86_64.so.1\na:0:0:755\nZ:Q1aaaaaaaaaaaaaaaaaaaaaaaaaaa=\n\
         R:libc.musl-x86_64.so.1\na:0:0:777\nZ:Q1bbbbbbbbbbbbbbbbbbbbbbbbbbb=\n\nC:Q1xWqTzRzxs24jVq7p8sIcGGAvCXQ=\n\
         P:scanelf\nV:1.3.8-r1\nA:x86_64\nT:Scan ELF\nU:https://example.org/\nL:GPL-2.0-only\no:pax-utils\n\
         F:usr\nF:usr/bin\nR:scanelf\na:0:0:755\nZ:Q1ccccccccccccccccccccccccccc=\n\n",
    );
    root.write("lib/ld-musl-x86_64.so.1", "musl");
    root.write("usr/bin/scanelf", "scanelf");
    check(&root, &["/lib/ld-musl-x86_64.so.1".into()], 1);
    check(&root, &["/lib/ld-musl-x86_64.so.1".into(), "/usr/bin/scanelf".into()], 2);
}
