//! `gb verify` on files that are made for the tests, and on this machine's own.

use std::fs;
use std::os::unix::fs::symlink;
use std::path::Path;

use serde_json::Value;

use crate::gb::{Call, Dir, PATH, gb, sh};
use crate::platform::{ElfClass, ElfData, Platform};
use crate::sample::Sample;

const NEEDED: u64 = 1;
const SONAME: u64 = 14;
const RUNPATH: u64 = 29;

/// A program for a port of Go's.
fn program(goarch: &str) -> Sample {
    let platform = Platform::by_goarch(goarch).unwrap();
    Sample {
        machine: platform.elf.machine,
        flags: platform.elf.flags,
        interpreter: Some(platform.default_abi().loader),
        names: vec![(NEEDED, "libc.so.6".to_owned())],
        needed: vec![("libc.so.6", vec![("GLIBC_2.34", false)])],
        symbols: vec![("__libc_start_main", 2, false)],
        ..Sample::new(platform.elf.class, platform.elf.data)
    }
}

/// A library of this name that needs nothing.
fn library(goarch: &str, soname: &str) -> Sample {
    Sample {
        interpreter: None,
        names: vec![(SONAME, soname.to_owned())],
        needed: Vec::new(),
        symbols: Vec::new(),
        ..program(goarch)
    }
}

/// An object that is to be linked.
fn object(goarch: &str) -> Vec<u8> {
    Sample { kind: 1, interpreter: None, ..library(goarch, "") }.bytes()
}

/// Writes a file of a root, with the directories above it.
fn put(dir: &Dir, path: &str, contents: impl AsRef<[u8]>) {
    fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
    dir.file(path, contents, 0o755);
}

fn verify(dir: &Dir, words: &[&str]) -> Call {
    gb(["verify"].iter().chain(words)).dir(dir.path())
}

/// The exit code and standard output of a call that says nothing else.
#[track_caller]
fn said(dir: &Dir, words: &[&str]) -> (i32, String) {
    let result = verify(dir, words).go();
    assert_eq!(result.stderr, "", "{words:?}");
    (result.status.unwrap(), result.stdout)
}

#[track_caller]
fn json(dir: &Dir, words: &[&str]) -> Value {
    let result = verify(dir, words).go();
    serde_json::from_str(&result.stdout).unwrap_or_else(|error| panic!("{error}: {}", result.stdout))
}

/// A root with a loader, and a C library of one version.
fn root(dir: &Dir, goarch: &str, version: &'static str) {
    let platform = Platform::by_goarch(goarch).unwrap();
    let loader = platform.default_abi().loader;
    let texts = b"\0/etc/ld.so.cache\0glibc-hwcaps/\0/lib64/\0/usr/lib64/\0";
    let own = library(goarch, loader.rsplit('/').next().unwrap()).bytes();
    put(dir, &format!("root{loader}"), [own.as_slice(), texts].concat());
    let libc = Sample { defined: vec!["libc.so.6", version], ..library(goarch, "libc.so.6") };
    put(dir, "root/lib64/libc.so.6", libc.bytes());
}

#[test]
fn a_good_file_is_a_line_with_what_matters() {
    let dir = Dir::new();
    put(&dir, "prog", program("amd64").bytes());
    put(&dir, "static", Sample { interpreter: None, names: vec![], kind: 2, ..program("s390x") }.bytes());
    put(&dir, "object.o", object("riscv64"));
    assert_eq!(
        said(&dir, &["prog", "static", "object.o"]),
        (
            0,
            "prog: linux/amd64 program for /lib64/ld-linux-x86-64.so.2, GLIBC_2.34\n\
             static: linux/s390x static program, GLIBC_2.34\nobject.o: linux/riscv64 object\n"
                .to_owned()
        )
    );
    // This program itself, too.
    let own = format!("{PATH}: linux/{} ", Platform::host().unwrap().goarch);
    let result = gb(["verify", PATH]).stdout();
    assert!(result.starts_with(&own) && result.lines().count() == 1, "{result}");
}

#[test]
fn every_spelling_of_a_platform_is_taken() {
    let dir = Dir::new();
    put(&dir, "prog", program("arm64").bytes());
    for platform in ["arm64", "aarch64", "linux/arm64", "linux/arm64/v8", "aarch64-linux-gnu", "any"] {
        assert_eq!(said(&dir, &["--platform", platform, "prog"]).0, 0, "{platform}");
    }
    for platform in ["amd64/v3", "x86_64", "linux/arm/v7", "ppc64el"] {
        assert_eq!(said(&dir, &["--platform", platform, "prog"]).0, 1, "{platform}");
    }
    assert_eq!(
        said(&dir, &["--platform", "amd64", "prog"]),
        (1, "prog: is for linux/arm64, not for linux/amd64 (build it with GOARCH=amd64)\n".to_owned())
    );
    assert_eq!(verify(&dir, &["--platform", "arm65", "prog"]).go().status, Some(125));
    // What the environment says is the target of the build at hand.
    for (name, value) in [("GOARCH", "amd64"), ("ARCH", "amd64"), ("TARGETPLATFORM", "linux/amd64")] {
        assert_eq!(verify(&dir, &["prog"]).env(name, value).go().status, Some(1), "{name}");
    }
    assert_eq!(verify(&dir, &["prog"]).env("GOARCH", "arm64").go().status, Some(0));
    assert_eq!(verify(&dir, &["prog"]).env("GOOS", "windows").go().status, Some(0));
}

#[test]
fn exit_codes_tell_findings_from_what_is_degraded_and_what_could_not_be_looked_at() {
    let dir = Dir::new();
    put(&dir, "good", program("amd64").bytes());
    let names = vec![(NEEDED, "libc.so.6".to_owned()), (RUNPATH, "/home/me/lib".to_owned())];
    put(&dir, "degraded", Sample { names, ..program("amd64") }.bytes());
    put(&dir, "wrong", program("arm64").bytes());
    let code = |words: &[&str]| verify(&dir, &[&["--platform", "amd64"], words].concat()).go().status;
    assert_eq!(code(&["good"]), Some(0));
    assert_eq!(code(&["good", "degraded"]), Some(2));
    assert_eq!(code(&["good", "degraded", "wrong"]), Some(1));
    assert_eq!(code(&["good", "gone"]), Some(125));
    assert_eq!(code(&["degraded", "gone"]), Some(125));
    // A finding is one, whatever else there may be.
    assert_eq!(code(&["wrong", "gone"]), Some(1));
    verify(&dir, &["gone"]).fails(125, "look at gone: No such file or directory (os error 2)");
    assert_eq!(gb(["verify"]).go().status, Some(125));
    verify(&dir, &["--glibc", "new", "good"]).fails(
        125,
        "--glibc: \"new\" is no version (2.34, or several: 2.34,GLIBCXX_3.4.29,CXXABI_1.3.13,GCC_12.0.0)",
    );
}

#[test]
fn nothing_to_look_at_is_no_success() {
    let dir = Dir::new();
    put(&dir, "empty/data", "no ELF file");
    put(&dir, "text", "no ELF file");
    fs::set_permissions(dir.path().join("text"), std::os::unix::fs::PermissionsExt::from_mode(0o644))
        .unwrap();
    fs::create_dir(dir.path().join("none")).unwrap();
    verify(&dir, &["empty"])
        .fails(125, "verify empty: there is no ELF file or archive to look at among 1 files");
    verify(&dir, &["none", "text"])
        .fails(125, "verify none text: there is no ELF file or archive to look at among 1 files");
    assert_eq!(verify(&dir, &["--json", "none"]).go().stdout, "");
}

#[test]
fn a_directory_is_looked_through_and_links_are_not_followed_out_of_it() {
    let dir = Dir::new();
    put(&dir, "outside/bad", program("arm64").bytes());
    put(&dir, "bin/sub/prog", program("amd64").bytes());
    put(&dir, "bin/script.sh", "#!/bin/sh\n");
    put(&dir, "bin/text", "text");
    put(&dir, "bin/empty", "");
    for (link, target) in [
        ("bin/dir", "../outside"),
        ("bin/file", "../outside/bad"),
        ("bin/loop", "."),
        ("bin/same", "sub/prog"),
    ] {
        symlink(target, dir.path().join(link)).unwrap();
    }
    fs::hard_link(dir.path().join("bin/sub/prog"), dir.path().join("bin/hard")).unwrap();
    nix::unistd::mkfifo(&dir.path().join("bin/fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    assert_eq!(
        said(&dir, &["--platform", "amd64", "bin"]),
        (
            0,
            "bin/hard: linux/amd64 program for /lib64/ld-linux-x86-64.so.2, GLIBC_2.34\n\
             files: 1 good, 3 of other kinds passed over\n"
                .to_owned()
        )
    );
    // What is named is looked at, also by a link; a FIFO is none to wait for.
    assert_eq!(said(&dir, &["--platform", "amd64", "bin/file"]).0, 1);
    verify(&dir, &["bin/fifo"]).fails(125, "look at bin/fifo: not a regular file");
    verify(&dir, &["/dev/null"]).fails(125, "look at /dev/null: not a regular file");
}

#[test]
fn what_is_named_and_is_no_elf_file_is_told() {
    let dir = Dir::new();
    put(&dir, "prog", program("amd64").bytes());
    put(&dir, "run.sh", "#!/bin/sh\n");
    put(&dir, "windows.exe", "MZ....");
    put(&dir, "mac", b"\xcf\xfa\xed\xfe....");
    dir.file("README", "text", 0o644);
    assert_eq!(
        said(&dir, &["prog", "run.sh", "windows.exe", "mac", "README"]),
        (0, "prog: linux/amd64 program for /lib64/ld-linux-x86-64.so.2, GLIBC_2.34\nrun.sh: passed over: a script\n\
             windows.exe: passed over: a program for Windows\nmac: passed over: a program for macOS\n\
             README: passed over: no ELF file or archive\n".to_owned())
    );
    // Of what is built for Windows that is all that there is to say.
    verify(&dir, &["windows.exe"]).env("GOOS", "windows").env("GOARCH", "amd64").fails(
        125,
        "verify windows.exe: there is no ELF file or archive to look at among 1 files (gb does not look into programs for \
         Windows)",
    );
    verify(&dir, &["--platform", "windows/amd64", "prog"])
        .fails(125, "verify: --platform asks for windows, gb looks at programs of linux (--platform any)");
    put(&dir, "empty", "");
    put(&dir, "pointer", "version https://git-lfs.github.com/spec/v1\n");
    assert_eq!(
        said(&dir, &["--platform", "amd64", "empty", "pointer", "windows.exe"]),
        (
            1,
            "empty: is empty\npointer: is executable, and neither a program nor a script\n\
             windows.exe: is a program for Windows, not for linux/amd64\n"
                .to_owned()
        )
    );
}

#[test]
fn hostile_files_end_in_a_line() {
    let dir = Dir::new();
    let whole = program("amd64").bytes();
    put(&dir, "cut", &whole[..whole.len() / 2]);
    put(&dir, "short", &whole[..20]);
    let mut huge = whole.clone();
    // e_phnum, and e_phoff beyond the end.
    huge[56..58].fill(0xff);
    put(&dir, "segments", &huge);
    put(&dir, "odd\n\u{1b}[2J\u{9b}", &whole);
    fs::write(dir.path().join("sparse"), b"!<arch>\n").unwrap();
    fs::File::options().write(true).open(dir.path().join("sparse")).unwrap().set_len(1 << 42).unwrap();
    assert_eq!(
        said(&dir, &["cut", "short", "segments", "sparse", "odd\n\u{1b}[2J\u{9b}"]),
        (1, "cut: is damaged: its table of segments lies outside of the file\nshort: is damaged: the file is too short\n\
             segments: is damaged: its table of segments lies outside of the file\n\
             sparse: is damaged at byte 8: there is no member's header\n\
             odd\\n\\u{1b}[2J\\u{9b}: linux/amd64 program for /lib64/ld-linux-x86-64.so.2, GLIBC_2.34\n".to_owned())
    );
    // A sparse ELF file of many terabytes of data to look through.
    let mut sparse = Sample { written: vec![1; 16], ..program("amd64") }.bytes();
    let segment = 64 + 56 * 2;
    assert_eq!(sparse[segment..segment + 8], [1, 0, 0, 0, 6, 0, 0, 0]);
    sparse[segment + 32..segment + 40].copy_from_slice(&(1u64 << 42).to_le_bytes());
    put(&dir, "data", &sparse);
    fs::File::options().write(true).open(dir.path().join("data")).unwrap().set_len(1 << 43).unwrap();
    assert_eq!(said(&dir, &["data"]).0, 0);
}

#[test]
fn a_newer_version_than_there_may_be_is_told_with_the_symbol() {
    let dir = Dir::new();
    let newer = Sample {
        needed: vec![("libc.so.6", vec![("GLIBC_2.34", false), ("GLIBC_2.38", false)])],
        symbols: vec![("strlcpy", 3, false)],
        ..program("amd64")
    };
    put(&dir, "prog", newer.bytes());
    assert_eq!(
        said(&dir, &["--glibc", "2.36", "prog"]),
        (
            1,
            "prog: asks for GLIBC_2.38 (strlcpy), and GLIBC_2.36 is the newest that it may \
             (build it in the go-build image, or on a system as old as that)\n"
                .to_owned()
        )
    );
    assert_eq!(said(&dir, &["--glibc", "2.38", "prog"]).0, 0);
    assert_eq!(
        said(&dir, &["--static", "prog"]).1,
        "prog: is not static: it asks for libc.so.6 (link it with -static)\n"
    );
}

#[test]
fn a_file_is_looked_at_as_if_it_stood_in_a_root_of_any_architecture() {
    for goarch in ["amd64", "s390x", "ppc64le", "arm64"] {
        let dir = Dir::new();
        root(&dir, goarch, "GLIBC_2.34");
        let newer = Sample {
            needed: vec![("libc.so.6", vec![("GLIBC_2.38", false)])],
            symbols: vec![("strlcpy", 2, false)],
            ..program(goarch)
        };
        put(&dir, "old", program(goarch).bytes());
        put(&dir, "new", newer.bytes());
        assert_eq!(said(&dir, &["--against", "root", "old"]).0, 0, "{goarch}");
        assert_eq!(
            said(&dir, &["--against", "root", "new"]),
            (
                1,
                "new: misses version GLIBC_2.38 (asked for by strlcpy): it is not in /lib64/libc.so.6\n"
                    .to_owned()
            )
        );
        let missing = Sample {
            names: vec![(NEEDED, "libgone.so".to_owned())],
            needed: vec![],
            symbols: vec![],
            ..program(goarch)
        };
        put(&dir, "missing", missing.bytes());
        let (code, text) = said(&dir, &["--against", "root", "missing"]);
        assert_eq!(code, 1);
        assert!(
            text.starts_with("missing: misses libgone.so: not found; looked in ") && text.contains("/lib64/"),
            "{text}"
        );
    }
    let dir = Dir::new();
    let of_musl = |name: &str| Sample {
        interpreter: Some("/lib/ld-musl-x86_64.so.1"),
        names: vec![(NEEDED, "libc.musl-x86_64.so.1".to_owned()), (NEEDED, name.to_owned())],
        // musl asks for no versions.
        ..program("amd64")
    };
    put(&dir, "root/lib/ld-musl-x86_64.so.1", library("amd64", "").bytes());
    put(&dir, "root/usr/lib/libz.so.1", library("amd64", "libz.so.1").bytes());
    put(&dir, "has", of_musl("libz.so.1").bytes());
    put(&dir, "lacks", of_musl("libx.so.1").bytes());
    let (code, text) = said(&dir, &["--against", "root", "has", "lacks"]);
    assert_eq!((code, text.lines().count()), (1, 2), "{text}");
    assert!(text.contains("\nlacks: misses libx.so.1: not found; looked in "), "{text}");
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    put(&dir, "other", program("arm64").bytes());
    let (code, text) = said(&dir, &["--against", "root", "other"]);
    assert_eq!(
        (code, text.as_str()),
        (
            1,
            "other: misses what is needed: its loader /lib/ld-linux-aarch64.so.1 is not there: No such file or directory\n"
        )
    );
    dir.file("text.tar", "text", 0o644);
    let result = verify(&dir, &["--against", "text.tar", "other"]).go();
    assert_eq!((result.status, result.stdout.as_str()), (Some(125), ""));
    assert!(result.stderr.starts_with("gb: open text.tar: ") && result.stderr.lines().count() == 1);
    verify(&dir, &["--against", "gone", "other"])
        .fails(125, "open gone: No such file or directory (os error 2)");
}

#[test]
fn an_image_that_is_an_archive_is_a_root_as_well() {
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    put(&dir, "root/usr/bin/prog", program("amd64").bytes());
    sh("tar -cf export.tar -C root .").dir(dir.path()).stdout();
    put(&dir, "old", program("amd64").bytes());
    let newer = Sample { needed: vec![("libc.so.6", vec![("GLIBC_2.38", false)])], ..program("amd64") };
    put(&dir, "new", newer.bytes());
    for place in ["root", "export.tar"] {
        assert_eq!(said(&dir, &["--against", place, "old"]).0, 0, "{place}");
        let (code, text) = said(&dir, &["--against", place, "new"]);
        assert_eq!(code, 1, "{place}");
        assert!(text.starts_with("new: misses version GLIBC_2.38 "), "{text}");
        assert_eq!(
            said(&dir, &["--image-root", place]),
            (
                0,
                format!(
                    "{place}: 3 programs and libraries for linux/amd64 among 6 files find all they need\n"
                )
            )
        );
    }
}

#[test]
fn files_that_are_looked_at_together_see_each_other_where_they_are_to_stand() {
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    let asking = |path: &str| Sample {
        names: vec![
            (NEEDED, "libmine.so".to_owned()),
            (NEEDED, "libc.so.6".to_owned()),
            (RUNPATH, path.to_owned()),
        ],
        ..program("amd64")
    };
    let library = library("amd64", "libmine.so");
    put(&dir, "bin/prog", asking("$ORIGIN/../lib").bytes());
    put(&dir, "lib/libmine.so", library.bytes());
    let code = |words: &[&str]| said(&dir, &[&["--against", "root"], words].concat()).0;
    // As they are named both would be in one directory.
    assert_eq!(code(&["bin/prog"]), 1);
    assert_eq!(code(&["bin/prog", "lib/libmine.so"]), 1);
    put(&dir, "beside", asking("$ORIGIN").bytes());
    assert_eq!(code(&["beside", "lib/libmine.so"]), 0);
    // Below a directory they are as they are there.
    put(&dir, "out/bin/prog", asking("$ORIGIN/../lib").bytes());
    put(&dir, "out/lib/libmine.so", library.bytes());
    assert_eq!(code(&["--at", "/opt/app", "out"]), 0);
    assert_eq!(code(&["--at", "/usr", "out/bin/prog"]), 1);
    put(&dir, "root/usr/lib/libmine.so", library.bytes());
    assert_eq!(code(&["--at", "/usr/bin", "out/bin/prog"]), 0);
    // What is in the root stands where it is.
    put(&dir, "root/opt/bin/prog", asking("$ORIGIN/../lib").bytes());
    assert_eq!(code(&["root/opt/bin/prog"]), 1);
    put(&dir, "root/opt/lib/libmine.so", library.bytes());
    assert_eq!(code(&["root/opt/bin/prog", "root/opt/lib"]), 0);
}

#[test]
fn json_has_everything_under_a_schema() {
    let dir = Dir::new();
    put(&dir, "prog", program("amd64").bytes());
    put(&dir, "script", "#!/bin/sh\n");
    let all = json(&dir, &["--json", "--platform", "amd64/v3", "prog", "script"]);
    assert_eq!(
        (&all["schema"], &all["platform"], &all["variant"]),
        (&1.into(), &"linux/amd64".into(), &"GOAMD64=v3".into())
    );
    assert_eq!((&all["good"], &all["passed_over"], &all["not_looked_at"]), (&1.into(), &1.into(), &0.into()));
    let file = &all["files"][0];
    assert_eq!(
        (&file["path"], &file["kind"], &file["needed"][0]),
        (&"prog".into(), &"program".into(), &"libc.so.6".into())
    );
    assert_eq!(file["elf"]["class"], "ELF64");
    assert_eq!(file["versions"][0]["symbols"][0]["name"], "__libc_start_main");
    assert_eq!(file["highest"]["GLIBC"], "2.34");
    assert_eq!(file["findings"], Value::Array(vec![]));
    assert_eq!(all["files"][1]["kind"], "script");
    let all = json(&dir, &["--json", "--static", "prog"]);
    let finding = &all["files"][0]["findings"][0];
    assert_eq!(
        (&finding["code"], &finding["level"], &finding["remedy"]),
        (&"dynamic".into(), &"finding".into(), &"link it with -static".into())
    );
}

/// A member of an archive.
fn member(name: &str, contents: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, contents.len()).into_bytes();
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(2), b'\n');
    bytes
}

#[test]
fn a_mixed_archive_names_a_few_of_its_members_and_json_all() {
    let dir = Dir::new();
    let mut archive = b"!<arch>\n".to_vec();
    archive.extend(member("own.o/", &object("amd64")));
    for n in 0..30 {
        archive.extend(member(&format!("m{n}.o/"), &object("arm64")));
    }
    put(&dir, "lib.a", archive);
    assert_eq!(
        said(&dir, &["lib.a"]).1,
        "lib.a: member own.o is for linux/amd64, and most objects of the archive are for linux/arm64\n"
    );
    let (code, text) = said(&dir, &["--platform", "amd64", "lib.a"]);
    assert_eq!((code, text.lines().count()), (1, 21));
    assert!(text.starts_with("lib.a: member m0.o is for linux/arm64, not for linux/amd64 (build"), "{text}");
    assert!(text.ends_with("lib.a: so it is with 10 more members (--json names them)\n"), "{text}");
    let all = json(&dir, &["--json", "--platform", "amd64", "lib.a"]);
    assert_eq!(all["files"][0]["findings"].as_array().unwrap().len(), 30);
    assert_eq!(all["files"][0]["members"][0]["platform"], "linux/amd64");
}

#[test]
fn the_files_of_a_thin_archive_are_looked_at_where_they_are() {
    let dir = Dir::new();
    put(&dir, "a/sub/there.o", object("arm64"));
    let names = "sub/there.o/\nsub/gone.o/\n../fifo/\n";
    let mut archive = b"!<thin>\n".to_vec();
    archive.extend(member("//", names.as_bytes()));
    for place in ["/0", "/13", "/25"] {
        archive.extend(member(place, &[0; 100]).into_iter().take(60));
    }
    nix::unistd::mkfifo(&dir.path().join("fifo"), nix::sys::stat::Mode::S_IRWXU).unwrap();
    put(&dir, "a/lib.a", archive);
    assert_eq!(
        said(&dir, &["--platform", "amd64", "a/lib.a"]),
        (
            1,
            "a/lib.a: member sub/gone.o can't be read: No such file or directory (os error 2)\n\
             a/lib.a: member ../fifo can't be read: not a regular file\n\
             a/lib.a: is for linux/arm64, not for linux/amd64 (build it with GOARCH=amd64)\n"
                .to_owned()
        )
    );
}

#[test]
fn a_whole_root_is_for_one_machine_and_finds_all_it_needs() {
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    put(&dir, "root/usr/bin/prog", program("amd64").bytes());
    assert_eq!(
        said(&dir, &["--image-root", "root"]),
        (0, "root: 3 programs and libraries for linux/amd64 among 6 files find all they need\n".to_owned())
    );
    // Where files of other machines belong they are let be.
    for path in
        ["usr/lib/firmware/dsp.so", "usr/aarch64-linux-gnu/lib/libx.so", "usr/lib/debug/libc.so.6.debug"]
    {
        put(&dir, &format!("root/{path}"), library("arm64", "libx.so").bytes());
    }
    assert_eq!(said(&dir, &["--image-root", "root"]).0, 0);
    put(&dir, "root/usr/bin/other", program("arm64").bytes());
    put(
        &dir,
        "root/usr/bin/missing",
        Sample { names: vec![(NEEDED, "libgone.so".to_owned())], ..program("amd64") }.bytes(),
    );
    symlink("gone", dir.path().join("root/lib64/liblink.so.1")).unwrap();
    let (code, text) = said(&dir, &["--image-root", "root"]);
    assert_eq!((code, text.lines().count()), (1, 4), "{text}");
    assert!(text.starts_with("/usr/bin/other: is for linux/arm64, not for linux/amd64\n"), "{text}");
    assert!(text.contains("/lib64/liblink.so.1: misses what the link leads to: "), "{text}");
    assert!(text.contains("/usr/bin/missing: misses libgone.so: not found; looked in "), "{text}");
    assert_eq!(said(&dir, &["--image-root", "root", "--platform", "arm64"]).0, 1);
    let all = json(&dir, &["--json", "--image-root", "root"]);
    assert_eq!((&all["schema"], &all["platform"]), (&1.into(), &"linux/amd64".into()));
    assert_eq!(all["findings"].as_array().unwrap().len(), 4);
    fs::create_dir(dir.path().join("none")).unwrap();
    verify(&dir, &["--image-root", "none"]).fails(125, "verify none: there is no program or library in it");
    verify(&dir, &["--image-root", "gone"]).fails(125, "open gone: No such file or directory (os error 2)");
}

#[test]
fn a_reader_that_goes_away_ends_it_quietly() {
    let dir = Dir::new();
    for n in 0..2000 {
        dir.file(&format!("p{n}"), program("amd64").bytes(), 0o755);
    }
    // Sixty-five thousand bytes and more, of which nobody reads the most.
    let result = sh("{ \"$GB\" verify --json .; echo \"exit code $?\" >&2; } | head -c 100 >/dev/null")
        .dir(dir.path())
        .go();
    assert_eq!(result.stderr, "exit code 141\n");
}

/// What is written of a program of each layout is there for every one of them.
#[test]
fn programs_of_every_class_and_byte_order_are_read() {
    let dir = Dir::new();
    for (n, (class, data)) in [
        (ElfClass::Elf32, ElfData::Little),
        (ElfClass::Elf32, ElfData::Big),
        (ElfClass::Elf64, ElfData::Little),
        (ElfClass::Elf64, ElfData::Big),
    ]
    .into_iter()
    .enumerate()
    {
        let sample = Sample {
            machine: crate::platform::Machine(2),
            interpreter: Some("/lib/ld.so"),
            ..Sample::new(class, data)
        };
        let name = format!("p{n}");
        put(&dir, &name, sample.bytes());
        let (code, text) = said(&dir, &["--platform", "any", &name]);
        assert_eq!(code, 0);
        assert!(
            text.starts_with(&format!("{name}: machine 2 (")) && text.ends_with("program for /lib/ld.so\n"),
            "{text}"
        );
        assert!(Path::new(dir.path()).join(&name).exists());
    }
}

/// The words in backquotes of a text.
fn quoted(text: &str) -> Vec<&str> {
    text.split('`').skip(1).step_by(2).collect()
}

#[test]
fn every_code_and_every_field_of_the_json_is_documented() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let documented = fs::read_to_string(root.join("docs/verify.md")).unwrap();
    let codes = documented.split("\nCodes: ").nth(1).unwrap().split("\n\n").next().unwrap();
    let mut documented_codes = quoted(codes);
    documented_codes.sort_unstable();
    let mut sources = String::new();
    for dir in ["src/verify", "src/cli/verify"] {
        for file in fs::read_dir(root.join(dir)).unwrap() {
            sources.push_str(&fs::read_to_string(file.unwrap().path()).unwrap());
        }
    }
    let made = ["Finding::new(\"", "Finding::degraded(\""]
        .map(|start| sources.split(start).skip(1).collect::<Vec<_>>());
    let mut codes: Vec<_> = made.iter().flatten().map(|rest| rest.split('"').next().unwrap()).collect();
    codes.sort_unstable();
    codes.dedup();
    assert_eq!(documented_codes, codes);

    let dir = Dir::new();
    put(&dir, "prog", program("amd64").bytes());
    put(&dir, "lib.a", [&b"!<arch>\n"[..], &member("own.o/", &object("amd64"))].concat());
    let all = json(&dir, &["--json", "prog", "lib.a"]);
    let fields = |value: &Value| value.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    let words = quoted(&documented);
    for field in
        [fields(&all["files"][0]), fields(&all["files"][1]), fields(&all["files"][1]["members"][0])].concat()
    {
        assert!(words.contains(&field.as_str()), "{field} is not documented");
    }
}

/// Where in a program's table of sections its largest section of code is.
fn code_section(own: &[u8]) -> usize {
    let word = |at: usize| u64::from_ne_bytes(own[at..at + 8].try_into().unwrap()) as usize;
    let count = usize::from(u16::from_ne_bytes(own[60..62].try_into().unwrap()));
    let sections = (0..count).map(|number| word(40) + number * 64);
    // SHF_ALLOC and SHF_EXECINSTR.
    sections.filter(|at| word(at + 8) == 6).max_by_key(|at| word(at + 32)).unwrap()
}

#[test]
fn a_file_of_which_a_part_is_missing_is_damaged() {
    let dir = Dir::new();
    // What is loaded ends before what debuggers read.
    let mut half = Sample { interpreter: None, names: vec![], written: vec![1; 4096], ..program("amd64") };
    half.needed.clear();
    half.symbols.clear();
    let segment = 64 + 56;
    let mut half = half.bytes();
    half[segment + 32..segment + 40].copy_from_slice(&(1u64 << 20).to_le_bytes());
    put(&dir, "half", &half);
    let own = fs::read(PATH).unwrap();
    put(&dir, "own", &own[..own.len() / 20]);
    // e_shoff beyond what is there, of an object that has sections.
    let mut cut = object("amd64");
    cut[40..48].copy_from_slice(&4096u64.to_le_bytes());
    cut[58..62].copy_from_slice(&[64, 0, 3, 0]);
    put(&dir, "cut.o", &cut);
    let members = [member("ok.o/", &object("amd64")), member("cut.o/", &cut)].concat();
    put(&dir, "cut.a", [&b"!<arch>\n"[..], &members].concat());
    assert_eq!(
        said(&dir, &["half", "cut.o", "cut.a"]),
        (
            1,
            "half: is damaged: part of what is loaded lies outside of the file\n\
             cut.o: is damaged: its table of sections lies outside of the file\n\
             cut.a: member cut.o is damaged: its table of sections lies outside of the file\n"
                .to_owned()
        )
    );
    let (code, text) = said(&dir, &["own"]);
    assert!(code == 1 && text.starts_with("own: is damaged: "), "{text}");
    // An offset that no file can have.
    let mut huge = program("amd64").bytes();
    let segment = 64 + 56;
    huge[segment + 8..segment + 16].copy_from_slice(&(1u64 << 63).to_le_bytes());
    put(&dir, "huge", &huge);
    let (code, text) = said(&dir, &["huge"]);
    assert!(code == 1 && text.starts_with("huge: is damaged: "), "{text}");
}

#[test]
fn a_program_is_no_debug_information_for_what_one_section_says() {
    let dir = Dir::new();
    let mut own = fs::read(PATH).unwrap();
    let at = code_section(&own);
    own[at + 4..at + 8].copy_from_slice(&8u32.to_ne_bytes());
    put(&dir, "prog", &own);
    let (code, text) = said(&dir, &["prog"]);
    assert!(code == 0 && text.contains(" program"), "{text}");
    // It is if the file has nothing of what is loaded (`eu-strip -f`), or if there is nothing to load (dwz).
    let word = |own: &[u8], at: usize| u64::from_ne_bytes(own[at..at + 8].try_into().unwrap()) as usize;
    let (table, count) = (word(&own, 40), usize::from(u16::from_ne_bytes(own[60..62].try_into().unwrap())));
    let places = (0..count).map(|number| table + number * 64);
    for at in places.clone() {
        if word(&own, at + 8) & 2 != 0 {
            own[at + 4..at + 8].copy_from_slice(&8u32.to_ne_bytes());
        }
    }
    put(&dir, "prog", &own);
    assert!(said(&dir, &["prog"]).1.ends_with(" debug information\n"));
    for at in places {
        own[at + 8..at + 16].fill(0);
    }
    own[56..58].fill(0);
    put(&dir, "prog", &own);
    assert!(said(&dir, &["prog"]).1.ends_with(" debug information\n"));
    // What has no segment that is loaded can't be run.
    let mut none = program("amd64").bytes();
    none[56] = 0;
    put(&dir, "none", &none);
    assert_eq!(said(&dir, &["none"]), (1, "none: has nothing that could be loaded\n".to_owned()));
}

#[test]
fn programs_of_other_systems_are_told() {
    let dir = Dir::new();
    let with_os = |os: u8| {
        let mut bytes = program("amd64").bytes();
        bytes[7] = os;
        bytes
    };
    put(&dir, "freebsd", with_os(9));
    put(&dir, "gnu", with_os(3));
    let noted = Sample {
        notes: vec![("GNU", 1, [1u32, 2, 6, 0].iter().flat_map(|word| word.to_le_bytes()).collect())],
        ..program("amd64")
    };
    put(&dir, "hurd", noted.bytes());
    assert_eq!(said(&dir, &["gnu"]).0, 0);
    assert_eq!(
        said(&dir, &["freebsd", "hurd"]),
        (
            1,
            "freebsd: is for freebsd/amd64, not for Linux (build it with GOOS=linux)\n\
             hurd: is for hurd/amd64, not for Linux (build it with GOOS=linux)\n"
                .to_owned()
        )
    );
    assert_eq!(
        said(&dir, &["--platform", "arm64", "freebsd"]).1,
        "freebsd: is for freebsd/amd64, not for linux/arm64 (build it with GOOS=linux GOARCH=arm64)\n"
    );
    assert_eq!(json(&dir, &["--json", "freebsd"])["files"][0]["platform"], Value::Null);
    let go = b"go object windows amd64 go1.26.6\n";
    put(&dir, "go.a", [&b"!<arch>\n"[..], &member("_go_.o/", go)].concat());
    let (_, text) = said(&dir, &["--platform", "amd64", "go.a"]);
    assert!(text.ends_with("not for linux/amd64 (build it with GOOS=linux GOARCH=amd64)\n"), "{text}");
}

#[test]
fn libraries_that_are_asked_for_by_a_path_of_the_build_are_told() {
    let dir = Dir::new();
    let with = |tag: u64, text: &str| {
        let sample = Sample {
            names: vec![(tag, text.to_owned())],
            needed: vec![],
            symbols: vec![],
            ..program("amd64")
        };
        put(&dir, "prog", sample.bytes());
        said(&dir, &["prog"])
    };
    for (name, expected) in [
        ("/home/me/libx.so", "asks for /home/me/libx.so, which is where it was built"),
        ("out/libx.so", "asks for out/libx.so from whatever directory it is started in"),
    ] {
        let (code, text) = with(NEEDED, name);
        assert!(code == 1 && text.starts_with(&format!("prog: {expected} (")), "{text}");
    }
    for name in ["libx.so", "/usr/lib/libx.so", "$ORIGIN/libx.so"] {
        assert_eq!(with(NEEDED, name).0, 0, "{name}");
    }
    // A path that is empty as a whole is none.
    for (path, code) in [("", 0), ("/usr/lib::/opt", 2)] {
        assert_eq!(with(RUNPATH, path).0, code, "{path:?}");
    }
}

#[test]
fn versions_of_another_long_double_count() {
    let dir = Dir::new();
    let sample = Sample {
        needed: vec![("libstdc++.so.6", vec![("GLIBCXX_IEEE128_3.4.30", false)])],
        symbols: vec![],
        ..program("ppc64le")
    };
    put(&dir, "prog", sample.bytes());
    assert_eq!(said(&dir, &["--glibc", "GLIBCXX_3.4.29", "prog"]).0, 1);
    assert_eq!(said(&dir, &["--glibc", "GLIBCXX_3.4.30", "prog"]).0, 0);
}

#[test]
fn armv6_has_both_float_abis() {
    let dir = Dir::new();
    for (name, flags) in [("hard", 0x0500_0400), ("soft", 0x0500_0200)] {
        put(&dir, name, Sample { flags, ..program("arm") }.bytes());
        assert_eq!(said(&dir, &["--platform", "linux/arm/v6", name]).0, 0, "{name}");
    }
    assert_eq!(said(&dir, &["--platform", "linux/arm/v7", "soft"]).0, 1);
    assert_eq!(said(&dir, &["--platform", "linux/arm/v5", "hard"]).0, 1);
}

#[test]
fn the_members_of_archives_in_a_thin_archive_are_looked_at() {
    let dir = Dir::new();
    let first = [&b"!<arch>\n"[..], &member("a.o/", &object("amd64"))].concat();
    let second = first.len();
    put(&dir, "full.a", [first, member("b.o/", &object("arm64"))].concat());
    let mut archive = b"!<thin>\n".to_vec();
    archive.extend(member("//", b"full.a/\n"));
    for place in ["/0:8".to_owned(), format!("/0:{second}"), "/0:9".to_owned()] {
        archive.extend(member(&place, &[0; 100]).into_iter().take(60));
    }
    put(&dir, "thin.a", archive);
    assert_eq!(
        said(&dir, &["--platform", "amd64", "thin.a"]),
        (
            1,
            "thin.a: member full.a can't be read: it is damaged at byte 9: there is no member's header\n\
             thin.a: member full.a is for linux/arm64, not for linux/amd64 (build it with GOARCH=amd64)\n"
                .to_owned()
        )
    );
}

/// A program that needs a library beside libc.
fn needing(library: &str, runpath: &str) -> Vec<u8> {
    let names =
        vec![(NEEDED, library.to_owned()), (NEEDED, "libc.so.6".to_owned()), (RUNPATH, runpath.to_owned())];
    Sample { names, ..program("amd64") }.bytes()
}

#[test]
fn of_files_with_one_name_each_is_looked_at_itself() {
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    put(&dir, "bad/tool", needing("libx.so.1", "/opt"));
    put(&dir, "good/tool", program("amd64").bytes());
    put(&dir, "root/usr/bin/tool", needing("libx.so.1", "/opt"));
    for words in [
        ["bad/tool", "good/tool"],
        ["good/tool", "bad/tool"],
        ["root/usr/bin/tool", "good/tool"],
        ["good/tool", "root/usr/bin/tool"],
    ] {
        let (code, text) = said(&dir, &[&["--against", "root"][..], &words].concat());
        let missing: Vec<_> =
            text.lines().filter(|line| line.contains("/tool: misses libx.so.1: not found")).collect();
        assert_eq!((code, missing.len(), text.lines().count()), (1, 1, 2), "{text}");
        assert!(!missing[0].starts_with("good/"), "{text}");
    }
}

#[test]
fn libraries_of_a_directory_are_found_by_its_links_and_all_of_their_names() {
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    put(&dir, "out/bin/app", needing("libx.so.1", "$ORIGIN/../lib"));
    put(&dir, "out/lib/libx.so.1.0", library("amd64", "libx.so.1").bytes());
    let code = |words: &[&str]| said(&dir, &[&["--against", "root", "--at", "/opt/app"], words].concat()).0;
    assert_eq!(code(&["out"]), 1);
    let name = dir.path().join("out/lib/libx.so.1");
    for target in ["libx.so.1.0", "../lib/./libx.so.1.0", "/opt/app/lib/libx.so.1.0"] {
        symlink(target, &name).unwrap();
        assert_eq!(code(&["out"]), 0, "{target}");
        fs::remove_file(&name).unwrap();
    }
    for target in ["libx.so.1", "libgone.so", "../../lib/libx.so.1.0"] {
        symlink(target, &name).unwrap();
        assert_eq!(code(&["out"]), 1, "{target}");
        fs::remove_file(&name).unwrap();
    }
    fs::hard_link(dir.path().join("out/lib/libx.so.1.0"), &name).unwrap();
    assert_eq!(code(&["out"]), 0);
    // A directory may be a link, too.
    fs::rename(dir.path().join("out/lib"), dir.path().join("out/lib64")).unwrap();
    assert_eq!(code(&["out"]), 1);
    symlink("lib64", dir.path().join("out/lib")).unwrap();
    assert_eq!(code(&["out"]), 0);
    // Links of the root itself stay where they are.
    put(&dir, "root/opt/own/libx.so.1.0", library("amd64", "libx.so.1").bytes());
    symlink("/opt/own/libx.so.1.0", dir.path().join("root/opt/own/libx.so.1")).unwrap();
    put(&dir, "app", needing("libx.so.1", "$ORIGIN"));
    assert_eq!(code(&["app", "root/opt/own"]), 1);
}

#[test]
fn a_static_program_for_another_machine_than_the_roots_is_a_finding() {
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    let of = |goarch: &str| {
        Sample {
            interpreter: None,
            names: vec![],
            needed: vec![],
            symbols: vec![],
            kind: 2,
            ..program(goarch)
        }
        .bytes()
    };
    for goarch in ["amd64", "386", "arm"] {
        put(&dir, goarch, of(goarch));
        // Nothing tells what this root is for.
        assert_eq!(said(&dir, &["--against", "root", goarch]).0, 0, "{goarch}");
    }
    put(&dir, "root/bin/sh", program("amd64").bytes());
    for goarch in ["amd64", "386"] {
        assert_eq!(said(&dir, &["--against", "root", goarch]).0, 0, "{goarch}");
    }
    assert_eq!(
        said(&dir, &["--against", "root", "arm"]),
        (
            1,
            "arm: misses a machine that runs it: it is for linux/arm, and the root's programs are for linux/amd64\n"
                .to_owned()
        )
    );
}

#[test]
fn the_place_may_be_written_in_any_way_and_lead_through_links_of_the_root() {
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    fs::create_dir_all(dir.path().join("root/usr/lib")).unwrap();
    symlink("usr/lib", dir.path().join("root/lib")).unwrap();
    put(&dir, "libx.so.1", library("amd64", "libx.so.1").bytes());
    let code = |at: &str, runpath: &str| {
        put(&dir, "app", needing("libx.so.1", runpath));
        said(&dir, &["--against", "root", "--at", at, "app", "libx.so.1"]).0
    };
    for at in ["/opt/app", "/opt/./app", "/opt//app/", "./opt/app", "/opt/x/../app"] {
        assert_eq!((code(at, "/opt/app"), code(at, "$ORIGIN"), code(at, "/opt/other")), (0, 0, 1), "{at}");
    }
    // Neither the directory itself nor the one above it has to be there.
    for at in ["/lib/app", "/usr/lib/app", "/lib/a/../app"] {
        for runpath in ["/usr/lib/app", "/lib/app", "/lib/./app", "$ORIGIN"] {
            assert_eq!(code(at, runpath), 0, "{at} {runpath}");
        }
    }
    put(&dir, "out/lib/app/libx.so.1", library("amd64", "libx.so.1").bytes());
    for runpath in ["/usr/lib/app", "/lib/app"] {
        put(&dir, "out/bin/app", needing("libx.so.1", runpath));
        assert_eq!(said(&dir, &["--against", "root", "--at", "/", "out"]).0, 0, "{runpath}");
    }
}

#[test]
fn the_json_of_a_whole_root_is_as_it_is_documented() {
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    put(&dir, "root/usr/bin/prog", needing("libx.so.1", "/opt"));
    put(&dir, "root/usr/bin/other", program("arm64").bytes());
    let all = json(&dir, &["--json", "--image-root", "root"]);
    assert_eq!((&all["files_seen"], &all["objects"]), (&7.into(), &3.into()), "{all}");
    let findings = all["findings"].as_array().unwrap();
    let of = |code: &str| findings.iter().find(|finding| finding["code"] == code).unwrap();
    assert_eq!(of("machine")["what"], "is for linux/arm64, not for linux/amd64");
    assert_eq!(of("missing")["what"], "misses libx.so.1: not found");
    assert!(of("missing")["searched"][0].as_str().unwrap().ends_with("/opt/"), "{all}");
    let documented =
        fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/verify.md")).unwrap();
    let words = quoted(&documented);
    for finding in findings {
        assert_eq!(finding["level"], "finding");
        for field in finding.as_object().unwrap().keys().chain(all.as_object().unwrap().keys()) {
            assert!(words.contains(&field.as_str()), "{field} is not documented");
        }
    }
}

#[test]
fn static_programs_of_a_whole_root_are_counted_and_a_file_of_two_names_is_one() {
    let dir = Dir::new();
    let is_static =
        Sample { interpreter: None, names: vec![], needed: vec![], symbols: vec![], ..program("amd64") };
    put(&dir, "root/bin/one", Sample { kind: 2, ..is_static }.bytes());
    fs::hard_link(dir.path().join("root/bin/one"), dir.path().join("root/bin/two")).unwrap();
    assert_eq!(
        said(&dir, &["--image-root", "root"]),
        (0, "root: 1 programs and libraries for linux/amd64 among 3 files find all they need\n".to_owned())
    );
}

#[test]
fn what_of_a_whole_root_may_not_be_looked_at_is_no_finding() {
    use std::os::unix::fs::PermissionsExt;
    use std::os::unix::process::CommandExt;
    let dir = Dir::new();
    root(&dir, "amd64", "GLIBC_2.34");
    put(&dir, "root/usr/bin/prog", program("amd64").bytes());
    put(&dir, "root/secret/file", "text");
    let mode = |path: &str, mode| {
        fs::set_permissions(dir.path().join(path), fs::Permissions::from_mode(mode)).unwrap();
    };
    mode(".", 0o755);
    mode("root/secret", 0o000);
    dir.file("root/usr/bin/unreadable", program("amd64").bytes(), 0o111);
    let own = dir.gb();
    let nobodys = |words: &[&str]| {
        let mut command = std::process::Command::new(&own);
        command.env_clear().args(words).arg("root").current_dir(dir.path());
        if nix::unistd::geteuid().is_root() {
            command.gid(65534).uid(65534);
        }
        let result = command.output().unwrap();
        (result.status.code(), String::from_utf8(result.stderr).unwrap())
    };
    let (code, told) = nobodys(&["verify", "--image-root"]);
    assert_eq!(
        (code, told.as_str()),
        (
            Some(125),
            "gb: look at /secret: Permission denied (os error 13)\n\
             gb: look at /usr/bin/unreadable: Permission denied (os error 13)\n"
        )
    );
    // A root that is not looked at to its end is not proven.
    assert_eq!(nobodys(&["strip-libs", "--check"]).0, Some(1));
    mode("root/secret", 0o755);
    mode("root/usr/bin/unreadable", 0o755);
    assert_eq!(nobodys(&["verify", "--image-root"]), (Some(0), String::new()));
}
