//! Gathering the facts of a verdict.

use std::path::{Path, PathBuf};
use std::time::Duration;

use nix::errno::Errno;
use nix::sys::resource::{RLIM_INFINITY, Resource, getrlimit};

use super::emulator::Kind;
use super::entry::Flags;
use super::order::{Claim, claims, entry_for};
use super::place::Place;
use super::probe::{self, Outcome, Probe, Runner};
use super::program::{self, PLAIN, VARIANTS, Variant};
use super::registry::{DIRECTORY, Registry};
use super::surroundings::Surroundings;
use super::verdict::{Facts, Verdict};
use crate::platform::Platform;
use crate::sys::{FileSizeSignal, errno};

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
    /// Whether all kinds of programs are tried, or only the usual one.
    pub every_kind: bool,
}

/// What all kinds of programs have in common that is not usual: OSABI 3 and position-independent.
const UNUSUAL: Variant = Variant { osabi: 3, kind: 3 };
/// What each of them has.
const BETWEEN: [Variant; 2] = [Variant { osabi: 3, kind: 2 }, Variant { osabi: 0, kind: 3 }];

/// Where a program may be put to be run.
#[derive(Debug, Clone, PartialEq, Eq)]
enum Spot {
    Memory,
    Directory(PathBuf),
}

impl Look {
    /// Looks at one architecture after the other.
    pub fn verdicts(&self, platforms: &[&'static Platform]) -> Vec<Verdict> {
        let registry = Registry::read(&self.directory);
        let verdict = |platform: &&'static Platform| {
            let (outcome, not_run) = self.outcomes(platform, &registry);
            self.verdict(platform, outcome, not_run, &registry)
        };
        platforms.iter().map(verdict).collect()
    }

    /// Looks whether an architecture's programs run, and only if they do not at the entries: what is the matter, if anything is.
    pub fn trouble(&self, platform: &'static Platform) -> Option<Verdict> {
        let (outcome, _, _) = self.usual(platform, false);
        match outcome.is_run() {
            true => None,
            false => Some(self.verdict(platform, outcome, Vec::new(), &Registry::read(&self.directory))),
        }
    }

    fn verdict(
        &self,
        platform: &'static Platform,
        outcome: Outcome,
        not_run: Vec<(Variant, Outcome)>,
        registry: &Registry,
    ) -> Verdict {
        // Only what does not run has to be explained.
        let explains = matches!(outcome, Outcome::Refused(_));
        let entry = entry_for(registry.entries(), platform, PLAIN, true).filter(|_| explains);
        let interpreter = entry.map(|entry| Kind::of(&entry.interpreter));
        let unlimit = unlimit();
        let (surroundings, required) = (&Surroundings::find(&self.directory), self.required);
        Facts { platform, outcome, not_run, registry, surroundings, interpreter, unlimit, required }.verdict()
    }

    /// What became of the architecture's usual program, and of those of other kinds that do not run although it does.
    ///
    /// If an entry can be seen that takes all kinds, one is as good as the others.
    fn outcomes(
        &self,
        platform: &'static Platform,
        registry: &Registry,
    ) -> (Outcome, Vec<(Variant, Outcome)>) {
        let takes_all = |claim: &Claim<'_>| claim.takes.len() == VARIANTS.len() && !claim.is_partial;
        let is_one = claims(registry.entries(), platform).first().is_some_and(takes_all);
        let asks_others = self.every_kind && !is_one && Platform::host() != Some(platform);
        let (outcome, unusual, spot) = self.usual(platform, asks_others);
        let is_emulated =
            matches!(outcome, Outcome::Ended { by: None | Some(Runner::Interpreter { .. }), .. });
        if !asks_others || !outcome.is_run() || !is_emulated {
            return (outcome, Vec::new());
        }
        // As above.
        let unusual = unusual.filter(Outcome::is_run);
        let unusual = unusual.unwrap_or_else(|| self.run(&spot, platform, UNUSUAL, false));
        if unusual.is_run() {
            return (outcome, Vec::new());
        }
        let between = BETWEEN.map(|variant| (variant, self.run(&spot, platform, variant, false)));
        let mut not_run: Vec<_> = between.into_iter().filter(|(_, outcome)| !outcome.is_run()).collect();
        if not_run.is_empty() {
            not_run.push((UNUSUAL, unusual));
        }
        (outcome, not_run)
    }

    /// Runs the architecture's usual program from memory, or where nothing may be run from memory, from a directory; at the same
    /// time an unusual one, if that can be. And where that was.
    fn usual(&self, platform: &'static Platform, with_unusual: bool) -> (Outcome, Option<Outcome>, Spot) {
        let (mut outcome, unusual);
        match self.place(&Spot::Memory, platform, PLAIN) {
            Err(failed) => (outcome, unusual) = (failed, None),
            Ok(place) => {
                let other = with_unusual.then(|| self.place(&Spot::Memory, platform, UNUSUAL));
                let other = other.and_then(Result::ok);
                // Started before the first one is waited for: there may be another processor.
                let first = Probe::start(&place, self.limit);
                let second = other.as_ref().filter(|_| first.is_ok());
                let second = second.map(|place| Probe::start(place, self.limit));
                outcome = first.map_or_else(|outcome| outcome, |probe| probe.watch(self.asks_version));
                let watched = |probe: Probe<'_>| probe.watch(false);
                unusual = second.map(|probe| probe.map_or_else(|outcome| outcome, watched));
                // Two at a time may be more processes, or more memory, than there may be here.
                let fails = matches!(outcome, Outcome::Ended { .. }) && !outcome.is_run();
                if fails && unusual.is_some() {
                    outcome = probe::run(&place, self.limit, self.asks_version);
                }
                // Without a path an interpreter may not find it.
                let may_be_the_place =
                    is_denied(&outcome) || !place.has_path() && outcome == Outcome::Refused(Errno::ENOENT);
                if !may_be_the_place || place.has_path() && self.may_run(&Spot::Memory) {
                    return (outcome, unusual, Spot::Memory);
                }
            }
        }
        let mut cause = match &outcome {
            Outcome::Untried { errno, .. } | Outcome::Refused(errno) => *errno,
            _ => Errno::EACCES,
        };
        let given = std::env::var_os("TMPDIR").map(PathBuf::from);
        let usual = ["/tmp", "/var/tmp", "/dev/shm", "."].map(PathBuf::from);
        for directory in given.into_iter().chain(usual) {
            let spot = Spot::Directory(directory);
            let found = self.run(&spot, platform, PLAIN, self.asks_version);
            if !is_denied(&found) || self.may_run(&spot) {
                return (found, None, spot);
            }
            if let Outcome::Untried { errno, .. } | Outcome::Refused(errno) = found {
                cause = errno;
            }
        }
        match outcome {
            // There is no process to be had, wherever its file were.
            Outcome::Untried { attempt: "start a process" | "make a pipe", .. } => {}
            _ => outcome = untried("find a place from which programs may be run", cause),
        }
        (outcome, unusual, Spot::Memory)
    }

    /// Whether this machine's own program runs there: if it does, it was the interpreter that was denied, and not the file.
    fn may_run(&self, spot: &Spot) -> bool {
        Platform::host().is_some_and(|host| self.run(spot, host, PLAIN, false).is_run())
    }

    fn run(&self, spot: &Spot, platform: &'static Platform, variant: Variant, asks_version: bool) -> Outcome {
        match self.place(spot, platform, variant) {
            Ok(place) => probe::run(&place, self.limit, asks_version),
            Err(outcome) => outcome,
        }
    }

    fn place(&self, spot: &Spot, platform: &Platform, variant: Variant) -> Result<Place, Outcome> {
        let program = program::probe(platform, variant).ok_or(untried("make its program", Errno::EINVAL))?;
        // A file that is too large for this process is an answer.
        let _signal = FileSizeSignal::ignore();
        let place = match spot {
            Spot::Memory => Place::in_memory(&program),
            Spot::Directory(directory) => Place::in_directory(directory, &program),
        };
        place.map_err(|error| untried("make a file", errno(error)))
    }
}

/// What lifts this process's limit of memory, if there is one.
fn unlimit() -> Option<&'static str> {
    let limits = [
        (Resource::RLIMIT_AS, "ulimit -v unlimited"),
        // Since Linux 4.7 what is only reserved counts.
        (Resource::RLIMIT_DATA, "ulimit -d unlimited"),
    ];
    let is_set = |resource| getrlimit(resource).is_ok_and(|(soft, _)| soft != RLIM_INFINITY);
    limits.into_iter().find(|(resource, _)| is_set(*resource)).map(|(_, remedy)| remedy)
}

fn untried(attempt: &'static str, errno: Errno) -> Outcome {
    Outcome::Untried { attempt, errno }
}

/// Whether it may have been the file that was denied.
fn is_denied(outcome: &Outcome) -> bool {
    matches!(outcome, Outcome::Refused(Errno::EACCES | Errno::EPERM) | Outcome::Untried { .. })
}

/// Whether this machine's own programs may be run from a directory.
pub fn may_run_from(directory: &Path, limit: Duration) -> bool {
    let look = Look {
        directory: DIRECTORY.into(),
        limit,
        required: Flags::default(),
        asks_version: false,
        every_kind: false,
    };
    look.may_run(&Spot::Directory(directory.to_owned()))
}
