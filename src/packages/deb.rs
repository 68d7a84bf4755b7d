//! dpkg's database: /var/lib/dpkg/status and the lists of files beside it, or the directory status.d of a distroless image.
//!
//! Sources: deb-control(5), dpkg's lib/dpkg/{parse.c,infodb-access.c,db-fsys-divert.c}, distroless' PACKAGE_METADATA.md.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};

use super::files::{Files, MOST_BYTES, is_missing, text as text_of};
use super::package::{Package, PackageFile, Record, Source, text};
use super::{Found, ReadError, Wanted, is_plain, lines, path_of};

/// Where dpkg keeps its database.
pub const DIRECTORY: &str = "/var/lib/dpkg";
/// Where a distroless image has it, a file for each package.
pub const STATUS_D: &str = "/var/lib/dpkg/status.d";

/// What the name of a file with a package's checksums ends in.
pub const SUMS: &str = ".md5sums";

/// Reads the database of a root, if it has one.
pub(super) fn read(files: &dyn Files, wanted: &Wanted, found: &mut Found) -> Result<(), ReadError> {
    read_at(files, Path::new(DIRECTORY), wanted, wanted, found)
}

/// Reads a database of dpkg's that is in another directory. `unpacked` are the files that are asked for of packages that only have a
/// file in its `status.d`.
pub(super) fn read_at(
    files: &dyn Files,
    directory: &Path,
    wanted: &Wanted,
    unpacked: &Wanted,
    found: &mut Found,
) -> Result<(), ReadError> {
    let diversions = text_of(files, &directory.join("diversions"), MOST_BYTES)?.unwrap_or_default();
    found.diversions = self::diversions(&diversions);
    // What is diverted is asked for by the name that it would have had.
    let mut names = Wanted { names: wanted.names.clone() };
    for (from, (to, _)) in &found.diversions {
        if to.file_name().is_some_and(|name| wanted.has_name(name.as_encoded_bytes())) {
            names.add(from);
        }
    }
    let mut seen = BTreeSet::new();
    let status = directory.join("status");
    if let Some(text) = text_of(files, &status, MOST_BYTES)? {
        for mut package in packages(&text, &status)? {
            if seen.insert((package.name.clone(), package.architecture.clone())) {
                package.files = listed(files, &package, &directory.join("info"), &names)?;
                found.packages.push(package);
            }
        }
        found.databases.push(status);
    }
    let status_d = &directory.join("status.d");
    let parts = match files.list(status_d) {
        Ok(parts) => parts,
        Err(error) if is_missing(&error) => return Ok(()),
        Err(error) => return Err(ReadError::new(status_d, error.to_string(), None)),
    };
    for part in parts.iter().filter_map(|part| part.to_str()).filter(|part| !part.ends_with(SUMS)) {
        let path = status_d.join(part);
        let text = text_of(files, &path, MOST_BYTES)?.unwrap_or_default();
        // Some images have the packages' scripts there as well.
        if field(&text, "Package").is_none() {
            continue;
        }
        let sums = text_of(files, &status_d.join(format!("{part}{SUMS}")), MOST_BYTES)?.unwrap_or_default();
        for mut package in packages(&text, &path)? {
            if !seen.insert((package.name.clone(), package.architecture.clone())) {
                continue;
            }
            // Links are in no list there.
            let sums = md5_sums(&sums)
                .into_iter()
                .filter(|(path, _)| unpacked.has(path.as_os_str().as_encoded_bytes()));
            package.files =
                sums.map(|(path, sum)| PackageFile { path, md5: Some(sum), is_licence: false }).collect();
            found.packages.push(package);
        }
    }
    found.databases.push(status_d.clone());
    Ok(())
}

/// Those of a package's files that are wanted, with their sums.
fn listed(
    files: &dyn Files,
    package: &Package,
    info: &Path,
    wanted: &Wanted,
) -> Result<Vec<PackageFile>, ReadError> {
    // Packages of several architectures have lists with the architecture in their names, as of dpkg 1.16; others may have.
    let with_architecture =
        package.architecture.as_ref().map(|architecture| format!("{}:{architecture}", package.name));
    let mut names: Vec<String> = with_architecture.into_iter().chain([package.name.clone()]).collect();
    if !matches!(package.record, Record::Deb { is_multi_arch: true, .. }) {
        names.reverse();
    }
    let first = |ending: &str| {
        for name in &names {
            if let Some(text) = text_of(files, &info.join(format!("{name}{ending}")), MOST_BYTES)? {
                return Ok(text);
            }
        }
        Ok::<_, ReadError>(Vec::new())
    };
    let list = first(".list")?;
    let mut listed: Vec<PackageFile> = lines(&list)
        .filter(|path| path.starts_with(b"/") && wanted.has(path))
        .map(|path| PackageFile::new(path, false))
        .collect();
    if !listed.is_empty() {
        let mut sums: BTreeMap<PathBuf, String> = BTreeMap::new();
        sums.extend(md5_sums(&first(SUMS)?));
        for file in &mut listed {
            file.md5 = sums.get(&file.path).cloned();
        }
    }
    Ok(listed)
}

/// The packages of a status file that are installed, or of which something is left.
///
/// An error if a paragraph has no name, or one that can't be a file's.
pub fn packages(status: &[u8], path: &Path) -> Result<Vec<Package>, ReadError> {
    let mut packages = Vec::new();
    for (number, stanza) in stanzas(status).enumerate() {
        let field = |name: &str| field(&stanza, name).map(text).filter(|text| !text.is_empty());
        let state = field("Status");
        if state.is_some_and(|state| state.split_whitespace().nth(2) == Some("not-installed")) {
            continue;
        }
        let name = field("Package").unwrap_or_default();
        let architecture = field("Architecture");
        if !is_plain(&name) || architecture.as_ref().is_some_and(|architecture| !is_plain(architecture)) {
            let reason = format!("paragraph {} has no name of a package", number + 1);
            return Err(ReadError::new(path, reason, None));
        }
        packages.push(Package {
            name,
            version: field("Version").unwrap_or_default(),
            architecture,
            source: field("Source").map(|source| self::source(&source)),
            licence: None,
            supplier: field("Maintainer"),
            homepage: field("Homepage"),
            files: Vec::new(),
            record: Record::Deb { is_multi_arch: field("Multi-Arch").as_deref() == Some("same"), stanza },
        });
    }
    Ok(packages)
}

/// `name (version)`
fn source(field: &str) -> Source {
    let (name, version) = field.split_once('(').unwrap_or((field, ""));
    let version = Some(version.trim_end().trim_end_matches(')').trim()).filter(|version| !version.is_empty());
    Source { name: name.trim().to_owned(), version: version.map(str::to_owned) }
}

/// The source packages that are built into a package, beside its own: deb-control(5), Built-Using and Static-Built-Using.
pub(super) fn built_using(stanza: &[u8]) -> Vec<Source> {
    let mut sources: Vec<Source> = Vec::new();
    for name in ["Built-Using", "Static-Built-Using"] {
        for source in whole_field(stanza, name).split(',').filter(|source| !source.trim().is_empty()) {
            let mut source = self::source(source);
            source.version = source.version.map(|version| version.trim_start_matches(['=', ' ']).to_owned());
            if !sources.contains(&source) {
                sources.push(source);
            }
        }
    }
    sources
}

/// The paragraphs of a text, each with a line feed at its end; between them are lines that are empty or blank.
fn stanzas(text: &[u8]) -> impl Iterator<Item = Vec<u8>> {
    let mut lines = lines(text);
    std::iter::from_fn(move || {
        let mut stanza = Vec::new();
        for line in lines.by_ref() {
            match line.trim_ascii().is_empty() {
                false => stanza.extend([line, b"\n"].concat()),
                true if stanza.is_empty() => {}
                true => break,
            }
        }
        (!stanza.is_empty()).then_some(stanza)
    })
}

/// The first line of a field's value.
fn field<'a>(stanza: &'a [u8], name: &str) -> Option<&'a [u8]> {
    lines(stanza).find_map(|line| {
        let (field, value) = line.split_at_checked(name.len())?;
        let value = value.trim_ascii_start().strip_prefix(b":")?;
        field.eq_ignore_ascii_case(name.as_bytes()).then_some(value.trim_ascii())
    })
}

/// A field's value with the lines that continue it.
fn whole_field(stanza: &[u8], name: &str) -> String {
    let mut lines = lines(stanza).skip_while(|line| field(line, name).is_none());
    let mut value = lines.next().and_then(|line| field(line, name)).map(text).unwrap_or_default();
    for line in lines.take_while(|line| line.starts_with(b" ") || line.starts_with(b"\t")) {
        value.push_str(&text(line));
    }
    value
}

/// A paragraph as the package itself has it: without what dpkg has added when it was installed.
pub(super) fn control(stanza: &[u8]) -> Vec<u8> {
    const ADDED: [&str; 5] =
        ["Status", "Conffiles", "Config-Version", "Triggers-Pending", "Triggers-Awaited"];
    let mut control = Vec::new();
    let mut is_kept = true;
    for line in lines(stanza).filter(|line| !line.is_empty()) {
        if !line.starts_with(b" ") && !line.starts_with(b"\t") {
            is_kept = !ADDED.iter().any(|name| field(line, name).is_some());
        }
        if is_kept {
            control.extend([line, b"\n"].concat());
        }
    }
    control
}

/// The lines of a file of sums: 32 digits, two blanks, a path from the root.
fn md5_sums(text: &[u8]) -> Vec<(PathBuf, String)> {
    let sum = |line: &[u8]| {
        let (sum, path) = line.split_at_checked(32)?;
        let path = path.strip_prefix(b"  ")?;
        let is_sum = sum.iter().all(u8::is_ascii_hexdigit) && !path.is_empty();
        is_sum.then(|| (path_of(path), self::text(sum)))
    };
    lines(text).filter_map(sum).collect()
}

/// The diversions: of each three lines, from where to where and for which package not.
fn diversions(text: &[u8]) -> BTreeMap<PathBuf, (PathBuf, Option<String>)> {
    let lines: Vec<&[u8]> = lines(text).collect();
    let diversion = |lines: &[&[u8]]| match lines {
        [from, to, package] => {
            let package = Some(self::text(package)).filter(|package| package != ":");
            Some((path_of(from), (path_of(to), package)))
        }
        _ => None,
    };
    let mut diversions = BTreeMap::new();
    diversions.extend(lines.chunks_exact(3).filter_map(diversion));
    diversions
}

#[cfg(test)]
mod tests {
    use super::*;

    const STATUS: &[u8] = b"Package: libc6\nStatus: install ok installed\nArchitecture: amd64\nMulti-Arch: same\n\
        Source: glibc\nVersion: 2.41-12\nConffiles:\n /etc/ld.so.conf 593ad12389ab2b6f952e7ede67b8fbbf\n\
        Description: GNU C Library\n Shared libraries\n .\n Status: of no field\nHomepage: https://www.gnu.org/\n\n\
        Package: gone\nStatus: purge ok not-installed\n\n   \n\
        Package: gcc-14-base\nSource: gcc-14 (14.2.0-19)\nversion :  14.2.0-19+b1\n";

    #[test]
    fn installed_packages_are_read_field_by_field() {
        let packages = packages(STATUS, Path::new("status")).unwrap();
        let labels: Vec<String> = packages.iter().map(Package::label).collect();
        assert_eq!(labels, ["libc6:amd64", "gcc-14-base"]);
        assert_eq!(packages[0].homepage.as_deref(), Some("https://www.gnu.org/"));
        assert_eq!(packages[1].version, "14.2.0-19+b1");
        let sources: Vec<_> = packages.iter().map(|package| package.source.clone().unwrap()).collect();
        assert_eq!((&*sources[0].name, &sources[0].version), ("glibc", &None));
        assert_eq!((&*sources[1].name, sources[1].version.as_deref()), ("gcc-14", Some("14.2.0-19")));
    }

    #[test]
    fn sources_that_are_built_in_are_read_whatever_the_lines() {
        let stanza = b"Package: a\nStatic-Built-Using: rust-a (= 1:2-3),\n rust-b (= 4),\n\nBuilt-Using: glibc (= 5)\n";
        let named: Vec<_> = built_using(stanza)
            .into_iter()
            .map(|source| (source.name, source.version.unwrap_or_default()))
            .collect();
        let expected = [("glibc", "5"), ("rust-a", "1:2-3"), ("rust-b", "4")];
        assert_eq!(named, expected.map(|(name, version)| (name.to_owned(), version.to_owned())));
        assert!(built_using(STATUS).is_empty());
    }

    #[test]
    fn what_the_installation_added_is_left_out_of_a_control_file() {
        let packages = packages(STATUS, Path::new("status")).unwrap();
        let Record::Deb { stanza, .. } = &packages[0].record else { panic!() };
        assert_eq!(
            String::from_utf8(control(stanza)).unwrap(),
            "Package: libc6\nArchitecture: amd64\nMulti-Arch: same\nSource: glibc\nVersion: 2.41-12\n\
             Description: GNU C Library\n Shared libraries\n .\n Status: of no field\nHomepage: https://www.gnu.org/\n"
        );
    }

    #[test]
    fn a_name_that_leads_elsewhere_is_refused() {
        for name in ["../../etc/passwd", "a/b", "", ".", "..", ".hidden"] {
            let error = packages(format!("Package: {name}\n").as_bytes(), Path::new("/status")).unwrap_err();
            assert_eq!(
                error.to_string(),
                "read the package database /status: paragraph 1 has no name of a package"
            );
        }
    }

    #[test]
    fn diversions_and_sums_are_read_and_other_lines_are_not() {
        let diversions =
            diversions(b"/bin/sh\n/bin/sh.distrib\ndash\n/usr/bin/x\n/usr/bin/x.old\n:\n/half\n");
        assert_eq!(diversions.len(), 2);
        assert_eq!(diversions[Path::new("/bin/sh")], ("/bin/sh.distrib".into(), Some("dash".to_owned())));
        assert_eq!(diversions[Path::new("/usr/bin/x")], ("/usr/bin/x.old".into(), None));
        let sums = md5_sums(b"d41d8cd98f00b204e9800998ecf8427e  usr/a b\nnothing\nd41d8cd9  short\n");
        assert_eq!(sums, [("/usr/a b".into(), "d41d8cd98f00b204e9800998ecf8427e".to_owned())]);
    }
}
