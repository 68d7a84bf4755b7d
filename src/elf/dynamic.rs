//! The dynamic section: what a file asks of its loader.

use std::cell::Cell;

use goblin::elf::dynamic::{
    DF_BIND_NOW, DF_TEXTREL, DT_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_NEEDED, DT_NULL, DT_RPATH, DT_RUNPATH,
    DT_SONAME, DT_STRSZ, DT_STRTAB, DT_TEXTREL, DT_VERDEF, DT_VERNEED,
};
use goblin::elf::program_header::PT_DYNAMIC;

use super::ElfError;
use super::header::{Header, Segments};
use super::reader::Reader;
use super::versions::{self, NeededVersions};

/// `elf.h`; goblin has no names for these.
const DT_DEPAUDIT: u64 = 0x6fff_fefb;
const DT_AUDIT: u64 = 0x6fff_fefc;
const DT_AUXILIARY: u64 = 0x7fff_fffd;
const DT_FILTER: u64 = 0x7fff_ffff;
/// DT_FLAGS_1: all symbols are looked up at the start.
const DF_1_NOW: u64 = 1;

/// What a file asks of its loader.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Dynamic {
    /// The files that it asks for, in order.
    pub requests: Vec<Request>,
    /// The name that it has for others (DT_SONAME).
    pub soname: Option<Vec<u8>>,
    /// Where to look for files (DT_RPATH).
    pub rpath: Option<Vec<u8>>,
    /// Where to look for the files that it asks for itself (DT_RUNPATH).
    pub runpath: Option<Vec<u8>>,
    /// Libraries that watch the loader (DT_AUDIT).
    pub audit: Option<Vec<u8>>,
    /// The same (DT_DEPAUDIT).
    pub dep_audit: Option<Vec<u8>>,
    /// DT_FLAGS_1
    pub flags_1: u64,
    /// Whether its code is changed when it is loaded (DT_TEXTREL, DF_TEXTREL).
    pub has_text_relocations: bool,
    /// Whether all of its symbols are looked up when it is loaded (DT_BIND_NOW, DF_BIND_NOW, DF_1_NOW).
    pub binds_now: bool,
    /// Where the table of its names is in the file, and how long it may be.
    pub names: Option<(u64, u64)>,
    /// The versions of symbols that it asks for.
    pub needed_versions: Vec<NeededVersions>,
    /// The versions of symbols that it has; none if it has no versions at all.
    pub defined_versions: Option<Vec<Vec<u8>>>,
}

/// A file that another asks for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Request {
    /// How.
    pub kind: RequestKind,
    /// Its name.
    pub name: Vec<u8>,
}

/// How a file asks for another.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum RequestKind {
    /// DT_NEEDED
    Needed,
    /// DT_FILTER: its symbols are found in that file.
    Filter,
    /// DT_AUXILIARY: the same, if there is that file.
    Auxiliary,
}

/// The names of a file.
pub(super) struct Strings<'a> {
    reader: &'a Reader<'a>,
    start: u64,
    end: u64,
    /// How many bytes of names may still be read: many names may be parts of one text.
    left: Cell<usize>,
}

/// No real file has longer names altogether.
const MOST_TEXT: usize = 16 << 20;

impl<'a> Strings<'a> {
    /// Those in a part of a file.
    pub(super) fn new(reader: &'a Reader<'a>, (start, end): (u64, u64)) -> Strings<'a> {
        Strings { reader, start, end, left: Cell::new(MOST_TEXT) }
    }

    pub(super) fn get(&self, at: u64, what: &'static str) -> Result<Vec<u8>, ElfError> {
        let offset = self.start.checked_add(at).ok_or(ElfError::outside(what))?;
        let name = self.reader.text(offset, self.end, what)?;
        self.left.set(self.left.get().checked_sub(name.len()).ok_or(ElfError::large(what))?);
        Ok(name)
    }
}

impl Dynamic {
    pub(super) fn read(
        reader: &Reader<'_>,
        header: &Header,
        segments: &Segments,
    ) -> Result<Option<Dynamic>, ElfError> {
        let Some(segment) = segments.last(PT_DYNAMIC) else { return Ok(None) };
        let entries = entries(reader, header, segments, segment.address)?;
        let last = |tag: u64| entries.iter().rfind(|entry| entry.0 == tag).map(|entry| entry.1);
        let strings = match last(DT_STRTAB) {
            // Loaders don't ask for the table's size (DT_STRSZ).
            Some(address) => Strings::new(
                reader,
                segments.place(address).ok_or(ElfError::outside("the table of its names"))?,
            ),
            None => Strings::new(reader, (0, 0)),
        };
        let name = |tag, what| last(tag).map(|at| strings.get(at, what)).transpose();
        let mut requests = Vec::new();
        for (tag, value) in &entries {
            let kind = match *tag {
                DT_NEEDED => RequestKind::Needed,
                DT_FILTER => RequestKind::Filter,
                DT_AUXILIARY => RequestKind::Auxiliary,
                _ => continue,
            };
            requests.push(Request { kind, name: strings.get(*value, "the name of a library")? });
        }
        let place = |tag| -> Result<Option<u64>, ElfError> {
            let Some(address) = last(tag) else { return Ok(None) };
            let (offset, _) =
                segments.place(address).ok_or(ElfError::outside("the table of its versions"))?;
            Ok(Some(offset))
        };
        let layout = header.layout();
        let flags = last(DT_FLAGS).unwrap_or_default();
        let needed = place(DT_VERNEED)?.map(|offset| versions::needed(reader, layout, offset, &strings));
        let defined = place(DT_VERDEF)?.map(|offset| versions::defined(reader, layout, offset, &strings));
        Ok(Some(Dynamic {
            requests,
            soname: name(DT_SONAME, "its own name")?,
            rpath: name(DT_RPATH, "its RPATH")?,
            runpath: name(DT_RUNPATH, "its RUNPATH")?,
            audit: name(DT_AUDIT, "its AUDIT")?,
            dep_audit: name(DT_DEPAUDIT, "its DEPAUDIT")?,
            flags_1: last(DT_FLAGS_1).unwrap_or_default(),
            has_text_relocations: last(DT_TEXTREL).is_some() || flags & DF_TEXTREL != 0,
            binds_now: last(DT_BIND_NOW).is_some()
                || flags & DF_BIND_NOW != 0
                || last(DT_FLAGS_1).is_some_and(|flags| flags & DF_1_NOW != 0),
            names: last(DT_STRTAB).map(|_| {
                let room = strings.end.saturating_sub(strings.start);
                (strings.start, last(DT_STRSZ).map_or(room, |size| size.min(room)))
            }),
            needed_versions: needed.transpose()?.unwrap_or_default(),
            defined_versions: defined.transpose()?,
        }))
    }
}

/// The entries up to the one that ends them, which loaders go to whatever size the segment states.
pub(super) fn entries(
    reader: &Reader<'_>,
    header: &Header,
    segments: &Segments,
    address: u64,
) -> Result<Vec<(u64, u64)>, ElfError> {
    const WHAT: &str = "its dynamic section";
    const MOST: usize = 1 << 16;
    let (mut offset, end) = segments.place(address).ok_or(ElfError::outside(WHAT))?;
    let layout = header.layout();
    let half = if layout.is_wide { 8 } else { 4 };
    let mut entries = Vec::new();
    loop {
        if entries.len() == MOST {
            return Err(ElfError::large(WHAT));
        }
        let next = offset.checked_add(half * 2).filter(|next| *next <= end).ok_or(ElfError::outside(WHAT))?;
        let bytes = reader.read(offset, half * 2, WHAT)?;
        let tag = layout.word(&bytes, 0);
        if tag == DT_NULL {
            return Ok(entries);
        }
        entries.push((tag, layout.word(&bytes, usize::try_from(half).unwrap_or_default())));
        offset = next;
    }
}
