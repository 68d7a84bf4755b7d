//! The only room with `unsafe`: thin wrappers over what libc offers and the crates do not.
#![allow(unsafe_code)]

mod environment;
mod startup;

pub use environment::environ;
pub use startup::{ignore_sigpipe, restore_inherited, was_closed};
