//! Images that were built to be released: what they say of themselves, and what must not be in them.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::guard;
use crate::place::{Place, docker};
use crate::{Case, Needs};

pub const CASES: [Case; 3] = [
    (
        "every image says by the same labels what it is, of which version, commit and source",
        Needs::Images,
        labels,
    ),
    ("no layer of an image has the certificates that it was built with", Needs::Images, certificates),
    ("no image tells of passwords in addresses that it was built with", Needs::Images, addresses),
];

fn inspect(image: &str) -> Value {
    let said = docker(&["image", "inspect", image]).ok();
    serde_json::from_str::<Value>(&said).unwrap()[0].take()
}

fn labels(place: &Place) {
    let mut revisions = BTreeSet::new();
    let mut titles = BTreeSet::new();
    for image in &place.released {
        let labels = inspect(image)["Config"]["Labels"].clone();
        let label = |name: &str| {
            let value = labels[format!("org.opencontainers.image.{name}")].as_str();
            value.unwrap_or_else(|| panic!("{image} has no label {name}: {labels}")).to_owned()
        };
        assert!(label("title").starts_with("Calico "), "{image}: {labels}");
        titles.insert(label("title"));
        for name in ["title", "description", "licenses", "version", "revision"] {
            assert!(!label(name).is_empty(), "{image}: {name} is empty");
        }
        // A checkout need not have come from the web.
        let source = label("source");
        assert!(
            source.is_empty() || (source.starts_with("https://") && !source.contains('@')),
            "{image}: {source}"
        );
        revisions.insert(label("revision"));
        // What it is called begins with its version, but calico/base's is a date.
        let tag = image.rsplit_once(':').unwrap().1;
        let version = label("version");
        let is_named = match version.rsplit_once('-') {
            Some((before, date)) if date.bytes().all(|byte| byte.is_ascii_digit()) => tag.starts_with(before),
            _ => tag.starts_with(&version),
        };
        assert!(is_named, "{image} is of version {version}");
    }
    assert_eq!(revisions.len(), 1, "{revisions:?}");
    assert!(titles.len() >= 3, "{titles:?} are not all images");
}

/// The certificates of a bundle, without their lines' ends.
fn bundle(text: &str) -> BTreeSet<String> {
    let one =
        |rest: &str| rest.split("-----END").next().unwrap_or_default().split_whitespace().collect::<String>();
    text.split("-----BEGIN CERTIFICATE-----").skip(1).map(one).collect()
}

fn certificates(place: &Place) {
    // The builds are given this machine's; an image may have those of its own packages.
    let file = std::env::var("CA_BUNDLE").or_else(|_| std::env::var("SSL_CERT_FILE"));
    let file = file.unwrap_or_else(|_| "/etc/ssl/certs/ca-certificates.crt".to_owned());
    let given = bundle(&std::fs::read_to_string(&file).unwrap_or_default());
    let image = &place.released[0];
    let own = docker(&[
        "run",
        "--rm",
        "--network=none",
        guard::label().to_str().unwrap(),
        "--entrypoint=cat",
        image,
        "/etc/ssl/certs/ca-certificates.crt",
    ]);
    let own = bundle(&own.ok());
    // The third line of one, as it stands in a bundle. That of a certificate which the image does have shows that they are seen.
    let line = |certificate: &String| certificate.get(128..192).unwrap_or_default().to_owned();
    let control = line(own.first().unwrap());
    let foreign: BTreeSet<String> =
        given.difference(&own).map(line).filter(|line| !line.is_empty()).collect();
    let found = search(place, foreign.iter().chain([&control]));
    assert!(found.contains(&control), "what the image has was not seen");
    assert!(found.is_disjoint(&foreign), "an image has certificates of {file}");
}

/// Which of some lines are in the layers of the images, as they are stored.
fn search<'a>(place: &Place, lines: impl Iterator<Item = &'a String>) -> BTreeSet<String> {
    let needles = lines.fold(String::new(), |all, line| format!("{all}{line}\n"));
    let mut save = guard::docker();
    save.arg("save").args(&place.released).stdin(Stdio::null()).stdout(Stdio::piped());
    let mut save = save.spawn().unwrap();
    let list = place.dir().join("lines");
    std::fs::File::create(&list).unwrap().write_all(needles.as_bytes()).unwrap();
    let mut grep = crate::place::command("grep");
    grep.env("LC_ALL", "C").args(["--text", "--only-matching", "--fixed-strings", "--file"]).arg(&list);
    let found = grep.stdin(Stdio::from(save.stdout.take().unwrap())).output().unwrap();
    assert!(save.wait().unwrap().success());
    String::from_utf8(found.stdout).unwrap().lines().map(str::to_owned).collect()
}

fn addresses(place: &Place) {
    for image in &place.released {
        let history = docker(&["history", "--no-trunc", "--format={{.CreatedBy}}", image]).ok();
        assert!(!history.is_empty());
        let inspected = inspect(image)["Config"].to_string();
        for word in history.split_whitespace().chain(inspected.split('"')) {
            let Some((_, rest)) = word.split_once("://") else { continue };
            let host = rest.split('/').next().unwrap_or_default();
            assert!(!host.contains('@'), "{image}: {word}");
        }
    }
}
