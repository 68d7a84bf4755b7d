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
    gb(["strip-libs", "--root", "root", "--rootfs", "out", "/sparse"]).dir(dir.path()).stdout();
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
    assert!(text.ends_with("etc/mtab -> /proc/self/mounts\n"), "{text}");
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
    let result = gb(["strip-libs", "--no-metadata", PATH]).go();
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
