//! The `gb` binary: arguments in, exit code out.

use std::process::ExitCode;

fn main() -> ExitCode {
    gb::cli::main(std::env::args_os().collect())
}
