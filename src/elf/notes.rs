//! Notes: what a file says of itself beside what loaders go by.

use goblin::elf::program_header::{PT_GNU_PROPERTY, PT_NOTE};
use serde::Deserialize;

use super::ElfError;
use super::header::{Header, Segments};
use super::reader::{Layout, Reader};

/// What a file notes of itself.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Notes {
    /// The libraries that it loads when it runs, if they are there.
    pub dlopen: Vec<Dlopen>,
    /// Of notes of that kind that can't be read, why.
    pub unreadable: Vec<String>,
    /// The oldest kernel that it runs on, of Linux (NT_GNU_ABI_TAG).
    pub oldest_kernel: Option<[u32; 3]>,
    /// The system that it is for, of glibc's numbers (NT_GNU_ABI_TAG): 0 Linux, 1 Hurd, 2 Solaris, 3 FreeBSD.
    pub system: Option<u32>,
    /// The levels of x86-64 that a processor must have (GNU_PROPERTY_X86_ISA_1_NEEDED): bit 0 the baseline, bit 1 v2 …
    pub x86_levels_needed: u32,
    /// The package that it is of: JSON (uapi-group.org, "Package Metadata for Executable Files").
    pub package: Option<Vec<u8>>,
}

/// Libraries that a file loads when it runs (uapi-group.org, "ELF dlopen() Metadata").
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
pub struct Dlopen {
    /// Their names, any one of which will do: the first that there is.
    pub soname: Vec<String>,
    /// What it is for.
    #[serde(default)]
    pub feature: String,
    /// The same in a sentence.
    #[serde(default)]
    pub description: String,
    /// How much it matters.
    #[serde(default)]
    pub priority: Priority,
}

/// How much a library matters that a file loads when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Default, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Priority {
    /// Something optional needs it.
    Suggested,
    /// Most users need it.
    #[default]
    Recommended,
    /// The file does not work without it.
    Required,
}

const NT_GNU_ABI_TAG: u32 = 1;
const NT_GNU_PROPERTY_TYPE_0: u32 = 5;
const NT_FDO_DLOPEN: u32 = 0x407c_0c0a;
const NT_FDO_PACKAGE: u32 = 0xcafe_1a7e;
const GNU_PROPERTY_X86_ISA_1_NEEDED: u32 = 0xc000_8002;

impl Notes {
    pub(super) fn read(reader: &Reader<'_>, header: &Header, segments: &Segments) -> Result<Notes, ElfError> {
        const WHAT: &str = "its notes";
        const MOST: u64 = 1 << 20;
        let layout = header.layout();
        let mut notes = Notes::default();
        let mut seen = Vec::new();
        for segment in segments.of([PT_NOTE, PT_GNU_PROPERTY]) {
            if seen.contains(&segment.offset) {
                continue;
            }
            seen.push(segment.offset);
            // No loader fails for a note that is not there, and no file is without its libraries for it.
            if segment.file_size > MOST || seen.len() > 64 {
                notes.unreadable.push(ElfError::large(WHAT).to_string());
                continue;
            }
            match reader.read(segment.offset, segment.file_size, WHAT) {
                Ok(bytes) => notes.take(layout, &bytes, if segment.alignment == 8 { 8 } else { 4 }),
                Err(ElfError::Unreadable(error)) => return Err(ElfError::Unreadable(error)),
                Err(error) => notes.unreadable.push(error.to_string()),
            }
        }
        Ok(notes)
    }

    /// Takes what is known from the notes of a segment.
    fn take(&mut self, layout: Layout, mut bytes: &[u8], alignment: usize) {
        const HEAD: usize = 12;
        while bytes.len() >= HEAD {
            let size = |at| usize::try_from(layout.u32(bytes, at)).unwrap_or(usize::MAX);
            let name = HEAD.checked_add(size(0));
            let start = name.and_then(|name| name.checked_next_multiple_of(alignment));
            let end = start.and_then(|start| start.checked_add(size(4)));
            let (Some(name), Some(start), Some(end)) = (name, start, end) else { return };
            let owner = bytes.get(HEAD..name).unwrap_or_default();
            let Some(text) = bytes.get(start..end) else { return };
            match (owner, layout.u32(bytes, 8)) {
                (b"GNU\0", NT_GNU_ABI_TAG) if text.len() >= 16 => {
                    let system = layout.u32(text, 0);
                    self.system = Some(system);
                    if system == 0 {
                        self.oldest_kernel = Some([4, 8, 12].map(|at| layout.u32(text, at)));
                    }
                }
                (b"GNU\0", NT_GNU_PROPERTY_TYPE_0) => self.x86_levels_needed |= x86_levels(layout, text),
                (b"FDO\0", NT_FDO_DLOPEN) => match serde_json::from_slice::<Vec<Dlopen>>(trimmed(text)) {
                    Ok(libraries) => self.dlopen.extend(libraries),
                    Err(error) => self.unreadable.push(format!("the libraries that it loads: {error}")),
                },
                (b"FDO\0", NT_FDO_PACKAGE) => self.package = Some(trimmed(text).to_vec()),
                _ => {}
            }
            let next = end.checked_next_multiple_of(alignment).unwrap_or(usize::MAX);
            bytes = bytes.get(next..).unwrap_or_default();
        }
    }
}

/// A text without the NUL bytes that fill it up.
fn trimmed(text: &[u8]) -> &[u8] {
    text.split(|byte| *byte == 0).next().unwrap_or_default()
}

/// Finds the levels of x86-64 among properties (the psABI of x86-64, "Program Property").
fn x86_levels(layout: Layout, mut text: &[u8]) -> u32 {
    let alignment = if layout.is_wide { 8 } else { 4 };
    let mut levels = 0;
    while text.len() >= 8 {
        let size = usize::try_from(layout.u32(text, 4)).unwrap_or(usize::MAX);
        if layout.u32(text, 0) == GNU_PROPERTY_X86_ISA_1_NEEDED && size == 4 && text.len() >= 12 {
            levels |= layout.u32(text, 8);
        }
        let next = size.checked_add(8).and_then(|end| end.checked_next_multiple_of(alignment));
        text = next.and_then(|next| text.get(next..)).unwrap_or_default();
    }
    levels
}
