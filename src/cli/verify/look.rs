//! Looking at one file.

use std::io;
use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use super::list::Listed;
use crate::elf::{Bytes, ElfError};
use crate::file::open_regular;
use crate::verify::{
    Archive, Facts, Finding, Form, Format, Item, LARGEST_HEAD, Weight, Wish, check, check_archive, items,
};

/// What a file is, and what is the matter with it.
pub(super) struct Report {
    pub(super) path: PathBuf,
    /// Whether it was named itself.
    pub(super) is_named: bool,
    pub(super) what: What,
    /// Findings, each with the name of an archive's member that it is about.
    pub(super) findings: Vec<(Finding, Option<Vec<u8>>)>,
}

/// What a file is.
pub(super) enum What {
    Elf(Box<Facts>),
    Archive(Form, Vec<Item>),
    /// Neither, or one that can't be read.
    Other(Format),
}

impl Report {
    /// The worst of what is the matter.
    pub(super) fn weight(&self) -> Option<Weight> {
        self.findings.iter().map(|(finding, _)| finding.weight).max()
    }

    /// Whether it is none of the files that are looked at.
    pub(super) fn is_passed_over(&self) -> bool {
        matches!(self.what, What::Other(_)) && self.findings.is_empty()
    }
}

/// Looks at a file.
pub(super) fn look(listed: &Listed, wish: &Wish) -> io::Result<Report> {
    let file = listed.open()?;
    let mut head = [0; LARGEST_HEAD];
    let length = file.read_at(0, &mut head)?;
    let format = Format::of(head.get(..length).unwrap_or_default());
    let report =
        |what, findings| Report { path: listed.path.clone(), is_named: listed.is_named, what, findings };
    let damaged = |error: ElfError| match error {
        ElfError::Unreadable(error) => Err(io::Error::other(error)),
        error => Ok(report(
            What::Other(format),
            vec![(Finding::new("damaged", format!("is damaged: {error}")), None)],
        )),
    };
    match format {
        Format::Elf => match Facts::read(&file) {
            Ok(facts) => {
                let findings = check(&facts, wish).into_iter().map(|finding| (finding, None)).collect();
                Ok(report(What::Elf(Box::new(facts)), findings))
            }
            Err(error) => damaged(error),
        },
        Format::Archive => match Archive::read(&file) {
            Ok(archive) => {
                let directory = listed.path.parent().unwrap_or(Path::new(""));
                let items = items(&file, &archive, &|name| {
                    let path =
                        directory.join(<std::ffi::OsStr as std::os::unix::ffi::OsStrExt>::from_bytes(name));
                    let file = open_regular(&path)?;
                    let length = file.metadata()?.len();
                    Ok(Box::new((file, length)))
                });
                let findings = check_archive(&items, archive.damage.as_ref(), wish);
                Ok(report(What::Archive(archive.form, items), findings))
            }
            Err(error) => damaged(error),
        },
        other if !listed.is_named => Ok(report(What::Other(other), Vec::new())),
        other => {
            let mode = file.0.metadata()?.mode();
            Ok(report(
                What::Other(other),
                named(other, mode, wish).map(|finding| (finding, None)).into_iter().collect(),
            ))
        }
    }
}

/// What is the matter with a file that was named and is none of those that are looked at.
fn named(format: Format, mode: u32, wish: &Wish) -> Option<Finding> {
    match (format, &wish.target) {
        (Format::Empty, _) => Some(Finding::new("empty", "is empty")),
        (Format::Foreign(system), Some(target)) => {
            let what = format!("is a program for {system}, not for linux/{}", target.platform.goarch);
            Some(Finding::new("system", what))
        }
        (Format::Other, _) if mode & 0o111 != 0 => {
            Some(Finding::new("no-program", "is executable, and neither a program nor a script"))
        }
        _ => None,
    }
}
