//! The image's lists of what its cache has for a target.
//!
//! `docker/go-build/warm-cache` writes them, one for each target. The first line is the header
//! `v1 SIZE NAME GO-VERSION`: the size of all files in bytes, the file that is copied last, and whose presence in a cache means
//! that the others have been there; and which Go made them. The other lines are the names of all files in the order in which they
//! are to be copied.

use std::path::PathBuf;

/// The first line of a list.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Header {
    /// The size of all files.
    pub bytes: u64,
    /// The file that is copied last.
    pub last: Name,
    /// The first line of the file VERSION of the Go that made them.
    pub go: String,
}

/// The name of a file in Go's cache: 64 hexadecimal digits, and `-a` for an entry or `-d` for an output.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Name(String);

/// What a header has room for.
pub(super) const HEADER: u64 = 256;

impl Name {
    fn parse(text: &str) -> Option<Name> {
        let digits = text.strip_suffix("-a").or_else(|| text.strip_suffix("-d"))?;
        let is_hexadecimal = |byte: u8| byte.is_ascii_digit() || (b'a'..=b'f').contains(&byte);
        (digits.len() == 64 && digits.bytes().all(is_hexadecimal)).then(|| Name(text.to_owned()))
    }

    /// The directory within the cache: the first two digits.
    pub fn directory(&self) -> &str {
        self.0.get(..2).unwrap_or_default()
    }

    /// The file within the cache.
    pub fn path(&self) -> PathBuf {
        PathBuf::from(self.directory()).join(&self.0)
    }
}

/// Reads the first line of a list; `None` if it is none.
pub fn header(start: &[u8]) -> Option<Header> {
    let line = start.split(|byte| *byte == b'\n').next()?;
    // Not cut off: a list has a second line.
    start.get(line.len())?;
    let mut words = std::str::from_utf8(line).ok()?.splitn(4, ' ');
    if words.next()? != "v1" {
        return None;
    }
    let bytes = words.next()?;
    let bytes = bytes.bytes().all(|byte| byte.is_ascii_digit()).then(|| bytes.parse().ok())??;
    let last = Name::parse(words.next()?)?;
    let go = words.next().filter(|go| !go.is_empty())?.to_owned();
    Some(Header { bytes, last, go })
}

/// Reads the names of a list; `None` if one of them is none. They become paths, so nothing else may be in them.
pub fn names(list: &[u8]) -> Option<Vec<Name>> {
    let list = std::str::from_utf8(list.strip_suffix(b"\n")?).ok()?;
    list.split('\n').skip(1).map(Name::parse).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_list_has_a_header_and_names() {
        let [a, d] = [format!("{}-a", "0f".repeat(32)), format!("{}-d", "a9".repeat(32))];
        let text = format!("v1 212 {d} go1.26.6\n{a}\n{d}\n");
        let expected = Header { bytes: 212, last: Name(d.clone()), go: "go1.26.6".to_owned() };
        assert_eq!(header(text.as_bytes()), Some(expected));
        let paths: Vec<_> = names(text.as_bytes()).unwrap().iter().map(Name::path).collect();
        assert_eq!(paths, [format!("0f/{a}"), format!("a9/{d}")].map(PathBuf::from));
        let development = format!("v1 1 {d} devel go1.27-abc Thu Jan 1\n");
        assert_eq!(header(development.as_bytes()).unwrap().go, "devel go1.27-abc Thu Jan 1");
    }

    #[test]
    fn what_is_no_list_is_not_read_as_one() {
        let name = format!("{}-d", "a9".repeat(32));
        for text in [
            String::new(),
            "\n".to_owned(),
            format!("v1 1 {name} go1.26.6"),
            format!("v2 1 {name} go1.26.6\n"),
            format!("v1 +1 {name} go1.26.6\n"),
            format!("v1 -1 {name} go1.26.6\n"),
            format!("v1 99999999999999999999 {name} go1.26.6\n"),
            format!("v1 1 {name} \n"),
            format!("v1 1 {name}\n"),
            "v1 1 ../../etc/passwd go1.26.6\n".to_owned(),
        ] {
            assert_eq!(header(text.as_bytes()), None, "{text:?}");
        }
        for bad in [
            "..",
            "",
            "a9",
            &name.to_uppercase(),
            &name.replacen("a9", "", 1),
            &name.replace("-d", "-x"),
            &name.replacen('a', "/", 1),
        ] {
            assert_eq!(names(format!("header\n{name}\n{bad}\n").as_bytes()), None, "{bad:?}");
        }
        assert_eq!(names(format!("header\n{name}").as_bytes()), None, "cut off");
    }
}
