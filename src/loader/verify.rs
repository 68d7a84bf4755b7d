//! Which file fits a loader (`open_verify` and the beginning of `_dl_map_object_from_fd` in glibc's elf/dl-load.c).
//!
//! The order of the questions decides: a file of another class is passed over and the search goes on, but the first one that is
//! no ELF file at all ends the program, although a good one may lie in a later directory.

use goblin::elf::header::{ET_DYN, ET_EXEC};

use super::own::{Glibc, Kind, Own};
use crate::elf::{Elf, ElfError, Header};

/// What a loader loads: what it is itself.
#[derive(Debug, Clone, Copy)]
pub struct Machine<'a> {
    own: &'a Own,
}

/// What a loader does with a file that it has opened.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Verdict {
    /// Loads it.
    Fits,
    /// Goes on as if it was not there, and why.
    Skip(&'static str),
    /// Ends the program, and why, in the loader's words where it has some.
    Fatal(String),
}

const ELFOSABI_SYSV: u8 = 0;
const ELFOSABI_GNU: u8 = 3;
/// LIBC_ABI_MAX of glibc 2.41 (libc-abis).
const ABI_VERSIONS_GNU: u8 = 4;
const EV_CURRENT: u8 = 1;
/// DT_FLAGS_1: a program of which only the name is that of a library.
const DF_1_PIE: u64 = 0x0800_0000;

impl<'a> Machine<'a> {
    /// What a loader loads.
    pub fn of(own: &'a Own) -> Machine<'a> {
        Machine { own }
    }

    /// Whether a library fits glibc's loader.
    pub(super) fn glibc(&self, loader: &Glibc, elf: Result<&Elf, &ElfError>) -> Verdict {
        let fatal = |why: &str| Verdict::Fatal(why.to_owned());
        let elf = match elf {
            Ok(elf) => elf,
            Err(ElfError::NotElf) => return fatal("invalid ELF header"),
            Err(ElfError::TooShort) => return fatal("file too short"),
            Err(ElfError::Class(_)) => return Verdict::Skip("wrong ELF class"),
            Err(ElfError::Unreadable(why)) => return Verdict::Fatal(format!("cannot read file data: {why}")),
            Err(error) => return Verdict::Fatal(error.to_string()),
        };
        let (header, own) = (&elf.header, &self.own.header);
        if header.class != own.class {
            return Verdict::Skip("wrong ELF class");
        }
        let is_other_machine = header.machine != own.machine;
        if header.data != own.data {
            return match is_other_machine && loader.skips_other_order {
                true => Verdict::Skip("other machine"),
                false => fatal("ELF file data encoding is of the other byte order"),
            };
        }
        if header.ident_version != EV_CURRENT {
            return fatal("ELF file version ident does not match current one");
        }
        match (header.os_abi, header.abi_version) {
            (ELFOSABI_SYSV | ELFOSABI_GNU, 0) => {}
            (ELFOSABI_GNU, version) if version < ABI_VERSIONS_GNU => {}
            (ELFOSABI_SYSV, version) if version < self.own.platform.sysv_abi_versions() => {}
            (ELFOSABI_SYSV | ELFOSABI_GNU, _) => return fatal("ELF file ABI version invalid"),
            _ => return fatal("ELF file OS ABI invalid"),
        }
        if !header.is_padded {
            return fatal("nonzero padding in e_ident");
        }
        if header.version != u32::from(EV_CURRENT) {
            return fatal("ELF file version does not match current one");
        }
        if is_other_machine || !self.own.abi.loading.is_for(header.flags) {
            return Verdict::Skip("other machine");
        }
        if ![ET_DYN, ET_EXEC].contains(&header.kind) {
            return fatal("only ET_DYN and ET_EXEC can be loaded");
        }
        if header.segment_size != header.right_segment_size() {
            return fatal("ELF file's phentsize not the expected size");
        }
        if header.kind != ET_DYN {
            return fatal("cannot dynamically load executable");
        }
        if !elf.is_loadable {
            return fatal("object file has no loadable segments");
        }
        match &elf.dynamic {
            None => fatal("object file has no dynamic section"),
            Some(dynamic) if dynamic.flags_1 & DF_1_PIE != 0 => {
                fatal("cannot dynamically load position-independent executable")
            }
            Some(_) => Verdict::Fits,
        }
    }

    /// Whether a library fits musl's loader, which takes the first file of the name and does not ask what machine it is for.
    pub(super) fn musl(&self, elf: Result<&Elf, &ElfError>) -> Verdict {
        match elf {
            Ok(elf) if self.is_same(&elf.header) && [ET_DYN, ET_EXEC].contains(&elf.header.kind) => {
                match elf.dynamic {
                    Some(_) => Verdict::Fits,
                    None => Verdict::Fatal("Exec format error: it has no dynamic section".to_owned()),
                }
            }
            Ok(elf) if self.is_same(&elf.header) => Verdict::Fatal("Exec format error".to_owned()),
            Ok(_) => Verdict::Fatal("it is for another machine".to_owned()),
            Err(error) => Verdict::Fatal(error.to_string()),
        }
    }

    /// Whether a program is for the machine of the loader that it names.
    pub(super) fn is_same(&self, header: &Header) -> bool {
        let own = &self.own.header;
        (header.class, header.data, header.machine) == (own.class, own.data, own.machine)
            && match self.own.kind {
                Kind::Glibc(_) => self.own.abi.loading.is_for(header.flags),
                Kind::Musl(_) => true,
            }
    }
}
