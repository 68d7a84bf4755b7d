//! Small ELF files of every class and byte order, for tests.

use goblin::elf::dynamic::{DT_NULL, DT_STRTAB, DT_VERDEF, DT_VERNEED};
use goblin::elf::program_header::{PT_DYNAMIC, PT_INTERP, PT_LOAD, PT_NOTE};

use crate::platform::{ElfClass, ElfData, Machine};

/// What is in a file.
#[derive(Clone)]
pub struct Sample {
    pub class: ElfClass,
    pub data: ElfData,
    pub machine: Machine,
    pub interpreter: Option<&'static str>,
    /// Entries of the dynamic section with a name as their value.
    pub names: Vec<(u64, String)>,
    /// Those with a number.
    pub numbers: Vec<(u64, u64)>,
    /// Libraries, and the versions that are asked of each, each of which may be weak.
    pub needed: Vec<(&'static str, Vec<(&'static str, bool)>)>,
    pub defined: Vec<&'static str>,
    /// Owners, types and contents.
    pub notes: Vec<(&'static str, u32, Vec<u8>)>,
}

/// Where the file is loaded: not where it begins, so that addresses are no offsets.
const BASE: u64 = 0x10000;

impl Sample {
    pub fn new(class: ElfClass, data: ElfData) -> Sample {
        Sample {
            class,
            data,
            machine: Machine(62),
            interpreter: None,
            names: Vec::new(),
            numbers: Vec::new(),
            needed: Vec::new(),
            defined: Vec::new(),
            notes: Vec::new(),
        }
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
                needed.extend(self.words(&[(0, 4), (flags, 2), (0, 2), (name(version), 4), (next, 4)]));
            }
        }
        let mut defined = Vec::new();
        for (at, version) in self.defined.iter().enumerate() {
            let next = if at + 1 == self.defined.len() { 0 } else { 28 };
            defined.extend(self.words(&[(1, 2), (0, 2), (1, 2), (1, 2), (0, 4), (20, 4), (next, 4)]));
            defined.extend(self.words(&[(name(version), 4), (0, 4)]));
        }
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

        let segments = 3 + usize::from(interpreter.is_some());
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
        let at_dynamic = at as u64;
        dynamic.push((DT_STRTAB, BASE + at_strings));
        dynamic.extend((!needed.is_empty()).then_some((DT_VERNEED, BASE + at_needed)));
        dynamic.extend((!defined.is_empty()).then_some((DT_VERDEF, BASE + at_defined)));
        dynamic.push((DT_NULL, 0));
        let dynamic: Vec<u8> =
            dynamic.iter().flat_map(|(tag, value)| self.words(&[(*tag, word), (*value, word)])).collect();
        let end = at_dynamic + dynamic.len() as u64;

        let class = if is_wide { 2 } else { 1 };
        let data = if self.data == ElfData::Big { 2 } else { 1 };
        let mut file = vec![0x7f, b'E', b'L', b'F', class, data, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0];
        file.extend(self.words(&[
            (3, 2),
            (self.machine.0.into(), 2),
            (1, 4),
            (0, word),
            (head as u64, word),
            (0, word),
        ]));
        file.extend(self.words(&[
            (0, 4),
            (head as u64, 2),
            (entry as u64, 2),
            (segments as u64, 2),
            (0, 2),
            (0, 2),
            (0, 2),
        ]));
        let mut segment = |kind: u32, offset: u64, size: u64, alignment: u64| {
            let kind = (u64::from(kind), 4);
            let address =
                [(offset, word), (BASE + offset, word), (BASE + offset, word), (size, word), (size, word)];
            let mut words = vec![kind];
            words.extend(is_wide.then_some((4, 4)));
            words.extend(address);
            words.extend((!is_wide).then_some((4, 4)));
            words.push((alignment, word));
            file.extend(self.words(&words));
        };
        if let Some(interpreter) = &interpreter {
            segment(PT_INTERP, at_interpreter, interpreter.len() as u64, 1);
        }
        segment(PT_LOAD, 0, end, 0x1000);
        segment(PT_DYNAMIC, at_dynamic, dynamic.len() as u64, 8);
        segment(PT_NOTE, at_notes, notes.len() as u64, 4);
        let parts = [
            (at_interpreter, interpreter.unwrap_or_default()),
            (at_strings, strings),
            (at_needed, needed),
            (at_defined, defined),
            (at_notes, notes),
            (at_dynamic, dynamic),
        ];
        for (at, part) in parts {
            file.resize(at as usize, 0);
            file.extend(part);
        }
        file
    }
}
