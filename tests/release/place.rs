//! Where the tests work: make called from this checkout, as if in a repository of the test's own.

use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::sync::OnceLock;
use std::sync::atomic::{AtomicUsize, Ordering};

use crate::guard;
use crate::registry::Registry;

/// The tests' common ground.
pub struct Place {
    dir: PathBuf,
    /// The image with the registry.
    pub tools_image: Option<String>,
    /// Images that were built to be released.
    pub released: Vec<String>,
    registry: OnceLock<Registry>,
    count: AtomicUsize,
}

/// How a command ended, and what it said.
#[derive(Debug)]
pub struct Done {
    pub code: i32,
    pub out: String,
    pub err: String,
}

impl Done {
    /// What it said to standard output, if all went well.
    #[track_caller]
    pub fn ok(self) -> String {
        assert_eq!(self.code, 0, "{}{}", self.out, self.err);
        self.out
    }

    /// The one line with which it refused, without what make adds.
    #[track_caller]
    pub fn refused(self) -> String {
        assert_eq!(self.code, 2, "{}{}", self.out, self.err);
        let lines: Vec<&str> = self
            .err
            .lines()
            .filter(|line| !line.starts_with("make: *** [") && !line.starts_with("make["))
            .collect();
        assert_eq!(lines.len(), 1, "{}", self.err);
        lines[0].to_owned()
    }
}

/// Runs a command. Its surroundings are the test program's without what make, git and callers of ours set.
pub fn run(program: &str, arguments: &[&str]) -> std::io::Result<Done> {
    finish(command(program).args(arguments))
}

/// A command in surroundings that say nothing of a release.
pub fn command(program: &str) -> Command {
    let mut command = Command::new(program);
    command.env_clear().env("LC_ALL", "C.UTF-8").env("GIT_CONFIG_GLOBAL", "/dev/null");
    for name in ["PATH", "HOME", "DOCKER_HOST", "DOCKER_CONFIG", "TMPDIR"] {
        if let Some(value) = std::env::var_os(name) {
            command.env(name, value);
        }
    }
    command
}

pub fn finish(command: &mut Command) -> std::io::Result<Done> {
    let done = command.stdin(Stdio::null()).output()?;
    Ok(Done {
        code: done.status.code().unwrap_or(-1),
        out: String::from_utf8_lossy(&done.stdout).into_owned(),
        err: String::from_utf8_lossy(&done.stderr).into_owned(),
    })
}

/// The root of this checkout.
pub fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// A line of docker/versions.
pub fn version(name: &str) -> String {
    let versions = std::fs::read_to_string(root().join("docker/versions")).unwrap();
    let value = versions.lines().find_map(|line| line.strip_prefix(name)?.strip_prefix('='));
    value.unwrap().to_owned()
}

/// The go-build image's version.
pub fn go_build() -> String {
    format!("{}-llvm{}-k8s{}", version("GO_VERSION"), version("LLVM_VERSION"), version("KUBERNETES_VERSION"))
}

/// The date of the commits that repositories of tests have.
pub const DATE: &str = "1700000000";

impl Place {
    pub fn new(dir: PathBuf, tools_image: Option<String>, released: Option<String>) -> Place {
        let released = released.unwrap_or_default().split_whitespace().map(str::to_owned).collect();
        Place { dir, tools_image, released, registry: OnceLock::new(), count: AtomicUsize::new(0) }
    }

    /// A directory of its own for who asks.
    pub fn dir(&self) -> PathBuf {
        let dir = self.dir.join(format!("release-{}", self.count.fetch_add(1, Ordering::Relaxed)));
        std::fs::create_dir(&dir).unwrap();
        dir
    }

    /// A registry for everybody, without credentials.
    pub fn registry(&self) -> &Registry {
        self.registry.get_or_init(|| Registry::start(self, &[]))
    }

    /// A repository with one commit, in whose name things are released.
    pub fn repository(&self) -> Repository {
        let repository = Repository { dir: self.dir() };
        repository.git(&["init", "--quiet", "--initial-branch=main"]);
        repository.commit("first");
        repository
    }
}

/// A repository of a test's own.
pub struct Repository {
    pub dir: PathBuf,
}

impl Repository {
    pub fn command(&self, arguments: &[&str]) -> Command {
        let mut git = command("git");
        for who in ["AUTHOR", "COMMITTER"] {
            git.env(format!("GIT_{who}_NAME"), "Ada").env(format!("GIT_{who}_EMAIL"), "ada@example.org");
            git.env(format!("GIT_{who}_DATE"), format!("{DATE} +0000"));
        }
        git.arg("-C").arg(&self.dir).args(arguments);
        git
    }

    #[track_caller]
    pub fn git(&self, arguments: &[&str]) -> String {
        finish(&mut self.command(arguments)).unwrap().ok().trim_end().to_owned()
    }

    /// Commits everything, or nothing, and says what the commit is called.
    #[track_caller]
    pub fn commit(&self, message: &str) -> String {
        self.git(&["add", "--all"]);
        self.git(&["commit", "--quiet", "--allow-empty", "--message", message]);
        self.head()
    }

    #[track_caller]
    pub fn head(&self) -> String {
        self.git(&["rev-parse", "HEAD"])
    }

    /// `make -C docker` of this checkout, which takes the repository for its own.
    pub fn make(&self, arguments: &[&str]) -> Done {
        finish(self.make_command().args(arguments)).unwrap()
    }

    pub fn make_command(&self) -> Command {
        let mut make = command("make");
        make.args(["--silent", "--no-print-directory", "-C"]).arg(root().join("docker"));
        make.env("GIT_DIR", self.dir.join(".git"));
        make
    }
}

/// The client of the engine, for what the guard takes away.
pub fn docker(arguments: &[&str]) -> Done {
    finish(guard::docker().args(arguments)).unwrap()
}
