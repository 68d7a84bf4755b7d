//! Writing a document: all of it, or nothing.

use std::fs::{self, File};
use std::io::{self, Write};
use std::path::Path;

use crate::error::{Error, one_line};

/// Writes a file beside the place where it is to be, and moves it there when it is complete.
pub(super) fn write(place: &Path, document: &[u8]) -> Result<(), Error> {
    let shown = one_line(&place.to_string_lossy());
    let failed = |source| Error::Io { attempt: format!("write {shown}"), source };
    let there = match fs::metadata(place) {
        Ok(there) => Some(there),
        Err(error) if error.kind() == io::ErrorKind::NotFound => None,
        Err(error) => return Err(failed(error)),
    };
    match there {
        Some(there) if there.is_dir() => {
            return Err(Error::Usage(format!("write {shown}: it is a directory (name a file in it)")));
        }
        // What a reader is at the other end of (/dev/stdout, a FIFO) can't be replaced.
        Some(there) if !there.is_file() => {
            return File::options()
                .write(true)
                .open(place)
                .and_then(|mut file| file.write_all(document))
                .map_err(failed);
        }
        _ => {}
    }
    // A link leads to the file that is replaced.
    let real = match there {
        Some(_) => fs::canonicalize(place).map_err(failed)?,
        None => place.to_owned(),
    };
    let (Some(directory), Some(name)) = (real.parent(), real.file_name()) else {
        return Err(Error::Usage(format!("write {shown}: it is no name of a file")));
    };
    if !directory.as_os_str().is_empty() {
        fs::create_dir_all(directory).map_err(failed)?;
    }
    let mut unfinished = name.to_owned();
    unfinished.push(".gb-unfinished");
    let unfinished = directory.join(unfinished);
    let written = replace(&unfinished, &real, document);
    if written.is_err() {
        let _removed = fs::remove_file(&unfinished);
    }
    written.map_err(failed)
}

fn replace(unfinished: &Path, place: &Path, document: &[u8]) -> io::Result<()> {
    // One that a gb has left which was killed; never what a link leads to.
    match fs::remove_file(unfinished) {
        Err(error) if error.kind() != io::ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut file = File::options().write(true).create_new(true).open(unfinished)?;
    file.write_all(document)?;
    file.sync_all()?;
    fs::rename(unfinished, place)
}
