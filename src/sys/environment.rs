//! The environment, byte for byte.

use std::ffi::{CStr, CString};

unsafe extern "C" {
    // environ(7)
    #[link_name = "environ"]
    static ENVIRON: *const *const libc::c_char;
}

/// The environment as received: in order, with duplicates and with strings that have no `=`.
///
/// `std::env::vars_os` leaves malformed strings out, so a command started with its result would not see what gb saw.
pub fn environ() -> Vec<CString> {
    let mut strings = Vec::new();
    // SAFETY: nothing in this program changes the environment (clippy.toml forbids set_var and remove_var), so the
    // array that the C runtime set up stays as it is.
    let mut entry = unsafe { ENVIRON };
    if entry.is_null() {
        return strings;
    }
    loop {
        // SAFETY: environ(7): an array of pointers that a null pointer ends; `entry` has not passed it.
        let string = unsafe { *entry };
        if string.is_null() {
            return strings;
        }
        // SAFETY: each pointer before the null one is to a NUL-terminated string that lives as long as the process.
        strings.push(unsafe { CStr::from_ptr(string) }.to_owned());
        // SAFETY: the entry was not the null one, so the next is still within the array.
        entry = unsafe { entry.add(1) };
    }
}
