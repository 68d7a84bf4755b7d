//! How far a copy is, on a terminal, when it takes longer than a second.

use std::io::{self, IsTerminal, Write};
use std::time::{Duration, Instant};

use crate::rootfs::{Node, Tree};

pub(super) struct Progress {
    total: u64,
    done: u64,
    next: Option<Instant>,
    is_shown: bool,
}

const PAUSE: Duration = Duration::from_millis(200);

impl Progress {
    pub(super) fn new(tree: &Tree) -> Progress {
        let sizes = tree.nodes().map(|(_, node)| match node {
            Node::Copied(metadata) => metadata.size,
            _ => 0,
        });
        let next = io::stderr().is_terminal().then(|| Instant::now() + Duration::from_secs(1));
        Progress { total: sizes.sum(), done: 0, next, is_shown: false }
    }

    /// So many bytes more are about to be copied.
    pub(super) fn add(&mut self, bytes: u64) {
        if let Some(next) = self.next.filter(|next| Instant::now() >= *next) {
            let mib = |bytes: u64| bytes >> 20;
            let _shown = write!(io::stderr(), "\rgb: copied {} of {} MiB", mib(self.done), mib(self.total));
            self.is_shown = true;
            self.next = Some(next + PAUSE);
        }
        self.done += bytes;
    }

    /// Takes the line away.
    pub(super) fn end(&self) {
        if self.is_shown {
            let _cleared = write!(io::stderr(), "\r\x1b[K");
        }
    }
}
