//! What the account files say once they know the user.
//!
//! Pure: contents in, contents out. Every line that is not the user's own stays byte for byte.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;

use super::accounts::{self, Account, Group};
use super::home;

/// The name of the user and of its group, and where it lives; the names that the original entrypoint gives.
pub const USER: &str = "user";
/// The home directory.
pub const HOME: &str = "/home/user";
/// The name of a group that is made for an additional id.
const EXTRA_GROUP: &str = "group";

/// The contents of the account files.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Files {
    /// /etc/passwd
    pub passwd: Vec<u8>,
    /// /etc/group
    pub group: Vec<u8>,
    /// /etc/shadow, if there is one.
    pub shadow: Option<Vec<u8>>,
}

/// What the files are to know.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct User {
    /// The user's id.
    pub uid: u32,
    /// The id of the primary group.
    pub gid: u32,
    /// Groups that the user is to be a member of.
    pub extra: Vec<u32>,
    /// Whether the account of an earlier start may be made over to this user. If not, the user gets one of another name.
    pub replaces: bool,
    /// The home that a new account gets.
    pub home: OsString,
}

/// The files with the user in them.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Edited {
    /// The new contents.
    pub files: Files,
    /// The user's name; `None` if every name that it could have is another user's.
    pub name: Option<Vec<u8>>,
    /// The id that the account `user` of an earlier start had, if it has been given to this user.
    pub earlier_uid: Option<u32>,
}

/// Adds the user to the files, as far as they do not know it yet.
pub fn with_user(files: &Files, user: &User) -> Edited {
    let mut edited = Edited { files: files.clone(), name: None, earlier_uid: None };
    let known = accounts::accounts(&files.passwd).find(|account| account.uid == user.uid);
    let earlier = earlier_account(&files.passwd).filter(|_| known.is_none() && user.replaces);
    match known {
        // It has its group as well; whether that has a name is not ours to mend.
        Some(account) => edited.name = Some(account.name.to_vec()),
        // A system without root's line has no use for one that says that root is a user.
        None if user.uid == 0 => {}
        None => add_account(&mut edited, user, earlier),
    }
    for gid in &user.extra {
        let joined = *gid == user.gid;
        if let Some(name) = edited.name.as_deref().filter(|_| !joined) {
            join(&mut edited.files.group, *gid, name);
        }
    }
    edited
}

/// Adds an account and a group, or makes an earlier account over.
fn add_account(edited: &mut Edited, user: &User, earlier: Option<Account<'_>>) {
    let Files { passwd, group, shadow } = &mut edited.files;
    if let Some(name) = free_name(passwd, USER, user.uid, earlier.is_some()) {
        let line = account_line(&name, user.uid, user.gid, user.home.as_bytes(), shadow.is_some());
        match earlier {
            Some(earlier) => {
                edited.earlier_uid = Some(earlier.uid);
                replace_line(passwd, is_own_line, &line);
                // As userdel(8): what the earlier user was a member of is no matter of this one's.
                leave_groups(group, &name);
            }
            None => append_line(passwd, &line),
        }
        if let Some(shadow) = shadow {
            lock_password(shadow, &name);
        }
        edited.name = Some(name);
    }
    name_group(group, user.gid, earlier.map(|account| account.gid));
}

/// `user:x:UID:GID::/home/user:/bin/bash`
fn account_line(name: &[u8], uid: u32, gid: u32, home: &[u8], shadowed: bool) -> Vec<u8> {
    // shadow(5): with an x the password is in /etc/shadow. An asterisk can be no password's hash, an empty field would
    // be no password at all.
    let password = if shadowed { 'x' } else { '*' };
    [name, format!(":{password}:{uid}:{gid}::").as_bytes(), home, b":/bin/bash"].concat()
}

/// A line for a user who can add one to passwd, and change nothing else; with what has to stand before it in the file.
/// `None` if the user has an account, or no name is free.
pub fn line_to_append(passwd: &[u8], uid: u32, gid: u32, home: &OsStr) -> Option<Vec<u8>> {
    if accounts::accounts(passwd).any(|account| account.uid == uid) {
        return None;
    }
    let name = free_name(passwd, USER, uid, false)?;
    let mut text = Vec::new();
    if passwd.last().is_some_and(|byte| *byte != b'\n') {
        text.push(b'\n');
    }
    append_line(&mut text, &account_line(&name, uid, gid, home.as_bytes(), false));
    Some(text)
}

/// passwd with another home for the account of a user; `None` if it tells that home already, or is not to be changed.
///
/// Root's account keeps its home: whatever else is root in the container goes by it, and a later user may be given the
/// directory.
pub fn with_home(passwd: &[u8], uid: u32, home: &OsStr) -> Option<Vec<u8>> {
    let known = accounts::accounts(passwd).find(|account| account.uid == uid)?;
    if uid == 0 || known.home == home.as_bytes() {
        return None;
    }
    let mut first = true;
    let is_it = |line: &[u8]| {
        let found = first && Account::parse(line).is_some_and(|account| account.uid == uid);
        first &= !found;
        found
    };
    let mut passwd = passwd.to_vec();
    edit_lines(&mut passwd, is_it, |line| {
        let mut fields: Vec<&[u8]> = line.split(|byte| *byte == b':').collect();
        // passwd(5): the sixth of seven.
        if let Some(field) = fields.get_mut(5) {
            *field = home.as_bytes();
        }
        fields.join(&b':')
    });
    Some(passwd)
}

/// The account of an earlier start, which can be made over: the container was started again, or the image was made of one.
pub fn earlier_account(passwd: &[u8]) -> Option<Account<'_>> {
    only_line_named(passwd, USER.as_bytes()).filter(|line| is_own_line(line)).and_then(Account::parse)
}

/// The line of a name, if no other line has that name, so that there is no doubt which one is meant.
fn only_line_named<'a>(file: &'a [u8], name: &[u8]) -> Option<&'a [u8]> {
    let mut named = accounts::lines(file).filter(|line| may_be_named(line, name));
    named.next().filter(|_| named.next().is_none())
}

/// Whether some program may take a line for one of this name. glibc also takes lines with blanks before the name, or with
/// fewer fields (fgetpwent(3)), which are no accounts here.
fn may_be_named(line: &[u8], name: &[u8]) -> bool {
    line.trim_ascii_start().split(|byte| *byte == b':').next() == Some(name)
}

/// Whether a line is what [`account_line`], or useradd(8) in the original entrypoint, writes for `user`.
fn is_own_line(line: &[u8]) -> bool {
    Account::parse(line).filter(|account| account.uid != 0).is_some_and(|account| {
        let Account { name, uid, gid, home } = account;
        let is_own_home = home == HOME.as_bytes() || home::is_substitute(OsStr::from_bytes(home), uid);
        name == USER.as_bytes()
            && is_own_home
            && [true, false].iter().any(|shadowed| line == account_line(name, uid, gid, home, *shadowed))
    })
}

/// `user`, or if that is another's name `user-ID`; of the names in a file, but for one that is to be replaced.
fn free_name(file: &[u8], name: &str, id: u32, replaced: bool) -> Option<Vec<u8>> {
    let taken = |name: &[u8]| accounts::lines(file).any(|line| may_be_named(line, name));
    let mut names = [name.to_owned(), format!("{name}-{id}")].into_iter().map(String::into_bytes);
    names.find(|free| !taken(free) || replaced && free == name.as_bytes())
}

/// Gives a group id without a name one.
fn name_group(group: &mut Vec<u8>, gid: u32, earlier: Option<u32>) {
    if accounts::groups(group).any(|known| known.gid == gid) {
        return;
    }
    let is_earlier = |line: &[u8]| {
        Group::parse(line).is_some_and(|group| {
            group.name == USER.as_bytes() && Some(group.gid) == earlier && !group.has_members()
        })
    };
    if only_line_named(group, USER.as_bytes()).is_some_and(is_earlier) {
        replace_line(group, is_earlier, format!("{USER}:x:{gid}:").as_bytes());
    } else {
        add_group(group, USER, gid, b"");
    }
}

/// Makes the user a member of the first group of an id, or of a new one.
fn join(group: &mut Vec<u8>, gid: u32, user: &[u8]) {
    let Some(known) = accounts::groups(group).find(|known| known.gid == gid) else {
        return add_group(group, EXTRA_GROUP, gid, user);
    };
    if known.has_member(user) {
        return;
    }
    let has_members = known.has_members();
    let mut first = true;
    let is_it = |line: &[u8]| {
        let found = first && Group::parse(line).is_some_and(|group| group.gid == gid);
        first &= !found;
        found
    };
    let separator: &[u8] = if has_members { b"," } else { b"" };
    edit_lines(group, is_it, |line| [line, separator, user].concat());
}

/// Takes the user off every list of members.
fn leave_groups(group: &mut Vec<u8>, user: &[u8]) {
    edit_lines(
        group,
        |line| Group::parse(line).is_some_and(|group| group.has_member(user)),
        |line| {
            let start = line.iter().rposition(|byte| *byte == b':').map_or(0, |colon| colon + 1);
            let (start, members) = line.split_at(start);
            let others: Vec<&[u8]> =
                members.split(|byte| *byte == b',').filter(|member| *member != user).collect();
            [start, &others.join(&b',')].concat()
        },
    );
}

fn add_group(group: &mut Vec<u8>, name: &str, gid: u32, member: &[u8]) {
    if let Some(name) = free_name(group, name, gid, false) {
        append_line(group, &[&name, format!(":x:{gid}:").as_bytes(), member].concat());
    }
}

/// Makes sure that nobody can log in as the user by a password, be it empty or one that waits for the account.
fn lock_password(shadow: &mut Vec<u8>, name: &[u8]) {
    let is_open = |line: &[u8]| {
        let password = line.split(|byte| *byte == b':').nth(1);
        may_be_named(line, name)
            && password.is_some_and(|field| !field.starts_with(b"!") && !field.starts_with(b"*"))
    };
    // As usermod(8) --lock does it.
    edit_lines(shadow, is_open, |line| {
        let (name, rest) =
            line.split_at(line.iter().position(|byte| *byte == b':').map_or(0, |colon| colon + 1));
        [name, b"!", rest].concat()
    });
    let start = [name, b":"].concat();
    if !accounts::lines(shadow).any(|line| line.starts_with(&start)) {
        // shadow(5): no password, and no aging.
        append_line(shadow, &[name, b":!:::::::"].concat());
    }
}

fn append_line(file: &mut Vec<u8>, line: &[u8]) {
    if file.last().is_some_and(|byte| *byte != b'\n') {
        file.push(b'\n');
    }
    file.extend_from_slice(line);
    file.push(b'\n');
}

fn replace_line(file: &mut Vec<u8>, is_it: impl FnMut(&[u8]) -> bool, with: &[u8]) {
    edit_lines(file, is_it, |_| with.to_vec());
}

/// Puts other lines in the place of those that are meant. Line ends stay as they are, but for those of changed lines.
fn edit_lines(file: &mut Vec<u8>, mut is_it: impl FnMut(&[u8]) -> bool, edit: impl Fn(&[u8]) -> Vec<u8>) {
    let mut new = Vec::with_capacity(file.len() + 64);
    for whole in file.split_inclusive(|byte| *byte == b'\n') {
        let line = accounts::without_end(whole);
        if is_it(line) {
            new.extend_from_slice(&edit(line));
            new.push(b'\n');
        } else {
            new.extend_from_slice(whole);
        }
    }
    *file = new;
}

#[cfg(test)]
mod tests {
    use super::*;

    const PASSWD: &str = "root:x:0:0:root:/root:/bin/bash\n";
    const GROUP: &str = "root:x:0:\ndocker:x:998:\n";
    const SHADOW: &str = "root:*:20000:0:99999:7:::\n";

    fn files(passwd: &str, group: &str, shadow: Option<&str>) -> Files {
        Files { passwd: passwd.into(), group: group.into(), shadow: shadow.map(Into::into) }
    }

    fn user(uid: u32, gid: u32, extra: &[u32]) -> User {
        User { uid, gid, extra: extra.to_vec(), replaces: true, home: HOME.into() }
    }

    /// What is added to each file, the user's name and the earlier uid.
    #[track_caller]
    fn added(files: &Files, user: &User) -> (String, String, String, String) {
        let edited = with_user(files, user);
        // Whatever it was, doing it again changes nothing.
        assert_eq!(with_user(&edited.files, user).files, edited.files);
        let rest = |new: &[u8], old: &[u8]| {
            String::from_utf8(new.strip_prefix(old).expect("the old lines stay").to_vec()).unwrap()
        };
        let name = String::from_utf8(edited.name.unwrap_or_default()).unwrap();
        let shadow = edited.files.shadow.unwrap_or_default();
        (
            rest(&edited.files.passwd, &files.passwd),
            rest(&edited.files.group, &files.group),
            rest(&shadow, &files.shadow.clone().unwrap_or_default()),
            name,
        )
    }

    #[test]
    fn a_new_user_gets_an_account_a_group_and_a_locked_password() {
        let (passwd, group, shadow, name) =
            added(&files(PASSWD, GROUP, Some(SHADOW)), &user(4242, 4242, &[]));
        assert_eq!(passwd, "user:x:4242:4242::/home/user:/bin/bash\n");
        assert_eq!(
            (group.as_str(), shadow.as_str(), name.as_str()),
            ("user:x:4242:\n", "user:!:::::::\n", "user")
        );
    }

    #[test]
    fn without_a_shadow_file_the_account_has_no_password_that_fits() {
        let (passwd, ..) = added(&files(PASSWD, GROUP, None), &user(4242, 4242, &[]));
        assert_eq!(passwd, "user:*:4242:4242::/home/user:/bin/bash\n");
    }

    #[test]
    fn a_password_that_waits_for_the_account_is_locked() {
        let shadow = |before: &str| {
            let edited = with_user(&files(PASSWD, GROUP, Some(before)), &user(7, 7, &[]));
            String::from_utf8(edited.files.shadow.unwrap()).unwrap()
        };
        assert_eq!(shadow("user::1:2:::::\nuser2::::::::\n"), "user:!:1:2:::::\nuser2::::::::\n");
        assert_eq!(shadow("user:$6$x$y:1::::::\n"), "user:!$6$x$y:1::::::\n");
        assert_eq!(shadow("user:*:1::::::\n"), "user:*:1::::::\n");
        // glibc takes this for the user's, too.
        assert_eq!(shadow(" user::1::::::\n"), " user:!:1::::::\nuser:!:::::::\n");
    }

    #[test]
    fn a_name_that_more_than_one_line_may_have_is_taken() {
        for passwd in [
            "user:x:1000:1000::/home/user:/bin/bash\nuser:x:2000:2000::/home/user:/bin/bash\n",
            "user:x:1000:1000:Somebody:/home/user:/bin/sh\nuser:x:1000:1000::/home/user:/bin/bash\n",
            " user:x:1000:1000\n",
            "user:x:0:0::/home/user:/bin/bash\n",
        ] {
            let (passwd, ..) = added(&files(passwd, "", None), &user(3000, 3000, &[]));
            assert_eq!(passwd, "user-3000:*:3000:3000::/home/user:/bin/bash\n");
        }
        let edited = with_user(
            &files("user:x:1000:1000::/home/user:/bin/bash\n", "user:x:1000:\nuser:x:1000:\n", None),
            &user(3000, 3000, &[]),
        );
        assert_eq!(edited.files.group, b"user:x:1000:\nuser:x:1000:\nuser-3000:x:3000:\n");
    }

    #[test]
    fn a_user_with_an_account_keeps_it() {
        let passwd = format!("{PASSWD}node:x:1000:1000::/home/node:/bin/sh\n");
        let (passwd, group, shadow, name) =
            added(&files(&passwd, GROUP, Some(SHADOW)), &user(1000, 1000, &[]));
        assert_eq!(
            (passwd, group, shadow, name),
            (String::new(), String::new(), String::new(), "node".into())
        );
    }

    #[test]
    fn an_account_is_told_another_home_but_for_roots() {
        let passwd = b"# c\nroot:x:0:0::/root:/bin/sh\na:x:7:7:A, B:/home/a:/bin/zsh\r\nb:x:7:7::/b:\n";
        let moved = with_home(passwd, 7, OsStr::new("/home/user")).unwrap();
        let expected = "# c\nroot:x:0:0::/root:/bin/sh\na:x:7:7:A, B:/home/user:/bin/zsh\nb:x:7:7::/b:\n";
        assert_eq!(String::from_utf8(moved.clone()).unwrap(), expected);
        for (passwd, uid) in [(moved.as_slice(), 7), (passwd, 0), (passwd, 8), (b"", 7)] {
            assert_eq!(with_home(passwd, uid, OsStr::new("/home/user")), None, "{uid}");
        }
    }

    #[test]
    fn who_may_only_append_to_passwd_gets_a_line_without_a_password() {
        let line = |passwd: &str, uid| {
            let line = line_to_append(passwd.as_bytes(), uid, 0, OsStr::new("/tmp/gb-home-7"));
            line.map(|line| String::from_utf8(line).unwrap())
        };
        let expected = "user:*:7:0::/tmp/gb-home-7:/bin/bash\n";
        assert_eq!(line(PASSWD, 7).unwrap(), expected);
        assert_eq!(line("root:x:0:0:::", 7).unwrap(), format!("\n{expected}"));
        assert_eq!(line("user:x:5:5:::\n", 7).unwrap(), expected.replacen("user", "user-7", 1));
        assert_eq!(line("a:x:7:7:::\n", 7), None);
        assert_eq!(line("user:x:5:5:::\nuser-7:x:6:6:::\n", 7), None);
    }

    #[test]
    fn the_account_of_an_earlier_start_is_made_over() {
        let first = with_user(&files(PASSWD, GROUP, Some(SHADOW)), &user(1000, 1000, &[]));
        let second = with_user(&first.files, &user(2000, 3000, &[]));
        assert_eq!(
            second.files.passwd,
            format!("{PASSWD}user:x:2000:3000::/home/user:/bin/bash\n").as_bytes()
        );
        assert_eq!(second.files.group, format!("{GROUP}user:x:3000:\n").as_bytes());
        assert_eq!(second.files.shadow, first.files.shadow);
        assert_eq!((first.earlier_uid, second.earlier_uid), (None, Some(1000)));
        // One that had another home, too, but not one with a home that is not gb's.
        let line = |home: &str| format!("user:*:1000:1000::{home}:/bin/bash\n");
        let passwd = |home: &str| with_user(&files(&line(home), "", None), &user(7, 7, &[])).files.passwd;
        assert_eq!(passwd("/tmp/gb-home-1000"), b"user:*:7:7::/home/user:/bin/bash\n");
        for other in ["/tmp/gb-home-1001", "/home/dev"] {
            let expected = format!("{}user-7:*:7:7::/home/user:/bin/bash\n", line(other));
            assert_eq!(String::from_utf8(passwd(other)).unwrap(), expected);
        }
    }

    #[test]
    fn an_account_that_may_not_be_replaced_is_left_alone() {
        let first = with_user(&files(PASSWD, GROUP, Some(SHADOW)), &user(1000, 1000, &[998])).files;
        let (passwd, group, shadow, name) = added(&first, &User { replaces: false, ..user(2000, 2000, &[]) });
        assert_eq!(passwd, "user-2000:x:2000:2000::/home/user:/bin/bash\n");
        assert_eq!((group.as_str(), shadow.as_str()), ("user-2000:x:2000:\n", "user-2000:!:::::::\n"));
        assert_eq!(name, "user-2000");
    }

    #[test]
    fn the_groups_of_an_earlier_start_are_left() {
        let first = with_user(
            &files(PASSWD, "root:x:0:\ndocker:x:998:a,user,b\n", None),
            &user(1000, 1000, &[5, 998]),
        );
        let second = with_user(&first.files, &user(2000, 2000, &[6]));
        let group = "root:x:0:\ndocker:x:998:a,b\nuser:x:2000:\ngroup:x:5:\ngroup-6:x:6:user\n";
        assert_eq!(String::from_utf8(second.files.group).unwrap(), group);
    }

    #[test]
    fn an_account_of_the_images_own_with_that_name_is_left_alone() {
        let passwd = format!("{PASSWD}user:x:777:777:The image's:/srv:/bin/sh\n");
        let group = format!("{GROUP}user:x:777:\n");
        let (passwd, group, _, name) = added(&files(&passwd, &group, Some(SHADOW)), &user(4242, 4242, &[]));
        assert_eq!(passwd, "user-4242:x:4242:4242::/home/user:/bin/bash\n");
        assert_eq!((group.as_str(), name.as_str()), ("user-4242:x:4242:\n", "user-4242"));
        let passwd = format!("{PASSWD}user:x:777:777:a:/srv:/bin/sh\nuser-4242:x:5:5:::\n");
        let (passwd, _, _, name) = added(&files(&passwd, GROUP, None), &user(4242, 4242, &[]));
        assert_eq!((passwd.as_str(), name.as_str()), ("", ""));
    }

    #[test]
    fn root_is_never_called_user() {
        let (passwd, group, shadow, name) = added(&files("", "", Some("")), &user(0, 0, &[]));
        assert_eq!((passwd, group, shadow, name), Default::default());
    }

    #[test]
    fn additional_groups_are_joined_or_made() {
        let base = files(PASSWD, GROUP, Some(SHADOW));
        let group =
            |extra: &[u32]| String::from_utf8(with_user(&base, &user(7, 7, extra)).files.group).unwrap();
        assert_eq!(group(&[998]), "root:x:0:\ndocker:x:998:user\nuser:x:7:\n");
        assert_eq!(group(&[555]), format!("{GROUP}user:x:7:\ngroup:x:555:user\n"));
        assert_eq!(group(&[555, 556]), format!("{GROUP}user:x:7:\ngroup:x:555:user\ngroup-556:x:556:user\n"));
        assert_eq!(group(&[7]), format!("{GROUP}user:x:7:\n"));
        assert_eq!(group(&[0]), "root:x:0:user\ndocker:x:998:\nuser:x:7:\n");
    }

    #[test]
    fn odd_lines_stay_as_they_are() {
        let passwd = "# comment\r\n\n+\nroot:x:0:0:root:/root:/bin/bash";
        let group = "a:x:5:b\r\nbad line\nsame:x:5:";
        let edited = with_user(&files(passwd, group, None), &user(7, 7, &[5]));
        let text = |bytes: &[u8]| String::from_utf8(bytes.to_vec()).unwrap();
        assert_eq!(text(&edited.files.passwd), format!("{passwd}\nuser:*:7:7::/home/user:/bin/bash\n"));
        assert_eq!(text(&edited.files.group), "a:x:5:b,user\nbad line\nsame:x:5:\nuser:x:7:\n");
        // A carriage return at the very end, too.
        let edited = with_user(&files("", "", None), &user(7, 7, &[]));
        assert_eq!(text(&edited.files.passwd), "user:*:7:7::/home/user:/bin/bash\n");
    }
}
