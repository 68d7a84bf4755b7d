//! The pkg-config role: `<triple>-pkg-config` answers from the target's sysroot alone.

use std::ffi::OsString;
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
/// host. A caller who sets `PKG_CONFIG_LIBDIR` or `PKG_CONFIG_SYSROOT_DIR` decides alone.
pub fn pkg_config(
    platform: &'static Platform,
    abi: &'static Abi,
    environment: &Environment,
    programs: Programs<'_>,
) -> Result<(PathBuf, Environment), PkgConfigError> {
    let program = programs.find("pkg-config").or_else(|| programs.find("pkgconf"));
    let program = program.ok_or(PkgConfigError::NoProgram(abi.triple))?;
    let decided =
        ["PKG_CONFIG_LIBDIR", "PKG_CONFIG_SYSROOT_DIR"].iter().any(|v| environment.get_nonempty(v).is_some());
    if decided {
        return Ok((program, environment.clone()));
    }
    let sysroot = Sysroot::find(platform, abi, environment.get_nonempty("GB_SYSROOT"));
    let sysroot = sysroot.map_err(PkgConfigError::NoSysroot)?;
    Ok((program, confined(abi, &sysroot, environment)))
}

fn confined(abi: &Abi, sysroot: &Sysroot, environment: &Environment) -> Environment {
    let mut environment = environment.clone();
    let (root, prefix) = match &sysroot.layout {
        Layout::Directory(root) => (Some(root.as_path()), root.join("usr")),
        // The cross packages' .pc files, and those of multiarch ones, name their directories as they are.
        Layout::DebianCross(triple) => (None, Path::new("/usr").join(triple)),
        Layout::System => (None, PathBuf::from("/usr")),
    };
    let places = match &sysroot.layout {
        Layout::DebianCross(triple) => {
            vec![
                prefix.join("lib/pkgconfig"),
                Path::new("/usr/lib").join(triple).join("pkgconfig"),
                "/usr/share/pkgconfig".into(),
            ]
        }
        _ => {
            let of_the_abi = prefix.join("lib").join(abi.multiarch).join("pkgconfig");
            let mut places = vec![of_the_abi, prefix.join("share/pkgconfig")];
            // On distributions without multiarch directories; on Debian's own root lib/pkgconfig is the host's.
            if root.is_some() || !prefix.join("lib").join(abi.multiarch).is_dir() {
                places.insert(1, prefix.join("lib64/pkgconfig"));
                places.insert(2, prefix.join("lib/pkgconfig"));
            }
            places
        }
    };
    if let Some(root) = root {
        let kept = environment.get_nonempty("PKG_CONFIG_PATH").map(|path| {
            let dirs =
                path.as_bytes().split(|b| *b == b':').map(|dir| Path::new(std::ffi::OsStr::from_bytes(dir)));
            join(dirs.filter(|dir| dir.starts_with(root)))
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
    dirs.join(std::ffi::OsStr::new(":"))
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
        let sysroot =
            Sysroot { layout: Layout::Directory("/s".into()), lib: "/s/l".into(), libgcc: "/s/g".into() };
        let given = Environment::new(vec![
            c"PKG_CONFIG_PATH=/usr/lib/pkgconfig:/s/opt/pc:/sx".to_owned(),
            c"A=1".to_owned(),
        ]);
        let environment = confined(abi, &sysroot, &given);
        let get = |name| environment.get(name).and_then(|v| v.to_str()).unwrap();
        assert_eq!(get("PKG_CONFIG_PATH"), "/s/opt/pc");
        assert_eq!(get("PKG_CONFIG_SYSROOT_DIR"), "/s");
        assert_eq!(
            get("PKG_CONFIG_LIBDIR"),
            "/s/usr/lib/aarch64-linux-gnu/pkgconfig:/s/usr/lib64/pkgconfig:/s/usr/lib/pkgconfig:/s/usr/share/pkgconfig"
        );
        assert_eq!(get("A"), "1");
    }
}
