//! The machine's own libraries in a native build, which compiles against a sysroot as a cross build does.
//!
//! What the caller has installed for this machine is to be found as any compiler finds it: /usr/local before the sysroot,
//! and the distribution's own directories behind it. What the sysroot has is always the sysroot's, the C library before all, so
//! that what is linked asks for no newer glibc than that. (A header that only a newer glibc has is found, and what it
//! declares is not: an error of the linker's.)

use std::ffi::OsString;
use std::path::PathBuf;

use super::command_line::CommandLine;
use crate::platform::{Abi, Platform};

/// Whether programs of this ABI are the machine's own.
pub(super) fn is(abi: &Abi) -> bool {
    Platform::host().map(Platform::default_abi) == Some(abi)
}

/// The directories of headers, for what tells one state of the machine from another.
pub(super) const HEADERS: [&str; 2] = ["/usr/local/include", "/usr/include"];

/// The directories whose own files are libraries of the caller's; what is below them (Python's packages) is nobody's here.
pub(super) fn libraries(abi: &Abi) -> [PathBuf; 2] {
    ["/usr/local/lib".into(), local_lib(abi).into()]
}

fn local_lib(abi: &Abi) -> String {
    format!("/usr/local/lib/{}", abi.multiarch)
}

/// The directories of .pc files before the sysroot's, and those behind it.
pub(super) fn pkg_config_places(abi: &Abi) -> ([PathBuf; 3], [PathBuf; 2]) {
    let multiarch = abi.multiarch;
    (
        [
            format!("/usr/local/lib/{multiarch}/pkgconfig").into(),
            "/usr/local/lib/pkgconfig".into(),
            "/usr/local/share/pkgconfig".into(),
        ],
        [format!("/usr/lib/{multiarch}/pkgconfig").into(), "/usr/share/pkgconfig".into()],
    )
}

/// The linker's flags before the caller's: the machine's libraries ask for the machine's glibc, and are of no account for
/// what the program itself asks for.
pub(super) fn linking(line: &CommandLine) -> Option<OsString> {
    (line.links() && !line.no_libraries).then(|| "-Wl,--allow-shlib-undefined".into())
}

/// The compiler's flags that belong behind the caller's, whose directories come first.
pub(super) fn flags(abi: &Abi, line: &CommandLine) -> Vec<OsString> {
    let mut flags: Vec<OsString> = Vec::new();
    if !line.no_headers {
        flags.extend(["-isystem", "/usr/local/include"].map(OsString::from));
    }
    // What the machine has is for its own ABI.
    if !line.no_headers && !line.other_abi {
        let multiarch = format!("/usr/include/{}", abi.multiarch);
        flags.extend(["-idirafter", &multiarch, "-idirafter", "/usr/include"].map(OsString::from));
    }
    if line.links() && !line.no_libraries {
        // A -L of the driver comes before its own directories, one that is handed to the linker as input behind them.
        flags.extend([
            format!("-L{}", local_lib(abi)).into(),
            "-L/usr/local/lib".into(),
            format!("-Wl,-L/usr/lib/{},-L/usr/lib", abi.multiarch).into(),
        ]);
    }
    flags
}
