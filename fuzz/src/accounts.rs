//! /etc/passwd and /etc/group.

use gb::entrypoint::identity::accounts::{self, Account, Group};
use gb::entrypoint::identity::id;

use super::is_name;

/// A line is an account exactly if it has seven fields of which the first is a name, the third and fourth are ids.
pub fn passwd(file: &[u8]) {
    lines(file);
    for line in accounts::lines(file) {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        fields.iter().for_each(|field| any_id(field));
        let expected = match fields[..] {
            [name, _, uid, gid, _, home, _] if is_name(name) => {
                super::id(uid).zip(super::id(gid)).map(|(uid, gid)| Account { name, uid, gid, home })
            }
            _ => None,
        };
        assert_eq!(Account::parse(line), expected);
    }
    let once: Vec<Account<'_>> = accounts::accounts(file).collect();
    for account in &once {
        assert!(account.uid <= id::MAX && account.gid <= id::MAX);
        assert!(!account.name.iter().chain(account.home).any(|byte| b":\n".contains(byte)));
        assert!(!account.name.iter().any(u8::is_ascii_control));
    }
    let twice = [file, b"\n", file].concat();
    let twice: Vec<Account<'_>> = accounts::accounts(&twice).collect();
    assert_eq!(twice, [once.as_slice(), &once].concat(), "a line does not depend on others");
}

/// A line is a group exactly if it has four fields of which the first is a name, and the third is an id; its members are
/// between the commas of the last.
pub fn group(file: &[u8]) {
    lines(file);
    for line in accounts::lines(file) {
        let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        fields.iter().for_each(|field| any_id(field));
        let expected = match fields[..] {
            [name, _, gid, members] if is_name(name) => super::id(gid).map(|gid| (name, gid, members)),
            _ => None,
        };
        let group = Group::parse(line);
        assert_eq!(group, Group::parse(line));
        assert_eq!(
            group.map(|group| (group.name, group.gid, group.has_members())),
            expected.map(|(name, gid, members)| (name, gid, !members.is_empty()))
        );
        if let Some((group, (_, gid, members))) = group.zip(expected) {
            assert!(!group.has_member(b""));
            assert!(!members.contains(&b',') || !group.has_member(members));
            // All of a long list against all of it would take long.
            for member in members.split(|byte| *byte == b',').filter(|member| !member.is_empty()).take(16) {
                assert!(group.has_member(member));
                assert!(accounts::memberships(file, member).contains(&gid));
                let longer = [member, b"\0"].concat();
                assert_eq!(
                    group.has_member(&longer),
                    members.split(|byte| *byte == b',').any(|m| m == longer)
                );
            }
        }
    }
    assert!(accounts::memberships(file, b"").is_empty());
    assert!(accounts::groups(file).all(|group| group.gid <= id::MAX && is_name(group.name)));
}

/// Lines have no ends, and nothing but ends is lost.
fn lines(file: &[u8]) {
    let mut rest = file;
    for line in accounts::lines(file) {
        assert!(!line.contains(&b'\n'));
        rest = rest.strip_prefix(line).expect("the lines come one after the other");
        let ends = rest.iter().take_while(|byte| **byte == b'\r').count();
        rest = &rest[ends..];
        rest = rest.strip_prefix(b"\n").unwrap_or(rest);
    }
    assert!(rest.is_empty());
}

/// A text is an id exactly if it is ASCII digits whose number is in range; what is none is explained in a line.
fn any_id(text: &[u8]) {
    match id::parse(text) {
        Ok(number) => assert_eq!(super::id(text), Some(number)),
        Err(error) => {
            assert_eq!(super::id(text), None);
            assert!(!error.to_string().is_empty() && !error.to_string().contains('\n'));
        }
    }
}
