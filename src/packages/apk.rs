//! apk's database (Alpine): one text with a paragraph for each package, and in it the files.
//!
//! Source: Alpine's "Apk spec" and apk-tools' src/database.c (`apk_db_index_read`, `apk_db_write_fdb`).
//!
//! ```text
//! P:musl            the package's fields, a letter each
//! V:1.2.5-r10
//! F:lib             a directory
//! M:0:0:755         its owner and mode
//! R:ld-musl.so.1    a file in it
//! a:0:0:755
//! Z:Q1…             its checksum
//! ```

use std::path::{Path, PathBuf};

use super::files::{Files, MOST_BYTES, resolved, text as read_text};
use super::package::{Package, PackageFile, Record, Source, text};
use super::{Found, ReadError, Wanted, lines, path_of};

/// Where apk keeps its database: Alpine, and Alpine with a merged /usr. One may be a link to the other.
const PLACES: [&str; 2] = ["/lib/apk/db/installed", "/usr/lib/apk/db/installed"];

/// Reads the database of a root, if it has one.
pub(super) fn read(files: &dyn Files, wanted: &Wanted, found: &mut Found) -> Result<(), ReadError> {
    let mut seen = Vec::new();
    for place in PLACES {
        let Some(path) = resolved(files, Path::new(place))?.filter(|path| !seen.contains(path)) else {
            continue;
        };
        let Some(text) = read_text(files, &path, MOST_BYTES)? else { continue };
        found.packages.extend(packages(&text, wanted, &path)?);
        found.databases.push(path.clone());
        seen.push(path);
    }
    Ok(())
}

/// The packages of a database, each with those of its files that are wanted.
///
/// An error if one has no name.
pub fn packages(database: &[u8], wanted: &Wanted, path: &Path) -> Result<Vec<Package>, ReadError> {
    let mut packages = Vec::new();
    let (mut stanza, mut list) = (Vec::new(), Vec::new());
    // An empty line ends each paragraph, the last one as well.
    for (number, line) in lines(database).chain([&b""[..]]).enumerate() {
        match line {
            [] if stanza.is_empty() && list.is_empty() => {}
            [] => match package(std::mem::take(&mut stanza), std::mem::take(&mut list), wanted) {
                Some(package) => packages.push(package),
                None => {
                    let reason = format!("the paragraph before line {} has no name", number + 1);
                    return Err(ReadError::new(path, reason, None));
                }
            },
            [b'F' | b'M' | b'R' | b'a' | b'Z', b':', ..] => list.extend([line, b"\n"].concat()),
            _ => stanza.extend([line, b"\n"].concat()),
        }
    }
    Ok(packages)
}

fn package(stanza: Vec<u8>, files: Vec<u8>, wanted: &Wanted) -> Option<Package> {
    let field = |letter: u8| {
        let value = lines(&stanza).find_map(|line| line.strip_prefix(&[letter, b':']));
        value.map(text).filter(|value| !value.is_empty())
    };
    let mut listed = Vec::new();
    for_each_file(&files, &mut |path, _| {
        if wanted.has(path) {
            listed.push(PackageFile::new(path, false));
        }
    });
    Some(Package {
        name: field(b'P')?,
        version: field(b'V').unwrap_or_default(),
        architecture: field(b'A'),
        source: field(b'o').map(|name| Source { name, version: None }),
        licence: field(b'L'),
        supplier: field(b'm'),
        homepage: field(b'U'),
        files: listed,
        record: Record::Apk { stanza, files },
    })
}

/// A list of files without those that are not kept, and without the directories in which none is.
pub(super) fn cut(list: &[u8], is_kept: &dyn Fn(&Path) -> bool) -> Vec<u8> {
    let mut cut = Vec::new();
    let mut last_directory = None;
    for_each_file(list, &mut |path, file| {
        if is_kept(&path_of(path)) {
            if last_directory != Some(file.directory) {
                cut.extend_from_slice(file.directory);
                last_directory = Some(file.directory);
            }
            cut.extend_from_slice(file.lines);
        }
    });
    cut
}

/// The paths of the files in a list.
pub(super) fn for_each_path(list: &[u8], visit: &mut dyn FnMut(PathBuf)) {
    for_each_file(list, &mut |path, _| visit(path_of(path)));
}

/// The lines about a file, and those about its directory.
#[derive(Clone, Copy)]
struct FileLines<'a> {
    directory: &'a [u8],
    lines: &'a [u8],
}

fn for_each_file<'a>(list: &'a [u8], visit: &mut dyn FnMut(&[u8], FileLines<'a>)) {
    let (mut directory, mut name): (&[u8], &[u8]) = (b"", b"");
    for group in groups(list, b"FR") {
        let first = lines(group).next().unwrap_or_default();
        match first.strip_prefix(b"F:") {
            Some(path) => (directory, name) = (group, path),
            None => {
                if let Some(file) = first.strip_prefix(b"R:") {
                    let path = [b"/", name, b"/", file].concat();
                    visit(&path, FileLines { directory, lines: group });
                }
            }
        }
    }
}

/// Cuts a text before each line that begins with one of some letters.
fn groups<'a>(text: &'a [u8], letters: &'static [u8]) -> impl Iterator<Item = &'a [u8]> {
    let mut rest = text;
    std::iter::from_fn(move || {
        if rest.is_empty() {
            return None;
        }
        let begins = |at: &usize| {
            rest.get(at - 1) == Some(&b'\n') && rest.get(*at).is_some_and(|letter| letters.contains(letter))
        };
        let end = (1..rest.len()).find(begins).unwrap_or(rest.len());
        let (group, after) = rest.split_at_checked(end)?;
        rest = after;
        Some(group)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const INSTALLED: &[u8] = b"C:Q1gA\nP:musl\nV:1.2.5-r10\nA:x86_64\nL:MIT\no:musl\n\
        F:lib\nM:0:0:755\nR:ld-musl-x86_64.so.1\na:0:0:755\nZ:Q1aa\nR:libc.musl-x86_64.so.1\na:0:0:777\nZ:Q1bb\n\n\
        P:scanelf\nV:1.3.8-r1\nL:GPL-2.0-only\no:pax-utils\nF:usr\nF:usr/bin\nR:scanelf\na:0:0:755\nZ:Q1cc\n\
        F:usr/share\nR:note\n";

    fn read(names: &[&str]) -> Vec<Package> {
        let wanted = Wanted::new(names.iter().map(Path::new));
        packages(INSTALLED, &wanted, Path::new("installed")).unwrap()
    }

    #[test]
    fn packages_have_the_files_of_the_directories_before_them() {
        let packages = read(&["/x/libc.musl-x86_64.so.1", "/x/scanelf"]);
        let files: Vec<_> =
            packages.iter().flat_map(|package| &package.files).map(|file| &file.path).collect();
        assert_eq!(files, [Path::new("/lib/libc.musl-x86_64.so.1"), Path::new("/usr/bin/scanelf")]);
        assert_eq!(packages[1].source.as_ref().unwrap().name, "pax-utils");
        assert_eq!(packages[0].licence.as_deref(), Some("MIT"));
        let Record::Apk { stanza, .. } = &packages[0].record else { panic!() };
        assert_eq!(stanza, b"C:Q1gA\nP:musl\nV:1.2.5-r10\nA:x86_64\nL:MIT\no:musl\n");
    }

    #[test]
    fn a_cut_list_has_what_is_kept_and_the_directories_that_it_is_in() {
        let packages = read(&[]);
        let cut = |number: usize, kept: &str| {
            let Record::Apk { files, .. } = &packages[number].record else { panic!() };
            String::from_utf8(super::cut(files, &|path| path == Path::new(kept))).unwrap()
        };
        assert_eq!(
            cut(0, "/lib/libc.musl-x86_64.so.1"),
            "F:lib\nM:0:0:755\nR:libc.musl-x86_64.so.1\na:0:0:777\nZ:Q1bb\n"
        );
        assert_eq!(cut(1, "/usr/bin/scanelf"), "F:usr/bin\nR:scanelf\na:0:0:755\nZ:Q1cc\n");
        assert_eq!(cut(1, "/nothing"), "");
    }

    #[test]
    fn a_paragraph_without_a_name_is_refused() {
        let error = packages(b"V:1\n\nP:a\n", &Wanted::new([]), Path::new("/db")).unwrap_err();
        assert_eq!(
            error.to_string(),
            "read the package database /db: the paragraph before line 2 has no name"
        );
    }
}
