//! `user[:group]`, as su-exec takes it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use super::accounts::{self, Account};
use super::edit::Files;
use super::facts::Ids;
use super::id::{self, IdError};

/// A user and perhaps a group, each by name or id.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct UserSpec<'a> {
    text: &'a OsStr,
    user: Part<'a>,
    /// Nothing may have been said of it.
    group: Option<Part<'a>>,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Part<'a> {
    Id(u32),
    Name(&'a [u8]),
}

/// Whom a user-spec means.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Resolved {
    /// The ids.
    pub ids: Ids,
    /// The home directory of the user's account; `/` if it has none.
    pub home: Vec<u8>,
}

/// A user-spec means nobody.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum UserSpecError {
    /// No user. su-exec and gosu stay root then, which is seldom what a script with an unset variable means.
    #[error("user-spec {0:?}: it names nobody (user, user:group, uid or uid:gid)")]
    Empty(String),
    /// More than one colon.
    #[error("user-spec {0}: more than one colon (user, user:group, uid or uid:gid)")]
    Colons(String),
    /// An id that can't be one.
    #[error("user-spec {text}: {cause} (user, user:group, uid or uid:gid)")]
    Id {
        /// The whole text.
        text: String,
        /// Why not.
        cause: IdError,
    },
    /// Nobody has this name.
    #[error("user-spec {text}: no {kind} of this name in {file} (an id is decimal digits)")]
    NoSuchName {
        /// The whole text.
        text: String,
        /// user or group
        kind: &'static str,
        /// Where was looked.
        file: &'static str,
    },
}

impl<'a> UserSpec<'a> {
    /// Reads a user-spec. All digits are an id, anything else is a name.
    pub fn parse(text: &'a OsStr) -> Result<UserSpec<'a>, UserSpecError> {
        let mut parts = text.as_bytes().split(|byte| *byte == b':');
        let part = |part: Option<&'a [u8]>| match part {
            None | Some([]) => Ok(None),
            Some(part) => match id::parse(part) {
                Ok(id) => Ok(Some(Part::Id(id))),
                Err(IdError::NotDecimal(_)) => Ok(Some(Part::Name(part))),
                Err(cause) => Err(UserSpecError::Id { text: text.to_string_lossy().into_owned(), cause }),
            },
        };
        let (user, group) = (part(parts.next())?, part(parts.next())?);
        let whole = || text.to_string_lossy().into_owned();
        match (user, parts.next()) {
            (_, Some(_)) => Err(UserSpecError::Colons(whole())),
            (None, None) => Err(UserSpecError::Empty(whole())),
            (Some(user), None) => Ok(UserSpec { text, user, group }),
        }
    }

    /// Looks the names up; `current` is whose primary group a user without an account keeps, as with su-exec.
    ///
    /// A user without a group gets all groups that list it, and its primary one; a group that is given is the only one.
    pub fn resolve(&self, files: &Files, current: &Ids) -> Result<Resolved, UserSpecError> {
        let by_id = |uid: u32| accounts::accounts(&files.passwd).find(|account| account.uid == uid);
        let (uid, account): (u32, Option<Account<'_>>) = match self.user {
            Part::Id(uid) => (uid, by_id(uid)),
            Part::Name(name) => {
                let account = accounts::accounts(&files.passwd).find(|account| account.name == name);
                let account = account.ok_or_else(|| self.no_such("user", "/etc/passwd"))?;
                (account.uid, Some(account))
            }
        };
        let ids = match self.group {
            Some(Part::Id(gid)) => Ids::new(uid, gid, []),
            Some(Part::Name(name)) => {
                let group = accounts::groups(&files.group).find(|group| group.name == name);
                let gid = group.ok_or_else(|| self.no_such("group", "/etc/group"))?.gid;
                Ids::new(uid, gid, [])
            }
            None => {
                let gid = account.map_or(current.gid, |account| account.gid);
                let memberships = account.map(|account| accounts::memberships(&files.group, account.name));
                Ids::new(uid, gid, memberships.unwrap_or_default())
            }
        };
        let home = account.map_or(b"/".as_slice(), |account| account.home).to_vec();
        Ok(Resolved { ids, home })
    }

    fn no_such(&self, kind: &'static str, file: &'static str) -> UserSpecError {
        UserSpecError::NoSuchName { text: self.text.to_string_lossy().into_owned(), kind, file }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn files() -> Files {
        Files {
            passwd: b"root:x:0:0:root:/root:/bin/sh\ngames:x:5:60::/usr/games:/bin/sh\n111:x:7:7::/:\n"
                .to_vec(),
            group: b"root:x:0:\ndaemon:x:1:\nusers:x:100:games\ngames:x:60:\n".to_vec(),
            shadow: None,
        }
    }

    fn resolve(spec: &str) -> Result<(u32, u32, Vec<u32>, String), String> {
        let current = Ids { uid: 0, gid: 0, groups: vec![0, 27] };
        let spec = UserSpec::parse(OsStr::new(spec)).map_err(|error| error.to_string())?;
        let resolved = spec.resolve(&files(), &current).map_err(|error| error.to_string())?;
        let Ids { uid, gid, groups } = resolved.ids;
        Ok((uid, gid, groups, String::from_utf8(resolved.home).unwrap()))
    }

    #[test]
    fn names_and_ids_mean_the_users_and_groups_of_the_files() {
        let is = |uid, gid, groups: &[u32], home: &str| Ok((uid, gid, groups.to_vec(), home.to_owned()));
        for (spec, expected) in [
            ("0", is(0, 0, &[0], "/root")),
            ("root", is(0, 0, &[0], "/root")),
            ("0:0", is(0, 0, &[0], "/root")),
            ("root:daemon", is(0, 1, &[1], "/root")),
            ("games", is(5, 60, &[60, 100], "/usr/games")),
            ("5", is(5, 60, &[60, 100], "/usr/games")),
            ("games:", is(5, 60, &[60, 100], "/usr/games")),
            ("games:daemon", is(5, 1, &[1], "/usr/games")),
            ("1000", is(1000, 0, &[0], "/")),
            ("1000:1000", is(1000, 1000, &[1000], "/")),
            // A user whose name is a number can't be meant by that name.
            ("111", is(111, 0, &[0], "/")),
        ] {
            assert_eq!(resolve(spec), expected, "{spec:?}");
        }
    }

    #[test]
    fn what_is_neither_a_name_nor_an_id_is_nobody() {
        for spec in [
            "",
            ":",
            ":60",
            "bogus",
            "0day",
            "0:bogus",
            "0:0day",
            "-1:0",
            "0:-3",
            "-2",
            "+0",
            " 0",
            "0x0",
            "a:b:c",
            "0:0:0",
            "4294967295",
            "4294967296",
            "9223372036854775808",
            "42:4294967296",
        ] {
            let error = resolve(spec).unwrap_err();
            let shown = [format!("user-spec {spec}: "), format!("user-spec {spec:?}: ")];
            assert!(shown.iter().any(|start| error.starts_with(start)), "{error}");
        }
    }
}
