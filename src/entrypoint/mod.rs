//! The way from gb to the user's command.

mod exec;

pub use exec::{ExecError, Program, exec};
