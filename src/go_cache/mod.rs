//! Go's build cache: giving a cache of the caller's what the image's cache has.
//!
//! The image has Go's standard library compiled for every target, in its own GOCACHE. Who mounts another one (Calico's Makefiles
//! do) would compile it again. Before the command starts, what the image has for the target is copied into the caller's cache, if
//! that does not have it: then it is a cache like any other, for every Go, with gb or without.
//!
//! [`Facts`] are what is found, [`plan`] decides, [`fill`] copies.

mod fill;
mod list;
mod plan;
mod settings;

pub use fill::{FillError, fill};
pub use list::{Header, Name, header, names};
pub use plan::{Build, Facts, Filling, Plan, plan};
pub use settings::{SettingError, is_wanted};
