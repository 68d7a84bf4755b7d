//! Where the target's C library is: the search, and the check that it can be built against.

use std::ffi::{OsStr, OsString};
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Component, Path, PathBuf};

use crate::file;
use crate::platform::{Abi, Platform};

/// A C library with its headers and start files, complete enough to compile and link for one ABI.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Sysroot {
    /// How it is laid out, which decides what the compiler must be told.
    pub layout: Layout,
    /// The directory of `crt1.o` and `libc.so`.
    pub lib: PathBuf,
    /// The directory of `libgcc.a`.
    pub libgcc: PathBuf,
}

/// The three ways in which a target's files lie on a machine.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Layout {
    /// A root of its own.
    Directory(PathBuf),
    /// Debian's cross packages (`libc6-dev-arm64-cross`): `/usr/<triple>` and `/usr/lib/gcc-cross/<triple>`.
    ///
    /// They are no sysroot: libc.so names absolute paths outside of it, and libgcc lies elsewhere. Clang finds all
    /// parts when no sysroot is given.
    DebianCross(&'static str),
    /// The running system's own root (for a foreign target: Debian's multiarch packages, `libc6-dev:arm64`).
    System,
}

/// Why there is nothing to build against for a target: every place that was looked at, with what it lacks.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("no usable sysroot for {triple}: {} ({remedy})", places(.tried))]
pub struct NoSysroot {
    /// The target.
    pub triple: &'static str,
    /// The places, and what each lacks.
    pub tried: Vec<(PathBuf, String)>,
    remedy: String,
}

fn places(tried: &[(PathBuf, String)]) -> String {
    tried.iter().map(|(path, lack)| format!("{}: {lack}", shown(path))).collect::<Vec<_>>().join("; ")
}

/// A path in a message, no longer than a line. (Its control characters are left out where messages are written.)
fn shown(path: &Path) -> String {
    const LENGTH: usize = 200;
    let text = path.to_string_lossy();
    match text.char_indices().nth(LENGTH) {
        Some((end, _)) => format!("{}…", text.get(..end).unwrap_or_default()),
        None => text.into_owned(),
    }
}

impl NoSysroot {
    /// What GB_SYSROOT names is none.
    fn named(platform: &Platform, abi: &Abi, dir: &Path, lack: String) -> NoSysroot {
        NoSysroot {
            triple: abi.triple,
            tried: vec![(dir.into(), lack)],
            remedy: format!(
                "set GB_SYSROOT to a sysroot of {}{}, or unset it",
                if abi.is_windows() { "windows/" } else { "" },
                platform.goarch
            ),
        }
    }
}

impl Sysroot {
    /// Looks for a usable sysroot: `GB_SYSROOT` alone if it is set, else `/usr/<triple>/sys-root`, Debian's cross
    /// packages, and the system's own root.
    pub fn find(
        platform: &'static Platform,
        abi: &'static Abi,
        gb_sysroot: Option<&OsStr>,
    ) -> Result<Sysroot, NoSysroot> {
        if let Some(dir) = gb_sysroot {
            let dir = Path::new(dir);
            let layout = if dir == Path::new("/") { Layout::System } else { Layout::Directory(dir.into()) };
            let result = check_words(dir).and_then(|()| check(layout, platform, abi));
            return result.map_err(|lack| NoSysroot::named(platform, abi, dir, lack));
        }
        let mut tried = Vec::new();
        let own_root = Layout::Directory(format!("/usr/{}/sys-root", abi.triple).into());
        let others = [Layout::DebianCross(abi.triple), Layout::System];
        for layout in std::iter::once(own_root).chain(others.into_iter().filter(|_| !abi.is_windows())) {
            let place = layout.place();
            match check(layout, platform, abi) {
                Ok(sysroot) => return Ok(sysroot),
                Err(lack) => tried.push((place, lack)),
            }
        }
        let place = format!("put one at /usr/{}/sys-root as the go-build image has it", abi.triple);
        let remedy = match Some(platform) == Platform::host() {
            _ if abi.is_windows() => format!("{place}, or set GB_SYSROOT"),
            true => format!("{place}, or apt-get install build-essential, or set GB_SYSROOT"),
            // lld does not link for it, so Debian's libraries alone are no use.
            false if !platform.cgo => {
                format!(
                    "apt-get install {0}, and say CC={1}-gcc: gb has no compiler for {2}",
                    abi.debian_compiler(),
                    abi.triple,
                    platform.goarch
                )
            }
            false => format!("{place}, or apt-get install {}, or set GB_SYSROOT", abi.debian_compiler()),
        };
        Err(NoSysroot { triple: abi.triple, tried, remedy })
    }

    /// Checks the words of GB_SYSROOT, where it is set, and looks at no file.
    pub fn check_name(
        platform: &'static Platform,
        abi: &'static Abi,
        gb_sysroot: Option<&OsStr>,
    ) -> Result<(), NoSysroot> {
        let Some(dir) = gb_sysroot.map(Path::new) else { return Ok(()) };
        check_words(dir).map_err(|lack| NoSysroot::named(platform, abi, dir, lack))
    }

    /// The root to give to the compiler and to pkg-config; `None` where they must look without one.
    pub fn root(&self) -> Option<&Path> {
        match &self.layout {
            Layout::Directory(root) => Some(root),
            Layout::DebianCross(_) | Layout::System => None,
        }
    }

    /// The directory below which a foreign program's loader and libraries are found (`qemu -L`, `QEMU_LD_PREFIX`).
    pub fn loader_prefix(&self) -> Option<PathBuf> {
        match self.layout {
            Layout::System => None,
            _ => Some(self.layout.place()),
        }
    }

    /// The directories in which an ld of the target looks for libraries, after those that it is told of (the SEARCH_DIRs
    /// of `ld --verbose`).
    pub(super) fn library_directories(&self, abi: &Abi) -> Vec<PathBuf> {
        let root = self.layout.place();
        if let Layout::DebianCross(_) = self.layout {
            return vec![root.join("lib")];
        }
        if abi.is_windows() {
            return vec![self.lib.clone(), self.libgcc.clone()];
        }
        let multiarch = format!("lib/{}", abi.multiarch);
        [multiarch.as_str(), "lib64", "lib"]
            .iter()
            .flat_map(|dir| [root.join(dir), root.join("usr").join(dir)])
            .collect()
    }

    /// The directories that hold what a compilation against this sysroot can read, links resolved.
    pub fn trees(&self, abi: &Abi) -> Vec<PathBuf> {
        let mut trees = match &self.layout {
            Layout::Directory(root) => vec![root.clone(), root.join("usr/include")],
            Layout::DebianCross(_) => vec![self.layout.place(), "/usr/include".into()],
            Layout::System => vec![
                "/usr/include".into(),
                "/usr/local/include".into(),
                format!("/usr/local/lib/{}", abi.multiarch).into(),
            ],
        };
        trees.extend([self.lib.clone(), self.libgcc.clone()]);
        let mut resolved: Vec<PathBuf> = Vec::new();
        for tree in trees.iter().filter_map(|tree| tree.canonicalize().ok()) {
            if !resolved.iter().any(|outer| tree.starts_with(outer)) {
                resolved.push(tree);
            }
        }
        resolved
    }
}

impl Layout {
    /// The directory to name in messages, and the one that a foreign loader's path is relative to.
    pub(super) fn place(&self) -> PathBuf {
        match self {
            Layout::Directory(root) => root.clone(),
            Layout::DebianCross(triple) => Path::new("/usr").join(triple),
            Layout::System => "/".into(),
        }
    }
}

/// What no path of a sysroot is: the words of a variable that was not set, or of several.
fn check_words(dir: &Path) -> Result<(), String> {
    let bytes = dir.as_os_str().as_bytes();
    if !dir.is_absolute() {
        return Err("not an absolute path".to_owned());
    }
    if bytes.windows(2).any(|pair| pair == b"//") {
        return Err("a part of the path is empty".to_owned());
    }
    if bytes.iter().any(u8::is_ascii_control) {
        return Err("a control character is in the path".to_owned());
    }
    Ok(())
}

/// Checks that headers, start files, libc, its loader, and libgcc are there and are of the right machine.
///
/// The error is what is missing, for a message that names the place before it.
fn check(layout: Layout, platform: &'static Platform, abi: &'static Abi) -> Result<Sysroot, String> {
    let root = layout.place();
    let (includes, libs, libgccs) = match &layout {
        Layout::DebianCross(triple) => (
            vec![root.join("include")],
            vec![root.join("lib")],
            vec![Path::new("/usr/lib/gcc-cross").join(triple)],
        ),
        Layout::Directory(_) | Layout::System => {
            let usr = root.join("usr");
            (
                vec![usr.join("include").join(abi.multiarch), usr.join("include")],
                vec![usr.join("lib").join(abi.multiarch), usr.join("lib64"), usr.join("lib")],
                vec![usr.join("lib/gcc").join(abi.multiarch)],
            )
        }
    };
    match std::fs::metadata(&root) {
        Ok(metadata) if metadata.is_dir() => {}
        Ok(_) => return Err("not a directory".to_owned()),
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err("permission denied".to_owned());
        }
        Err(_) => return Err("no such directory".to_owned()),
    }
    if abi.is_windows() {
        return check_windows(layout, platform, abi);
    }
    for header in ["stdio.h", "bits/libc-header-start.h"] {
        if !any(&includes, header)? {
            let musl = if has_musl(&root) { ": it is one of musl, and gb builds against glibc" } else { "" };
            return Err(format!("no C headers for {} ({header}){musl}", platform.goarch));
        }
    }
    let lib = library_directory(libs, platform)?;
    if !any(std::slice::from_ref(&lib), "libc.so")? && !any(std::slice::from_ref(&lib), "libc.a")? {
        return Err(format!("no libc in {}", lib.display()));
    }
    // libc.so is a linker script that names the loader; the loader's name also tells the ABIs of ARM apart.
    let loader = Path::new(abi.loader);
    if let (Layout::Directory(_), Some(Component::Normal(top))) = (&layout, loader.components().nth(1)) {
        // A root of its own whose /lib is the machine's.
        let top = root.join(top);
        if let Some(target) = top.read_link().ok().filter(|target| target.is_absolute()) {
            return Err(absolute_link(&top, &target));
        }
    }
    let within = root.join(loader.strip_prefix("/").unwrap_or(loader));
    let loader_found = match (&layout, loader.file_name()) {
        (Layout::DebianCross(_), Some(name)) => is_there(&lib.join(name))? || is_there(&within)?,
        (Layout::Directory(_), _) => is_there(&within)?,
        (Layout::System | Layout::DebianCross(_), _) => loader.exists(),
    };
    if !loader_found {
        return Err(format!("no loader {}", abi.loader));
    }
    let libgcc = libgcc(libgccs, &root, platform, abi);
    let libgcc = libgcc.ok_or_else(|| format!("no libgcc for {}", platform.goarch))?;
    Ok(Sysroot { layout, lib, libgcc })
}

/// The same for Windows: the headers, start files and libraries of mingw-w64, and libgcc.
fn check_windows(layout: Layout, platform: &'static Platform, abi: &'static Abi) -> Result<Sysroot, String> {
    let root = layout.place();
    let lib = root.join("lib");
    for (dir, name) in [("include", "windows.h"), ("lib", "crt2.o"), ("lib", "libmingwex.a")] {
        if !is_there(&root.join(dir).join(name))? {
            return Err(format!("no {dir}/{name} of mingw-w64"));
        }
    }
    let libgcc = libgcc(vec![lib.join("gcc").join(abi.triple)], &root, platform, abi);
    let libgcc = libgcc.ok_or_else(|| format!("no libgcc for {}", abi.triple))?;
    Ok(Sysroot { layout, lib, libgcc })
}

/// The directory in a root that has lib and include.
pub(super) fn prefix(root: &Path, abi: &Abi) -> PathBuf {
    if abi.is_windows() { root.to_owned() } else { root.join("usr") }
}

/// The directory of the start files that are for the target: a root may have those of other machines beside them.
fn library_directory(dirs: Vec<PathBuf>, platform: &'static Platform) -> Result<PathBuf, String> {
    let mut error = None;
    for dir in dirs {
        let start = dir.join("crt1.o");
        if is_there(&start)? {
            match check_machine(&start, platform) {
                Ok(()) => return Ok(dir),
                Err(other) => error = error.or(Some(other)),
            }
        }
    }
    Err(error.unwrap_or_else(|| format!("no start files for {} (crt1.o)", platform.goarch)))
}

/// Whether a root has musl's loader, which Alpine and others have in glibc's stead.
fn has_musl(root: &Path) -> bool {
    std::fs::read_dir(root.join("lib")).is_ok_and(|mut list| {
        list.any(|entry| entry.is_ok_and(|entry| entry.file_name().as_bytes().starts_with(b"ld-musl-")))
    })
}

fn any(dirs: &[PathBuf], name: &str) -> Result<bool, String> {
    for dir in dirs {
        if is_there(&dir.join(name))? {
            return Ok(true);
        }
    }
    Ok(false)
}

/// Whether a file is there; one that is an absolute link is as good as missing, since compilers and linkers follow it
/// out of the sysroot, to the host's file.
fn is_there(path: &Path) -> Result<bool, String> {
    let metadata = match path.symlink_metadata() {
        Ok(metadata) => metadata,
        Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
            return Err(format!("{}: permission denied (chmod -R a+rX)", path.display()));
        }
        Err(_) => return Ok(false),
    };
    if !metadata.is_symlink() {
        return Ok(true);
    }
    match std::fs::read_link(path) {
        Ok(target) if target.is_absolute() => Err(absolute_link(path, &target)),
        _ => Ok(path.exists()),
    }
}

fn absolute_link(path: &Path, target: &Path) -> String {
    format!("{} is an absolute link to {} (make it relative)", path.display(), target.display())
}

/// The directory of libgcc.a. Distributions name it after their own triple: `aarch64-linux-gnu`, `aarch64-redhat-linux`.
fn libgcc(places: Vec<PathBuf>, root: &Path, platform: &Platform, abi: &Abi) -> Option<PathBuf> {
    let versioned = |place: &Path| {
        let versions = subdirectories(place).into_iter().filter(|dir| dir.join("libgcc.a").exists());
        versions.max_by_key(|dir| version_of(dir))
    };
    if let Some(found) = places.iter().find_map(|place| versioned(place)) {
        return Some(found);
    }
    let places = subdirectories(&root.join("usr/lib/gcc"));
    let cpu = abi.triple.split('-').next().unwrap_or(abi.triple);
    let of_this_cpu = |dir: &&PathBuf| {
        let name = dir.file_name().and_then(OsStr::to_str).and_then(|name| name.split('-').next());
        name == Some(cpu) || name.is_some_and(|name| platform.uname.contains(&name))
    };
    places.iter().filter(of_this_cpu).find_map(|place| versioned(place))
}

fn subdirectories(dir: &Path) -> Vec<PathBuf> {
    std::fs::read_dir(dir).map(|list| list.flatten().map(|e| e.path()).collect()).unwrap_or_default()
}

fn version_of(dir: &Path) -> Vec<u32> {
    let name = dir.file_name().and_then(OsStr::to_str).unwrap_or_default();
    name.split('.').map_while(|part| part.parse().ok()).collect()
}

fn check_machine(file: &Path, platform: &'static Platform) -> Result<(), String> {
    let cannot = |cause: String| format!("{}: {cause}", file.display());
    let head = file::read_part(file, 0, 64).map_err(|error| cannot(error.to_string()))?;
    match Platform::by_elf_header(&head) {
        Some(found) if found == platform => Ok(()),
        Some(found) => Err(cannot(format!("for {}, not for {}", found.goarch, platform.goarch))),
        None => Err(cannot(format!("not an ELF file for {}", platform.goarch))),
    }
}

/// The words that tell the compiler about a sysroot.
pub(super) fn sysroot_flag(root: &Path) -> OsString {
    let mut flag = OsString::from("--sysroot=");
    flag.push(root);
    flag
}
