//! What belongs into a root so that certain programs run in it, and whether a root has it.
//!
//! | file | what it is |
//! |---|---|
//! | `request.rs` | what is asked for |
//! | `gather.rs` | the answer: every file, each with its reason, and every hole |
//! | `directory.rs`, `data.rs` | what is in directories that are asked for; which files nobody starts |
//! | `hole.rs` | what is missing |
//! | `opened.rs`, `why.rs` | what programs open when they run; the reasons in words |
//! | `base.rs`, `profile.rs` | what a base image has; what programs open when they run, and no file says |
//! | `nsswitch.rs`, `script.rs` | which modules and which interpreters are asked for by text |
//! | `proof.rs` | a finished root, looked at as if nothing were known of it |
//! | `placed.rs` | files that are to be in a root, looked at as if they were |
//! | `words.rs` | the rules of loaders in words |

mod base;
mod data;
mod directory;
mod gather;
mod hole;
mod nsswitch;
mod opened;
mod placed;
mod profile;
mod proof;
mod request;
mod script;
mod why;
pub mod words;

#[cfg(test)]
mod tests;

pub use gather::{Closure, GatherError, Item, gather};
pub use hole::Hole;
pub use nsswitch::{Database, Malformed, databases};
pub use placed::{Placed, Stand, place};
pub use profile::{PROFILES, Profile};
pub use proof::{Proof, prove};
pub use request::Request;
pub use why::Why;
