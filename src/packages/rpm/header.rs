//! An rpm header as a database holds it: what is known about one package.
//!
//! Source: docs/manual/format_header.md of rpm, and lib/header.c for what its text leaves out: entries that follow the
//! immutable region ("dribbles") are about the installed package, and replace entries of the region.
//!
//! ```text
//! u32 entries | u32 bytes of data | entries of 16 bytes: u32 tag, u32 type, u32 offset, u32 count | data
//! ```
//! All numbers are big-endian.

use super::pages::Page;

/// The limits of rpm itself (lib/header.c, `hdrchkTags` and `hdrchkData`).
const MOST_ENTRIES: usize = 0xffff;
const MOST_DATA: usize = 0x0fff_ffff;
const ENTRY: usize = 16;

/// What a package's header is asked for: the number of a tag.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Tag(pub u32);

#[allow(missing_docs)]
impl Tag {
    pub const NAME: Tag = Tag(1000);
    pub const VERSION: Tag = Tag(1001);
    pub const RELEASE: Tag = Tag(1002);
    pub const EPOCH: Tag = Tag(1003);
    pub const BUILDTIME: Tag = Tag(1006);
    pub const INSTALLTIME: Tag = Tag(1008);
    pub const SIZE: Tag = Tag(1009);
    pub const VENDOR: Tag = Tag(1011);
    pub const LICENSE: Tag = Tag(1014);
    pub const URL: Tag = Tag(1020);
    pub const ARCH: Tag = Tag(1022);
    pub const OLDFILENAMES: Tag = Tag(1027);
    pub const FILESTATES: Tag = Tag(1029);
    pub const FILEFLAGS: Tag = Tag(1037);
    pub const SOURCERPM: Tag = Tag(1044);
    pub const DIRINDEXES: Tag = Tag(1116);
    pub const BASENAMES: Tag = Tag(1117);
    pub const DIRNAMES: Tag = Tag(1118);
    pub const LONGSIZE: Tag = Tag(5009);
    pub const MODULARITYLABEL: Tag = Tag(5096);
}

/// A header that was read.
#[derive(Debug)]
pub struct Header<'a> {
    entries: Vec<Entry>,
    data: &'a [u8],
}

#[derive(Debug, Clone, Copy)]
struct Entry {
    tag: Tag,
    kind: u32,
    offset: usize,
    count: usize,
}

/// Why a header can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum HeaderError {
    /// It ends before what it announces.
    #[error("a header of {there} bytes announces {entries} entries and {data} bytes of data")]
    Short {
        /// How many bytes there are.
        there: usize,
        /// How many entries it says that it has.
        entries: u32,
        /// How many bytes of data it says that it has.
        data: u32,
    },
    /// What an entry is about is not in the data.
    #[error("tag {tag} of a header is not in its data")]
    Outside {
        /// The number of the tag.
        tag: u32,
    },
    /// An entry is of another type than rpm's.
    #[error("tag {tag} of a header has type {kind} instead of {expected}")]
    Type {
        /// The number of the tag.
        tag: u32,
        /// The number of its type.
        kind: u32,
        /// What the tag's type should be.
        expected: &'static str,
    },
}

impl<'a> Header<'a> {
    /// Reads the list of entries. What they are about is only looked at when it is asked for.
    pub fn parse(blob: &'a [u8]) -> Result<Header<'a>, HeaderError> {
        let (entries, data) = (Page::big(blob).u32(0), Page::big(blob).u32(4));
        let short = HeaderError::Short { there: blob.len(), entries, data };
        let (count, length) = (entries as usize, data as usize);
        if count > MOST_ENTRIES || length > MOST_DATA || blob.len() < 8 {
            return Err(short);
        }
        let start = 8 + count * ENTRY;
        let (Some(list), Some(data)) = (blob.get(8..start), blob.get(start..start + length)) else {
            return Err(short);
        };
        let entries = list.chunks_exact(ENTRY).map(Page::big).map(|entry| Entry {
            tag: Tag(entry.u32(0)),
            kind: entry.u32(4),
            offset: entry.u32(8) as usize,
            count: entry.u32(12) as usize,
        });
        Ok(Header { entries: entries.collect(), data })
    }

    /// A text; none if the package has no such tag. Of a translated one the text that is not translated.
    pub fn text(&self, tag: Tag) -> Result<Option<&'a [u8]>, HeaderError> {
        match self.find(tag) {
            None => Ok(None),
            Some(entry) if matches!(entry.kind, 6 | 8 | 9) => {
                let text = self.data.get(entry.offset..).and_then(first_text);
                Ok(Some(text.ok_or(HeaderError::Outside { tag: tag.0 })?.0))
            }
            Some(entry) => Err(entry.type_error("a text")),
        }
    }

    /// A list of texts; an empty one if the package has no such tag.
    pub fn texts(&self, tag: Tag) -> Result<Vec<&'a [u8]>, HeaderError> {
        let Some(entry) = self.find(tag) else { return Ok(Vec::new()) };
        if !matches!(entry.kind, 6 | 8) {
            return Err(entry.type_error("texts"));
        }
        let outside = HeaderError::Outside { tag: tag.0 };
        let mut rest = self.data.get(entry.offset..).unwrap_or_default();
        // Each text has at least its end, so that no count asks for more memory than the header has bytes.
        if entry.count > rest.len() {
            return Err(outside);
        }
        let mut texts = Vec::with_capacity(entry.count);
        for _ in 0..entry.count {
            let (text, after) = first_text(rest).ok_or_else(|| outside.clone())?;
            texts.push(text);
            rest = after;
        }
        Ok(texts)
    }

    /// A list of numbers; an empty one if the package has no such tag.
    pub fn numbers(&self, tag: Tag) -> Result<Vec<u64>, HeaderError> {
        let Some(entry) = self.find(tag) else { return Ok(Vec::new()) };
        let size = match entry.kind {
            1 | 2 => 1,
            3 => 2,
            4 => 4,
            5 => 8,
            _ => return Err(entry.type_error("numbers")),
        };
        let end = entry.count.checked_mul(size).and_then(|length| entry.offset.checked_add(length));
        let bytes = end.and_then(|end| self.data.get(entry.offset..end));
        let bytes = bytes.ok_or(HeaderError::Outside { tag: tag.0 })?;
        let number = |bytes: &[u8]| bytes.iter().fold(0, |number, byte| number << 8 | u64::from(*byte));
        Ok(bytes.chunks_exact(size).map(number).collect())
    }

    /// The first number of a list; none if the package has no such tag.
    pub fn number(&self, tag: Tag) -> Result<Option<u64>, HeaderError> {
        Ok(self.numbers(tag)?.first().copied())
    }

    fn find(&self, tag: Tag) -> Option<Entry> {
        self.entries.iter().rev().find(|entry| entry.tag == tag).copied()
    }
}

impl Entry {
    fn type_error(&self, expected: &'static str) -> HeaderError {
        HeaderError::Type { tag: self.tag.0, kind: self.kind, expected }
    }
}

/// The text at the beginning, and what follows its end.
fn first_text(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let end = bytes.iter().position(|byte| *byte == 0)?;
    Some((bytes.get(..end)?, bytes.get(end + 1..)?))
}

#[cfg(test)]
pub(in crate::packages) mod tests {
    use super::*;

    /// A header made of tags: their types, counts and bytes.
    pub(in crate::packages) fn header(entries: &[(Tag, u32, u32, &[u8])]) -> Vec<u8> {
        let (mut list, mut data) = (Vec::new(), Vec::new());
        for (tag, kind, count, bytes) in entries {
            for number in [tag.0, *kind, data.len() as u32, *count] {
                list.extend(number.to_be_bytes());
            }
            data.extend_from_slice(bytes);
        }
        [&(entries.len() as u32).to_be_bytes()[..], &(data.len() as u32).to_be_bytes(), &list, &data].concat()
    }

    #[test]
    fn every_type_is_read_and_what_was_added_at_installation_wins() {
        let blob = header(&[
            (Tag::NAME, 6, 1, b"first\0"),
            (Tag::BASENAMES, 8, 3, b"a\0\0ccc\0"),
            (Tag::LICENSE, 9, 2, b"MIT\0MIT-Lizenz\0"),
            (Tag::FILESTATES, 1, 2, &[0, 2]),
            (Tag::LONGSIZE, 5, 1, &[0, 0, 0, 1, 0, 0, 0, 2]),
            (Tag::NAME, 6, 1, b"second\0"),
        ]);
        let header = Header::parse(&blob).unwrap();
        assert_eq!(header.text(Tag::NAME).unwrap(), Some(&b"second"[..]));
        assert_eq!(header.text(Tag::LICENSE).unwrap(), Some(&b"MIT"[..]));
        assert_eq!(header.text(Tag::ARCH).unwrap(), None);
        assert_eq!(header.texts(Tag::BASENAMES).unwrap(), [&b"a"[..], b"", b"ccc"]);
        assert!(header.texts(Tag::DIRNAMES).unwrap().is_empty());
        assert_eq!(header.numbers(Tag::FILESTATES).unwrap(), [0, 2]);
        assert_eq!(header.number(Tag::LONGSIZE).unwrap(), Some(0x1_0000_0002));
        assert_eq!(header.number(Tag::SIZE).unwrap(), None);
    }

    #[test]
    fn what_is_not_there_is_an_error_and_no_count_asks_for_memory() {
        assert!(matches!(Header::parse(b""), Err(HeaderError::Short { there: 0, .. })));
        assert!(Header::parse(&[0xff; 64]).is_err());
        let blob = header(&[
            (Tag::NAME, 6, 1, b"unended"),
            (Tag::BASENAMES, 8, u32::MAX, b"a\0"),
            (Tag::FILESTATES, 4, u32::MAX, &[0; 4]),
            (Tag::VERSION, 7, 1, &[0]),
        ]);
        let header = Header::parse(&blob[..]).unwrap();
        assert_eq!(header.texts(Tag::BASENAMES), Err(HeaderError::Outside { tag: 1117 }));
        assert_eq!(header.numbers(Tag::FILESTATES), Err(HeaderError::Outside { tag: 1029 }));
        assert!(matches!(header.text(Tag::VERSION), Err(HeaderError::Type { kind: 7, .. })));
        assert!(matches!(header.numbers(Tag::NAME), Err(HeaderError::Type { kind: 6, .. })));
        assert!(Header::parse(&blob[..blob.len() - 1]).is_err());
    }
}
