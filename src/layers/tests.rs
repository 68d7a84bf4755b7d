//! Archives made by tar(1), beside the directories that they were made of; and archives that no tool makes.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::{Path, PathBuf};
use std::process::Command;

use super::gzip::{GzipError, unpack};
use super::tar::{Reader, TarError};
use super::*;
use crate::rootfs::Last;

fn place() -> (tempfile::TempDir, PathBuf) {
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    for name in ["etc", "usr/lib/deep", "srv"] {
        fs::create_dir_all(root.join(name)).unwrap();
    }
    fs::write(dir.path().join("secret"), "outside").unwrap();
    fs::write(root.join("etc/file"), "inside").unwrap();
    fs::write(root.join("etc/empty"), "").unwrap();
    fs::write(root.join("usr/lib/liba.so.1.2"), vec![b'a'; 70_000]).unwrap();
    fs::set_permissions(root.join("usr/lib/liba.so.1.2"), Permissions::from_mode(0o4751)).unwrap();
    fs::hard_link(root.join("usr/lib/liba.so.1.2"), root.join("srv/two")).unwrap();
    fs::write(root.join("srv").join("n".repeat(99)), "long").unwrap();
    (dir, root)
}

fn tar(dir: &Path, format: &str) -> PathBuf {
    let archive = dir.join(format!("{format}.tar"));
    let mut call = Command::new("tar");
    call.arg(format!("--format={format}")).arg("-cf").arg(&archive).arg("-C").arg(dir.join("root")).arg(".");
    assert!(call.status().unwrap().success());
    archive
}

#[test]
fn paths_in_an_archive_lead_where_they_lead_in_a_directory() {
    let (dir, root) = place();
    let links = [
        ("lib", "usr/lib"),
        ("absolute", "/etc/file"),
        ("up", "../../../../../../etc/file"),
        ("up_outside", "../secret"),
        ("usr/up", "../../secret"),
        ("usr/lib/liba.so.1", "liba.so.1.2"),
        ("usr/lib/liba.so", "./liba.so.1"),
        ("usr/lib/far", "/lib/../lib/deep/../liba.so"),
        ("self", "self"),
        ("one", "two"),
        ("two", "/one"),
        ("here", "."),
        ("slash", "/"),
        ("dangling", "nowhere/file"),
        ("with_slash", "usr/lib/"),
        ("file_with_slash", "etc/file/"),
        ("etc/chain0", "file"),
    ];
    for (name, target) in links {
        symlink(target, root.join(name)).unwrap();
    }
    for n in 1..=45 {
        symlink(format!("chain{}", n - 1), root.join(format!("etc/chain{n}"))).unwrap();
    }
    let long = "a/".repeat(3000);
    let (name, longest) = (format!("etc/{}", "a".repeat(256)), format!("srv/{}", "n".repeat(99)));
    let paths = [
        "etc/file",
        "/etc/file",
        "//etc/./../etc//file",
        "../../../../etc/file",
        "../secret",
        "usr/lib/../../../secret",
        "lib/liba.so",
        "lib/far",
        "lib/",
        "with_slash/deep/..",
        "/",
        "..",
        "here/here/slash/here",
        "etc/chain39",
        "etc/chain40",
        "etc/chain45",
        "nowhere/..",
        "etc/file/",
        "etc/file/..",
        "etc/file/x",
        "etc/empty",
        "srv/two",
        "",
        &long,
        &name,
        &longest,
        "lib/deep",
        "self/x",
        "one/..",
        "etc",
    ];
    let paths: Vec<&Path> = paths.iter().copied().chain(links.map(|(name, _)| name)).map(Path::new).collect();
    let disk = Root::open(&root).unwrap();
    for format in ["gnu", "pax"] {
        let archive = open(&tar(dir.path(), format), None).unwrap();
        for path in &paths {
            for last in [Last::Follow, Last::Keep] {
                let [one, two] = [&disk, &archive].map(|root| {
                    let found = root.resolve(path, last).map_err(|error| error.raw_os_error())?;
                    let links: Vec<_> =
                        found.links.into_iter().map(|link| (link.path, link.target)).collect();
                    let told = found.metadata;
                    let names = (told.kind == crate::rootfs::Kind::File).then_some(told.names);
                    Ok::<_, Option<i32>>((found.path, links, found.target, told.kind, told.mode, names))
                });
                assert_eq!(one, two, "{path:?} {last:?} {format}");
                let [one, two] = [&disk, &archive].map(|root| match last {
                    Last::Follow => {
                        root.stat(path).map(|told| told.kind).map_err(|error| error.raw_os_error())
                    }
                    Last::Keep => {
                        root.lstat(path).map(|told| told.kind).map_err(|error| error.raw_os_error())
                    }
                });
                assert_eq!(one, two, "{path:?} {last:?} {format}");
            }
            let [one, two] =
                [&disk, &archive].map(|root| root.read(path, 1 << 20).map_err(|error| error.to_string()));
            assert_eq!(one, two, "{path:?} {format}");
            let [one, two] =
                [&disk, &archive].map(|root| root.list(path, 60).map_err(|error| error.to_string()));
            assert_eq!(one, two, "{path:?} {format}");
        }
        let ids = ["usr/lib/liba.so.1.2", "srv/two", "etc/file"]
            .map(|path| archive.stat(Path::new(path)).unwrap().id);
        assert!(ids[0] == ids[1] && ids[0] != ids[2]);
    }
}

#[test]
fn an_archive_cut_off_anywhere_is_refused() {
    let (dir, _) = place();
    for format in ["gnu", "pax", "ustar"] {
        let whole = fs::read(tar(dir.path(), format)).unwrap();
        let read = |bytes: &[u8]| {
            let mut reader = Reader::new(&bytes, false);
            let mut count = 0;
            while reader.next()?.is_some() {
                count += 1;
            }
            Ok::<_, TarError>(count)
        };
        assert_eq!(read(&whole), Ok(11), "{format}");
        let end = whole.iter().rposition(|byte| *byte != 0).unwrap().next_multiple_of(512);
        for length in (0..end).step_by(97).chain((0..=end).step_by(512)) {
            assert!(read(&whole[..length]).is_err(), "{format} {length}");
        }
        assert_eq!(read(&whole[..end + 512]), Ok(11));
        let mut damaged = whole.clone();
        damaged[257] ^= 1;
        assert_eq!(read(&damaged), Err(TarError::At(0, "there is no tar header")));
    }
}

#[test]
fn what_gzip_has_packed_is_unpacked_up_to_a_limit_and_nothing_else_is() {
    let dir = tempfile::tempdir().unwrap();
    let plain: Vec<u8> = (0..300_000_u32).flat_map(|n| (n % 7919).to_le_bytes()).collect();
    let pack = |bytes: &[u8], level: &str| {
        let file = dir.path().join("plain");
        fs::write(&file, bytes).unwrap();
        Command::new("gzip").args(["-c", level]).arg(&file).output().unwrap().stdout
    };
    let unpacked = |packed: &[u8], most| {
        let mut all = Vec::new();
        let length = unpack(&packed, most, &mut |part| {
            all.extend_from_slice(part);
            Ok(())
        });
        length.map(|length| {
            assert_eq!(length, all.len() as u64);
            all
        })
    };
    for level in ["-1", "-6", "-9"] {
        let packed = pack(&plain, level);
        assert!(unpacked(&packed, 1 << 30).unwrap() == plain, "{level}");
        // Several members are one file (RFC 1952, section 2.2).
        let twice = [packed.clone(), pack(b"", level), packed.clone()].concat();
        assert_eq!(unpacked(&twice, 1 << 30).unwrap().len(), 2 * plain.len());
        assert!(matches!(unpacked(&packed, plain.len() as u64 - 1), Err(GzipError::Large(_))));
        for length in [0, 1, 2, 9, 10, 17, packed.len() / 2, packed.len() - 8, packed.len() - 1] {
            assert!(
                matches!(unpacked(&packed[..length], 1 << 30), Err(GzipError::CutOff)),
                "{level} {length}"
            );
        }
        for at in [0, 2, packed.len() / 2, packed.len() - 6, packed.len() - 1] {
            let mut damaged = packed.clone();
            damaged[at] ^= 0x55;
            assert!(unpacked(&damaged, 1 << 30).is_err(), "{level} {at}");
        }
        assert!(unpacked(&[packed, b"more".to_vec()].concat(), 1 << 30).is_err());
    }
    // A bomb: a thousand times as many zeros as bytes.
    let bomb = pack(&vec![0; 64 << 20], "-9");
    assert!(bomb.len() < 100_000);
    assert!(matches!(unpacked(&bomb, 1 << 20), Err(GzipError::Large(1_048_576))));
}
