//! Dynamic string tokens: `$ORIGIN`, `$LIB`, `$PLATFORM` (`is_dst` and `_dl_dst_substitute` in glibc's elf/dl-load.c).

/// What the tokens stand for; `None` if that is not known.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Tokens<'a> {
    pub(super) origin: Option<&'a [u8]>,
    pub(super) lib: Option<&'a [u8]>,
    pub(super) platform: Option<&'a [u8]>,
}

impl Tokens<'_> {
    /// Puts in what the tokens stand for. `Err`: the token that can't be told, for which loaders drop the whole text.
    pub(super) fn expand(&self, text: &[u8]) -> Result<Vec<u8>, &'static str> {
        let tokens = [("ORIGIN", self.origin), ("PLATFORM", self.platform), ("LIB", self.lib)];
        let mut expanded = Vec::with_capacity(text.len());
        let mut rest = text;
        while let Some(at) = rest.iter().position(|byte| *byte == b'$') {
            let (before, from) = rest.split_at(at);
            expanded.extend_from_slice(before);
            let after = from.get(1..).unwrap_or_default();
            let found = tokens.iter().find_map(|(name, value)| Some((*name, *value, length(after, name)?)));
            rest = match found {
                Some((_, Some(value), length)) => {
                    expanded.extend_from_slice(value);
                    after.get(length..).unwrap_or_default()
                }
                Some((name, None, _)) => return Err(name),
                None => {
                    expanded.push(b'$');
                    after
                }
            };
        }
        expanded.extend_from_slice(rest);
        Ok(expanded)
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
        let tokens = Tokens { origin: Some(b"/o"), lib: Some(b"lib64"), platform: None };
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
}
