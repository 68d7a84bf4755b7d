//! Versions of symbols as numbers. Each library that has them counts upwards, and a version has all that is in the ones before
//! (Drepper, "How To Write Shared Libraries", 3.3).

use super::facts::Need;

/// The families whose versions are told: glibc's, and those of GCC's run-time libraries.
pub const FAMILIES: [&str; 4] = ["GLIBC", "GLIBCXX", "CXXABI", "GCC"];

/// What stands behind a family's name where the version is of functions for another kind of `long double`, and the numbers are the
/// same (libstdc++'s gnu.ver): ppc64le's two.
const DOUBLES: [&[u8]; 2] = [b"IEEE128_", b"LDBL_"];

/// A version: 2.34 is 2, 34.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Number(Vec<u32>);

impl Number {
    /// Reads digits with dots between them.
    pub fn parse(text: &str) -> Option<Number> {
        let part = |part: &str| part.bytes().all(|byte| byte.is_ascii_digit()).then(|| part.parse().ok())?;
        text.split('.').map(part).collect::<Option<_>>().map(Number)
    }

    /// The number of a family's version: of `GLIBC_2.34` with `GLIBC`.
    pub fn of(version: &[u8], family: &str) -> Option<Number> {
        let rest = version.strip_prefix(family.as_bytes())?.strip_prefix(b"_")?;
        let rest = DOUBLES.iter().find_map(|kind| rest.strip_prefix(*kind)).unwrap_or(rest);
        Number::parse(std::str::from_utf8(rest).ok()?)
    }
}

impl std::fmt::Display for Number {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        let parts: Vec<_> = self.0.iter().map(u32::to_string).collect();
        f.write_str(&parts.join("."))
    }
}

/// The highest version of a family that has to be there.
pub fn highest(needs: &[Need], family: &str) -> Option<Number> {
    let counts = needs.iter().filter(|need| !need.is_weak);
    counts.filter_map(|need| Number::of(&need.version, family)).max()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_are_compared_as_numbers() {
        let number = |text| Number::parse(text).unwrap();
        assert!(
            number("2.4") < number("2.34") && number("2.2") < number("2.2.5") && number("2.34") < number("3")
        );
        for text in ["", "2.", ".2", "2.x", "+2", "2.34 ", "99999999999"] {
            assert_eq!(Number::parse(text), None, "{text}");
        }
        assert_eq!(Number::of(b"GLIBC_2.34", "GLIBC"), Some(number("2.34")));
        assert_eq!(Number::of(b"GLIBCXX_3.4.30", "GLIBC"), None);
        assert_eq!(Number::of(b"GLIBCXX_IEEE128_3.4.30", "GLIBCXX"), Some(number("3.4.30")));
        assert_eq!(Number::of(b"CXXABI_LDBL_1.3", "CXXABI"), Some(number("1.3")));
        assert_eq!(Number::of(b"GLIBC_PRIVATE", "GLIBC"), None);
        assert_eq!(Number::of(b"GLIBC_\xff", "GLIBC"), None);
        assert_eq!(number("3.4.30").to_string(), "3.4.30");
    }
}
