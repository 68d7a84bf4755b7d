//! gb called by the name that the go command looks for to run a foreign program, on a kernel that runs no program of it.
//!
//! What it does with real programs and real emulators is shown by `cross-tests`.

use std::os::unix::fs::PermissionsExt;
use std::path::PathBuf;

use crate::gb::{Call, Dir, linked, no_file_is_written};

const NAME: &str = "go_linux_loong64_exec";

/// The header of a program that no kernel is told an emulator for: of an ELF version that there is not.
fn header(machine: [u8; 2]) -> Vec<u8> {
    let mut header = b"\x7fELF\x02\x01\x02".to_vec();
    header.resize(16, 0);
    header.extend_from_slice(&[2, 0]);
    header.extend_from_slice(&machine);
    header.extend_from_slice(&[1, 0, 0, 0]);
    header.resize(64, 0);
    header
}

const LOONG64: [u8; 2] = [2, 1];
const PPC64LE: [u8; 2] = [21, 0];

/// A directory in which gb is the runner of loong64, with a program of it, and an emulator that says how it was called.
fn emulated() -> (Dir, PathBuf, PathBuf) {
    let (dir, link) = linked(NAME);
    let program = dir.file("program", header(LOONG64), 0o755);
    let script = "#!/bin/sh\nprintf '[%s]' \"$@\"; printf '%s\\n' \"${QEMU_LD_PREFIX-none}\"; exit 7\n";
    dir.file("qemu-loongarch64", script, 0o755);
    (dir, link, program)
}

fn why(program: &std::path::Path, lack: &str) -> String {
    format!(
        "run {}: it is a program for loong64, which this kernel does not run (gb binfmt check loong64 says why), and \
         {lack} (apt-get install qemu-user, or make register)",
        program.display()
    )
}

#[test]
fn what_the_kernel_runs_is_run_with_nothing_in_between() {
    let (_dir, link) = linked(NAME);
    let script = "printf '%s,' \"$0\" \"$@\"; exit 42";
    let result = Call::new(&link).args(["sh", "-c", script, "name", "a b", ""]).go();
    assert_eq!((result.status, result.stdout.as_str(), result.stderr.as_str()), (Some(42), "name,a b,,", ""));
}

#[test]
fn what_the_kernel_does_not_run_the_emulator_of_path_does() {
    let (dir, link, program) = emulated();
    let call = |name: &str| {
        let call = Call::new(&link).args([name, "-test.v", "a b"]).dir(dir.path());
        let result = call.env("PATH", dir.path()).env("GB_SYSROOT", "").go();
        assert_eq!((result.status, result.stderr.as_str()), (Some(7), ""));
        result.stdout
    };
    let path = program.display().to_string();
    assert_eq!(call(&path), format!("[-0][{path}][{path}][-test.v][a b]none\n"));
    assert_eq!(call("./program"), "[-0][./program][./program][-test.v][a b]none\n");
    assert_eq!(call("program"), format!("[-0][program][{path}][-test.v][a b]none\n"));
    let prefix = Call::new(&link).args([&program]).env("PATH", dir.path()).env("QEMU_LD_PREFIX", "/mine");
    assert_eq!(prefix.go().stdout, format!("[-0][{path}][{path}]/mine\n"));
}

#[test]
fn an_emulator_may_have_either_name_and_has_to_be_of_this_machine() {
    let (dir, link, program) = emulated();
    std::fs::rename(dir.path().join("qemu-loongarch64"), dir.path().join("qemu-loongarch64-static")).unwrap();
    let foreign = Dir::new();
    let other = foreign.file("qemu-loongarch64-static", header(PPC64LE), 0o755);
    let run = |path: String| Call::new(&link).args([&program]).env("PATH", path);
    let path = format!("{}::{}", foreign.path().display(), dir.path().display());
    assert_eq!(run(path).go().status, Some(7));
    run(foreign.path().display().to_string())
        .fails(126, &why(&program, &format!("{}: it is no program of this machine", other.display())));
    run("/nowhere".to_owned()).fails(126, &why(&program, "PATH has no qemu-loongarch64"));
    // A test runs in the directory of what it tests.
    run(".::relative".to_owned()).dir(dir.path()).fails(126, &why(&program, "PATH has no qemu-loongarch64"));
}

#[test]
fn what_is_the_programs_own_fault_is_said_and_not_emulated() {
    let (dir, link, program) = emulated();
    let run = |program: &std::path::Path| Call::new(&link).args([program]).env("PATH", dir.path());
    let absent = dir.path().join("absent");
    run(&absent).fails(127, &format!("run {}: no such file", absent.display()));
    let other = dir.file("other", header(PPC64LE), 0o755);
    let result = run(&other).go();
    assert_eq!(result.status, Some(126));
    assert!(result.stderr.contains("it is a program for ppc64le"), "{}", result.stderr);
    run(dir.path()).fails(126, &format!("run {}: it is a directory", dir.path().display()));
    {
        let _started = no_file_is_written();
        std::fs::set_permissions(&program, std::fs::Permissions::from_mode(0o644)).unwrap();
    }
    run(&program).fails(126, &format!("run {}: it is not executable (chmod +x)", program.display()));
    Call::new(&link).fails(125, &format!("{NAME}: no program given ({NAME} PROGRAM [ARGUMENT]...)"));
    let (_dir, link) = linked("go_linux_sparc64_exec");
    Call::new(&link).args(["true"]).fails(
        125,
        "called as go_linux_sparc64_exec: Go has no \"sparc64\" (gb install-links makes the names)",
    );
}

#[test]
fn a_sysroot_that_is_named_and_none_is_refused_where_it_is_needed() {
    let (dir, link) = linked(NAME);
    dir.file("qemu-loongarch64", "#!/bin/sh\necho run\n", 0o755);
    let mut dynamic = header(LOONG64);
    // e_phoff, e_phentsize, e_phnum; then a program header of type PT_INTERP for the bytes after it.
    dynamic[32] = 64;
    dynamic[54] = 56;
    dynamic[56] = 1;
    let mut segment = [0; 56];
    (segment[0], segment[8], segment[32]) = (3, 120, 8);
    dynamic.extend_from_slice(&segment);
    dynamic.extend_from_slice(b"/loader\0");
    let dynamic = dir.file("dynamic", dynamic, 0o755);
    let run = |root: &str| Call::new(&link).args([&dynamic]).env("PATH", dir.path()).env("GB_SYSROOT", root);
    assert_eq!(run("").stdout(), "run\n");
    let message = "build against GB_SYSROOT: no usable sysroot for loongarch64-linux-gnu: /nowhere: no such directory \
                   (set GB_SYSROOT to a sysroot of loong64, or unset it)";
    run("/nowhere").fails(125, message);
}
