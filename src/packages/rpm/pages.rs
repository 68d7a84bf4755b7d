//! Numbers in pages of bytes, and what is wrong with a database.

use std::io;

/// Why a database can't be read.
#[derive(Debug, thiserror::Error)]
pub enum DatabaseError {
    /// A read failed.
    #[error(transparent)]
    Io(#[from] io::Error),
    /// It is something else, or damaged.
    #[error("{0}")]
    Format(String),
}

/// A result of reading a database.
pub type Result<T> = std::result::Result<T, DatabaseError>;

/// Tells what is wrong with a database.
pub(super) fn wrong<T>(what: impl Into<String>) -> Result<T> {
    Err(DatabaseError::Format(what.into()))
}

/// A page, or another part of a file. What is not there reads as zero, which means "none" or "free" in all of the formats.
#[derive(Debug, Clone, Copy)]
pub(super) struct Page<'a> {
    pub(super) bytes: &'a [u8],
    pub(super) is_big_endian: bool,
}

impl<'a> Page<'a> {
    pub(super) fn big(bytes: &'a [u8]) -> Page<'a> {
        Page { bytes, is_big_endian: true }
    }

    pub(super) fn little(bytes: &'a [u8]) -> Page<'a> {
        Page { bytes, is_big_endian: false }
    }

    pub(super) fn u8(self, offset: usize) -> u8 {
        self.bytes.get(offset).copied().unwrap_or_default()
    }

    pub(super) fn u16(self, offset: usize) -> u16 {
        let mut number = [0; 2];
        self.copy(offset, &mut number);
        if self.is_big_endian { u16::from_be_bytes(number) } else { u16::from_le_bytes(number) }
    }

    pub(super) fn u32(self, offset: usize) -> u32 {
        let mut number = [0; 4];
        self.copy(offset, &mut number);
        if self.is_big_endian { u32::from_be_bytes(number) } else { u32::from_le_bytes(number) }
    }

    /// A part; none if it is not all there.
    pub(super) fn part(self, offset: usize, length: usize) -> Option<&'a [u8]> {
        self.bytes.get(offset..offset.checked_add(length)?)
    }

    fn copy(self, offset: usize, number: &mut [u8]) {
        if let Some(bytes) = self.part(offset, number.len()) {
            number.copy_from_slice(bytes);
        }
    }
}
