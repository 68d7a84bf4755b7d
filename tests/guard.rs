//! What a test program leaves to the engine ends with the program, however that ends: by itself, by Ctrl-C, by SIGKILL.
//!
//! Whoever kills an engine's client leaves its container running, and in a process that is killed no destructor runs. So the
//! program starts itself a second time, as a guard. That one waits, in a session of its own, for a lock that the program
//! holds as long as it lives. Then it removes the run's containers, which are known by a label, until no client is left
//! that could start another, and the run's directory. Should the guard be killed as well, the next run finds a directory
//! that nobody locks, and does the same for it.

use std::ffi::OsString;
use std::fs::File;
use std::io::{Read, Write};
use std::os::fd::{AsFd, OwnedFd};
use std::os::unix::process::CommandExt;
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::sync::OnceLock;
use std::time::{Duration, Instant};

use nix::fcntl::{FcntlArg, FdFlag, Flock, FlockArg, OFlag, fcntl};
use nix::sys::prctl::set_pdeathsig;
use nix::sys::signal::Signal;
use nix::unistd::{getppid, pipe2, setsid};

/// Tells the test program that it is the guard of this directory.
const GUARDED: &str = "GB_TEST_GUARDED";

/// The label of the containers of a run; its value is the name of the run's directory.
pub const LABEL: &str = "io.github.go-build.test";

/// Where the directories are. Not /tmp, which an engine that runs in its own mount namespace does not share.
const PLACE: &str = env!("CARGO_TARGET_TMPDIR");

/// What the names of the directories begin with.
const PREFIX: &str = "run-";

/// Clients end when their containers do. One that does not is left alone in the end.
const PATIENCE: Duration = Duration::from_secs(600);
const PAUSE: Duration = Duration::from_millis(100);

/// The name of this run's directory.
static RUN: OnceLock<String> = OnceLock::new();

/// What looks after the run. It does its work when this is dropped, at the latest.
pub struct Guard {
    /// A directory for what the run makes.
    pub dir: PathBuf,
    /// All clients inherit it.
    clients: Option<OwnedFd>,
    lock: Option<Flock<File>>,
    process: Child,
}

impl Guard {
    /// Makes the run's directory and starts its guard. `None`: this process is a guard, and has done its work.
    pub fn start() -> std::io::Result<Option<Guard>> {
        if let Some(dir) = std::env::var_os(GUARDED) {
            stand(Path::new(&dir))?;
            return Ok(None);
        }
        end_with_cargo()?;
        // As long as directories are looked for and made, so that nobody takes a new one for one that was left.
        let looking = lock(Path::new(PLACE), FlockArg::LockExclusive)?;
        for left in left() {
            clean(&left);
        }
        let dir = tempfile::Builder::new()
            .prefix(&format!("{PREFIX}{}-", std::process::id()))
            .tempdir_in(PLACE)?
            .keep();
        let locked = lock(&dir, FlockArg::LockExclusive)?;
        drop(looking);
        let _first = RUN.set(name(&dir).to_owned());

        let (ends, clients) = pipe2(OFlag::O_CLOEXEC)?;
        let mut process = Command::new(std::env::current_exe()?)
            .env(GUARDED, &dir)
            .stdin(Stdio::from(ends))
            .stdout(Stdio::piped())
            .spawn()?;
        // From now on what is pressed on the terminal is not the guard's.
        process.stdout.take().map(|mut ready| ready.read_exact(&mut [0])).transpose()?;
        fcntl(clients.as_fd(), FcntlArg::F_SETFD(FdFlag::empty()))?;
        Ok(Some(Guard { dir, clients: Some(clients), lock: Some(locked), process }))
    }
}

impl Drop for Guard {
    fn drop(&mut self) {
        self.clients = None;
        self.lock = None;
        if let Err(error) = self.process.wait() {
            eprintln!("{}: its guard: {error}", self.dir.display());
        }
    }
}

/// The option of `docker run` by which the guard knows the run's containers.
pub fn label() -> OsString {
    format!("--label={LABEL}={}", run()).into()
}

/// The name of this run. Without a guard there is none, and nothing may be started.
pub fn run() -> &'static str {
    RUN.get().map_or("", String::as_str)
}

/// The engine's client. What is pressed on the terminal is the test program's: a client that ends while the engine makes its
/// container would leave one that nobody knows of.
pub fn docker() -> Command {
    let mut docker = Command::new("docker");
    docker.process_group(0);
    docker
}

/// The ids of the containers that a run has, in whatever state.
pub fn containers(run: &str) -> std::io::Result<Vec<String>> {
    let filter = format!("label={LABEL}={run}");
    let output = docker()
        .args(["ps", "--all", "--quiet", "--no-trunc", "--filter", &filter])
        .stdin(Stdio::null())
        .output()?;
    if !output.status.success() {
        return Err(std::io::Error::other(String::from_utf8_lossy(&output.stderr).trim().to_owned()));
    }
    Ok(String::from_utf8_lossy(&output.stdout).split_whitespace().map(str::to_owned).collect())
}

/// cargo that is killed leaves the test program running.
fn end_with_cargo() -> std::io::Result<()> {
    let parent = getppid();
    if std::fs::read_to_string(format!("/proc/{parent}/comm")).is_ok_and(|name| name == "cargo\n") {
        set_pdeathsig(Signal::SIGTERM)?;
        if getppid() != parent {
            return Err(std::io::Error::other("cargo has ended"));
        }
    }
    Ok(())
}

/// Does what a guard does.
fn stand(dir: &Path) -> std::io::Result<()> {
    setsid()?;
    std::io::stdout().write_all(b"\n")?;
    let _program_has_ended = lock(dir, FlockArg::LockExclusive)?;
    let clients = std::thread::spawn(|| std::io::stdin().read_to_end(&mut Vec::new()));
    let deadline = Instant::now() + PATIENCE;
    loop {
        // In this order: the last client may have started something.
        let last = clients.is_finished() || Instant::now() >= deadline;
        clean_containers(name(dir));
        if last {
            break;
        }
        std::thread::sleep(PAUSE);
    }
    clean(dir);
    Ok(())
}

fn clean_containers(run: &str) {
    // An engine that does not answer has said so to the tests. What ends by itself meanwhile can't be removed twice.
    let ids = containers(run).unwrap_or_default();
    if !ids.is_empty() {
        let mut remove = docker();
        remove.args(["rm", "--force", "--volumes"]).args(ids);
        let _removed = remove.stdin(Stdio::null()).stdout(Stdio::null()).stderr(Stdio::null()).status();
    }
}

/// Removes what a run has left.
fn clean(dir: &Path) {
    clean_containers(name(dir));
    if std::fs::remove_dir_all(dir).is_ok() || !dir.exists() {
        return;
    }
    // It holds files of users who were root's to make.
    if let Some(image) = std::env::var_os("GB_TEST_IMAGE") {
        let mut volume = dir.as_os_str().to_owned();
        volume.push(":/left");
        let mut remove = docker();
        remove.args(["run", "--rm", "--entrypoint=find", "--volume"]).arg(volume).arg(image);
        let _removed = remove.args(["/left", "-mindepth", "1", "-delete"]).stdin(Stdio::null()).status();
    }
    if let Err(error) = std::fs::remove_dir_all(dir) {
        let _told = writeln!(std::io::stderr(), "remove {}: {error}", dir.display());
    }
}

/// The directories of runs that have ended, and whose guards have as well.
fn left() -> Vec<PathBuf> {
    let entries = std::fs::read_dir(PLACE).into_iter().flatten().flatten();
    let runs = entries.map(|entry| entry.path()).filter(|path| name(path).starts_with(PREFIX));
    runs.filter(|dir| lock(dir, FlockArg::LockExclusiveNonblock).is_ok()).collect()
}

fn lock(path: &Path, how: FlockArg) -> std::io::Result<Flock<File>> {
    Flock::lock(File::open(path)?, how).map_err(|(_, errno)| errno.into())
}

fn name(dir: &Path) -> &str {
    dir.file_name().and_then(|name| name.to_str()).unwrap_or_default()
}
