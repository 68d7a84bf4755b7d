//! What a file is, by its first bytes.

/// As many bytes tell what a file is.
pub const LARGEST_HEAD: usize = 64;

/// What a file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Format {
    /// An ELF file, or the beginning of one.
    Elf,
    /// An archive of objects.
    Archive,
    /// LLVM's intermediate form.
    Bitcode,
    /// A program that is named after `#!`.
    Script,
    /// A program of another system.
    Foreign(&'static str),
    /// No bytes at all.
    Empty,
    /// Anything else.
    Other,
}

impl Format {
    /// What begins so.
    pub fn of(head: &[u8]) -> Format {
        // The magic numbers of Mach-O's programs of one machine; those of several machines have Java's.
        const MACH: [[u8; 4]; 4] =
            [*b"\xfe\xed\xfa\xce", *b"\xfe\xed\xfa\xcf", *b"\xce\xfa\xed\xfe", *b"\xcf\xfa\xed\xfe"];
        match head {
            [] => Format::Empty,
            [0x7f, b'E', b'L', b'F', ..] => Format::Elf,
            _ if head.starts_with(b"!<arch>\n") || head.starts_with(b"!<thin>\n") => Format::Archive,
            // The second one is the wrapper that Apple's compilers put around it.
            [b'B', b'C', 0xc0, 0xde, ..] | [0xde, 0xc0, 0x17, 0x0b, ..] => Format::Bitcode,
            [b'#', b'!', ..] => Format::Script,
            [b'M', b'Z', ..] => Format::Foreign("Windows"),
            [0, b'a', b's', b'm', ..] => Format::Foreign("WebAssembly"),
            _ if MACH.iter().any(|magic| head.starts_with(magic)) => Format::Foreign("macOS"),
            _ => Format::Other,
        }
    }
}
