//! Running a program of an architecture: the proof that the kernel does.
//!
//! The program (see [`program`](super::program)) writes a byte when it runs and then waits, so that `/proc/PID/exe` can be read
//! at a time when the interpreter, if there is one, is certainly the process's program.

use std::ffi::CStr;
use std::fs::Metadata;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;

use super::place::{Place, c_string};
use super::process::{Executable, NotStarted, Program, Running};
use crate::sys::Change;

/// What became of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It ran, or its interpreter did, and ended.
    Ended {
        /// How.
        end: Change,
        /// What ran it, if it came as far as to say that it runs.
        by: Option<Runner>,
        /// The first line of what was written to standard error.
        said: String,
    },
    /// The kernel did not start it.
    Refused(Errno),
    /// It did not end in time.
    TimedOut {
        /// What ran it, if it came as far as to say that it runs.
        by: Option<Runner>,
    },
    /// It could not be tried: no file that may be run can be made here, or no process.
    Untried {
        /// What was attempted.
        attempt: &'static str,
        /// The answer.
        errno: Errno,
    },
}

/// What runs a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Runner {
    /// The machine itself.
    Machine,
    /// An interpreter.
    Interpreter {
        /// Its path, as the kernel knows it; where it is outside of this container's root, as seen from there.
        path: PathBuf,
        /// The file of this path has been removed or replaced: the kernel goes on with the one that it had opened.
        is_deleted: bool,
        /// The file of this path is it in this process's root as well. If not, the kernel had opened it before (the flag F).
        is_here: bool,
        /// The first line of what it answers to `--version`, if that was asked.
        version: Option<String>,
    },
}

/// The arguments of the program. It exits with their number and the first byte of the first.
const ARGUMENTS: [&CStr; 2] = [c"*", c"@"];
/// What it exits with if it gets exactly these.
pub const COMPLETE: u8 = 2 + b'*';
/// ... if the first argument is the file's path instead.
pub const WITHOUT_ARGV0: u8 = 2 + b'/';
/// ... if the interpreter does not take the path that the kernel has put before the first argument for what it is.
pub const ARGUMENTS_MORE: u8 = 3 + b'/';
/// ... if it takes the first argument for a path that the kernel has not put there.
pub const ARGUMENTS_FEWER: u8 = 1 + b'@';

/// How long any interpreter may take to say what it is.
const VERSION_LIMIT: Duration = Duration::from_secs(2);
/// How much of that is shown.
const MAX_VERSION: usize = 120;

impl Outcome {
    /// Whether the program ran to its end, with its arguments.
    pub fn is_run(&self) -> bool {
        matches!(self, Outcome::Ended { end: Change::Exited(COMPLETE | WITHOUT_ARGV0), .. })
    }
}

/// Runs a program that is in a place, for at most so long.
pub fn run(place: &Place, limit: Duration, asks_version: bool) -> Outcome {
    Probe::start(place, limit).map_or_else(|outcome| outcome, |probe| probe.watch(asks_version))
}

/// A program that has been started.
pub struct Probe<'a> {
    running: Running,
    place: &'a Place,
}

impl<'a> Probe<'a> {
    /// Starts a program that is in a place, for at most so long.
    pub fn start(place: &'a Place, limit: Duration) -> Result<Probe<'a>, Outcome> {
        let program =
            Program { file: place.executable(), arguments: &ARGUMENTS, environment: &[], directory: None };
        match Running::start(program, Instant::now() + limit) {
            Ok(running) => Ok(Probe { running, place }),
            Err(NotStarted::Untried(attempt, errno)) => Err(Outcome::Untried { attempt, errno }),
            Err(NotStarted::Refused(errno)) => Err(Outcome::Refused(errno)),
        }
    }

    /// Looks at who runs it, and waits for its end.
    pub fn watch(mut self, asks_version: bool) -> Outcome {
        let by = if self.running.has_written() { self.runner(asks_version) } else { None };
        let ended = self.running.finish();
        let said = ended.error.trim().lines().next().unwrap_or_default().to_owned();
        match ended.end {
            None => Outcome::TimedOut { by },
            Some(end) => Outcome::Ended { end, by, said },
        }
    }

    /// Who runs the program, which waits.
    fn runner(&self, asks_version: bool) -> Option<Runner> {
        // The /proc of another process namespace has other processes of these numbers.
        let own = std::fs::read_link("/proc/self").ok()?;
        if own.to_str()?.parse() != Ok(nix::unistd::getpid().as_raw()) {
            return None;
        }
        let link = PathBuf::from(format!("/proc/{}/exe", self.running.pid()));
        let shown = std::fs::read_link(&link).ok()?;
        let number = |file: Metadata| (file.dev(), file.ino());
        let own = std::fs::metadata(&link).ok().map(number);
        if own.is_some_and(|(dev, ino)| self.place.is(dev, ino)) {
            return Some(Runner::Machine);
        }
        let is_at = |path: &Path| own.is_some() && std::fs::metadata(path).ok().map(number) == own;
        let text = shown.as_os_str().as_bytes();
        // A file may be called so.
        let stripped = text.strip_suffix(b" (deleted)").filter(|_| !is_at(&shown));
        let path = Path::new(std::ffi::OsStr::from_bytes(stripped.unwrap_or(text))).to_owned();
        let version = asks_version.then(|| self.version(&link)).flatten();
        let (is_here, is_deleted) = (is_at(&path), stripped.is_some());
        Some(Runner::Interpreter { path, is_deleted, is_here, version })
    }

    /// What the program's interpreter says of itself, if it knows the question. (The link leads to the file even if no path
    /// does.)
    fn version(&self, link: &Path) -> Option<String> {
        let link = c_string(link).ok()?;
        let arguments = [c"qemu", c"--version"];
        let file = Executable::Path(&link);
        let program = Program { file, arguments: &arguments, environment: &[], directory: None };
        let deadline = self.running.deadline().min(Instant::now() + VERSION_LIMIT);
        let ended = Running::start(program, deadline).ok()?.finish();
        let line = ended.output.lines().next().filter(|_| ended.end == Some(Change::Exited(0)))?.trim();
        let line: String = line.chars().filter(|c| !c.is_control()).take(MAX_VERSION).collect();
        Some(line).filter(|line| !line.is_empty())
    }
}
