//! `gb binfmt register --keep`: stays, and registers again what was lost.
//!
//! A restart of systemd-binfmt removes every entry that is not in its files, and so does whoever writes -1 to `status`. What was
//! registered stays when this ends: programs that run are not to die of an update.

use std::collections::BTreeMap;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::register::{Became, change};
use crate::binfmt::entry::Entry;
use crate::binfmt::look::Look;
use crate::binfmt::register::Replace;
use crate::binfmt::registry::Mount;
use crate::binfmt::verdict::Level;
use crate::error::{Error, tell};
use crate::platform::Platform;
use crate::sys;

/// What is kept.
pub(super) struct Keep {
    /// Where the entries are. It is held open: a mount of this process's own lives as long as that.
    pub(super) mount: Mount,
    pub(super) look: Look,
    pub(super) wanted: Vec<(&'static Platform, Entry)>,
    /// Which entries are made anew at first; later only those that do not work.
    pub(super) replace: Replace,
    /// How long between two looks.
    pub(super) pause: Duration,
}

impl Keep {
    /// Looks again and again, until a signal ends it; only what changes is told.
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        sys::block_signals();
        let mut told = BTreeMap::new();
        // What fails at once is a mistake of the caller's.
        self.round(self.replace, &mut told)?;
        tell(format!(
            "keep {} platforms registered: looks every {} s (SIGTERM ends it, and the entries stay)",
            self.wanted.len(),
            self.pause.as_secs()
        ));
        loop {
            if self.is_told_to_end()? {
                return Ok(ExitCode::SUCCESS);
            }
            let problem = self.round(Replace::Broken, &mut told).err().map(|error| error.to_string());
            told_anew(&mut told, "", problem);
        }
    }

    /// Registers what is to be registered.
    fn round(&self, replace: Replace, told: &mut BTreeMap<&'static str, String>) -> Result<(), Error> {
        for (platform, became) in change(&self.mount, &self.look, self.wanted.clone(), replace, false)? {
            let problem = match became {
                Became::Stays(_) | Became::Planned(_) => None,
                Became::Fails(why) => Some(why),
                Became::Registered(entry) => {
                    let (path, name) = (entry.interpreter.display(), entry.name.to_string_lossy());
                    let verdicts = self.look.verdicts(&[platform]);
                    let broken = verdicts.into_iter().find(|verdict| verdict.level > Level::Degraded);
                    if broken.is_none() {
                        tell(format!(
                            "linux/{}: registered {path} as {name}, flags {}",
                            platform.goarch,
                            entry.flags.letters()
                        ));
                    }
                    broken.map(|verdict| verdict.sentence)
                }
            };
            let problem = problem.map(|why| format!("linux/{}: {why}", platform.goarch));
            told_anew(told, platform.goarch, problem);
        }
        Ok(())
    }

    /// Waits for the next look; whether it is not to come. As PID 1 it also reaps what others leave behind.
    fn is_told_to_end(&self) -> Result<bool, Error> {
        let deadline = Instant::now() + self.pause;
        loop {
            let left = deadline.saturating_duration_since(Instant::now());
            match sys::wait_for_signal(Some(left)) {
                Ok(None) => return Ok(false),
                Ok(Some(signal))
                    if [libc::SIGTERM, libc::SIGINT, libc::SIGQUIT, libc::SIGHUP]
                        .contains(&signal.number) =>
                {
                    return Ok(true);
                }
                Ok(Some(signal)) if signal.number == libc::SIGCHLD => while let Ok(Some(_)) = sys::reap() {},
                Ok(Some(_)) => {}
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(source) => {
                    return Err(Error::Io { attempt: "wait for the next look".to_owned(), source });
                }
            }
        }
    }
}

/// Tells of a problem that was not told of, or is another one by now.
fn told_anew(told: &mut BTreeMap<&'static str, String>, of: &'static str, problem: Option<String>) {
    match problem {
        None => {
            told.remove(of);
        }
        Some(problem) if told.get(of) == Some(&problem) => {}
        Some(problem) => {
            tell(&problem);
            told.insert(of, problem);
        }
    }
}
