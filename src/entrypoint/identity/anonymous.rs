//! A user whom the engine chose and no account knows, as OpenShift starts every container: `--user 1000650000:0`.
//!
//! The engine gives such a user the HOME `/`, where nothing can be written, and ssh refuses to work for who has no account.
//! gb can't be root here; what it can do is a home in a place where anybody may have one, and an account where the image
//! lets its group 0 write one.

use std::ffi::{OsStr, OsString};
use std::fs::File;
use std::io::{self, Read, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;
use std::time::Duration;

use nix::unistd::{AccessFlags, access};

use super::accounts::{self, MAX_FILE};
use super::edit;
use super::facts::{Ids, accounts_and_groups};
use super::home;
use super::lock::lock_for_writing;
use crate::environment::Environment;
use crate::sys;

const PASSWD: &str = "/etc/passwd";
/// How long the account is waited for. Another start needs no time for its line; but whoever can read the file can lock it
/// for reading, and keep it so.
const PATIENCE: Duration = Duration::from_secs(1);

/// What is to be done for a user who stays who it is.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Anonymous {
    /// HOME is the engine's word and can't be written to: there is to be another.
    pub needs_home: bool,
    /// There is no account, and the user may add one.
    pub adds_account: bool,
}

impl Anonymous {
    /// Looks, and changes nothing. A HOME that the caller has chosen stays, whatever it is.
    pub fn find(ids: &Ids, environment: &Environment) -> Anonymous {
        if ids.uid == 0 {
            return Anonymous::default();
        }
        let home = environment.get_nonempty("HOME");
        let is_usable = home.is_some_and(|home| {
            access(&Path::new(home).join("."), AccessFlags::W_OK | AccessFlags::X_OK).is_ok()
        });
        let may_add = (ids.gid == 0 || ids.groups.contains(&0))
            && access(PASSWD, AccessFlags::W_OK).is_ok()
            && !sys::is_mount(Path::new(PASSWD));
        if is_usable && !may_add {
            return Anonymous::default();
        }
        let (files, unreadable) = accounts_and_groups();
        let account = accounts::accounts(&files.passwd).find(|account| account.uid == ids.uid);
        // An engine sets HOME to what passwd says, or else to this (runc: moby/sys/user).
        let engines = account.map_or(b"/".as_slice(), |account| account.home);
        let is_engines = home.is_some_and(|home| home.as_bytes() == engines || home == "/");
        Anonymous {
            needs_home: !is_usable && is_engines,
            adds_account: may_add && account.is_none() && unreadable.is_none(),
        }
    }

    /// Sets HOME, and adds the account. What can't be done is left: the command may need neither.
    pub fn act(&self, ids: &Ids, environment: &mut Environment) {
        if let Some(home) = self.needs_home.then(|| home::substitute(ids.uid)).flatten() {
            // A path has no NUL byte.
            let _set = environment.set("HOME", &home);
        }
        let home = environment.get_nonempty("HOME").map(OsStr::to_owned);
        if let Some(home) = home.filter(|home| self.adds_account && is_field(home)) {
            let _added = add_account(ids, &home);
        }
    }
}

/// Whether a text can be a field of passwd.
fn is_field(home: &OsString) -> bool {
    !home.as_bytes().iter().any(|byte| *byte == b':' || byte.is_ascii_control())
}

/// Appends a line by one write, under a lock: the file can be neither locked nor replaced as root does it.
fn add_account(ids: &Ids, home: &OsStr) -> io::Result<()> {
    let flags = libc::O_CLOEXEC | libc::O_NOFOLLOW | libc::O_NONBLOCK;
    let mut file = File::options().read(true).append(true).custom_flags(flags).open(PASSWD)?;
    if !file.metadata()?.is_file() {
        return Ok(());
    }
    lock_for_writing(&file, PATIENCE)?;
    let mut passwd = Vec::new();
    (&file).take(MAX_FILE).read_to_end(&mut passwd)?;
    let Some(line) = edit::line_to_append(&passwd, ids.uid, ids.gid, home) else { return Ok(()) };
    let _signal = sys::FileSizeSignal::ignore();
    file.write_all(&line).inspect_err(|_| {
        // A full disk, or a limit: what was there ends where it ended.
        let _cut = u64::try_from(passwd.len()).map(|length| file.set_len(length));
    })
}
