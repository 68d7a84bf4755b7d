//! `gb install-links`.

use std::path::PathBuf;
use std::process::ExitCode;

use super::output::print;
use crate::environment::Environment;
use crate::error::Error;
use crate::sys;
use crate::toolchain::{Links, Programs};

/// The arguments of `gb install-links`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The directory, which should be in PATH
    dir: PathBuf,
}

/// Makes the links that are missing, and says how many.
pub(super) fn install_links(Arguments { dir }: &Arguments) -> Result<ExitCode, Error> {
    let attempt = || "install links: find this program".to_owned();
    let gb = std::env::current_exe().map_err(|source| Error::Io { attempt: attempt(), source })?;
    let environment = Environment::new(sys::environ());
    let links = Links::plan(dir, &gb, Programs::new(&environment))?;
    let made = links.act()?;
    let mut text = format!("{made} made, {} already there, in {}\n", links.links.len() - made, dir.display());
    if !links.left_out.is_empty() {
        text.push_str(&format!("left out, PATH has others: {}\n", links.left_out.join(" ")));
    }
    print(text.as_bytes())
}
