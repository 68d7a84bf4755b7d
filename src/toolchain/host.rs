//! The machine's own directories, which a build for another machine must not see; and the caller's, which it must.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::Path;

/// The directories that a variable lists, as PATH does.
pub(super) fn listed(value: &OsStr) -> impl Iterator<Item = &Path> {
    let elements = value.as_bytes().split(|byte| *byte == b':').filter(|element| !element.is_empty());
    elements.map(|element| Path::new(OsStr::from_bytes(element)))
}

/// Whether a directory lies within a root, links resolved.
pub(super) fn is_inside(dir: &Path, root: &Path) -> bool {
    dir.canonicalize().ok().zip(root.canonicalize().ok()).is_some_and(|(dir, root)| dir.starts_with(root))
}

/// Whether a directory is the machine's own (hier(7)), and not in the sysroot.
pub(super) fn is_hosts(dir: &Path, root: &Path) -> bool {
    if is_inside(dir, root) {
        return false;
    }
    // A path that is not there has only its own words to go by.
    let dir = dir.canonicalize().unwrap_or_else(|_| dir.to_owned());
    const HOSTS: [&str; 8] = [
        "/usr/lib",
        "/usr/lib32",
        "/usr/lib64",
        "/usr/share",
        "/usr/include",
        "/usr/local",
        "/lib",
        "/lib64",
    ];
    HOSTS.iter().any(|hosts| dir.starts_with(hosts))
}
