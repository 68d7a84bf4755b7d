//! `gb binfmt register` and `unregister`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use super::check::line;
use super::{LIMIT, platforms, read_flags};
use crate::binfmt::emulator;
use crate::binfmt::entry::{Entry, Flags};
use crate::binfmt::look::Look;
use crate::binfmt::register::{self, Step, usual_flags};
use crate::binfmt::registry::{DIRECTORY, Mount, Registry};
use crate::binfmt::verdict::Level;
use crate::cli::output::print;
use crate::environment::Environment;
use crate::error::{Error, one_line, tell};
use crate::platform::{PLATFORMS, Platform};
use crate::sys;

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Register {
    /// The architectures, in any spelling; without any, all whose emulators are here
    #[arg(value_name = "PLATFORM")]
    platforms: Vec<OsString>,
    /// The same as without any
    #[arg(long, conflicts_with = "platforms")]
    all: bool,
    /// A directory with emulators (qemu-aarch64-static, qemu-aarch64 …); without any, those of PATH
    #[arg(long, value_name = "DIR")]
    qemu: Vec<PathBuf>,
    /// The entries' flags; without, FCP as far as the kernel has them
    #[arg(long, value_name = "FLAGS")]
    flags: Option<String>,
    /// Replace entries that work, too, where they differ
    #[arg(long)]
    replace: bool,
    /// Where binfmt_misc is mounted
    #[arg(long, value_name = "DIR", default_value = DIRECTORY)]
    dir: PathBuf,
    /// Show the steps, and do nothing
    #[arg(long)]
    dry_run: bool,
}

impl Register {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        let kernel = procfs::sys::kernel::Version::current()
            .map(|version| (version.major.into(), version.minor.into()));
        let usual = usual_flags(kernel.unwrap_or((6, 0)));
        let flags = self.flags.as_deref().map_or(Ok(usual), read_flags)?;
        let wanted = self.wanted(flags)?;
        let platforms: Vec<_> = wanted.iter().map(|(platform, _)| *platform).collect();
        let (mount, is_own) = Mount::open_or_mount(&self.dir)?;
        let Registry::Mounted { is_enabled: true, entries, .. } = mount.read() else {
            return Err(Error::Usage(
                "binfmt register: all entries are switched off (echo 1 >/proc/sys/fs/binfmt_misc/status, on the host)".to_owned(),
            ));
        };
        let look = Look {
            directory: self.dir.clone(),
            limit: LIMIT,
            required: Flags::default(),
            asks_version: false,
        };
        let verdicts = look.verdicts(&platforms);
        let mut text = String::new();
        let mut changed = Vec::new();
        let mut failed = false;
        for ((platform, wanted), verdict) in wanted.into_iter().zip(&verdicts) {
            let what = format!(
                "{} as {}, flags {}",
                wanted.interpreter.display(),
                wanted.name.to_string_lossy(),
                flags.letters()
            );
            match register::plan(wanted, verdict, &entries, self.replace) {
                register::Plan::Keep { why } => {
                    text.push_str(&format!("linux/{}: stays: {why}\n", platform.goarch))
                }
                register::Plan::Change(steps) if self.dry_run => text.push_str(&shown(platform, &steps)),
                register::Plan::Change(steps) => match register::act(&steps, &mount) {
                    Ok(()) => changed.push((platform, what)),
                    Err(error) => {
                        failed = true;
                        tell(format!("linux/{}: {error}", platform.goarch));
                    }
                },
            }
        }
        if is_own {
            // With the last mount newer kernels forget the entries: what is told is what is true afterwards.
            mount.unmount(&self.dir)?;
        }
        let platforms: Vec<_> = changed.iter().map(|(platform, _)| *platform).collect();
        for (verdict, (platform, what)) in look.verdicts(&platforms).iter().zip(&changed) {
            match verdict.level {
                Level::Broken | Level::Unknown if is_own => {
                    failed = true;
                    tell(format!(
                        "linux/{}: the entry was there, and was gone with the mount that gb made (on the host: mount -t binfmt_misc \
                         binfmt_misc /proc/sys/fs/binfmt_misc, then again)",
                        platform.goarch
                    ));
                }
                Level::Broken | Level::Unknown => {
                    failed = true;
                    tell(line(verdict).trim_end());
                }
                Level::Good | Level::Degraded => {
                    text.push_str(&format!("linux/{}: registered {what}\n", platform.goarch))
                }
            }
        }
        print(text.as_bytes())?;
        Ok(ExitCode::from(u8::from(failed)))
    }

    /// The entries that there are to be.
    fn wanted(&self, flags: Flags) -> Result<Vec<(&'static Platform, Entry)>, Error> {
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
            match emulator::find(platform, &dirs, flags.fix_binary) {
                Ok(path) => {
                    wanted.extend(register::wanted(platform, path, flags).map(|entry| (platform, entry)))
                }
                Err(emulator::NoEmulator::Missing { .. }) if every => {}
                Err(error) => {
                    return Err(Error::Usage(format!(
                        "binfmt register: linux/{}: {error} (--qemu DIR, with static emulators)",
                        platform.goarch
                    )));
                }
            }
        }
        match wanted.is_empty() {
            true => {
                Err(Error::Usage("binfmt register: there are no emulators in PATH (--qemu DIR)".to_owned()))
            }
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
    #[arg(long, value_name = "DIR", default_value = DIRECTORY)]
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
