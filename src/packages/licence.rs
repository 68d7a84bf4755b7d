//! Licences as SPDX has them.
//!
//! A text that is an expression of SPDX's identifiers is taken as it is. Everything else (the names of Fedora before 2023 and of
//! RHEL up to 9, Debian's other names) stays what it is, as a reference with the text: what is not known is not guessed.

use std::collections::BTreeMap;

use super::digest::sha256;

/// The identifiers, one a line (SPDX's list of licences, 3.28).
const LICENCES: &str = include_str!("spdx-licences.txt");
const EXCEPTIONS: &str = include_str!("spdx-exceptions.txt");

/// What a package says of its licence.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Declared {
    /// An expression; none if nothing is said.
    pub expression: Option<String>,
    /// What the expression refers to that is none of SPDX's licences: the text, by its identifier.
    pub references: BTreeMap<String, String>,
}

impl Declared {
    /// From what a package's database has: one text.
    pub fn from_text(text: &str) -> Declared {
        let mut declared = Declared::default();
        if !text.trim().is_empty() {
            declared.expression = Some(declared.term(text));
        }
        declared
    }

    /// From the names in a copyright file of Debian: all of them hold, each for some files.
    pub fn from_debian(names: &[String]) -> Declared {
        let mut declared = Declared::default();
        let mut terms: Vec<String> = Vec::new();
        for name in names {
            let term = debian(name).unwrap_or_else(|| declared.term(name));
            let is_alone = names.len() == 1 || !term.contains(' ');
            let term = if is_alone { term } else { format!("({term})") };
            if !terms.contains(&term) {
                terms.push(term);
            }
        }
        declared.expression = Some(terms.join(" AND ")).filter(|expression| !expression.is_empty());
        declared
    }

    /// A text as an expression, or a reference to it.
    fn term(&mut self, text: &str) -> String {
        match expression(text) {
            Some((expression, references)) => {
                self.references.extend(references.into_iter().map(|name| (name.clone(), name)));
                expression
            }
            None => {
                let name = reference(text);
                self.references.insert(name.clone(), text.trim().to_owned());
                name
            }
        }
    }
}

/// Whether a text is the identifier of a licence, and how SPDX spells it.
pub fn identifier(text: &str) -> Option<&'static str> {
    LICENCES.lines().find(|known| known.eq_ignore_ascii_case(text))
}

/// A text as an expression of SPDX, and the references in it; none if it is not one.
fn expression(text: &str) -> Option<(String, Vec<String>)> {
    let spaced = text.replace('(', " ( ").replace(')', " ) ");
    let (mut words, mut references) = (Vec::new(), Vec::new());
    let (mut depth, mut is_operand_next, mut may_have_exception) = (0u32, true, false);
    let mut tokens = spaced.split_whitespace();
    while let Some(token) = tokens.next() {
        match (token, is_operand_next) {
            ("(", true) => depth += 1,
            (")", false) => depth = depth.checked_sub(1)?,
            ("AND" | "OR", false) => is_operand_next = true,
            ("WITH", false) if may_have_exception => {
                let exception = tokens.next()?;
                words.push("WITH".to_owned());
                let known = EXCEPTIONS.lines().find(|known| known.eq_ignore_ascii_case(exception))?;
                words.push(known.to_owned());
                may_have_exception = false;
                continue;
            }
            (name, true) if !matches!(name, "AND" | "OR" | "WITH" | ")") => {
                words.push(operand(name, &mut references)?);
                (is_operand_next, may_have_exception) = (false, true);
                continue;
            }
            _ => return None,
        }
        may_have_exception = false;
        words.push(token.to_owned());
    }
    let is_whole = depth == 0 && !is_operand_next;
    is_whole.then(|| (words.join(" ").replace("( ", "(").replace(" )", ")"), references))
}

/// A licence, with or without a `+` for its later versions, or a reference.
fn operand(name: &str, references: &mut Vec<String>) -> Option<String> {
    if let Some(reference) = name.strip_prefix("LicenseRef-") {
        let is_name = |character: char| character.is_ascii_alphanumeric() || matches!(character, '.' | '-');
        if reference.is_empty() || !reference.chars().all(is_name) {
            return None;
        }
        references.push(name.to_owned());
        return Some(name.to_owned());
    }
    match (identifier(name), name.strip_suffix('+')) {
        (Some(known), _) => Some(known.to_owned()),
        (None, Some(name)) => Some(format!("{}+", identifier(name)?)),
        (None, None) => None,
    }
}

/// A name of Debian's machine-readable copyright format as an expression: those that the format defines by version, and such that SPDX has, too.
fn debian(name: &str) -> Option<String> {
    for (word, operator) in [(" or ", " OR "), (" and ", " AND ")] {
        if name.contains(word) && !name.contains(',') {
            let terms: Option<Vec<_>> = name.split(word).map(|term| debian(term.trim())).collect();
            let terms = terms?;
            // Which of two operators binds first is not said.
            return terms.iter().all(|term| !term.contains(' ')).then(|| terms.join(operator));
        }
    }
    if name.eq_ignore_ascii_case("Expat") {
        return Some("MIT".to_owned());
    }
    let parts = name.split_once('-');
    if let Some((family, version)) =
        parts.filter(|(family, _)| ["GPL", "LGPL", "AGPL", "GFDL"].contains(family))
    {
        let (version, which) = match version.strip_suffix('+') {
            Some(version) => (version, "or-later"),
            None => (version, "only"),
        };
        let point = if version.contains('.') { "" } else { ".0" };
        if let Some(known) = identifier(&format!("{family}-{version}{point}-{which}")) {
            return Some(known.to_owned());
        }
    }
    identifier(name).map(str::to_owned)
}

/// An identifier for a text that is none of SPDX's: its letters and digits, and what tells it from others that have the same.
fn reference(text: &str) -> String {
    let text = text.trim();
    let mut name = String::new();
    for character in text.chars().take(48) {
        match character {
            '.' | '-' => name.push(character),
            _ if character.is_ascii_alphanumeric() => name.push(character),
            _ if name.ends_with('-') => {}
            _ => name.push('-'),
        }
    }
    let digest = sha256(text.as_bytes());
    format!("LicenseRef-{name}-{}", digest.get(..8).unwrap_or_default())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_kept_and_other_texts_are_referred_to() {
        for (text, expected) in [
            ("MIT", "MIT"),
            ("mit", "MIT"),
            ("GPL-2.0-or-later WITH GCC-exception-2.0 AND (LGPL-2.1+ OR  BSD-3-Clause)", ""),
            ("GPL-3.0-or-later WITH GCC-exception-3.1 AND LicenseRef-Fedora-Public-Domain", ""),
            ("Apache-2.0+", "Apache-2.0+"),
        ] {
            let (found, _) = expression(text).unwrap();
            let expected = if expected.is_empty() { text.replace("  ", " ") } else { expected.to_owned() };
            assert_eq!(found, expected);
        }
        for text in [
            "LGPLv2+ and LGPLv2+ with exceptions and GPLv2+",
            "MIT and BSD",
            "MIT BSD",
            "MIT AND",
            "AND MIT",
            "(MIT",
            "MIT)",
            "()",
            "MIT WITH MIT",
            "MIT WITH",
            "MIT OR WITH",
            "(MIT) WITH GCC-exception-3.1",
            "LicenseRef-",
            "LicenseRef-a_b",
            "",
        ] {
            assert_eq!(expression(text), None, "{text}");
        }
        let declared = Declared::from_text("LGPLv2+ and GPLv2+");
        let (name, text) = declared.references.first_key_value().unwrap();
        assert_eq!(declared.expression.as_ref(), Some(name));
        assert!(name.starts_with("LicenseRef-LGPLv2-and-GPLv2--"), "{name}");
        assert_eq!(text, "LGPLv2+ and GPLv2+");
        assert_eq!(Declared::from_text(" "), Declared::default());
    }

    #[test]
    fn debians_names_are_turned_where_their_meaning_is_defined() {
        for (name, expected) in [
            ("GPL-2+", Some("GPL-2.0-or-later")),
            ("LGPL-2.1", Some("LGPL-2.1-only")),
            ("GPL-2.0+", Some("GPL-2.0-or-later")),
            ("Expat", Some("MIT")),
            ("BSD-3-clause", Some("BSD-3-Clause")),
            ("GPL-1+ or Artistic-2.0", Some("GPL-1.0-or-later OR Artistic-2.0")),
            ("GPL-2+ or MIT and Expat", None),
            ("GPL", None),
            ("GPL-9", None),
            ("GPL-2+ with OpenSSL exception", None),
            ("public-domain", None),
        ] {
            assert_eq!(debian(name).as_deref(), expected, "{name}");
        }
        let names = ["GPL-2+ or Expat", "Expat", "MIT", "public-domain"].map(str::to_owned);
        let declared = Declared::from_debian(&names);
        let expression = declared.expression.unwrap();
        assert!(
            expression.starts_with("(GPL-2.0-or-later OR MIT) AND MIT AND LicenseRef-public-domain-"),
            "{expression}"
        );
        assert_eq!(declared.references.len(), 1);
    }

    #[test]
    fn the_lists_have_no_name_twice() {
        for list in [LICENCES, EXCEPTIONS] {
            let mut names: Vec<String> = list.lines().map(str::to_lowercase).collect();
            names.sort();
            let count = names.len();
            names.dedup();
            assert_eq!(names.len(), count);
        }
        assert!(identifier("GPL-2.0-only").is_some() && identifier("GCC-exception-3.1").is_none());
    }
}
