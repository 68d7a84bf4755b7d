//! gb called by the names of a compiler and of pkg-config, on a machine that has neither.
//!
//! What they must do is shown by `cross-tests` with the real ones. Here a script stands for clang that prints how it was
//! called, to hold what an image test could not see.

use crate::gb::{Call, Dir, PATH, linked};

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

/// A machine with a sysroot for s390x and a clang that prints its arguments.
struct Machine {
    dir: Dir,
}

impl Machine {
    fn new() -> Machine {
        let dir = Dir::new();
        crate::env::make_sysroot(&dir.path().join("root"));
        dir.file("clang", "#!/bin/sh\necho \"$@\"\n", 0o755);
        Machine { dir }
    }

    /// Calls s390x-linux-gnu-`tool`, and returns what clang was called with, the sysroot's path shortened.
    #[track_caller]
    fn clang_gets(&self, tool: &str, args: &[&str]) -> String {
        let link = self.dir.path().join(format!("s390x-linux-gnu-{tool}"));
        if !link.is_symlink() {
            std::os::unix::fs::symlink(PATH, &link).unwrap();
        }
        let root = self.dir.path().join("root");
        let call = Call::new(&link).args(args).env("PATH", self.dir.path()).env("GB_SYSROOT", &root);
        call.stdout().replace(root.to_str().unwrap(), "ROOT").trim_end().to_owned()
    }
}

const TARGET: &str = "--start-no-unused-arguments --target=s390x-linux-gnu --sysroot=ROOT";
const END: &str = "--end-no-unused-arguments";

#[test]
fn clang_is_told_of_the_target_and_of_lld_only_when_it_links() {
    let machine = Machine::new();
    assert_eq!(machine.clang_gets("clang", &["-c", "x.c"]), format!("{TARGET} {END} -c x.c"));
    assert_eq!(machine.clang_gets("cc", &["x.o"]), format!("{TARGET} -fuse-ld=lld {END} x.o"));
    for only_libraries in
        [&["-shared", "-lx"][..], &["-shared", "-Wl,libx.a"], &["-shared", "-Xlinker", "libx.a"]]
    {
        let words = only_libraries.join(" ");
        assert_eq!(machine.clang_gets("cc", only_libraries), format!("{TARGET} -fuse-ld=lld {END} {words}"));
    }
    assert_eq!(
        machine.clang_gets("g++", &["-c", "x.cc"]),
        format!("--driver-mode=g++ {TARGET} {END} -c x.cc")
    );
}

#[test]
fn a_target_of_another_machine_is_left_to_the_caller_and_stays_of_its_language() {
    let machine = Machine::new();
    assert_eq!(machine.clang_gets("clang", &["-target", "bpf", "-c", "x.c"]), "-target bpf -c x.c");
    assert_eq!(machine.clang_gets("c++", &["--target=bpf", "x.cc"]), "--driver-mode=g++ --target=bpf x.cc");
    assert_eq!(machine.clang_gets("clang", &["-cc1", "-version"]), "-cc1 -version");
    let own = machine.clang_gets("clang", &["--target=s390x-ibm-linux", "-c", "x.c"]);
    assert_eq!(own, format!("{TARGET} {END} --target=s390x-ibm-linux -c x.c"));
}

#[test]
fn a_response_file_is_read_ahead_but_a_pipe_is_left_for_clang() {
    let machine = Machine::new();
    let file = machine.dir.file("args", "--target=bpf", 0o644);
    let word = format!("@{}", file.display());
    assert_eq!(machine.clang_gets("clang", &[&word, "-c"]), format!("{word} -c"));
    let link = machine.dir.path().join("s390x-linux-gnu-clang");
    machine.dir.file("clang", "#!/bin/sh\nread line </dev/stdin; echo \"clang reads: $line\"\n", 0o755);
    let dir = machine.dir.path().display();
    let script = format!("echo words | GB_SYSROOT={dir}/root PATH={dir} {} @/dev/stdin -c", link.display());
    assert_eq!(crate::gb::sh(&script).stdout(), "clang reads: words\n");
}

#[test]
fn the_compilers_exit_code_is_clangs() {
    let machine = Machine::new();
    machine.dir.file("clang", "#!/bin/sh\nexit 42\n", 0o755);
    let link = machine.dir.path().join("s390x-linux-gnu-clang");
    std::os::unix::fs::symlink(PATH, &link).unwrap();
    for args in [&["--version"][..], &["-###", "-x", "c", "-c", "-"]] {
        assert_eq!(Call::new(&link).args(args).env("PATH", machine.dir.path()).go().status, Some(42));
    }
}

#[test]
fn a_sysroot_of_pipes_does_not_hang_the_entrypoint() {
    let machine = Machine::new();
    let root = machine.dir.path().join("root");
    let start = root.join("usr/lib/s390x-linux-gnu/crt1.o");
    std::fs::remove_file(&start).unwrap();
    assert_eq!(crate::gb::sh(&format!("mkfifo {}", start.display())).stdout(), "");
    let call = crate::gb::gb(["run", "echo", "done"]).env("GOARCH", "s390x").env("GB_SYSROOT", &root);
    assert_eq!(call.stdout(), "done\n");
}
