//! A program of Go's, built and run: what uses the collector, threads and signals may fail where a few instructions run.

use std::ffi::{CStr, CString, OsStr};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::unistd::{AccessFlags, access};

use super::look::may_run_from;
use super::place::c_string;
use super::process::{Ended, Executable, NotStarted, Program, Running};
use super::reason::{Level, Reason};
use super::scratch::Scratch;
use super::verdict::Verdict;
use crate::platform::Platform;
use crate::sys::Change;

/// The program.
const SOURCE: &str = include_str!("deep.go");
/// Its parts, in their order.
pub const PARTS: [&str; 10] = [
    "memory",
    "threads",
    "preemption",
    "signals",
    "timers",
    "panics",
    "numbers",
    "files",
    "child",
    "network",
];
/// How long it may take to build it: without a cache Go compiles its library first.
const BUILD_LIMIT: Duration = Duration::from_secs(900);
/// How long a program of a few instructions may take to show whether a directory will do.
const PROBE_LIMIT: Duration = Duration::from_secs(10);

/// What is needed to build it and to run it.
#[derive(Debug, Clone)]
pub struct Deep {
    /// The go command.
    pub go: PathBuf,
    /// How long the program may take.
    pub limit: Duration,
}

/// What became of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Depth {
    /// Every part ran.
    Passed {
        /// Go's version.
        go: String,
        /// How long it took.
        took: Duration,
    },
    /// It ended otherwise.
    Failed {
        /// How; `None` if time was over.
        end: Option<Change>,
        /// The part in which it did; `None` after the last one.
        part: Option<&'static str>,
        /// The first line that it wrote to standard error.
        said: String,
    },
    /// It was not run.
    Untried {
        /// What was attempted.
        attempt: &'static str,
        /// The answer.
        why: String,
    },
}

impl Deep {
    /// Builds the program for an architecture and runs it. Nothing is left of it, however this process ends.
    pub fn run(&self, platform: &Platform) -> Depth {
        let untried = |attempt, why: String| Depth::Untried { attempt, why };
        let mut scratch = match scratch() {
            Ok(scratch) => scratch,
            Err(error) => {
                return untried("make a directory from which programs may be run", error.to_string());
            }
        };
        match self.build(platform, &mut scratch) {
            Ok(ended) if ended.end == Some(Change::Exited(0)) => {}
            Ok(Ended { end: None, .. }) => {
                return untried("build it", format!("go took more than {} s", BUILD_LIMIT.as_secs()));
            }
            Ok(ended) => return untried("build it", first_line(&ended.error).to_owned()),
            Err(why) => return untried("start go", why),
        }
        let started = Instant::now();
        let temporary = variable("TMPDIR", scratch.path().as_os_str());
        let ran = run_in(&mut scratch, Path::new("./program"), &["program"], &[temporary], self.limit);
        match ran {
            Ok(ended) => judge(&ended, started.elapsed()),
            Err(why) => untried("start it", why),
        }
    }

    fn build(&self, platform: &Platform, scratch: &mut Scratch) -> Result<Ended, String> {
        let dir = scratch.path().to_owned();
        let write = |name: &str, text: &str| std::fs::write(dir.join(name), text);
        // A module of its own: whatever is in the directories above is another's.
        write("deep.go", SOURCE)
            .and_then(|()| write("go.mod", "module deep\n\ngo 1.21\n"))
            .map_err(|error| error.to_string())?;
        let cache = cache().unwrap_or_else(|| dir.join("cache"));
        let place = |name: &str| variable(name, dir.as_os_str());
        let mut environment = vec![
            variable("PATH", &std::env::var_os("PATH").unwrap_or_default()),
            variable("GOCACHE", cache.as_os_str()),
            // Nothing of the caller's that changes what is built, and nothing is fetched.
            variable("GOENV", OsStr::new("off")),
            variable("GOWORK", OsStr::new("off")),
            variable("GOTOOLCHAIN", OsStr::new("local")),
            variable("GOPROXY", OsStr::new("off")),
            variable("CGO_ENABLED", OsStr::new("0")),
            variable("GOOS", OsStr::new("linux")),
            variable("GOARCH", OsStr::new(platform.goarch)),
            place("GOPATH"),
            place("HOME"),
            place("TMPDIR"),
        ];
        environment.extend(std::env::var_os("GOROOT").map(|root| variable("GOROOT", &root)));
        run_in(scratch, &self.go, &["go", "build", "-o", "program", "deep.go"], &environment, BUILD_LIMIT)
    }
}

/// Runs a program in the directory, and has its process group ended with this process.
fn run_in(
    scratch: &mut Scratch,
    program: &Path,
    arguments: &[&str],
    environment: &[CString],
    limit: Duration,
) -> Result<Ended, String> {
    let text = |error: io::Error| error.to_string();
    let (program, directory) = (c_string(program).map_err(text)?, c_string(scratch.path()).map_err(text)?);
    let arguments: Vec<_> = arguments.iter().map(|word| CString::new(*word).unwrap_or_default()).collect();
    let arguments: Vec<&CStr> = arguments.iter().map(CString::as_c_str).collect();
    let environment: Vec<&CStr> = environment.iter().map(CString::as_c_str).collect();
    let program = Program {
        file: Executable::Path(&program),
        arguments: &arguments,
        environment: &environment,
        directory: Some(&directory),
    };
    let running = Running::start(program, Instant::now() + limit).map_err(|error| match error {
        NotStarted::Untried(attempt, errno) => format!("{attempt}: {}", errno.desc()),
        NotStarted::Refused(errno) => errno.desc().to_owned(),
    })?;
    scratch.ends(Some(running.pid()));
    let ended = running.finish();
    scratch.ends(None);
    Ok(ended)
}

/// A directory from which programs may be run.
fn scratch() -> io::Result<Scratch> {
    let given = std::env::var_os("TMPDIR").map(PathBuf::from).filter(|dir| dir.is_absolute());
    let usual = ["/tmp", "/var/tmp", "/dev/shm"].map(PathBuf::from);
    let mut last = io::Error::from(nix::errno::Errno::EACCES);
    for directory in given.into_iter().chain(usual) {
        if !may_run_from(&directory, PROBE_LIMIT) {
            continue;
        }
        match Scratch::make(&directory) {
            Err(error) => last = error,
            made => return made,
        }
    }
    Err(last)
}

/// Go's cache, if this user can use the one that there is. A new one would be in the way of the user that it is meant for.
fn cache() -> Option<PathBuf> {
    let named = |name, below: &str| Some(PathBuf::from(std::env::var_os(name)?).join(below));
    let places =
        [named("GOCACHE", ""), named("XDG_CACHE_HOME", "go-build"), named("HOME", ".cache/go-build")];
    let first = places.into_iter().flatten().find(|place| place.is_absolute())?;
    let is_usable = access(&first.join("00"), AccessFlags::W_OK).is_ok();
    is_usable.then_some(first)
}

fn variable(name: &str, value: &OsStr) -> CString {
    // A value of the environment's has no NUL byte.
    CString::new([name.as_bytes(), b"=", value.as_bytes()].concat()).unwrap_or_default()
}

/// The first line that says something: Go begins with the package's name.
fn first_line(text: &str) -> &str {
    let mut lines = text.lines().map(str::trim).filter(|line| !line.is_empty() && !line.starts_with('#'));
    lines.next().unwrap_or("it says nothing")
}

/// What the program's end and its words mean.
fn judge(ended: &Ended, took: Duration) -> Depth {
    let all = format!("all of {} by ", PARTS.join(" "));
    let last = ended.output.lines().last().unwrap_or_default();
    if let (Some(Change::Exited(0)), Some(go)) = (ended.end, last.strip_prefix(&all)) {
        return Depth::Passed { go: go.to_owned(), took };
    }
    let ran = |part: &&&str| ended.output.lines().any(|line| line.strip_prefix("ran ") == Some(**part));
    let part = PARTS.iter().find(|part| !ran(part)).copied();
    let said = ended.error.lines().map(str::trim).find(|line| !line.is_empty()).unwrap_or_default();
    Depth::Failed { end: ended.end, part, said: said.to_owned() }
}

impl Verdict {
    /// What it is with the program of Go's. The plain one ran.
    pub fn with_depth(mut self, depth: &Depth, another_version: String) -> Verdict {
        let (end, part, said) = match depth {
            Depth::Passed { go, took } => {
                self.runs_deep = Some(true);
                self.remarks.push(format!("a program of {go} passes in {:.1} s", took.as_secs_f64()));
                return self;
            }
            Depth::Untried { attempt, why } => {
                self.level = Level::Unknown;
                self.reason = Reason::Untried;
                self.sentence = format!("a program of Go's could not be tried: {attempt}: {why}");
                self.fix = match attempt.starts_with("make a directory") {
                    true => "docker run --tmpfs /tmp:exec".to_owned(),
                    false => String::new(),
                };
                return self;
            }
            Depth::Failed { end, part, said } => (end, part, said),
        };
        let part = part.map_or("at its end".to_owned(), |part| format!("in its part {part}"));
        let told = if said.is_empty() { String::new() } else { format!(": {said}") };
        let (reason, what) = match end {
            None => (Reason::DeepHang, "hangs, or needs more time (--timeout)".to_owned()),
            Some(Change::Killed(signal) | Change::Stopped(signal)) => {
                (Reason::DeepCrash, format!("is killed by signal {signal}"))
            }
            // 2 is Go's own code for a fault that nobody recovers from.
            Some(Change::Exited(2 | 132 | 134 | 139)) => (Reason::DeepCrash, "crashes".to_owned()),
            Some(Change::Exited(code)) => (Reason::DeepFailure, format!("ends with {code}")),
        };
        self.runs_deep = Some(false);
        self.level = Level::Broken;
        self.reason = reason;
        self.sentence = format!("{}, but a program of Go's {what} {part}{told}", self.sentence);
        self.fix = another_version;
        self
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ended(end: Option<Change>, output: &str, error: &str) -> Ended {
        Ended { end, output: output.to_owned(), error: error.to_owned() }
    }

    fn failed(end: Option<Change>, output: &str, error: &str) -> (Option<&'static str>, String) {
        match judge(&ended(end, output, error), Duration::ZERO) {
            Depth::Failed { part, said, .. } => (part, said),
            other => panic!("{other:?}"),
        }
    }

    #[test]
    fn the_program_has_the_parts_that_its_last_line_is_read_for() {
        let (_, table) = SOURCE.split_once("}{\n").unwrap();
        let (table, _) = table.split_once("\n}\n").unwrap();
        let names: Vec<_> = table.lines().map(|line| line.split('"').nth(1).unwrap()).collect();
        assert_eq!(names, PARTS);
    }

    #[test]
    fn only_the_last_line_proves_that_every_part_ran() {
        let all = format!("ran memory\nall of {} by go1.26.6\n", PARTS.join(" "));
        let passed = Depth::Passed { go: "go1.26.6".to_owned(), took: Duration::ZERO };
        assert_eq!(judge(&ended(Some(Change::Exited(0)), &all, ""), Duration::ZERO), passed);
        assert_eq!(failed(Some(Change::Exited(1)), &all, "").0, Some("threads"));
        assert_eq!(failed(Some(Change::Exited(0)), "", "").0, Some("memory"));
        assert_eq!(failed(None, "ran memory\n", "\n x\ny").1, "x");
        let short = all.replace("signals ", "");
        assert!(failed(Some(Change::Exited(0)), &short, "").0.is_some());
    }

    #[test]
    fn what_go_says_first_is_not_the_packages_name() {
        assert_eq!(first_line("# command-line-arguments\n\n./deep.go:1: no\n"), "./deep.go:1: no");
        assert_eq!(first_line("#\n"), "it says nothing");
    }
}
