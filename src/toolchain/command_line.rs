//! Reading a compiler's command line: what the caller has decided already, and what kind of step it is.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use crate::file;

/// What of a command line matters for the flags that gb adds.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct CommandLine {
    /// The target that the caller names.
    pub(super) target: Option<OsString>,
    /// The caller names a sysroot.
    pub(super) sysroot: bool,
    /// The caller names a linker.
    pub(super) linker: bool,
    /// The caller names an instruction set.
    pub(super) instruction_set: bool,
    /// `-###`
    pub(super) asks_identity: bool,
    /// Go's work directory, where Go compiles a part of a cgo package.
    pub(super) go_work: Option<PathBuf>,
    /// The caller says what kind of program to link.
    pub(super) link_mode: bool,
    /// Something to read: a file or standard input.
    pub(super) input: bool,
    /// A header to precompile.
    header: bool,
    /// A file that is none.
    other_file: bool,
    /// `-x c-header`
    reads_headers: bool,
    /// `-o /dev/null`: to find out what the compiler can do.
    pub(super) probe: bool,
    /// The last word is an option whose value is missing.
    pub(super) unfinished: bool,
    /// `-m32` and the like: another ABI than the target's.
    pub(super) other_abi: bool,
    /// There is a `--`.
    pub(super) only_files_follow: bool,
    /// Ends before linking.
    pub(super) stops_early: bool,
    /// Only a question, such as `--version`.
    pub(super) question: bool,
    /// Needs no headers of the sysroot.
    pub(super) no_headers: bool,
    /// Needs no libraries of the sysroot.
    pub(super) no_libraries: bool,
    /// Links static libraries only.
    pub(super) is_static: bool,
    /// Chooses others of the compiler's own libraries than the usual.
    pub(super) own_libraries: bool,
    /// The libraries that are asked for: `m` for `-lm`.
    pub(super) libraries: Vec<String>,
}

/// Options of clang and gcc whose value is the next word, so that the next word is not an option itself.
#[rustfmt::skip]
const WITH_VALUE: &[&str] = &[
    "-I", "-D", "-U", "-L", "-F", "-T", "-u", "-z", "-e", "-A", "-MF", "-MT", "-MQ",
    "-MJ", "-include", "-include-pch", "-imacros", "-iprefix", "-iwithprefix", "-iwithprefixbefore",
    "-iquote", "-isystem", "-isystem-after", "-idirafter", "-isysroot", "-cxx-isystem", "-imultilib",
    "-Xclang", "-Xassembler", "-Xpreprocessor", "-Xanalyzer", "-Xopenmp-target",
    "-Xarch_host", "-Xarch_device", "-mllvm", "-arch", "-framework", "-rpath", "-serialize-diagnostics",
    "--param", "--config", "-dumpbase", "-wrapper", "-G", "-B", "-specs", "-ivfsoverlay",
    "-working-directory",
];

impl CommandLine {
    /// Whether the words are for one of clang's inner programs (`-cc1`, `-cc1as`), which know no driver's options.
    pub(super) fn is_inner(args: &[OsString]) -> bool {
        args.first().is_some_and(|first| first.as_bytes().starts_with(b"-cc1"))
    }

    /// Reads a caller's words, response files included.
    pub(super) fn read(args: &[OsString]) -> CommandLine {
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
            if !starts("-") {
                self.read_file(bytes);
            }
            self.sysroot |= starts("--sysroot=");
            return;
        };
        match text {
            "-target" => self.target = self.value(rest).map(OsStr::to_owned),
            "--sysroot" => {
                self.sysroot = true;
                self.value(rest);
            }
            "-m32" | "-mx32" | "-m16" => self.other_abi = true,
            "--" => self.only_files_follow = true,
            "-x" => {
                let language = self.value(rest).unwrap_or_default();
                self.reads_headers = language.as_bytes().ends_with(b"-header");
            }
            _ if text.starts_with("-x") => self.reads_headers = text.ends_with("-header"),
            "-o" => self.probe |= self.value(rest).is_some_and(|value| value == "/dev/null"),
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
            "-nostdinc" | "-nostdlibinc" | "--no-standard-includes" => self.no_headers = true,
            "-nostdlib" => self.no_libraries = true,
            "-r" | "--relocatable" => (self.no_libraries, self.link_mode) = (true, true),
            "-static-pie" | "-static" | "--static" => (self.is_static, self.link_mode) = (true, true),
            "-pie" | "-no-pie" | "-nopie" | "-shared" | "--shared" => self.link_mode = true,
            "-nodefaultlibs" | "-nolibc" | "-nostdlib++" | "-nostdlibxx" => self.own_libraries = true,
            _ if text.starts_with("-static-lib") || text.starts_with("-stdlib=") => self.own_libraries = true,
            _ if text.starts_with("-rtlib=") || text.starts_with("--rtlib=") => self.own_libraries = true,
            _ if text.starts_with("--target=") => self.target = text.get(9..).map(OsString::from),
            _ if text.starts_with("--sysroot=") => self.sysroot = true,
            _ if text.starts_with("-fuse-ld=") || text.starts_with("--ld-path=") => self.linker = true,
            _ if text.starts_with("-march=") || text.starts_with("-mcpu=") => self.instruction_set = true,
            _ if text.starts_with("-ffile-prefix-map=") => {
                self.go_work = self.go_work.take().or(go_work(text))
            }
            _ if text.starts_with("-print-") || text.starts_with("--print-") => self.question = true,
            _ if text.starts_with("--autocomplete=") => self.question = true,
            // Libraries and linker options may be all the input there is.
            "-Xlinker" => {
                self.input = true;
                self.value(rest);
            }
            _ if text.starts_with("-Wl,") => self.input = true,
            _ if text.starts_with("-l") => {
                self.input = true;
                self.libraries.push(text.trim_start_matches("-l").to_owned());
            }
            _ if WITH_VALUE.contains(&text) => {
                self.value(rest);
            }
            _ if text == "-" || !text.starts_with('-') => self.read_file(bytes),
            _ => {}
        }
    }

    /// The value of an option, which is the next word.
    fn value<'a>(&mut self, rest: &mut impl Iterator<Item = &'a OsStr>) -> Option<&'a OsStr> {
        let value = rest.next();
        self.unfinished |= value.is_none();
        value
    }

    fn read_file(&mut self, name: &[u8]) {
        const HEADERS: [&[u8]; 6] = [b".h", b".hh", b".hpp", b".hxx", b".H", b".hp"];
        self.input = true;
        let header = self.reads_headers || HEADERS.iter().any(|ending| name.ends_with(ending));
        self.header |= header;
        self.other_file |= !header;
    }

    /// Whether the command links. (A header alone is precompiled.)
    pub(super) fn links(&self) -> bool {
        let precompiles = self.header && !self.other_file;
        self.input && !self.stops_early && !precompiles
    }
}

/// Go's work directory, from the words by which cmd/go/internal/work/exec.go keeps it out of objects:
/// `-ffile-prefix-map=/tmp/go-build123/b001=/tmp/go-build`.
fn go_work(word: &str) -> Option<PathBuf> {
    let package = word.strip_prefix("-ffile-prefix-map=")?.strip_suffix("=/tmp/go-build")?;
    Path::new(package).parent().map(Path::to_owned)
}

/// The words of a command line with the contents of response files (`@file`) in their place.
///
/// Only for reading what was asked: clang gets the caller's words. What can't be read stays a word, as in clang.
pub(super) fn expand_response_files(args: &[OsString]) -> Vec<OsString> {
    // Files may name files; no sane command line comes near this.
    const MOST_FILES: usize = 64;
    const MOST_BYTES: u64 = 64 << 20;
    let mut budget = MOST_FILES;
    let mut stack: Vec<OsString> = args.iter().rev().cloned().collect();
    let mut words = Vec::with_capacity(args.len());
    while let Some(word) = stack.pop() {
        let file = word.as_bytes().strip_prefix(b"@").filter(|_| budget > 0);
        // A pipe can be read once only, and that is clang's turn.
        match file.map(|name| file::read_part(Path::new(OsStr::from_bytes(name)), 0, MOST_BYTES)) {
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
/// separates, quotes of both kinds group, a backslash takes the next byte as it is, and empty words are dropped.
fn split_response_file(text: &[u8]) -> Vec<OsString> {
    let mut words = Vec::new();
    let mut word: Option<Vec<u8>> = None;
    let mut quote = None;
    let mut bytes = text.iter().copied();
    while let Some(byte) = bytes.next() {
        match (byte, quote) {
            (b'\\', _) => word.get_or_insert_default().extend(bytes.next()),
            (_, Some(open)) if byte == open => quote = None,
            (b'\'' | b'"', None) => quote = Some(byte),
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

    #[test]
    fn response_files_are_split_as_llvm_splits_them() {
        let split = |text: &[u8]| split_response_file(text);
        assert_eq!(
            split(b"-c 'a b' \"c\\\"d\" e\\ f ''\n\n"),
            ["-c", "a b", "c\"d", "e f"].map(OsString::from)
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
        assert!(CommandLine::read(&["@/nonexistent".into()]).input);
    }
}
