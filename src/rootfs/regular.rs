//! A regular file of a root that is open for reading.

use std::fs::File;
use std::io;
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;

use nix::errno::Errno;

use super::metadata::Metadata;
use crate::elf::Bytes;
use crate::sys;

/// A regular file that is open for reading.
#[derive(Debug)]
pub struct Regular {
    file: File,
    metadata: Metadata,
}

impl Regular {
    /// A file of a file system, as it was found.
    pub(super) fn whole(file: File, metadata: Metadata) -> Regular {
        Regular { file, metadata }
    }

    /// What is told of it; as it was found.
    pub fn metadata(&self) -> &Metadata {
        &self.metadata
    }

    /// Its bytes from an offset, at most so many, and fewer where it ends.
    pub fn read_part(&self, start: u64, most: u64) -> io::Result<Vec<u8>> {
        // One more than it is said to have, so that one that has grown is noticed.
        let most = most.min(self.metadata.size.saturating_sub(start).saturating_add(1));
        let mut bytes = vec![0; usize::try_from(most).map_err(|_| Errno::EFBIG)?];
        let mut filled = 0;
        while let Some(rest) = bytes.get_mut(filled..).filter(|rest| !rest.is_empty()) {
            match self.read_at(start.saturating_add(filled as u64), rest) {
                Ok(0) => break,
                Ok(length) => filled += length,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// The file itself.
    pub fn into_file(self) -> io::Result<File> {
        Ok(self.file)
    }

    /// The open file.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Whether it is as it was when it was found.
    pub(super) fn is_unchanged(&self) -> Result<bool, Errno> {
        Ok(Metadata::of(self.file.as_fd())? == self.metadata)
    }

    /// Its capabilities (capabilities(7)).
    pub(super) fn capabilities(&self) -> io::Result<Option<Vec<u8>>> {
        sys::capabilities(self.file.as_fd())
    }
}

impl Bytes for Regular {
    fn length(&self) -> u64 {
        self.metadata.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        self.file.read_at(buffer, offset)
    }
}
