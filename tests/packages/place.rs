//! Roots, and the programs that are asked about them.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::process::Command;

use gb::packages::{Files, Owners};

/// A directory as a root. No guard against links that lead out of it: the roots of these tests have none.
pub struct Root(pub PathBuf);

impl Root {
    pub fn at(&self, path: impl AsRef<Path>) -> PathBuf {
        let path = path.as_ref();
        self.0.join(path.strip_prefix("/").unwrap_or(path))
    }

    /// Every file and link of the root, without what is no package's anyhow.
    pub fn paths(&self) -> Vec<PathBuf> {
        let mut paths = Vec::new();
        let mut directories = vec![self.0.clone()];
        while let Some(directory) = directories.pop() {
            for entry in std::fs::read_dir(&directory).unwrap() {
                let entry = entry.unwrap();
                let path = Path::new("/").join(entry.path().strip_prefix(&self.0).unwrap());
                if ["/proc", "/sys", "/dev", "/tmp", "/opt", "/test", "/gb"]
                    .iter()
                    .any(|other| path.starts_with(other))
                {
                    continue;
                }
                match entry.file_type().unwrap() {
                    kind if kind.is_dir() => directories.push(entry.path()),
                    kind if kind.is_file() || kind.is_symlink() => paths.push(path),
                    _ => {}
                }
            }
        }
        paths.sort();
        paths
    }

    pub fn write(&self, path: &str, contents: impl AsRef<[u8]>) {
        let path = self.at(path);
        std::fs::create_dir_all(path.parent().unwrap()).unwrap();
        std::fs::write(path, contents).unwrap();
    }

    pub fn owners(&self) -> Owners {
        let paths = self.paths();
        gb::packages::owners(self, paths.iter().map(PathBuf::as_path)).unwrap()
    }
}

impl Files for Root {
    fn open(&self, path: &Path) -> io::Result<File> {
        let file = File::open(self.at(path))?;
        match file.metadata()?.is_file() {
            true => Ok(file),
            false => Err(io::ErrorKind::InvalidInput.into()),
        }
    }

    fn size(&self, path: &Path) -> io::Result<Option<u64>> {
        let found = self.at(path).metadata()?;
        Ok(found.is_file().then_some(found.len()))
    }

    fn list(&self, directory: &Path) -> io::Result<Vec<OsString>> {
        let mut names: Vec<OsString> = std::fs::read_dir(self.at(directory))?
            .map(|entry| Ok(entry?.file_name()))
            .collect::<io::Result<_>>()?;
        names.sort();
        Ok(names)
    }

    fn resolve(&self, path: &Path) -> io::Result<PathBuf> {
        let real = self.at(path).canonicalize()?;
        Ok(Path::new("/").join(real.strip_prefix(&self.0).map_err(io::Error::other)?))
    }
}

/// What a program says to standard output. It may fail only if the caller says so.
pub fn output(program: &str, arguments: &[&str]) -> Vec<u8> {
    let done = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output().unwrap();
    let errors = String::from_utf8_lossy(&done.stderr);
    assert!(
        done.status.success(),
        "{program} {arguments:?}: {errors}{}",
        String::from_utf8_lossy(&done.stdout)
    );
    done.stdout
}

pub fn text(program: &str, arguments: &[&str]) -> String {
    String::from_utf8(output(program, arguments)).unwrap()
}

/// What a program says, however it ends.
pub fn said(program: &str, arguments: &[OsString]) -> String {
    let done = Command::new(program).args(arguments).env("LC_ALL", "C.UTF-8").output().unwrap();
    String::from_utf8_lossy(&done.stdout).into_owned()
}

/// The names of the owners by path.
pub fn labels(owners: &Owners) -> BTreeMap<PathBuf, BTreeSet<String>> {
    let label = |place: &usize| owners.packages[*place].package.label();
    owners.of.iter().map(|(path, places)| (path.clone(), places.iter().map(label).collect())).collect()
}
