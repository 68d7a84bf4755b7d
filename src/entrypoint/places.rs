//! The places that a build writes to: THE table of the variables that name them.

use std::path::{Path, PathBuf};

use crate::environment::Environment;

/// A directory that programs of this image, or of images made of it, write to.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Place {
    /// The variable that names it.
    pub name: &'static str,
    /// The directory.
    pub path: PathBuf,
    /// What programs do with it.
    pub rule: Rule,
}

/// What programs do with a directory that a variable names.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Rule {
    /// They make it; and Go takes no path but an absolute one (go help environment).
    GoMakes,
    /// They make it.
    Makes,
    /// They fail if it is not there.
    Needs,
    /// They write to it seldom: that it can't be written to is not worth a message.
    Seldom,
}

struct Variable {
    name: &'static str,
    rule: Rule,
    /// What is in it are copies: nobody works there.
    is_cache: bool,
}

const fn variable(name: &'static str, rule: Rule, is_cache: bool) -> Variable {
    Variable { name, rule, is_cache }
}

const VARIABLES: [Variable; 14] = [
    // go help environment
    variable("GOCACHE", Rule::GoMakes, true),
    variable("GOMODCACHE", Rule::GoMakes, true),
    // Only go install writes there, and only that refuses a relative one.
    variable("GOBIN", Rule::Makes, false),
    variable("GOTMPDIR", Rule::Needs, false),
    // Go, clang, mktemp(1)
    variable("TMPDIR", Rule::Needs, false),
    // ccache(1)
    variable("CCACHE_DIR", Rule::Makes, true),
    // golangci-lint, Cargo and rustup are not in this image, but in images that are made of it.
    variable("GOLANGCI_LINT_CACHE", Rule::Makes, true),
    variable("CARGO_HOME", Rule::Makes, true),
    variable("CARGO_TARGET_DIR", Rule::Makes, true),
    variable("RUSTUP_HOME", Rule::Seldom, true),
    // XDG Base Directory Specification: Git, ccache, Go and others
    variable("XDG_CACHE_HOME", Rule::Makes, true),
    variable("XDG_CONFIG_HOME", Rule::Makes, false),
    variable("XDG_DATA_HOME", Rule::Makes, false),
    variable("XDG_STATE_HOME", Rule::Makes, false),
];

/// The directories that are named, each element of GOPATH among them.
pub fn named(environment: &Environment) -> Vec<Place> {
    let place = |variable: &Variable| {
        let path = environment.get_nonempty(variable.name)?.into();
        Some(Place { name: variable.name, path, rule: variable.rule })
    };
    let gopath = gopath(environment).into_iter();
    let gopath = gopath.map(|path| Place { name: "GOPATH", path, rule: Rule::Seldom });
    VARIABLES.iter().filter_map(place).chain(gopath).collect()
}

/// The directories that a build has to be able to write to.
pub fn needed(environment: &Environment) -> Vec<Place> {
    let mut places = named(environment);
    places.retain(|place| place.rule != Rule::Seldom);
    // Go writes to the first element of GOPATH (go help gopath, go help install, go help module-auth).
    let Some(first) = gopath(environment).into_iter().next() else { return places };
    let of_gopath = |below: &str| Place { name: "GOPATH", path: first.join(below), rule: Rule::GoMakes };
    if environment.get_nonempty("GOMODCACHE").is_none() {
        places.push(of_gopath("pkg/mod"));
    }
    places.push(of_gopath("pkg/sumdb"));
    if environment.get_nonempty("GOBIN").is_none() {
        places.push(of_gopath("bin"));
    }
    places
}

/// Whether a directory is, or is in, what programs keep copies in.
pub fn is_cache(path: &Path, environment: &Environment) -> bool {
    let caches = VARIABLES.iter().filter(|variable| variable.is_cache);
    let caches = caches.filter_map(|variable| environment.get_nonempty(variable.name).map(PathBuf::from));
    let packages = gopath(environment).into_iter().map(|element| element.join("pkg"));
    caches.chain(packages).any(|cache| path.starts_with(cache))
}

fn gopath(environment: &Environment) -> Vec<PathBuf> {
    let value = environment.get_nonempty("GOPATH").unwrap_or_default();
    std::env::split_paths(value).filter(|element| !element.as_os_str().is_empty()).collect()
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn environment(variables: &[&str]) -> Environment {
        Environment::new(variables.iter().map(|variable| CString::new(*variable).unwrap()).collect())
    }

    fn shown(places: Vec<Place>) -> String {
        let words = places.iter().map(|place| format!("{}={}", place.name, place.path.display()));
        words.collect::<Vec<_>>().join(" ")
    }

    #[test]
    fn what_go_writes_to_follows_gopath_where_nothing_else_is_said() {
        for (variables, expected) in [
            (&[][..], ""),
            (&["GOPATH="], ""),
            (&["GOPATH=/go"], "GOPATH=/go/pkg/mod GOPATH=/go/pkg/sumdb GOPATH=/go/bin"),
            (&["GOPATH=:/a:/b"], "GOPATH=/a/pkg/mod GOPATH=/a/pkg/sumdb GOPATH=/a/bin"),
            (&["GOPATH=/a", "GOMODCACHE=/m", "GOBIN=/b"], "GOMODCACHE=/m GOBIN=/b GOPATH=/a/pkg/sumdb"),
            (&["RUSTUP_HOME=/r", "XDG_CACHE_HOME=/x", "XDG_DATA_HOME="], "XDG_CACHE_HOME=/x"),
        ] {
            assert_eq!(shown(needed(&environment(variables))), expected, "{variables:?}");
        }
        let all = environment(&["GOPATH=/a:/b", "RUSTUP_HOME=/r"]);
        assert_eq!(shown(named(&all)), "RUSTUP_HOME=/r GOPATH=/a GOPATH=/b");
    }

    #[test]
    fn caches_are_told_from_what_somebody_works_in() {
        let environment = environment(&["GOCACHE=/cache", "GOPATH=/go:/more", "XDG_CONFIG_HOME=/config"]);
        let is_cache = |path: &str| is_cache(Path::new(path), &environment);
        assert!(
            is_cache("/cache") && is_cache("/cache/x") && is_cache("/go/pkg/mod") && is_cache("/more/pkg")
        );
        assert!(!is_cache("/") && !is_cache("/go") && !is_cache("/go/src/x") && !is_cache("/config"));
    }
}
