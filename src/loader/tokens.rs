//! Dynamic string tokens: `$ORIGIN`, `$LIB`, `$PLATFORM` (`is_dst` and `_dl_dst_substitute` in glibc's elf/dl-load.c).

use super::trust::is_trusted;

/// What the tokens stand for; `None` if that is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tokens<'a> {
    pub(super) origin: Option<&'a [u8]>,
    pub(super) lib: Option<&'a [u8]>,
    pub(super) platform: Option<&'a [u8]>,
    /// Where `$ORIGIN` may lead to in a program that runs with rights of its own. None: anywhere.
    pub(super) trust: Option<Trust<'a>>,
}

/// What a loader trusts when the program runs with other rights than its caller.
#[derive(Debug, Clone, Copy)]
pub(super) struct Trust<'a> {
    /// The loader's own directories.
    pub(super) directories: &'a [Vec<u8>],
    /// Whether the text is the program's, which its caller may have linked to elsewhere.
    pub(super) is_program: bool,
}

/// The token that only a processor can tell.
pub const PLATFORM: &[u8] = b"$PLATFORM";
/// The token that a caller could make lead elsewhere.
pub(super) const ORIGIN: &str = "ORIGIN";

impl Tokens<'_> {
    /// Puts in what the tokens stand for. `Err`: the token that can't be told or is not trusted, for which loaders drop the
    /// whole text.
    pub(super) fn expand(&self, text: &[u8]) -> Result<Vec<u8>, &'static str> {
        let tokens = [(ORIGIN, self.origin), ("PLATFORM", self.platform), ("LIB", self.lib)];
        let mut leads_from_origin = false;
        let mut expanded = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
            let (before, from) = rest.split_at(at);
            expanded.extend_from_slice(before);
            let after = from.get(1..).unwrap_or_default();
            let found = tokens.iter().find_map(|(name, value)| Some((*name, *value, length(after, name)?)));
            rest = match found {
                Some((name, Some(value), length)) => {
                    let rest = after.get(length..).unwrap_or_default();
                    if name == ORIGIN && self.trust.is_some() {
                        // It has to be the first directory, and whole.
                        if !expanded.is_empty() || !matches!(rest.first(), None | Some(b'/')) {
                            return Err(ORIGIN);
                        }
                        leads_from_origin = true;
                    }
                    expanded.extend_from_slice(value);
                    rest
                }
                Some((name, None, _)) => return Err(name),
                None => {
                    expanded.push(b'$');
                    after
                }
            };
        }
        expanded.extend_from_slice(rest);
        match self.trust {
            Some(trust)
                if leads_from_origin && trust.is_program && !is_trusted(&expanded, trust.directories) =>
            {
                Err(ORIGIN)
            }
            _ => Ok(expanded),
        }
    }
}

/// The length of a token that a text begins with, if it is this one: in braces, or as long as a name goes.
fn length(text: &[u8], name: &str) -> Option<usize> {
    let inner = text.strip_prefix(b"{");
    let rest = inner.unwrap_or(text).strip_prefix(name.as_bytes())?;
    match inner {
        Some(_) => rest.starts_with(b"}").then_some(name.len() + 2),
        None => {
            let goes_on = rest.first().is_some_and(|byte| byte.is_ascii_alphanumeric() || *byte == b'_');
            (!goes_on).then_some(name.len())
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_token_ends_where_a_name_ends_and_what_is_none_stays() {
        let tokens = Tokens { origin: Some(b"/o"), lib: Some(b"lib64"), ..Tokens::default() };
        for (text, expected) in [
            ("$ORIGIN/../lib", Ok("/o/../lib")),
            ("${ORIGIN}/$LIB", Ok("/o/lib64")),
            ("/a/${LIB}x", Ok("/a/lib64x")),
            ("$ORIGINAL/$LIB64", Ok("$ORIGINAL/$LIB64")),
            ("${ORIGIN", Ok("${ORIGIN")),
            ("{ORIGIN}$", Ok("{ORIGIN}$")),
            ("$$LIB", Ok("$lib64")),
            ("$ORIGIN$ORIGIN", Ok("/o/o")),
            ("/x/$PLATFORM", Err("PLATFORM")),
            ("$PLATFORMS", Ok("$PLATFORMS")),
            ("$lib", Ok("$lib")),
            ("", Ok("")),
        ] {
            let expected = expected.map(|text| text.as_bytes().to_vec());
            assert_eq!(tokens.expand(text.as_bytes()), expected, "{text}");
        }
    }

    #[test]
    fn origin_of_a_program_with_rights_of_its_own_leads_into_the_loaders_directories_or_nowhere() {
        let directories = [b"/lib64/".to_vec(), b"/usr/lib64/".to_vec()];
        let trust = Trust { directories: &directories, is_program: true };
        let tokens =
            Tokens { origin: Some(b"/usr/bin"), lib: Some(b"lib64"), platform: None, trust: Some(trust) };
        for (text, expected) in [
            ("$ORIGIN/../$LIB", Ok("/usr/bin/../lib64")),
            ("$ORIGIN/../lib64/x", Ok("/usr/bin/../lib64/x")),
            ("$ORIGIN/../lib", Err(ORIGIN)),
            ("$ORIGIN", Err(ORIGIN)),
            ("/usr/lib64/$ORIGIN", Err(ORIGIN)),
            ("$ORIGIN:", Err(ORIGIN)),
            ("/opt/$LIB", Ok("/opt/lib64")),
        ] {
            let expected = expected.map(|text| text.as_bytes().to_vec());
            assert_eq!(tokens.expand(text.as_bytes()), expected, "{text}");
            // A library's path is one that the loader has trusted.
            let trust = Trust { is_program: false, ..trust };
            let of_library = Tokens { trust: Some(trust), ..tokens }.expand(text.as_bytes());
            assert_eq!(
                of_library.is_ok(),
                expected.is_ok() || ["$ORIGIN/../lib", "$ORIGIN"].contains(&text),
                "{text}"
            );
        }
    }
}
