//! The command line from outside: what a user types, and what a user gets.
//!
//! Nothing here needs Docker, root, the network or a compiler; the real image is tested by `cross-tests`.

#![allow(clippy::unwrap_used, clippy::expect_used, clippy::indexing_slicing, clippy::panic)]

mod architecture;
mod binfmt;
mod env;
mod gb;
mod info;
mod install_links;
mod layers;
mod merge;
mod roles;
mod run;
mod runner;
#[path = "../../src/elf/sample.rs"]
mod sample;
mod sbom;
mod strip_libs;
mod user;
mod verify;

// What the samples are made of.
use ::gb::platform;
