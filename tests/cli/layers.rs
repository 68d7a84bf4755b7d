//! `gb strip-libs` on images that are archives. What is in them is seen by taking all of it: `--root IMAGE.tar --rootfs OUT /`.

use std::fs;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;

use sha2::{Digest, Sha256};

use crate::gb::{Call, Dir, gb};

/// A tar archive, written by hand so that it can say what no tool would write.
#[derive(Default, Clone)]
struct Tar(Vec<u8>);

impl Tar {
    fn entry(mut self, kind: u8, name: &str, mode: u32, link: &str, size: usize) -> Tar {
        let mut header = vec![0; 512];
        let mut put = |at: usize, bytes: &[u8]| header[at..at + bytes.len()].copy_from_slice(bytes);
        let id = [nix::unistd::geteuid().as_raw(), nix::unistd::getegid().as_raw()];
        put(0, name.as_bytes());
        put(100, format!("{mode:07o}").as_bytes());
        put(108, format!("{:07o}", id[0]).as_bytes());
        put(116, format!("{:07o}", id[1]).as_bytes());
        put(124, format!("{size:011o}").as_bytes());
        put(136, format!("{:011o}", 1_000_000_000).as_bytes());
        put(148, b"        ");
        put(156, &[kind]);
        put(157, link.as_bytes());
        put(257, b"ustar\x0000");
        let sum: u32 = header.iter().map(|byte| u32::from(*byte)).sum();
        header[148..155].copy_from_slice(format!("{sum:06o}\0").as_bytes());
        self.0.extend(header);
        self
    }

    fn file(self, name: &str, contents: &str) -> Tar {
        let mut tar = self.entry(b'0', name, 0o644, "", contents.len());
        tar.0.extend(contents.as_bytes());
        tar.0.resize(tar.0.len().next_multiple_of(512), 0);
        tar
    }

    fn directory(self, name: &str, mode: u32) -> Tar {
        self.entry(b'5', name, mode, "", 0)
    }

    fn link(self, name: &str, target: &str) -> Tar {
        self.entry(b'2', name, 0o777, target, 0)
    }

    fn hard_link(self, name: &str, target: &str) -> Tar {
        self.entry(b'1', name, 0o644, target, 0)
    }

    /// Attributes of the next entry.
    fn pax(mut self, records: &str) -> Tar {
        self = self.entry(b'x', "pax", 0o644, "", records.len());
        self.0.extend(records.as_bytes());
        self.0.resize(self.0.len().next_multiple_of(512), 0);
        self
    }

    fn end(mut self) -> Vec<u8> {
        self.0.extend([0; 1024]);
        self.0
    }
}

fn sha256(bytes: &[u8]) -> String {
    Sha256::digest(bytes).iter().map(|byte| format!("{byte:02x}")).collect()
}

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let dir = Dir::new();
    let file = dir.file("plain", bytes, 0o644);
    Command::new("gzip").arg("-c").arg(file).output().unwrap().stdout
}

/// A record of attributes; its length counts its own digits.
fn record(text: &str) -> String {
    let length = text.len() + 2;
    let length = length + (length + 1).to_string().len();
    format!("{length} {text}\n")
}

/// The files of an OCI image layout: a manifest for each platform, with these layers.
struct Layout(Vec<(String, Vec<u8>)>, Vec<String>);

impl Layout {
    fn new() -> Layout {
        Layout(vec![("oci-layout".into(), br#"{"imageLayoutVersion":"1.0.0"}"#.to_vec())], Vec::new())
    }

    fn blob(&mut self, bytes: &[u8]) -> String {
        let digest = sha256(bytes);
        self.0.push((format!("blobs/sha256/{digest}"), bytes.to_vec()));
        format!(r#""digest":"sha256:{digest}","size":{}"#, bytes.len())
    }

    fn image(&mut self, platform: &str, name: &str, layers: &[Vec<u8>]) {
        let mut parts = platform.split('/');
        let mut part = || parts.next().unwrap_or_default();
        let config = format!(r#"{{"os":"{}","architecture":"{}","variant":"{}"}}"#, part(), part(), part());
        let config = self.blob(config.as_bytes());
        let layers: Vec<_> = layers.iter().map(|layer| format!("{{{}}}", self.blob(layer))).collect();
        let manifest = format!(
            r#"{{"schemaVersion":2,"config":{{"mediaType":"application/vnd.oci.image.config.v1+json",{config}}},"layers":[{}]}}"#,
            layers.join(",")
        );
        let manifest = self.blob(manifest.as_bytes());
        let name = format!(r#""annotations":{{"org.opencontainers.image.ref.name":"{name}"}}"#);
        self.1.push(format!("{{{manifest},{name}}}"));
    }

    fn files(mut self) -> Vec<(String, Vec<u8>)> {
        self.0.push(("index.json".into(), format!(r#"{{"manifests":[{}]}}"#, self.1.join(",")).into_bytes()));
        self.0
    }
}

/// What `docker save` writes before Docker 25.
fn saved(layers: &[Vec<u8>]) -> Vec<(String, Vec<u8>)> {
    let ids: Vec<_> = layers.iter().map(|layer| format!("\"sha256:{}\"", sha256(layer))).collect();
    let config = format!(
        r#"{{"os":"linux","architecture":"amd64","rootfs":{{"type":"layers","diff_ids":[{}]}}}}"#,
        ids.join(",")
    );
    let mut files: Vec<_> =
        layers.iter().enumerate().map(|(n, layer)| (format!("{n}/layer.tar"), layer.clone())).collect();
    let paths: Vec<_> = files.iter().map(|(path, _)| format!("\"{path}\"")).collect();
    let manifest =
        format!(r#"[{{"Config":"config.json","RepoTags":["t:1"],"Layers":[{}]}}]"#, paths.join(","));
    files.push(("config.json".into(), config.into_bytes()));
    files.push(("manifest.json".into(), manifest.into_bytes()));
    files.push(("repositories".into(), b"{}".to_vec()));
    files
}

fn archive(files: &[(String, Vec<u8>)]) -> Vec<u8> {
    let mut tar = Tar::default();
    for (path, contents) in files {
        tar = tar.entry(b'0', path, 0o644, "", contents.len());
        tar.0.extend(contents);
        tar.0.resize(tar.0.len().next_multiple_of(512), 0);
    }
    tar.end()
}

fn directory(at: &Path, files: &[(String, Vec<u8>)]) {
    for (path, contents) in files {
        fs::create_dir_all(at.join(path).parent().unwrap()).unwrap();
        fs::write(at.join(path), contents).unwrap();
    }
}

/// Takes all of an image.
fn take(dir: &Dir, image: &str, out: &str) -> Call {
    gb(["strip-libs", "--no-metadata", "--no-manifest", "--root", image, "--rootfs", out, "/"])
        .dir(dir.path())
}

/// What is in a directory, a line each: path, permissions, and contents or where it leads.
fn listing(at: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![at.to_owned()];
    while let Some(here) = dirs.pop() {
        for entry in fs::read_dir(here).unwrap() {
            let path: PathBuf = entry.unwrap().path();
            let stat = path.symlink_metadata().unwrap();
            let name = path.strip_prefix(at).unwrap().display();
            found.push(match stat.file_type() {
                kind if kind.is_dir() => format!("{name}/ {:o}", stat.mode() & 0o7777),
                kind if kind.is_symlink() => format!("{name} -> {}", fs::read_link(&path).unwrap().display()),
                _ => {
                    let text = fs::read(&path).unwrap();
                    let text =
                        if text.len() < 100 { String::from_utf8(text).unwrap() } else { sha256(&text) };
                    format!("{name} {:o} x{} @{} {text}", stat.mode() & 0o7777, stat.nlink(), stat.mtime())
                }
            });
            if stat.is_dir() {
                dirs.push(path);
            }
        }
    }
    found.sort();
    found
}

/// Layers that hide, replace and link, and what is left of them.
fn layers() -> (Vec<Vec<u8>>, Vec<&'static str>) {
    let first = Tar::default()
        .directory("./", 0o755)
        .directory("usr/", 0o755)
        .directory("usr/lib/", 0o755)
        .link("lib", "usr/lib")
        .file("usr/lib/a", "a1")
        .file("usr/lib/b", "b1")
        .hard_link("usr/lib/b2", "/usr/lib/b")
        .directory("gone", 0o755)
        .file("gone/x", "x1")
        .directory("opaque", 0o700)
        .file("opaque/old", "old")
        .directory("opaque/sub", 0o755)
        .file("opaque/sub/old", "old")
        .file("becomes_directory", "file")
        .directory("becomes_file", 0o755)
        .file("becomes_file/x", "x")
        .link("becomes_own", "usr")
        .file("twice", "first")
        .file("twice", "last")
        .file("implied/deep/file", "i");
    let second = Tar::default()
        // Through the link, which stays one.
        .file("lib/a", "a2")
        .file("usr/lib/.wh.b", "")
        .file(".wh.gone", "")
        // What is of the same layer stays, before the mark and behind it.
        .file("opaque/new1", "new1")
        .file("opaque/.wh..wh..opq", "")
        .file("opaque/new2", "new2")
        .file("opaque/sub/new3", "new3")
        .directory("becomes_directory", 0o750)
        .file("becomes_directory/x", "x2")
        .file("becomes_file", "file2")
        .directory("becomes_own", 0o755)
        .file("becomes_own/y", "y")
        .file(".wh..wh.plnk", "")
        .file(".wh.never_there", "")
        .file("made_again", "m2")
        .file(".wh.made_again", "");
    let third = Tar::default()
        .file(".wh.made_again", "")
        .hard_link("usr/lib/c", "usr/lib/b2")
        .directory("usr/lib", 0o711)
        .pax(&[record("mtime=1000000001.5"), record("path=a b")].concat())
        .file("short", "long names");
    let expected = vec![
        "a b 644 x1 @1000000001 long names",
        "becomes_directory/ 750",
        "becomes_directory/x 644 x1 @1000000000 x2",
        "becomes_file 644 x1 @1000000000 file2",
        "becomes_own/ 755",
        "becomes_own/y 644 x1 @1000000000 y",
        "implied/ 755",
        "implied/deep/ 755",
        "implied/deep/file 644 x1 @1000000000 i",
        "lib -> usr/lib",
        "opaque/ 700",
        "opaque/new1 644 x1 @1000000000 new1",
        "opaque/new2 644 x1 @1000000000 new2",
        "opaque/sub/ 755",
        "opaque/sub/new3 644 x1 @1000000000 new3",
        "twice 644 x1 @1000000000 last",
        "usr/ 755",
        "usr/lib/ 711",
        "usr/lib/a 644 x1 @1000000000 a2",
        "usr/lib/b2 644 x2 @1000000000 b1",
        "usr/lib/c 644 x2 @1000000000 b1",
    ];
    (vec![first.end(), second.end(), third.end()], expected)
}

#[test]
fn layers_lie_upon_one_another_in_every_form_of_an_image() {
    let (layers, mut expected) = layers();
    expected.sort_unstable();
    let packed: Vec<_> = layers.iter().map(|layer| gzip(layer)).collect();
    let dir = Dir::new();
    let oci = |layers: &[Vec<u8>]| {
        let mut layout = Layout::new();
        layout.image("linux/amd64", "t:1", layers);
        layout.files()
    };
    let images = [("saved", saved(&layers)), ("oci", oci(&layers)), ("packed", oci(&packed))];
    for (name, files) in images {
        let whole = archive(&files);
        dir.file(&format!("{name}.tar"), &whole, 0o644);
        dir.file(&format!("{name}.tar.gz"), gzip(&whole), 0o644);
        directory(&dir.path().join(name), &files);
        for (n, form) in ["", ".tar", ".tar.gz"].iter().enumerate() {
            let out = format!("out-{name}-{n}");
            take(&dir, &format!("{name}{form}"), &out).stdout();
            assert_eq!(listing(&dir.path().join(&out)), expected, "{name}{form}");
        }
    }
    // Nothing is left of what was unpacked.
    let left = fs::read_dir(dir.path())
        .unwrap()
        .filter(|entry| entry.as_ref().unwrap().file_name().to_string_lossy().starts_with('.'));
    assert_eq!(left.count(), 0);
}

#[test]
fn an_archive_of_a_root_is_taken_as_its_directory_is() {
    let dir = Dir::new();
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("root/usr/lib")).unwrap();
    fs::create_dir_all(at(&format!("root/{0}/{0}", "d".repeat(90)))).unwrap();
    fs::write(at(&format!("root/{0}/{0}/{1}", "d".repeat(90), "f".repeat(120))), "deep").unwrap();
    fs::write(at("root/usr/lib/large"), vec![7; 200_000]).unwrap();
    fs::write(at("root/usr/lib/.wh.name"), "a file as others").unwrap();
    fs::set_permissions(at("root/usr/lib/large"), fs::Permissions::from_mode(0o2755)).unwrap();
    fs::hard_link(at("root/usr/lib/large"), at("root/again")).unwrap();
    std::os::unix::fs::symlink(format!("/{}", "t".repeat(150)), at("root/dangling")).unwrap();
    std::os::unix::fs::symlink("usr/lib", at("root/lib")).unwrap();
    fs::write(at("root/\u{fc}\n"), "odd").unwrap();
    take(&dir, "root", "expected").stdout();
    let expected = listing(&at("expected"));
    assert_eq!(expected.len(), 11);
    for format in ["gnu", "pax", "oldgnu"] {
        let made = Command::new("tar")
            .args([&format!("--format={format}"), "-cf", "root.tar", "-C", "root", "."])
            .current_dir(dir.path())
            .status();
        assert!(made.unwrap().success());
        take(&dir, "root.tar", format).stdout();
        assert_eq!(listing(&at(format)), expected, "{format}");
    }
}

#[test]
fn a_root_of_programs_finds_the_same_in_its_archive() {
    let dir = Dir::new();
    gb(["strip-libs", "--no-metadata", "--no-manifest", "--rootfs", "root", "/bin/sh"]).dir(dir.path()).go();
    let status =
        Command::new("tar").args(["-czf", "root.tar.gz", "-C", "root", "."]).current_dir(dir.path()).status();
    assert!(status.unwrap().success());
    let check = |root: &str| gb(["strip-libs", "--json", "--check", root]).dir(dir.path()).stdout();
    let whole = check("root");
    assert!(!whole.contains("\"objects\": 0"), "{whole}");
    assert_eq!(check("root.tar.gz").replace("root.tar.gz", "root"), whole);
    // And the same is missing.
    let libc =
        gb(["strip-libs", "--list", "--no-metadata", "--no-manifest", "--root", "root.tar.gz", "/bin/sh"])
            .dir(dir.path())
            .stdout();
    let libc = libc
        .lines()
        .find(|line| line.contains("libc.") && !line.contains("->"))
        .unwrap()
        .trim_start_matches('/');
    fs::remove_file(dir.path().join("root").join(libc)).unwrap();
    let mut layout = Layout::new();
    let name = libc.rsplit_once('/').unwrap();
    let hiding = Tar::default().file(&format!("{}/.wh.{}", name.0, name.1), "").end();
    layout.image("linux/amd64", "", &[fs::read(dir.path().join("root.tar.gz")).unwrap(), hiding]);
    dir.file("image.tar", archive(&layout.files()), 0o644);
    let [directory, image] =
        ["root", "image.tar"].map(|root| gb(["strip-libs", "--check", root]).dir(dir.path()).go());
    assert_eq!((directory.status, directory.stderr.contains("libc")), (Some(1), true));
    assert_eq!((image.status, image.stderr), (directory.status, directory.stderr));
}

#[test]
fn of_several_images_the_platform_chooses_and_nothing_is_guessed() {
    let dir = Dir::new();
    let layer = |text: &str| vec![Tar::default().file("which", text).end()];
    let mut layout = Layout::new();
    layout.image("linux/amd64", "t:1", &layer("amd64"));
    layout.image("linux/arm/v6", "t:1", &layer("v6"));
    layout.image("linux/arm/v7", "t:1", &layer("v7"));
    layout.image("unknown/unknown", "t:1", &layer("none"));
    // What BuildKit adds, an image that is not there, and what is no image.
    layout.1.push(
        r#"{"digest":"sha256:00","annotations":{"vnd.docker.reference.type":"attestation-manifest"}}"#.into(),
    );
    layout.1.push(r#"{"digest":"sha256:00","platform":{"os":"linux","architecture":"s390x"}}"#.into());
    let chart =
        layout.blob(br#"{"config":{"mediaType":"application/vnd.cncf.helm.config.v1+json"},"layers":[]}"#);
    layout.1.push(format!("{{{chart}}}"));
    layout.1.remove(3);
    // As an index that an index leads to.
    let index = format!(r#"{{"manifests":[{}]}}"#, layout.1.join(","));
    let index = layout.blob(index.as_bytes());
    layout.1 = vec![format!("{{{index}}}")];
    dir.file("image.tar", archive(&layout.files()), 0o644);
    let of = |platform: &str, out: &str| {
        let words = [
            "strip-libs",
            "--no-metadata",
            "--no-manifest",
            "--root",
            "image.tar",
            "--platform",
            platform,
            "--rootfs",
            out,
            "/",
        ];
        gb(words).dir(dir.path())
    };
    for (platform, expected) in [("x86_64", "amd64"), ("linux/arm/v7", "v7"), ("armv6l", "v6")] {
        of(platform, expected).stdout();
        assert_eq!(fs::read_to_string(dir.path().join(expected).join("which")).unwrap(), expected);
    }
    // Without a variant an image is for the usual one.
    let mut usual = Layout::new();
    usual.image("linux/arm64", "", &layer("arm64"));
    usual.image("linux/arm", "", &layer("arm"));
    dir.file("usual.tar", archive(&usual.files()), 0o644);
    for (platform, code) in [("linux/arm64/v8", 0), ("linux/arm/v7", 0), ("linux/arm/v6", 125)] {
        let words = [
            "strip-libs",
            "--list",
            "--no-metadata",
            "--no-manifest",
            "--root",
            "usual.tar",
            "--platform",
            platform,
            "/which",
        ];
        let found = gb(words).dir(dir.path()).go();
        assert_eq!(found.status, Some(code), "{platform}: {}", found.stderr);
    }
    let there = "linux/amd64 (t:1), linux/arm/v6 (t:1), linux/arm/v7 (t:1)";
    let several = |images: &str| {
        format!(
            "open image.tar: it has several images: {images} (choose one with --platform, or save one alone)"
        )
    };
    take(&dir, "image.tar", "out").fails(125, &several(there));
    of("linux/arm", "out").fails(125, &several("linux/arm/v6 (t:1), linux/arm/v7 (t:1)"));
    of("s390x", "out")
        .fails(125, &format!("open image.tar: it has no image for linux/s390x (it has {there})"));
    gb(["strip-libs", "--check", "image.tar"]).dir(dir.path()).fails(125, &several(there));
    assert!(of("vax", "out").go().stderr.starts_with("gb: --platform \"vax\": no such architecture"));
}

#[test]
fn what_is_damaged_hostile_or_unknown_is_refused_with_the_reason() {
    let dir = Dir::new();
    let fails = |name: &str, contents: &[u8], message: &str| {
        dir.file("image", contents, 0o644);
        let result = take(&dir, "image", "out").go();
        assert_eq!(result.status, Some(125), "{name}");
        let expected = format!("gb: open image: {message}\n");
        assert_eq!(result.stderr, expected, "{name}");
        assert!(!dir.path().join("out").exists(), "{name}");
    };
    let a_root =
        "(a root is a directory, or a tar archive: docker save, docker export, or an OCI image layout)";
    let tar = Tar::default;
    fails("empty", &[], &format!("at byte 0 it is cut off {a_root}"));
    fails("text", &[b'x'; 4096], &format!("at byte 0 there is no tar header {a_root}"));
    let plain = |name: &str, archive: Vec<u8>, message: &str| fails(name, &archive, message);
    plain("no end", tar().file("a", "a").0, "at byte 1024 it is cut off");
    plain("larger than it is", tar().entry(b'0', "a", 0o644, "", 5000).0, "at byte 512 it is cut off");
    plain("largest", tar().entry(b'0', "a", 0o644, "", 0o77777777777).0, "at byte 512 it is cut off");
    plain(
        "up",
        tar().file("../a", "a").end(),
        "../a: there is .. in its path, by which files are put elsewhere",
    );
    plain(
        "up within",
        tar().file("a/../../b", "b").end(),
        "a/../../b: there is .. in its path, by which files are put elsewhere",
    );
    plain(
        "hard link out",
        tar().hard_link("a", "../secret").end(),
        "a: there is .. in its path, by which files are put elsewhere",
    );
    plain("hard link to nothing", tar().hard_link("a", "b").end(), "a: it is a hard link to nothing");
    plain("hard link to itself", tar().hard_link("a", "a").end(), "a: it is a hard link to nothing");
    plain(
        "hard link to directory",
        tar().directory("d", 0o755).hard_link("a", "d").end(),
        "a: it is a hard link to a directory",
    );
    plain("below a file", tar().file("a", "a").file("a/b", "b").end(), "a/b: it is in what is no directory");
    plain(
        "loop",
        tar().link("a", "b").link("b", "a").file("a/b", "b").end(),
        "a/b: it is behind a link that leads to no directory",
    );
    plain(
        "root as file",
        tar().file("./", "").entry(b'2', "/", 0o777, "x", 0).end(),
        "/: it is to be the root, and no directory",
    );
    plain(
        "sparse",
        tar().entry(b'S', "a", 0o644, "", 0).end(),
        "at byte 0 there is a sparse file, which gb does not read (make it without --sparse)",
    );
    plain(
        "sparse in pax",
        tar().pax(&record("GNU.sparse.major=1")).file("a", "").end(),
        "at byte 1024 there is a sparse file, which gb does not read (make it without --sparse)",
    );
    plain(
        "pax",
        tar().pax("99 path=a\n").file("a", "").end(),
        "at byte 0 there is a pax header that makes no sense",
    );
    plain(
        "huge pax",
        tar().entry(b'x', "a", 0o644, "", 1 << 21).end(),
        "at byte 512 there is a name or a list of attributes of more than 1 MiB",
    );
    plain("name without a file", tar().pax(&record("path=a b")).end(), "at byte 1024 it is cut off");
    plain(
        "unknown kind",
        tar().entry(b'Q', "a", 0o644, "", 0).end(),
        "at byte 0 there is an entry of a kind that no layer has",
    );
    let long = "a/".repeat(2050);
    let message = format!("{long}: its path is longer than any");
    plain("long path", tar().pax(&record(&format!("path={long}"))).file("a", "").end(), &message);
    fails("xz", b"\xfd7zXZ\0\0\0\0\0", "it is compressed by xz, which gb does not read (unpack it: xz -d)");
    fails("cut gzip", &gzip(&tar().file("a", "a").end())[..50], "its gzip data are cut off");
    fails(
        "old",
        &tar().file("repositories", "{}").end(),
        "it was saved by a docker before 1.10 (load and save it by a newer one)",
    );

    let layer = tar().file("a", "a").end();
    let image = |layers: &[Vec<u8>]| {
        let mut layout = Layout::new();
        layout.image("linux/amd64", "", layers);
        layout.files()
    };
    let packed = [b"\x28\xb5\x2f\xfd".as_slice(), &[0; 100]].concat();
    let at = |bytes: &[u8]| format!("/blobs/sha256/{}", sha256(bytes));
    fails(
        "zstd",
        &archive(&image(std::slice::from_ref(&packed))),
        &format!(
            "read its layer {}: it is compressed by zstd, which gb does not read (save it by docker load and docker save, or build it with compression=gzip,force-compression=true)",
            at(&packed)
        ),
    );
    for (n, what) in ["layer", "config", "manifest"].iter().enumerate() {
        let mut files = image(std::slice::from_ref(&layer));
        // oci-layout, the configuration, the layer, the manifest.
        let which = [2, 1, 3][n];
        let digest = sha256(&files[which].1);
        let last = files[which].1.len() - 1;
        files[which].1[last] ^= 1;
        let found = sha256(&files[which].1);
        let read = if n == 0 { "read its layer " } else { "read " };
        let of = if n == 0 { "" } else { " of it" };
        let message = format!(
            "{read}/blobs/sha256/{digest}{of}: its SHA-256 is {found}, and not {digest}: it is damaged, or another"
        );
        fails(what, &archive(&files), &message);
    }
    let mut files = saved(std::slice::from_ref(&layer));
    files[0].1 = tar().file("a", "b").end();
    let message = format!(
        "read its layer 0/layer.tar: its SHA-256 is {}, and not {}: it is damaged, or another",
        sha256(&files[0].1),
        sha256(&layer)
    );
    fails("saved layer", &archive(&files), &message);
    let mut files = saved(std::slice::from_ref(&layer));
    files.remove(0);
    fails("no layer", &archive(&files), "read its layer 0/layer.tar: No such file or directory (os error 2)");
    let index =
        |text: &str| archive(&[("oci-layout".into(), b"{}".to_vec()), ("index.json".into(), text.into())]);
    fails("index", &index("{"), "read /index.json of it: EOF while parsing an object at line 1 column 1");
    fails("no list", &index("{}"), "read /index.json of it: it lists no manifests");
    fails("no image", &index(r#"{"manifests":[]}"#), "it has no image that is whole");
    fails(
        "elsewhere",
        &index(r#"{"manifests":[{"digest":"sha256:../../x"}]}"#),
        "read /index.json of it: it has a digest that is none",
    );
    fails(
        "absent",
        &index(r#"{"manifests":[{"digest":"sha256:00","platform":{"os":"linux","architecture":"arm64"}}]}"#),
        "it has no image that is whole (linux/arm64: its files are not in it)",
    );
    // An index that leads to itself would need a digest that is its own; one that leads to many is refused.
    let many = vec![r#"{"digest":"sha256:00"}"#; 5000].join(",");
    fails(
        "many",
        &index(&format!(r#"{{"manifests":[{many}]}}"#)),
        "read /index.json of it: it leads to more images than gb is willing to look at",
    );
    fs::create_dir(dir.path().join("full")).unwrap();
    nix::unistd::mkfifo(&dir.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    take(&dir, "fifo", "out").fails(125, "open fifo: not a regular file");
}

#[test]
fn links_of_an_image_lead_nowhere_out_of_it() {
    let dir = Dir::new();
    dir.file("secret", "outside", 0o644);
    let outside = dir.path().join("secret");
    let outside = outside.to_str().unwrap();
    let layer = Tar::default()
        .link("up", "../../../../../../../../tmp")
        .link("out", outside)
        .link("etc", "/")
        .directory("tmp", 0o755)
        .file("up/file", "in the image's tmp")
        .file("etc/etc/etc/root", "in the root")
        .end();
    dir.file("root.tar", layer, 0o644);
    take(&dir, "root.tar", "out").stdout();
    let expected = [
        "etc -> /".to_owned(),
        format!("out -> {outside}"),
        "root 644 x1 @1000000000 in the root".to_owned(),
        "tmp/ 755".to_owned(),
        "tmp/file 644 x1 @1000000000 in the image's tmp".to_owned(),
        "up -> ../../../../../../../../tmp".to_owned(),
    ];
    assert_eq!(listing(&dir.path().join("out")), expected);
    let through =
        gb(["strip-libs", "--list", "--no-metadata", "--no-manifest", "--root", "root.tar", "/out"])
            .dir(dir.path())
            .go();
    assert_eq!(through.status, Some(1));
}

#[test]
fn what_only_looks_like_an_image_is_a_root_and_has_no_other_to_choose() {
    let dir = Dir::new();
    for (name, text) in [
        ("repositories", "y"),
        ("manifest.json", r#"[{"Config":"a.json","Layers":[]}]"#),
        ("oci-layout", r#"{"imageLayoutVersion":"1.0.0"}"#),
        ("index.json", "[]"),
    ] {
        fs::create_dir_all(dir.path().join("root/etc")).unwrap();
        dir.file(&format!("root/{name}"), text, 0o644);
    }
    let check = |more: &[&str]| gb([&["strip-libs", "--check", "root"], more].concat()).dir(dir.path());
    assert!(check(&[]).stdout().ends_with("among 5 files find all they need\n"));
    check(&["--platform", "arm64"])
        .fails(125, "open root: it is no image, so there is none to choose (leave out --platform)");
}

#[test]
fn packages_of_an_archive_are_read_or_it_is_told_why_not() {
    let dir = Dir::new();
    let status = "Package: x\nStatus: install ok installed\nArchitecture: all\nVersion: 1\n\n";
    let root = Tar::default()
        .file("etc/os-release", "ID=debian\n")
        .file("opt/x", "x")
        .file("usr/share/doc/x/copyright", "License: MIT\n")
        .file("var/lib/dpkg/info/x.list", "/.\n/opt/x\n")
        .file("var/lib/dpkg/status", status);
    dir.file("root.tar", root.end(), 0o644);
    let take = |out: &str, temporary: &Path| {
        let words = ["strip-libs", "--root", "root.tar", "--rootfs", out, "/opt/x"];
        gb(words).dir(dir.path()).env("TMPDIR", temporary)
    };
    take("out", dir.path()).stdout();
    assert!(dir.path().join("out/var/lib/dpkg/status.d/x").exists());
    assert!(dir.path().join("out/etc/os-release").exists());
    // Without a place to copy the database to it is not as if there was none.
    for nowhere in ["/nonexistent", "/dev/null"] {
        let failed = take("none", Path::new(nowhere)).go();
        assert_eq!(failed.status, Some(125), "{}", failed.stderr);
        assert!(failed.stderr.contains("(TMPDIR names another directory)"), "{}", failed.stderr);
        assert!(!dir.path().join("none").exists());
    }
}
