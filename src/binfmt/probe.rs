//! Running a program of an architecture: the proof that the kernel does.
//!
//! The program (see [`program`](super::program)) writes a byte when it runs and then waits, so that `/proc/PID/exe` can be read
//! at a time when the interpreter, if there is one, is certainly the process's program. It is started by execve(2), not by
//! a function of the C library that hands what the kernel refuses to a shell.

use std::ffi::{CStr, CString};
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::OFlag;
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::unistd::{Pid, dup2_stderr, dup2_stdin, dup2_stdout, execve, pipe2, setpgid};

use super::place::Place;
use crate::sys::{self, Change};

/// What became of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Outcome {
    /// It ran, or its interpreter did, and ended.
    Ended {
        /// How.
        end: Change,
        /// What ran it, if it came as far as to say that it runs.
        by: Option<Runner>,
        /// What was written to standard error, as far as it matters.
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

/// How much is kept of what a program writes.
const MAX_TEXT: usize = 1024;

/// Runs a program that is in a place, for at most so long.
pub fn run(place: &Place, limit: Duration, asks_version: bool) -> Outcome {
    // Where SIGCHLD is ignored nobody learns how a program ended.
    sys::default_sigchld();
    match Running::start(place.path(), &ARGUMENTS, Instant::now() + limit) {
        Ok(running) => running.watch(place, asks_version),
        Err(outcome) => outcome,
    }
}

/// A program that has been started, in a process group of its own.
struct Running {
    pid: Pid,
    input: Option<OwnedFd>,
    output: OwnedFd,
    error: OwnedFd,
    deadline: Instant,
}

impl Running {
    fn start(path: &Path, arguments: &[&CStr], deadline: Instant) -> Result<Running, Outcome> {
        let untried = |attempt| move |errno| Outcome::Untried { attempt, errno };
        let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(untried("make a pipe"));
        let (input, output, error, answer) = (pipe()?, pipe()?, pipe()?, pipe()?);
        let path = CString::new(path.as_os_str().as_bytes()).unwrap_or_default();
        let Some(pid) = sys::fork().map_err(untried("start a process"))? else {
            let errno = become_program(&path, arguments, [&input.0, &output.1, &error.1]);
            let _told = File::from(answer.1).write_all(&(errno as i32).to_ne_bytes());
            sys::end_now(127);
        };
        // The other ends are the program's, and it alone keeps them open.
        drop((input.0, output.1, error.1, answer.1));
        let running = Running { pid, input: Some(input.1), output: output.0, error: error.0, deadline };
        // At the exec this end closes without a word.
        let mut number = [0; 4];
        match running.read(&answer.0, &mut number) {
            Some(4) => {
                running.end();
                Err(Outcome::Refused(Errno::from_raw(i32::from_ne_bytes(number))))
            }
            _ => Ok(running),
        }
    }

    fn watch(mut self, place: &Place, asks_version: bool) -> Outcome {
        let mut byte = [0];
        let by = match self.read(&self.output, &mut byte) {
            Some(1) => self.runner(place, asks_version),
            _ => None,
        };
        // With the end of its input the program goes on.
        self.input = None;
        let said = self.read_all(&self.error);
        match self.wait() {
            None => {
                self.end();
                Outcome::TimedOut { by }
            }
            Some(end) => Outcome::Ended { end, by, said },
        }
    }

    /// Who runs the program, which waits.
    fn runner(&self, place: &Place, asks_version: bool) -> Option<Runner> {
        let link = PathBuf::from(format!("/proc/{}/exe", self.pid));
        let path = std::fs::read_link(&link).ok()?;
        let file = std::fs::metadata(&link).ok();
        if file.is_some_and(|file| place.is(file.dev(), file.ino())) {
            return Some(Runner::Machine);
        }
        let text = path.as_os_str().as_bytes();
        let stripped = text.strip_suffix(b" (deleted)");
        let path = Path::new(std::ffi::OsStr::from_bytes(stripped.unwrap_or(text))).to_owned();
        let version = asks_version.then(|| self.version(&link)).flatten();
        Some(Runner::Interpreter { path, is_deleted: stripped.is_some(), version })
    }

    /// What the program's interpreter says of itself. (The link leads to the file even if no path does.)
    fn version(&self, link: &Path) -> Option<String> {
        let asked = Running::start(link, &[c"qemu", c"--version"], self.deadline).ok()?;
        let text = asked.read_all(&asked.output);
        asked.end();
        text.lines().next().map(str::to_owned).filter(|line| !line.is_empty())
    }

    /// Reads up to the end, or as much as matters, or until time is over.
    fn read_all(&self, from: &OwnedFd) -> String {
        let mut text = vec![0; MAX_TEXT];
        let mut length = 0;
        while let Some(rest) = text.get_mut(length..).filter(|rest| !rest.is_empty()) {
            match self.read(from, rest) {
                None | Some(0) => break,
                Some(more) => length += more,
            }
        }
        text.truncate(length);
        String::from_utf8_lossy(&text).trim().to_owned()
    }

    /// Reads what comes next; `None` if nothing does in time.
    fn read(&self, from: &OwnedFd, into: &mut [u8]) -> Option<usize> {
        let mut files = [PollFd::new(from.as_fd(), PollFlags::POLLIN)];
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match poll(&mut files, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
                Err(Errno::EINTR) => {}
                Ok(0) | Err(_) => return None,
                Ok(_) => return nix::unistd::read(from, into).ok(),
            }
        }
    }

    /// Waits for the end; `None` if it does not come in time.
    fn wait(&self) -> Option<Change> {
        loop {
            match sys::reap_child(self.pid) {
                Err(Errno::EINTR) => {}
                Err(_) => return None,
                Ok(Some(end)) => {
                    sys::forget_child(self.pid);
                    return Some(end);
                }
                // All its files are closed: this is a matter of microseconds.
                Ok(None) if Instant::now() < self.deadline => {
                    std::thread::sleep(Duration::from_micros(50));
                }
                Ok(None) => return None,
            }
        }
    }

    /// Ends the program, and whatever it has started.
    fn end(&self) {
        let _killed = sys::send(-self.pid.as_raw(), libc::SIGKILL);
        let _killed = sys::send(self.pid.as_raw(), libc::SIGKILL);
        while let Err(Errno::EINTR) = sys::wait_child(self.pid) {}
        sys::forget_child(self.pid);
    }
}

/// In the child: becomes the program, or says why not.
fn become_program(path: &CStr, arguments: &[&CStr], [input, output, error]: [&OwnedFd; 3]) -> Errno {
    sys::restore_inherited();
    // Whatever ends gb ends an emulator that hangs.
    let prepared = set_pdeathsig(Signal::SIGKILL)
        .and_then(|()| setpgid(Pid::from_raw(0), Pid::from_raw(0)))
        .and_then(|()| dup2_stdin(input))
        .and_then(|()| dup2_stdout(output))
        .and_then(|()| dup2_stderr(error))
        // An emulator that crashes is to leave nothing behind.
        .and_then(|()| setrlimit(Resource::RLIMIT_CORE, 0, 0));
    match prepared {
        Ok(()) => {
            let Err(errno) = execve(path, arguments, &[] as &[&CStr]);
            errno
        }
        Err(errno) => errno,
    }
}
