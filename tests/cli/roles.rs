//! gb called by the names of a compiler and of pkg-config, on a machine that has neither.
//!
//! What they must do is shown by `cross-tests` with the real ones. Here a script stands for clang that prints how it was
//! called, to hold what an image test could not see.

use crate::env::make_sysroot;
use crate::gb::{Call, Dir, PATH, gb, linked};

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
        result.stderr.contains("apt-get install g++-mips64el-linux-gnuabi64, or set GB_SYSROOT)"),
        "{}",
        result.stderr
    );
    assert_eq!(result.stderr.lines().count(), 1);
}

/// A sysroot in which one thing is as it should not be, for the compiler of s390x.
struct Damaged {
    what: &'static str,
    /// A script that makes it so, in the sysroot.
    script: &'static str,
    /// What is linked.
    link: &'static [&'static str],
    /// What the compiler says of it, after the path of the library.
    says: &'static str,
    /// A link that does not need it.
    does_not_need_it: &'static [&'static str],
}

const DAMAGED: &[Damaged] = &[
    Damaged {
        what: "libc.so is a link that leads nowhere, beside a static one that would be taken silently",
        script: "ln -sf libc.so.7 $lib/libc.so; touch $lib/libc.a",
        link: &["x.o"],
        says: "$lib/libc.so: it is a link to libc.so.7, which is not there (put it there)",
        does_not_need_it: &["-static", "x.o"],
    },
    Damaged {
        what: "libgcc_s.so is an absolute link, as in RPM's packages",
        script: "ln -s /lib64/libgcc_s.so.1 $gcc/libgcc_s.so",
        link: &["x.o"],
        says: "$gcc/libgcc_s.so: it is a link out of the sysroot, to /lib64/libgcc_s.so.1 (make it relative)",
        does_not_need_it: &["-static-libgcc", "x.o"],
    },
    Damaged {
        what: "libstdc++.so leads by another link out of the sysroot",
        script: "ln -s libstdc++.so.6 $gcc/libstdc++.so; ln -s /etc/passwd $gcc/libstdc++.so.6",
        link: &["--driver-mode=g++", "-lstdc++", "x.o"],
        says: "$gcc/libstdc++.so: it is a link out of the sysroot, to /etc/passwd (make it relative)",
        does_not_need_it: &["x.o"],
    },
    Damaged {
        what: "libm.so is for another machine",
        script: "printf '\\177ELF\\2\\1\\1' >$lib/libm.so; head -c 64 /bin/sh | tail -c +8 >>$lib/libm.so",
        link: &["x.o", "-lm"],
        says: "$lib/libm.so: it is for HOST, not for s390x (put the one for s390x there)",
        does_not_need_it: &["x.o"],
    },
    Damaged {
        what: "libc.so names what is not in the sysroot",
        script: "echo 'GROUP ( /lib/ld64.so.1 AS_NEEDED ( /bin/sh ) )' >$lib/libc.so",
        link: &["-shared", "x.o"],
        says: "$lib/libc.so: it names /bin/sh, which is not there within ROOT (put it there)",
        does_not_need_it: &["-c", "x.c"],
    },
    Damaged {
        what: "libc.so names a link out of the sysroot",
        script: "echo 'GROUP ( libc.so.6 )' >$lib/libc.so; ln -s /bin/sh $lib/libc.so.6",
        link: &["x.o"],
        says: "$lib/libc.so: it names $lib/libc.so.6: it is a link out of the sysroot, to /bin/sh (make it relative)",
        does_not_need_it: &["-nostdlib", "x.o"],
    },
    Damaged {
        what: "libatomic.so is empty",
        script: ": >$gcc/libatomic.so",
        link: &["x.o", "-latomic"],
        says: "$gcc/libatomic.so: it is empty (put the library there)",
        does_not_need_it: &["x.o"],
    },
];

#[test]
fn a_link_against_a_damaged_library_is_refused_with_the_file_and_the_remedy() {
    for Damaged { what, script, link, says, does_not_need_it } in DAMAGED {
        let (dir, compiler) = linked("s390x-linux-gnu-clang");
        dir.file("clang", "#!/bin/sh\n", 0o755);
        let root = dir.path().join("root");
        make_sysroot(&root);
        let places = |text: &str| {
            let host = gb(["info", "--field", "goarch"]).stdout();
            text.replace("$lib", "ROOT/usr/lib/s390x-linux-gnu")
                .replace("$gcc", "ROOT/usr/lib/gcc/s390x-linux-gnu/12")
                .replace("ROOT", root.to_str().unwrap())
                .replace("HOST", host.trim_end())
        };
        crate::gb::sh(&places(script)).stdout();
        let call =
            |args: &[&str]| Call::new(&compiler).args(args).env("PATH", dir.path()).env("GB_SYSROOT", &root);
        let message = places(&format!("link for s390x-linux-gnu: {says}"));
        call(link).fails(125, &message);
        assert_eq!(call(does_not_need_it).stdout(), "", "{what}");
        let shown = gb(["env", "s390x"]).env("GB_SYSROOT", &root).stdout();
        assert!(shown.contains(&format!("# {message}\n")), "{what}: {shown}");
    }
}

#[test]
fn what_is_within_the_sysroot_is_no_damage_however_it_is_named() {
    let (dir, compiler) = linked("s390x-linux-gnu-clang++");
    dir.file("clang", "#!/bin/sh\n", 0o755);
    let root = dir.path().join("root");
    make_sysroot(&root);
    let root = root.display();
    crate::gb::sh(&format!(
        "cd {root}; lib=usr/lib/s390x-linux-gnu gcc=usr/lib/gcc/s390x-linux-gnu/12
         mv $lib/libc.so $lib/libc.so.6
         echo '/* GNU ld script */ OUTPUT_FORMAT(elf64-s390) GROUP ( /usr/lib/s390x-linux-gnu/libc.so.6 AS_NEEDED ( /lib/ld64.so.1 ) )' >$lib/libc.so
         ln -s {root}/$lib/libc.so.6 $lib/libgcc_s.so.1
         echo '/* GNU ld script */ GROUP ( libgcc_s.so.1 -lgcc )' >$gcc/libgcc_s.so
         ln -s ../../../s390x-linux-gnu/libc.so.6 $gcc/libstdc++.so"
    ))
    .stdout();
    assert_eq!(
        Call::new(&compiler)
            .args(["x.o"])
            .env("PATH", dir.path())
            .env("GB_SYSROOT", root.to_string())
            .stdout(),
        ""
    );
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
        self.call(&format!("s390x-linux-gnu-{tool}"), args)
    }

    /// Calls gb by a name, and returns what it writes, the sysroot's path shortened.
    #[track_caller]
    fn call(&self, name: &str, args: &[&str]) -> String {
        let link = self.dir.path().join(name);
        if !link.is_symlink() {
            std::os::unix::fs::symlink(PATH, &link).unwrap();
        }
        let root = self.dir.path().join("root");
        let call = Call::new(&link).args(args).env("PATH", self.dir.path()).env("GB_SYSROOT", &root);
        call.stdout().replace(root.to_str().unwrap(), "ROOT").trim_end().to_owned()
    }

    /// A program that prints its arguments.
    fn tool(&self, name: &str) {
        self.dir.file(name, "#!/bin/sh\necho \"$@\"\n", 0o755);
    }
}

const TARGET: &str = "--start-no-unused-arguments --target=s390x-linux-gnu --sysroot=ROOT";
const END: &str = "--end-no-unused-arguments";
const LLD: &str = "-fuse-ld=lld -Wl,--apply-dynamic-relocs,--undefined-version,-z,nostart-stop-gc";

#[test]
fn clang_is_told_of_the_target_and_of_lld_only_when_it_links() {
    let machine = Machine::new();
    assert_eq!(machine.clang_gets("clang", &["-c", "x.c"]), format!("{TARGET} {END} -c x.c"));
    assert_eq!(machine.clang_gets("cc", &["x.o"]), format!("{TARGET} {LLD} {END} x.o"));
    for only_libraries in
        [&["-shared", "-lx"][..], &["-shared", "-Wl,libx.a"], &["-shared", "-Xlinker", "libx.a"]]
    {
        let words = only_libraries.join(" ");
        assert_eq!(machine.clang_gets("cc", only_libraries), format!("{TARGET} {LLD} {END} {words}"));
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
    let call = gb(["run", "echo", "done"]).env("GOARCH", "s390x").env("GB_SYSROOT", &root).go();
    assert_eq!((call.status, call.stdout.as_str()), (Some(125), ""));
    assert!(call.stderr.contains("crt1.o: not a regular file (set GB_SYSROOT to "), "{}", call.stderr);
}

#[test]
fn names_of_gcc_answer_as_gcc_and_those_of_clang_as_clang() {
    let machine = Machine::new();
    for (question, answer) in [
        ("-dumpmachine", "s390x-linux-gnu"),
        ("-print-multiarch", "s390x-linux-gnu"),
        ("-dumpversion", "12"),
        ("-dumpfullversion", "12"),
        ("--print-sysroot", "ROOT"),
        ("-print-multi-os-directory", "../lib"),
    ] {
        for name in ["gcc", "g++"] {
            assert_eq!(machine.clang_gets(name, &[question]), answer);
        }
        assert!(machine.clang_gets("clang", &[question]).ends_with(question));
    }
    assert!(machine.clang_gets("gcc", &["-print-file-name=libc.so"]).ends_with("-print-file-name=libc.so"));
    assert!(machine.clang_gets("gcc", &["-c", "dumpmachine"]).ends_with("-c dumpmachine"));
}

#[test]
fn the_linker_of_a_target_knows_its_emulation_its_sysroot_and_gnus_habits() {
    let machine = Machine::new();
    machine.tool("ld.lld");
    let habits = "--apply-dynamic-relocs --undefined-version -z nostart-stop-gc";
    let dirs = ["lib/s390x-linux-gnu", "usr/lib/s390x-linux-gnu", "lib64", "usr/lib64", "lib", "usr/lib"]
        .map(|dir| format!(" -LROOT/{dir}"))
        .concat();
    for (words, expected) in [
        (&["-r", "x.o"][..], format!("-m elf64_s390 {habits} --sysroot=ROOT -r x.o{dirs}")),
        (&["-m", "elf_x86_64", "x.o"], format!("{habits} --sysroot=ROOT -m elf_x86_64 x.o{dirs}")),
        (&["--sysroot=/s", "x.o"], format!("-m elf64_s390 {habits} --sysroot=/s x.o")),
        (&["-nostdlib", "x.o"], format!("-m elf64_s390 {habits} --sysroot=ROOT -nostdlib x.o")),
        (
            &["x.o", "-lc"],
            format!("-m elf64_s390 {habits} --sysroot=ROOT --dynamic-linker=/lib/ld64.so.1 x.o -lc{dirs}"),
        ),
        (
            &["-rpath", "/opt", "--relax", "-Bstatic", "x.o", "-Bdynamic", "-lc"],
            format!(
                "-m elf64_s390 {habits} --sysroot=ROOT --dynamic-linker=/lib/ld64.so.1 -rpath /opt --relax -Bstatic x.o \
                 -Bdynamic -lc{dirs}"
            ),
        ),
        (&["-static", "x.o", "-lc"], format!("-m elf64_s390 {habits} --sysroot=ROOT -static x.o -lc{dirs}")),
    ] {
        assert_eq!(machine.clang_gets("ld", words), expected, "{words:?}");
    }
}

#[test]
fn an_object_of_data_alone_is_linked_with_an_empty_one_of_the_target() {
    let machine = Machine::new();
    machine.dir.file(
        "ld.lld",
        "#!/bin/sh\nfor last; do :; done; /usr/bin/od -An -tx1 -v -- \"$last\"\n",
        0o755,
    );
    let bytes = machine.clang_gets("ld", &["-r", "-b", "binary", "-o", "x.o", "x"]);
    let bytes: Vec<&str> = bytes.split_whitespace().collect();
    assert_eq!(bytes.len(), 64, "{bytes:?}");
    assert_eq!(bytes[..7].concat(), "7f454c46020201");
    assert_eq!(bytes[16..24].concat(), "0001001600000001");
    assert_eq!(bytes[52..].concat(), "004000000000004000000000");
    // In other links there are objects to go by.
    machine.tool("ld.lld");
    let words = machine.clang_gets("ld", &["-b", "binary", "x"]);
    assert!(!words.contains("/proc/self"), "{words}");
}

#[test]
fn the_assembler_of_a_target_takes_gnus_options() {
    let machine = Machine::new();
    let clang = "--target=s390x-linux-gnu -c -x assembler";
    for (words, expected) in [
        (&["x.s"][..], format!("{clang} x.s -o a.out")),
        (&["-o", "x.o"], format!("{clang} -o x.o -")),
        (
            &["-m64", "-march=z13", "--noexecstack", "-Idir", "-o", "x.o", "x.s"],
            format!("{clang} -m64 -march=z13 -Wa,--noexecstack -Idir -o x.o x.s"),
        ),
        (
            &["--defsym", "A=1", "--gdwarf-5", "x.s", "-ox.o"],
            format!("{clang} -Wa,-defsym,A=1 -gdwarf-5 x.s -ox.o"),
        ),
    ] {
        assert_eq!(machine.clang_gets("as", words), expected, "{words:?}");
    }
}

#[test]
fn the_object_copier_of_a_target_knows_its_default_format() {
    let machine = Machine::new();
    machine.tool("llvm-objcopy");
    for (words, expected) in [
        (&["-I", "binary", "-O", "default", "b", "o"][..], "-I binary -O elf64-s390 b o"),
        (&["--output-target=default", "a", "default"], "--output-target=elf64-s390 a default"),
        (&["--strip-debug", "x.o"], "--strip-debug x.o"),
    ] {
        assert_eq!(machine.clang_gets("objcopy", words), expected, "{words:?}");
    }
}

#[test]
fn without_llvms_tools_the_binutils_say_what_to_install() {
    for (tool, program, package) in
        [("ld", "ld.lld", "lld"), ("as", "clang", "clang"), ("objcopy", "llvm-objcopy", "llvm")]
    {
        let (dir, link) = linked(&format!("s390x-linux-gnu-{tool}"));
        Call::new(&link).env("PATH", dir.path()).fails(
            125,
            &format!("run s390x-linux-gnu-{tool}: no {program} in PATH (apt-get install {package})"),
        );
    }
}

#[test]
fn pkg_config_hears_the_callers_directories_and_says_which_are_the_hosts() {
    let machine = Machine::new();
    machine.dir.file("pkg-config", "#!/bin/sh\necho \"$PKG_CONFIG_PATH\"\n", 0o755);
    let link = machine.dir.path().join("s390x-linux-gnu-pkg-config");
    std::os::unix::fs::symlink(PATH, &link).unwrap();
    let call = || {
        let root = machine.dir.path().join("root");
        Call::new(&link).args(["--libs", "x"]).env("PATH", machine.dir.path()).env("GB_SYSROOT", root)
    };
    assert_eq!(call().env("PKG_CONFIG_PATH", "/src/dep/lib/pkgconfig").stdout(), "/src/dep/lib/pkgconfig\n");
    let result = call().env("PKG_CONFIG_PATH", "/src/dep:/usr/lib/pkgconfig").go();
    assert_eq!((result.status, result.stdout.as_str()), (Some(0), "/src/dep\n"));
    assert_eq!(
        result.stderr,
        "gb: ask pkg-config for s390x-linux-gnu: /usr/lib/pkgconfig is the host's, and left out (take it out of \
         PKG_CONFIG_PATH)\n"
    );
}

#[test]
fn a_compiler_cache_hears_of_the_variant_and_of_the_sysroot() {
    let machine = Machine::new();
    let identity = |compiler: &str, variables: &[(&str, &str)]| {
        let link = machine.dir.path().join(compiler);
        if compiler != "clang" && !link.is_symlink() {
            std::os::unix::fs::symlink(PATH, &link).unwrap();
        }
        let call = crate::gb::gb(["identity"]).args([&link]).env("PATH", machine.dir.path());
        variables.iter().fold(call, |call, (name, value)| call.env(name, value)).stdout()
    };
    let ppc = |variables: &[(&str, &str)]| identity("powerpc64le-linux-gnu-clang", variables);
    assert_eq!(ppc(&[]), ppc(&[("GOAMD64", "v3")]));
    assert_ne!(ppc(&[]), ppc(&[("GOPPC64", "power10")]));
    assert_ne!(ppc(&[]), identity("aarch64-linux-gnu-clang", &[]));
    let s390x = |root: &str| identity("s390x-linux-gnu-clang", &[("GB_SYSROOT", root)]);
    assert_ne!(s390x("/nonexistent"), s390x(machine.dir.path().join("root").to_str().unwrap()));
    crate::gb::gb(["identity", "/nonexistent/cc"])
        .fails(125, "identity: there is no /nonexistent/cc (name a compiler)");
    // A triple that gb does not know is another compiler's own matter.
    machine.tool("x86_64-w64-mingw32-gcc");
    let windows = machine.dir.path().join("x86_64-w64-mingw32-gcc");
    assert!(crate::gb::gb(["identity"]).args([&windows]).stdout().starts_with("program="));
    // Another program is what its file is.
    let before = identity("clang", &[]);
    machine.dir.file("clang", "#!/bin/sh\necho changed\n", 0o755);
    assert_ne!(before, identity("clang", &[("GOAMD64", "v3")]));
}

#[test]
fn a_compiler_cache_in_path_is_not_taken_for_the_compiler() {
    let machine = Machine::new();
    let caches = Dir::new();
    caches.file("ccache", "#!/bin/sh\necho the cache was run\n", 0o755);
    std::os::unix::fs::symlink("ccache", caches.path().join("clang")).unwrap();
    let link = machine.dir.path().join("s390x-linux-gnu-clang");
    std::os::unix::fs::symlink(PATH, &link).unwrap();
    let path = format!("{}:{}", caches.path().display(), machine.dir.path().display());
    let said = Call::new(&link).args(["-E", "x.c"]).env("PATH", path);
    assert!(said.env("GB_SYSROOT", machine.dir.path().join("root")).stdout().ends_with("-E x.c\n"));
}

#[test]
fn gcc_is_the_machines_own_compiler() {
    let machine = Machine::new();
    let host = gb::platform::Platform::host().unwrap();
    let (name, own) = (host.default_abi().triple, machine.call("gcc", &["--version"]));
    assert!(own.contains(&format!("--target={name}")) && own.ends_with("--version"), "{own}");
    assert_eq!(machine.call("gcc", &["-dumpmachine"]), name);
    assert!(machine.call("g++", &["--version"]).starts_with("--driver-mode=g++ "));
}
