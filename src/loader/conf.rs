//! ld.so.conf: the directories from which ldconfig(8) makes ld.so.cache. (No loader reads it.)
//!
//! `parse_conf` and `parse_conf_include` in glibc's elf/ldconfig.c. glibc has no guard against a file that includes itself.

use std::collections::BTreeSet;

use super::files::Files;
use super::paths::{directory_of, join};

/// What a file of this kind says.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Conf {
    /// Its lines, in order.
    pub lines: Vec<Line>,
}

/// A line that says something.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Line {
    /// A directory.
    Directory(Vec<u8>),
    /// The files that a pattern names are read here.
    Include(Vec<u8>),
}

impl Conf {
    /// Reads such a file.
    pub fn read(text: &[u8]) -> Conf {
        let mut lines = Vec::new();
        for line in text.split(|byte| *byte == b'\n') {
            // glibc reads lines as strings, which a NUL byte ends.
            let line = line.split(|byte| *byte == b'#' || *byte == 0).next().unwrap_or_default().trim_ascii();
            let blank = |byte: &u8| *byte == b' ' || *byte == b'\t';
            let mut words = line.split(blank).filter(|word| !word.is_empty());
            match line.split(blank).next() {
                Some(b"") | None => {}
                Some(b"include") if line.len() > b"include".len() => {
                    words.next();
                    lines.extend(words.map(|pattern| Line::Include(pattern.to_vec())));
                }
                // Numbers for features, which nothing goes by any more.
                Some(b"hwcap") if line.len() > b"hwcap".len() => {}
                _ => {
                    // "dir=libc6": the kind of libraries in it, which ldconfig finds out for itself.
                    let path = line.split(|byte| *byte == b'=').next().unwrap_or_default().trim_ascii_end();
                    let path = path.strip_suffix(b"/").filter(|path| !path.is_empty()).unwrap_or(path);
                    lines.push(Line::Directory(path.to_vec()));
                }
            }
        }
        Conf { lines }
    }
}

/// The directories that a configuration names, with everything that it includes, in order and each once. Paths that are not
/// absolute name nothing, as with ldconfig.
pub fn directories(files: &dyn Files, path: &[u8]) -> Vec<Vec<u8>> {
    let mut found = Vec::new();
    read(files, path, &mut BTreeSet::new(), &mut found);
    found
}

fn read(files: &dyn Files, path: &[u8], seen: &mut BTreeSet<Vec<u8>>, found: &mut Vec<Vec<u8>>) {
    const MOST: usize = 4096;
    if seen.len() >= MOST || found.len() >= MOST || !seen.insert(path.to_vec()) {
        return;
    }
    let Ok(text) = files.contents(path) else { return };
    for line in Conf::read(&text).lines {
        match line {
            Line::Directory(directory) if directory.starts_with(b"/") && found.len() < MOST => {
                if !found.contains(&directory) {
                    found.push(directory);
                }
            }
            Line::Directory(_) => {}
            Line::Include(pattern) => {
                let pattern = match pattern.starts_with(b"/") {
                    true => pattern,
                    false => join(&[directory_of(path), b"/", &pattern]),
                };
                for path in glob(files, &pattern) {
                    read(files, &path, seen, found);
                }
            }
        }
    }
}

/// The paths that a pattern matches, sorted (glob(3) in the C locale).
pub fn glob(files: &dyn Files, pattern: &[u8]) -> Vec<Vec<u8>> {
    const MOST: usize = 4096;
    let mut found = vec![Vec::new()];
    for part in pattern.split(|byte| *byte == b'/').filter(|part| !part.is_empty()) {
        let mut next = Vec::new();
        for directory in found {
            if !part.iter().any(|byte| b"*?[".contains(byte)) {
                next.push(join(&[&directory, b"/", part]));
                continue;
            }
            let listed: &[u8] = if directory.is_empty() { b"/" } else { &directory };
            let names = files.names(listed).into_iter();
            next.extend(
                names.filter(|name| matches(part, name)).map(|name| join(&[&directory, b"/", &name])),
            );
            next.truncate(MOST);
        }
        found = next;
    }
    found
}

/// Whether a name matches a pattern with `*`, `?` and `[…]` (glob(7)); a dot at the beginning only matches itself.
fn matches(pattern: &[u8], name: &[u8]) -> bool {
    if name.starts_with(b".") && !pattern.starts_with(b".") {
        return false;
    }
    let (mut pattern, mut name) = (pattern, name);
    // After a star, what of the pattern follows it and what of the name it has not swallowed yet.
    let mut star: Option<(&[u8], &[u8])> = None;
    loop {
        let rest = match pattern.split_first() {
            Some((b'*', after)) => {
                star = Some((after, name));
                pattern = after;
                continue;
            }
            Some((b'?', after)) => name.get(1..).map(|rest| (after, rest)),
            Some((b'[', after)) => set(after, name),
            Some((b'\\', after)) => literal(after, name),
            Some(_) => literal(pattern, name),
            None if name.is_empty() => return true,
            None => None,
        };
        (pattern, name) = match (rest, star) {
            (Some(rest), _) => rest,
            (None, Some((after, swallowed))) => {
                let Some(swallowed) = swallowed.get(1..) else { return false };
                star = Some((after, swallowed));
                (after, swallowed)
            }
            (None, None) => return false,
        };
    }
}

fn literal<'a>(pattern: &'a [u8], name: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let ((wanted, pattern), (byte, name)) = (pattern.split_first()?, name.split_first()?);
    (wanted == byte).then_some((pattern, name))
}

/// `[abc]`, `[a-z]`, `[!a]`; without its end a bracket is itself.
fn set<'a>(pattern: &'a [u8], name: &'a [u8]) -> Option<(&'a [u8], &'a [u8])> {
    let (byte, rest) = name.split_first()?;
    let inner = pattern.strip_prefix(b"!").or(pattern.strip_prefix(b"^"));
    let body = inner.unwrap_or(pattern);
    // A closing bracket that comes first is one of the set.
    let Some(end) = body.iter().skip(1).position(|byte| *byte == b']').map(|at| at + 1) else {
        return (*byte == b'[').then_some((pattern, rest));
    };
    let mut members = body.get(..end).unwrap_or_default();
    let mut is_member = false;
    while let Some((first, after)) = members.split_first() {
        members = match after {
            [b'-', last, after @ ..] => {
                is_member |= (first..=last).contains(&byte);
                after
            }
            _ => {
                is_member |= first == byte;
                after
            }
        };
    }
    (is_member != inner.is_some()).then_some((body.get(end + 1..).unwrap_or_default(), rest))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_line_is_a_directory_or_an_include() {
        let text =
            b"# comment\n/a \n\t/b/ # x\n\ninclude c.d/*.conf\td\nhwcap 1 x\n/e=libc6\ninclude\n/\n/f g\0h\n";
        let shown = Conf::read(text).lines.into_iter().map(|line| match line {
            Line::Directory(path) => String::from_utf8(path).unwrap(),
            Line::Include(pattern) => format!("+{}", String::from_utf8(pattern).unwrap()),
        });
        let shown: Vec<_> = shown.collect();
        assert_eq!(shown, ["/a", "/b", "+c.d/*.conf", "+d", "/e", "include", "/", "/f g"]);
    }

    #[test]
    fn a_pattern_matches_as_glob_has_it() {
        for (pattern, name, expected) in [
            ("*.conf", "a.conf", true),
            ("*.conf", ".conf", false),
            ("*.conf", ".a.conf", false),
            (".*", ".a", true),
            ("*", "", true),
            ("a*b*c", "aXbXbc", true),
            ("a*b*c", "aXbXbcd", false),
            ("?", "a", true),
            ("?", "", false),
            ("[a-c]x", "bx", true),
            ("[!a-c]x", "bx", false),
            ("[]]", "]", true),
            ("[a", "[a", true),
            ("\\*", "*", true),
            ("\\*", "a", false),
            ("**", "abc", true),
            ("*a*a*a*a*a*a*a*a*a*b", "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa", false),
        ] {
            assert_eq!(matches(pattern.as_bytes(), name.as_bytes()), expected, "{pattern} {name}");
        }
    }
}
