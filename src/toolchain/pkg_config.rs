//! The pkg-config role: `<triple>-pkg-config` answers from the target's sysroot alone.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::{Layout, NoSysroot, Programs, Sysroot};
use crate::environment::Environment;
use crate::platform::{Abi, Platform};

/// Why the pkg-config role can't answer.
#[derive(Debug, thiserror::Error)]
pub enum PkgConfigError {
    /// There is no pkg-config.
    #[error("ask pkg-config for {0}: no pkg-config in PATH (apt-get install pkgconf)")]
    NoProgram(&'static str),
    /// There is nothing to ask about.
    #[error("ask pkg-config: {0}")]
    NoSysroot(NoSysroot),
}

/// The real pkg-config, and the environment that confines it to the sysroot of a target.
///
/// `PKG_CONFIG_LIBDIR` replaces its search path, where `PKG_CONFIG_PATH` would only add to the host's; the directories
/// of a caller's `PKG_CONFIG_PATH` stay only if they lie within the sysroot, because the files elsewhere describe the
/// host. A caller who sets `PKG_CONFIG_LIBDIR` decides alone; `PKG_CONFIG_SYSROOT_DIR` names another sysroot.
pub fn pkg_config(
    platform: &'static Platform,
    abi: &'static Abi,
    environment: &Environment,
    programs: Programs<'_>,
) -> Result<(PathBuf, Environment), PkgConfigError> {
    let program = programs.find("pkg-config").or_else(|| programs.find("pkgconf"));
    let program = program.ok_or(PkgConfigError::NoProgram(abi.triple))?;
    if environment.get_nonempty("PKG_CONFIG_LIBDIR").is_some() {
        return Ok((program, environment.clone()));
    }
    let layout = match environment.get_nonempty("PKG_CONFIG_SYSROOT_DIR") {
        Some(root) => Layout::Directory(root.into()),
        None => {
            let sysroot = Sysroot::find(platform, abi, environment.get_nonempty("GB_SYSROOT"));
            sysroot.map_err(PkgConfigError::NoSysroot)?.layout
        }
    };
    // The machine's own pkg-config knows where the machine's own files are.
    if layout == Layout::System && Some(platform) == Platform::host() {
        return Ok((program, environment.clone()));
    }
    Ok((program, confined(abi, &layout, environment)))
}

fn confined(abi: &Abi, layout: &Layout, environment: &Environment) -> Environment {
    let mut environment = environment.clone();
    let of_the_abi = |usr: &Path| usr.join("lib").join(abi.multiarch).join("pkgconfig");
    let places = match layout {
        Layout::Directory(root) => {
            let usr = root.join("usr");
            // Distributions without multiarch directories have one of the next two.
            let others = ["lib64/pkgconfig", "lib/pkgconfig", "share/pkgconfig"].map(|dir| usr.join(dir));
            std::iter::once(of_the_abi(&usr)).chain(others).collect()
        }
        Layout::DebianCross(triple) => {
            let own = Path::new("/usr").join(triple).join("lib/pkgconfig");
            vec![own, of_the_abi(Path::new("/usr")), "/usr/share/pkgconfig".into()]
        }
        Layout::System => vec![of_the_abi(Path::new("/usr")), "/usr/share/pkgconfig".into()],
    };
    if let Layout::Directory(root) = layout {
        let inside = |dir: &Path| {
            dir.canonicalize().ok().zip(root.canonicalize().ok()).is_some_and(|(d, r)| d.starts_with(r))
        };
        let kept = environment.get_nonempty("PKG_CONFIG_PATH").map(|path| {
            let dirs = path.as_bytes().split(|b| *b == b':').map(|dir| Path::new(OsStr::from_bytes(dir)));
            join(dirs.filter(|dir| inside(dir)))
        });
        environment.remove("PKG_CONFIG_PATH");
        if let Some(kept) = kept.filter(|kept| !kept.is_empty()) {
            replace(&mut environment, "PKG_CONFIG_PATH", kept);
        }
        replace(&mut environment, "PKG_CONFIG_SYSROOT_DIR", root.into());
    }
    replace(&mut environment, "PKG_CONFIG_LIBDIR", join(places.iter().map(PathBuf::as_path)));
    environment
}

fn join<'a>(dirs: impl Iterator<Item = &'a Path>) -> OsString {
    let dirs: Vec<_> = dirs.map(Path::as_os_str).collect();
    dirs.join(OsStr::new(":"))
}

fn replace(environment: &mut Environment, name: &str, value: OsString) {
    // A path from a directory listing or from argv holds no NUL byte, which is all that could be refused.
    let _set = environment.set(name, &value);
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_search_is_confined_to_the_sysroot() {
        let (_, abi) = Platform::by_triple("aarch64-linux-gnu").unwrap();
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        std::fs::create_dir_all(dir.path().join("opt/pc")).unwrap();
        let mut given = Environment::new(vec![c"A=1".to_owned()]);
        let path = format!("/usr/lib:{root}/opt/pc:{root}/opt/../../..:{root}x");
        assert!(given.set("PKG_CONFIG_PATH", OsStr::new(&path)));
        let environment = confined(abi, &Layout::Directory(root.into()), &given);
        let get = |name| environment.get(name).and_then(|v| v.to_str()).unwrap();
        assert_eq!(get("PKG_CONFIG_PATH"), format!("{root}/opt/pc"));
        assert_eq!(get("PKG_CONFIG_SYSROOT_DIR"), root);
        let places =
            ["lib/aarch64-linux-gnu", "lib64", "lib", "share"].map(|d| format!("{root}/usr/{d}/pkgconfig"));
        assert_eq!(get("PKG_CONFIG_LIBDIR"), places.join(":"));
        assert_eq!(get("A"), "1");
    }
}
