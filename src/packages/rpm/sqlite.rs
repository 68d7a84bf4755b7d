//! rpmdb.sqlite (Fedora since 33, RHEL since 9): a SQLite database, of which one table is read from its first row to its last.
//!
//! Source: SQLite's documentation of the database file format. A table's rows are the leaves of a B-tree, and the rest of a row
//! that is too long for its page is a chain of overflow pages.

use super::pages::{Page, Result, wrong};
use super::wal::Log;
use crate::packages::files::Bytes;

/// The B-trees that SQLite writes are not deeper (`BTCURSOR_MAX_DEPTH`).
const MOST_LEVELS: usize = 20;

/// A database.
pub struct Sqlite<'a> {
    file: &'a dyn Bytes,
    log: Option<&'a dyn Bytes>,
    written: Log,
    page_size: usize,
    /// Without what is reserved at the end of each page.
    usable: usize,
    page_count: u32,
    /// How many bytes there are in both files, which is more than all rows of a table have.
    length: u64,
}

/// What a column of a row holds.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Value {
    /// Nothing, or a number with a fraction, which rpm does not store.
    Null,
    /// A number.
    Integer(i64),
    /// Bytes, or a text.
    Bytes(Vec<u8>),
}

impl<'a> Sqlite<'a> {
    /// Opens a database, with the write-ahead log beside it if there is one.
    pub fn open(file: &'a dyn Bytes, log: Option<&'a dyn Bytes>) -> Result<Sqlite<'a>> {
        let mut header = [0; 100];
        let length = file.length()?;
        if length < header.len() as u64 {
            return wrong(format!("not a SQLite database: it has {length} bytes"));
        }
        file.fill(0, &mut header)?;
        if !header.starts_with(b"SQLite format 3\0") {
            return wrong("not a SQLite database");
        }
        let start = Page::big(&header);
        let page_size = match start.u16(16) {
            1 => 65536,
            size => usize::from(size),
        };
        let reserved = usize::from(start.u8(20));
        if !page_size.is_power_of_two() || page_size < 512 || page_size - reserved < 480 {
            return wrong(format!("its pages of {page_size} bytes are none of SQLite's"));
        }
        // 1 and 2: without and with a write-ahead log; what a later version writes is for that version to read.
        if start.u8(19) > 2 {
            return wrong(format!("its format {} is newer than what is known", start.u8(19)));
        }
        let written = log.map_or(Ok(Log::default()), |log| Log::read(log, page_size))?;
        let in_file = u32::try_from(length / page_size as u64).unwrap_or(u32::MAX);
        let page_count = written.count.unwrap_or(in_file);
        let length = length.saturating_add(log.map_or(Ok(0), |log| log.length())?);
        Ok(Sqlite { file, log, written, page_size, usable: page_size - reserved, page_count, length })
    }

    /// Calls a function with the columns of each row of a table, in order. False if there is no such table.
    pub fn rows(&self, table: &str, visit: &mut dyn FnMut(Vec<Value>) -> Result<()>) -> Result<bool> {
        // The schema is a table that begins in the first page: type, name, table, first page, text.
        let mut root = None;
        self.walk(1, &mut |row| {
            if let [Value::Bytes(kind), Value::Bytes(name), _, Value::Integer(page), ..] = &row[..] {
                if kind == b"table" && name == table.as_bytes() {
                    root = u32::try_from(*page).ok();
                }
            }
            Ok(())
        })?;
        let Some(root) = root else { return Ok(false) };
        self.walk(root, visit)?;
        Ok(true)
    }

    /// The rows of the B-tree that begins in a page.
    fn walk(&self, root: u32, visit: &mut dyn FnMut(Vec<Value>) -> Result<()>) -> Result<()> {
        // Each page belongs to one place of one tree. So a tree has no more of them than there are, and its rows together
        // are not longer than the database.
        let mut pages_left = self.length / self.page_size as u64 + 1;
        let mut bytes_left = self.length;
        let mut todo = vec![(root, 0)];
        while let Some((number, level)) = todo.pop() {
            if pages_left == 0 || level > MOST_LEVELS {
                return wrong("the pages of a table lead to themselves");
            }
            pages_left -= 1;
            let bytes = self.page(number)?;
            let page = Page::big(&bytes);
            let header = if number == 1 { 100 } else { 0 };
            let cells = usize::from(page.u16(header + 3));
            match page.u8(header) {
                0x05 => {
                    todo.push((page.u32(header + 8), level + 1));
                    for cell in (0..cells).rev() {
                        let pointer = usize::from(page.u16(header + 12 + 2 * cell));
                        todo.push((page.u32(pointer), level + 1));
                    }
                }
                0x0d => {
                    for cell in 0..cells {
                        let pointer = usize::from(page.u16(header + 8 + 2 * cell));
                        let payload = self.payload(page, pointer, &mut bytes_left)?;
                        match columns(&payload) {
                            Some(row) => visit(row)?,
                            None => return wrong(format!("a row in page {number} ends before its columns")),
                        }
                    }
                }
                kind => return wrong(format!("page {number} has type {kind} instead of a table's")),
            }
        }
        Ok(())
    }

    /// A row's bytes, put together from where they are.
    fn payload(&self, page: Page<'_>, pointer: usize, bytes_left: &mut u64) -> Result<Vec<u8>> {
        let (length, after) = varint(page.bytes, pointer);
        let (_row, start) = varint(page.bytes, after);
        *bytes_left = match bytes_left.checked_sub(length) {
            Some(left) => left,
            None => {
                return wrong(format!("its rows have more bytes than the {} that there are", self.length));
            }
        };
        let length = usize::try_from(length).unwrap_or(usize::MAX);
        let local = self.local(length);
        let Some(part) = page.part(start, local) else { return wrong("a row is not in its page") };
        let mut payload = part.to_vec();
        let mut next = if local < length { page.u32(start + local) } else { 0 };
        while payload.len() < length {
            // Page 1 is never one of these, and 0 ends the chain; the length bounds how long it can be.
            if next <= 1 {
                return wrong("the overflow pages of a row end too early");
            }
            let bytes = self.page(next)?;
            let overflow = Page::big(&bytes);
            let size = (self.usable - 4).min(length - payload.len());
            payload.extend_from_slice(overflow.part(4, size).unwrap_or_default());
            next = overflow.u32(0);
        }
        Ok(payload)
    }

    /// How much of a row of a length is in its page.
    fn local(&self, length: usize) -> usize {
        let most = self.usable - 35;
        if length <= most {
            return length;
        }
        let least = (self.usable - 12) * 32 / 255 - 23;
        let rest = least + (length - least) % (self.usable - 4);
        if rest <= most { rest } else { least }
    }

    /// A page, from the log if it was written since.
    fn page(&self, number: u32) -> Result<Vec<u8>> {
        if number == 0 || number > self.page_count {
            return wrong(format!("page {number} of {} is asked for", self.page_count));
        }
        let mut page = vec![0; self.page_size];
        match (self.log, self.written.pages.get(&number)) {
            (Some(log), Some(offset)) => log.fill(*offset, &mut page)?,
            _ => self.file.fill(u64::from(number - 1) * self.page_size as u64, &mut page)?,
        }
        Ok(page)
    }
}

/// The columns of a row: how long each is stands before them all.
fn columns(payload: &[u8]) -> Option<Vec<Value>> {
    let (length, mut at) = varint(payload, 0);
    let end = usize::try_from(length).ok()?;
    let header = payload.get(..end)?;
    let mut body = payload.get(end..)?;
    let mut row = Vec::new();
    while at < end {
        let (kind, next) = varint(header, at);
        at = next;
        let size = match kind {
            0 | 8..=11 => 0,
            1..=4 => kind,
            5 => 6,
            6 | 7 => 8,
            _ => (kind - 12) / 2,
        };
        let (bytes, rest) = body.split_at_checked(usize::try_from(size).ok()?)?;
        body = rest;
        row.push(match kind {
            1..=6 => {
                // The number of the first byte has the sign.
                let sign = bytes.first().is_some_and(|byte| *byte >= 0x80);
                let number = if sign { -1 } else { 0 };
                Value::Integer(bytes.iter().fold(number, |number, byte| number << 8 | i64::from(*byte)))
            }
            8 | 9 => Value::Integer(i64::from(kind == 9)),
            0 | 7 | 10 | 11 => Value::Null,
            _ => Value::Bytes(bytes.to_vec()),
        });
    }
    Some(row)
}

/// A number of one to nine bytes, and where it ends. What is not there reads as zero.
fn varint(bytes: &[u8], start: usize) -> (u64, usize) {
    let mut number = 0;
    for place in 0..8 {
        let byte = bytes.get(start + place).copied().unwrap_or_default();
        number = number << 7 | u64::from(byte & 0x7f);
        if byte < 0x80 {
            return (number, start + place + 1);
        }
    }
    let last = bytes.get(start + 8).copied().unwrap_or_default();
    (number << 8 | u64::from(last), start + 9)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_of_every_length_are_read() {
        for (bytes, expected) in [
            (&[0x05][..], (5, 1)),
            (&[0x81, 0x00], (128, 2)),
            (&[0xff; 9], (u64::MAX, 9)),
            (&[0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x07], (7, 9)),
        ] {
            assert_eq!(varint(bytes, 0), expected, "{bytes:?}");
        }
        let row = columns(&[8, 0, 1, 2, 8, 9, 16, 15, 0x85, 0x01, 0x00, b'a', b'b', b'c']);
        let integer = Value::Integer;
        assert_eq!(
            row.unwrap(),
            [
                Value::Null,
                integer(-123),
                integer(256),
                integer(0),
                integer(1),
                Value::Bytes(b"ab".to_vec()),
                Value::Bytes(b"c".to_vec())
            ]
        );
        assert_eq!(columns(&[3, 16]), None);
        assert_eq!(columns(&[2, 16, b'a']), None);
    }
}
