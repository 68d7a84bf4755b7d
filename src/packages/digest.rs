//! Checksums of files.

use std::fmt;
use std::io::{self, Read};

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What tells a file's contents from others'. SPDX asks for SHA-1 of each file; it is there to be compared, not to be trusted.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// SHA-1, in hexadecimal digits.
    pub sha1: String,
    /// SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// How many bytes there are.
    pub size: u64,
}

impl Digests {
    /// Reads to the end.
    pub fn of(mut contents: impl Read) -> io::Result<Digests> {
        let (mut sha1, mut sha256, mut size) = (Sha1::new(), Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = match contents.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let part = buffer.get(..read).unwrap_or_default();
            sha1.update(part);
            sha256.update(part);
            size += read as u64;
        }
        Ok(Digests { sha1: hex(&sha1.finalize()), sha256: hex(&sha256.finalize()), size })
    }
}

/// SHA-256 of some bytes, in hexadecimal digits.
pub(super) fn sha256(bytes: &[u8]) -> String {
    hex(&Sha256::digest(bytes))
}

/// SHA-1 of some bytes, in hexadecimal digits.
pub(super) fn sha1(bytes: &[u8]) -> String {
    hex(&Sha1::digest(bytes))
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().fold(String::new(), |text, byte| text + &format!("{byte:02x}"))
}

impl fmt::Display for Digests {
    fn fmt(&self, out: &mut fmt::Formatter<'_>) -> fmt::Result {
        out.write_str(&self.sha256)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        let digests = Digests::of(&b"abc"[..]).unwrap();
        assert_eq!(digests.sha1, "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(digests.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let long = vec![b'a'; 1_000_000];
        let digests = Digests::of(&long[..]).unwrap();
        assert_eq!(digests.sha1, "34aa973cd4c4daa4f61eeb2bdbad27316534016f");
        assert_eq!(digests.sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        assert_eq!(digests.size, 1_000_000);
    }
}
