//! What an ELF file on this machine's side says of itself.

use std::path::{Path, PathBuf};

use gb::platform::{Abi, Platform};
use goblin::elf::Elf;
use goblin::elf::header::{ET_DYN, ET_EXEC, ET_REL};
use libtest_mimic::Failed;

/// The facts of an ELF file that the tests ask about.
#[derive(Debug)]
pub struct Facts {
    path: PathBuf,
    platform: Option<&'static Platform>,
    pub machine: u16,
    flags: u32,
    kind: u16,
    interpreter: Option<String>,
    libraries: Vec<String>,
    /// The symbol versions that it needs of its libraries: `GLIBC_2.34`.
    versions: Vec<String>,
}

impl Facts {
    pub fn read(path: &Path) -> Result<Facts, Failed> {
        let attempt = |error: String| format!("read {}: {error}", path.display());
        let bytes = std::fs::read(path).map_err(|error| attempt(error.to_string()))?;
        let elf = Elf::parse(&bytes).map_err(|error| attempt(error.to_string()))?;
        let versions = elf.verneed.iter().flatten().flat_map(|library| {
            let names = library.iter().filter_map(|needed| elf.dynstrtab.get_at(needed.vna_name));
            names.map(str::to_owned).collect::<Vec<_>>()
        });
        Ok(Facts {
            path: path.to_owned(),
            platform: Platform::by_elf_header(&bytes),
            machine: elf.header.e_machine,
            flags: elf.header.e_flags,
            kind: elf.header.e_type,
            interpreter: elf.interpreter.map(str::to_owned),
            libraries: elf.libraries.iter().map(|name| (*name).to_owned()).collect(),
            versions: versions.collect(),
        })
    }

    /// Class, byte order, machine, and the flags that tell its ABIs apart.
    pub fn is_for(&self, platform: &'static Platform) -> Result<(), Failed> {
        let elf = platform.elf;
        let right = self.platform == Some(platform) && self.flags & elf.flags_mask == elf.flags;
        self.check(right, &format!("be for {}", platform.goarch))
    }

    /// A program for one address that the target's loader starts.
    pub fn is_dynamic(&self, abi: &Abi) -> Result<(), Failed> {
        let loaded = self.interpreter.as_deref() == Some(abi.loader);
        self.check(loaded && self.kind == ET_EXEC, &format!("be ET_EXEC with the loader {}", abi.loader))
    }

    /// A program for any address that the target's loader starts.
    pub fn is_position_independent(&self, abi: &Abi) -> Result<(), Failed> {
        let loaded = self.interpreter.as_deref() == Some(abi.loader);
        self.check(loaded && self.kind == ET_DYN, &format!("be ET_DYN with the loader {}", abi.loader))
    }

    pub fn is_static(&self) -> Result<(), Failed> {
        self.check(self.interpreter.is_none() && self.libraries.is_empty(), "need no loader and no library")
    }

    /// Loaded at any address.
    pub fn is_movable(&self) -> Result<(), Failed> {
        self.check(self.kind == ET_DYN, "be ET_DYN")
    }

    pub fn is_shared_library(&self) -> Result<(), Failed> {
        self.check(self.interpreter.is_none() && self.kind == ET_DYN, "be a shared library")
    }

    pub fn is_object(&self, machine: u16) -> Result<(), Failed> {
        let right = self.kind == ET_REL && self.machine == machine;
        self.check(right, &format!("be an object for machine {machine}"))
    }

    pub fn needs_library(&self, prefix: &str) -> Result<(), Failed> {
        let needs = self.libraries.iter().any(|name| name.starts_with(prefix));
        self.check(needs, &format!("need {prefix}"))
    }

    /// No symbol of a glibc newer than this.
    pub fn needs_glibc_at_most(&self, most: (u32, u32)) -> Result<(), Failed> {
        let numbers = self.versions.iter().filter_map(|name| glibc_version(name)).collect::<Vec<_>>();
        self.check(!numbers.is_empty(), "name the versions of glibc that it needs")?;
        let within = numbers.iter().all(|version| *version <= most);
        self.check(within, &format!("need at most GLIBC_{}.{}", most.0, most.1))
    }

    fn check(&self, right: bool, should: &str) -> Result<(), Failed> {
        match right {
            true => Ok(()),
            false => Err(format!("{} should {should}: {self:?}", self.path.display()).into()),
        }
    }
}

fn glibc_version(name: &str) -> Option<(u32, u32)> {
    let (major, rest) = name.strip_prefix("GLIBC_")?.split_once('.')?;
    Some((major.parse().ok()?, rest.split('.').next()?.parse().ok()?))
}
