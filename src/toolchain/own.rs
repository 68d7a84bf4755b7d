//! Telling what gb has set from what the caller has.
//!
//! A gb within a command of `gb run` (`gb env` in a container, `GOARCH=s390x gb run make` in its shell) would otherwise
//! take the first one's compiler for the caller's word.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::{Setting, Source};
use crate::environment::Environment;

/// The variable in which gb notes what it has set, as `NAME=value` parts with colons between them.
pub(super) const NOTE: &str = "GB_SET";

/// The environment as the caller gave it: without what another gb has set, and the caller not changed since.
///
/// GOOS, GOARCH and the variant are gb's own only beside the variable that they were made of: an environment may come
/// here without that (`docker run --env-file`), and then they are all that names the target.
pub fn given(environment: &Environment) -> Environment {
    let mut given = environment.clone();
    let named = ["ARCH", "TARGETPLATFORM", "TARGETPAIR", "TARGETARCH", "TARGETOS"]
        .iter()
        .any(|n| environment.get_nonempty(n).is_some());
    for (name, _) in unchanged(environment).filter(|(name, _)| named || !name.starts_with("GO")) {
        given.remove(name);
    }
    given.remove(NOTE);
    given
}

/// What another gb has set for another target and these settings do not replace: a shell that takes them over must drop it.
pub fn left_over(environment: &Environment, settings: &[Setting]) -> Vec<String> {
    let given = given(environment);
    let dropped = unchanged(environment).map(|(name, _)| name).filter(|name| given.get(name).is_none());
    let kept = dropped.filter(|name| !settings.iter().any(|setting| setting.name == *name));
    kept.map(str::to_owned).collect()
}

/// The value that another gb has given to a variable, if the caller has not changed it since.
pub(super) fn set_by_gb<'a>(environment: &'a Environment, name: &str) -> Option<&'a OsStr> {
    unchanged(environment).find(|(noted, _)| *noted == name).map(|(_, value)| value)
}

/// What another gb has set and nobody has changed.
fn unchanged(environment: &Environment) -> impl Iterator<Item = (&str, &OsStr)> {
    let note = environment.get(NOTE).unwrap_or_default();
    note.as_bytes().split(|b| *b == b':').filter_map(|part| {
        let equals = part.iter().position(|b| *b == b'=')?;
        let (name, value) = part.split_at_checked(equals)?;
        let name = std::str::from_utf8(name).ok()?;
        let current = environment.get(name)?;
        (Some(current.as_bytes()) == value.get(1..)).then_some((name, current))
    })
}

/// The setting that notes all others, for [`given`]. A value with a colon can't be noted, and a target that the caller
/// named as such must not be.
pub(super) fn note(settings: &[Setting], source: Source) -> Option<Setting> {
    let callers_target = matches!(source, Source::Argument | Source::Variable("GOARCH" | "GOOS"));
    let notable = |setting: &&Setting| {
        let is_the_target = setting.name.starts_with("GO");
        !(is_the_target && callers_target || setting.value.as_bytes().contains(&b':'))
    };
    let parts: Vec<OsString> = settings
        .iter()
        .filter(notable)
        .map(|setting| {
            let mut part = OsString::from(format!("{}=", setting.name));
            part.push(&setting.value);
            part
        })
        .collect();
    let reason = "another gb knows by it what this one has set".to_owned();
    (!parts.is_empty()).then(|| Setting { name: NOTE.to_owned(), value: parts.join(OsStr::new(":")), reason })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// An environment with these variables, and the note of these settings.
    fn environment(variables: &[(&str, &str)], settings: &[(&str, &str)], source: Source) -> Environment {
        let mut environment = Environment::new(Vec::new());
        let settings: Vec<_> = settings
            .iter()
            .map(|(name, value)| Setting { name: (*name).into(), value: value.into(), reason: String::new() })
            .collect();
        let note = note(&settings, source);
        for setting in settings.iter().chain(&note) {
            assert!(environment.set(&setting.name, &setting.value));
        }
        for (name, value) in variables {
            assert!(environment.set(name, OsStr::new(value)));
        }
        environment
    }

    #[test]
    fn what_another_gb_has_set_is_not_the_callers_word_until_the_caller_changes_it() {
        let settings = [("CC", "a-clang"), ("CXX", "a-clang++"), ("QEMU_LD_PREFIX", "/odd:path")];
        let environment =
            environment(&[("AR", "mine"), ("CXX", "changed")], &settings, Source::Variable("GOARCH"));
        let given = given(&environment);
        assert_eq!(given.get("CC"), None);
        assert_eq!(given.get(NOTE), None);
        assert_eq!(given.get("CXX").unwrap(), "changed");
        assert_eq!(given.get("AR").unwrap(), "mine");
        assert_eq!(given.get("QEMU_LD_PREFIX").unwrap(), "/odd:path");
    }

    #[test]
    fn what_an_earlier_target_had_and_a_later_one_has_not_is_left_over() {
        let settings = [("CC", "a-clang"), ("CMAKE_TOOLCHAIN_FILE", "/a.cmake")];
        let environment = environment(&[("AR", "mine")], &settings, Source::Variable("GOARCH"));
        let setting = |name: &str| Setting { name: name.into(), value: "b".into(), reason: String::new() };
        assert_eq!(left_over(&environment, &[setting("CC")]), ["CMAKE_TOOLCHAIN_FILE"]);
        assert!(left_over(&environment, &[setting("CC"), setting("CMAKE_TOOLCHAIN_FILE")]).is_empty());
    }

    #[test]
    fn a_target_that_the_caller_named_stays() {
        let target = |variables: &[(&str, &str)], source| {
            let settings = [("GOARCH", "arm64"), ("CC", "a-clang")];
            let given = given(&environment(variables, &settings, source));
            assert_eq!(given.get("CC"), None);
            given.get("GOARCH").is_some()
        };
        assert!(target(&[], Source::Argument));
        assert!(target(&[], Source::Variable("GOARCH")));
        assert!(target(&[("ARCH", "aarch64")], Source::Variable("GOOS")));
        // gb's own beside ARCH, and the only word where ARCH did not come along.
        assert!(!target(&[("ARCH", "aarch64")], Source::Variable("ARCH")));
        assert!(target(&[], Source::Variable("ARCH")));
    }
}
