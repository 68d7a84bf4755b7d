//! Which role gb plays: first by the name it is called by, then by its arguments.

mod binfmt;
mod build_systems;
mod emulation;
mod env;
mod forms;
mod go_cache;
mod identity;
mod info;
mod install_links;
mod output;
mod program;
mod roles;
mod run;
mod runner;
mod sbom;
mod strip_libs;
mod su_exec;
mod target;
mod tools;
mod usage;
mod user;
mod verify;

use std::ffi::OsString;
use std::process::ExitCode;

use clap::{CommandFactory, FromArgMatches, Parser, Subcommand};

use self::roles::Role;
use self::usage::usage;
use crate::entrypoint::guard;
use crate::error::Error;

/// What `--help` says of the roles that have no subcommand.
const NAMES: &str = "\
Called as <triple>-clang, -clang++, -cc, -c++, -gcc or -g++ it is that target's compiler (as gcc or g++ this
machine's), called as <triple>-pkg-config, -ld, -as or -objcopy that target's. As go_linux_<goarch>_exec it runs a
program of another machine for go run and go test: by the kernel, or where that does not by QEMU. As entrypoint.sh
it is gb run, all of whose arguments are the command; as su-exec it takes user[:group] and a command.
(gb install-links makes the names.)

GB_SYSROOT names another sysroot than /usr/<triple>/sys-root, Debian's cross packages, or the system's own.";

/// The entrypoint and the cross toolchain of the go-build image
#[derive(Debug, Parser)]
#[command(name = "gb", version, disable_help_subcommand = true, after_help = NAMES)]
struct Arguments {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run a command with everything set for the target (the image's entrypoint)
    ///
    /// The target is GOARCH, else ARCH, else TARGETPLATFORM, TARGETPAIR or TARGETARCH, else this machine. Variables that
    /// the caller has set are never changed; `gb env` shows what would be set, and why.
    ///
    /// Started as root, the command runs as LOCAL_USER_ID (else the owner of the working directory with GB_USER=owner,
    /// else 9001), with LOCAL_GROUP_ID, EXTRA_GROUP_ID and EXTRA_GROUP_IDS, an account and the home /home/user;
    /// RUN_AS_ROOT=true keeps root. If programs of another target do not run here a line says so; GB_BINFMT=require refuses
    /// then, GB_BINFMT=off does not look. A GOCACHE that is not the image's gets what that has of Go's standard library for
    /// the target, unless GB_GO_CACHE=0. Exit codes: the command's own; 127 not found; 126 found but cannot run; 125 gb
    /// itself failed.
    #[command(override_usage = "gb run [OPTIONS] [--] COMMAND [ARGUMENT]...")]
    Run(run::Arguments),
    /// Show what `gb run` would set for a target, and why
    ///
    /// To have it in a shell: eval "$(gb env arm64)"
    Env(env::Arguments),
    /// Show what is known about a target: its names, its ELF files, its variants
    ///
    /// In a shell: triple=$(gb info --field triple). A value that there is not (a sysroot) is exit code 1 with nothing on
    /// standard output.
    Info(info::Arguments),
    /// Show what tells one state of a compiler from another, for a compiler cache's key
    ///
    /// A compiler of gb's depends on more than its command line: the variant (GOAMD64 …), GB_SYSROOT, and what Go builds
    /// for. The image's /etc/ccache.conf asks this (compiler_check = gb identity %compiler%).
    Identity(identity::Arguments),
    /// Whether programs of other architectures run here, by what, and why not
    ///
    /// Also takes the words of tonistiigi/binfmt (--install all, --uninstall 'qemu-*', --mount DIR, --version; without any:
    /// what runs, as JSON) and of multiarch/qemu-user-static (--reset -p yes, --credential yes). Their failures are exit code 1
    /// or 125 here, and 0 again with GB_BINFMT_COMPAT_EXIT=0.
    Binfmt {
        #[command(subcommand)]
        command: binfmt::Command,
    },
    /// Make a root of programs and all they need, and prove that it has it; or show what they need, and why
    ///
    /// What a program needs is found by the rules of the root's own loader (glibc's or musl's), of any architecture, and nothing
    /// of the root is run. With no FILE and nothing else asked for it is what a base image has (--with base). Exit codes: 0
    /// everything is there; 1 something is missing, and nothing was written; 125 it could not be done.
    StripLibs(Box<strip_libs::Arguments>),
    /// What programs, libraries and archives are, and whether they will run where they are to run; or a whole image
    ///
    /// A line for each file with what matters, and one for each thing that is the matter with what to do. Exit codes: 0 all is
    /// good; 1 something does not run, or is not what was asked for; 2 it runs, but not as it should (an executable stack, text
    /// relocations, an RPATH into the directory of a build); 125 something could not be looked at, or there is nothing to look at.
    Verify(verify::Arguments),
    /// Describe what is in a root, as a list for scanners and whoever has to know (SBOM): packages, programs and what these are made of
    ///
    /// Packages of dpkg, rpm and apk, and such as were unpacked into the go-build image and its sysroots; programs with what Go, and cargo
    /// auditable of Rust, have written into them; and what is started or loaded and is of no package, with its checksum. Nothing of the
    /// root is run. The same root makes the same bytes; SOURCE_DATE_EPOCH is when it was made, else the newest file that was read.
    Sbom(sbom::Arguments),
    /// Link the names of the compilers, of pkg-config, entrypoint.sh and su-exec to this program
    ///
    /// For each target <triple>-clang, -clang++, -cc, -c++ and -pkg-config; where PATH has no real ones go_linux_<goarch>_exec
    /// (for go run and go test), -gcc, -g++, -ld, -as and -objcopy; and -ar, -nm, -strip, -objdump and the like to the LLVM tools that PATH has.
    InstallLinks(install_links::Arguments),
}

/// Plays the role that the arguments ask for; `args` starts with `argv[0]`.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let result = guard::check()
        .map_err(Error::from)
        .and_then(|()| Role::of(args.first().map(OsString::as_os_str)))
        .and_then(|role| play(&role, &args));
    result.unwrap_or_else(|error| error.report())
}

fn play(role: &Role, args: &[OsString]) -> Result<ExitCode, Error> {
    let own_args = args.get(1..).unwrap_or_default();
    match role {
        Role::Gb => subcommand(args),
        Role::Entrypoint => run::run(&run::Arguments::command(own_args)),
        Role::SuExec => Err(su_exec::su_exec(own_args)),
        Role::Compiler(compiler) => tools::compile(compiler, own_args),
        Role::PkgConfig(platform, abi) => tools::ask_pkg_config(platform, abi, own_args),
        Role::Binutil(binutil) => tools::run_binutil(binutil, own_args),
        Role::Runner(runner) => Err(runner::run(*runner, own_args)),
    }
}

fn subcommand(args: &[OsString]) -> Result<ExitCode, Error> {
    // The image's entrypoint, word for word: at every start the tree of all subcommands would be built for nothing.
    if let [_, run, end, command @ ..] = args {
        if run == "run" && end == "--" {
            return run::run(&run::Arguments::command(command));
        }
    }
    // The words of the programs that gb binfmt takes the place of.
    if let [_, subcommand, words @ ..] = args {
        if subcommand == "binfmt" {
            if let Some(played) = binfmt::play_drop_in(words) {
                return played;
            }
        }
    }
    let args = match args {
        [_, name, ..] if name == "strip-libs" => &strip_libs::with_config(args)?,
        _ => args,
    };
    let matches = match Arguments::command().try_get_matches_from(args) {
        Ok(matches) => matches,
        Err(error) => return usage(&error),
    };
    let arguments = match Arguments::from_arg_matches(&matches) {
        Ok(arguments) => arguments,
        Err(error) => return usage(&error),
    };
    match arguments.command {
        Command::Run(arguments) => run::run(&arguments),
        Command::Env(arguments) => env::env(&arguments),
        Command::Info(arguments) => info::info(&arguments),
        Command::Identity(arguments) => identity::identity(&arguments),
        Command::Binfmt { command } => command.run(),
        Command::InstallLinks(arguments) => install_links::install_links(&arguments),
        Command::StripLibs(arguments) => arguments.run(),
        Command::Verify(arguments) => arguments.run(),
        Command::Sbom(arguments) => arguments.run(),
    }
}
