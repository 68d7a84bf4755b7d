//! Images that were built to be released: what they say of themselves, and what must not be in them.

use std::collections::BTreeSet;
use std::io::Write;
use std::process::Stdio;

use serde_json::Value;

use crate::guard;
use crate::images::{Build, TWO};
use crate::place::{Place, docker, finish, go_build, version};
use crate::{Case, Needs};

pub const CASES: [Case; 6] = [
    (
        "every image says by the same labels what it is, of which version, commit and source",
        Needs::Images,
        labels,
    ),
    ("every image has a document of what is in it where its label says", Needs::Images, described),
    (
        "make sbom has the documents of the images that are here, and says which are not",
        Needs::Registry,
        sbom,
    ),
    ("no layer of an image has the certificates that it was built with", Needs::Images, certificates),
    ("no layer of an image has files that secrets are kept in", Needs::Images, files),
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

fn described(place: &Place) {
    for image in &place.released {
        let label =
            |name: &str| inspect(image)["Config"]["Labels"][name].as_str().unwrap_or_default().to_owned();
        let place_of = label("io.github.go-build.sbom");
        assert!(place_of.ends_with(".spdx.json"), "{image}: {place_of}");
        let container = docker(&["create", image, "none"]).ok();
        let file = place.dir().join("sbom.json");
        let from = format!("{}:{place_of}", container.trim());
        let copied = docker(&["cp", &from, file.to_str().unwrap()]);
        docker(&["rm", container.trim()]).ok();
        copied.ok();
        let document: Value = serde_json::from_slice(&std::fs::read(file).unwrap()).unwrap();
        let packages = document["packages"].as_array().unwrap();
        assert!(packages.len() > 5, "{image}: {packages:?}");
        // calico/base's is of its files, and they have no version.
        if packages[0]["name"] != "rootfs" {
            assert_eq!(packages[0]["versionInfo"], label("org.opencontainers.image.version"), "{image}");
            assert!(packages.iter().any(|package| package["name"] == "gb"), "{image}");
        }
    }
}

fn sbom(place: &Place) {
    let build = Build::new(place, place.registry());
    let out = place.dir();
    let setting = format!("SBOM_DIR={}", out.display());
    let name = |image: &str, arch: &str| {
        let tag = if image == "binfmt" { format!("qemu-v{}", version("QEMU_VERSION")) } else { go_build() };
        format!("{}:{tag}-{arch}", build.here(image))
    };
    let refused = build.make(&["sbom", &setting]).refused();
    assert!(
        refused.starts_with("sbom: none of the images is on this machine: ")
            && refused.ends_with(" (make image binfmt-image)"),
        "{refused}"
    );

    build.go_build(&TWO).binfmt(&["amd64"]);
    let done = build.make(&["sbom", &setting]);
    let absent = format!(
        "sbom: not on this machine: {} {base}:ubi9-latest-amd64 {base}:ubi9-latest-s390x\n",
        name("binfmt", "s390x"),
        base = build.here("base")
    );
    assert_eq!((done.code, done.err), (0, absent));
    assert_eq!(done.out.lines().count(), 3, "{}", done.out);
    for line in done.out.lines() {
        assert!(std::fs::read_to_string(line).unwrap().contains("as it should be"), "{line}");
    }
    let only = build.make(&["sbom", &setting, "ARCH=s390x"]).ok();
    assert_eq!(only.lines().count(), 1, "{only}");

    // One without, and a place that can't be written to: the others are there, nothing half-written is.
    build.base("1700000000", &["amd64"]);
    std::fs::remove_dir_all(&out).unwrap();
    let refused = build.make(&["sbom", &setting]).refused();
    assert!(
        refused.starts_with(&format!(
            "sbom: there is none in {}:ubi9-latest-amd64 (build it again",
            build.here("base")
        )),
        "{refused}"
    );
    assert_eq!(std::fs::read_dir(&out).unwrap().count(), 3);
    std::fs::write(out.join("file"), "").unwrap();
    let refused = build.make(&["sbom", &format!("SBOM_DIR={}/file", out.display())]).refused();
    assert!(refused.ends_with(" (SBOM_DIR=… names another directory)"), "{refused}");
}

/// The certificates of a bundle, without their lines' ends.
fn bundle(text: &str) -> BTreeSet<String> {
    let one =
        |rest: &str| rest.split("-----END").next().unwrap_or_default().split_whitespace().collect::<String>();
    text.split("-----BEGIN CERTIFICATE-----").skip(1).map(one).collect()
}

/// So a private key of SSH starts, below its title, which programs have as well.
const PRIVATE_KEY: &str = "b3BlbnNzaC1rZXktdjEA";

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
    let found = search(place, foreign.iter().chain([&control, &PRIVATE_KEY.to_owned()]));
    assert!(found.contains(&control), "what the image has was not seen");
    assert!(found.is_disjoint(&foreign), "an image has certificates of {file}");
    assert!(!found.contains(PRIVATE_KEY), "an image has a private key");
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

fn files(place: &Place) {
    // Layer by layer, as what one adds and the next takes away is still there.
    let mut list = crate::place::command("bash");
    list.args(["-euo", "pipefail", "-c"]);
    list.arg("docker save \"$@\" | tar --extract --to-stdout --wildcards '*/layer.tar' | tar --list --ignore-zeros");
    let names = finish(list.arg("bash").args(&place.released)).unwrap().ok();
    let names: Vec<_> = names.lines().map(|name| name.trim_start_matches("./")).collect();
    assert!(names.contains(&"usr/local/bin/gb"), "what the image has was not seen");
    let is_secret = |name: &&&str| {
        let path = format!("/{name}");
        path.ends_with("/.netrc")
            || path.ends_with("/.docker/config.json")
            || path.contains("/.cargo/")
            || ["/run/secrets/", "/.ssh/", "/etc/ssl/private/"]
                .iter()
                .any(|place| path.split_once(place).is_some_and(|(_, file)| !file.is_empty()))
    };
    let secrets: Vec<_> = names.iter().filter(is_secret).collect();
    assert!(secrets.is_empty(), "{secrets:?}");
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
