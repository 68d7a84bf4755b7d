//! The compiler's identity: what makes Go build cgo packages again when the sysroot has changed.
//!
//! Go takes the first line of `CC -### -x c -c -` that has the word `version` before a number as the compiler's
//! identity (`gccToolID` in cmd/go/internal/work/buildid.go), and puts it into the cache key of each cgo package.
//! Headers and libraries of a sysroot are in no key (golang/go#24355). So gb adds a digest of them to that line.

use std::collections::hash_map::DefaultHasher;
use std::hash::Hasher;
use std::io::{self, Write};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::MetadataExt;
use std::path::Path;
use std::process::{Command, Stdio};

use super::{Invocation, Sysroot, exit_code, native};
use crate::platform::Abi;

/// What a compiler must be told apart by, besides clang's own version.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Identity {
    /// The target.
    pub abi: &'static Abi,
    /// The flags of its instruction set.
    pub flags: Vec<String>,
    /// What it compiles against.
    pub sysroot: Option<Sysroot>,
    /// Whether the machine's own libraries are found besides.
    pub native: bool,
}

impl Identity {
    /// What of a compilation no word of its command line says: the target, its flags, where the sysroot is.
    fn inputs(&self) -> String {
        let mut words = format!("gb={} target={}", env!("CARGO_PKG_VERSION"), self.abi.triple);
        if !self.flags.is_empty() {
            words.push_str(&format!(" flags={}", self.flags.join(",")));
        }
        let place = self.sysroot.as_ref().map(|sysroot| sysroot.layout.place().display().to_string());
        words.push_str(&format!(" sysroot={}", place.as_deref().unwrap_or("none")));
        words
    }

    /// The words for the version line; reads the directories of the whole sysroot.
    fn words(&self) -> String {
        let Some(sysroot) = &self.sysroot else { return self.inputs() };
        let mut digest = DefaultHasher::new();
        sysroot.trees(self.abi).iter().for_each(|tree| digest_tree(tree, &mut digest, true));
        if self.native && sysroot.root().is_some() {
            native::HEADERS.iter().for_each(|tree| digest_tree(Path::new(tree), &mut digest, true));
            native::libraries(self.abi).iter().for_each(|dir| digest_tree(dir, &mut digest, false));
        }
        format!("{} digest={:016x}", self.inputs(), digest.finish())
    }

    /// What tells this compiler from another for a compiler cache that hashes what the preprocessor prints and what the
    /// command line says, but not the files that gb looks at, nor its variables: one line.
    pub(super) fn for_cache(&self, clang: &Path) -> String {
        format!("{} {}", self.inputs(), file_identity(clang))
    }
}

/// What tells one state of a program from another, as compiler caches do by default.
pub fn file_identity(program: &Path) -> String {
    let (size, time) = program.metadata().map_or((0, 0), |metadata| (metadata.size(), metadata.mtime()));
    format!("program={} size={size} mtime={time}", program.display())
}

/// Digests what names, sizes, times of change in seconds and link targets say of a tree.
///
/// Reading the contents would take as long as building; what a package manager or a person changes changes these. The
/// seconds only, because image layers do not keep more, and a fresh container must find the image's own cache.
fn digest_tree(dir: &Path, digest: &mut impl Hasher, with_what_is_below: bool) {
    let Ok(list) = std::fs::read_dir(dir) else { return };
    let mut entries: Vec<_> = list.flatten().map(|entry| entry.path()).collect();
    entries.sort();
    for path in entries {
        let Ok(metadata) = path.symlink_metadata() else { continue };
        if metadata.is_dir() && !with_what_is_below {
            continue;
        }
        digest.write(path.as_os_str().as_bytes());
        digest.write_u8(0);
        if metadata.is_dir() {
            digest_tree(&path, digest, true);
        } else if metadata.is_symlink() {
            let target = std::fs::read_link(&path).unwrap_or_default();
            digest.write(target.as_os_str().as_bytes());
            digest.write_u8(1);
        } else {
            // Not as the machine has them: images for all machines share a cache.
            digest.write(&metadata.size().to_le_bytes());
            digest.write(&metadata.mtime().to_le_bytes());
        }
    }
}

/// Runs clang for a question about its identity, and repeats its answer with gb's part added to the version line.
///
/// Standard output is clang's own. Returns clang's exit code.
pub fn print_identity(identity: &Identity, invocation: &Invocation) -> io::Result<u8> {
    let clang = Command::new(&invocation.program)
        .args(&invocation.args)
        .stdout(Stdio::inherit())
        .stderr(Stdio::piped())
        .spawn()?;
    // Both take their time, and there are processors enough.
    let words = identity.words();
    let output = clang.wait_with_output()?;
    io::stderr().write_all(&with_identity(&output.stderr, &words))?;
    Ok(exit_code(output.status))
}

/// Adds to the first line that Go would take as the version.
fn with_identity(answer: &[u8], identity: &str) -> Vec<u8> {
    let mut lines: Vec<Vec<u8>> = answer.split(|b| *b == b'\n').map(<[u8]>::to_vec).collect();
    if let Some(line) = lines.iter_mut().find(|line| is_version_line(line)) {
        line.push(b' ');
        line.extend_from_slice(identity.as_bytes());
    }
    lines.join(&b'\n')
}

fn is_version_line(line: &[u8]) -> bool {
    let words: Vec<&[u8]> = line.split(u8::is_ascii_whitespace).filter(|w| !w.is_empty()).collect();
    let before_colon = words.iter().take_while(|w| !w.ends_with(b":")).count();
    words.windows(2).take(before_colon).any(|pair| {
        matches!(pair, [word, number] if *word == b"version" && number.first().is_some_and(u8::is_ascii_digit))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_line_that_go_reads_is_the_one_that_is_extended() {
        let answer = b"Configured with: version 1\nDebian clang version 19.1.7 (3)\nTarget: x\n \"/clang\" \"version 1\"\n";
        let expected = "Configured with: version 1\nDebian clang version 19.1.7 (3) gb=1\nTarget: x\n \"/clang\" \"version 1\"\n";
        assert_eq!(String::from_utf8(with_identity(answer, "gb=1")).unwrap(), expected);
        assert_eq!(with_identity(b"error: no version\n", "gb=1"), b"error: no version\n");
    }

    #[test]
    fn any_change_of_a_tree_changes_its_digest_and_nothing_else_does() {
        let dir = tempfile::tempdir().unwrap();
        let digest = || {
            let mut digest = DefaultHasher::new();
            digest_tree(dir.path(), &mut digest, true);
            digest.finish()
        };
        let file = dir.path().join("a.h");
        std::fs::write(&file, "one").unwrap();
        std::os::unix::fs::symlink("a.h", dir.path().join("b.h")).unwrap();
        let before = digest();
        assert_eq!(before, digest());
        std::fs::read(&file).unwrap();
        assert_eq!(before, digest());
        std::fs::write(&file, "one more").unwrap();
        let longer = digest();
        assert_ne!(before, longer);
        std::fs::remove_file(dir.path().join("b.h")).unwrap();
        std::os::unix::fs::symlink("c.h", dir.path().join("b.h")).unwrap();
        let relinked = digest();
        assert_ne!(longer, relinked);
        std::fs::rename(&file, dir.path().join("c.h")).unwrap();
        assert_ne!(relinked, digest());
    }
}
