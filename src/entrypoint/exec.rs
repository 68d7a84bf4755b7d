//! Finding a program through PATH and becoming it.
//!
//! This does what execvp(3) of glibc does, script files without `#!` included, and can say afterwards which file
//! failed and why: 127 for a program that is not there, 126 for one that is there and cannot run. A directory of the search
//! path that can't be used (too long, a loop of links, an error of its file system) does not end the search, as it does not
//! in shells; for execvp it does.

use std::ffi::{CString, NulError, OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access, execve};

use crate::environment::Environment;
use crate::file;
use crate::platform::Platform;
use crate::sys;

/// What to run.
#[derive(Debug, Clone, Copy)]
pub struct Program<'a> {
    /// The program: a path if it has a slash, else a name to look up.
    pub name: &'a OsStr,
    /// What the program finds as `argv[0]`.
    pub argv0: &'a OsStr,
    /// The arguments after `argv[0]`.
    pub args: &'a [OsString],
}

/// Why a program could not be started.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum ExecError {
    /// No directory of PATH has it.
    #[error("run {}: not found in PATH={}", show(name), show(path))]
    NotInPath {
        /// The name that was looked up.
        name: OsString,
        /// The search path.
        path: OsString,
    },
    /// The path leads nowhere.
    #[error("run {}: no such file", show(.0))]
    NoSuchFile(OsString),
    /// The file is there, what its first line or its program header asks for is not.
    #[error("run {}: {why}", show(.file))]
    NoInterpreter {
        /// The program.
        file: PathBuf,
        /// What the kernel looked for.
        why: String,
    },
    /// The file is there and can't be run.
    #[error("run {}: {why}", show(.file))]
    CannotRun {
        /// The program.
        file: PathBuf,
        /// The cause, and the remedy in brackets.
        why: String,
        /// The kernel's answer, if it was asked.
        errno: Option<Errno>,
    },
}

impl ExecError {
    /// The exit status that tells this from the program's own ones: 127 not found, 126 found but cannot run
    /// (exec(1p), and docker-run(1)).
    pub fn exit_code(&self) -> u8 {
        match self {
            ExecError::NotInPath { .. } | ExecError::NoSuchFile(_) | ExecError::NoInterpreter { .. } => 127,
            ExecError::CannotRun { .. } => 126,
        }
    }

    /// The program, if it is there and may be run, and what the kernel runs such a program by is missing or broken.
    pub fn unserved(&self) -> Option<&Path> {
        let file = match self {
            ExecError::NotInPath { .. } | ExecError::NoSuchFile(_) => return None,
            ExecError::NoInterpreter { file, .. } => file,
            ExecError::CannotRun { file, errno: Some(errno), .. } => match errno {
                Errno::ENOEXEC | Errno::EACCES | Errno::ELOOP | Errno::ELIBBAD => file,
                _ => return None,
            },
            ExecError::CannotRun { errno: None, .. } => return None,
        };
        // The kernel's answer is the same for the program and for its interpreter. (A file system that is mounted noexec is a
        // no here, too.)
        access(file, AccessFlags::X_OK).is_ok().then_some(file)
    }
}

fn show(text: impl AsRef<OsStr>) -> String {
    text.as_ref().to_string_lossy().into_owned()
}

/// Becomes the program, with exactly the given environment; returns only if that failed.
///
/// The program inherits everything else as gb received it: pid, descriptors, umask, signal mask and dispositions.
pub fn exec(program: &Program<'_>, environment: &Environment) -> ExecError {
    let Ok(argv) = argv(program) else {
        let why = "an argument has a NUL byte".into();
        return ExecError::CannotRun { file: program.name.into(), why, errno: None };
    };
    sys::restore_inherited();
    let error = search(program.name, &argv, environment);
    sys::ignore_sigpipe();
    error
}

/// Tries each file that the name may stand for.
fn search(name: &OsStr, argv: &[CString], environment: &Environment) -> ExecError {
    // The search path of the environment that the command gets.
    let path = environment.search_path();
    let files = candidates(name, path);
    let is_path = name.as_bytes().contains(&b'/');
    let mut failure = None;
    for file in &files {
        match attempt(file, argv, environment) {
            Attempt::Final(_) if !is_path && is_absent(file) => {}
            Attempt::Final(error) if !is_path && !file.exists() => failure = failure.or(Some(error)),
            Attempt::Final(error) => return error,
            Attempt::Remember(error) => failure = failure.or(Some(error)),
            Attempt::Absent => {}
        }
    }
    // The kernel's answer is the same for a missing program and for a missing interpreter of it. Which one it was is
    // looked up only now, because most directories of a search path simply do not have the program.
    let failure = failure.or_else(|| files.iter().find_map(|file| missing_interpreter(file)));
    failure.unwrap_or_else(|| match is_path {
        true => ExecError::NoSuchFile(name.to_owned()),
        false => ExecError::NotInPath { name: name.to_owned(), path: path.to_owned() },
    })
}

/// Whether there is no such file, or there can be none: its directory is no directory, or the name is longer than any.
fn is_absent(file: &Path) -> bool {
    let error = file.symlink_metadata().err().and_then(|error| error.raw_os_error()).map(Errno::from_raw);
    matches!(error, Some(Errno::ENOENT | Errno::ENOTDIR | Errno::ELOOP | Errno::ENAMETOOLONG))
}

fn argv(program: &Program<'_>) -> Result<Vec<CString>, NulError> {
    let words = std::iter::once(program.argv0).chain(program.args.iter().map(OsString::as_os_str));
    words.map(|word| CString::new(word.as_bytes())).collect()
}

/// The files to try, in order. An empty element of the search path is the working directory.
fn candidates(name: &OsStr, path: &OsStr) -> Vec<PathBuf> {
    if name.is_empty() {
        return Vec::new();
    }
    if name.as_bytes().contains(&b'/') {
        return vec![name.into()];
    }
    path.as_bytes().split(|b| *b == b':').map(|dir| Path::new(OsStr::from_bytes(dir)).join(name)).collect()
}

enum Attempt {
    /// The search ends here.
    Final(ExecError),
    /// The search goes on, and if it finds nothing better this is the cause.
    Remember(ExecError),
    /// There is no such file.
    Absent,
}

fn attempt(file: &Path, argv: &[CString], environment: &Environment) -> Attempt {
    let Ok(path) = CString::new(file.as_os_str().as_bytes()) else { return Attempt::Absent };
    let Err(errno) = execve(&path, argv, environment.strings());
    let cannot = |why: String| ExecError::CannotRun { file: file.into(), why, errno: Some(errno) };
    match errno {
        Errno::ENOENT | Errno::ENOTDIR | Errno::ESTALE | Errno::ENODEV | Errno::ETIMEDOUT => Attempt::Absent,
        // Also the answer for a directory of the path that may not be searched: then there is no file to complain about.
        Errno::EACCES => match std::fs::metadata(file) {
            Ok(metadata) => Attempt::Remember(cannot(why_denied(file, &metadata))),
            Err(_) => Attempt::Absent,
        },
        Errno::ENOEXEC => match why_no_program(file, environment) {
            Some(why) => Attempt::Final(cannot(why)),
            None => Attempt::Final(run_as_script(file, &path, argv, environment)),
        },
        Errno::E2BIG => Attempt::Final(cannot(
            "arguments and environment are too long (pass a file of arguments, or a smaller environment)"
                .into(),
        )),
        errno => Attempt::Final(cannot(errno.desc().to_owned())),
    }
}

/// What execvp(3) does with a file that the kernel does not recognise: the shell reads it.
fn run_as_script(file: &Path, path: &CString, argv: &[CString], environment: &Environment) -> ExecError {
    let shell = c"/bin/sh";
    let mut words = vec![shell.to_owned(), path.clone()];
    words.extend(argv.iter().skip(1).cloned());
    let Err(errno) = execve(shell, &words, environment.strings());
    let why = format!("it has no #! line and /bin/sh could not be run: {}", errno.desc());
    ExecError::CannotRun { file: file.into(), why, errno: None }
}

/// The failure to report if a file is there: then what it needs to be run is not.
fn missing_interpreter(file: &Path) -> Option<ExecError> {
    // A link that leads nowhere is no program either.
    let metadata = std::fs::metadata(file).ok()?;
    if !metadata.is_file() {
        return None;
    }
    let missing = |interpreter: &OsString| !Path::new(interpreter).exists();
    let missing = interpreter(file).filter(missing);
    // What the kernel gives to an emulator it does not look into.
    if let Some(platform) = foreign(file) {
        let loader = missing.map(|loader| format!(", or its loader {},", show(loader))).unwrap_or_default();
        let arch = platform.goarch;
        let why = format!(
            "it is a program for {arch}, and the emulator that the kernel knows for it{loader} is not here (gb binfmt check {arch} \
             says why)"
        );
        return Some(ExecError::NoInterpreter { file: file.into(), why });
    }
    let why = match missing {
        Some(interpreter) if interpreter.as_bytes().ends_with(b"\r") => {
            let name = show(&interpreter);
            format!("its interpreter {name:?} does not exist (it has the line ends of Windows)")
        }
        Some(interpreter) => format!("its interpreter {} does not exist", show(&interpreter)),
        None => {
            "what it needs to be run is missing (the interpreter of its interpreter, or the emulator that is \
                 registered for it)"
                .to_owned()
        }
    };
    Some(ExecError::NoInterpreter { file: file.into(), why })
}

/// The architecture of a program that is not for this machine.
fn foreign(file: &Path) -> Option<&'static Platform> {
    let platform = Platform::by_elf_header(&head(file)?)?;
    Some(platform).filter(|platform| Some(*platform) != Platform::host())
}

/// What a file says it is to be run by: the program of a `#!` line, or the loader of an ELF program.
pub fn interpreter(file: &Path) -> Option<OsString> {
    let head = head(file)?;
    if let Some(line) = head.strip_prefix(b"#!") {
        let line = line.split(|b| *b == b'\n').next().unwrap_or_default();
        let word = line.split(|b| *b == b' ' || *b == b'\t').find(|w| !w.is_empty())?;
        return Some(OsString::from_vec(word.to_vec()));
    }
    use goblin::container::Ctx;
    use goblin::elf::program_header::{PT_INTERP, ProgramHeader};
    let header = goblin::elf::Elf::parse_header(&head).ok()?;
    let context = Ctx::new(header.container().ok()?, header.endianness().ok()?);
    let offset = usize::try_from(header.e_phoff).ok()?;
    let segments = ProgramHeader::parse(&head, offset, header.e_phnum.into(), context).ok()?;
    let segment = segments.iter().find(|s| s.p_type == PT_INTERP)?;
    let length = segment.p_filesz.min(libc::PATH_MAX as u64);
    let path = file::read_part(file, segment.p_offset, length).ok()?;
    Some(OsString::from_vec(path.split(|b| *b == 0).next()?.to_vec()))
}

/// The reason why a file that exists was denied.
fn why_denied(file: &Path, metadata: &std::fs::Metadata) -> String {
    use std::os::unix::fs::PermissionsExt;
    if metadata.is_dir() {
        return "it is a directory".into();
    }
    if !metadata.is_file() {
        return "it is not a regular file".into();
    }
    if metadata.permissions().mode() & 0o111 == 0 {
        return "it is not executable (chmod +x)".into();
    }
    match noexec_mount(file) {
        Some(mount) => format!("the file system at {} is mounted noexec", show(mount)),
        None => "permission denied".into(),
    }
}

/// The mount point of the file, if it is mounted so that nothing on it can be run.
fn noexec_mount(file: &Path) -> Option<PathBuf> {
    let file = file.canonicalize().ok()?;
    let mounts = procfs::process::Process::myself().ok()?.mountinfo().ok()?;
    let mount = mounts
        .0
        .into_iter()
        .filter(|m| file.starts_with(&m.mount_point))
        .max_by_key(|m| m.mount_point.as_os_str().len())?;
    mount.mount_options.contains_key("noexec").then_some(mount.mount_point)
}

/// The reason why the kernel does not recognise a file as a program; `None` for a text that a shell can read.
fn why_no_program(file: &Path, environment: &Environment) -> Option<String> {
    let head = head(file)?;
    if !head.starts_with(b"\x7fELF") {
        return None;
    }
    let Some(platform) = Platform::by_elf_header(&head) else {
        return Some("it is an ELF file for a machine that gb does not know".into());
    };
    let arch = platform.goarch;
    if Some(platform) == Platform::host() {
        return Some(format!("it is a damaged {arch} program"));
    }
    let emulator = format!("qemu-{}", platform.qemu);
    let has_emulator =
        candidates(OsStr::new(&emulator), environment.search_path()).iter().any(|file| file.is_file());
    let remedy = if has_emulator { "make register, or" } else { "apt-get install qemu-user, and" };
    let file = show(file);
    Some(format!(
        "it is a program for {arch} and this kernel has no emulator for it ({remedy} run it as: {emulator} {file})"
    ))
}

/// The first bytes of a file: enough for the headers of an ELF program, or for the `#!` line, of which the kernel reads
/// 255 bytes.
fn head(file: &Path) -> Option<Vec<u8>> {
    file::read_part(file, 0, 4096).ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_looked_up_in_every_directory_and_a_path_in_none() {
        let all = |name: &str, path: &str| candidates(OsStr::new(name), OsStr::new(path));
        assert_eq!(all("go", "/a:/b"), [PathBuf::from("/a/go"), "/b/go".into()]);
        assert_eq!(all("go", "/a::"), [PathBuf::from("/a/go"), "go".into(), "go".into()]);
        assert_eq!(all("./go", "/a"), [PathBuf::from("./go")]);
        assert!(all("", "/a").is_empty());
    }

    #[test]
    fn only_a_program_that_is_there_gives_126() {
        let no_such_file = ExecError::NoSuchFile("x".into());
        let denied = ExecError::CannotRun { file: "x".into(), why: String::new(), errno: None };
        assert_eq!((no_such_file.exit_code(), denied.exit_code()), (127, 126));
    }
}
