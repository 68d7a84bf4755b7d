//! A root directory as programs in it would see it, and what these need of it. Nothing outside of it is ever read, and nothing
//! of it is run.

mod closure;
mod disk;
mod files;
mod metadata;
mod output;
mod platforms;
mod regular;
mod root;
pub mod script;
mod stored;
mod tree;
mod walk;
mod write;

#[cfg(test)]
mod tests;

pub use closure::{
    Finder, Hwcaps, Needs, Request, Start, StartError, Variant, answer, is_answered, is_program,
};
pub use files::Seen;
pub use metadata::{Kind, Metadata};
pub use output::{Existing, Output, OutputError};
pub use regular::Regular;
pub use root::Root;
pub use stored::{Stored, find};
pub use tree::{AddError, Added, Made, Node, Tree};
pub use walk::{Last, Link, Resolved};
pub use write::{Times, WriteError, Written, write};
