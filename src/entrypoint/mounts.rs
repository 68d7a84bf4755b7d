//! What is mounted, and what of it the caller has mounted.

use std::ffi::OsString;
use std::fs::File;
use std::io::{self, Read};
use std::os::unix::ffi::OsStringExt;
use std::path::{Path, PathBuf};

/// More than the table of any container.
const MAX_TABLE: u64 = 16 << 20;

/// A mount.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Mount {
    /// Where it is mounted.
    pub path: PathBuf,
}

/// The mounts of this process, in the order in which they were made.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Mounts(Vec<Mount>);

impl Mounts {
    /// Reads the kernel's table; without /proc there is none, and nothing counts as mounted.
    pub fn read() -> Mounts {
        // mountinfo tells the same, and all options of an overlay, for which the kernel needs three times as long.
        let table = read("/proc/self/mountstats").or_else(|_| read("/proc/self/mountinfo"));
        table.map_or_else(|_| Mounts::default(), |table| Mounts::parse(&table))
    }

    /// Reads proc_pid_mountstats(5), in which the place comes after `mounted on`, or proc_pid_mountinfo(5), of which it is the
    /// fifth field.
    pub fn parse(table: &[u8]) -> Mounts {
        let place = |line: &[u8]| {
            let mut fields = line.split(|byte| *byte == b' ');
            let first = fields.next()?;
            let place = match first {
                // A device's name has no spaces; there may be none.
                b"device" | b"no" => {
                    fields.find(|field| *field == b"mounted")?;
                    fields.nth(1)?
                }
                number => number.first().filter(|byte| byte.is_ascii_digit()).and(fields.nth(3))?,
            };
            Some(Mount { path: OsString::from_vec(unescaped(place)).into() })
        };
        Mounts(table.split(|byte| *byte == b'\n').filter_map(place).collect())
    }

    /// Those that whoever started the container has made, or can have made: not the root directory, and not what engines
    /// bring for the kernel's sake.
    pub fn callers(&self) -> impl Iterator<Item = &Mount> {
        let engines = ["/proc", "/sys", "/dev", "/etc/hosts", "/etc/hostname", "/etc/resolv.conf"];
        let is_engines = move |path: &Path| engines.iter().any(|place| path.starts_with(place));
        self.0.iter().filter(move |mount| mount.path != Path::new("/") && !is_engines(&mount.path))
    }

    /// The mount of the caller's that a path is in; the path is absolute and has no links.
    pub fn callers_of(&self, path: &Path) -> Option<&Mount> {
        let over = self.callers().filter(|mount| path.starts_with(&mount.path));
        over.max_by_key(|mount| mount.path.as_os_str().len())
    }

    /// Whether something is mounted at a path.
    pub fn is_mount_point(&self, path: &Path) -> bool {
        self.0.iter().any(|mount| mount.path == path)
    }
}

fn read(path: &str) -> io::Result<Vec<u8>> {
    // A container's is a few thousand bytes, which the kernel gives a page at a time.
    let mut table = Vec::with_capacity(16 << 10);
    File::open(path)?.take(MAX_TABLE).read_to_end(&mut table)?;
    Ok(table)
}

/// Undoes what the kernel does to spaces, tabs, newlines and backslashes: three octal digits behind a backslash.
fn unescaped(field: &[u8]) -> Vec<u8> {
    let mut bytes = Vec::with_capacity(field.len());
    let mut rest = field;
    while let Some((first, behind)) = rest.split_first() {
        let digits =
            behind.get(..3).filter(|digits| digits.iter().all(|digit| (b'0'..=b'7').contains(digit)));
        let value =
            digits.map(|digits| digits.iter().fold(0, |value, digit| value * 8 + u32::from(digit - b'0')));
        match value.map(u8::try_from) {
            Some(Ok(byte)) if *first == b'\\' => {
                bytes.push(byte);
                rest = behind.get(3..).unwrap_or_default();
            }
            _ => {
                bytes.push(*first);
                rest = behind;
            }
        }
    }
    bytes
}

#[cfg(test)]
mod tests {
    use std::ffi::OsStr;
    use std::os::unix::ffi::OsStrExt;

    use super::*;

    const TABLE: &[u8] = b"\
117 90 0:41 / / rw,relatime master:2 - overlay overlay rw,lowerdir=/l/A:/l/B
118 117 0:44 / /proc rw,nosuid - proc proc rw
119 117 0:45 / /dev rw,nosuid - tmpfs tmpfs rw,size=65536k,mode=755
133 119 0:49 / /dev/shm rw,nosuid - tmpfs shm rw,size=65536k
136 117 254:0 /var/lib/docker/containers/1/hosts /etc/hosts rw - ext4 /dev/vda rw
140 117 254:0 /home/me/a\\040b /src rw,relatime - ext4 /dev/vda rw
141 140 254:0 /x /src/with\\040space\\011tab\\012line\\134back rw shared:1 master:2 - ext4 /dev/vda rw
142 117 254:0 /x /\xff\\09\\400 rw - ext4 /dev/vda rw
143 117 254:0 /y /src rw - ext4 /dev/vda rw
nonsense
144
";

    #[test]
    fn mounts_are_read_with_every_byte_of_their_names() {
        let mounts = Mounts::parse(TABLE);
        let callers: Vec<_> = mounts.callers().map(|mount| mount.path.as_os_str().as_bytes()).collect();
        let expected: [&[u8]; 4] = [b"/src", b"/src/with space\ttab\nline\\back", b"/\xff\\09\\400", b"/src"];
        assert_eq!(callers, expected);
    }

    #[test]
    fn the_short_table_tells_the_same() {
        let table = b"\
device overlay mounted on / with fstype overlay
no device mounted on /none with fstype x
device mounted\\040on mounted on /a\\040mounted\\040on with fstype ext4
device server:/export mounted on /nfs with fstype nfs4 statvers=1.1
\topts:\trw,vers=4.2
\tage:\t7 mounted on /never
device
device x mounted
";
        let mounts = Mounts::parse(table);
        let callers: Vec<_> = mounts.callers().map(|mount| mount.path.to_str().unwrap()).collect();
        assert_eq!(callers, ["/none", "/a mounted on", "/nfs"]);
        let real = |path| Mounts::parse(&read(path).unwrap());
        assert_eq!(real("/proc/self/mountstats"), real("/proc/self/mountinfo"));
    }

    #[test]
    fn a_path_is_in_the_mount_that_is_closest_to_it() {
        let mounts = Mounts::parse(TABLE);
        let place = |path: &str| mounts.callers_of(Path::new(path)).map(|mount| mount.path.to_str().unwrap());
        assert_eq!(place("/src/x"), Some("/src"));
        assert_eq!(place("/src"), Some("/src"));
        assert_eq!(place("/srcx"), None);
        assert_eq!(place("/proc/self"), None);
        assert_eq!(place("/"), None);
        let odd = Path::new(OsStr::from_bytes(b"/src/with space\ttab\nline\\back/x"));
        let place = mounts.callers_of(odd).map(|mount| mount.path.as_path());
        assert_eq!(place, odd.parent());
        assert_eq!(Mounts::parse(b""), Mounts::default());
    }
}
