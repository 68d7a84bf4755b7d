//! The image's lists of what its Go cache has.

use std::path::{Component, Path};

use gb::go_cache::{header, names};

/// What is read of a list is what a plain reading of its lines gives, and no name leads out of a cache. The input: a list.
pub fn cache_list(input: &[u8]) {
    let is_name = |name: &str| {
        name.len() == 66
            && (name.ends_with("-a") || name.ends_with("-d"))
            && name.bytes().take(64).all(|byte| b"0123456789abcdef".contains(&byte))
    };
    let lines: Vec<Option<&str>> =
        input.split(|byte| *byte == b'\n').map(|line| std::str::from_utf8(line).ok()).collect();

    let first = lines.first().copied().flatten().filter(|_| lines.len() > 1);
    let words: Vec<&str> = first.unwrap_or_default().splitn(4, ' ').collect();
    let size = |word: &str| word.bytes().all(|byte| byte.is_ascii_digit()) && word.parse::<u64>().is_ok();
    let is_header =
        matches!(words.as_slice(), ["v1", bytes, name, go] if size(bytes) && is_name(name) && !go.is_empty());
    let read = header(input);
    assert_eq!(read.is_some(), is_header);
    if let (Some(read), [_, bytes, name, go]) = (read, words.as_slice()) {
        assert_eq!((read.bytes, read.go.as_str()), (bytes.parse().unwrap_or_default(), *go));
        assert!(read.last.path().ends_with(name));
    }

    let (last, before) = lines.split_last().expect("there is one line at least");
    let listed: Option<Vec<&str>> = before.iter().skip(1).copied().collect();
    let expected = listed.filter(|listed| {
        !before.is_empty()
            && *last == Some("")
            && before[0].is_some()
            && listed.iter().all(|name| is_name(name))
    });
    let read = names(input);
    assert_eq!(read.as_ref().map(Vec::len), expected.as_ref().map(Vec::len));
    for (name, expected) in read.iter().flatten().zip(expected.iter().flatten()) {
        let path = name.path();
        assert_eq!(path, Path::new(&expected[..2]).join(expected));
        assert!(
            path.components().all(|part| matches!(part, Component::Normal(_)))
                && path.components().count() == 2
        );
    }
}
