//! `gb strip-libs --merge`: what is told of packages stays true when files of theirs are replaced.

use std::fs;

use crate::gb::{Dir, gb};

/// Writes a file of a root, with the directories above it.
fn put(dir: &Dir, path: &str, contents: &str) {
    fs::create_dir_all(dir.path().join(path).parent().unwrap()).unwrap();
    dir.file(path, contents, 0o644);
}

/// A root in which one Debian package is installed, which has one file.
fn debian(dir: &Dir, root: &str, [name, version, architecture]: [&str; 3], path: &str, contents: &str) {
    add_debian(dir, root, [name, version, architecture, ""], path, contents);
}

fn add_debian(
    dir: &Dir,
    root: &str,
    [name, version, architecture, more]: [&str; 4],
    path: &str,
    contents: &str,
) {
    let status = dir.path().join(root).join("var/lib/dpkg/status");
    let others = fs::read_to_string(status).unwrap_or_default();
    let package = format!(
        "Package: {name}\nStatus: install ok installed\nArchitecture: {architecture}\n{more}Version: {version}\n\n"
    );
    put(dir, &format!("{root}/var/lib/dpkg/status"), &format!("{others}{package}"));
    let file = if more.is_empty() { name.to_owned() } else { format!("{name}:{architecture}") };
    put(dir, &format!("{root}/var/lib/dpkg/info/{file}.list"), &format!("/.\n{path}\n"));
    let sums = format!("{}  {}\n", sum(contents), &path[1..]);
    put(dir, &format!("{root}/var/lib/dpkg/info/{file}.md5sums"), &sums);
    put(dir, &format!("{root}/etc/os-release"), "ID=debian\nVERSION_ID=\"13\"\n");
    put(dir, &format!("{root}/usr/share/doc/{name}/copyright"), "free\n");
    put(dir, &format!("{root}{path}"), contents);
}

/// Something like an MD5 sum, which nobody looks at.
fn sum(contents: &str) -> String {
    format!("{:032x}", contents.len())
}

fn add(dir: &Dir, root: &str, words: &[&str]) {
    let all = ["strip-libs", "--root", root, "--rootfs", "out", "--merge"];
    let added = gb(all.iter().chain(words)).dir(dir.path()).env("SOURCE_DATE_EPOCH", "1").go();
    assert_eq!((added.status, added.stderr.as_str()), (Some(0), ""));
}

fn text(dir: &Dir, path: &str) -> String {
    fs::read_to_string(dir.path().join("out").join(path)).unwrap()
}

fn status_d(dir: &Dir) -> Vec<String> {
    let names = fs::read_dir(dir.path().join("out/var/lib/dpkg/status.d")).unwrap();
    let names = names.map(|name| name.unwrap().file_name().into_string().unwrap());
    let mut names: Vec<String> = names.filter(|name| !name.ends_with(".md5sums")).collect();
    names.sort();
    names
}

/// The packages by the manifest, and whose a file is.
fn told(dir: &Dir, path: &str) -> (Vec<String>, Vec<String>) {
    let manifest: serde_json::Value = serde_json::from_str(&text(dir, "var/lib/gb/manifest.json")).unwrap();
    let strings = |value: &serde_json::Value| {
        value.as_array().unwrap().iter().map(|id| id.as_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let ids = manifest["packages"].as_array().unwrap();
    let ids = ids.iter().map(|package| {
        format!("{}={}", package["id"].as_str().unwrap(), package["version"].as_str().unwrap())
    });
    let file = manifest["files"].as_array().unwrap().iter().find(|file| file["path"] == path).unwrap();
    (ids.collect(), strings(&file["packages"]))
}

#[test]
fn a_package_that_was_upgraded_is_there_in_its_new_version_alone() {
    let dir = Dir::new();
    debian(&dir, "one", ["libx", "1", "amd64"], "/usr/lib/x", "same");
    debian(&dir, "two", ["libx", "2", "amd64"], "/usr/lib/x", "same");
    add(&dir, "one", &["--sbom", "spdx", "/usr/lib/x"]);
    add(&dir, "two", &["/usr/lib/x"]);
    assert_eq!(told(&dir, "/usr/lib/x"), (vec!["libx=2".into()], vec!["libx".into()]));
    let sbom = text(&dir, "var/lib/db/sbom/rootfs.spdx.json");
    assert!(sbom.contains("libx@2") && !sbom.contains("libx@1"), "{sbom}");
}

#[test]
fn a_licence_that_packages_have_in_common_is_of_those_that_are_there() {
    let dir = Dir::new();
    for (root, name) in [("one", "libx"), ("two", "liby")] {
        debian(&dir, root, [name, "1", "amd64"], &format!("/usr/lib/{name}"), name);
        put(&dir, &format!("{root}/usr/share/common-licenses/GPL-3"), "text");
        let copyright = "See /usr/share/common-licenses/GPL-3.\n";
        put(&dir, &format!("{root}/usr/share/doc/{name}/copyright"), copyright);
        add(&dir, root, &[&format!("/usr/lib/{name}")]);
    }
    assert_eq!(told(&dir, "/usr/share/common-licenses/GPL-3").1, ["libx", "liby"]);
}

#[test]
fn a_file_that_another_package_has_replaced_is_not_the_first_ones_any_more() {
    for options in [&["--no-manifest"][..], &["--no-manifest", "--no-metadata"]] {
        let dir = Dir::new();
        debian(&dir, "one", ["libx", "1", "amd64"], "/usr/lib/x", "of x");
        debian(&dir, "two", ["liby", "1", "amd64"], "/usr/lib/x", "another, of y");
        debian(&dir, "three", ["libz", "1", "amd64"], "/usr/lib/z", "z");
        add(&dir, "one", &["--no-manifest", "/usr/lib/x"]);
        add(&dir, "two", &[options, &["/usr/lib/x"]].concat());
        assert_eq!(text(&dir, "var/lib/dpkg/status.d/libx.md5sums"), "", "{options:?}");
        add(&dir, "three", &["/usr/lib/z"]);
        let expected: &[&str] = if options.len() == 1 { &["liby"] } else { &[] };
        assert_eq!(told(&dir, "/usr/lib/x").1, expected, "{options:?}");
    }
}

#[test]
fn a_root_without_a_database_replaces_files_of_packages_as_well() {
    let dir = Dir::new();
    debian(&dir, "one", ["libx", "1", "amd64"], "/usr/lib/x", "of x");
    put(&dir, "two/usr/lib/x", "mine");
    add(&dir, "one", &["/usr/lib/x"]);
    add(&dir, "two", &["/usr/lib/x"]);
    assert_eq!(text(&dir, "var/lib/dpkg/status.d/libx.md5sums"), "");
}

#[test]
fn a_package_of_two_architectures_has_a_file_for_each_whichever_came_first() {
    let dir = Dir::new();
    for (root, architectures) in
        [("amd64", &["amd64"][..]), ("i386", &["i386"]), ("both", &["amd64", "i386"])]
    {
        for name in architectures {
            let package = ["libx", "1", *name, "Multi-Arch: same\n"];
            add_debian(&dir, root, package, &format!("/usr/lib/{name}/x"), name);
        }
    }
    let both = ["/usr/lib/amd64/x", "/usr/lib/i386/x"];
    for (roots, expected) in [
        (&["amd64"][..], &["libx"][..]),
        (&["amd64", "i386"], &["libx", "libx:i386"]),
        (&["amd64", "both", "i386"], &["libx", "libx:i386"]),
        (&["both", "amd64", "i386"], &["libx:amd64", "libx:i386"]),
    ] {
        let _ = fs::remove_dir_all(dir.path().join("out"));
        for root in roots {
            let files = both.iter().filter(|path| *root == "both" || path.contains(root));
            add(&dir, root, &files.copied().collect::<Vec<_>>());
        }
        assert_eq!(status_d(&dir), expected, "{roots:?}");
        let first = text(&dir, &format!("var/lib/dpkg/status.d/{}", expected[0]));
        assert!(first.contains("Architecture: amd64"), "{roots:?}: {first}");
    }
}

#[test]
fn an_alpine_package_that_has_lost_its_last_file_is_not_there_any_more() {
    let dir = Dir::new();
    for (root, name) in [("one", "x"), ("two", "y")] {
        put(
            &dir,
            &format!("{root}/lib/apk/db/installed"),
            &format!("P:{name}\nV:1\nF:usr\nF:usr/lib\nR:x\n\n"),
        );
        put(&dir, &format!("{root}/usr/lib/x"), name);
        add(&dir, root, &["/usr/lib/x"]);
    }
    assert_eq!(text(&dir, "lib/apk/db/installed"), "P:y\nV:1\nF:usr/lib\nR:x\n\n");
    assert_eq!(told(&dir, "/usr/lib/x").0, ["y=1"]);
}

#[test]
fn what_is_added_again_changes_nothing() {
    let dir = Dir::new();
    for name in ["libb", "liba", "libc"] {
        debian(&dir, name, [name, "1", "amd64"], &format!("/usr/lib/{name}"), name);
        add(&dir, name, &["--sbom", "spdx,cyclonedx", &format!("/usr/lib/{name}")]);
    }
    let documents =
        ["var/lib/gb/manifest.json", "var/lib/db/sbom/rootfs.spdx.json", "var/lib/db/sbom/rootfs.cdx.json"];
    let before = documents.map(|path| text(&dir, path));
    add(&dir, "libb", &["/usr/lib/libb"]);
    assert_eq!(documents.map(|path| text(&dir, path)), before);
}
