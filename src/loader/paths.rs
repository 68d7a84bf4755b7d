//! Lists of directories as loaders take them from RPATH, RUNPATH and LD_LIBRARY_PATH (`fillin_rpath` in glibc's dl-load.c).

use super::tokens::{ORIGIN, PLATFORM, Tokens};

/// A directory of such a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Directory {
    /// Its path, with a slash at the end.
    At(Vec<u8>),
    /// It can't be told from here where it is, and why.
    Unknown {
        /// As the list has it.
        text: Vec<u8>,
        /// Why.
        why: &'static str,
    },
}

/// Why a directory is not known whose path has [`PLATFORM`] in it.
pub const NO_PLATFORM: &str = "only the processor knows what $PLATFORM stands for";
pub(super) const NO_TRUST: &str =
    "it runs with rights of its own, and its loader trusts $ORIGIN only within the system's directories";
pub(super) const NO_DIRECTORY: &str = "it depends on the working directory";

/// The directories of a list, each once.
pub(super) fn list(
    text: &[u8],
    separators: &[u8],
    tokens: &Tokens<'_>,
    here: Option<&[u8]>,
) -> Vec<Directory> {
    let mut directories = Vec::new();
    if text.is_empty() {
        return directories;
    }
    for element in text.split(|byte| separators.contains(byte)) {
        let directory = match tokens.expand(element) {
            Ok(path) if path.is_empty() && !element.is_empty() => continue,
            Ok(path) => match absolute(&with_slash(path), here) {
                Some(path) => Directory::At(path),
                None => Directory::Unknown { text: element.to_vec(), why: NO_DIRECTORY },
            },
            Err(ORIGIN) => Directory::Unknown { text: element.to_vec(), why: NO_TRUST },
            // The others can be told.
            Err(_) => match (Tokens { platform: Some(PLATFORM), ..*tokens }).expand(element) {
                Ok(text) => Directory::Unknown { text, why: NO_PLATFORM },
                Err(_) => Directory::Unknown { text: element.to_vec(), why: NO_TRUST },
            },
        };
        if !directories.contains(&directory) {
            directories.push(directory);
        }
    }
    directories
}

/// A directory's path with one slash at its end, unless it is empty, which is the working directory.
fn with_slash(mut path: Vec<u8>) -> Vec<u8> {
    while path.len() > 1 && path.ends_with(b"/") {
        path.pop();
    }
    if !path.is_empty() && !path.ends_with(b"/") {
        path.push(b'/');
    }
    path
}

/// A path that begins at the root.
pub(super) fn absolute(path: &[u8], here: Option<&[u8]>) -> Option<Vec<u8>> {
    if path.starts_with(b"/") {
        return Some(path.to_vec());
    }
    let mut absolute = here?.to_vec();
    if !absolute.ends_with(b"/") {
        absolute.push(b'/');
    }
    absolute.extend_from_slice(path);
    Some(absolute)
}

/// The directory that a file is in: its path up to the last slash, which alone stays.
pub(super) fn directory_of(path: &[u8]) -> &[u8] {
    match path.iter().rposition(|byte| *byte == b'/') {
        None | Some(0) => path.get(..1).unwrap_or_default(),
        Some(at) => path.get(..at).unwrap_or_default(),
    }
}

pub(super) fn join(parts: &[&[u8]]) -> Vec<u8> {
    parts.concat()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_is_read_as_glibc_reads_it() {
        let tokens = Tokens { origin: Some(b"/o"), lib: Some(b"lib64"), ..Tokens::default() };
        let read = |text: &str, here: Option<&[u8]>| {
            let shown =
                list(text.as_bytes(), b":", &tokens, here).into_iter().map(|directory| match directory {
                    Directory::At(path) => String::from_utf8(path).unwrap(),
                    Directory::Unknown { text, why } => {
                        format!(
                            "?{}{}",
                            String::from_utf8(text).unwrap(),
                            if why == NO_DIRECTORY { "" } else { "$" }
                        )
                    }
                });
            shown.collect::<Vec<_>>().join(" ")
        };
        for (text, expected) in [
            ("", ""),
            ("/a:/b/", "/a/ /b/"),
            ("/a///:/a", "/a/"),
            ("/", "/"),
            ("//", "/"),
            ("$ORIGIN/../$LIB", "/o/../lib64/"),
            ("/a:", "/a/ ?"),
            (":/a", "? /a/"),
            ("a", "?a"),
            ("/x/$PLATFORM:/a", "?/x/$PLATFORM$ /a/"),
        ] {
            assert_eq!(read(text, None), expected, "{text}");
        }
        assert_eq!(read("a::b", Some(b"/")), "/a/ / /b/");
        assert_eq!(read("a", Some(b"/work")), "/work/a/");
    }

    #[test]
    fn the_directory_of_a_file_at_the_root_is_the_root() {
        for (path, directory) in [("/a/b", "/a"), ("/a", "/"), ("/a//b", "/a/")] {
            assert_eq!(directory_of(path.as_bytes()), directory.as_bytes());
        }
    }
}
