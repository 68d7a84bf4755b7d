//! Small ELF files of every class and byte order, for tests.

use goblin::elf::dynamic::{DT_HASH, DT_NULL, DT_STRTAB, DT_SYMTAB, DT_VERDEF, DT_VERNEED, DT_VERSYM};
use goblin::elf::program_header::{PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_NOTE};

use crate::platform::{ElfClass, ElfData, Machine, Platform};

/// What is in a file.
#[derive(Clone)]
pub struct Sample {
    pub class: ElfClass,
    pub data: ElfData,
    pub machine: Machine,
    /// e_type
    pub kind: u16,
    /// e_flags
    pub flags: u32,
    pub interpreter: Option<&'static str>,
    /// Entries of the dynamic section with a name as their value.
    pub names: Vec<(u64, String)>,
    /// Those with a number.
    pub numbers: Vec<(u64, u64)>,
    /// Libraries, and the versions that are asked of each, each of which may be weak.
    pub needed: Vec<(&'static str, Vec<(&'static str, bool)>)>,
    pub defined: Vec<&'static str>,
    /// Symbols, each with the number of its version (2 is the first that is asked for) and whether it is weak.
    pub symbols: Vec<(&'static str, u16, bool)>,
    /// Owners, types and contents.
    pub notes: Vec<(&'static str, u32, Vec<u8>)>,
    /// Further segments without contents: types and flags.
    pub segments: Vec<(u32, u32)>,
    /// Data that is written to when it runs; it begins at a multiple of 16.
    pub written: Vec<u8>,
}

/// Where the file is loaded: not where it begins, so that addresses are no offsets.
const BASE: u64 = 0x10000;

impl Sample {
    pub fn new(class: ElfClass, data: ElfData) -> Sample {
        Sample {
            class,
            data,
            machine: Machine(62),
            kind: 3,
            flags: 0,
            interpreter: None,
            names: Vec::new(),
            numbers: Vec::new(),
            needed: Vec::new(),
            defined: Vec::new(),
            symbols: Vec::new(),
            notes: Vec::new(),
            segments: Vec::new(),
            written: Vec::new(),
        }
    }

    fn has_wide_hash(&self) -> bool {
        let platform = Platform::by_identification(self.class, self.data, self.machine);
        platform.is_some_and(Platform::has_wide_hash)
    }

    fn number(&self, value: u64, size: usize) -> Vec<u8> {
        match self.data {
            ElfData::Big => value.to_be_bytes()[8 - size..].to_vec(),
            ElfData::Little => value.to_le_bytes()[..size].to_vec(),
        }
    }

    fn words(&self, values: &[(u64, usize)]) -> Vec<u8> {
        values.iter().flat_map(|(value, size)| self.number(*value, *size)).collect()
    }

    /// The file's bytes: header, segments, then the parts one after the other.
    pub fn bytes(&self) -> Vec<u8> {
        let is_wide = self.class == ElfClass::Elf64;
        let (head, entry, word) = if is_wide { (64, 56, 8) } else { (52, 32, 4) };
        let mut strings = vec![0u8];
        let mut name = |text: &str| {
            let at = strings.len() as u64;
            strings.extend_from_slice(text.as_bytes());
            strings.push(0);
            at
        };
        let mut dynamic: Vec<(u64, u64)> = self.names.iter().map(|(tag, text)| (*tag, name(text))).collect();
        dynamic.extend(&self.numbers);
        let mut needed = Vec::new();
        let mut number = 1;
        for (at, (library, versions)) in self.needed.iter().enumerate() {
            let next = if at + 1 == self.needed.len() { 0 } else { 16 + 16 * versions.len() as u64 };
            let library = name(library);
            needed.extend(self.words(&[
                (1, 2),
                (versions.len() as u64, 2),
                (library, 4),
                (16, 4),
                (next, 4),
            ]));
            for (at, (version, is_weak)) in versions.iter().enumerate() {
                let next = if at + 1 == versions.len() { 0 } else { 16 };
                let flags = if *is_weak { 2 } else { 0 };
                number += 1;
                let version = (name(version), 4);
                needed.extend(self.words(&[(0, 4), (flags, 2), (number, 2), version, (next, 4)]));
            }
        }
        let mut defined = Vec::new();
        for (at, version) in self.defined.iter().enumerate() {
            let next = if at + 1 == self.defined.len() { 0 } else { 28 };
            defined.extend(self.words(&[(1, 2), (0, 2), (1, 2), (1, 2), (0, 4), (20, 4), (next, 4)]));
            defined.extend(self.words(&[(name(version), 4), (0, 4)]));
        }
        let (mut symbols, mut versions) = (vec![0; if is_wide { 24 } else { 16 }], vec![0; 2]);
        for (symbol, version, is_weak) in &self.symbols {
            let info = (if *is_weak { 0x20 } else { 0x10 }, 1);
            let name = (name(symbol), 4);
            symbols.extend(match is_wide {
                true => self.words(&[name, info, (0, 1), (0, 2), (0, 8), (0, 8)]),
                false => self.words(&[name, (0, 4), (0, 4), info, (0, 1), (0, 2)]),
            });
            versions.extend(self.words(&[((*version).into(), 2)]));
        }
        // One bucket, and as many chains as symbols.
        let entry_of_hash = if is_wide && self.has_wide_hash() { 8 } else { 4 };
        let hash = self.words(&[(1, entry_of_hash), (self.symbols.len() as u64 + 1, entry_of_hash)]);
        let mut notes = Vec::new();
        for (owner, kind, text) in &self.notes {
            notes.extend(self.words(&[
                (owner.len() as u64 + 1, 4),
                (text.len() as u64, 4),
                ((*kind).into(), 4),
            ]));
            notes.extend_from_slice(owner.as_bytes());
            notes.resize((notes.len() + 1).next_multiple_of(4), 0);
            notes.extend_from_slice(text);
            notes.resize(notes.len().next_multiple_of(4), 0);
        }
        let interpreter = self.interpreter.map(|path| [path.as_bytes(), b"\0"].concat());

        let segments = 4 + usize::from(interpreter.is_some()) + self.segments.len();
        let start = head + entry * segments;
        let places = |length: usize, at: &mut usize| {
            let place = *at;
            *at = (place + length).next_multiple_of(8);
            place as u64
        };
        let mut at = start;
        let at_interpreter = places(interpreter.as_ref().map_or(0, Vec::len), &mut at);
        let at_strings = places(strings.len(), &mut at);
        let at_needed = places(needed.len(), &mut at);
        let at_defined = places(defined.len(), &mut at);
        let at_notes = places(notes.len(), &mut at);
        let at_symbols = places(symbols.len(), &mut at);
        let at_versions = places(versions.len(), &mut at);
        let at_hash = places(hash.len(), &mut at);
        at = at.next_multiple_of(16);
        let at_written = places(self.written.len(), &mut at);
        let at_dynamic = at as u64;
        dynamic.push((DT_STRTAB, BASE + at_strings));
        dynamic.extend((!needed.is_empty()).then_some((DT_VERNEED, BASE + at_needed)));
        dynamic.extend((!defined.is_empty()).then_some((DT_VERDEF, BASE + at_defined)));
        if !self.symbols.is_empty() {
            let places = [(DT_SYMTAB, at_symbols), (DT_VERSYM, at_versions), (DT_HASH, at_hash)];
            dynamic.extend(places.map(|(tag, at)| (tag, BASE + at)));
        }
        dynamic.push((DT_NULL, 0));
        let dynamic: Vec<u8> =
            dynamic.iter().flat_map(|(tag, value)| self.words(&[(*tag, word), (*value, word)])).collect();
        let end = at_dynamic + dynamic.len() as u64;

        let class = if is_wide { 2 } else { 1 };
        let data = if self.data == ElfData::Big { 2 } else { 1 };
        let mut file = vec![0x7f, b'E', b'L', b'F', class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        file.extend(self.words(&[
            (self.kind.into(), 2),
            (self.machine.0.into(), 2),
            (1, 4),
            (0, word),
            (head as u64, word),
            (0, word),
        ]));
        file.extend(self.words(&[
            (self.flags.into(), 4),
            (head as u64, 2),
            (entry as u64, 2),
            (segments as u64, 2),
            (0, 2),
            (0, 2),
            (0, 2),
        ]));
        let mut segment = |kind: u32, flags: u64, offset: u64, size: u64, alignment: u64| {
            let kind = (u64::from(kind), 4);
            let address =
                [(offset, word), (BASE + offset, word), (BASE + offset, word), (size, word), (size, word)];
            let mut words = vec![kind];
            words.extend(is_wide.then_some((flags, 4)));
            words.extend(address);
            words.extend((!is_wide).then_some((flags, 4)));
            words.push((alignment, word));
            file.extend(self.words(&words));
        };
        if let Some(interpreter) = &interpreter {
            segment(PT_INTERP, 4, at_interpreter, interpreter.len() as u64, 1);
        }
        segment(PT_LOAD, 4, 0, end, 0x1000);
        segment(PT_LOAD, 6, at_written, self.written.len() as u64, 16);
        segment(PT_DYNAMIC, 4, at_dynamic, dynamic.len() as u64, 8);
        segment(PT_NOTE, 4, at_notes, notes.len() as u64, 4);
        for (kind, flags) in &self.segments {
            segment(*kind, (*flags).into(), 0, 0, 0);
        }
        let parts = [
            (at_interpreter, interpreter.unwrap_or_default()),
            (at_strings, strings),
            (at_needed, needed),
            (at_defined, defined),
            (at_notes, notes),
            (at_symbols, symbols),
            (at_versions, versions),
            (at_hash, hash),
            (at_written, self.written.clone()),
            (at_dynamic, dynamic),
        ];
        for (at, part) in parts {
            file.resize(at as usize, 0);
            file.extend(part);
        }
        file
    }
}
