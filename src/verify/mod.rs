//! What is to be known of a file before it is put where it is to run: what it is, and what is the matter with it. Pure: bytes in,
//! facts and findings out.
//!
//! | file | what it is |
//! |---|---|
//! | `facts.rs` | what an ELF file is and needs |
//! | `versions.rs` | versions of symbols as numbers: GLIBC, GLIBCXX, CXXABI, GCC |
//! | `go.rs` | what Go's linker writes of how a program was built |
//! | `crates.rs` | what cargo auditable writes of the crates that a program is made of |
//! | `archive.rs`, `members.rs` | archives (`.a`), and what is in them |
//! | `format.rs` | what a file is that is none of these |
//! | `elsewhere.rs` | what images have of other machines on purpose |
//! | `wish.rs` | what is asked of files |
//! | `check.rs`, `machine.rs`, `glibc.rs`, `place.rs`, `archived.rs` | what is the matter with a file, of each kind |
//! | `finding.rs` | the form of that |

mod archive;
mod archived;
mod check;
mod crates;
mod elsewhere;
mod facts;
mod finding;
mod format;
mod glibc;
mod go;
mod machine;
mod members;
mod place;
mod versions;
mod wish;

#[cfg(test)]
mod tests;

pub use archive::{Archive, Damage, Form, Member};
pub use archived::{check_archive, machines};
pub use check::check;
pub use crates::Crate;
pub use elsewhere::{belongs_elsewhere, is_given_to_others, is_started};
pub use facts::{Facts, Kind, Need, Relro};
pub use finding::{Finding, Weight};
pub use format::{Format, LARGEST_HEAD};
pub use glibc::symbols;
pub use go::{Go, Module};
pub use machine::described;
pub use members::{Content, Item, Open, items};
pub use versions::{FAMILIES, Number, highest};
pub use wish::{BadCeiling, Ceiling, Wish};
