//! The caller's variables that bring the host's files into a build against a sysroot.

use std::ffi::OsString;

/// A variable of the caller's that brings the host's files into a build for another machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Leak {
    /// Its name.
    pub name: &'static str,
    /// Its value.
    pub value: OsString,
    /// gb's tools leave the host's directories out.
    pub left_out: bool,
}

impl std::fmt::Display for Leak {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let (name, value) = (self.name, self.value.to_string_lossy());
        if self.left_out {
            return write!(
                f,
                "build against a sysroot: the host's directories in {name}={value} are left out"
            );
        }
        write!(f, "build against a sysroot: {name}={value} may bring the host's files into it (unset {name})")
    }
}

/// Variables by which a compiler, or pkg-config, reads files that the sysroot does not have (clang's and gcc's manual,
/// "Environment Variables"). Go's cache does not know them either.
pub(super) const LEAKING: [&str; 10] = [
    "CPATH",
    "C_INCLUDE_PATH",
    "CPLUS_INCLUDE_PATH",
    "OBJC_INCLUDE_PATH",
    "OBJCPLUS_INCLUDE_PATH",
    "LIBRARY_PATH",
    "COMPILER_PATH",
    "GCC_EXEC_PREFIX",
    "CCC_OVERRIDE_OPTIONS",
    "PKG_CONFIG_PATH",
];
