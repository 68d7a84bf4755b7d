//! What gb must not be: a way for a user to become root.

use std::os::unix::fs::MetadataExt;

use nix::unistd::{getegid, geteuid, getgid, getuid};

use crate::sys;

/// gb has been given privileges by its file, for which it was not made.
#[derive(Debug, thiserror::Error, PartialEq, Eq)]
pub enum GuardError {
    /// Its file makes it another user's.
    #[error("start: this program is installed {0}, which would let anybody become root (chmod u-s,g-s)")]
    SetId(&'static str),
    /// Its file gives it capabilities.
    #[error(
        "start: this program is installed with file capabilities, which would let anybody have them (setcap -r)"
    )]
    Capabilities,
    /// It runs with two identities.
    #[error(
        "start: real and effective {0} differ, so somebody's privileges are another's (start it without set-id programs)"
    )]
    TwoIdentities(&'static str),
}

/// Refuses to go on as a set-user-ID program. Nothing that follows is safe where the caller is not the one with the
/// privileges: the environment says which files are read and what is run.
///
/// AT_SECURE (getauxval(3)) does not tell: it is also set where a security module changes domains at the exec, as it does
/// in containers on SELinux hosts.
pub fn check() -> Result<(), GuardError> {
    if getuid() != geteuid() {
        return Err(GuardError::TwoIdentities("user"));
    }
    if getgid() != getegid() {
        return Err(GuardError::TwoIdentities("group"));
    }
    // Without /proc it can't be looked at; then the ids above are what tells.
    if let Ok(program) = std::fs::metadata("/proc/self/exe") {
        if program.mode() & libc::S_ISUID != 0 {
            return Err(GuardError::SetId("set-user-ID"));
        }
        if program.mode() & libc::S_ISGID != 0 {
            return Err(GuardError::SetId("set-group-ID"));
        }
    }
    if sys::has_capabilities(c"/proc/self/exe") {
        return Err(GuardError::Capabilities);
    }
    Ok(())
}
