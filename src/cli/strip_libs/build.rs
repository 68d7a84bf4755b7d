//! `gb strip-libs --rootfs`: writing the root, and proving it.

use std::path::Path;
use std::process::ExitCode;

use super::before::Before;
use super::documents::Documents;
use super::{Arguments, packages, taken, tell_of};
use crate::cli::output::print;
use crate::closure::{Closure, Hole, Why, prove};
use crate::environment::Environment;
use crate::error::{Error, one_line, tell};
use crate::rootfs::{Existing, Last, Output, Root, Times, Written, write};
use crate::sys;

/// Writes all that a closure has, looks at it as if nothing were known of it, and only then puts it in its place.
pub(super) fn build(
    arguments: &Arguments,
    root: &Root,
    closure: &Closure,
    rootfs: &Path,
) -> Result<ExitCode, Error> {
    if !closure.holes.is_empty() {
        return Ok(tell_of(closure));
    }
    let times = times()?;
    refuse_inside(arguments, root, closure, rootfs)?;
    let mut taken = taken::take(arguments, root, closure)?;
    let failed = |error: String| Error::Usage(format!("make {}: {error}", rootfs.display()));
    let existing = if arguments.merge { Existing::Merge } else { Existing::Refuse };
    let output = Output::prepare(rootfs, existing).map_err(|error| failed(error.to_string()))?;
    let merges = arguments.merge && output.merges();
    let before = match merges {
        true => Some(Before::look(rootfs, &taken.tree, &output)?),
        false => None,
    };
    let latest = match times {
        Times::All(second) => u64::try_from(second).ok(),
        Times::Kept => None,
    };
    packages::databases(&mut taken, latest, before.as_ref())?;
    Documents::asked(arguments, before.as_ref())?.add(&mut taken, root, times, before.as_ref())?;
    let mut progress = super::progress::Progress::new(&taken.tree);
    let written = write(&taken.tree, root, output.directory(), times, &mut |bytes| progress.add(bytes))
        .map_err(|error| failed(error.to_string()))?;
    progress.end();
    let look =
        |place: &Path| -> Result<_, Error> { Ok(prove(&super::open(place)?, arguments.library_path())) };
    let proof = look(output.path())?;
    if tell_of_proof(rootfs, &proof.holes) {
        return Ok(ExitCode::from(1));
    }
    let holes = if merges { look(rootfs)?.holes } else { Vec::new() };
    output.finish().map_err(|error| failed(error.to_string()))?;
    if merges {
        // What was there may have needed what this took the place of.
        let mut after = look(rootfs)?.holes;
        after.retain(|hole| !holes.contains(hole));
        if tell_of_proof(rootfs, &after) {
            return Ok(ExitCode::from(1));
        }
    }
    tell_of_written(&written);
    if arguments.json {
        return print(super::json::write(&arguments.root, closure, &taken).as_bytes());
    }
    let (files, bytes) = (written.files, written.bytes);
    let objects = proof.objects;
    let name = one_line(&rootfs.to_string_lossy());
    print(
        format!(
            "{name}: {files} files, {bytes} bytes; {objects} programs and libraries find all they need\n"
        )
        .as_bytes(),
    )
}

/// Tells of what is missing in a root that was written; whether there is something.
fn tell_of_proof(rootfs: &Path, holes: &[Hole]) -> bool {
    for hole in holes {
        tell(format!("prove {}: {hole}", rootfs.display()));
    }
    !holes.is_empty()
}

/// The ld.so.cache of a root that is to be added to.
pub(super) fn cache(rootfs: &Path) -> Option<Vec<u8>> {
    Root::open(rootfs).ok()?.read(Path::new("/etc/ld.so.cache"), 64 << 20).ok()
}

/// A root that is made inside of what it is made from would be part of it the next time.
fn refuse_inside(arguments: &Arguments, from: &Root, closure: &Closure, rootfs: &Path) -> Result<(), Error> {
    // The machine's own root holds everything; there the files that were asked for decide.
    let out = absolute(rootfs)?;
    let root = absolute(&arguments.root)?;
    let inputs = closure.items.iter().filter(|item| item.why == Why::Asked);
    let mut inputs = inputs.filter_map(|item| Some(from.resolve(&item.path, Last::Follow).ok()?.path));
    let is_inside = (root != Path::new("/") && out.starts_with(&root))
        || inputs.any(|input| out.starts_with(root.join(input.strip_prefix("/").unwrap_or(&input))));
    match is_inside {
        true => Err(Error::Usage(format!(
            "make {}: it is in what it is made from (name another directory)",
            rootfs.display()
        ))),
        false => Ok(()),
    }
}

/// A path from the root without links, as far as there is something.
fn absolute(path: &Path) -> Result<std::path::PathBuf, Error> {
    let failed = |source| Error::Io { attempt: format!("look at {}", path.display()), source };
    let whole = std::path::absolute(path).map_err(failed)?;
    let there = whole.ancestors().find_map(|above| Some((above, std::fs::canonicalize(above).ok()?)));
    Ok(match there {
        Some((above, real)) => real.join(whole.strip_prefix(above).unwrap_or(Path::new(""))),
        None => whole,
    })
}

/// What is not as it was in the root.
fn tell_of_written(written: &Written) {
    if written.unowned > 0 {
        let files = written.unowned;
        tell(format!("{files} files belong to this user, who may not give them away (run it as root)"));
    }
    if written.without_capabilities > 0 {
        let files = written.without_capabilities;
        tell(format!(
            "{files} files are without their capabilities, which this user may not give (run it as root)"
        ));
    }
}

/// SOURCE_DATE_EPOCH (reproducible-builds.org).
pub(in crate::cli) fn times() -> Result<Times, Error> {
    let environment = Environment::new(sys::environ());
    match environment.get_nonempty("SOURCE_DATE_EPOCH") {
        None => Ok(Times::Kept),
        Some(value) => value.to_str().and_then(|text| text.parse().ok()).map(Times::All).ok_or_else(|| {
            Error::Usage(format!(
                "SOURCE_DATE_EPOCH is {}, which is no number of seconds since 1970 (date +%s)",
                value.to_string_lossy()
            ))
        }),
    }
}
