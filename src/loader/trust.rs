//! Which paths glibc's loader trusts in a program that runs with other rights than its caller (`is_trusted_path_normalize` in
//! elf/dl-load.c).

/// Whether a path is in one of the loader's directories once `.`, `..` and doubled slashes are taken out of its text.
pub(super) fn is_trusted(path: &[u8], directories: &[Vec<u8>]) -> bool {
    let mut normal: Vec<&[u8]> = Vec::new();
    for part in path.split(|byte| *byte == b'/') {
        match part {
            b"" | b"." => {}
            b".." => drop(normal.pop()),
            _ => normal.push(part),
        }
    }
    let mut text = vec![b'/'];
    for part in normal {
        text.extend_from_slice(part);
        text.push(b'/');
    }
    directories.iter().any(|directory| text.starts_with(directory))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_path_is_trusted_by_its_text_alone() {
        let directories = [b"/lib64/".to_vec(), b"/usr/lib64/".to_vec()];
        for (path, expected) in [
            ("/lib64", true),
            ("/usr/lib64/x/", true),
            ("/usr/bin/../lib64/.", true),
            ("//usr//lib64", true),
            ("/usr/lib64/../lib", false),
            ("/usr/lib", false),
            ("/lib64x", false),
            ("/../lib64", true),
            ("/", false),
        ] {
            assert_eq!(is_trusted(path.as_bytes(), &directories), expected, "{path}");
        }
    }
}
