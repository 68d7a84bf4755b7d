//! /etc/passwd and /etc/group, read strictly.
//!
//! passwd(5) and group(5) say what a line is. glibc would read them through NSS, which loads shared libraries into the
//! process, as root, before privileges are dropped; a static program must not do that.

use super::id;

/// No account file is nearly as large; a longer one is not read.
pub const MAX_FILE: u64 = 16 << 20;

/// A line of /etc/passwd.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Account<'a> {
    /// The user's name.
    pub name: &'a [u8],
    /// The user's id.
    pub uid: u32,
    /// The id of the primary group.
    pub gid: u32,
    /// The home directory.
    pub home: &'a [u8],
}

/// A line of /etc/group.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Group<'a> {
    /// The group's name.
    pub name: &'a [u8],
    /// The group's id.
    pub gid: u32,
    /// The names of the members, with commas between them.
    members: &'a [u8],
}

impl<'a> Account<'a> {
    /// Reads one line without its end; `None` for everything that is not exactly an account: seven fields, a name,
    /// and two ids. Such lines (comments, NIS's `+` and `-`, garbage) are nobody's account.
    pub fn parse(line: &'a [u8]) -> Option<Account<'a>> {
        let [name, _password, uid, gid, _gecos, home, _shell] = fields(line)?;
        let account = Account { name, uid: id::parse(uid).ok()?, gid: id::parse(gid).ok()?, home };
        is_name(name).then_some(account)
    }
}

impl<'a> Group<'a> {
    /// Reads one line without its end; `None` for everything that is not exactly a group: four fields, a name, and an id.
    pub fn parse(line: &'a [u8]) -> Option<Group<'a>> {
        let [name, _password, gid, members] = fields(line)?;
        let group = Group { name, gid: id::parse(gid).ok()?, members };
        is_name(name).then_some(group)
    }

    /// Whether a user is listed as a member.
    pub fn has_member(&self, user: &[u8]) -> bool {
        !user.is_empty() && self.members.split(|byte| *byte == b',').any(|member| member == user)
    }

    /// Whether any user is listed.
    pub fn has_members(&self) -> bool {
        !self.members.is_empty()
    }
}

/// The accounts of a passwd file, in order.
pub fn accounts(passwd: &[u8]) -> impl Iterator<Item = Account<'_>> {
    lines(passwd).filter_map(Account::parse)
}

/// The groups of a group file, in order.
pub fn groups(group: &[u8]) -> impl Iterator<Item = Group<'_>> {
    lines(group).filter_map(Group::parse)
}

/// The ids of the groups that list a user as a member.
pub fn memberships(group: &[u8], user: &[u8]) -> Vec<u32> {
    groups(group).filter(|group| group.has_member(user)).map(|group| group.gid).collect()
}

/// The lines of a file without their ends.
pub fn lines(file: &[u8]) -> impl Iterator<Item = &[u8]> {
    file.split(|byte| *byte == b'\n').map(without_end)
}

/// A line without its end, of which carriage returns before the line feed are a part.
pub fn without_end(line: &[u8]) -> &[u8] {
    let line = line.strip_suffix(b"\n").unwrap_or(line);
    let length = line.iter().rposition(|byte| *byte != b'\r').map_or(0, |last| last + 1);
    line.get(..length).unwrap_or_default()
}

/// Exactly so many fields as asked for.
fn fields<const N: usize>(line: &[u8]) -> Option<[&[u8]; N]> {
    let mut fields: [&[u8]; N] = [&[]; N];
    let mut parts = line.split(|byte| *byte == b':');
    for field in &mut fields {
        *field = parts.next()?;
    }
    parts.next().is_none().then_some(fields)
}

/// Whether a text can be the name of a user or group: what useradd(8) with --badname and a file of such lines still
/// allow, less what NIS, comments and ids give another meaning.
pub fn is_name(name: &[u8]) -> bool {
    let special = matches!(name.first(), None | Some(b'+' | b'-' | b'#' | b'~'));
    let odd = |byte: &u8| byte.is_ascii_control() || b" \t:,/".contains(byte);
    !special && !name.iter().any(odd)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_a_whole_line_is_an_account() {
        let root = Account { name: b"root", uid: 0, gid: 0, home: b"/root" };
        assert_eq!(Account::parse(b"root:x:0:0:root:/root:/bin/bash"), Some(root));
        assert_eq!(Account::parse(b"root::0:0:::"), Some(Account { home: b"", ..root }));
        for line in [
            "",
            "#root:x:0:0:root:/root:/bin/bash",
            "+",
            "+::::::",
            "-root:x:0:0:::",
            ":x:0:0::/:/bin/sh",
            "root:x:0:0:root:/root",
            "root:x:0:0:root:/root:/bin/bash:more",
            "root:x:-1:0::/:",
            "root:x: 0:0::/:",
            "root:x:4294967296:0::/:",
            "root:x::0::/:",
            "ro ot:x:0:0::/:",
        ] {
            assert_eq!(Account::parse(line.as_bytes()), None, "{line:?}");
        }
    }

    #[test]
    fn a_group_file_of_any_kind_is_read_as_far_as_it_makes_sense() {
        let mut file = b"root:x:0:\n# a comment\n\ngarbage\n+:::\ndos:x:5:a,user\r\nhuge:x:6:".to_vec();
        for n in 0..20_000 {
            file.extend_from_slice(format!("member{n},").as_bytes());
        }
        // No line feed at the end.
        file.extend_from_slice(b"user\nwrong:x:0x7:user\nlast:x:8:user");
        assert_eq!(memberships(&file, b"user"), [5, 6, 8]);
        assert_eq!(memberships(&file, b"member19999"), [6]);
        assert_eq!(memberships(&file, b""), Vec::<u32>::new());
        assert_eq!(groups(&file).count(), 4);
    }

    #[test]
    fn a_user_called_like_a_number_is_not_found_by_that_number() {
        let file = b"111:x:5:5::/:/bin/sh\n";
        assert_eq!(accounts(file).find(|account| account.uid == 111), None);
        assert!(accounts(file).any(|account| account.name == b"111"));
    }
}
