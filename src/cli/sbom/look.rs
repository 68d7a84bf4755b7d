//! Which files of a root are started or loaded, and what they say that they were made of.

use std::io;
use std::path::{Path, PathBuf};

use crate::cli::verify::walk;
use crate::elf::Header;
use crate::error::{Error, one_line};
use crate::packages::{Digests, Inventory, Package, Program, Record};
use crate::platform::Platform;
use crate::rootfs::{Kind, Root};
use crate::verify::{Crate, Facts, Go, Module, is_given_to_others, is_started};

/// A file that somebody may start, or load.
pub(super) struct File {
    pub(super) path: PathBuf,
    pub(super) modified: i64,
    is_executable: bool,
}

/// What a file was made of.
struct Made {
    /// The version of the program's own part.
    version: String,
    licence: Option<String>,
    parts: Vec<Package>,
}

/// Directories of programs, by their names.
const OF_PROGRAMS: [&str; 2] = ["bin", "sbin"];
/// Where a script says what its licence is (SPDX 2.3, annex E): in its first lines.
const LICENCE: &str = "SPDX-License-Identifier:";
const LONGEST_HEAD: u64 = 4096;

/// The files that are started or loaded. An error if some of the root can't be looked at: what is there would be missing.
pub(super) fn files(root: &Root) -> Result<Vec<File>, Error> {
    let mut files = Vec::new();
    let mut failed = None;
    walk(root, &mut |path, found| {
        let path = Path::new("/").join(path);
        match found {
            Ok(found) if found.kind == Kind::File && is_started(&path, found.mode) => {
                files.push(File { path, modified: found.modified.0, is_executable: found.mode & 0o111 != 0 })
            }
            Ok(_) => {}
            Err(error) => failed = failed.take().or(Some(unseen(&path, &error))),
        }
    });
    failed.map_or(Ok(files), Err)
}

/// A file or directory that can't be looked at.
fn unseen(path: &Path, error: &io::Error) -> Error {
    let remedy = match error.kind() {
        io::ErrorKind::PermissionDenied => " (run it as root: docker run --entrypoint gb IMAGE sbom)",
        _ => "",
    };
    Error::Usage(format!("look at {}: {error}{remedy}", one_line(&path.to_string_lossy())))
}

impl File {
    /// What it is; none if there is nothing to say beside what its package says.
    pub(super) fn program(&self, root: &Root, inventory: &Inventory) -> Result<Option<Program>, Error> {
        let failed = |error: io::Error| unseen(&self.path, &error);
        let file = root.open_regular(&self.path).map_err(failed)?;
        let header = Header::of(&file).ok();
        let mut made = match &header {
            Some(header) if header.is_loaded() => {
                let go = Facts::read(&file).ok().and_then(|facts| facts.go);
                let crates = || Crate::read(&file, header);
                go.map(|go| of_go(&go)).or_else(|| crates().map(of_crates))
            }
            _ => None,
        };
        if made.is_none() {
            let is_own = match &header {
                Some(header) => {
                    header.is_loaded() && !is_in_sysroot(&self.path) && !is_given_to_others(&self.path)
                }
                None => self.is_executable && is_in_directory_of_programs(&self.path),
            };
            if !is_own || inventory.is_owned(&self.path) {
                return Ok(None);
            }
            let head = file.read_part(0, LONGEST_HEAD).map_err(failed)?;
            let licence = header.is_none().then(|| licence(&String::from_utf8_lossy(&head))).flatten();
            made = Some(Made { version: String::new(), licence, parts: Vec::new() });
        }
        let Some(Made { version, licence, parts }) = made else { return Ok(None) };
        let sha256 = Digests::of(&mut file.reader(), false).map_err(failed)?.sha256;
        let name = self.path.file_name().unwrap_or_default().to_string_lossy();
        let mut package = Package::named(&name, &version, Record::Program { sha256 });
        package.licence = licence;
        Ok(Some(Program { path: self.path.clone(), package, parts }))
    }
}

/// Whether a file is in the directory of a target, which is of the packages that are recorded there.
fn is_in_sysroot(path: &Path) -> bool {
    let below = path.strip_prefix("/usr").ok().and_then(|below| below.iter().next()?.to_str());
    below.is_some_and(|name| Platform::by_triple(name).is_some())
}

fn is_in_directory_of_programs(path: &Path) -> bool {
    let directory = path.parent().and_then(Path::file_name);
    OF_PROGRAMS.iter().any(|name| directory == Some(name.as_ref()))
}

/// The licence that a script says is its.
fn licence(head: &str) -> Option<String> {
    let said = head.lines().find_map(|line| line.split_once(LICENCE))?.1.trim();
    Some(said.to_owned()).filter(|said| !said.is_empty())
}

/// What Go has built: its modules, with the standard library; Go's own programs are of its toolchain.
fn of_go(go: &Go) -> Made {
    let mut parts: Vec<Package> = go.module.iter().chain(&go.dependencies).map(module).collect();
    let words = go.version.split(' ').map(|word| word.strip_prefix("go"));
    let version = words.flatten().next().unwrap_or(&go.version);
    let own = parts.first().filter(|_| go.module.is_some()).map(|module| module.version.clone());
    let is_gos = go.module.is_none() && go.path.as_ref().is_some_and(|path| path.starts_with("cmd/"));
    // The names that Go's own database of vulnerabilities has for these (go.dev/doc/security/vuln/database).
    for name in ["stdlib"].into_iter().chain(is_gos.then_some("toolchain")) {
        let mut package = Package::named(name, version, Record::Golang { sum: None });
        package.licence = Some("BSD-3-Clause".to_owned());
        package.supplier = Some("The Go Authors".to_owned());
        package.homepage = Some("https://go.dev/".to_owned());
        parts.push(package);
    }
    let licence = is_gos.then(|| "BSD-3-Clause".to_owned());
    let own = if is_gos { Some(version.to_owned()) } else { own };
    Made { version: own.unwrap_or_default(), licence, parts }
}

/// A module, or what stands in its place. What is in a directory instead has no version.
fn module(module: &Module) -> Package {
    let (path, version, sum) = match module.replaced_by.as_deref() {
        Some(other) if is_released(&other.version) => (&other.path, other.version.as_str(), &other.sum),
        Some(_) => (&module.path, "", &String::new()),
        None => (&module.path, module.version.as_str(), &module.sum),
    };
    let version = if is_released(version) { version } else { "" };
    Package::named(path, version, Record::Golang { sum: Some(sum.clone()).filter(|sum| !sum.is_empty()) })
}

/// Whether a version is one, and not what Go says of a tree of somebody's own.
fn is_released(version: &str) -> bool {
    !version.is_empty() && version != "(devel)"
}

fn of_crates(crates: Vec<Crate>) -> Made {
    let mut made = Made { version: String::new(), licence: None, parts: Vec::new() };
    for Crate { name, version, is_root } in crates {
        let mut package = Package::named(&name, &version, Record::Cargo);
        if is_root {
            // What this program knows of itself.
            if (name.as_str(), version.as_str()) == (env!("CARGO_PKG_NAME"), env!("CARGO_PKG_VERSION")) {
                package.licence = Some(env!("CARGO_PKG_LICENSE").to_owned());
            }
            made.licence.clone_from(&package.licence);
            made.version = version;
        }
        made.parts.push(package);
    }
    made
}
