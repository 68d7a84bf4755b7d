//! Starting a program that may do anything, or nothing: in a process group of its own, with a time limit, and without a core.
//!
//! It is started by execve(2), not by a function of the C library that hands what the kernel refuses to a shell.

use std::ffi::CStr;
use std::fs::File;
use std::io::Write;
use std::os::fd::{AsFd, OwnedFd};
use std::time::{Duration, Instant};

use nix::errno::Errno;
use nix::fcntl::{AtFlags, OFlag};
use nix::poll::{PollFd, PollFlags, PollTimeout, poll};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::resource::{Resource, setrlimit};
use nix::sys::signal::Signal;
use nix::sys::wait::{Id, WaitPidFlag, WaitStatus, waitid};
use nix::unistd::{Pid, chdir, dup2_stderr, dup2_stdin, dup2_stdout, execve, execveat, pipe2, setpgid};

use crate::sys::{self, Change};

/// How much is kept of what a program writes to either stream.
const MAX_TEXT: usize = 16 << 10;
/// How often is read from a pipe whose writer has ended: more than is in a pipe that nobody has made larger (64 KiB).
const LAST_READS: usize = 64;
/// How often it is asked whether a program has ended that keeps its streams open, or has left them to another.
const TICK: Duration = Duration::from_millis(20);

/// What to start.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// Its file.
    pub file: Executable<'a>,
    /// Its arguments, the name that it is called by first.
    pub arguments: &'a [&'a CStr],
    /// Its environment.
    pub environment: &'a [&'a CStr],
    /// Where it starts; here, if nothing is said.
    pub directory: Option<&'a CStr>,
}

/// How the kernel is told what to run.
#[derive(Debug, Clone, Copy)]
pub enum Executable<'a> {
    /// By a path.
    Path(&'a CStr),
    /// By an open file, which has no path.
    Open(&'a File),
}

/// Why nothing runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum NotStarted {
    /// There could be no process.
    Untried(&'static str, Errno),
    /// The kernel does not run the file.
    Refused(Errno),
}

/// A program that runs.
pub struct Running {
    pid: Pid,
    input: Option<OwnedFd>,
    output: Stream,
    error: Stream,
    deadline: Instant,
    end: Option<Change>,
    is_reaped: bool,
}

/// What became of a program.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ended {
    /// How it ended; `None` if it was ended because time was over.
    pub end: Option<Change>,
    /// The beginning of what it wrote to standard output.
    pub output: String,
    /// The same of standard error.
    pub error: String,
}

/// What a program writes to.
struct Stream {
    file: Option<OwnedFd>,
    text: Vec<u8>,
}

impl Running {
    /// Starts a program that may take until then.
    pub fn start(program: Program<'_>, deadline: Instant) -> Result<Running, NotStarted> {
        let untried = |attempt| move |errno| NotStarted::Untried(attempt, errno);
        // Where SIGCHLD is ignored nobody is told how a child ended.
        sys::default_sigchld();
        let pipe = || pipe2(OFlag::O_CLOEXEC).map_err(untried("make a pipe"));
        let (input, output, error, answer) = (pipe()?, pipe()?, pipe()?, pipe()?);
        let Some(pid) = sys::fork().map_err(untried("start a process"))? else {
            let errno = become_program(program, [&input.0, &output.1, &error.1]);
            let _told = File::from(answer.1).write_all(&(errno as i32).to_ne_bytes());
            sys::end_now(127);
        };
        // The other ends are the program's, and it alone keeps them open.
        drop((input.0, output.1, error.1, answer.1));
        let stream = |file| Stream { file: Some(file), text: Vec::new() };
        let (output, error) = (stream(output.0), stream(error.0));
        let (end, is_reaped) = (None, false);
        let running = Running { pid, input: Some(input.1), output, error, deadline, end, is_reaped };
        // At the exec this end closes without a word.
        let mut number = [0; 4];
        match running.wait_for(&answer.0).and_then(|()| nix::unistd::read(&answer.0, &mut number).ok()) {
            Some(4) => Err(NotStarted::Refused(Errno::from_raw(i32::from_ne_bytes(number)))),
            _ => Ok(running),
        }
    }

    /// Its number.
    pub fn pid(&self) -> Pid {
        self.pid
    }

    /// When its time is over.
    pub fn deadline(&self) -> Instant {
        self.deadline
    }

    /// Waits until it writes to standard output; whether it does.
    pub fn has_written(&mut self) -> bool {
        while self.output.text.is_empty() && self.output.file.is_some() && self.goes_on() {
            self.read_on();
        }
        !self.output.text.is_empty()
    }

    /// Lets it go on, at the end of its input, and waits for its end.
    pub fn finish(mut self) -> Ended {
        self.input = None;
        while self.goes_on() {
            self.read_on();
        }
        if self.end.is_none() {
            self.kill();
        }
        // What it wrote last; not what somebody else may still write, for ever.
        for _ in 0..LAST_READS {
            if !self.output.is_readable() && !self.error.is_readable() {
                break;
            }
            self.take_all();
        }
        Ended { end: self.end, output: self.output.text(), error: self.error.text() }
    }

    /// Whether it has neither ended nor used up its time.
    fn goes_on(&mut self) -> bool {
        while !self.is_reaped {
            let flags = WaitPidFlag::WEXITED | WaitPidFlag::WNOHANG | WaitPidFlag::WNOWAIT;
            match waitid(Id::Pid(self.pid), flags) {
                Err(Errno::EINTR) => continue,
                Ok(WaitStatus::StillAlive) => return Instant::now() < self.deadline,
                _ => {}
            }
            // What it has started ends with it. (The group's number is nobody else's before it is reaped.)
            let _killed = sys::send(-self.pid.as_raw(), libc::SIGKILL);
            match sys::reap_child(self.pid) {
                Err(Errno::EINTR) | Ok(None) => {}
                Ok(end) => {
                    self.end = end;
                    self.is_reaped = true;
                    sys::forget_child(self.pid);
                }
                Err(_) => self.is_reaped = true,
            }
        }
        false
    }

    /// Reads what there is, or waits a moment for more.
    fn read_on(&mut self) {
        let is_open = self.output.file.is_some() || self.error.file.is_some();
        if !is_open {
            // All its files are closed: its end is a matter of microseconds.
            std::thread::sleep(Duration::from_micros(50));
            return;
        }
        let left = self.deadline.saturating_duration_since(Instant::now()).min(TICK);
        let files = [&self.output, &self.error].into_iter().filter_map(|stream| stream.file.as_ref());
        let mut files: Vec<_> = files.map(|file| PollFd::new(file.as_fd(), PollFlags::POLLIN)).collect();
        let _ready = poll(&mut files, PollTimeout::try_from(left).unwrap_or(PollTimeout::ZERO));
        self.take_all();
    }

    fn take_all(&mut self) {
        for stream in [&mut self.output, &mut self.error] {
            if stream.is_readable() {
                stream.take();
            }
        }
    }

    /// Waits until there is something to be read, or the end; `None` if neither comes in time.
    fn wait_for(&self, file: &OwnedFd) -> Option<()> {
        let mut files = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        loop {
            let left = self.deadline.saturating_duration_since(Instant::now());
            match poll(&mut files, PollTimeout::try_from(left).unwrap_or(PollTimeout::MAX)) {
                Err(Errno::EINTR) => {}
                Ok(0) | Err(_) => return None,
                Ok(_) => return Some(()),
            }
        }
    }

    /// Ends the program, and whatever it has started.
    fn kill(&mut self) {
        let _killed = sys::send(-self.pid.as_raw(), libc::SIGKILL);
        let _killed = sys::send(self.pid.as_raw(), libc::SIGKILL);
        while !self.is_reaped && sys::wait_child(self.pid) == Err(Errno::EINTR) {}
        self.is_reaped = true;
        sys::forget_child(self.pid);
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !self.is_reaped {
            self.kill();
        }
    }
}

impl Stream {
    /// Whether reading would not wait.
    fn is_readable(&self) -> bool {
        let Some(file) = &self.file else { return false };
        let mut files = [PollFd::new(file.as_fd(), PollFlags::POLLIN)];
        poll(&mut files, PollTimeout::ZERO).is_ok_and(|ready| ready > 0)
    }

    /// Reads what there is. What is more than is kept is read as well, so that the program does not wait for a reader.
    fn take(&mut self) {
        let Some(file) = &self.file else { return };
        let mut bytes = [0; 4096];
        match nix::unistd::read(file, &mut bytes) {
            Err(Errno::EINTR) => {}
            Ok(0) | Err(_) => self.file = None,
            Ok(length) => {
                let kept = length.min(MAX_TEXT - self.text.len().min(MAX_TEXT));
                self.text.extend_from_slice(bytes.get(..kept).unwrap_or_default());
            }
        }
    }

    fn text(&self) -> String {
        String::from_utf8_lossy(&self.text).into_owned()
    }
}

/// In the child: becomes the program, or says why not.
fn become_program(program: Program<'_>, [input, output, error]: [&OwnedFd; 3]) -> Errno {
    sys::restore_inherited();
    // Whatever ends gb ends an emulator that hangs.
    let prepared = set_pdeathsig(Signal::SIGKILL)
        .and_then(|()| setpgid(Pid::from_raw(0), Pid::from_raw(0)))
        .and_then(|()| dup2_stdin(input))
        .and_then(|()| dup2_stdout(output))
        .and_then(|()| dup2_stderr(error))
        .and_then(|()| program.directory.map_or(Ok(()), chdir))
        // An emulator that crashes is to leave nothing behind.
        .and_then(|()| setrlimit(Resource::RLIMIT_CORE, 0, 0));
    if let Err(errno) = prepared {
        return errno;
    }
    let (arguments, environment) = (program.arguments, program.environment);
    let result = match program.file {
        Executable::Path(path) => execve(path, arguments, environment),
        Executable::Open(file) => execveat(file, c"", arguments, environment, AtFlags::AT_EMPTY_PATH),
    };
    let Err(errno) = result;
    errno
}
