//! Releases from outside: what images are called, pushing them to a real registry, manifest lists, and the release's branch and tag.
//!
//! What is pushed are images of a few bytes that claim to be for each architecture; what is released are repositories made here.
//! `make test` makes the image with the registry and runs this:
//!
//! | variable | meaning |
//! |---|---|
//! | `GB_TEST_REGISTRY_IMAGE` | an image with Debian's docker-registry, python3-yaml and shellcheck (tests/release/Dockerfile); without it some are ignored |
//! | `GB_TEST_RELEASED_IMAGES` | images that were built to be released; without it some are ignored |
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

mod bake;
mod branches;
mod definitions;
mod farm;
#[path = "../guard.rs"]
#[allow(dead_code)]
mod guard;
mod images;
mod layers;
mod lists;
mod names;
mod place;
mod pushing;
mod registry;

use std::process::ExitCode;
use std::sync::Arc;

use libtest_mimic::{Arguments, Trial};

use place::Place;

/// What a test needs of the machine beside make and git.
#[derive(Clone, Copy, PartialEq)]
enum Needs {
    Nothing,
    /// The buildx plugin of the engine's client; no engine.
    Buildx,
    /// The image with the registry, and an engine.
    Registry,
    /// Images that were built to be released.
    Images,
}

/// A test: what a user gets, what is needed to see it, and how it is seen.
type Case = (&'static str, Needs, fn(&Place));

fn main() -> ExitCode {
    let arguments = Arguments::from_args();
    let registry_image = variable("GB_TEST_REGISTRY_IMAGE");
    let images = variable("GB_TEST_RELEASED_IMAGES");
    let buildx = place::run("docker", &["buildx", "version"]).is_ok_and(|done| done.code == 0);
    let has = |needs| match needs {
        Needs::Nothing => true,
        Needs::Buildx => buildx,
        Needs::Registry => buildx && registry_image.is_some(),
        Needs::Images => images.is_some(),
    };
    let guard = match guard::Guard::start() {
        Ok(Some(guard)) => guard,
        Ok(None) => return ExitCode::SUCCESS,
        Err(error) => {
            eprintln!("tests/release: start a guard: {error}");
            return ExitCode::FAILURE;
        }
    };
    if !arguments.list {
        let missing = [
            (Needs::Buildx, "docker has no buildx plugin (make engine)"),
            (Needs::Registry, "GB_TEST_REGISTRY_IMAGE names no image (make test)"),
            (Needs::Images, "GB_TEST_RELEASED_IMAGES names no image (make test)"),
        ];
        for (_, why) in missing.iter().filter(|(needs, _)| !has(*needs)) {
            eprintln!("tests/release: {why}");
            if variable("GB_TEST_REQUIRE").is_some() {
                return ExitCode::FAILURE;
            }
        }
    }
    let place = Arc::new(Place::new(guard.dir.clone(), registry_image.clone(), images.clone()));
    let cases: [&[Case]; 8] = [
        &names::CASES,
        &pushing::CASES,
        &lists::CASES,
        &branches::CASES,
        &bake::CASES,
        &farm::CASES,
        &definitions::CASES,
        &layers::CASES,
    ];
    let trial = |(name, needs, check): &Case| {
        let (place, check) = (Arc::clone(&place), *check);
        Trial::test(*name, move || {
            check(&place);
            Ok(())
        })
        .with_ignored_flag(!has(*needs))
    };
    let trials = cases.into_iter().flatten().map(trial).collect();
    let code = libtest_mimic::run(&arguments, trials).exit_code();
    drop(place);
    drop(guard);
    code
}

fn variable(name: &str) -> Option<String> {
    std::env::var(name).ok().filter(|value| !value.is_empty())
}
