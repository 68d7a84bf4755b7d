//! User and group ids as text.

/// The largest id. The one above it is the system calls' "leave it as it is" (setresuid(2)), so no user can have it.
pub const MAX: u32 = u32::MAX - 1;

/// Why a text is no id.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub enum IdError {
    /// It has another character than a digit.
    #[error("{0}")]
    NotDecimal(&'static str),
    /// It is above [`MAX`].
    #[error("the largest id is {MAX}")]
    TooLarge,
}

/// Reads an id: decimal digits and nothing else, 0 to [`MAX`].
///
/// strtol(3), which other programs of this kind read ids with, takes white space, signs and numbers that do not fit, and
/// then runs the command as another user; 4294967296 becomes root.
pub fn parse(text: &[u8]) -> Result<u32, IdError> {
    if let Some(mistake) = mistake(text) {
        return Err(IdError::NotDecimal(mistake));
    }
    let mut id: u32 = 0;
    for digit in text {
        let next = id.checked_mul(10).and_then(|id| id.checked_add(u32::from(digit - b'0')));
        id = next.ok_or(IdError::TooLarge)?;
    }
    if id > MAX { Err(IdError::TooLarge) } else { Ok(id) }
}

/// What is wrong with a text that is not all digits, as far as it can be guessed.
fn mistake(text: &[u8]) -> Option<&'static str> {
    if text.is_empty() {
        return Some("it is empty");
    }
    if text.iter().all(u8::is_ascii_digit) {
        return None;
    }
    let digits_of = |rest: &[u8]| !rest.is_empty() && rest.iter().all(u8::is_ascii_digit);
    let quoted = |quote: u8| text.len() > 2 && text.first() == Some(&quote) && text.last() == Some(&quote);
    Some(match text {
        _ if quoted(b'\'') || quoted(b'"') => "the quotes are part of it",
        [b'-', rest @ ..] if digits_of(rest) => "ids have no sign",
        [b'+', rest @ ..] if digits_of(rest) => "ids have no sign",
        _ if digits_of(text.trim_ascii()) => "it has white space around it",
        [b'0', b'x' | b'X', ..] => "ids are decimal",
        [b'$', ..] => "the shell did not expand it",
        _ => "an id is decimal digits",
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_id_is_read_and_nothing_else_is() {
        for (text, id) in
            [("0", 0), ("1000", 1000), ("04242", 4242), ("4294967294", MAX), ("713578628", 713_578_628)]
        {
            assert_eq!(parse(text.as_bytes()), Ok(id));
        }
        for text in ["4294967295", "4294967296", "99999999999999999999"] {
            assert_eq!(parse(text.as_bytes()), Err(IdError::TooLarge), "{text}");
        }
        let no_ids = [
            "",
            "abc",
            "-1",
            "-2",
            "+0",
            " 0",
            "0 ",
            "0x0",
            "0x10",
            "1e3",
            "4242.0",
            "\u{0664}\u{0662}",
            "0day",
            "1_000",
            "1,5",
            "'1000'",
            "$(id -u)",
            "0\n",
            "0\0",
            "--",
            "+",
            "''",
            "'",
        ];
        for text in no_ids {
            assert!(matches!(parse(text.as_bytes()), Err(IdError::NotDecimal(_))), "{text:?}");
        }
    }

    /// A small generator of numbers (xorshift64), so that the property test is the same each time.
    struct Numbers(u64);

    impl Numbers {
        fn next(&mut self) -> u64 {
            self.0 ^= self.0 << 13;
            self.0 ^= self.0 >> 7;
            self.0 ^= self.0 << 17;
            self.0
        }
    }

    #[test]
    fn a_text_is_an_id_exactly_if_it_is_digits_whose_number_is_in_range() {
        let mut numbers = Numbers(0x9e37_79b9_7f4a_7c15);
        let alphabet = b"00123456789999 +-x\t\n.'\xff";
        let mut ids = 0;
        for _ in 0..200_000 {
            let length = numbers.next() % 12;
            // Mostly digits, or hardly any text would be an id.
            let others = if numbers.next() % 4 == 0 { alphabet.len() } else { 14 } as u64;
            let text: Vec<u8> = (0..length).map(|_| alphabet[(numbers.next() % others) as usize]).collect();
            let expected = (!text.is_empty() && text.iter().all(u8::is_ascii_digit))
                .then(|| std::str::from_utf8(&text).unwrap().parse::<u128>().unwrap())
                .and_then(|number| u32::try_from(number).ok())
                .filter(|id| *id != u32::MAX);
            assert_eq!(parse(&text).ok(), expected, "{:?}", String::from_utf8_lossy(&text));
            ids += usize::from(expected.is_some());
        }
        assert!((50_000..150_000).contains(&ids), "{ids} of 200000 texts are ids");
        for _ in 0..50_000 {
            let id = numbers.next() as u32;
            assert_eq!(parse(id.to_string().as_bytes()).ok(), Some(id).filter(|id| *id != u32::MAX));
        }
    }

    #[test]
    fn a_near_miss_is_explained() {
        for (text, why) in [
            ("'1000'", "the quotes are part of it"),
            ("-1", "ids have no sign"),
            (" 0", "it has white space around it"),
            ("0x10", "ids are decimal"),
            ("$UID", "the shell did not expand it"),
            ("abc", "an id is decimal digits"),
            ("4294967295", "the largest id is 4294967294"),
        ] {
            assert_eq!(parse(text.as_bytes()).unwrap_err().to_string(), why);
        }
    }
}
