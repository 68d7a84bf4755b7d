//! `gb identity`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::output::print;
use super::roles::Role;
use crate::environment::Environment;
use crate::error::Error;
use crate::sys;
use crate::toolchain::{Caller, Programs, file_identity};

/// The arguments of `gb identity`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The compiler: a path, or a name
    compiler: PathBuf,
}

/// What `gb identity` says of a compiler, be it one of gb's or not.
pub(super) fn identity(Arguments { compiler }: &Arguments) -> Result<ExitCode, Error> {
    let environment = Environment::new(sys::environ());
    let programs = Programs::new(&environment);
    // A name is gb's to read only where it leads to gb: others' compilers are for triples that gb does not know.
    if programs.is_gb(compiler) {
        if let Role::Compiler(role) = Role::of(Some(compiler.as_os_str()))? {
            let key = role.identity_for_cache(&environment, programs, Caller::find())?;
            return print(format!("{key}\n").as_bytes());
        }
    }
    let found = programs.locate(compiler).ok_or_else(|| {
        Error::Usage(format!("identity: there is no {} (name a compiler)", compiler.display()))
    })?;
    print(format!("{}\n", file_identity(&found)).as_bytes())
}
