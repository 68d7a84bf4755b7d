//! The `gb` binary: arguments in, exit code out.

use std::process::ExitCode;

// What `cargo static` links in the place of parts of the C library and of its unwinder.
#[cfg(lean)]
#[path = "sys/lean.rs"]
mod lean;

fn main() -> ExitCode {
    gb::cli::main(std::env::args_os().collect())
}
