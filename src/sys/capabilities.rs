//! Capabilities (capabilities(7), capget(2)).

use nix::errno::Errno;

/// Changing group ids, and setgroups(2) (include/uapi/linux/capability.h).
pub const CAP_SETGID: u32 = 6;
/// Changing user ids.
pub const CAP_SETUID: u32 = 7;

/// The sets of this process, a bit for each capability.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Capabilities {
    /// What the kernel looks at.
    pub effective: u64,
    /// What may be made effective.
    pub permitted: u64,
    /// What the file capabilities of a program that is executed may build on.
    pub inheritable: u64,
}

/// `struct __user_cap_header_struct`
#[repr(C)]
struct Header {
    version: u32,
    pid: i32,
}

/// `struct __user_cap_data_struct`, of which version 3 has two: the lower 32 capabilities, and the rest.
#[repr(C)]
#[derive(Clone, Copy, Default)]
struct Data {
    effective: u32,
    permitted: u32,
    inheritable: u32,
}

/// _LINUX_CAPABILITY_VERSION_3; process 0 is this one.
const HEADER: Header = Header { version: 0x2008_0522, pid: 0 };

impl Capabilities {
    /// Those of this process.
    pub fn get() -> Result<Capabilities, Errno> {
        let mut header = HEADER;
        let mut data = [Data::default(); 2];
        // SAFETY: the header says version 3, for which the kernel writes two structures; both outlive the call.
        Errno::result(unsafe { libc::syscall(libc::SYS_capget, &raw mut header, data.as_mut_ptr()) })?;
        let [low, high] = data;
        let join = |low: u32, high: u32| u64::from(low) | u64::from(high) << 32;
        Ok(Capabilities {
            effective: join(low.effective, high.effective),
            permitted: join(low.permitted, high.permitted),
            inheritable: join(low.inheritable, high.inheritable),
        })
    }

    /// Makes these the ones of this process, and empties the ambient set, which could only be what is left in two of them.
    pub fn set(self) -> Result<(), Errno> {
        let mut header = HEADER;
        let low = |set: u64| (set & u64::from(u32::MAX)) as u32;
        let part = |shift: u32| Data {
            effective: low(self.effective >> shift),
            permitted: low(self.permitted >> shift),
            inheritable: low(self.inheritable >> shift),
        };
        let data = [part(0), part(32)];
        // SAFETY: the header says version 3, for which the kernel reads two structures; both outlive the call.
        Errno::result(unsafe { libc::syscall(libc::SYS_capset, &raw mut header, data.as_ptr()) })?;
        let none: libc::c_ulong = 0;
        let clear = libc::PR_CAP_AMBIENT_CLEAR_ALL as libc::c_ulong;
        // SAFETY: prctl(2), PR_CAP_AMBIENT: no pointers; the unused arguments must be 0.
        match Errno::result(unsafe { libc::prctl(libc::PR_CAP_AMBIENT, clear, none, none, none) }) {
            // A kernel before 4.3, which has no such set.
            Ok(_) | Err(Errno::EINVAL) => Ok(()),
            Err(errno) => Err(errno),
        }
    }

    /// Whether a capability is effective.
    pub fn has(self, capability: u32) -> bool {
        self.effective & (1 << capability) != 0
    }
}
