//! `gb strip-libs` on roots of files that are no programs, and on this machine's own.

use std::fs;
use std::os::unix::fs::{MetadataExt, symlink};
use std::path::Path;

use crate::gb::{Dir, PATH, gb};

/// Writes a file of a root, with the directories above it.
fn put(dir: &Dir, path: &str, contents: impl AsRef<[u8]>, mode: u32) {
    fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
    dir.file(path, contents, mode);
}

#[test]
fn a_time_of_any_year_is_kept_or_set() {
    let dir = Dir::new();
    put(&dir, "root/data", "data", 0o644);
    let file = fs::File::options().write(true).open(dir.path().join("root/data")).unwrap();
    // The year 2400: more nanoseconds since 1970 than 63 bits have.
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(13_569_465_600)).unwrap();
    for (n, epoch) in
        ["", "-5", "1099511627776", "9223372036854775807", "-9223372036854775808"].iter().enumerate()
    {
        let out = format!("out{n}");
        let made =
            gb(["strip-libs", "--root", "root", "--rootfs", &out, "/data"]).env("SOURCE_DATE_EPOCH", epoch);
        made.dir(dir.path()).stdout();
        let time = dir.path().join(&out).join("data").metadata().unwrap().mtime();
        match *epoch {
            "" => assert_eq!(time, 13_569_465_600),
            "-5" => assert_eq!(time, -5),
            _ => {}
        }
    }
}

#[test]
fn a_directory_comes_with_all_that_is_in_it_as_it_is() {
    let dir = Dir::new();
    put(&dir, "root/d/sub/data", "data", 0o644);
    put(&dir, "root/d/module.pm", "#!perl\n", 0o644);
    put(&dir, "root/d/\u{1}\n", "odd", 0o600);
    let at = |name: &str| dir.path().join(name);
    for (link, target) in [
        ("one", "."),
        ("two", "."),
        ("sub/up", ".."),
        ("gone", "nowhere"),
        ("mounts", "/proc/mounts"),
        ("null", "../fifo"),
    ] {
        symlink(target, at("root/d").join(link)).unwrap();
    }
    for fifo in ["root/fifo", "root/d/fifo"] {
        nix::unistd::mkfifo(&at(fifo), nix::sys::stat::Mode::S_IRWXU).unwrap();
    }
    let made = gb(["strip-libs", "--root", "root", "--rootfs", "out", "/d"]).dir(dir.path()).go();
    assert_eq!((made.status, made.stderr.as_str()), (Some(0), "gb: /d/fifo is a FIFO, and left out\n"));
    let mut names: Vec<_> =
        fs::read_dir(at("out/d")).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["\u{1}\n", "gone", "module.pm", "mounts", "null", "one", "sub", "two"]);
    assert_eq!(fs::read_link(at("out/d/mounts")).unwrap().to_str(), Some("/proc/mounts"));
    assert_eq!(fs::read_link(at("out/d/sub/up")).unwrap().to_str(), Some(".."));
    assert!(at("out/d/sub/data").exists());
}

#[test]
fn why_tells_of_what_is_made_as_well() {
    for path in ["/etc/hosts", "/tmp"] {
        let text = gb(["strip-libs", "--with", "base", "--why", path]).go().stdout;
        assert_eq!(text, format!("{path}: is made here, and not of the root\n"));
    }
}

#[test]
fn holes_of_files_stay_holes() {
    let dir = Dir::new();
    put(&dir, "root/sparse", "begin", 0o644);
    let file = fs::File::options().write(true).open(dir.path().join("root/sparse")).unwrap();
    std::os::unix::fs::FileExt::write_all_at(&file, b"middle", 1 << 30).unwrap();
    file.set_len(1 << 36).unwrap();
    // (A checksum would be one of all the zeros as well.)
    let words = ["strip-libs", "--root", "root", "--rootfs", "out", "--no-manifest", "/sparse"];
    gb(words).dir(dir.path()).stdout();
    let made = fs::File::open(dir.path().join("out/sparse")).unwrap();
    let mut text = [0; 6];
    for (at, expected) in [(0, b"begin\0"), (1 << 30, b"middle"), ((1 << 36) - 6, b"\0\0\0\0\0\0")] {
        std::os::unix::fs::FileExt::read_exact_at(&made, &mut text, at).unwrap();
        assert_eq!(&text, expected);
    }
    let stat = made.metadata().unwrap();
    assert_eq!(stat.size(), 1 << 36);
    assert!(stat.blocks() <= file.metadata().unwrap().blocks() + 16, "{} blocks", stat.blocks());
}

#[test]
fn the_output_is_named_in_any_way_but_not_in_what_it_is_made_from() {
    let dir = Dir::new();
    put(&dir, "root/d/data", "data", 0o644);
    let at = |name: &str| dir.path().join(name);
    fs::create_dir_all(at("in/out")).unwrap();
    let made = |here: &str, out: &str| {
        gb(["strip-libs", "--root", at("root").to_str().unwrap(), "--rootfs", out, "/d"]).dir(&at(here))
    };
    for (here, out) in [("in/out", "."), ("in/out", "../out/"), (".", "in/out/.")] {
        made(here, out).stdout();
        assert!(at("in/out/d/data").exists(), "{here} {out}");
        fs::remove_dir_all(at("in/out")).unwrap();
        fs::create_dir(at("in/out")).unwrap();
    }
    made(".", "/").fails(125, "make /: write /: it is the root of this system (name another directory)");
    symlink("in/out", at("link")).unwrap();
    for link in ["link", "link/"] {
        let message = format!("make {link}: write link: it is there, and no directory (remove it)");
        made(".", link).fails(125, &message);
    }
    // A relative path, and one by a link.
    put(&dir, "tool/data", "data", 0o644);
    symlink("tool", at("alias")).unwrap();
    for tool in ["tool", "alias"] {
        let inside = gb(["strip-libs", "--rootfs", "tool/out", tool]).dir(dir.path());
        inside.fails(125, "make tool/out: it is in what it is made from (name another directory)");
    }
}

/// As /etc/mtab is one. (--root / is the only root with a /proc.)
#[test]
fn a_link_into_proc_stays_one() {
    let dir = Dir::new();
    fs::create_dir(dir.path().join("etc")).unwrap();
    symlink("/proc/self/mounts", dir.path().join("etc/mtab")).unwrap();
    let etc = dir.path().join("etc");
    let text = gb(["strip-libs", "--list", etc.to_str().unwrap()]).stdout();
    assert!(text.contains("etc/mtab -> /proc/self/mounts\n"), "{text}");
}

/// A program for a big-endian machine of 64 bits that asks for the loader /lib/ld.so.
const PROGRAM: &[u8] = include_bytes!("../../fuzz/corpus/elf/big64");

fn root() -> tempfile::TempDir {
    let root = tempfile::tempdir().unwrap();
    std::fs::create_dir(root.path().join("bin")).unwrap();
    std::fs::write(root.path().join("bin/prog"), PROGRAM).unwrap();
    root
}

fn strip_libs(root: &Path, words: &[&str]) -> crate::gb::Result {
    gb(["strip-libs", "--root", root.to_str().unwrap()].iter().chain(words)).go()
}

#[test]
fn strip_libs_lists_what_this_very_program_needs_and_why() {
    let result = gb(["strip-libs", "--no-metadata", "--no-manifest", PATH]).go();
    assert_eq!((result.status, result.stderr.as_str()), (Some(0), ""), "{}", result.stdout);
    let program = std::fs::canonicalize(PATH).unwrap();
    let lines: Vec<_> = result.stdout.lines().collect();
    assert!(lines.contains(&program.to_str().unwrap()), "{lines:?}");
    // Each link that is listed is one, and leads there; each file is one.
    for line in &lines {
        match line.split_once(" -> ") {
            Some((link, target)) => assert_eq!(std::fs::read_link(link).unwrap(), Path::new(target)),
            None => assert!(std::fs::symlink_metadata(line).unwrap().is_file(), "{line}"),
        }
    }
    let library = lines.iter().find(|line| line.ends_with("libc.so.6")).unwrap();
    let why = gb(["strip-libs", "--why", library, PATH]).go();
    assert!(why.stdout.contains("asks for libc.so.6"), "{}", why.stdout);
    let why = gb(["strip-libs", "--why", "/etc/passwd", PATH]).go();
    assert_eq!((why.status, why.stdout.as_str()), (Some(1), ""));
}

#[test]
fn strip_libs_says_what_is_missing_and_never_looks_outside_of_the_root() {
    let root = root();
    let result = strip_libs(root.path(), &["/bin/prog"]);
    assert_eq!(result.status, Some(1));
    assert!(
        result.stderr.contains("its loader /lib/ld.so is not there: No such file or directory"),
        "{}",
        result.stderr
    );
    // This machine's own files are not the root's.
    symlink(PATH, root.path().join("bin/outside")).unwrap();
    for name in ["bin/outside", "../../../../../../../bin/sh"] {
        let result = strip_libs(root.path(), &[name]);
        assert_eq!((result.status, result.stdout.as_str()), (Some(1), ""), "{name}: {}", result.stderr);
    }
}

/// What the manifest of a root says of a file.
fn told(root: &Path, path: &str) -> serde_json::Value {
    let manifest = fs::read(root.join("var/lib/gb/manifest.json")).unwrap();
    let manifest: serde_json::Value = serde_json::from_slice(&manifest).unwrap();
    let file = manifest["files"].as_array().unwrap().iter().find(|file| file["path"] == path);
    file.unwrap_or_else(|| panic!("{path}: {manifest}")).clone()
}

fn sha256(text: &str) -> String {
    gb::packages::Digests::of(&mut text.as_bytes(), false).unwrap().sha256
}

#[test]
fn the_manifest_tells_of_each_file_what_it_is_and_why_it_is_there() {
    let dir = Dir::new();
    put(&dir, "root/usr/data/one", "one", 0o644);
    fs::hard_link(dir.path().join("root/usr/data/one"), dir.path().join("root/usr/data/two")).unwrap();
    symlink("usr/data", dir.path().join("root/data")).unwrap();
    let make = |out: &str, more: &[&str]| {
        let words = ["strip-libs", "--root", "root", "--rootfs", out, "--dir", "/data/*"];
        gb(words.iter().chain(more)).dir(dir.path()).go()
    };
    assert_eq!(make("out", &[]).status, Some(0));
    let out = dir.path().join("out");
    for name in ["one", "two"] {
        let file = told(&out, &format!("/usr/data/{name}"));
        assert_eq!(file["sha256"], sha256("one"));
        assert_eq!((file["size"].as_u64(), &file["reason"]), (Some(3), &"matches /data/*".into()), "{file}");
        // The root has no database that would know.
        assert_eq!((&file["source"], &file["packages"]), (&file["path"], &serde_json::Value::Null), "{file}");
    }
    assert_eq!(told(&out, "/data")["link"], "usr/data");
    let with_none = make("none", &["--no-manifest"]);
    assert!(with_none.status == Some(0) && !dir.path().join("none/var").exists());
    // A list has it as well, and two runs make the same.
    let list = gb(["strip-libs", "--root", "root", "--list", "/data"]).dir(dir.path()).stdout();
    assert!(list.contains("\n/var/lib/gb/manifest.json\n"), "{list}");
    make("again", &[]);
    let text = |out: &str| fs::read(dir.path().join(out).join("var/lib/gb/manifest.json")).unwrap();
    assert_eq!(text("out"), text("again"));
}

#[test]
fn the_manifest_stays_true_when_a_root_is_added_to() {
    let dir = Dir::new();
    for name in ["one", "two", "three"] {
        put(&dir, &format!("root/{name}"), name, 0o644);
    }
    put(&dir, "out/mine", "mine", 0o644);
    let add = |words: &[&str]| {
        gb(["strip-libs", "--root", "root", "--rootfs", "out", "--merge"].iter().chain(words))
            .dir(dir.path())
            .go()
    };
    let out = dir.path().join("out");
    assert_eq!(add(&["/one", "/two"]).status, Some(0));
    // It is somebody else's now, and says so.
    dir.file("out/two", "changed", 0o644);
    let added = add(&["--sbom", "cyclonedx", "/three"]);
    assert_eq!((added.status, added.stderr.as_str()), (Some(0), ""));
    for (path, text, reason, source) in [
        ("/mine", "mine", "was there before", None),
        ("/one", "one", "asked for", Some("/one")),
        ("/two", "changed", "was there before", None),
        ("/three", "three", "asked for", Some("/three")),
    ] {
        let file = told(&out, path);
        assert_eq!((&file["sha256"], &file["reason"]), (&sha256(text).into(), &reason.into()), "{file}");
        assert_eq!(file["source"].as_str(), source, "{file}");
    }
    // An SBOM that is there is kept true, and nothing is left behind that is not.
    assert_eq!(add(&["/two"]).status, Some(0));
    assert_eq!(told(&out, "/two")["reason"], "asked for");
    let sbom = fs::read_to_string(out.join("var/lib/db/sbom/rootfs.cdx.json")).unwrap();
    assert!(sbom.contains(&sha256("two")) && !sbom.contains(&sha256("changed")), "{sbom}");
    let before = fs::read(out.join("var/lib/gb/manifest.json")).unwrap();
    for (option, document) in
        [("--no-manifest", "var/lib/gb/manifest.json"), ("--no-metadata", "var/lib/db/sbom/rootfs.cdx.json")]
    {
        let refused = add(&[option, "/one"]);
        let expected =
            format!("gb: add to out/{document}: it would not be true (remove it, or leave out {option})\n");
        assert_eq!((refused.status, refused.stderr), (Some(125), expected));
    }
    dir.file("out/var/lib/gb/manifest.json", "{}", 0o644);
    let refused = add(&["/one"]);
    let expected = "gb: add to out: read the package database /var/lib/gb/manifest.json: not a manifest";
    assert!(refused.status == Some(125) && refused.stderr.starts_with(expected), "{}", refused.stderr);
    dir.file("out/var/lib/gb/manifest.json", before, 0o644);
    assert_eq!(fs::read_dir(dir.path()).unwrap().count(), 2, "root and out");
}

#[test]
fn an_sbom_is_asked_for_by_its_name_and_not_without_packages() {
    let dir = Dir::new();
    put(&dir, "root/one", "one", 0o644);
    let make = |words: &[&str]| {
        gb(["strip-libs", "--root", "root", "--rootfs", "out", "/one"].iter().chain(words))
            .dir(dir.path())
            .go()
    };
    for words in [&["--sbom", "spdx", "--no-metadata"][..], &["--sbom", "other"]] {
        let refused = make(words);
        assert_eq!(refused.status, Some(125), "{}", refused.stderr);
        assert!(!dir.path().join("out").exists());
    }
    let made = make(&["--sbom", "spdx,cyclonedx", "--no-manifest"]);
    assert_eq!((made.status, made.stderr.as_str()), (Some(0), ""));
    let names: Vec<_> = fs::read_dir(dir.path().join("out/var/lib/db/sbom")).unwrap().collect();
    assert_eq!(names.len(), 2);
    assert!(!dir.path().join("out/var/lib/gb").exists());
}

#[test]
fn a_root_that_is_added_to_has_the_same_times_each_time() {
    let dir = Dir::new();
    for file in ["root/usr/one", "root/usr/share/two"] {
        put(&dir, file, "data", 0o644);
    }
    let times = |out: &str, epoch: &str| {
        let at = dir.path().join(out);
        for file in ["/usr/one", "/usr/share/two"] {
            let made = gb(["strip-libs", "--root", "root", "--rootfs", out, "--merge", file]);
            made.dir(dir.path()).env("SOURCE_DATE_EPOCH", epoch).stdout();
        }
        ["", "usr", "usr/share", "var", "var/lib/gb"].map(|path| at.join(path).metadata().unwrap().mtime())
    };
    assert_eq!(times("epoch", "5"), [5; 5]);
    assert_eq!(times("one", ""), times("two", ""));
}
