//! `make bake` by BuildKits of other machines: what it tells the engine's client, and what it pushes.

use crate::bake::make_by;
use crate::images::Build;
use crate::place::{Place, Repository, go_build, root, version};
use crate::registry::digest;
use crate::{Case, Needs};

pub const CASES: [Case; 7] = [
    (
        "make bake lets a plugin read the certificates and write its lists, where plugins ask for that",
        Needs::Nothing,
        allowed,
    ),
    ("make bake asks this machine's engine of the network for its own builds alone", Needs::Nothing, network),
    ("make bake pushes nothing without CONFIRM=true, however it is told to push", Needs::Buildx, unconfirmed),
    ("make bake pushes to the names at REGISTRIES that push-manifests goes by", Needs::Buildx, names),
    ("make bake needs no CONFIRM=true where nothing is pushed", Needs::Nothing, confirmed_for_nothing),
    ("make bake pushes nothing to a version's name that is there", Needs::Registry, there),
    (
        "no step of an image's build has a variable that an emulator takes for an option",
        Needs::Nothing,
        emulated,
    ),
];

/// The words of the last build, and the network that it was given.
fn baked(
    place: &Place,
    repository: &Repository,
    settings: &[&str],
    client_says: &[(&str, &str)],
) -> Vec<String> {
    let mut arguments = vec!["bake", "BAKE=binfmt-amd64"];
    arguments.extend(settings);
    let mut says = vec![("BUILDKIT", "v0.32.2")];
    says.extend(client_says);
    let (done, builds) = make_by(place, repository, &arguments, &says);
    done.ok();
    builds.last().unwrap().clone()
}

fn allowed(place: &Place) {
    let repository = place.repository();
    let ca = place.dir().join("ca.pem");
    std::fs::write(&ca, "").unwrap();
    let bundle = format!("CA_BUNDLE={}", ca.display());
    let settings = [&bundle[..], "BUILD_NETWORK=host"];
    let words = baked(place, &repository, &settings, &[("DRIVER", "remote"), ("PLUGIN", "newer")]);
    let given: Vec<&str> = words
        .windows(2)
        .filter(|pair| pair[0] == "--allow")
        .map(|pair| pair[1].split_once('=').map_or(&*pair[1], |(what, _)| what))
        .collect();
    assert_eq!(given, ["network.host", "fs.read", "fs"], "{words:?}");
    assert!(words.contains(&format!("fs.read={}", ca.display())), "{words:?}");
    let settings = ["CA_BUNDLE=", "BUILD_NETWORK=default"];
    let words = baked(place, &repository, &settings, &[("DRIVER", "remote"), ("PLUGIN", "newer")]);
    assert_eq!(words.iter().filter(|word| *word == "--allow").count(), 1, "{words:?}");
    let words = baked(place, &repository, &settings, &[("DRIVER", "remote"), ("PLUGIN", "older")]);
    assert!(!words.contains(&"--allow".to_owned()), "{words:?}");
}

fn network(place: &Place) {
    let repository = place.repository();
    // Containers of this engine get nowhere.
    for (driver, network) in [("docker", "host"), ("remote", "default"), ("kubernetes", "default")] {
        let words = baked(place, &repository, &[], &[("DRIVER", driver), ("RUN", "1")]);
        assert!(words.contains(&format!("BUILD_NETWORK={network}")), "{driver}: {words:?}");
    }
    let words = baked(place, &repository, &["BUILD_NETWORK=host"], &[("DRIVER", "remote")]);
    assert!(words.contains(&"BUILD_NETWORK=host".to_owned()), "{words:?}");
}

fn unconfirmed(place: &Place) {
    let repository = place.repository();
    for push in
        ["--push", "--push=true", "--set *.output=type=registry", "--set *.output=type=image,push=true"]
    {
        let bake = format!("BAKE=binfmt-amd64 {push}");
        let said = repository.make(&["bake", &bake]);
        let said = said.err.lines().find(|line| line.starts_with("bake: ")).map(str::to_owned);
        assert_eq!(
            said.as_deref(),
            Some(
                "bake: it is not said what to do (make bake CONFIRM=true does it, make bake DRYRUN=true prints the lines)"
            ),
            "{push}"
        );
        let dry = ["bake", &bake, "DRYRUN=true", "REGISTRIES=example.org/a", "QEMU_VERSION=1.2.3"];
        assert_eq!(
            repository.make(&dry).ok(),
            "example.org/a/binfmt:qemu-v1.2.3-amd64: would be built and pushed\n\
             example.org/a/binfmt:latest-amd64: would be built and pushed\n",
            "{push}"
        );
    }
}

fn names(place: &Place) {
    let repository = place.repository();
    let bake = "BAKE=base-ubi9-s390x go-build-s390x --push";
    let said = repository
        .make(&["bake", bake, "DRYRUN=true", "REGISTRIES=example.org/a", "BASE_DATE=1234567890"])
        .ok();
    let mut said: Vec<&str> =
        said.lines().map(|line| line.strip_suffix(": would be built and pushed").unwrap()).collect();
    said.sort_unstable();
    // What push-manifests goes by, and of go-build's own architecture, which it is made of, nothing.
    let version = go_build();
    assert_eq!(
        said,
        [
            "example.org/a/base:ubi9-1234567890-s390x".to_owned(),
            "example.org/a/base:ubi9-latest-s390x".to_owned(),
            format!("example.org/a/go-build:{version}-s390x"),
            "example.org/a/go-build:latest-s390x".to_owned(),
        ]
    );
    let said = repository.make(&["bake", "CONFIRM=true", "BAKE=binfmt-amd64 --push", "REGISTRIES=a b"]).err;
    assert!(said.contains("bake: REGISTRIES=\"a b\" is not one (--load, and make push)\n"), "{said}");
}

fn confirmed_for_nothing(place: &Place) {
    let words = baked(place, &place.repository(), &["BAKE=binfmt-amd64 --load"], &[("DRIVER", "remote")]);
    assert!(words.ends_with(&["binfmt-amd64".to_owned(), "--load".to_owned()]), "{words:?}");
}

fn there(place: &Place) {
    let build = Build::new(place, place.registry());
    build.binfmt(&["amd64"]);
    build.make(&["push-calico-binfmt", "VALIDARCHES=amd64", "CONFIRM=true"]).ok();
    let image = build.at("binfmt");
    let name = format!("{image}:qemu-v{}-amd64", version("QEMU_VERSION"));
    let before = digest(&name);
    let puts = place.registry().puts(&build.path("binfmt"));
    let done = build.make(&["bake", "CONFIRM=true", "ARCHES=amd64", "BAKE=binfmt-amd64 --push"]);
    assert_ne!(done.code, 0);
    let said = done.err.lines().find(|line| line.starts_with("bake: ")).map(str::to_owned);
    assert_eq!(
        said.as_deref(),
        Some(&*format!(
            "bake: {name} is there, {before}, and keeps its name, so nothing was built (name the targets that are not, or --load them and \
             make push, which knows the next release)"
        )),
        "{}",
        done.err
    );
    assert_eq!(place.registry().puts(&build.path("binfmt")), puts);
}

fn emulated(_: &Place) {
    // qemu-user reads QEMU_VERSION, QEMU_LOG, QEMU_STRACE … instead of running the program as it is.
    let mut looked_at = 0;
    for dir in std::fs::read_dir(root().join("docker")).unwrap() {
        let Ok(dockerfile) = std::fs::read_to_string(dir.unwrap().path().join("Dockerfile")) else {
            continue;
        };
        for line in dockerfile.lines().filter(|line| line.starts_with("ARG ") || line.starts_with("ENV ")) {
            assert!(!line.contains(" QEMU_"), "{line}");
            looked_at += 1;
        }
    }
    assert!(looked_at > 20, "{looked_at}");
}
