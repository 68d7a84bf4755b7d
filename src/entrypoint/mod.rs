//! The way from gb to the user's command.

pub mod caches;
mod exec;
pub mod guard;
pub mod identity;
pub mod init;
pub mod privileges;
pub mod streams;
pub mod work_tree;

pub use exec::{ExecError, Program, exec};
