//! What scanners read of a root that is added to: of what was there and of what comes together.
//!
//! The files of a database are those that gb makes ([`scanners`](super::scanners)); others stay as they are, beside them.

use std::collections::{BTreeMap, HashSet};
use std::path::{Path, PathBuf};

use super::deb::{STATUS_D, SUMS};
use super::files::{Files, MOST_BYTES, text};
use super::owners::{Owner, Owners};
use super::package::Record;
use super::scanners::{RPM_MANIFEST, apk_place};
use super::{ReadError, Wanted, apk, lines, path_of};

/// Adds to databases that are to be made what the root has in these files.
///
/// `there` is that root; `is_replaced` tells the files that will not be what they were.
pub fn join(
    made: &mut BTreeMap<PathBuf, Vec<u8>>,
    owners: &Owners,
    there: &dyn Files,
    is_replaced: &dyn Fn(&Path) -> bool,
) -> Result<(), ReadError> {
    let apk = apk_place(&owners.databases);
    for (path, new) in made {
        let is_sums = path.starts_with(STATUS_D) && path.to_string_lossy().ends_with(SUMS);
        if !is_sums && path != Path::new(RPM_MANIFEST) && *path != apk {
            continue;
        }
        let Some(old) = text(there, path, MOST_BYTES)? else { continue };
        *new = if is_sums {
            sums(&old, new, is_replaced)
        } else if *path == apk {
            installed(&old, owners, path, is_replaced)?
        } else {
            manifest(&old, new)
        };
    }
    Ok(())
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

/// A line for each package: of one that is in both the new one. What is sorted stays so.
fn manifest(old: &[u8], new: &[u8]) -> Vec<u8> {
    let mut all: Vec<&[u8]> = lines(new).filter(|line| !line.is_empty()).collect();
    for line in lines(old).filter(|line| !line.is_empty()) {
        if !all.iter().any(|other| rpm(other) == rpm(line)) {
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
        );
        assert_eq!(String::from_utf8(joined).unwrap(), [line("a", 2), line("b", 1), line("c", 2)].concat());
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
