//! Reading a tar archive: which files it has, and where their contents are. Pure, and however hostile the archive.
//!
//! The formats are those that tools write today: ustar, GNU's long names and numbers, pax. Sources: the "ustar" and "pax"
//! interchange formats of POSIX.1-2017 (utility pax); tar(5) of libarchive; "Basic Tar Format" in GNU tar's manual; Go's
//! archive/tar, by which Docker reads and writes layers.

use super::pax::Pax;
use crate::elf::Bytes;

/// A file of an archive.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, as it stands there.
    pub path: Vec<u8>,
    /// What it is.
    pub kind: EntryKind,
    /// Its permissions (12 bits).
    pub mode: u32,
    /// Its owner.
    pub uid: u32,
    /// Its group.
    pub gid: u32,
    /// When it was changed last: seconds and nanoseconds.
    pub modified: (i64, u32),
    /// Its capabilities, as the kernel keeps them (`security.capability`).
    pub capabilities: Option<Vec<u8>>,
}

/// What an entry is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum EntryKind {
    /// A regular file.
    File {
        /// Where its contents begin in the archive.
        start: u64,
        /// How long they are; the archive has as many bytes there.
        size: u64,
    },
    /// A further name of a file that came before.
    HardLink(Vec<u8>),
    /// A symbolic link.
    Link(Vec<u8>),
    /// A directory.
    Directory,
    /// A FIFO.
    Fifo,
    /// A character or block device.
    Device,
}

/// Why an archive can't be read.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum TarError {
    /// It can't be read at all.
    #[error("{0}")]
    Unreadable(String),
    /// What is there is not what should be.
    #[error("at byte {0} {1}")]
    At(u64, &'static str),
}

impl TarError {
    /// Whether there is not so much as a beginning of an archive.
    pub(super) fn is_of_no_archive(&self) -> bool {
        matches!(self, TarError::At(0..512, NO_HEADER | CUT_OFF))
    }
}

const NO_HEADER: &str = "there is no tar header";
const SENSELESS: &str = "there is a header with a number that makes no sense";
const CUT_OFF: &str = "it is cut off";
const SPARSE: &str = "there is a sparse file, which gb does not read (make it without --sparse)";

const BLOCK: usize = 512;
/// How much is read at a time: of many small files many headers.
const CHUNK: usize = 16 << 10;
/// No name, and no list of attributes, is longer (Go's archive/tar has the same limit).
const LARGEST_EXTENSION: u64 = 1 << 20;

/// Goes through an archive.
pub struct Reader<'a> {
    bytes: &'a dyn Bytes,
    /// Where the next header is.
    at: u64,
    /// Bytes that were read, and where they are from.
    chunk: (u64, Vec<u8>),
    /// Whether the archive may end without the blocks of zeros that mark its end.
    may_lack_end: bool,
}

/// What stands before an entry for it.
#[derive(Default)]
struct Before {
    path: Option<Vec<u8>>,
    link: Option<Vec<u8>>,
    pax: Pax,
    is_some: bool,
}

impl<'a> Reader<'a> {
    /// Begins to read. An archive that is known to be whole may lack the mark of its end, as some tools' do.
    pub fn new(bytes: &'a dyn Bytes, is_known_whole: bool) -> Reader<'a> {
        Reader { bytes, at: 0, chunk: (0, Vec::new()), may_lack_end: is_known_whole }
    }

    /// The next file; `None` at the end.
    #[allow(clippy::should_implement_trait)]
    pub fn next(&mut self) -> Result<Option<Entry>, TarError> {
        let mut before = Before::default();
        loop {
            let at = self.at;
            let Some(header) = self.header()? else {
                return if before.is_some { Err(cut_off(at)) } else { Ok(None) };
            };
            let wrong = |what| TarError::At(at, what);
            let size = number(field(&header, 124, 12)).and_then(|size| u64::try_from(size).ok());
            let size = size.ok_or(wrong(SENSELESS))?;
            self.at = at.saturating_add(BLOCK as u64);
            let kind = header.get(156).copied().unwrap_or_default();
            match kind {
                b'x' | b'L' | b'K' => {
                    before.is_some = true;
                    let contents = self.extension(size)?;
                    match kind {
                        b'x' => {
                            before.pax = Pax::read(&contents)
                                .ok_or(wrong("there is a pax header that makes no sense"))?
                        }
                        b'L' => before.path = Some(text(&contents)),
                        _ => before.link = Some(text(&contents)),
                    }
                }
                // What holds for all that follows: comments of git, and nothing that Docker reads. And a volume's label.
                b'g' | b'V' => drop(self.skip(size)?),
                b'S' => return Err(wrong(SPARSE)),
                b'M' => return Err(wrong("there is the rest of a file of another volume")),
                _ => return self.entry(&header, at, kind, size, before).map(Some),
            }
        }
    }

    fn entry(
        &mut self,
        header: &[u8],
        at: u64,
        kind: u8,
        size: u64,
        before: Before,
    ) -> Result<Entry, TarError> {
        let wrong = |what| TarError::At(at, what);
        let Before { path, link, pax, .. } = before;
        if pax.is_sparse {
            return Err(wrong(SPARSE));
        }
        let size = pax.size.unwrap_or(size);
        let path = pax.path.or(path).unwrap_or_else(|| name(header));
        let link = || pax.link.clone().or(link).unwrap_or_else(|| text(field(header, 157, 100)));
        let is_directory = path.ends_with(b"/");
        let kind = match kind {
            // Before POSIX a directory was told by its name.
            b'0' | b'\0' | b'7' if is_directory => EntryKind::Directory,
            b'0' | b'\0' | b'7' => EntryKind::File { start: self.at, size },
            b'1' => EntryKind::HardLink(link()),
            b'2' => EntryKind::Link(link()),
            b'3' | b'4' => EntryKind::Device,
            b'5' | b'D' => EntryKind::Directory,
            b'6' => EntryKind::Fifo,
            _ => return Err(wrong("there is an entry of a kind that no layer has")),
        };
        // The others have no contents, whatever size they state (`isHeaderOnly` of Go's archive/tar).
        if matches!(kind, EntryKind::File { .. }) || header.get(156) == Some(&b'D') {
            self.skip(size)?;
        }
        let number = |offset, length| number(field(header, offset, length)).ok_or(wrong(SENSELESS));
        let id = |offset, pax: Option<u32>| match pax {
            Some(id) => Ok(id),
            None => number(offset, 8).and_then(|id| u32::try_from(id).map_err(|_| wrong(SENSELESS))),
        };
        let mode = number(100, 8)?;
        let modified = match pax.modified {
            Some(modified) => modified,
            None => (number(136, 12)?, 0),
        };
        Ok(Entry {
            path,
            kind,
            mode: u32::try_from(mode & 0o7777).unwrap_or_default(),
            uid: id(108, pax.uid)?,
            gid: id(116, pax.gid)?,
            modified,
            capabilities: pax.capabilities,
        })
    }

    /// The header here; `None` at the end of the archive.
    fn header(&mut self) -> Result<Option<Vec<u8>>, TarError> {
        let block = self.block(self.at)?.to_vec();
        if block.is_empty() && (self.may_lack_end && self.at > 0) {
            return Ok(None);
        }
        if block.len() < BLOCK {
            return Err(cut_off(self.at.saturating_add(block.len() as u64)));
        }
        if block.iter().all(|byte| *byte == 0) {
            // One block of zeros at the end of the file is what some tools leave of two.
            let next = self.at.saturating_add(BLOCK as u64);
            return match self.block(next)?.iter().all(|byte| *byte == 0) {
                true => Ok(None),
                false => Err(TarError::At(self.at, NO_HEADER)),
            };
        }
        let stated = number(field(&block, 148, 8)).ok_or(TarError::At(self.at, NO_HEADER))?;
        let bytes =
            || block.iter().enumerate().map(|(at, byte)| if (148..156).contains(&at) { b' ' } else { *byte });
        let unsigned: i64 = bytes().map(i64::from).sum();
        // Some old tools added signed characters.
        let signed: i64 = bytes().map(|byte| i64::from(i8::from_ne_bytes([byte]))).sum();
        match stated == unsigned || stated == signed {
            true => Ok(Some(block)),
            false => Err(TarError::At(self.at, NO_HEADER)),
        }
    }

    /// The block at an offset; shorter, or empty, where the archive ends.
    fn block(&mut self, at: u64) -> Result<&[u8], TarError> {
        let within = |chunk: &(u64, Vec<u8>)| {
            let offset = usize::try_from(at.checked_sub(chunk.0)?).ok()?;
            (offset.checked_add(BLOCK)? <= chunk.1.len()).then_some(offset)
        };
        let offset = match within(&self.chunk) {
            Some(offset) => offset,
            None => {
                self.chunk = (at, read(self.bytes, at, CHUNK)?);
                0
            }
        };
        let rest = self.chunk.1.get(offset..).unwrap_or_default();
        Ok(rest.get(..BLOCK).unwrap_or(rest))
    }

    /// The contents of an entry that is about the next one.
    fn extension(&mut self, size: u64) -> Result<Vec<u8>, TarError> {
        if size > LARGEST_EXTENSION {
            return Err(TarError::At(self.at, "there is a name or a list of attributes of more than 1 MiB"));
        }
        let start = self.at;
        self.skip(size)?;
        let contents = read(self.bytes, start, usize::try_from(size).unwrap_or_default())?;
        match contents.len() as u64 == size {
            true => Ok(contents),
            false => Err(cut_off(start.saturating_add(contents.len() as u64))),
        }
    }

    /// Passes over contents, which the archive has to have.
    fn skip(&mut self, size: u64) -> Result<(), TarError> {
        let end = self.at.checked_add(size).filter(|end| *end <= self.bytes.length());
        let end = end.ok_or(cut_off(self.bytes.length()))?;
        self.at = end.checked_next_multiple_of(BLOCK as u64).ok_or(cut_off(end))?;
        Ok(())
    }
}

/// Reads so many bytes, or as many as there are.
pub(super) fn read(bytes: &dyn Bytes, at: u64, length: usize) -> Result<Vec<u8>, TarError> {
    let mut buffer = vec![0; length];
    let filled = bytes.fill_at(at, &mut buffer).map_err(|error| TarError::Unreadable(error.to_string()))?;
    buffer.truncate(filled);
    Ok(buffer)
}

fn cut_off(at: u64) -> TarError {
    TarError::At(at, CUT_OFF)
}

fn field(header: &[u8], at: usize, length: usize) -> &[u8] {
    header.get(at..).and_then(|rest| rest.get(..length)).unwrap_or_default()
}

/// A text that a NUL byte ends, or the field.
fn text(field: &[u8]) -> Vec<u8> {
    field.split(|byte| *byte == 0).next().unwrap_or_default().to_vec()
}

/// The name in a header: of POSIX's with what stands before it, where GNU's has times.
fn name(header: &[u8]) -> Vec<u8> {
    let name = text(field(header, 0, 100));
    // Schilling's star has times behind a shorter one.
    let length = if field(header, 508, 4) == b"tar\0" { 131 } else { 155 };
    let prefix = match field(header, 257, 6) {
        b"ustar\0" => text(field(header, 345, length)),
        _ => Vec::new(),
    };
    if prefix.is_empty() { name } else { [prefix.as_slice(), b"/", &name].concat() }
}

/// A number: octal digits, or with the highest bit set bytes of a two's complement.
fn number(field: &[u8]) -> Option<i64> {
    let (first, rest) = field.split_first()?;
    if first & 0x80 != 0 {
        let is_negative = first & 0x40 != 0;
        let start = if is_negative { -1 } else { 0 };
        let first = if is_negative { first | 0x80 } else { first & 0x7f };
        return std::iter::once(&first)
            .chain(rest)
            .try_fold(start, |sum: i64, byte| sum.checked_mul(256)?.checked_add(i64::from(*byte)));
    }
    let is_space = |byte: &u8| *byte == b' ' || *byte == 0;
    let digits = field.iter().skip_while(|byte| is_space(byte)).take_while(|byte| !is_space(byte));
    digits.copied().try_fold(0_i64, |sum, byte| match byte {
        b'0'..=b'7' => sum.checked_mul(8)?.checked_add(i64::from(byte - b'0')),
        _ => None,
    })
}
