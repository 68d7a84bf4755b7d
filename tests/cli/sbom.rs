//! `gb sbom` on roots that are made for the tests.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::os::unix::fs::symlink;

use serde_json::Value;
use sha2::{Digest, Sha256};

use crate::gb::{Call, Dir, gb};
use crate::platform::{ElfClass, ElfData, Machine};
use crate::sample::Sample;

/// Writes a file of a root, with the directories above it.
fn put(dir: &Dir, path: &str, contents: impl AsRef<[u8]>, mode: u32) {
    fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
    dir.file(path, contents, mode);
}

fn sample() -> Sample {
    Sample { machine: Machine(62), ..Sample::new(ElfClass::Elf64, ElfData::Little) }
}

/// A program, with what Go's linker writes.
fn of_go(version: &str, text: &str) -> Vec<u8> {
    let text = [&[b'<'; 16][..], text.as_bytes(), &[b'>'; 16]].concat();
    let counted = |bytes: &[u8]| [&[bytes.len() as u8 | 0x80, (bytes.len() >> 7) as u8][..], bytes].concat();
    let mut head = b"\xff Go buildinf:\x08\x02".to_vec();
    head.resize(32, 0);
    let written = [&head[..], &counted(version.as_bytes()), &counted(&text)].concat();
    Sample { written, ..sample() }.bytes()
}

/// A program, with what `cargo auditable` writes: a section of a document that zlib has stored.
fn of_rust(document: &str) -> Vec<u8> {
    let (mut one, mut two) = (1u32, 0u32);
    for byte in document.bytes() {
        one = (one + u32::from(byte)) % 65521;
        two = (two + one) % 65521;
    }
    let length = u16::try_from(document.len()).unwrap();
    let mut zlib = vec![0x78, 0x01, 0x01];
    zlib.extend(length.to_le_bytes());
    zlib.extend((!length).to_le_bytes());
    zlib.extend(document.as_bytes());
    zlib.extend((two << 16 | one).to_be_bytes());
    let names = b"\0.dep-v0\0.shstrtab\0";
    let mut bytes = sample().bytes();
    let (data, table) = (bytes.len(), bytes.len() + zlib.len() + names.len());
    bytes.extend(&zlib);
    bytes.extend(names);
    for (name, kind, at, size) in
        [(0u32, 0u32, 0, 0), (1, 1, data, zlib.len()), (9, 3, data + zlib.len(), names.len())]
    {
        let mut section = vec![0; 64];
        section[0..4].copy_from_slice(&name.to_le_bytes());
        section[4..8].copy_from_slice(&kind.to_le_bytes());
        section[24..32].copy_from_slice(&(at as u64).to_le_bytes());
        section[32..40].copy_from_slice(&(size as u64).to_le_bytes());
        bytes.extend(section);
    }
    bytes[40..48].copy_from_slice(&(table as u64).to_le_bytes());
    for (at, number) in [(58, 64u16), (60, 3), (62, 2)] {
        bytes[at..at + 2].copy_from_slice(&number.to_le_bytes());
    }
    bytes
}

const STATUS: &str = "Package: libc6\nStatus: install ok installed\nMaintainer: A <a@example.org>\nArchitecture: amd64\n\
    Multi-Arch: same\nSource: glibc\nVersion: 2.41-12\n\nPackage: gone\nStatus: deinstall ok not-installed\nVersion: 1\n\n\
    Package: tool\nStatus: install ok installed\nArchitecture: amd64\nVersion: 1:3-4\nBuilt-Using: glibc (= 2.41-12), rust-x (= 1)\n";

/// A root of Debian's, with everything that is described.
fn root() -> Dir {
    let dir = Dir::new();
    put(&dir, "r/etc/os-release", "ID=debian\nVERSION_ID=13\nPRETTY_NAME=\"Debian 13\"\n", 0o644);
    put(&dir, "r/var/lib/dpkg/status", STATUS, 0o644);
    put(&dir, "r/var/lib/dpkg/info/tool.list", "/.\n/usr/bin/tool\n/usr/bin/gotool\n", 0o644);
    put(
        &dir,
        "r/usr/share/doc/libc6/copyright",
        "Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\n\nFiles: *\nLicense: LGPL-2.1+\n",
        0o644,
    );
    // Unpacked without dpkg's knowing, one of them of another release; and a sysroot's.
    put(
        &dir,
        "r/var/lib/dpkg/status.d/qemu-user:amd64",
        "Package: qemu-user\nArchitecture: amd64\nVersion: 1:10\n",
        0o644,
    );
    put(
        &dir,
        "r/var/lib/dpkg/status.d/qemu-user:amd64.md5sums",
        "d41d8cd98f00b204e9800998ecf8427e  usr/bin/qemu-arm\n",
        0o644,
    );
    put(&dir, "r/usr/local/share/dpkg/suite", "unstable\n", 0o644);
    put(
        &dir,
        "r/usr/local/share/dpkg/status.d/ctl",
        "Package: ctl\nArchitecture: amd64\nVersion: 5\n",
        0o644,
    );
    put(
        &dir,
        "r/usr/local/share/dpkg/status.d/ctl.md5sums",
        "d41d8cd98f00b204e9800998ecf8427e  usr/local/bin/ctl\n",
        0o644,
    );
    put(&dir, "r/usr/aarch64-linux-gnu/dpkg/suite", "bookworm\n", 0o644);
    put(
        &dir,
        "r/usr/aarch64-linux-gnu/dpkg/status",
        "Package: libc6\nStatus: hold ok installed\nArchitecture: arm64\nVersion: 2.36-9\n",
        0o644,
    );
    put(&dir, "r/usr/aarch64-linux-gnu/sys-root/usr/lib/libx.so", sample().bytes(), 0o755);
    for owned in ["r/usr/bin/tool", "r/usr/bin/qemu-arm", "r/usr/local/bin/ctl"] {
        put(&dir, owned, sample().bytes(), 0o755);
    }
    // Of no package.
    let modules = "path\texample.org/Cmd\nmod\texample.org/Cmd\tv1.2.3\th1:x=\ndep\ta.b/c\tv0.1.0+incompatible\th1:y=\n\
        dep\tlocal.org/d\tv1.0.0\n=>\t../d\t(devel)\t\ndep\told.org/e\tv1.0.0\n=>\tnew.org/e\tv1.1.0\th1:z=\nbuild\tGOARCH=amd64\n";
    put(&dir, "r/usr/local/bin/cmd", of_go("go1.26.6", modules), 0o755);
    put(
        &dir,
        "r/usr/bin/gotool",
        of_go("go1.25.1 X:boringcrypto", "path\tm\ndep\ta.b/c\tv0.1.0+incompatible\th1:y=\n"),
        0o755,
    );
    put(&dir, "r/usr/local/go/bin/go", of_go("go1.26.6", "path\tcmd/go\nbuild\tGOARCH=amd64\n"), 0o755);
    put(
        &dir,
        "r/opt/rusty",
        of_rust(
            "{\"packages\":[{\"name\":\"libc\",\"version\":\"0.2.1\",\"source\":\"crates.io\"},{\"name\":\"cc\",\"version\":\"1.0.0\",\"source\":\"crates.io\",\"kind\":\"build\"},{\"name\":\"rusty\",\"version\":\"0.3.0\",\"source\":\"local\",\"root\":true,\"dependencies\":[0]}]}",
        ),
        0o755,
    );
    put(&dir, "r/usr/local/bin/said", "#!/bin/sh\n# SPDX-License-Identifier: Apache-2.0\n", 0o755);
    put(&dir, "r/usr/local/bin/unsaid", "#!/bin/sh\n", 0o755);
    put(&dir, "r/usr/lib/x86_64-linux-gnu/libmine.so.1", sample().bytes(), 0o644);
    // What nobody starts.
    put(&dir, "r/usr/local/bin/README", "nothing\n", 0o644);
    put(&dir, "r/srv/data.sh", "#!/bin/sh\n", 0o755);
    symlink("said", dir.path().join("r/usr/local/bin/link")).unwrap();
    dir
}

fn sbom(dir: &Dir, words: &[&str]) -> Call {
    gb(["sbom"].iter().chain(words)).dir(dir.path())
}

fn document(dir: &Dir, words: &[&str]) -> Value {
    serde_json::from_str(&sbom(dir, &[&["--root", "r"], words].concat()).stdout()).unwrap()
}

/// `pkg:generic` of a file of the root.
fn generic(dir: &Dir, path: &str, version: &str) -> String {
    let sum: String = Sha256::digest(fs::read(dir.path().join(path)).unwrap())
        .iter()
        .map(|byte| format!("{byte:02x}"))
        .collect();
    format!("pkg:generic/{}{version}?checksum=sha256:{sum}", path.rsplit('/').next().unwrap())
}

fn expected(dir: &Dir) -> BTreeSet<String> {
    let named = [
        "pkg:deb/debian/libc6@2.41-12?arch=amd64&distro=debian-13&upstream=glibc",
        "pkg:deb/debian/tool@1:3-4?arch=amd64&distro=debian-13",
        "pkg:deb/debian/qemu-user@1:10?arch=amd64&distro=debian-13",
        "pkg:deb/debian/libc6@2.36-9?arch=arm64&distro=debian-12",
        "pkg:deb/debian/ctl@5?arch=amd64&distro=debian-unstable",
        "pkg:deb/debian/glibc@2.41-12?arch=source&distro=debian-13",
        "pkg:deb/debian/rust-x@1?arch=source&distro=debian-13",
        "pkg:golang/example.org/cmd@v1.2.3",
        "pkg:golang/a.b/c@v0.1.0%2Bincompatible",
        "pkg:golang/local.org/d",
        "pkg:golang/new.org/e@v1.1.0",
        "pkg:golang/stdlib@1.26.6",
        "pkg:golang/stdlib@1.25.1",
        "pkg:golang/toolchain@1.26.6",
        "pkg:cargo/libc@0.2.1",
        "pkg:cargo/rusty@0.3.0",
    ];
    let files = [
        ("r/usr/local/bin/cmd", "@v1.2.3"),
        ("r/usr/bin/gotool", ""),
        ("r/usr/local/go/bin/go", "@1.26.6"),
        ("r/opt/rusty", "@0.3.0"),
        ("r/usr/local/bin/said", ""),
        ("r/usr/local/bin/unsaid", ""),
        ("r/usr/lib/x86_64-linux-gnu/libmine.so.1", ""),
    ];
    let named = named.map(str::to_owned).into_iter();
    named.chain(files.map(|(path, version)| generic(dir, path, version))).collect()
}

/// The packages of an SPDX document, by their purls.
fn packages(document: &Value) -> BTreeMap<String, Value> {
    let packages = document["packages"].as_array().unwrap().iter();
    let named = packages.filter_map(|package| {
        let purl = package["externalRefs"][0]["referenceLocator"].as_str()?;
        Some((purl.to_owned(), package.clone()))
    });
    named.collect()
}

#[test]
fn all_packages_and_programs_are_described_and_nothing_else() {
    let dir = root();
    let document = document(&dir, &["--source-name", "calico/x", "--source-version", "v1"]);
    let packages = packages(&document);
    assert_eq!(packages.keys().cloned().collect::<BTreeSet<_>>(), expected(&dir));
    let purl = |start: &str| {
        packages.iter().find(|(purl, _)| purl.starts_with(start)).unwrap_or_else(|| panic!("{start}")).1
    };
    assert_eq!(document["packages"][0]["name"], "calico/x");
    assert_eq!(document["packages"][0]["versionInfo"], "v1");
    assert_eq!(purl("pkg:deb/debian/libc6@2.41")["licenseDeclared"], "LGPL-2.1-or-later");
    assert_eq!(purl("pkg:deb/debian/libc6@2.41")["supplier"], "Person: A (a@example.org)");
    assert_eq!(purl("pkg:generic/said")["licenseDeclared"], "Apache-2.0");
    assert_eq!(purl("pkg:generic/unsaid")["licenseDeclared"], "NOASSERTION");
    assert_eq!(purl("pkg:generic/cmd")["packageFileName"], "/usr/local/bin/cmd");
    assert_eq!(purl("pkg:generic/cmd")["checksums"][0]["algorithm"], "SHA256");
    assert_eq!(purl("pkg:golang/a.b/c")["comment"], "found in: /usr/bin/gotool, /usr/local/bin/cmd");
    assert_eq!(purl("pkg:golang/a.b/c")["sourceInfo"], "its checksum in go.sum: h1:y=");
    assert_eq!(purl("pkg:golang/stdlib@1.26.6")["licenseDeclared"], "BSD-3-Clause");
    assert_eq!(purl("pkg:deb/debian/libc6@2.36")["comment"], "found in: /usr/aarch64-linux-gnu/dpkg");
}

#[test]
fn what_is_in_what_is_said() {
    let dir = root();
    let document = document(&dir, &[]);
    let names: BTreeMap<String, String> = document["packages"]
        .as_array()
        .unwrap()
        .iter()
        .map(|package| {
            let name = package["name"].as_str().unwrap();
            (
                package["SPDXID"].as_str().unwrap().to_owned(),
                format!("{name} {}", package["versionInfo"].as_str().unwrap_or("-")),
            )
        })
        .collect();
    let mut said: Vec<String> = Vec::new();
    for relationship in document["relationships"].as_array().unwrap() {
        let name = |field: &str| {
            let id = relationship[field].as_str().unwrap();
            names.get(id).cloned().unwrap_or_else(|| id.to_owned())
        };
        said.push(format!(
            "{} {} {}",
            name("spdxElementId"),
            relationship["relationshipType"].as_str().unwrap(),
            name("relatedSpdxElement")
        ));
    }
    for expected in [
        "SPDXRef-DOCUMENT DESCRIBES rootfs -",
        "rootfs - CONTAINS debian 13",
        "debian 13 CONTAINS libc6 2.41-12",
        "debian 13 CONTAINS qemu-user 1:10",
        "rootfs - CONTAINS libc6 2.36-9",
        "rootfs - CONTAINS ctl 5",
        "tool 1:3-4 GENERATED_FROM rust-x 1",
        "tool 1:3-4 CONTAINS gotool -",
        "rootfs - CONTAINS cmd v1.2.3",
        "cmd v1.2.3 CONTAINS example.org/Cmd v1.2.3",
        "cmd v1.2.3 CONTAINS stdlib 1.26.6",
        "go 1.26.6 CONTAINS toolchain 1.26.6",
        "rusty 0.3.0 CONTAINS libc 0.2.1",
        "rootfs - CONTAINS said -",
    ] {
        assert!(said.iter().any(|line| line == expected), "{expected}: {said:#?}");
    }
    for wrong in
        ["rootfs - CONTAINS stdlib 1.26.6", "rootfs - CONTAINS gotool -", "debian 13 CONTAINS rust-x 1"]
    {
        assert!(!said.iter().any(|line| line == wrong), "{wrong}: it is a part of something else");
    }
}

#[test]
fn cyclonedx_says_the_same() {
    let dir = root();
    let document = document(&dir, &["--format", "cyclonedx", "--source-version", "v1"]);
    let components = document["components"].as_array().unwrap();
    let purls: Vec<_> =
        components.iter().filter_map(|component| Some(component["purl"].as_str()?.to_owned())).collect();
    assert_eq!(purls.iter().cloned().collect::<BTreeSet<_>>(), expected(&dir));
    assert_eq!(purls.len(), expected(&dir).len(), "each once");
    assert_eq!(document["metadata"]["component"]["version"], "v1");
    let cmd = components.iter().find(|component| component["name"] == "cmd").unwrap();
    assert_eq!((&cmd["type"], &cmd["hashes"][0]["alg"]), (&"application".into(), &"SHA-256".into()));
    assert_eq!(cmd["evidence"]["occurrences"][0]["location"], "/usr/local/bin/cmd");
    let depends = |what: &str| {
        let mut all = document["dependencies"].as_array().unwrap().iter();
        let of = all.find(|of| of["ref"].as_str().unwrap().starts_with(what)).unwrap();
        of["dependsOn"].as_array().unwrap().len()
    };
    assert_eq!(depends("system:debian-13"), 3);
    assert_eq!(depends("pkg:generic/cmd"), 5);
    // The system, the sysroot's, the other release's, and six programs of no package.
    assert_eq!(depends("root"), 9);
}

#[test]
fn the_same_root_makes_the_same_bytes() {
    let dir = root();
    let plain = sbom(&dir, &["--root", "r"]).stdout();
    assert_eq!(plain, sbom(&dir, &["--root", "r/"]).stdout());
    let at = |second: &str| sbom(&dir, &["--root", "r"]).env("SOURCE_DATE_EPOCH", second).stdout();
    assert_eq!(at("1700000000"), at("1700000000"));
    let document: Value = serde_json::from_str(&at("1700000000")).unwrap();
    assert_eq!(document["creationInfo"]["created"], "2023-11-14T22:13:20Z");
    assert_ne!(at("1700000000"), plain);
    let namespace = |text: &str| {
        let document: Value = serde_json::from_str(text).unwrap();
        document["documentNamespace"].as_str().unwrap().to_owned()
    };
    let before = namespace(&at("1"));
    put(&dir, "r/usr/local/bin/unsaid", "#!/bin/sh\n:\n", 0o755);
    assert_ne!(namespace(&at("1")), before, "another root is another document");
    sbom(&dir, &["--root", "r"])
        .env("SOURCE_DATE_EPOCH", "today")
        .fails(125, "SOURCE_DATE_EPOCH is today, which is no number of seconds since 1970 (date +%s)");
}

#[test]
fn a_root_without_packages_is_described_by_its_programs() {
    let dir = Dir::new();
    put(&dir, "r/app", of_go("go1.26.6", "path\tm\nmod\tm\t(devel)\t\n"), 0o755);
    let found = packages(&document(&dir, &[]));
    let named: Vec<_> = found.keys().filter(|purl| !purl.starts_with("pkg:generic/app?")).collect();
    assert_eq!(named, ["pkg:golang/m", "pkg:golang/stdlib@1.26.6"]);
}

#[test]
fn a_document_is_written_whole_and_replaces_an_older_one() {
    let dir = root();
    let plain = sbom(&dir, &["--root", "r"]).stdout();
    let write = |place: &str| assert_eq!(sbom(&dir, &["--root", "r", "-o", place]).stdout(), "", "{place}");
    write("new/deep/rootfs.spdx.json");
    put(&dir, "old.json", "older and longer".repeat(100_000), 0o644);
    symlink("old.json", dir.path().join("link.json")).unwrap();
    put(&dir, "left.json.gb-unfinished", "of a gb that was killed", 0o644);
    for place in ["old.json", "link.json", "left.json"] {
        write(place);
    }
    for place in ["new/deep/rootfs.spdx.json", "old.json", "left.json"] {
        assert_eq!(fs::read_to_string(dir.path().join(place)).unwrap(), plain, "{place}");
    }
    assert!(dir.path().join("link.json").is_symlink());
    // In the root itself it is no part of what is described.
    write("r/var/lib/db/sbom/rootfs.spdx.json");
    assert_eq!(sbom(&dir, &["--root", "r"]).stdout(), plain);
    assert_eq!(sbom(&dir, &["--root", "r", "-o", "/dev/stdout"]).stdout(), plain);
    let left = fs::read_dir(dir.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().contains("unfinished"));
    assert_eq!(left.count(), 0);
}

#[test]
fn what_can_not_be_described_or_written_is_one_line() {
    let dir = root();
    fs::create_dir_all(dir.path().join("empty")).unwrap();
    fs::create_dir_all(dir.path().join("place")).unwrap();
    for (words, message) in [
        (&["--root", "none"][..], "open none: No such file or directory (os error 2)"),
        (
            &["--root", "empty"],
            "describe empty: it has no database of packages and no program (--root names a root directory or an image)",
        ),
        (&["--root", "r", "-o", "place"], "write place: it is a directory (name a file in it)"),
        (&["--root", "r", "-o", "/dev/full"], "write /dev/full: No space left on device (os error 28)"),
        (
            &["--root", "r", "-o", "r/etc/os-release/x"],
            "write r/etc/os-release/x: Not a directory (os error 20)",
        ),
        (
            &["--root", "r", "-o", "/proc/none/x"],
            "write /proc/none/x: No such file or directory (os error 2)",
        ),
    ] {
        sbom(&dir, words).fails(125, message);
    }
    put(&dir, "r/var/lib/dpkg/status", "Version: 1\n", 0o644);
    sbom(&dir, &["--root", "r"])
        .fails(125, "read the package database /var/lib/dpkg/status: paragraph 1 has no name of a package");
}

#[test]
fn an_archive_is_described_as_its_root() {
    let dir = root();
    let tar = std::process::Command::new("tar")
        .args(["--format=posix", "-cf", "r.tar", "-C", "r", "."])
        .current_dir(dir.path())
        .status();
    assert!(tar.unwrap().success());
    let of = |root: &str| sbom(&dir, &["--root", root]).stdout();
    assert_eq!(of("r.tar"), of("r"));
    let refused = sbom(&dir, &["--root", "r.tar", "--platform", "pdp11"]).go();
    assert_eq!(refused.status, Some(125));
    assert!(
        refused.stderr.starts_with("gb: --platform \"pdp11\": no such architecture"),
        "{}",
        refused.stderr
    );
}

#[test]
fn a_program_whose_list_of_crates_is_damaged_is_described_without() {
    let dir = Dir::new();
    for (name, document) in [
        ("nonsense", "no JSON"),
        ("other", "[]"),
        ("unnamed", "{\"packages\":[{\"version\":\"1\"}]}"),
        ("empty", ""),
    ] {
        put(&dir, &format!("r/bin/{name}"), of_rust(document), 0o755);
    }
    let mut long = of_rust("{\"packages\":[]}");
    let end = long.len();
    // The section says that it has more than any has, and then more than there is.
    for (name, size) in [("large", 1u64 << 40), ("beyond", 1 << 20)] {
        long[end - 96..end - 88].copy_from_slice(&size.to_le_bytes());
        put(&dir, &format!("r/bin/{name}"), &long, 0o755);
    }
    let found = packages(&document(&dir, &[]));
    assert_eq!(found.len(), 6, "{:?}", found.keys());
    assert!(found.keys().all(|purl| purl.starts_with("pkg:generic/")), "{:?}", found.keys());
}
