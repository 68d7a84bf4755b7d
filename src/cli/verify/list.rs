//! Which files are looked at.

use std::collections::HashMap;
use std::ffi::OsString;
use std::io;
use std::path::{Path, PathBuf};

use super::{Counts, lines};
use crate::error::tell;
use crate::file::open_regular;
use crate::rootfs::{Kind, Last, Metadata, Root};

/// A file to look at.
pub(super) struct Listed {
    /// Its path, as it is shown.
    pub(super) path: PathBuf,
    /// The same from what was named: the file's name, or its path below a directory.
    pub(super) below: PathBuf,
    /// Its other names below the same directory.
    pub(super) others: Vec<PathBuf>,
    /// Whether it was named itself.
    pub(super) is_named: bool,
}

/// A link below a directory that was named.
pub(super) struct Link {
    /// Its path.
    pub(super) path: PathBuf,
    /// The same from the directory that was named.
    pub(super) below: PathBuf,
    /// What it says.
    pub(super) target: PathBuf,
}

/// The files to look at.
pub(super) struct List {
    pub(super) files: Vec<Listed>,
    /// Links, which are not followed, but may be what libraries are found by.
    pub(super) links: Vec<Link>,
    /// Whether directories were named.
    pub(super) has_directories: bool,
}

/// No directory has more files.
const MOST_FILES: usize = 1 << 22;

impl List {
    /// The files that are named, and of directories all that is below them: not what links lead to, and a file of several names
    /// once.
    pub(super) fn of(named: &[OsString]) -> (List, Counts) {
        let mut list = List { files: Vec::new(), links: Vec::new(), has_directories: false };
        let mut counts = Counts::default();
        for name in named {
            let path = Path::new(name);
            match path.is_dir() {
                true => {
                    list.has_directories = true;
                    list.walk(path, &mut counts);
                }
                false => list.files.push(Listed {
                    path: path.to_owned(),
                    below: path.file_name().unwrap_or(name).into(),
                    others: Vec::new(),
                    is_named: true,
                }),
            }
        }
        (list, counts)
    }

    fn walk(&mut self, top: &Path, counts: &mut Counts) {
        let mut failed = |path: &Path, error: io::Error| {
            tell(format!("look at {}: {error}", lines::path(path)));
            counts.failed += 1;
        };
        let root = match Root::open(top) {
            Ok(root) => root,
            Err(error) => return failed(top, error),
        };
        // Files of several names, and where they are in the list.
        let mut several = HashMap::new();
        walk(&root, &mut |below, found| match found {
            Ok(found) if found.kind == Kind::File => {
                let known = several.get(&found.id).and_then(|known: &usize| self.files.get_mut(*known));
                if let Some(known) = known {
                    return known.others.push(below.to_owned());
                }
                if found.names > 1 {
                    several.insert(found.id, self.files.len());
                }
                let (path, below) = (top.join(below), below.to_owned());
                self.files.push(Listed { path, below, others: Vec::new(), is_named: false });
            }
            Ok(found) if found.kind == Kind::Link => {
                match root.resolve(&Path::new("/").join(below), Last::Keep) {
                    Ok(resolved) => self.links.extend(resolved.target.map(|target| Link {
                        path: top.join(below),
                        below: below.to_owned(),
                        target,
                    })),
                    Err(error) => failed(&top.join(below), error),
                }
            }
            Ok(_) => {}
            Err(error) => failed(&top.join(below), error),
        });
    }
}

/// Visits all files of a root, in order, by their paths without a slash before them: what lstat(2) says of each, or why it can't be
/// looked at. No link is followed, and the kernel's own directories are left out.
pub(in crate::cli) fn walk(root: &Root, visit: &mut dyn FnMut(&Path, io::Result<Metadata>)) {
    let absolute = |path: &Path| Path::new("/").join(path);
    let mut files = 0;
    let mut directories = vec![PathBuf::new()];
    while let Some(directory) = directories.pop() {
        if root.is_kernels(&absolute(&directory)) {
            continue;
        }
        let names = match root.list(&absolute(&directory), MOST_FILES) {
            Ok(names) => names,
            Err(error) => {
                visit(&directory, Err(error));
                continue;
            }
        };
        let mut below = Vec::new();
        for name in names {
            let file = directory.join(name);
            files += 1;
            if files > MOST_FILES {
                return visit(
                    &file,
                    Err(io::Error::other("there are more files than gb is willing to look at")),
                );
            }
            let found = root.lstat(&absolute(&file));
            let is_directory = found.as_ref().is_ok_and(|found| found.kind == Kind::Directory);
            visit(&file, found);
            below.extend(is_directory.then_some(file));
        }
        directories.extend(below.into_iter().rev());
    }
}

impl Listed {
    /// Opens it, if it is a regular file.
    pub(super) fn open(&self) -> io::Result<(std::fs::File, u64)> {
        let file = open_regular(&self.path)?;
        let length = file.metadata()?.len();
        Ok((file, length))
    }
}
