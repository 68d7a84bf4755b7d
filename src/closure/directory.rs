//! Directories that are asked for: all that is in them, as it is. What of it does not find what it needs, and never did, is
//! theirs.

use std::collections::HashSet;
use std::ffi::OsStr;
use std::io;
use std::path::Path;

use super::gather::{Gathering, MOST_ITEMS};
use super::hole::Hole;
use super::{Item, data};
use crate::loader::FileId;
use crate::rootfs::{Kind, Last, StartError};

impl Gathering<'_> {
    /// Takes what is in a directory; of one that links lead to as well only once.
    pub(super) fn directory(&mut self, item: &Item, id: FileId) {
        let is_taken =
            (item.why.is_within() && self.leads_up(&item.path)) || self.root.is_kernels(&item.path);
        if is_taken || !self.directories.insert(id) {
            return;
        }
        match self.root.list(&item.path, MOST_ITEMS) {
            Ok(names) => {
                let why = item.why.within();
                let below =
                    names.into_iter().map(|name| Item { path: item.path.join(name), why: why.clone() });
                self.queue.extend(below);
            }
            Err(error) => self.hole(item.why.by(), item.path.to_string_lossy(), error.to_string()),
        }
    }

    /// Whether a path is a link to a directory above it, which is there in any case.
    fn leads_up(&self, path: &Path) -> bool {
        let place = |last| self.root.resolve(path, last).map(|found| found.path);
        let (Ok(link), Ok(target)) = (place(Last::Keep), place(Last::Follow)) else { return false };
        link != target && link.starts_with(target)
    }

    /// What is in a directory and can't be copied: a link stays as it is, for it may lead somewhere when programs run (to
    /// /proc, /run, /dev); of anything else is told.
    pub(super) fn leave(&mut self, item: Item, error: &io::Error) {
        match self.root.lstat(&item.path).map(|found| found.kind) {
            Ok(Kind::Link) => self.closure.links.push(item.path),
            Ok(kind @ (Kind::Fifo | Kind::Socket | Kind::Device)) => {
                self.closure.notes.push(format!("{} is {}, and left out", item.path.display(), kind.name()));
            }
            _ => self.hole(item.why.by(), item.path.to_string_lossy(), error.to_string()),
        }
    }

    /// Whether a file that can't be started is nobody's to start: data, or for another machine.
    pub(super) fn is_left(&mut self, item: &Item, mode: u32, error: &StartError) -> bool {
        if !item.why.is_within() {
            return false;
        }
        if data::is_data(&item.path, mode) || matches!(error, StartError::NoUsualLoader(_)) {
            return true;
        }
        let own = self.own.clone().or_else(|| self.finder.usual());
        data::is_foreign(self.finder.seen(), own.as_deref(), &item.path)
    }

    /// Libraries of directories that do not find others by themselves: whoever loads both has them, if they are there.
    pub(super) fn settle(&mut self) {
        let items = self.closure.items.iter().filter_map(|item| item.path.file_name());
        let names: HashSet<&OsStr> = items.collect();
        let (found, missing): (Vec<_>, Vec<_>) = std::mem::take(&mut self.unsettled)
            .into_iter()
            .partition(|hole| names.contains(OsStr::new(&hole.missing)));
        self.closure.notes.extend(Hole::by_others(&found));
        self.closure.holes.extend(missing);
    }
}
