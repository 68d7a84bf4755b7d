//! What `gb run` says about emulation: whether the target's programs run here at all.
//!
//! Most builds run none of them, so by default this is a line and never a failure.

use std::ffi::OsStr;
use std::time::Duration;

use crate::binfmt::entry::Flags;
use crate::binfmt::look::Look;
use crate::binfmt::reason::Reason;
use crate::binfmt::registry::directory;
use crate::binfmt::verdict::{Level, Verdict};
use crate::environment::Environment;
use crate::error::{Error, tell};
use crate::platform::Platform;
use crate::toolchain::Request;

/// What the caller wants to know (GB_BINFMT).
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Wish {
    /// A line, if programs of the target do not run.
    Warn,
    /// A refusal.
    Require,
    /// Nothing.
    Off,
}

impl Wish {
    /// Reads GB_BINFMT.
    pub(super) fn read(environment: &Environment) -> Result<Wish, Error> {
        match environment.get_nonempty("GB_BINFMT").map(OsStr::as_encoded_bytes) {
            None | Some(b"warn") => Ok(Wish::Warn),
            Some(b"require") => Ok(Wish::Require),
            Some(b"off") => Ok(Wish::Off),
            Some(other) => Err(Error::Usage(format!(
                "GB_BINFMT={}: neither warn nor require nor off (off does not look whether the target's programs run)",
                String::from_utf8_lossy(other)
            ))),
        }
    }

    /// How long a program of a few instructions may take. A build does not wait long for a line.
    fn limit(self) -> Duration {
        match self {
            Wish::Require => super::binfmt::LIMIT,
            Wish::Warn | Wish::Off => Duration::from_secs(2),
        }
    }

    /// Looks, by running a program of the target: what the kernel's entries say is neither to be seen in most containers, nor
    /// proof. `has_runner` tells that go_linux_<goarch>_exec works all the same. The error is a refusal.
    pub(super) fn look(self, target: &Request, has_runner: bool) -> Result<(), Error> {
        let Some(platform) = self.concerns(target) else { return Ok(()) };
        let look = Look {
            directory: directory(),
            limit: self.limit(),
            required: Flags::default(),
            asks_version: false,
            every_kind: false,
        };
        match look.trouble(platform) {
            Some(trouble) => self.answer(&trouble, has_runner),
            None => Ok(()),
        }
    }

    fn answer(self, trouble: &Verdict, has_runner: bool) -> Result<(), Error> {
        let is_broken = match trouble.level {
            Level::Good | Level::Degraded => false,
            Level::Broken => true,
            // Nobody is warned of what nobody knows.
            Level::Unknown => self == Wish::Require,
        };
        if !is_broken {
            return Ok(());
        }
        let goarch = trouble.platform.goarch;
        // Here nobody can be told to give it more time.
        let why = match trouble.reason {
            Reason::Hang => format!("its emulator has not answered within {} s", self.limit().as_secs()),
            _ => trouble.sentence.clone(),
        };
        let mut remedies = vec![trouble.fix.as_str()];
        remedies.retain(|fix| !fix.is_empty());
        if self == Wish::Require {
            remedies.push("GB_BINFMT=warn for a build that runs none");
        } else {
            remedies.extend(
                (has_runner && trouble.reason.is_refusal()).then_some("go test and go run need it not"),
            );
            remedies.push("GB_BINFMT=off to hear nothing of it");
        }
        let line = format!("run programs of linux/{goarch}: {why} ({})", remedies.join("; "));
        match self {
            Wish::Require => Err(Error::Emulation(line)),
            Wish::Warn | Wish::Off => {
                tell(line);
                Ok(())
            }
        }
    }

    /// The architecture whose programs would have to be emulated, if that is to be looked at.
    fn concerns(self, target: &Request) -> Option<&'static Platform> {
        match target {
            Request::Linux { target, .. }
                if self != Wish::Off && Some(target.platform) != Platform::host() =>
            {
                Some(target.platform)
            }
            _ => None,
        }
    }

    /// What `gb run` would do about it, for those who ask.
    pub(super) fn note(self, target: &Request) -> Option<String> {
        let platform = self.concerns(target)?;
        let then = match self {
            Wish::Require => "refuses to start if they do not (GB_BINFMT=require)",
            Wish::Warn | Wish::Off => "says so if they do not (GB_BINFMT=warn)",
        };
        Some(format!(
            "emulation: gb run tries whether programs of linux/{} run here, and {then}",
            platform.goarch
        ))
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;
    use crate::binfmt::verdict::Reason;

    fn read(value: &str) -> Result<Wish, String> {
        let variable = CString::new(format!("GB_BINFMT={value}")).unwrap();
        Wish::read(&Environment::new(vec![variable])).map_err(|error| error.to_string())
    }

    #[test]
    fn a_near_miss_is_refused_with_what_is_accepted() {
        for (value, wish) in
            [("", Wish::Warn), ("warn", Wish::Warn), ("require", Wish::Require), ("off", Wish::Off)]
        {
            assert_eq!(read(value), Ok(wish));
        }
        for value in ["1", "0", "Warn", "required", " off", "no"] {
            assert!(read(value).unwrap_err().starts_with(&format!("GB_BINFMT={value}: neither warn nor ")));
        }
    }

    #[test]
    fn only_what_is_known_to_be_broken_is_worth_a_line_and_only_what_runs_is_enough() {
        let answer = |wish: Wish, level| {
            let trouble = Verdict {
                platform: Platform::by_goarch("mips").unwrap(),
                level,
                reason: Reason::NoHandler,
                sentence: "it is so".to_owned(),
                fix: "do it".to_owned(),
                runner: None,
                entry: None,
                loses_argv0: false,
                remarks: Vec::new(),
                runs_deep: None,
            };
            wish.answer(&trouble, true).map_err(|error| (error.exit_code(), error.to_string()))
        };
        for level in [Level::Good, Level::Degraded, Level::Broken, Level::Unknown] {
            assert_eq!(answer(Wish::Warn, level), Ok(()));
        }
        for level in [Level::Good, Level::Degraded] {
            assert_eq!(answer(Wish::Require, level), Ok(()));
        }
        for level in [Level::Broken, Level::Unknown] {
            let line =
                "run programs of linux/mips: it is so (do it; GB_BINFMT=warn for a build that runs none)";
            assert_eq!(answer(Wish::Require, level), Err((125, line.to_owned())));
        }
    }
}
