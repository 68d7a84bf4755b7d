//! `gb binfmt check --health`: for a HEALTHCHECK, which knows two exit codes.

use std::path::Path;
use std::process::ExitCode;
use std::time::Duration;

use super::report::line;
use crate::binfmt::entry::Flags;
use crate::binfmt::look::Look;
use crate::binfmt::verdict::Level;
use crate::cli::emulation::Wish;
use crate::cli::output::print;
use crate::cli::target::request;
use crate::environment::Environment;
use crate::error::{Error, one_line};
use crate::toolchain::Request;

/// Docker's word for what works. 1 is what does not, and 2 is reserved.
const HEALTHY: u8 = 0;
const UNHEALTHY: u8 = 1;

/// Looks at the environment's target alone, this machine if there is none. One line, if something is wrong.
pub(super) fn health(
    environment: &Environment,
    directory: &Path,
    limit: Duration,
) -> Result<ExitCode, Error> {
    let target = match request(None, environment) {
        _ if matches!(Wish::read(environment), Ok(Wish::Off)) => return Ok(ExitCode::from(HEALTHY)),
        Ok(Request::Linux { target, .. }) => target.platform,
        // Nobody expects programs of another system to run here.
        Ok(Request::Other { .. }) => return Ok(ExitCode::from(HEALTHY)),
        Err(error) => return unhealthy(&format!("{}\n", one_line(&error.to_string()))),
    };
    let look = Look {
        directory: directory.to_owned(),
        limit,
        required: Flags::default(),
        asks_version: false,
        every_kind: false,
    };
    match look.verdicts(&[target]).iter().find(|verdict| verdict.level >= Level::Broken) {
        Some(verdict) => unhealthy(&line(verdict)),
        None => Ok(ExitCode::from(HEALTHY)),
    }
}

fn unhealthy(text: &str) -> Result<ExitCode, Error> {
    // Whether or not somebody reads it.
    let _printed = print(text.as_bytes());
    Ok(ExitCode::from(UNHEALTHY))
}
