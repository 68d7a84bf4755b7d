//! Running gb and looking at what came out.

use std::ffi::OsStr;
use std::path::{Path, PathBuf};
use std::process::{Command, Output, Stdio};
use std::sync::{PoisonError, RwLock, RwLockReadGuard, RwLockWriteGuard};

/// The program under test.
pub const PATH: &str = env!("CARGO_BIN_EXE_gb");

/// Held for writing while a program's file is written, and for reading while a child is started: a child inherits the
/// open file until its exec, and the kernel runs no file that is open for writing (ETXTBSY).
static FILES: RwLock<()> = RwLock::new(());

/// To be held while a child is started.
pub fn no_file_is_written() -> RwLockReadGuard<'static, ()> {
    FILES.read().unwrap_or_else(PoisonError::into_inner)
}

fn no_child_is_started() -> RwLockWriteGuard<'static, ()> {
    FILES.write().unwrap_or_else(PoisonError::into_inner)
}

/// A call of gb (or of another program that calls it), with no environment but PATH, RUN_AS_ROOT and GB_BINFMT: the tests may be
/// run by root, who would become another user (what becomes of users is what tests/entrypoint is about), and on a kernel that
/// emulates what it likes.
pub struct Call(Command);

/// What a call left behind.
pub struct Result {
    pub status: Option<i32>,
    pub stdout: String,
    pub stderr: String,
}

/// gb with arguments.
pub fn gb<S: AsRef<OsStr>>(args: impl IntoIterator<Item = S>) -> Call {
    Call::new(PATH).args(args)
}

/// A shell script in which `$GB` is gb.
pub fn sh(script: &str) -> Call {
    Call::new("/bin/sh").args(["-c", script]).env("GB", PATH)
}

impl Call {
    pub fn new(program: impl AsRef<OsStr>) -> Call {
        let mut command = Command::new(program);
        command
            .env_clear()
            .env("PATH", "/usr/local/bin:/usr/bin:/bin")
            .env("GB_BINFMT", "off")
            .stdin(Stdio::null());
        // Whoever is not root can't stay it, and is told so.
        if nix::unistd::geteuid().is_root() {
            command.env("RUN_AS_ROOT", "true");
        }
        Call(command)
    }

    pub fn args<S: AsRef<OsStr>>(mut self, args: impl IntoIterator<Item = S>) -> Call {
        self.0.args(args);
        self
    }

    pub fn env(mut self, name: impl AsRef<OsStr>, value: impl AsRef<OsStr>) -> Call {
        self.0.env(name, value);
        self
    }

    pub fn dir(mut self, dir: &Path) -> Call {
        self.0.current_dir(dir);
        self
    }

    pub fn output(mut self) -> Output {
        let command = self.0.stdout(Stdio::piped()).stderr(Stdio::piped());
        let child = {
            let _started = no_file_is_written();
            command.spawn().expect("gb could not be started")
        };
        child.wait_with_output().expect("gb's output could not be read")
    }

    pub fn go(self) -> Result {
        let output = self.output();
        Result {
            status: output.status.code(),
            stdout: String::from_utf8(output.stdout).expect("standard output is UTF-8"),
            stderr: String::from_utf8(output.stderr).expect("standard error is UTF-8"),
        }
    }

    /// Expects success and nothing on standard error; returns standard output.
    #[track_caller]
    pub fn stdout(self) -> String {
        let result = self.go();
        assert_eq!((result.status, result.stderr.as_str()), (Some(0), ""), "stdout: {}", result.stdout);
        result.stdout
    }

    /// Expects a failure of gb's own: this exit code, this one line on standard error, nothing on standard output.
    #[track_caller]
    pub fn fails(self, code: i32, message: &str) {
        let result = self.go();
        assert_eq!(result.stderr, format!("gb: {message}\n"));
        assert_eq!((result.status, result.stdout.as_str()), (Some(code), ""));
    }
}

/// A directory in which gb has this name.
pub fn linked(name: &str) -> (Dir, PathBuf) {
    let dir = Dir::new();
    let link = dir.path().join(name);
    std::os::unix::fs::symlink(PATH, &link).unwrap();
    (dir, link)
}

/// A directory that goes away with the value.
pub struct Dir(tempfile::TempDir);

impl Dir {
    pub fn new() -> Dir {
        Dir(tempfile::tempdir().expect("no temporary directory"))
    }

    pub fn path(&self) -> &Path {
        self.0.path()
    }

    /// Puts a copy of the program under test here, and returns its path.
    pub fn gb(&self) -> PathBuf {
        let _written = no_child_is_started();
        let path = self.path().join("gb");
        std::fs::copy(PATH, &path).unwrap();
        path
    }

    /// Writes a file with a mode, and returns its path.
    pub fn file(&self, name: &str, contents: impl AsRef<[u8]>, mode: u32) -> PathBuf {
        use std::os::unix::fs::PermissionsExt;
        let path = self.path().join(name);
        let _written = no_child_is_started();
        std::fs::write(&path, contents).unwrap();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(mode)).unwrap();
        path
    }
}
