//! Why a file is needed.

use std::fmt;
use std::path::PathBuf;

use super::base::NSSWITCH_PATH;
use super::words::text;

/// Why a file is needed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Why {
    /// Somebody has asked for it.
    Asked,
    /// It matches a pattern that somebody has asked for.
    Matches(Vec<u8>),
    /// It is of a profile.
    Profile(&'static str),
    /// It is in a directory that is there for this reason.
    Within(Box<Why>),
    /// A script names it.
    Interpreter(PathBuf),
    /// A file asks its loader for it.
    Needed {
        /// The file.
        by: PathBuf,
        /// By which rule the loader finds it.
        rule: String,
        /// On processors that have this of glibc-hwcaps; on all if empty.
        hwcap: String,
    },
    /// A file says that it loads it when it runs (.note.dlopen).
    Dlopen {
        /// The file.
        by: PathBuf,
        /// What for.
        feature: String,
    },
    /// glibc loads it to answer for a service of nsswitch.conf.
    Service(String),
    /// glibc loads it to end a thread (pthread_exit(3), pthread_cancel(3)) or to tell where a program is (backtrace(3)).
    Unwinding,
    /// A library compares itself to it (FIPS 140).
    Integrity(PathBuf),
}

impl fmt::Display for Why {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Why::Asked => write!(f, "asked for"),
            Why::Matches(pattern) => write!(f, "matches {}", text(pattern)),
            Why::Profile(name) => write!(f, "is of the set {name}"),
            Why::Within(why) => why.fmt(f),
            Why::Interpreter(by) => write!(f, "runs the script {}", by.display()),
            Why::Needed { by, rule, hwcap } if hwcap.is_empty() => {
                write!(f, "{} asks for it [{rule}]", by.display())
            }
            Why::Needed { by, rule, hwcap } => {
                write!(f, "{} asks for it with {hwcap} [{rule}]", by.display())
            }
            Why::Dlopen { by, feature } if feature.is_empty() => {
                write!(f, "{} loads it when it runs", by.display())
            }
            Why::Dlopen { by, feature } => write!(f, "{} loads it when it runs, for {feature}", by.display()),
            Why::Service(module) => write!(f, "nsswitch.conf has a service that is in {module}"),
            Why::Unwinding => write!(f, "glibc loads it to end threads"),
            Why::Integrity(by) => write!(f, "{} compares itself to it", by.display()),
        }
    }
}

impl Why {
    /// The reason of what is in a directory.
    pub(super) fn within(&self) -> Why {
        match self {
            Why::Within(_) => self.clone(),
            why => Why::Within(Box::new(why.clone())),
        }
    }

    /// Whether it is there only because of the directory that it is in.
    pub(super) fn is_within(&self) -> bool {
        matches!(self, Why::Within(_))
    }

    /// Who asks for a file that can't be had.
    pub(super) fn by(&self) -> String {
        match self {
            Why::Asked => "the command line".to_owned(),
            Why::Matches(pattern) => format!("--dir {}", text(pattern)),
            Why::Profile(name) => format!("--with {name}"),
            Why::Within(why) => why.by(),
            Why::Interpreter(by) | Why::Integrity(by) => by.to_string_lossy().into_owned(),
            Why::Needed { by, .. } | Why::Dlopen { by, .. } => by.to_string_lossy().into_owned(),
            Why::Service(_) => NSSWITCH_PATH.to_owned(),
            Why::Unwinding => "glibc".to_owned(),
        }
    }
}
