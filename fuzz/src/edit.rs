//! Adding the user to the account files.

use gb::entrypoint::identity::accounts::{self, Account, Group};
use gb::entrypoint::identity::edit::{Edited, User, line_to_append, with_home, with_user};
use gb::entrypoint::identity::{Files, HOME};

use super::{id, parts};

/// The files know the user afterwards, and nothing else about them has changed. The input: the uid, the gid and further
/// gids of the user in a line; passwd; group; and shadow, if there is to be one.
pub fn edit(input: &[u8]) {
    let mut parts = parts(input);
    let ids = parts.next().unwrap_or_default();
    let mut ids = ids.split(u8::is_ascii_whitespace).filter_map(id);
    let uid = ids.next().unwrap_or(9001);
    let user = User {
        uid,
        gid: ids.next().unwrap_or(uid),
        extra: ids.take(8).collect(),
        replaces: true,
        home: HOME.into(),
    };
    let mut file = || parts.next().map(<[u8]>::to_vec);
    let files =
        Files { passwd: file().unwrap_or_default(), group: file().unwrap_or_default(), shadow: file() };

    let edited = with_user(&files, &user);
    let again = with_user(&edited.files, &user);
    assert_eq!(again.files, edited.files, "once is enough");
    assert_eq!(again.name, edited.name);
    let is_new = passwd(&files, &user, &edited);
    home(&edited.files.passwd, uid);
    appended(&files.passwd, uid);
    group(&files, &user, &edited);
    shadow(&files, &edited, is_new);
}

/// Whether there is a new account.
fn passwd(files: &Files, user: &User, edited: &Edited) -> bool {
    let changes = changes(&files.passwd, &edited.files.passwd);
    let known = accounts::accounts(&files.passwd).find(|account| account.uid == user.uid);
    if let Some(known) = known {
        assert_eq!(edited.name.as_deref(), Some(known.name));
        assert!(changes.is_empty(), "whoever has an account keeps it");
    }
    assert!(user.uid != 0 || changes.is_empty(), "no account is root's");
    assert!(changes.len() <= 1, "one account is enough");
    let Some((old, new)) = changes.first() else {
        assert!(edited.earlier_uid.is_none());
        return false;
    };
    let earlier =
        old.map(|line| Account::parse(line).filter(|_| is_own_line(line)).expect("an account of gb's own"));
    assert_eq!(edited.earlier_uid, earlier.map(|earlier| earlier.uid));
    let name = edited.name.as_deref().expect("a new account has a name");
    assert!(name == b"user" || name == format!("user-{}", user.uid).as_bytes());
    let password = if files.shadow.is_some() { 'x' } else { '*' };
    let rest = format!(":{password}:{}:{}::{HOME}:/bin/bash", user.uid, user.gid);
    assert_eq!(*new, [name, rest.as_bytes()].concat());
    for account in accounts::accounts(&edited.files.passwd).filter(|account| account.name == name) {
        assert_eq!((account.uid, account.gid), (user.uid, user.gid), "the name is nobody else's");
    }
    true
}

fn group(files: &Files, user: &User, edited: &Edited) {
    let groups: Vec<Group<'_>> = accounts::groups(&edited.files.group).collect();
    let is_taken =
        |name: String| accounts::lines(&edited.files.group).any(|line| loose_name(line) == name.as_bytes());
    let changes = changes(&files.group, &edited.files.group);
    let name = edited.name.as_deref().unwrap_or_default();
    // The user who takes the place of an earlier one is in none of that one's groups.
    let left = |line: &[u8]| match edited.earlier_uid {
        Some(_) => without_member(line, name),
        None => line.to_vec(),
    };
    let mut named = 0;
    for (old, new) in &changes {
        let made = Group::parse(new).expect("what is written is a group");
        let end = if made.has_members() { name } else { b"" };
        let line = [made.name, format!(":x:{}:", made.gid).as_bytes(), end].concat();
        match old {
            // A group of the earlier user's.
            Some(old) if *new == left(old) => (),
            // The earlier user's own group.
            Some(old) if made.gid == user.gid => {
                let old = left(old);
                let was = Group::parse(&old).expect("what is replaced is a group");
                assert!(was.name == b"user" && !was.has_members() && edited.files.passwd != files.passwd);
                assert_eq!((*new, made.name), (line.as_slice(), b"user".as_slice()));
                named += 1;
            }
            Some(old) => {
                assert!(user.extra.contains(&made.gid) && !name.is_empty());
                let old = left(old);
                let was = Group::parse(&old).expect("what is joined is a group");
                let comma: &[u8] = if was.has_members() { b"," } else { b"" };
                assert_eq!(*new, [&old, comma, name].concat());
            }
            None => {
                let word = if made.has_members() { "group" } else { "user" };
                assert!(
                    made.name == word.as_bytes() || made.name == format!("{word}-{}", made.gid).as_bytes()
                );
                assert_eq!(*new, line);
                assert!(if made.has_members() {
                    user.extra.contains(&made.gid)
                } else {
                    made.gid == user.gid
                });
                named += usize::from(!made.has_members());
            }
        }
        let same = groups.iter().filter(|group| group.gid == made.gid && group.name == made.name).count();
        assert!(same == 1 || old.is_some(), "a new group is nobody else's");
    }
    assert!(named <= 1, "one name for a group is enough");
    let is_new = edited.files.passwd != files.passwd;
    let has_name = groups.iter().any(|group| group.gid == user.gid);
    assert!(!is_new || has_name || is_taken("user".into()) && is_taken(format!("user-{}", user.gid)));
    if edited.name.is_some() {
        let member_of = accounts::memberships(&edited.files.group, name);
        let is_asked = member_of.iter().all(|gid| user.extra.contains(gid));
        assert!(edited.earlier_uid.is_none() || is_asked, "none of the earlier user's groups");
        for gid in user.extra.iter().filter(|gid| **gid != user.gid) {
            let no_name = is_taken("group".into()) && is_taken(format!("group-{gid}"));
            assert!(member_of.contains(gid) || no_name, "a member of {gid}");
        }
    }
}

/// The line, without a user in the list of its members.
fn without_member(line: &[u8], user: &[u8]) -> Vec<u8> {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
    match fields[..] {
        [name, password, gid, members] if Group::parse(line).is_some_and(|group| group.has_member(user)) => {
            let others: Vec<&[u8]> = members.split(|byte| *byte == b',').filter(|m| *m != user).collect();
            [name, password, gid, &others.join(&b',')].join(&b':')
        }
        _ => line.to_vec(),
    }
}

fn shadow(files: &Files, edited: &Edited, is_new: bool) {
    let (Some(old), Some(new)) = (&files.shadow, &edited.files.shadow) else {
        assert_eq!(files.shadow, edited.files.shadow);
        return;
    };
    let changes = changes(old, new);
    let name = edited.name.as_deref().unwrap_or_default();
    for (old, new) in &changes {
        assert!(is_new, "only a new account needs a lock");
        match old {
            Some(old) => {
                assert_eq!(loose_name(old), name);
                let (start, rest) =
                    old.split_at(old.iter().position(|byte| *byte == b':').expect("a field") + 1);
                assert!(!rest.starts_with(b"!") && !rest.starts_with(b"*"), "what is locked was open");
                assert_eq!(*new, [start, b"!", rest].concat());
            }
            None => assert_eq!(*new, [name, b":!:::::::"].concat()),
        }
    }
    if is_new {
        let start = [name, b":"].concat();
        assert!(accounts::lines(new).any(|line| line.starts_with(&start)));
        for line in accounts::lines(new).filter(|line| loose_name(line) == name) {
            let password = line.split(|byte| *byte == b':').nth(1);
            assert!(
                password.is_none_or(|field| field.starts_with(b"!") || field.starts_with(b"*")),
                "no password fits"
            );
        }
    }
}

/// The name as glibc reads it, which takes blanks before it.
fn loose_name(line: &[u8]) -> &[u8] {
    line.trim_ascii_start().split(|byte| *byte == b':').next().unwrap_or_default()
}

/// The lines that are other ones, with what was there before, if anything was: each line stays in its place, and new ones
/// come last.
fn changes<'a>(old: &'a [u8], new: &'a [u8]) -> Vec<(Option<&'a [u8]>, &'a [u8])> {
    let mut changes = Vec::new();
    let mut old_lines = old.split_inclusive(|byte| *byte == b'\n');
    let mut new_lines = new.split_inclusive(|byte| *byte == b'\n').peekable();
    for before in old_lines.by_ref() {
        let after = new_lines.next().expect("no line is lost");
        // A last line without an end gets one when others come after it.
        let is_ended = new_lines.peek().is_some() && after.strip_suffix(b"\n") == Some(before);
        if before != after && !is_ended {
            assert!(after.ends_with(b"\n"));
            changes.push((Some(without_end(before)), after.strip_suffix(b"\n").unwrap_or(after)));
        }
    }
    for line in new_lines {
        assert!(line.ends_with(b"\n"));
        changes.push((None, line.strip_suffix(b"\n").unwrap_or(line)));
    }
    // A file that ended within a line may still do so, if it was another line that has changed.
    assert!(old == new || new.ends_with(b"\n") || !old.ends_with(b"\n"));
    changes
}

fn without_end(line: &[u8]) -> &[u8] {
    let mut line = line.strip_suffix(b"\n").unwrap_or(line);
    while let Some(shorter) = line.strip_suffix(b"\r") {
        line = shorter;
    }
    line
}

/// Whether gb or useradd(8) writes such a line for the name `user`.
fn is_own_line(line: &[u8]) -> bool {
    let fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
    let plain = |text: &[u8]| id(text).is_some_and(|id| id.to_string().as_bytes() == text);
    matches!(fields[..], [b"user", b"x" | b"*", uid, gid, b"", home, b"/bin/bash"]
        if plain(uid) && plain(gid) && (home == HOME.as_bytes() || is_substitute(home, uid)))
}

/// Whether gb gives this home to a user who can't have /home/user.
fn is_substitute(home: &[u8], uid: &[u8]) -> bool {
    [b"/tmp".as_slice(), b"/var/tmp", b"/dev/shm"]
        .iter()
        .any(|place| [place, b"/gb-home-".as_slice(), uid].concat() == home)
}

/// Another home changes one field of one line, and not root's.
fn home(passwd: &[u8], uid: u32) {
    let home = format!("/tmp/gb-home-{uid}");
    let known = |file: &[u8]| {
        accounts::accounts(file)
            .find(|account| account.uid == uid)
            .map(|account| account.home == home.as_bytes())
    };
    let Some(moved) = with_home(passwd, uid, home.as_ref()) else {
        return assert!(uid == 0 || known(passwd) != Some(false));
    };
    assert!(uid != 0 && known(&moved) == Some(true));
    let changes = changes(passwd, &moved);
    let [(Some(old), new)] = changes[..] else { panic!("one line: {changes:?}") };
    let fields = |line: &[u8]| line.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect::<Vec<_>>();
    let mut expected = fields(old);
    expected[5] = home.clone().into_bytes();
    assert_eq!(fields(new), expected);
}

/// A line that is appended makes an account, and leaves every other line as it is.
fn appended(passwd: &[u8], uid: u32) {
    let is_known = accounts::accounts(passwd).any(|account| account.uid == uid);
    let Some(line) = line_to_append(passwd, uid, 0, HOME.as_ref()) else { return };
    assert!(!is_known);
    let after = [passwd, &line].concat();
    assert!(after.ends_with(b"\n"));
    let new: Vec<_> = accounts::accounts(&after).collect();
    let old: Vec<_> = accounts::accounts(passwd).collect();
    assert!(
        new.starts_with(&old)
            && new.len() == old.len() + 1
            && new.last().is_some_and(|account| account.uid == uid)
    );
}
