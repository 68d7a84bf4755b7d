//! What a subcommand is asked about: a target that is named, or the environment's.

use std::ffi::OsStr;

use crate::environment::Environment;
use crate::error::Error;
use crate::platform::Platform;
use crate::toolchain::Request;

/// The target of this name in any spelling; without one what the environment says, else this machine.
pub(super) fn request(platform: Option<&OsStr>, environment: &Environment) -> Result<Request, Error> {
    Ok(match platform {
        Some(platform) => Request::named(platform)?,
        None => Request::detect(environment, Platform::host())?,
    })
}
