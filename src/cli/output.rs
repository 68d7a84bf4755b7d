//! Standard output of the subcommands.

use std::io::{self, Write};
use std::process::ExitCode;

use crate::error::Error;
use crate::sys;

/// Writes to standard output. A reader that goes away ends gb as it ends any other program.
pub(super) fn print(text: &[u8]) -> Result<ExitCode, Error> {
    sys::restore_inherited();
    if sys::was_closed(1) {
        // Rust's runtime has put /dev/null there, which takes everything.
        let source = io::Error::from(nix::errno::Errno::EBADF);
        return Err(Error::Io { attempt: "write to standard output".to_owned(), source });
    }
    let mut stdout = io::stdout().lock();
    let written = stdout.write_all(text).and_then(|()| stdout.flush());
    written.map_err(|source| Error::Io { attempt: "write to standard output".to_owned(), source })?;
    Ok(ExitCode::SUCCESS)
}
