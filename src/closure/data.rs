//! Which files nobody starts or loads, although they look as if somebody could: test data, examples, modules of interpreters.

use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path};

use super::script::Interpreter;
use crate::elf::Header;
use crate::loader::{Files, Own};
use crate::rootfs::Seen;

/// Whether a file is named as libraries and modules of programs are.
pub(super) fn is_library_name(file: &Path) -> bool {
    let name = file.file_name().unwrap_or_default().as_bytes();
    name.ends_with(b".so") || name.ends_with(b".node") || name.windows(4).any(|part| part == b".so.")
}

/// Whether a directory is one that programs are started from.
pub(super) fn is_of_programs(directory: Option<&Path>) -> bool {
    let name = directory.and_then(Path::file_name).unwrap_or_default().as_bytes();
    [b"bin".as_slice(), b"sbin", b"libexec"].contains(&name)
}

/// Whether nobody starts a program or loads a library of this name and these permissions.
pub(super) fn is_data(file: &Path, mode: u32) -> bool {
    is_for_debuggers(file) || (mode & 0o111 == 0 && !is_library_name(file))
}

/// Whether it has what debuggers read, by its name (`libc.so.6-2.34-100.el9.x86_64.debug`, executable as the library is).
fn is_for_debuggers(file: &Path) -> bool {
    file.extension().is_some_and(|extension| extension == "debug")
}

/// Whether somebody may well start a script of a directory. Sources, and examples among documents, are for whoever has their
/// interpreter; a module, by its name or because its interpreter is to be anywhere in PATH, is more often imported (Debian's
/// cgi.py is executable, for a python that Debian does not have).
pub(super) fn is_started(script: &Path, interpreter: &Interpreter) -> bool {
    let is_of_sources = |part: Component<'_>| ["share", "src"].iter().any(|name| part.as_os_str() == *name);
    let is_absolute =
        matches!(interpreter, Interpreter::Path(path) if path.starts_with(b"/") && !path.ends_with(b"/env"));
    let is_module =
        script.extension().is_some_and(|end| ["py", "pl", "pm", "rb"].iter().any(|module| end == *module));
    is_of_programs(script.parent()) || (is_absolute && !is_module && !script.components().any(is_of_sources))
}

/// Whether a file is for another machine than all of these loaders.
pub(super) fn is_foreign<'a>(seen: &Seen<'_>, owns: impl IntoIterator<Item = &'a Own>, file: &Path) -> bool {
    let kind = |header: &Header| (header.machine, header.class, header.data);
    let opened = seen.open(file.as_os_str().as_bytes()).ok();
    let Some(elf) = opened.and_then(|opened| opened.elf.ok()) else { return false };
    let mut owns = owns.into_iter().peekable();
    owns.peek().is_some() && owns.all(|own| kind(&own.header) != kind(&elf.header))
}
