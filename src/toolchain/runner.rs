//! The runner role: the program by which the go command starts what it has built for another machine (`go help run`).
//!
//! Where the kernel runs such programs, natively or by an emulator that it knows, the role only becomes the program. Else it
//! becomes the emulator in PATH. This room says with what; `cli` joins it with who tries and who finds emulators.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{NoSysroot, Sysroot, given};
use crate::environment::Environment;
use crate::platform::{Abi, PLATFORMS, Platform};

/// Where QEMU looks for a foreign program's loader and libraries.
pub(super) const LD_PREFIX: &str = "QEMU_LD_PREFIX";

/// The role of a target.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Runner {
    /// The target.
    pub platform: &'static Platform,
}

impl Runner {
    /// All that there are.
    pub fn all() -> impl Iterator<Item = Runner> {
        PLATFORMS.iter().map(|platform| Runner { platform })
    }

    /// The name by which the go command looks for it.
    pub fn name(self) -> String {
        format!("go_linux_{}_exec", self.platform.goarch)
    }

    /// The role that a program name stands for. `None` if it is none of this kind; the error is an architecture that Go
    /// does not have.
    pub fn by_name(name: &str) -> Option<Result<Runner, &str>> {
        let goarch = name.strip_prefix("go_linux_")?.strip_suffix("_exec")?;
        Some(Platform::by_goarch(goarch).map(|platform| Runner { platform }).ok_or(goarch))
    }

    /// The environment of the program: the caller's, as it is. Only a [`LD_PREFIX`] that is gb's own for another target is
    /// replaced by this one's, or taken away: in it are another machine's libraries.
    pub fn environment(self, environment: &Environment) -> Environment {
        let mut environment = environment.clone();
        let gbs = environment.get_nonempty(LD_PREFIX).filter(|_| callers_prefix(&environment).is_none());
        let is_this_targets = |prefix: &OsStr| {
            let mut usual = self.platform.all_abis().map(|abi| Path::new("/usr").join(abi.triple));
            Some(prefix) == environment.get_nonempty("GB_SYSROOT")
                || usual.any(|place| Path::new(prefix).starts_with(place))
        };
        if gbs.is_some_and(|prefix| !is_this_targets(prefix)) {
            match self
                .sysroot(self.platform.default_abi(), &environment)
                .map(|sysroot| sysroot.loader_prefix())
            {
                Ok(Some(prefix)) => {
                    // A path has no NUL byte.
                    let _set = environment.set(LD_PREFIX, prefix.as_os_str());
                }
                _ => environment.remove(LD_PREFIX),
            }
        }
        environment
    }

    /// The arguments of an emulator that is to run a program with this `argv[0]` and these arguments. `loader` is what the
    /// program asks to be loaded by; without one it is static. The error: the program needs the sysroot that the caller has
    /// named, and that is none.
    pub fn emulation(
        self,
        (program, argv0, args): (&Path, &OsStr, &[OsString]),
        loader: Option<&OsStr>,
        environment: &Environment,
    ) -> Result<Vec<OsString>, NoSysroot> {
        let abi = self.abi_of(loader);
        // The command line counts more than the variable.
        let prefix = match callers_prefix(environment) {
            Some(_) => None,
            None => match self.sysroot(abi, environment) {
                Ok(sysroot) => sysroot.loader_prefix(),
                Err(error) if loader.is_some() && environment.get_nonempty("GB_SYSROOT").is_some() => {
                    return Err(error);
                }
                // QEMU has places of its own, and a static program needs none.
                Err(_) => None,
            },
        };
        let mut words = vec!["-0".into(), argv0.to_owned()];
        words.extend(prefix.into_iter().flat_map(|prefix| ["-L".into(), prefix.into_os_string()]));
        words.push(after_options(program).into_os_string());
        words.extend_from_slice(args);
        Ok(words)
    }

    fn sysroot(self, abi: &'static Abi, environment: &Environment) -> Result<Sysroot, NoSysroot> {
        Sysroot::find(self.platform, abi, environment.get_nonempty("GB_SYSROOT"))
    }

    /// The C ABI whose loader a program names.
    fn abi_of(self, loader: Option<&OsStr>) -> &'static Abi {
        let found = self.platform.all_abis().find(|abi| loader == Some(OsStr::new(abi.loader)));
        found.unwrap_or(self.platform.default_abi())
    }
}

/// The caller's own word, which another gb's is not.
fn callers_prefix(environment: &Environment) -> Option<OsString> {
    given(environment).get_nonempty(LD_PREFIX).map(OsStr::to_owned)
}

/// A path that no option can be.
fn after_options(path: &Path) -> PathBuf {
    match path.as_os_str().as_bytes().first() {
        Some(b'-') => Path::new(".").join(path),
        _ => path.to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::super::{Setting, Source, own};
    use super::*;

    fn runner(goarch: &str) -> Runner {
        Runner::by_name(&format!("go_linux_{goarch}_exec")).unwrap().unwrap()
    }

    fn environment(variables: &[(&str, &str)], gbs: &[(&str, &str)]) -> Environment {
        let mut environment = Environment::new(Vec::new());
        let setting = |(name, value): &(&str, &str)| Setting {
            name: (*name).into(),
            value: value.into(),
            reason: String::new(),
        };
        let settings: Vec<_> = gbs.iter().map(setting).collect();
        for setting in settings.iter().chain(&own::note(&settings, Source::Variable("GOARCH"))) {
            assert!(environment.set(&setting.name, &setting.value));
        }
        for (name, value) in variables {
            assert!(environment.set(name, OsStr::new(value)));
        }
        environment
    }

    #[test]
    fn every_port_has_a_name_and_no_other_name_is_one() {
        assert_eq!(Runner::all().count(), PLATFORMS.len());
        for each in Runner::all() {
            assert_eq!(Runner::by_name(&each.name()), Some(Ok(each)));
        }
        assert_eq!(Runner::by_name("go_linux_sparc64_exec"), Some(Err("sparc64")));
        for name in ["go_windows_amd64_exec", "go_linux_arm64", "linux_arm64_exec", "gb", "go_linux_"] {
            assert_eq!(Runner::by_name(name), None, "{name}");
        }
    }

    #[test]
    fn only_what_gb_has_set_for_another_target_is_changed() {
        let prefix = |variables: &[(&str, &str)], gbs: &[(&str, &str)]| {
            let environment = runner("loong64").environment(&environment(variables, gbs));
            environment.get(LD_PREFIX).map(|value| value.to_string_lossy().into_owned())
        };
        let arm64 = ("QEMU_LD_PREFIX", "/usr/aarch64-linux-gnu/sys-root");
        assert_eq!(prefix(&[arm64], &[]).as_deref(), Some(arm64.1));
        assert_eq!(prefix(&[], &[]), None);
        // (No machine that tests run on has a sysroot of loong64.)
        assert_eq!(prefix(&[], &[arm64]), None);
        assert_eq!(prefix(&[("QEMU_LD_PREFIX", "/")], &[arm64]).as_deref(), Some("/"));
        let own = ("QEMU_LD_PREFIX", "/usr/loongarch64-linux-gnu/sys-root");
        assert_eq!(prefix(&[], &[own]).as_deref(), Some(own.1));
        let named = ("QEMU_LD_PREFIX", "/my/root");
        assert_eq!(prefix(&[("GB_SYSROOT", "/my/root")], &[named]).as_deref(), Some(named.1));
    }

    #[test]
    fn an_emulator_gets_the_programs_name_and_what_the_caller_said_of_libraries() {
        let loader = "/lib64/ld-linux-loongarch-lp64d.so.1";
        let words = |program: &str, variables: &[(&str, &str)], loader: Option<&str>| {
            let args = ["-x".into(), "".into()];
            let call = (Path::new(program), OsStr::new("name"), &args[..]);
            let environment = environment(variables, &[]);
            let words = runner("loong64").emulation(call, loader.map(OsStr::new), &environment);
            words.map(|words| words.join(OsStr::new(" ")).into_string().unwrap()).map_err(|e| e.to_string())
        };
        assert_eq!(words("/p", &[], None).unwrap(), "-0 name /p -x ");
        assert_eq!(words("-p/q", &[], None).unwrap(), "-0 name ./-p/q -x ");
        assert_eq!(words("/p", &[("QEMU_LD_PREFIX", "/my")], Some(loader)).unwrap(), "-0 name /p -x ");
        // A sysroot that is none matters to who needs one.
        assert_eq!(words("/p", &[("GB_SYSROOT", "/nowhere")], None).unwrap(), "-0 name /p -x ");
        let refusal = words("/p", &[("GB_SYSROOT", "/nowhere")], Some(loader)).unwrap_err();
        assert!(refusal.contains("/nowhere: no such directory"), "{refusal}");
    }

    #[test]
    fn a_program_is_of_the_abi_whose_loader_it_names() {
        let triple = |loader: &str| runner("arm").abi_of(Some(OsStr::new(loader))).triple;
        for abi in runner("arm").platform.all_abis() {
            assert_eq!(triple(abi.loader), abi.triple);
        }
        assert_eq!(triple("/other"), runner("arm").platform.default_abi().triple);
    }
}
