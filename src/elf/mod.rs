//! What an ELF file says of itself to a dynamic loader: of any class, byte order and machine, and however hostile.
//!
//! goblin's numbers, and reading of our own, because a loader's view differs from a linker's: it goes by segments and
//! addresses alone (sections may be stripped or made up), a later entry of the dynamic section takes the place of an earlier
//! one of its kind, and names are bytes. Nothing is read but what is needed, and no size that a file states is believed
//! before the file is seen to have it.
//!
//! Sources: the System V gABI; elf(5); glibc's elf/dl-load.c, dl-version.c and get-dynamic-info.h.

mod details;
mod dynamic;
mod header;
mod notes;
mod reader;
mod sections;
mod symbols;
mod versions;

pub use details::{Details, Examined, FloatAbi, check_length, examine, float_abi_of_object, uleb};
pub use dynamic::{Dynamic, Request, RequestKind};
pub use header::Header;
pub use notes::{Dlopen, Notes, Priority};
pub use reader::{Bytes, Layout, Reader};
pub use sections::section;
pub use symbols::Symbol;
pub use versions::{NeededVersions, Version};

use goblin::elf::program_header::{PT_INTERP, PT_LOAD};

use header::{Segment, Segments};

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
        Elf::of(&reader, header, &segments)
    }

    fn of(reader: &Reader<'_>, header: Header, segments: &Segments) -> Result<Elf, ElfError> {
        let interpreter =
            segments.first(PT_INTERP).map(|segment| interpreter(reader, segment)).transpose()?;
        Ok(Elf {
            is_loadable: segments.first(PT_LOAD).is_some(),
            interpreter,
            dynamic: Dynamic::read(reader, &header, segments)?,
            notes: Notes::read(reader, &header, segments)?,
            header,
        })
    }

    /// What it calls itself (DT_SONAME), if it is a library that does.
    pub fn soname(&self) -> Option<&[u8]> {
        self.dynamic.as_ref()?.soname.as_deref()
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

#[cfg(test)]
pub(crate) mod sample;

#[cfg(test)]
mod tests {
    use goblin::elf::dynamic::{DT_FLAGS_1, DT_NEEDED, DT_RPATH, DT_RUNPATH, DT_SONAME};

    use super::sample::Sample;
    use super::*;
    use crate::platform::{ElfClass, ElfData};

    const EVERY_LAYOUT: [(ElfClass, ElfData); 4] = [
        (ElfClass::Elf32, ElfData::Little),
        (ElfClass::Elf32, ElfData::Big),
        (ElfClass::Elf64, ElfData::Little),
        (ElfClass::Elf64, ElfData::Big),
    ];

    fn sample((class, data): (ElfClass, ElfData)) -> Sample {
        let names = [
            (DT_NEEDED, "liba.so.1"),
            (DT_RPATH, "/first"),
            (0x7fff_fffd, "libaux.so"),
            (DT_NEEDED, "libb.so.2"),
            (DT_SONAME, "libme.so"),
            (DT_RPATH, "/last"),
            (DT_RUNPATH, "/run"),
            (0x7fff_ffff, "libf.so"),
            (0x6fff_fefc, "audit.so"),
        ];
        let note = |text: &str| format!("{text}\0").into_bytes();
        Sample {
            interpreter: Some("/lib/ld.so"),
            names: names.map(|(tag, name)| (tag, name.to_owned())).to_vec(),
            numbers: vec![(DT_FLAGS_1, 0x800)],
            needed: vec![
                ("liba.so.1", vec![("V1", false), ("V2", true)]),
                ("libb.so.2", vec![("V3", false)]),
            ],
            defined: vec!["libme.so", "ME_1"],
            notes: vec![
                ("GNU", 1, [[0u8; 4], 3u32.to_ne_bytes(), 2u32.to_ne_bytes(), [0; 4]].concat()),
                (
                    "FDO",
                    0x407c_0c0a,
                    note(
                        r#"[{"soname":["libx.so.1","libx.so.0"],"priority":"required"},{"soname":["liby.so"]}]"#,
                    ),
                ),
                ("FDO", 0x407c_0c0a, note("[{")),
                ("FDO", 0xcafe_1a7e, note(r#"{"type":"deb"}"#)),
                ("other", 0x407c_0c0a, note("[]")),
            ],
            ..Sample::new(class, data)
        }
    }

    fn texts(names: &[Vec<u8>]) -> Vec<String> {
        names.iter().map(|name| String::from_utf8(name.clone()).unwrap()).collect()
    }

    #[test]
    fn a_file_of_any_class_and_byte_order_is_read() {
        for layout in EVERY_LAYOUT {
            let elf = Elf::read(&sample(layout).bytes()).unwrap();
            assert_eq!((elf.header.class, elf.header.data), layout);
            assert_eq!(elf.interpreter.as_deref(), Some(b"/lib/ld.so".as_slice()));
            let dynamic = elf.dynamic.unwrap();
            let requests: Vec<_> = dynamic
                .requests
                .iter()
                .map(|r| (r.kind, String::from_utf8(r.name.clone()).unwrap()))
                .collect();
            assert_eq!(
                requests,
                [
                    (RequestKind::Needed, "liba.so.1".to_owned()),
                    (RequestKind::Auxiliary, "libaux.so".to_owned()),
                    (RequestKind::Needed, "libb.so.2".to_owned()),
                    (RequestKind::Filter, "libf.so".to_owned()),
                ]
            );
            // The last one of its kind counts.
            assert_eq!(dynamic.rpath.as_deref(), Some(b"/last".as_slice()));
            assert_eq!(dynamic.runpath.as_deref(), Some(b"/run".as_slice()));
            assert_eq!(dynamic.soname.as_deref(), Some(b"libme.so".as_slice()));
            assert_eq!(dynamic.audit.as_deref(), Some(b"audit.so".as_slice()));
            assert_eq!(dynamic.flags_1, 0x800);
            let versions: Vec<_> =
                dynamic.needed_versions.iter().flat_map(|needed| &needed.versions).collect();
            let names: Vec<_> = versions.iter().map(|version| version.name.clone()).collect();
            assert_eq!(texts(&names), ["V1", "V2", "V3"]);
            assert_eq!(
                versions.iter().map(|version| version.is_weak).collect::<Vec<_>>(),
                [false, true, false]
            );
            assert_eq!(texts(&dynamic.defined_versions.unwrap()), ["libme.so", "ME_1"]);
            let dlopen: Vec<_> =
                elf.notes.dlopen.iter().map(|lib| (lib.soname[0].as_str(), lib.priority)).collect();
            assert_eq!(dlopen, [("libx.so.1", Priority::Required), ("liby.so", Priority::Recommended)]);
            assert_eq!(elf.notes.unreadable.len(), 1, "{:?}", elf.notes.unreadable);
            assert_eq!(elf.notes.package.as_deref(), Some(br#"{"type":"deb"}"#.as_slice()));
        }
    }

    #[test]
    fn a_file_cut_off_anywhere_is_refused_and_does_no_harm() {
        for layout in EVERY_LAYOUT {
            let bytes = sample(layout).bytes();
            for length in 0..bytes.len() {
                let cut = bytes[..length].to_vec();
                assert!(Elf::read(&cut).is_err(), "{layout:?} {length}");
            }
        }
    }

    #[test]
    fn a_file_with_any_byte_changed_does_no_harm() {
        for layout in EVERY_LAYOUT {
            let bytes = sample(layout).bytes();
            for at in 0..bytes.len() {
                for value in [0, 1, 0x7f, 0x80, 0xff] {
                    let mut changed = bytes.clone();
                    changed[at] = value;
                    let _either = Elf::read(&changed);
                }
            }
        }
    }

    #[test]
    fn no_size_is_believed() {
        struct Endless;
        impl Bytes for Endless {
            fn length(&self) -> u64 {
                u64::MAX
            }
            fn read_at(&self, offset: u64, buffer: &mut [u8]) -> std::io::Result<usize> {
                let head = sample((ElfClass::Elf64, ElfData::Little)).bytes();
                for (at, byte) in (offset..).zip(buffer.iter_mut()) {
                    // A dynamic section without an end, and names without one.
                    *byte = head.get(usize::try_from(at).unwrap()).copied().unwrap_or(1);
                }
                Ok(buffer.len())
            }
        }
        let mut bytes = sample((ElfClass::Elf64, ElfData::Little)).bytes();
        // A note as large as memory.
        let note = bytes.windows(4).rposition(|window| window == b"FDO\0").unwrap();
        bytes[note - 8..note - 4].fill(0xff);
        assert!(Elf::read(&bytes).is_ok());
        let _either = Elf::read(&Endless);
    }
}
