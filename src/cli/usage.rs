//! A mistake on the command line, and what is no mistake: `--help` and `--version`.

use std::process::ExitCode;

use clap::error::ErrorKind;

use super::output::print;
use crate::error::Error;

/// Help goes to standard output and is no failure; a mistake is one line.
pub(super) fn usage(error: &clap::Error) -> Result<ExitCode, Error> {
    let text = error.render().to_string();
    match error.kind() {
        ErrorKind::DisplayHelp | ErrorKind::DisplayVersion => print(text.as_bytes()),
        ErrorKind::DisplayHelpOnMissingArgumentOrSubcommand | ErrorKind::MissingSubcommand => {
            Err(Error::Usage("no subcommand given (gb --help)".to_owned()))
        }
        _ => {
            // clap's first paragraph is what is wrong (what is missing on lines of its own); tips may follow; then the
            // usage, which --help tells better.
            let lines =
                text.lines().take_while(|line| !line.starts_with("Usage:") && !line.starts_with("For more"));
            let lines = lines.map(str::trim).filter(|line| !line.is_empty());
            let (tips, wrong): (Vec<_>, Vec<_>) = lines.partition(|line| line.starts_with("tip: "));
            let tips = tips.iter().map(|tip| format!("{}; ", tip.trim_start_matches("tip: ")));
            let message = wrong.join(" ").trim_start_matches("error: ").to_owned();
            Err(Error::Usage(format!("{message} ({}gb --help)", tips.collect::<String>())))
        }
    }
}
