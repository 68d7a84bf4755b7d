//! gb called by the names of a compiler and of pkg-config, on a machine that has neither.

use std::path::PathBuf;

use crate::gb::{Call, Dir, PATH};

/// A directory in which gb has this name.
fn linked(name: &str) -> (Dir, PathBuf) {
    let dir = Dir::new();
    let link = dir.path().join(name);
    std::os::unix::fs::symlink(PATH, &link).unwrap();
    (dir, link)
}

#[test]
fn without_clang_the_compiler_says_for_which_target_and_how_to_get_it() {
    let (dir, link) = linked("aarch64-linux-gnu-clang");
    Call::new(&link)
        .args(["-c", "x.c"])
        .env("PATH", dir.path())
        .fails(125, "compile for aarch64-linux-gnu: no clang in PATH (apt-get install clang lld)");
}

#[test]
fn a_link_named_clang_to_gb_itself_is_not_taken_for_the_compiler() {
    let (dir, link) = linked("s390x-linux-gnu-gcc");
    std::os::unix::fs::symlink(PATH, dir.path().join("clang")).unwrap();
    Call::new(&link)
        .env("PATH", dir.path())
        .fails(125, "compile for s390x-linux-gnu: no clang in PATH (apt-get install clang lld)");
}

#[test]
fn without_a_sysroot_the_compiler_names_each_place_and_its_lack() {
    let (dir, link) = linked("mips64el-linux-gnuabi64-clang");
    dir.file("clang", "#!/bin/sh\necho the real clang was run\n", 0o755);
    let result = Call::new(&link).args(["-c", "x.c"]).env("PATH", dir.path()).go();
    assert_eq!((result.status, result.stdout.as_str()), (Some(125), ""));
    let message = "gb: compile: no usable sysroot for mips64el-linux-gnuabi64: \
                   /usr/mips64el-linux-gnuabi64/sys-root: no such directory; ";
    assert!(result.stderr.starts_with(message), "{}", result.stderr);
    assert!(
        result.stderr.contains("apt-get install crossbuild-essential-mips64el, or set GB_SYSROOT)"),
        "{}",
        result.stderr
    );
    assert_eq!(result.stderr.lines().count(), 1);
}

#[test]
fn without_pkg_config_or_a_sysroot_the_role_says_so() {
    let (dir, link) = linked("riscv64-linux-gnu-pkg-config");
    Call::new(&link)
        .args(["--libs", "libpcap"])
        .env("PATH", dir.path())
        .fails(125, "ask pkg-config for riscv64-linux-gnu: no pkg-config in PATH (apt-get install pkgconf)");
    dir.file("pkg-config", "#!/bin/sh\n", 0o755);
    let call = Call::new(&link)
        .args(["--libs", "libpcap"])
        .env("PATH", dir.path())
        .env("GB_SYSROOT", "/nonexistent");
    call.fails(
        125,
        "ask pkg-config: no usable sysroot for riscv64-linux-gnu: /nonexistent: no such directory (set \
         GB_SYSROOT to a sysroot of riscv64, or unset it)",
    );
}

#[test]
fn a_name_without_a_known_triple_is_refused() {
    let (_dir, link) = linked("z80-unknown-cpm-clang");
    Call::new(&link).fails(
        125,
        "called as z80-unknown-cpm-clang: \"z80-unknown-cpm\" is no known triple (gb install-links makes the names)",
    );
}
