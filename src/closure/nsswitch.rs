//! nsswitch.conf: which modules glibc loads when a program asks for names (nsswitch.conf(5)).

use super::base::NSSWITCH_PATH;
use super::hole::Hole;
use crate::loader::{Kind, Object, Own};

/// What glibc goes by where there is no such file, or no line for a database (nss/nss_database.c of glibc 2.34 and later; the
/// older ones', less `nis`, which needs a module that nobody installs by chance).
pub const DEFAULT: [&str; 2] = ["files", "dns"];

/// A database of names, and the services that answer for it.
pub type Database = (String, Vec<String>);

/// What programs ask for names and numbers all the time; there is a service for these, or they fail.
const ASKED: [&str; 4] = ["passwd", "group", "shadow", "hosts"];

/// The databases that glibc knows (nss/databases.def). What other programs look for in the same file is theirs (`sudoers`).
const DATABASES: [&str; 17] = [
    "aliases",
    "ethers",
    "group",
    "group_compat",
    "gshadow",
    "hosts",
    "initgroups",
    "netgroup",
    "networks",
    "passwd",
    "passwd_compat",
    "protocols",
    "publickey",
    "rpc",
    "services",
    "shadow",
    "shadow_compat",
];

/// A line that glibc can't read. Since 2.34 it looks up nothing at all then, in whatever database.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("line {line}: {} is no [STATUS=ACTION] (SUCCESS, NOTFOUND, UNAVAIL or TRYAGAIN; return, continue or merge)", String::from_utf8_lossy(.text))]
pub struct Malformed {
    /// The line's number, from 1.
    pub line: usize,
    /// What it has for a status.
    pub text: Vec<u8>,
}

impl Malformed {
    /// What it means with a libc: a hole, or what is to be known.
    pub fn hole(&self, libc: &Object) -> Result<Hole, String> {
        match is_from_2_34(libc) {
            true => {
                let why = format!("{self}: glibc finds no service for anything then");
                Ok(Hole::new(NSSWITCH_PATH, "services", why))
            }
            false => Err(format!("{NSSWITCH_PATH}: {self}: glibc passes over what follows")),
        }
    }
}

/// The databases of a configuration, each with its services, in order (`process_line` in nss/nss_database.c, and
/// nss/nss_action_parse.c).
///
/// A line is `database: service [STATUS=action …] service …`; the last one of a database counts. Other lines are passed over.
///
/// glibc knows no comments: behind services it takes the words of one for more of them. No root has to have these.
pub fn databases(text: &[u8]) -> Result<Vec<Database>, Malformed> {
    let mut databases: Vec<Database> = Vec::new();
    for (number, line) in (1..).zip(text.split(|byte| *byte == b'\n')) {
        let line = line.split(|byte| *byte == 0).next().unwrap_or_default();
        let line = without_space(line);
        let end = line.iter().position(|byte| is_space(byte) || *byte == b':').unwrap_or(line.len());
        let (name, rest) = line.split_at(end);
        let Some(name) = DATABASES.iter().find(|known| known.as_bytes() == name) else { continue };
        let skipped = rest.iter().take_while(|byte| is_space(byte) || **byte == b':').count();
        if skipped == 0 {
            continue;
        }
        let words = services(rest.get(skipped..).unwrap_or_default());
        let words = words.map_err(|text| Malformed { line: number, text: text.to_vec() })?;
        let words = words.into_iter().take_while(|word| !word.starts_with(b"#"));
        let services = words.map(|word| String::from_utf8_lossy(word).into_owned()).collect();
        databases.retain(|(known, _)| known != name);
        databases.push(((*name).to_owned(), services));
    }
    Ok(databases)
}

/// The services of a line. `Err`: what is in brackets, and says nothing.
fn services(mut line: &[u8]) -> Result<Vec<&[u8]>, &[u8]> {
    let mut services = Vec::new();
    loop {
        line = without_space(line);
        let end = line.iter().position(|byte| is_space(byte) || *byte == b'[').unwrap_or(line.len());
        let (service, rest) = line.split_at(end);
        // The list is at its end; also where brackets stand without a service.
        if service.is_empty() {
            return Ok(services);
        }
        services.push(service);
        line = without_space(rest);
        if let Some(inside) = line.strip_prefix(b"[") {
            line = after_actions(inside).ok_or_else(|| {
                let end = line.iter().position(|byte| *byte == b']').map_or(line.len(), |at| at + 1);
                line.get(..end).unwrap_or(line)
            })?;
        }
    }
}

/// What stands behind `STATUS=action STATUS=action]`, at least one of them.
fn after_actions(mut line: &[u8]) -> Option<&[u8]> {
    let word = |line: &mut &[u8]| {
        let end = line.iter().position(|byte| is_space(byte) || b"=]".contains(byte)).unwrap_or(line.len());
        let (word, rest) = line.split_at(end);
        *line = without_space(rest);
        word.to_ascii_uppercase()
    };
    line = without_space(line);
    loop {
        // All but this one.
        line = line.strip_prefix(b"!").unwrap_or(line);
        let status = word(&mut line);
        line = without_space(line.strip_prefix(b"=")?);
        let action = word(&mut line);
        if !matches!(status.as_slice(), b"SUCCESS" | b"NOTFOUND" | b"UNAVAIL" | b"TRYAGAIN")
            || !matches!(action.as_slice(), b"RETURN" | b"CONTINUE" | b"MERGE")
        {
            return None;
        }
        if let Some(rest) = line.strip_prefix(b"]") {
            return Some(rest);
        }
    }
}

fn without_space(text: &[u8]) -> &[u8] {
    text.get(text.iter().take_while(|byte| is_space(byte)).count()..).unwrap_or_default()
}

/// isspace(3)
fn is_space(byte: &u8) -> bool {
    matches!(byte, b' ' | b'\t'..=b'\r')
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
    is_from_2_34(libc) && DEFAULT.contains(&service)
}

/// Whether a libc has what glibc 2.34 brought: services of its own, and that it looks up nothing by a file that it can't read.
fn is_from_2_34(libc: &Object) -> bool {
    let versions = libc.elf.dynamic.as_ref().and_then(|dynamic| dynamic.defined_versions.as_ref());
    versions.is_some_and(|versions| versions.iter().any(|version| version == b"GLIBC_2.34"))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Each of these was given to glibc 2.36 (getent(1), and the modules that it looked for).
    #[test]
    fn a_line_is_read_as_glibc_reads_it() {
        for (text, expected) in [
            ("", ""),
            ("passwd: files\nhosts:\tfiles dns # mdns4\n", "passwd=files hosts=files,dns"),
            ("# passwd: ldap\n#passwd: ldap [x]", ""),
            (
                "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns",
                "hosts=mymachines,resolve,files,myhostname,dns",
            ),
            ("hosts: files [NOTFOUND=return  SUCCESS=continue]dns", "hosts=files,dns"),
            ("hosts: files[ !tryagain = Merge ]dns", "hosts=files,dns"),
            ("passwd:files sss\n group : files [SUCCESS=merge] sss\n", "passwd=files,sss group=files,sss"),
            ("no database files\npasswd:\n: files\n", "passwd="),
            ("hosts files dns\nhosts", "hosts=files,dns"),
            ("hosts: : :files", "hosts=files"),
            ("hosts: files\nhosts: dns", "hosts=dns"),
            ("hosts: [NOTFOUND=return] files", "hosts="),
            ("hosts: files [NOTFOUND=return] [SUCCESS=return] dns", "hosts=files"),
            ("sudoers: files [nonsense]", ""),
            ("hosts: files\x0bdns\x00sss", "hosts=files,dns"),
            ("passwd: files\nhosts: files [FOO=return] dns", "2: [FOO=return]"),
            ("hosts: files # [a comment]", "1: [a comment]"),
            ("aliases: x [NOTFOUND=return", "1: [NOTFOUND=return"),
            ("hosts: x []", "1: []"),
            ("hosts: x [NOTFOUND]", "1: [NOTFOUND]"),
            ("hosts: x [NOTFOUND=return=return]", "1: [NOTFOUND=return=return]"),
        ] {
            let found = match databases(text.as_bytes()) {
                Ok(found) => {
                    let shown = found.iter().map(|(name, services)| format!("{name}={}", services.join(",")));
                    shown.collect::<Vec<_>>().join(" ")
                }
                Err(error) => format!("{}: {}", error.line, String::from_utf8_lossy(&error.text)),
            };
            assert_eq!(found, expected, "{text}");
        }
        assert_eq!(module("myhostname"), "libnss_myhostname.so.2");
    }
}
