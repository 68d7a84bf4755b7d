//! What gb strip-libs writes of a root: the documents by their validators, the manifest by an independent reading of it, whose
//! files are by the package managers, and what a scanner finds.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::Command;

use serde_json::Value;

use crate::Case;
use crate::place::{Root, said, text};

pub const CASES: [Case; 3] = [
    ("a Debian root is described as it is, and a scanner finds its packages", debian),
    ("an rpm root is described as it is, and a scanner finds its packages", rpm),
    ("an Alpine root is described as it is, and a scanner finds its packages", alpine),
];

const MANIFEST: &str = "var/lib/gb/manifest.json";
const SPDX: &str = "var/lib/db/sbom/rootfs.spdx.json";
const CYCLONEDX: &str = "var/lib/db/sbom/rootfs.cdx.json";

/// Makes a root with some files of another.
fn make(root: &Root, out: &Root, paths: &[PathBuf], more: &[&str]) {
    let mut gb = Command::new(crate::GB);
    gb.args(["strip-libs", "--root"]).arg(&root.0).arg("--rootfs").arg(&out.0).args(more).args(paths);
    let done = gb.env_remove("SOURCE_DATE_EPOCH").output().unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
}

/// Makes a root of some files, whole and in two steps, and checks all that is said of it; the packages of each file.
fn check(root: &Root, paths: &[PathBuf], count: usize) -> BTreeMap<PathBuf, BTreeSet<String>> {
    let dir = tempfile::tempdir().unwrap();
    let [whole, again, parts] = ["whole", "again", "parts"].map(|name| Root(dir.path().join(name)));
    make(root, &whole, paths, &["--sbom", "spdx,cyclonedx"]);
    make(root, &again, paths, &["--sbom=cyclonedx", "--sbom=spdx"]);
    let (first, second) = paths.split_at(paths.len().div_ceil(2));
    make(root, &parts, first, &["--sbom", "spdx,cyclonedx"]);
    // The documents that are there are kept true.
    if !second.is_empty() {
        make(root, &parts, second, &["--merge"]);
    }
    let files = described(&whole, count);
    assert_eq!(
        described(&parts, count),
        files,
        "what is added step by step is described as what is made at once"
    );
    for path in whole.paths() {
        let read = |root: &Root| std::fs::read(root.at(&path)).ok();
        let is_document = [MANIFEST, SPDX, CYCLONEDX].iter().any(|document| path.ends_with(document));
        assert!(is_document || read(&whole) == read(&parts), "{}", path.display());
    }
    for document in [MANIFEST, SPDX, CYCLONEDX] {
        let read = |root: &Root| std::fs::read_to_string(root.at(document)).unwrap();
        assert_eq!(read(&whole), read(&again), "{document} of the same files");
    }
    println!("{} files and links of {count} packages", files.len());
    files
}

/// Checks what is said of a root.
fn described(out: &Root, count: usize) -> BTreeMap<PathBuf, BTreeSet<String>> {
    let manifest: Value = serde_json::from_slice(&std::fs::read(out.at(MANIFEST)).unwrap()).unwrap();
    let (mut sums, mut listed, mut owners) = (String::new(), BTreeSet::new(), BTreeMap::new());
    for file in manifest["files"].as_array().unwrap() {
        let path = PathBuf::from(file["path"].as_str().unwrap());
        assert!(!file["reason"].as_str().unwrap().is_empty(), "{file}");
        match (file["link"].as_str(), file["sha256"].as_str()) {
            (Some(target), None) => assert_eq!(out.at(&path).read_link().unwrap(), Path::new(target)),
            (None, Some(sum)) => {
                assert_eq!(file["size"].as_u64().unwrap(), out.at(&path).symlink_metadata().unwrap().len());
                sums.push_str(&format!("{sum}  {}\n", out.at(&path).display()));
            }
            other => panic!("{other:?}: {file}"),
        }
        let packages = file["packages"].as_array().map(|packages| {
            packages.iter().map(|package| package.as_str().unwrap().to_owned()).collect::<BTreeSet<_>>()
        });
        if let Some(source) = file["source"].as_str().filter(|source| Path::new(source) == path) {
            owners.insert(PathBuf::from(source), packages.unwrap_or_default());
        }
        assert!(listed.insert(path), "{file} is there twice");
    }
    let check = out.0.with_extension("sums");
    std::fs::write(&check, sums).unwrap();
    text("sha256sum", &["--check", "--strict", "--quiet", check.to_str().unwrap()]);
    let mut there: BTreeSet<PathBuf> = out.paths().into_iter().collect();
    assert!(there.remove(&Path::new("/").join(MANIFEST)));
    assert_eq!(listed, there, "all that is there, and nothing else");

    let packages: BTreeSet<(String, String)> = manifest["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| (string(&package["name"]), string(&package["version"])))
        .collect();
    assert_eq!(packages.len(), count, "{packages:?}");
    assert_eq!(scanned(&out.0), packages);
    for (kind, path) in [("spdx", SPDX), ("cyclonedx", CYCLONEDX)] {
        let purls = text("validate", &[kind, out.at(path).to_str().unwrap()]);
        assert_eq!(purls.trim().parse::<usize>().unwrap(), count, "{kind}");
        let document: Value = serde_json::from_slice(&std::fs::read(out.at(path)).unwrap()).unwrap();
        let mut files = BTreeSet::new();
        names_of_files(&document, &mut files);
        let regular = |path: &&PathBuf| out.at(path).symlink_metadata().unwrap().is_file();
        let expected: BTreeSet<_> = listed
            .iter()
            .filter(regular)
            .filter(|path| !path.starts_with("/var/lib/db/sbom"))
            .cloned()
            .collect();
        assert_eq!(files, expected, "{kind}");
    }
    owners
}

/// The names of files in an SPDX or a CycloneDX document.
fn names_of_files(value: &Value, files: &mut BTreeSet<PathBuf>) {
    if let Some(name) = value["fileName"].as_str() {
        files.insert(name.strip_prefix('.').unwrap().into());
    }
    if value["type"] == "file" {
        files.insert(string(&value["name"]).into());
    }
    match value {
        Value::Array(values) => values.iter().for_each(|value| names_of_files(value, files)),
        Value::Object(fields) => fields.values().for_each(|value| names_of_files(value, files)),
        _ => {}
    }
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
    packages.map(|package| (string(&package["name"]), string(&package["version"]))).collect()
}

fn string(value: &Value) -> String {
    value.as_str().unwrap().to_owned()
}

fn debian() {
    // The first rpmbuild makes an rpm database here, which is no database while it does.
    crate::rpm::rpms();
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
    assert!(count > 100, "{count}");
    let files = check(&root, &paths, count);
    assert_eq!(files[Path::new("/etc/passwd")], BTreeSet::new(), "of no package");
    // Whose the files are, by dpkg: a merged /usr is asked for by either name.
    let mut names: Vec<OsString> = vec!["--search".into()];
    let plain = |path: &Path| root.at(path).is_file();
    for path in files.keys().filter(|path| plain(path)) {
        names.extend([path.clone(), other_place(path)].map(PathBuf::into_os_string));
    }
    let mut theirs: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for line in said("dpkg-query", &names).lines() {
        let (packages, path) = line.rsplit_once(": ").unwrap();
        if packages.starts_with("diversion by ") {
            continue;
        }
        let real = Path::new(path).parent().unwrap().canonicalize().unwrap();
        let path = real.join(Path::new(path).file_name().unwrap());
        theirs.entry(path).or_default().extend(packages.split(", ").map(str::to_owned));
    }
    let none = BTreeSet::new();
    let mut compared = 0;
    for (path, ours) in files.iter().filter(|(path, _)| plain(path)) {
        // dpkg names the architecture where several may be installed, as the manifest does; a licence that many have in
        // common is of those that refer to it.
        if !path.starts_with("/usr/share/common-licenses") {
            assert_eq!(ours, theirs.get(path).unwrap_or(&none), "{}", path.display());
            compared += 1;
        }
    }
    println!("the owners of {compared} files are dpkg's");
    assert!(compared > 200, "{compared}");
}

/// The place of a file in a root whose /usr is merged, or not.
fn other_place(path: &Path) -> PathBuf {
    match path.strip_prefix("/usr") {
        Ok(rest) => Path::new("/").join(rest),
        Err(_) => path.to_owned(),
    }
}

fn rpm() {
    let dir = tempfile::tempdir().unwrap();
    let root = crate::rpm::root(dir.path(), "sqlite");
    let release =
        "NAME=\"Red Hat Enterprise Linux\"\nID=\"rhel\"\nVERSION_ID=\"9.4\"\nPRETTY_NAME=\"RHEL 9.4\"\n";
    root.write("etc/os-release", release);
    let paths = ["/usr/bin/first", "/usr/lib64/libfirst.so.1.2.3", "/usr/share/shared", "/usr/share/nobodys"];
    let files = check(&root, &paths.map(PathBuf::from), 3);
    let none = BTreeSet::new();
    for (path, ours) in &files {
        let mut arguments = crate::rpm::reading(&root, "sqlite");
        arguments.extend(["-qf".into(), "--qf".into(), "%{NAME}\\n".into(), path.clone().into()]);
        let said = said("rpm", &arguments);
        let theirs: BTreeSet<String> =
            said.lines().filter(|line| !line.contains(' ')).map(str::to_owned).collect();
        let theirs = if root.at(path).is_dir() { &none } else { &theirs };
        assert_eq!(ours, theirs, "{}", path.display());
    }
    assert_eq!(files[Path::new("/usr/share/shared")].len(), 2);
    assert_eq!(files[Path::new("/usr/share/nobodys")].len(), 0);
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
    root.write("usr/bin/nobodys", "nobody's");
    let paths = ["/lib/ld-musl-x86_64.so.1", "/usr/bin/nobodys", "/usr/bin/scanelf"].map(PathBuf::from);
    check(&root, &paths[..1], 1);
    let files = check(&root, &paths, 2);
    assert_eq!(files[&paths[1]], BTreeSet::new());
    assert_eq!(files[&paths[2]], BTreeSet::from(["scanelf".to_owned()]));
}
