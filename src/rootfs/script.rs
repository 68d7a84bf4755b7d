//! A script's first line, as the kernel reads it (`load_script` in fs/binfmt_script.c).

use std::io;
use std::path::Path;

use super::regular::Regular;
use super::root::Root;

/// How much of a file the kernel looks at (BINPRM_BUF_SIZE, include/uapi/linux/binfmts.h).
const HEAD: usize = 256;

/// What the kernel looks at of a file of a root.
pub fn head(root: &Root, file: &Path) -> io::Result<Vec<u8>> {
    head_of(&root.open_regular(file)?)
}

/// The same of a file that is open.
pub(super) fn head_of(file: &Regular) -> io::Result<Vec<u8>> {
    file.read_part(0, HEAD as u64)
}

/// The words that follow `#!`; `None` of a file that is no script.
pub fn words(head: &[u8]) -> Option<impl Iterator<Item = &[u8]>> {
    let line = head.get(..HEAD).unwrap_or(head).strip_prefix(b"#!")?;
    let line = line.split(|byte| *byte == b'\n' || *byte == 0).next().unwrap_or_default();
    Some(line.split(|byte| *byte == b' ' || *byte == b'\t').filter(|word| !word.is_empty()))
}
