//! `gb binfmt check`.

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;
use std::time::{Duration, Instant};

use super::report::{json, line};
use super::{LIMIT, choice, health, platforms, read_flags};
use crate::binfmt::deep::Deep;
use crate::binfmt::look::Look;
use crate::binfmt::registry::directory;
use crate::binfmt::surroundings::Surroundings;
use crate::binfmt::verdict::{Level, Verdict};
use crate::cli::output::print;
use crate::environment::Environment;
use crate::error::Error;
use crate::platform::{PLATFORMS, Platform};
use crate::sys;
use crate::toolchain::Programs;

/// How often is looked while waiting.
const PAUSE: Duration = Duration::from_millis(200);
/// The longest time that anybody can wait: more is no time that this machine's clock could tell.
const LONGEST: Duration = Duration::from_secs(365 * 24 * 60 * 60);
/// How long a program of Go's may take.
const DEEP_LIMIT: Duration = Duration::from_secs(60);

#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Check {
    /// The architectures, in any spelling
    ///
    /// Without any: the target (GOARCH …); else this machine and all that can be built for here; else those that an emulator is
    /// here for; else every one that Go has.
    #[arg(value_name = "PLATFORM")]
    platforms: Vec<OsString>,
    /// Every architecture that Go has
    #[arg(long, conflicts_with = "platforms")]
    all: bool,
    /// Build a program of Go's as well and run it (collector, threads, signals …)
    #[arg(long)]
    deep: bool,
    /// For a HEALTHCHECK: the target alone, one line if it does not run; exit codes 0 and 1
    #[arg(long, conflicts_with_all = ["platforms", "all", "deep", "require", "wait", "quiet", "json"])]
    health: bool,
    /// Flags that the entries must have: F, C, P
    #[arg(long, value_name = "FLAGS", value_delimiter = ',')]
    require: Vec<String>,
    /// Wait at most so long until all is well
    #[arg(long, value_name = "SECONDS")]
    wait: Option<u64>,
    /// How long a program may take: 10 seconds, with --deep 60
    #[arg(long, value_name = "SECONDS", value_parser = seconds)]
    timeout: Option<Duration>,
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
        let environment = Environment::new(sys::environ());
        let limit = self.timeout.unwrap_or(LIMIT);
        if self.health {
            return health::health(&environment, &self.dir, limit);
        }
        let required = read_flags(&self.require.concat())?;
        let platforms = self.platforms(&environment)?;
        let deep = self.deep.then(|| self.deep(&environment)).transpose()?;
        let (directory, asks_version) = (self.dir.clone(), !self.quiet);
        let look = Look { directory, limit, required, asks_version, every_kind: true };
        let deadline = Instant::now() + Duration::from_secs(self.wait.unwrap_or(0)).min(LONGEST);
        let mut verdicts = loop {
            let verdicts = look.verdicts(&platforms);
            let is_well = verdicts.iter().all(|verdict| verdict.level == Level::Good);
            if is_well || Instant::now() >= deadline {
                break verdicts;
            }
            std::thread::sleep(PAUSE);
        };
        if let Some(deep) = deep {
            verdicts = verdicts.into_iter().map(|verdict| deepened(verdict, &deep, &self.dir)).collect();
        }
        let level = verdicts.iter().map(|verdict| verdict.level).max().unwrap_or(Level::Good);
        let text = match self.json {
            true => json(&verdicts),
            false => {
                let shown = verdicts.iter().filter(|verdict| !self.quiet || verdict.level != Level::Good);
                shown.map(line).collect()
            }
        };
        print(text.as_bytes())?;
        Ok(ExitCode::from(level.exit_code()))
    }

    fn platforms(&self, environment: &Environment) -> Result<Vec<&'static Platform>, Error> {
        match &self.platforms[..] {
            _ if self.all => Ok(PLATFORMS.iter().collect()),
            [] => choice::platforms(environment),
            named => platforms(named),
        }
    }

    fn deep(&self, environment: &Environment) -> Result<Deep, Error> {
        let go = Programs::new(environment).find("go").ok_or_else(|| {
            let remedy = "in the go-build image it is there";
            Error::Usage(format!("binfmt check --deep: build a program: there is no go in PATH ({remedy})"))
        })?;
        Ok(Deep { go, limit: self.timeout.unwrap_or(DEEP_LIMIT) })
    }
}

/// What runs, with a program of Go's.
fn deepened(verdict: Verdict, deep: &Deep, directory: &Path) -> Verdict {
    if verdict.level >= Level::Broken {
        return verdict;
    }
    let another =
        || format!("another version of QEMU: {}", Surroundings::find(directory).register(verdict.platform));
    let (depth, fix) = (deep.run(verdict.platform), another());
    verdict.with_depth(&depth, fix)
}

fn seconds(text: &str) -> Result<Duration, String> {
    let seconds = text.parse().ok().filter(|seconds| *seconds > 0.0);
    let duration = seconds.and_then(|seconds| Duration::try_from_secs_f64(seconds).ok());
    duration.map(|time| time.min(LONGEST)).ok_or_else(|| "not a number of seconds above 0".to_owned())
}
