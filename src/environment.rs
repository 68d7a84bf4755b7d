//! An environment: what gb was given, and what it hands on with a plan's settings applied.

use std::ffi::{CString, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};

/// An environment as execve(2) takes it: a list of strings, usually `NAME=value`.
///
/// What gb does not set stays exactly as received, in its place: duplicates, bytes that are no UTF-8, and strings
/// without a `=` included.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Environment(Vec<CString>);

impl Environment {
    /// Takes the strings of environ(7).
    pub fn new(strings: Vec<CString>) -> Environment {
        Environment(strings)
    }

    /// The value of a variable; the first of duplicates, as getenv(3) finds it.
    pub fn get(&self, name: &str) -> Option<&OsStr> {
        self.0.iter().find_map(|s| value_of(s, name))
    }

    /// The value of a variable, if it is set to more than the empty string.
    ///
    /// Go's tools read most of their variables so (`os.Getenv(name) == ""`), and so does the real entrypoint.
    pub fn get_nonempty(&self, name: &str) -> Option<&OsStr> {
        self.get(name).filter(|value| !value.is_empty())
    }

    /// Where programs are looked for: PATH, or without one what glibc takes (confstr(3), `_CS_PATH`).
    pub fn search_path(&self) -> &OsStr {
        self.get("PATH").unwrap_or(OsStr::new("/bin:/usr/bin"))
    }

    /// Gives a variable a value, replacing every string of that name.
    ///
    /// A value with a NUL byte can't be in an environment; `false` says that the variable was left as it was.
    #[must_use]
    pub fn set(&mut self, name: &str, value: &OsStr) -> bool {
        let mut string = OsString::from(name);
        string.push("=");
        string.push(value);
        let Ok(string) = CString::new(string.into_vec()) else { return false };
        self.0.retain(|s| value_of(s, name).is_none());
        self.0.push(string);
        true
    }

    /// Takes a variable out.
    pub fn remove(&mut self, name: &str) {
        self.0.retain(|s| value_of(s, name).is_none());
    }

    /// The strings, for execve(2).
    pub fn strings(&self) -> &[CString] {
        &self.0
    }
}

fn value_of<'a>(string: &'a CString, name: &str) -> Option<&'a OsStr> {
    let value = string.as_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"=")?;
    Some(OsStr::from_bytes(value))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn environment(strings: &[&[u8]]) -> Environment {
        Environment::new(strings.iter().map(|s| CString::new(*s).unwrap()).collect())
    }

    #[test]
    fn setting_a_variable_leaves_every_other_string_as_it_was() {
        let mut env = environment(&[b"A=1", b"CC=x", b"odd", b"\xff=\xfe", b"CC=y", b"CCX=z", b"A=2"]);
        assert_eq!(env.get("CC").unwrap(), "x");
        assert!(env.set("CC", OsStr::new("clang")));
        assert_eq!(env, environment(&[b"A=1", b"odd", b"\xff=\xfe", b"CCX=z", b"A=2", b"CC=clang"]));
        assert!(!env.set("A", OsStr::from_bytes(b"a\0b")));
        assert_eq!(env.get("A").unwrap(), "1");
        env.remove("A");
        assert_eq!(env, environment(&[b"odd", b"\xff=\xfe", b"CCX=z", b"CC=clang"]));
    }

    #[test]
    fn an_empty_value_is_a_value_but_not_a_nonempty_one() {
        let env = environment(&[b"CC="]);
        assert_eq!(env.get("CC").unwrap(), "");
        assert_eq!(env.get_nonempty("CC"), None);
        assert_eq!(env.get("C"), None);
    }
}
