//! What would keep the account and the home from being made, told without making them.

use std::fs;
use std::os::unix::fs::MetadataExt;
use std::path::Path;

use nix::errno::Errno;
use nix::unistd::{AccessFlags, access};

use super::edit::HOME;
use super::home::is_mount;
use super::plan::UserPlan;
use super::record::{RecordError, is_host};
use crate::sys;

impl UserPlan {
    /// Why there would be no account, as far as root can tell beforehand.
    pub fn account_obstacle(&self) -> Option<String> {
        if !self.writes_files {
            return None;
        }
        if is_host() {
            return Some(RecordError::NoContainer.to_string());
        }
        let etc = Path::new("/etc");
        if let Some(path) = ["/etc/passwd", "/etc/group"].into_iter().find(|path| {
            let mount = sys::mount_id(Path::new(path));
            mount.is_some() && mount != sys::mount_id(etc)
        }) {
            return Some(RecordError::Mount(path).to_string());
        }
        access(etc, AccessFlags::W_OK).err().map(|errno| format!("/etc: {}", errno.desc()))
    }

    /// Why the home would be another directory, as far as root can tell beforehand.
    pub fn home_obstacle(&self) -> Option<String> {
        let home = Path::new(HOME);
        let Ok(metadata) = fs::metadata(home) else {
            let above = home.ancestors().skip(1).find(|dir| dir.exists())?;
            return access(above, AccessFlags::W_OK).err().map(|errno| errno.desc().to_owned());
        };
        if !metadata.is_dir() {
            return Some(Errno::ENOTDIR.desc().to_owned());
        }
        let is_mount = is_mount(home);
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
