//! What an ELF file is, and what it needs.

use super::go::Go;
use crate::elf::{Bytes, Elf, ElfError, Examined, FloatAbi, Header, Notes, RequestKind, examine};
use crate::platform::Platform;

/// What an ELF file is, and what it needs.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    /// Its header.
    pub header: Header,
    /// Whose it is; none of a machine that is no port of Go's, or of another system than Linux.
    pub platform: Option<&'static Platform>,
    /// The system that it is for, if that is not Linux.
    pub system: Option<String>,
    /// What it is.
    pub kind: Kind,
    /// Whether anything of it is loaded.
    pub is_loadable: bool,
    /// How its functions hand over floating point numbers, where it says so.
    pub floats: Option<FloatAbi>,
    /// The program that is to load it.
    pub interpreter: Option<Vec<u8>>,
    /// The name that it has for others.
    pub soname: Option<Vec<u8>>,
    /// The libraries that it asks for, in order.
    pub needed: Vec<Vec<u8>>,
    /// DT_RPATH and DT_RUNPATH.
    pub rpath: Option<Vec<u8>>,
    /// Where to look for the files that it asks for itself.
    pub runpath: Option<Vec<u8>>,
    /// The versions of symbols that it asks for.
    pub versions: Vec<Need>,
    /// Why it can't be told for which symbols, if it can't.
    pub symbols_error: Option<ElfError>,
    /// The versions of symbols that it has itself.
    pub defined_versions: Vec<Vec<u8>>,
    /// Whether its stack is to be executable; none if it does not say.
    pub executable_stack: Option<bool>,
    /// Whether its code is changed when it is loaded.
    pub has_text_relocations: bool,
    /// Whether it is a program that may be loaded anywhere.
    pub is_pie: bool,
    /// Whether all its symbols are looked up when it is loaded.
    pub binds_now: bool,
    /// Which of its parts can't be written to once it is loaded.
    pub relro: Relro,
    /// What it notes of itself.
    pub notes: Notes,
    /// How Go has built it.
    pub go: Option<Go>,
}

/// What an ELF file is.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Kind {
    /// A program.
    Program,
    /// A library.
    Library,
    /// An object that is to be linked (ET_REL).
    Object,
    /// What a program left when it crashed (ET_CORE).
    Core,
    /// What debuggers read of a program or library.
    Debug,
    /// Something else.
    Other,
}

/// Which parts of a file can't be written to once it is loaded.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Relro {
    /// None beside its code and constants.
    None,
    /// What relocations change.
    Partial,
    /// That, and the addresses of functions.
    Full,
}

/// A version of symbols that a file asks a library for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Need {
    /// The library.
    pub library: Vec<u8>,
    /// The version.
    pub version: Vec<u8>,
    /// Whether it may be missing.
    pub is_weak: bool,
    /// The symbols, each with whether it may be missing.
    pub symbols: Vec<(Vec<u8>, bool)>,
}

/// DT_FLAGS_1: a program, whatever its type in the header.
const DF_1_PIE: u64 = 0x0800_0000;

impl Kind {
    /// A word for it.
    pub fn name(self) -> &'static str {
        match self {
            Kind::Program => "program",
            Kind::Library => "library",
            Kind::Object => "object",
            Kind::Core => "core dump",
            Kind::Debug => "debug information",
            Kind::Other => "ELF file",
        }
    }

    fn of(elf: &Elf) -> Kind {
        use goblin::elf::header::{ET_CORE, ET_DYN, ET_EXEC, ET_REL};
        match elf.header.kind {
            ET_EXEC => Kind::Program,
            // libc.so.6 can be run, too, and has a name for others.
            ET_DYN if is_pie(elf) || (elf.interpreter.is_some() && elf.soname().is_none()) => Kind::Program,
            ET_DYN => Kind::Library,
            ET_REL => Kind::Object,
            ET_CORE => Kind::Core,
            _ => Kind::Other,
        }
    }
}

fn is_pie(elf: &Elf) -> bool {
    elf.dynamic.as_ref().is_some_and(|dynamic| dynamic.flags_1 & DF_1_PIE != 0)
}

impl Facts {
    /// Reads an ELF file.
    pub fn read(file: &dyn Bytes) -> Result<Facts, ElfError> {
        let Examined { elf, details, is_for_debuggers } = examine(file, super::go::SECTION)?;
        let header = elf.header;
        let kind = if is_for_debuggers { Kind::Debug } else { Kind::of(&elf) };
        let go = matches!(kind, Kind::Program | Kind::Library).then(|| Go::read(file, &header, &details));
        let dynamic = elf.dynamic.unwrap_or_default();
        let needed = dynamic.requests.iter().filter(|request| request.kind == RequestKind::Needed);
        let (symbols, symbols_error) = match details.symbols {
            Ok(symbols) => (symbols, None),
            Err(error) => (Vec::new(), Some(error)),
        };
        let mut by_version: Vec<Vec<(Vec<u8>, bool)>> = Vec::new();
        for symbol in symbols {
            let at = usize::from(symbol.version);
            if by_version.len() <= at {
                by_version.resize(at + 1, Vec::new());
            }
            if let Some(of_this) = by_version.get_mut(at) {
                of_this.push((symbol.name, symbol.is_weak));
            }
        }
        let mut versions = Vec::new();
        for needed in &dynamic.needed_versions {
            for version in &needed.versions {
                let of_this = by_version.get_mut(usize::from(version.index));
                versions.push(Need {
                    library: needed.library.clone(),
                    version: version.name.clone(),
                    is_weak: version.is_weak,
                    symbols: of_this.map(std::mem::take).unwrap_or_default(),
                });
            }
        }
        let system = super::machine::system(&header, &elf.notes, go.as_ref().and_then(Option::as_ref));
        let of_machine = header.platform();
        let is_pie = kind == Kind::Program && header.kind == goblin::elf::header::ET_DYN;
        Ok(Facts {
            header,
            platform: of_machine.filter(|_| system.is_none()),
            system,
            kind,
            is_loadable: elf.is_loadable,
            floats: super::machine::float_abi(&header, details.floats),
            interpreter: elf.interpreter,
            needed: needed.map(|request| request.name.clone()).collect(),
            versions,
            symbols_error,
            defined_versions: dynamic.defined_versions.unwrap_or_default(),
            soname: dynamic.soname,
            rpath: dynamic.rpath,
            runpath: dynamic.runpath,
            executable_stack: details.executable_stack,
            has_text_relocations: dynamic.has_text_relocations,
            is_pie,
            binds_now: dynamic.binds_now,
            relro: match (details.has_relro, dynamic.binds_now) {
                (false, _) => Relro::None,
                (true, false) => Relro::Partial,
                (true, true) => Relro::Full,
            },
            notes: elf.notes,
            go: go.flatten(),
        })
    }

    /// Whether nothing else is loaded for it.
    pub fn is_static(&self) -> bool {
        self.interpreter.is_none() && self.needed.is_empty()
    }
}
