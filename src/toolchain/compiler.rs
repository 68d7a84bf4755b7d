//! The compiler roles: `<triple>-clang` and its aliases are gb, and gb is clang told about the target.
//!
//! One word in `CC` is what makes cgo sound: Go's linker probes flags with the first word alone (golang/go#73406), and
//! its probe cache is keyed by that word (`gccSupportsFlag`), so each target needs a compiler of its own name.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::command_line::CommandLine;
use super::go_calls::{Build, Caller, chosen_by_gb};
use super::identity::Identity;
use super::request::variant_in;
use super::sysroot::sysroot_flag;
use super::{Damage, NoSysroot, Programs, Sysroot, gcc, host, libraries, lld, native};
use crate::environment::Environment;
use crate::platform::{Abi, BadVariant, Platform};

/// A compiler for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compiler {
    /// The target's architecture.
    pub platform: &'static Platform,
    /// The target's C ABI.
    pub abi: &'static Abi,
    /// C or C++.
    pub language: Language,
    /// Whose name it is called by.
    pub family: Family,
}

/// What a compiler driver takes its input and its libraries to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `clang`, `cc`, `gcc`
    C,
    /// `clang++`, `c++`, `g++`: also links the C++ library.
    Cxx,
}

/// The compilers whose names there are, which are asked different questions.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Family {
    /// `<triple>-clang`, `<triple>-cc`
    Clang,
    /// `<triple>-gcc`
    Gcc,
    /// `gcc`
    HostGcc,
}

/// What a compiler role does for a command line.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// Becomes the real compiler.
    Become(Invocation),
    /// Answers by itself: a line for standard output.
    Answer(OsString),
}

/// The command that a compiler role becomes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Invocation {
    /// The real compiler.
    pub program: PathBuf,
    /// Its arguments, without `argv[0]`.
    pub args: Vec<OsString>,
    /// Where the caller asks who the compiler is (`-###`): what the answer must also tell.
    pub identity: Option<Identity>,
}

/// Why a compiler role can't compile.
#[derive(Debug, thiserror::Error)]
pub enum CompilerError {
    /// There is no clang.
    #[error("compile for {triple}: no clang in PATH (apt-get install clang lld)")]
    NoCompiler {
        /// The target.
        triple: &'static str,
    },
    /// There is nothing to compile against.
    #[error("compile: {0}")]
    NoSysroot(NoSysroot),
    /// What is linked against is damaged.
    #[error("link for {triple}: {damage}")]
    Damaged {
        /// The target.
        triple: &'static str,
        /// The library.
        damage: Damage,
    },
    /// Go builds for one architecture with the compiler of another, which could only end in odd assembler errors.
    #[error("compile a cgo package for {wanted}: {name} compiles for {own} ({remedy})")]
    WrongCompiler {
        /// What Go builds for.
        wanted: String,
        /// The name of this compiler.
        name: String,
        /// What it compiles for.
        own: String,
        /// What to do.
        remedy: String,
        /// Go's work directory, where it is known.
        go_work: Option<PathBuf>,
    },
    /// The variant is none of Go's.
    #[error("compile for {triple}: {error}")]
    BadVariant {
        /// The target.
        triple: &'static str,
        /// What is wrong with it.
        error: BadVariant,
    },
}

impl Compiler {
    /// The compiler that a program name stands for: `aarch64-linux-gnu-clang++`, or this machine's as `gcc` and `g++`.
    ///
    /// `None` if the name is none of a compiler; the error is the part that should have been a triple.
    pub fn by_name(name: &str) -> Option<Result<Compiler, &str>> {
        const NAMES: [(&str, Language, Family); 6] = [
            ("-clang++", Language::Cxx, Family::Clang),
            ("-clang", Language::C, Family::Clang),
            ("-c++", Language::Cxx, Family::Clang),
            ("-cc", Language::C, Family::Clang),
            ("-g++", Language::Cxx, Family::Gcc),
            ("-gcc", Language::C, Family::Gcc),
        ];
        let compiler = |(platform, abi), language, family| Compiler { platform, abi, language, family };
        let hosts = match name {
            "gcc" => Some(Language::C),
            "g++" => Some(Language::Cxx),
            _ => None,
        };
        if let Some(language) = hosts {
            let host = Platform::host()?;
            return Some(Ok(compiler((host, host.default_abi()), language, Family::HostGcc)));
        }
        let (triple, language, family) =
            NAMES.iter().find_map(|(suffix, l, f)| Some((name.strip_suffix(suffix)?, *l, *f)))?;
        Some(Platform::by_tools(triple).map(|target| compiler(target, language, family)).ok_or(triple))
    }

    /// The name, as gb gives it to the variables CC and CXX.
    fn name(&self) -> String {
        let suffix = match (self.family, self.language) {
            (Family::HostGcc, Language::C) => return "gcc".to_owned(),
            (Family::HostGcc, Language::Cxx) => return "g++".to_owned(),
            (Family::Gcc, Language::C) => "gcc",
            (Family::Gcc, Language::Cxx) => "g++",
            (Family::Clang, Language::C) => "clang",
            (Family::Clang, Language::Cxx) => "clang++",
        };
        format!("{}-{suffix}", self.abi.triple)
    }

    /// What to do for the caller's command line: as a rule, clang's.
    ///
    /// The caller's words stay as they are and in their order.
    pub fn plan(
        &self,
        args: &[OsString],
        environment: &Environment,
        programs: Programs<'_>,
        caller: Caller,
    ) -> Result<Step, CompilerError> {
        let triple = self.abi.triple;
        let program = clang(programs).ok_or(CompilerError::NoCompiler { triple })?;
        let as_they_are = |mut args: Vec<OsString>, callers: &[OsString]| {
            args.extend_from_slice(callers);
            Ok(Step::Become(Invocation { program: program.clone(), args, identity: None }))
        };
        if CommandLine::is_inner(args) {
            return as_they_are(Vec::new(), args);
        }
        let line = CommandLine::read(args);
        if line.target.as_deref().is_some_and(|target| !self.is_own_target(target)) {
            return as_they_are(self.driver_mode(), args);
        }
        self.for_go(&line, environment, caller)?.plan_own(program, &line, args, environment, caller)
    }

    /// The plan for a command line that is this compiler's to answer.
    fn plan_own(
        &self,
        program: PathBuf,
        line: &CommandLine,
        args: &[OsString],
        environment: &Environment,
        caller: Caller,
    ) -> Result<Step, CompilerError> {
        let sysroot = Sysroot::find(self.platform, self.abi, environment.get_nonempty("GB_SYSROOT"));
        let asked = self.family != Family::Clang && line.question;
        if let Some(answer) = asked.then(|| gcc::answer(args, self.abi, sysroot.as_ref().ok())).flatten() {
            return Ok(Step::Answer(answer));
        }
        let args = self.args(line, args, &sysroot, environment, caller)?;
        let identity = match line.asks_identity {
            true => Some(self.identity(sysroot.ok(), environment)?),
            false => None,
        };
        Ok(Step::Become(Invocation { program, args, identity }))
    }

    /// What tells this compiler, as it is now, from another one of the same name, for a compiler cache: one line.
    ///
    /// The caller is the cache's.
    pub fn identity_for_cache(
        &self,
        environment: &Environment,
        programs: Programs<'_>,
        caller: Caller,
    ) -> Result<String, CompilerError> {
        let clang = clang(programs).ok_or(CompilerError::NoCompiler { triple: self.abi.triple })?;
        // What is going to be compiled is not known here; where Go calls the cache, it is what Go compiles.
        let line = CommandLine::read(&["-###".into()]);
        let compiler = self.for_go(&line, environment, caller)?;
        let sysroot =
            Sysroot::find(compiler.platform, compiler.abi, environment.get_nonempty("GB_SYSROOT")).ok();
        Ok(compiler.identity(sysroot, environment)?.for_cache(&clang))
    }

    fn identity(
        &self,
        sysroot: Option<Sysroot>,
        environment: &Environment,
    ) -> Result<Identity, CompilerError> {
        let flags = self.instruction_set(environment)?;
        Ok(Identity { abi: self.abi, flags, sysroot, native: native::is(self.abi) })
    }

    /// What makes clang, which is always called as such, the C++ compiler.
    fn driver_mode(&self) -> Vec<OsString> {
        match self.language {
            Language::C => Vec::new(),
            Language::Cxx => vec!["--driver-mode=g++".into()],
        }
    }

    fn args(
        &self,
        line: &CommandLine,
        args: &[OsString],
        sysroot: &Result<Sysroot, NoSysroot>,
        environment: &Environment,
        caller: Caller,
    ) -> Result<Vec<OsString>, CompilerError> {
        let needs_sysroot = line.input
            && !line.asks_identity
            && !line.question
            && !line.sysroot
            && !(line.no_headers && (line.stops_early || line.no_libraries));
        let sysroot = match sysroot {
            Ok(sysroot) => Some(sysroot),
            Err(error) if needs_sysroot => return Err(CompilerError::NoSysroot(error.clone())),
            Err(_) => None,
        };
        if let Some(sysroot) = sysroot.filter(|_| needs_sysroot) {
            let wanted = libraries::wanted(line, self.language);
            if let Some(damage) = sysroot.damage_of(wanted, self.platform, self.abi) {
                return Err(CompilerError::Damaged { triple: self.abi.triple, damage });
            }
        }
        let mut before = vec![OsString::from(format!("--target={}", self.abi.triple))];
        let mut after = Vec::new();
        if let Some(root) = sysroot.and_then(Sysroot::root).filter(|_| !line.sysroot) {
            before.push(sysroot_flag(root));
            if native::is(self.abi) {
                before.extend(native::linking(line));
                after = native::flags(self.abi, line);
            } else if line.links() {
                // clang reads it in a native build alone.
                let dirs = environment.get_nonempty("LIBRARY_PATH").unwrap_or_default();
                let callers = host::listed(dirs).filter(|dir| !host::is_hosts(dir, root));
                after = callers.map(|dir| [OsStr::new("-L"), dir.as_os_str()].join(OsStr::new(""))).collect();
            }
        }
        if !line.instruction_set {
            before.extend(self.instruction_set(environment)?.into_iter().map(OsString::from));
        }
        let windows = self.abi.is_windows();
        // Clang's default linker is GNU ld, which knows one machine; lld knows all.
        if line.links() && !line.linker {
            before.push("-fuse-ld=lld".into());
            if !windows {
                before.push(lld::habits_by_compiler(self.platform, self.abi).into());
            }
        }
        // What is made needs no DLL but Windows' own: the sysroot has GCC's libraries as static ones alone.
        if line.links() && windows {
            before.push("-static-libgcc".into());
        }
        // Go says so itself where its probe of the compiler tells that it may; but it probes with the first word of CC,
        // which in CC="ccache aarch64-linux-gnu-clang" is no compiler.
        if caller == Caller::Link && line.links() && !line.link_mode && !windows {
            before.push("-no-pie".into());
        }
        let mut all = self.driver_mode();
        all.extend(quietly(before));
        // Only file names may follow a "--", and nothing an option without its value.
        let end = match args.iter().position(|word| word == "--") {
            Some(position) => position,
            None if line.only_files_follow => 0,
            None => args.len(),
        };
        if line.unfinished {
            after.clear();
        }
        let (options, files) = args.split_at(end);
        all.extend_from_slice(options);
        all.extend(quietly(after));
        all.extend_from_slice(files);
        Ok(all)
    }

    /// The flags of the target's instruction set: those of Go's variant (Go puts GOARM and its like into the
    /// environment of every compiler that it starts), else the baseline of the ABI.
    fn instruction_set(&self, environment: &Environment) -> Result<Vec<String>, CompilerError> {
        let variant = variant_in(environment, self.platform).map_err(|error| self.bad_variant(error))?;
        Ok(self.abi.c_flags(variant.as_ref()))
    }

    fn bad_variant(&self, error: BadVariant) -> CompilerError {
        CompilerError::BadVariant { triple: self.abi.triple, error }
    }

    /// The compiler for what Go builds, where it is Go that calls: see [`go_calls`](super::go_calls).
    ///
    /// Only of Go's own calls: a Makefile may well build a tool for the host under a foreign GOARCH.
    fn for_go(
        &self,
        line: &CommandLine,
        environment: &Environment,
        caller: Caller,
    ) -> Result<Compiler, CompilerError> {
        let by_go = match caller {
            Caller::Cgo | Caller::Link => true,
            // What `go generate` runs is a command of the caller's, who has typed the compiler's name.
            Caller::Go => line.go_work.is_some() || line.asks_identity || line.probe,
            Caller::Other => false,
        };
        if !by_go && line.go_work.is_none() {
            return Ok(*self);
        }
        let build =
            Build::read(environment, self.platform, self.abi).map_err(|error| self.bad_variant(error))?;
        let differs = build.differs(self.platform, self.abi);
        if let Some((platform, abi)) = differs {
            // Where it can't be told who calls (without /proc), cgo and link could not be followed, and the parts would be
            // of two machines.
            if by_go && chosen_by_gb(environment, &["CC", "CXX"], &self.name()) {
                return Ok(Compiler { platform, abi, ..*self });
            }
        } else if !build.is_unknown() {
            return Ok(*self);
        }
        // Go also asks what a compiler can do, and has to hear that. cgo is the first that needs one for a package.
        if caller != Caller::Cgo && line.go_work.is_none() {
            return Ok(*self);
        }
        // Go names a variant to its compiler always; here it matters where it is what tells the two apart.
        let same_machine =
            differs.is_some_and(|(platform, abi)| platform == self.platform && abi.goos() == self.abi.goos());
        let variant = Some(build.variant).filter(|variant| same_machine && !variant.is_empty());
        let variant = variant.map(|variant| format!(" with {variant}")).unwrap_or_default();
        let remedy = match differs {
            Some((_, abi)) => format!("set CC={}-clang, or run the command through gb run", abi.triple),
            None => "set CC to a compiler for it, or CGO_ENABLED=0".to_owned(),
        };
        Err(CompilerError::WrongCompiler {
            wanted: format!("{}/{}{variant}", build.goos, build.goarch),
            name: self.name(),
            own: format!("{}/{}", self.abi.goos(), self.platform.goarch),
            remedy,
            go_work: line.go_work.clone(),
        })
    }

    /// Whether the caller's `--target` names what this compiler is for anyway, as the Rust crate `cc` does.
    fn is_own_target(&self, target: &OsStr) -> bool {
        target.to_str().is_some_and(|target| self.platform.is_target(self.abi, target))
    }
}

/// Go compiles with -Werror, and a flag that the step at hand does not need would be warned about.
fn quietly(flags: Vec<OsString>) -> Vec<OsString> {
    if flags.is_empty() {
        return flags;
    }
    let mut all = vec!["--start-no-unused-arguments".into()];
    all.extend(flags);
    all.push("--end-no-unused-arguments".into());
    all
}

/// The real clang. Debian also has it under its versioned name alone.
pub(super) fn clang(programs: Programs<'_>) -> Option<PathBuf> {
    programs.find("clang").or_else(|| (14..=30).rev().find_map(|n| programs.find(&format!("clang-{n}"))))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn words(text: &str) -> Vec<OsString> {
        text.split_whitespace().map(OsString::from).collect()
    }

    fn environment(variables: &[&str]) -> Environment {
        Environment::new(variables.iter().map(|v| std::ffi::CString::new(*v).unwrap()).collect())
    }

    /// The command line that clang gets for one, given a sysroot at /s.
    fn given(name: &str, command: &str, variables: &[&str], caller: Caller) -> String {
        let compiler = Compiler::by_name(name).unwrap().unwrap();
        let sysroot = Ok(Sysroot {
            layout: super::super::Layout::Directory("/s".into()),
            lib: "/s/l".into(),
            libgcc: "/s/g".into(),
        });
        let args = words(command);
        let line = CommandLine::read(&args);
        let all = compiler.args(&line, &args, &sysroot, &environment(variables), caller).unwrap();
        let all = all.join(OsStr::new(" ")).into_string().unwrap();
        let all = all.replace("--start-no-unused-arguments ", "[").replace(" --end-no-unused-arguments", "]");
        all.replace(&lld::habits_by_compiler(compiler.platform, compiler.platform.default_abi()), "HABITS")
    }

    /// The flags that gb adds before the caller's words; those of a native build behind them are left out.
    fn added(name: &str, command: &str, variables: &[&str]) -> String {
        let all = given(name, command, variables, Caller::default());
        let rest = if command.is_empty() { all.as_str() } else { all.split(command).next().unwrap() };
        rest.trim_end().to_owned()
    }

    #[test]
    fn flags_are_added_only_where_they_belong() {
        let arm64 = "aarch64-linux-gnu-clang";
        for (name, command, variables, expected) in [
            (arm64, "-c x.c", &[][..], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "-S -o - -x c -", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.c -o x", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld HABITS]"),
            (arm64, "-x c -", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld HABITS]"),
            (arm64, "-o -c x.o", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld HABITS]"),
            (arm64, "x.o -fuse-ld=bfd", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.o --ld-path=/l", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.c --sysroot=/t", &[], "[--target=aarch64-linux-gnu -fuse-ld=lld HABITS]"),
            (arm64, "x.c --sysroot /t", &[], "[--target=aarch64-linux-gnu -fuse-ld=lld HABITS]"),
            (arm64, "--version", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (
                "aarch64-linux-gnu-g++",
                "x.cc",
                &[],
                "--driver-mode=g++ [--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld HABITS]",
            ),
            (
                "x86_64-linux-gnu-cc",
                "-c x.c",
                &["GOAMD64=v3"],
                "[--target=x86_64-linux-gnu --sysroot=/s -march=x86-64-v3]",
            ),
            (
                "x86_64-linux-gnu-cc",
                "-c x.c -march=native",
                &["GOAMD64=v3"],
                "[--target=x86_64-linux-gnu --sysroot=/s]",
            ),
            ("x86_64-linux-gnu-cc", "-c x.c", &["GOARM=5"], "[--target=x86_64-linux-gnu --sysroot=/s]"),
            (
                "arm-linux-gnueabi-gcc",
                "-c x.c",
                &[],
                "[--target=arm-linux-gnueabi --sysroot=/s -march=armv5te]",
            ),
            (
                "arm-linux-gnueabi-gcc",
                "-c x.c",
                &["GOARM=5"],
                "[--target=arm-linux-gnueabi --sysroot=/s -march=armv5te]",
            ),
            (
                "arm-linux-gnueabi-gcc",
                "-c x.c",
                &["GOARM=6"],
                "[--target=arm-linux-gnueabi --sysroot=/s -march=armv6]",
            ),
            (
                "arm-linux-gnueabihf-gcc",
                "-c x.c",
                &["GOARM=7"],
                "[--target=arm-linux-gnueabihf --sysroot=/s -march=armv7-a -mfpu=vfpv3-d16]",
            ),
        ] {
            assert_eq!(added(name, command, variables), expected, "{name} {command} {variables:?}");
        }
    }

    #[test]
    fn a_native_build_finds_the_machines_own_libraries_behind_the_callers() {
        let triple = Platform::host().unwrap().default_abi().triple;
        let multiarch = Platform::host().unwrap().default_abi().multiarch;
        let headers = format!(
            "-isystem /usr/local/include -idirafter /usr/include/{multiarch} -idirafter /usr/include"
        );
        let libraries =
            format!("-L/usr/local/lib/{multiarch} -L/usr/local/lib -Wl,-L/usr/lib/{multiarch},-L/usr/lib");
        let target = format!("--target={triple} --sysroot=/s");
        let cc = |command| given("gcc", command, &[], Caller::default());
        assert_eq!(cc("-c x.c"), format!("[{target}] -c x.c [{headers}]"));
        assert_eq!(cc("-nostdinc -c x.c"), format!("[{target}] -nostdinc -c x.c"));
        assert_eq!(cc("-c -- x.c"), format!("[{target}] -c [{headers}] -- x.c"));
        let lld = "-fuse-ld=lld HABITS";
        let linking = format!("[{target} -Wl,--allow-shlib-undefined {lld}]");
        assert_eq!(cc("x.o -L/l"), format!("{linking} x.o -L/l [{headers} {libraries}]"));
        assert_eq!(cc("-nostdlib x.o"), format!("[{target} {lld}] -nostdlib x.o [{headers}]"));
        assert_eq!(cc("-m32 -c x.c"), format!("[{target}] -m32 -c x.c [-isystem /usr/local/include]"));
        // An option that lacks its value must not find one.
        for command in ["x.c -o", "-c x.c -I", "-c x.c -MMD -MF", "x.o -Xlinker"] {
            assert!(cc(command).ends_with(command), "{}", cc(command));
        }
        // A response file may end the options.
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("args");
        std::fs::write(&file, "-c -- x.c").unwrap();
        let word = format!("@{}", file.display());
        assert_eq!(cc(&word), format!("[{target}][{headers}] {word}").replace("][", "] ["));
        // A header is precompiled, and nothing is linked.
        for command in ["x.h -o x.h.pch", "-x c-header x -o x.pch", "-xc++-header x", "-O2 a.hpp b.hh"] {
            assert!(!cc(command).contains("-Wl,"), "{}", cc(command));
        }
        for command in ["x.h x.c", "-x c-header x -x c y", "x.c -include x.h"] {
            assert!(cc(command).contains("-Wl,"), "{}", cc(command));
        }
    }

    #[test]
    fn the_callers_library_path_is_searched_for_another_machine_too_and_the_hosts_is_not() {
        let variables = ["LIBRARY_PATH=/src/dep/lib:/usr/lib/x86_64-linux-gnu::/usr/local/lib"];
        let link = |command| given("s390x-linux-gnu-clang", command, &variables, Caller::Other);
        assert!(link("x.o -L/l").ends_with(" x.o -L/l [-L/src/dep/lib]"), "{}", link("x.o"));
        assert!(link("-c x.c").ends_with("] -c x.c"));
    }

    #[test]
    fn gos_linker_gets_no_pie_unless_it_says_what_it_wants() {
        let link = |command| given("s390x-linux-gnu-clang", command, &[], Caller::Link).contains(" -no-pie]");
        assert!(link("-m64 -o a.out go.o"));
        for command in ["-pie go.o", "-shared go.o", "-static go.o", "-no-pie go.o", "-r go.o", "-c x.c"] {
            assert!(!link(command), "{command}");
        }
        assert!(!given("s390x-linux-gnu-clang", "x.o", &[], Caller::Go).contains("-no-pie"));
    }

    #[test]
    fn a_target_of_the_callers_own_is_seen_wherever_clang_would_see_it() {
        let own = |command: &str| {
            let compiler = Compiler::by_name("aarch64-linux-gnu-clang").unwrap().unwrap();
            let target = CommandLine::read(&words(command)).target;
            target.map(|target| compiler.is_own_target(&target))
        };
        assert_eq!(own("-c x.c"), None);
        assert_eq!(own("-target bpf -c x.c"), Some(false));
        assert_eq!(own("-c x.c --target=s390x-linux-gnu"), Some(false));
        assert_eq!(own("--target=aarch64-linux-gnu x.c"), Some(true));
        for spelling in
            ["aarch64-unknown-linux-gnu", "arm64-linux-gnu", "aarch64-linux", "aarch64-redhat-linux"]
        {
            assert_eq!(own(&format!("--target={spelling} x.c")), Some(true), "{spelling}");
        }
        for spelling in [
            "aarch64-none-elf",
            "aarch64-linux-musl",
            "aarch64",
            "arm64-apple-macos",
            "armv7-linux-gnueabihf",
        ] {
            assert_eq!(own(&format!("--target={spelling} x.c")), Some(false), "{spelling}");
        }
        assert_eq!(own("-Xclang -target x.c"), None);
        assert_eq!(own("-o -target x.c"), None);
    }

    #[test]
    fn a_missing_sysroot_stops_only_what_needs_it() {
        let compiler = Compiler::by_name("s390x-linux-gnu-clang").unwrap().unwrap();
        let missing = Sysroot::find(compiler.platform, compiler.abi, Some(OsStr::new("/nonexistent")));
        let works = |command: &str| {
            let args = words(command);
            let line = CommandLine::read(&args);
            compiler.args(&line, &args, &missing, &environment(&[]), Caller::default()).is_ok()
        };
        for command in [
            "--version",
            "-print-search-dirs",
            "-### -x c -c -",
            "",
            "-v",
            "-nostdinc -c x.c",
            "--sysroot=/t x.c",
        ] {
            assert!(works(command), "{command}");
        }
        for command in [
            "-c x.c",
            "x.o",
            "-E -",
            "-nostdinc x.c",
            "-nostdlib x.c",
            "-ffreestanding -c x.c",
            "-shared -lx",
        ] {
            assert!(!works(command), "{command}");
        }
    }

    #[test]
    fn go_building_for_another_architecture_is_told_so_and_others_are_not() {
        let compiler = Compiler::by_name("x86_64-linux-gnu-clang").unwrap().unwrap();
        let check = |command: &str, variables: &[&str]| {
            let line = CommandLine::read(&words(command));
            let found = compiler.for_go(&line, &environment(variables), Caller::default());
            found.map(|found| found.abi.triple).map_err(|error| error.to_string())
        };
        let by_go = "-c -ffile-prefix-map=/tmp/go-build123/b001=/tmp/go-build x.c";
        assert_eq!(
            check(by_go, &["GOARCH=arm64", "GOARM64=v8.0"]).unwrap_err(),
            "compile a cgo package for linux/arm64: x86_64-linux-gnu-clang compiles for linux/amd64 (set \
             CC=aarch64-linux-gnu-clang, or run the command through gb run)"
        );
        assert_eq!(
            check(by_go, &["GOARCH=amd64", "GOOS=windows", "GOAMD64=v1"]).unwrap_err(),
            "compile a cgo package for windows/amd64: x86_64-linux-gnu-clang compiles for linux/amd64 (set \
             CC=x86_64-w64-mingw32-clang, or run the command through gb run)"
        );
        for (goos, goarch) in [("darwin", "amd64"), ("windows", "arm64")] {
            assert_eq!(
                check(by_go, &[&format!("GOARCH={goarch}"), &format!("GOOS={goos}")]).unwrap_err(),
                format!(
                    "compile a cgo package for {goos}/{goarch}: x86_64-linux-gnu-clang compiles for linux/amd64 (set CC to a \
                     compiler for it, or CGO_ENABLED=0)"
                )
            );
        }
        for variables in [&["GOARCH=amd64"][..], &["GOARCH="], &["GOOS=linux"]] {
            assert_eq!(check(by_go, variables), Ok("x86_64-linux-gnu"));
        }
        assert_eq!(check("-c x.c", &["GOARCH=arm64"]), Ok("x86_64-linux-gnu"));
    }

    #[test]
    fn a_compiler_for_windows_is_told_what_it_needs_and_follows_go_as_others_do() {
        let name = "x86_64-w64-mingw32-gcc";
        for (command, expected) in [
            ("-c x.c", "[--target=x86_64-w64-mingw32 --sysroot=/s]"),
            ("x.c", "[--target=x86_64-w64-mingw32 --sysroot=/s -fuse-ld=lld -static-libgcc]"),
            ("x.o -fuse-ld=lld", "[--target=x86_64-w64-mingw32 --sysroot=/s -static-libgcc]"),
            (
                "--target=x86_64-pc-windows-gnu x.o",
                "[--target=x86_64-w64-mingw32 --sysroot=/s -fuse-ld=lld -static-libgcc]",
            ),
        ] {
            assert_eq!(added(name, command, &[]), expected, "{command}");
        }
        assert!(!given(name, "x.o", &[], Caller::Link).contains("-no-pie"));
        let compiler = Compiler::by_name(name).unwrap().unwrap();
        let by_go = words("-c -ffile-prefix-map=/tmp/go-build123/b001=/tmp/go-build x.c");
        let follow = |variables: &[&str]| {
            let found = compiler.for_go(&CommandLine::read(&by_go), &environment(variables), Caller::Go);
            found.map(|found| found.abi.triple).map_err(|error| error.to_string())
        };
        let chosen = ["CC=x86_64-w64-mingw32-gcc", "GB_SET=CC=x86_64-w64-mingw32-gcc"];
        let with = |more: &[&'static str]| follow(&[&chosen[..], more].concat());
        assert_eq!(with(&["GOOS=windows", "GOARCH=amd64"]), Ok("x86_64-w64-mingw32"));
        assert_eq!(with(&["GOOS=linux", "GOARCH=amd64"]), Ok("x86_64-linux-gnu"));
        assert_eq!(with(&["GOOS=linux", "GOARCH=s390x"]), Ok("s390x-linux-gnu"));
        assert_eq!(
            with(&["GOOS=windows", "GOARCH=arm64"]).unwrap_err(),
            "compile a cgo package for windows/arm64: x86_64-w64-mingw32-gcc compiles for windows/amd64 (set CC to a compiler \
             for it, or CGO_ENABLED=0)"
        );
        assert_eq!(follow(&["GOOS=windows", "GOARCH=amd64"]), Ok("x86_64-w64-mingw32"));
    }

    #[test]
    fn what_gb_has_chosen_follows_go_and_what_the_caller_names_does_not() {
        let compiler = Compiler::by_name("x86_64-linux-gnu-clang").unwrap().unwrap();
        let follow = |caller, command: &str, cc: &str| {
            let set = "GB_SET=CC=x86_64-linux-gnu-clang:CXX=x86_64-linux-gnu-clang++";
            let line = CommandLine::read(&words(command));
            let found = compiler.for_go(&line, &environment(&["GOARCH=arm64", set, cc]), caller);
            found.map(|found| found.abi.triple).map_err(|error| error.to_string())
        };
        let by_gb = "CC=x86_64-linux-gnu-clang";
        let compile = "-c -ffile-prefix-map=/tmp/go-build123/b001=/tmp/go-build x.c";
        let (arm64, own) = ("aarch64-linux-gnu", "x86_64-linux-gnu");
        for (caller, command) in [
            (Caller::Go, compile),
            (Caller::Go, "-### -x c -c -"),
            (Caller::Go, "-c -x c - -o /dev/null"),
            (Caller::Cgo, "-E -dM -xc -"),
            (Caller::Link, "go.o -o a.out"),
        ] {
            assert_eq!(follow(caller, command, by_gb).as_deref(), Ok(arm64), "{command}");
        }
        // go generate, make: whoever types a name gets what it says.
        for caller in [Caller::Go, Caller::Other] {
            assert_eq!(follow(caller, "-c x.c -o x.o", by_gb).as_deref(), Ok(own));
        }
        // Without /proc nobody knows who calls, and half of a package must not be another machine's.
        for (caller, cc) in [(Caller::Other, by_gb), (Caller::Go, "CC=ccache x86_64-linux-gnu-clang")] {
            assert!(follow(caller, compile, cc).is_err());
        }
    }

    #[test]
    fn a_compiler_cache_that_go_calls_hears_what_go_builds_for() {
        let dir = tempfile::tempdir().unwrap();
        let clang = dir.path().join("clang");
        std::fs::write(&clang, "").unwrap();
        std::fs::set_permissions(&clang, std::os::unix::fs::PermissionsExt::from_mode(0o755)).unwrap();
        let path = format!("PATH={}", dir.path().display());
        let variables =
            [&path, "GOARCH=arm64", "CC=s390x-linux-gnu-clang", "GB_SET=CC=s390x-linux-gnu-clang"];
        let environment = environment(&variables);
        let compiler = Compiler::by_name("s390x-linux-gnu-clang").unwrap().unwrap();
        let target = |caller| {
            let line =
                compiler.identity_for_cache(&environment, Programs::new(&environment), caller).unwrap();
            line.split(' ').find_map(|word| word.strip_prefix("target=").map(str::to_owned)).unwrap()
        };
        assert_eq!(target(Caller::Go), "aarch64-linux-gnu");
        assert_eq!(target(Caller::Other), "s390x-linux-gnu");
    }

    #[test]
    fn the_old_arm_needs_its_own_abi_and_the_new_one_runs_both() {
        let check = |name: &str, goarm: &str| {
            let compiler = Compiler::by_name(name).unwrap().unwrap();
            let line = CommandLine::read(&words("-c -ffile-prefix-map=/w=/tmp/go-build x.c"));
            let found = compiler.for_go(&line, &environment(&["GOARCH=arm", goarm]), Caller::default());
            found.map(|_| ()).map_err(|error| error.to_string())
        };
        assert_eq!(
            check("arm-linux-gnueabihf-g++", "GOARM=6").unwrap_err(),
            "compile a cgo package for linux/arm with GOARM=6: arm-linux-gnueabihf-g++ compiles for linux/arm (set \
             CC=arm-linux-gnueabi-clang, or run the command through gb run)"
        );
        for (name, goarm) in [
            ("arm-linux-gnueabi-cc", "GOARM=6"),
            ("arm-linux-gnueabi-cc", "GOARM=7"),
            ("arm-linux-gnueabihf-cc", "GOARM=7"),
            ("arm-linux-gnueabihf-cc", "GOARM="),
        ] {
            assert_eq!(check(name, goarm), Ok(()), "{name} {goarm}");
        }
    }

    #[test]
    fn a_variant_that_go_does_not_know_is_refused() {
        let compiler = Compiler::by_name("x86_64-linux-gnu-clang").unwrap().unwrap();
        let error = compiler.instruction_set(&environment(&["GOAMD64=v9"])).unwrap_err();
        assert_eq!(
            error.to_string(),
            "compile for x86_64-linux-gnu: GOAMD64=v9: no such variant (Go accepts v1, v2, v3, v4)"
        );
    }

    #[test]
    fn names_of_compilers_are_told_from_others() {
        let by_name = |name| Compiler::by_name(name).map(|r| r.map(|c| (c.abi.triple, c.language)));
        assert_eq!(by_name("s390x-linux-gnu-clang++"), Some(Ok(("s390x-linux-gnu", Language::Cxx))));
        assert_eq!(by_name("i386-linux-gnu-cc"), Some(Ok(("i686-linux-gnu", Language::C))));
        assert_eq!(by_name("ppc64le-redhat-linux-gcc"), Some(Err("ppc64le-redhat-linux")));
        assert_eq!(by_name("x-y-clang"), Some(Err("x-y")));
        let host = Platform::host().unwrap().default_abi().triple;
        assert_eq!(by_name("g++"), Some(Ok((host, Language::Cxx))));
        assert_eq!(by_name("cc"), None);
        assert_eq!(by_name("clang"), None);
        assert_eq!(by_name("gb"), None);
    }
}
