//! The extended header of the pax format: records of a length, a key and a value.

/// What it says of a file, as far as gb wants to know.
#[derive(Debug, Default, PartialEq, Eq)]
pub(super) struct Pax {
    pub(super) path: Option<Vec<u8>>,
    pub(super) link: Option<Vec<u8>>,
    pub(super) size: Option<u64>,
    pub(super) uid: Option<u32>,
    pub(super) gid: Option<u32>,
    pub(super) modified: Option<(i64, u32)>,
    pub(super) capabilities: Option<Vec<u8>>,
    /// Its contents are not what is in the archive, but a list of parts.
    pub(super) is_sparse: bool,
}

/// struct vfs_ns_cap_data (include/uapi/linux/capability.h) has 24 bytes.
const LARGEST_CAPABILITIES: usize = 64;

impl Pax {
    /// Reads a header; `None` if it is none.
    pub(super) fn read(mut text: &[u8]) -> Option<Pax> {
        let mut pax = Pax::default();
        while !text.is_empty() {
            let space = text.iter().take(20).position(|byte| *byte == b' ')?;
            let length = usize::try_from(decimal(text.get(..space)?)?).ok()?;
            let record = text.get(space + 1..length)?.strip_suffix(b"\n")?;
            text = text.get(length..)?;
            let equals = record.iter().position(|byte| *byte == b'=')?;
            let (key, value) = (record.get(..equals)?, record.get(equals + 1..)?);
            pax.take(key, value)?;
        }
        Some(pax)
    }

    /// An empty value stands for that of the header before.
    fn take(&mut self, key: &[u8], value: &[u8]) -> Option<()> {
        let is_some = !value.is_empty();
        let name = || (!value.contains(&0)).then(|| value.to_vec());
        let id = || u32::try_from(decimal(value)?).ok();
        match key {
            b"path" => self.path = if is_some { Some(name()?) } else { None },
            b"linkpath" => self.link = if is_some { Some(name()?) } else { None },
            b"size" => self.size = if is_some { Some(decimal(value)?) } else { None },
            b"uid" => self.uid = if is_some { Some(id()?) } else { None },
            b"gid" => self.gid = if is_some { Some(id()?) } else { None },
            b"mtime" => self.modified = if is_some { Some(time(value)?) } else { None },
            b"SCHILY.xattr.security.capability" => {
                let is_sound = value.len() <= LARGEST_CAPABILITIES;
                self.capabilities = is_sound.then(|| value.to_vec()).filter(|_| is_some);
                return is_sound.then_some(());
            }
            key if key.starts_with(b"GNU.sparse.") => self.is_sparse = true,
            _ => {}
        }
        Some(())
    }
}

fn decimal(digits: &[u8]) -> Option<u64> {
    let is_number = !digits.is_empty() && digits.iter().all(u8::is_ascii_digit);
    std::str::from_utf8(digits).ok().filter(|_| is_number)?.parse().ok()
}

/// Seconds with or without a fraction: `1700000000.25`, `-1.5`.
fn time(value: &[u8]) -> Option<(i64, u32)> {
    let digits = value.strip_prefix(b"-").unwrap_or(value);
    let mut parts = digits.splitn(2, |byte| *byte == b'.');
    let seconds = i64::try_from(decimal(parts.next()?)?).ok()?;
    let mut fraction = parts.next().unwrap_or_default().to_vec();
    fraction.resize(9, b'0');
    let nanoseconds = u32::try_from(decimal(&fraction)?).ok()?;
    match (digits.len() == value.len(), nanoseconds) {
        (true, _) => Some((seconds, nanoseconds)),
        (false, 0) => Some((-seconds, 0)),
        (false, _) => Some((-seconds - 1, 1_000_000_000 - nanoseconds)),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn records_are_read_by_their_lengths_and_others_are_passed_over() {
        // The length counts its own digits.
        let record = |text: &str| {
            let length = text.len() + 2;
            let length = length + (length + 1).to_string().len();
            format!("{length} {text}\n")
        };
        let texts = ["path=a b", "SCHILY.xattr.user.x=1\n2=\n", "mtime=-1.25", "size=7", "gid="];
        let header: String = texts.iter().map(|text| record(text)).collect();
        let pax = Pax::read(header.as_bytes()).unwrap();
        assert_eq!((pax.path.as_deref(), pax.size, pax.gid), (Some(b"a b".as_slice()), Some(7), None));
        assert_eq!(pax.modified, Some((-2, 750_000_000)));
        let capabilities = record("SCHILY.xattr.security.capability=\x01\0\0\x02\n\0");
        let pax = Pax::read(capabilities.as_bytes()).unwrap();
        assert_eq!(pax.capabilities.as_deref(), Some(b"\x01\0\0\x02\n\0".as_slice()));
        for bad in [
            "11 path=a b\n",
            "13 path=a b\n",
            "12 path=a b ",
            "9999999999999999999999 a=b\n",
            "x path=a\n",
            "7 path\n",
            "9 size=x\n",
            "0 path=a\n",
            "3 path=a\n",
            "10 uid=-1\n",
            "15 path=a\0b c\n",
            "17 uid=9999999999\n",
        ] {
            assert_eq!(Pax::read(bad.as_bytes()), None, "{bad:?}");
        }
    }
}
