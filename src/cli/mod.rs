//! Which role gb plays: first by the name it is called by, then by its arguments.

mod env;
mod identity;
mod info;
mod run;
mod su_exec;

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::error::ErrorKind;
use clap::{CommandFactory, FromArgMatches, Parser, Subcommand, ValueEnum};

use crate::entrypoint::privileges::wants_no_new_privileges;
use crate::entrypoint::{Program, exec, guard, identity as user, init};
use crate::environment::Environment;
use crate::error::{Error, tell};
use crate::platform::{Abi, Platform};
use crate::sys;
use crate::toolchain::{
    Compiler, Facts, Links, Programs, Request, Source, given, pkg_config, plan, print_identity,
};

/// What `--help` says of the roles that have no subcommand.
const NAMES: &str = "\
Called as <triple>-clang, -clang++, -cc, -c++, -gcc or -g++ it is that target's compiler, called as
<triple>-pkg-config that target's pkg-config. As entrypoint.sh it is gb run, all of whose arguments are the
command; as su-exec it takes user[:group] and a command. (gb install-links makes the names.)

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
    /// The target is GOARCH, else ARCH, else TARGETPLATFORM or TARGETARCH, else this machine. Variables that the
    /// caller has set are never changed; `gb env` shows what would be set, and why.
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
    Info {
        /// The target, in any spelling: arm64, aarch64, linux/arm/v7, s390x-linux-gnu
        platform: Option<OsString>,
        /// Write JSON
        #[arg(long)]
        json: bool,
    },
    /// Link the names of the compilers, of pkg-config, entrypoint.sh and su-exec to this program
    ///
    /// For each target <triple>-clang, -clang++, -cc, -c++ and -pkg-config; -gcc and -g++ where no real one is in PATH;
    /// and -ar, -ranlib, -nm, -strip, -objcopy, -objdump, -readelf and -ld to the LLVM tools that PATH has.
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
}

/// Plays the role that the arguments ask for; `args` starts with `argv[0]`.
pub fn main(args: Vec<OsString>) -> ExitCode {
    let result = guard::check()
        .map_err(Error::from)
        .and_then(|()| Role::of(args.first().map(OsString::as_os_str)))
        .and_then(|role| role.play(&args));
    result.unwrap_or_else(|error| error.report())
}

/// What gb is called as.
enum Role {
    Gb,
    Entrypoint,
    SuExec,
    Compiler(Compiler),
    PkgConfig(&'static Platform, &'static Abi),
}

impl Role {
    fn of(argv0: Option<&OsStr>) -> Result<Role, Error> {
        let name = argv0.map(Path::new).and_then(Path::file_name).and_then(OsStr::to_str).unwrap_or("gb");
        let no_triple = |triple: &str| {
            Error::Usage(format!(
                "called as {name}: {triple:?} is no known triple (gb install-links makes the names)"
            ))
        };
        if let Some(triple) = name.strip_suffix("-pkg-config") {
            let (platform, abi) = Platform::by_triple(triple).ok_or_else(|| no_triple(triple))?;
            return Ok(Role::PkgConfig(platform, abi));
        }
        match name {
            "entrypoint.sh" => return Ok(Role::Entrypoint),
            "su-exec" => return Ok(Role::SuExec),
            _ => {}
        }
        match Compiler::by_name(name) {
            Some(Ok(compiler)) => Ok(Role::Compiler(compiler)),
            Some(Err(triple)) => Err(no_triple(triple)),
            None => Ok(Role::Gb),
        }
    }

    fn play(&self, args: &[OsString]) -> Result<ExitCode, Error> {
        let own_args = args.get(1..).unwrap_or_default();
        match self {
            Role::Gb => subcommand(args),
            Role::Entrypoint => run::run(&run::Arguments::command(own_args)),
            Role::SuExec => Err(su_exec::su_exec(own_args)),
            Role::Compiler(compiler) => compile(compiler, own_args),
            Role::PkgConfig(platform, abi) => {
                let environment = Environment::new(sys::environ());
                let (program, environment) =
                    pkg_config(platform, abi, &environment, Programs::new(&environment))?;
                Err(become_program(program.as_os_str(), own_args, &environment))
            }
        }
    }
}

fn subcommand(args: &[OsString]) -> Result<ExitCode, Error> {
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
        Command::Info { platform, json } => {
            let environment = given(&Environment::new(sys::environ()));
            let request = request(platform.as_deref(), &environment)?;
            print(&info::write(&request, &environment, json)?)
        }
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

fn compile(compiler: &Compiler, args: &[OsString]) -> Result<ExitCode, Error> {
    let environment = Environment::new(sys::environ());
    let invocation = compiler.plan(args, &environment, Programs::new(&environment))?;
    if let Some(identity) = &invocation.identity {
        let code = print_identity(identity, &invocation).map_err(|source| Error::Io {
            attempt: format!("run {}", invocation.program.display()),
            source,
        })?;
        return Ok(ExitCode::from(code));
    }
    Err(become_program(invocation.program.as_os_str(), &invocation.args, &environment))
}

fn show_env(platform: Option<&OsStr>, format: Format) -> Result<ExitCode, Error> {
    let environment = given(&Environment::new(sys::environ()));
    let request = request(platform, &environment)?;
    let facts = Facts::gather(&request, &environment, Platform::host());
    let plan = plan(request, &environment, facts.as_ref());
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
    print(&env::write(&plan, &shown, format))
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
