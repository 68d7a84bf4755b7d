//! Supplementary groups.

use nix::errno::Errno;

/// As many as hardly any process has; who has more costs two further calls.
const USUAL: usize = 64;

/// The supplementary groups of this process (getgroups(2)).
///
/// Not nix's getgroups, which asks /proc for the largest possible number first.
pub fn groups() -> Result<Vec<u32>, Errno> {
    let mut groups = vec![0; USUAL];
    loop {
        let room = libc::c_int::try_from(groups.len()).unwrap_or(libc::c_int::MAX);
        // SAFETY: the kernel writes at most `room` ids, and the vector has as many, which outlive the call.
        match Errno::result(unsafe { libc::getgroups(room, groups.as_mut_ptr()) }) {
            Ok(count) => {
                groups.truncate(usize::try_from(count).unwrap_or(0));
                return Ok(groups);
            }
            // There are more: with no room at all the call tells how many.
            Err(Errno::EINVAL) => {
                // SAFETY: with a size of 0 nothing is written.
                let count = Errno::result(unsafe { libc::getgroups(0, std::ptr::null_mut()) })?;
                groups.resize(usize::try_from(count).unwrap_or(0).max(USUAL), 0);
            }
            Err(errno) => return Err(errno),
        }
    }
}
