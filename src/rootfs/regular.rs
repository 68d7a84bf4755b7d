//! A regular file of a root that is open for reading.

use std::fs::File;
use std::io::{self, Read, Seek, Write};
use std::os::fd::AsFd;
use std::os::unix::fs::FileExt;
use std::rc::Rc;

use nix::errno::Errno;

use super::metadata::Metadata;
use crate::elf::Bytes;
use crate::sys;

/// A regular file that is open for reading: a file of a file system, or a part of one, as an archive's files are.
#[derive(Debug, Clone)]
pub struct Regular {
    /// The file that it is in.
    file: Rc<File>,
    metadata: Metadata,
    part: Option<Part>,
}

/// What is to be known of a file that is a part of another one.
#[derive(Debug, Clone)]
struct Part {
    /// Where it begins.
    start: u64,
    capabilities: Option<Vec<u8>>,
    /// What was told of the file that it is in.
    whole: Metadata,
}

impl Regular {
    /// A file of this machine.
    pub fn of(file: File) -> io::Result<Regular> {
        let metadata = Metadata::of(file.as_fd())?;
        Ok(Regular::whole(file, metadata))
    }

    /// A file of a file system, as it was found.
    pub(super) fn whole(file: File, metadata: Metadata) -> Regular {
        Regular { file: Rc::new(file), metadata, part: None }
    }

    /// A file whose bytes are a part of this one from an offset on; it has as many as its metadata say.
    pub fn part(&self, start: u64, metadata: Metadata, capabilities: Option<Vec<u8>>) -> Regular {
        let part = Part {
            start: self.start().saturating_add(start),
            capabilities,
            whole: self.part.as_ref().map_or(self.metadata, |part| part.whole),
        };
        Regular { file: Rc::clone(&self.file), metadata, part: Some(part) }
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
        let filled = self.fill_at(start, &mut bytes)?;
        bytes.truncate(filled);
        Ok(bytes)
    }

    /// Reads it from its beginning.
    pub fn reader(&self) -> impl Read + '_ {
        Reader { file: self, at: 0 }
    }

    /// A file of its own: itself, or a copy of the part, which has no name and is gone when it is closed.
    pub fn into_file(self) -> io::Result<File> {
        match &self.part {
            None => Rc::try_unwrap(self.file).or_else(|file| file.try_clone()),
            Some(_) => {
                // No error of this file's place is one of the root's, that a file is not there.
                let mut copy = sys::temporary_file().map_err(|error| {
                    let directory = std::env::temp_dir();
                    io::Error::other(format!(
                        "copy it to {}: {error} (TMPDIR names another directory)",
                        directory.display()
                    ))
                })?;
                let mut at = 0;
                loop {
                    let part = self.read_part(at, 1 << 20)?;
                    if part.is_empty() {
                        break;
                    }
                    // Zeros take no room.
                    match part.iter().all(|byte| *byte == 0) {
                        true => copy.seek_relative(part.len() as i64)?,
                        false => copy.write_all(&part)?,
                    }
                    at = at.saturating_add(part.len() as u64);
                }
                copy.set_len(at)?;
                copy.rewind()?;
                Ok(copy)
            }
        }
    }

    /// The open file that it is in.
    pub(super) fn file(&self) -> &File {
        &self.file
    }

    /// Where it begins in that.
    pub(super) fn start(&self) -> u64 {
        self.part.as_ref().map_or(0, |part| part.start)
    }

    /// Whether it is as it was when it was found.
    pub(super) fn is_unchanged(&self) -> Result<bool, Errno> {
        let known = self.part.as_ref().map_or(&self.metadata, |part| &part.whole);
        Ok(Metadata::of(self.file.as_fd())? == *known)
    }

    /// Its capabilities (capabilities(7)).
    pub(super) fn capabilities(&self) -> io::Result<Option<Vec<u8>>> {
        match &self.part {
            None => sys::capabilities(self.file.as_fd()),
            Some(part) => Ok(part.capabilities.clone()),
        }
    }
}

struct Reader<'a> {
    file: &'a Regular,
    at: u64,
}

impl Read for Reader<'_> {
    fn read(&mut self, buffer: &mut [u8]) -> io::Result<usize> {
        let length = self.file.read_at(self.at, buffer)?;
        self.at = self.at.saturating_add(length as u64);
        Ok(length)
    }
}

impl Bytes for Regular {
    fn length(&self) -> u64 {
        self.metadata.size
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let rest = usize::try_from(self.metadata.size.saturating_sub(offset)).unwrap_or(usize::MAX);
        let buffer = match &self.part {
            // What is behind it is another file's.
            Some(_) if rest < buffer.len() => buffer.get_mut(..rest).unwrap_or_default(),
            _ => buffer,
        };
        self.file.read_at(buffer, self.start().saturating_add(offset))
    }
}
