//! Pushing images to a real registry, and all that may be in the way.

use crate::images::{Build, TWO};
use crate::place::{Place, command, docker, finish, go_build, version};
use crate::registry::{Registry, digest, inspect, is_there};
use crate::{Case, Needs};

pub const CASES: [Case; 15] = [
    (
        "every image is pushed under each of its names to every registry, and nothing is left here",
        Needs::Registry,
        everything,
    ),
    (
        "nothing is pushed unless somebody says CONFIRM=true, and the refusal says so",
        Needs::Nothing,
        not_confirmed,
    ),
    (
        "DRYRUN=true prints the lines, which can be run as they are, and wins over CONFIRM",
        Needs::Registry,
        dry,
    ),
    ("the same image is pushed once, whoever pushes it again", Needs::Registry, again),
    ("a version's name that is another image's is refused, and latest moves", Needs::Registry, immutable),
    ("a name is refused before anything is pushed under the others", Needs::Registry, all_or_nothing),
    (
        "an image that is not here, of another machine or of another commit is not pushed",
        Needs::Registry,
        not_here,
    ),
    ("an image of another version than its name says is not pushed", Needs::Registry, other_version),
    (
        "a registry that nobody can reach is one line, and nothing is pushed to the others",
        Needs::Registry,
        unreachable,
    ),
    ("wrong credentials are one line with what to do, and right ones work", Needs::Registry, credentials),
    (
        "a registry that takes nothing is one line, and the next push goes on where that ended",
        Needs::Registry,
        read_only,
    ),
    ("the images of releases have the numbers of their releases", Needs::Registry, numbers),
    ("what is the matter with a registry is told from what its client says", Needs::Nothing, told),
    ("pipelines push by the names that they know", Needs::Nothing, known_names),
    ("a local name that the push needs keeps what it had", Needs::Registry, local_names),
];

fn everything(place: &Place) {
    let other = Registry::start(place, &[]);
    let build = Build::new(place, place.registry());
    let (first, second) = (build.at("x"), format!("{}/other", other.host));
    let first = first.strip_suffix("/x").unwrap();
    let build = build.to(&[first, &second]);
    build.go_build(&TWO).binfmt(&TWO).base(crate::place::DATE, &TWO);
    let said = build.make(&["push", "CONFIRM=true"]).ok();
    let qemu = format!("qemu-v{}", version("QEMU_VERSION"));
    let names = [
        ("go-build", go_build()),
        ("go-build", "latest".to_owned()),
        ("binfmt", qemu),
        ("binfmt", "latest".to_owned()),
        ("base", format!("ubi9-{}", crate::place::DATE)),
        ("base", "ubi9-latest".to_owned()),
    ];
    assert_eq!(said.lines().count(), 2 * names.len() * TWO.len(), "{said}");
    for registry in [first, &second] {
        for (image, name) in &names {
            for arch in TWO {
                let reference = format!("{registry}/{image}:{name}-{arch}");
                let there =
                    inspect(&reference, "={{.Manifest.Digest}} {{.Image.OS}}/{{.Image.Architecture}}").ok();
                let (digest, platform) = there.trim_start_matches('=').split_once(' ').unwrap();
                assert!(said.contains(&format!("{reference}: pushed, {digest}\n")), "{said}");
                assert_eq!(platform, format!("linux/{arch}"));
            }
        }
    }
    let left = docker(&["image", "ls", "--format", "{{.Repository}}"]).ok();
    assert!(!left.lines().any(|name| name.starts_with(first) || name.starts_with(&second)), "{left}");
}

fn not_confirmed(place: &Place) {
    let repository = place.repository();
    for target in [
        "push",
        "push-manifests",
        "push-calico-go-build",
        "push-calico-base-manifests",
        "calico-go-build-cd",
        "calico-base-cd",
        "calico-binfmt-cd",
        "cd",
        "release-branch",
    ] {
        let unsaid = ["CONFIRM=", "CONFIRM=yes", "DRYRUN=1"];
        for unsaid in &unsaid[..if target == "push" { 3 } else { 1 }] {
            assert_eq!(
                repository.make(&[target, unsaid]).refused(),
                format!(
                    "{target}: it is not said what to do (make {target} CONFIRM=true does it, make {target} DRYRUN=true prints the lines)"
                )
            );
        }
    }
}

fn dry(place: &Place) {
    let build = Build::new(place, place.registry());
    let arguments = ["push-calico-go-build", "VALIDARCHES=amd64 s390x", "DRYRUN=true", "CONFIRM=true"];
    // There is no image yet.
    let lines = build.make(&arguments).ok();
    assert_eq!(lines.lines().count(), 8, "{lines}");
    build.go_build(&TWO);
    assert_eq!(build.make(&arguments).ok(), lines);
    let name = build.at("go-build");
    for arch in TWO {
        assert!(!is_there(&format!("{name}:latest-{arch}")));
    }
    finish(command("sh").args(["-ec", &lines])).unwrap().ok();
    for arch in TWO {
        assert!(
            is_there(&format!("{name}:latest-{arch}")) && is_there(&format!("{name}:{}-{arch}", go_build()))
        );
        docker(&["image", "rm", &format!("{name}:latest-{arch}"), &format!("{name}:{}-{arch}", go_build())])
            .ok();
    }
    // The lines do what the push does.
    let said = build.make(&["push-calico-go-build", "VALIDARCHES=amd64 s390x", "CONFIRM=true"]).ok();
    assert_eq!(said.matches(": is there already, sha256:").count(), 4, "{said}");
}

fn again(place: &Place) {
    let build = Build::new(place, place.registry());
    build.go_build(&["amd64"]);
    let push = || build.make(&["push-calico-go-build", "ARCH=amd64", "CONFIRM=true"]).ok();
    push();
    assert_eq!(place.registry().puts(&build.path("go-build")), 2);
    let said = push();
    assert_eq!(place.registry().puts(&build.path("go-build")), 2);
    for name in [go_build(), "latest".to_owned()] {
        let reference = format!("{}:{name}-amd64", build.at("go-build"));
        assert!(said.contains(&format!("{reference}: is there already, {}\n", digest(&reference))), "{said}");
    }
}

fn immutable(place: &Place) {
    let build = Build::new(place, place.registry());
    let reference = format!("{}:{}-amd64", build.at("go-build"), go_build());
    let latest = format!("{}:latest-amd64", build.at("go-build"));
    build.go_build(&["amd64"]).make(&["push-calico-go-build", "ARCH=amd64", "CONFIRM=true"]).ok();
    let before = digest(&reference);
    // The same commit, built again where that can't be repeated.
    build.other_go_build(&["amd64"], "as it happens to be now");
    let said = build.make(&["push-calico-go-build", "ARCH=amd64", "CONFIRM=true"]).refused();
    assert_eq!(
        said,
        format!(
            "push: {reference} is another image, {before}, and keeps its name, so nothing was pushed (the next release of this \
             version: BRANCH_NAME={}-1)",
            go_build()
        )
    );
    assert_eq!((digest(&reference), digest(&latest)), (before.clone(), before.clone()));
    build.make(&["push-calico-go-build", "ARCH=amd64", "CONFIRM=true", "BRANCH_NAME=main"]).ok();
    assert_ne!(digest(&latest), before);
    assert_eq!(digest(&latest), digest(&format!("{}:main-amd64", build.at("go-build"))));
    // What the refusal says to do.
    build
        .make(&[
            "push-calico-go-build",
            "ARCH=amd64",
            "CONFIRM=true",
            &format!("BRANCH_NAME={}-1", go_build()),
        ])
        .ok();
    assert_eq!(digest(&latest), digest(&format!("{}:{}-1-amd64", build.at("go-build"), go_build())));
}

fn all_or_nothing(place: &Place) {
    let build = Build::new(place, place.registry());
    build.go_build(&["amd64"]).binfmt(&["amd64"]).base("1700000001", &["amd64"]);
    let push = |settings: &[&str]| {
        let mut arguments = vec!["push", "ARCH=amd64", "CONFIRM=true"];
        arguments.extend(settings);
        build.make(&arguments)
    };
    // The last one of what there is to push.
    let said = push(&[]).refused();
    assert!(
        said.contains("is of version ubi9-1700000001, not ubi9-1700000000, so nothing was pushed"),
        "{said}"
    );
    for image in ["go-build", "binfmt", "base"] {
        assert_eq!(place.registry().puts(&build.path(image)), 0);
    }
    push(&["BASE_DATE=1700000001"]).ok();
}

fn not_here(place: &Place) {
    let build = Build::new(place, place.registry());
    let push = |arch: &str| {
        build.make(&["push-calico-go-build", &format!("VALIDARCHES=amd64 {arch}"), "CONFIRM=true"]).refused()
    };
    build.go_build(&["amd64"]);
    let said = push("s390x");
    assert!(said.ends_with("-s390x is not on this machine, so nothing was pushed (make calico-go-build-image ARCH=s390x, or VALIDARCHES=… for what is here)"), "{said}");
    // By the name of one for s390x.
    let name = build.make(&["tag", "ARCH=amd64"]).ok();
    let name = name.trim().strip_suffix("amd64").unwrap();
    docker(&["tag", &format!("{name}amd64"), &format!("{name}s390x")]).ok();
    let said = push("s390x");
    assert!(
        said.ends_with("-s390x is for amd64, so nothing was pushed (make calico-go-build-image ARCH=s390x)"),
        "{said}"
    );
    let built = build.repository.head();
    let now = build.repository.commit("next");
    let said = push("");
    assert!(
        said.contains(&format!("-amd64 is of commit {built}, and this is {now}, so nothing was pushed")),
        "{said}"
    );
    assert_eq!(place.registry().puts(&build.path("go-build")), 0);
}

fn other_version(place: &Place) {
    let build = Build::new(place, place.registry());
    build.load("go-build", &go_build(), "1.2.3-llvm21.1.8-k8s1.32.3", &["amd64"], "old");
    let said = build.make(&["push-calico-go-build", "ARCH=amd64", "CONFIRM=true"]).refused();
    assert!(
        said.contains(&format!(
            "is of version 1.2.3-llvm21.1.8-k8s1.32.3, not {}, so nothing was pushed",
            go_build()
        )),
        "{said}"
    );
}

fn unreachable(place: &Place) {
    let gone = Registry::start(place, &[]);
    gone.stop();
    let build = Build::new(place, place.registry());
    let here = build.at("x").strip_suffix("/x").unwrap().to_owned();
    let build = build.to(&[&here, &gone.host]);
    build.go_build(&["amd64"]).binfmt(&["amd64"]);
    for (target, arguments) in [
        ("push-calico-go-build", &["BRANCH_NAME=main"][..]),
        ("push-calico-go-build", &[]),
        ("push-calico-binfmt-manifests", &[]),
        ("print-tags", &[]),
    ] {
        let mut all = vec![target, "ARCH=amd64", "CONFIRM=true"];
        all.extend(arguments);
        let said = build.make(&all).refused();
        let expected = format!("{} can't be reached: ", gone.host);
        assert!(
            said.contains(&expected) && said.ends_with("(see whether it runs, or name other REGISTRIES)"),
            "{said}"
        );
    }
    assert_eq!(place.registry().puts(&build.path("go-build")), 0);
}

fn credentials(place: &Place) {
    let registry = Registry::with_credentials(place);
    let build = Build::new(place, &registry);
    build.go_build(&["amd64"]);
    let config = place.dir();
    let with = |arguments: &[&str]| {
        finish(build.make_command().env("DOCKER_CONFIG", &config).args(arguments)).unwrap()
    };
    let push = ["push-calico-go-build", "ARCH=amd64", "CONFIRM=true"];
    let refused = |auth: Option<&str>| {
        if let Some(auth) = auth {
            let json = serde_json::json!({ "auths": { registry.host.as_str(): { "auth": auth } } });
            std::fs::write(config.join("config.json"), json.to_string()).unwrap();
        }
        for arguments in
            [&push[..], &["push-calico-go-build", "ARCH=amd64", "CONFIRM=true", "BRANCH_NAME=main"]]
        {
            let said = with(arguments).refused();
            assert!(
                said.contains(&format!("{} refuses what this machine is logged in as: ", registry.host)),
                "{said}"
            );
            assert!(said.ends_with(&format!("(docker login {})", registry.host)), "{said}");
            assert!(!said.contains("secret"), "{said}");
        }
    };
    refused(None);
    // releaser:wrong
    refused(Some("cmVsZWFzZXI6d3Jvbmc="));
    assert_eq!(registry.puts(&build.path("go-build")), 0);
    // releaser:secret
    let json = serde_json::json!({ "auths": { registry.host.as_str(): { "auth": "cmVsZWFzZXI6c2VjcmV0" } } });
    std::fs::write(config.join("config.json"), json.to_string()).unwrap();
    with(&push).ok();
    with(&["push-calico-go-build-manifests", "ARCH=amd64", "CONFIRM=true"]).ok();
    assert_eq!(registry.puts(&build.path("go-build")), 4);
}

fn read_only(place: &Place) {
    let closed = Registry::start(place, &["REGISTRY_STORAGE_MAINTENANCE_READONLY={enabled: true}"]);
    let build = Build::new(place, place.registry());
    let here = build.at("x").strip_suffix("/x").unwrap().to_owned();
    let build = build.to(&[&here, &closed.host]);
    build.go_build(&["amd64"]);
    let push = ["push-calico-go-build", "ARCH=amd64", "CONFIRM=true", &format!("BRANCH_NAME={}", go_build())];
    let done = build.make(&push);
    let pushed = done.out.clone();
    let said = done.refused();
    assert!(said.starts_with(&format!("push: {}/go-build:{}-amd64: ", closed.host, go_build())), "{said}");
    assert_eq!(pushed.lines().count(), 1, "{pushed}");
    assert!(pushed.contains("-amd64: pushed, "), "{pushed}");
    // It still takes nothing: what went well is not done again.
    let again = build.make(&push);
    assert!(again.out.contains("-amd64: is there already, "), "{}", again.out);
    again.refused();
    assert_eq!(place.registry().puts(&build.path("go-build")), 1);
}

fn numbers(place: &Place) {
    let build = Build::new(place, place.registry());
    let qemu = format!("qemu-v{}", version("QEMU_VERSION"));
    let push = ["push-calico-binfmt", "ARCH=amd64", "CONFIRM=true"];
    for number in ["", "-1", "-2"] {
        build.binfmt(&["amd64"]).make(&push).ok();
        // The same commit's, whenever it is pushed.
        let said = build.make(&push).ok();
        assert!(said.contains(&format!(":{qemu}{number}-amd64: is there already, ")), "{said}");
        build.repository.commit("next");
    }
    // What a release of go-build has for a number is another matter.
    let release = format!("BRANCH_NAME={}-7", go_build());
    let said =
        build.binfmt(&["amd64"]).make(&["push-calico-binfmt", "ARCH=amd64", "CONFIRM=true", &release]).ok();
    assert!(said.contains(&format!(":{qemu}-3-amd64: pushed, ")) && !said.contains("latest"), "{said}");
}

/// The words are those of clients and registries.
fn told(place: &Place) {
    use std::os::unix::fs::PermissionsExt;

    let repository = place.repository();
    let dir = place.dir();
    let client = "#!/bin/sh\ncase $1 in context) echo default ;; *) echo \"$SAID\" >&2; exit 1 ;; esac\n";
    std::fs::write(dir.join("docker"), client).unwrap();
    std::fs::set_permissions(dir.join("docker"), std::fs::Permissions::from_mode(0o755)).unwrap();
    let path = std::env::var_os("PATH").unwrap();
    let path = std::env::join_paths(std::iter::once(dir).chain(std::env::split_paths(&path))).unwrap();
    let version = go_build();
    for (cause, what, remedy) in [
        // A port may look like an answer.
        ("dial tcp 10.0.0.1:40341: connect: connection refused", "can't be reached", "see whether it runs"),
        (
            "dial tcp: lookup r.example.org on 10.0.0.53:53: no such host",
            "can't be reached",
            "see whether it runs",
        ),
        (
            "Head \"https://r.example.org/v2/\": net/http: TLS handshake timeout",
            "can't be reached",
            "see whether",
        ),
        (
            "unexpected status from HEAD request to https://r.example.org/v2/x: 401 Unauthorized",
            "refuses",
            "docker login",
        ),
        (
            "unexpected status from HEAD request to https://r.example.org/v2/x: 403 Forbidden",
            "refuses",
            "docker login",
        ),
        (
            "pull access denied, repository does not exist or may require authorization: server message: \
             insufficient_scope: authorization failed",
            "refuses what this machine is logged in as",
            "docker login r.example.org)",
        ),
        ("http: server gave HTTP response to HTTPS client", "speaks plain http", "insecure-registries"),
        (
            "tls: failed to verify certificate: x509: unknown authority",
            "is not trusted",
            "/etc/docker/certs.d/r.example.org/",
        ),
    ] {
        let mut make = repository.make_command();
        make.env("PATH", &path).env("SAID", format!("ERROR: {cause}"));
        make.args(["print-tags", "REGISTRIES=r.example.org/calico"]);
        let said = finish(&mut make).unwrap().refused();
        let expected = format!("names: r.example.org/calico/go-build:{version}: r.example.org {what}");
        assert!(said.starts_with(&expected) && said.contains(cause), "{said}");
        assert!(said.rsplit_once(" (").is_some_and(|(_, advice)| advice.contains(remedy)), "{said}");
    }
}

fn known_names(place: &Place) {
    let repository = place.repository();
    let dry = |arguments: &[&str]| {
        let mut all = vec!["DRYRUN=true", "DEV_REGISTRIES=some.registry/calico", "UBI_VERSIONS=ubi9"];
        all.extend(arguments);
        repository.make(&all).ok()
    };
    let pushed = |lines: &str| {
        lines
            .lines()
            .filter_map(|line| line.strip_prefix("docker push ").map(str::to_owned))
            .collect::<Vec<_>>()
    };
    let go_build_cd = dry(&["calico-go-build-cd", "VALIDARCHES=s390x", "ARCH=s390x", "BRANCH_NAME=master"]);
    assert!(go_build_cd.starts_with("make calico-go-build-image ARCH=s390x\n"), "{go_build_cd}");
    assert_eq!(
        pushed(&go_build_cd),
        ["master-s390x", "latest-s390x"].map(|tag| format!("some.registry/calico/go-build:{tag}"))
    );
    let base_cd = dry(&["calico-base-cd", "BRANCH_NAME=1764000000", "EXCLUDEARCH=s390x"]);
    let expected: Vec<String> = ["1764000000", "latest"]
        .iter()
        .flat_map(|name| {
            ["amd64", "arm64", "ppc64le"].map(|arch| format!("some.registry/calico/base:ubi9-{name}-{arch}"))
        })
        .collect();
    assert_eq!(pushed(&base_cd), expected);
    assert!(
        base_cd.ends_with(
            "docker buildx imagetools create --tag some.registry/calico/base:ubi9-latest \
             some.registry/calico/base:ubi9-latest-amd64 some.registry/calico/base:ubi9-latest-arm64 \
             some.registry/calico/base:ubi9-latest-ppc64le\n"
        ),
        "{base_cd}"
    );
    let binfmt_cd = dry(&["calico-binfmt-cd", "VALIDARCHES=amd64"]);
    assert_eq!(pushed(&binfmt_cd).len(), 2, "{binfmt_cd}");
    let manifests = dry(&["push-calico-go-build-manifests", "BRANCH_NAME=master"]);
    assert_eq!(manifests.lines().count(), 2, "{manifests}");
}

fn local_names(place: &Place) {
    let build = Build::new(place, place.registry());
    build.go_build(&["amd64"]).binfmt(&["amd64"]);
    let latest = format!("{}:latest-amd64", build.at("go-build"));
    let other = build.make(&["print-tags", "ARCH=amd64", "BRANCH_NAME=main"]).ok();
    assert!(other.contains(&latest), "{other}");
    let version = format!("qemu-v{}", version("QEMU_VERSION"));
    let here = build
        .make(&["tag", "ARCH=amd64"])
        .ok()
        .replace("/go-build:", "/binfmt:")
        .replace(&go_build(), &version);
    docker(&["tag", here.trim(), &latest]).ok();
    let id = |name: &str| docker(&["image", "inspect", "--format={{.Id}}", name]).ok();
    let before = id(&latest);
    build.make(&["push-calico-go-build", "ARCH=amd64", "CONFIRM=true"]).ok();
    assert_eq!(id(&latest), before);
    docker(&["image", "rm", &latest]).ok();
}
