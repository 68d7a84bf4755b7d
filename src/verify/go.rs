//! What Go's linker writes into a program of how it was built (Go's debug/buildinfo and runtime/debug.ParseBuildInfo): in a section
//! of its own, which in a file without sections is somewhere in its data.

use crate::elf::{Bytes, Details, Header, Reader, uleb};

/// The section's name.
pub(super) const SECTION: &[u8] = b".go.buildinfo";
const MAGIC: &[u8] = b"\xff Go buildinf:";
/// The magic, the size of a pointer, flags, and in the old form two pointers.
const HEAD: u64 = 32;
const ALIGNMENT: u64 = 16;
/// Data is looked through in pieces.
const PIECE: u64 = 1 << 20;
/// No more data of a file is looked through: the linker puts this first.
const MOST_DATA: u64 = 64 << 20;
const WHAT: &str = "how Go has built it";

/// How Go has built a program.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Go {
    /// Go's version: `go1.26.6`.
    pub version: String,
    /// The path of the main package.
    pub path: Option<String>,
    /// The main module.
    pub module: Option<Module>,
    /// The modules that it is made of beside that one.
    pub dependencies: Vec<Module>,
    /// How it was built, in Go's order: `GOARCH`, `CGO_ENABLED`, `-race`, `vcs.revision` …
    pub settings: Vec<(String, String)>,
}

/// A module.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Module {
    /// Its path.
    pub path: String,
    /// Its version, `(devel)` of what was built in its own tree.
    pub version: String,
    /// Its checksum.
    pub sum: String,
    /// What stands in its place (`replace` in go.mod).
    pub replaced_by: Option<Box<Module>>,
}

impl Go {
    /// Finds it in a file; none if Go has not built it.
    pub fn read(file: &dyn Bytes, header: &Header, details: &Details) -> Option<Go> {
        let reader = Reader::new(file);
        let at = find(&reader, details)?;
        let head = reader.read(at, HEAD, WHAT).ok()?;
        let (pointer, flags) = (*head.get(MAGIC.len())?, *head.get(MAGIC.len() + 1)?);
        const INLINE: u8 = 2;
        const BIG: u8 = 1;
        let (version, text) = match flags & INLINE {
            0 => {
                let layout = crate::elf::Layout { is_wide: pointer == 8, is_big: flags & BIG != 0 };
                if ![4, 8].contains(&pointer) || layout.is_wide != header.layout().is_wide {
                    return None;
                }
                let string = |at: usize| {
                    let word = usize::from(pointer);
                    let (offset, room) = details.place(layout.word(&head, at))?;
                    let string = reader.read(offset, room.min(2 * u64::from(pointer)), WHAT).ok()?;
                    let length = layout.word(string.get(word..2 * word)?, 0);
                    let (offset, room) = details.place(layout.word(&string, 0))?;
                    reader.read(offset, length, WHAT).ok().filter(|_| length <= room)
                };
                (string(16)?, string(16 + usize::from(pointer)).unwrap_or_default())
            }
            _ => {
                let (version, next) = counted(&reader, at + HEAD)?;
                (version, counted(&reader, next)?.0)
            }
        };
        if version.is_empty() {
            return None;
        }
        let mut go = Go { version: String::from_utf8_lossy(&version).into_owned(), ..Go::default() };
        // The text is between two marks of 16 bytes each, and has a line feed at its end.
        let framed = text.len().checked_sub(16).filter(|end| *end > 16 && text.get(end - 1) == Some(&b'\n'));
        if let Some(text) = framed.and_then(|end| text.get(16..end)) {
            go.take(&String::from_utf8_lossy(text));
        }
        Some(go)
    }

    /// The value of a setting.
    pub fn setting(&self, name: &str) -> Option<&str> {
        self.settings.iter().find(|(key, _)| key == name).map(|(_, value)| value.as_str())
    }

    fn take(&mut self, text: &str) {
        /// The last module that was named, whose replacement may follow.
        enum Last {
            Main,
            Dependency,
        }
        let mut last = Last::Main;
        for line in text.lines() {
            let Some((kind, rest)) = line.split_once('\t') else { continue };
            match kind {
                "path" => self.path = Some(rest.to_owned()),
                "mod" => {
                    self.module = Some(Module::read(rest));
                    last = Last::Main;
                }
                "dep" => {
                    self.dependencies.push(Module::read(rest));
                    last = Last::Dependency;
                }
                "=>" => {
                    let module = match last {
                        Last::Main => self.module.as_mut(),
                        Last::Dependency => self.dependencies.last_mut(),
                    };
                    if let Some(module) = module {
                        module.replaced_by = Some(Box::new(Module::read(rest)));
                    }
                }
                "build" => self.settings.extend(setting(rest)),
                _ => {}
            }
        }
    }
}

impl Module {
    fn read(text: &str) -> Module {
        let mut parts = text.split('\t').map(str::to_owned);
        let mut next = || parts.next().unwrap_or_default();
        Module { path: next(), version: next(), sum: next(), replaced_by: None }
    }
}

/// Where it is in the file.
fn find(reader: &Reader<'_>, details: &Details) -> Option<u64> {
    let mut left = MOST_DATA;
    for (start, length) in &details.data {
        let end = start.checked_add(*length)?.min(reader.length());
        let mut at = start.checked_next_multiple_of(ALIGNMENT)?;
        while at < end && left > 0 {
            let size = PIECE.min(end - at).min(left);
            let piece = reader.read(at, size, WHAT).ok()?;
            let mut candidates = piece.chunks(usize::try_from(ALIGNMENT).ok()?);
            if let Some(found) = candidates.position(|chunk| chunk.starts_with(MAGIC)) {
                let found = at + u64::try_from(found).ok()? * ALIGNMENT;
                if end - found >= HEAD {
                    return Some(found);
                }
            }
            at += size.next_multiple_of(ALIGNMENT);
            left -= size;
        }
    }
    None
}

/// Bytes with their number before them, and where they end.
fn counted(reader: &Reader<'_>, at: u64) -> Option<(Vec<u8>, u64)> {
    const LONGEST: u64 = 9;
    let head = reader.read(at, reader.length().checked_sub(at)?.min(LONGEST), WHAT).ok()?;
    let mut rest = head.as_slice();
    let length = uleb(&mut rest)?;
    let start = at.checked_add(u64::try_from(head.len() - rest.len()).ok()?)?;
    Some((reader.read(start, length, WHAT).ok()?, start.checked_add(length)?))
}

/// A key and a value with `=` between them, either of which may be quoted.
fn setting(text: &str) -> Option<(String, String)> {
    let (key, rest) = match text.starts_with(['"', '`']) {
        true => quoted(text)?,
        false => {
            let end = text.find('=')?;
            (text.get(..end)?.to_owned(), text.get(end..)?)
        }
    };
    let value = rest.strip_prefix('=')?;
    let value = match value.starts_with(['"', '`']) {
        true => quoted(value)?.0,
        false => value.to_owned(),
    };
    Some((key, value))
}

/// Reads a quoted text as strconv.Quote of Go writes it, and what follows it.
fn quoted(text: &str) -> Option<(String, &str)> {
    if let Some(raw) = text.strip_prefix('`') {
        return raw.split_once('`').map(|(raw, rest)| (raw.to_owned(), rest));
    }
    let mut rest = text.strip_prefix('"')?;
    let mut bytes = Vec::new();
    let push = |bytes: &mut Vec<u8>, c: char| bytes.extend_from_slice(c.encode_utf8(&mut [0; 4]).as_bytes());
    let next = |rest: &mut &str| {
        let c = rest.chars().next()?;
        *rest = rest.get(c.len_utf8()..)?;
        Some(c)
    };
    loop {
        match next(&mut rest)? {
            '"' => return Some((String::from_utf8_lossy(&bytes).into_owned(), rest)),
            '\\' => {}
            other => {
                push(&mut bytes, other);
                continue;
            }
        }
        let escape = next(&mut rest)?;
        let digits = match escape {
            'x' => 2,
            'u' => 4,
            'U' => 8,
            _ => 0,
        };
        let number = u32::from_str_radix(rest.get(..digits)?, 16);
        rest = rest.get(digits..)?;
        match escape {
            'x' => bytes.push(u8::try_from(number.ok()?).ok()?),
            'u' | 'U' => push(&mut bytes, char::from_u32(number.ok()?)?),
            'a' => bytes.push(7),
            'b' => bytes.push(8),
            't' => bytes.push(b'\t'),
            'n' => bytes.push(b'\n'),
            'v' => bytes.push(11),
            'f' => bytes.push(12),
            'r' => bytes.push(b'\r'),
            '\\' | '"' => push(&mut bytes, escape),
            _ => return None,
        }
    }
}
