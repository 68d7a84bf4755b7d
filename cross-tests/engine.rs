//! Containers of the image under test, by the engine's own command line.

use std::ffi::{OsStr, OsString};
use std::io::{Seek, Write};
use std::path::Path;
use std::process::{Command, Stdio};
use std::time::{Duration, Instant};

use libtest_mimic::Failed;

use crate::guard;

/// What a test waits for comes, however busy the machine is; only what hangs, as an emulated program may, takes as long, and
/// is ended then. Idle, no single command of the suite needs more than a few minutes.
pub const PATIENCE: Duration = Duration::from_secs(3600);

/// A container to be.
#[derive(Clone)]
pub struct Container {
    image: String,
    options: Vec<OsString>,
}

/// A container that waits for commands, and is removed when dropped.
pub struct Running {
    id: String,
}

/// What a command did.
pub struct Output {
    command: String,
    pub status: Option<i32>,
    pub stdout: Vec<u8>,
    pub stderr: String,
}

impl Container {
    pub fn new(image: &str) -> Container {
        Container { image: image.to_owned(), options: vec![guard::label()] }
    }

    pub fn option(mut self, word: impl Into<OsString>) -> Container {
        self.options.push(word.into());
        self
    }

    pub fn env(self, name: &str, value: &str) -> Container {
        self.option("--env").option(format!("{name}={value}"))
    }

    pub fn user(self, user: &str) -> Container {
        self.option("--user").option(user)
    }

    pub fn workdir(self, dir: &str) -> Container {
        self.option("--workdir").option(dir)
    }

    /// Makes a directory of this machine writable in the container.
    pub fn mount(self, outside: &Path, inside: &str) -> Container {
        self.option("--volume").option(volume(outside, inside, ""))
    }

    /// Makes a directory of this machine readable in the container.
    pub fn mount_read_only(self, outside: &Path, inside: &str) -> Container {
        self.option("--volume").option(volume(outside, inside, ":ro"))
    }

    /// Runs a command by the image's entrypoint.
    pub fn run<S: AsRef<OsStr>>(&self, command: &[S]) -> Result<Output, Failed> {
        let options = self.options.iter().map(OsString::as_os_str);
        let words = ["run", "--rm"].map(OsStr::new).into_iter().chain(options);
        docker(words.chain([OsStr::new(&self.image)]).chain(command.iter().map(AsRef::as_ref)))
    }

    /// Runs a command that reads this on standard input (the container has to be `--interactive`).
    pub fn run_with_input(&self, command: &[&str], input: &str) -> Result<Output, Failed> {
        let words = ["run", "--rm"].map(OsString::from).into_iter().chain(self.options.iter().cloned());
        let words = words.chain([self.image.clone().into()]).chain(command.iter().map(OsString::from));
        docker_with_input(words.collect(), input)
    }

    /// Runs a script by the image's entrypoint.
    pub fn sh(&self, script: &str) -> Result<Output, Failed> {
        self.run(&["timeout", &seconds(), "sh", "-euc", script])
    }

    /// The command's user is this process's, as callers of the image have it.
    pub fn caller(self) -> Container {
        self.env("LOCAL_USER_ID", &nix::unistd::getuid().to_string())
            .env("LOCAL_GROUP_ID", &nix::unistd::getgid().to_string())
    }

    /// Runs a script without the entrypoint, so that no variable is set by gb but where the script calls it; then gb
    /// changes no user.
    pub fn bare_sh(&self, script: &str) -> Result<Output, Failed> {
        // Who is not root can't stay it, and is told so.
        let user = self.options.iter().skip_while(|option| *option != "--user").nth(1);
        let is_another = user.is_some_and(|user| user != "0" && user != "0:0");
        let bare = if is_another { self.clone() } else { self.clone().env("RUN_AS_ROOT", "true") };
        bare.option("--entrypoint=timeout").run(&[seconds().as_str(), "sh", "-euc", script])
    }

    /// Starts a container for scripts to come.
    pub fn start(&self) -> Result<Running, Failed> {
        self.clone().option("--init").start_with(&["sleep", "infinity"])
    }

    /// Starts a container with a command by the image's entrypoint. When the command has ended it can still be asked about.
    pub fn start_with(&self, command: &[&str]) -> Result<Running, Failed> {
        let options = self.options.iter().map(OsString::as_os_str);
        let words = ["run", "--detach"].map(OsStr::new).into_iter().chain(options);
        let words = words.chain([OsStr::new(&self.image)]).chain(command.iter().map(OsStr::new));
        Ok(Running { id: docker(words)?.ok()?.trim().to_owned() })
    }
}

impl Running {
    /// Runs a script under `gb run`, as the entrypoint would.
    pub fn sh(&self, script: &str) -> Result<Output, Failed> {
        let command = ["exec", &self.id, "gb", "run", "--", "timeout", &seconds(), "sh", "-euc", script];
        docker(command.map(OsStr::new))
    }
}

impl Running {
    /// Runs a script by docker exec alone, without gb.
    pub fn exec_sh(&self, options: &[&str], script: &str) -> Result<Output, Failed> {
        let options = ["exec"].iter().chain(options);
        docker(options.chain(&[self.id.as_str(), "timeout", &seconds(), "sh", "-euc", script]))
    }

    /// Waits until something is so in the container.
    pub fn wait_until(
        &self,
        what: &str,
        mut is_so: impl FnMut() -> Result<bool, Failed>,
    ) -> Result<(), Failed> {
        let deadline = Instant::now() + PATIENCE;
        while !is_so()? {
            if Instant::now() >= deadline {
                return Err(format!("waited until {what} in {}", self.id).into());
            }
            std::thread::sleep(Duration::from_millis(50));
        }
        Ok(())
    }

    /// Asks the engine about the container: `docker COMMAND… ID ARGUMENT…`.
    pub fn docker(&self, command: &[&str], arguments: &[&str]) -> Result<Output, Failed> {
        docker(command.iter().chain(&[self.id.as_str()]).chain(arguments))
    }

    /// Asks it until the answer is as it should be: a container counts as started before its entrypoint has done its work.
    pub fn until(
        &self,
        command: &[&str],
        arguments: &[&str],
        is_right: impl Fn(&str) -> bool,
    ) -> Result<String, Failed> {
        let started = Instant::now();
        loop {
            let answer = self.docker(command, arguments)?.ok()?;
            if is_right(&answer) {
                return Ok(answer);
            }
            if started.elapsed() > Duration::from_secs(120) {
                return Err(
                    format!("docker {} never was as it should be: {answer}", command.join(" ")).into()
                );
            }
            std::thread::sleep(Duration::from_millis(20));
        }
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut remove = guard::docker();
        remove.args(["rm", "--force", &self.id]).stdout(Stdio::null());
        if let Err(error) = remove.status() {
            eprintln!("cross-tests: remove container {}: {error}", self.id);
        }
    }
}

impl Output {
    /// Standard output, if the command succeeded.
    pub fn ok(self) -> Result<String, Failed> {
        match self.status {
            Some(0) => self.text(),
            _ => Err(self.failed("should have succeeded")),
        }
    }

    /// Standard output as text, whatever became of the command.
    pub fn text(&self) -> Result<String, Failed> {
        let text = String::from_utf8(self.stdout.clone());
        text.map_err(|_| self.failed("should have written text"))
    }

    /// A failure of the test that tells all of the command.
    pub fn failed(&self, why: &str) -> Failed {
        format!("{why}: {self}").into()
    }
}

impl std::fmt::Display for Output {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let status = self.status.map_or("killed by a signal".to_owned(), |code| format!("exit code {code}"));
        let stdout = String::from_utf8_lossy(&self.stdout);
        write!(f, "{}\n{status}\nstdout:\n{stdout}\nstderr:\n{}", self.command, self.stderr)
    }
}

fn volume(outside: &Path, inside: &str, suffix: &str) -> OsString {
    let mut volume = outside.as_os_str().to_owned();
    volume.push(":");
    volume.push(inside);
    volume.push(suffix);
    volume
}

/// The limit for timeout(1).
fn seconds() -> String {
    PATIENCE.as_secs().to_string()
}

/// Calls the engine.
pub fn docker<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Result<Output, Failed> {
    docker_with_input(words.into_iter().map(|word| word.as_ref().to_owned()).collect(), "")
}

/// Writes the root of an image to an archive; nothing of it is run.
pub fn export(image: &str, tar: &Path) -> Result<(), Failed> {
    // Not every image has a command, without which there is no container.
    let create = [OsStr::new("create"), &guard::label(), OsStr::new(image), OsStr::new("/nothing")];
    let container = docker(create)?.ok()?;
    let container = container.trim();
    let exported = docker(["export", "--output", &tar.to_string_lossy(), container]).and_then(Output::ok);
    docker(["rm", container])?.ok()?;
    exported.map(drop)
}

fn docker_with_input(words: Vec<OsString>, input: &str) -> Result<Output, Failed> {
    let command = format!("docker {}", words.join(OsStr::new(" ")).to_string_lossy());
    finish(guard::docker().args(&words), command, input)
}

/// Runs a client of the engine, or a program of this machine's that calls one, until it ends. `command` tells people of it.
pub fn finish(client: &mut Command, command: String, input: &str) -> Result<Output, Failed> {
    let failed = |error: std::io::Error| Failed::from(format!("{command}: {error}"));
    // A file, because a pipe would have to be written to while the answer is read.
    let mut file = tempfile::tempfile().map_err(failed)?;
    file.write_all(input.as_bytes()).and_then(|()| file.rewind()).map_err(failed)?;
    let stdin = if input.is_empty() { Stdio::null() } else { Stdio::from(file) };
    let output = client.stdin(stdin).output().map_err(failed)?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Output { command, status: output.status.code(), stdout: output.stdout, stderr })
}
