//! `gb install-links`: the compilers' names.

use std::path::Path;

use crate::gb::{Call, Dir, gb};

/// A copy of gb, as an image has it, and an empty directory for links.
fn installed() -> (Dir, std::path::PathBuf) {
    let dir = Dir::new();
    let gb = dir.gb();
    (dir, gb)
}

/// Installs links with that gb, in a world without real compilers.
fn install(gb: &Path, dir: &Path) -> Call {
    Call::new(gb).args(["install-links"]).args([dir]).env("PATH", "/nonexistent")
}

fn names(dir: &Path) -> Vec<String> {
    let mut names: Vec<_> =
        std::fs::read_dir(dir).unwrap().map(|e| e.unwrap().file_name().into_string().unwrap()).collect();
    names.sort();
    names
}

#[test]
fn every_target_gets_its_compilers_and_its_pkg_config() {
    let (dir, program) = installed();
    let text = install(&program, dir.path()).stdout();
    // Seven names for each of 14 C ABIs (12 ports of Go with cgo, of which arm has two and amd64 Windows' besides), a
    // runner for each of 13 ports, entrypoint.sh and su-exec.
    assert_eq!(text, format!("113 made, 0 already there, in {}\n", dir.path().display()));
    let names = names(dir.path());
    for tool in ["clang", "clang++", "cc", "c++", "gcc", "g++", "pkg-config"] {
        for triple in ["aarch64-linux-gnu", "arm-linux-gnueabi", "arm-linux-gnueabihf", "s390x-linux-gnu"] {
            assert!(names.contains(&format!("{triple}-{tool}")), "{triple}-{tool}");
        }
    }
    // Beside gb the links are relative: the tree can be moved.
    assert_eq!(std::fs::read_link(dir.path().join("s390x-linux-gnu-cc")).unwrap(), Path::new("gb"));
}

#[test]
fn doing_it_again_changes_nothing() {
    let (dir, program) = installed();
    let again = || install(&program, dir.path()).stdout();
    again();
    let before = names(dir.path());
    assert_eq!(again(), format!("0 made, 113 already there, in {}\n", dir.path().display()));
    assert_eq!(names(dir.path()), before);
}

#[test]
fn a_link_to_an_older_place_of_gb_is_replaced() {
    let (dir, program) = installed();
    let link = dir.path().join("s390x-linux-gnu-cc");
    std::os::unix::fs::symlink("/nonexistent/gb", &link).unwrap();
    assert!(install(&program, dir.path()).stdout().starts_with("113 made, 0 "));
    assert_eq!(std::fs::read_link(&link).unwrap(), Path::new("gb"));
}

#[test]
fn a_real_compiler_of_the_name_gcc_is_left_alone() {
    let (dir, program) = installed();
    let real = Dir::new();
    real.file("aarch64-linux-gnu-gcc", "#!/bin/sh\n", 0o755);
    let text = install(&program, dir.path()).env("PATH", real.path()).stdout();
    assert!(text.starts_with("112 made, "), "{text}");
    assert!(text.ends_with("left out, PATH has others: aarch64-linux-gnu-gcc\n"), "{text}");
    assert!(!names(dir.path()).contains(&"aarch64-linux-gnu-gcc".to_owned()));
}

#[test]
fn configure_scripts_find_the_tools_of_llvm_under_the_targets_name() {
    let (dir, program) = installed();
    let llvm = Dir::new();
    for tool in ["llvm-ar", "ld.lld"] {
        llvm.file(tool, "#!/bin/sh\n", 0o755);
    }
    let install = || install(&program, dir.path()).env("PATH", llvm.path()).stdout();
    // Two tools of LLVM for each of 14 ABIs, llvm-ar under two names, besides the 113 names of gb.
    assert_eq!(install(), format!("155 made, 0 already there, in {}\n", dir.path().display()));
    assert_eq!(install(), format!("0 made, 155 already there, in {}\n", dir.path().display()));
    let to = |name: &str| std::fs::read_link(dir.path().join(name)).unwrap();
    assert_eq!(to("s390x-linux-gnu-ar"), llvm.path().join("llvm-ar"));
    assert_eq!(to("s390x-linux-gnu-gcc-ar"), llvm.path().join("llvm-ar"));
    // lld is to be told the target, which gb does under this name.
    assert_eq!(to("s390x-linux-gnu-ld"), Path::new("gb"));
    // Debian's binutils stay what they are.
    let real = Dir::new();
    real.file("s390x-linux-gnu-ar", "#!/bin/sh\n", 0o755);
    std::fs::remove_file(dir.path().join("s390x-linux-gnu-ar")).unwrap();
    let path = format!("{}:{}", real.path().display(), llvm.path().display());
    let text = Call::new(&program).args(["install-links"]).args([dir.path()]).env("PATH", path).stdout();
    assert!(text.starts_with("0 made, 154 already there"), "{text}");
    assert!(text.ends_with("left out, PATH has others: s390x-linux-gnu-ar\n"), "{text}");
}

#[test]
fn windows_gets_the_two_tools_that_are_its_own_and_others_do_not() {
    let (dir, program) = installed();
    let llvm = Dir::new();
    for tool in ["llvm-windres", "llvm-dlltool"] {
        llvm.file(tool, "#!/bin/sh\n", 0o755);
    }
    install(&program, dir.path()).env("PATH", llvm.path()).stdout();
    let is_one = |name: &&String| name.ends_with("-windres") || name.ends_with("-dlltool");
    let names = names(dir.path());
    let found: Vec<_> = names.iter().filter(is_one).collect();
    assert_eq!(found, ["x86_64-w64-mingw32-dlltool", "x86_64-w64-mingw32-windres"]);
    let to = |tool: &str| std::fs::read_link(dir.path().join(format!("x86_64-w64-mingw32-{tool}"))).unwrap();
    // windres is to be told the target and the headers, which gb does under this name.
    assert_eq!([to("gcc"), to("windres")], [Path::new("gb"), Path::new("gb")]);
    assert_eq!(to("dlltool"), llvm.path().join("llvm-dlltool"));
}

#[test]
fn links_follow_tools_and_gb_to_another_place() {
    let (dir, program) = installed();
    let (old, new) = (Dir::new(), Dir::new());
    for llvm in [&old, &new] {
        llvm.file("llvm-ar", "#!/bin/sh\n", 0o755);
        std::os::unix::fs::symlink("llvm-ar", llvm.path().join("llvm-ranlib")).unwrap();
    }
    install(&program, dir.path()).env("PATH", old.path()).stdout();
    let path = format!("{}:{}", dir.path().display(), new.path().display());
    let text = install(&program, dir.path()).env("PATH", &path).stdout();
    assert_eq!(text, format!("56 made, 113 already there, in {}\n", dir.path().display()));
    let ranlib = dir.path().join("s390x-linux-gnu-ranlib");
    assert_eq!(std::fs::read_link(&ranlib).unwrap(), new.path().join("llvm-ranlib"));
    // Another gb takes every name over, gcc's included.
    let elsewhere = Dir::new();
    let text = install(&elsewhere.gb(), dir.path()).env("PATH", &path).stdout();
    assert_eq!(text, format!("113 made, 56 already there, in {}\n", dir.path().display()));
}

#[test]
fn a_file_of_somebody_elses_is_never_replaced_and_nothing_is_done_by_half() {
    let (dir, program) = installed();
    dir.file("s390x-linux-gnu-clang", "#!/bin/sh\n", 0o755);
    let before = names(dir.path());
    let path = dir.path().display();
    install(&program, dir.path()).fails(
        125,
        &format!(
            "install links in {path}: {path}/s390x-linux-gnu-clang exists and is not gb's link (remove it, or choose another \
             directory)"
        ),
    );
    assert_eq!(names(dir.path()), before);
}

#[test]
fn a_directory_that_is_not_there_is_refused() {
    gb(["install-links", "/nonexistent"])
        .fails(125, "install links in /nonexistent: not a directory (create it first)");
}
