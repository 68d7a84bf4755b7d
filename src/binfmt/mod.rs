//! Emulation: whether the kernel runs the programs of another architecture, by what, and why not.
//!
//! The kernel's binfmt_misc gives a file that begins with certain bytes to an interpreter, which for a program of another
//! architecture is QEMU. [`probe`] runs such a program and is the truth; what [`registry`] shows only explains it, because in
//! a container the kernel's entries are mostly out of sight. [`verdict`] joins the two.

pub mod deep;
pub mod emulator;
pub mod entry;
pub mod host;
pub mod look;
pub mod order;
pub mod persistent;
pub mod place;
pub mod probe;
pub mod process;
pub mod program;
pub mod reason;
pub mod register;
pub mod registry;
pub mod scratch;
pub mod surroundings;
pub mod verdict;
