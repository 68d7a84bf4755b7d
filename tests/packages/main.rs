//! Whose a file is, by gb and by the package managers themselves; and what scanners and validators make of what gb writes.
//!
//! All of it runs in a container of an image that has them (tests/packages/Dockerfile). `make test` makes the image and runs this:
//!
//! | variable | meaning |
//! |---|---|
//! | `GB_TEST_PACKAGES_IMAGE` | the image; without it every test is ignored |
//! | `GB_TEST_REQUIRE=all` | nothing may be left out: what is missing is a failure |

// This is test code, where a failed assumption may end the test; no attribute tells clippy so when main is our own.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::print_stdout,
    clippy::unwrap_used,
    unreachable_pub
)]

mod debian;
mod documents;
#[path = "../guard.rs"]
#[allow(dead_code)]
mod guard;
mod place;
mod rpm;
mod rpm_formats;
mod sbom;

use std::process::{ExitCode, Stdio};

use libtest_mimic::{Arguments, Trial};

/// Tells the test program that it is in the container.
const INSIDE: &str = "GB_TEST_INSIDE";

/// The program under test, in the container.
const GB: &str = "/gb";

/// A test: what a user gets, and how that is seen.
type Case = (&'static str, fn());

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let is_inside = variable(INSIDE).is_some();
    if !is_inside && !arguments.list {
        match (variable("GB_TEST_PACKAGES_IMAGE"), variable("GB_TEST_REQUIRE")) {
            (Some(image), _) => return go(&image),
            (None, Some(_)) => {
                eprintln!(
                    "tests/packages: GB_TEST_REQUIRE, but GB_TEST_PACKAGES_IMAGE names no image (make test)"
                );
                return ExitCode::FAILURE;
            }
            (None, None) => {
                eprintln!(
                    "tests/packages: GB_TEST_PACKAGES_IMAGE names no image: everything is ignored (make test)"
                );
            }
        }
    }
    let cases: [&[Case]; 5] =
        [&debian::CASES, &rpm::CASES, &rpm_formats::CASES, &documents::CASES, &sbom::CASES];
    let trial = |(name, check): &Case| {
        let check = *check;
        Trial::test(*name, move || {
            check();
            Ok(())
        })
        .with_ignored_flag(!is_inside)
    };
    let trials = cases.into_iter().flatten().map(trial).collect();
    libtest_mimic::run(&arguments, trials).exit_code()
}

/// Runs the tests in a container.
fn go(image: &str) -> ExitCode {
    let guard = match guard::Guard::start() {
        Ok(Some(guard)) => guard,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tests/packages: start a guard: {error}");
            return ExitCode::FAILURE;
        }
    };
    let test = std::env::current_exe().unwrap();
    let mut docker = guard::docker();
    docker.args(["run", "--rm", "--init", "--network=none"]).arg(guard::label());
    docker.args(["--volume", &format!("{}:/test:ro", test.display()), "--env", &format!("{INSIDE}=1")]);
    docker.args(["--volume", &format!("{}:{GB}:ro", env!("CARGO_BIN_EXE_gb"))]);
    docker.args(["--entrypoint", "/test", image]).args(std::env::args_os().skip(1));
    let status = docker.stdin(Stdio::null()).status();
    drop(guard);
    match status {
        Ok(status) => {
            let code = status.code().and_then(|code| u8::try_from(code).ok());
            // Tests that pass end with 0, tests that fail with 101.
            if !matches!(code, Some(0 | 101)) {
                eprintln!("tests/packages: the container did not come to the end of the tests: {status}");
            }
            code.map_or(ExitCode::FAILURE, ExitCode::from)
        }
        Err(error) => {
            eprintln!("tests/packages: docker: {error} (make engine, or unset GB_TEST_PACKAGES_IMAGE)");
            ExitCode::FAILURE
        }
    }
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
