//! The way from gb to the user's command.

pub mod caches;
mod exec;
pub mod guard;
mod hand_over;
pub mod identity;
pub mod init;
mod mounts;
mod places;
pub mod privileges;
pub mod streams;
pub mod work_tree;

pub use exec::{ExecError, Program, exec, interpreter};
pub use hand_over::hand_over;
pub use mounts::Mounts;
