//! The pkg-config role: `<triple>-pkg-config` answers from the target's sysroot, and from where the caller says.

use std::ffi::{OsStr, OsString};
use std::io::{self, Write};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};

use super::go_calls::{Build, Caller, chosen_by_gb};
use super::host::{is_hosts, is_inside, listed};
use super::sysroot::prefix;
use super::{Layout, NoSysroot, Programs, Sysroot, exit_code, native};
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

/// How to ask the real pkg-config.
#[derive(Debug, PartialEq, Eq)]
pub struct PkgConfig {
    /// The program.
    pub program: PathBuf,
    /// The environment that confines it.
    pub environment: Environment,
    /// Directories of PKG_CONFIG_PATH that are left out because they describe the host.
    pub left_out: Vec<PathBuf>,
    /// The sysroot, where not every package is of it: then its path must be taken away again from the others' paths.
    foreign: Option<Foreign>,
}

/// What pkg-config puts before every path, and whose paths are meant as they stand.
#[derive(Debug, PartialEq, Eq)]
struct Foreign {
    root: PathBuf,
    /// The machine's own directories may be meant.
    native: bool,
}

/// The variables that the role decides.
const VARIABLES: [&str; 3] = ["PKG_CONFIG_LIBDIR", "PKG_CONFIG_PATH", "PKG_CONFIG_SYSROOT_DIR"];

/// The real pkg-config, and the environment that confines it to the sysroot of a target and to what the caller names.
///
/// `PKG_CONFIG_LIBDIR` replaces its search path, where `PKG_CONFIG_PATH` would only add to the host's. The directories
/// of a caller's `PKG_CONFIG_PATH` stay, but for the host's own. A caller who sets `PKG_CONFIG_LIBDIR` decides alone;
/// `PKG_CONFIG_SYSROOT_DIR` names another sysroot.
pub fn pkg_config(
    platform: &'static Platform,
    abi: &'static Abi,
    args: &[OsString],
    environment: &Environment,
    programs: Programs<'_>,
    caller: Caller,
) -> Result<PkgConfig, PkgConfigError> {
    let (platform, abi) = for_go(platform, abi, args, environment, caller).unwrap_or((platform, abi));
    let program = programs.find("pkg-config").or_else(|| programs.find("pkgconf"));
    let program = program.ok_or(PkgConfigError::NoProgram(abi.triple))?;
    let unconfined = |program| {
        Ok(PkgConfig { program, environment: environment.clone(), left_out: Vec::new(), foreign: None })
    };
    if environment.get_nonempty("PKG_CONFIG_LIBDIR").is_some() {
        return unconfined(program);
    }
    let layout = match environment.get_nonempty("PKG_CONFIG_SYSROOT_DIR") {
        Some(root) => Layout::Directory(root.into()),
        None => {
            let sysroot = Sysroot::find(platform, abi, environment.get_nonempty("GB_SYSROOT"));
            sysroot.map_err(PkgConfigError::NoSysroot)?.layout
        }
    };
    // The machine's own pkg-config knows where the machine's own files are.
    if layout == Layout::System && native::is(abi) {
        return unconfined(program);
    }
    Ok(confined(program, abi, &layout, environment, native::is(abi)))
}

/// What Go builds for, where Go has called a pkg-config for something else that gb has chosen.
fn for_go(
    platform: &'static Platform,
    abi: &'static Abi,
    args: &[OsString],
    environment: &Environment,
    caller: Caller,
) -> Option<(&'static Platform, &'static Abi)> {
    let own_name = format!("{}-pkg-config", abi.triple);
    // Go's own questions have a "--" (cmd/go/internal/work/exec.go); others are of what `go generate` runs.
    let by_go = caller == Caller::Go && args.iter().any(|word| word == "--");
    let chosen = by_go && chosen_by_gb(environment, &["PKG_CONFIG"], &own_name);
    Build::read(environment, platform, abi).ok().filter(|_| chosen)?.differs(platform, abi)
}

fn confined(
    program: PathBuf,
    abi: &Abi,
    layout: &Layout,
    environment: &Environment,
    native: bool,
) -> PkgConfig {
    let mut environment = environment.clone();
    let mut places = places(abi, layout);
    let (mut left_out, mut foreign) = (Vec::new(), None);
    if let Layout::Directory(root) = layout {
        // Without a slash at its end, which pkg-config would not put between the root and a path.
        let root = &root.components().collect::<PathBuf>();
        let named = environment.get_nonempty("PKG_CONFIG_PATH").unwrap_or_default().to_owned();
        let (hosts, kept): (Vec<_>, Vec<_>) = listed(&named).partition(|dir| !native && is_hosts(dir, root));
        left_out = hosts.into_iter().map(Path::to_owned).collect();
        environment.remove("PKG_CONFIG_PATH");
        if !kept.is_empty() {
            replace(&mut environment, "PKG_CONFIG_PATH", join(kept.iter().copied()));
        }
        if native {
            let (before, behind) = native::pkg_config_places(abi);
            places.splice(0..0, before);
            places.extend(behind);
        }
        if native || kept.iter().any(|dir| !is_inside(dir, root)) {
            foreign = Some(Foreign { root: root.clone(), native });
        }
        replace(&mut environment, "PKG_CONFIG_SYSROOT_DIR", root.into());
    }
    replace(&mut environment, "PKG_CONFIG_LIBDIR", join(places.iter().map(PathBuf::as_path)));
    PkgConfig { program, environment, left_out, foreign }
}

/// Where a sysroot has its .pc files.
fn places(abi: &Abi, layout: &Layout) -> Vec<PathBuf> {
    let of_the_abi = |usr: &Path| usr.join("lib").join(abi.multiarch).join("pkgconfig");
    match layout {
        Layout::Directory(root) => {
            let usr = prefix(root, abi);
            // Distributions without multiarch directories have one of the next two.
            let others = ["lib64/pkgconfig", "lib/pkgconfig", "share/pkgconfig"].map(|dir| usr.join(dir));
            std::iter::once(of_the_abi(&usr)).chain(others).collect()
        }
        Layout::DebianCross(triple) => {
            let own = Path::new("/usr").join(triple).join("lib/pkgconfig");
            vec![own, of_the_abi(Path::new("/usr")), "/usr/share/pkgconfig".into()]
        }
        Layout::System => vec![of_the_abi(Path::new("/usr")), "/usr/share/pkgconfig".into()],
    }
}

impl PkgConfig {
    /// Whether its answer is to be changed, so that it can't be become.
    pub fn is_edited(&self) -> bool {
        self.foreign.is_some()
    }

    /// Runs pkg-config and writes its answer with the sysroot's path before the sysroot's own paths alone. Returns its
    /// exit code.
    pub fn print(&self, args: &[OsString]) -> io::Result<u8> {
        let mut command = Command::new(&self.program);
        command.args(args).stdout(Stdio::piped()).stderr(Stdio::inherit());
        for name in VARIABLES {
            match self.environment.get(name) {
                Some(value) => command.env(name, value),
                None => command.env_remove(name),
            };
        }
        let output = command.output()?;
        let text = match &self.foreign {
            Some(foreign) => foreign.edit(&output.stdout, |path| path.exists()),
            None => output.stdout,
        };
        io::stdout().write_all(&text)?;
        Ok(exit_code(output.status))
    }
}

impl Foreign {
    /// Takes the sysroot's path away from paths that are not in it.
    ///
    /// pkg-config puts the path before each directory (PKG_CONFIG_SYSROOT_DIR in pkg-config(1)), whichever .pc file names
    /// it; what files outside of the sysroot name is not in the sysroot. Never so is a directory of the host's found.
    fn edit(&self, text: &[u8], exists: impl Fn(&Path) -> bool) -> Vec<u8> {
        let root = self.root.as_os_str().as_bytes();
        let mut edited = Vec::with_capacity(text.len());
        let mut quoted = false;
        let words = text.split_inclusive(|byte| {
            let ends = byte.is_ascii_whitespace() && !quoted;
            quoted = *byte == b'\\' && !quoted;
            ends
        });
        for word in words {
            let end = word.iter().rposition(|byte| !byte.is_ascii_whitespace()).map_or(0, |last| last + 1);
            let (word, blank) = word.split_at(end);
            let at = word.windows(root.len().max(1)).position(|part| part == root);
            let outside = at.and_then(|at| {
                let (flag, path) = word.split_at(at);
                let bare = path.get(root.len()..).filter(|bare| bare.starts_with(b"/"))?;
                let [inside, bare_path] = [path, bare].map(|path| PathBuf::from(unescaped(path)));
                // What is in neither place is still to be made, where it was said to be.
                let meant = !is_hosts(&bare_path, &self.root) || self.native && exists(&bare_path);
                (meant && !exists(&inside)).then(|| [flag, bare].concat())
            });
            edited.extend_from_slice(outside.as_deref().unwrap_or(word));
            edited.extend_from_slice(blank);
        }
        edited
    }
}

/// A path without the backslashes by which pkg-config quotes for a shell, up to a quote: `-DDIR="/opt/share"`.
fn unescaped(path: &[u8]) -> OsString {
    let mut bytes = path.iter().copied();
    let mut plain = Vec::with_capacity(path.len());
    while let Some(byte) = bytes.next() {
        let byte = if byte == b'\\' { bytes.next().unwrap_or(byte) } else { byte };
        if byte == b'"' || byte == b'\'' {
            break;
        }
        plain.push(byte);
    }
    OsString::from_vec(plain)
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

    fn asked(root: &str, path: &str, native: bool) -> PkgConfig {
        let (_, abi) = Platform::by_triple("aarch64-linux-gnu").unwrap();
        let mut given = Environment::new(vec![c"A=1".to_owned()]);
        assert!(given.set("PKG_CONFIG_PATH", OsStr::new(path)));
        confined("/pkg-config".into(), abi, &Layout::Directory(root.into()), &given, native)
    }

    fn get<'a>(asked: &'a PkgConfig, name: &str) -> &'a str {
        asked.environment.get(name).and_then(|v| v.to_str()).unwrap_or("unset")
    }

    #[test]
    fn the_search_is_in_the_sysroot_and_where_the_caller_says_but_not_in_the_hosts_directories() {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().to_str().unwrap();
        std::fs::create_dir_all(dir.path().join("opt/pc")).unwrap();
        let path = format!("/usr/lib:/src/dep/lib/pkgconfig::{root}/opt/pc:/usr/share/pkgconfig");
        let cross = asked(root, &path, false);
        assert_eq!(get(&cross, "PKG_CONFIG_PATH"), format!("/src/dep/lib/pkgconfig:{root}/opt/pc"));
        assert_eq!(cross.left_out, [Path::new("/usr/lib"), Path::new("/usr/share/pkgconfig")]);
        assert!(cross.is_edited());
        assert_eq!(get(&cross, "PKG_CONFIG_SYSROOT_DIR"), root);
        let places =
            ["lib/aarch64-linux-gnu", "lib64", "lib", "share"].map(|d| format!("{root}/usr/{d}/pkgconfig"));
        assert_eq!(get(&cross, "PKG_CONFIG_LIBDIR"), places.join(":"));
        assert_eq!(get(&cross, "A"), "1");

        let inside = asked(root, &format!("{root}/opt/pc"), false);
        assert!(!inside.is_edited() && inside.left_out.is_empty());
        assert_eq!(get(&asked(root, "/usr/lib/pkgconfig", false), "PKG_CONFIG_PATH"), "unset");

        let native = asked(root, &path, true);
        assert!(native.left_out.is_empty() && native.is_edited());
        let libdir = get(&native, "PKG_CONFIG_LIBDIR");
        assert!(libdir.starts_with("/usr/local/lib/aarch64-linux-gnu/pkgconfig:/usr/local/lib/pkgconfig:"));
        assert!(libdir.ends_with(":/usr/lib/aarch64-linux-gnu/pkgconfig:/usr/share/pkgconfig"));
    }

    #[test]
    fn only_the_sysroots_own_paths_keep_the_sysroot_before_them() {
        let there =
            ["/s/usr/include/a", "/src/dep/include", "/src/my dep/lib", "/usr/include/b", "/usr/local/c"];
        let edit = |text: &str, native| {
            let foreign = Foreign { root: "/s".into(), native };
            let edited = foreign.edit(text.as_bytes(), |path| there.iter().any(|t| Path::new(t) == path));
            String::from_utf8(edited).unwrap()
        };
        for (text, cross, native) in [
            ("-I/s/usr/include/a -lz\n", "-I/s/usr/include/a -lz\n", "-I/s/usr/include/a -lz\n"),
            ("-I/s/src/dep/include \n", "-I/src/dep/include \n", "-I/src/dep/include \n"),
            ("-isystem /s/src/dep/include", "-isystem /src/dep/include", "-isystem /src/dep/include"),
            ("-L/s/src/my\\ dep/lib -lx", "-L/src/my\\ dep/lib -lx", "-L/src/my\\ dep/lib -lx"),
            ("-I/s/usr/include/b\n", "-I/s/usr/include/b\n", "-I/usr/include/b\n"),
            ("-I/s/usr/local/c\n", "-I/s/usr/local/c\n", "-I/usr/local/c\n"),
            ("-I/s/src/new -I/src/other\n", "-I/src/new -I/src/other\n", "-I/src/new -I/src/other\n"),
            ("-I/s/usr/include/new\n", "-I/s/usr/include/new\n", "-I/s/usr/include/new\n"),
            (
                "-DA=\\\"/s/opt/share\\\" -DB=\\\"/s/usr/include/a\\\"\n",
                "-DA=\\\"/opt/share\\\" -DB=\\\"/s/usr/include/a\\\"\n",
                "-DA=\\\"/opt/share\\\" -DB=\\\"/s/usr/include/a\\\"\n",
            ),
            ("/s/src/dep/include\n", "/src/dep/include\n", "/src/dep/include\n"),
            ("1.2.3\n", "1.2.3\n", "1.2.3\n"),
        ] {
            assert_eq!(edit(text, false), cross, "{text}");
            assert_eq!(edit(text, true), native, "{text}");
        }
    }
}
