//! Unpacking what gzip has packed (RFC 1952): any number of members, each with its checksum. Pure.

use miniz_oxide::inflate::TINFLStatus;
use miniz_oxide::inflate::core::{DecompressorOxide, decompress, inflate_flags::TINFL_FLAG_HAS_MORE_INPUT};

use crate::elf::Bytes;

/// What such a file begins with.
pub const MAGIC: &[u8] = &[0x1f, 0x8b];

/// Why it can't be unpacked.
#[derive(Debug, thiserror::Error)]
pub enum GzipError {
    /// It, or what is unpacked, can't be read or written.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// It ends before it should.
    #[error("its gzip data are cut off")]
    CutOff,
    /// It is not what was packed.
    #[error("its gzip data are damaged ({0})")]
    Damaged(&'static str),
    /// There is too much of it.
    #[error("unpacked it has more than {0} bytes, which is more than gb is willing to write")]
    Large(u64),
}

/// Flags of a member's header.
/// (It has two bytes.)
const HAS_CHECKSUM: u8 = 2;
const HAS_EXTRA: u8 = 4;
const HAS_NAME: u8 = 8;
const HAS_COMMENT: u8 = 16;

/// Unpacks a file; `write` is given what is unpacked, of which there may be `most` bytes. How many there were.
pub fn unpack(
    packed: &dyn Bytes,
    most: u64,
    write: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<u64, GzipError> {
    let mut input = Input { packed, at: 0, buffer: vec![0; 64 << 10], used: 0, filled: 0 };
    let mut total = 0;
    loop {
        input.header()?;
        member(&mut input, most, &mut total, write)?;
        if input.rest()?.is_empty() {
            return Ok(total);
        }
    }
}

/// Unpacks what follows a member's header.
fn member(
    input: &mut Input<'_>,
    most: u64,
    total: &mut u64,
    write: &mut dyn FnMut(&[u8]) -> std::io::Result<()>,
) -> Result<(), GzipError> {
    // What is unpacked refers to at most so many bytes before it, and the buffer is a ring of them.
    let mut window = vec![0; 64 << 10];
    let mut state = Box::new(DecompressorOxide::new());
    let (mut at, mut length, mut checksum) = (0, 0_u32, !0_u32);
    loop {
        let rest = input.rest()?;
        let flags = if rest.is_empty() { 0 } else { TINFL_FLAG_HAS_MORE_INPUT };
        let (status, read, written) = decompress(&mut state, rest, &mut window, at, flags);
        input.used += read;
        let part = window.get(at..at + written).unwrap_or_default();
        *total = total.saturating_add(written as u64);
        if *total > most {
            return Err(GzipError::Large(most));
        }
        checksum = crc32(checksum, part);
        length = length.wrapping_add(written as u32);
        write(part)?;
        at = (at + written) % window.len();
        match status {
            TINFLStatus::Done => break,
            TINFLStatus::NeedsMoreInput | TINFLStatus::HasMoreOutput if read + written > 0 => {}
            TINFLStatus::NeedsMoreInput | TINFLStatus::FailedCannotMakeProgress => {
                return Err(GzipError::CutOff);
            }
            _ => return Err(GzipError::Damaged("no code of deflate")),
        }
    }
    if input.number()? != !checksum || input.number()? != length {
        return Err(GzipError::Damaged("its checksum is another"));
    }
    Ok(())
}

/// The packed bytes, some at a time.
struct Input<'a> {
    packed: &'a dyn Bytes,
    /// Where the bytes after the buffer are.
    at: u64,
    buffer: Vec<u8>,
    used: usize,
    filled: usize,
}

impl Input<'_> {
    /// Bytes that were not used yet; none at the end.
    fn rest(&mut self) -> Result<&[u8], GzipError> {
        if self.used >= self.filled {
            self.filled = self.packed.fill_at(self.at, &mut self.buffer)?;
            self.at = self.at.saturating_add(self.filled as u64);
            self.used = 0;
        }
        Ok(self.buffer.get(self.used..self.filled).unwrap_or_default())
    }

    #[inline(never)]
    fn byte(&mut self) -> Result<u8, GzipError> {
        let byte = self.rest()?.first().copied().ok_or(GzipError::CutOff)?;
        self.used += 1;
        Ok(byte)
    }

    fn number(&mut self) -> Result<u32, GzipError> {
        Ok(u32::from_le_bytes([self.byte()?, self.byte()?, self.byte()?, self.byte()?]))
    }

    /// A member's header.
    fn header(&mut self) -> Result<(), GzipError> {
        let magic = [self.byte()?, self.byte()?];
        if magic != MAGIC || self.byte()? != 8 {
            return Err(GzipError::Damaged("there is no header"));
        }
        let flags = self.byte()?;
        // The time, and what packed it.
        self.pass(6)?;
        if flags & HAS_EXTRA != 0 {
            let length = u16::from_le_bytes([self.byte()?, self.byte()?]);
            self.pass(length)?;
        }
        for text in [HAS_NAME, HAS_COMMENT] {
            while flags & text != 0 && self.byte()? != 0 {}
        }
        self.pass(u16::from(flags & HAS_CHECKSUM))
    }

    fn pass(&mut self, bytes: u16) -> Result<(), GzipError> {
        (0..bytes).try_for_each(|_| self.byte().map(drop))
    }
}

/// The checksums of all single bytes, by the polynomial of RFC 1952 (section 8).
// An index out of bounds would be an error of the compiler.
#[allow(clippy::indexing_slicing)]
const TABLE: [u32; 256] = {
    let mut table = [0; 256];
    let mut byte = 0;
    while byte < 256 {
        let mut sum = byte as u32;
        let mut bit = 0;
        while bit < 8 {
            sum = if sum & 1 == 0 { sum >> 1 } else { (sum >> 1) ^ 0xedb8_8320 };
            bit += 1;
        }
        table[byte] = sum;
        byte += 1;
    }
    table
};

fn crc32(sum: u32, bytes: &[u8]) -> u32 {
    bytes.iter().fold(sum, |sum, byte| {
        let index = usize::from(sum.to_le_bytes()[0] ^ byte);
        TABLE.get(index).copied().unwrap_or_default() ^ (sum >> 8)
    })
}
