//! How the init is to behave, from the command line and the environment.

use std::ffi::OsStr;
use std::time::Duration;

use crate::environment::Environment;

/// What the command line says of the init.
#[derive(Debug, Default)]
pub struct Flags<'a> {
    /// `--no-init`
    pub no_init: bool,
    /// `--group`
    pub group: bool,
    /// `--grace`
    pub grace: Option<&'a OsStr>,
}

/// How the init behaves.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Settings {
    /// Whether signals go to the command's process group rather than to the command alone.
    pub group: bool,
    /// How long what the command leaves behind may take to end.
    pub grace: Duration,
}

/// What was asked for makes no sense.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum SettingsError {
    /// No kind of init.
    #[error("GB_INIT={0}: neither 1 nor 0 nor group (0 is for no init)")]
    Kind(String),
    /// No number of seconds.
    #[error(
        "{name}{between}{value}: not a whole number of seconds from 0 to {LONGEST_GRACE} ({name}{between}10)"
    )]
    Grace {
        /// The variable or option.
        name: &'static str,
        /// Its value.
        value: String,
        /// What stands between the name and the value.
        between: char,
    },
}

/// A day.
const LONGEST_GRACE: u64 = 86400;

impl Settings {
    /// Reads GB_INIT and GB_GRACE, which the flags override; `None` if there is to be no init.
    pub fn read(environment: &Environment, flags: &Flags<'_>) -> Result<Option<Settings>, SettingsError> {
        let group = if flags.no_init {
            return Ok(None);
        } else if flags.group {
            true
        } else {
            match environment.get_nonempty("GB_INIT").map(OsStr::as_encoded_bytes) {
                None | Some(b"1" | b"true") => false,
                Some(b"group") => true,
                Some(b"0" | b"false") => return Ok(None),
                Some(kind) => return Err(SettingsError::Kind(String::from_utf8_lossy(kind).into_owned())),
            }
        };
        let (name, value, between) = match flags.grace {
            Some(value) => ("--grace", Some(value), ' '),
            None => ("GB_GRACE", environment.get_nonempty("GB_GRACE"), '='),
        };
        let grace = match value {
            None => 0,
            Some(value) => seconds(value).ok_or_else(|| SettingsError::Grace {
                name,
                value: value.to_string_lossy().into_owned(),
                between,
            })?,
        };
        Ok(Some(Settings { group, grace: Duration::from_secs(grace) }))
    }
}

/// Digits and nothing else: Rust's own reading also takes a `+`.
fn seconds(text: &OsStr) -> Option<u64> {
    let text = text.to_str().filter(|text| text.bytes().all(|b| b.is_ascii_digit()))?;
    text.parse().ok().filter(|seconds| *seconds <= LONGEST_GRACE)
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn read(variables: &[&str], flags: &Flags<'_>) -> Result<Option<(bool, u64)>, String> {
        let environment = Environment::new(variables.iter().map(|v| CString::new(*v).unwrap()).collect());
        Settings::read(&environment, flags)
            .map(|settings| settings.map(|s| (s.group, s.grace.as_secs())))
            .map_err(|error| error.to_string())
    }

    #[test]
    fn the_variables_choose_the_init_and_flags_override_them() {
        let none = Flags::default();
        let group = Flags { group: true, ..Flags::default() };
        let no_init = Flags { no_init: true, ..Flags::default() };
        let grace = Flags { grace: Some(OsStr::new("7")), ..Flags::default() };
        for (variables, flags, expected) in [
            (&[][..], &none, Some((false, 0))),
            (&["GB_INIT=", "GB_GRACE="], &none, Some((false, 0))),
            (&["GB_INIT=1", "GB_GRACE=0"], &none, Some((false, 0))),
            (&["GB_INIT=group", "GB_GRACE=86400"], &none, Some((true, 86400))),
            (&["GB_INIT=0", "GB_GRACE=5"], &none, None),
            (&["GB_GRACE=0010"], &none, Some((false, 10))),
            (&["GB_INIT=0"], &group, Some((true, 0))),
            (&["GB_INIT=nonsense"], &group, Some((true, 0))),
            (&["GB_INIT=group", "GB_GRACE=nonsense"], &no_init, None),
            (&["GB_GRACE=nonsense"], &grace, Some((false, 7))),
        ] {
            assert_eq!(read(variables, flags), Ok(expected), "{variables:?} {flags:?}");
        }
    }

    #[test]
    fn a_near_miss_is_refused_with_what_is_accepted() {
        for kind in ["2", "True", "no", "Group", " 1", "'0'"] {
            let message = read(&[&format!("GB_INIT={kind}")], &Flags::default()).unwrap_err();
            assert_eq!(message, format!("GB_INIT={kind}: neither 1 nor 0 nor group (0 is for no init)"));
        }
        for grace in ["-1", "+1", "1.5", "10s", " 1", "0x1", "86401", "99999999999999999999", "\u{663}"] {
            let message = read(&[&format!("GB_GRACE={grace}")], &Flags::default()).unwrap_err();
            let why = "not a whole number of seconds from 0 to 86400 (GB_GRACE=10)";
            assert_eq!(message, format!("GB_GRACE={grace}: {why}"));
        }
        let empty = Flags { grace: Some(OsStr::new("")), ..Flags::default() };
        assert_eq!(
            read(&[], &empty).unwrap_err(),
            "--grace : not a whole number of seconds from 0 to 86400 (--grace 10)"
        );
    }
}
