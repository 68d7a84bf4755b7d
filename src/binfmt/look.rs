//! Gathering the facts of a verdict.

use std::io;
use std::path::PathBuf;
use std::time::Duration;

use nix::errno::Errno;

use super::emulator::Kind;
use super::entry::Flags;
use super::place::Place;
use super::probe::{self, COMPLETE, Outcome, WITHOUT_ARGV0};
use super::program::{self, PLAIN};
use super::registry::Registry;
use super::verdict::{Facts, Verdict, entry_for};
use crate::platform::Platform;
use crate::sys::Change;
use crate::user_namespace::IdMap;

/// How to look.
#[derive(Debug, Clone)]
pub struct Look {
    /// Where the kernel's entries may be seen.
    pub directory: PathBuf,
    /// How long a program may take.
    pub limit: Duration,
    /// The flags that are asked for.
    pub required: Flags,
    /// Whether the interpreter is asked for its version, which takes as long again.
    pub asks_version: bool,
}

impl Look {
    /// Looks at one architecture after the other.
    pub fn verdicts(&self, platforms: &[&'static Platform]) -> Vec<Verdict> {
        let registry = Registry::read(&self.directory);
        platforms.iter().map(|platform| self.verdict(platform, self.outcome(platform), &registry)).collect()
    }

    /// Looks whether an architecture's programs run, and only if they do not at the entries: what is the matter, if anything is.
    pub fn trouble(&self, platform: &'static Platform) -> Option<Verdict> {
        match self.outcome(platform) {
            Outcome::Ended { end: Change::Exited(COMPLETE | WITHOUT_ARGV0), .. } => None,
            outcome => Some(self.verdict(platform, outcome, &Registry::read(&self.directory))),
        }
    }

    fn verdict(&self, platform: &'static Platform, outcome: Outcome, registry: &Registry) -> Verdict {
        // Only what does not run has to be explained.
        let explains = matches!(outcome, Outcome::Refused(_));
        let entry = entry_for(registry.entries(), platform, PLAIN, true).filter(|_| explains);
        let interpreter = entry.map(|entry| Kind::of(&entry.interpreter));
        let in_user_namespace = !IdMap::of_users().is_everything();
        let required = self.required;
        Facts { platform, outcome, registry, in_user_namespace, interpreter, required }.verdict()
    }

    /// Runs the architecture's program from memory, or where nothing may be run from memory, from a directory.
    fn outcome(&self, platform: &Platform) -> Outcome {
        let Some(program) = program::probe(platform, PLAIN) else {
            return Outcome::Untried { attempt: "make its program", errno: Errno::EINVAL };
        };
        let run = |place: io::Result<Place>| match place {
            Ok(place) => probe::run(&place, self.limit, self.asks_version),
            Err(error) => Outcome::Untried {
                attempt: "make a file",
                errno: error.raw_os_error().map_or(Errno::EIO, Errno::from_raw),
            },
        };
        let is_denied = |outcome: &Outcome| {
            matches!(outcome, Outcome::Refused(Errno::EACCES | Errno::EPERM) | Outcome::Untried { .. })
        };
        let first = run(Place::in_memory(&program));
        if !is_denied(&first) {
            return first;
        }
        // Was it the interpreter that was denied, or the file?
        let own = Platform::host().and_then(|host| program::probe(host, PLAIN));
        let own = own.map(|program| run(Place::in_memory(&program)));
        if own.is_some_and(|outcome| matches!(outcome, Outcome::Ended { .. })) {
            return first;
        }
        let given = std::env::var_os("TMPDIR").map(PathBuf::from);
        let usual = ["/tmp", "/var/tmp", "/dev/shm", "."].map(PathBuf::from);
        let mut outcomes = given.into_iter().chain(usual).map(|dir| run(Place::in_directory(&dir, &program)));
        let found = outcomes.find(|outcome| !is_denied(outcome));
        found.unwrap_or(Outcome::Untried {
            attempt: "find a place from which programs may be run",
            errno: Errno::EACCES,
        })
    }
}
