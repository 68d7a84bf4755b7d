//! `gb binfmt`: emulation, as it is.

mod check;
mod choice;
mod compat;
mod drop_in;
mod export;
mod health;
mod keep;
mod list;
mod register;
mod report;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::target::request;
use crate::binfmt::entry::Flags;
use crate::binfmt::registry::directory;
use crate::environment::Environment;
use crate::error::Error;
use crate::platform::Platform;
use crate::sys;
use crate::toolchain::Request;
use check::Check;
pub(super) use drop_in::play as play_drop_in;
use export::Export;
use register::{Register, Unregister};

/// How long a program of a few instructions may take on a machine that does much else.
pub(super) const LIMIT: Duration = Duration::from_secs(10);

#[derive(Debug, clap::Subcommand)]
pub(super) enum Command {
    /// Run a program of an architecture, and say whether it ran, by what, or why not
    ///
    /// Exit codes: 0 all run; 2 they run, but a flag that is asked for is missing, or not every program runs; 1 some do not run;
    /// 125 it could not be tried.
    Check(Check),
    /// Let the kernel run programs of other architectures, by the emulators that are here
    ///
    /// What runs already is left as it is. An entry is replaced without a moment in which there is none. Exit codes: 0 all run
    /// afterwards; 1 some do not; 125 it could not be tried.
    Register(Register),
    /// Take the entries away that name an emulator of an architecture, whatever they are called
    Unregister(Unregister),
    /// Print what registers the same entries at every start of the system, or on every node of a cluster
    Export(Export),
    /// Show the kernel's entries, and what it does for each architecture
    List {
        /// Where binfmt_misc is mounted
        #[arg(long, value_name = "DIR", default_value_os_t = directory())]
        dir: PathBuf,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
}

impl Command {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        match self {
            Command::Check(check) => check.run(),
            Command::Register(register) => register.run(),
            Command::Unregister(unregister) => unregister.run(),
            Command::Export(export) => export.run(),
            Command::List { dir, json } => list::list(dir, *json),
        }
    }
}

fn read_flags(letters: &str) -> Result<Flags, Error> {
    let letters = letters.replace(',', "").to_ascii_uppercase();
    Flags::parse(letters.as_bytes())
        .ok_or_else(|| Error::Usage(format!("binfmt: {letters}: the flags are F, C, P and O (F,C,P)")))
}

/// The Linux architectures that words name.
fn platforms(words: &[OsString]) -> Result<Vec<&'static Platform>, Error> {
    let environment = Environment::new(sys::environ());
    let of = |word: &OsString| match request(Some(word), &environment)? {
        Request::Linux { target, .. } => Ok(target.platform),
        Request::Other { goos, .. } => Err(Error::Usage(format!("binfmt: {goos}: not Linux"))),
    };
    words.iter().map(of).collect()
}
