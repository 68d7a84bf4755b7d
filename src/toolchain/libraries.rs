//! The libraries of a sysroot: what a link takes from it without being asked must be there, and for the target.
//!
//! A sysroot is often unpacked or copied by hand, and then its libraries are links that lead nowhere, or out of it to the
//! machine's own. A linker says of these that a library is not found or "incompatible", or takes the static one silently.

use std::ffi::OsStr;
use std::io;
use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use super::Sysroot;
use super::command_line::CommandLine;
use super::compiler::Language;
use crate::file;
use crate::platform::{Abi, Platform};

/// A library of a sysroot that can't be linked against.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", .file.display())]
pub struct Damage {
    /// The file.
    pub file: PathBuf,
    /// What is wrong with it, and the remedy in brackets.
    pub why: String,
}

/// Every library that a link can take from a sysroot by itself: the C library's, and those of the compiler.
const ALL: [&str; 5] = ["c", "gcc_s", "stdc++", "m", "atomic"];

/// The libraries that a command line takes from the sysroot, of those that it names or that go without saying.
///
/// None where the caller chooses other ones than the usual: then the linker says what there is to say.
pub(super) fn wanted(line: &CommandLine, language: Language) -> impl Iterator<Item = &'static str> {
    let by_default: &[&str] = match language {
        _ if line.own_libraries || line.no_libraries || line.is_static => &[],
        Language::C => &["c", "gcc_s"],
        Language::Cxx => &["c", "gcc_s", "stdc++", "m"],
    };
    let links = line.links() && !line.is_static;
    ALL.into_iter().filter(move |name| {
        links && (by_default.contains(name) || line.libraries.iter().any(|asked| asked == name))
    })
}

impl Sysroot {
    /// The first library of the sysroot that is there but can't be linked against.
    pub fn damage(&self, platform: &'static Platform, abi: &'static Abi) -> Option<Damage> {
        self.damage_of(ALL.into_iter(), platform, abi)
    }

    /// The same of some libraries only.
    ///
    /// What is not there is no damage: a sysroot may well have static libraries alone, or none of C++.
    pub(super) fn damage_of(
        &self,
        names: impl Iterator<Item = &'static str>,
        platform: &'static Platform,
        abi: &'static Abi,
    ) -> Option<Damage> {
        for name in names {
            let name = format!("lib{name}.so");
            let near = [&self.libgcc, &self.lib].map(|dir| dir.join(&name));
            let far = || self.library_directories(abi).into_iter().map(|dir| dir.join(&name));
            let is_named = |path: &PathBuf| path.symlink_metadata().is_ok();
            let Some(file) = near.into_iter().find(is_named).or_else(|| far().find(is_named)) else {
                continue;
            };
            let looked_at = self.look_at(&file, platform);
            if let Err(why) = looked_at.and_then(|script| self.look_at_named(&script, &file, platform)) {
                return Some(Damage { file, why });
            }
        }
        None
    }

    /// Looks at a library; the text, if it is a linker script.
    fn look_at(&self, file: &Path, platform: &'static Platform) -> Result<Vec<u8>, String> {
        // More than any library's script has.
        const LENGTH: u64 = 4096;
        self.is_within(file)?;
        let start = file::read_part(file, 0, LENGTH).map_err(|error| match error.kind() {
            io::ErrorKind::PermissionDenied => "permission denied (chmod a+r)".to_owned(),
            _ => error.to_string(),
        })?;
        if start.is_empty() {
            return Err("it is empty (put the library there)".to_owned());
        }
        if start.starts_with(b"!<arch>") {
            return Ok(Vec::new());
        }
        if !start.starts_with(b"\x7fELF") {
            return Ok(start);
        }
        let goarch = platform.goarch;
        match Platform::by_elf_header(&start) {
            Some(found) if found == platform => Ok(Vec::new()),
            Some(found) => {
                Err(format!("it is for {}, not for {goarch} (put the one for {goarch} there)", found.goarch))
            }
            None => Err(format!("it is not for {goarch} (put the one for {goarch} there)")),
        }
    }

    /// Looks at the files that a linker script names. A path that begins with a slash is one within the sysroot (ld's manual,
    /// "Commands Dealing with Files").
    fn look_at_named(&self, script: &[u8], file: &Path, platform: &'static Platform) -> Result<(), String> {
        let root = self.root().unwrap_or(Path::new("/"));
        for word in inputs(script) {
            let name = Path::new(OsStr::from_bytes(word));
            let beside = file.parent().unwrap_or(root).join(name);
            let places = match name.strip_prefix("/") {
                Ok(within) => vec![root.join(within)],
                Err(_) => vec![beside, self.lib.join(name), self.libgcc.join(name)],
            };
            let Some(named) = places.iter().find(|path| path.symlink_metadata().is_ok()) else {
                let place =
                    if name.is_absolute() { format!(" within {}", root.display()) } else { String::new() };
                return Err(format!("it names {}, which is not there{place} (put it there)", name.display()));
            };
            self.look_at(named, platform).map_err(|why| format!("it names {}: {why}", named.display()))?;
        }
        Ok(())
    }

    /// Whether a file is there, and no link leads out of the sysroot to it: linkers follow links as the kernel does.
    fn is_within(&self, file: &Path) -> Result<(), String> {
        let metadata = file.symlink_metadata().map_err(|error| error.to_string())?;
        if !metadata.is_symlink() {
            return Ok(());
        }
        let target = file.read_link().unwrap_or_default();
        let resolved = file.canonicalize();
        // Of a link that leads nowhere, its own words are all that there is.
        let place = if target.is_absolute() { Some(&target) } else { resolved.as_ref().ok() };
        if let (Some(root), Some(place)) = (self.root(), place) {
            let root = root.canonicalize().unwrap_or_else(|_| root.to_owned());
            if !resolved.as_ref().unwrap_or(place).starts_with(root) {
                return Err(format!(
                    "it is a link out of the sysroot, to {} (make it relative)",
                    place.display()
                ));
            }
        }
        let target = target.display();
        match resolved {
            Ok(_) => Ok(()),
            Err(error) if error.kind() == io::ErrorKind::PermissionDenied => {
                Err(format!("it is a link to {target}: permission denied (chmod -R a+rX)"))
            }
            Err(_) => Err(format!("it is a link to {target}, which is not there (put it there)")),
        }
    }
}

/// The files that a linker script takes in: what is in the brackets of GROUP and INPUT, and of AS_NEEDED in these.
fn inputs(script: &[u8]) -> Vec<&[u8]> {
    let mut inputs = Vec::new();
    let mut taken = false;
    let mut comment = false;
    let separates = |byte: &u8| byte.is_ascii_whitespace() || b"(),;\"".contains(byte);
    for word in script.split(separates).filter(|word| !word.is_empty()) {
        match word {
            b"/*" => comment = true,
            b"*/" => comment = false,
            _ if comment => comment = !word.ends_with(b"*/"),
            b"GROUP" | b"INPUT" => taken = true,
            b"AS_NEEDED" => {}
            _ if word.iter().all(|byte| byte.is_ascii_uppercase() || *byte == b'_') => taken = false,
            _ if taken && !word.starts_with(b"-") => inputs.push(word.strip_prefix(b"=").unwrap_or(word)),
            _ => {}
        }
    }
    inputs
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_files_of_a_linker_script_are_those_that_it_takes_in() {
        for (script, expected) in [
            (
                "/* GNU ld script\n   Use the shared library, but some (functions) are only in\n   the static library.  */\n\
                 OUTPUT_FORMAT(elf64-s390)\nGROUP ( /lib/libc.so.6 /usr/lib/libc_nonshared.a  AS_NEEDED ( /lib/ld64.so.1 ) )",
                "/lib/libc.so.6 /usr/lib/libc_nonshared.a /lib/ld64.so.1",
            ),
            ("/* a */ GROUP ( libgcc_s.so.1 -lgcc )\n", "libgcc_s.so.1"),
            ("INPUT(\"a.so\",=/lib/b.so);SEARCH_DIR(/c)", "a.so /lib/b.so"),
            ("", ""),
        ] {
            let found: Vec<_> = inputs(script.as_bytes()).into_iter().map(String::from_utf8_lossy).collect();
            assert_eq!(found.join(" "), expected);
        }
    }

    #[test]
    fn a_link_takes_what_goes_without_saying_and_what_is_asked_for() {
        let wanted = |words: &str, language| {
            let words: Vec<_> = words.split_whitespace().map(Into::into).collect();
            wanted(&CommandLine::read(&words), language).collect::<Vec<_>>().join(" ")
        };
        for (words, c, cxx) in [
            ("x.c", "c gcc_s", "c gcc_s stdc++ m"),
            ("x.o -shared -latomic -lz", "c gcc_s atomic", "c gcc_s stdc++ m atomic"),
            ("-c x.c", "", ""),
            ("-static x.c -lm", "", ""),
            ("-nostdlib x.c", "", ""),
            ("-nodefaultlibs x.c -lc", "c", "c"),
            ("-static-libgcc x.c", "", ""),
            ("--version", "", ""),
        ] {
            assert_eq!(wanted(words, Language::C), c, "{words}");
            assert_eq!(wanted(words, Language::Cxx), cxx, "{words}");
        }
    }
}
