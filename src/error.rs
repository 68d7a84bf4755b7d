//! Exit codes and messages: the one place that decides either.
//!
//! | code | meaning |
//! |---|---|
//! | the command's own | the command ran |
//! | 1 | a question of `gb info` has the answer no, or no answer |
//! | 125 | gb failed before the command started, bad usage included |
//! | 126 | the command was found and can't be run |
//! | 127 | the command was not found |
//!
//! These are the codes of chroot, env, nohup and `docker run` (docker-run(1), "Exit Status").

use std::fmt::Display;
use std::io::{self, Write};
use std::process::ExitCode;

use crate::binfmt::registry::{MountError, WriteError};
use crate::entrypoint::guard::GuardError;
use crate::entrypoint::identity::{IdentityRequestError, PlanError, UserSpecError};
use crate::entrypoint::privileges::DropError;
use crate::entrypoint::{ExecError, init};
use crate::go_cache;
use crate::toolchain::{CompilerError, LinkError, NoSysroot, NoTool, PkgConfigError, RequestError};

/// Why gb could not do what it was called for.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The arguments make no sense.
    #[error("{0}")]
    Usage(String),
    /// What was asked for has no value.
    #[error("{0}")]
    NoValue(String),
    /// The target can't be told.
    #[error(transparent)]
    Request(#[from] RequestError),
    /// GB_SYSROOT names nothing that can be built against.
    #[error("build against GB_SYSROOT: {0}")]
    NoSysroot(#[from] NoSysroot),
    /// The compiler role can't compile.
    #[error(transparent)]
    Compiler(#[from] CompilerError),
    /// The pkg-config role can't answer.
    #[error(transparent)]
    PkgConfig(#[from] PkgConfigError),
    /// The binutils role can't work.
    #[error(transparent)]
    Binutils(#[from] NoTool),
    /// The links can't be made.
    #[error(transparent)]
    Link(#[from] LinkError),
    /// gb has privileges that it must not have.
    #[error(transparent)]
    Guard(#[from] GuardError),
    /// The user can't be told.
    #[error(transparent)]
    IdentityRequest(#[from] IdentityRequestError),
    /// The command can't run as that user.
    #[error(transparent)]
    IdentityPlan(#[from] PlanError),
    /// su-exec's user can't be told.
    #[error(transparent)]
    UserSpec(#[from] UserSpecError),
    /// Privileges can't be given up.
    #[error(transparent)]
    Drop(#[from] DropError),
    /// The init can't be set up as asked.
    #[error(transparent)]
    Init(#[from] init::SettingsError),
    /// It can't be told whether Go's cache is to be filled.
    #[error(transparent)]
    GoCache(#[from] go_cache::SettingError),
    /// There is no binfmt_misc to write to.
    #[error(transparent)]
    Mount(#[from] MountError),
    /// The kernel does not take or remove an entry.
    #[error(transparent)]
    Registry(#[from] WriteError),
    /// Programs of the target are to run, and do not.
    #[error("{0}")]
    Emulation(String),
    /// A program can't be started.
    #[error(transparent)]
    Exec(#[from] ExecError),
    /// Reading or writing failed.
    #[error("{attempt}: {source}")]
    Io {
        /// What was attempted, on what.
        attempt: String,
        /// The cause.
        source: io::Error,
    },
}

impl Error {
    /// The exit code.
    pub fn exit_code(&self) -> u8 {
        match self {
            Error::Exec(error) => error.exit_code(),
            Error::NoValue(_) => 1,
            Error::Usage(_)
            | Error::Request(_)
            | Error::NoSysroot(_)
            | Error::Compiler(_)
            | Error::PkgConfig(_)
            | Error::Binutils(_)
            | Error::Link(_)
            | Error::Guard(_)
            | Error::IdentityRequest(_)
            | Error::IdentityPlan(_)
            | Error::UserSpec(_)
            | Error::Drop(_)
            | Error::Init(_)
            | Error::GoCache(_)
            | Error::Mount(_)
            | Error::Registry(_)
            | Error::Emulation(_)
            | Error::Io { .. } => 125,
        }
    }

    /// Tells the user, and returns the exit code.
    pub fn report(&self) -> ExitCode {
        tell(self);
        ExitCode::from(self.exit_code())
    }
}

/// Writes one line for people to standard error.
pub fn tell(message: impl Display) {
    announce(&format!("gb: {message}"));
}

/// Writes one line of the original entrypoint's to standard error, as it is.
pub fn announce(line: &str) {
    let line = format!("{}\n", one_line(line));
    // Nobody is left to be told that standard error is closed.
    let _written = io::stderr().write_all(line.as_bytes());
}

/// A text without control characters: names and values from outside must not steer a terminal, nor end a line.
pub fn one_line(text: &str) -> String {
    text.chars().map(|c| if c.is_control() { '?' } else { c }).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_command_itself_has_codes_below_125() {
        let exec = Error::Exec(ExecError::NoSuchFile("x".into()));
        assert_eq!((exec.exit_code(), Error::Usage(String::new()).exit_code()), (127, 125));
    }

    #[test]
    fn a_message_is_one_line_whatever_is_in_it() {
        assert_eq!(one_line("run a\x1b[2J\nb\u{9b}: é"), "run a?[2J?b?: é");
    }
}
