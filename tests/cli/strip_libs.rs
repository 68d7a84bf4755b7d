//! `gb strip-libs` on roots of files that are no programs, and on this machine's own.

use std::fs;
use std::os::unix::fs::MetadataExt;

use crate::gb::{Dir, gb};

/// Writes a file of a root, with the directories above it.
fn put(dir: &Dir, path: &str, contents: impl AsRef<[u8]>, mode: u32) {
    fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
    dir.file(path, contents, mode);
}

#[test]
fn a_time_of_any_year_is_kept_or_set() {
    let dir = Dir::new();
    put(&dir, "root/data", "data", 0o644);
    let file = fs::File::options().write(true).open(dir.path().join("root/data")).unwrap();
    // The year 2400: more nanoseconds since 1970 than 63 bits have.
    file.set_modified(std::time::UNIX_EPOCH + std::time::Duration::from_secs(13_569_465_600)).unwrap();
    for (n, epoch) in
        ["", "-5", "1099511627776", "9223372036854775807", "-9223372036854775808"].iter().enumerate()
    {
        let out = format!("out{n}");
        let made =
            gb(["strip-libs", "--root", "root", "--rootfs", &out, "/data"]).env("SOURCE_DATE_EPOCH", epoch);
        made.dir(dir.path()).stdout();
        let time = dir.path().join(&out).join("data").metadata().unwrap().mtime();
        match *epoch {
            "" => assert_eq!(time, 13_569_465_600),
            "-5" => assert_eq!(time, -5),
            _ => {}
        }
    }
}
