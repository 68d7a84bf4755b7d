//! The only room with `unsafe`: thin wrappers over what libc offers and the crates do not.
#![allow(unsafe_code)]

mod capabilities;
mod directory;
mod environment;
mod files;
mod groups;
mod process;
mod signals;
mod startup;
mod terminal;

pub use capabilities::{CAP_SETGID, CAP_SETUID, Capabilities};
pub use directory::{Names, names};
pub use environment::environ;
pub use files::{
    capabilities, errno, has_capabilities, is_mount, lock, mount_id, mount_id_of, nameless_file,
    set_capabilities, temporary_file,
};
pub use groups::groups;
pub use process::{
    Change, ask_child, close_descriptors_but, end_now, forget_code, fork, reap, reap_child, standard_stream,
    wait_child,
};
pub use signals::{FileSizeSignal, Signal, forget_child, ignore_endings, send, wait_for_signal};
pub use startup::{block_signals, default_sigchld, ignore_sigpipe, restore_inherited, was_closed};
pub use terminal::{leave_terminal, take_terminal};
