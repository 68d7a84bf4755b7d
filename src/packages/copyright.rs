//! Copyright files of Debian's packages: which licences they name, and where their texts are.
//!
//! Source: Debian's "Machine-readable debian/copyright file", version 1.0.

use std::collections::BTreeSet;

use super::lines;
use super::package::text;

/// Where the texts are that many packages have in common.
pub const COMMON: &str = "/usr/share/common-licenses/";

/// The licences that a copyright file in the machine-readable format names for files, each once; none for another text.
pub fn names(copyright: &[u8]) -> Vec<String> {
    let mut names = Vec::new();
    let mut is_machine_readable = false;
    let mut has_files = false;
    for line in lines(copyright) {
        if line.trim_ascii().is_empty() {
            has_files = false;
        }
        let field = |name: &str| {
            let (field, value) = line.split_at_checked(name.len())?;
            field.eq_ignore_ascii_case(name.as_bytes()).then(|| text(value))
        };
        if let Some(format) = field("Format:") {
            is_machine_readable |= format.contains("copyright-format/1.");
        } else if field("Files:").is_some() {
            has_files = true;
        } else if let Some(name) = field("License:").filter(|name| has_files && !name.is_empty()) {
            if !names.contains(&name) {
                names.push(name);
            }
        }
    }
    if is_machine_readable { names } else { Vec::new() }
}

/// The texts in [`COMMON`] that a copyright file refers to, by their names.
pub fn common(copyright: &[u8]) -> BTreeSet<String> {
    let copyright = String::from_utf8_lossy(copyright);
    let names = copyright.split(COMMON).skip(1).map(|after| {
        let end =
            after.find(|character: char| !character.is_ascii_alphanumeric() && !"-.".contains(character));
        let name = after.get(..end.unwrap_or(after.len())).unwrap_or_default();
        // A full stop ends a sentence.
        name.trim_end_matches(['.', '-']).to_owned()
    });
    let mut common = BTreeSet::new();
    common.extend(names.filter(|name| !name.is_empty() && !name.starts_with('.')));
    common
}

#[cfg(test)]
mod tests {
    use super::*;

    const MACHINE_READABLE: &[u8] =
        b"Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nLicense: none-of-files\n\n\
        Files: *\nCopyright: x\nLicense: GPL-2+\n text\n\nFiles: a\nLicense: Expat\n\nFiles: b\nLicense: GPL-2+\n\n\
        License: GPL-2+\n See /usr/share/common-licenses/GPL-2.\n Or '/usr/share/common-licenses/LGPL-2.1', or\n\
        /usr/share/common-licenses/GPL.\n";

    #[test]
    fn licences_of_files_are_named_once() {
        assert_eq!(names(MACHINE_READABLE), ["GPL-2+", "Expat"]);
        assert!(names(b"This is free software.\n\nFiles: a\nLicense: GPL-2\n").is_empty());
    }

    #[test]
    fn common_texts_are_found_in_any_sentence() {
        let found: Vec<String> = common(MACHINE_READABLE).into_iter().collect();
        assert_eq!(found, ["GPL", "GPL-2", "LGPL-2.1"]);
        assert!(common(b"/usr/share/common-licenses/../x and /usr/share/common-licenses/").is_empty());
    }
}
