//! Roots with a small glibc, whose programs and libraries are made for the tests.

use std::fs::{self, Permissions};
use std::os::unix::fs::{PermissionsExt, symlink};
use std::path::Path;

use super::*;
use crate::elf::sample::Sample;
use crate::platform::{ElfClass, ElfData, Machine, Platform};
use crate::rootfs::Root;

const NEEDED: u64 = 1;
const SONAME: u64 = 14;
const RUNPATH: u64 = 29;

/// The path of a port's loader.
fn loader(goarch: &str) -> &'static str {
    Platform::by_goarch(goarch).unwrap().all_abis().next().unwrap().loader
}

/// A root in a directory.
pub(super) struct Place(tempfile::TempDir);

impl Place {
    /// One with a loader, a libc of the version that is told, and a shell.
    pub(super) fn new(version: &'static str) -> Place {
        let place = Place(tempfile::tempdir().unwrap());
        let texts = b"\0/etc/ld.so.cache\0glibc-hwcaps/\0x86-64-v3:x86-64-v2\0/lib64/\0/usr/lib64/\0";
        place.file(
            loader("amd64"),
            [elf(&[(SONAME, loader("amd64").rsplit('/').next().unwrap())]).bytes().as_slice(), texts]
                .concat(),
            0o755,
        );
        let libc = Sample { defined: vec!["libc.so.6", version], ..elf(&[(SONAME, "libc.so.6")]) };
        place.file("/lib64/libc.so.6", libc.bytes(), 0o755);
        place.file("/bin/sh", program(&[(NEEDED, "libc.so.6")]), 0o755);
        place
    }

    pub(super) fn file(&self, path: &str, contents: impl AsRef<[u8]>, mode: u32) {
        let path = self.at(path);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(&path, contents).unwrap();
        fs::set_permissions(path, Permissions::from_mode(mode)).unwrap();
    }

    pub(super) fn link(&self, path: &str, target: &str) {
        symlink(target, self.at(path)).unwrap();
    }

    pub(super) fn at(&self, path: &str) -> std::path::PathBuf {
        self.0.path().join(path.trim_start_matches('/'))
    }

    pub(super) fn root(&self) -> Root {
        Root::open(self.0.path()).unwrap()
    }

    pub(super) fn gather(&self, files: &[&str]) -> Closure {
        self.gather_with(files, |_| {})
    }

    pub(super) fn gather_with(&self, files: &[&str], change: impl FnOnce(&mut Request)) -> Closure {
        let files = files.iter().map(|file| file.as_bytes().to_vec()).collect();
        let mut request = Request { files, profiles: Vec::new(), ..Request::default() };
        change(&mut request);
        gather(&self.root(), &request).unwrap()
    }
}

pub(super) fn elf(names: &[(u64, &str)]) -> Sample {
    let names = names.iter().map(|(tag, name)| (*tag, (*name).to_owned())).collect();
    Sample { names, ..Sample::new(ElfClass::Elf64, ElfData::Little) }
}

pub(super) fn program(names: &[(u64, &str)]) -> Vec<u8> {
    Sample { interpreter: Some(loader("amd64")), ..elf(names) }.bytes()
}

fn holes(holes: &[Hole]) -> Vec<String> {
    holes.iter().map(|hole| format!("{} for {}", hole.missing, hole.by)).collect()
}

/// As a Java runtime is laid out: a library asks for one that only the launcher knows the place of.
#[test]
fn a_library_that_its_program_loads_another_one_for_is_no_hole_unless_that_is_nowhere() {
    let place = Place::new("GLIBC_2.34");
    place.file("/opt/vm/bin/vm", program(&[(NEEDED, "libc.so.6"), (RUNPATH, "$ORIGIN/../lib")]), 0o755);
    place.file(
        "/opt/vm/lib/server/libvm.so",
        elf(&[(NEEDED, "libc.so.6"), (SONAME, "libvm.so")]).bytes(),
        0o644,
    );
    place.file("/opt/vm/lib/libuser.so", elf(&[(NEEDED, "libvm.so"), (RUNPATH, "$ORIGIN")]).bytes(), 0o644);
    let closure = place.gather(&["/opt/vm"]);
    assert_eq!(holes(&closure.holes), [""; 0]);
    assert_eq!(
        closure.notes,
        ["/opt/vm/lib/libuser.so finds libvm.so only in a program that has loaded it before"]
    );
    let proof = prove(&place.root(), None);
    assert_eq!(holes(&proof.holes), [""; 0]);
    assert_eq!(proof.notes, closure.notes);
    // By itself it is asked for without a program.
    assert_eq!(
        holes(&place.gather(&["/opt/vm/lib/libuser.so"]).holes),
        ["libvm.so for /opt/vm/lib/libuser.so"]
    );
    fs::remove_file(place.at("/opt/vm/lib/server/libvm.so")).unwrap();
    assert_eq!(holes(&place.gather(&["/opt/vm"]).holes), ["libvm.so for /opt/vm/lib/libuser.so"]);
    assert_eq!(holes(&prove(&place.root(), None).holes), ["libvm.so for /opt/vm/lib/libuser.so"]);
}

#[test]
fn what_nobody_starts_in_a_directory_is_data_and_what_somebody_does_is_not() {
    let place = Place::new("GLIBC_2.34");
    let other =
        Sample { machine: Machine(183), interpreter: Some(loader("arm64")), ..elf(&[(NEEDED, "libx.so")]) };
    place.file("/d/other", other.bytes(), 0o755);
    let other = Sample { machine: Machine(183), ..elf(&[(NEEDED, "libx.so")]) };
    place.file("/d/libother.so", other.bytes(), 0o755);
    let whole = program(&[(NEEDED, "libnowhere.so")]);
    place.file("/d/testdata/cut", &whole[..100], 0o644);
    place.file("/d/testdata/missing.so_", &whole, 0o644);
    place.file("/d/module.py", "#!/usr/local/bin/python\n", 0o644);
    place.file("/d/lib/Long.pm", "#!perl\n", 0o644);
    place.file("/d/lib/tool.py", "#!/usr/bin/env python\n", 0o755);
    place.file("/d/src/all.rc", "#!/bin/rc -e\n", 0o755);
    let found = place.gather(&["/d"]);
    assert_eq!(holes(&found.holes), [""; 0]);
    let notes = [
        "/d/lib/tool.py is for /usr/bin/env, which is not there",
        "/d/lib/tool.py is for python, which is not there",
        "/d/src/all.rc is for /bin/rc, which is not there",
    ];
    assert_eq!(
        found.notes.iter().collect::<std::collections::BTreeSet<_>>(),
        notes.map(str::to_owned).iter().collect()
    );
    assert_eq!(found.items.iter().filter(|item| item.path.starts_with("/d")).count(), 12);
    assert_eq!(holes(&prove(&place.root(), None).holes), [""; 0]);
    place.file("/usr/bin/env", program(&[]), 0o755);
    // The same where somebody starts it, or it was asked for.
    for (path, contents, missing) in [
        ("/d/bin/cut", &whole[..100], "what is needed"),
        ("/d/bin/missing", &whole, "libnowhere.so"),
        ("/d/bin/script", b"#!/usr/bin/env python\n", "python"),
        ("/d/tools/script", b"#!/usr/local/bin/python\n", "/usr/local/bin/python"),
    ] {
        place.file(path, contents, 0o755);
        let expected = [format!("{missing} for {path}")];
        assert_eq!(holes(&place.gather(&["/d"]).holes), expected);
        assert_eq!(holes(&prove(&place.root(), None).holes), expected);
        fs::remove_file(place.at(path)).unwrap();
    }
    assert_eq!(holes(&place.gather(&["/d/module.py"]).holes), ["/usr/local/bin/python for /d/module.py"]);
    assert_eq!(holes(&place.gather(&["/d/other"]).holes), ["what is needed for /d/other"]);
}

#[test]
fn a_directory_is_taken_once_however_its_links_go() {
    let place = Place::new("GLIBC_2.34");
    place.file("/d/sub/file", "text", 0o644);
    place.file("/elsewhere/deep/file", "text", 0o644);
    for (path, target) in [
        ("/d/here", "."),
        ("/d/sub/up", ".."),
        ("/d/sub/root", "/"),
        ("/d/sub/over", "../sub"),
        ("/d/away", "/elsewhere"),
        ("/elsewhere/back", "../d"),
        ("/d/gone", "nowhere"),
        ("/d/self", "self"),
    ] {
        place.link(path, target);
    }
    let closure = place.gather(&["/d"]);
    assert_eq!(holes(&closure.holes), [""; 0]);
    let mut items: Vec<_> = closure.items.iter().map(|item| item.path.to_str().unwrap()).collect();
    items.sort_unstable();
    let expected = [
        "/d",
        "/d/away",
        "/d/away/back",
        "/d/away/deep",
        "/d/away/deep/file",
        "/d/here",
        "/d/sub",
        "/d/sub/file",
        "/d/sub/over",
        "/d/sub/root",
        "/d/sub/up",
    ];
    assert_eq!(items, expected);
    assert_eq!(closure.links, [Path::new("/d/gone"), Path::new("/d/self")]);
}

#[test]
fn what_only_library_path_leads_to_is_found_with_it_in_the_proof_as_well() {
    let place = Place::new("GLIBC_2.34");
    place.file("/usr/bin/p", program(&[(NEEDED, "libp.so")]), 0o755);
    place.file("/opt/p/libp.so", elf(&[(NEEDED, "libc.so.6")]).bytes(), 0o644);
    assert_eq!(holes(&place.gather(&["/usr/bin/p"]).holes), ["libp.so for /usr/bin/p"]);
    assert_eq!(holes(&prove(&place.root(), None).holes), ["libp.so for /usr/bin/p"]);
    let library_path = Some(b"/opt/p".to_vec());
    let found = place.gather_with(&["/usr/bin/p"], |request| request.library_path = library_path.clone());
    assert_eq!(holes(&found.holes), [""; 0]);
    assert_eq!(holes(&prove(&place.root(), library_path).holes), [""; 0]);
}

/// The files of Debian 13 and of Red Hat's UBI 9.
#[test]
fn services_that_a_distribution_names_and_nobody_has_installed_are_passed_over() {
    const DEBIAN: &str = "passwd: files\nhosts: files dns\nprotocols: db files\nnetgroup: nis\n";
    const REDHAT: &str = "passwd: sss files systemd\nhosts: files dns myhostname\nnetgroup: sss\n";
    for (text, version, expected, notes) in [
        (DEBIAN, "GLIBC_2.34", "", "libnss_db.so.2 libnss_nis.so.2"),
        (REDHAT, "GLIBC_2.34", "", "libnss_sss.so.2 libnss_systemd.so.2 libnss_myhostname.so.2"),
        ("passwd: sss\nhosts: files\n", "GLIBC_2.34", "libnss_sss.so.2", ""),
        ("passwd: sss here\n", "GLIBC_2.34", "", "libnss_sss.so.2"),
        // Before 2.34 these were modules, too.
        ("hosts: here dns\n", "GLIBC_2.28", "libnss_dns.so.2", ""),
        ("passwd: files\nhosts: files [NOTFOUND]\n", "GLIBC_2.34", "services", ""),
    ] {
        let place = Place::new(version);
        place.file("/etc/nsswitch.conf", text, 0o644);
        place.file("/lib64/libnss_here.so.2", elf(&[(NEEDED, "libc.so.6")]).bytes(), 0o755);
        let found = place.gather(&["/bin/sh", "/etc/nsswitch.conf"]);
        let proof = prove(&place.root(), None);
        for (holes, told) in [(&found.holes, &found.notes), (&proof.holes, &proof.notes)] {
            assert_eq!(
                holes.iter().map(|hole| hole.missing.as_str()).collect::<Vec<_>>().join(" "),
                expected,
                "{text}"
            );
            let modules: Vec<_> =
                told.iter().filter_map(|note| note.split("of ").nth(1)?.split(',').next()).collect();
            assert_eq!(modules.join(" "), notes, "{text}");
        }
        let asked =
            place.gather_with(&["/bin/sh"], |request| request.services = Some(vec!["sss".to_owned()]));
        assert_eq!(self::holes(&asked.holes), ["libnss_sss.so.2 for --nss"]);
    }
}

#[test]
fn the_cache_of_what_is_added_to_is_kept() {
    let place = Place::new("GLIBC_2.34");
    let root_cache = crate::loader::write_cache(
        &[
            (b"liba.so".to_vec(), b"/opt/a/liba.so".to_vec()),
            (b"libb.so".to_vec(), b"/opt/b/libb.so".to_vec()),
        ],
        0x0303,
        ElfData::Little,
    );
    place.file("/etc/ld.so.cache", root_cache, 0o644);
    for name in ["a", "b"] {
        place.file(&format!("/bin/{name}"), program(&[(NEEDED, &format!("lib{name}.so"))]), 0o755);
        place.file(&format!("/opt/{name}/lib{name}.so"), elf(&[(NEEDED, "libc.so.6")]).bytes(), 0o644);
    }
    let made = |closure: &Closure| closure.made[0].1.contents.clone().unwrap();
    let first = made(&place.gather(&["/bin/a"]));
    let both = made(&place.gather_with(&["/bin/b"], |request| request.cache = Some(first.clone())));
    assert_eq!(both, made(&place.gather(&["/bin/a", "/bin/b"])));
    assert_ne!(both, first);
}

#[test]
fn what_is_asked_for_takes_the_place_of_what_is_made_and_a_set_of_nothing_is_missing() {
    let place = Place::new("GLIBC_2.34");
    place.file("/etc/nsswitch.conf", "hosts: files\n", 0o644);
    let base = |request: &mut Request| {
        request.profiles =
            vec![Profile::by_name("base").unwrap(), Profile::by_name("ca-certificates").unwrap()];
    };
    let made = |closure: &Closure| {
        closure.made.iter().map(|(path, _)| path.to_str().unwrap().to_owned()).collect::<Vec<_>>()
    };
    let found = place.gather_with(&["/bin/sh"], base);
    assert_eq!(made(&found), ["/etc/nsswitch.conf", "/etc/hosts", "/tmp"]);
    assert_eq!(holes(&found.holes), ["the certificates that programs trust for --with ca-certificates"]);
    let idn = place.gather_with(&[], |request| request.profiles = vec![Profile::by_name("idn").unwrap()]);
    assert_eq!(holes(&idn.holes), ["libidn2.so.0 for --with idn"]);
    // Debian's: the package's file, and where its OpenSSL looks.
    place.file("/etc/ssl/certs/ca-certificates.crt", "certificate", 0o644);
    fs::create_dir_all(place.at("/usr/lib/ssl")).unwrap();
    place.link("/usr/lib/ssl/cert.pem", "/etc/ssl/certs/ca-certificates.crt");
    let found = place.gather_with(&["/etc/nsswitch.conf"], base);
    assert_eq!(made(&found), ["/etc/hosts", "/tmp"]);
    assert_eq!(holes(&found.holes), [""; 0]);
    assert!(found.items.iter().any(|item| item.path == Path::new("/usr/lib/ssl/cert.pem")));
}

#[test]
fn a_module_that_is_executable_is_no_program_unless_it_is_where_programs_are() {
    let place = Place::new("GLIBC_2.34");
    place.file("/usr/lib/python3/cgi.py", "#! /usr/local/bin/python\n", 0o755);
    let proof = prove(&place.root(), None);
    assert_eq!(holes(&proof.holes), [""; 0]);
    assert_eq!(proof.notes, ["/usr/lib/python3/cgi.py is for /usr/local/bin/python, which is not there"]);
    place.file("/usr/libexec/run.py", "#! /usr/local/bin/python\n", 0o755);
    place.file("/usr/lib/tool/run", "#! /usr/local/bin/python\n", 0o755);
    assert_eq!(
        holes(&prove(&place.root(), None).holes),
        ["/usr/local/bin/python for /usr/lib/tool/run", "/usr/local/bin/python for /usr/libexec/run.py"]
    );
}
