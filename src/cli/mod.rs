//! Which role gb plays: first by the name it is called by, then by its arguments.

mod binfmt;
mod build_systems;
mod env;
mod identity;
mod info;
mod roles;
mod run;
mod su_exec;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};
use nix::unistd::geteuid;

use self::build_systems::Toolchain;
use crate::entrypoint::privileges::wants_no_new_privileges;
use crate::entrypoint::{Mounts, Program, exec, guard, identity as user, init, work_tree};
use crate::environment::Environment;
use crate::error::{Error, tell};
use crate::platform::Platform;
use crate::sys;
use crate::toolchain::{Facts, Links, Programs, Request, Setting, Source, given, left_over, plan};
use roles::Role;

/// What `--help` says of the roles that have no subcommand.
const NAMES: &str = "\
Called as <triple>-clang, -clang++, -cc, -c++, -gcc or -g++ it is that target's compiler (as gcc or g++ this
machine's), called as <triple>-pkg-config, -ld, -as or -objcopy that target's. As entrypoint.sh it is gb run, all
of whose arguments are the command; as su-exec it takes user[:group] and a command. (gb install-links makes the
names.)

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
    /// RUN_AS_ROOT=true keeps root. Exit codes: the command's own; 127 not found; 126 found but cannot run; 125 gb
    /// itself failed.
    #[command(override_usage = "gb run [OPTIONS] [--] COMMAND [ARGUMENT]...")]
    Run(run::Arguments),
    /// Show what `gb run` would set for a target, and why
    ///
    /// To have it in a shell: eval "$(gb env arm64)"
    Env {
        /// The target, in any spelling: arm64, aarch64, linux/arm/v7, s390x-linux-gnu
        platform: Option<OsString>,
        /// How to write it
        #[arg(long, value_enum, default_value_t = Format::Sh, conflicts_with = "json")]
        format: Format,
        /// The same as --format json
        #[arg(long)]
        json: bool,
    },
    /// Show what is known about a target: its names, its ELF files, its variants
    ///
    /// In a shell: triple=$(gb info --field triple). A value that there is not (a sysroot) is exit code 1 with nothing on
    /// standard output.
    Info {
        /// The target, in any spelling: arm64, aarch64, linux/arm/v7, s390x-linux-gnu
        platform: Option<OsString>,
        /// Write JSON
        #[arg(long, group = "form")]
        json: bool,
        /// Write one value and nothing else; several, a line each, if given again
        #[arg(long = "field", value_enum, value_name = "NAME", group = "form")]
        fields: Vec<info::Field>,
        /// Write nothing: the exit code is 0 if the target is another machine than this one, and 1 if not
        #[arg(long, group = "form")]
        is_cross: bool,
    },
    /// Show what tells one state of a compiler from another, for a compiler cache's key
    ///
    /// A compiler of gb's depends on more than its command line: the variant (GOAMD64 …), GB_SYSROOT, and what Go builds
    /// for. The image's /etc/ccache.conf asks this (compiler_check = gb identity %compiler%).
    Identity {
        /// The compiler: a path, or a name
        compiler: PathBuf,
    },
    /// Whether programs of other architectures run here, by what, and why not
    Binfmt {
        #[command(subcommand)]
        command: binfmt::Command,
    },
    /// Link the names of the compilers, of pkg-config, entrypoint.sh and su-exec to this program
    ///
    /// For each target <triple>-clang, -clang++, -cc, -c++ and -pkg-config; where PATH has no real ones -gcc, -g++, -ld,
    /// -as and -objcopy; and -ar, -nm, -strip, -objdump and the like to the LLVM tools that PATH has.
    InstallLinks {
        /// The directory, which should be in PATH
        dir: PathBuf,
    },
}

/// The forms in which `gb env` writes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Format {
    /// For a shell's eval
    Sh,
    /// For programs
    Json,
    /// For --env-file of Docker and others
    Dotenv,
    /// For appending to the file "$GITHUB_ENV"
    Github,
    /// CMake's toolchain file for the target
    Cmake,
    /// Meson's cross file for the target, or native file
    Meson,
}

/// Plays the role that the arguments ask for; `args` starts with `argv[0]`.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let result = guard::check()
        .map_err(Error::from)
        .and_then(|()| Role::of(args.first().map(OsString::as_os_str)))
        .and_then(|role| role.play(&args));
    result.unwrap_or_else(|error| error.report())
}

fn subcommand(args: &[OsString]) -> Result<ExitCode, Error> {
    // The image's entrypoint, word for word: at every start the tree of all subcommands would be built for nothing.
    if let [_, run, end, command @ ..] = args {
        if run == "run" && end == "--" {
            return run::run(&run::Arguments::command(command));
        }
    }
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
        Command::Env { platform, format, json } => {
            show_env(platform.as_deref(), if json { Format::Json } else { format })
        }
        Command::Info { platform, json, fields, is_cross } => {
            let environment = given(&Environment::new(sys::environ()));
            let request = request(platform.as_deref(), &environment)?;
            if is_cross {
                return Ok(ExitCode::from(u8::from(!info::is_cross(&request))));
            }
            print(&match fields.as_slice() {
                [] => info::write(&request, &environment, json)?,
                fields => info::values(&request, &environment, fields)?,
            })
        }
        Command::Binfmt { command } => command.run(),
        Command::Identity { compiler } => print(roles::identity(&compiler)?.as_bytes()),
        Command::InstallLinks { dir } => install_links(&dir),
    }
}

/// Help goes to standard output and is no failure; a mistake is one line.
fn usage(error: &clap::Error) -> Result<ExitCode, Error> {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => print(text.as_bytes()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            Err(Error::Usage("no subcommand given (gb --help)".to_owned()))
        }
        _ => {
            // clap's first paragraph is what is wrong (what is missing on lines of its own); tips may follow; then the
            // usage, which --help tells better.
            let lines =
                text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
            let lines = lines.map(str::trim).filter(|line| !line.is_empty());
            let (tips, wrong): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("tip: "));
            let tips = tips.iter().map(|tip| format!("{}; ", tip.trim_start_matches("tip: ")));
            let message = wrong.join(" ").trim_start_matches("error: ").to_owned();
            Err(Error::Usage(format!("{message} ({}gb --help)", tips.collect::<String>())))
        }
    }
}

/// Writes to standard output. A reader that goes away ends gb as it ends any other program.
fn print(text: &[u8]) -> Result<ExitCode, Error> {
    sys::restore_inherited();
    if sys::was_closed(1) {
        // Rust's runtime has put /dev/null there, which takes everything.
        let source = io::Error::from(nix::errno::Errno::EBADF);
        return Err(Error::Io { attempt: "write to standard output".to_owned(), source });
    }
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text).and_then(|()| stdout.flush());
    written.map_err(|source| Error::Io { attempt: "write to standard output".to_owned(), source })?;
    Ok(ExitCode::SUCCESS)
}

fn request(platform: Option<&OsStr>, environment: &Environment) -> Result<Request, Error> {
    Ok(match platform {
        Some(platform) => Request::linux(platform, Source::Argument)?,
        None => Request::detect(environment, Platform::host())?,
    })
}

fn become_program(program: &OsStr, args: &[OsString], environment: &Environment) -> Error {
    Error::Exec(exec(&Program { name: program, argv0: program, args }, environment))
}

/// What lets Git work in the mounted trees, as settings of the environment.
fn trusted_trees(environment: &Environment, mounts: &Mounts, uid: u32) -> Vec<Setting> {
    let settings = work_tree::settings(environment, mounts, uid).into_iter();
    settings.map(|work_tree::Setting { name, value, reason }| Setting { name, value, reason }).collect()
}

fn show_env(platform: Option<&OsStr>, format: Format) -> Result<ExitCode, Error> {
    let inherited = Environment::new(sys::environ());
    let environment = given(&inherited);
    let request = request(platform, &environment)?;
    let facts = Facts::gather(&request, &environment, Platform::host());
    if let Format::Cmake | Format::Meson = format {
        let toolchain = Toolchain::new(&request, facts.as_ref(), &environment)?;
        return print(&if format == Format::Cmake { toolchain.cmake() } else { toolchain.meson() });
    }
    let mut plan = plan(request, &environment, facts.as_ref());
    // For whoever asks: the user of a shell, of docker exec, of a step in a workflow.
    plan.settings.extend(trusted_trees(&environment, &Mounts::read(), geteuid().as_raw()));
    plan.notes.extend(facts.and_then(|facts| facts.damage(&plan.request, &environment)));
    let user = user::Request::read(&environment)
        .map_err(Error::from)
        .and_then(|request| Ok(user::plan(&request, &user::Facts::gather(&request))?));
    let init = init::Settings::read(&environment, &init::Flags::default()).map_err(Error::from);
    let no_new_privileges = wants_no_new_privileges(&environment).map_err(Error::from);
    let shown = identity::shown(
        user.as_ref(),
        init.as_ref().map(Option::as_ref),
        no_new_privileges.as_ref().copied(),
        &environment,
    );
    if format == Format::Github {
        // What is appended to the file has no place for comments.
        for setting in &plan.settings {
            tell(format!("{}: {}", setting.name, setting.reason));
        }
        for line in env::comments(&plan, &shown) {
            tell(line);
        }
    }
    print(&env::write(&plan, &shown, &left_over(&inherited, &plan.settings), format))
}

fn install_links(dir: &Path) -> Result<ExitCode, Error> {
    let attempt = || "install links: find this program".to_owned();
    let gb = std::env::current_exe().map_err(|source| Error::Io { attempt: attempt(), source })?;
    let environment = Environment::new(sys::environ());
    let links = Links::plan(dir, &gb, Programs::new(&environment))?;
    let made = links.act()?;
    let mut text = format!("{made} made, {} already there, in {}\n", links.links.len() - made, dir.display());
    if !links.left_out.is_empty() {
        text.push_str(&format!("left out, PATH has others: {}\n", links.left_out.join(" ")));
    }
    print(text.as_bytes())
}
