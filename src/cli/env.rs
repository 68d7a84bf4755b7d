//! `gb env`.

use std::ffi::OsString;
use std::process::ExitCode;

use nix::unistd::geteuid;

use super::build_systems::Toolchain;
use super::emulation::Wish;
use super::forms::{self, Format};
use super::go_cache::planned;
use super::output::print;
use super::target::request;
use super::user;
use crate::entrypoint::privileges::wants_no_new_privileges;
use crate::entrypoint::{Mounts, identity, init};
use crate::environment::Environment;
use crate::error::{Error, tell};
use crate::go_cache;
use crate::platform::Platform;
use crate::sys;
use crate::toolchain::{Facts, given, left_over, plan};

/// The arguments of `gb env`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The target, in any spelling: arm64, aarch64, linux/arm/v7, s390x-linux-gnu
    platform: Option<OsString>,
    /// How to write it
    #[arg(long, value_enum, default_value_t = Format::Sh, conflicts_with = "json")]
    format: Format,
    /// The same as --format json
    #[arg(long)]
    json: bool,
}

/// Shows what `gb run` would set.
pub(super) fn env(arguments: &Arguments) -> Result<ExitCode, Error> {
    let format = if arguments.json { Format::Json } else { arguments.format };
    let inherited = Environment::new(sys::environ());
    let environment = given(&inherited);
    let request = request(arguments.platform.as_deref(), &environment)?;
    let facts = Facts::gather(&request, &environment, Platform::host());
    if let Format::Cmake | Format::Meson = format {
        let toolchain = Toolchain::new(&request, facts.as_ref(), &environment)?;
        return print(&if format == Format::Cmake { toolchain.cmake() } else { toolchain.meson() });
    }
    let mut plan = plan(request, &environment, facts.as_ref());
    // For whoever asks: the user of a shell, of docker exec, of a step in a workflow.
    plan.settings.extend(user::trusted_trees(&environment, &Mounts::read(), geteuid().as_raw()));
    plan.notes.extend(facts.and_then(|facts| facts.damage(&plan.request, &environment)));
    plan.notes.extend(match Wish::read(&environment) {
        Ok(wish) => wish.note(&plan.request),
        Err(error) => Some(format!("emulation: {error}")),
    });
    plan.notes.extend(match go_cache::is_wanted(&environment) {
        Ok(wanted) => planned(&plan.request, &environment, wanted).note().map(str::to_owned),
        Err(error) => Some(error.to_string()),
    });
    let planned = identity::Request::read(&environment)
        .map_err(Error::from)
        .and_then(|request| Ok(identity::plan(&request, &identity::Facts::gather(&request))?));
    let init = init::Settings::read(&environment, &init::Flags::default()).map_err(Error::from);
    let no_new_privileges = wants_no_new_privileges(&environment).map_err(Error::from);
    let shown = user::shown(
        planned.as_ref(),
        init.as_ref().map(Option::as_ref),
        no_new_privileges.as_ref().copied(),
        &environment,
    );
    if format == Format::Github {
        // What is appended to the file has no place for comments.
        for setting in &plan.settings {
            tell(format!("{}: {}", setting.name, setting.reason));
        }
        for line in forms::comments(&plan, &shown) {
            tell(line);
        }
    }
    print(&forms::write(&plan, &shown, &left_over(&inherited, &plan.settings), format))
}
