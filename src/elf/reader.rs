//! Reading parts of a file, each no longer than the file is.

use std::cell::RefCell;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use super::ElfError;

/// A file's bytes.
pub trait Bytes {
    /// How many there are.
    fn length(&self) -> u64;

    /// Reads some from an offset, at most as many as the buffer has room for; 0 at the end.
    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize>;

    /// Fills a buffer from an offset as far as there are bytes; how far.
    fn fill_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let mut filled = 0;
        while let Some(rest) = buffer.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(offset.saturating_add(filled as u64), rest) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        Ok(filled)
    }
}

impl Bytes for [u8] {
    fn length(&self) -> u64 {
        self.len().try_into().unwrap_or(u64::MAX)
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        let length = rest.len().min(buffer.len());
        if let (Some(from), Some(to)) = (rest.get(..length), buffer.get_mut(..length)) {
            to.copy_from_slice(from);
        }
        Ok(length)
    }
}

impl Bytes for &[u8] {
    fn length(&self) -> u64 {
        (**self).length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        (**self).read_at(offset, buffer)
    }
}

impl Bytes for Vec<u8> {
    fn length(&self) -> u64 {
        self.as_slice().length()
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.as_slice().read_at(offset, buffer)
    }
}

/// A file whose length was told by fstat(2).
impl Bytes for (File, u64) {
    fn length(&self) -> u64 {
        self.1
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.0.read_at(buffer, offset)
    }
}

/// What a header and the program headers of most files fit in.
const CHUNK: usize = 4096;
/// How many are kept: what is read of a file lies in a few places.
const KEPT: usize = 16;
/// No single part that is read whole is larger.
const LARGEST: u64 = 4 << 20;

/// Reads a file in chunks, of which the last ones are kept.
pub struct Reader<'a> {
    file: &'a dyn Bytes,
    chunks: RefCell<Vec<(u64, Rc<[u8]>)>>,
}

impl<'a> Reader<'a> {
    /// Begins to read a file.
    pub fn new(file: &'a dyn Bytes) -> Reader<'a> {
        Reader { file, chunks: RefCell::default() }
    }

    /// How many bytes it has.
    pub fn length(&self) -> u64 {
        self.file.length()
    }

    /// Reads a part of the file; `what` it is, for the error.
    pub fn read(&self, offset: u64, length: u64, what: &'static str) -> Result<Vec<u8>, ElfError> {
        let end = offset.checked_add(length).filter(|end| *end <= self.length());
        let end = end.ok_or(ElfError::outside(what))?;
        if length > LARGEST {
            return Err(ElfError::large(what));
        }
        let mut bytes = Vec::with_capacity(usize::try_from(length).unwrap_or_default());
        let mut at = offset;
        while at < end {
            let part = self.chunk_from(at, what)?;
            let wanted = usize::try_from(end - at).unwrap_or(usize::MAX);
            let part = part.get(wanted);
            if part.is_empty() {
                return Err(ElfError::outside(what));
            }
            bytes.extend_from_slice(part);
            at = at.saturating_add(part.len().try_into().unwrap_or(u64::MAX));
        }
        Ok(bytes)
    }

    /// Reads a text that a NUL byte ends, which is before an offset and no longer than a limit.
    pub(super) fn text(&self, offset: u64, end: u64, what: &'static str) -> Result<Vec<u8>, ElfError> {
        const LONGEST: usize = 1 << 16;
        let mut text = Vec::new();
        let mut at = offset;
        while at < end {
            let part = self.chunk_from(at, what)?;
            let part = part.get(usize::try_from(end - at).unwrap_or(usize::MAX));
            if part.is_empty() {
                break;
            }
            if let Some(length) = part.iter().position(|byte| *byte == 0) {
                text.extend(part.iter().take(length));
                return Ok(text);
            }
            text.extend_from_slice(part);
            if text.len() > LONGEST {
                return Err(ElfError::large(what));
            }
            at = at.saturating_add(part.len().try_into().unwrap_or(u64::MAX));
        }
        Err(ElfError::outside(what))
    }

    /// The chunk that an offset is in, from that offset on.
    fn chunk_from(&self, offset: u64, what: &'static str) -> Result<Part, ElfError> {
        // pread(2) refuses offsets beyond any file, which would look as if the file could not be read.
        if offset >= self.length() {
            return Err(ElfError::outside(what));
        }
        let size = u64::try_from(CHUNK).unwrap_or(1);
        let start = offset - offset % size;
        let skip = usize::try_from(offset - start).unwrap_or_default();
        let mut chunks = self.chunks.borrow_mut();
        if let Some(at) = chunks.iter().position(|(found, _)| *found == start) {
            let found = chunks.remove(at);
            let chunk = Rc::clone(&found.1);
            chunks.push(found);
            return Ok(Part { chunk, skip });
        }
        let mut buffer = vec![0; CHUNK];
        let filled = self.file.fill_at(start, &mut buffer);
        buffer.truncate(filled.map_err(|error| ElfError::Unreadable(error.to_string()))?);
        let chunk: Rc<[u8]> = buffer.into();
        if chunks.len() == KEPT {
            chunks.remove(0);
        }
        chunks.push((start, Rc::clone(&chunk)));
        Ok(Part { chunk, skip })
    }
}

/// A chunk without its first bytes.
struct Part {
    chunk: Rc<[u8]>,
    skip: usize,
}

impl Part {
    /// At most so many bytes of it.
    fn get(&self, most: usize) -> &[u8] {
        let rest = self.chunk.get(self.skip..).unwrap_or_default();
        rest.get(..most).unwrap_or(rest)
    }
}

/// How a file writes its numbers.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Layout {
    /// Whether addresses have 64 bits.
    pub is_wide: bool,
    /// Whether the most significant byte comes first.
    pub is_big: bool,
}

impl Layout {
    /// A number of two bytes.
    pub fn u16(self, bytes: &[u8], at: usize) -> u16 {
        let bytes = array(bytes, at);
        if self.is_big { u16::from_be_bytes(bytes) } else { u16::from_le_bytes(bytes) }
    }

    /// A number of four bytes.
    pub fn u32(self, bytes: &[u8], at: usize) -> u32 {
        let bytes = array(bytes, at);
        if self.is_big { u32::from_be_bytes(bytes) } else { u32::from_le_bytes(bytes) }
    }

    /// A number of the class's size.
    pub fn word(self, bytes: &[u8], at: usize) -> u64 {
        if !self.is_wide {
            return self.u32(bytes, at).into();
        }
        let bytes = array(bytes, at);
        if self.is_big { u64::from_be_bytes(bytes) } else { u64::from_le_bytes(bytes) }
    }
}

/// Some bytes from an offset; what is read is as long as what it is made of, so there are none beyond it.
fn array<const N: usize>(bytes: &[u8], at: usize) -> [u8; N] {
    bytes.get(at..).and_then(|rest| rest.first_chunk()).copied().unwrap_or([0; N])
}
