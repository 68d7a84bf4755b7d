//! su-exec's `user[:group]`.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use gb::entrypoint::identity::accounts;
use gb::entrypoint::identity::{Files, Ids, Resolved, UserSpec};

use super::{id, parts};

/// A user-spec means ids that are in its text, or that the files give to its names, or what was there for the part where
/// it says nothing; and nobody else. The input: the user-spec, passwd, group.
pub fn user_spec(input: &[u8]) {
    let mut parts = parts(input);
    let text = parts.next().unwrap_or_default();
    let passwd = parts.next().unwrap_or_default().to_vec();
    let group = parts.next().unwrap_or_default().to_vec();
    let files = Files { passwd, group, shadow: None };
    // Ids that no file has by chance.
    let current = Ids { uid: 3_141_592_653, gid: 2_718_281_828, groups: vec![2_718_281_828, 1_618_033_988] };
    let resolved = UserSpec::parse(OsStr::from_bytes(text)).and_then(|spec| {
        spec.resolve(&files, &current).inspect(|first| {
            assert_eq!(spec.resolve(&files, &current).as_ref(), Ok(first));
        })
    });
    match (&resolved, expected(text, &files, &current)) {
        (Ok(resolved), Some(expected)) => assert_eq!(*resolved, expected),
        (Err(error), None) => assert!(error.to_string().starts_with("user-spec ")),
        (_, expected) => panic!("{resolved:?} is not {expected:?}"),
    }
}

/// Whom it means, said in another way than gb's.
fn expected(text: &[u8], files: &Files, current: &Ids) -> Option<Resolved> {
    let fields: Vec<&[u8]> = text.split(|byte| *byte == b':').collect();
    let (user, group) = match fields[..] {
        [b""] | [b"", _] => return None,
        [user] => (user, b"".as_slice()),
        [user, group] => (user, group),
        _ => return None,
    };
    let is_number = |text: &[u8]| text.iter().all(u8::is_ascii_digit);
    let accounts = || accounts::accounts(&files.passwd);
    let (uid, account) = if is_number(user) {
        let uid = id(user)?;
        (uid, accounts().find(|account| account.uid == uid))
    } else {
        let account = accounts().find(|account| account.name == user)?;
        (account.uid, Some(account))
    };
    let groups = if group.is_empty() {
        let mut groups = vec![account.map_or(current.gid, |account| account.gid)];
        let lists =
            account.map(|account| accounts::memberships(&files.group, account.name)).unwrap_or_default();
        for gid in lists {
            if !groups.contains(&gid) {
                groups.push(gid);
            }
        }
        groups
    } else if is_number(group) {
        vec![id(group)?]
    } else {
        vec![accounts::groups(&files.group).find(|known| known.name == group)?.gid]
    };
    let home = account.map_or(b"/".to_vec(), |account| account.home.to_vec());
    Some(Resolved { ids: Ids { uid, gid: groups[0], groups }, home })
}
