//! Filling a cache: what the image has is copied in the way in which Go writes its cache.

use std::fs::{self, DirBuilder, File};
use std::io::{self, Read};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};

use nix::errno::Errno;

use super::list::{self, Name};
use super::plan::Filling;
use crate::file;

/// The longest list that is read; the image's have 200 KB.
const LONGEST: u64 = 1 << 24;

/// Why a cache could not be filled.
#[derive(Debug, thiserror::Error)]
pub enum FillError {
    /// The image's list is none.
    #[error("read {}: not a list of files in Go's cache", .0.display())]
    List(PathBuf),
    /// A file can't be read or written.
    #[error("{attempt} {}: {cause}", .path.display())]
    Io {
        /// What was attempted.
        attempt: &'static str,
        /// On what.
        path: PathBuf,
        /// Why not.
        cause: io::Error,
    },
}

impl FillError {
    /// Whether the user may not write there: a cache that Go can't write to either, which is told of elsewhere.
    pub fn is_denied(&self) -> bool {
        let FillError::Io { cause, .. } = self else { return false };
        matches!(cause.raw_os_error().map(Errno::from_raw), Some(Errno::EACCES | Errno::EPERM | Errno::EROFS))
    }
}

/// Copies what the caller's cache does not have.
///
/// Go takes a file of its cache for what it should be if it has the size that the entry says, and writes files from the
/// first byte to the last in their place (cmd/go/internal/cache, copyFile). So does this: what is cut off in the middle counts as
/// not there, for Go and here, and who writes the same file at the same time writes the same bytes. Outputs go before entries,
/// as the list has them.
pub fn fill(filling: &Filling) -> Result<(), FillError> {
    let failed = |attempt, path: &Path| {
        let path = path.to_owned();
        move |cause| FillError::Io { attempt, path, cause }
    };
    let list = file::read_part(&filling.list, 0, LONGEST).map_err(failed("read", &filling.list))?;
    let names = list::names(&list).ok_or_else(|| FillError::List(filling.list.clone()))?;
    let mut made = Vec::new();
    for name in &names {
        let directory = name.directory();
        if !made.contains(&directory) {
            let path = filling.own.join(directory);
            DirBuilder::new().recursive(true).mode(0o777).create(&path).map_err(failed("make", &path))?;
            made.push(directory);
        }
        copy(name, filling)?;
    }
    Ok(())
}

/// Copies a file, unless there is one of that size.
fn copy(name: &Name, filling: &Filling) -> Result<(), FillError> {
    let [from, to] = [&filling.image, &filling.own].map(|cache| cache.join(name.path()));
    let read = |cause| FillError::Io { attempt: "read", path: from.clone(), cause };
    let write = |cause| FillError::Io { attempt: "write", path: to.clone(), cause };
    let source = file::open_regular(&from).map_err(read)?;
    let size = source.metadata().map_err(read)?.len();
    let found = fs::metadata(&to).ok();
    if found.as_ref().is_some_and(|found| found.len() == size) {
        return Ok(());
    }
    // Whatever else may be there is not waited for, and what a link leads to is not written to: the user may be root.
    let flags = libc::O_NONBLOCK | libc::O_NOFOLLOW | libc::O_CLOEXEC;
    let mut target = File::options()
        .write(true)
        .create(true)
        .truncate(false)
        .mode(0o666)
        .custom_flags(flags)
        .open(&to)
        .map_err(write)?;
    if found.is_some_and(|found| found.len() > size) {
        target.set_len(0).map_err(write)?;
    }
    match io::copy(&mut source.take(size), &mut target) {
        Ok(_) => Ok(()),
        Err(cause) => {
            // The room of a part is of use to nobody.
            let _removed = fs::remove_file(&to);
            Err(write(cause))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Two caches, and a list of what the image's has.
    struct Caches {
        dir: tempfile::TempDir,
        names: Vec<String>,
    }

    impl Caches {
        fn new() -> Caches {
            let dir = tempfile::tempdir().unwrap();
            let digits = ["0a", "0b", "fe"].map(|pair| pair.repeat(32));
            let names =
                vec![format!("{}-d", digits[0]), format!("{}-d", digits[1]), format!("{}-a", digits[2])];
            let caches = Caches { dir, names };
            for (name, length) in caches.names.iter().zip([100_000, 0, 175]) {
                let path = caches.path("image", name);
                fs::create_dir_all(path.parent().unwrap()).unwrap();
                fs::write(path, name.repeat(length / 66 + 1).get(..length).unwrap()).unwrap();
            }
            fs::write(caches.dir.path().join("list"), format!("header\n{}\n", caches.names.join("\n")))
                .unwrap();
            caches
        }

        fn path(&self, cache: &str, name: &str) -> PathBuf {
            self.dir.path().join(cache).join(&name[..2]).join(name)
        }

        fn fill(&self) -> Result<(), FillError> {
            let path = |name| self.dir.path().join(name);
            fill(&Filling { own: path("own"), image: path("image"), list: path("list") })
        }

        fn is_filled(&self) -> bool {
            self.names.iter().all(|name| {
                let [image, own] = ["image", "own"].map(|cache| fs::read(self.path(cache, name)).unwrap());
                image == own
            })
        }
    }

    #[test]
    fn a_cache_gets_what_it_lacks_and_what_is_cut_off_or_too_long_in_it() {
        let caches = Caches::new();
        caches.fill().unwrap();
        assert!(caches.is_filled());
        fs::write(caches.path("own", &caches.names[0]), "cut off").unwrap();
        fs::write(caches.path("own", &caches.names[2]), "x".repeat(200)).unwrap();
        fs::remove_file(caches.path("own", &caches.names[1])).unwrap();
        caches.fill().unwrap();
        assert!(caches.is_filled());
    }

    #[test]
    fn what_a_cache_has_is_not_replaced() {
        let caches = Caches::new();
        caches.fill().unwrap();
        let entry = caches.path("own", &caches.names[2]);
        fs::write(&entry, "y".repeat(175)).unwrap();
        caches.fill().unwrap();
        assert_eq!(fs::read_to_string(&entry).unwrap(), "y".repeat(175));
    }

    #[test]
    fn nothing_outside_of_the_caches_is_touched_and_nothing_is_waited_for() {
        let caches = Caches::new();
        fs::write(caches.dir.path().join("list"), "header\n../../x-d\n").unwrap();
        assert!(matches!(caches.fill(), Err(FillError::List(_))));
        assert!(!caches.dir.path().join("own").exists());

        let caches = Caches::new();
        let fifo = caches.path("own", &caches.names[0]);
        fs::create_dir_all(fifo.parent().unwrap()).unwrap();
        assert!(std::process::Command::new("mkfifo").arg(&fifo).status().unwrap().success());
        assert!(matches!(caches.fill(), Err(FillError::Io { attempt: "write", .. })));

        fs::remove_file(&fifo).unwrap();
        let outside = caches.dir.path().join("outside");
        fs::write(&outside, "precious").unwrap();
        std::os::unix::fs::symlink(&outside, &fifo).unwrap();
        assert!(matches!(caches.fill(), Err(FillError::Io { attempt: "write", .. })));
        assert_eq!(fs::read_to_string(&outside).unwrap(), "precious");
    }

    #[test]
    fn an_image_that_lacks_a_file_of_its_list_is_told_of() {
        let caches = Caches::new();
        fs::remove_file(caches.path("image", &caches.names[1])).unwrap();
        let error = caches.fill().unwrap_err();
        assert!(error.to_string().starts_with("read ") && !error.is_denied(), "{error}");
    }
}
