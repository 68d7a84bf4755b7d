//! What gb is by the name that it is called by.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::Path;
use std::process::{Command, ExitCode, Stdio};

use super::{become_program, print, run, su_exec, subcommand};
use crate::environment::Environment;
use crate::error::{Error, tell};
use crate::platform::{Abi, Platform};
use crate::sys;
use crate::toolchain::{
    Binutil, Caller, Compiler, CompilerError, Invocation, Programs, Step, exit_code, file_identity,
    give_abi_flags, is_first_refusal, pkg_config, print_identity,
};

/// What gb is called as.
pub(super) enum Role {
    Gb,
    Entrypoint,
    SuExec,
    Compiler(Compiler),
    PkgConfig(&'static Platform, &'static Abi),
    Binutil(Binutil),
}

impl Role {
    pub(super) fn of(argv0: Option<&OsStr>) -> Result<Role, Error> {
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
        if let Some(binutil) = Binutil::by_name(name) {
            return Ok(Role::Binutil(binutil));
        }
        match Compiler::by_name(name) {
            Some(Ok(compiler)) => Ok(Role::Compiler(compiler)),
            Some(Err(triple)) => Err(no_triple(triple)),
            None => Ok(Role::Gb),
        }
    }

    pub(super) fn play(&self, args: &[OsString]) -> Result<ExitCode, Error> {
        let own_args = args.get(1..).unwrap_or_default();
        match self {
            Role::Gb => subcommand(args),
            Role::Entrypoint => run::run(&run::Arguments::command(own_args)),
            Role::SuExec => Err(su_exec::su_exec(own_args)),
            Role::Compiler(compiler) => compile(compiler, own_args),
            Role::PkgConfig(platform, abi) => ask_pkg_config(platform, abi, own_args),
            Role::Binutil(binutil) => run_binutil(binutil, own_args),
        }
    }
}

fn compile(compiler: &Compiler, args: &[OsString]) -> Result<ExitCode, Error> {
    let environment = Environment::new(sys::environ());
    let step = match compiler.plan(args, &environment, Programs::new(&environment), Caller::find()) {
        // The same for each package that Go compiles: the first one tells.
        Err(error) if !is_first(&error) => {
            return Ok(ExitCode::from(Error::Compiler(error).exit_code()));
        }
        step => step?,
    };
    match step {
        Step::Answer(mut answer) => {
            answer.push("\n");
            print(answer.as_bytes())
        }
        Step::Become(invocation) => become_compiler(&invocation, &environment),
    }
}

/// What `gb identity` says of a compiler, be it one of gb's or not.
pub(super) fn identity(compiler: &Path) -> Result<String, Error> {
    let environment = Environment::new(sys::environ());
    let programs = Programs::new(&environment);
    // A name is gb's to read only where it leads to gb: others' compilers are for triples that gb does not know.
    if programs.is_gb(compiler) {
        if let Role::Compiler(role) = Role::of(Some(compiler.as_os_str()))? {
            return Ok(format!("{}\n", role.identity_for_cache(&environment, programs, Caller::find())?));
        }
    }
    let found = programs.locate(compiler).ok_or_else(|| {
        Error::Usage(format!("identity: there is no {} (name a compiler)", compiler.display()))
    })?;
    Ok(format!("{}\n", file_identity(&found)))
}

fn is_first(error: &CompilerError) -> bool {
    match error {
        CompilerError::WrongCompiler { go_work: Some(go_work), .. } => is_first_refusal(go_work),
        _ => true,
    }
}

fn become_compiler(invocation: &Invocation, environment: &Environment) -> Result<ExitCode, Error> {
    if let Some(identity) = &invocation.identity {
        let code = print_identity(identity, invocation).map_err(|source| Error::Io {
            attempt: format!("run {}", invocation.program.display()),
            source,
        })?;
        return Ok(ExitCode::from(code));
    }
    Err(become_program(invocation.program.as_os_str(), &invocation.args, environment))
}

fn ask_pkg_config(
    platform: &'static Platform,
    abi: &'static Abi,
    args: &[OsString],
) -> Result<ExitCode, Error> {
    let environment = Environment::new(sys::environ());
    let caller = Caller::find();
    let asked = pkg_config(platform, abi, args, &environment, Programs::new(&environment), caller)?;
    // Go takes what pkg-config writes to standard error for flags, too.
    for dir in asked.left_out.iter().filter(|_| caller == Caller::Other) {
        tell(format!(
            "ask pkg-config for {}: {} is the host's, and left out (take it out of PKG_CONFIG_PATH)",
            abi.triple,
            dir.display()
        ));
    }
    if asked.is_edited() {
        let attempt = || format!("run {}", asked.program.display());
        let code = asked.print(args).map_err(|source| Error::Io { attempt: attempt(), source })?;
        return Ok(ExitCode::from(code));
    }
    Err(become_program(asked.program.as_os_str(), args, &asked.environment))
}

fn run_binutil(binutil: &Binutil, args: &[OsString]) -> Result<ExitCode, Error> {
    let environment = Environment::new(sys::environ());
    let mut command = binutil.plan(args, &environment, Programs::new(&environment))?;
    if let Some(object) = &command.empty_object {
        let file = sys::nameless_file(object)
            .map_err(|source| Error::Io { attempt: "make an object in memory".to_owned(), source })?;
        command.args.extend(["--format=default".into(), file.into()]);
    }
    let Some(object) = &command.without_flags else {
        return Err(become_program(command.program.as_os_str(), &command.args, &environment));
    };
    let failed = |attempt: String| move |source| Error::Io { attempt, source };
    let status = Command::new(&command.program)
        .args(&command.args)
        .stdin(Stdio::inherit())
        .status()
        .map_err(failed(format!("run {}", command.program.display())))?;
    if status.success() {
        give_abi_flags(object, binutil.platform)
            .map_err(failed(format!("write the ABI's flags into {}", object.display())))?;
    }
    Ok(ExitCode::from(exit_code(status)))
}
