//! Packages (RHEL and UBI up to 8): a hash table of Berkeley DB, of which every bucket is read.
//!
//! Source: dbinc/db_page.h of Berkeley DB. Numbers are in the byte order of the machine that wrote it.
//!
//! ```text
//! page 0:   8 log | own number | magic 0x061561 (12) | version (16) | page size (20) | encryption (24) | type 8 (25) |
//!           flags (26) | … | last page (32) | … | last bucket (72) | … | 32 of u32: pages before a bucket's (96)
//! a page:   8 log | own number | previous | next (16) | entries, or bytes used (20, 22) | level (24) | type (25)
//! entries:  u16 offsets from 26 on, in turn of a key and of its value; the first byte there is the kind
//! elsewhere (kind 3): 3 unused | first page (4) | length (8); that page and what follows are of type 7
//! ```

use super::pages::{Page, Result, wrong};
use crate::packages::files::Bytes;

const HEADER: usize = 26;
const MAGIC: u32 = 0x0006_1561;

/// Kinds of entries.
const HERE: u8 = 1;
const ELSEWHERE: u8 = 3;

/// Types of pages.
const HASH_UNSORTED: u8 = 2;
const OVERFLOW: u8 = 7;
const HASH_METADATA: u8 = 8;
const HASH: u8 = 13;

struct Berkeley<'a> {
    file: &'a dyn Bytes,
    is_big_endian: bool,
    page_size: usize,
    last_page: u32,
    /// How many more pages are read before it is clear that they lead to themselves: each belongs to one place.
    pages_left: u64,
    /// How many more bytes there can be in values within their buckets' pages.
    bytes_left: u64,
}

/// Calls a function with each header.
pub fn headers(file: &dyn Bytes, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let length = file.length()?;
    let mut start = [0; 512];
    if length < start.len() as u64 {
        return wrong(format!("not a Berkeley DB: it has {length} bytes"));
    }
    file.fill(0, &mut start)?;
    let is_big_endian = match Page::little(&start).u32(12) {
        MAGIC => false,
        other if other.swap_bytes() == MAGIC => true,
        _ => return wrong("not a Berkeley DB with a hash table"),
    };
    let page = Page { bytes: &start, is_big_endian };
    let (version, page_size, last_page) = (page.u32(16), page.u32(20) as usize, page.u32(32));
    if !(5..=10).contains(&version) || page.u8(25) != HASH_METADATA {
        return wrong(format!("version {version} of its hash table is not known"));
    }
    // Encrypted, and with checksums in the pages: rpm writes neither.
    if page.u8(24) != 0 || page.u8(26) & 1 != 0 {
        return wrong("it is encrypted, or has checksums");
    }
    if !page_size.is_power_of_two() || !(512..=65536).contains(&page_size) {
        return wrong(format!("its pages of {page_size} bytes are none of Berkeley DB's"));
    }
    if u64::from(last_page) * page_size as u64 >= length {
        return wrong(format!("it ends before page {last_page}"));
    }
    let pages_left = u64::from(last_page) + 1;
    let mut database = Berkeley { file, is_big_endian, page_size, last_page, pages_left, bytes_left: length };
    let last_bucket = page.u32(72);
    if last_bucket > last_page {
        return wrong(format!("it has {last_bucket} buckets in {last_page} pages"));
    }
    for bucket in 0..=last_bucket {
        // Buckets are added in doublings, the pages of each together.
        let doublings = (u32::BITS - bucket.leading_zeros()) as usize;
        let mut number = bucket.wrapping_add(page.u32(96 + 4 * doublings));
        while number != 0 {
            let bytes = database.page(number)?;
            let here = Page { bytes: &bytes, is_big_endian };
            match here.u8(25) {
                HASH | HASH_UNSORTED => database.entries(here, visit)?,
                // A bucket that was made with its doubling and never used.
                0 => break,
                kind => return wrong(format!("page {number} has type {kind} instead of a bucket's")),
            }
            number = here.u32(16);
        }
    }
    Ok(())
}

impl Berkeley<'_> {
    /// The headers among the entries of a page.
    fn entries(&mut self, page: Page<'_>, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
        let count = usize::from(page.u16(20));
        let offset = |entry: usize| usize::from(page.u16(HEADER + 2 * entry));
        for key in (0..count.saturating_sub(1)).step_by(2) {
            let (at, end) = (offset(key + 1), offset(key));
            let entry = page.bytes.get(at..end).unwrap_or_default();
            let value = match entry.first() {
                Some(&HERE) => {
                    self.bytes_left = match self.bytes_left.checked_sub(entry.len() as u64) {
                        Some(left) => left,
                        None => return wrong("its values have more bytes than the file"),
                    };
                    entry.get(1..).unwrap_or_default().to_vec()
                }
                Some(&ELSEWHERE) => {
                    let entry = Page { bytes: entry, ..page };
                    self.elsewhere(entry.u32(4), entry.u32(8) as usize)?
                }
                kind => return wrong(format!("an entry is damaged (kind {kind:?})")),
            };
            // Under the number 0 is the next package's number.
            let is_counter = page.part(offset(key) + 1, 4) == Some(&[0; 4]) && value.len() == 4;
            if !is_counter {
                visit(&value)?;
            }
        }
        Ok(())
    }

    /// A value in pages of its own.
    fn elsewhere(&mut self, first: u32, length: usize) -> Result<Vec<u8>> {
        let mut value = Vec::new();
        let mut number = first;
        while number != 0 {
            let bytes = self.page(number)?;
            let page = Page { bytes: &bytes, is_big_endian: self.is_big_endian };
            let part = page.part(HEADER, usize::from(page.u16(22)));
            match part {
                Some(part) if page.u8(25) == OVERFLOW => value.extend_from_slice(part),
                _ => return wrong(format!("page {number} is not the rest of a value")),
            }
            number = page.u32(16);
        }
        match value.len() == length {
            true => Ok(value),
            false => wrong(format!("a value of {length} bytes has {}", value.len())),
        }
    }

    fn page(&mut self, number: u32) -> Result<Vec<u8>> {
        if number > self.last_page {
            return wrong(format!("page {number} of {} is asked for", self.last_page));
        }
        self.pages_left = match self.pages_left.checked_sub(1) {
            Some(left) => left,
            None => return wrong("its pages lead to themselves"),
        };
        let mut page = vec![0; self.page_size];
        self.file.fill(u64::from(number) * self.page_size as u64, &mut page)?;
        Ok(page)
    }
}
