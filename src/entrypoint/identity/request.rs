//! What the caller asked for, in variables.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::accounts;
use super::id::{self, IdError};
use crate::environment::Environment;

/// Which user the command is to run as.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Request {
    /// `RUN_AS_ROOT=true`: as the user that gb was started as.
    Unchanged,
    /// As another user.
    User(UserRequest),
}

/// As which other user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct UserRequest {
    /// The user.
    pub who: Who,
    /// `LOCAL_GROUP_ID`: the primary group.
    pub gid: Option<u32>,
    /// `EXTRA_GROUP_ID` and `EXTRA_GROUP_IDS`: further groups.
    pub extra: Vec<ExtraGroup>,
    /// A value of `RUN_AS_ROOT` that was probably meant to be `true`.
    pub near_miss: Option<OsString>,
}

/// The user.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Who {
    /// `LOCAL_USER_ID`, with the text it was given as.
    Id(u32, String),
    /// `GB_USER=owner`: whoever owns the working directory.
    Owner,
    /// Nobody was named.
    Default,
}

impl Who {
    /// The id that the original entrypoint takes where none is given.
    pub const DEFAULT: u32 = 9001;

    /// The user's id, where the working directory belongs to `owner`; `None` if that is needed and not known.
    pub fn uid(&self, owner: Option<u32>) -> Option<u32> {
        match self {
            Who::Id(uid, _) => Some(*uid),
            Who::Owner => owner,
            Who::Default => Some(Who::DEFAULT),
        }
    }
}

/// A further group.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ExtraGroup {
    /// The variable that names it.
    pub variable: &'static str,
    /// What it was given as.
    pub text: OsString,
    /// The group's id, if it was given as one; else it is a name.
    pub gid: Option<u32>,
}

/// A variable makes no sense.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum IdentityRequestError {
    /// No id.
    #[error("{variable}={}: {cause} ({remedy})", value.to_string_lossy())]
    Id {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: OsString,
        /// Why not.
        cause: IdError,
        /// What to write instead.
        remedy: &'static str,
    },
    /// Neither an id nor a name.
    #[error("{variable}={}: neither a group's id nor its name ({remedy})", value.to_string_lossy())]
    Group {
        /// The variable.
        variable: &'static str,
        /// Its value.
        value: OsString,
        /// What to write instead.
        remedy: &'static str,
    },
    /// More groups than anybody means.
    #[error("EXTRA_GROUP_IDS: {0} groups are more than the {MAX_EXTRA} that are joined (leave some out)")]
    TooMany(usize),
    /// No word of `GB_USER`'s.
    #[error("GB_USER={0}: not a value it has (GB_USER=owner, or LOCAL_USER_ID for an id)")]
    User(String),
}

impl Request {
    /// Reads the variables. An empty one counts as unset, as for the original entrypoint.
    pub fn read(environment: &Environment) -> Result<Request, IdentityRequestError> {
        let as_root = environment.get_nonempty("RUN_AS_ROOT");
        if as_root == Some(OsStr::new("true")) {
            return Ok(Request::Unchanged);
        }
        let who = match environment.get_nonempty("LOCAL_USER_ID") {
            Some(text) => {
                let uid = read_id("LOCAL_USER_ID", text, "LOCAL_USER_ID=$(id -u)")?;
                Who::Id(uid, text.to_string_lossy().into_owned())
            }
            None => owner_or_default(environment)?,
        };
        let gid = environment
            .get_nonempty("LOCAL_GROUP_ID")
            .map(|text| read_id("LOCAL_GROUP_ID", text, "LOCAL_GROUP_ID=$(id -g)"))
            .transpose()?;
        let near_miss = as_root.filter(|value| means_yes(value)).map(OsStr::to_owned);
        Ok(Request::User(UserRequest { who, gid, extra: extra_groups(environment)?, near_miss }))
    }
}

fn owner_or_default(environment: &Environment) -> Result<Who, IdentityRequestError> {
    match environment.get_nonempty("GB_USER") {
        None => Ok(Who::Default),
        Some(word) if word == "owner" => Ok(Who::Owner),
        Some(word) => Err(IdentityRequestError::User(word.to_string_lossy().into_owned())),
    }
}

fn read_id(variable: &'static str, text: &OsStr, remedy: &'static str) -> Result<u32, IdentityRequestError> {
    id::parse(text.as_bytes()).map_err(|cause| IdentityRequestError::Id {
        variable,
        value: text.to_owned(),
        cause,
        remedy,
    })
}

fn extra_groups(environment: &Environment) -> Result<Vec<ExtraGroup>, IdentityRequestError> {
    let mut groups = Vec::new();
    let variable = "EXTRA_GROUP_ID";
    if let Some(text) = environment.get_nonempty(variable) {
        groups.push(extra_group(variable, text, "one id or name; EXTRA_GROUP_IDS takes several")?);
    }
    let variable = "EXTRA_GROUP_IDS";
    if let Some(text) = environment.get_nonempty(variable) {
        let parts = text.as_bytes().split(|byte| *byte == b',' || byte.is_ascii_whitespace());
        for part in parts.filter(|part| !part.is_empty()) {
            let remedy = "ids or names with commas between them";
            groups.push(extra_group(variable, OsStr::from_bytes(part), remedy)?);
        }
    }
    match groups.len() {
        0..=MAX_EXTRA => Ok(groups),
        count => Err(IdentityRequestError::TooMany(count)),
    }
}

/// Each costs a look through /etc/group.
const MAX_EXTRA: usize = 256;

fn extra_group(
    variable: &'static str,
    text: &OsStr,
    remedy: &'static str,
) -> Result<ExtraGroup, IdentityRequestError> {
    let gid = match id::parse(text.as_bytes()) {
        Ok(gid) => Some(gid),
        Err(cause @ IdError::TooLarge) => {
            return Err(IdentityRequestError::Id { variable, value: text.to_owned(), cause, remedy });
        }
        Err(IdError::NotDecimal(_)) if accounts::is_name(text.as_bytes()) => None,
        Err(IdError::NotDecimal(_)) => {
            return Err(IdentityRequestError::Group { variable, value: text.to_owned(), remedy });
        }
    };
    Ok(ExtraGroup { variable, text: text.to_owned(), gid })
}

/// Whether whoever wrote this meant yes. (`'true'` with the quotes is what an API gets from a shell's habit.)
fn means_yes(value: &OsStr) -> bool {
    let plain = value.as_bytes().trim_ascii();
    let plain: Vec<u8> = plain.iter().filter(|byte| !b"'\"".contains(byte)).copied().collect();
    ["true", "1", "yes", "y", "on", "t"].iter().any(|yes| plain.eq_ignore_ascii_case(yes.as_bytes()))
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn read(variables: &[&str]) -> Result<Request, IdentityRequestError> {
        Request::read(&Environment::new(variables.iter().map(|v| CString::new(*v).unwrap()).collect()))
    }

    fn user(variables: &[&str]) -> UserRequest {
        match read(variables).unwrap() {
            Request::User(user) => user,
            Request::Unchanged => panic!("{variables:?} is no request for a user"),
        }
    }

    fn error(variables: &[&str]) -> String {
        read(variables).unwrap_err().to_string()
    }

    #[test]
    fn only_the_word_true_keeps_root() {
        assert_eq!(read(&["RUN_AS_ROOT=true", "LOCAL_USER_ID=abc"]), Ok(Request::Unchanged));
        for near in ["TRUE", "True", "1", "yes", "'true'", "\"true\"", "true "] {
            assert_eq!(user(&[&format!("RUN_AS_ROOT={near}")]).near_miss.unwrap(), near);
        }
        for no in ["", "false", "0", "no", "maybe"] {
            assert_eq!(user(&[&format!("RUN_AS_ROOT={no}")]).near_miss, None, "{no}");
        }
    }

    #[test]
    fn the_user_is_the_id_or_the_owner_or_the_default() {
        assert_eq!(user(&["LOCAL_USER_ID=1000", "GB_USER=owner"]).who, Who::Id(1000, "1000".into()));
        assert_eq!(user(&["LOCAL_USER_ID=", "GB_USER=owner"]).who, Who::Owner);
        assert_eq!(user(&["LOCAL_USER_ID="]).who, Who::Default);
        assert_eq!(user(&["LOCAL_GROUP_ID=50"]).gid, Some(50));
    }

    #[test]
    fn several_groups_are_ids_and_names() {
        let request = user(&["EXTRA_GROUP_ID=998", "EXTRA_GROUP_IDS=5, docker\t6,"]);
        let groups: Vec<_> = request.extra.iter().map(|g| (g.text.to_str().unwrap(), g.gid)).collect();
        assert_eq!(groups, [("998", Some(998)), ("5", Some(5)), ("docker", None), ("6", Some(6))]);
    }

    #[test]
    fn what_makes_no_sense_is_refused_by_name_and_value() {
        assert_eq!(
            error(&["LOCAL_USER_ID=abc"]),
            "LOCAL_USER_ID=abc: an id is decimal digits (LOCAL_USER_ID=$(id -u))"
        );
        assert_eq!(
            error(&["LOCAL_GROUP_ID=4294967295"]),
            "LOCAL_GROUP_ID=4294967295: the largest id is 4294967294 (LOCAL_GROUP_ID=$(id -g))"
        );
        assert_eq!(
            error(&["GB_USER=me"]),
            "GB_USER=me: not a value it has (GB_USER=owner, or LOCAL_USER_ID for an id)"
        );
        assert_eq!(
            error(&["EXTRA_GROUP_ID=100 101"]),
            "EXTRA_GROUP_ID=100 101: neither a group's id nor its name (one id or name; EXTRA_GROUP_IDS takes several)"
        );
        let many =
            format!("EXTRA_GROUP_IDS={}", (0..257).map(|gid| gid.to_string()).collect::<Vec<_>>().join(","));
        assert!(error(&[many.as_str()]).starts_with("EXTRA_GROUP_IDS: 257 groups are more than the 256"));
        assert!(error(&["EXTRA_GROUP_ID=-5"]).starts_with("EXTRA_GROUP_ID=-5: neither"));
        assert!(
            error(&["EXTRA_GROUP_IDS=5,99999999999"]).starts_with("EXTRA_GROUP_IDS=99999999999: the largest")
        );
    }
}
