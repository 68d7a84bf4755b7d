//! What the caller has said about Go's cache: to gb, and to Go.

use std::cell::OnceCell;
use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use crate::environment::Environment;
use crate::file;

/// `GB_GO_CACHE` says neither yes nor no.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
#[error("GB_GO_CACHE={0}: neither 1 nor 0 (0 copies nothing into GOCACHE)")]
pub struct SettingError(String);

/// Reads `GB_GO_CACHE`: whether a cache of the caller's may be filled.
pub fn is_wanted(environment: &Environment) -> Result<bool, SettingError> {
    match environment.get_nonempty("GB_GO_CACHE").map(OsStr::as_bytes) {
        None | Some(b"1" | b"true") => Ok(true),
        Some(b"0" | b"false") => Ok(false),
        Some(value) => Err(SettingError(String::from_utf8_lossy(value).into_owned())),
    }
}

/// Where Go keeps its cache.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Place {
    /// In this directory, which Go makes.
    Directory(PathBuf),
    /// Nowhere that Go accepts: it will say so itself.
    Refused,
}

/// Go's settings: the environment, and below it what `go env -w` has written (cmd/go/internal/cfg, Getenv and initEnvCache).
pub(super) struct GoSettings<'a> {
    environment: &'a Environment,
    written: OnceCell<Vec<u8>>,
}

impl<'a> GoSettings<'a> {
    pub(super) fn new(environment: &'a Environment) -> GoSettings<'a> {
        GoSettings { environment, written: OnceCell::new() }
    }

    /// The value of a variable; an empty one is none.
    pub(super) fn get(&self, name: &str) -> Option<OsString> {
        if let Some(value) = self.environment.get_nonempty(name) {
            return Some(value.to_owned());
        }
        let written = self.written.get_or_init(|| self.read().unwrap_or_default());
        written_value(written, name).map(|value| OsString::from_vec(value.to_vec()))
    }

    /// The directory of the cache (cmd/go/internal/cache, DefaultDir).
    pub(super) fn cache(&self) -> Place {
        let named = self.get("GOCACHE").map(PathBuf::from);
        let dir = named.or_else(|| Some(self.below("XDG_CACHE_HOME", ".cache")?.join("go-build")));
        match dir {
            Some(dir) if dir.is_absolute() => Place::Directory(dir),
            _ => Place::Refused,
        }
    }

    /// What `go env -w` writes to (cmd/go/internal/cfg, EnvFile). It is small; of what is not, the rest does not count.
    fn read(&self) -> Option<Vec<u8>> {
        const LONGEST: u64 = 1 << 16;
        let file = match self.environment.get_nonempty("GOENV") {
            Some(off) if off == "off" => return None,
            Some(file) => PathBuf::from(file),
            None => self.below("XDG_CONFIG_HOME", ".config")?.join("go/env"),
        };
        file::read_part(&file, 0, LONGEST).ok()
    }

    /// The directory that a variable names, or else one of the home (os.UserCacheDir, os.UserConfigDir).
    fn below(&self, variable: &str, of_home: &str) -> Option<PathBuf> {
        match self.environment.get_nonempty(variable) {
            Some(dir) => Some(PathBuf::from(dir)),
            None => Some(PathBuf::from(self.environment.get_nonempty("HOME")?).join(of_home)),
        }
    }
}

/// The last line for a variable counts.
fn written_value<'a>(written: &'a [u8], name: &str) -> Option<&'a [u8]> {
    let lines = written.split(|byte| *byte == b'\n');
    let mut values = lines.filter_map(|line| line.strip_prefix(name.as_bytes())?.strip_prefix(b"="));
    values.next_back().filter(|value| !value.is_empty())
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn environment(variables: &[String]) -> Environment {
        Environment::new(variables.iter().map(|v| CString::new(v.as_bytes()).unwrap()).collect())
    }

    #[test]
    fn the_cache_is_where_go_would_have_it() {
        let dir = tempfile::tempdir().unwrap();
        let home = dir.path().join("home");
        let written = |text: &str| {
            std::fs::create_dir_all(home.join(".config/go")).unwrap();
            std::fs::write(home.join(".config/go/env"), text).unwrap();
        };
        let home = home.to_str().unwrap();
        let cache = |variables: &[&str]| {
            let variables: Vec<_> = variables.iter().map(|v| v.replace('~', home)).collect();
            match GoSettings::new(&environment(&variables)).cache() {
                Place::Directory(dir) => dir.to_str().unwrap().replace(home, "~"),
                Place::Refused => "refused".to_owned(),
            }
        };
        assert_eq!(cache(&["GOCACHE=/c", "HOME=~"]), "/c");
        assert_eq!(cache(&["HOME=~"]), "~/.cache/go-build");
        assert_eq!(cache(&["HOME=~", "GOCACHE=", "XDG_CACHE_HOME=/x"]), "/x/go-build");
        assert_eq!(cache(&[]), "refused");
        assert_eq!(cache(&["GOCACHE=off"]), "refused");
        assert_eq!(cache(&["GOCACHE=relative"]), "refused");
        assert_eq!(cache(&["XDG_CACHE_HOME=relative", "HOME=~"]), "refused");
        written("# GOCACHE=/no\nXGOCACHE=/no\nGOCACHE=/first\nGOCACHE=/w\nGOFLAGS=-race\n");
        assert_eq!(cache(&["HOME=~"]), "/w");
        assert_eq!(cache(&["HOME=~", "GOCACHE=/c"]), "/c");
        assert_eq!(cache(&["HOME=~", "GOENV=off"]), "~/.cache/go-build");
        assert_eq!(cache(&["HOME=/no", "GOENV=~/.config/go/env"]), "/w");
        assert_eq!(cache(&["HOME=/no", "XDG_CONFIG_HOME=~/.config"]), "/w");
        let environment = environment(&[format!("HOME={home}")]);
        assert_eq!(GoSettings::new(&environment).get("GOFLAGS").unwrap(), "-race");
        written("GOCACHE=");
        assert_eq!(cache(&["HOME=~"]), "~/.cache/go-build");
    }

    #[test]
    fn the_switch_says_yes_or_no_and_nothing_else() {
        let wanted = |value: &str| is_wanted(&environment(&[format!("GB_GO_CACHE={value}")]));
        assert_eq!(
            ["", "1", "true", "0", "false"].map(|value| wanted(value).unwrap()),
            [true, true, true, false, false]
        );
        assert_eq!(wanted("off"), Err(SettingError("off".to_owned())));
    }
}
