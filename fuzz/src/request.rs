//! The variables that callers set.

use std::ffi::{CString, OsStr};
use std::os::unix::ffi::OsStrExt;

use gb::entrypoint::identity::request::{Request, Who};
use gb::entrypoint::privileges::wants_no_new_privileges;
use gb::environment::Environment;

use super::{id, is_name, parts};

/// A request is refused exactly if a variable of it makes no sense, and is what the variables say otherwise. The input:
/// strings of the environment.
pub fn request(input: &[u8]) {
    let strings: Vec<CString> = parts(input).filter_map(|string| CString::new(string).ok()).collect();
    // getenv(3) finds the first; an empty one says nothing.
    let get = |name: &str| {
        let mut values =
            strings.iter().filter_map(|s| s.to_bytes().strip_prefix(name.as_bytes())?.strip_prefix(b"="));
        values.next().filter(|value| !value.is_empty())
    };
    let environment = Environment::new(strings.clone());
    privileges(&environment, get("GB_NO_NEW_PRIVS"));

    let (uid, gid, user) = (get("LOCAL_USER_ID"), get("LOCAL_GROUP_ID"), get("GB_USER"));
    let mut groups: Vec<&[u8]> = get("EXTRA_GROUP_ID").into_iter().collect();
    let list = get("EXTRA_GROUP_IDS").unwrap_or_default();
    groups.extend(list.split(|byte| b", \t\n\r\x0c".contains(byte)).filter(|word| !word.is_empty()));
    let is_group = |text: &&[u8]| id(text).is_some() || is_name(text) && !text.iter().all(u8::is_ascii_digit);
    let makes_sense = match (uid, user) {
        (Some(uid), _) => id(uid).is_some(),
        (None, user) => matches!(user, None | Some(b"owner")),
    } && gid.is_none_or(|gid| id(gid).is_some())
        && groups.iter().all(is_group)
        && groups.len() <= 256;

    match Request::read(&environment) {
        Ok(Request::Unchanged) => assert_eq!(get("RUN_AS_ROOT"), Some(b"true".as_slice())),
        Ok(Request::User(request)) => {
            assert_ne!(get("RUN_AS_ROOT"), Some(b"true".as_slice()));
            assert!(makes_sense);
            match request.who {
                Who::Id(number, text) => {
                    assert_eq!((uid, uid.and_then(id)), (Some(text.as_bytes()), Some(number)));
                }
                Who::Owner => assert_eq!((uid, user), (None, Some(b"owner".as_slice()))),
                Who::Default => assert_eq!((uid, user), (None, None)),
            }
            assert_eq!(request.gid, gid.and_then(id));
            let extra: Vec<_> =
                request.extra.iter().map(|group| (group.text.as_bytes(), group.gid)).collect();
            let expected: Vec<_> = groups.iter().map(|text| (*text, id(text))).collect();
            assert_eq!(extra, expected);
            let near_miss = request.near_miss.as_deref().map(OsStr::as_bytes);
            assert!(near_miss.is_none() || near_miss == get("RUN_AS_ROOT"));
        }
        Err(error) => {
            assert!(!makes_sense && get("RUN_AS_ROOT") != Some(b"true"));
            let names =
                ["LOCAL_USER_ID=", "LOCAL_GROUP_ID=", "EXTRA_GROUP_ID=", "EXTRA_GROUP_IDS", "GB_USER="];
            let message = error.to_string();
            assert!(names.iter().any(|name| message.starts_with(name)), "{message}");
        }
    }
}

fn privileges(environment: &Environment, value: Option<&[u8]>) {
    let expected = match value {
        None | Some(b"0" | b"false") => Some(false),
        Some(b"1" | b"true") => Some(true),
        Some(_) => None,
    };
    assert_eq!(wants_no_new_privileges(environment).ok(), expected);
}
