//! Paths in a file that are of the machine that it was built on.

use super::facts::Facts;
use super::finding::Finding;
use crate::platform::Platform;

/// Where people, compilers and packagers build. (No image has libraries there.)
const BUILT_IN: [&[u8]; 11] = [
    b"home",
    b"root",
    b"tmp",
    b"build",
    b"builds",
    b"buildroot",
    b"go",
    b"src",
    b"workspace",
    b"github",
    b"__w",
];
/// Directories of builds in whatever place.
const PARTS: [&[u8]; 5] = [b"sys-root", b"sysroot", b"BUILD", b"BUILDROOT", b".build"];

pub(super) fn check(facts: &Facts) -> Vec<Finding> {
    let mut findings = Vec::new();
    if let Some(path) = facts.interpreter.as_ref().filter(|path| is_of_a_build(path)) {
        let what = format!("is to be loaded by {}, which is where it was built", text(path));
        findings.push(
            Finding::new("build-loader", what)
                .with("link it with the path that the loader has where it is to run"),
        );
    }
    for path in &facts.needed {
        let what = if is_of_a_build(path) {
            format!("asks for {}, which is where it was built", text(path))
        } else if path.contains(&b'/') && is_relative(path) {
            format!("asks for {} from whatever directory it is started in", text(path))
        } else {
            continue;
        };
        findings.push(
            Finding::new("needed-path", what)
                .with("link the library with -Wl,-soname, or patchelf --replace-needed"),
        );
    }
    for (name, path) in [("RPATH", &facts.rpath), ("RUNPATH", &facts.runpath)] {
        // A path that is empty as a whole is none to glibc and musl; an empty part of one is the current directory.
        let path = path.as_ref().filter(|path| !path.is_empty());
        let elements = || path.into_iter().flat_map(|path| path.split(|byte| *byte == b':'));
        let built: Vec<_> = elements().filter(|element| is_of_a_build(element)).map(text).collect();
        if !built.is_empty() {
            let what = format!("looks for libraries where it was built: {name} {}", built.join(":"));
            findings.push(
                Finding::degraded("build-path", what)
                    .with("link it without -rpath, or patchelf --remove-rpath"),
            );
        }
        let relative: Vec<_> = elements().filter(|element| is_relative(element)).map(text).collect();
        if !relative.is_empty() {
            let what = format!(
                "looks for libraries in whatever directory it is started in: {name} {:?}",
                relative.join(":")
            );
            findings
                .push(Finding::degraded("relative-path", what).with("$ORIGIN is the file's own directory"));
        }
    }
    findings
}

/// Whether a path leads from wherever a program is started.
fn is_relative(path: &[u8]) -> bool {
    !path.starts_with(b"/") && !path.starts_with(b"$")
}

/// Whether a path is of a machine that builds.
fn is_of_a_build(path: &[u8]) -> bool {
    if !path.starts_with(b"/") {
        return false;
    }
    let mut parts = path.split(|byte| *byte == b'/').filter(|part| !part.is_empty());
    let rest = parts.clone().nth(1);
    let is_cross =
        |part: &[u8]| std::str::from_utf8(part).is_ok_and(|part| Platform::by_triple(part).is_some());
    match parts.next() {
        Some(first) if BUILT_IN.contains(&first) => true,
        Some(b"var") if rest == Some(b"tmp") => true,
        // The directory of a cross compiler.
        Some(b"usr") if rest.is_some_and(is_cross) => true,
        _ => path.split(|byte| *byte == b'/').any(|part| PARTS.contains(&part)),
    }
}

fn text(bytes: &[u8]) -> String {
    String::from_utf8_lossy(bytes).into_owned()
}

#[cfg(test)]
mod tests {
    use super::is_of_a_build;

    #[test]
    fn paths_of_builds_are_told_from_those_of_systems() {
        for path in [
            "/home/me/lib",
            "/tmp",
            "/var/tmp/x",
            "//go/src",
            "/usr/aarch64-linux-gnu/lib",
            "/opt/x/BUILD/lib",
        ] {
            assert!(is_of_a_build(path.as_bytes()), "{path}");
        }
        for path in [
            "/usr/lib",
            "/opt/app/lib",
            "$ORIGIN/../lib",
            "/usr/lib/aarch64-linux-gnu",
            "/usr/local/lib",
            "",
            "tmp",
        ] {
            assert!(!is_of_a_build(path.as_bytes()), "{path}");
        }
    }
}
