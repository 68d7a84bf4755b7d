//! A root that paths can't escape: whatever links say, a file that is found is one of the root's. Its files are below a directory
//! of this machine, or in an archive.

use std::ffi::OsString;
use std::io;
use std::os::fd::OwnedFd;
use std::path::Path;

use nix::errno::Errno;

use super::disk::Disk;
use super::metadata::{Kind, Metadata};
use super::regular::Regular;
use super::stored::{self, Numbered, Stored};
use super::walk::{Last, Resolved, walk};

/// A directory that all paths begin in and that none leads out of: neither `..`, nor a link that is absolute or has many
/// `..`, nor the magic links of /proc, nor a directory that is moved meanwhile.
///
/// Paths are from the root, with or without a slash before them. Errors are those of the system calls.
pub struct Root(Files);

impl std::fmt::Debug for Root {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match &self.0 {
            Files::Disk(disk) => disk.fmt(f),
            Files::Stored(_) => f.write_str("Stored"),
        }
    }
}

/// Where its files are.
enum Files {
    /// Below a directory of this machine.
    Disk(Disk),
    /// Anywhere else.
    Stored(Box<dyn Stored>),
}

/// A file that was found.
enum Handle {
    Disk(OwnedFd),
    Stored(usize),
}

impl Root {
    /// Opens a directory as a root; links in this path are followed as always.
    pub fn open(path: &Path) -> io::Result<Root> {
        Ok(Root(Files::Disk(Disk::open(path)?)))
    }

    /// A root whose files are anywhere else.
    pub fn of(stored: Box<dyn Stored>) -> Root {
        Root(Files::Stored(stored))
    }

    fn look(&self, path: &Path, last: Last) -> Result<(Handle, Metadata), Errno> {
        match &self.0 {
            Files::Disk(disk) => {
                let (handle, metadata) = disk.look(path, last)?;
                Ok((Handle::Disk(handle), metadata))
            }
            Files::Stored(stored) => {
                let found = walk(&Numbered(stored.as_ref()), path, last)?;
                Ok((Handle::Stored(found.handle), found.resolved.metadata))
            }
        }
    }

    /// stat(2): of the file that a path leads to.
    pub fn stat(&self, path: &Path) -> io::Result<Metadata> {
        Ok(self.look(path, Last::Follow)?.1)
    }

    /// lstat(2): of the file or link that a path names.
    pub fn lstat(&self, path: &Path) -> io::Result<Metadata> {
        Ok(self.look(path, Last::Keep)?.1)
    }

    /// Where a path leads, and by which links.
    pub fn resolve(&self, path: &Path, last: Last) -> io::Result<Resolved> {
        Ok(match &self.0 {
            Files::Disk(disk) => disk.resolve(path, last)?,
            Files::Stored(stored) => walk(&Numbered(stored.as_ref()), path, last)?.resolved,
        })
    }

    /// Whether a directory is the kernel's own (/proc, /sys): what is in it is no file of anybody's.
    pub fn is_kernels(&self, path: &Path) -> bool {
        matches!(&self.0, Files::Disk(disk) if disk.is_kernels(path))
    }

    /// Opens a regular file for reading. Nothing else is ever opened: of a FIFO, a device or a directory the error tells.
    pub fn open_regular(&self, path: &Path) -> io::Result<Regular> {
        match self.open_wanted(path, &mut |_| true)? {
            (_, Some(file)) => Ok(file),
            (metadata, None) => {
                let error = format!("{}, not a regular file", metadata.kind.name());
                Err(io::Error::new(io::ErrorKind::InvalidInput, error))
            }
        }
    }

    /// stat(2), and the file opened for reading if it is a regular one that is wanted.
    pub(super) fn open_wanted(
        &self,
        path: &Path,
        is_wanted: &mut dyn FnMut(&Metadata) -> bool,
    ) -> io::Result<(Metadata, Option<Regular>)> {
        let (handle, metadata) = self.look(path, Last::Follow)?;
        if metadata.kind != Kind::File || !is_wanted(&metadata) {
            return Ok((metadata, None));
        }
        let file = match (&self.0, handle) {
            (Files::Disk(disk), Handle::Disk(handle)) => disk.open_regular(path, &handle, metadata)?,
            (Files::Stored(stored), Handle::Stored(file)) => stored.open(file)?,
            _ => return Err(Errno::EBADF.into()),
        };
        Ok((metadata, Some(file)))
    }

    /// Reads a regular file that has at most so many bytes.
    pub fn read(&self, path: &Path, most: u64) -> io::Result<Vec<u8>> {
        let file = self.open_regular(path)?;
        let too_large = || io::Error::new(io::ErrorKind::FileTooLarge, format!("more than {most} bytes"));
        if file.metadata().size > most {
            return Err(too_large());
        }
        let bytes = file.read_part(0, most.saturating_add(1))?;
        match u64::try_from(bytes.len()).is_ok_and(|length| length <= most) {
            true => Ok(bytes),
            false => Err(too_large()),
        }
    }

    /// The names in a directory, sorted, of which there may be at most so many.
    pub fn list(&self, path: &Path, most: usize) -> io::Result<Vec<OsString>> {
        match &self.0 {
            Files::Disk(disk) => disk.list(path, most),
            Files::Stored(stored) => stored::list(stored.as_ref(), path, most),
        }
    }
}

#[cfg(test)]
mod tests {
    use std::fs::File;
    use std::os::unix::fs::{MetadataExt, symlink};
    use std::os::unix::net::UnixListener;
    use std::path::PathBuf;
    use std::sync::atomic::{AtomicBool, Ordering};

    use super::super::disk::Way;
    use super::*;

    /// A directory with a root in it, and a file beside the root that nobody may find.
    fn place() -> (tempfile::TempDir, PathBuf) {
        let dir = tempfile::tempdir().unwrap();
        let root = dir.path().join("root");
        for name in ["etc", "usr/lib/deep", "srv"] {
            std::fs::create_dir_all(root.join(name)).unwrap();
        }
        std::fs::write(dir.path().join("secret"), "outside").unwrap();
        std::fs::write(root.join("etc/file"), "inside").unwrap();
        std::fs::write(root.join("usr/lib/liba.so.1.2"), "a").unwrap();
        (dir, root)
    }

    fn both(root: &Path) -> [Root; 2] {
        [Way::Kernel, Way::Walk].map(|way| Root(Files::Disk(Disk::by(root, way))))
    }

    #[test]
    fn hostile_links_stay_inside_by_either_way() {
        let (dir, root) = place();
        let outside = dir.path().join("secret");
        for (name, target) in [
            ("lib", Path::new("usr/lib")),
            ("absolute", Path::new("/etc/file")),
            ("outside", &outside),
            ("up", Path::new("../../../../../../etc/file")),
            ("up_outside", Path::new("../secret")),
            ("usr/up", Path::new("../../secret")),
            ("usr/lib/liba.so.1", Path::new("liba.so.1.2")),
            ("usr/lib/liba.so", Path::new("./liba.so.1")),
            ("usr/lib/far", Path::new("/lib/../lib/deep/../liba.so")),
            ("self", Path::new("self")),
            ("one", Path::new("two")),
            ("two", Path::new("/one")),
            ("here", Path::new(".")),
            ("slash", Path::new("/")),
            ("dangling", Path::new("nowhere/file")),
            ("with_slash", Path::new("usr/lib/")),
            ("file_with_slash", Path::new("etc/file/")),
            ("etc/chain0", Path::new("file")),
        ] {
            symlink(target, root.join(name)).unwrap();
        }
        for n in 1..=45 {
            symlink(format!("chain{}", n - 1), root.join(format!("etc/chain{n}"))).unwrap();
        }
        let long = "a/".repeat(3000);
        let name = format!("etc/{}", "a".repeat(256));
        let roots = both(&root);
        for (path, expected) in [
            ("etc/file", Ok("/etc/file")),
            ("/etc/file", Ok("/etc/file")),
            ("//etc/./../etc//file", Ok("/etc/file")),
            ("absolute", Ok("/etc/file")),
            ("up", Ok("/etc/file")),
            ("../../../../etc/file", Ok("/etc/file")),
            ("usr/../../../etc/file", Ok("/etc/file")),
            ("outside", Err(Errno::ENOENT)),
            ("up_outside", Err(Errno::ENOENT)),
            ("usr/up", Err(Errno::ENOENT)),
            ("../secret", Err(Errno::ENOENT)),
            ("usr/lib/../../../secret", Err(Errno::ENOENT)),
            ("lib/liba.so", Ok("/usr/lib/liba.so.1.2")),
            ("lib/far", Ok("/usr/lib/liba.so.1.2")),
            ("lib", Ok("/usr/lib")),
            ("lib/", Ok("/usr/lib")),
            ("with_slash", Ok("/usr/lib")),
            ("with_slash/deep/..", Ok("/usr/lib")),
            ("/", Ok("/")),
            ("..", Ok("/")),
            ("slash", Ok("/")),
            ("here/here/slash/here", Ok("/")),
            ("self", Err(Errno::ELOOP)),
            ("one", Err(Errno::ELOOP)),
            ("etc/chain39", Ok("/etc/file")),
            ("etc/chain40", Err(Errno::ELOOP)),
            ("etc/chain45", Err(Errno::ELOOP)),
            ("dangling", Err(Errno::ENOENT)),
            ("nowhere/..", Err(Errno::ENOENT)),
            ("etc/file/", Err(Errno::ENOTDIR)),
            ("etc/file/..", Err(Errno::ENOTDIR)),
            ("etc/file/x", Err(Errno::ENOTDIR)),
            ("file_with_slash", Err(Errno::ENOTDIR)),
            ("", Err(Errno::ENOENT)),
            (&long, Err(Errno::ENAMETOOLONG)),
            (&name, Err(Errno::ENAMETOOLONG)),
        ] {
            let path = Path::new(path);
            let found = roots[0].resolve(path, Last::Follow);
            let expected_id = expected.ok().map(|at| {
                assert_eq!(found.as_ref().unwrap().path, Path::new(at), "{path:?}");
                std::fs::symlink_metadata(root.join(at.trim_start_matches('/'))).unwrap().ino()
            });
            for root in &roots {
                let stat = root.stat(path);
                match expected {
                    Ok(_) => assert_eq!(Some(stat.unwrap().id.inode), expected_id, "{path:?} {root:?}"),
                    Err(errno) => {
                        assert_eq!(stat.unwrap_err().raw_os_error(), Some(errno as i32), "{path:?} {root:?}")
                    }
                }
            }
        }
        for (path, kind) in [("lib", Kind::Link), ("lib/", Kind::Directory), ("self", Kind::Link)] {
            for root in &roots {
                assert_eq!(root.lstat(Path::new(path)).unwrap().kind, kind, "{path} {root:?}");
            }
        }
        let found = roots[0].resolve(Path::new("lib/liba.so"), Last::Follow).unwrap();
        let links =
            found.links.iter().map(|link| format!("{} -> {}", link.path.display(), link.target.display()));
        assert_eq!(
            links.collect::<Vec<_>>(),
            ["/lib -> usr/lib", "/usr/lib/liba.so -> ./liba.so.1", "/usr/lib/liba.so.1 -> liba.so.1.2"]
        );
    }

    #[test]
    fn only_regular_files_are_opened_and_never_more_than_is_asked_for_is_read() {
        let (_dir, root) = place();
        assert!(std::process::Command::new("mkfifo").arg(root.join("fifo")).status().unwrap().success());
        let _socket = UnixListener::bind(root.join("socket")).unwrap();
        symlink("fifo", root.join("libfifo.so")).unwrap();
        let sparse = File::create(root.join("sparse")).unwrap();
        sparse.set_len(1 << 40).unwrap();
        for root in &both(&root) {
            let error = |path: &str| root.read(Path::new(path), 6).unwrap_err().to_string();
            assert_eq!(error("fifo"), "a FIFO, not a regular file");
            assert_eq!(error("libfifo.so"), "a FIFO, not a regular file");
            assert_eq!(error("socket"), "a socket, not a regular file");
            assert_eq!(error("etc"), "a directory, not a regular file");
            assert_eq!(error("sparse"), "more than 6 bytes");
            assert_eq!(root.read(Path::new("etc/file"), 6).unwrap(), b"inside");
            assert!(root.read(Path::new("etc/file"), 5).is_err());
            assert_eq!(root.list(Path::new("usr/lib"), 2).unwrap(), ["deep", "liba.so.1.2"]);
            assert!(root.list(Path::new("usr/lib"), 1).is_err());
            assert!(root.list(Path::new("etc/file"), 9).is_err());
        }
        for root in &both(Path::new("/")) {
            let error = root.open_regular(Path::new("/dev/null")).unwrap_err();
            assert_eq!(error.to_string(), "a device, not a regular file");
        }
    }

    #[test]
    fn magic_links_are_not_followed_by_either_way() {
        for root in &both(Path::new("/")) {
            let process = format!("/proc/{}", std::process::id());
            for name in ["exe", "root/etc", "cwd/.", "ns/mnt"] {
                let error = root.stat(&Path::new(&process).join(name)).unwrap_err();
                assert_eq!(error.raw_os_error(), Some(libc::ELOOP), "{name} {root:?}");
            }
        }
    }

    #[test]
    fn a_directory_that_turns_into_a_link_leads_nowhere() {
        let (dir, root) = place();
        std::fs::create_dir(dir.path().join("outside")).unwrap();
        std::fs::write(dir.path().join("outside/file"), "outside").unwrap();
        std::fs::write(root.join("srv/file"), "inside").unwrap();
        symlink("../outside", root.join("link")).unwrap();
        // Moved out of the root, `..` of it is outside.
        std::fs::create_dir(root.join("srv/sub")).unwrap();
        let done = AtomicBool::new(false);
        std::thread::scope(|scope| {
            scope.spawn(|| {
                let moved = dir.path().join("outside/sub");
                while !done.load(Ordering::Relaxed) {
                    std::fs::rename(root.join("srv"), root.join("kept")).unwrap();
                    std::fs::rename(root.join("link"), root.join("srv")).unwrap();
                    std::fs::rename(root.join("srv"), root.join("link")).unwrap();
                    std::fs::rename(root.join("kept"), root.join("srv")).unwrap();
                    std::fs::rename(root.join("srv/sub"), &moved).unwrap();
                    std::fs::rename(&moved, root.join("srv/sub")).unwrap();
                }
            });
            let mut found = [0; 2];
            for _ in 0..20_000 {
                for (root, found) in both(&root).iter().zip(&mut found) {
                    for path in ["srv/file", "srv/sub/../file"] {
                        if let Ok(text) = root.read(Path::new(path), 100) {
                            assert_eq!(text, b"inside", "{path} {root:?}");
                            *found += 1;
                        }
                    }
                }
            }
            done.store(true, Ordering::Relaxed);
            assert!(found.iter().all(|found| *found > 100), "{found:?}");
        });
    }
}
