//! The compiler roles: `<triple>-clang` and its aliases are gb, and gb is clang told about the target.
//!
//! One word in `CC` is what makes cgo sound: Go's linker probes flags with the first word alone (golang/go#73406), and
//! its probe cache is keyed by that word (`gccSupportsFlag`), so each target needs a compiler of its own name.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::PathBuf;

use super::sysroot::sysroot_flag;
use super::{NoSysroot, Programs, Sysroot};
use crate::environment::Environment;
use crate::platform::{Abi, BadVariant, Platform, Variant};

/// A compiler for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compiler {
    /// The target's architecture.
    pub platform: &'static Platform,
    /// The target's C ABI.
    pub abi: &'static Abi,
    /// C or C++.
    pub language: Language,
}

/// What a compiler driver takes its input and its libraries to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `clang`, `cc`, `gcc`
    C,
    /// `clang++`, `c++`, `g++`: also links the C++ library.
    Cxx,
}

/// The command that a compiler role becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The real compiler.
    pub program: PathBuf,
    /// Its arguments, without `argv[0]`.
    pub args: Vec<OsString>,
    /// Whether the caller asks who the compiler is (`-###`): then the answer must also tell the sysroot.
    pub asks_identity: bool,
}

/// Why a compiler role can't compile.
#[derive(Debug, thiserror::Error)]
pub enum CompilerError {
    /// There is no clang.
    #[error("compile for {triple}: no clang in PATH (apt-get install clang lld)")]
    NoCompiler {
        /// The target.
        triple: &'static str,
    },
    /// There is nothing to compile against.
    #[error("compile for {}: {}", .0.triple, .0)]
    NoSysroot(NoSysroot),
    /// The variant is none of Go's.
    #[error("compile for {triple}: {error}")]
    BadVariant {
        /// The target.
        triple: &'static str,
        /// What is wrong with it.
        error: BadVariant,
    },
}

/// What of a command line matters for the flags that gb adds.
#[derive(Debug, Default, PartialEq, Eq)]
struct CommandLine {
    /// The target that the caller names.
    target: Option<OsString>,
    /// The caller names a sysroot.
    sysroot: bool,
    /// The caller names a linker.
    linker: bool,
    /// The caller names an instruction set.
    instruction_set: bool,
    /// `-###`
    asks_identity: bool,
    /// Something to read: a file or standard input.
    input: bool,
    /// Ends before linking.
    stops_early: bool,
    /// Only a question, such as `--version`.
    question: bool,
    /// Needs no headers of the sysroot.
    no_headers: bool,
    /// Needs no libraries of the sysroot.
    no_libraries: bool,
}

/// Options of clang and gcc whose value is the next word, so that the next word is not an option itself.
const WITH_VALUE: &[&str] = &[
    "-o",
    "-x",
    "-I",
    "-D",
    "-U",
    "-L",
    "-l",
    "-F",
    "-T",
    "-u",
    "-z",
    "-e",
    "-A",
    "-MF",
    "-MT",
    "-MQ",
    "-MJ",
    "-include",
    "-include-pch",
    "-imacros",
    "-iprefix",
    "-iwithprefix",
    "-iwithprefixbefore",
    "-iquote",
    "-isystem",
    "-isystem-after",
    "-idirafter",
    "-isysroot",
    "-cxx-isystem",
    "-imultilib",
    "-Xclang",
    "-Xlinker",
    "-Xassembler",
    "-Xpreprocessor",
    "-Xanalyzer",
    "-Xopenmp-target",
    "-Xarch_host",
    "-Xarch_device",
    "-mllvm",
    "-arch",
    "-framework",
    "-rpath",
    "-serialize-diagnostics",
    "--param",
    "--config",
    "-dumpbase",
    "-wrapper",
    "-G",
    "-B",
    "-specs",
    "-ivfsoverlay",
    "-working-directory",
    "-fmodules-cache-path",
    "-mthread-model",
    "-main-file-name",
];

impl CommandLine {
    fn read(args: &[OsString]) -> CommandLine {
        let mut line = CommandLine::default();
        let words = expand_response_files(args);
        let mut words = words.iter().map(OsString::as_os_str);
        while let Some(word) = words.next() {
            line.read_word(word, &mut words);
        }
        line
    }

    fn read_word<'a>(&mut self, word: &OsStr, rest: &mut impl Iterator<Item = &'a OsStr>) {
        let bytes = word.as_bytes();
        let starts = |prefix: &str| bytes.starts_with(prefix.as_bytes());
        let Ok(text) = std::str::from_utf8(bytes) else {
            // No option that matters has other bytes, and a value of one (a path) follows its ASCII name.
            self.input |= !starts("-");
            self.sysroot |= starts("--sysroot=");
            return;
        };
        match text {
            "-target" => self.target = rest.next().map(OsStr::to_owned),
            "--sysroot" => {
                self.sysroot = true;
                rest.next();
            }
            "-###" => self.asks_identity = true,
            "-c"
            | "-S"
            | "-E"
            | "-fsyntax-only"
            | "-M"
            | "-MM"
            | "--analyze"
            | "-emit-ast"
            | "--precompile"
            | "-emit-interface-stubs"
            | "-rewrite-objc" => self.stops_early = true,
            "--version" | "--help" | "-help" | "--help-hidden" | "-dumpversion" | "-dumpfullversion"
            | "-dumpmachine" => self.question = true,
            "-ffreestanding" | "-nostdinc" => self.no_headers = true,
            "-nostdlib" | "-r" => self.no_libraries = true,
            _ if text.starts_with("--target=") => self.target = text.get(9..).map(OsString::from),
            _ if text.starts_with("--sysroot=") => self.sysroot = true,
            _ if text.starts_with("-fuse-ld=") || text.starts_with("--ld-path=") => self.linker = true,
            _ if text.starts_with("-march=") || text.starts_with("-mcpu=") => self.instruction_set = true,
            _ if text.starts_with("-print-") || text.starts_with("--print-") => self.question = true,
            _ if text.starts_with("--autocomplete=") => self.question = true,
            _ if WITH_VALUE.contains(&text) => {
                rest.next();
            }
            _ if text == "-" || !text.starts_with('-') => self.input = true,
            _ => {}
        }
    }

    fn links(&self) -> bool {
        self.input && !self.stops_early
    }
}

impl Compiler {
    /// The compiler that a program name stands for: `aarch64-linux-gnu-clang++`.
    ///
    /// `None` if the name is none of a compiler; the error is the part that should have been a triple.
    pub fn by_name(name: &str) -> Option<Result<Compiler, &str>> {
        const NAMES: [(&str, Language); 6] = [
            ("-clang++", Language::Cxx),
            ("-clang", Language::C),
            ("-c++", Language::Cxx),
            ("-cc", Language::C),
            ("-g++", Language::Cxx),
            ("-gcc", Language::C),
        ];
        let (triple, language) =
            NAMES.iter().find_map(|(suffix, language)| Some((name.strip_suffix(suffix)?, *language)))?;
        Some(match Platform::by_triple(triple) {
            Some((platform, abi)) => Ok(Compiler { platform, abi, language }),
            None => Err(triple),
        })
    }

    /// The command line of clang for the caller's one.
    ///
    /// The caller's words stay as they are and in their order, behind gb's.
    pub fn plan(
        &self,
        args: &[OsString],
        environment: &Environment,
        programs: Programs<'_>,
    ) -> Result<Invocation, CompilerError> {
        let triple = self.abi.triple;
        let program = clang(programs).ok_or(CompilerError::NoCompiler { triple })?;
        let line = CommandLine::read(args);
        if line.target.as_deref().is_some_and(|target| !self.is_own_target(target)) {
            return Ok(Invocation { program, args: args.to_vec(), asks_identity: false });
        }
        let sysroot = Sysroot::find(self.platform, self.abi, environment.get_nonempty("GB_SYSROOT"));
        let args = self.args(&line, args, &sysroot, environment)?;
        Ok(Invocation { program, args, asks_identity: line.asks_identity })
    }

    fn args(
        &self,
        line: &CommandLine,
        args: &[OsString],
        sysroot: &Result<Sysroot, NoSysroot>,
        environment: &Environment,
    ) -> Result<Vec<OsString>, CompilerError> {
        let needs_sysroot = line.input
            && !line.asks_identity
            && !line.question
            && !line.sysroot
            && !(line.no_headers && (line.stops_early || line.no_libraries));
        let sysroot = match sysroot {
            Ok(sysroot) => Some(sysroot),
            Err(error) if needs_sysroot => return Err(CompilerError::NoSysroot(error.clone())),
            Err(_) => None,
        };
        let mut own = vec![OsString::from(format!("--target={}", self.abi.triple))];
        if let Some(root) = sysroot.and_then(Sysroot::root).filter(|_| !line.sysroot) {
            own.push(sysroot_flag(root));
        }
        if !line.instruction_set {
            own.extend(self.instruction_set(environment)?.into_iter().map(OsString::from));
        }
        // Clang's default linker is GNU ld, which knows one machine; lld knows all.
        if line.links() && !line.linker {
            own.push("-fuse-ld=lld".into());
        }
        let mut all = Vec::with_capacity(own.len() + args.len() + 3);
        if self.language == Language::Cxx {
            all.push("--driver-mode=g++".into());
        }
        // Go compiles with -Werror, and a flag that the step at hand does not need would be warned about.
        all.push("--start-no-unused-arguments".into());
        all.append(&mut own);
        all.push("--end-no-unused-arguments".into());
        all.extend_from_slice(args);
        Ok(all)
    }

    /// The flags of the target's instruction set: those of Go's variant (Go puts GOARM and its like into the
    /// environment of every compiler that it starts), else the baseline of the ABI.
    fn instruction_set(&self, environment: &Environment) -> Result<Vec<String>, CompilerError> {
        let baseline = || self.abi.baseline.iter().map(|flag| (*flag).to_owned()).collect();
        let Some(variant) = self.variant(environment)? else { return Ok(baseline()) };
        let flags = variant.c_flags(self.abi);
        Ok(if flags.is_empty() { baseline() } else { flags })
    }

    fn variant(&self, environment: &Environment) -> Result<Option<Variant>, CompilerError> {
        let Some(variable) = &self.platform.variable else { return Ok(None) };
        let Some(value) = environment.get_nonempty(variable.name) else { return Ok(None) };
        let variant = variable.parse(&value.to_string_lossy());
        variant.map(Some).map_err(|error| CompilerError::BadVariant { triple: self.abi.triple, error })
    }

    /// Whether the caller's `--target` names what this compiler is for anyway, as the Rust crate `cc` does.
    fn is_own_target(&self, target: &OsStr) -> bool {
        let found = target.to_str().and_then(|target| {
            Platform::by_triple(target).or_else(|| {
                let abi = self.abi;
                (abi.rust == Some(target)).then_some((self.platform, abi))
            })
        });
        found == Some((self.platform, self.abi))
    }

    /// What the compiler's answer to `-###` must be told apart by, besides clang's own version.
    pub fn identity(&self, environment: &Environment) -> String {
        let sysroot = Sysroot::find(self.platform, self.abi, environment.get_nonempty("GB_SYSROOT"));
        let sysroot = match sysroot {
            Ok(sysroot) => super::identity::describe(&sysroot, self.abi),
            Err(_) => "none".to_owned(),
        };
        let flags = self.instruction_set(environment).unwrap_or_default().join(",");
        let flags = if flags.is_empty() { String::new() } else { format!(" flags={flags}") };
        format!("gb={} target={}{flags} sysroot={sysroot}", env!("CARGO_PKG_VERSION"), self.abi.triple)
    }
}

/// The real clang. Debian also has it under its versioned name alone.
pub(super) fn clang(programs: Programs<'_>) -> Option<PathBuf> {
    programs.find("clang").or_else(|| (14..=30).rev().find_map(|n| programs.find(&format!("clang-{n}"))))
}

/// The words of a command line with the contents of response files (`@file`) in their place.
///
/// Only for reading what was asked: clang gets the caller's words. What can't be read stays a word, as in clang.
fn expand_response_files(args: &[OsString]) -> Vec<OsString> {
    // Files may name files; no sane command line comes near this.
    const MOST_FILES: usize = 64;
    let mut budget = MOST_FILES;
    let mut stack: Vec<OsString> = args.iter().rev().cloned().collect();
    let mut words = Vec::with_capacity(args.len());
    while let Some(word) = stack.pop() {
        let file = word.as_bytes().strip_prefix(b"@").filter(|_| budget > 0);
        match file.map(|name| std::fs::read(OsStr::from_bytes(name))) {
            Some(Ok(text)) => {
                budget -= 1;
                stack.extend(split_response_file(&text).into_iter().rev());
            }
            _ => words.push(word),
        }
    }
    words
}

/// Splits a response file as GNU programs and LLVM on Unix do (llvm::cl::TokenizeGNUCommandLine): white space
/// separates, quotes of both kinds group, a backslash takes the next byte as it is.
fn split_response_file(text: &[u8]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) => word.get_or_insert_default().extend(bytes.next()),
            (_, Some(open)) if byte == open => quote = None,
            (b'\'' | b'"', None) => {
                quote = Some(byte);
                word.get_or_insert_default();
            }
            (b' ' | b'\t' | b'\n' | b'\r', None) => words.extend(word.take()),
            _ => word.get_or_insert_default().push(byte),
        }
    }
    words.extend(word);
    words.into_iter().map(OsString::from_vec).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    fn environment(variables: &[&str]) -> Environment {
        Environment::new(variables.iter().map(|v| std::ffi::CString::new(*v).unwrap()).collect())
    }

    /// The flags that gb adds for a command line, given a sysroot at /s.
    fn added(name: &str, command: &str, variables: &[&str]) -> String {
        let compiler = Compiler::by_name(name).unwrap().unwrap();
        let sysroot = Ok(Sysroot {
            layout: super::super::Layout::Directory("/s".into()),
            lib: "/s/l".into(),
            libgcc: "/s/g".into(),
        });
        let args = words(command);
        let line = CommandLine::read(&args);
        let all = compiler.args(&line, &args, &sysroot, &environment(variables)).unwrap();
        let own: Vec<_> = all[..all.len() - args.len()].iter().map(|w| w.to_str().unwrap()).collect();
        own.join(" ").replace("--start-no-unused-arguments ", "[").replace(" --end-no-unused-arguments", "]")
    }

    #[test]
    fn flags_are_added_only_where_they_belong() {
        let arm64 = "aarch64-linux-gnu-clang";
        for (name, command, variables, expected) in [
            (arm64, "-c x.c", &[][..], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "-S -o - -x c -", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.c -o x", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld]"),
            (arm64, "-x c -", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld]"),
            (arm64, "-o -c x.o", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld]"),
            (arm64, "x.o -fuse-ld=bfd", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.o --ld-path=/l", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.c --sysroot=/t", &[], "[--target=aarch64-linux-gnu -fuse-ld=lld]"),
            (arm64, "x.c --sysroot /t", &[], "[--target=aarch64-linux-gnu -fuse-ld=lld]"),
            (arm64, "--version", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (
                "aarch64-linux-gnu-g++",
                "x.cc",
                &[],
                "--driver-mode=g++ [--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld]",
            ),
            (
                "x86_64-linux-gnu-cc",
                "-c x.c",
                &["GOAMD64=v3"],
                "[--target=x86_64-linux-gnu --sysroot=/s -march=x86-64-v3]",
            ),
            (
                "x86_64-linux-gnu-cc",
                "-c x.c -march=native",
                &["GOAMD64=v3"],
                "[--target=x86_64-linux-gnu --sysroot=/s]",
            ),
            ("x86_64-linux-gnu-cc", "-c x.c", &["GOARM=5"], "[--target=x86_64-linux-gnu --sysroot=/s]"),
            (
                "arm-linux-gnueabi-gcc",
                "-c x.c",
                &[],
                "[--target=arm-linux-gnueabi --sysroot=/s -march=armv5te]",
            ),
            (
                "arm-linux-gnueabi-gcc",
                "-c x.c",
                &["GOARM=5"],
                "[--target=arm-linux-gnueabi --sysroot=/s -march=armv5te]",
            ),
            (
                "arm-linux-gnueabi-gcc",
                "-c x.c",
                &["GOARM=6"],
                "[--target=arm-linux-gnueabi --sysroot=/s -march=armv6]",
            ),
            (
                "arm-linux-gnueabihf-gcc",
                "-c x.c",
                &["GOARM=7"],
                "[--target=arm-linux-gnueabihf --sysroot=/s -march=armv7-a -mfpu=vfpv3-d16]",
            ),
        ] {
            assert_eq!(added(name, command, variables), expected, "{name} {command} {variables:?}");
        }
    }

    #[test]
    fn a_target_of_the_callers_own_is_seen_wherever_clang_would_see_it() {
        let own = |command: &str| {
            let compiler = Compiler::by_name("aarch64-linux-gnu-clang").unwrap().unwrap();
            let target = CommandLine::read(&words(command)).target;
            target.map(|target| compiler.is_own_target(&target))
        };
        assert_eq!(own("-c x.c"), None);
        assert_eq!(own("-target bpf -c x.c"), Some(false));
        assert_eq!(own("-c x.c --target=s390x-linux-gnu"), Some(false));
        assert_eq!(own("--target=aarch64-linux-gnu x.c"), Some(true));
        assert_eq!(own("--target=aarch64-unknown-linux-gnu x.c"), Some(true));
        assert_eq!(own("-Xclang -target x.c"), None);
        assert_eq!(own("-o -target x.c"), None);
    }

    #[test]
    fn a_missing_sysroot_stops_only_what_needs_it() {
        let compiler = Compiler::by_name("s390x-linux-gnu-clang").unwrap().unwrap();
        let missing = Sysroot::find(compiler.platform, compiler.abi, Some(OsStr::new("/nonexistent")));
        let works = |command: &str| {
            let args = words(command);
            let line = CommandLine::read(&args);
            compiler.args(&line, &args, &missing, &environment(&[])).is_ok()
        };
        for command in [
            "--version",
            "-print-search-dirs",
            "-### -x c -c -",
            "",
            "-v",
            "-nostdinc -c x.c",
            "--sysroot=/t x.c",
        ] {
            assert!(works(command), "{command}");
        }
        for command in ["-c x.c", "x.o", "-E -", "-nostdinc x.c", "-nostdlib x.c"] {
            assert!(!works(command), "{command}");
        }
    }

    #[test]
    fn a_variant_that_go_does_not_know_is_refused() {
        let compiler = Compiler::by_name("x86_64-linux-gnu-clang").unwrap().unwrap();
        let error = compiler.instruction_set(&environment(&["GOAMD64=v9"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "compile for x86_64-linux-gnu: GOAMD64=v9: no such variant (Go accepts v1, v2, v3, v4)"
        );
    }

    #[test]
    fn names_of_compilers_are_told_from_others() {
        let by_name = |name| Compiler::by_name(name).map(|r| r.map(|c| (c.abi.triple, c.language)));
        assert_eq!(by_name("s390x-linux-gnu-clang++"), Some(Ok(("s390x-linux-gnu", Language::Cxx))));
        assert_eq!(by_name("i386-linux-gnu-cc"), Some(Ok(("i686-linux-gnu", Language::C))));
        assert_eq!(by_name("ppc64le-redhat-linux-gcc"), Some(Err("ppc64le-redhat-linux")));
        assert_eq!(by_name("x-y-clang"), Some(Err("x-y")));
        assert_eq!(by_name("clang"), None);
        assert_eq!(by_name("gb"), None);
    }

    #[test]
    fn response_files_are_split_as_llvm_splits_them() {
        let split = |text: &[u8]| split_response_file(text);
        assert_eq!(
            split(b"-c 'a b' \"c\\\"d\" e\\ f ''\n\n"),
            ["-c", "a b", "c\"d", "e f", ""].map(OsString::from)
        );
        assert!(split(b"  ").is_empty());
        assert_eq!(split(b"a'b"), ["ab"].map(OsString::from));
    }

    #[test]
    fn what_a_response_file_asks_for_counts() {
        let dir = tempfile::tempdir().unwrap();
        let (inner, outer) = (dir.path().join("inner"), dir.path().join("outer"));
        std::fs::write(&inner, "--target=bpf").unwrap();
        std::fs::write(&outer, format!("-c @{} @{}", inner.display(), outer.display())).unwrap();
        let line = CommandLine::read(&[format!("@{}", outer.display()).into()]);
        assert_eq!(line.target, Some("bpf".into()));
        assert!(line.stops_early);
        assert!(CommandLine::read(&words("@/nonexistent")).input);
    }
}
