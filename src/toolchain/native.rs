//! The machine's own libraries in a native build, which compiles against a sysroot as a cross build does.
//!
//! What the caller has installed for this machine is to be found as any compiler finds it: /usr/local before the sysroot,
//! and the distribution's own directories behind it. The C library is always the sysroot's, so that what is linked asks
//! for no newer glibc than that.

use std::ffi::OsString;
use std::path::PathBuf;

use super::command_line::CommandLine;
use crate::platform::{Abi, Platform};

/// Whether programs for this platform are the machine's own.
pub(super) fn is(platform: &'static Platform) -> bool {
    Platform::host() == Some(platform)
}

/// The directories of headers, for what tells one state of the machine from another.
pub(super) fn trees(abi: &Abi) -> [PathBuf; 4] {
    ["/usr/local/include".into(), "/usr/local/lib".into(), local_lib(abi).into(), "/usr/include".into()]
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

/// The compiler's flags; they belong behind the caller's, whose directories come first.
pub(super) fn flags(abi: &Abi, line: &CommandLine) -> Vec<OsString> {
    let mut flags: Vec<OsString> = Vec::new();
    if !line.no_headers {
        let multiarch = format!("/usr/include/{}", abi.multiarch);
        flags.extend(["-isystem", "/usr/local/include"].map(OsString::from));
        flags.extend(["-idirafter", &multiarch, "-idirafter", "/usr/include"].map(OsString::from));
    }
    if line.links() && !line.no_libraries {
        // A -L of the driver comes before its own directories, one that is handed to the linker as input behind them.
        // The machine's libraries ask for the machine's glibc, and are of no account for what the program asks for.
        flags.extend([
            format!("-L{}", local_lib(abi)).into(),
            "-L/usr/local/lib".into(),
            format!("-Wl,-L/usr/lib/{},-L/usr/lib,--allow-shlib-undefined", abi.multiarch).into(),
        ]);
    }
    flags
}
