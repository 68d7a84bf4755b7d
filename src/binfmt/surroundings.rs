//! Where this process is: what a remedy has to be for whoever reads it there.

use std::path::{Path, PathBuf};

use nix::sys::statfs::{OVERLAYFS_SUPER_MAGIC, statfs};
use nix::unistd::{AccessFlags, access};

use super::emulator;
use super::registry::{DIRECTORY, Mount, directory};
use crate::platform::Platform;
use crate::user_namespace::IdMap;

/// Where this process is.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Surroundings {
    /// In a container.
    pub in_container: bool,
    /// In another user namespace than the first one, which may have entries of its own.
    pub in_user_namespace: bool,
    /// The directory of the entries, or where they would be.
    pub directory: PathBuf,
    /// Entries can be made there.
    pub can_register: bool,
    /// There is a /proc to be read.
    pub has_proc: bool,
    /// The kernel has binfmt_misc, as far as that can be told.
    pub has_binfmt_misc: bool,
    /// Where emulators may be.
    pub search_path: Vec<PathBuf>,
}

impl Surroundings {
    /// Looks.
    pub fn find(directory: &Path) -> Surroundings {
        let filesystems = std::fs::read_to_string("/proc/filesystems");
        let can_register = matches!(Mount::open(directory), Ok(Some(_)))
            && access(&directory.join("register"), AccessFlags::W_OK).is_ok();
        let search_path = std::env::var_os("PATH").unwrap_or_default();
        Surroundings {
            in_container: in_container(),
            in_user_namespace: !IdMap::of_users().is_everything(),
            directory: directory.to_owned(),
            can_register,
            has_proc: Path::new("/proc/self").exists(),
            has_binfmt_misc: filesystems.is_ok_and(|all| all.contains("\tbinfmt_misc\n"))
                || matches!(Mount::open(directory), Ok(Some(_))),
            search_path: std::env::split_paths(&search_path).filter(|dir| dir.is_absolute()).collect(),
        }
    }

    /// The line that gives an architecture a handler, or another one, for somebody who is here.
    pub fn register(&self, platform: &Platform) -> String {
        let goarch = platform.goarch;
        let has_emulator = || emulator::find(&emulator::names(platform), &self.search_path, true).is_ok();
        let named = match self.directory == directory() {
            true => String::new(),
            false => format!(" --dir {}", shell_word(&self.directory.to_string_lossy())),
        };
        let by_image = format!("docker run --privileged --rm calico/binfmt --install {goarch}");
        if self.can_register && has_emulator() {
            format!("gb binfmt register {goarch}{named}")
        } else if self.in_container || self.in_user_namespace {
            format!("{by_image}, on the host")
        } else if has_emulator() {
            format!("gb binfmt register {goarch}, as root")
        } else {
            by_image
        }
    }

    /// The line that writes to one of the files of the registry.
    pub fn write(&self, text: &str, file: &str) -> String {
        let at = |directory: &Path| shell_word(&directory.join(file).to_string_lossy());
        match self.can_register {
            true => format!("echo {text} >{}", at(&self.directory)),
            false => format!("echo {text} >{}, as root of the host", at(Path::new(DIRECTORY))),
        }
    }
}

/// A text as a shell takes it for one word: names of entries and files may have any byte.
pub fn shell_word(text: &str) -> String {
    let is_plain = |c: char| c.is_ascii_alphanumeric() || "_./:=+,-@%".contains(c);
    match !text.is_empty() && text.chars().all(is_plain) {
        true => text.to_owned(),
        false => format!("'{}'", text.replace('\'', r"'\''")),
    }
}

/// Whether this is a container: by what engines leave, or by the kind of the root directory.
fn in_container() -> bool {
    let marks = ["/.dockerenv", "/run/.containerenv"];
    let variables = ["container", "KUBERNETES_SERVICE_HOST"];
    marks.iter().any(|mark| Path::new(mark).exists())
        || variables.iter().any(|name| std::env::var_os(name).is_some())
        || statfs("/").is_ok_and(|root| root.filesystem_type() == OVERLAYFS_SUPER_MAGIC)
}

#[cfg(test)]
mod tests {
    use super::shell_word;

    #[test]
    fn a_remedy_means_what_it_says_whatever_a_name_has_in_it() {
        for (text, expected) in [
            ("/proc/sys/fs/binfmt_misc/qemu-s390x", "/proc/sys/fs/binfmt_misc/qemu-s390x"),
            (r"a\nb", r"'a\nb'"),
            ("x y;$(id)", "'x y;$(id)'"),
            ("it's", r"'it'\''s'"),
            ("é", "'é'"),
            ("", "''"),
        ] {
            assert_eq!(shell_word(text), expected);
        }
    }
}
