//! gb: the entrypoint and the cross toolchain of the go-build image.
//!
//! | room | what it is for |
//! |---|---|
//! | [`cli`] | which role gb plays, by its name and its arguments |
//! | [`toolchain`] | targets, sysroots, the environment of a build, the compiler and pkg-config roles |
//! | [`binfmt`] | whether programs of other architectures run, and by what |
//! | [`go_cache`] | giving a Go cache of the caller's what the image's has |
//! | [`entrypoint`] | becoming the user's command |
//! | [`closure`] | what belongs into a root so that programs run in it, and whether a root has it |
//! | [`verify`] | what a file is and needs, and what is the matter with it |
//! | [`layers`] | container images that are archives, as such roots |
//! | [`rootfs`] | a root directory as programs in it would see it, and what they need of it |
//! | [`loader`] | the rules by which dynamic loaders find what a program needs |
//! | [`elf`] | what an ELF file says of itself to a loader |
//! | [`packages`] | who owns a file of a root, and what scanners read of it |
//! | [`platform`] | the table of architectures, and the reading of their names |
//! | [`environment`] | environment variables, byte for byte |
//! | [`file`] | looking into files that somebody else names |
//! | [`user_namespace`] | the user namespace that this process is in, and its ids |
//! | [`sys`] | the only `unsafe` |
//! | [`error`] | exit codes and messages |
//!
//! Dependencies point downwards in this table, and `toolchain`, `binfmt`, `go_cache`, `entrypoint`, `closure`, `verify` and `packages` do
//! not know each other.

pub mod binfmt;
pub mod cli;
pub mod closure;
pub mod elf;
pub mod entrypoint;
pub mod environment;
pub mod error;
pub mod file;
pub mod go_cache;
pub mod layers;
pub mod loader;
pub mod packages;
pub mod platform;
pub mod rootfs;
pub mod sys;
pub mod toolchain;
pub mod user_namespace;
pub mod verify;
