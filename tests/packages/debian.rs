//! dpkg: whose a file is, by `dpkg-query`.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};

use gb::packages::scanners;

use crate::Case;
use crate::place::{Root, labels, output, said, text};

pub const CASES: [Case; 3] = [
    ("debian: every file of the image has the owners that dpkg tells", every_file),
    ("debian: diversions, several architectures and a merged /usr are told as dpkg tells them", oddities),
    ("debian: what is written is what dpkg has of the packages, and its sums are right", written),
];

/// The owners by dpkg, asked for a path and for what it was before /usr was merged.
fn by_dpkg(root: &Path, paths: &[PathBuf]) -> BTreeMap<PathBuf, BTreeSet<String>> {
    let mut asked: BTreeMap<String, PathBuf> = BTreeMap::new();
    for path in paths {
        let text = path.to_str().unwrap();
        asked.insert(text.to_owned(), path.clone());
        if let Some(before) = text.strip_prefix("/usr") {
            let first = Path::new("/").join(Path::new(before).components().nth(1).unwrap());
            if root.join(first.strip_prefix("/").unwrap()).is_symlink() {
                asked.insert(before.to_owned(), path.clone());
            }
        }
    }
    let mut owners: BTreeMap<PathBuf, BTreeSet<String>> =
        paths.iter().map(|path| (path.clone(), BTreeSet::new())).collect();
    let names: Vec<&String> = asked.keys().collect();
    for part in names.chunks(500) {
        let mut arguments: Vec<OsString> =
            vec!["--admindir".into(), root.join("var/lib/dpkg").into(), "--search".into()];
        // dpkg takes these for patterns otherwise.
        let quoted = |name: &&String| {
            let quoted =
                name.replace('\\', "\\\\").replace('[', "\\[").replace('*', "\\*").replace('?', "\\?");
            OsString::from(quoted)
        };
        arguments.extend(part.iter().map(quoted));
        for line in said("dpkg-query", &arguments).lines() {
            let (packages, path) = line.rsplit_once(": ").unwrap();
            // "diversion by A from: PATH" and "to:" lines are about others' files.
            if packages.starts_with("diversion by ") || packages.starts_with("local diversion ") {
                continue;
            }
            let Some(path) = asked.get(path) else { continue };
            owners.get_mut(path).unwrap().extend(packages.split(", ").map(str::to_owned));
        }
    }
    owners
}

fn every_file() {
    let root = Root("/".into());
    let paths = root.paths();
    let ours = labels(&root.owners());
    let theirs = by_dpkg(&root.0, &paths);
    let wrong: Vec<_> = paths.iter().filter(|path| ours[*path] != theirs[*path]).collect();
    let owned = theirs.values().filter(|owners| !owners.is_empty()).count();
    println!("{} files compared, {owned} of them of packages, {} disagreements", paths.len(), wrong.len());
    assert!(
        wrong.is_empty(),
        "{:?}",
        wrong.iter().map(|path| (path, &ours[*path], &theirs[*path])).take(20).collect::<Vec<_>>()
    );
    assert!(owned > 2000, "{owned}");
}

/// Packs a package with some files, each with its own path in it.
fn deb(dir: &Path, name: &str, architecture: &str, fields: &str, files: &[&str]) -> PathBuf {
    let tree = dir.join(format!("{name}-{architecture}"));
    std::fs::create_dir_all(tree.join("DEBIAN")).unwrap();
    let mut sums = String::new();
    for file in files {
        let path = tree.join(file);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(&path, format!("{file} of {name}\n")).unwrap();
        let sum = text("md5sum", &[path.to_str().unwrap()]);
        sums.push_str(&format!("{}  {file}\n", &sum[..32]));
    }
    std::fs::write(tree.join("DEBIAN/md5sums"), sums).unwrap();
    let control = format!(
        "Package: {name}\nVersion: 1:1.0-1\nArchitecture: {architecture}\nMaintainer: A <a@example.org>\n\
         Description: one\n two\n{fields}"
    );
    std::fs::write(tree.join("DEBIAN/control"), control).unwrap();
    let deb = dir.join(format!("{name}-{architecture}.deb"));
    output("dpkg-deb", &["--root-owner-group", "--build", tree.to_str().unwrap(), deb.to_str().unwrap()]);
    deb
}

/// A root with packages that dpkg has installed.
fn odd_root(dir: &Path) -> Root {
    let root = Root(dir.join("root"));
    for path in [
        "usr/lib",
        "usr/bin",
        "usr/sbin",
        "var/lib/dpkg/info",
        "var/lib/dpkg/updates",
        "var/lib/dpkg/triggers",
    ] {
        std::fs::create_dir_all(root.at(path)).unwrap();
    }
    for name in ["lib", "bin", "sbin"] {
        symlink(format!("usr/{name}"), root.at(name)).unwrap();
    }
    root.write("var/lib/dpkg/status", "");
    let admin = format!("--root={}", root.0.display());
    let own = text("dpkg", &["--print-architecture"]).trim().to_owned();
    let foreign = if own == "i386" { "amd64" } else { "i386" };
    output("dpkg", &[&admin, "--add-architecture", foreign]);
    let divert = ["--package", "dash", "--no-rename", "--divert", "/bin/sh.distrib", "--add", "/bin/sh"];
    output("dpkg-divert", &[&[admin.as_str()], &divert[..]].concat());
    output(
        "dpkg-divert",
        &[&admin, "--local", "--no-rename", "--divert", "/usr/bin/tool.real", "--add", "/usr/bin/tool"],
    );
    let same = "Multi-Arch: same\nSource: x (2.0-1)\n";
    let doc = "usr/share/libx1/data";
    for deb in [
        deb(dir, "libx1", &own, same, &[&format!("lib/{own}/libx.so.1"), doc]),
        deb(dir, "libx1", foreign, same, &[&format!("lib/{foreign}/libx.so.1"), doc]),
        deb(dir, "bash", &own, "", &["bin/bash", "bin/sh", "usr/bin/tool", "etc/odd [name]*"]),
        deb(dir, "dash", &own, "", &["bin/dash", "bin/sh"]),
    ] {
        let deb = deb.to_str().unwrap();
        let force = ["--force-architecture", "--force-depends", "--force-not-root", "--log=/dev/null"];
        output("dpkg", &[&[admin.as_str()], &force[..], &["--install", deb]].concat());
    }
    root.write("usr/bin/nobodys", "x");
    root
}

fn oddities() {
    let dir = tempfile::tempdir().unwrap();
    let root = odd_root(dir.path());
    let paths: Vec<PathBuf> =
        root.paths().into_iter().filter(|path| !path.starts_with("/var/lib/dpkg")).collect();
    let ours = labels(&root.owners());
    for (path, owner) in [
        ("/usr/bin/sh", "dash"),
        ("/usr/bin/sh.distrib", "bash"),
        ("/usr/bin/tool.real", "bash"),
        ("/etc/odd [name]*", "bash"),
    ] {
        assert_eq!(ours[Path::new(path)], BTreeSet::from([owner.to_owned()]), "{path}");
    }
    assert!(ours[Path::new("/usr/bin/nobodys")].is_empty());
    assert_eq!(ours[Path::new("/usr/share/libx1/data")].len(), 2, "both architectures have it");
    // dpkg-query tells of a diverted path all who have it in their lists, and not whose the file is that is there. So the
    // files that are diverted are checked above, and by their contents here.
    let theirs = by_dpkg(&root.0, &paths);
    let mut compared = 0;
    for path in &paths {
        let contents = std::fs::read_to_string(root.at(path)).unwrap_or_default();
        let diverted = contents.trim_end().ends_with(" of bash") && !ours[path].contains("bash");
        assert!(!diverted, "{path:?} is bash's: {contents}");
        if !["sh", "sh.distrib", "tool", "tool.real"].iter().any(|name| path.ends_with(name)) {
            assert_eq!(ours[path], theirs[path], "{path:?}");
            compared += 1;
        }
    }
    println!("{compared} files compared");
    assert!(compared > 6, "{compared}");
}

fn written() {
    let root = Root("/".into());
    let library = |name: &str| {
        let found = text("sh", &["-c", &format!("ls -d /usr/lib/*/{name}")]);
        PathBuf::from(found.trim()).canonicalize().unwrap()
    };
    let paths =
        [library("libc.so.6"), library("libz.so.1"), library("libgcc_s.so.1"), "/usr/bin/bash".into()];
    let owners = gb::packages::owners(&root, paths.iter().map(PathBuf::as_path)).unwrap();
    let out = tempfile::tempdir().unwrap();
    let made = scanners::databases(&owners, None, None).unwrap();
    let (mut status, mut count) = (Vec::new(), 0);
    for (path, bytes) in &made {
        let place = Root(out.path().to_owned());
        place.write(path.to_str().unwrap(), bytes);
        if path.extension().is_none_or(|ending| ending != "md5sums") {
            count += 1;
            status.extend([&bytes[..], b"Status: install ok installed\n\n"].concat());
        } else {
            output(
                "md5sum",
                &[
                    "--check",
                    "--strict",
                    "--quiet",
                    out.path().join(path.strip_prefix("/").unwrap()).to_str().unwrap(),
                ],
            );
        }
    }
    assert_eq!(count, 4, "{:?}", made.keys());
    assert!(made.keys().any(|path| path.ends_with("status.d/libc6")), "a plain name: {:?}", made.keys());
    // What dpkg itself reads of it is what it has of the same packages here.
    let format = "${binary:Package} ${Version} ${source:Package} ${source:Version} ${Maintainer} ${Depends}\n${Description}\n";
    let admin = out.path().join("admin");
    std::fs::create_dir(&admin).unwrap();
    std::fs::write(admin.join("status"), status).unwrap();
    let admin = admin.to_str().unwrap();
    let read = text("dpkg-query", &["--admindir", admin, "--show", "--showformat", format]);
    let names: Vec<String> = owners.packages.iter().map(|owner| owner.package.label()).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let original = text("dpkg-query", &[&["--show", "--showformat", format], &names[..]].concat());
    assert_eq!(read, original);
}
