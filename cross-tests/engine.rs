//! Containers of the image under test, by the engine's own command line.

use std::ffi::{OsStr, OsString};
use std::path::Path;
use std::process::{Command, Stdio};

use libtest_mimic::Failed;

/// No single command of the suite needs as long; an emulated program that hangs would hold it up for ever.
const PATIENCE: &str = "600";

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
        Container { image: image.to_owned(), options: Vec::new() }
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

    /// Runs a script by the image's entrypoint.
    pub fn sh(&self, script: &str) -> Result<Output, Failed> {
        self.run(&["timeout", PATIENCE, "sh", "-euc", script])
    }

    /// The command's user is this process's, as callers of the image have it.
    pub fn caller(self) -> Container {
        self.env("LOCAL_USER_ID", &nix::unistd::getuid().to_string())
            .env("LOCAL_GROUP_ID", &nix::unistd::getgid().to_string())
    }

    /// Runs a script without the entrypoint, so that no variable is set by gb but where the script calls it; then gb
    /// changes no user.
    pub fn bare_sh(&self, script: &str) -> Result<Output, Failed> {
        self.clone()
            .env("RUN_AS_ROOT", "true")
            .option("--entrypoint=timeout")
            .run(&[PATIENCE, "sh", "-euc", script])
    }

    /// Starts a container for scripts to come. It ends by itself if this process can't end it.
    pub fn start(&self) -> Result<Running, Failed> {
        let waiting = self.clone().option("--detach").option("--init");
        let output = waiting.run(&["sleep", "3600"])?;
        Ok(Running { id: output.ok()?.trim().to_owned() })
    }
}

impl Running {
    /// Runs a script under `gb run`, as the entrypoint would.
    pub fn sh(&self, script: &str) -> Result<Output, Failed> {
        let command = ["exec", &self.id, "gb", "run", "--", "timeout", PATIENCE, "sh", "-euc", script];
        docker(command.map(OsStr::new))
    }
}

impl Running {
    /// Asks the engine about the container: `docker COMMAND… ID ARGUMENT…`.
    pub fn docker(&self, command: &[&str], arguments: &[&str]) -> Result<Output, Failed> {
        docker(command.iter().chain(&[self.id.as_str()]).chain(arguments))
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        let mut remove = Command::new("docker");
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

/// Calls the engine.
pub fn docker<S: AsRef<OsStr>>(words: impl IntoIterator<Item = S>) -> Result<Output, Failed> {
    let words: Vec<OsString> = words.into_iter().map(|word| word.as_ref().to_owned()).collect();
    let command = format!("docker {}", words.join(OsStr::new(" ")).to_string_lossy());
    let output = Command::new("docker").args(&words).stdin(Stdio::null()).output();
    let output = output.map_err(|error| format!("{command}: {error}"))?;
    let stderr = String::from_utf8_lossy(&output.stderr).into_owned();
    Ok(Output { command, status: output.status.code(), stdout: output.stdout, stderr })
}
