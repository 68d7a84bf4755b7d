//! Trees taken from a root and written to a place.

use std::fs::{self, Permissions};
use std::os::unix::fs::{MetadataExt, PermissionsExt, symlink};
use std::path::{Path, PathBuf};

use super::*;

/// A root with a merged /usr, a library with its links, and a file of two names.
fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    fs::create_dir_all(root.join("usr/lib/z")).unwrap();
    symlink("usr/lib", root.join("lib")).unwrap();
    let file = |path: &str, text: &str, mode: u32| {
        fs::write(root.join(path), text).unwrap();
        fs::set_permissions(root.join(path), Permissions::from_mode(mode)).unwrap();
    };
    file("usr/lib/z/liba.so.1.2", "library", 0o644);
    symlink("liba.so.1.2", root.join("usr/lib/z/liba.so.1")).unwrap();
    symlink("/lib/z/liba.so.1", root.join("usr/lib/liba.so")).unwrap();
    file("usr/lib/one", "twice", 0o4711);
    fs::hard_link(root.join("usr/lib/one"), root.join("usr/lib/two")).unwrap();
    fs::set_permissions(root.join("usr"), Permissions::from_mode(0o750)).unwrap();
    (dir, root)
}

fn tree(root: &Root) -> Tree {
    let mut tree = Tree::default();
    for path in ["lib/liba.so", "usr/lib/two", "/usr/lib/one", "lib/z/liba.so.1"] {
        tree.add(root, Path::new(path)).unwrap();
    }
    let made = Made { contents: Some(b"hosts: files\n".to_vec()), mode: 0o644 };
    tree.make(Path::new("/etc/nsswitch.conf"), made).unwrap();
    tree.make(Path::new("/tmp"), Made { contents: None, mode: 0o1777 }).unwrap();
    tree
}

fn write_to(tree: &Tree, root: &Root, out: &Path, existing: Existing, times: Times) -> Result<(), String> {
    let output = Output::prepare(out, existing).map_err(|error| error.to_string())?;
    write(tree, root, output.directory(), times, &mut |_| {}).map_err(|error| error.to_string())?;
    output.finish().map_err(|error| error.to_string())
}

/// Every file of a directory: kind, permissions, size or target, time, and how many names.
fn listing(dir: &Path) -> Vec<String> {
    let mut found = Vec::new();
    let mut dirs = vec![dir.to_owned()];
    while let Some(here) = dirs.pop() {
        for entry in fs::read_dir(&here).unwrap() {
            let path = entry.unwrap().path();
            let stat = path.symlink_metadata().unwrap();
            let what = match stat.file_type() {
                kind if kind.is_dir() => "dir".to_owned(),
                kind if kind.is_symlink() => format!("-> {}", fs::read_link(&path).unwrap().display()),
                _ => format!("{} x{}", stat.size(), stat.nlink()),
            };
            let name = path.strip_prefix(dir).unwrap().display();
            let mode = if stat.is_symlink() { 0 } else { stat.mode() & 0o7777 };
            found.push(format!("{name} {mode:o} {what} @{}.{}", stat.mtime(), stat.mtime_nsec()));
            if stat.is_dir() {
                dirs.push(path);
            }
        }
    }
    found.sort();
    found
}

#[test]
fn a_tree_keeps_links_modes_and_names_and_is_the_same_each_time() {
    let (dir, path) = place();
    let root = Root::open(&path).unwrap();
    let out = dir.path().join("out");
    write_to(&tree(&root), &root, &out, Existing::Refuse, Times::All(1_000_000_000)).unwrap();
    let found = listing(&out);
    let expected = [
        "etc 755 dir @1000000000.0",
        "etc/nsswitch.conf 644 13 x1 @1000000000.0",
        "lib 0 -> usr/lib @1000000000.0",
        "tmp 1777 dir @1000000000.0",
        "usr 750 dir @1000000000.0",
        "usr/lib 755 dir @1000000000.0",
        "usr/lib/liba.so 0 -> /lib/z/liba.so.1 @1000000000.0",
        "usr/lib/one 4711 5 x2 @1000000000.0",
        "usr/lib/two 4711 5 x2 @1000000000.0",
        "usr/lib/z 755 dir @1000000000.0",
        "usr/lib/z/liba.so.1 0 -> liba.so.1.2 @1000000000.0",
        "usr/lib/z/liba.so.1.2 644 7 x1 @1000000000.0",
    ];
    assert_eq!(found, expected);
    let again = dir.path().join("again");
    for (out, times) in [(&again, Times::Kept), (&dir.path().join("third"), Times::Kept)] {
        write_to(&tree(&root), &root, out, Existing::Refuse, times).unwrap();
    }
    assert_eq!(listing(&again), listing(&dir.path().join("third")));
    let library = "usr/lib/z/liba.so.1.2";
    let time = |dir: &Path| dir.join(library).metadata().unwrap().modified().unwrap();
    assert_eq!(time(&again), time(&path));
    // Nothing is left beside it.
    let mut names: Vec<_> =
        fs::read_dir(dir.path()).unwrap().map(|entry| entry.unwrap().file_name()).collect();
    names.sort();
    assert_eq!(names, ["again", "out", "root", "third"]);
}

#[test]
fn what_is_there_is_not_written_over_and_a_failure_leaves_nothing() {
    let (dir, path) = place();
    let root = Root::open(&path).unwrap();
    let at = |name: &str| dir.path().join(name);
    let refused = |out: &Path| write_to(&tree(&root), &root, out, Existing::Refuse, Times::Kept).unwrap_err();
    fs::create_dir(at("full")).unwrap();
    fs::write(at("full/file"), "mine").unwrap();
    assert!(refused(&at("full")).contains("it is not empty (remove it, or add to it with --merge)"));
    assert_eq!(listing(&at("full")).len(), 1);
    symlink("elsewhere", at("link")).unwrap();
    assert!(refused(&at("link")).contains("it is there, and no directory"));
    fs::create_dir(at("empty")).unwrap();
    write_to(&tree(&root), &root, &at("empty"), Existing::Refuse, Times::Kept).unwrap();

    // A file that changes between looking and copying.
    let taken = tree(&root);
    fs::write(path.join("usr/lib/z/liba.so.1.2"), "another").unwrap();
    let error = write_to(&taken, &root, &at("changed"), Existing::Refuse, Times::Kept).unwrap_err();
    assert_eq!(error, "copy /usr/lib/z/liba.so.1.2: it changed meanwhile");
    fs::remove_file(path.join("usr/lib/one")).unwrap();
    assert!(write_to(&taken, &root, &at("changed"), Existing::Refuse, Times::Kept).is_err());
    assert!(!at("changed").exists() && !at(".changed.gb-unfinished").exists());

    // What a gb has left that was killed, and one that is at work.
    let left = at(".new.gb-unfinished");
    fs::create_dir_all(left.join("half")).unwrap();
    let output = Output::prepare(&at("new"), Existing::Refuse).unwrap();
    assert!(!left.join("half").exists());
    let error = Output::prepare(&at("new"), Existing::Refuse).unwrap_err().to_string();
    assert!(error.ends_with("another gb is writing it (wait for it)"), "{error}");
    drop(output);
    assert!(!left.exists());
}

#[test]
fn merging_replaces_files_and_never_goes_through_links() {
    let (dir, path) = place();
    let root = Root::open(&path).unwrap();
    let out = dir.path().join("out");
    fs::create_dir_all(out.join("usr/lib")).unwrap();
    fs::create_dir_all(out.join("etc")).unwrap();
    fs::write(out.join("etc/mine"), "mine").unwrap();
    fs::write(out.join("etc/nsswitch.conf"), "old").unwrap();
    let merge = || write_to(&tree(&root), &root, &out, Existing::Merge, Times::Kept);
    merge().unwrap();
    merge().unwrap();
    assert_eq!(fs::read_to_string(out.join("etc/mine")).unwrap(), "mine");
    assert_eq!(fs::read_to_string(out.join("etc/nsswitch.conf")).unwrap(), "hosts: files\n");
    assert_eq!(out.join("usr/lib/one").metadata().unwrap().nlink(), 2);

    // A directory there that is a link here, and a link there that leads out.
    let outside = dir.path().join("outside");
    fs::create_dir(&outside).unwrap();
    for (name, expected) in [
        ("lib", "/lib is a directory there, and a link here"),
        ("usr", "/usr is a link there, and a directory here"),
    ] {
        let out = dir.path().join(format!("hostile-{name}"));
        fs::create_dir(&out).unwrap();
        match name {
            "lib" => fs::create_dir(out.join("lib")).unwrap(),
            _ => symlink(&outside, out.join("usr")).unwrap(),
        }
        let before = listing(&out);
        let error = write_to(&tree(&root), &root, &out, Existing::Merge, Times::Kept).unwrap_err();
        assert!(error.contains(expected), "{error}");
        assert_eq!(listing(&out), before);
    }
    assert_eq!(listing(&outside).len(), 0);
}

#[test]
fn only_files_directories_and_links_are_taken() {
    let (_dir, path) = place();
    let root = Root::open(&path).unwrap();
    assert!(std::process::Command::new("mkfifo").arg(path.join("fifo")).status().unwrap().success());
    symlink("../../outside", path.join("usr/out")).unwrap();
    let mut tree = Tree::default();
    let error = |tree: &mut Tree, name: &str| tree.add(&root, Path::new(name)).unwrap_err().to_string();
    assert_eq!(error(&mut tree, "fifo"), "fifo: a FIFO, which is nothing to copy");
    assert!(error(&mut tree, "usr/out").contains("No such file"));
    assert!(error(&mut tree, "nowhere").contains("No such file"));
    assert_eq!(tree.nodes().count(), 0);
    tree.add(&root, Path::new("lib")).unwrap();
    let made = || Made { contents: Some(Vec::new()), mode: 0o644 };
    // Through a link nothing is made, and nothing takes a directory's place.
    for path in ["/lib/file", "/lib", "/usr", "/usr/lib"] {
        assert!(tree.make(Path::new(path), made()).is_err(), "{path}");
    }
}
