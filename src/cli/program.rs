//! Becoming another program.

use std::ffi::{OsStr, OsString};

use crate::entrypoint::{Program, exec};
use crate::environment::Environment;
use crate::error::Error;

/// Becomes a program, or says why not.
pub(super) fn become_program(program: &OsStr, args: &[OsString], environment: &Environment) -> Error {
    Error::Exec(exec(&Program { name: program, argv0: program, args }, environment))
}
