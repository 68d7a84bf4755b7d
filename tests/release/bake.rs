//! docker-bake.hcl beside what make builds: the engine's client is a script here, which writes down what it is asked to build.

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use serde_json::Value;

use crate::images::ARCHES;
use crate::place::{Done, Place, Repository, finish, root};
use crate::{Case, Needs};

pub const CASES: [Case; 5] = [
    ("docker-bake.hcl has every image as make builds it", Needs::Buildx, same),
    (
        "docker-bake.hcl has every image as make builds it, when callers say otherwise",
        Needs::Buildx,
        same_otherwise,
    ),
    (
        "docker-bake.hcl hands gb for the builder and for the image to each image, of the same builder",
        Needs::Buildx,
        gb,
    ),
    ("make bake labels images with the utilities that they have, as make does", Needs::Nothing, utilities),
    ("make bake refuses a BuildKit that can't hand one target to another", Needs::Nothing, old_buildkit),
];

/// A build: what decides what comes out, and what it is called.
#[derive(Debug, PartialEq)]
struct Build {
    dockerfile: PathBuf,
    /// The stage, if it is not the last one.
    target: Option<String>,
    context: PathBuf,
    platform: String,
    tags: Vec<String>,
    args: BTreeMap<String, String>,
    /// None: older plugins do not print it.
    network: Option<String>,
    secrets: Vec<String>,
}

/// What the engine's client is to say, and to write down. Everything is there, and for the architecture of its name.
const CLIENT: &str = r#"#!/bin/sh
case "$1 $2" in
'buildx build')
    shift 2
    printf '%s\n' "$@" BUILD >>"$RECORD"
    case "$*" in *'--output type=local,dest='*)
        lists=${*#*--output type=local,dest=}
        printf 'stringer v0.1\nabsent -\n' >"${lists%% *}/go-tools"
        printf 'kubectl 1.36.4\n' >"${lists%% *}/kubernetes"
        ;;
    esac
    ;;
'buildx --builder')
    case "$*" in
    *--print*) printf '    "go-build-amd64": {\n' ;;
    *utilities-amd64*)
        mkdir -p "$LISTS/amd64"
        printf 'stringer v0.1\nabsent -\n' >"$LISTS/amd64/go-tools"
        printf 'kubectl 1.36.4\n' >"$LISTS/amd64/kubernetes"
        ;;
    *)
        printf '%s\n' "UTILITIES=$UTILITIES_amd64" "MISSING=$MISSING_amd64" "BUILD_NETWORK=$BUILD_NETWORK" "$@" BUILD >>"$RECORD"
        ;;
    esac
    ;;
'buildx bake') if [ "$PLUGIN" = newer ]; then echo '      --allow stringArray      Allow'; else echo '      --load'; fi ;;
'run '*) exit "${RUN:-0}" ;;
'context show') echo default ;;
'buildx inspect') echo 'Name: default'; echo "Driver: $DRIVER"; echo "Buildkit: $BUILDKIT"; echo "${SAID:-}" >&2 ;;
'image inspect')
    case $4 in
    *Architecture*) case $5 in *-arm64) echo arm64 ;; *-ppc64le) echo ppc64le ;; *-s390x) echo s390x ;; *) echo "$OWN" ;; esac ;;
    *stand-in*) ;;
    *) echo sha256:0 ;;
    esac
    ;;
esac
"#;

/// The machine's own architecture, as make calls it.
fn own(repository: &Repository) -> String {
    repository.make(&["tag"]).ok().trim().rsplit_once('-').unwrap().1.to_owned()
}

/// A directory with such a client.
fn client(place: &Place) -> PathBuf {
    use std::os::unix::fs::PermissionsExt;

    let dir = place.dir();
    std::fs::write(dir.join("docker"), CLIENT).unwrap();
    std::fs::set_permissions(dir.join("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    dir
}

/// `make` with such a client, and the BuildKit that it says it has.
fn make(
    place: &Place,
    repository: &Repository,
    settings: &[&str],
    buildkit: &str,
) -> (Done, Vec<Vec<String>>) {
    make_by(place, repository, settings, &[("BUILDKIT", buildkit), ("DRIVER", "docker"), ("PLUGIN", "older")])
}

/// The same with whatever else it says: how it ended, and the words of each build.
pub fn make_by(
    place: &Place,
    repository: &Repository,
    settings: &[&str],
    client_says: &[(&str, &str)],
) -> (Done, Vec<Vec<String>>) {
    let dir = client(place);
    let mut make = repository.make_command();
    let path = std::env::var_os("PATH").unwrap();
    let path =
        std::env::join_paths(std::iter::once(dir.clone()).chain(std::env::split_paths(&path))).unwrap();
    make.env("PATH", path)
        .env("RECORD", dir.join("record"))
        .env("OWN", own(repository))
        .envs(client_says.iter().copied());
    let done = finish(make.args(settings)).unwrap();
    let record = std::fs::read_to_string(dir.join("record")).unwrap_or_default();
    let builds = record.split("BUILD\n").filter(|build| !build.is_empty());
    (done, builds.map(|build| build.lines().map(str::to_owned).collect()).collect())
}

/// Where a path leads that make says below its own directory, or bake below the root.
fn resolved(path: &str) -> PathBuf {
    let place = root().join(path);
    let place =
        if path.starts_with('/') || place.exists() { place } else { root().join("docker").join(path) };
    place.canonicalize().unwrap_or_else(|error| panic!("{}: {error}", place.display()))
}

/// A build as its command line has it.
fn of_command_line(words: &[String], own: &str) -> Build {
    let mut words = words.iter();
    let mut build = Build {
        dockerfile: PathBuf::new(),
        target: None,
        context: PathBuf::new(),
        platform: format!("linux/{own}"),
        tags: Vec::new(),
        args: BTreeMap::new(),
        network: None,
        secrets: Vec::new(),
    };
    while let Some(word) = words.next() {
        if word == "--load" {
            continue;
        }
        let Some(option) = word.strip_prefix("--") else {
            build.context = Path::new(&root().join("docker").join(word)).canonicalize().unwrap();
            continue;
        };
        let value = words.next().unwrap().clone();
        match option {
            "tag" => build.tags.push(value),
            "platform" => build.platform = value,
            "target" => build.target = Some(value),
            // Where to, which is a directory that is made for it.
            "output" => assert!(value.starts_with("type=local,dest=/"), "{value}"),
            "network" => build.network = Some(value),
            "secret" => build.secrets.push(value),
            "file" => build.dockerfile = root().join("docker").join(value).canonicalize().unwrap(),
            "build-arg" => {
                let (name, value) = value.split_once('=').unwrap();
                build.args.insert(name.to_owned(), value.to_owned());
            }
            "builder" | "progress" => {}
            other => {
                panic!("make gives --{other} {value} to a build, of which docker-bake.hcl would have to know")
            }
        }
    }
    build.tags.sort();
    build
}

/// Secrets: newer plugins print each as an object.
fn secrets(value: &Value) -> Vec<String> {
    let secret = |value: &Value| match value.as_str() {
        Some(secret) => secret.to_owned(),
        None => format!("id={},src={}", value["id"].as_str().unwrap(), value["src"].as_str().unwrap()),
    };
    value.as_array().into_iter().flatten().map(secret).collect()
}

fn strings(value: &Value) -> Vec<String> {
    value.as_array().into_iter().flatten().map(|value| value.as_str().unwrap().to_owned()).collect()
}

/// A build as docker-bake.hcl has it.
fn of_target(target: &Value) -> Build {
    for key in target.as_object().unwrap().keys() {
        assert!(
            [
                "dockerfile",
                "context",
                "contexts",
                "platforms",
                "tags",
                "args",
                "network",
                "secret",
                "target",
                "output",
                // What newer plugins ask for where the network is the host's.
                "entitlements"
            ]
            .contains(&key.as_str()),
            "docker-bake.hcl says {key}, which make does not"
        );
    }
    let mut tags = strings(&target["tags"]);
    tags.sort();
    let args = target["args"].as_object().unwrap();
    Build {
        dockerfile: resolved(target["dockerfile"].as_str().unwrap()),
        target: target["target"].as_str().map(str::to_owned),
        context: resolved(target["context"].as_str().unwrap()),
        platform: strings(&target["platforms"]).concat(),
        tags,
        args: args.iter().map(|(name, value)| (name.clone(), value.as_str().unwrap().to_owned())).collect(),
        network: target["network"].as_str().map(str::to_owned),
        secrets: secrets(&target["secret"]),
    }
}

/// The targets of docker-bake.hcl.
pub fn targets(repository: &Repository, settings: &[&str], what: &str) -> serde_json::Map<String, Value> {
    let bake = format!("BAKE=--print {what}");
    let mut arguments = vec!["bake", &bake];
    arguments.extend(settings);
    let printed = repository.make(&arguments).ok();
    let printed: Value = serde_json::from_str(&printed).unwrap();
    printed["target"].as_object().unwrap().clone()
}

/// Compares every image of a set of settings.
fn compare(place: &Place, settings: &[&str], base_names: &[&str]) {
    let repository = place.repository();
    let own = own(&repository);
    let baked = targets(&repository, settings, "default gb utilities");
    let mut compared = Vec::new();
    let mut images = vec![("gb".to_owned(), "gb-image")];
    images.extend([
        ("go-build".to_owned(), "calico-go-build-image"),
        ("utilities".to_owned(), "calico-go-build-image"),
        ("binfmt".to_owned(), "calico-binfmt-image"),
    ]);
    images.extend(base_names.iter().map(|name| (format!("base{name}"), "calico-base-image")));
    for arch in ARCHES {
        for (image, target) in &images {
            let architecture = format!("ARCH={arch}");
            let mut arguments = vec![*target, &architecture];
            arguments.extend(settings);
            let (done, builds) = make(place, &repository, &arguments, "v0.8");
            done.ok();
            let name = format!("{image}-{arch}");
            let mut expected = of_target(&baked[&name]);
            // What was found on the way: here by the engine's client of the test.
            for (label, found) in [("UTILITIES", "kubectl@1.36.4 stringer@v0.1 "), ("MISSING", "absent ")] {
                expected.args.entry(label.to_owned()).and_modify(|value| *value = found.to_owned());
            }
            let built = builds.iter().map(|build| of_command_line(build, &own));
            let is_this = |build: &Build| {
                (&build.dockerfile, &build.platform, &build.target)
                    == (&expected.dockerfile, &expected.platform, &expected.target)
            };
            let unsaid = |mut build: Build| {
                build.network = build.network.filter(|_| expected.network.is_some());
                build
            };
            let mut found: Vec<Build> =
                built.filter(|build| is_this(build) && has_a_tag_of(build, &expected)).map(unsaid).collect();
            if found.is_empty() && image == "gb" && arch != own {
                // An image whose steps are all this machine's needs no other gb.
                continue;
            }
            assert_eq!(found.len(), 1, "{name}: {expected:?}");
            assert_eq!(comparable(found.remove(0), arch), comparable(expected, arch), "{name}");
            compared.push(name);
        }
    }
    let own_images = ["gb", "go-build", "utilities", "binfmt"].map(|image| format!("{image}-{own}"));
    let bases = base_names.iter().flat_map(|name| ARCHES.map(|arch| format!("base{name}-{arch}")));
    for image in own_images.into_iter().chain(bases) {
        assert!(compared.contains(&image), "{image} was not compared, but only {compared:?}");
    }
    assert!(baked.keys().all(|name| compared.contains(name) || !name.ends_with(&own)), "{:?}", baked.keys());
}

/// Of several versions of UBI each is a build of the same Dockerfile. gb has no name in a bake.
fn has_a_tag_of(build: &Build, expected: &Build) -> bool {
    expected.tags.is_empty() || build.tags.iter().any(|tag| expected.tags.contains(tag))
}

/// A build without what has to be another one where an engine can't hand a build's result to another.
fn comparable(mut build: Build, arch: &str) -> Build {
    // gb has no name in a bake. A cross build alone asks the mirror for it, and buildx gives every build the date from the environment.
    if build.args.remove("GB_IMAGE").is_none() {
        build.tags.clear();
        for name in ["DEBIAN_MIRROR", "SOURCE_DATE_EPOCH"] {
            build.args.remove(name);
        }
    }
    // Where results of other builds are from: an image's name for make, a target for bake (the test `gb` looks at that).
    for name in ["OWN_GB_IMAGE", "OWN_IMAGE", "OWN_BASE_IMAGE"] {
        build.args.remove(name);
    }
    // Labels are not made of what the labels are made of.
    if build.target.is_some() {
        for name in ["UTILITIES", "MISSING"] {
            build.args.remove(name);
        }
    }
    // What a stand-in says of itself, where no registry can be reached.
    if build.args.get("STAND_IN").is_some_and(String::is_empty) {
        build.args.remove("STAND_IN");
    }
    // The name that an image of another architecture has on a machine that keeps one for a name.
    for name in ["BASE_BASEIMG", "BASE_IMAGE", "GO_IMAGE"] {
        if let Some(image) = build.args.get_mut(name) {
            *image = image.strip_suffix(&format!("-{arch}")).unwrap_or(image).to_owned();
        }
    }
    // Names without an architecture, which are the machine's own.
    build.tags.retain(|tag| tag.ends_with(&format!("-{arch}")));
    build
}

fn same(place: &Place) {
    compare(place, &["BUILD_NETWORK=default", "CA_BUNDLE="], &["-ubi9", "-ubi10"]);
}

fn same_otherwise(place: &Place) {
    let ca = place.dir().join("ca.pem");
    std::fs::write(&ca, "").unwrap();
    let ca = format!("CA_BUNDLE={}", ca.display());
    let settings = [
        "BUILD_NETWORK=host",
        &ca,
        "SOURCE_DATE_EPOCH=1234567890",
        "REVISION=0123",
        "IMAGE_SOURCE=https://example.org/images",
        "GO_BUILD_IMAGE=example.org/a/go-build",
        "BINFMT_IMAGE=example.org/a/binfmt",
        "CALICO_BASE_IMAGE=example.org/a/base",
        "BASE_IMAGE=debian:forky-slim",
        "GO_IMAGE=example.org/golang:1.2.3",
        "DEBIAN_MIRROR=http://example.org/debian",
        "BASE_BASEIMG=example.org/ubi:1",
        "BASE_CLEANUP_LEVEL=unstripped",
        "GO_VERSION=1.27rc1",
    ];
    compare(place, &settings, &[""]);
}

fn gb(place: &Place) {
    let repository = place.repository();
    for (builders, arch, contexts) in [
        ("amd64", "amd64", &["amd64"][..]),
        ("amd64", "s390x", &["s390x", "amd64"]),
        // A builder takes nothing from another one.
        ("amd64 arm64", "arm64", &["arm64"]),
        ("arm64 amd64", "s390x", &["s390x", "arm64"]),
    ] {
        let what = format!("go-build-{arch} binfmt-{arch} base-ubi9-{arch}");
        let baked = targets(&repository, &[&format!("BUILDERS={builders}")], &what);
        for image in what.split(' ') {
            let mut expected: Vec<(String, String)> = contexts
                .iter()
                .map(|gb| (format!("built-gb::linux/{gb}"), format!("target:gb-{gb}")))
                .collect();
            // What is the same for every machine is the first builder's, where no builder is of the image's architecture.
            let is_foreign = image.starts_with("go-build") && !builders.contains(arch);
            if is_foreign {
                let own = contexts[1];
                expected.push((format!("built-own::linux/{own}"), format!("target:go-build-{own}")));
            }
            if image.starts_with("go-build") {
                assert_eq!(baked[image]["args"]["OWN_IMAGE"], if is_foreign { "built-own" } else { "" });
            }
            expected.sort();
            let given = baked[image]["contexts"].as_object().unwrap();
            let given: Vec<(String, String)> =
                given.iter().map(|(name, from)| (name.clone(), from.as_str().unwrap().to_owned())).collect();
            assert_eq!(given, expected, "{image}");
            assert_eq!(baked[image]["args"]["GB_IMAGE"], "built-gb");
            assert!(contexts.iter().all(|gb| baked.contains_key(&format!("gb-{gb}"))));
        }
    }
}

fn utilities(place: &Place) {
    let repository = place.repository();
    let (done, builds) =
        make(place, &repository, &["bake", "BAKE=go-build-amd64 --load", "BUILD_NETWORK=host"], "v0.13.1");
    done.ok();
    let [build] = &builds[..] else { panic!("{builds:?}") };
    assert_eq!(build[..2], ["UTILITIES=kubectl@1.36.4 stringer@v0.1 ", "MISSING=absent "]);
    assert!(build.ends_with(&["go-build-amd64".to_owned(), "--load".to_owned()]), "{build:?}");
    let own = format!("ARCH={}", own(&repository));
    let (done, builds) =
        make(place, &repository, &["calico-go-build-image", &own, "BUILD_NETWORK=host"], "v0.8");
    done.ok();
    let labelled =
        builds.iter().filter(|build| build.contains(&"UTILITIES=kubectl@1.36.4 stringer@v0.1 ".to_owned()));
    assert_eq!(
        labelled.filter(|build| build.contains(&"MISSING=absent ".to_owned())).count(),
        1,
        "{builds:?}"
    );
}

fn old_buildkit(place: &Place) {
    let repository = place.repository();
    for version in ["v0.8+unknown", "v0.9.3"] {
        let (done, builds) = make(place, &repository, &["bake"], version);
        assert_eq!(
            done.refused(),
            format!(
                "bake: builder default has BuildKit {}, and this takes 0.10 (make image, or BUILDX_BUILDER=… make bake)",
                &version[1..]
            )
        );
        assert!(builds.is_empty());
    }
    let says = [("BUILDKIT", ""), ("DRIVER", "remote"), ("SAID", "ERROR: a node is down")];
    let (done, builds) = make_by(place, &repository, &["bake"], &says);
    assert_eq!(
        done.refused(),
        "bake: builder default does not answer: a node is down (docker buildx ls, or make image without one)"
    );
    assert!(builds.is_empty());
    for version in ["v0.10.0", "v0.13.1", "v0.0.0+unknown", "v1.0.0"] {
        make(place, &repository, &["bake"], version).0.ok();
    }
}
