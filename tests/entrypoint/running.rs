//! A program in a root while it runs, and what it left behind.

use std::io::{Read, Write};
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::os::unix::process::ExitStatusExt;
use std::process::{Child, Command, ExitStatus, Stdio};
use std::sync::{Arc, Condvar, Mutex};
use std::time::{Duration, Instant};

use crate::processes::{self, PAUSE, children};
use crate::root::{Place, show};

/// What a test waits for comes, however busy the machine is; only what hangs takes as long, and is killed then. Idle, no
/// program of the suite takes more than a few seconds.
pub const PATIENCE: Duration = Duration::from_secs(600);

/// A program that runs in a root. It is killed with the value.
pub struct Running {
    child: Child,
    shown: String,
    place: Arc<Place>,
    input: Option<Box<dyn Write + Send>>,
    /// What it writes to standard output, or to its terminal.
    output: Stream,
    /// What it writes to standard error; nothing on a terminal.
    errors: Stream,
}

/// How a program ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Ending {
    Code(i32),
    Signal(i32),
}

/// What a program left behind.
pub struct Done {
    shown: String,
    pub ending: Ending,
    pub stdout: Vec<u8>,
    pub stderr: Vec<u8>,
    place: Arc<Place>,
}

impl Running {
    /// Starts the command that enters the root.
    #[track_caller]
    pub fn with_pipes(mut command: Command, shown: String, place: Arc<Place>) -> Running {
        command.stdin(Stdio::piped()).stdout(Stdio::piped()).stderr(Stdio::piped());
        let mut child = command.spawn().expect("the root could not be entered");
        let input = child.stdin.take().map(|input| Box::new(input) as Box<dyn Write + Send>);
        let output = Stream::of(child.stdout.take().expect("a pipe"));
        let errors = Stream::of(child.stderr.take().expect("a pipe"));
        Running { child, shown, place, input, output, errors }
    }

    /// A program that was started on a terminal.
    pub fn on_terminal(
        child: Child,
        shown: String,
        place: Arc<Place>,
        input: Box<dyn Write + Send>,
        output: Stream,
    ) -> Running {
        Running { child, shown, place, input: Some(input), output, errors: Stream::default() }
    }

    /// Writes to the program's standard input or types on its terminal (Ctrl-C is `\x03`, Ctrl-Z `\x1a`).
    pub fn send(&mut self, bytes: impl AsRef<[u8]>) {
        let input = self.input.as_mut().expect("standard input is open");
        // A program that does not read, and ends, is none of the writer's business.
        let _written = input.write_all(bytes.as_ref()).and_then(|()| input.flush());
    }

    /// Lets the program see the end of its standard input. On a terminal this hangs nothing up.
    pub fn close_input(&mut self) {
        self.input = None;
    }

    /// Waits until the program has written this to standard output or its terminal, after what was waited for before, and
    /// returns all that it has written up to that. Fails the test if it ends or goes silent instead.
    #[track_caller]
    pub fn expect(&mut self, text: &str) -> String {
        match self.output.wait_for(text.as_bytes()) {
            Ok(written) => show(&written),
            Err(found) => {
                let why = format!("waited for {text:?} on standard output, found {:?}", show(&found));
                self.fail(&why)
            }
        }
    }

    /// The same for standard error.
    #[track_caller]
    pub fn expect_error(&mut self, text: &str) {
        if let Err(found) = self.errors.wait_for(text.as_bytes()) {
            let why = format!("waited for {text:?} on standard error, found {:?}", show(&found));
            self.fail(&why);
        }
    }

    /// The pid, as seen from here, of the root's PID 1.
    #[track_caller]
    pub fn pid_1(&self) -> u32 {
        let mut pid_1 = None;
        self.wait_until("the root has a PID 1", || {
            pid_1 = self.find_pid_1();
            pid_1.is_some()
        });
        pid_1.expect("waited for")
    }

    fn find_pid_1(&self) -> Option<u32> {
        children(self.child.id()).first().copied()
    }

    /// Waits until something is so, as long as the program runs.
    #[track_caller]
    pub fn wait_until(&self, what: &str, mut is_so: impl FnMut() -> bool) {
        let deadline = Instant::now() + PATIENCE;
        while !is_so() {
            let runs = !matches!(processes::state(self.child.id()), None | Some('Z'));
            let shown = &self.shown;
            assert!(runs, "it ended before {what}: {shown}\nstdout:\n{}", show(&self.output.all()));
            assert!(Instant::now() < deadline, "waited until {what}: {shown}");
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits until the root's PID 1 has handled every signal that it was sent, or has ended.
    #[track_caller]
    pub fn wait_until_handled(&mut self) {
        let deadline = Instant::now() + PATIENCE;
        while self.status().is_none() && !self.find_pid_1().is_some_and(processes::is_idle) {
            assert!(Instant::now() < deadline, "PID 1 does not wait: {}", self.shown);
            std::thread::sleep(PAUSE);
        }
    }

    /// Sends a signal to the root's PID 1 from outside, as `docker kill` does; any number up to 64. Until the program
    /// has written something, that may still be what sets up the root.
    pub fn signal(&self, number: i32) {
        // A program that has ended can't be told anything, which is for the test to find out.
        if let Some(pid_1) = self.find_pid_1() {
            signal(pid_1, number);
        }
    }

    /// Waits for the program's end.
    #[track_caller]
    pub fn wait(mut self) -> Done {
        let deadline = Instant::now() + PATIENCE;
        loop {
            if let Some(status) = self.status() {
                return self.done(status);
            }
            if Instant::now() >= deadline {
                self.fail("still running");
            }
            std::thread::sleep(PAUSE);
        }
    }

    /// Waits until the program has ended, or can't any more: whether it hangs.
    pub fn hangs(&mut self) -> bool {
        let deadline = Instant::now() + PATIENCE;
        // Twice, as a look at many processes is not one moment.
        let mut looks = 0;
        while self.status().is_none() {
            let stuck = self.find_pid_1().is_some_and(processes::is_stuck);
            looks = if stuck { looks + 1 } else { 0 };
            if looks == 2 || Instant::now() >= deadline {
                return true;
            }
            std::thread::sleep(PAUSE);
        }
        false
    }

    /// Ends the program, with everything in its root.
    #[track_caller]
    pub fn kill(self) -> Done {
        self.signal(libc::SIGKILL);
        self.wait()
    }

    fn status(&mut self) -> Option<ExitStatus> {
        self.child.try_wait().expect("the program can be waited for")
    }

    #[track_caller]
    fn done(mut self, status: ExitStatus) -> Done {
        // Every process of the pid namespace is gone, so nobody can hold the streams open.
        self.output.wait_for_end();
        self.errors.wait_for_end();
        let ending = match (status.code(), status.signal()) {
            (Some(code), _) => Ending::Code(code),
            (None, Some(signal)) => Ending::Signal(signal),
            (None, None) => self.fail("neither ended nor killed"),
        };
        let done = Done {
            shown: self.shown.clone(),
            ending,
            stdout: self.output.all(),
            stderr: self.errors.all(),
            place: Arc::clone(&self.place),
        };
        assert!(done.place.was_ready(), "the root could not be set up: {done}");
        done
    }

    /// Fails the test and tells all of the program.
    #[track_caller]
    pub fn fail(&mut self, why: &str) -> ! {
        self.end();
        let (stdout, stderr) = (show(&self.output.all()), show(&self.errors.all()));
        panic!("{why}: {}\nstdout:\n{stdout}\nstderr:\n{stderr}", self.shown);
    }

    /// Kills the pid namespace, by the one who waits for it (`unshare --kill-child`).
    fn end(&mut self) {
        self.signal(libc::SIGKILL);
        // Both fail only for a program that is gone already.
        let _killed = self.child.kill();
        let _waited = self.child.wait();
        self.output.wait_for_end();
        self.errors.wait_for_end();
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        if !matches!(self.child.try_wait(), Ok(Some(_))) {
            self.end();
        }
    }
}

/// Sends a signal, also a real-time one.
pub fn signal(pid: u32, number: i32) {
    // It may be gone already, as above.
    let _sent =
        Command::new("kill").args([format!("-{number}"), pid.to_string()]).stderr(Stdio::null()).status();
}

impl Done {
    #[track_caller]
    pub fn out(&self) -> &str {
        std::str::from_utf8(&self.stdout).unwrap_or_else(|_| panic!("standard output is UTF-8: {self}"))
    }

    #[track_caller]
    pub fn err(&self) -> &str {
        std::str::from_utf8(&self.stderr).unwrap_or_else(|_| panic!("standard error is UTF-8: {self}"))
    }

    /// Tells in messages how the program was started.
    pub fn started(mut self, how: &str) -> Done {
        self.shown = format!("({how}) {}", self.shown);
        self
    }

    /// Expects an exit code.
    #[track_caller]
    pub fn code(self, expected: i32) -> Done {
        assert_eq!(self.ending, Ending::Code(expected), "{self}");
        self
    }

    /// Expects exactly this on standard output.
    #[track_caller]
    pub fn prints(self, expected: impl AsRef<[u8]>) -> Done {
        let expected = expected.as_ref();
        assert!(self.stdout == expected, "expected on standard output:\n{}\nfound: {self}", show(expected));
        self
    }

    /// Expects exactly this on standard error.
    #[track_caller]
    pub fn says(self, expected: &str) -> Done {
        assert_eq!(self.err(), expected, "{self}");
        self
    }

    /// Expects one message of gb's on standard error, with all of these words, after `Starting with UID` or alone.
    #[track_caller]
    pub fn warns(self, words: &[&str]) -> Done {
        let messages = self.messages();
        assert_eq!(messages.len(), 1, "one message: {self}");
        for word in words {
            assert!(messages[0].contains(word), "{word:?} is not in the message: {self}");
        }
        self
    }

    /// The lines of standard error that gb puts its name before.
    #[track_caller]
    pub fn messages(&self) -> Vec<&str> {
        self.err().lines().filter(|line| line.starts_with("gb: ")).collect()
    }

    /// Expects a failure of gb's own: this exit code, one message with all of these words and nothing else.
    #[track_caller]
    pub fn refuses(self, code: i32, words: &[&str]) -> Done {
        let done = self.code(code).prints("").warns(words);
        assert_eq!(done.err().lines().count(), 1, "nothing but the message: {done}");
        done
    }

    /// A file of the root as it is now.
    #[track_caller]
    pub fn file(&self, path: &str) -> String {
        let contents = std::fs::read(self.place.file(path));
        let contents = contents.unwrap_or_else(|error| panic!("{path}: {error}: {self}"));
        String::from_utf8_lossy(&contents).into_owned()
    }

    /// The names in a directory of the root that differ from the image's.
    pub fn changed(&self, dir: &str) -> Vec<String> {
        let entries = std::fs::read_dir(self.place.upper(dir)).into_iter().flatten();
        let names = entries.map(|entry| entry.expect("an entry").file_name().to_string_lossy().into_owned());
        let mut names: Vec<_> = names.collect();
        names.sort();
        names
    }

    /// Mode, uid and gid of a file of the root.
    #[track_caller]
    pub fn mode(&self, path: &str) -> (u32, u32, u32) {
        let meta = self.place.file(path).symlink_metadata();
        let meta = meta.unwrap_or_else(|error| panic!("{path}: {error}: {self}"));
        (meta.permissions().mode() & 0o7777, meta.uid(), meta.gid())
    }

    /// The only line of a file that starts so.
    #[track_caller]
    pub fn line(&self, path: &str, start: &str) -> String {
        let contents = self.file(path);
        let lines: Vec<_> = contents.lines().filter(|line| line.starts_with(start)).collect();
        assert_eq!(lines.len(), 1, "one line of {path} starts with {start:?}:\n{contents}\n{self}");
        lines[0].to_owned()
    }
}

impl std::fmt::Display for Done {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (stdout, stderr) = (show(&self.stdout), show(&self.stderr));
        write!(f, "{}\n{:?}\nstdout:\n{stdout}\nstderr:\n{stderr}", self.shown, self.ending)
    }
}

/// What a program writes, collected while it runs.
#[derive(Clone, Default)]
pub struct Stream(Arc<(Mutex<Collected>, Condvar)>);

#[derive(Default)]
struct Collected {
    bytes: Vec<u8>,
    /// Up to here somebody has waited for it.
    seen: usize,
    open: bool,
}

impl Stream {
    /// Collects what can be read until the end, or until a terminal has no other side left (EIO).
    pub fn of(mut source: impl Read + Send + 'static) -> Stream {
        let stream = Stream::default();
        stream.0.0.lock().unwrap().open = true;
        let shared = Arc::clone(&stream.0);
        std::thread::spawn(move || {
            let mut buffer = [0; 4096];
            loop {
                let read = source.read(&mut buffer);
                let mut collected = shared.0.lock().unwrap();
                match read {
                    Ok(0) | Err(_) => collected.open = false,
                    Ok(count) => collected.bytes.extend_from_slice(&buffer[..count]),
                }
                let open = collected.open;
                drop(collected);
                shared.1.notify_all();
                if !open {
                    return;
                }
            }
        });
        stream
    }

    /// Waits for bytes after those that were waited for before, and returns all up to them; the error is what is there
    /// instead.
    fn wait_for(&self, bytes: &[u8]) -> Result<Vec<u8>, Vec<u8>> {
        let deadline = Instant::now() + PATIENCE;
        let mut collected = self.0.0.lock().unwrap();
        loop {
            let rest = &collected.bytes[collected.seen..];
            if let Some(at) = rest.windows(bytes.len()).position(|window| window == bytes) {
                let found = rest[..at + bytes.len()].to_owned();
                collected.seen += found.len();
                return Ok(found);
            }
            let left = deadline.saturating_duration_since(Instant::now());
            if !collected.open || left.is_zero() {
                return Err(rest.to_owned());
            }
            collected = self.0.1.wait_timeout(collected, left).unwrap().0;
        }
    }

    /// Waits until no more can come. Bounded, as everything: somebody could hold the other side.
    fn wait_for_end(&self) {
        let collected = self.0.0.lock().unwrap();
        let _ended = self.0.1.wait_timeout_while(collected, PATIENCE, |collected| collected.open);
    }

    fn all(&self) -> Vec<u8> {
        self.0.0.lock().unwrap().bytes.clone()
    }
}
