//! How glibc orders the names of an ld.so.cache.

use std::cmp::Ordering;

/// What is a number in them counts by its value, in the arithmetic of a C int, which wraps (`_dl_cache_libcmp` in
/// elf/dl-cache.c): `libx.so.01` is `libx.so.1`, and one of a date (`libx.so.20240101120000`) may be below zero.
pub(super) fn compare(one: &[u8], two: &[u8]) -> Ordering {
    by(one, two, |a, b| a.wrapping_sub(b).cmp(&0))
}

/// The same but for numbers so far from each other that their difference wraps as well: with those in it, names would have no
/// order at all (a before b before c before a).
pub(super) fn compare_to_sort(one: &[u8], two: &[u8]) -> Ordering {
    by(one, two, |a, b| a.cmp(&b))
}

fn by(mut one: &[u8], mut two: &[u8], numbers: fn(i32, i32) -> Ordering) -> Ordering {
    loop {
        match (one.first(), two.first()) {
            (None, None) => return Ordering::Equal,
            (None, Some(_)) => return Ordering::Less,
            (Some(_), None) => return Ordering::Greater,
            (Some(a), Some(b)) if a.is_ascii_digit() && b.is_ascii_digit() => {
                match numbers(number(&mut one), number(&mut two)) {
                    Ordering::Equal => continue,
                    order => return order,
                }
            }
            (Some(a), Some(_)) if a.is_ascii_digit() => return Ordering::Greater,
            (Some(_), Some(b)) if b.is_ascii_digit() => return Ordering::Less,
            // Bytes are signed or not as the architecture's char is; names have none above 127.
            (Some(a), Some(b)) if a != b => return a.cmp(b),
            (Some(_), Some(_)) => {}
        }
        (one, two) = (one.get(1..).unwrap_or_default(), two.get(1..).unwrap_or_default());
    }
}

/// Takes a number from the beginning.
fn number(text: &mut &[u8]) -> i32 {
    let mut value: i32 = 0;
    while let Some((digit, rest)) = text.split_first().filter(|(digit, _)| digit.is_ascii_digit()) {
        value = value.wrapping_mul(10).wrapping_add(i32::from(digit - b'0'));
        *text = rest;
    }
    value
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_in_names_are_numbers() {
        for (one, two, expected) in [
            ("libx.so.1", "libx.so.01", Ordering::Equal),
            ("libx.so.1", "libx.so.10", Ordering::Less),
            ("libx.so.1", "libx.so.1a", Ordering::Less),
            ("lib1x2", "lib01x002", Ordering::Equal),
            ("", "", Ordering::Equal),
            ("a", "", Ordering::Greater),
            ("4294967297", "1", Ordering::Equal),
            ("2147483648", "1", Ordering::Greater),
            ("2147483648", "0", Ordering::Less),
            ("lib9.so", "lib10.so", Ordering::Less),
            ("liba", "lib1", Ordering::Less),
        ] {
            assert_eq!(compare(one.as_bytes(), two.as_bytes()), expected, "{one} {two}");
        }
        let far = [b"x.so.2147483648".as_slice(), b"x.so.1"];
        assert_eq!(compare(far[0], far[1]), Ordering::Greater);
        assert_eq!(compare_to_sort(far[0], far[1]), Ordering::Less);
    }
}
