//! The database of rpm, in each of the formats that it has had. Nothing of the root is executed.
//!
//! | file | what it is |
//! |---|---|
//! | `header.rs` | what is known about one package |
//! | `sqlite.rs`, `wal.rs` | rpmdb.sqlite, and what was written to it last |
//! | `ndb.rs` | Packages.db |
//! | `berkeley.rs` | Packages |
//! | `pages.rs` | what these share |

use std::io;
use std::path::{Path, PathBuf};

pub mod berkeley;
pub mod header;
pub mod ndb;
mod pages;
pub mod sqlite;
mod wal;

use header::{Header, HeaderError, Tag};
pub use pages::DatabaseError;
use sqlite::{Sqlite, Value};

use super::files::{Files, is_missing, resolved};
use super::package::{Package, PackageFile, Record, RpmRecord, Source, text};
use super::{Found, ReadError, Wanted};

/// Where rpm keeps its database: RHEL up to 9, SUSE and Fedora, ostree. One may be a link to another.
const DIRECTORIES: [&str; 3] = ["/usr/lib/sysimage/rpm", "/var/lib/rpm", "/usr/share/rpm"];

/// More packages than any system has.
const MOST_PACKAGES: usize = 1 << 18;

/// Who has to read what can't be read here.
const REMEDY: &str = "rpm --rebuilddb in the root may mend it, or writes it in a format that is known";

/// Bits of FILEFLAGS.
const IS_LICENSE: u64 = 1 << 7;

/// Reads the databases of a root, if it has any.
pub(super) fn read(files: &dyn Files, wanted: &Wanted, found: &mut Found) -> Result<(), ReadError> {
    let mut seen: Vec<PathBuf> = Vec::new();
    for directory in DIRECTORIES {
        let directory = resolved(files, Path::new(directory))?.filter(|path| !seen.contains(path));
        let Some(directory) = directory else { continue };
        // Where more than one is there, rpm has turned one into the other, the newer format.
        for name in ["rpmdb.sqlite", "Packages.db", "Packages"] {
            let path = directory.join(name);
            let file = match files.open(&path) {
                Ok(file) => file,
                Err(error) if is_missing(&error) => continue,
                Err(error) => return Err(ReadError::new(&path, error.to_string(), None)),
            };
            let mut add = |blob: &[u8]| {
                if found.packages.len() >= MOST_PACKAGES {
                    return pages::wrong(format!("it has more than {MOST_PACKAGES} packages"));
                }
                let package = package(blob, wanted);
                found.packages.push(package.map_err(|error| DatabaseError::Format(error.to_string()))?);
                Ok(())
            };
            match name {
                "rpmdb.sqlite" => sqlite_headers(files, &path, &file, &mut add),
                "Packages.db" => ndb::headers(&file, &mut add),
                _ => berkeley::headers(&file, &mut add),
            }
            .map_err(|error| ReadError::new(&path, error.to_string(), Some(REMEDY)))?;
            found.databases.push(path);
            break;
        }
        seen.push(directory);
    }
    Ok(())
}

/// The headers in rpmdb.sqlite.
fn sqlite_headers(
    files: &dyn Files,
    path: &Path,
    file: &std::fs::File,
    visit: &mut dyn FnMut(&[u8]) -> pages::Result<()>,
) -> pages::Result<()> {
    let beside = |ending: &str| {
        let mut name = path.as_os_str().to_owned();
        name.push(ending);
        match files.open(Path::new(&name)) {
            Ok(file) => Ok(Some(file)),
            Err(error) if is_missing(&error) => Ok(None),
            Err(error) => Err(io::Error::new(error.kind(), format!("{ending} beside it: {error}"))),
        }
    };
    // A journal that begins so has what has to be put back first; an ended one is empty, or zero.
    if let Some(journal) = beside("-journal")? {
        let mut magic = [0; 8];
        let is_there = super::files::Bytes::fill(&journal, 0, &mut magic).is_ok();
        if is_there && magic == [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7] {
            return pages::wrong("a transaction was not finished, and is in its journal");
        }
    }
    let log = beside("-wal")?;
    let log = log.as_ref().map(|log| log as &dyn super::files::Bytes);
    let database = Sqlite::open(file, log)?;
    let is_there = database.rows("Packages", &mut |row| match row.get(1) {
        Some(Value::Bytes(blob)) => visit(blob),
        _ => pages::wrong("a row of its table Packages has no header"),
    })?;
    match is_there {
        true => Ok(()),
        false => pages::wrong("it has no table Packages"),
    }
}

/// What a header says of a package.
pub(super) fn package(blob: &[u8], wanted: &Wanted) -> Result<Package, HeaderError> {
    let header = Header::parse(blob)?;
    let string = |tag| Ok::<_, HeaderError>(header.text(tag)?.map(text).filter(|text| !text.is_empty()));
    let version = string(Tag::VERSION)?.unwrap_or_default();
    let release = string(Tag::RELEASE)?.unwrap_or_default();
    let source_rpm = string(Tag::SOURCERPM)?.filter(|name| name != "(none)");
    let size = match header.number(Tag::LONGSIZE)? {
        Some(size) => Some(size),
        None => header.number(Tag::SIZE)?,
    };
    Ok(Package {
        name: string(Tag::NAME)?.unwrap_or_default(),
        version: format!("{version}-{release}"),
        architecture: string(Tag::ARCH)?,
        source: source_rpm.as_deref().and_then(source),
        licence: string(Tag::LICENSE)?,
        supplier: string(Tag::VENDOR)?,
        homepage: string(Tag::URL)?,
        files: package_files(&header, wanted)?,
        record: Record::Rpm(RpmRecord {
            epoch: header.number(Tag::EPOCH)?.and_then(|epoch| u32::try_from(epoch).ok()),
            install_time: header.number(Tag::INSTALLTIME)?,
            build_time: header.number(Tag::BUILDTIME)?,
            size,
            source_rpm,
            modularity: string(Tag::MODULARITYLABEL)?,
        }),
    })
}

/// The name and version in the file name of a source package.
fn source(file_name: &str) -> Option<Source> {
    let (rest, _architecture) = file_name.strip_suffix(".rpm")?.rsplit_once('.')?;
    let (rest, release) = rest.rsplit_once('-')?;
    let (name, version) = rest.rsplit_once('-')?;
    Some(Source { name: name.to_owned(), version: Some(format!("{version}-{release}")) })
}

/// Those of a package's files that are wanted, and its licences; without those that were not installed, or replaced by others'.
fn package_files(header: &Header<'_>, wanted: &Wanted) -> Result<Vec<PackageFile>, HeaderError> {
    let states = header.numbers(Tag::FILESTATES)?;
    let flags = header.numbers(Tag::FILEFLAGS)?;
    let directories = header.texts(Tag::DIRNAMES)?;
    let indexes = header.numbers(Tag::DIRINDEXES)?;
    let names = header.texts(Tag::BASENAMES)?;
    let mut files = Vec::new();
    let mut add = |place: usize, path: &dyn Fn() -> Vec<u8>, name: &[u8]| {
        // 0 normal, 3 on a shared disk; 1 replaced, 2 not installed, 4 of another word size (rpmfileState).
        let is_there = matches!(states.get(place), None | Some(0 | 3));
        let is_licence = flags.get(place).is_some_and(|flags| flags & IS_LICENSE != 0);
        if is_there && (is_licence || wanted.has_name(name)) {
            files.push(PackageFile::new(&path(), is_licence));
        }
    };
    for (place, (name, index)) in names.iter().zip(&indexes).enumerate() {
        let directory = usize::try_from(*index).ok().and_then(|index| directories.get(index));
        let Some(directory) = directory else {
            return Err(HeaderError::Outside { tag: Tag::DIRINDEXES.0 });
        };
        add(place, &|| [directory, *name].concat(), name);
    }
    if names.is_empty() {
        // rpm 3 had the paths in one list.
        for (place, path) in header.texts(Tag::OLDFILENAMES)?.iter().enumerate() {
            let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
            add(place, &|| path.to_vec(), name);
        }
    }
    Ok(files)
}

#[cfg(test)]
mod tests {
    use super::header::tests::header;
    use super::*;

    fn numbers(numbers: &[u32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_be_bytes()).collect()
    }

    #[test]
    fn files_that_were_not_installed_are_not_a_packages() {
        let blob = header(&[
            (Tag::NAME, 6, 1, b"glibc\0"),
            (Tag::VERSION, 6, 1, b"2.34\0"),
            (Tag::RELEASE, 6, 1, b"100.el9\0"),
            (Tag::EPOCH, 4, 1, &numbers(&[2])),
            (Tag::SOURCERPM, 6, 1, b"glibc-core-2.34-100.el9.src.rpm\0"),
            (Tag::BASENAMES, 8, 4, b"libc.so.6\0libm.so.6\0COPYING\0README\0"),
            (Tag::DIRNAMES, 8, 2, b"/lib64/\0/usr/share/licenses/glibc/\0"),
            (Tag::DIRINDEXES, 4, 4, &numbers(&[0, 0, 1, 1])),
            (Tag::FILEFLAGS, 4, 4, &numbers(&[0, 0, 128, 2])),
            (Tag::FILESTATES, 1, 4, &[0, 2, 0, 0]),
        ]);
        let wanted = Wanted::new(["/usr/lib64/libc.so.6", "/usr/lib64/libm.so.6"].map(Path::new));
        let package = package(&blob, &wanted).unwrap();
        assert_eq!((&*package.name, &*package.version), ("glibc", "2.34-100.el9"));
        let paths: Vec<_> = package.files.iter().map(|file| file.path.to_str().unwrap()).collect();
        assert_eq!(paths, ["/lib64/libc.so.6", "/usr/share/licenses/glibc/COPYING"]);
        let source = package.source.unwrap();
        assert_eq!((&*source.name, source.version.as_deref()), ("glibc-core", Some("2.34-100.el9")));
        let Record::Rpm(record) = package.record else { panic!() };
        assert_eq!((record.epoch, record.size, record.install_time), (Some(2), None, None));
    }

    #[test]
    fn a_directory_that_is_not_in_the_list_is_damage() {
        let blob = header(&[
            (Tag::BASENAMES, 8, 1, b"libc.so.6\0"),
            (Tag::DIRNAMES, 8, 1, b"/lib64/\0"),
            (Tag::DIRINDEXES, 4, 1, &numbers(&[1])),
        ]);
        assert_eq!(package(&blob, &Wanted::new([])).unwrap_err(), HeaderError::Outside { tag: 1116 });
    }
}
