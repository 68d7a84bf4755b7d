//! Which architectures a check is about, when none is named.

use std::path::PathBuf;

use crate::binfmt::emulator;
use crate::cli::target::request;
use crate::environment::Environment;
use crate::error::Error;
use crate::platform::{PLATFORMS, Platform};
use crate::toolchain::{Request, Source, Sysroot};

/// The environment's target; else this machine and all that can be built for here; else those that an emulator is here for; else
/// all.
pub(super) fn platforms(environment: &Environment) -> Result<Vec<&'static Platform>, Error> {
    match request(None, environment)? {
        Request::Linux { source: Source::Host, .. } => Ok(without_target(environment)),
        Request::Linux { target, .. } => Ok(vec![target.platform]),
        Request::Other { goos, source, .. } => Err(Error::Usage(format!(
            "binfmt check: {source} asks for {goos}, whose programs no emulator runs here (gb binfmt check PLATFORM)"
        ))),
    }
}

fn without_target(environment: &Environment) -> Vec<&'static Platform> {
    let is_own = |platform: &Platform| Some(platform) == Platform::host();
    // That this machine can build for itself says nothing of others.
    let buildable = |platform: &&'static Platform| {
        !is_own(platform) && platform.all_abis().any(|abi| Sysroot::find(platform, abi, None).is_ok())
    };
    let path = std::env::split_paths(environment.search_path());
    let path: Vec<PathBuf> = path.filter(|dir| dir.is_absolute()).collect();
    let emulated =
        |platform: &&'static Platform| emulator::find(&emulator::names(platform), &path, false).is_ok();
    let choose = |is_chosen: &dyn Fn(&&'static Platform) -> bool| -> Vec<&'static Platform> {
        PLATFORMS.iter().filter(is_chosen).collect()
    };
    let built: Vec<_> = choose(&buildable);
    if !built.is_empty() {
        return choose(&|platform| is_own(platform) || built.contains(platform));
    }
    let emulated = choose(&emulated);
    if emulated.is_empty() { PLATFORMS.iter().collect() } else { emulated }
}
