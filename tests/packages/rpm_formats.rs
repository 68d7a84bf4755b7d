//! rpm's database in the formats that rpm no longer writes, in the states that others leave it in, and damaged.

use std::ffi::OsString;
use std::path::Path;
use std::process::{Command, Stdio};

use gb::packages::Files;

use crate::Case;
use crate::place::{Root, labels, output, said, text};
use crate::rpm::{by_rpm, compare, reading, root};

pub const CASES: [Case; 5] = [
    ("rpm: Berkeley DB's tables of either byte order and any page size are read as rpm reads them", berkeley),
    ("rpm: what is only in SQLite's write-ahead log is read, and what was not committed is not", write_ahead),
    ("rpm: a database with a transaction that was not finished is refused", journal),
    ("rpm: SQLite's pages of any size, and with bytes reserved, are read", page_sizes),
    ("rpm: a damaged database of any format is refused or read, and never the end of gb", damage),
];

/// Turns SQLite's database of a root into Berkeley DB's, by its own tool.
fn to_berkeley(root: &Root, order: &str, page_size: &str) {
    let database = root.at("var/lib/rpm/rpmdb.sqlite");
    let rows = text("sqlite3", &[database.to_str().unwrap(), "select hnum, hex(blob) from Packages"]);
    let little = order == "1234";
    let number = |number: u32| {
        let bytes = if little { number.to_le_bytes() } else { number.to_be_bytes() };
        bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>()
    };
    let mut dump = format!(
        "VERSION=3\nformat=bytevalue\ntype=hash\ndb_lorder={order}\ndb_pagesize={page_size}\nHEADER=END\n {}\n {}\n",
        number(0),
        number(9999)
    );
    for row in rows.lines() {
        let (key, blob) = row.split_once('|').unwrap();
        dump.push_str(&format!(" {}\n {}\n", number(key.parse().unwrap()), blob.to_lowercase()));
    }
    dump.push_str("DATA=END\n");
    let packages = root.at("var/lib/rpm/Packages");
    let _none = std::fs::remove_file(&packages);
    let mut load = Command::new("db5.3_load").arg(&packages).stdin(Stdio::piped()).spawn().unwrap();
    std::io::Write::write_all(&mut load.stdin.take().unwrap(), dump.as_bytes()).unwrap();
    assert!(load.wait().unwrap().success());
    std::fs::rename(&database, root.at("var/lib/kept.sqlite")).unwrap();
}

fn berkeley() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path(), "sqlite");
    let expected = by_rpm(&root, "sqlite");
    for (order, page_size) in
        [("1234", "4096"), ("4321", "4096"), ("1234", "512"), ("1234", "65536"), ("4321", "8192")]
    {
        to_berkeley(&root, order, page_size);
        if order == "1234" {
            // rpm reads its own byte order's keys alone.
            assert_eq!(by_rpm(&root, "bdb_ro"), expected);
            compare(&root, "bdb_ro");
        }
        let made = gb::packages::scanners::databases(&root.owners(), None, None).unwrap();
        let ours = String::from_utf8(made.into_values().next().unwrap()).unwrap();
        let ours: std::collections::BTreeSet<String> = ours.lines().map(str::to_owned).collect();
        assert_eq!(ours, expected, "{order} {page_size}");
        std::fs::rename(root.at("var/lib/kept.sqlite"), root.at("var/lib/rpm/rpmdb.sqlite")).unwrap();
    }
}

/// Runs statements in a process that then ends as if it had been killed: nothing is put from the log into the database.
fn leave_in_log(database: &Path, statements: &str) {
    let script = format!(
        "import os, sqlite3, sys\nc = sqlite3.connect(sys.argv[1], isolation_level=None)\n\
         c.execute('pragma journal_mode=wal').fetchall()\nc.execute('pragma wal_autocheckpoint=0').fetchall()\n\
         c.execute('pragma cache_size=1').fetchall()\n{statements}\nos._exit(0)\n"
    );
    output("python3", &["-c", &script, database.to_str().unwrap()]);
}

fn write_ahead() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path(), "sqlite");
    let database = root.at("var/lib/rpm/rpmdb.sqlite");
    let small = |number: u32| format!("/usr/share/small/{number}");
    let owned = |number: u32| !labels(&root.owners())[Path::new(&small(number))].is_empty();
    assert!(owned(1) && owned(2) && owned(4));
    let row = |name: &str| {
        let format = ["-q".into(), "--qf".into(), "%{DBINSTANCE}".into(), OsString::from(name)];
        said("rpm", &[reading(&root, "sqlite"), format.to_vec()].concat())
    };
    let (one, two) = (row("small1"), row("small2"));
    let remove = |row: &str| format!("c.execute('delete from Packages where hnum={row}')\n");
    // A commit, and a transaction that is in the log but was never committed.
    let statements = format!(
        "{}c.execute('begin')\n{}c.execute('delete from Packages where hnum > 20')\n",
        remove(&one),
        remove(&two)
    );
    leave_in_log(&database, &statements);
    assert!(root.at("var/lib/rpm/rpmdb.sqlite-wal").metadata().unwrap().len() > 1000);
    assert!(!owned(1), "what was removed last is still there");
    assert!(owned(2) && owned(4), "what was not committed is taken for done");
    // With a damaged end only what was committed before counts; and a log of another database counts for nothing.
    let log = root.at("var/lib/rpm/rpmdb.sqlite-wal");
    let mut bytes = std::fs::read(&log).unwrap();
    bytes[40] ^= 1;
    std::fs::write(&log, &bytes).unwrap();
    assert!(owned(1), "a log with a wrong checksum is no log");
    std::fs::write(&log, b"").unwrap();
    assert!(owned(1));
}

fn journal() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path(), "sqlite");
    let journal = root.at("var/lib/rpm/rpmdb.sqlite-journal");
    std::fs::write(&journal, [0; 512]).unwrap();
    assert!(gb::packages::owners(&root, []).is_ok(), "a journal that was ended is nothing to fear");
    std::fs::write(&journal, [0xd9, 0xd5, 0x05, 0xf9, 0x20, 0xa1, 0x63, 0xd7, 0, 0, 0, 1]).unwrap();
    let error = gb::packages::owners(&root, []).unwrap_err().to_string();
    assert_eq!(
        error,
        "read the package database /var/lib/rpm/rpmdb.sqlite: a transaction was not finished, and is in its journal \
         (rpm --rebuilddb in the root may mend it, or writes it in a format that is known)"
    );
}

fn page_sizes() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path(), "sqlite");
    let owners = |root: &Root| {
        let mut owners = labels(&root.owners());
        owners.retain(|path, _| !path.starts_with("/var"));
        owners
    };
    let expected = owners(&root);
    let database = root.at("var/lib/rpm/rpmdb.sqlite");
    let database = database.to_str().unwrap();
    for size in ["512", "1024", "32768", "65536"] {
        output(
            "sqlite3",
            &[database, &format!("pragma journal_mode=delete; pragma page_size={size}; vacuum;")],
        );
        assert_eq!(text("sqlite3", &[database, "pragma page_size"]).trim(), size);
        assert!(owners(&root) == expected, "{size}");
    }
    output("sqlite3", &[database, ".filectrl reserve_bytes 32", "vacuum;"]);
    assert_eq!(std::fs::read(database).unwrap()[20], 32);
    assert!(owners(&root) == expected, "reserved bytes");
    println!("{} files the same for 5 layouts", expected.len());
}

/// Numbers that look random and are the same each time.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 = self.0.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (self.0 >> 33) as usize % limit
    }
}

fn damage() {
    let dir = tempfile::tempdir().unwrap();
    let mut random = Random(1);
    let (mut refused, mut read) = (0, 0);
    for (format, name) in [("sqlite", "rpmdb.sqlite"), ("ndb", "Packages.db"), ("berkeley", "Packages")] {
        let dir = dir.path().join(format);
        std::fs::create_dir(&dir).unwrap();
        let root = root(&dir, if format == "ndb" { "ndb" } else { "sqlite" });
        if format == "berkeley" {
            to_berkeley(&root, "1234", "4096");
        }
        let path = root.at(Path::new("var/lib/rpm").join(name));
        for log in ["-wal", "-shm"] {
            let _none = std::fs::remove_file(format!("{}{log}", path.display()));
        }
        let whole = std::fs::read(&path).unwrap();
        let shown = root.resolve(Path::new(&format!("/var/lib/rpm/{name}"))).unwrap();
        for round in 0..300 {
            let mut bytes = whole.clone();
            match round % 3 {
                // Early bytes are those of headers and trees.
                0 => (0..1 + random.below(8)).for_each(|_| {
                    let at = random.below(bytes.len().min(16384));
                    bytes[at] = random.below(256) as u8;
                }),
                1 => (0..1 + random.below(200)).for_each(|_| {
                    let at = random.below(bytes.len());
                    bytes[at] = random.below(256) as u8;
                }),
                _ => bytes.truncate(random.below(whole.len())),
            }
            std::fs::write(&path, &bytes).unwrap();
            match gb::packages::owners(&root, [Path::new("/usr/bin/first")]) {
                Ok(_) => read += 1,
                Err(error) => {
                    let start = format!("read the package database {}: ", shown.display());
                    assert!(error.to_string().starts_with(&start), "{error}");
                    refused += 1;
                }
            }
        }
    }
    println!("{refused} refused, {read} read");
    assert!(refused > 300, "{refused}");
}
