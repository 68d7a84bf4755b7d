//! The roles of the toolchain: compilers, pkg-config, binutils.

use std::ffi::OsString;
use std::os::unix::ffi::OsStrExt;
use std::process::{Command, ExitCode, Stdio};

use super::output::print;
use super::program::become_program;
use crate::environment::Environment;
use crate::error::{Error, tell};
use crate::platform::{Abi, Platform};
use crate::sys;
use crate::toolchain::{
    Binutil, Caller, Compiler, CompilerError, Invocation, Programs, Step, exit_code, give_abi_flags,
    is_first_refusal, pkg_config, print_identity,
};

pub(super) fn compile(compiler: &Compiler, args: &[OsString]) -> Result<ExitCode, Error> {
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

pub(super) fn ask_pkg_config(
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

pub(super) fn run_binutil(binutil: &Binutil, args: &[OsString]) -> Result<ExitCode, Error> {
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
