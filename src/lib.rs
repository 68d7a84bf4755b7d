#![doc = "wip"]
pub mod entrypoint;
pub mod environment;
pub mod platform;
pub mod sys;
