//! Programs in Go, C and C++, built for every target in the real image by the real engine, and run.
//!
//! `make test` makes the images and runs this with everything that it needs:
//!
//! | variable | meaning |
//! |---|---|
//! | `GB_TEST_IMAGE` | the go-build image; without it every test is ignored |
//! | `GB_TEST_ARM_IMAGE` | the same with sysroots for 32 bit ARM, Debian's cross packages and strace; without it some are ignored |
//! | `GB_TEST_BINFMT_IMAGE` | calico/binfmt; without it some are ignored |
//! | `GB_TEST_BASE_IMAGES` | calico/base, for this machine and then for others; without it some are ignored |
//! | `GB_TEST_HOST_IMAGES` | go-build images for other machines; without it some are ignored |
//! | `GB_TEST_REQUIRE=all` | nothing may be left out: what is missing is a failure |

// This is test code, where a failed assumption may end the test; no attribute tells clippy so when main is our own.
#![allow(clippy::indexing_slicing, clippy::print_stderr, unreachable_pub)]

mod adding;
mod advice;
mod arm;
mod base_image;
mod binfmt;
mod bpf;
mod build_systems;
mod cache;
mod calico_lines;
mod calico_tools;
mod calico_tree;
mod callers;
mod case;
mod deep;
mod drop_in;
mod elf;
mod emulation;
mod engine;
mod entrypoint;
mod go_calls;
#[path = "../tests/guard.rs"]
mod guard;
mod health;
mod hosts;
mod image;
mod lab;
mod layouts;
mod libraries;
mod linking;
mod loading;
mod matrix;
mod nsswitch;
mod outside;
mod own_cache;
mod own_libraries;
mod persistent;
mod prerequisites;
mod registration;
mod rights;
mod roles;
mod runner;
mod sanitizers;
mod saved;
mod sbom;
mod stopping;
mod strip_libs;
mod terminal;
mod utilities;
mod variants;
mod verdicts;
mod verify;
mod windows;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use prerequisites::Prerequisites;

fn main() -> ExitCode {
    let mut arguments = Arguments::from_args();
    // Each test keeps an engine, a compiler and sometimes an emulator busy.
    arguments.test_threads.get_or_insert(2);

    // A list needs no engine, and tells names alone.
    let found = if arguments.list { Ok(Some(Prerequisites::default())) } else { Prerequisites::find() };
    let present = match found {
        Ok(Some(present)) => present,
        // A guard of another process of this program.
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("cross-tests: {}", error.message().unwrap_or("cannot start"));
            return ExitCode::FAILURE;
        }
    };
    if let Some((what, remedy)) = present.left_out().filter(|_| !arguments.list) {
        let ignored = if present.lab.is_some() { "what needs that" } else { "everything" };
        eprintln!("cross-tests: {what}: {ignored} is ignored ({remedy})");
    }
    let lab = present.lab.clone();
    let cases = [
        matrix::cases(),
        callers::cases(),
        linking::cases(),
        go_calls::cases(),
        own_libraries::cases(),
        cache::cases(),
        own_cache::cases(),
        roles::cases(),
        variants::cases(),
        arm::cases(),
        build_systems::cases(),
        layouts::cases(),
        bpf::cases(),
        sanitizers::cases(),
        image::cases(),
        libraries::cases(),
        loading::cases(),
        adding::cases(),
        advice::cases(),
        binfmt::cases(),
        verdicts::cases(),
        deep::cases(),
        drop_in::cases(),
        registration::cases(),
        rights::cases(),
        nsswitch::cases(),
        persistent::cases(),
        runner::cases(),
        emulation::cases(),
        health::cases(),
        entrypoint::cases(),
        outside::cases(),
        stopping::cases(),
        strip_libs::cases(),
        utilities::cases(),
        verify::cases(),
        windows::cases(),
        saved::cases(),
        sbom::cases(),
        base_image::cases(),
        calico_lines::cases(),
        calico_tools::cases(),
        hosts::cases(),
    ];
    let cases: Vec<_> = cases.into_iter().flatten().collect();
    let needs: Vec<_> = cases.iter().map(|case| case.needs).collect();
    if let Some(what) = present.left_out_by_image(&needs) {
        eprintln!("cross-tests: {what}: so many of Calico's lines are ignored");
    }
    let trials = cases.into_iter().map(|case| {
        let lab = lab.as_ref().map(Arc::clone);
        let ignored = !present.has(case.needs);
        let check = case.check;
        let run = move || match &lab {
            Some(lab) => check(lab),
            None => Err("GB_TEST_IMAGE names no image (make test)".into()),
        };
        Trial::test(case.name, run).with_ignored_flag(ignored)
    });
    libtest_mimic::run(&arguments, trials.collect()).exit_code()
}
