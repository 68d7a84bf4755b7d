//! Taking the spelling of a platform apart: `linux/arm/v7`, `linux-arm64`, `arm64`.

use super::parse::{Why, find, no_such_name, no_such_system};
use super::table::SYSTEMS;

/// The parts of a platform's name, in lower case.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Parts<'a> {
    /// The operating system, by Go's name; linux where the name had none.
    pub(super) goos: &'static str,
    /// The architecture.
    pub(super) arch: &'a str,
    /// The variant; empty for none.
    pub(super) variant: &'a str,
}

/// What stands between the parts of a name.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Separator {
    /// As image platforms have it: `linux/arm64`.
    Slash,
    /// As names of files and tags have it (TARGETPAIR of tonistiigi/xx): `linux-arm64`.
    Dash,
}

impl Separator {
    pub(super) fn char(self) -> char {
        match self {
            Separator::Slash => '/',
            Separator::Dash => '-',
        }
    }
}

impl std::fmt::Display for Separator {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self {
            Separator::Slash => "slash",
            Separator::Dash => "dash",
        })
    }
}

/// Go's name of an operating system, from any of its names in lower case.
pub(super) fn system(word: &str) -> Option<&'static str> {
    let known = SYSTEMS.iter().find(|system| system.goos == word || system.aliases.contains(&word));
    known.map(|system| system.goos)
}

/// Takes a name in lower case apart. A variant at the end may be empty, as `$TARGETOS/$TARGETARCH/$TARGETVARIANT` of a
/// Dockerfile is for most platforms; no other part may.
pub(super) fn split(name: &str) -> Result<Parts<'_>, Why> {
    if name.is_empty() {
        return Err(Why::Blank);
    }
    if find(name).is_some() {
        return Ok(Parts { goos: "linux", arch: name, variant: "" });
    }
    let separator = if name.contains('/') { Separator::Slash } else { Separator::Dash };
    let Some((first, rest)) = name.split_once(separator.char()) else {
        return Err(if system(name).is_some() {
            Why::NoArchitecture(Separator::Slash)
        } else {
            no_such_name(name)
        });
    };
    // Names of architectures have dashes, too: linux-x86-64.
    let (second, third) = match rest.rsplit_once(separator.char()).filter(|_| find(rest).is_none()) {
        Some((second, third)) => (second, Some(third)),
        None => (rest, None),
    };
    let goos = match (first, system(first)) {
        ("", _) => return Err(Why::NoSystem(separator)),
        (_, Some(goos)) => goos,
        // arm/v7
        _ if separator == Separator::Slash && find(first).is_some() => {
            if third.is_some() {
                return Err(Why::TooManyParts(separator));
            }
            return Ok(Parts { goos: "linux", arch: first, variant: second });
        }
        _ if find(second).is_some() => return Err(no_such_system(first)),
        _ if separator == Separator::Slash => return Err(no_such_name(first)),
        _ => return Err(no_such_name(name)),
    };
    if second.is_empty() || second.starts_with(separator.char()) {
        return Err(Why::NoArchitecture(separator));
    }
    if separator == Separator::Slash && second.contains('/') {
        return Err(Why::TooManyParts(separator));
    }
    Ok(Parts { goos, arch: second, variant: third.unwrap_or_default() })
}
