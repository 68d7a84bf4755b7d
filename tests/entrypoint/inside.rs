//! Getting into the container: the test program starts itself there again.

use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::{ExitCode, Stdio};

use libtest_mimic::Arguments;

use crate::guard::{self, Guard};

/// Tells the test program that it is in the container.
const INSIDE: &str = "GB_TEST_INSIDE";

/// Where the container has what it is given.
const TEST: &str = "/test";
const GIVEN_GB: &str = "/given/gb";
const GIVEN_SU_EXEC: &str = "/given/su-exec";
const GIVEN_DOCS: &str = "/given/docs";

/// Where a root has gb and, if there is one, the original su-exec.
pub const GB: &str = "/usr/local/bin/gb";
pub const ENTRYPOINT: &str = "/usr/local/bin/entrypoint.sh";
pub const SU_EXEC: &str = "/usr/local/bin/su-exec";
pub const REAL_SU_EXEC: &str = "/usr/local/bin/real-su-exec";

/// Where the test program is.
pub enum Place {
    /// In the container.
    Inside,
    /// Outside, and all is done: a container has run the tests.
    Elsewhere(ExitCode),
    /// Outside, with no container to go to.
    Outside { missing: &'static str },
}

/// Finds out where this is, and runs the tests in a container where there can be one.
pub fn find(arguments: &Arguments) -> Result<Place, String> {
    if variable(INSIDE).is_some() {
        install().map_err(|error| format!("install gb in the container: {error}"))?;
        return Ok(Place::Inside);
    }
    let strict = match variable("GB_TEST_REQUIRE").as_deref() {
        None => false,
        Some("all") => true,
        Some(other) => return Err(format!("GB_TEST_REQUIRE={other}: only \"all\" is known")),
    };
    let missing = match (variable("GB_TEST_PEERS_IMAGE"), variable("GB_TEST_GB")) {
        // A list needs no engine.
        _ if arguments.list => return Ok(Place::Outside { missing: "" }),
        (Some(image), Some(gb)) => return Ok(Place::Elsewhere(go(&image, Path::new(&gb))?)),
        (None, _) => "GB_TEST_PEERS_IMAGE names no image",
        (Some(_), None) => "GB_TEST_GB names no gb",
    };
    match strict {
        true => Err(format!("GB_TEST_REQUIRE=all, but {missing} (make test)")),
        false => Ok(Place::Outside { missing }),
    }
}

/// Where the documentation is, inside and outside.
pub fn docs() -> PathBuf {
    match variable(INSIDE) {
        Some(_) => GIVEN_DOCS.into(),
        None => Path::new(env!("CARGO_MANIFEST_DIR")).join("docs"),
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}

/// Runs the tests in a container.
fn go(image: &str, gb: &Path) -> Result<ExitCode, String> {
    let guard = Guard::start().map_err(|error| format!("start a guard: {error}"))?;
    let Some(_guard) = guard else { return Ok(ExitCode::SUCCESS) };
    let mut docker = guard::docker();
    docker.args(["run", "--rm", "--init", "--network=none"]).arg(guard::label());
    // Mounting takes CAP_SYS_ADMIN, strace of another user's process CAP_SYS_PTRACE, and the profiles of a usual
    // container forbid both.
    docker.args(["--cap-add=SYS_ADMIN", "--cap-add=SYS_PTRACE"]);
    for profile in ["seccomp=unconfined", "apparmor=unconfined", "label=disable"] {
        docker.args(["--security-opt", profile]);
    }
    docker.args(["--tmpfs", &format!("{}:rw,exec,suid,dev,mode=755", crate::root::PLACES)]);

    let test = std::env::current_exe().map_err(|error| format!("find the test program: {error}"))?;
    docker.arg("--volume").arg(volume(&test, TEST)?);
    docker.arg("--volume").arg(volume(gb, GIVEN_GB)?);
    if docs().is_dir() {
        docker.arg("--volume").arg(volume(&docs(), GIVEN_DOCS)?);
    }
    if let Some(su_exec) = variable("GB_TEST_SU_EXEC") {
        docker.arg("--volume").arg(volume(Path::new(&su_exec), GIVEN_SU_EXEC)?);
    }
    docker.args(["--env", &format!("{INSIDE}=1"), "--entrypoint", TEST, image]);
    docker.args(std::env::args_os().skip(1));
    let status = docker.stdin(Stdio::null()).status().map_err(|error| {
        format!("docker: {error} (make engine, or unset GB_TEST_PEERS_IMAGE to leave these tests out)")
    })?;
    // Tests that pass end with 0, tests that fail with 101.
    if !matches!(status.code(), Some(0 | 101)) {
        eprintln!("tests/entrypoint: the container did not come to the end of the tests: {status}");
    }
    let code = status.code().and_then(|code| u8::try_from(code).ok());
    Ok(code.map_or(ExitCode::FAILURE, ExitCode::from))
}

/// A path out here, to be read in the container.
fn volume(outside: &Path, inside: &str) -> Result<OsString, String> {
    let outside = outside.canonicalize().map_err(|error| format!("{}: {error}", outside.display()))?;
    let mut volume = outside.into_os_string();
    volume.push(format!(":{inside}:ro"));
    Ok(volume)
}

/// Puts gb where the image of go-build has it, with its two other names, below every root to come.
fn install() -> std::io::Result<()> {
    std::fs::copy(GIVEN_GB, GB)?;
    for link in [ENTRYPOINT, SU_EXEC] {
        symlink("gb", link)?;
    }
    if Path::new(GIVEN_SU_EXEC).exists() {
        std::fs::copy(GIVEN_SU_EXEC, REAL_SU_EXEC)?;
    }
    Ok(())
}
