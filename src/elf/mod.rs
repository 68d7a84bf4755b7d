//! What an ELF file says of itself to a dynamic loader: of any class, byte order and machine, and however hostile.
//!
//! goblin's numbers, and reading of our own, because a loader's view differs from a linker's: it goes by segments and
//! addresses alone (sections may be stripped or made up), a later entry of the dynamic section takes the place of an earlier
//! one of its kind, and names are bytes. Nothing is read but what is needed, and no size that a file states is believed
//! before the file is seen to have it.
//!
//! Sources: the System V gABI; elf(5); glibc's elf/dl-load.c, dl-version.c and get-dynamic-info.h.

mod dynamic;
mod header;
mod notes;
mod reader;
mod versions;

pub use dynamic::{Dynamic, Request, RequestKind};
pub use header::Header;
pub use notes::{Dlopen, Notes, Priority};
pub use reader::Bytes;
pub use versions::{NeededVersions, Version};

use goblin::elf::program_header::{PT_INTERP, PT_LOAD};

use header::{Segment, Segments};
use reader::Reader;

/// Why a file can't be read as an ELF file.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum ElfError {
    /// It can't be read at all.
    #[error("{0}")]
    Unreadable(String),
    /// It has fewer bytes than a header.
    #[error("the file is too short")]
    TooShort,
    /// It does not begin as ELF files do.
    #[error("no ELF file")]
    NotElf,
    /// Neither 32 nor 64 bits.
    #[error("unknown class {0}")]
    Class(u8),
    /// Neither byte order.
    #[error("unknown byte order {0}")]
    Data(u8),
    /// What it states leads out of it.
    #[error("{what} {}", if *.is_long { "is larger than any real one" } else { "lies outside of the file" })]
    Bad {
        /// The part of the file.
        what: &'static str,
        /// Whether it is more than gb is willing to read.
        is_long: bool,
    },
    /// What it states makes no sense.
    #[error("{0}")]
    Senseless(&'static str),
}

impl ElfError {
    fn outside(what: &'static str) -> ElfError {
        ElfError::Bad { what, is_long: false }
    }

    fn large(what: &'static str) -> ElfError {
        ElfError::Bad { what, is_long: true }
    }
}

/// An ELF file, as far as loaders read it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Elf {
    /// The file's header.
    pub header: Header,
    /// Whether anything of it is loaded.
    pub is_loadable: bool,
    /// The program that is to load it (PT_INTERP).
    pub interpreter: Option<Vec<u8>>,
    /// What it asks of that program; none of a static program.
    pub dynamic: Option<Dynamic>,
    /// What it notes of itself.
    pub notes: Notes,
}

impl Elf {
    /// Reads an ELF file.
    pub fn read(file: &dyn Bytes) -> Result<Elf, ElfError> {
        let reader = Reader::new(file);
        let header = Header::read(&reader)?;
        let segments = Segments::read(&reader, &header)?;
        let interpreter =
            segments.first(PT_INTERP).map(|segment| interpreter(&reader, segment)).transpose()?;
        Ok(Elf {
            is_loadable: segments.first(PT_LOAD).is_some(),
            interpreter,
            dynamic: Dynamic::read(&reader, &header, &segments)?,
            notes: Notes::read(&reader, &header, &segments)?,
            header,
        })
    }
}

/// The name ends at the first NUL byte, and there has to be one (load_elf_binary in the kernel's fs/binfmt_elf.c).
fn interpreter(reader: &Reader<'_>, segment: &Segment) -> Result<Vec<u8>, ElfError> {
    const WHAT: &str = "the name of its loader";
    let most = u64::from(libc::PATH_MAX.unsigned_abs());
    if segment.file_size > most {
        return Err(ElfError::large(WHAT));
    }
    let name = reader.read(segment.offset, segment.file_size, WHAT)?;
    match name.iter().position(|byte| *byte == 0) {
        Some(0) => Err(ElfError::Senseless("the name of its loader is empty")),
        Some(end) => Ok(name.into_iter().take(end).collect()),
        None => Err(ElfError::Senseless("the name of its loader has no end")),
    }
}
