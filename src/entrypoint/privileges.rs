//! Giving up privileges, for good.
//!
//! The order is that of CERT POS36-C: supplementary groups, group, user; the other way round the right to change groups
//! would be gone before they are changed. Then capabilities, which a process keeps over an exec only in the inheritable
//! and ambient sets (CVE-2022-24769), or where its secure bits say so (capabilities(7)). What the kernel says then is
//! checked, so that no failure can go unnoticed.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use nix::errno::Errno;
use nix::unistd::{Gid, Uid};

use super::identity::Ids;
use crate::environment::Environment;
use crate::sys::{self, Capabilities};

/// The calls that change what a process may do.
pub trait Kernel {
    /// setgroups(2)
    fn set_groups(&mut self, groups: &[u32]) -> Result<(), Errno>;
    /// setresgid(2), all three
    fn set_gid(&mut self, gid: u32) -> Result<(), Errno>;
    /// setresuid(2), all three
    fn set_uid(&mut self, uid: u32) -> Result<(), Errno>;
    /// capset(2), and the ambient set emptied
    fn set_capabilities(&mut self, capabilities: Capabilities) -> Result<(), Errno>;
    /// prctl(2), PR_SET_NO_NEW_PRIVS
    fn set_no_new_privileges(&mut self) -> Result<(), Errno>;
    /// getresuid(2), getresgid(2), getgroups(2)
    fn state(&self) -> Result<State, Errno>;
    /// capget(2)
    fn capabilities(&self) -> Result<Capabilities, Errno>;
}

/// What the kernel says a process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Real, effective and saved user.
    pub uids: [u32; 3],
    /// Real, effective and saved group.
    pub gids: [u32; 3],
    /// Supplementary groups.
    pub groups: Vec<u32>,
}

/// Privileges that could not be given up. The command must not be started then.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum DropError {
    /// A call failed.
    #[error("become uid {uid}, gid {gid}: {call}: {} ({})", errno.desc(), remedy(*errno))]
    Call {
        /// The user.
        uid: u32,
        /// The group.
        gid: u32,
        /// The call.
        call: &'static str,
        /// Its answer.
        errno: Errno,
    },
    /// The variable makes no sense.
    #[error("GB_NO_NEW_PRIVS={0}: neither 1 nor 0 (true and false are read as well)")]
    Setting(String),
    /// Privileges of programs can't be forbidden.
    #[error("forbid new privileges: prctl: {} (without --no-new-privs and GB_NO_NEW_PRIVS)", .0.desc())]
    NoNewPrivileges(Errno),
    /// All calls succeeded and the process is not what it should be.
    #[error("become uid {uid}, gid {gid}: the kernel reports {found} (nothing was started)")]
    Unverified {
        /// The user.
        uid: u32,
        /// The group.
        gid: u32,
        /// What is wrong.
        found: String,
    },
}

fn remedy(errno: Errno) -> &'static str {
    match errno {
        Errno::EPERM => "the capabilities SETUID and SETGID are needed, or start the container as that user",
        Errno::EINVAL => "this user namespace does not have the id",
        Errno::EAGAIN => "the user has as many processes as ulimit -u allows",
        _ => "nothing was started",
    }
}

/// Becomes the user, and stays it.
///
/// `from` is what gb is now. Root that stays root keeps its capabilities, but for those that programs would inherit.
pub fn drop_to(ids: &Ids, from: &Ids, kernel: &mut impl Kernel) -> Result<(), DropError> {
    let Ids { uid, gid, groups } = ids;
    let (uid, gid) = (*uid, *gid);
    let failed = |call| failed(ids, call);
    // A user namespace may deny setgroups (user_namespaces(7)), which does not matter where nothing is to change.
    let stays = uid == from.uid && gid == from.gid && ids.has_groups_of(from);
    if !stays {
        kernel.set_groups(groups).map_err(failed("setgroups"))?;
    }
    if gid != from.gid {
        kernel.set_gid(gid).map_err(failed("setresgid"))?;
    }
    if uid != from.uid {
        kernel.set_uid(uid).map_err(failed("setresuid"))?;
    }
    let left = match uid {
        0 => Capabilities { inheritable: 0, ..kernel.capabilities().map_err(failed("capget"))? },
        _ => Capabilities::default(),
    };
    kernel.set_capabilities(left).map_err(failed("capset"))?;
    // Groups that were not set may come without the primary one.
    let groups = if stays { &from.groups } else { groups };
    verify(ids, groups, left, kernel)
}

fn failed(ids: &Ids, call: &'static str) -> impl FnOnce(Errno) -> DropError + use<> {
    let Ids { uid, gid, .. } = *ids;
    move |errno| DropError::Call { uid, gid, call, errno }
}

/// Compares what the kernel says with the user, the groups and the capabilities that the process should have.
fn verify(ids: &Ids, groups: &[u32], left: Capabilities, kernel: &mut impl Kernel) -> Result<(), DropError> {
    let Ids { uid, gid, .. } = *ids;
    let failed = |call| failed(ids, call);
    let wrong = |found: String| Err(DropError::Unverified { uid, gid, found });
    let state = kernel.state().map_err(failed("getresuid"))?;
    if state.uids != [uid; 3] {
        return wrong(format!("uids {:?}", state.uids));
    }
    if state.gids != [gid; 3] {
        return wrong(format!("gids {:?}", state.gids));
    }
    let has_all = groups.iter().all(|group| state.groups.contains(group));
    if !has_all || state.groups.len() != groups.len() {
        return wrong(format!("groups {:?}", state.groups));
    }
    let capabilities = kernel.capabilities().map_err(failed("capget"))?;
    if capabilities != left {
        return wrong(format!("capabilities {capabilities:?}"));
    }
    if uid != 0 && kernel.set_uid(0).is_ok() {
        return wrong("that it can become root again".to_owned());
    }
    Ok(())
}

/// Reads `GB_NO_NEW_PRIVS`: whether no program may give privileges any more.
pub fn wants_no_new_privileges(environment: &Environment) -> Result<bool, DropError> {
    match environment.get_nonempty("GB_NO_NEW_PRIVS").map(OsStr::as_bytes) {
        None | Some(b"0" | b"false") => Ok(false),
        Some(b"1" | b"true") => Ok(true),
        Some(value) => Err(DropError::Setting(String::from_utf8_lossy(value).into_owned())),
    }
}

/// Makes sure that no program can give back what was given up: set-user-ID programs and file capabilities have no effect
/// any more (prctl(2)).
pub fn forbid_new_privileges(kernel: &mut impl Kernel) -> Result<(), DropError> {
    kernel.set_no_new_privileges().map_err(DropError::NoNewPrivileges)
}

/// The kernel itself.
pub struct System;

impl Kernel for System {
    fn set_groups(&mut self, groups: &[u32]) -> Result<(), Errno> {
        let groups: Vec<Gid> = groups.iter().copied().map(Gid::from_raw).collect();
        nix::unistd::setgroups(&groups)
    }

    fn set_gid(&mut self, gid: u32) -> Result<(), Errno> {
        let gid = Gid::from_raw(gid);
        nix::unistd::setresgid(gid, gid, gid)
    }

    fn set_uid(&mut self, uid: u32) -> Result<(), Errno> {
        let uid = Uid::from_raw(uid);
        nix::unistd::setresuid(uid, uid, uid)
    }

    fn set_capabilities(&mut self, capabilities: Capabilities) -> Result<(), Errno> {
        capabilities.set()
    }

    fn set_no_new_privileges(&mut self) -> Result<(), Errno> {
        nix::sys::prctl::set_no_new_privs()
    }

    fn state(&self) -> Result<State, Errno> {
        let uids = nix::unistd::getresuid()?;
        let gids = nix::unistd::getresgid()?;
        Ok(State {
            uids: [uids.real, uids.effective, uids.saved].map(Uid::as_raw),
            gids: [gids.real, gids.effective, gids.saved].map(Gid::as_raw),
            groups: sys::groups()?,
        })
    }

    fn capabilities(&self) -> Result<Capabilities, Errno> {
        Capabilities::get()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Does what the kernel does, and writes it down.
    struct Recorder {
        calls: Vec<String>,
        state: State,
        capabilities: Capabilities,
        /// The call that is to fail.
        fails: &'static str,
        /// The call that is to do nothing and say that it did.
        lies: &'static str,
    }

    const ALL: Capabilities = Capabilities { effective: 0xff, permitted: 0xff, inheritable: 0xff };

    impl Recorder {
        fn root() -> Recorder {
            let state = State { uids: [0; 3], gids: [0; 3], groups: vec![0, 27] };
            Recorder { calls: Vec::new(), state, capabilities: ALL, fails: "", lies: "" }
        }

        fn call(&mut self, name: &str, detail: String) -> Result<bool, Errno> {
            self.calls.push(format!("{name} {detail}").trim().to_owned());
            if self.fails == name { Err(Errno::EPERM) } else { Ok(self.lies != name) }
        }

        fn may(&self, capability: u32) -> bool {
            self.capabilities.has(capability)
        }
    }

    impl Kernel for Recorder {
        fn set_groups(&mut self, groups: &[u32]) -> Result<(), Errno> {
            let does = self.call("setgroups", format!("{groups:?}"))?;
            if !self.may(crate::sys::CAP_SETGID) {
                return Err(Errno::EPERM);
            }
            if does {
                self.state.groups = groups.to_vec();
            }
            Ok(())
        }

        fn set_gid(&mut self, gid: u32) -> Result<(), Errno> {
            let does = self.call("setresgid", gid.to_string())?;
            if !self.may(crate::sys::CAP_SETGID) {
                return Err(Errno::EPERM);
            }
            if does {
                self.state.gids = [gid; 3];
            }
            Ok(())
        }

        fn set_uid(&mut self, uid: u32) -> Result<(), Errno> {
            let does = self.call("setresuid", uid.to_string())?;
            if !self.may(crate::sys::CAP_SETUID) && !self.state.uids.contains(&uid) {
                return Err(Errno::EPERM);
            }
            if does {
                self.state.uids = [uid; 3];
                if uid != 0 {
                    self.capabilities = Capabilities { effective: 0, permitted: 0, ..self.capabilities };
                }
            }
            Ok(())
        }

        fn set_capabilities(&mut self, capabilities: Capabilities) -> Result<(), Errno> {
            if self.call("capset", format!("{:#x}", capabilities.effective))? {
                self.capabilities = capabilities;
            }
            Ok(())
        }

        fn set_no_new_privileges(&mut self) -> Result<(), Errno> {
            self.call("no_new_privs", String::new()).map(drop)
        }

        fn state(&self) -> Result<State, Errno> {
            Ok(self.state.clone())
        }

        fn capabilities(&self) -> Result<Capabilities, Errno> {
            Ok(self.capabilities)
        }
    }

    fn ids(uid: u32, gid: u32, groups: &[u32]) -> Ids {
        Ids { uid, gid, groups: groups.to_vec() }
    }

    fn run(kernel: &mut Recorder, wanted: &Ids) -> Result<(), DropError> {
        drop_to(wanted, &ids(0, 0, &[0, 27]), kernel)
    }

    #[test]
    fn groups_go_first_then_the_group_then_the_user_then_capabilities_and_the_way_back_is_tried() {
        let mut kernel = Recorder::root();
        assert_eq!(run(&mut kernel, &ids(4242, 4242, &[4242, 998])), Ok(()));
        let calls =
            ["setgroups [4242, 998]", "setresgid 4242", "setresuid 4242", "capset 0x0", "setresuid 0"];
        assert_eq!(kernel.calls, calls);
        assert_eq!(kernel.capabilities, Capabilities::default());
    }

    #[test]
    fn the_group_of_root_is_left_too() {
        let mut kernel = Recorder::root();
        assert_eq!(run(&mut kernel, &ids(5, 0, &[0])), Ok(()));
        assert_eq!(kernel.calls, ["setgroups [0]", "setresuid 5", "capset 0x0", "setresuid 0"]);
    }

    #[test]
    fn root_that_stays_root_loses_what_programs_would_inherit() {
        let mut kernel = Recorder::root();
        assert_eq!(run(&mut kernel, &ids(0, 0, &[0, 27])), Ok(()));
        assert_eq!(kernel.calls, ["capset 0xff"]);
        assert_eq!(kernel.capabilities, Capabilities { inheritable: 0, ..ALL });
        let mut kernel = Recorder::root();
        assert_eq!(run(&mut kernel, &ids(0, 0, &[0, 27, 998])), Ok(()));
        assert_eq!(kernel.calls, ["setgroups [0, 27, 998]", "capset 0xff"]);
    }

    #[test]
    fn new_privileges_are_forbidden_or_nothing_is_started() {
        let mut kernel = Recorder::root();
        assert_eq!(forbid_new_privileges(&mut kernel), Ok(()));
        assert_eq!(kernel.calls, ["no_new_privs"]);
        let mut kernel = Recorder { fails: "no_new_privs", ..Recorder::root() };
        assert_eq!(forbid_new_privileges(&mut kernel), Err(DropError::NoNewPrivileges(Errno::EPERM)));
    }

    #[test]
    fn a_call_that_fails_is_the_end() {
        for (fails, calls) in [("setgroups", 1), ("setresgid", 2), ("setresuid", 3), ("capset", 4)] {
            let mut kernel = Recorder { fails, ..Recorder::root() };
            let error = run(&mut kernel, &ids(4242, 4242, &[4242])).unwrap_err();
            assert_eq!(error, DropError::Call { uid: 4242, gid: 4242, call: fails, errno: Errno::EPERM });
            assert_eq!(kernel.calls.len(), calls, "{:?}", kernel.calls);
        }
    }

    #[test]
    fn a_call_that_does_nothing_is_found_out() {
        for lies in ["setgroups", "setresgid", "setresuid", "capset"] {
            let mut kernel = Recorder { lies, ..Recorder::root() };
            let error = run(&mut kernel, &ids(4242, 4242, &[4242])).unwrap_err();
            assert!(matches!(error, DropError::Unverified { .. }), "{lies}: {error}");
        }
    }
}
