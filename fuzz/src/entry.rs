//! The kernel's entries of binfmt_misc.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use gb::binfmt::entry::{Entry, HEAD, Pattern};

use super::parts;

/// An entry's file is read or refused in a line; what is written to make the entry again says the same to a reader that
/// splits it as the kernel does (`create_entry` in fs/binfmt_misc.c); and the entry matches what it says it matches. The input:
/// the entry's name, its file, and the beginning of a program.
pub fn entry(input: &[u8]) {
    let mut parts = parts(input);
    let [name, text, head] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let entry = match Entry::parse(OsStr::from_bytes(name), text) {
        Ok(entry) => entry,
        Err(error) => {
            assert!(error.to_string().starts_with("entry "), "{error}");
            return;
        }
    };
    assert_eq!(entry.name.as_bytes(), name);
    assert_eq!(entry.matches(head), matches(&entry.pattern, head), "{entry:?} {head:?}");
    match entry.registration() {
        Ok(line) => {
            assert!((11..=1920).contains(&line.len()), "{entry:?}");
            let read = as_the_kernel(&line);
            assert_eq!(read.as_ref(), Some(&Entry { is_enabled: true, ..entry }), "{line:?}");
        }
        Err(error) => assert!(error.to_string().chars().count() < input.len() + 100, "{error}"),
    }
}

/// Bit by bit, as the documentation has it; a program that is shorter goes on with zeroes.
fn matches(pattern: &Pattern, head: &[u8]) -> bool {
    let Pattern::Magic { offset, magic, mask } = pattern else { return false };
    let mut window = head.iter().copied().chain(std::iter::repeat(0)).take(HEAD).skip(*offset);
    let mask = mask.clone().unwrap_or_else(|| vec![0xff; magic.len()]);
    magic.iter().zip(mask).all(|(byte, mask)| {
        let same = |found: u8| (0..8).all(|bit| mask >> bit & 1 == 0 || found >> bit & 1 == byte >> bit & 1);
        window.next().is_some_and(same)
    })
}

/// The eight parts of a line: nothing, name, type, offset, magic, mask, interpreter, flags.
fn as_the_kernel(line: &[u8]) -> Option<Entry> {
    let (separator, rest) = line.split_first()?;
    assert!(!b"POCF".contains(separator), "the newest kernels take no flag for a separator");
    let fields: Vec<&[u8]> = rest.split(|byte| byte == separator).collect();
    let [name, kind, offset, magic, mask, interpreter, flags] = fields[..] else { return None };
    let pattern = match kind {
        b"M" => {
            let offset = if offset.is_empty() { "0" } else { std::str::from_utf8(offset).ok()? };
            let mask = if mask.is_empty() { None } else { Some(unescaped(mask)?) };
            Pattern::Magic { offset: offset.parse().ok()?, magic: unescaped(magic)?, mask }
        }
        b"E" if offset.is_empty() && mask.is_empty() => {
            Pattern::Extension(OsStr::from_bytes(magic).to_owned())
        }
        _ => return None,
    };
    // The order of the flags is the one in which the kernel shows them; C brings O.
    let text =
        [b"enabled\ninterpreter ".as_slice(), interpreter, b"\nflags: ", flags, b"\nextension .x\n"].concat();
    let read = Entry::parse(OsStr::from_bytes(name), &text).ok()?;
    Some(Entry { pattern, ..read })
}

/// UNESCAPE_HEX of lib/string_helpers.c: `\x` and one or two digits; every other byte is itself.
fn unescaped(text: &[u8]) -> Option<Vec<u8>> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let [first, after @ ..] = rest {
        match after {
            [b'x', high, low, after @ ..] if *first == b'\\' => {
                let digits = [*high, *low];
                bytes.push(u8::from_str_radix(std::str::from_utf8(&digits).ok()?, 16).ok()?);
                rest = after;
            }
            _ => {
                bytes.push(*first);
                rest = after;
            }
        }
    }
    Some(bytes)
}
