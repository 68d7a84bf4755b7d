//! The binutils roles: `<triple>-ld`, `-as` and `-objcopy`, which know their target without being told.
//!
//! LLVM's programs handle the objects of every machine, and take the machine from the objects that they read. Where there is
//! none to read it from (`ld -r -b binary`, `objcopy -I binary -O default`), or a default to be known (where libraries
//! are), GNU's programs of such a name go by their name.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use goblin::elf::header::{ELFCLASS32, ELFCLASS64, ELFDATA2LSB, ELFDATA2MSB, ET_REL};

use super::command_line::expand_response_files;
use super::compiler::clang;
use super::sysroot::{Sysroot, sysroot_flag};
use super::{Programs, lld};
use crate::environment::Environment;
use crate::file;
use crate::platform::{Abi, ElfClass, ElfData, Platform};

/// A program of GNU's binutils that gb plays.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Tool {
    /// The linker.
    Ld,
    /// The assembler.
    As,
    /// The copier of object files.
    Objcopy,
    /// The compiler of Windows' resources.
    Windres,
}

impl Tool {
    /// Every tool: the part of its name behind the triple's hyphen, and what of LLVM it becomes.
    pub const ALL: [(&'static str, Tool, &'static str); 4] = [
        ("ld", Tool::Ld, "ld.lld"),
        ("as", Tool::As, "clang"),
        ("objcopy", Tool::Objcopy, "llvm-objcopy"),
        ("windres", Tool::Windres, "llvm-windres"),
    ];

    /// Whether the tools of an ABI have it.
    pub fn is_of(self, abi: &Abi) -> bool {
        self != Tool::Windres || abi.is_windows()
    }
}

/// A binutils role for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Binutil {
    /// The tool.
    pub tool: Tool,
    /// The target's architecture.
    pub platform: &'static Platform,
    /// The target's C ABI.
    pub abi: &'static Abi,
}

/// The command that a binutils role becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Command {
    /// LLVM's program.
    pub program: PathBuf,
    /// Its arguments, without `argv[0]`.
    pub args: Vec<OsString>,
    /// A further input that lends the output what only an object says: the contents of an object without any section.
    pub empty_object: Option<Vec<u8>>,
    /// The output, where it will lack the ABI's flags, by which a linker tells what it may join.
    pub without_flags: Option<PathBuf>,
}

/// Why a binutils role can't work.
#[derive(Debug, thiserror::Error)]
#[error("run {triple}-{tool}: no {program} in PATH (apt-get install {package})")]
pub struct NoTool {
    triple: &'static str,
    tool: &'static str,
    program: &'static str,
    package: &'static str,
}

impl Binutil {
    /// The role that a program name stands for: `aarch64-linux-gnu-ld`. `None` if it is none of a known triple.
    pub fn by_name(name: &str) -> Option<Binutil> {
        let (triple, tool) = name.rsplit_once('-')?;
        let (_, tool, _) = Tool::ALL.into_iter().find(|(own, ..)| *own == tool)?;
        let (platform, abi) = Platform::by_tools(triple)?;
        tool.is_of(abi).then_some(Binutil { tool, platform, abi })
    }

    /// The command line of LLVM's program for the caller's one.
    pub fn plan(
        &self,
        args: &[OsString],
        environment: &Environment,
        programs: Programs<'_>,
    ) -> Result<Command, NoTool> {
        let missing = |tool, program, package| NoTool { triple: self.abi.triple, tool, program, package };
        let sysroot = || Sysroot::find(self.platform, self.abi, environment.get_nonempty("GB_SYSROOT")).ok();
        let (program, args) = match self.tool {
            Tool::Ld => {
                let program = programs.find("ld.lld").ok_or_else(|| missing("ld", "ld.lld", "lld"))?;
                (program, self.ld(args, sysroot().as_ref()))
            }
            Tool::Windres => {
                let program = programs.find("llvm-windres");
                let program = program.ok_or_else(|| missing("windres", "llvm-windres", "llvm"))?;
                (program, self.windres(args, sysroot().as_ref()))
            }
            Tool::As => {
                (clang(programs).ok_or_else(|| missing("as", "clang", "clang"))?, assembler(self.abi, args))
            }
            Tool::Objcopy => {
                let program = programs.find("llvm-objcopy");
                (program.ok_or_else(|| missing("objcopy", "llvm-objcopy", "llvm"))?, self.objcopy(args))
            }
        };
        let (empty_object, without_flags) = match self.tool {
            Tool::Ld if !self.abi.is_windows() && is_of_data_alone(&expand_response_files(&args)) => {
                (Some(self.empty_object()), None)
            }
            Tool::Objcopy if self.platform.elf.flags != 0 => (None, made_of_data(&args)),
            _ => (None, None),
        };
        Ok(Command { program, args, empty_object, without_flags })
    }

    /// GNU's ld of a target has an emulation, a sysroot with directories that it looks into after all others, and habits.
    fn ld(&self, args: &[OsString], sysroot: Option<&Sysroot>) -> Vec<OsString> {
        let words = expand_response_files(args);
        let options: Vec<&str> = words.iter().filter_map(|word| word.to_str()?.strip_prefix('-')).collect();
        let options: Vec<&str> =
            options.iter().map(|option| option.strip_prefix('-').unwrap_or(option)).collect();
        let has = |option: &str| options.contains(&option);
        let starts = |prefix: &str| options.iter().any(|option| option.starts_with(prefix));
        let mut all: Vec<OsString> = Vec::new();
        // -mllvm is lld's own, and no emulation.
        if !words.iter().any(|word| word.as_bytes().starts_with(b"-m") && word != "-mllvm") {
            all.extend(["-m", self.platform.binutils(self.abi).emulation].map(OsString::from));
        }
        all.extend(lld::habits(self.platform, self.abi).map(OsString::from));
        let own_sysroot = sysroot.filter(|_| !starts("sysroot"));
        if let Some(root) = own_sysroot.and_then(Sysroot::root) {
            all.push(sysroot_flag(root));
        }
        // A program that names libc is one of a C library, which its loader starts. (Where a script or an option says
        // otherwise it may be a kernel, which nobody starts so.)
        const OTHERWISE: [&str; 9] = [
            "static",
            "non_shared",
            "shared",
            "Bshareable",
            "r",
            "i",
            "relocatable",
            "nostdlib",
            "no-dynamic-linker",
        ];
        let is_static =
            options.iter().rev().find(|option| ["Bstatic", "Bdynamic", "dn", "dy"].contains(option));
        let plain = !self.abi.is_windows()
            && !OTHERWISE.into_iter().any(has)
            && !["T", "script", "dynamic-linker", "I"].into_iter().any(starts)
            && !is_static.is_some_and(|option| ["Bstatic", "dn"].contains(option));
        if plain && has("lc") {
            all.push(format!("--dynamic-linker={}", self.abi.loader).into());
        }
        all.extend_from_slice(args);
        if let Some(sysroot) = own_sysroot.filter(|_| !has("nostdlib")) {
            all.extend(sysroot.library_directories(self.abi).iter().map(|dir| {
                let mut flag = OsString::from("-L");
                flag.push(dir);
                flag
            }));
        }
        all
    }

    /// llvm-windres takes the machine from its own name, and has clang look for headers on this machine.
    fn windres(&self, args: &[OsString], sysroot: Option<&Sysroot>) -> Vec<OsString> {
        let mut all = vec![format!("--target={}", self.platform.binutils(self.abi).format).into()];
        all.extend_from_slice(args);
        all.extend(sysroot.and_then(Sysroot::root).map(|root| {
            let mut flag = OsString::from("-I");
            flag.push(root.join("include"));
            flag
        }));
        all
    }

    /// `default` is GNU's word for the format that the program was made for.
    fn objcopy(&self, args: &[OsString]) -> Vec<OsString> {
        let format = self.platform.binutils(self.abi).format;
        let mut all = Vec::with_capacity(args.len());
        let mut words = args.iter();
        while let Some(word) = words.next() {
            let text = word.to_str().unwrap_or_default();
            let takes_a_format =
                matches!(text, "-O" | "-I" | "-F" | "--output-target" | "--input-target" | "--target");
            if takes_a_format {
                all.push(word.clone());
                all.extend(
                    words.next().map(|value| if value == "default" { format.into() } else { value.clone() }),
                );
            } else if let Some(option) = text.strip_suffix("default").filter(|option| {
                matches!(*option, "-O" | "-I" | "-F" | "--output-target=" | "--input-target=" | "--target=")
            }) {
                all.push(format!("{option}{format}").into());
            } else {
                all.push(word.clone());
            }
        }
        all
    }

    /// An object with a header and nothing else.
    ///
    /// lld makes what `-r -b binary` is to make without any object to go by: without the ABI's flags, and (of LLVM 21) with
    /// every property of .note.gnu.property at once, which on RISC-V exclude each other.
    fn empty_object(&self) -> Vec<u8> {
        let elf = self.platform.elf;
        let (class, header, section) = match elf.class {
            ElfClass::Elf64 => (ELFCLASS64, 64_u16, 64_u16),
            ElfClass::Elf32 => (ELFCLASS32, 52, 40),
        };
        let data = if elf.data == ElfData::Little { ELFDATA2LSB } else { ELFDATA2MSB };
        let mut object = vec![0x7f, b'E', b'L', b'F', class, data, 1];
        object.resize(16, 0);
        let mut put = |little: &[u8]| match elf.data {
            ElfData::Little => object.extend_from_slice(little),
            ElfData::Big => object.extend(little.iter().rev()),
        };
        put(&ET_REL.to_le_bytes());
        put(&elf.machine.0.to_le_bytes());
        put(&1_u32.to_le_bytes());
        // Entry point, program headers, section headers: none.
        let addresses = vec![0; if elf.class == ElfClass::Elf64 { 24 } else { 12 }];
        put(&addresses);
        put(&elf.flags.to_le_bytes());
        for half in [header, 0, 0, section, 0, 0] {
            put(&half.to_le_bytes());
        }
        object
    }
}

/// Whether `ld -r` gets a plain file, and so perhaps no object.
fn is_of_data_alone(args: &[OsString]) -> bool {
    let has = |words: &[&str]| args.iter().any(|word| words.iter().any(|known| word == known));
    let pairs = args.windows(2).any(|pair| {
        matches!(pair, [option, format] if
        (option == "-b" || option == "--format") && format == "binary")
    });
    has(&["-r", "--relocatable", "-i"]) && (pairs || has(&["-bbinary", "--format=binary"]))
}

/// The output of an objcopy whose input is a plain file.
fn made_of_data(args: &[OsString]) -> Option<PathBuf> {
    let (mut binary, mut output) = (false, None);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        match word.to_str().unwrap_or_default() {
            "-I" | "--input-target" => binary |= words.next().is_some_and(|value| value == "binary"),
            "-Ibinary" | "--input-target=binary" => binary = true,
            // The options with a value that go together with such an input.
            "-O"
            | "-B"
            | "--output-target"
            | "--binary-architecture"
            | "--rename-section"
            | "--redefine-sym"
            | "--add-section"
            | "--set-section-flags"
            | "-j"
            | "-R"
            | "-K"
            | "-N"
            | "-L"
            | "-G"
            | "-W"
            | "--only-section"
            | "--remove-section"
            | "--set-section-alignment" => {
                words.next();
            }
            option if option.starts_with('-') => {}
            _ => output = Some(PathBuf::from(word)),
        }
    }
    output.filter(|_| binary)
}

/// The words of clang's assembler for those of GNU's as (its manual, "Command-Line Options").
fn assembler(abi: &Abi, args: &[OsString]) -> Vec<OsString> {
    let mut all: Vec<OsString> =
        [format!("--target={}", abi.triple).as_str(), "-c", "-x", "assembler"].map(OsString::from).to_vec();
    let (mut output, mut input) = (false, false);
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let text = word.to_str().unwrap_or_default();
        match text {
            "-o" | "-I" => {
                output |= text == "-o";
                all.push(word.clone());
                all.extend(words.next().cloned());
            }
            "--defsym" | "-defsym" => {
                let value = words.next().and_then(|value| value.to_str()).unwrap_or_default();
                all.push(format!("-Wa,-defsym,{value}").into());
            }
            "--MD" => {
                all.extend(["-MD", "-MF"].map(OsString::from));
                all.extend(words.next().cloned());
            }
            "--debug-prefix-map" => {
                let value = words.next().and_then(|value| value.to_str()).unwrap_or_default();
                all.push(format!("-fdebug-prefix-map={value}").into());
            }
            "-g" | "--gen-debug" | "--gstabs" | "--gdwarf" => all.push("-g".into()),
            "--version" | "-version" => {
                input = true;
                all.push("--version".into());
            }
            "-m64" | "-m32" | "-EL" | "-EB" | "-mthumb" => all.push(word.clone()),
            "--32" => all.push("-m32".into()),
            // What clang does anyway, and what GNU's as ignores or only tunes by.
            "--64" | "-a64" | "-many" | "-mregnames" | "-mzarch" | "-D" | "-J" | "-K" | "-k" | "-Qy"
            | "-Qn" => {}
            "-" => {
                input = true;
                all.push(word.clone());
            }
            _ if text.starts_with("--gdwarf-") => all.push(text.get(1..).unwrap_or_default().into()),
            _ if text.starts_with("-meabi=") || text.starts_with("-al") => {}
            _ if text.starts_with("-o") || text.starts_with("-I") || text.starts_with("-gdwarf-") => {
                output |= text.starts_with("-o");
                all.push(word.clone());
            }
            _ if ["-march=", "-mcpu=", "-mabi=", "-mfpu=", "-mfloat-abi="]
                .iter()
                .any(|o| text.starts_with(o)) =>
            {
                all.push(word.clone());
            }
            _ if text.starts_with("-mpower") => {
                all.push(format!("-mcpu=pwr{}", text.get(7..).unwrap_or_default()).into());
            }
            _ if text.starts_with('-') => all.push(format!("-Wa,{text}").into()),
            _ => {
                input = true;
                all.push(word.clone());
            }
        }
    }
    if !input {
        all.push("-".into());
    }
    if !output {
        all.extend(["-o", "a.out"].map(OsString::from));
    }
    all
}

/// Gives an object of data alone the ABI's flags (`e_flags`), where it has none: without them lld takes it for an object
/// of another ABI and refuses to link it, where GNU's ld looks at its sections.
pub fn give_abi_flags(object: &Path, platform: &Platform) -> io::Result<()> {
    let head = file::read_part(object, 0, 64)?;
    let is_own = Platform::by_elf_header(&head).is_some_and(|found| found == platform);
    let Ok(header) = goblin::elf::Elf::parse_header(&head) else { return Ok(()) };
    if !is_own || header.e_type != ET_REL || header.e_flags != 0 {
        return Ok(());
    }
    let offset = if platform.elf.class == ElfClass::Elf64 { 48 } else { 36 };
    let flags = match platform.elf.data {
        ElfData::Little => platform.elf.flags.to_le_bytes(),
        ElfData::Big => platform.elf.flags.to_be_bytes(),
    };
    File::options().write(true).open(object)?.write_all_at(&flags, offset)
}
