//! What this room asks of a root, and reading at offsets.

use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::os::unix::fs::FileExt;
use std::path::{Path, PathBuf};

use super::ReadError;

/// The files of a root. Paths are absolute, and none may lead out of the root, whatever links say.
pub trait Files {
    /// Opens a regular file, following links; anything else is an error.
    fn open(&self, path: &Path) -> io::Result<File>;

    /// How many bytes a regular file has, following links; none of anything else. Opening may have to copy it.
    fn size(&self, path: &Path) -> io::Result<Option<u64>>;

    /// The names in a directory, sorted.
    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>>;

    /// Where a path leads: an absolute path without links.
    fn resolve(&self, path: &Path) -> io::Result<PathBuf>;
}

/// Bytes that are read at offsets: a file, or what stands for one in a test.
pub trait Bytes {
    /// How many there are.
    fn length(&self) -> io::Result<u64>;

    /// Fills a buffer from an offset; an error if there are not so many bytes.
    fn fill(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()>;
}

impl Bytes for File {
    fn length(&self) -> io::Result<u64> {
        Ok(self.metadata()?.len())
    }

    fn fill(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        self.read_exact_at(buffer, offset)
    }
}

impl Bytes for &[u8] {
    fn length(&self) -> io::Result<u64> {
        Ok(self.len() as u64)
    }

    fn fill(&self, offset: u64, buffer: &mut [u8]) -> io::Result<()> {
        let part = usize::try_from(offset).ok().and_then(|offset| self.get(offset..)).unwrap_or_default();
        match part.get(..buffer.len()) {
            Some(part) => {
                buffer.copy_from_slice(part);
                Ok(())
            }
            None => Err(io::ErrorKind::UnexpectedEof.into()),
        }
    }
}

/// More bytes than any text of a database has: 200 MB of dpkg's status are a hundred thousand packages.
pub(super) const MOST_BYTES: u64 = 256 << 20;

/// Reads a text of at most so many bytes; none if the file isn't there.
pub(super) fn text(files: &dyn Files, path: &Path, most: u64) -> Result<Option<Vec<u8>>, ReadError> {
    let failed = |error: io::Error| ReadError::new(path, error.to_string(), None);
    match files.size(path) {
        Ok(size) if size.is_none_or(|size| size <= most) => {}
        Ok(_) => return Err(ReadError::new(path, format!("it has more than {most} bytes"), None)),
        Err(error) if is_missing(&error) => return Ok(None),
        Err(error) => return Err(failed(error)),
    }
    let file = files.open(path).map_err(failed)?;
    let mut bytes = Vec::new();
    io::Read::read_to_end(&mut io::Read::take(file, most), &mut bytes).map_err(failed)?;
    Ok(Some(bytes))
}

/// Where a path leads; none if nothing is there.
pub(super) fn resolved(files: &dyn Files, path: &Path) -> Result<Option<PathBuf>, ReadError> {
    match files.resolve(path) {
        Ok(path) => Ok(Some(path)),
        Err(error) if is_missing(&error) => Ok(None),
        Err(error) => Err(ReadError::new(path, error.to_string(), None)),
    }
}

/// Whether an error says that a file isn't there.
pub(super) fn is_missing(error: &io::Error) -> bool {
    matches!(error.kind(), io::ErrorKind::NotFound | io::ErrorKind::NotADirectory)
}

#[cfg(test)]
pub(super) mod fake {
    //! A directory of the machine as a root, without any guard against links that lead out.
    use super::*;

    pub(in crate::packages) struct Directory(pub(in crate::packages) PathBuf);

    impl Directory {
        fn at(&self, path: &Path) -> PathBuf {
            self.0.join(path.strip_prefix("/").unwrap_or(path))
        }
    }

    impl Files for Directory {
        fn open(&self, path: &Path) -> io::Result<File> {
            crate::file::open_regular(&self.at(path))
        }

        fn size(&self, path: &Path) -> io::Result<Option<u64>> {
            let found = self.at(path).metadata()?;
            Ok(found.is_file().then_some(found.len()))
        }

        fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
            let mut names = Vec::new();
            for entry in std::fs::read_dir(self.at(directory))? {
                names.push(entry?.file_name());
            }
            names.sort();
            Ok(names)
        }

        fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
            let real = self.at(path).canonicalize()?;
            Ok(Path::new("/").join(real.strip_prefix(self.0.canonicalize()?).map_err(io::Error::other)?))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn bytes_that_are_not_there_are_an_error_whatever_the_offset() {
        let bytes: &[u8] = b"0123";
        let mut buffer = [0; 2];
        assert!(bytes.fill(2, &mut buffer).is_ok());
        assert_eq!(&buffer, b"23");
        for offset in [3, 4, 5, u64::MAX] {
            assert!(bytes.fill(offset, &mut buffer).is_err(), "{offset}");
        }
    }
}
