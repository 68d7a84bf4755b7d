//! What scanners read of a root that is added to: of what was there and of what comes together.
//!
//! The files of a database are those that gb makes ([`scanners`](super::scanners)); others stay as they are, beside them.

use std::collections::{BTreeMap, HashSet};
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::deb::{STATUS_D, SUMS};
use super::files::{Files, MOST_BYTES, is_missing, text};
use super::owners::{Owner, Owners};
use super::package::{Package, Record};
use super::scanners::{RPM_MANIFEST, apk_place};
use super::{ReadError, Wanted, apk, lines, path_of};

/// Adds to databases that are to be made what the root has in these files, and makes those that would not be true any more,
/// of whichever package a file was.
///
/// `there` is that root; `is_replaced` tells the files that will not be what they were, `known` the packages that the root was
/// known to have, each with whether it still has a file.
pub fn join(
    made: &mut BTreeMap<PathBuf, Vec<u8>>,
    owners: &Owners,
    there: &dyn Files,
    is_replaced: &dyn Fn(&Path) -> bool,
    known: &[(&Package, bool)],
) -> Result<(), ReadError> {
    let apk = apk_place(&owners.databases);
    if let Some(new) = made.get_mut(&apk) {
        if let Some(old) = text(there, &apk, MOST_BYTES)? {
            *new = installed(&old, owners, &apk, is_replaced)?;
        }
    }
    let list = Path::new(RPM_MANIFEST);
    if let Some(old) = text(there, list, MOST_BYTES)? {
        replace(made, list, &|new| manifest(&old, new, known), &|| manifest(&old, b"", &[]));
    }
    let directory = Path::new(STATUS_D);
    let names = match there.list(directory) {
        Err(error) if is_missing(&error) => Vec::new(),
        names => names.map_err(|error| ReadError::new(directory, error.to_string(), None))?,
    };
    for name in names.iter().filter(|name| name.as_bytes().ends_with(SUMS.as_bytes())) {
        let path = directory.join(name);
        let Some(old) = text(there, &path, MOST_BYTES)? else { continue };
        replace(made, &path, &|new| sums(&old, new, is_replaced), &|| sums(&old, b"", &|_| false));
    }
    Ok(())
}

/// Replaces what is to be made; of what is not to be made nothing, unless it is other than it was.
fn replace(
    made: &mut BTreeMap<PathBuf, Vec<u8>>,
    path: &Path,
    join: &dyn Fn(&[u8]) -> Vec<u8>,
    was: &dyn Fn() -> Vec<u8>,
) {
    let joined = join(made.get(path).map(Vec::as_slice).unwrap_or_default());
    if made.contains_key(path) || joined != was() {
        made.insert(path.to_owned(), joined);
    }
}

/// Checksums of files: those of files that stay, and the new ones, by path.
fn sums(old: &[u8], new: &[u8], is_replaced: &dyn Fn(&Path) -> bool) -> Vec<u8> {
    let mut all: BTreeMap<PathBuf, Vec<u8>> = BTreeMap::new();
    for (lines, is_old) in [(lines(old), true), (lines(new), false)] {
        for line in lines {
            // The sum and two spaces come before it.
            let Some(path) = line.get(34..).map(path_of) else { continue };
            if !is_old || !is_replaced(&path) {
                all.insert(path, [line, b"\n"].concat());
            }
        }
    }
    all.into_values().flatten().collect()
}

/// A line for each package: of one that is in both the new one, and of one that was there if it still has a file. Which files
/// a package has is not in such a list; where nobody knows, the new version has taken the place of another. What is sorted stays so.
fn manifest(old: &[u8], new: &[u8], known: &[(&Package, bool)]) -> Vec<u8> {
    let mut all: Vec<&[u8]> = lines(new).filter(|line| !line.is_empty()).collect();
    let is_it = |package: &Package, line: &[u8]| {
        let architecture = package.architecture.as_deref().unwrap_or("(none)");
        matches!(package.record, Record::Rpm(_))
            && rpm(line)
                == [&package.name, &package.version, architecture].map(|field| Some(field.as_bytes()))
    };
    let name = |line| {
        let [name, _, architecture] = rpm(line);
        [name, architecture]
    };
    for line in lines(old).filter(|line| !line.is_empty()) {
        let is_gone = match known.iter().find(|(package, _)| is_it(package, line)) {
            Some((_, is_left)) => !is_left || lines(new).any(|other| rpm(other) == rpm(line)),
            None => lines(new).any(|other| name(other) == name(line)),
        };
        if !is_gone {
            let place = all.iter().position(|other| *other > line).unwrap_or(all.len());
            all.insert(place, line);
        }
    }
    all.into_iter().flat_map(|line| [line, b"\n"].concat()).collect()
}

/// The name, version and architecture in a line about a package.
fn rpm(line: &[u8]) -> [Option<&[u8]>; 3] {
    let field = |place| line.split(|byte| *byte == b'\t').nth(place);
    [field(0), field(1), field(7)]
}

/// A paragraph for each package, with the files that stay and the new ones.
fn installed(
    old: &[u8],
    owners: &Owners,
    path: &Path,
    is_replaced: &dyn Fn(&Path) -> bool,
) -> Result<Vec<u8>, ReadError> {
    let mut all: Vec<(String, Vec<u8>)> = Vec::new();
    let mut stay: HashSet<PathBuf> = HashSet::new();
    for package in apk::packages(old, &Wanted::default(), path)? {
        let Record::Apk { stanza, files } = package.record else { continue };
        let kept = apk::cut(&files, &|path| !is_replaced(path));
        let mut has_lost = false;
        apk::for_each_path(&files, &mut |path| has_lost |= is_replaced(&path));
        // (Some never had a file: they are there for what they need.)
        if has_lost && kept.is_empty() {
            continue;
        }
        apk::for_each_path(&kept, &mut |path| {
            stay.insert(path);
        });
        all.push((package.name, [&stanza, &kept[..], b"\n"].concat()));
    }
    for Owner { package, files: owned } in &owners.packages {
        let Record::Apk { stanza, files } = &package.record else { continue };
        stay.extend(owned.values().map(|file| file.path.clone()));
        let cut = apk::cut(files, &|path| stay.contains(path));
        all.retain(|(name, _)| *name != package.name);
        let place = all.iter().position(|(name, _)| *name > package.name).unwrap_or(all.len());
        all.insert(place, (package.name.clone(), [stanza, &cut[..], b"\n"].concat()));
    }
    Ok(all.into_iter().flat_map(|(_, paragraph)| paragraph).collect())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_what_stays_are_kept_and_of_what_is_replaced_are_not() {
        let sum = "d41d8cd98f00b204e9800998ecf8427e";
        let line = |path: &str| format!("{sum}  {path}\n");
        let old = [line("usr/lib/a"), line("usr/lib/b")].concat();
        let joined = sums(old.as_bytes(), line("usr/bin/c").as_bytes(), &|path| path.ends_with("b"));
        assert_eq!(String::from_utf8(joined).unwrap(), [line("usr/bin/c"), line("usr/lib/a")].concat());
    }

    #[test]
    fn each_rpm_has_one_line() {
        let line =
            |name: &str, time: u32| format!("{name}\t1-1\t{time}\t2\tV\t(none)\t3\tx86_64\t0\ts.src.rpm\n");
        let joined = manifest(
            [line("b", 1), line("a", 1)].concat().as_bytes(),
            [line("a", 2), line("c", 2)].concat().as_bytes(),
            &[],
        );
        assert_eq!(String::from_utf8(joined).unwrap(), [line("a", 2), line("b", 1), line("c", 2)].concat());
    }

    #[test]
    fn an_rpm_that_was_there_has_a_line_as_long_as_it_has_a_file() {
        let line = |name: &str, version: u32| {
            format!("{name}\t{version}\t1\t2\tV\t(none)\t3\tx86_64\t0\ts.src.rpm\n")
        };
        let package = |name: &str| Package {
            name: name.into(),
            version: "1".into(),
            architecture: Some("x86_64".into()),
            source: None,
            licence: None,
            supplier: None,
            homepage: None,
            files: Vec::new(),
            record: Record::Rpm(Default::default()),
        };
        let [a, b, c] = ["a", "b", "c"].map(package);
        let old = ["a", "b", "c", "d", "e"].map(|name| line(name, 1)).concat();
        let new = ["b", "c", "e"].map(|name| line(name, 2)).concat();
        let joined = manifest(old.as_bytes(), new.as_bytes(), &[(&a, false), (&b, false), (&c, true)]);
        // Of d and e nobody knows which files they have.
        let expected = [line("b", 2), line("c", 1), line("c", 2), line("d", 1), line("e", 2)].concat();
        assert_eq!(String::from_utf8(joined).unwrap(), expected);
    }

    #[test]
    fn an_apk_that_was_there_has_its_files_and_the_new_ones() {
        let stanza = "P:musl\nV:1\n";
        let old = "P:musl\nV:1\nF:lib\nR:a\nR:b\n\nP:zlib\nV:2\nF:usr/lib\nR:z\n\n";
        let full = "F:etc\nR:not\nF:lib\nR:a\nR:b\nR:c\n";
        let mut package =
            apk::packages(old.as_bytes(), &Wanted::default(), Path::new("/i")).unwrap().remove(0);
        package.record = Record::Apk { stanza: stanza.into(), files: full.into() };
        let file = crate::packages::PackageFile::new(b"lib/c", false);
        let owner = Owner { package, files: BTreeMap::from([(file.path.clone(), file)]) };
        let owners = Owners { packages: vec![owner], ..Owners::default() };
        let joined =
            installed(old.as_bytes(), &owners, Path::new("/i"), &|path| path.ends_with("b")).unwrap();
        let expected = "P:musl\nV:1\nF:lib\nR:a\nR:c\n\nP:zlib\nV:2\nF:usr/lib\nR:z\n\n";
        assert_eq!(String::from_utf8(joined).unwrap(), expected);
    }
}
