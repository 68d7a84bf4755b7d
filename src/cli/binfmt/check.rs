//! `gb binfmt check`.

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;
use std::time::{Duration, Instant};

use serde_json::{Value, json};

use super::list::entry_json;
use super::{LIMIT, platforms, read_flags};
use crate::binfmt::look::Look;
use crate::binfmt::probe::Runner;
use crate::binfmt::registry::directory;
use crate::binfmt::verdict::{Level, Verdict};
use crate::cli::output::print;
use crate::cli::target::request;
use crate::environment::Environment;
use crate::error::{Error, one_line};
use crate::platform::{PLATFORMS, Platform};
use crate::sys;
use crate::toolchain::Request;

/// How often is looked while waiting.
const PAUSE: Duration = Duration::from_millis(200);

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Check {
    /// The architectures, in any spelling; without any, the target (GOARCH …)
    #[arg(value_name = "PLATFORM")]
    platforms: Vec<OsString>,
    /// Every architecture that Go has
    #[arg(long, conflicts_with = "platforms")]
    all: bool,
    /// Flags that the entries must have: F, C, P
    #[arg(long, value_name = "FLAGS", value_delimiter = ',')]
    require: Vec<String>,
    /// Wait at most so long until all is well
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// Where binfmt_misc is mounted
    #[arg(long, value_name = "DIR", default_value_os_t = directory())]
    dir: PathBuf,
    /// Say nothing of what runs, and don't ask emulators for their version
    #[arg(long, short)]
    quiet: bool,
    /// Write JSON
    #[arg(long, conflicts_with = "quiet")]
    json: bool,
}

impl Check {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        let required = read_flags(&self.require.concat())?;
        let platforms = self.platforms()?;
        let (directory, asks_version) = (self.dir.clone(), !self.quiet);
        let look = Look { directory, limit: LIMIT, required, asks_version };
        let deadline = Instant::now() + Duration::from_secs(self.wait.unwrap_or(0));
        let verdicts = loop {
            let verdicts = look.verdicts(&platforms);
            let is_well = verdicts.iter().all(|verdict| verdict.level == Level::Good);
            if is_well || Instant::now() >= deadline {
                break verdicts;
            }
            std::thread::sleep(PAUSE);
        };
        let level = verdicts.iter().map(|verdict| verdict.level).max().unwrap_or(Level::Good);
        let text = match self.json {
            true => {
                let value = json!({
                    "schema": 1,
                    "host": Platform::host().map(|host| host.goarch),
                    "platforms": verdicts.iter().map(verdict_json).collect::<Value>(),
                });
                format!("{value:#}\n")
            }
            false => {
                let shown = verdicts.iter().filter(|verdict| !self.quiet || verdict.level != Level::Good);
                shown.map(line).collect()
            }
        };
        print(text.as_bytes())?;
        Ok(ExitCode::from(Verdict::exit_code(level)))
    }

    fn platforms(&self) -> Result<Vec<&'static Platform>, Error> {
        if self.all {
            return Ok(PLATFORMS.iter().collect());
        }
        if !self.platforms.is_empty() {
            return platforms(&self.platforms);
        }
        match request(None, &Environment::new(sys::environ()))? {
            Request::Linux { target, .. } => Ok(vec![target.platform]),
            Request::Other { goos, source, .. } => Err(Error::Usage(format!(
                "binfmt check: {source} asks for {goos}, whose programs no emulator runs here (gb binfmt check PLATFORM)"
            ))),
        }
    }
}

/// A verdict for people.
pub(super) fn line(verdict: &Verdict) -> String {
    let state = match verdict.level {
        Level::Good => "runs",
        Level::Degraded => "runs, not well",
        Level::Broken => "does not run",
        Level::Unknown => "unknown",
    };
    let flags = verdict.entry.as_ref().filter(|_| verdict.runner.is_some());
    let flags = flags.map(|entry| format!(", flags {}", entry.flags.letters())).unwrap_or_default();
    let argv0 = if verdict.loses_argv0 { ", argv[0] is the file's path (no flag P)" } else { "" };
    let fix = if verdict.fix.is_empty() { String::new() } else { format!(" ({})", verdict.fix) };
    let text = format!("linux/{}: {state}: {}{flags}{argv0}{fix}", verdict.platform.goarch, verdict.sentence);
    format!("{}\n", one_line(&text))
}

fn verdict_json(verdict: &Verdict) -> Value {
    let runner = verdict.runner.as_ref().map(|runner| match runner {
        Runner::Machine => json!({"native": true}),
        Runner::Interpreter { path, is_deleted, version } => json!({
            "native": false,
            "interpreter": path.to_string_lossy(),
            "deleted": is_deleted,
            "version": version,
        }),
    });
    json!({
        "platform": format!("linux/{}", verdict.platform.goarch),
        "level": match verdict.level {
            Level::Good => "good",
            Level::Degraded => "degraded",
            Level::Broken => "broken",
            Level::Unknown => "unknown",
        },
        "reason": verdict.reason,
        "sentence": verdict.sentence,
        "fix": Some(&verdict.fix).filter(|fix| !fix.is_empty()),
        "runner": runner,
        "entry": verdict.entry.as_ref().map(entry_json),
        "loses_argv0": verdict.loses_argv0,
    })
}
