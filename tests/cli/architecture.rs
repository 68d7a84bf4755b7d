//! The house rules of ARCHITECTURE.md that a test can hold.

use std::path::{Path, PathBuf};

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The source files below a directory, each without its unit tests.
fn sources(dir: &str) -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut dirs = vec![root().join(dir)];
    while let Some(dir) = dirs.pop() {
        for entry in std::fs::read_dir(&dir).unwrap() {
            let path = entry.unwrap().path();
            if path.is_dir() {
                dirs.push(path);
            } else if path.extension().is_some_and(|e| e == "rs") {
                let text = std::fs::read_to_string(&path).unwrap();
                // A room's tests stand at the end of its file, or in one of their own.
                let is_tests = path.ends_with("tests.rs");
                let code = text.split("#[cfg(test)]").next().filter(|_| !is_tests).unwrap_or_default();
                let code = code.to_owned();
                found.push((path, code));
            }
        }
    }
    assert!(!found.is_empty(), "no sources below {dir}");
    found
}

/// The rooms of this crate that a file names.
fn rooms_named(code: &str) -> Vec<&str> {
    code.split("crate::")
        .skip(1)
        .map(|rest| rest.split(|c: char| !c.is_alphanumeric() && c != '_').next().unwrap())
        .collect()
}

#[test]
fn dependencies_point_downwards() {
    for (room, may_know) in [
        ("src/sys", &["sys"][..]),
        ("src/platform", &["platform"]),
        ("src/elf", &["elf", "platform"]),
        ("src/loader", &["loader", "elf", "platform"]),
        ("src/rootfs", &["rootfs", "loader", "elf", "platform", "sys"]),
        ("src/layers", &["layers", "rootfs", "loader", "elf", "platform", "file", "sys"]),
        ("src/closure", &["closure", "rootfs", "loader", "elf", "platform"]),
        ("src/toolchain", &["toolchain", "platform", "environment", "file"]),
        ("src/verify", &["verify", "elf", "platform"]),
        ("src/packages", &["packages"]),
        ("src/binfmt", &["binfmt", "platform", "file", "sys", "user_namespace"]),
        ("src/go_cache", &["go_cache", "environment", "file"]),
        ("src/entrypoint", &["entrypoint", "platform", "environment", "file", "sys", "user_namespace"]),
    ] {
        for (path, code) in sources(room) {
            for named in rooms_named(&code) {
                assert!(may_know.contains(&named), "{} knows {named}", path.display());
            }
        }
    }
}

#[test]
fn facts_about_architectures_stand_in_the_table_alone() {
    for (path, code) in
        sources("src").into_iter().filter(|(path, _)| !path.ends_with("src/platform/table.rs"))
    {
        let code: String = code.lines().filter(|line| !line.trim_start().starts_with("//")).collect();
        for fact in
            ["-linux-gnu\"", "aarch64-linux", "ld-linux", "EM_", "x86_64-unknown", "7f454c46", "mingw32"]
        {
            assert!(!code.contains(fact), "{} states {fact}", path.display());
        }
    }
}

#[test]
fn no_room_is_large() {
    for (path, code) in
        sources("src").into_iter().filter(|(path, _)| !path.ends_with("src/platform/table.rs"))
    {
        assert!(code.lines().count() <= 400, "{} has {} lines", path.display(), code.lines().count());
    }
}

#[test]
fn every_room_is_on_the_map_and_every_version_in_the_changelog() {
    let map = std::fs::read_to_string(root().join("ARCHITECTURE.md")).unwrap();
    for (path, _) in sources("src") {
        let room = path.strip_prefix(root()).unwrap().to_str().unwrap();
        let listed = map.contains(&format!("`{room}`"))
            || path.parent().is_some_and(|dir| {
                map.contains(&format!("`{}/`", dir.strip_prefix(root()).unwrap().display()))
            });
        assert!(listed, "ARCHITECTURE.md does not name {room}");
    }
    let changes = std::fs::read_to_string(root().join("CHANGELOG.md")).unwrap();
    assert!(
        changes.contains(concat!("\n## ", env!("CARGO_PKG_VERSION"))),
        "CHANGELOG.md has no section of this version"
    );
}

#[test]
fn every_deviation_from_the_originals_is_documented_and_named_by_a_test() {
    let documented = std::fs::read_to_string(root().join("docs/compat.md")).unwrap();
    let ids: Vec<_> = documented
        .lines()
        .filter_map(|line| line.strip_prefix("| `")?.split_once('`'))
        .map(|(id, _)| id)
        .collect();
    assert!(ids.len() > 20, "{ids:?}");
    let mut tests = String::new();
    for dir in ["tests/entrypoint", "tests/cli", "cross-tests"] {
        for file in std::fs::read_dir(root().join(dir)).unwrap() {
            tests.push_str(&std::fs::read_to_string(file.unwrap().path()).unwrap_or_default());
        }
    }
    let named = |id: &&&str| {
        tests.contains(&format!("docs/compat.md: {id}\n")) || tests.contains(&format!("\"{id}\""))
    };
    let missing: Vec<_> = ids.iter().filter(|id| !named(id)).collect();
    assert!(missing.is_empty(), "no test names {missing:?}");
}
