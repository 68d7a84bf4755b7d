//! nsswitch.conf: which modules glibc loads when a program asks for names (nsswitch.conf(5)).

use crate::loader::{Kind, Object, Own};

/// What glibc goes by where there is no such file, or no line for a database (nss/nss_database.c of glibc 2.34 and later; the
/// older ones', less `nis`, which needs a module that nobody installs by chance).
pub const DEFAULT: [&str; 2] = ["files", "dns"];

/// A database of names, and the services that answer for it.
pub type Database = (String, Vec<String>);

/// What programs ask for names and numbers all the time; there is a service for these, or they fail.
const ASKED: [&str; 4] = ["passwd", "group", "shadow", "hosts"];

/// The databases of a configuration, each with its services, in order.
///
/// A line is `database: service [STATUS=action] service …`; what follows a `#` is a comment. Anything else is passed over, as
/// glibc does.
pub fn databases(text: &[u8]) -> Vec<Database> {
    let mut databases = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
        let database =
            String::from_utf8_lossy(line.get(..colon).unwrap_or_default().trim_ascii()).into_owned();
        let mut found: Vec<String> = Vec::new();
        let mut is_in_brackets = false;
        for word in line.get(colon + 1..).unwrap_or_default().split(u8::is_ascii_whitespace) {
            // `[NOTFOUND=return success=merge]` may have spaces in it, and a service right behind it.
            let mut service = Vec::new();
            for byte in word {
                match byte {
                    b'[' => is_in_brackets = true,
                    b']' => is_in_brackets = false,
                    byte if !is_in_brackets => service.push(*byte),
                    _ => {}
                }
            }
            let service = String::from_utf8_lossy(&service).into_owned();
            if !service.is_empty() && !found.contains(&service) {
                found.push(service);
            }
        }
        databases.push((database, found));
    }
    databases
}

/// What glibc goes by where there is no configuration.
pub fn default() -> Vec<Database> {
    ASKED.map(|database| (database.to_owned(), DEFAULT.map(str::to_owned).to_vec())).to_vec()
}

/// A service that has no module where it is looked for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Absent {
    /// The module.
    pub module: String,
    /// A database that is the poorer without it; none if glibc goes on to another service, or nobody asks.
    pub leaves: Option<String>,
}

/// The services without a module: distributions name some that most installations do not have (`sss`, `nis`, `db`), and glibc
/// passes over them. `is_there` is asked once about each module.
pub fn absent(databases: &[Database], libc: &Object, is_there: &mut dyn FnMut(&str) -> bool) -> Vec<Absent> {
    let mut known: Vec<(&str, bool)> = Vec::new();
    let mut found = Vec::new();
    for service in databases.iter().flat_map(|(_, services)| services) {
        if !known.iter().any(|(name, _)| name == service) {
            known.push((service, is_builtin(service, libc) || is_there(&module(service))));
        }
    }
    let answers = |service: &String| known.contains(&(service.as_str(), true));
    for (service, _) in known.iter().filter(|(_, is_there)| !is_there) {
        // Those that glibc comes with are not there by choice of whoever installs what.
        let is_own = DEFAULT.contains(service);
        let is_left = |(name, services): &&Database| {
            ASKED.contains(&name.as_str())
                && services.iter().any(|name| name == service)
                && (is_own || !services.iter().any(answers))
        };
        let leaves = databases.iter().find(is_left).map(|(name, _)| name.clone());
        found.push(Absent { module: module(service), leaves });
    }
    found
}

impl std::fmt::Display for Absent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.leaves {
            Some(database) => write!(f, "not found, and it is to answer for {database}"),
            None => write!(
                f,
                "nsswitch.conf names a service of {}, which is not there: glibc passes over it",
                self.module
            ),
        }
    }
}

/// The file of a service's module (nss/nss_module.c).
fn module(service: &str) -> String {
    format!("libnss_{service}.so.2")
}

/// Whether an object is glibc's library, which loads such modules.
pub fn is_glibc(own: &Own, object: &Object) -> bool {
    matches!(own.kind, Kind::Glibc(_)) && object.elf.soname() == Some(b"libc.so.6")
}

/// Whether a service is in libc itself: from 2.34 on `files` and `dns` are.
fn is_builtin(service: &str, libc: &Object) -> bool {
    let versions = libc.elf.dynamic.as_ref().and_then(|dynamic| dynamic.defined_versions.as_ref());
    let has_own = versions.is_some_and(|versions| versions.iter().any(|version| version == b"GLIBC_2.34"));
    has_own && DEFAULT.contains(&service)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_those_of_every_database_without_actions_and_comments() {
        for (text, expected) in [
            ("", ""),
            ("passwd: files\nhosts:\tfiles dns # mdns4\n", "passwd=files hosts=files,dns"),
            ("# passwd: ldap\n", ""),
            (
                "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns",
                "hosts=mymachines,resolve,files,myhostname,dns",
            ),
            ("hosts: files [NOTFOUND=return  SUCCESS=continue]dns", "hosts=files,dns"),
            ("passwd:files sss\n group : files [SUCCESS=merge] sss\n", "passwd=files,sss group=files,sss"),
            ("no database files\npasswd:\n: files\n", "passwd= =files"),
        ] {
            let found = databases(text.as_bytes());
            let found: Vec<_> =
                found.iter().map(|(name, services)| format!("{name}={}", services.join(","))).collect();
            assert_eq!(found.join(" "), expected, "{text}");
        }
        assert_eq!(module("myhostname"), "libnss_myhostname.so.2");
    }
}
