//! Who owns a file of a root: the databases of dpkg, rpm and apk, read as they are, and what scanners read of a root
//! that has some of its files only. No I/O but reading, through [`Files`]; nothing of the root is executed.
//!
//! | file | what it is |
//! |---|---|
//! | `deb.rs`, `apk.rs`, `rpm/` | a database each |
//! | `package.rs` | what is known about a package |
//! | `owners.rs` | which packages own which files |
//! | `scanners.rs` | what a root without its databases gets, so that scanners find what is in it |
//! | `licence.rs`, `copyright.rs` | licences as SPDX has them, and what Debian's copyright files say |
//! | `distribution.rs`, `purl.rs` | os-release, and the name that a package has for scanners |
//! | `digest.rs` | checksums |
//! | `manifest.rs`, `spdx.rs`, `cyclonedx.rs` | what is in a root, in three forms |
//! | `inventory.rs` | what there is in a root, whether or not anybody looks at its files |
//! | `earlier.rs`, `joined.rs` | what is known of a root that is added to |
//! | `files.rs` | what is asked of a root |
//! | `by_path.rs`, `json.rs` | values by paths; making JSON |

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

pub mod apk;
mod by_path;
pub mod copyright;
mod cyclonedx;
pub mod deb;
mod digest;
mod distribution;
mod earlier;
mod files;
mod inventory;
mod joined;
mod json;
pub mod licence;
mod manifest;
mod owners;
mod package;
mod purl;
pub mod rpm;
pub mod scanners;
mod spdx;

pub use by_path::ByPath;
pub use digest::Digests;
pub use distribution::Distribution;
pub use earlier::{Earlier, EarlierFile};
pub use files::{Bytes, Files};
pub use inventory::{Inventory, Program};
pub use joined::join;
pub use manifest::{Contents, Described, Item, ItemKind, MANIFEST};
pub use owners::{Owner, Owners, owners};
pub use package::{Package, PackageFile, Record, RpmRecord, Source};

/// Why a database of packages can't be read.
#[derive(Debug, thiserror::Error)]
#[error("read the package database {}: {reason}{}", path.display(), remedy.map(|remedy| format!(" ({remedy})")).unwrap_or_default())]
pub struct ReadError {
    /// The file.
    pub path: PathBuf,
    /// What is wrong with it.
    pub reason: String,
    /// What can be done.
    pub remedy: Option<&'static str>,
}

impl ReadError {
    fn new(path: &Path, reason: impl Into<String>, remedy: Option<&'static str>) -> ReadError {
        ReadError { path: path.to_owned(), reason: reason.into(), remedy }
    }
}

/// What the databases of a root have about files that are asked for.
#[derive(Debug, Default)]
pub struct Found {
    /// The packages that are installed; of their files those that may be meant.
    pub packages: Vec<Package>,
    /// The files that were read. None: the root has no database that is known.
    pub databases: Vec<PathBuf>,
    /// dpkg's diversions: by the place that files are diverted from, the place that they are diverted to and the package that they are
    /// not diverted for, or none if it is for all.
    pub diversions: BTreeMap<PathBuf, (PathBuf, Option<String>)>,
}

/// The files that are asked for. A database is searched for their names first, since it may have them in other directories
/// than the root (`/lib` of a merged `/usr`).
#[derive(Debug, Default)]
pub struct Wanted {
    names: BTreeSet<Vec<u8>>,
}

impl Wanted {
    /// The files at some paths.
    pub fn new<'a>(paths: impl IntoIterator<Item = &'a Path>) -> Wanted {
        let mut wanted = Wanted::default();
        paths.into_iter().for_each(|path| wanted.add(path));
        wanted
    }

    fn add(&mut self, path: &Path) {
        self.names.extend(path.file_name().map(|name| name.as_bytes().to_vec()));
    }

    fn has_name(&self, name: &[u8]) -> bool {
        self.names.contains(name)
    }

    fn has(&self, path: &[u8]) -> bool {
        path.rsplit(|byte| *byte == b'/').next().is_some_and(|name| self.has_name(name))
    }
}

/// The path that a database has as bytes.
fn path_of(bytes: &[u8]) -> PathBuf {
    PackageFile::new(bytes, false).path
}

/// The lines of a text, without their ends.
fn lines(text: &[u8]) -> impl Iterator<Item = &[u8]> {
    text.split(|byte| *byte == b'\n')
}

/// The name of a file in a directory that has the names of packages, if it is one.
fn is_plain(name: &str) -> bool {
    !name.is_empty() && !name.starts_with('.') && Path::new(name).file_name() == Some(OsStr::new(name))
}
