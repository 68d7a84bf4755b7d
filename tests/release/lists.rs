//! Manifest lists of what was pushed, and what keeps one from being made.

use serde_json::{Value, json};

use crate::images::{ARCHES, Build, TWO, sha256};
use crate::place::{Place, docker, go_build};
use crate::registry::{digest, inspect, is_there, manifest};
use crate::{Case, Needs};

pub const CASES: [Case; 9] = [
    ("a list has the digests that were pushed, and each platform gets its own image", Needs::Registry, whole),
    (
        "a half finished push makes no list, says what is missing, and can be gone on with",
        Needs::Registry,
        half,
    ),
    ("the same list is made once", Needs::Registry, again),
    ("a version's list that is another one is refused, and latest's moves", Needs::Registry, immutable),
    ("images of different commits make no list", Needs::Registry, different),
    ("an image by the name of another architecture makes no list", Needs::Registry, wrong_architecture),
    ("DRYRUN=true prints the line by digests, which makes the same list", Needs::Registry, dry),
    (
        "what BuildKit attests of an image is in the list with it, and neither an architecture nor another image",
        Needs::Registry,
        attested,
    ),
    ("a list of fewer architectures is one of those", Needs::Registry, fewer),
];

const ALL: &str = "ARCHES=amd64 arm64 ppc64le s390x";
const MAKE: [&str; 2] = ["push-calico-go-build-manifests", "CONFIRM=true"];

/// What a list has: a digest for each platform.
fn entries(list: &str) -> Vec<String> {
    let format =
        "={{range .Manifest.Manifests}}{{.Digest}} {{.Platform.OS}}/{{.Platform.Architecture}}\n{{end}}";
    inspect(list, format).ok().trim_start_matches('=').lines().map(str::to_owned).collect()
}

fn whole(place: &Place) {
    let build = Build::new(place, place.registry());
    build.go_build(&ARCHES).binfmt(&TWO).base(crate::place::DATE, &TWO);
    build.make(&["push-calico-go-build", ALL, "CONFIRM=true"]).ok();
    build.make(&["push", "CONFIRM=true"]).ok();
    let mut said = build.make(&["push-calico-go-build-manifests", ALL, "CONFIRM=true"]).ok();
    for image in ["binfmt", "base"] {
        said.push_str(&build.make(&[&format!("push-calico-{image}-manifests"), "CONFIRM=true"]).ok());
    }
    let lists: Vec<&str> = said.lines().map(|line| line.split_once(": made, sha256:").unwrap().0).collect();
    assert_eq!(lists.len(), 6, "{said}");
    for list in lists {
        assert!(said.contains(&format!("{list}: made, {}\n", digest(list))), "{said}");
        let arches = if list.contains("/go-build:") { &ARCHES[..] } else { &TWO };
        let expected: Vec<String> =
            arches.iter().map(|arch| format!("{} linux/{arch}", digest(&format!("{list}-{arch}")))).collect();
        assert_eq!(entries(list), expected);
        let inspected = docker(&["manifest", "inspect", "--insecure", list]).ok();
        assert_eq!(inspected.matches("\"architecture\"").count(), arches.len(), "{inspected}");
    }
    let list = format!("{}:latest", build.at("go-build"));
    for arch in ARCHES {
        let platform = format!("--platform=linux/{arch}");
        docker(&["pull", "--quiet", &platform, &list]).ok();
        let container = docker(&["create", &platform, &list, "/nothing"]).ok();
        let copied = docker(&["cp", &format!("{}:/what", container.trim()), "-"]).ok();
        assert!(copied.contains(&format!(" for {arch}, as it should be\n")), "{copied}");
        docker(&["rm", container.trim()]).ok();
        docker(&["image", "rm", &list]).ok();
    }
}

fn half(place: &Place) {
    let build = Build::new(place, place.registry());
    let list = format!("{}:{}", build.at("go-build"), go_build());
    build.go_build(&TWO);
    build.make(&["push-calico-go-build", "VALIDARCHES=amd64", "CONFIRM=true"]).ok();
    let said = build.make(&MAKE).refused();
    assert_eq!(
        said,
        format!(
            "manifests: {list}: there is no list without {list}-s390x (where it was built: make push-calico-go-build \
             VALIDARCHES=\"s390x\"; then this again, which pushes nothing twice)"
        )
    );
    assert!(!is_there(&list));
    // What it says to do.
    build.make(&["push-calico-go-build", "VALIDARCHES=s390x", "CONFIRM=true"]).ok();
    build.make(&MAKE).ok();
    assert!(is_there(&list));
    // Two images and a list, under two names each.
    assert_eq!(place.registry().puts(&build.path("go-build")), 6);
}

fn again(place: &Place) {
    let build = Build::new(place, place.registry());
    build.go_build(&TWO).make(&["push-calico-go-build", "CONFIRM=true"]).ok();
    build.make(&MAKE).ok();
    let puts = place.registry().puts(&build.path("go-build"));
    let said = build.make(&MAKE).ok();
    for name in [go_build(), "latest".to_owned()] {
        let list = format!("{}:{name}", build.at("go-build"));
        assert!(said.contains(&format!("{list}: is there already, {}\n", digest(&list))), "{said}");
    }
    assert_eq!(place.registry().puts(&build.path("go-build")), puts);
}

fn immutable(place: &Place) {
    let build = Build::new(place, place.registry());
    let list = format!("{}:{}", build.at("go-build"), go_build());
    let release = format!("BRANCH_NAME={}", go_build());
    build.go_build(&TWO).make(&["push-calico-go-build", "CONFIRM=true"]).ok();
    // Of one of them, which is not what is there to be listed.
    build.make(&["push-calico-go-build-manifests", "VALIDARCHES=amd64", "CONFIRM=true"]).ok();
    let before = digest(&list);
    let said = build.make(&["push-calico-go-build-manifests", "CONFIRM=true", &release]).refused();
    let expected =
        format!("manifests: {list} is another list, {before}, and keeps its name, so none was made (");
    assert!(
        said.starts_with(&expected) && said.ends_with(&format!("BRANCH_NAME={}-1)", go_build())),
        "{said}"
    );
    assert_eq!(digest(&list), before);
    build.make(&["push-calico-go-build", "CONFIRM=true", "BRANCH_NAME=main"]).ok();
    build.make(&["push-calico-go-build-manifests", "CONFIRM=true", "BRANCH_NAME=main"]).ok();
    assert_eq!(entries(&format!("{}:latest", build.at("go-build"))).len(), 2);
}

fn different(place: &Place) {
    let build = Build::new(place, place.registry());
    let latest = format!("{}:latest", build.at("go-build"));
    let first = build.repository.head();
    build.go_build(&TWO);
    let push =
        |arches: &str| build.make(&["push-calico-go-build", arches, "CONFIRM=true", "BRANCH_NAME=main"]).ok();
    push("VALIDARCHES=amd64 s390x");
    let second = build.repository.commit("next");
    build.go_build(&["amd64"]);
    push("VALIDARCHES=amd64");
    let said = build
        .make(&[
            "push-calico-go-build-manifests",
            "VALIDARCHES=amd64 s390x",
            "CONFIRM=true",
            "BRANCH_NAME=main",
        ])
        .refused();
    assert!(said.contains(&format!("-amd64 is {}, commit {second} and ", go_build())), "{said}");
    assert!(
        said.contains(&format!(
            "-s390x is {}, commit {first} (build and push them of one commit)",
            go_build()
        )),
        "{said}"
    );
    assert!(!is_there(&latest));
}

fn wrong_architecture(place: &Place) {
    let build = Build::new(place, place.registry());
    build
        .go_build(&["amd64"])
        .make(&["push-calico-go-build", "ARCH=amd64", "CONFIRM=true", "BRANCH_NAME=main"])
        .ok();
    let name = format!("{}:main", build.at("go-build"));
    docker(&["pull", "--quiet", &format!("{name}-amd64")]).ok();
    docker(&["tag", &format!("{name}-amd64"), &format!("{name}-s390x")]).ok();
    docker(&["push", &format!("{name}-s390x")]).ok();
    docker(&["image", "rm", &format!("{name}-amd64"), &format!("{name}-s390x")]).ok();
    let said = build
        .make(&[
            "push-calico-go-build-manifests",
            "VALIDARCHES=amd64 s390x",
            "CONFIRM=true",
            "BRANCH_NAME=main",
        ])
        .refused();
    assert!(said.contains(&format!("there is no list, because {name}-s390x is for amd64 (")), "{said}");
}

fn dry(place: &Place) {
    let build = Build::new(place, place.registry());
    let dry = ["push-calico-go-build-manifests", "DRYRUN=true"];
    let name = build.at("go-build");
    let before = build.make(&dry).ok();
    assert!(
        before.starts_with(&format!(
            "docker buildx imagetools create --tag {name}:{} {name}:{}-amd64 ",
            go_build(),
            go_build()
        )),
        "{before}"
    );
    build.go_build(&TWO).make(&["push-calico-go-build", "CONFIRM=true"]).ok();
    let lines = build.make(&dry).ok();
    for arch in TWO {
        let image = digest(&format!("{name}:{}-{arch}", go_build()));
        assert_eq!(lines.matches(&format!("{name}@{image}")).count(), 2, "{lines}");
    }
    assert!(!is_there(&format!("{name}:latest")));
    for line in lines.lines() {
        docker(&line.split(' ').skip(1).collect::<Vec<_>>()).ok();
    }
    let said = build.make(&MAKE).ok();
    assert_eq!(said.matches(": is there already, ").count(), 2, "{said}");
    assert_eq!(build.make(&dry).ok(), "");
}

/// Puts a list in an image's place, as BuildKit pushes it: the image, and another manifest that tells where it is from.
fn attest(place: &Place, build: &Build, tag: &str, arch: &str) {
    let (name, path) = (format!("{}:{tag}", build.at("go-build")), build.path("go-build"));
    let image = manifest(&name);
    let media_type = serde_json::from_str::<Value>(&image).unwrap()["mediaType"].as_str().unwrap().to_owned();
    // What it says is not looked at here.
    let attestation = format!("{image}\n");
    let entry = |manifest: &str, os: &str, arch: &str| {
        json!({
            "mediaType": media_type, "digest": format!("sha256:{}", sha256(manifest.as_bytes())), "size": manifest.len(),
            "platform": { "os": os, "architecture": arch },
        })
    };
    let mut entries = [entry(&image, "linux", arch), entry(&attestation, "unknown", "unknown")];
    entries[1]["annotations"] = json!({
        "vnd.docker.reference.digest": entries[0]["digest"], "vnd.docker.reference.type": "attestation-manifest",
    });
    let digest = entries[1]["digest"].as_str().unwrap();
    place.registry().put(&path, digest, &media_type, &attestation);
    let index = "application/vnd.oci.image.index.v1+json";
    let list = json!({ "schemaVersion": 2, "mediaType": index, "manifests": entries }).to_string();
    place.registry().put(&path, tag, index, &list);
}

fn attested(place: &Place) {
    let build = Build::new(place, place.registry());
    build.go_build(&TWO).make(&["push-calico-go-build", "CONFIRM=true"]).ok();
    for tag in [go_build(), "latest".to_owned()] {
        for arch in TWO {
            attest(place, &build, &format!("{tag}-{arch}"), arch);
        }
    }
    // It is the image that is here.
    let said = build.make(&["push-calico-go-build", "CONFIRM=true"]).ok();
    assert_eq!(said.matches("is there already").count(), 4, "{said}");
    let said = build.make(&MAKE).ok();
    assert_eq!(said.matches(": made, ").count(), 2, "{said}");
    let list = format!("{}:latest", build.at("go-build"));
    let mut platforms: Vec<String> =
        entries(&list).iter().map(|entry| entry.split_once(' ').unwrap().1.to_owned()).collect();
    platforms.sort();
    assert_eq!(platforms, ["linux/amd64", "linux/s390x", "unknown/unknown", "unknown/unknown"]);
    let said = build.make(&MAKE).ok();
    assert_eq!(said.matches(": is there already, ").count(), 2, "{said}");
    docker(&["pull", "--quiet", "--platform=linux/s390x", &list]).ok();
    let architecture = docker(&["image", "inspect", "--format", "{{.Architecture}}", &list]).ok();
    assert_eq!(architecture.trim(), "s390x");
    docker(&["image", "rm", &list]).ok();
    // Another one is none of it.
    build.other_go_build(&["s390x"], "something else");
    let said = build.make(&["push-calico-go-build", "CONFIRM=true"]).refused();
    assert!(said.contains(" is another image, "), "{said}");
}

fn fewer(place: &Place) {
    let build = Build::new(place, place.registry());
    build.binfmt(&["amd64"]);
    for _ in 0..2 {
        build.make(&["push-calico-binfmt", "ARCH=x86_64", "CONFIRM=true"]).ok();
        build.make(&["push-calico-binfmt-manifests", "ARCH=x86_64", "CONFIRM=true"]).ok();
    }
    let list = format!("{}:latest", build.at("binfmt"));
    docker(&["pull", "--quiet", "--platform=linux/amd64", &list]).ok();
    docker(&["image", "rm", &list]).ok();
}
