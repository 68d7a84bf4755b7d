//! nsswitch.conf: which modules glibc loads when a program asks for names (nsswitch.conf(5)).

use crate::loader::Object;

/// What glibc goes by where there is no such file, or no line for a database (nss/nss_database.c of glibc 2.34 and later; the
/// older ones', less `nis`, which needs a module that nobody installs by chance).
pub const DEFAULT: [&str; 2] = ["files", "dns"];

/// The services that a configuration names, each once, in order.
///
/// A line is `database: service [STATUS=action] service …`; what follows a `#` is a comment. Anything else is passed over, as
/// glibc does.
pub fn services(text: &[u8]) -> Vec<String> {
    let mut found: Vec<String> = Vec::new();
    for line in text.split(|byte| *byte == b'\n') {
        let line = line.split(|byte| *byte == b'#').next().unwrap_or_default();
        let Some(colon) = line.iter().position(|byte| *byte == b':') else { continue };
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
    }
    found
}

/// The file of a service's module (nss/nss_module.c).
fn module(service: &str) -> String {
    format!("libnss_{service}.so.2")
}

/// The modules that a libc loads for services: from 2.34 on `files` and `dns` are in libc itself.
pub fn modules(services: &[String], libc: &Object) -> Vec<String> {
    let versions = libc.elf.dynamic.as_ref().and_then(|dynamic| dynamic.defined_versions.as_ref());
    let has_own = versions.is_some_and(|versions| versions.iter().any(|version| version == b"GLIBC_2.34"));
    let is_module = |service: &&String| !(has_own && DEFAULT.contains(&service.as_str()));
    services.iter().filter(is_module).map(|service| module(service)).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn services_are_those_of_every_database_without_actions_and_comments() {
        for (text, expected) in [
            ("", ""),
            ("passwd: files\nhosts:\tfiles dns # mdns4\n", "files dns"),
            ("# passwd: ldap\n", ""),
            (
                "hosts: mymachines resolve [!UNAVAIL=return] files myhostname dns",
                "mymachines resolve files myhostname dns",
            ),
            ("hosts: files [NOTFOUND=return  SUCCESS=continue]dns", "files dns"),
            ("passwd:files sss\ngroup: files [SUCCESS=merge] sss\n", "files sss"),
            ("no database files\npasswd:\n: files\n", "files"),
        ] {
            assert_eq!(services(text.as_bytes()).join(" "), expected, "{text}");
        }
        assert_eq!(module("myhostname"), "libnss_myhostname.so.2");
    }
}
