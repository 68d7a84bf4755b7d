//! `gb sbom`: what is in a root, for scanners and whoever has to know.

mod look;
mod place;

use std::ffi::OsString;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use super::output::print;
use super::strip_libs::{Of, Sbom, open_of, times};
use crate::error::{Error, one_line};
use crate::packages::{Contents, Inventory, ReadError};
use crate::rootfs::{Root, Times};

/// The arguments of `gb sbom`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// The root: a directory, an archive of docker save or docker export, or an OCI image layout
    #[arg(long, value_name = "ROOTFS|IMAGE", default_value = "/")]
    root: PathBuf,
    /// Which of several images it is: arm64, linux/arm/v7 …
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<OsString>,
    /// The form
    #[arg(long, value_enum, default_value_t = Sbom::Spdx)]
    format: Sbom,
    /// Where to write it, instead of standard output: a file that there is is replaced, directories above it are made
    #[arg(short, long, value_name = "FILE")]
    output: Option<PathBuf>,
    /// What the root is called in it: the image's name
    #[arg(long, value_name = "NAME", default_value = "rootfs")]
    source_name: String,
    /// Which version of that it is: the image's tag
    #[arg(long, value_name = "VERSION")]
    source_version: Option<String>,
}

impl Arguments {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        let times = times()?;
        let shown = one_line(&self.root.to_string_lossy());
        let root = open_of(&self.root, self.platform.as_deref())?;
        let files = look::files(&root)?;
        let paths: Vec<&Path> = files.iter().map(|file| file.path.as_path()).collect();
        let mut inventory = Inventory::read(&Of(&root), &paths).map_err(unread)?;
        let mut youngest = 0;
        for file in &files {
            if let Some(program) = file.program(&root, &inventory)? {
                youngest = youngest.max(file.modified);
                inventory.add_program(program);
            }
        }
        if inventory.packages.is_empty() {
            return Err(Error::Usage(format!(
                "describe {shown}: it has no database of packages and no program (--root names a root directory or an image)"
            )));
        }
        let created = match times {
            Times::All(second) => second,
            Times::Kept => newest(&root, &inventory.databases, youngest)?,
        };
        let document = self.format.write(&Contents {
            name: &self.source_name,
            version: self.source_version.as_deref(),
            created: u64::try_from(created).unwrap_or_default(),
            distribution: inventory.distribution.as_ref(),
            databases: &inventory.databases,
            packages: &inventory.packages,
            items: &[],
        });
        match &self.output {
            None => print(document.as_bytes()),
            Some(place) => place::write(place, document.as_bytes()).map(|()| ExitCode::SUCCESS),
        }
    }
}

/// When the newest of the databases was changed, or of what is known already.
fn newest(root: &Root, databases: &[PathBuf], known: i64) -> Result<i64, Error> {
    let mut newest = known;
    for database in databases {
        let attempt = || format!("look at {}", database.display());
        let found = root.stat(database).map_err(|source| Error::Io { attempt: attempt(), source })?;
        newest = newest.max(found.modified.0);
    }
    Ok(newest)
}

/// A database that can't be read.
fn unread(error: ReadError) -> Error {
    Error::Usage(error.to_string())
}
