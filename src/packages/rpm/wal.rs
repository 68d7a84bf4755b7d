//! SQLite's write-ahead log: the pages of a database that were written last, which its file does not have yet.
//!
//! rpm writes through such a log, and a process that ends in the middle, or a layer of an image that was made meanwhile, leaves it
//! beside the database. Without it packages are missing or there that are not. What was committed in it is taken as
//! SQLite would take it on opening the database ("Recovery" in the documentation of the WAL file format); nothing is written.

use std::collections::BTreeMap;

use super::pages::{Page, Result, wrong};
use crate::packages::files::Bytes;

const HEADER: usize = 32;
const FRAME: usize = 24;

/// Where the committed pages are in a log.
#[derive(Debug, Default)]
pub(super) struct Log {
    /// The offset of the newest contents of a page, by its number.
    pub(super) pages: BTreeMap<u32, u64>,
    /// How many pages the database has, as of the last commit.
    pub(super) count: Option<u32>,
}

impl Log {
    /// Reads a log. One that was never written, or is of another generation, has no pages; what follows the last commit is not looked at.
    pub(super) fn read(log: &dyn Bytes, page_size: usize) -> Result<Log> {
        let length = log.length()?;
        let mut header = [0; HEADER];
        if length < HEADER as u64 {
            return Ok(Log::default());
        }
        log.fill(0, &mut header)?;
        let start = Page::big(&header);
        // The last bit says in which byte order the checksums were computed.
        let is_big_endian = match start.u32(0) {
            0x377f_0682 => false,
            0x377f_0683 => true,
            _ => return Ok(Log::default()),
        };
        let mut sum = Sum { is_big_endian, values: (0, 0) };
        sum.add(header.get(..24).unwrap_or_default());
        if sum.values != (start.u32(24), start.u32(28)) {
            return Ok(Log::default());
        }
        if start.u32(4) != 3_007_000 {
            return wrong(format!("its write-ahead log has version {}", start.u32(4)));
        }
        if start.u32(8) as usize != page_size {
            return wrong(format!("its write-ahead log has pages of {} bytes", start.u32(8)));
        }
        let (salt, mut committed, mut pending) = (start.part(16, 8), Log::default(), BTreeMap::new());
        let mut frame = vec![0; FRAME + page_size];
        let mut offset = HEADER as u64;
        while offset + frame.len() as u64 <= length {
            log.fill(offset, &mut frame)?;
            let page = Page::big(&frame);
            sum.add(frame.get(..8).unwrap_or_default());
            sum.add(frame.get(FRAME..).unwrap_or_default());
            if page.part(8, 8) != salt || sum.values != (page.u32(16), page.u32(20)) {
                break;
            }
            pending.insert(page.u32(0), offset + FRAME as u64);
            if page.u32(4) != 0 {
                committed.pages.append(&mut pending);
                committed.count = Some(page.u32(4));
            }
            offset += frame.len() as u64;
        }
        Ok(committed)
    }
}

/// The checksum of a log: it goes on from frame to frame.
struct Sum {
    is_big_endian: bool,
    values: (u32, u32),
}

impl Sum {
    fn add(&mut self, bytes: &[u8]) {
        let page = Page { bytes, is_big_endian: self.is_big_endian };
        let (mut one, mut two) = self.values;
        for offset in (0..bytes.len()).step_by(8) {
            one = one.wrapping_add(page.u32(offset)).wrapping_add(two);
            two = two.wrapping_add(page.u32(offset + 4)).wrapping_add(one);
        }
        self.values = (one, two);
    }
}
