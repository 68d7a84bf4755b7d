//! Cross building: for what, against which sysroot, with which environment, by which compiler flags.
//!
//! Each part decides first and acts after: [`plan`] and the compiler's and pkg-config's command lines are pure
//! functions of what was asked and of the facts found.

mod command_line;
mod compiler;
mod identity;
mod links;
mod pkg_config;
mod plan;
mod program;
mod request;
mod sysroot;

pub use compiler::{Compiler, CompilerError, Invocation, Language};
pub use identity::print_identity;
pub use links::{Link, LinkError, Links, State};
pub use pkg_config::{PkgConfigError, pkg_config};
pub use plan::{Cgo, Facts, Leak, Plan, Setting, given, plan};
pub use program::Programs;
pub use request::{Request, RequestError, Source};
pub use sysroot::{Layout, NoSysroot, Sysroot};
