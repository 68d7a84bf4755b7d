//! The compiler roles: `<triple>-clang` and its aliases are gb, and gb is clang told about the target.
//!
//! One word in `CC` is what makes cgo sound: Go's linker probes flags with the first word alone (golang/go#73406), and
//! its probe cache is keyed by that word (`gccSupportsFlag`), so each target needs a compiler of its own name.

use std::ffi::{OsStr, OsString};
use std::path::PathBuf;

use super::command_line::CommandLine;
use super::identity::Identity;
use super::sysroot::sysroot_flag;
use super::{NoSysroot, Programs, Sysroot};
use crate::environment::Environment;
use crate::platform::{Abi, BadVariant, Platform, Variant};

/// A compiler for one target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Compiler {
    /// The target's architecture.
    pub platform: &'static Platform,
    /// The target's C ABI.
    pub abi: &'static Abi,
    /// C or C++.
    pub language: Language,
}

/// What a compiler driver takes its input and its libraries to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Language {
    /// `clang`, `cc`, `gcc`
    C,
    /// `clang++`, `c++`, `g++`: also links the C++ library.
    Cxx,
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
    /// The compiler that a program name stands for: `aarch64-linux-gnu-clang++`.
    ///
    /// `None` if the name is none of a compiler; the error is the part that should have been a triple.
    pub fn by_name(name: &str) -> Option<Result<Compiler, &str>> {
        const NAMES: [(&str, Language); 6] = [
            ("-clang++", Language::Cxx),
            ("-clang", Language::C),
            ("-c++", Language::Cxx),
            ("-cc", Language::C),
            ("-g++", Language::Cxx),
            ("-gcc", Language::C),
        ];
        let (triple, language) =
            NAMES.iter().find_map(|(suffix, language)| Some((name.strip_suffix(suffix)?, *language)))?;
        Some(match Platform::by_triple(triple) {
            Some((platform, abi)) => Ok(Compiler { platform, abi, language }),
            None => Err(triple),
        })
    }

    /// The command line of clang for the caller's one.
    ///
    /// The caller's words stay as they are and in their order, behind gb's.
    pub fn plan(
        &self,
        args: &[OsString],
        environment: &Environment,
        programs: Programs<'_>,
    ) -> Result<Invocation, CompilerError> {
        let triple = self.abi.triple;
        let program = clang(programs).ok_or(CompilerError::NoCompiler { triple })?;
        if CommandLine::is_inner(args) {
            return Ok(Invocation { program, args: args.to_vec(), identity: None });
        }
        let line = CommandLine::read(args);
        if line.target.as_deref().is_some_and(|target| !self.is_own_target(target)) {
            let mut all = self.driver_mode();
            all.extend_from_slice(args);
            return Ok(Invocation { program, args: all, identity: None });
        }
        self.check_go(&line, environment)?;
        let sysroot = Sysroot::find(self.platform, self.abi, environment.get_nonempty("GB_SYSROOT"));
        let args = self.args(&line, args, &sysroot, environment)?;
        let identity = match line.asks_identity {
            true => Some(Identity {
                abi: self.abi,
                flags: self.instruction_set(environment)?,
                sysroot: sysroot.ok(),
            }),
            false => None,
        };
        Ok(Invocation { program, args, identity })
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
        let mut own = vec![OsString::from(format!("--target={}", self.abi.triple))];
        if let Some(root) = sysroot.and_then(Sysroot::root).filter(|_| !line.sysroot) {
            own.push(sysroot_flag(root));
        }
        if !line.instruction_set {
            own.extend(self.instruction_set(environment)?.into_iter().map(OsString::from));
        }
        // Clang's default linker is GNU ld, which knows one machine; lld knows all.
        if line.links() && !line.linker {
            own.push("-fuse-ld=lld".into());
        }
        let mut all = self.driver_mode();
        // Go compiles with -Werror, and a flag that the step at hand does not need would be warned about.
        all.push("--start-no-unused-arguments".into());
        all.append(&mut own);
        all.push("--end-no-unused-arguments".into());
        all.extend_from_slice(args);
        Ok(all)
    }

    /// The flags of the target's instruction set: those of Go's variant (Go puts GOARM and its like into the
    /// environment of every compiler that it starts), else the baseline of the ABI.
    fn instruction_set(&self, environment: &Environment) -> Result<Vec<String>, CompilerError> {
        Ok(self.abi.c_flags(self.variant_of(self.platform, environment)?.as_ref()))
    }

    fn variant_of(
        &self,
        platform: &'static Platform,
        environment: &Environment,
    ) -> Result<Option<Variant>, CompilerError> {
        let Some(variable) = &platform.variable else { return Ok(None) };
        let Some(value) = environment.get_nonempty(variable.name) else { return Ok(None) };
        let variant = variable.parse(&value.to_string_lossy());
        variant.map(Some).map_err(|error| CompilerError::BadVariant { triple: self.abi.triple, error })
    }

    /// Refuses what `GOARCH=arm64 go build` asks of the CC that was set for another target.
    ///
    /// Only of Go's own calls: a Makefile may well build a tool for the host under a foreign GOARCH.
    fn check_go(&self, line: &CommandLine, environment: &Environment) -> Result<(), CompilerError> {
        if !line.by_go {
            return Ok(());
        }
        let suffix = if self.language == Language::Cxx { "clang++" } else { "clang" };
        let wrong = |wanted: String, remedy: String| CompilerError::WrongCompiler {
            wanted,
            name: format!("{}-{suffix}", self.abi.triple),
            own: format!("linux/{}", self.platform.goarch),
            remedy,
        };
        let get = |name: &str| environment.get_nonempty(name).and_then(|value| value.to_str());
        let goarch = get("GOARCH").unwrap_or(self.platform.goarch);
        if let Some(goos) = get("GOOS").filter(|goos| *goos != "linux") {
            return Err(wrong(
                format!("{goos}/{goarch}"),
                "set CC to a compiler for it, or CGO_ENABLED=0".into(),
            ));
        }
        let Some(platform) = Platform::by_goarch(goarch) else { return Ok(()) };
        let variant = self.variant_of(platform, environment)?;
        let abi = platform.abi(variant.as_ref());
        // Code of the other ABI of ARM runs wherever the default one's does, but not the other way round.
        if platform == self.platform && (abi == self.abi || abi == platform.default_abi()) {
            return Ok(());
        }
        // Go names a variant to its compiler always; here it matters where it is what tells the two apart.
        let variant = variant.filter(|_| platform == self.platform);
        let variant = variant.map(|v| format!(" with {}={}", v.variable, v.value())).unwrap_or_default();
        let remedy = format!("set CC={}-clang, or run the command through gb run", abi.triple);
        Err(wrong(format!("linux/{goarch}{variant}"), remedy))
    }

    /// Whether the caller's `--target` names what this compiler is for anyway, as the Rust crate `cc` does.
    fn is_own_target(&self, target: &OsStr) -> bool {
        target.to_str().is_some_and(|target| self.platform.is_target(self.abi, target))
    }
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

    /// The flags that gb adds for a command line, given a sysroot at /s.
    fn added(name: &str, command: &str, variables: &[&str]) -> String {
        let compiler = Compiler::by_name(name).unwrap().unwrap();
        let sysroot = Ok(Sysroot {
            layout: super::super::Layout::Directory("/s".into()),
            lib: "/s/l".into(),
            libgcc: "/s/g".into(),
        });
        let args = words(command);
        let line = CommandLine::read(&args);
        let all = compiler.args(&line, &args, &sysroot, &environment(variables)).unwrap();
        let own: Vec<_> = all[..all.len() - args.len()].iter().map(|w| w.to_str().unwrap()).collect();
        own.join(" ").replace("--start-no-unused-arguments ", "[").replace(" --end-no-unused-arguments", "]")
    }

    #[test]
    fn flags_are_added_only_where_they_belong() {
        let arm64 = "aarch64-linux-gnu-clang";
        for (name, command, variables, expected) in [
            (arm64, "-c x.c", &[][..], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "-S -o - -x c -", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.c -o x", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld]"),
            (arm64, "-x c -", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld]"),
            (arm64, "-o -c x.o", &[], "[--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld]"),
            (arm64, "x.o -fuse-ld=bfd", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.o --ld-path=/l", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "x.c --sysroot=/t", &[], "[--target=aarch64-linux-gnu -fuse-ld=lld]"),
            (arm64, "x.c --sysroot /t", &[], "[--target=aarch64-linux-gnu -fuse-ld=lld]"),
            (arm64, "--version", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (arm64, "", &[], "[--target=aarch64-linux-gnu --sysroot=/s]"),
            (
                "aarch64-linux-gnu-g++",
                "x.cc",
                &[],
                "--driver-mode=g++ [--target=aarch64-linux-gnu --sysroot=/s -fuse-ld=lld]",
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
            compiler.args(&line, &args, &missing, &environment(&[])).is_ok()
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
            let result = compiler.check_go(&CommandLine::read(&words(command)), &environment(variables));
            result.map_err(|error| error.to_string())
        };
        let by_go = "-c -ffile-prefix-map=/tmp/go-build123/b001=/tmp/go-build x.c";
        assert_eq!(
            check(by_go, &["GOARCH=arm64", "GOARM64=v8.0"]).unwrap_err(),
            "compile a cgo package for linux/arm64: x86_64-linux-gnu-clang compiles for linux/amd64 (set \
             CC=aarch64-linux-gnu-clang, or run the command through gb run)"
        );
        assert_eq!(
            check(by_go, &["GOARCH=amd64", "GOOS=windows"]).unwrap_err(),
            "compile a cgo package for windows/amd64: x86_64-linux-gnu-clang compiles for linux/amd64 (set CC to a compiler \
             for it, or CGO_ENABLED=0)"
        );
        for variables in [&["GOARCH=amd64"][..], &["GOARCH="], &["GOOS=linux"]] {
            assert_eq!(check(by_go, variables), Ok(()));
        }
        assert_eq!(check("-c x.c", &["GOARCH=arm64"]), Ok(()));
    }

    #[test]
    fn the_old_arm_needs_its_own_abi_and_the_new_one_runs_both() {
        let check = |name: &str, goarm: &str| {
            let compiler = Compiler::by_name(name).unwrap().unwrap();
            let line = CommandLine::read(&words("-c -ffile-prefix-map=/w=/tmp/go-build x.c"));
            compiler.check_go(&line, &environment(&["GOARCH=arm", goarm])).map_err(|error| error.to_string())
        };
        assert_eq!(
            check("arm-linux-gnueabihf-g++", "GOARM=6").unwrap_err(),
            "compile a cgo package for linux/arm with GOARM=6: arm-linux-gnueabihf-clang++ compiles for linux/arm (set \
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
        assert_eq!(by_name("clang"), None);
        assert_eq!(by_name("gb"), None);
    }
}
