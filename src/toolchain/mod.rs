//! Cross building: for what, against which sysroot, with which environment, by which compiler flags.
//!
//! Each part decides first and acts after: what is decided is a value ([`Plan`], [`Invocation`], [`Links`]), made of what
//! was asked and of the facts found.

mod command_line;
mod compiler;
mod identity;
mod links;
mod own;
mod pkg_config;
mod plan;
mod program;
mod request;
mod sysroot;

pub use compiler::{Compiler, CompilerError, Invocation, Language};
pub use identity::{Identity, print_identity};
pub use links::{Link, LinkError, Links, State};
pub use own::given;
pub use pkg_config::{PkgConfigError, pkg_config};
pub use plan::{Cgo, Facts, Leak, Plan, Setting, plan};
pub use program::Programs;
pub use request::{Request, RequestError, Source};
pub use sysroot::{Layout, NoSysroot, Sysroot};
