//! What is in an archive: objects, each for some machine, or what has none.

use std::io;

use super::archive::{Archive, Member, place_of};
use super::format::Format;
use crate::elf::{Bytes, ElfError, FloatAbi, Header, check_length, float_abi_of_object};
use crate::platform::Platform;

/// A member, and what it is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Item {
    /// Its name.
    pub name: Vec<u8>,
    /// Where its header is in the archive.
    pub offset: u64,
    /// What it is.
    pub content: Content,
}

/// What a member is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Content {
    /// An ELF file, and how it hands over floating point numbers, if it says so.
    Elf(Header, Option<FloatAbi>),
    /// A damaged one.
    Bad(ElfError),
    /// LLVM's intermediate form.
    Bitcode,
    /// An object or a summary of Go's own, for this system and architecture.
    Go {
        /// Go's name of the system.
        goos: String,
        /// Go's name of the architecture.
        goarch: String,
        /// The version of Go that wrote it.
        version: String,
    },
    /// A file of a thin archive that can't be read.
    Gone(String),
    /// Anything else.
    Other,
}

/// Part of a file.
struct Part<'a> {
    file: &'a dyn Bytes,
    start: u64,
    length: u64,
}

impl Bytes for Part<'_> {
    fn length(&self) -> u64 {
        self.length
    }

    fn read_at(&self, offset: u64, buffer: &mut [u8]) -> io::Result<usize> {
        let left = usize::try_from(self.length.saturating_sub(offset)).unwrap_or(usize::MAX);
        let length = buffer.len().min(left);
        match buffer.get_mut(..length) {
            Some(buffer) if length > 0 => self.file.read_at(self.start.saturating_add(offset), buffer),
            _ => Ok(0),
        }
    }
}

/// Opens a file by its name.
pub type Open<'a> = dyn Fn(&[u8]) -> io::Result<Box<dyn Bytes>> + 'a;

/// What the members of an archive are; `open` opens the files of a thin one.
pub fn items(file: &dyn Bytes, archive: &Archive, open: &Open<'_>) -> Vec<Item> {
    let content = |member: &Member| match member.place {
        Some((start, length)) => Content::of(&Part { file, start, length }),
        None => match open(&member.name) {
            // An archive in the archive (`ar rcT`), whose members are told one by one.
            Ok(file) => match member.nested.map(|at| place_of(file.as_ref(), at)).transpose() {
                Ok(Some((start, length))) => Content::of(&Part { file: file.as_ref(), start, length }),
                Ok(None) => Content::of(file.as_ref()),
                Err(damage) => Content::Gone(format!("it is {damage}")),
            },
            Err(error) => Content::Gone(error.to_string()),
        },
    };
    let item =
        |member: &Member| Item { name: member.name.clone(), offset: member.offset, content: content(member) };
    archive.members.iter().map(item).collect()
}

impl Content {
    fn of(file: &dyn Bytes) -> Content {
        let mut head = [0; 128];
        let length = match file.read_at(0, &mut head) {
            Ok(length) => length,
            Err(error) => return Content::Gone(error.to_string()),
        };
        let head = head.get(..length).unwrap_or_default();
        match Format::of(head) {
            Format::Elf => {
                match Header::of(file).and_then(|header| check_length(file, &header).map(|()| header)) {
                    Ok(header) => Content::Elf(header, float_abi_of_object(file, &header)),
                    Err(ElfError::Unreadable(error)) => Content::Gone(error),
                    Err(error) => Content::Bad(error),
                }
            }
            Format::Bitcode => Content::Bitcode,
            _ => go_object(head).unwrap_or(Content::Other),
        }
    }

    /// The architecture that it is for, if it is for one that Go has.
    pub fn platform(&self) -> Option<&'static Platform> {
        match self {
            Content::Elf(header, _) => header.platform(),
            Content::Go { goos, goarch, .. } if goos == "linux" => Platform::by_goarch(goarch),
            _ => None,
        }
    }
}

/// The first line of what Go's compiler and assembler write (cmd/internal/objabi.HeaderString).
fn go_object(head: &[u8]) -> Option<Content> {
    let rest = head.strip_prefix(b"go object ")?;
    let line = rest.split(|byte| *byte == b'\n').next()?;
    let mut words = std::str::from_utf8(line).ok()?.split(' ').map(str::to_owned);
    Some(Content::Go { goos: words.next()?, goarch: words.next()?, version: words.next()? })
}
