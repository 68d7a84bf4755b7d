//! What a probe's outcome means, and what the kernel's entries say to explain it. Pure: facts in, a verdict out.

use nix::errno::Errno;

use super::emulator::Kind;
use super::entry::{Entry, Flags};
use super::probe::{ARGUMENTS_FEWER, ARGUMENTS_MORE, COMPLETE, Outcome, Runner, WITHOUT_ARGV0};
use super::program::{self, PLAIN, VARIANTS, Variant};
use super::registry::Registry;
use crate::platform::Platform;
use crate::sys::Change;

/// Everything that a verdict is made of.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The architecture.
    pub platform: &'static Platform,
    /// What became of its program.
    pub outcome: Outcome,
    /// What can be seen of the kernel's entries.
    pub registry: &'a Registry,
    /// The user namespace is not the first one, so that it may have entries of its own.
    pub in_user_namespace: bool,
    /// What the entry which the kernel goes by names is in this process's root, if that matters and can be seen.
    pub interpreter: Option<Kind>,
    /// The flags that are asked for.
    pub required: Flags,
}

/// How good it is.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub enum Level {
    /// Programs run.
    Good,
    /// They run, but not all of them, or not as well as asked for.
    Degraded,
    /// They do not run.
    Broken,
    /// It could not be tried.
    Unknown,
}

/// What is the matter. The names are for programs, and do not change.
#[derive(Debug, Clone, Copy, PartialEq, Eq, serde::Serialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reason {
    /// The machine runs them itself.
    Native,
    /// An interpreter runs them.
    Emulated,
    /// The interpreter in use is a file that is not there any more.
    StaleInterpreter,
    /// A kind of program is not given to it.
    NotEveryProgram,
    /// A flag that is asked for is missing, or can't be seen.
    FlagMissing,
    /// The interpreter and the entry do not agree about `argv[0]`.
    ArgumentsShifted,
    /// No entry is for them.
    NoHandler,
    /// The entry is switched off.
    EntryDisabled,
    /// All entries are.
    SwitchedOff,
    /// The user namespace has entries of its own, which take the place of the host's.
    OwnInstance,
    /// The kernel has no binfmt_misc.
    NoBinfmtMisc,
    /// The interpreter is not in this root.
    InterpreterMissing,
    /// The interpreter's loader or libraries are not in this root.
    InterpreterDynamic,
    /// The interpreter is a program of another machine, or none.
    InterpreterForeign,
    /// The interpreter may not be run.
    InterpreterDenied,
    /// The interpreter is for another architecture.
    WrongInterpreter,
    /// The interpreter crashes.
    Crash,
    /// The interpreter hangs.
    Hang,
    /// The interpreter ends in another way.
    Failure,
    /// Nothing could be tried.
    Untried,
}

/// What is to be said about an architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Verdict {
    /// The architecture.
    pub platform: &'static Platform,
    /// How good it is.
    pub level: Level,
    /// What is the matter.
    pub reason: Reason,
    /// In a sentence.
    pub sentence: String,
    /// What to do about it; empty if nothing is to be done.
    pub fix: String,
    /// Who ran the program.
    pub runner: Option<Runner>,
    /// The entry that the kernel goes by, as far as it can be seen.
    pub entry: Option<Entry>,
    /// The interpreter gets another `argv[0]` than the caller gave: most programs do not care.
    pub loses_argv0: bool,
}

const REGISTER: &str = "make register";

impl Facts<'_> {
    /// The first entry that is for a kind of program.
    fn entry_for(&self, variant: Variant, is_enabled: bool) -> Option<&Entry> {
        entry_for(self.registry.entries(), self.platform, variant, is_enabled)
    }

    /// Decides.
    pub fn verdict(&self) -> Verdict {
        let entry = self.entry_for(PLAIN, true).cloned();
        let (level, reason, sentence, fix) = match &self.outcome {
            Outcome::Ended { end: Change::Exited(COMPLETE | WITHOUT_ARGV0), by, .. } => {
                self.runs(by.as_ref(), entry.as_ref())
            }
            Outcome::Ended { end: Change::Exited(ARGUMENTS_MORE | ARGUMENTS_FEWER), .. } => broken(
                Reason::ArgumentsShifted,
                "the interpreter and the entry's flag P do not agree about argv[0], so programs get wrong arguments",
                "register it again with an emulator that fits the kernel: make unregister register",
            ),
            Outcome::Ended { end, said, .. } => self.fails(*end, said),
            Outcome::TimedOut { .. } => broken(Reason::Hang, "its emulator hangs", "another version of QEMU"),
            Outcome::Refused(errno) => self.refused(*errno),
            Outcome::Untried { attempt, errno } => (
                Level::Unknown,
                Reason::Untried,
                format!("it could not be tried: {attempt}: {}", errno.desc()),
                String::new(),
            ),
        };
        let (runner, loses_argv0) = match &self.outcome {
            Outcome::Ended { end, by, .. } => (by.clone(), *end == Change::Exited(WITHOUT_ARGV0)),
            Outcome::TimedOut { by } => (by.clone(), false),
            _ => (None, false),
        };
        Verdict { platform: self.platform, level, reason, sentence, fix, runner, entry, loses_argv0 }
    }

    fn runs(&self, by: Option<&Runner>, entry: Option<&Entry>) -> Answer {
        let Some(Runner::Interpreter { path, is_deleted, version }) = by else {
            return match by {
                Some(_) => {
                    (Level::Good, Reason::Native, "this machine runs it itself".to_owned(), String::new())
                }
                None => (Level::Good, Reason::Emulated, "it runs".to_owned(), String::new()),
            };
        };
        let version = version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
        let sentence = format!("{}{version} runs it", path.display());
        if *is_deleted {
            let fix = "make unregister register";
            let sentence = format!("{sentence}, a file that has been removed or replaced since");
            return (Level::Degraded, Reason::StaleInterpreter, sentence, fix.to_owned());
        }
        let left_out =
            VARIANTS.iter().find(|variant| entry.is_some() && self.entry_for(**variant, true).is_none());
        if let Some(variant) = left_out {
            let kind = if variant.osabi == 0 {
                "position-independent programs"
            } else {
                "static programs of glibc (OSABI 3)"
            };
            let sentence = format!("{sentence}, but its entry leaves out {kind}");
            return (
                Level::Degraded,
                Reason::NotEveryProgram,
                sentence,
                "make unregister register".to_owned(),
            );
        }
        let missing = self.missing(entry);
        if !missing.is_empty() {
            let (why, fix) = match entry {
                Some(_) => ("without the flag", "make unregister register"),
                None => (
                    "and its entry can't be seen here, so not the flag",
                    "docker run --volume /proc/sys/fs/binfmt_misc:/binfmt_misc:ro",
                ),
            };
            return (
                Level::Degraded,
                Reason::FlagMissing,
                format!("{sentence}, {why} {missing}"),
                fix.to_owned(),
            );
        }
        (Level::Good, Reason::Emulated, sentence, String::new())
    }

    /// The required flags that the entry does not have, as far as that can be told.
    fn missing(&self, entry: Option<&Entry>) -> String {
        let mut has = entry.map(|entry| entry.flags).unwrap_or_default();
        // Whether argv[0] stays has been seen.
        has.preserve_argv0 |= matches!(self.outcome, Outcome::Ended { end: Change::Exited(COMPLETE), .. });
        let has = has.letters();
        self.required.letters().chars().filter(|letter| !has.contains(*letter)).collect()
    }

    /// The interpreter ran, and the program did not.
    fn fails(&self, end: Change, said: &str) -> Answer {
        let said = said.lines().next().unwrap_or_default();
        let told = if said.is_empty() { String::new() } else { format!(": {said}") };
        match end {
            Change::Killed(signal) | Change::Stopped(signal) => broken(
                Reason::Crash,
                format!("its emulator is killed by signal {signal}{told}"),
                "another version of QEMU",
            ),
            Change::Exited(132 | 134 | 139) => {
                broken(Reason::Crash, format!("its emulator crashes{told}"), "another version of QEMU")
            }
            Change::Exited(_) if said.contains("Invalid ELF image") => broken(
                Reason::WrongInterpreter,
                format!("the interpreter is for another architecture{told}"),
                "make unregister register",
            ),
            Change::Exited(code) => {
                broken(Reason::Failure, format!("its emulator ends with {code}{told}"), "")
            }
        }
    }

    /// The kernel did not start it.
    fn refused(&self, errno: Errno) -> Answer {
        match errno {
            Errno::ENOEXEC => self.not_recognised(),
            Errno::ENOENT => self.not_there(),
            Errno::ELOOP => broken(
                Reason::InterpreterForeign,
                "the interpreter is itself a program that an interpreter runs",
                "register one of this machine: make unregister register",
            ),
            Errno::EACCES => broken(
                Reason::InterpreterDenied,
                "the interpreter may not be run",
                "chmod 755 the interpreter",
            ),
            errno => broken(Reason::Failure, format!("the kernel answers: {}", errno.desc()), ""),
        }
    }

    fn not_recognised(&self) -> Answer {
        match self.registry {
            Registry::Missing => broken(
                Reason::NoBinfmtMisc,
                "the kernel has no binfmt_misc",
                "modprobe binfmt_misc, on the host",
            ),
            Registry::Mounted { is_enabled: false, .. } => broken(
                Reason::SwitchedOff,
                "all entries of the kernel are switched off",
                "echo 1 >/proc/sys/fs/binfmt_misc/status, on the host",
            ),
            Registry::Mounted { .. } => match (self.entry_for(PLAIN, true), self.entry_for(PLAIN, false)) {
                (Some(entry), _) if self.interpreter == Some(Kind::Foreign) => broken(
                    Reason::InterpreterForeign,
                    format!("{} is no program of this machine", entry.interpreter.display()),
                    REGISTER,
                ),
                (Some(_), _) => broken(
                    Reason::OwnInstance,
                    "there is an entry, but this user namespace goes by others, of its own, since binfmt_misc was mounted in it",
                    "make the user namespace anew (podman system migrate), and don't mount binfmt_misc there",
                ),
                (None, Some(entry)) => broken(
                    Reason::EntryDisabled,
                    format!("the entry {} is switched off", entry.name.to_string_lossy()),
                    &format!(
                        "echo 1 >/proc/sys/fs/binfmt_misc/{}, on the host",
                        entry.name.to_string_lossy()
                    ),
                ),
                (None, None) => broken(Reason::NoHandler, "the kernel has no entry for it", REGISTER),
            },
            _ if self.in_user_namespace => broken(
                Reason::NoHandler,
                "the kernel has no entry for it, or this user namespace goes by entries of its own",
                REGISTER,
            ),
            _ => broken(Reason::NoHandler, "the kernel has no entry for it", REGISTER),
        }
    }

    fn not_there(&self) -> Answer {
        let again = "register it with the flag F and a static emulator: make unregister register";
        match self.entry_for(PLAIN, true) {
            Some(entry) if entry.flags.fix_binary || self.interpreter == Some(Kind::Dynamic) => broken(
                Reason::InterpreterDynamic,
                format!("{} needs a loader and libraries that are not here", entry.interpreter.display()),
                again,
            ),
            Some(entry) => broken(
                Reason::InterpreterMissing,
                format!("{} is not here, and its entry lacks the flag F", entry.interpreter.display()),
                again,
            ),
            None => broken(
                Reason::InterpreterMissing,
                "the interpreter, or what it needs to be run, is not here",
                again,
            ),
        }
    }
}

type Answer = (Level, Reason, String, String);

fn broken(reason: Reason, sentence: impl Into<String>, fix: &str) -> Answer {
    (Level::Broken, reason, sentence.into(), fix.to_owned())
}

/// The first entry, in the kernel's order, that is for a kind of program of an architecture.
pub fn entry_for<'a>(
    entries: &'a [Entry],
    platform: &Platform,
    variant: Variant,
    is_enabled: bool,
) -> Option<&'a Entry> {
    let file = program::probe(platform, variant)?;
    entries.iter().find(|entry| entry.is_enabled == is_enabled && entry.matches(&file))
}

/// Whether an entry is for an architecture's programs, be it switched on or not.
pub fn serves(entry: &Entry, platform: &Platform) -> bool {
    entry_for(std::slice::from_ref(entry), platform, PLAIN, entry.is_enabled).is_some()
}

impl Verdict {
    /// The exit code of a check: 0 it runs, 2 it runs but not as well as asked for, 1 it does not run, 125 nobody knows.
    pub fn exit_code(level: Level) -> u8 {
        match level {
            Level::Good => 0,
            Level::Degraded => 2,
            Level::Broken => 1,
            Level::Unknown => 125,
        }
    }
}
