//! The environment plan: which variables a build for a target needs, and why.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use super::build_systems::{self, BuildSystems};
use super::host::{is_hosts, listed};
use super::leaks::{LEAKING, Leak};
use super::own;
use super::runner::LD_PREFIX;
use super::sysroot::sysroot_flag;
use super::{Layout, NoSysroot, Programs, Request, Runner, Source, Sysroot};
use crate::environment::Environment;
use crate::platform::{Abi, PLATFORMS, Platform, Target};

/// What was found on the machine.
#[derive(Debug, Clone)]
pub struct Facts {
    /// The machine's own architecture.
    pub host: Option<&'static Platform>,
    /// The sysroot of the target.
    pub sysroot: Result<Sysroot, NoSysroot>,
    /// Whether PATH has the target's compiler role.
    pub compiler: bool,
    /// Whether PATH has llvm-ar.
    pub llvm_ar: bool,
    /// Whether PATH has gcc, which Go takes in a native build when nothing says otherwise. Only looked for when gb has no
    /// compiler to offer.
    pub gcc: bool,
    /// What runs the target's programs whatever the kernel knows, if PATH has it and an emulator: the runner role.
    pub runner: Option<PathBuf>,
    /// What there is for build systems.
    pub build_systems: BuildSystems,
}

/// A variable that gb gives a value.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Setting {
    /// Its name.
    pub name: String,
    /// Its value.
    pub value: OsString,
    /// Why it is set.
    pub reason: String,
}

/// Whether Go will use cgo.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Cgo {
    /// On or off.
    pub enabled: bool,
    /// Why.
    pub reason: String,
}

/// What a build for a target needs, and what was decided about it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Plan {
    /// What was asked for.
    pub request: Request,
    /// Variables to set.
    pub settings: Vec<Setting>,
    /// Variables that gb would set, left as the caller set them.
    pub kept: Vec<&'static str>,
    /// Variables that may spoil the build.
    pub leaks: Vec<Leak>,
    /// Whether Go will use cgo; `None` if that is not gb's to say.
    pub cgo: Option<Cgo>,
    /// What else the caller should know.
    pub notes: Vec<String>,
}

impl Facts {
    /// Looks for what a plan for this target depends on.
    pub fn gather(
        request: &Request,
        environment: &Environment,
        host: Option<&'static Platform>,
    ) -> Option<Facts> {
        let (platform, abi) = request.compiled(environment, host)?;
        let programs = Programs::new(environment);
        let emulator = format!("qemu-{}", platform.qemu);
        let needs_runner = Some(platform) != host && !abi.is_windows();
        let is_emulated =
            needs_runner && (programs.has(&emulator) || programs.has(&format!("{emulator}-static")));
        let runner = Path::new(&Runner { platform }.name()).to_owned();
        let sysroot = Sysroot::find(platform, abi, environment.get_nonempty("GB_SYSROOT"));
        let compiler = programs.has(&format!("{}-clang", abi.triple));
        let build_systems = BuildSystems::find(sysroot.as_ref().ok().and_then(Sysroot::root));
        Some(Facts {
            host,
            gcc: (sysroot.is_err() || !compiler) && programs.has("gcc"),
            sysroot,
            compiler,
            llvm_ar: programs.has("llvm-ar"),
            runner: Some(runner).filter(|_| is_emulated).and_then(|runner| programs.locate(&runner)),
            build_systems,
        })
    }
}

impl Facts {
    /// The refusal of a GB_SYSROOT that is none: who names one means to build against it, so this is no matter for the first
    /// link. (Without GB_SYSROOT a command that builds no C code needs no sysroot.)
    pub fn named_sysroot(&self, environment: &Environment) -> Result<(), NoSysroot> {
        match (&self.sysroot, environment.get_nonempty("GB_SYSROOT")) {
            (Err(error), Some(_)) => Err(error.clone()),
            _ => Ok(()),
        }
    }

    /// What of the sysroot can't be linked against. It is for those who ask (`gb env`): a compiler looks at what it needs.
    pub fn damage(&self, request: &Request, environment: &Environment) -> Option<String> {
        let (platform, abi) = request.compiled(environment, self.host)?;
        let damage = self.sysroot.as_ref().ok()?.damage(platform, abi)?;
        Some(format!("link for {}: {damage}", abi.triple))
    }
}

/// Decides the environment of a build. `facts` are those of the request's target; a request that gb has no compilers for
/// has none.
pub fn plan(request: Request, environment: &Environment, facts: Option<&Facts>) -> Plan {
    let mut plan = Plan {
        request,
        settings: Vec::new(),
        kept: Vec::new(),
        leaks: Vec::new(),
        cgo: None,
        notes: Vec::new(),
    };
    match (plan.request.clone(), facts) {
        (Request::Linux { target, source }, Some(facts)) => {
            let mut planner = Planner { plan: &mut plan, environment, facts };
            planner.go_variables(&target, source);
            planner.run();
        }
        (Request::Other { goos, goarch, source }, facts) => {
            if environment.get_nonempty("GOOS") != Some(OsStr::new(goos)) {
                plan.set("GOOS", goos.into(), format!("the target of {source}"));
            }
            let is_said = |goarch: &&str| match environment.get_nonempty("GOARCH") {
                Some(said) => source == Source::Argument && said != *goarch,
                None => true,
            };
            if let Some(goarch) = goarch.filter(is_said) {
                plan.set("GOARCH", goarch.into(), format!("the target of {source}"));
            }
            match facts {
                Some(facts) => Planner { plan: &mut plan, environment, facts }.run(),
                None => {
                    let windows = PLATFORMS.iter().filter(|platform| platform.windows_abi().is_some());
                    let windows: Vec<_> = windows.map(|platform| platform.goarch).collect();
                    plan.notes.push(format!(
                        "GOOS={goos}: the C compiler is left as it is, gb's are for linux and windows/{}",
                        windows.join(" windows/")
                    ));
                }
            }
        }
        (Request::Linux { .. }, None) => {}
    }
    let (Request::Linux { source, .. } | Request::Other { source, .. }) = &plan.request;
    plan.settings.extend(own::note(&plan.settings, *source));
    plan
}

impl Plan {
    fn set(&mut self, name: impl Into<String>, value: OsString, reason: impl Into<String>) {
        self.settings.push(Setting { name: name.into(), value, reason: reason.into() });
    }

    /// Puts the settings into an environment.
    pub fn apply(&self, environment: &mut Environment) {
        for setting in &self.settings {
            // Every value is made of a table entry, or of an environment value, which can't hold the NUL byte that
            // would be refused.
            let _set = environment.set(&setting.name, &setting.value);
        }
    }
}

struct Planner<'a> {
    plan: &'a mut Plan,
    environment: &'a Environment,
    facts: &'a Facts,
}

impl Planner<'_> {
    fn run(&mut self) {
        let Some((platform, abi)) = self.plan.request.compiled(self.environment, self.facts.host) else {
            return;
        };
        let cross = Some(platform) != self.facts.host || abi.is_windows();
        let compiler = self.compiler(platform, abi, cross);
        if cross && !abi.is_windows() {
            self.emulation();
        }
        let system = self.facts.sysroot.as_ref().is_ok_and(|sysroot| sysroot.layout == Layout::System);
        if cross || (compiler && !system) {
            self.leaks(cross);
        }
        if let Ok(Sysroot { layout: Layout::DebianCross(_), .. }) = &self.facts.sysroot {
            self.plan.notes.push(
                "Debian's cross packages are no sysroot: headers that they lack are looked for in the host's /usr/include"
                    .to_owned(),
            );
        }
        self.plan.cgo = Some(self.cgo(platform, cross, compiler));
    }

    /// GOOS, GOARCH and the variant, where the target came from elsewhere or in another spelling.
    fn go_variables(&mut self, target: &Target, source: Source) {
        let platform = target.platform;
        let reason = format!("the target of {source}");
        match self.environment.get_nonempty("GOOS") {
            Some(goos) if goos == "linux" => {}
            // uname -s says Linux.
            Some(given) if source != Source::Argument => {
                self.plan.set("GOOS", "linux".into(), format!("Go's name of {}", given.to_string_lossy()));
            }
            None if source == Source::Host => {}
            _ => self.plan.set("GOOS", "linux".into(), &reason),
        }
        if source == Source::Host {
            return;
        }
        match self.environment.get_nonempty("GOARCH").filter(|_| source != Source::Argument) {
            None => self.plan.set("GOARCH", platform.goarch.into(), &reason),
            Some(given) if given == platform.goarch => {}
            Some(given) => {
                let reason = format!("Go's name of {}", given.to_string_lossy());
                self.plan.set("GOARCH", platform.goarch.into(), reason);
            }
        }
        let Some(variable) = &platform.variable else { return };
        match (self.environment.get_nonempty(variable.name), &target.variant) {
            (Some(given), Some(variant)) if source == Source::Argument => {
                if given != variant.value().as_str() {
                    self.plan.set(variable.name, variant.value().into(), reason);
                }
            }
            (None, Some(variant)) => self.plan.set(variable.name, variant.value().into(), reason),
            (Some(given), _) => {
                if let Err(error) = variable.parse(&given.to_string_lossy()) {
                    self.plan.notes.push(error.to_string());
                }
            }
            (None, None) => {}
        }
    }

    /// The C side: compilers, archiver, pkg-config, and the same for Cargo. Says whether Go will find a compiler.
    fn compiler(&mut self, platform: &'static Platform, abi: &'static Abi, cross: bool) -> bool {
        let usable = self.facts.sysroot.is_ok() && self.facts.compiler;
        // For what Go has no cgo, gb has no compiler, and needs no sysroot.
        if !self.facts.compiler && platform.cgo {
            self.plan.notes.push(format!("{}-clang is not in PATH (gb install-links DIR)", abi.triple));
        }
        if let (Err(error), true) = (&self.facts.sysroot, platform.cgo) {
            self.plan.notes.push(error.to_string());
        }
        // Native and incomplete: whatever the machine has is right, and Go looks for it. Cross and incomplete: Go would
        // take the machine's own compiler, so the role is named all the same: it says what is missing.
        if (!cross && !usable) || !platform.cgo {
            return self.environment.get_nonempty("CC").is_some() || self.facts.gcc;
        }
        let tool = |name: &str| OsString::from(format!("{}-{name}", abi.triple));
        let reason = match cross {
            true if abi.is_windows() => {
                format!("compiles for windows/{} against mingw-w64", platform.goarch)
            }
            true => format!("compiles for {} against its sysroot", platform.goarch),
            false => "compiles against the image's sysroot".to_owned(),
        };
        let cc = self.offer("CC", tool("clang"), &reason);
        let cxx = self.offer("CXX", tool("clang++"), &reason);
        let ar = self.facts.llvm_ar && self.offer("AR", "llvm-ar".into(), "handles objects of every machine");
        let pkg_config = self.offer("PKG_CONFIG", tool("pkg-config"), "finds the sysroot's libraries");
        self.build_systems(abi, cc);
        // Cargo and the crates cc, pkg-config and bindgen prefer these to CC and the others, so they are set only where
        // those are gb's.
        let Some(rust) = abi.rust else { return true };
        let (lower, upper) = (rust.replace('-', "_"), rust.replace('-', "_").to_uppercase());
        if cc {
            self.offer_owned(format!("CARGO_TARGET_{upper}_LINKER"), tool("clang"), "Cargo links with it");
            self.offer_owned(format!("CC_{lower}"), tool("clang"), "the crate cc compiles with it");
        }
        if cxx {
            self.offer_owned(format!("CXX_{lower}"), tool("clang++"), "the crate cc compiles with it");
        }
        if ar {
            self.offer_owned(format!("AR_{lower}"), "llvm-ar".into(), "the crate cc archives with it");
        }
        if pkg_config {
            self.offer_owned(
                format!("PKG_CONFIG_{lower}"),
                tool("pkg-config"),
                "the crate pkg-config asks it",
            );
        }
        let root = self.facts.sysroot.as_ref().ok().and_then(Sysroot::root);
        if let Some(root) = root.filter(|_| cross) {
            let reason = "bindgen reads the target's headers";
            self.offer_owned(format!("BINDGEN_EXTRA_CLANG_ARGS_{lower}"), sysroot_flag(root), reason);
        }
        if self.facts.runner.is_some() {
            let (name, runner) = (format!("CARGO_TARGET_{upper}_RUNNER"), Runner { platform }.name());
            self.offer_owned(name, runner.into(), "cargo run and cargo test run the target's programs by it");
        }
        true
    }

    /// What names a target to build systems. CMake's file names compilers, so it is told of only where they are gb's.
    fn build_systems(&mut self, abi: &'static Abi, cc: bool) {
        let found = &self.facts.build_systems;
        let reason = "for configure --host and meson --cross-file";
        self.offer_owned("GB_TRIPLE".to_owned(), abi.triple.into(), reason);
        if let Some(macros) = &found.aclocal {
            self.offer("ACLOCAL_PATH", macros.into(), "aclocal finds macros of the sysroot's packages");
        }
        let Some(file) = found.cmake_of(abi).filter(|_| cc) else { return };
        if self.offer(build_systems::CMAKE, file.into(), "CMake finds the sysroot's libraries") {
            for (name, file) in found.cmake_of_crates(self.facts.host, self.environment) {
                self.offer_owned(name, file.into(), "the crate cmake takes it for this target");
            }
        }
    }

    /// Sets a variable unless the caller has; says whether it is gb's.
    fn offer(&mut self, name: &'static str, value: OsString, reason: &str) -> bool {
        if self.environment.get_nonempty(name).is_some() {
            self.plan.kept.push(name);
            return false;
        }
        self.plan.set(name, value, reason);
        true
    }

    fn offer_owned(&mut self, name: String, value: OsString, reason: &str) {
        if self.environment.get_nonempty(&name).is_none() {
            self.plan.set(name, value, reason);
        }
    }

    fn emulation(&mut self) {
        let prefix = self.facts.sysroot.as_ref().ok().and_then(Sysroot::loader_prefix);
        if let Some(prefix) = prefix {
            self.offer(
                LD_PREFIX,
                prefix.into_os_string(),
                "emulated programs find the loader and libraries there",
            );
        }
    }

    fn leaks(&mut self, cross: bool) {
        // Where there is no root of its own, nothing is in it.
        let root = self.facts.sysroot.as_ref().ok().and_then(Sysroot::root).unwrap_or(Path::new(""));
        for name in LEAKING {
            let Some(value) = self.environment.get_nonempty(name) else { continue };
            let is_list = !["GCC_EXEC_PREFIX", "CCC_OVERRIDE_OPTIONS"].contains(&name);
            // What a caller has elsewhere is meant for the build.
            if is_list && !listed(value).any(|dir| is_hosts(dir, root)) {
                continue;
            }
            // gb's tools leave the host's directories out of these, or look at them last, as in any native build.
            let by_gb = match name {
                "PKG_CONFIG_PATH" => !self.plan.kept.contains(&"PKG_CONFIG"),
                "LIBRARY_PATH" => !self.plan.kept.contains(&"CC"),
                _ => false,
            };
            if cross || !by_gb {
                self.plan.leaks.push(Leak { name, value: value.to_owned(), left_out: by_gb });
            }
        }
    }

    /// What Go will decide (cmd/go/internal/cfg/cfg.go), with the reason: gb never sets CGO_ENABLED.
    fn cgo(&self, platform: &Platform, cross: bool, compiler: bool) -> Cgo {
        let said = self.environment.get_nonempty("CGO_ENABLED");
        let (enabled, reason) = match said {
            _ if !platform.cgo => (false, format!("Go has no cgo for linux/{}", platform.goarch)),
            Some(value) if value == "1" => (true, "CGO_ENABLED=1".to_owned()),
            Some(value) if value == "0" => (false, "CGO_ENABLED=0".to_owned()),
            // Go takes any other value for none.
            _ if cross => {
                (false, "Go turns it off when cross building (set CGO_ENABLED=1 to build C code)".to_owned())
            }
            _ if compiler => (true, "native build with a C compiler".to_owned()),
            _ => (false, "there is no C compiler, neither CC nor gcc (set CC)".to_owned()),
        };
        Cgo { enabled, reason }
    }
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::*;

    /// The settings for an environment, as `NAME=value` words, on an amd64 machine with everything installed.
    fn settings(variables: &[&str]) -> Vec<String> {
        let plan = planned(variables, true);
        let settings = plan.settings.iter().filter(|s| s.name != own::NOTE);
        settings.map(|s| format!("{}={}", s.name, s.value.to_string_lossy())).collect()
    }

    fn environment(variables: &[&str]) -> Environment {
        Environment::new(variables.iter().map(|v| std::ffi::CString::new(*v).unwrap()).collect())
    }

    fn planned(variables: &[&str], complete: bool) -> Plan {
        let environment = environment(variables);
        let host = Platform::by_goarch("amd64");
        let request = Request::detect(&environment, host).unwrap();
        let facts = Facts::gather(&request, &environment, host).map(|facts| match &request {
            Request::Linux { target, .. } if complete => {
                let abi = target.platform.abi(request.variant(&environment).as_ref());
                let root = PathBuf::from(format!("/usr/{}/sys-root", abi.triple));
                let sysroot =
                    Sysroot { layout: Layout::Directory(root), lib: "/l".into(), libgcc: "/g".into() };
                Facts {
                    sysroot: Ok(sysroot),
                    compiler: true,
                    llvm_ar: true,
                    runner: None,
                    gcc: false,
                    build_systems: BuildSystems {
                        cmake: ["amd64", "arm64"]
                            .map(|goarch| Platform::by_goarch(goarch).unwrap().default_abi())
                            .map(|abi| (abi, format!("/{}.cmake", abi.debian).into()))
                            .to_vec(),
                        aclocal: None,
                    },
                    ..facts
                }
            }
            _ => Facts {
                sysroot: Sysroot::find(
                    host.unwrap(),
                    host.unwrap().default_abi(),
                    Some(OsStr::new("/nonexistent")),
                ),
                compiler: false,
                llvm_ar: false,
                gcc: false,
                runner: None,
                build_systems: BuildSystems::default(),
                ..facts
            },
        });
        plan(request, &environment, facts.as_ref())
    }

    #[test]
    fn a_cross_build_gets_the_targets_tools() {
        assert_eq!(
            settings(&["GOARCH=arm64"]),
            [
                "GOOS=linux",
                "CC=aarch64-linux-gnu-clang",
                "CXX=aarch64-linux-gnu-clang++",
                "AR=llvm-ar",
                "PKG_CONFIG=aarch64-linux-gnu-pkg-config",
                "GB_TRIPLE=aarch64-linux-gnu",
                "CMAKE_TOOLCHAIN_FILE=/arm64.cmake",
                "CMAKE_TOOLCHAIN_FILE_x86_64_unknown_linux_gnu=/amd64.cmake",
                "CMAKE_TOOLCHAIN_FILE_aarch64_unknown_linux_gnu=/arm64.cmake",
                "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=aarch64-linux-gnu-clang",
                "CC_aarch64_unknown_linux_gnu=aarch64-linux-gnu-clang",
                "CXX_aarch64_unknown_linux_gnu=aarch64-linux-gnu-clang++",
                "AR_aarch64_unknown_linux_gnu=llvm-ar",
                "PKG_CONFIG_aarch64_unknown_linux_gnu=aarch64-linux-gnu-pkg-config",
                "BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu=--sysroot=/usr/aarch64-linux-gnu/sys-root",
                "QEMU_LD_PREFIX=/usr/aarch64-linux-gnu/sys-root",
            ]
        );
    }

    #[test]
    fn a_native_build_gets_the_same_compiler_and_no_go_variables() {
        let settings = settings(&[]);
        assert_eq!(settings.first().unwrap(), "CC=x86_64-linux-gnu-clang");
        assert!(!settings.iter().any(|s| s.starts_with("GO") || s.starts_with("QEMU")), "{settings:?}");
    }

    #[test]
    fn the_variant_chooses_the_triple() {
        let cc = |variables: &[&str]| settings(variables).into_iter().find(|s| s.starts_with("CC=")).unwrap();
        assert_eq!(cc(&["GOARCH=arm"]), "CC=arm-linux-gnueabihf-clang");
        assert_eq!(cc(&["GOARCH=arm", "GOARM=6"]), "CC=arm-linux-gnueabi-clang");
        assert_eq!(cc(&["TARGETPLATFORM=linux/arm/v5"]), "CC=arm-linux-gnueabi-clang");
        assert_eq!(cc(&["TARGETPLATFORM=linux/arm/v5", "GOARM=7"]), "CC=arm-linux-gnueabihf-clang");
    }

    #[test]
    fn other_spellings_become_gos_own() {
        let go = |variables: &[&str]| {
            settings(variables).into_iter().filter(|s| s.starts_with("GO")).collect::<Vec<_>>().join(" ")
        };
        assert_eq!(go(&["GOARCH=x86_64"]), "GOOS=linux GOARCH=amd64");
        assert_eq!(go(&["GOARCH=armv6l"]), "GOOS=linux GOARCH=arm GOARM=6");
        assert_eq!(go(&["GOARCH=arm", "GOARM=5", "GOOS=linux"]), "");
        assert_eq!(go(&["ARCH=ppc64el"]), "GOOS=linux GOARCH=ppc64le");
        assert_eq!(go(&["TARGETPLATFORM=linux/amd64/v3"]), "GOOS=linux GOARCH=amd64 GOAMD64=v3");
        assert_eq!(go(&["TARGETPLATFORM=linux/amd64/v3", "GOAMD64=v2"]), "GOOS=linux GOARCH=amd64");
        assert_eq!(go(&["TARGETPLATFORM=windows/arm64"]), "GOOS=windows GOARCH=arm64");
        assert_eq!(go(&["GOOS=windows", "GOARCH=amd64"]), "");
        assert_eq!(go(&["GOOS=Linux"]), "GOOS=linux");
        assert_eq!(go(&["GOOS=Linux", "GOARCH=arm64"]), "GOOS=linux");
        assert_eq!(go(&["GOOS=Darwin", "GOARCH=arm64"]), "GOOS=darwin");
        assert_eq!(go(&["TARGETPAIR=linux-armv6"]), "GOOS=linux GOARCH=arm GOARM=6");
        assert_eq!(go(&["TARGETOS=freebsd"]), "GOOS=freebsd");
    }

    #[test]
    fn the_callers_word_wins_and_an_empty_one_is_none() {
        let given = ["GOARCH=arm64", "CC=mycc -O", "AR=", "PKG_CONFIG=x", "QEMU_LD_PREFIX=/q"];
        let all = settings(&given);
        let plan = planned(&given, true);
        assert_eq!(plan.kept, ["CC", "PKG_CONFIG", "QEMU_LD_PREFIX"]);
        assert!(
            all.contains(&"AR=llvm-ar".to_owned())
                && all.contains(&"CXX=aarch64-linux-gnu-clang++".to_owned())
        );
        for name in ["CC", "CC_", "CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER", "PKG_CONFIG", "QEMU"] {
            assert!(!all.iter().any(|s| s.starts_with(name)), "{name}: {all:?}");
        }
    }

    #[test]
    fn cmake_is_pointed_to_the_targets_file_where_there_is_one_and_the_compiler_is_gbs() {
        let cmake = |variables: &[&str]| {
            let mut settings = settings(variables);
            settings.retain(|s| s.starts_with("CMAKE"));
            settings.join(" ").replace("CMAKE_TOOLCHAIN_FILE", "")
        };
        let host = "_x86_64_unknown_linux_gnu=/amd64.cmake";
        let both = format!("{host} _aarch64_unknown_linux_gnu=/arm64.cmake");
        assert_eq!(cmake(&[]), format!("=/amd64.cmake {both}"));
        assert_eq!(cmake(&["GOARCH=arm64"]), format!("=/arm64.cmake {both}"));
        assert_eq!(cmake(&["GOARCH=s390x"]), "");
        assert_eq!(cmake(&["GOARCH=arm64", "CC=mine"]), "");
        assert_eq!(cmake(&["GOARCH=arm64", "CMAKE_TOOLCHAIN_FILE=mine"]), "");
        for mine in
            ["TARGET_CMAKE_TOOLCHAIN_FILE=mine", "CMAKE_TOOLCHAIN_FILE_aarch64-unknown-linux-gnu=mine"]
        {
            assert_eq!(cmake(&["GOARCH=arm64", mine]), format!("=/arm64.cmake {host}"), "{mine}");
        }
    }

    #[test]
    fn without_a_sysroot_a_cross_build_names_the_role_and_a_native_build_is_left_alone() {
        let names = |variables: &[&str]| {
            planned(variables, false).settings.into_iter().map(|s| s.name).collect::<Vec<_>>()
        };
        assert!(names(&["GOARCH=arm64"]).contains(&"CC".to_owned()));
        assert_eq!(names(&[]), [""; 0]);
        let plan = planned(&[], false);
        assert_eq!(plan.notes.len(), 2, "{:?}", plan.notes);
    }

    #[test]
    fn cgo_is_explained_and_never_set() {
        let cgo = |variables: &[&str], complete| {
            let plan = planned(variables, complete);
            assert!(!plan.settings.iter().any(|s| s.name == "CGO_ENABLED"));
            let cgo = plan.cgo.unwrap();
            format!("{} {}", if cgo.enabled { "on:" } else { "off:" }, cgo.reason)
        };
        assert_eq!(cgo(&[], true), "on: native build with a C compiler");
        assert_eq!(cgo(&["CGO_ENABLED=0"], true), "off: CGO_ENABLED=0");
        assert_eq!(cgo(&["GOARCH=arm64", "CGO_ENABLED=1"], true), "on: CGO_ENABLED=1");
        assert_eq!(
            cgo(&["GOARCH=arm64"], true),
            "off: Go turns it off when cross building (set CGO_ENABLED=1 to build C code)"
        );
        assert_eq!(cgo(&["GOARCH=ppc64", "CGO_ENABLED=1"], true), "off: Go has no cgo for linux/ppc64");
        assert_eq!(cgo(&["CGO_ENABLED=true"], true), "on: native build with a C compiler");
        assert_eq!(cgo(&[], false), "off: there is no C compiler, neither CC nor gcc (set CC)");
    }

    #[test]
    fn search_paths_that_leak_the_host_into_a_sysroots_build_are_reported() {
        let leaks =
            |variables: &[&str]| planned(variables, true).leaks.iter().map(|l| l.name).collect::<Vec<_>>();
        assert_eq!(
            leaks(&["GOARCH=arm64", "LIBRARY_PATH=/usr/lib", "CPATH=/usr/include", "C_INCLUDE_PATH="]),
            ["CPATH", "LIBRARY_PATH"]
        );
        // The image's own target has a sysroot, too.
        assert_eq!(leaks(&["CPATH=/src:/usr/include"]), ["CPATH"]);
        // What the caller has elsewhere is the caller's.
        for name in LEAKING.into_iter().filter(|name| name.ends_with("PATH")) {
            assert_eq!(leaks(&["GOARCH=arm64", &format!("{name}=/src/dep:/opt")]), [""; 0]);
        }
        // gb's own tools leave the host's directories out, somebody else's may not.
        let path = "PKG_CONFIG_PATH=/usr/lib/pkgconfig";
        for (callers, left_out) in [("CXX=x", true), ("PKG_CONFIG=x", false)] {
            let plan = planned(&["GOARCH=arm64", path, callers], true);
            assert_eq!(plan.leaks.iter().map(|leak| leak.left_out).collect::<Vec<_>>(), [left_out]);
        }
    }
}
