//! What gb is by the name that it is called by.

use std::ffi::OsStr;
use std::path::Path;

use crate::error::Error;
use crate::platform::{Abi, Platform};
use crate::toolchain::{Binutil, Compiler, Runner};

/// What gb is called as.
pub(super) enum Role {
    Gb,
    Entrypoint,
    SuExec,
    Compiler(Compiler),
    PkgConfig(&'static Platform, &'static Abi),
    Binutil(Binutil),
    Runner(Runner),
}

impl Role {
    pub(super) fn of(argv0: Option<&OsStr>) -> Result<Role, Error> {
        let name = argv0.map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or("gb");
        let no_triple = |triple: &str| {
            Error::Usage(format!(
                "called as {name}: {triple:?} is no known triple (gb install-links makes the names)"
            ))
        };
        if let Some(triple) = name.strip_suffix("-pkg-config") {
            let (platform, abi) = Platform::by_tools(triple).ok_or_else(|| no_triple(triple))?;
            return Ok(Role::PkgConfig(platform, abi));
        }
        match name {
            "entrypoint.sh" => return Ok(Role::Entrypoint),
            "su-exec" => return Ok(Role::SuExec),
            _ => {}
        }
        match Runner::by_name(name) {
            Some(Ok(runner)) => return Ok(Role::Runner(runner)),
            Some(Err(goarch)) => {
                return Err(Error::Usage(format!(
                    "called as {name}: Go has no {goarch:?} (gb install-links makes the names)"
                )));
            }
            None => {}
        }
        if let Some(binutil) = Binutil::by_name(name) {
            return Ok(Role::Binutil(binutil));
        }
        match Compiler::by_name(name) {
            Some(Ok(compiler)) => Ok(Role::Compiler(compiler)),
            Some(Err(triple)) => Err(no_triple(triple)),
            None => Ok(Role::Gb),
        }
    }
}
