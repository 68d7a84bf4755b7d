//! Where a layer's bytes are: in its file, or where gzip has packed it, in one that is written for this.

use std::io::{Seek, SeekFrom, Write};

use sha2::{Digest, Sha256};

use super::gzip::{self, GzipError};
use super::tar::read;
use crate::elf::Bytes;
use crate::rootfs::Regular;
use crate::sys;

/// Why a layer can't be read.
#[derive(Debug, thiserror::Error)]
pub enum SourceError {
    /// Its file can't be read.
    #[error("{0}")]
    Io(#[from] std::io::Error),
    /// What it is unpacked to can't be written.
    #[error("unpack it in {}: {source} (TMPDIR names another directory)", directory.display())]
    Unpack {
        /// The directory.
        directory: std::path::PathBuf,
        /// Why not.
        source: GzipError,
    },
    /// It is packed by what gb does not have.
    #[error("it is compressed by {name}, which gb does not read ({remedy})")]
    Compressed {
        /// By what.
        name: &'static str,
        /// What helps.
        remedy: &'static str,
    },
    /// It is not what it was.
    #[error("its SHA-256 is {found}, and not {expected}: it is damaged, or another")]
    OtherDigest {
        /// What it is.
        found: String,
        /// What it is to be.
        expected: String,
    },
    /// It is named by a checksum that gb does not know.
    #[error("{0} is no SHA-256 digest, and gb checks no other")]
    UnknownDigest(String),
}

/// How much of compressed layers is unpacked, all in all.
pub const MOST_UNPACKED: u64 = 32 << 30;

/// The file to read a tar archive from, where this one may be packed. `left` is how much may still be unpacked.
///
/// What is unpacked is written to a file without a name in TMPDIR, not kept in memory, which a container often has less of than
/// disk. All of it is: which files are wanted is known only when all layers have been read, and a packed file can only be read from
/// its beginning. Zeros take no room.
pub fn unpacked(file: Regular, left: &mut u64) -> Result<Regular, SourceError> {
    let head = read(&file, 0, 8).map_err(|error| std::io::Error::other(error.to_string()))?;
    let compressed = |name, remedy| Err(SourceError::Compressed { name, remedy });
    match head.as_slice() {
        [0x1f, 0x8b, ..] => {}
        [0x28, 0xb5, 0x2f, 0xfd, ..] => {
            return compressed(
                "zstd",
                "save it by docker load and docker save, or build it with compression=gzip,force-compression=true",
            );
        }
        [0xfd, b'7', b'z', b'X', b'Z', ..] => return compressed("xz", "unpack it: xz -d"),
        [b'B', b'Z', b'h', ..] => return compressed("bzip2", "unpack it: bzip2 -d"),
        _ => return Ok(file),
    }
    let failed = |source| SourceError::Unpack { directory: std::env::temp_dir(), source };
    let mut to = sys::temporary_file().map_err(|error| failed(error.into()))?;
    let mut write = |part: &[u8]| match part.iter().all(|byte| *byte == 0) {
        true => to.seek(SeekFrom::Current(i64::try_from(part.len()).unwrap_or(i64::MAX))).map(drop),
        false => to.write_all(part),
    };
    let length = match gzip::unpack(&file, *left, &mut write) {
        Err(GzipError::CutOff) => return Err(std::io::Error::other(GzipError::CutOff.to_string()).into()),
        Err(error @ GzipError::Damaged(_)) => return Err(std::io::Error::other(error.to_string()).into()),
        length => length.map_err(failed)?,
    };
    to.set_len(length).map_err(|error| failed(error.into()))?;
    *left = left.saturating_sub(length);
    Ok(Regular::of(to)?)
}

/// Refuses a file whose digest (`sha256:…`) is another.
pub fn check(file: &dyn Bytes, expected: &str) -> Result<(), SourceError> {
    let digits = expected.strip_prefix("sha256:").filter(|digits| digits.len() == 64);
    let Some(digits) = digits else { return Err(SourceError::UnknownDigest(expected.to_owned())) };
    let (mut sum, mut at) = (Sha256::new(), 0);
    let mut buffer = vec![0; 256 << 10];
    loop {
        let filled = file.fill_at(at, &mut buffer)?;
        let part = buffer.get(..filled).unwrap_or_default();
        if part.is_empty() {
            break;
        }
        sum.update(part);
        at = at.saturating_add(filled as u64);
    }
    let found = sum.finalize().iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"));
    match found == digits {
        true => Ok(()),
        false => Err(SourceError::OtherDigest { found, expected: digits.to_owned() }),
    }
}
