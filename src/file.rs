//! Looking into files that somebody else names.

use std::fs::File;
use std::io::{self, Read, Seek, SeekFrom};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

/// Opens a regular file for reading; anything else is refused.
///
/// Opening a FIFO would wait for a writer, and opening a device may do anything.
pub fn open_regular(path: &Path) -> io::Result<File> {
    let file = File::options().read(true).custom_flags(libc::O_NONBLOCK | libc::O_CLOEXEC).open(path)?;
    match file.metadata()?.is_file() {
        true => Ok(file),
        false => Err(io::Error::new(io::ErrorKind::InvalidInput, "not a regular file")),
    }
}

/// Reads a part of a regular file: `length` bytes from `offset`, fewer if the file ends before.
pub fn read_part(path: &Path, offset: u64, length: u64) -> io::Result<Vec<u8>> {
    let mut file = open_regular(path)?;
    if offset > 0 {
        file.seek(SeekFrom::Start(offset))?;
    }
    // With all the room at once one read is enough; no part is large, whatever a file says of itself.
    let mut part = Vec::with_capacity(usize::try_from(length.min(1 << 16)).unwrap_or_default());
    file.take(length).read_to_end(&mut part)?;
    Ok(part)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_regular_files_are_read() {
        let dir = tempfile::tempdir().unwrap();
        let file = dir.path().join("file");
        std::fs::write(&file, "0123456789").unwrap();
        assert_eq!(read_part(&file, 3, 4).unwrap(), b"3456");
        assert_eq!(read_part(&file, 8, 4).unwrap(), b"89");
        assert!(read_part(dir.path(), 0, 1).is_err());
        assert!(read_part(Path::new("/dev/null"), 0, 1).is_err());
        let fifo = dir.path().join("fifo");
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        assert!(read_part(&fifo, 0, 1).is_err());
    }
}
