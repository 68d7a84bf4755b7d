//! What would keep the account and the home from being made, told without making them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::edit::HOME;
use super::plan::UserPlan;
use super::record::{RecordError, is_host};
use crate::sys;

/// What root can tell beforehand of the account and the home.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Forecast {
    /// Why there would be no account.
    pub no_account: Option<String>,
    /// Why the home would be another directory.
    pub no_home: Option<String>,
}

impl UserPlan {
    /// Looks, and changes nothing.
    pub fn forecast(&self) -> Forecast {
        Forecast { no_account: self.account_obstacle(), no_home: self.home_obstacle() }
    }

    fn account_obstacle(&self) -> Option<String> {
        if !self.writes_files {
            return None;
        }
        if is_host() {
            return Some(RecordError::NoContainer.to_string());
        }
        let files = ["/etc/passwd", "/etc/group"];
        if let Some(path) = files.into_iter().find(|path| sys::is_mount(Path::new(path))) {
            return Some(RecordError::Mount(path).to_string());
        }
        access("/etc", AccessFlags::W_OK).err().map(|errno| format!("/etc: {}", errno.desc()))
    }

    fn home_obstacle(&self) -> Option<String> {
        let home = Path::new(HOME);
        let Ok(metadata) = fs::metadata(home) else {
            let above = home.ancestors().skip(1).find(|dir| dir.exists())?;
            return access(above, AccessFlags::W_OK).err().map(|errno| errno.desc().to_owned());
        };
        if !metadata.is_dir() {
            return Some(Errno::ENOTDIR.desc().to_owned());
        }
        let is_mount = sys::is_mount(home);
        let is_users = metadata.uid() == self.ids.uid || is_mount && metadata.mode() & 0o002 != 0;
        let can_be_given =
            !is_mount && (metadata.uid() == 0 || Some(metadata.uid()) == self.edited.earlier_uid);
        match access(home, AccessFlags::W_OK) {
            Err(errno) => Some(errno.desc().to_owned()),
            Ok(()) if is_users || can_be_given => None,
            Ok(()) => Some(format!("it belongs to uid {}", metadata.uid())),
        }
    }
}
