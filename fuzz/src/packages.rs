//! The databases of package managers, and licences.

use std::path::Path;

use gb::packages::licence::Declared;
use gb::packages::rpm::header::{Header, Tag};
use gb::packages::rpm::sqlite::{Sqlite, Value};
use gb::packages::rpm::{berkeley, ndb};
use gb::packages::{Bytes, Distribution, Record, Wanted, apk, copyright, deb};

use super::parts;

/// A header is read or refused; what it says is in it, word for word, and no count asks for more than there is.
pub fn rpm_header(input: &[u8]) {
    let Ok(header) = Header::parse(input) else { return };
    for number in (1000..1200).chain(5000..5100) {
        let tag = Tag(number);
        if let Ok(Some(text)) = header.text(tag) {
            let with_end = [text, b"\0"].concat();
            assert!(!text.contains(&0) && is_in(&with_end, input), "{tag:?} {text:?}");
        }
        if let Ok(texts) = header.texts(tag) {
            let length: usize = texts.iter().map(|text| text.len() + 1).sum();
            assert!(length <= input.len(), "{tag:?}");
        }
        if let Ok(numbers) = header.numbers(tag) {
            assert!(numbers.len() <= input.len(), "{tag:?}");
            assert_eq!(header.number(tag).unwrap_or_default(), numbers.first().copied());
        }
    }
}

/// A SQLite database, with or without a log after it, is read or refused; its rows are not longer than both together.
pub fn rpm_sqlite(input: &[u8]) {
    let mut parts = parts(input);
    let file = parts.next().unwrap_or_default();
    let log = parts.next();
    let log = log.as_ref().map(|log| log as &dyn Bytes);
    let database = match Sqlite::open(&file, log) {
        Ok(database) => database,
        Err(error) => return assert!(error.to_string().len() < 200, "{error}"),
    };
    let (mut rows, mut bytes) = (0, 0);
    let read = database.rows("Packages", &mut |row| {
        rows += 1;
        bytes += row
            .iter()
            .map(|value| if let Value::Bytes(bytes) = value { bytes.len() } else { 0 })
            .sum::<usize>();
        Ok(())
    });
    if let Err(error) = read {
        assert!(error.to_string().len() < 200, "{error}");
    }
    // A log may make the database as large as it says, but what is not there can't be read.
    assert!(bytes <= 2 * input.len() + (1 << 17), "{bytes} of {}", input.len());
    assert!(rows <= input.len() * 400, "{rows} of {}", input.len());
}

/// An ndb database is read or refused; its headers are parts of it, and together not longer.
pub fn rpm_ndb(input: &[u8]) {
    let mut bytes = 0;
    let read = ndb::headers(&input, &mut |header| {
        assert!(is_in(header, input));
        bytes += header.len();
        Ok(())
    });
    assert!(bytes <= input.len());
    assert!(read.map_or_else(|error| error.to_string().len() < 200, |()| true));
}

/// A table of Berkeley DB is read or refused; its values together are not longer than it is.
pub fn rpm_berkeley(input: &[u8]) {
    let mut bytes = 0;
    let read = berkeley::headers(&input, &mut |header| {
        bytes += header.len();
        Ok(())
    });
    assert!(bytes <= 2 * input.len(), "{bytes} of {}", input.len());
    assert!(read.map_or_else(|error| error.to_string().len() < 200, |()| true));
}

/// A status file is read or refused; no name leads out of a directory, and the paragraphs, written again, are the same packages.
pub fn dpkg(input: &[u8]) {
    let Ok(packages) = deb::packages(input, Path::new("status")) else { return };
    let mut written = Vec::new();
    for package in &packages {
        for name in [Some(&package.name), package.architecture.as_ref()].into_iter().flatten() {
            assert!(!name.is_empty() && !name.contains('/') && !name.starts_with('.'), "{name}");
        }
        let Record::Deb { stanza, .. } = &package.record else { panic!("{package:?}") };
        written.extend([&stanza[..], b"\n"].concat());
    }
    assert_eq!(deb::packages(&written, Path::new("status")).ok(), Some(packages));
}

/// apk's database is read or refused; written again it has the same packages, and the files that are asked for.
pub fn apk_installed(input: &[u8]) {
    let wanted = Wanted::new([Path::new("/lib/libc.so"), Path::new("/bin/busybox")]);
    let Ok(packages) = apk::packages(input, &wanted, Path::new("installed")) else { return };
    let mut written = Vec::new();
    for package in &packages {
        assert!(!package.name.is_empty());
        for file in &package.files {
            let name = file.path.file_name().and_then(|name| name.to_str());
            assert!(matches!(name, Some("libc.so" | "busybox")) && file.path.is_absolute(), "{file:?}");
        }
        let Record::Apk { stanza, files } = &package.record else { panic!("{package:?}") };
        written.extend([&stanza[..], files, b"\n"].concat());
    }
    assert_eq!(apk::packages(&written, &wanted, Path::new("installed")).ok(), Some(packages));
}

/// What is made of a licence is an expression that stays the same, and every reference in it has a text. The input: a licence,
/// a copyright file and an os-release file.
pub fn licence(input: &[u8]) {
    let mut parts = parts(input);
    let [text, copyright, release] = [(); 3].map(|()| parts.next().unwrap_or_default());
    let text = String::from_utf8_lossy(text);
    let names = copyright::names(copyright);
    for declared in [Declared::from_text(&text), Declared::from_debian(&names)] {
        let Some(expression) = &declared.expression else { continue };
        assert_eq!(Declared::from_text(expression).expression.as_ref(), Some(expression), "{text:?}");
        for word in expression.split([' ', '(', ')']).filter(|word| word.starts_with("LicenseRef-")) {
            assert!(declared.references.contains_key(word), "{word} of {expression}");
        }
    }
    for name in copyright::common(copyright) {
        assert!(!name.is_empty() && !name.contains('/') && !name.starts_with('.'), "{name}");
    }
    if let Some(found) = Distribution::parse(&String::from_utf8_lossy(release)) {
        assert!(!found.id.is_empty() && found.label().starts_with(&found.id));
    }
}

fn is_in(part: &[u8], whole: &[u8]) -> bool {
    part.is_empty() || whole.windows(part.len()).any(|window| window == part)
}
