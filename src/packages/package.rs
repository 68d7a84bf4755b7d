//! What is known about a package, whichever package manager has installed it.

use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;
use std::path::PathBuf;

/// The architecture of Debian's source packages.
pub const SOURCE: &str = "source";

/// An installed package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Package {
    /// Its name.
    pub name: String,
    /// Its version with the release: Debian's with an epoch where it has one, rpm's without.
    pub version: String,
    /// The architecture, in the package manager's spelling; none for keys that rpm keeps as packages.
    pub architecture: Option<String>,
    /// What it was built from, where that has another name or version, or rpm says it anyway.
    pub source: Option<Source>,
    /// The licence, as the database has it. Debian's has none: there it is in the copyright file.
    pub licence: Option<String>,
    /// Who has made the package, or maintains it.
    pub supplier: Option<String>,
    /// Where the program has a page.
    pub homepage: Option<String>,
    /// Those of its files that were asked for, and its licences.
    pub files: Vec<PackageFile>,
    /// What only this package manager has.
    pub record: Record,
}

/// The source package of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Its name.
    pub name: String,
    /// Its version, if it is not the package's.
    pub version: Option<String>,
}

/// A file of a package.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct PackageFile {
    /// Its path as the database has it: absolute, and not always the place where the root has it.
    pub path: PathBuf,
    /// The MD5 sum that Debian's packages tell.
    pub md5: Option<String>,
    /// Whether the package says that it is a licence.
    pub is_licence: bool,
}

/// What the database of one package manager has.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Record {
    /// dpkg: the paragraph of the status file, and whether packages of several architectures may be installed together.
    Deb {
        /// The paragraph, with a line feed at its end.
        stanza: Vec<u8>,
        /// Multi-Arch: same.
        is_multi_arch: bool,
    },
    /// rpm: numbers of the header.
    Rpm(RpmRecord),
    /// apk: the paragraph of the list of installed packages, without its files.
    Apk {
        /// The lines, with a line feed at the end.
        stanza: Vec<u8>,
        /// The lines about files: directories, each with its files.
        files: Vec<u8>,
    },
    /// A module of Go's, or Go's standard library or toolchain, which programs are made of.
    Golang {
        /// Its checksum, as go.sum has it.
        sum: Option<String>,
    },
    /// A crate of Rust's, which programs are made of.
    Cargo,
    /// A program, or another file that is started or loaded, of no package manager.
    Program {
        /// SHA-256, in hexadecimal digits.
        sha256: String,
    },
}

/// What rpm has of a package.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RpmRecord {
    /// The epoch, if there is one.
    pub epoch: Option<u32>,
    /// When it was installed, in seconds since 1970.
    pub install_time: Option<u64>,
    /// When it was built.
    pub build_time: Option<u64>,
    /// How many bytes its files have.
    pub size: Option<u64>,
    /// The file name of the source package.
    pub source_rpm: Option<String>,
    /// The module that it belongs to (RHEL 8).
    pub modularity: Option<String>,
}

impl PackageFile {
    /// A file by its path in a database, where not all have a slash at their beginning.
    pub(super) fn new(path: &[u8], is_licence: bool) -> PackageFile {
        let relative = path.iter().position(|byte| *byte != b'/').and_then(|start| path.get(start..));
        let path = [b"/", relative.unwrap_or_default()].concat();
        PackageFile { path: PathBuf::from(OsStr::from_bytes(&path)), md5: None, is_licence }
    }
}

impl Package {
    /// The package manager, as scanners name it: the type of a package URL.
    pub fn kind(&self) -> &'static str {
        match self.record {
            Record::Deb { .. } => "deb",
            Record::Rpm(_) => "rpm",
            Record::Apk { .. } => "apk",
            Record::Golang { .. } => "golang",
            Record::Cargo => "cargo",
            Record::Program { .. } => "generic",
        }
    }

    /// Whether a distribution's package manager has it.
    pub fn is_distributions(&self) -> bool {
        matches!(self.record, Record::Deb { .. } | Record::Rpm(_) | Record::Apk { .. })
    }

    /// What is known by a name and a version alone.
    pub fn named(name: &str, version: &str, record: Record) -> Package {
        Package {
            name: name.to_owned(),
            version: version.to_owned(),
            architecture: None,
            source: None,
            licence: None,
            supplier: None,
            homepage: None,
            files: Vec::new(),
            record,
        }
    }

    /// What tells it from others, and its place among them: kind, name, architecture and version.
    pub fn key(&self) -> (u8, &str, Option<&str>, &str) {
        let kind = match self.record {
            Record::Deb { .. } => 0,
            Record::Rpm(_) => 1,
            Record::Apk { .. } => 2,
            Record::Golang { .. } => 3,
            Record::Cargo => 4,
            Record::Program { .. } => 5,
        };
        (kind, &self.name, self.architecture.as_deref(), &self.version)
    }

    /// Whether the other one is this package too, of whichever version.
    pub fn is_version_of(&self, other: &Package) -> bool {
        let ((kind, name, architecture, _), other) = (self.key(), other.key());
        (kind, name, architecture) == (other.0, other.1, other.2)
    }

    /// The name, with the architecture where dpkg needs it to tell packages apart.
    pub fn label(&self) -> String {
        match (&self.record, &self.architecture) {
            (Record::Deb { is_multi_arch: true, .. }, Some(architecture)) => {
                format!("{}:{architecture}", self.name)
            }
            _ => self.name.clone(),
        }
    }
}

/// A text of a database. All of them are UTF-8 but for some old packages, whose other bytes are replaced.
pub(super) fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).trim().to_owned()
}
