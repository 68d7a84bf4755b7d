//! Cross building: for what, against which sysroot, with which environment, by which compiler flags.
//!
//! Each part decides first and acts after: what is decided is a value ([`Plan`], [`Invocation`], [`Links`]), made of what
//! was asked and of the facts found.

mod binutils;
mod build_systems;
mod command_line;
mod compiler;
mod gcc;
mod go_calls;
mod host;
mod identity;
mod leaks;
mod libraries;
mod links;
mod lld;
mod native;
mod own;
mod pkg_config;
mod plan;
mod program;
mod request;
mod runner;
mod sysroot;

pub use binutils::{Binutil, NoTool, give_abi_flags};
pub use build_systems::{BuildSystems, cmake_toolchain};
pub use compiler::{Compiler, CompilerError, Family, Invocation, Language, Step};
pub use go_calls::{Caller, is_first_refusal};
pub use identity::{Identity, file_identity, print_identity};
pub use leaks::Leak;
pub use libraries::Damage;
pub use links::{Link, LinkError, Links, State};
pub use own::{given, left_over};
pub use pkg_config::{PkgConfig, PkgConfigError, pkg_config};
pub use plan::{Cgo, Facts, Plan, Setting, plan};
pub use program::{Programs, exit_code};
pub use request::{Request, RequestError, Source};
pub use runner::Runner;
pub use sysroot::{Layout, NoSysroot, Sysroot};
