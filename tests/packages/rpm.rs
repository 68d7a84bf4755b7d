//! rpm: roots with packages that rpmbuild has made and rpm has installed, in its formats SQLite and ndb.

use std::collections::{BTreeMap, BTreeSet};
use std::ffi::OsString;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::sync::OnceLock;

use gb::packages::scanners::{self, RPM_MANIFEST};

use crate::Case;
use crate::place::{Root, labels, output, said, text};

pub const CASES: [Case; 4] = [
    ("rpm: every file of a root with SQLite's database has the owners that rpm tells", || {
        every_file("sqlite")
    }),
    ("rpm: every file of a root with ndb's database has the owners that rpm tells", || every_file("ndb")),
    ("rpm: the manifest is what rpm itself writes", manifest),
    ("rpm: licences of packages are found as rpm has them", licences),
];

/// Many packages, of which some share files, and one has more files than a page of any database holds.
const SPEC: &str = r#"
Name: first
Epoch: 7
Version: 1.2.3~rc1
Release: 4%{?dist}
Summary: One
License: GPLv2+ and LGPLv2+ with exceptions
URL: https://example.org/first
Vendor: Example, Inc. é
%description
One.
%package libs
Summary: Libraries
License: MIT AND (BSD-3-Clause OR Apache-2.0)
%description libs
Libraries.
%package many
Summary: Many files
Epoch: 0
%description many
Many.
%package -n other
Version: 9
Release: 1
Summary: Noarch
BuildArch: noarch
%description -n other
Other.
%{lua: for i = 1, 150 do
print("%package -n small" .. i .. "\nSummary: s\n%description -n small" .. i .. "\n" .. ("long "):rep(i * 20) .. "\n%files -n small" .. i .. "\n/usr/share/small/" .. i .. "\n")
end}
%install
mkdir -p %{buildroot}/lib64 %{buildroot}/usr/bin %{buildroot}/usr/share/small %{buildroot}/usr/share/many %{buildroot}/usr/share/doc/first %{buildroot}/etc
echo library > %{buildroot}/lib64/libfirst.so.1.2.3
ln -s libfirst.so.1.2.3 %{buildroot}/lib64/libfirst.so.1
echo program > %{buildroot}/usr/bin/first
echo shared > %{buildroot}/usr/share/shared
echo readme > %{buildroot}/usr/share/doc/first/README
echo conf > %{buildroot}/etc/first.conf
echo ghost > %{buildroot}/etc/first.ghost
mkdir -p %{buildroot}/usr/share/licenses/first
echo text > %{buildroot}/usr/share/licenses/first/COPYING
for i in $(seq 150); do echo $i > %{buildroot}/usr/share/small/$i; done
for i in $(seq 3000); do echo $i > "%{buildroot}/usr/share/many/a file with quite a long name $i"; done
%files
/usr/bin/first
/usr/share/shared
%config /etc/first.conf
%ghost /etc/first.ghost
%doc /usr/share/doc/first/README
%license /usr/share/licenses/first/COPYING
%files libs
/lib64/libfirst.so.*
%files many
/usr/share/many
%files -n other
/usr/share/shared
"#;

/// The packages, made once.
pub fn rpms() -> &'static [String] {
    static RPMS: OnceLock<Vec<String>> = OnceLock::new();
    RPMS.get_or_init(|| {
        // The container ends with the tests, and this with it.
        let dir = tempfile::tempdir().unwrap().keep();
        let spec = dir.join("first.spec");
        std::fs::write(&spec, SPEC).unwrap();
        let top = format!("_topdir {}/build", dir.display());
        let format = "_build_name_fmt %%{NAME}.%%{ARCH}.rpm";
        let options =
            ["--quiet", "--define", &top, "--define", format, "--define", "_binary_payload w1.gzdio", "-bb"];
        output("rpmbuild", &[&options[..], &[spec.to_str().unwrap()]].concat());
        let rpms = text("sh", &["-c", &format!("ls {}/build/RPMS/*.rpm", dir.display())]);
        let rpms: Vec<String> = rpms.lines().map(str::to_owned).collect();
        assert_eq!(rpms.len(), 154);
        rpms
    })
}

/// A root whose packages rpm has installed with a backend.
pub fn root(dir: &Path, backend: &str) -> Root {
    let root = Root(dir.join("root"));
    let place = if backend == "sqlite" { "var/lib/rpm" } else { "usr/lib/sysimage/rpm" };
    for directory in ["usr/lib64", "etc", "var/lib", "usr/lib/sysimage"] {
        std::fs::create_dir_all(root.at(directory)).unwrap();
    }
    symlink("usr/lib64", root.at("lib64")).unwrap();
    if backend != "sqlite" {
        symlink("../../usr/lib/sysimage/rpm", root.at("var/lib/rpm")).unwrap();
    }
    let rpms = rpms();
    let rpms: Vec<&str> = rpms.iter().map(String::as_str).collect();
    let install = ["--install", "--nodeps", "--excludedocs", "--noscripts"];
    let backend = format!("_db_backend {backend}");
    let path = format!("_dbpath /{place}");
    let options = ["--root", root.0.to_str().unwrap(), "--define", &backend, "--define", &path];
    output("rpm", &[&options[..], &install, &rpms].concat());
    // Some are removed again, so that there is something free in the database.
    let removed: Vec<String> = (1..=40).map(|number| format!("small{}", number * 3)).collect();
    let removed: Vec<&str> = removed.iter().map(String::as_str).collect();
    output("rpm", &[&options[..], &["--erase"], &removed].concat());
    root.write("usr/share/nobodys", "x");
    root
}

/// The arguments with which rpm reads the database of a root.
pub fn reading(root: &Root, backend: &str) -> Vec<OsString> {
    let place = if backend == "ndb" { "usr/lib/sysimage/rpm" } else { "var/lib/rpm" };
    let mut arguments: Vec<OsString> = vec!["--root".into(), root.0.clone().into()];
    for define in [format!("_db_backend {backend}"), format!("_dbpath /{place}")] {
        arguments.extend(["--define".into(), define.into()]);
    }
    arguments
}

/// Compares the owners of every file with what rpm tells.
pub fn compare(root: &Root, backend: &str) {
    let ours = labels(&root.owners());
    // First all at once: what each package has of what is in the root.
    let mut listing = reading(root, backend);
    listing.extend([
        "-qa".into(),
        "--qf".into(),
        "[%{=NAME}\\t%{FILENAMES}\\t%{FILESTATES:fstate}\\n]".into(),
    ]);
    let mut theirs: BTreeMap<PathBuf, BTreeSet<String>> = BTreeMap::new();
    for line in said("rpm", &listing).lines() {
        let fields: Vec<&str> = line.split('\t').collect();
        let [name, path, state] = fields[..] else { panic!("{line}") };
        let path = match path.strip_prefix("/lib64/") {
            Some(rest) => Path::new("/usr/lib64").join(rest),
            None => PathBuf::from(path),
        };
        if state == "normal" {
            theirs.entry(path).or_default().insert(name.to_owned());
        }
    }
    let none = BTreeSet::new();
    let paths: Vec<PathBuf> = root.paths().into_iter().filter(|path| !path.starts_with("/var")).collect();
    for path in &paths {
        assert_eq!(&ours[path], theirs.get(path).unwrap_or(&none), "{path:?}");
    }
    // And then by the question itself, a file at a time, for some of each kind.
    let mut asked = 0;
    // (Of Berkeley DB only the table of packages is there, and rpm -qf looks into another one.)
    let is_asked = backend != "bdb_ro";
    for path in paths.iter().filter(|path| {
        is_asked
            && (!path.starts_with("/usr/share/many") || path.ends_with("a file with quite a long name 7"))
    }) {
        let mut arguments = reading(root, backend);
        arguments.extend(["-qf".into(), "--qf".into(), "%{NAME}\\n".into(), path.clone().into()]);
        let said = said("rpm", &arguments);
        let told: BTreeSet<String> =
            said.lines().filter(|line| !line.contains(' ')).map(str::to_owned).collect();
        assert_eq!(&ours[path], &told, "{path:?}");
        asked += 1;
    }
    println!(
        "{backend}: {} files compared with rpm's lists, {asked} with rpm -qf, 0 disagreements",
        paths.len()
    );
    assert!(paths.len() > 3100 && (asked > 110 || !is_asked), "{} {asked}", paths.len());
    assert_eq!(ours[Path::new("/usr/share/shared")].len(), 2);
    assert_eq!(ours[Path::new("/usr/lib64/libfirst.so.1")], BTreeSet::from(["first-libs".to_owned()]));
    assert!(ours[Path::new("/usr/share/nobodys")].is_empty());
}

fn every_file(backend: &str) {
    let dir = tempfile::tempdir().unwrap();
    compare(&root(dir.path(), backend), backend);
}

/// The lines that rpm writes with the tags of the manifest.
pub fn by_rpm(root: &Root, backend: &str) -> BTreeSet<String> {
    let format = "%{NAME}\\t%{VERSION}-%{RELEASE}\\t%{INSTALLTIME}\\t%{BUILDTIME}\\t%{VENDOR}\\t(none)\\t%{SIZE}\\t%{ARCH}\\t%{EPOCHNUM}\\t%{SOURCERPM}\\n";
    let mut arguments = reading(root, backend);
    arguments.extend(["-qa".into(), "--qf".into(), format.into()]);
    said("rpm", &arguments).lines().map(str::to_owned).collect()
}

fn manifest() {
    let dir = tempfile::tempdir().unwrap();
    for backend in ["sqlite", "ndb"] {
        let dir = dir.path().join(backend);
        std::fs::create_dir(&dir).unwrap();
        let root = root(&dir, backend);
        let made = scanners::databases(&root.owners(), None, None).unwrap();
        assert_eq!(made.len(), 1);
        let ours = String::from_utf8(made[Path::new(RPM_MANIFEST)].clone()).unwrap();
        let ours: BTreeSet<String> = ours.lines().map(str::to_owned).collect();
        assert_eq!(ours, by_rpm(&root, backend), "{backend}");
        println!("{backend}: {} lines are rpm's", ours.len());
        assert_eq!(ours.len(), 114);
    }
}

fn licences() {
    let dir = tempfile::tempdir().unwrap();
    let root = root(dir.path(), "sqlite");
    let owners =
        gb::packages::owners(&root, ["/usr/bin/first", "/usr/lib64/libfirst.so.1.2.3"].map(Path::new))
            .unwrap();
    let found = scanners::licences(&root, &owners).unwrap();
    let copying = Path::new("/usr/share/licenses/first/COPYING").to_owned();
    let texts: Vec<_> =
        found.texts.iter().map(|(place, text)| (place, text.from.as_path(), &text.of[..])).collect();
    assert_eq!(texts, [(copying.as_path(), copying.as_path(), &[0][..])]);
    assert_eq!(found.without_text, ["first-libs"]);
    assert_eq!(found.declared[1].expression.as_deref(), Some("MIT AND (BSD-3-Clause OR Apache-2.0)"));
    let (name, text) = found.declared[0].references.first_key_value().unwrap();
    assert_eq!(found.declared[0].expression.as_ref(), Some(name));
    assert_eq!(text, "GPLv2+ and LGPLv2+ with exceptions");
}
