//! What a root is to be made of.

use super::profile::Profile;
use crate::elf::Priority;
use crate::rootfs::Hwcaps;

/// What is asked for.
#[derive(Debug, Clone)]
pub struct Request {
    /// Programs, libraries, scripts and other files, by their paths in the root.
    pub files: Vec<Vec<u8>>,
    /// Libraries, as a program asks for them.
    pub libraries: Vec<Vec<u8>>,
    /// Files by patterns, as of plugins; one that matches nothing is a mistake.
    pub patterns: Vec<Vec<u8>>,
    /// What programs open when they run.
    pub profiles: Vec<&'static Profile>,
    /// Which of the libraries for newer processors are taken beside the ones that run everywhere.
    pub hwcaps: Hwcaps,
    /// What LD_LIBRARY_PATH is to be where the programs run.
    pub library_path: Option<Vec<u8>>,
    /// The ld.so.cache of what this is added to: what it leads to is led to by the new one, too.
    pub cache: Option<Vec<u8>>,
    /// How much a library must matter to be taken that a file says it loads when it runs; none: no such library.
    pub dlopen: Option<Priority>,
    /// The services that programs ask for names; none given: those of the result's nsswitch.conf.
    pub services: Option<Vec<String>>,
}

impl Default for Request {
    /// What a base image has.
    fn default() -> Request {
        Request {
            files: Vec::new(),
            libraries: Vec::new(),
            patterns: Vec::new(),
            profiles: vec![&super::profile::BASE],
            hwcaps: Hwcaps::All,
            library_path: None,
            cache: None,
            dlopen: Some(Priority::Recommended),
            services: None,
        }
    }
}
