//! What is made for a root, because no root's own will do: in a container's `/etc/hosts` is the engine's, and nsswitch.conf
//! names modules that the result is not to have.

use std::path::PathBuf;

use crate::rootfs::Made;

/// The services that this file names are in glibc itself, or among what a base image has.
pub const NSSWITCH: &str = "\
# Name services of this image: files, and DNS.
passwd:     files
shadow:     files
group:      files
gshadow:    files
hosts:      files dns
networks:   files dns
aliases:    files
automount:  files
ethers:     files
protocols:  files
publickey:  files
rpc:        files
services:   files
";

const HOSTS: &str = "\
127.0.0.1	localhost localhost.localdomain
::1	localhost localhost.localdomain ip6-localhost ip6-loopback
";

/// Where the first one goes.
pub const NSSWITCH_PATH: &str = "/etc/nsswitch.conf";

/// The files that are made, and the directories.
pub fn made() -> Vec<(PathBuf, Made)> {
    let file = |text: &str| Made { contents: Some(text.as_bytes().to_vec()), mode: 0o644 };
    vec![
        (NSSWITCH_PATH.into(), file(NSSWITCH)),
        ("/etc/hosts".into(), file(HOSTS)),
        ("/tmp".into(), Made { contents: None, mode: 0o1777 }),
    ]
}
