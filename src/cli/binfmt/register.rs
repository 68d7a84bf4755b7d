//! `gb binfmt register` and `unregister`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::Duration;

use super::keep::Keep;
use super::report::line;
use super::{LIMIT, platforms, read_flags};
use crate::binfmt::emulator;
use crate::binfmt::entry::{Entry, Flags};
use crate::binfmt::look::Look;
use crate::binfmt::register::{self, Replace, Step, usual_flags};
use crate::binfmt::registry::{Mount, Registry, directory};
use crate::binfmt::verdict::Level;
use crate::cli::output::print;
use crate::environment::Environment;
use crate::error::{Error, one_line, tell};
use crate::platform::{PLATFORMS, Platform};
use crate::sys;

/// The entries went with the mount that gb made.
const LOST: &str = "it was registered, and forgotten when the container's own mount of binfmt_misc went, because the host has none \
                    (docker run --privileged --pid=host, or on the host: mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc)";

/// What is to be registered.
#[derive(Debug, Clone, clap::Args)]
pub(super) struct Wanted {
    /// The architectures, in any spelling; without any, all whose emulators are here
    #[arg(value_name = "PLATFORM")]
    pub(super) platforms: Vec<OsString>,
    /// The same as without any
    #[arg(long, conflicts_with = "platforms")]
    pub(super) all: bool,
    /// A directory with emulators (qemu-aarch64-static, qemu-aarch64 …); without any, those of PATH
    #[arg(long, value_name = "DIR")]
    pub(super) qemu: Vec<PathBuf>,
    /// The entries' flags; without, FCP as far as the kernel has them
    #[arg(long, value_name = "FLAGS")]
    pub(super) flags: Option<String>,
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Register {
    #[command(flatten)]
    wanted: Wanted,
    /// Replace entries that work, too, where they differ; with --keep once, all of them
    #[arg(long)]
    replace: bool,
    /// Where binfmt_misc is mounted
    #[arg(long, value_name = "DIR", default_value_os_t = directory())]
    dir: PathBuf,
    /// Show the steps, and do nothing
    #[arg(long)]
    dry_run: bool,
    /// Stay, and register again what was lost, looking every so often; SIGTERM ends it, and the entries stay
    #[arg(long, value_name = "SECONDS", conflicts_with = "dry_run", value_parser = clap::value_parser!(u64).range(1..=86400))]
    keep: Option<u64>,
}

/// What became of an architecture.
pub(super) enum Became {
    /// Its programs run as they did, by this.
    Stays(String),
    /// This would be done.
    Planned(Vec<Step>),
    /// It is registered: this.
    Registered(Entry),
    /// Its programs do not run, because of this.
    Fails(String),
}

/// The flags that the kernel has.
pub(super) fn kernel_flags() -> Flags {
    let kernel = procfs::sys::kernel::Version::current();
    usual_flags(kernel.map_or((6, 0), |version| (version.major.into(), version.minor.into())))
}

/// Registers what is wanted and not there.
pub(super) fn change(
    mount: &Mount,
    look: &Look,
    wanted: Vec<(&'static Platform, Entry)>,
    replace: Replace,
    is_dry: bool,
) -> Result<Vec<(&'static Platform, Became)>, Error> {
    // Whoever comes second finds what the first one has made.
    let _lock = if is_dry { None } else { mount.lock() };
    let Registry::Mounted { is_enabled: true, entries, .. } = mount.read() else {
        return Err(Error::Usage(
            "binfmt register: all entries are switched off (echo 1 >/proc/sys/fs/binfmt_misc/status, on the host)".to_owned(),
        ));
    };
    let platforms: Vec<_> = wanted.iter().map(|(platform, _)| *platform).collect();
    let verdicts = look.verdicts(&platforms);
    let became = |((platform, wanted), verdict): ((&'static Platform, Entry), _)| {
        let became = match register::plan(wanted.clone(), verdict, &entries, replace) {
            register::Plan::Keep { why } => Became::Stays(why),
            register::Plan::Refuse { why } => Became::Fails(why),
            register::Plan::Change(steps) if is_dry => Became::Planned(steps),
            register::Plan::Change(steps) => match register::act(&steps, mount) {
                Ok(()) => Became::Registered(wanted),
                Err(error) => Became::Fails(error.to_string()),
            },
        };
        (platform, became)
    };
    Ok(wanted.into_iter().zip(&verdicts).map(became).collect())
}

/// Closes what was open for changes, and looks whether what was registered runs now.
pub(super) fn confirm(
    mount: Mount,
    look: &Look,
    done: &mut [(&'static Platform, Became)],
) -> Result<(), Error> {
    let is_own = mount.is_own();
    // With the last mount newer kernels forget the entries: what is told is what is true afterwards.
    mount.close()?;
    let registered = done.iter_mut().filter(|(_, became)| matches!(became, Became::Registered(_)));
    for (platform, became) in registered {
        for verdict in look.verdicts(&[*platform]) {
            *became = match verdict.level {
                Level::Good | Level::Degraded => continue,
                Level::Broken | Level::Unknown if is_own => Became::Fails(LOST.to_owned()),
                Level::Broken | Level::Unknown => {
                    let line = line(&verdict);
                    let (_platform, why) = line.trim_end().split_once(": ").unwrap_or_default();
                    Became::Fails(why.to_owned())
                }
            };
        }
    }
    Ok(())
}

/// How to look at what is to serve every container: an emulator that only those have who bring it does not.
pub(super) fn look(directory: PathBuf, wanted: &[(&'static Platform, Entry)]) -> Look {
    let fix_binary = wanted.iter().any(|(_, entry)| entry.flags.fix_binary);
    Look {
        directory,
        limit: LIMIT,
        required: Flags { fix_binary, ..Flags::default() },
        asks_version: false,
        every_kind: true,
    }
}

impl Register {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        let wanted = self.wanted.entries("register")?;
        let look = look(self.dir.clone(), &wanted);
        let mount = match self.dry_run {
            true => Mount::open_or_mount_here(&self.dir)?,
            false => Mount::open_or_mount(&self.dir)?,
        };
        if let Some(seconds) = self.keep {
            // The kernel may have opened another file of the same name: that of an older image.
            let replace = if self.replace { Replace::All } else { Replace::Broken };
            return Keep { mount, look, wanted, replace, pause: Duration::from_secs(seconds) }.run();
        }
        let replace = if self.replace { Replace::Different } else { Replace::Broken };
        let mut done = change(&mount, &look, wanted, replace, self.dry_run)?;
        confirm(mount, &look, &mut done)?;
        let mut text = String::new();
        let mut failed = false;
        for (platform, became) in done {
            let line = match became {
                Became::Stays(why) => format!("stays: {why}"),
                Became::Registered(entry) => {
                    let (path, name) = (entry.interpreter.display(), entry.name.to_string_lossy());
                    format!("registered {path} as {name}, flags {}", entry.flags.letters())
                }
                Became::Planned(steps) => {
                    text.push_str(&shown(platform, &steps));
                    continue;
                }
                Became::Fails(why) => {
                    failed = true;
                    tell(format!("linux/{}: {why}", platform.goarch));
                    continue;
                }
            };
            text.push_str(&format!("{}\n", one_line(&format!("linux/{}: {line}", platform.goarch))));
        }
        print(text.as_bytes())?;
        Ok(ExitCode::from(u8::from(failed)))
    }
}

impl Wanted {
    /// The entries that there are to be.
    pub(super) fn entries(&self, what: &str) -> Result<Vec<(&'static Platform, Entry)>, Error> {
        let flags = self.flags.as_deref().map_or(Ok(kernel_flags()), read_flags)?;
        let path = Environment::new(sys::environ());
        let path = std::env::split_paths(path.search_path()).filter(|dir| dir.is_absolute()).collect();
        let dirs: Vec<PathBuf> = if self.qemu.is_empty() { path } else { self.qemu.clone() };
        let dirs: Vec<PathBuf> =
            dirs.iter().map(|dir| std::path::absolute(dir).unwrap_or_else(|_| dir.clone())).collect();
        let named = platforms(&self.platforms)?;
        let every = named.is_empty();
        let named = if every { PLATFORMS.iter().collect() } else { named };
        let mut wanted = Vec::new();
        for platform in named {
            match emulator::find(&emulator::names(platform), &dirs, flags.fix_binary) {
                Ok(path) => {
                    wanted.extend(register::wanted(platform, path, flags).map(|entry| (platform, entry)))
                }
                Err(emulator::NoEmulator::Missing { .. }) if every => {}
                Err(error) => {
                    return Err(Error::Usage(format!(
                        "binfmt {what}: linux/{}: {error} (--qemu DIR, with static emulators)",
                        platform.goarch
                    )));
                }
            }
        }
        match wanted.is_empty() {
            true => Err(Error::Usage(format!("binfmt {what}: there are no emulators in PATH (--qemu DIR)"))),
            false => Ok(wanted),
        }
    }
}

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Unregister {
    /// The architectures, in any spelling
    #[arg(value_name = "PLATFORM", required_unless_present = "all")]
    platforms: Vec<OsString>,
    /// Every architecture that Go has
    #[arg(long, conflicts_with = "platforms")]
    all: bool,
    /// Only the entries that name emulators of this directory
    #[arg(long, value_name = "DIR")]
    qemu: Option<PathBuf>,
    /// Where binfmt_misc is mounted
    #[arg(long, value_name = "DIR", default_value_os_t = directory())]
    dir: PathBuf,
    /// Show the steps, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Unregister {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        let platforms = if self.all { PLATFORMS.iter().collect() } else { platforms(&self.platforms)? };
        let cannot = |why: String| Error::Usage(format!("binfmt unregister: {}: {why}", self.dir.display()));
        let mount = match Mount::open(&self.dir) {
            Ok(Some(mount)) => mount,
            Ok(None) => return Err(cannot("binfmt_misc is not mounted here (--dir DIR)".to_owned())),
            Err(errno) => return Err(cannot(errno.desc().to_owned())),
        };
        let Registry::Mounted { entries, .. } = mount.read() else {
            return Err(cannot("it can't be read".to_owned()));
        };
        let mut text = String::new();
        for platform in platforms {
            let steps = register::to_remove(platform, &entries, self.qemu.as_deref());
            if !self.dry_run {
                register::act(&steps, &mount)?;
            }
            text.push_str(&shown(platform, &steps));
        }
        print(text.as_bytes())
    }
}

/// Steps, a line each.
fn shown(platform: &Platform, steps: &[Step]) -> String {
    let line = |step: &Step| match step {
        Step::Register(entry) => {
            let (name, flags) = (entry.name.to_string_lossy(), entry.flags.letters());
            format!("register {name}, by {}, flags {flags}", entry.interpreter.display())
        }
        Step::Remove(name) => format!("remove {}", name.to_string_lossy()),
    };
    steps
        .iter()
        .map(|step| format!("{}\n", one_line(&format!("linux/{}: {}", platform.goarch, line(step)))))
        .collect()
}
