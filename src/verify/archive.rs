//! Archives of objects: the form that System V, GNU and BSD have in common, and where they differ (ar(5), binutils' ar.h and
//! bfd/archive.c, LLVM's ArchiveWriter).
//!
//! After the magic each member has a header of text: name 16, time 12, owner 6, group 6, mode 8, size 10, end 2. GNU has a slash
//! behind a name, and longer names in a member `//`, where `/NUMBER` tells the place; BSD has longer names in front of what is in
//! the member, `#1/LENGTH`. The members of a thin archive are files of their own.

use crate::elf::{Bytes, ElfError, Reader};

/// How an archive is written.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Form {
    /// With what is in its members.
    Full,
    /// With the names of files alone.
    Thin,
}

/// What is in an archive, as far as it can be read.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Archive {
    /// How it is written.
    pub form: Form,
    /// Its members in order, without those that are an index of the others.
    pub members: Vec<Member>,
    /// Where it can't be read any further, and why.
    pub damage: Option<Damage>,
}

/// A file in an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Member {
    /// Its name; of a thin archive's the path from the directory that the archive is in.
    pub name: Vec<u8>,
    /// Where its header is.
    pub offset: u64,
    /// Where in the archive it begins, and how long it is. A thin archive has it elsewhere.
    pub place: Option<(u64, u64)>,
    /// Of a thin archive's: where its header is in the file of that name, if that is an archive itself.
    pub nested: Option<u64>,
}

/// What is wrong with an archive.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("damaged at byte {offset}: {what}")]
pub struct Damage {
    /// Where.
    pub offset: u64,
    /// What.
    pub what: String,
}

const MAGIC_LENGTH: u64 = 8;
const HEADER: u64 = 60;
/// No real archive has more members.
const MOST_MEMBERS: usize = 1 << 18;
/// Nor longer names, each and altogether.
const LONGEST_NAME: u64 = 4096;
const MOST_TEXT: usize = 16 << 20;
const WHAT: &str = "a member";

/// What a name in a header stands for.
enum Named {
    /// A name.
    Name(Vec<u8>),
    /// A name at this place of the table of long ones; behind a colon, where the member is in the archive of that name.
    Long(u64, Option<u64>),
    /// A name of this length in front of the member.
    Front(u64),
    /// The table of long names.
    Table,
    /// An index of symbols.
    Index,
}

impl Archive {
    /// Reads an archive, whose magic was seen.
    pub fn read(file: &dyn Bytes) -> Result<Archive, ElfError> {
        let reader = Reader::new(file);
        let magic = reader.read(0, MAGIC_LENGTH, "its magic")?;
        let form = if magic == b"!<thin>\n" { Form::Thin } else { Form::Full };
        let mut archive = Archive { form, members: Vec::new(), damage: None };
        archive.damage = archive.walk(&reader).err();
        Ok(archive)
    }

    fn walk(&mut self, reader: &Reader<'_>) -> Result<(), Damage> {
        let mut at = MAGIC_LENGTH;
        let mut long_names = None;
        let mut text = 0;
        while at < reader.length() {
            let damage = |what: &str| Damage { offset: at, what: what.to_owned() };
            let (named, size) = header(reader, at)?;
            let start = at + HEADER;
            let is_elsewhere = self.form == Form::Thin && !matches!(named, Named::Table | Named::Index);
            let end = if is_elsewhere { Some(start) } else { start.checked_add(size) };
            let end = end.filter(|end| *end <= reader.length());
            let end = end.ok_or_else(|| damage("a member is longer than what is left of the archive"))?;
            let mut nested = None;
            let (name, start) = match named {
                Named::Index => (None, start),
                Named::Table => {
                    long_names = Some((start, size));
                    (None, start)
                }
                Named::Name(name) => (Some(name), start),
                Named::Long(place, within) => {
                    nested = within;
                    let name = long_name(reader, long_names, place);
                    (Some(name.ok_or_else(|| damage("a member's long name is not there"))?), start)
                }
                Named::Front(length) => {
                    let name =
                        (length <= size && length <= LONGEST_NAME).then(|| reader.read(start, length, WHAT));
                    let name = name
                        .and_then(Result::ok)
                        .ok_or_else(|| damage("a member's long name is not there"))?;
                    let name = name.split(|byte| *byte == 0).next().unwrap_or_default().to_vec();
                    ((!is_index(&name)).then_some(name), start + length)
                }
            };
            if let Some(name) = name {
                text += name.len();
                if self.members.len() == MOST_MEMBERS || text > MOST_TEXT {
                    return Err(damage("there are more members than gb is willing to look at"));
                }
                let place = (!is_elsewhere).then(|| (start, end - start));
                self.members.push(Member {
                    name,
                    offset: at,
                    place,
                    nested: nested.filter(|_| is_elsewhere),
                });
            }
            at = end.next_multiple_of(2);
        }
        Ok(())
    }
}

/// What the header at a place says: the name, and the size of what follows.
fn header(reader: &Reader<'_>, at: u64) -> Result<(Named, u64), Damage> {
    let damage = |what: &str| Damage { offset: at, what: what.to_owned() };
    let header = reader.read(at, HEADER, WHAT).map_err(|error| match error {
        ElfError::Unreadable(error) => damage(&error),
        _ => damage("a member's header is cut off"),
    })?;
    if header.get(58..60) != Some(b"`\n") {
        return Err(damage("there is no member's header"));
    }
    let size = decimal(header.get(48..58).unwrap_or_default());
    let size = size.ok_or_else(|| damage("a member's size is no number"))?;
    let named = named(header.get(..16).unwrap_or_default());
    Ok((named.ok_or_else(|| damage("a member's name makes no sense"))?, size))
}

/// Where what is in the member begins whose header is at a place of an archive, and how long it is.
pub(super) fn place_of(file: &dyn Bytes, at: u64) -> Result<(u64, u64), Damage> {
    let (named, size) = header(&Reader::new(file), at)?;
    let front = if let Named::Front(length) = named { length } else { 0 };
    let start = at.checked_add(HEADER).and_then(|start| start.checked_add(front));
    let place = start.zip(size.checked_sub(front));
    let place =
        place.filter(|(start, size)| start.checked_add(*size).is_some_and(|end| end <= file.length()));
    let what = "a member is longer than what is left of the archive";
    place.ok_or_else(|| Damage { offset: at, what: what.to_owned() })
}

/// BSD's and Darwin's indices, and LLVM's.
fn is_index(name: &[u8]) -> bool {
    [b"__.SYMDEF".as_slice(), b"__.SYMDEF SORTED", b"__.SYMDEF_64", b"__.SYMDEF_64 SORTED"].contains(&name)
}

fn named(field: &[u8]) -> Option<Named> {
    let name = field.trim_ascii_end();
    match name {
        b"/" | b"/SYM64/" => return Some(Named::Index),
        b"//" | b"ARFILENAMES/" => return Some(Named::Table),
        _ if is_index(name) => return Some(Named::Index),
        _ => {}
    }
    if let Some(length) = name.strip_prefix(b"#1/") {
        return decimal(length).map(Named::Front);
    }
    match name.strip_prefix(b"/") {
        // Of a member of an archive in a thin archive the place in that one follows.
        Some(place) => {
            let mut numbers = place.splitn(2, |byte| *byte == b':');
            let place = decimal(numbers.next()?)?;
            // binutils takes 0 for none.
            let nested = numbers.next().map(|number| decimal(number).ok_or(())).transpose().ok()?;
            Some(Named::Long(place, nested.filter(|nested| *nested > 0)))
        }
        None => Some(Named::Name(name.strip_suffix(b"/").unwrap_or(name).to_vec())),
    }
}

/// A number with blanks behind it.
fn decimal(field: &[u8]) -> Option<u64> {
    let digits = field.trim_ascii_end();
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// GNU ends a long name by a slash and a line feed, Microsoft by a NUL byte.
fn long_name(reader: &Reader<'_>, table: Option<(u64, u64)>, place: u64) -> Option<Vec<u8>> {
    let (start, size) = table?;
    let left = size.checked_sub(place).filter(|left| *left > 0)?;
    let text = reader.read(start.checked_add(place)?, left.min(LONGEST_NAME), WHAT).ok()?;
    let end = text.iter().position(|byte| [b'\n', 0].contains(byte))?;
    let name = text.get(..end)?;
    Some(name.strip_suffix(b"/").unwrap_or(name).to_vec())
}
