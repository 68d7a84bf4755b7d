//! `gb run`: the command gets everything as gb got it, and its result is the result.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, Stdio};

use crate::gb::{Call, Dir, PATH, gb, no_file_is_written, sh};

#[test]
fn the_commands_output_and_nothing_else_is_on_standard_output() {
    assert_eq!(gb(["run", "echo", "Hello", "x"]).stdout(), "Hello x\n");
    assert_eq!(gb(["run", "--", "printf", "%s ", "--help", "--", "-h"]).stdout(), "--help -- -h ");
    assert_eq!(gb(["run", "printf", "%s ", "--json", "-c", "--version"]).stdout(), "--json -c --version ");
}

#[test]
fn the_commands_exit_code_is_the_exit_code() {
    for code in [0, 1, 2, 42, 125, 126, 127, 255] {
        assert_eq!(gb(["run", "sh", "-c", &format!("exit {code}")]).go().status, Some(code));
    }
}

#[test]
fn a_signal_that_kills_the_command_is_seen_by_the_caller() {
    use std::os::unix::process::ExitStatusExt;
    assert_eq!(gb(["run", "sh", "-c", "kill -TERM $$"]).output().status.signal(), Some(15));
}

#[test]
fn the_command_has_gbs_pid() {
    let child = Command::new(PATH)
        .env_clear()
        .env("RUN_AS_ROOT", "true")
        .args(["run", "sh", "-c", "echo $$"])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let pid = child.id();
    assert_eq!(child.wait_with_output().unwrap().stdout, format!("{pid}\n").as_bytes());
}

#[test]
fn arguments_arrive_byte_for_byte() {
    let args: [&[u8]; 6] = [b"a b", b"", b"$HOME", b"*", b"new\nline", b"\xff\xfe"];
    let words = ["run", "printf", "[%s]"].map(OsStr::new).into_iter().chain(args.map(OsStr::from_bytes));
    let output = gb(words).output();
    assert_eq!(output.stdout, b"[a b][][$HOME][*][new\nline][\xff\xfe]");
}

#[test]
fn the_environment_arrives_byte_for_byte_and_in_order() {
    // A target for which gb sets nothing.
    let given = [
        &b"GOOS=plan9"[..],
        b"RUN_AS_ROOT=true",
        b"PATH=/bin:/usr/bin",
        b"A=1",
        b"A=2",
        b"odd",
        b"=x",
        b"\xff=\xfe",
        b"E=",
    ];
    let strings: Vec<_> = given.iter().map(|s| std::ffi::CString::new(*s).unwrap()).collect();
    let dir = Dir::new();
    let out = dir.path().join("out");
    let out_text = out.to_str().unwrap();
    let args =
        ["gb", "run", "cp", "/proc/self/environ", out_text].map(|s| std::ffi::CString::new(s).unwrap());
    let program = std::ffi::CString::new(PATH).unwrap();
    let actions = nix::spawn::PosixSpawnFileActions::init().unwrap();
    let attributes = nix::spawn::PosixSpawnAttr::init().unwrap();
    let _started = no_file_is_written();
    let pid = nix::spawn::posix_spawn(program.as_c_str(), &actions, &attributes, &args, &strings).unwrap();
    let status = nix::sys::wait::waitpid(pid, None).unwrap();
    assert_eq!(status, nix::sys::wait::WaitStatus::Exited(pid, 0));
    let expected: Vec<u8> = given.iter().flat_map(|s| [s, &b"\0"[..]].concat()).collect();
    assert_eq!(std::fs::read(out).unwrap(), expected);
}

#[test]
fn sigpipe_is_as_the_caller_left_it() {
    let ignored = |script: &str| {
        let line = sh(script).stdout();
        let mask = u64::from_str_radix(line.trim().strip_prefix("SigIgn:").unwrap().trim(), 16).unwrap();
        mask & (1 << (13 - 1)) != 0
    };
    assert!(!ignored("exec \"$GB\" run grep SigIgn /proc/self/status"));
    assert!(ignored("trap '' PIPE; exec \"$GB\" run grep SigIgn /proc/self/status"));
}

#[test]
fn the_signal_mask_is_as_the_caller_left_it() {
    let line =
        sh("exec env --block-signal=TERM --block-signal=HUP \"$GB\" run grep SigBlk /proc/self/status")
            .stdout();
    assert_eq!(line, "SigBlk:\t0000000000004001\n");
}

#[test]
fn a_closed_standard_stream_stays_closed() {
    let state = "for n in 0 1 2; do [ -e /proc/self/fd/$n ] && printf open || printf closed; done >&7";
    for (close, expected) in
        [("<&-", "closedopenopen"), ("2>&-", "openopenclosed"), ("<&- 2>&-", "closedopenclosed")]
    {
        let script = format!("exec 7>&1; exec \"$GB\" run sh -c '{state}' {close}");
        assert_eq!(sh(&script).go().stdout, expected, "{close}");
    }
}

#[test]
fn descriptors_are_inherited_and_none_is_added() {
    let list = "ls /proc/self/fd | tr '\\n' ' '";
    let direct = sh(&format!("exec 7</dev/null; exec sh -c \"{list}\"")).stdout();
    let through = sh(&format!("exec 7</dev/null; exec \"$GB\" run sh -c \"{list}\"")).stdout();
    assert!(direct.contains('7'), "{direct}");
    assert_eq!(through, direct);
}

#[test]
fn umask_and_working_directory_are_kept() {
    let dir = Dir::new();
    let script = "umask 027; exec \"$GB\" run sh -c 'umask; pwd'";
    assert_eq!(
        sh(script).dir(dir.path()).stdout(),
        format!("0027\n{}\n", dir.path().canonicalize().unwrap().display())
    );
}

#[test]
fn standard_input_is_piped_through() {
    assert_eq!(sh("echo hi | \"$GB\" run cat").stdout(), "hi\n");
}

#[test]
fn a_script_without_an_interpreter_line_is_run_by_the_shell() {
    let dir = Dir::new();
    dir.file("script", "echo \"$0 $1\"", 0o755);
    let path = dir.path().join("script");
    assert_eq!(
        gb([OsStr::new("run"), path.as_os_str(), OsStr::new("a b")]).stdout(),
        format!("{} a b\n", path.display())
    );
    // Found through PATH, too, as execvp does.
    let search = format!("{}:/usr/bin:/bin", dir.path().display());
    assert_eq!(gb(["run", "script", "x"]).env("PATH", search).stdout(), format!("{} x\n", path.display()));
}

#[test]
fn a_program_finds_its_own_name_as_it_was_typed() {
    let dir = Dir::new();
    dir.file("tool", "#!/bin/sh\nexit 0\n", 0o755);
    assert_eq!(gb(["run", "sh", "-c", "echo $0"]).stdout(), "sh\n");
    assert_eq!(gb(["run", "/bin/sh", "-c", "echo $0"]).stdout(), "/bin/sh\n");
}

#[test]
fn what_is_not_there_gives_127() {
    gb(["run", "no-such-program"])
        .env("PATH", "/bin:/nowhere")
        .fails(127, "run no-such-program: not found in PATH=/bin:/nowhere");
    gb(["run", ""]).env("PATH", "/bin").fails(127, "run : not found in PATH=/bin");
    gb(["run", "./no-such-program"]).fails(127, "run ./no-such-program: no such file");
    gb(["run", "/bin/sh/x"]).fails(127, "run /bin/sh/x: no such file");
}

#[test]
fn a_missing_interpreter_is_named_and_gives_127() {
    let dir = Dir::new();
    let script = dir.file("script", "#! /nonexistent/python -u\n", 0o755);
    gb(["run".as_ref(), script.as_os_str()])
        .fails(127, &format!("run {}: its interpreter /nonexistent/python does not exist", script.display()));
    // The program of this very test, with the path of its loader overwritten.
    let mut program = std::fs::read("/bin/sh").unwrap();
    let start = b"/lib";
    let at = program.windows(4).position(|w| w == start).expect("/bin/sh has a loader");
    program[at + 1] = b'X';
    let name: Vec<u8> = program[at..].iter().copied().take_while(|b| *b != 0).collect();
    let program = dir.file("program", program, 0o755);
    let message = format!(
        "run {}: its interpreter {} does not exist",
        program.display(),
        String::from_utf8_lossy(&name)
    );
    gb(["run".as_ref(), program.as_os_str()]).fails(127, &message);
    // Its own line ends, and the lack of its interpreter's interpreter.
    let windows = dir.file("windows", "#!/bin/sh\r\n", 0o755);
    gb(["run".as_ref(), windows.as_os_str()]).fails(
        127,
        &format!(
            "run {}: its interpreter \"/bin/sh\\r\" does not exist (it has the line ends of Windows)",
            windows.display()
        ),
    );
    let nested = dir.file("nested", format!("#!{}\n", program.display()), 0o755);
    gb(["run".as_ref(), nested.as_os_str()]).fails(
        127,
        &format!(
            "run {}: what it needs to be run is missing (the interpreter of its interpreter, or the emulator that is \
             registered for it)",
            nested.display()
        ),
    );
}

#[test]
fn what_is_there_and_cannot_run_gives_126_with_the_reason() {
    let dir = Dir::new();
    let plain = dir.file("plain", "x", 0o644);
    let looped = dir.path().join("loop");
    std::os::unix::fs::symlink("loop", &looped).unwrap();
    // The header of a program for loong64, of an ELF version that no emulator is registered for.
    let mut foreign = b"\x7fELF\x02\x01\x02".to_vec();
    foreign.resize(16, 0);
    foreign.extend_from_slice(&[2, 0, 2, 1, 1, 0, 0, 0]);
    foreign.resize(64, 0);
    let foreign = dir.file("foreign", foreign, 0o755);
    let foreign_why = |remedy: &str| {
        format!(
            "it is a program for loong64 and this kernel has no emulator for it ({remedy} run it as: qemu-loongarch64 {})",
            foreign.display()
        )
    };
    let no_emulator = foreign_why("apt-get install qemu-user, and");
    for (path, why) in [
        (dir.path(), "it is a directory"),
        (&plain, "it is not executable (chmod +x)"),
        (&looped, "Too many symbolic links encountered"),
        (&foreign, &no_emulator),
    ] {
        let call = gb(["run".as_ref(), path.as_os_str()]).env("PATH", dir.path());
        call.fails(126, &format!("run {}: {why}", path.display()));
    }
    dir.file("qemu-loongarch64", "", 0o755);
    let call = gb(["run".as_ref(), foreign.as_os_str()]).env("PATH", dir.path());
    call.fails(126, &format!("run {}: {}", foreign.display(), foreign_why("make register, or")));
}

#[test]
fn a_program_that_may_not_be_run_does_not_hide_one_further_on_in_path() {
    let (first, second) = (Dir::new(), Dir::new());
    first.file("tool", "", 0o644);
    let search = format!("{}:{}:/bin", first.path().display(), second.path().display());
    gb(["run", "tool"])
        .env("PATH", &search)
        .fails(126, &format!("run {}/tool: it is not executable (chmod +x)", first.path().display()));
    second.file("tool", "#!/bin/sh\necho second\n", 0o755);
    assert_eq!(gb(["run", "tool"]).env("PATH", &search).stdout(), "second\n");
}

#[test]
fn without_a_path_the_systems_own_is_searched_and_an_empty_element_is_the_working_directory() {
    assert_eq!(sh("unset PATH; exec \"$GB\" run echo found").stdout(), "found\n");
    let dir = Dir::new();
    dir.file("here", "#!/bin/sh\necho here\n", 0o755);
    assert_eq!(gb(["run", "here"]).env("PATH", "/bin:").dir(dir.path()).stdout(), "here\n");
}

#[test]
fn without_a_command_gb_says_how_it_is_used() {
    for args in [&["run"][..], &["run", "--"]] {
        gb(args).fails(125, "run: no command given (gb run COMMAND [ARGUMENT]...)");
    }
}

#[test]
fn a_flag_that_gb_does_not_have_is_refused_before_anything_runs() {
    gb(["run", "--frobnicate", "touch", "/x"])
        .fails(125, "unexpected argument '--frobnicate' found (to pass '--frobnicate' as a value, use '-- --frobnicate'; gb --help)");
}

#[test]
fn an_unknown_target_is_refused_with_the_accepted_names_and_the_nearest() {
    gb(["run", "true"]).env("GOARCH", "arm46").fails(
        125,
        "read the target from GOARCH: \"arm46\": no such architecture, did you mean arm64? (known: 386 amd64 arm arm64 \
         loong64 mips mips64 mips64le mipsle ppc64 ppc64le riscv64 s390x)",
    );
    assert_eq!(gb(["run", "echo", "ok"]).env("GOARCH", "wasm").env("GOOS", "js").stdout(), "ok\n");
}

/// docs/compat.md: xx-empty-parts
#[test]
fn a_platform_of_which_a_part_is_missing_is_refused_before_anything_is_run() {
    gb(["run", "echo"]).env("TARGETPLATFORM", "/arm64").fails(
        125,
        "read the target from TARGETPLATFORM: \"/arm64\": the operating system before the slash is empty (linux/arm64)",
    );
    gb(["env", "linux//v7"]).fails(
        125,
        "read the target from the argument: \"linux//v7\": the operating system has no architecture after it (linux/arm64)",
    );
    // As a Dockerfile writes $TARGETOS/$TARGETARCH/$TARGETVARIANT and $TARGETOS-$TARGETARCH, and uname -s the system.
    for (name, value) in
        [("TARGETPLATFORM", "linux/arm64/"), ("TARGETPAIR", "linux-arm64"), ("ARCH", "linux-arm64")]
    {
        let call = gb(["run", "sh", "-c", "echo $GOOS $GOARCH $CC"]).env(name, value).env("GOOS", "Linux");
        assert_eq!(call.stdout(), "linux arm64 aarch64-linux-gnu-clang\n");
    }
}

#[test]
fn a_gb_sysroot_that_is_none_is_refused_before_the_command_and_not_by_the_first_link() {
    let dir = Dir::new();
    let place = dir.path().to_str().unwrap();
    dir.file("file", "", 0o644);
    for path in ["empty", "musl/usr/include", "musl/lib", "merged"] {
        std::fs::create_dir_all(dir.path().join(path)).unwrap();
    }
    dir.file("musl/usr/include/stdio.h", "", 0o644);
    dir.file("musl/lib/ld-musl-s390x.so.1", "", 0o755);
    crate::env::make_sysroot(&dir.path().join("merged"));
    // As in a root whose /lib is a link to /usr/lib, and not to usr/lib.
    sh(&format!("cd {place}/merged; mv lib/* usr/lib; rmdir lib; ln -s /usr/lib lib")).stdout();
    for (value, lack) in [
        ("relative", "relative: not an absolute path"),
        (" ", " : not an absolute path"),
        ("/usr//sys-root", "/usr//sys-root: a part of the path is empty"),
        ("/opt/root\n", "/opt/root?: a control character is in the path"),
        ("/nonexistent", "/nonexistent: no such directory"),
        ("HERE/file", "HERE/file: not a directory"),
        ("HERE/empty", "HERE/empty: no C headers for s390x (stdio.h)"),
        (
            "HERE/musl",
            "HERE/musl: no C headers for s390x (bits/libc-header-start.h): it is one of musl, and gb builds against glibc",
        ),
        ("HERE/merged", "HERE/merged: HERE/merged/lib is an absolute link to /usr/lib (make it relative)"),
    ] {
        for options in [&["run"][..], &["run", "--dry-run"]] {
            let call = gb(options.iter().chain(&["touch", "HERE/ran"]));
            call.env("GOARCH", "s390x").env("GB_SYSROOT", value.replace("HERE", place)).fails(
                125,
                &format!(
                    "build against GB_SYSROOT: no usable sysroot for s390x-linux-gnu: {} (set GB_SYSROOT to a sysroot of \
                     s390x, or unset it)",
                    lack.replace("HERE", place)
                ),
            );
        }
    }
    let long = format!("/{}", "x".repeat(100_000));
    let told = gb(["run", "true"]).env("GB_SYSROOT", &long).go().stderr;
    assert!(told.lines().count() == 1 && told.len() < 500, "{told}");
    // Nobody who names none needs one, and for a system that gb has no compiler for it says nothing.
    assert_eq!(gb(["run", "echo", "ok"]).env("GOARCH", "mips64").env("GB_SYSROOT", "").stdout(), "ok\n");
    assert_eq!(gb(["run", "echo", "ok"]).env("GOOS", "darwin").env("GB_SYSROOT", "x").stdout(), "ok\n");
    gb(["run", "true"]).env("GOOS", "windows").env("GOARCH", "amd64").env("GB_SYSROOT", "x").fails(
        125,
        "build against GB_SYSROOT: no usable sysroot for x86_64-w64-mingw32: x: not an absolute path (set GB_SYSROOT to a \
         sysroot of windows/amd64, or unset it)",
    );
}

#[test]
fn a_target_that_is_no_text_at_all_is_one_line_that_can_be_shown() {
    use std::os::unix::ffi::OsStrExt;
    let long = "a/".repeat(60_000);
    for value in [b"\xff\xfe".as_slice(), b"arm64\x1b[2J\r\n", "a\u{202e}b".as_bytes(), long.as_bytes()] {
        for name in
            ["GOOS", "GOARCH", "ARCH", "TARGETPLATFORM", "TARGETPAIR", "TARGETOS", "TARGETARCH", "GOARM"]
        {
            let call = gb(["run", "true"]).env(name, std::ffi::OsStr::from_bytes(value));
            let result = if name == "GOARM" { call.env("GOARCH", "arm").go() } else { call.go() };
            // A variant is the compiler's to refuse.
            assert_eq!(
                result.status,
                Some(if name == "GOARM" { 0 } else { 125 }),
                "{name}: {}",
                result.stderr
            );
            assert!(result.stderr.lines().count() <= 1 && result.stderr.len() < 400, "{}", result.stderr);
            assert!(!result.stderr.trim_end().contains(|c: char| c.is_control() || c == '\u{202e}'));
        }
    }
}

#[test]
fn a_message_is_one_line_whatever_the_name_holds() {
    let name = OsStr::from_bytes(b"/no\n\x1b[31msuch\xff");
    gb([OsStr::new("run"), name]).fails(127, "run /no??[31msuch\u{fffd}: no such file");
}

#[test]
fn search_paths_that_bring_the_hosts_files_into_a_cross_build_are_reported() {
    let run = |name: &str, value: &str| {
        let result = gb(["run", "true"]).env("GOARCH", "mips").env(name, value).go();
        assert_eq!(result.status, Some(0));
        result.stderr
    };
    let message = "gb: build against a sysroot: ";
    assert_eq!(
        run("CPATH", "/src/dep:/usr/include"),
        format!("{message}CPATH=/src/dep:/usr/include may bring the host's files into it (unset CPATH)\n")
    );
    assert_eq!(
        run("LIBRARY_PATH", "/usr/lib"),
        format!("{message}the host's directories in LIBRARY_PATH=/usr/lib are left out\n")
    );
    assert_eq!(run("LIBRARY_PATH", "/src/dep/lib"), "");
}

#[test]
fn a_foreign_target_is_no_matter_for_a_command_that_compiles_nothing() {
    assert_eq!(gb(["run", "echo", "lint"]).env("GOARCH", "s390x").stdout(), "lint\n");
}

#[test]
fn nothing_but_programs_is_run_for_the_command() {
    // The image's entrypoint used to be a shell script: BASH_ENV and ENV were executed before the command.
    let dir = Dir::new();
    let hook = dir.file("hook", "echo hooked >&2", 0o755);
    let call = gb(["run", "true"]).env("BASH_ENV", &hook).env("ENV", &hook);
    assert_eq!(call.stdout(), "");
    assert_eq!(Call::new(PATH).args(["run", "true"]).go().status, Some(0));
}
