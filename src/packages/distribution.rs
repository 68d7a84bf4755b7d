//! os-release: which distribution a root is of.

use std::path::Path;

use super::ReadError;
use super::files::{Files, text as read_text};

/// Where it is, in the order of os-release(5).
const PLACES: [&str; 2] = ["/etc/os-release", "/usr/lib/os-release"];

/// Debian's releases (the distro-info-data package), since an archive's own names are what sources of packages are told by.
const RELEASES: [(&str, &str); 5] =
    [("bullseye", "11"), ("bookworm", "12"), ("trixie", "13"), ("forky", "14"), ("duke", "15")];

/// A distribution.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Distribution {
    /// Its name for programs: `debian`, `rhel`, `alpine`.
    pub id: String,
    /// Its version; what is not released yet has none.
    pub version: Option<String>,
    /// The name of the version.
    pub codename: Option<String>,
    /// Its name for people, with the version.
    pub pretty_name: Option<String>,
}

impl Distribution {
    /// The distribution of a root; none if it does not say.
    pub fn of(files: &dyn Files) -> Result<Option<Distribution>, ReadError> {
        for place in PLACES.map(Path::new) {
            if let Some(text) = read_text(files, place, 1 << 16)? {
                return Ok(Distribution::parse(&String::from_utf8_lossy(&text)));
            }
        }
        Ok(None)
    }

    /// Reads an os-release file: assignments of a shell. None if it has no ID.
    pub fn parse(text: &str) -> Option<Distribution> {
        let value = |name: &str| {
            let assigned =
                text.lines().rev().find_map(|line| line.trim().strip_prefix(name)?.strip_prefix('='));
            assigned.map(unquoted).filter(|value| !value.is_empty())
        };
        Some(Distribution {
            id: value("ID")?,
            version: value("VERSION_ID"),
            codename: value("VERSION_CODENAME"),
            pretty_name: value("PRETTY_NAME"),
        })
    }

    /// Another release of this distribution, by the name that its archive has it under.
    pub fn release(&self, codename: &str) -> Distribution {
        let version = RELEASES.iter().find(|(name, _)| *name == codename).map(|(_, version)| *version);
        Distribution {
            id: self.id.clone(),
            version: version.map(str::to_owned),
            codename: Some(codename.to_owned()),
            pretty_name: None,
        }
    }

    /// The name and version as scanners write them: `debian-13`.
    pub fn label(&self) -> String {
        match self.version.as_ref().or(self.codename.as_ref()) {
            Some(version) => format!("{}-{version}", self.id),
            None => self.id.clone(),
        }
    }
}

/// A value without its quotes, and without the backslashes that quote a character.
fn unquoted(value: &str) -> String {
    let value = value.trim();
    let inner = ['"', '\''].iter().find_map(|quote| value.strip_prefix(*quote)?.strip_suffix(*quote));
    let mut text = String::new();
    let mut characters = inner.unwrap_or(value).chars();
    while let Some(character) = characters.next() {
        match character {
            '\\' => text.extend(characters.next()),
            other => text.push(other),
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quoted_and_plain_values_are_read() {
        let text = "NAME=\"Red Hat\"\nID=\"rhel\"\nVERSION_ID='9.4'\n#ID=x\nID_LIKE=fedora\n\
            PRETTY_NAME=\"Red Hat \\\"Plow\\\"\"\n";
        let found = Distribution::parse(text).unwrap();
        assert_eq!((&*found.id, &*found.label()), ("rhel", "rhel-9.4"));
        assert_eq!(found.pretty_name.as_deref(), Some("Red Hat \"Plow\""));
        let sid = Distribution::parse("ID=debian\nVERSION_CODENAME=forky\n").unwrap();
        assert_eq!(sid.label(), "debian-forky");
        assert_eq!(Distribution::parse("ID=arch\n").unwrap().label(), "arch");
        assert_eq!(sid.release("bookworm").label(), "debian-12");
        assert_eq!(sid.release("unstable").label(), "debian-unstable");
        assert_eq!(Distribution::parse("NAME=x\nID=\n"), None);
    }
}
