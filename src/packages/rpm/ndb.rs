//! Packages.db, rpm's own format (SUSE): a table of slots, each with the place of a header.
//!
//! Source: lib/backend/ndb/rpmpkg.c of rpm. Numbers are little-endian, and places are counted in blocks of 16 bytes.
//!
//! ```text
//! file: "RpmP" | version 0 | generation | pages of slots | next package | …; in all 32 bytes, then the slots
//! slot: "Slot" | package, 0 if it is free | first block | blocks
//! header's blocks: "BlbS" | package | generation | length | the header, padded to end with:
//!                  Adler-32 | length | "BlbE"
//! ```

use super::pages::{Page, Result, wrong};
use crate::packages::files::Bytes;

const BLOCK: usize = 16;
const SLOT_PAGE: usize = 4096;
const TAIL: usize = 12;

/// Calls a function with each header.
pub fn headers(file: &dyn Bytes, visit: &mut dyn FnMut(&[u8]) -> Result<()>) -> Result<()> {
    let length = file.length()?;
    let mut start = [0; 32];
    if length < start.len() as u64 {
        return wrong(format!("not an ndb database: it has {length} bytes"));
    }
    file.fill(0, &mut start)?;
    let head = Page::little(&start);
    if head.part(0, 4) != Some(b"RpmP") {
        return wrong("not an ndb database");
    }
    if head.u32(4) != 0 {
        return wrong(format!("its format {} is newer than what is known", head.u32(4)));
    }
    let slot_pages = u64::from(head.u32(12));
    if slot_pages * SLOT_PAGE as u64 > length {
        return wrong(format!("it has no room for its {slot_pages} pages of slots"));
    }
    let mut bytes_left = length;
    let mut page = vec![0; SLOT_PAGE];
    for number in 0..slot_pages {
        file.fill(number * SLOT_PAGE as u64, &mut page)?;
        let skipped = if number == 0 { start.len() } else { 0 };
        for slot in page.get(skipped..).unwrap_or_default().chunks_exact(BLOCK) {
            let slot = Page::little(slot);
            if slot.part(0, 4) != Some(b"Slot") {
                return wrong("one of its slots is damaged");
            }
            let (package, first, blocks) = (slot.u32(4), slot.u32(8), slot.u32(12));
            if package == 0 {
                continue;
            }
            let size = u64::from(blocks) * BLOCK as u64;
            // Every block belongs to one header, so that all of them together are not longer than the file.
            bytes_left = match bytes_left.checked_sub(size) {
                Some(left) => left,
                None => return wrong("its headers have more bytes than the file"),
            };
            let mut blob = vec![0; usize::try_from(size).unwrap_or(usize::MAX)];
            file.fill(u64::from(first) * BLOCK as u64, &mut blob)?;
            match header(&blob, package) {
                Some(header) => visit(header)?,
                None => return wrong(format!("the header of package {package} is damaged")),
            }
        }
    }
    Ok(())
}

/// The header in its blocks, if it is the package's and whole.
fn header(blob: &[u8], package: u32) -> Option<&[u8]> {
    let head = Page::little(blob);
    let length = head.u32(12) as usize;
    let end = blob.len().checked_sub(TAIL)?;
    let tail = Page::little(blob.get(end..)?);
    let is_whole = head.part(0, 4) == Some(b"BlbS")
        && head.u32(4) == package
        && tail.part(8, 4) == Some(b"BlbE")
        && tail.u32(4) as usize == length
        && length <= end.checked_sub(BLOCK)?;
    let summed = blob.get(..end)?;
    (is_whole && tail.u32(0) == adler32(summed)).then_some(head.part(BLOCK, length)?)
}

fn adler32(bytes: &[u8]) -> u32 {
    let (mut one, mut two) = (1u32, 0u32);
    // As many as can be added up before a sum has to be reduced.
    for part in bytes.chunks(5552) {
        for byte in part {
            one += u32::from(*byte);
            two += one;
        }
        one %= 65521;
        two %= 65521;
    }
    two << 16 | one
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_checksum_is_the_one_that_zlib_has() {
        assert_eq!(adler32(b"Wikipedia"), 0x11e6_0398);
        assert_eq!(adler32(&[0xff; 100_000]), 0x149a_302c);
    }
}
