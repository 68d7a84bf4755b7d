//! What a probe's outcome means, and what the kernel's entries say to explain it. Pure: facts in, a verdict out.

use nix::errno::Errno;

use super::emulator::{Kind, is_qemu};
use super::entry::{Entry, Flags};
use super::order::{claims, entry_for};
use super::probe::{ARGUMENTS_FEWER, ARGUMENTS_MORE, Outcome, Runner, WITHOUT_ARGV0};
use super::program::{PLAIN, VARIANTS, Variant};
pub use super::reason::{Level, Reason};
use super::registry::Registry;
use super::surroundings::{Surroundings, shell_word};
use crate::platform::Platform;
use crate::sys::Change;

/// Everything that a verdict is made of.
#[derive(Debug, Clone)]
pub struct Facts<'a> {
    /// The architecture.
    pub platform: &'static Platform,
    /// What became of its usual program.
    pub outcome: Outcome,
    /// What became of programs of other kinds that do not run, although the usual one does.
    pub not_run: Vec<(Variant, Outcome)>,
    /// What can be seen of the kernel's entries.
    pub registry: &'a Registry,
    /// Where this is.
    pub surroundings: &'a Surroundings,
    /// What the entry which the kernel goes by names is in this process's root, if that matters and can be seen.
    pub interpreter: Option<Kind>,
    /// What lifts this process's limit of memory, if there is one.
    pub unlimit: Option<&'static str>,
    /// The flags that are asked for.
    pub required: Flags,
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
    /// What is worth knowing besides, and no fault.
    pub remarks: Vec<String>,
    /// Who ran the program.
    pub runner: Option<Runner>,
    /// The entry that the kernel goes by, as far as it can be seen.
    pub entry: Option<Entry>,
    /// The interpreter gets another `argv[0]` than the caller gave: most programs do not care.
    pub loses_argv0: bool,
    /// Whether a program of Go's runs; `None` if that was not tried.
    pub runs_deep: Option<bool>,
}

impl Facts<'_> {
    /// The first entry that is for a kind of program.
    fn entry_for(&self, variant: Variant, is_enabled: bool) -> Option<&Entry> {
        entry_for(self.registry.entries(), self.platform, variant, is_enabled)
    }

    /// Decides.
    pub fn verdict(&self) -> Verdict {
        let entry = self.entry_for(PLAIN, true).cloned();
        let (runner, loses_argv0) = match &self.outcome {
            Outcome::Ended { end, by, .. } => (by.clone(), *end == Change::Exited(WITHOUT_ARGV0)),
            Outcome::TimedOut { by } => (by.clone(), false),
            _ => (None, false),
        };
        let (level, reason, sentence, fix) = match &self.outcome {
            outcome if outcome.is_run() => self.runs(runner.as_ref(), entry.as_ref()),
            Outcome::Ended { end: Change::Exited(ARGUMENTS_MORE | ARGUMENTS_FEWER), .. } => broken(
                Reason::ArgumentsShifted,
                "the interpreter and the entry's flag P do not agree about argv[0], so programs get wrong arguments",
                self.register(),
            ),
            Outcome::Ended { end, said, .. } => self.fails(*end, said),
            Outcome::TimedOut { .. } => {
                broken(Reason::Hang, "its emulator hangs, or needs more time (--timeout)", self.register())
            }
            Outcome::Refused(errno) => self.refused(*errno),
            Outcome::Untried { attempt, errno } => unknown(attempt, *errno),
        };
        let remarks = self.remarks(runner.as_ref(), entry.as_ref(), loses_argv0);
        let runs_deep = None;
        let platform = self.platform;
        Verdict { platform, level, reason, sentence, fix, remarks, runner, entry, loses_argv0, runs_deep }
    }

    fn register(&self) -> String {
        self.surroundings.register(self.platform)
    }

    fn runs(&self, by: Option<&Runner>, entry: Option<&Entry>) -> Answer {
        let good = |reason, sentence: String| (Level::Good, reason, sentence, String::new());
        let degraded = |reason, sentence: String, fix| (Level::Degraded, reason, sentence, fix);
        let sentence = match by {
            Some(Runner::Machine) => return good(Reason::Native, "this machine runs it itself".to_owned()),
            None => {
                "it runs; by what can't be seen without /proc, or what is there may not be read".to_owned()
            }
            Some(Runner::Interpreter { path, version, .. }) => {
                let version = version.as_ref().map(|version| format!(" ({version})")).unwrap_or_default();
                format!("{}{version} runs it", path.display())
            }
        };
        if let Some(Runner::Interpreter { is_deleted: true, .. }) = by {
            let sentence = format!("{sentence}, a file that has been removed or replaced since");
            return degraded(Reason::StaleInterpreter, sentence, self.register());
        }
        let left_out = VARIANTS.iter().filter(|_| entry.is_some() && self.not_run.is_empty());
        let left_out = left_out.filter(|variant| self.entry_for(**variant, true).is_none());
        let left_out: Vec<_> = left_out.map(|variant| (*variant, Outcome::Refused(Errno::ENOEXEC))).collect();
        let not_run = if self.not_run.is_empty() { &left_out } else { &self.not_run };
        if let Some((variant, outcome)) = not_run.first() {
            let sentence = match outcome {
                Outcome::Refused(Errno::ENOEXEC) => {
                    format!("{sentence}, but its entry leaves out {}", variant.words())
                }
                _ => format!("{sentence}, but not {}, which go elsewhere", variant.words()),
            };
            return degraded(Reason::NotEveryProgram, sentence, self.register());
        }
        let missing = self.missing(by, entry);
        if !missing.is_empty() {
            let (why, fix) = match entry {
                Some(_) => ("without the flag", self.register()),
                None => (
                    "and its entry can't be seen here, so not the flag",
                    "docker run --volume /proc/sys/fs/binfmt_misc:/binfmt_misc:ro".to_owned(),
                ),
            };
            return degraded(Reason::FlagMissing, format!("{sentence}, {why} {missing}"), fix);
        }
        good(if by.is_some() { Reason::Emulated } else { Reason::Runs }, sentence)
    }

    /// The required flags that the entry does not have, as far as that can be told.
    fn missing(&self, by: Option<&Runner>, entry: Option<&Entry>) -> String {
        let mut has = entry.map(|entry| entry.flags).unwrap_or_default();
        // Whether argv[0] stays has been seen; and an interpreter that is not here had been opened before.
        has.preserve_argv0 |=
            !matches!(&self.outcome, Outcome::Ended { end: Change::Exited(WITHOUT_ARGV0), .. });
        has.fix_binary |= matches!(by, Some(Runner::Interpreter { is_here: false, is_deleted: false, .. }));
        let has = has.letters();
        let missing = self.required.letters();
        let missing = missing.chars().filter(|letter| !has.contains(*letter)).collect::<String>();
        // C brings O: who asks for it does not ask for both.
        if missing.contains('C') { missing.replace('O', "") } else { missing }
    }

    fn remarks(&self, by: Option<&Runner>, entry: Option<&Entry>, loses_argv0: bool) -> Vec<String> {
        let mut remarks = Vec::new();
        if loses_argv0 {
            remarks.push("argv[0] is the file's path (no flag P)".to_owned());
        }
        let interpreter = match by {
            Some(Runner::Interpreter { path, is_here, is_deleted: false, .. }) if self.outcome.is_run() => {
                Some((path, *is_here))
            }
            _ => None,
        };
        if let (Some((path, is_here)), in_container) = (interpreter, self.surroundings.in_container) {
            let path = path.display();
            match entry {
                Some(entry) if !entry.flags.fix_binary && in_container => {
                    remarks.push(format!("no flag F: it runs because {path} is in this container, too"));
                }
                Some(entry) if !entry.flags.fix_binary => {
                    remarks.push(format!("no flag F: not in containers without {path}"));
                }
                None if is_here && in_container => {
                    remarks.push(format!(
                        "{path} is a file of this container: without the flag F, which can't be seen here, not where that is missing"
                    ));
                }
                _ => {}
            }
            if entry.is_some_and(|entry| !entry.flags.credentials) {
                remarks.push("no flag C: set-user-ID programs such as sudo don't work".to_owned());
            }
        }
        if entry.is_some() && !matches!(by, Some(Runner::Machine)) {
            for claim in claims(self.registry.entries(), self.platform) {
                if let (true, Some((_, winner))) = (claim.takes.is_empty(), claim.loses.first()) {
                    let [old, young] = [claim.entry, winner].map(|entry| entry.name.to_string_lossy());
                    remarks.push(format!("the entry {old} is never asked: {young} is younger"));
                }
            }
        }
        remarks
    }

    /// The interpreter ran, and the program did not.
    fn fails(&self, end: Change, said: &str) -> Answer {
        let told = if said.is_empty() { String::new() } else { format!(": {said}") };
        let lacks_memory = [
            "Unable to reserve",
            "Unable to allocate",
            "Unable to find a guest_base",
            "annot allocate memory",
        ];
        let is_killed = matches!(end, Change::Killed(_) | Change::Exited(132 | 134 | 139));
        if lacks_memory.iter().any(|words| said.contains(words)) || is_killed && self.unlimit.is_some() {
            let fix =
                self.unlimit.unwrap_or("sysctl vm.mmap_min_addr=65536 on the host, or another build of QEMU");
            let sentence = format!("its emulator does not get the memory that it needs{told}");
            return broken(Reason::AddressSpace, sentence, fix.to_owned());
        }
        // The words of QEMU for a thread that it does not get.
        if said.contains("Resource temporarily unavailable") {
            return unknown("start a thread of its emulator", Errno::EAGAIN);
        }
        match end {
            Change::Killed(signal) | Change::Stopped(signal) => broken(
                Reason::Crash,
                format!("its emulator is killed by signal {signal}{told}"),
                self.another_version(),
            ),
            Change::Exited(132 | 134 | 139) => {
                broken(Reason::Crash, format!("its emulator crashes{told}"), self.another_version())
            }
            Change::Exited(_) if said.contains("Invalid ELF image") => broken(
                Reason::WrongInterpreter,
                format!("the interpreter is for another architecture{told}"),
                self.register(),
            ),
            Change::Exited(code) => broken(
                Reason::Failure,
                format!("its emulator ends with {code}{told}"),
                self.another_version(),
            ),
        }
    }

    /// The remedy for an emulator that is there, and no good.
    fn another_version(&self) -> String {
        match self.entry_for(PLAIN, true) {
            Some(entry) if !is_qemu(&entry.interpreter) => {
                format!("another version of {}, or {}", entry.interpreter.display(), self.register())
            }
            _ => format!("another version of QEMU: {}", self.register()),
        }
    }

    /// The kernel did not start it.
    fn refused(&self, errno: Errno) -> Answer {
        match errno {
            Errno::ENOEXEC => self.not_recognised(),
            Errno::ENOENT | Errno::ENOTDIR => self.not_there(),
            Errno::ELOOP => broken(
                Reason::InterpreterForeign,
                "the interpreter is itself a program that an interpreter runs",
                self.register(),
            ),
            Errno::EACCES | Errno::EPERM => {
                let fix = match self.entry_for(PLAIN, true) {
                    Some(entry) => format!("chmod 755 {}", shell_word(&entry.interpreter.to_string_lossy())),
                    None => self.register(),
                };
                broken(Reason::InterpreterDenied, "the interpreter may not be run", fix)
            }
            // These are about this process, and not about what it runs.
            Errno::EAGAIN | Errno::ENOMEM | Errno::EMFILE | Errno::ENFILE => {
                unknown("start a process", errno)
            }
            errno => broken(Reason::Failure, format!("the kernel answers: {}", errno.desc()), String::new()),
        }
    }

    fn not_recognised(&self) -> Answer {
        let name = |entry: &Entry| entry.name.to_string_lossy().into_owned();
        let (is_enabled, on, off) = match self.registry {
            Registry::Mounted { is_enabled, .. } => {
                (*is_enabled, self.entry_for(PLAIN, true), self.entry_for(PLAIN, false))
            }
            _ => (true, None, None),
        };
        let is_its_own = self.surroundings.in_user_namespace;
        let is_seen = matches!(self.registry, Registry::Mounted { .. });
        match (on, off) {
            _ if !is_enabled => broken(
                Reason::SwitchedOff,
                "all entries of the kernel are switched off",
                self.surroundings.write("1", "status"),
            ),
            (Some(entry), _) if self.interpreter == Some(Kind::Foreign) || !is_its_own => broken(
                Reason::InterpreterForeign,
                format!("{} is no program of this machine", entry.interpreter.display()),
                self.register(),
            ),
            (Some(_), _) => broken(
                Reason::OwnInstance,
                "there is an entry, but this user namespace goes by others, of its own, since binfmt_misc was mounted in it",
                "make the user namespace anew (podman system migrate), and don't mount binfmt_misc there"
                    .to_owned(),
            ),
            (None, Some(entry)) => broken(
                Reason::EntryDisabled,
                format!("the entry {} is switched off", name(entry)),
                self.surroundings.write("1", &name(entry)),
            ),
            (None, None) if self.surroundings.has_proc && !self.surroundings.has_binfmt_misc => broken(
                Reason::NoBinfmtMisc,
                "the kernel has no binfmt_misc, or has not loaded it",
                "modprobe binfmt_misc, as root of the host".to_owned(),
            ),
            (None, None) if is_its_own && !is_seen => broken(
                Reason::NoHandler,
                "the kernel has no entry for it, or this user namespace goes by entries of its own",
                self.register(),
            ),
            (None, None) => broken(Reason::NoHandler, "the kernel has no entry for it", self.register()),
        }
    }

    fn not_there(&self) -> Answer {
        match self.entry_for(PLAIN, true) {
            Some(entry) if entry.flags.fix_binary || self.interpreter == Some(Kind::Dynamic) => broken(
                Reason::InterpreterDynamic,
                format!("{} needs a loader and libraries that are not here", entry.interpreter.display()),
                self.register(),
            ),
            Some(entry) => broken(
                Reason::InterpreterMissing,
                format!("{} is not here, and its entry lacks the flag F", entry.interpreter.display()),
                self.register(),
            ),
            None => broken(
                Reason::InterpreterMissing,
                "the interpreter, or what it needs to be run, is not here (no flag F, or no static emulator)",
                self.register(),
            ),
        }
    }
}

type Answer = (Level, Reason, String, String);

fn broken(reason: Reason, sentence: impl Into<String>, fix: String) -> Answer {
    (Level::Broken, reason, sentence.into(), fix)
}

fn unknown(attempt: &str, errno: Errno) -> Answer {
    let sentence = format!("it could not be tried: {attempt}: {}", errno.desc());
    let fix = match errno {
        Errno::EAGAIN => "more processes: ulimit -u, docker run --pids-limit",
        Errno::EACCES | Errno::EPERM | Errno::EROFS => "docker run --tmpfs /tmp:exec",
        _ => "",
    };
    (Level::Unknown, Reason::Untried, sentence, fix.to_owned())
}
