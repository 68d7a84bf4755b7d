//! `go_linux_<goarch>_exec PROGRAM`: becomes a program of that architecture, or its emulator.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::program::become_program;
use crate::binfmt::emulator;
use crate::entrypoint::{ExecError, interpreter};
use crate::environment::Environment;
use crate::error::Error;
use crate::file;
use crate::platform::Platform;
use crate::sys;
use crate::toolchain::Runner;

/// Becomes the program; returns only if that failed. `args` come after `argv[0]`.
pub(super) fn run(runner: Runner, args: &[OsString]) -> Error {
    let Some((program, args)) = args.split_first() else {
        return Error::Usage(format!("{0}: no program given ({0} PROGRAM [ARGUMENT]...)", runner.name()));
    };
    let inherited = Environment::new(sys::environ());
    let environment = runner.environment(&inherited);
    // Most often that is all: nothing is looked at before.
    let refusal = match become_program(program, args, &environment) {
        Error::Exec(refusal) => refusal,
        error => return error,
    };
    let Some(file) = refusal.unserved().filter(|file| is_for(file, runner.platform)) else {
        return Error::Exec(refusal);
    };
    // As the go command does, not where a test happens to run, which is the directory of what it tests.
    let dirs: Vec<PathBuf> =
        std::env::split_paths(environment.search_path()).filter(|dir| dir.is_absolute()).collect();
    let emulator = match emulator::find(&emulator::names(runner.platform), &dirs, false) {
        Ok(emulator) => emulator,
        Err(error) => return no_emulator(runner, file, &error),
    };
    let loader = interpreter(file);
    match runner.emulation((file, program, args), loader.as_deref(), &inherited) {
        Ok(words) => become_program(emulator.as_os_str(), &words, &environment),
        Err(error) => error.into(),
    }
}

/// Whether a program is for an architecture, and no other kernel's matter than an emulator's.
fn is_for(file: &Path, platform: &'static Platform) -> bool {
    let head = file::read_part(file, 0, 64).unwrap_or_default();
    Some(platform) != Platform::host() && Platform::by_elf_header(&head) == Some(platform)
}

/// Neither the kernel nor PATH has one.
fn no_emulator(runner: Runner, file: &Path, error: &emulator::NoEmulator) -> Error {
    let goarch = runner.platform.goarch;
    let error = match error {
        emulator::NoEmulator::Missing { name, .. } => format!("PATH has no {name}"),
        unfit => unfit.to_string(),
    };
    let why = format!(
        "it is a program for {goarch}, which this kernel does not run (gb binfmt check {goarch} says why), and {error} \
         (apt-get install qemu-user, or make register)"
    );
    Error::Exec(ExecError::CannotRun { file: file.into(), why, errno: None })
}
