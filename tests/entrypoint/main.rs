//! gb's entrypoint from outside, as root: who the command runs as, what it inherits, what is left of the account files;
//! and the same cases against the programs that gb takes the place of.
//!
//! A test may replace /etc/passwd, give up capabilities, or be PID 1 on a terminal, so each gets a root of its own (an
//! overlay in a mount and pid namespace), and all of them run in a container of an image that has those programs.
//! `make test` makes the image and the static gb, and runs this with everything that it needs:
//!
//! | variable | meaning |
//! |---|---|
//! | `GB_TEST_PEERS_IMAGE` | the image (tests/entrypoint/Dockerfile); without it what needs a container is ignored |
//! | `GB_TEST_GB` | gb, linked statically (`cargo static`) |
//! | `GB_TEST_SU_EXEC` | a static su-exec, which Debian does not have; without it nothing is compared with it |
//! | `GB_TEST_REQUIRE=all` | nothing but that may be left out: what is missing is a failure |
//!
//! (C01, B01, X01, I01, L01 … in comments are the numbers that the cases have in the issue that asked for them.)

// This is test code, where a failed assumption may end the test; no attribute tells clippy so when main is our own.
#![allow(
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::print_stderr,
    clippy::unwrap_used,
    unreachable_pub
)]

mod accounts;
mod argv;
mod better;
mod case;
mod compat;
mod contract;
mod exec;
#[path = "../guard.rs"]
mod guard;
mod harness;
mod homes;
mod init;
mod inside;
mod mounts;
mod processes;
mod root;
mod running;
mod security;
mod streams;
mod su_exec;
mod terminal;

use std::process::ExitCode;

use libtest_mimic::{Arguments, Trial};

use case::Needs;
use inside::Place;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Many a test waits most of its time.
    arguments.test_threads.get_or_insert(4);

    let place = match inside::find(&arguments) {
        Ok(place) => place,
        Err(message) => {
            eprintln!("tests/entrypoint: {message}");
            return ExitCode::FAILURE;
        }
    };
    match &place {
        Place::Elsewhere(code) => return *code,
        Place::Outside { missing } if !arguments.list => {
            eprintln!("tests/entrypoint: {missing}: what needs a container is ignored (make test)");
        }
        _ => {}
    }
    let inside = matches!(place, Place::Inside);

    let cases = [
        harness::cases(),
        init::cases(),
        contract::cases(),
        better::cases(),
        homes::cases(),
        streams::cases(),
        mounts::cases(),
        security::cases(),
        su_exec::cases(),
        exec::cases(),
        argv::cases(),
    ];
    let has_su_exec = inside && su_exec::has_original();
    let (cases, left_out): (Vec<_>, Vec<_>) =
        cases.into_iter().flatten().partition(|case| case.needs != Needs::SuExec || has_su_exec);
    if !left_out.is_empty() && inside && !arguments.list {
        let count = left_out.len();
        eprintln!(
            "tests/entrypoint: GB_TEST_SU_EXEC names no su-exec, and Debian has none: {count} looks at it are left out"
        );
    }
    let trials = cases.into_iter().map(|case| {
        let ignored = case.needs == Needs::Root && !inside;
        let check = case.check;
        let run = move || {
            check();
            Ok(())
        };
        Trial::test(case.name, run).with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
