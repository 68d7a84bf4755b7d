//! The header and the program headers.

use goblin::elf::header::{ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, ET_DYN, ET_EXEC};
use goblin::elf::program_header::PT_LOAD;

use super::ElfError;
use super::reader::{Bytes, Layout, Reader};
use crate::platform::{ElfClass, ElfData, Machine, Platform};

/// The header of an ELF file, word for word.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Header {
    /// EI_CLASS
    pub class: ElfClass,
    /// EI_DATA
    pub data: ElfData,
    /// EI_VERSION
    pub ident_version: u8,
    /// EI_OSABI
    pub os_abi: u8,
    /// EI_ABIVERSION
    pub abi_version: u8,
    /// Whether the rest of e_ident is zero.
    pub is_padded: bool,
    /// e_type
    pub kind: u16,
    /// e_machine
    pub machine: Machine,
    /// e_version
    pub version: u32,
    /// e_flags
    pub flags: u32,
    /// e_phoff
    pub segments_offset: u64,
    /// e_phentsize
    pub segment_size: u16,
    /// e_phnum
    pub segments: u16,
}

impl Header {
    /// Reads the header alone.
    pub fn of(file: &dyn Bytes) -> Result<Header, ElfError> {
        Header::read(&Reader::new(file))
    }

    pub(super) fn read(reader: &Reader<'_>) -> Result<Header, ElfError> {
        const IDENT: u64 = 16;
        if reader.length() < IDENT {
            return Err(ElfError::TooShort);
        }
        let ident = reader.read(0, IDENT, "its header")?;
        let [0x7f, b'E', b'L', b'F', class, data, ident_version, os_abi, abi_version, padding @ ..] =
            ident.as_slice()
        else {
            return Err(ElfError::NotElf);
        };
        let class = match *class {
            ELFCLASS32 => ElfClass::Elf32,
            ELFCLASS64 => ElfClass::Elf64,
            other => return Err(ElfError::Class(other)),
        };
        let data = match *data {
            ELFDATA2LSB => ElfData::Little,
            ELFDATA2MSB => ElfData::Big,
            other => return Err(ElfError::Data(other)),
        };
        let layout = Layout { is_wide: class == ElfClass::Elf64, is_big: data == ElfData::Big };
        // Elf32_Ehdr and Elf64_Ehdr.
        let (size, phoff, flags) = if layout.is_wide { (64, 32, 48) } else { (52, 28, 36) };
        if reader.length() < size {
            return Err(ElfError::TooShort);
        }
        let bytes = reader.read(0, size, "its header")?;
        Ok(Header {
            class,
            data,
            ident_version: *ident_version,
            os_abi: *os_abi,
            abi_version: *abi_version,
            is_padded: padding.iter().all(|byte| *byte == 0),
            kind: layout.u16(&bytes, 16),
            machine: Machine(layout.u16(&bytes, 18)),
            version: layout.u32(&bytes, 20),
            flags: layout.u32(&bytes, flags),
            segments_offset: layout.word(&bytes, phoff),
            segment_size: layout.u16(&bytes, flags + 6),
            segments: layout.u16(&bytes, flags + 8),
        })
    }

    /// Whose files have such headers; none of a machine that is no port of Go's.
    pub fn platform(&self) -> Option<&'static Platform> {
        Platform::by_identification(self.class, self.data, self.machine)
    }

    /// Whether it is for the same machine as another one.
    pub fn is_like(&self, other: &Header) -> bool {
        (self.class, self.data, self.machine) == (other.class, other.data, other.machine)
    }

    /// How it writes its numbers.
    pub fn layout(&self) -> Layout {
        Layout { is_wide: self.class == ElfClass::Elf64, is_big: self.data == ElfData::Big }
    }

    /// Whether it is of a program or a library (ET_EXEC, ET_DYN).
    pub fn is_loaded(&self) -> bool {
        [ET_DYN, ET_EXEC].contains(&self.kind)
    }

    /// What e_phentsize has to be.
    pub fn right_segment_size(&self) -> u16 {
        match self.class {
            ElfClass::Elf32 => 32,
            ElfClass::Elf64 => 56,
        }
    }
}

/// A segment.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Segment {
    pub(super) kind: u32,
    pub(super) flags: u32,
    pub(super) offset: u64,
    pub(super) address: u64,
    pub(super) file_size: u64,
    pub(super) alignment: u64,
}

/// The segments of a file, in order.
pub(super) struct Segments(Vec<Segment>);

impl Segments {
    pub(super) fn read(reader: &Reader<'_>, header: &Header) -> Result<Segments, ElfError> {
        const WHAT: &str = "its table of segments";
        if header.segments == 0 {
            return Ok(Segments(Vec::new()));
        }
        if header.segment_size != header.right_segment_size() {
            return Err(ElfError::Senseless("the entries of its table of segments have a wrong size"));
        }
        let size = u64::from(header.segment_size);
        let layout = header.layout();
        let bytes = reader.read(header.segments_offset, size * u64::from(header.segments), WHAT)?;
        let segments = bytes.chunks_exact(usize::from(header.segment_size)).map(|entry| {
            // Elf32_Phdr and Elf64_Phdr.
            let [offset, address, file_size, alignment] =
                if layout.is_wide { [8, 16, 32, 48] } else { [4, 8, 16, 28] };
            Segment {
                kind: layout.u32(entry, 0),
                flags: layout.u32(entry, if layout.is_wide { 4 } else { 24 }),
                offset: layout.word(entry, offset),
                address: layout.word(entry, address),
                file_size: layout.word(entry, file_size),
                alignment: layout.word(entry, alignment),
            }
        });
        Ok(Segments(segments.collect()))
    }

    pub(super) fn first(&self, kind: u32) -> Option<&Segment> {
        self.0.iter().find(|segment| segment.kind == kind)
    }

    pub(super) fn last(&self, kind: u32) -> Option<&Segment> {
        self.0.iter().rfind(|segment| segment.kind == kind)
    }

    /// Those of a file without any.
    pub(super) fn none() -> Segments {
        Segments(Vec::new())
    }

    /// All of them.
    pub(super) fn all(&self) -> &[Segment] {
        &self.0
    }

    pub(super) fn of(&self, kinds: [u32; 2]) -> impl Iterator<Item = &Segment> {
        self.0.iter().filter(move |segment| kinds.contains(&segment.kind))
    }

    /// Where in the file the byte is that is loaded at an address, and where the part of the file ends that is loaded with
    /// it. A segment that is loaded later lies over an earlier one.
    pub(super) fn place(&self, address: u64) -> Option<(u64, u64)> {
        self.0.iter().rev().filter(|segment| segment.kind == PT_LOAD).find_map(|segment| {
            let within = address.checked_sub(segment.address).filter(|within| *within < segment.file_size)?;
            Some((segment.offset.checked_add(within)?, segment.offset.checked_add(segment.file_size)?))
        })
    }
}
