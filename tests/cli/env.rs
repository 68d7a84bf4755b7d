//! `gb env`: what `gb run` would set, and why.

use crate::gb::{Dir, gb, linked, sh};

#[test]
fn a_shell_that_evaluates_it_has_what_gb_run_would_give() {
    for arch in ["arm64", "armv6l", "s390x", "linux/amd64/v3", "loong64"] {
        let names = "GOOS GOARCH GOARM GOAMD64 CC CXX AR PKG_CONFIG QEMU_LD_PREFIX";
        let print = format!("for n in {names}; do eval \"echo $n=\\$$n\"; done");
        let evaluated = sh(&format!("eval \"$(\"$GB\" env)\"; {print}")).env("ARCH", arch).stdout();
        let run = sh(&format!("\"$GB\" run sh -c '{print}'")).env("ARCH", arch).stdout();
        assert_eq!(evaluated, run, "{arch}");
        assert!(evaluated.contains("GOOS=linux\n"), "{evaluated}");
    }
}

#[test]
fn the_target_can_be_given_as_an_argument_and_then_counts_more_than_the_environment() {
    let text = gb(["env", "riscv64"]).env("GOARCH", "arm64").stdout();
    assert!(text.contains("export GOARCH=riscv64\n"), "{text}");
    assert!(text.contains("export CC=riscv64-linux-gnu-clang\n"), "{text}");
    assert!(text.contains("# target: linux/riscv64, said by the argument; host: linux/"), "{text}");
}

#[test]
fn windows_on_amd64_has_compilers_of_its_own_and_other_systems_are_left_alone() {
    let windows = "export CC=x86_64-w64-mingw32-clang\n";
    for (name, value) in [("GOARCH", "amd64"), ("TARGETPLATFORM", "windows/x86_64")] {
        let goos = if name == "GOARCH" { "windows" } else { "" };
        let text = gb(["env"]).env(name, value).env("GOOS", goos).stdout();
        assert!(text.contains(windows), "{text}");
        assert!(text.contains("export CXX=x86_64-w64-mingw32-clang++\n"), "{text}");
        assert!(text.contains("export PKG_CONFIG=x86_64-w64-mingw32-pkg-config\n"), "{text}");
        assert!(text.contains("# cgo is off: Go turns it off when cross building"), "{text}");
        assert!(!text.contains("QEMU") && !text.contains("CARGO"), "{text}");
    }
    let text = gb(["env", "windows/amd64"]).env("GOARCH", "arm64").env("CC", "mine").stdout();
    assert!(text.contains("export GOOS=windows\n") && text.contains("export GOARCH=amd64\n"), "{text}");
    assert!(text.contains("# CC is kept as you set it\n") && !text.contains(windows), "{text}");
    assert!(text.contains("# target: windows/amd64, said by the argument; host: linux/"), "{text}");
    for (goos, goarch) in [("windows", "arm64"), ("windows", "386"), ("darwin", "amd64")] {
        let text = gb(["env"]).env("GOOS", goos).env("GOARCH", goarch).stdout();
        assert!(!text.contains("export CC"), "{text}");
        let note = "the C compiler is left as it is, gb's are for linux and windows/amd64\n";
        assert!(text.contains(&format!("# GOOS={goos}: {note}")), "{text}");
    }
    // A command within one for another target gets that one's.
    let script = "exec \"$GB\" run sh -c 'GOOS=windows GOARCH=amd64 exec \"$GB\" run sh -c \"echo \\$CC\"'";
    assert_eq!(sh(script).env("ARCH", "arm64").stdout(), "x86_64-w64-mingw32-clang\n");
}

#[test]
fn what_the_caller_set_is_kept_and_an_empty_variable_is_unset() {
    let call = gb(["env"]).env("GOARCH", "s390x").env("CC", "mine").env("CXX", "");
    let text = call.stdout();
    assert!(text.contains("# CC is kept as you set it\n"), "{text}");
    assert!(!text.contains("export CC"), "{text}");
    assert!(text.contains("export CXX=s390x-linux-gnu-clang++\n"), "{text}");
}

#[test]
fn within_gb_run_it_shows_the_same_and_another_target_can_be_taken() {
    let direct = gb(["env", "--json"]).env("ARCH", "arm64").stdout();
    assert_eq!(sh("exec \"$GB\" run \"$GB\" env --json").env("ARCH", "arm64").stdout(), direct);
    let script = "exec \"$GB\" run sh -c 'ARCH=s390x exec \"$GB\" run sh -c \"echo \\$GOARCH \\$CC\"'";
    assert_eq!(sh(script).env("ARCH", "arm64").stdout(), "s390x s390x-linux-gnu-clang\n");
    let script = "exec \"$GB\" run sh -c 'CC=mine exec \"$GB\" run sh -c \"echo \\$GOARCH \\$CC\"'";
    assert_eq!(sh(script).env("ARCH", "arm64").stdout(), "arm64 mine\n");
}

#[test]
fn what_it_writes_leads_another_gb_to_the_same_target() {
    let print = "echo $GOARCH $GOARM $CC";
    let arm = "arm 6 arm-linux-gnueabi-clang\n";
    let script = format!("eval \"$(\"$GB\" env armv6l)\"; exec \"$GB\" run sh -c '{print}'");
    assert_eq!(sh(&script).stdout(), arm);
    let script =
        format!("export ARCH=armv6l; eval \"$(\"$GB\" env)\"; unset ARCH; exec \"$GB\" run sh -c '{print}'");
    assert_eq!(sh(&script).stdout(), arm);
    let script = format!("exec \"$GB\" run \"$GB\" run sh -c '{print}'");
    assert_eq!(sh(&script).env("GOARCH", "armv6l").stdout(), arm);
    assert_eq!(sh(&script).env("TARGETPLATFORM", "linux/arm/v6").stdout(), arm);
}

#[test]
fn an_argument_counts_more_than_the_variables() {
    let text = gb(["env", "arm/v6"]).env("GOARCH", "arm").env("GOARM", "7").stdout();
    assert!(
        text.contains("export GOARM=6\n") && text.contains("export CC=arm-linux-gnueabi-clang\n"),
        "{text}"
    );
}

#[test]
fn cargo_runs_a_targets_programs_as_the_go_command_does_where_there_is_an_emulator() {
    let (dir, _link) = linked("go_linux_loong64_exec");
    let env = |variables: &[(&str, &str)]| {
        let call = gb(["env", "loong64"]).env("PATH", dir.path());
        let text = variables.iter().fold(call, |call, (name, value)| call.env(name, value)).stdout();
        text.lines().find(|line| line.contains("_RUNNER")).map(str::to_owned)
    };
    assert_eq!(env(&[]), None);
    dir.file("qemu-loongarch64-static", "", 0o755);
    let name = "CARGO_TARGET_LOONGARCH64_UNKNOWN_LINUX_GNU_RUNNER";
    assert_eq!(env(&[]).unwrap(), format!("export {name}=go_linux_loong64_exec"));
    assert_eq!(env(&[(name, "mine")]), None);
}

#[test]
fn a_sysroot_whose_links_lead_to_the_host_is_refused() {
    let dir = Dir::new();
    let root = dir.path();
    make_sysroot(root);
    let libc = root.join("usr/lib/s390x-linux-gnu/libc.so");
    std::fs::remove_file(&libc).unwrap();
    std::os::unix::fs::symlink("/usr/lib/libc.so", &libc).unwrap();
    let text = gb(["env", "s390x"]).env("GB_SYSROOT", root).stdout();
    let lack = format!("{} is an absolute link to /usr/lib/libc.so (make it relative)", libc.display());
    assert!(text.contains(&lack), "{text}");
}

#[test]
fn a_root_with_the_files_of_two_machines_serves_the_right_one() {
    let dir = Dir::new();
    let root = dir.path();
    make_sysroot(root);
    // As distributions have it that put 64 and 32 bits into lib64 and lib.
    std::fs::create_dir_all(root.join("usr/lib64")).unwrap();
    std::fs::write(root.join("usr/lib64/crt1.o"), b"\x7fELF of no machine at all").unwrap();
    std::fs::rename(root.join("usr/lib/s390x-linux-gnu"), root.join("usr/lib/keep")).unwrap();
    for file in ["crt1.o", "libc.so"] {
        std::fs::rename(root.join("usr/lib/keep").join(file), root.join("usr/lib").join(file)).unwrap();
    }
    let text = gb(["env", "s390x"]).env("GB_SYSROOT", root).stdout();
    assert!(!text.contains("no usable sysroot"), "{text}");
}

#[test]
fn cgo_is_explained() {
    let text = gb(["env", "mips64le"]).stdout();
    assert!(
        text.contains(
            "# cgo is off: Go turns it off when cross building (set CGO_ENABLED=1 to build C code)\n"
        ),
        "{text}"
    );
    assert!(
        gb(["env", "mips64le"]).env("CGO_ENABLED", "1").stdout().contains("# cgo is on: CGO_ENABLED=1\n")
    );
}

#[test]
fn json_has_a_schema_version_and_a_reason_for_each_variable() {
    let text = gb(["env", "--json", "ppc64le"]).stdout();
    assert_eq!(text, gb(["env", "--format", "json", "ppc64le"]).stdout());
    let json: serde_json::Value = serde_json::from_str(&text).unwrap();
    assert_eq!(json["schema"], 1);
    assert_eq!(json["target"]["goarch"], "ppc64le");
    assert_eq!(json["cgo"]["enabled"], false);
    let set = json["set"].as_array().unwrap();
    assert!(set.iter().any(|s| s["name"] == "CC" && s["value"] == "powerpc64le-linux-gnu-clang"), "{text}");
    assert!(set.iter().all(|s| s["reason"].as_str().is_some_and(|r| !r.is_empty())), "{text}");
}

#[test]
fn the_github_form_is_assignments_alone_with_the_reasons_on_standard_error() {
    let result = gb(["env", "--format", "github", "arm64"]).go();
    assert_eq!(result.status, Some(0));
    assert!(result.stdout.contains("\nCC=aarch64-linux-gnu-clang\n"), "{}", result.stdout);
    assert!(
        result.stdout.lines().all(|line| line.contains('=') && !line.starts_with('#')),
        "{}",
        result.stdout
    );
    assert!(result.stderr.contains("gb: target: linux/arm64, said by the argument"), "{}", result.stderr);
    assert!(result.stderr.contains("gb: CC: compiles for arm64"), "{}", result.stderr);
}

#[test]
fn the_dotenv_form_is_read_by_docker() {
    let text = gb(["env", "--format", "dotenv", "arm64"]).stdout();
    // Docker's --env-file: comments at the start of a line, the rest NAME=value without quotes.
    assert!(
        text.lines().all(|line| line.starts_with("# ") || (line.contains('=') && !line.contains('"'))),
        "{text}"
    );
    assert!(text.contains("\nCC=aarch64-linux-gnu-clang\n"), "{text}");
}

#[test]
fn a_value_with_odd_bytes_survives_the_shell() {
    let dir = Dir::new();
    let sysroot = dir.path().join("it's \"$HOME\" `x`");
    make_sysroot(&sysroot);
    let script = "eval \"$(\"$GB\" env s390x)\"; printf %s \"$QEMU_LD_PREFIX\"";
    assert_eq!(sh(script).env("GB_SYSROOT", &sysroot).stdout(), sysroot.to_str().unwrap());
}

#[test]
fn a_newline_in_a_callers_variable_cannot_become_a_command() {
    let script = "eval \"$(\"$GB\" env s390x)\"";
    assert_eq!(sh(script).env("CPATH", "/x\necho injected").stdout(), "");
}

#[test]
fn an_unknown_format_or_target_is_refused() {
    gb(["env", "--format", "yaml"])
        .fails(125, "invalid value 'yaml' for '--format <FORMAT>' [possible values: sh, json, dotenv, github, cmake, meson] (gb --help)");
    let result = gb(["env", "sparc64"]).go();
    assert_eq!((result.status, result.stdout.as_str()), (Some(125), ""));
    assert!(
        result
            .stderr
            .starts_with("gb: read the target from the argument: \"sparc64\": no such architecture (known: ")
    );
}

#[test]
fn aclocal_is_told_of_the_macros_that_a_sysroot_has() {
    let dir = Dir::new();
    make_sysroot(dir.path());
    let text = || gb(["env", "s390x"]).env("GB_SYSROOT", dir.path()).stdout();
    assert!(!text().contains("ACLOCAL_PATH"), "{}", text());
    let macros = dir.path().join("usr/share/aclocal");
    std::fs::create_dir_all(&macros).unwrap();
    assert!(text().contains(&format!("export ACLOCAL_PATH={}\n", macros.display())), "{}", text());
}

#[test]
fn cmake_and_meson_get_files_for_the_target_and_its_sysroot() {
    let dir = Dir::new();
    let sysroot = dir.path().join("it's $x");
    make_sysroot(&sysroot);
    let file = |format| gb(["env", "s390x", "--format", format]).env("GB_SYSROOT", &sysroot).stdout();
    let cmake = file("cmake");
    for line in [
        "set(_gb_cross ON)".to_owned(),
        "  set(CMAKE_SYSTEM_PROCESSOR s390x)".to_owned(),
        "    set(CMAKE_${_gb_language}_COMPILER \"s390x-linux-gnu-${_gb_name}\")".to_owned(),
        format!("  set(_gb_sysroot \"{}\")", sysroot.to_str().unwrap().replace('$', "\\$")),
    ] {
        assert!(cmake.lines().any(|l| l == line), "{line:?} is not in {cmake}");
    }
    assert!(!cmake.contains('@'), "{cmake}");
    let meson = file("meson");
    let quoted = sysroot.to_str().unwrap().replace('\'', "\\'");
    for line in [
        format!("c = ['s390x-linux-gnu-clang', '--sysroot={quoted}']"),
        format!("pkg-config = ['env', 'GB_SYSROOT={quoted}', 's390x-linux-gnu-pkg-config']"),
        "needs_exe_wrapper = true".to_owned(),
        "cpu_family = 's390x'".to_owned(),
        "endian = 'big'".to_owned(),
    ] {
        assert!(meson.lines().any(|l| l == line), "{line:?} is not in {meson}");
    }
}

#[test]
fn cmake_and_meson_get_no_file_that_would_lead_to_the_host() {
    for format in ["cmake", "meson"] {
        let result = gb(["env", "s390x", "--format", format]).env("GB_SYSROOT", "/nonexistent").go();
        assert_eq!((result.status, result.stdout.as_str()), (Some(125), ""));
        assert!(
            result.stderr.starts_with("gb: env: no usable sysroot for s390x-linux-gnu: /nonexistent: "),
            "{}",
            result.stderr
        );
        gb(["env", "--format", format])
            .env("GOOS", "windows")
            .fails(125, "env: there are files for build systems of linux alone (gb env PLATFORM)");
    }
}

/// The files by which gb takes a directory for a usable s390x sysroot.
pub fn make_sysroot(root: &std::path::Path) {
    let crt1: Vec<u8> = {
        let mut header = b"\x7fELF\x02\x02\x01".to_vec();
        header.resize(16, 0);
        header.extend_from_slice(&[0, 1, 0, 22, 0, 0, 0, 1]);
        header.resize(64, 0);
        header
    };
    let library = "usr/lib/s390x-linux-gnu";
    for (path, contents) in [
        ("usr/include/stdio.h", &b""[..]),
        ("usr/include/s390x-linux-gnu/bits/libc-header-start.h", b""),
        (&format!("{library}/crt1.o"), &crt1),
        (&format!("{library}/libc.so"), &crt1),
        ("usr/lib/gcc/s390x-linux-gnu/12/libgcc.a", b""),
        ("lib/ld64.so.1", &crt1),
    ] {
        let path = root.join(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }
}

#[test]
fn a_sysroot_that_lacks_something_is_refused_with_what_it_lacks() {
    let dir = Dir::new();
    let root = dir.path().join("root");
    make_sysroot(&root);
    let note = |arch: &str| {
        let text = gb(["env", "--json", arch]).env("GB_SYSROOT", &root).stdout();
        let json: serde_json::Value = serde_json::from_str(&text).unwrap();
        let notes = json["notes"].as_array().unwrap();
        let notes = notes.iter().filter_map(|n| n.as_str()).filter(|n| n.starts_with("no usable sysroot"));
        notes.map(|n| n.replace(root.to_str().unwrap(), "ROOT")).collect::<String>()
    };
    assert_eq!(note("s390x"), "");
    assert_eq!(
        note("arm64"),
        "no usable sysroot for aarch64-linux-gnu: ROOT: no C headers for arm64 (bits/libc-header-start.h) (set GB_SYSROOT to a \
         sysroot of arm64, or unset it)"
    );
    for (missing, lack) in [
        ("usr/lib/gcc/s390x-linux-gnu/12/libgcc.a", "no libgcc for s390x"),
        ("lib/ld64.so.1", "no loader /lib/ld64.so.1"),
        ("usr/lib/s390x-linux-gnu/libc.so", "no libc in ROOT/usr/lib/s390x-linux-gnu"),
        ("usr/lib/s390x-linux-gnu/crt1.o", "no start files for s390x (crt1.o)"),
        ("usr/include/stdio.h", "no C headers for s390x (stdio.h)"),
    ] {
        std::fs::remove_file(root.join(missing)).unwrap();
        assert!(
            note("s390x").starts_with(&format!("no usable sysroot for s390x-linux-gnu: ROOT: {lack} (set")),
            "{missing}"
        );
    }
    let relative = gb(["env", "s390x"]).env("GB_SYSROOT", "some/where").stdout();
    assert!(relative.contains("some/where: not an absolute path"), "{relative}");
}

#[test]
fn a_sysroot_of_another_machine_is_refused() {
    let dir = Dir::new();
    let root = dir.path();
    make_sysroot(root);
    // As if somebody had put the files of s390x where those of arm64 belong.
    for (from, to) in [
        ("usr/include/s390x-linux-gnu", "usr/include/aarch64-linux-gnu"),
        ("usr/lib/s390x-linux-gnu", "usr/lib/aarch64-linux-gnu"),
    ] {
        std::fs::rename(root.join(from), root.join(to)).unwrap();
    }
    let text = gb(["env", "arm64"]).env("GB_SYSROOT", root).stdout();
    assert!(text.contains("/usr/lib/aarch64-linux-gnu/crt1.o: for s390x, not for arm64 (set"), "{text}");
}
