//! Checksums of files.

use std::io::{self, Read};

use sha1::Sha1;
use sha2::{Digest, Sha256};

/// What tells a file's contents from others'.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Digests {
    /// SHA-1, in hexadecimal digits. SPDX asks for it, to be compared and not to be trusted; else nobody does.
    pub sha1: Option<String>,
    /// SHA-256, in hexadecimal digits.
    pub sha256: String,
    /// How many bytes there are.
    pub size: u64,
}

impl Digests {
    /// Reads to the end. SHA-1 is told only to whom asks for it.
    pub fn of(contents: &mut dyn Read, with_sha1: bool) -> io::Result<Digests> {
        let (mut sha1, mut sha256, mut size) = (with_sha1.then(Sha1::new), Sha256::new(), 0);
        let mut buffer = vec![0; 1 << 16];
        loop {
            let read = match contents.read(&mut buffer) {
                Ok(0) => break,
                Ok(read) => read,
                Err(error) if error.kind() == io::ErrorKind::Interrupted => continue,
                Err(error) => return Err(error),
            };
            let part = buffer.get(..read).unwrap_or_default();
            if let Some(sha1) = &mut sha1 {
                sha1.update(part);
            }
            sha256.update(part);
            size += read as u64;
        }
        Ok(Digests { sha1: sha1.map(|sha1| hex(&sha1.finalize())), sha256: hex(&sha256.finalize()), size })
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn checksums_are_those_of_the_standards() {
        let digests = Digests::of(&mut &b"abc"[..], true).unwrap();
        assert_eq!(digests.sha1.unwrap(), "a9993e364706816aba3e25717850c26c9cd0d89d");
        assert_eq!(digests.sha256, "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad");
        let long = vec![b'a'; 1_000_000];
        let digests = Digests::of(&mut &long[..], true).unwrap();
        assert_eq!(digests.sha1.as_deref(), Some("34aa973cd4c4daa4f61eeb2bdbad27316534016f"));
        assert_eq!(digests.sha256, "cdc76e5c9914fb9281a1c7e284d73e67f1809a48a497200e046d39ccc7112cd0");
        assert_eq!(digests.size, 1_000_000);
        assert_eq!(Digests::of(&mut &b"abc"[..], false).unwrap().sha1, None);
    }
}
