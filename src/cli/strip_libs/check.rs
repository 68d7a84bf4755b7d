//! `gb strip-libs --check`: is a root closed?

use std::path::Path;
use std::process::ExitCode;

use serde_json::{Value, json};

use crate::cli::output::print;
use crate::closure::prove;
use crate::error::{Error, one_line, tell};
use crate::rootfs::Root;

pub(super) fn check(
    rootfs: &Path,
    root: &Root,
    library_path: Option<Vec<u8>>,
    as_json: bool,
) -> Result<ExitCode, Error> {
    let proof = prove(root, library_path);
    if as_json {
        let value = json!({
            "schema": 1,
            "rootfs": rootfs.to_string_lossy(),
            "files": proof.files,
            "objects": proof.objects,
            "notes": proof.notes,
            "holes": proof.holes.iter().map(super::json::hole).collect::<Value>(),
        });
        print(format!("{value:#}\n").as_bytes())?;
    } else if proof.holes.is_empty() {
        let name = one_line(&rootfs.to_string_lossy());
        print(
            format!(
                "{name}: {} programs and libraries among {} files find all they need\n",
                proof.objects, proof.files
            )
            .as_bytes(),
        )?;
    }
    for note in &proof.notes {
        tell(note);
    }
    for hole in &proof.holes {
        tell(hole);
    }
    Ok(ExitCode::from(u8::from(!proof.holes.is_empty())))
}
