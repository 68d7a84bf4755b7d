//! What Go itself calls: a compiler whose name is one target's, for what may be another's.
//!
//! In a container for s390x `GOARCH= go run ./tool` builds for the machine itself, with the CC that gb has set for s390x.
//! Go tells each program that it starts what it builds for (it puts GOOS, GOARCH and the variant into their environment,
//! cmd/go/main.go), so a compiler that gb has chosen can follow. One that the caller has chosen is refused, which could
//! only end in odd errors of an assembler.

use std::ffi::OsStr;
use std::fs::File;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::own;
use super::request::variant_in;
use crate::environment::Environment;
use crate::platform::{Abi, BadVariant, Platform};

/// Programs that stand between Go and a compiler, as in `CC="ccache aarch64-linux-gnu-clang"`.
const LAUNCHERS: [&str; 2] = ["ccache", "sccache"];

/// The program that has started this one: one of Go's (cmd/go, cmd/cgo, cmd/link), or not.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Caller {
    /// `go`, which compiles and asks what the compiler can do.
    Go,
    /// `cgo`, which looks at declarations, before anything of a package is compiled.
    Cgo,
    /// `link`, which has the compiler link.
    Link,
    /// Any other program.
    #[default]
    Other,
}

impl Caller {
    /// Looks at the parent process, and at its parent where that is a compiler cache (proc_pid_exe(5)).
    pub fn find() -> Caller {
        let parent = nix::unistd::getppid().as_raw();
        let name = match program_of(parent) {
            Some(name) if LAUNCHERS.contains(&name.as_str()) => parent_of(parent).and_then(program_of),
            name => name,
        };
        match name.as_deref() {
            Some("go") => Caller::Go,
            Some("cgo") => Caller::Cgo,
            Some("link") => Caller::Link,
            _ => Caller::Other,
        }
    }
}

fn program_of(pid: i32) -> Option<String> {
    let program = std::fs::read_link(format!("/proc/{pid}/exe")).ok()?;
    let name = program.file_name()?.to_str()?.to_owned();
    if !name.starts_with("qemu-") {
        return Some(name);
    }
    // In an emulated container every program is the emulator, whose first argument it is.
    let words = std::fs::read(format!("/proc/{pid}/cmdline")).ok()?;
    let program = words.split(|byte| *byte == 0).nth(1)?;
    Some(Path::new(OsStr::from_bytes(program)).file_name()?.to_str()?.to_owned())
}

fn parent_of(pid: i32) -> Option<i32> {
    Some(procfs::process::Process::new(pid).ok()?.stat().ok()?.ppid)
}

/// What Go builds for.
#[derive(Debug)]
pub(super) struct Build {
    /// The operating system, as Go says it.
    pub(super) goos: String,
    /// The architecture, as Go says it.
    pub(super) goarch: String,
    /// The architecture and the ABI of its variant, or of its Windows; `None` for one that is not in the table.
    pub(super) target: Option<(&'static Platform, &'static Abi)>,
    /// The variant, as in `GOARM=6`; nothing for none.
    pub(super) variant: String,
}

impl Build {
    /// Reads what Go says, to a program that is for `own` where Go says nothing.
    pub(super) fn read(
        environment: &Environment,
        own: &'static Platform,
        abi: &'static Abi,
    ) -> Result<Build, BadVariant> {
        let get = |name: &str| environment.get_nonempty(name).and_then(OsStr::to_str);
        let (goos, goarch) = (get("GOOS").unwrap_or(abi.goos()), get("GOARCH").unwrap_or(own.goarch));
        let mut build =
            Build { goos: goos.to_owned(), goarch: goarch.to_owned(), target: None, variant: String::new() };
        let Some(platform) = Platform::by_goarch(goarch) else { return Ok(build) };
        let variant = variant_in(environment, platform)?;
        build.target = match goos {
            "linux" => Some((platform, platform.abi(variant.as_ref()))),
            goos => platform.windows_abi().filter(|abi| abi.goos() == goos).map(|abi| (platform, abi)),
        };
        build.variant = variant.map(|v| format!("{}={}", v.variable, v.value())).unwrap_or_default();
        Ok(build)
    }

    /// The target, where a compiler for another one can't serve.
    ///
    /// Code of the other ABI of ARM runs wherever the default one's does, but not the other way round.
    pub(super) fn differs(
        &self,
        platform: &'static Platform,
        abi: &'static Abi,
    ) -> Option<(&'static Platform, &'static Abi)> {
        let (wanted, wanted_abi) = self.target?;
        let same_system = wanted_abi.goos() == abi.goos();
        let serves = wanted_abi == abi || same_system && wanted_abi == platform.default_abi();
        (!(wanted == platform && serves)).then_some((wanted, wanted_abi))
    }

    /// Whether it is for a system that gb has no compiler for.
    pub(super) fn is_unknown(&self) -> bool {
        self.target.is_none() && self.goos != "linux"
    }
}

/// Whether gb has put this program's name into one of these variables, where it still is.
pub(super) fn chosen_by_gb(environment: &Environment, variables: &[&str], program: &str) -> bool {
    variables.iter().any(|name| own::set_by_gb(environment, name) == Some(OsStr::new(program)))
}

/// Whether this is the first refusal of one run of Go, which calls a compiler once for each package.
///
/// What tells is a file in Go's work directory, which Go removes in the end. Where none can be made, each refusal is told.
pub fn is_first_refusal(go_work: &Path) -> bool {
    let told: PathBuf = go_work.join("gb-refused");
    match File::options().write(true).create_new(true).open(told) {
        Err(error) => error.kind() != std::io::ErrorKind::AlreadyExists,
        Ok(_) => true,
    }
}
