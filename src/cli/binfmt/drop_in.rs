//! `gb binfmt` in the place of tonistiigi/binfmt and multiarch/qemu-user-static: what [`compat`](super::compat) has read is
//! done, by what `gb binfmt register` and `check` use.
//!
//! The lines on standard error, and what is on standard output, are as theirs. A failure is none of theirs: they exit with 0.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::compat::{self, Asked, Changes, Emulators, Going, How, Install};
use super::register::{Became, change, confirm, kernel_flags, look};
use crate::binfmt::emulator::{self, NoEmulator};
use crate::binfmt::entry::{Entry, Flags};
use crate::binfmt::register::{self, Replace, Step, is_emulator, to_remove};
use crate::binfmt::registry::{DIRECTORY, Mount, Registry, directory};
use crate::binfmt::surroundings::shell_word;
use crate::binfmt::verdict::{Level, Reason, Verdict};
use crate::cli::output::print;
use crate::environment::Environment;
use crate::error::{Error, announce, tell};
use crate::platform::{PLATFORMS, Platform, levels_of_this_machine};
use crate::sys;

/// Puts the exit code of a failure back to what it was there.
const COMPAT_EXIT: &str = "GB_BINFMT_COMPAT_EXIT";

/// Does what the words after `gb binfmt` ask for; `None` if they are gb's own.
pub(in crate::cli) fn play(words: &[OsString]) -> Option<Result<ExitCode, Error>> {
    let environment = Environment::new(sys::environ());
    let asked = match compat::read(words, &environment)? {
        Ok(asked) => asked,
        Err(error) => return Some(Err(Error::Usage(format!("binfmt: {error}")))),
    };
    let done = match asked {
        Asked::Version(emulators) => Ok(version(&emulators)),
        Asked::Status(changes) => status(changes),
        Asked::Every { reset, how } => every(reset, &how),
    };
    let is_always_0 = environment.get(COMPAT_EXIT).is_some_and(|value| value == "0");
    Some(match done {
        Err(error) if is_always_0 => {
            error.report();
            Ok(ExitCode::SUCCESS)
        }
        Ok(_) if is_always_0 => Ok(ExitCode::SUCCESS),
        done => done.map(|has_failed| ExitCode::from(u8::from(has_failed))),
    })
}

/// `--version`.
fn version(emulators: &Emulators) -> bool {
    let dirs = [emulators.directory.clone()];
    let first =
        PLATFORMS.iter().find_map(|platform| emulator::find(&emulators.names(platform), &dirs, false).ok());
    let answer = first.and_then(|path| Command::new(path).arg("--version").output().ok());
    let answer =
        answer.map(|answer| String::from_utf8_lossy(&answer.stdout).into_owned()).unwrap_or_default();
    let mut words = answer.split_ascii_whitespace().skip_while(|word| *word != "version");
    let qemu = words.nth(1).map_or("none".to_owned(), |version| format!("v{version}"));
    announce(&format!("binfmt/gb-{} qemu/{qemu}", env!("CARGO_PKG_VERSION")));
    false
}

/// Changes, and the status. Answers whether something has failed.
fn status(changes: Changes) -> Result<bool, Error> {
    let Changes { directory: given, uninstall, install, how } = changes;
    let directory = given.unwrap_or_else(directory);
    let only_looks = uninstall.is_empty() && install == Install::These(Vec::new());
    let opened = match only_looks {
        true => Mount::open_or_mount_here(&directory),
        false => Mount::open_or_mount(&directory),
    };
    let mount = match opened {
        Ok(mount) => mount,
        // Whether programs run can be told without.
        Err(error) if only_looks => {
            tell(format!("binfmt: the entries can't be seen: {error}"));
            print_status(&directory)?;
            return Ok(false);
        }
        Err(error) => return Err(error.into()),
    };
    let mut has_failed = false;
    for going in &uninstall {
        has_failed |= !remove(going, &mount);
    }
    let is_all = install == Install::All;
    let Wanted { entries: wanted, unknown } = Wanted::of(install, &how)?;
    let look = look(directory.clone(), &wanted);
    let mut done =
        if wanted.is_empty() { Vec::new() } else { change(&mount, &look, wanted, Replace::Broken, false)? };
    confirm(mount, &look, &mut done)?;
    let mut failures = Vec::new();
    for (platform, became) in done {
        match became {
            // What runs already is none of "all".
            Became::Stays(why) if !is_all => {
                announce(&format!("installing: {} runs already: {why}", platform.goarch))
            }
            Became::Stays(_) | Became::Planned(_) => {}
            Became::Registered(_) => announce(&format!("installing: {} OK", platform.goarch)),
            Became::Fails(why) => failures.push((platform.goarch.to_owned(), why)),
        }
    }
    print_status(&directory)?;
    // The last line of all is what docker/setup-qemu-action fails with.
    for (word, why) in failures.iter().chain(&unknown) {
        announce(&format!("installing: {word} {why}"));
    }
    Ok(has_failed || !failures.is_empty() || !unknown.is_empty())
}

/// What is to be registered.
struct Wanted {
    entries: Vec<(&'static Platform, Entry)>,
    /// Words for which nothing can be, with the reason.
    unknown: Vec<(String, String)>,
}

impl Wanted {
    fn of(install: Install, how: &How) -> Result<Wanted, Error> {
        let is_all = install == Install::All;
        let asked = match install {
            // This machine's own needs none.
            Install::All => {
                PLATFORMS.iter().filter(|platform| Some(*platform) != Platform::host()).map(Ok).collect()
            }
            Install::These(words) => words,
        };
        let flags = how.flags();
        let dirs = [how.emulators.directory.clone()];
        let (mut entries, mut unknown) = (Vec::new(), Vec::new());
        for word in asked {
            let platform = match word {
                Ok(platform) => platform,
                Err(word) => {
                    let why = format!("unsupported architecture: {word} (name one as arm64 or linux/arm64)");
                    unknown.push((word, why));
                    continue;
                }
            };
            match emulator::find(&how.emulators.names(platform), &dirs, flags.fix_binary) {
                Ok(path) => {
                    let name = how.emulators.entry_name(platform).into();
                    let entry = register::wanted(platform, path, flags);
                    entries.extend(entry.map(|entry| (platform, Entry { name, ..entry })));
                }
                Err(NoEmulator::Missing { .. }) if is_all => {}
                Err(error) => unknown.push((platform.goarch.to_owned(), error.to_string())),
            }
        }
        if is_all && entries.is_empty() {
            let directory = how.emulators.directory.display();
            return Err(Error::Usage(format!(
                "binfmt: there are no emulators in {directory} (QEMU_BINARY_PATH names another directory)"
            )));
        }
        Ok(Wanted { entries, unknown })
    }
}

impl How {
    /// What the kernel has, without what must not be there.
    fn flags(&self) -> Flags {
        let (all, without) = (kernel_flags(), self.without);
        Flags {
            preserve_argv0: all.preserve_argv0 && !without.preserve_argv0,
            open_binary: all.open_binary && !without.open_binary,
            credentials: all.credentials && !without.credentials,
            fix_binary: all.fix_binary && !without.fix_binary,
        }
    }
}

/// Removes entries, and answers whether none has to stay that was named. One that is not there is no failure.
fn remove(going: &Going, mount: &Mount) -> bool {
    let registry = mount.read();
    let entries = registry.entries();
    let (word, steps, stay) = match going {
        Going::Platform(platform) => (platform.goarch, to_remove(platform, entries, None), Vec::new()),
        Going::Name(pattern) => {
            let suffix = format!("-{pattern}");
            let fits = |entry: &&Entry| {
                let name = entry.name.to_string_lossy();
                compat::fits(pattern, &name) || name.ends_with(&suffix)
            };
            let (ours, others): (Vec<_>, Vec<_>) =
                entries.iter().filter(fits).partition(|entry| is_emulator(entry));
            let steps = ours.iter().map(|entry| Step::Remove(entry.name.clone())).collect();
            (
                pattern.as_str(),
                steps,
                others.iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect(),
            )
        }
    };
    if steps.is_empty() && stay.is_empty() {
        announce(&format!("uninstalling: {word} not found"));
    }
    let mut is_done = true;
    for step in steps {
        let Step::Remove(name) = &step else { continue };
        let said = match register::act(std::slice::from_ref(&step), mount) {
            Ok(()) => "OK".to_owned(),
            Err(error) => {
                is_done = false;
                error.to_string()
            }
        };
        announce(&format!("uninstalling: {} {said}", name.to_string_lossy()));
    }
    for name in stay {
        is_done &= name != word;
        announce(&format!(
            "uninstalling: {name} stays: it is no emulator of QEMU's (echo -1 >{})",
            shell_word(&format!("{DIRECTORY}/{name}"))
        ));
    }
    is_done
}

/// multiarch/qemu-user-static. Answers whether something has failed.
fn every(reset: bool, how: &How) -> Result<bool, Error> {
    let directory = directory();
    let wanted = Wanted::of(Install::All, how)?.entries;
    let names: Vec<_> = wanted.iter().map(|(_, entry)| entry.name.clone()).collect();
    let look = look(directory.clone(), &wanted);
    let mount = Mount::open_or_mount(&directory)?;
    let replace = if reset { Replace::All } else { Replace::Broken };
    let mut done = change(&mount, &look, wanted, replace, false)?;
    let mut has_failed = false;
    if reset {
        // Those of architectures that there is no emulator for here, and of this machine's own.
        let registry = mount.read();
        let others =
            registry.entries().iter().filter(|entry| !names.contains(&entry.name) && is_emulator(entry));
        for entry in others.filter(|entry| entry.name.to_string_lossy().starts_with("qemu-")) {
            if let Err(error) = mount.remove(&entry.name) {
                has_failed = true;
                tell(error);
            }
        }
    }
    confirm(mount, &look, &mut done)?;
    let mut text = String::new();
    for (platform, became) in done {
        match became {
            Became::Registered(entry) => {
                let path = entry.interpreter.display();
                text.push_str(&format!("Setting {path} as binfmt interpreter for {}\n", platform.qemu));
            }
            Became::Stays(why) => announce(&format!("linux/{} runs already: {why}", platform.goarch)),
            Became::Planned(_) => {}
            Became::Fails(why) => {
                has_failed = true;
                tell(format!("linux/{}: {why}", platform.goarch));
            }
        }
    }
    print(text.as_bytes())?;
    if how.without.fix_binary {
        announce("every container needs these emulators itself, at these paths (-p yes: it does not)");
    }
    Ok(has_failed)
}

/// What tonistiigi/binfmt writes of the architectures and the entries, and docker/setup-qemu-action reads.
#[derive(serde::Serialize)]
struct Status {
    supported: Vec<String>,
    emulators: Vec<String>,
}

/// Looks at the entries anew: a mount of this process's own may have taken them with it.
fn print_status(directory: &Path) -> Result<(), Error> {
    let mount = Mount::open_or_mount_here(directory).ok();
    let registry = mount.as_ref().map(Mount::read);
    if let Some(mount) = mount {
        mount.close()?;
    }
    let entries = registry.as_ref().map(Registry::entries).unwrap_or_default();
    let wanted = Flags { fix_binary: true, ..Flags::default() };
    let look = crate::binfmt::look::Look {
        directory: PathBuf::from(directory),
        limit: super::LIMIT,
        required: wanted,
        asks_version: false,
        every_kind: false,
    };
    let platforms: Vec<_> = PLATFORMS.iter().collect();
    let mut emulators: Vec<_> = entries
        .iter()
        .filter(|entry| entry.is_enabled)
        .map(|entry| entry.name.to_string_lossy().into_owned())
        .collect();
    emulators.sort();
    let status = Status { supported: supported(&look.verdicts(&platforms)), emulators };
    let text = serde_json::to_string_pretty(&status)
        .map_err(|error| Error::Io { attempt: "write the status".to_owned(), source: error.into() })?;
    print(format!("{text}\n").as_bytes())?;
    Ok(())
}

/// The order of BuildKit's util/archutil/detect.go, which has no mips and mipsle.
const ORDER: [&str; 13] = [
    "amd64", "arm64", "riscv64", "ppc64", "ppc64le", "s390x", "386", "mips64le", "mips64", "loong64", "arm",
    "mips", "mipsle",
];

/// The platforms whose programs run in every container, this machine's own first, as image platforms are written.
fn supported(verdicts: &[Verdict]) -> Vec<String> {
    let runs = |verdict: &&Verdict| match verdict.level {
        Level::Good => true,
        // An entry that is seen to lack F serves the containers that have the emulator.
        Level::Degraded => verdict.reason != Reason::FlagMissing || verdict.entry.is_none(),
        Level::Broken | Level::Unknown => false,
    };
    let host = Platform::host();
    let mut running: Vec<_> = verdicts.iter().filter(runs).map(|verdict| verdict.platform).collect();
    let place = |platform: &&Platform| ORDER.iter().position(|goarch| *goarch == platform.goarch);
    running.sort_by_key(|platform| (Some(*platform) != host, place(platform)));
    let mut supported = Vec::new();
    for platform in running {
        let name = format!("linux/{}", platform.goarch);
        match platform.goarch {
            "arm" => supported.extend([format!("{name}/v7"), format!("{name}/v6")]),
            _ => supported.push(name.clone()),
        }
        if Some(platform) == host {
            supported.extend(levels_of_this_machine().iter().map(|level| format!("{name}/{level}")));
        }
    }
    supported
}
