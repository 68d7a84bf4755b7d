//! An entry of binfmt_misc: as the kernel shows it, what it matches, and as the kernel takes it.
//!
//! Source: fs/binfmt_misc.c (`entry_status`, `create_entry`, `search_binfmt_handler`) and
//! Documentation/admin-guide/binfmt-misc.rst.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

/// How much of a file's beginning the kernel looks at (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h). Beyond the end of a
/// shorter file it sees zeroes.
pub const HEAD: usize = 256;
/// The longest string that the kernel takes for an entry (MAX_REGISTER_LENGTH), without the end of its line.
const MAX_REGISTRATION: usize = 1920;

/// An entry.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Entry {
    /// Its name, which is that of its file.
    pub name: OsString,
    /// Its own switch. (There is one for all entries as well.)
    pub is_enabled: bool,
    /// The program that is given the files.
    pub interpreter: PathBuf,
    /// How it is given them.
    pub flags: Flags,
    /// Which files.
    pub pattern: Pattern,
}

/// How an interpreter is given a file.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Flags {
    /// P: `argv[0]` is kept, and the file's path comes as a further argument.
    pub preserve_argv0: bool,
    /// O: as an open file, which therefore need not be readable.
    pub open_binary: bool,
    /// C: with the credentials of the file rather than the interpreter's, so that set-user-ID programs work. It brings O.
    pub credentials: bool,
    /// F: the interpreter was opened when the entry was made, and need not be there any more.
    pub fix_binary: bool,
}

/// Which files an entry is for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Pattern {
    /// Those with certain bytes.
    Magic {
        /// Where they are.
        offset: usize,
        /// The bytes.
        magic: Vec<u8>,
        /// Which bits of them count; all if there is none. As long as the bytes.
        mask: Option<Vec<u8>>,
    },
    /// Those whose name ends so, after a dot.
    Extension(OsString),
}

/// A text that no entry's file has.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
#[error("entry {}: {why}", name.to_string_lossy())]
pub struct ParseEntryError {
    /// The entry's name.
    pub name: OsString,
    /// What is wrong.
    pub why: &'static str,
}

/// An entry that the kernel would not take.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum RegistrationError {
    /// The name can't be that of a file there.
    #[error("an entry can't be called {}", .0.to_string_lossy())]
    Name(OsString),
    /// The interpreter is not named by a path from the root.
    #[error("the interpreter {} is no absolute path", .0.display())]
    Interpreter(PathBuf),
    /// The bytes are outside of what the kernel looks at, or the mask has another length.
    #[error("the bytes to match are none, or more than the kernel looks at ({HEAD})")]
    Pattern,
    /// The whole is too long, or has every byte that could stand between its parts.
    #[error("the entry is too long for the kernel")]
    Length,
}

impl Flags {
    /// Reads the letters, in any order; `None` if there is another one.
    pub fn parse(letters: &[u8]) -> Option<Flags> {
        let mut flags = Flags::default();
        for letter in letters {
            match letter {
                b'P' => flags.preserve_argv0 = true,
                b'O' => flags.open_binary = true,
                b'C' => flags.credentials = true,
                b'F' => flags.fix_binary = true,
                _ => return None,
            }
        }
        flags.open_binary |= flags.credentials;
        Some(flags)
    }

    /// The letters, in the kernel's order.
    pub fn letters(self) -> String {
        let all = [
            ('P', self.preserve_argv0),
            ('O', self.open_binary),
            ('C', self.credentials),
            ('F', self.fix_binary),
        ];
        all.into_iter().filter(|(_, is_set)| *is_set).map(|(letter, _)| letter).collect()
    }
}

impl Entry {
    /// Reads an entry's file.
    pub fn parse(name: &OsStr, text: &[u8]) -> Result<Entry, ParseEntryError> {
        let wrong = |why| ParseEntryError { name: name.to_owned(), why };
        // An interpreter may have any byte in its path, a line's end included: what comes after is found from the end.
        let (first, rest) = split_once(text, b"\n").ok_or(wrong("it ends after the first line"))?;
        let is_enabled = match first {
            b"enabled" => true,
            b"disabled" => false,
            _ => return Err(wrong("it begins neither with enabled nor with disabled")),
        };
        let rest = rest.strip_prefix(b"interpreter ").ok_or(wrong("it has no interpreter"))?;
        let at = rest.windows(8).rposition(|window| window == b"\nflags: ");
        let (interpreter, rest) = rest.split_at(at.ok_or(wrong("it has no flags"))?);
        let rest = rest.get(8..).unwrap_or_default();
        let (letters, rest) = split_once(rest, b"\n").ok_or(wrong("it ends after the flags"))?;
        let flags = Flags::parse(letters).ok_or(wrong("it has a flag that is not known"))?;
        let pattern = Pattern::parse(rest).ok_or(wrong("it has neither bytes nor an extension to match"))?;
        let interpreter = PathBuf::from(OsString::from_vec(interpreter.to_vec()));
        Ok(Entry { name: name.to_owned(), is_enabled, interpreter, flags, pattern })
    }

    /// Whether a file with this beginning is given to the interpreter, if the entry is switched on. (By its name no file of
    /// this kind is.)
    pub fn matches(&self, head: &[u8]) -> bool {
        let Pattern::Magic { offset, magic, mask } = &self.pattern else { return false };
        let byte = |at: usize| head.get(at).copied().unwrap_or(0);
        magic.iter().enumerate().all(|(at, expected)| {
            let mask = mask.as_ref().and_then(|mask| mask.get(at)).copied().unwrap_or(0xff);
            let at = offset + at;
            at < HEAD && (byte(at) ^ expected) & mask == 0
        })
    }

    /// What is written to the file `register` to make this entry.
    pub fn registration(&self) -> Result<Vec<u8>, RegistrationError> {
        let name = self.name.as_bytes();
        let is_special = [b"".as_slice(), b".", b"..", b"register", b"status"].contains(&name);
        if is_special || name.len() > 255 || name.contains(&b'/') || name.contains(&0) {
            return Err(RegistrationError::Name(self.name.clone()));
        }
        let interpreter = self.interpreter.as_os_str().as_bytes();
        if !self.interpreter.is_absolute() || interpreter.contains(&0) {
            return Err(RegistrationError::Interpreter(self.interpreter.clone()));
        }
        let (kind, fields) = self.pattern.fields()?;
        let letters = self.flags.letters();
        // The first byte is what stands between the parts. The kernel takes none of the flags' letters for it.
        let used = |byte: u8| {
            let parts = [name, interpreter].into_iter().chain(fields.iter().map(Vec::as_slice));
            parts.into_iter().any(|part| part.contains(&byte))
        };
        let mut separators = b":|,!@%&^~".iter().copied().filter(|byte| !used(*byte));
        let separator = separators.next().ok_or(RegistrationError::Length)?;
        let mut text = Vec::new();
        let [first, second, third] = &fields;
        for part in [name, kind, first, second, third, interpreter] {
            text.push(separator);
            text.extend_from_slice(part);
        }
        text.push(separator);
        text.extend_from_slice(letters.as_bytes());
        if text.len() > MAX_REGISTRATION { Err(RegistrationError::Length) } else { Ok(text) }
    }
}

impl Pattern {
    fn parse(text: &[u8]) -> Option<Pattern> {
        let text = text.strip_suffix(b"\n")?;
        if let Some(extension) = text.strip_prefix(b"extension .") {
            return Some(Pattern::Extension(OsStr::from_bytes(extension).to_owned()));
        }
        let mut lines = text.split(|byte| *byte == b'\n');
        let offset = std::str::from_utf8(lines.next()?.strip_prefix(b"offset ")?).ok()?.parse().ok()?;
        let magic = from_hex(lines.next()?.strip_prefix(b"magic ")?)?;
        let mask = match lines.next() {
            None => None,
            Some(line) => Some(from_hex(line.strip_prefix(b"mask ")?)?),
        };
        let fits = !magic.is_empty() && offset <= HEAD && magic.len() <= HEAD - offset;
        let is_whole = mask.as_ref().is_none_or(|mask| mask.len() == magic.len()) && lines.next().is_none();
        (fits && is_whole).then_some(Pattern::Magic { offset, magic, mask })
    }

    /// The type and the three fields of a registration.
    fn fields(&self) -> Result<(&'static [u8], [Vec<u8>; 3]), RegistrationError> {
        match self {
            Pattern::Magic { offset, magic, mask } => {
                let fits = !magic.is_empty() && *offset <= HEAD && magic.len() <= HEAD - offset;
                if !fits || mask.as_ref().is_some_and(|mask| mask.len() != magic.len()) {
                    return Err(RegistrationError::Pattern);
                }
                let mask = mask.as_deref().map(escaped).unwrap_or_default();
                Ok((b"M", [offset.to_string().into_bytes(), escaped(magic), mask]))
            }
            Pattern::Extension(extension) => {
                let extension = extension.as_bytes();
                if extension.is_empty() || extension.contains(&b'/') || extension.contains(&0) {
                    return Err(RegistrationError::Pattern);
                }
                Ok((b"E", [Vec::new(), extension.to_vec(), Vec::new()]))
            }
        }
    }
}

/// Bytes from pairs of hexadecimal digits.
pub fn from_hex(digits: &[u8]) -> Option<Vec<u8>> {
    let digit = |byte: u8| char::from(byte).to_digit(16).and_then(|digit| u8::try_from(digit).ok());
    let pairs = digits.chunks(2).map(|pair| match pair {
        [high, low] => Some(digit(*high)? << 4 | digit(*low)?),
        _ => None,
    });
    pairs.collect()
}

/// Every byte as `\xNN`, which the kernel reads (string_unescape_inplace, UNESCAPE_HEX).
pub(super) fn escaped(bytes: &[u8]) -> Vec<u8> {
    bytes.iter().flat_map(|byte| format!("\\x{byte:02x}").into_bytes()).collect()
}

fn split_once<'a>(text: &'a [u8], separator: &[u8]) -> Option<(&'a [u8], &'a [u8])> {
    let at = text.windows(separator.len()).position(|window| window == separator)?;
    Some((text.get(..at)?, text.get(at + separator.len()..)?))
}

#[cfg(test)]
mod tests {
    use std::path::Path;

    use super::*;

    const S390X: &str = "enabled\ninterpreter /usr/bin/qemu-s390x\nflags: POCF\noffset 0\n\
                         magic 7f454c4602020100000000000000000000020016\n\
                         mask ffffffffffffff00fffffffffffffffffffeffff\n";

    fn parse(text: &str) -> Result<Entry, &'static str> {
        Entry::parse(OsStr::new("x"), text.as_bytes()).map_err(|error| error.why)
    }

    #[test]
    fn an_entry_is_read_as_the_kernel_shows_it() {
        let entry = parse(S390X).unwrap();
        assert!(entry.is_enabled && entry.interpreter == Path::new("/usr/bin/qemu-s390x"));
        assert_eq!(entry.flags.letters(), "POCF");
        let Pattern::Magic { offset: 0, magic, mask: Some(mask) } = &entry.pattern else {
            panic!("{entry:?}")
        };
        assert_eq!((magic.len(), mask.len(), magic[19], mask[7]), (20, 20, 0x16, 0));
        let none = parse("disabled\ninterpreter /a b\nflags: \noffset 4\nmagic 00ff\n").unwrap();
        assert_eq!((none.is_enabled, none.flags), (false, Flags::default()));
        assert_eq!(none.pattern, Pattern::Magic { offset: 4, magic: vec![0, 255], mask: None });
        let jar = parse("enabled\ninterpreter /usr/bin/jexec\nflags: \nextension .jar\n").unwrap();
        assert_eq!(jar.pattern, Pattern::Extension("jar".into()));
        // Lines of the interpreter's own name nothing.
        let odd = parse("enabled\ninterpreter /a\nflags: F\nx\nflags: C\noffset 0\nmagic 00\n").unwrap();
        assert_eq!(
            (odd.interpreter.to_str().unwrap(), odd.flags.letters()),
            ("/a\nflags: F\nx", "OC".into())
        );
    }

    #[test]
    fn what_is_no_entry_is_told_by_what_is_missing() {
        for (text, why) in [
            ("", "it ends after the first line"),
            ("on\n", "it begins neither with enabled nor with disabled"),
            ("enabled\n", "it has no interpreter"),
            ("enabled\ninterpreter /a\n", "it has no flags"),
            ("enabled\ninterpreter /a\nflags: X\noffset 0\nmagic 00\n", "it has a flag that is not known"),
            ("enabled\ninterpreter /a\nflags: F", "it ends after the flags"),
        ] {
            assert_eq!(parse(text), Err(why), "{text:?}");
        }
        for pattern in [
            "",
            "offset 0\nmagic 0\n",
            "offset 0\nmagic 0g\n",
            "offset -1\nmagic 00\n",
            "offset 256\nmagic 00\n",
            "offset 0\nmagic 0000\nmask 00\n",
            "offset 0\nmagic 00\nmask 00\nmore\n",
            "extension jar\n",
        ] {
            let text = format!("enabled\ninterpreter /a\nflags: \n{pattern}");
            assert_eq!(parse(&text), Err("it has neither bytes nor an extension to match"), "{pattern:?}");
        }
    }

    #[test]
    fn an_entry_matches_as_the_kernel_compares() {
        let entry = parse(S390X).unwrap();
        let mut head = from_hex(b"7f454c4602020100000000000000000000020016").unwrap();
        assert!(entry.matches(&head));
        // ET_DYN, and OSABI 3.
        head[17] = 3;
        head[7] = 3;
        assert!(entry.matches(&head));
        head[19] = 0x15;
        assert!(!entry.matches(&head) && !entry.matches(b""));
        let zeroes = Pattern::Magic { offset: 2, magic: vec![0], mask: None };
        assert!(Entry { pattern: zeroes, ..entry.clone() }.matches(b"a"));
        let extension = Pattern::Extension("jar".into());
        assert!(!Entry { pattern: extension, ..entry }.matches(b"a.jar"));
    }

    #[test]
    fn a_registration_is_what_the_kernel_takes() {
        let entry = parse(S390X).unwrap();
        let text = String::from_utf8(entry.registration().unwrap()).unwrap();
        assert!(text.starts_with(r":x:M:0:\x7f\x45\x4c\x46\x02"), "{text}");
        assert!(text.ends_with(r"\xfe\xff\xff:/usr/bin/qemu-s390x:POCF"), "{text}");
        let odd = Entry { interpreter: "/a:b;c".into(), flags: Flags::default(), ..entry.clone() };
        assert!(odd.registration().unwrap().starts_with(br"|x|M|0|\x7f"));
        let jar = Entry { pattern: Pattern::Extension("jar".into()), ..odd.clone() };
        assert_eq!(jar.registration().unwrap(), b"|x|E||jar||/a:b;c|");
        for (name, interpreter) in
            [("", "/a"), ("..", "/a"), ("register", "/a"), ("a/b", "/a"), ("x", "a"), ("x", "")]
        {
            let wrong = Entry { name: name.into(), interpreter: interpreter.into(), ..entry.clone() };
            assert!(wrong.registration().is_err(), "{name} {interpreter}");
        }
        let long = Entry { interpreter: format!("/{}", "a".repeat(1900)).into(), ..entry.clone() };
        assert_eq!(long.registration(), Err(RegistrationError::Length));
        let far = Pattern::Magic { offset: 250, magic: vec![0; 7], mask: None };
        assert_eq!(Entry { pattern: far, ..entry }.registration(), Err(RegistrationError::Pattern));
    }

    #[test]
    fn flags_are_letters_in_any_order() {
        let letters = |text: &str| Flags::parse(text.as_bytes()).map(Flags::letters);
        assert_eq!(letters(""), Some(String::new()));
        assert_eq!(letters("FCP"), Some("POCF".into()));
        assert_eq!(letters("OO"), Some("O".into()));
        assert_eq!(letters("f"), None);
    }
}
