//! What images are called, and versions that are none.

use crate::images::{ARCHES, Build};
use crate::place::{DATE, Place, go_build, version};
use crate::{Case, Needs};

pub const CASES: [Case; 11] = [
    ("print-tags has every name of every image, for each architecture and for the list", Needs::Nothing, all),
    (
        "print-tags ARCH=aarch64 has the names of the arm64 images, and no list's",
        Needs::Nothing,
        one_architecture,
    ),
    (
        "a version that is missing or malformed is one line, before anything is built",
        Needs::Nothing,
        malformed,
    ),
    ("versions before a release, as upstreams name them, are versions", Needs::Nothing, before_a_release),
    ("the next release of a version that has a tag has the next number", Needs::Nothing, numbers),
    ("a commit with a release's tag is that release", Needs::Nothing, tagged),
    ("a branch's images have the branch's name, and main's are the latest", Needs::Nothing, on_branches),
    ("a release of other versions than docker/versions has is refused", Needs::Nothing, other_versions),
    ("calico/base is tagged with a date that somebody says, or the commit's", Needs::Nothing, dates),
    ("names that can't be names are refused", Needs::Nothing, no_names),
    (
        "a name that another commit has at a registry is taken, and one of this commit is not",
        Needs::Registry,
        taken,
    ),
];

fn all(place: &Place) {
    let tags = place.repository().make(&["print-tags"]).ok();
    let mut expected = Vec::new();
    let (go_build, qemu) = (go_build(), format!("qemu-v{}", version("QEMU_VERSION")));
    let names = [
        ("go-build", go_build.as_str()),
        ("go-build", "latest"),
        ("binfmt", &qemu),
        ("binfmt", "latest"),
        ("base", "ubi9-1700000000"),
        ("base", "ubi9-latest"),
        ("base", "ubi10-1700000000"),
        ("base", "ubi10-latest"),
    ];
    for (image, name) in names {
        expected.extend(ARCHES.map(|arch| format!("calico/{image}:{name}-{arch}")));
        expected.push(format!("calico/{image}:{name}"));
    }
    assert_eq!(tags.lines().collect::<Vec<_>>(), expected);
}

fn one_architecture(place: &Place) {
    let tags = place.repository().make(&["print-tags", "ARCH=aarch64", "UBI_VERSIONS=ubi9"]).ok();
    assert_eq!(tags.lines().count(), 6, "{tags}");
    assert!(tags.lines().all(|tag| tag.ends_with("-arm64")), "{tags}");
}

fn malformed(place: &Place) {
    let repository = place.repository();
    for wrong in [
        "",
        "1.x",
        "1",
        "1.26.",
        "1.26.6-",
        "v1.26.6",
        "01.26.6",
        "1.26.6 1.26.7",
        "1.26.6\\",
        "1.26.6'",
        "1.26.6;id",
    ] {
        let targets = ["print-tags", "image", "push"];
        for target in &targets[..if wrong.is_empty() { 3 } else { 1 }] {
            let said = repository.make(&[target, &format!("GO_VERSION={wrong}"), "CONFIRM=true"]).refused();
            let expected = match wrong {
                "" => "*** versions: GO_VERSION is missing: it is something like 1.26.6 (docker/versions has"
                    .to_owned(),
                _ => format!(
                    "*** versions: GO_VERSION={wrong} is not a version: it is something like 1.26.6 (docker"
                ),
            };
            assert!(said.contains(&expected), "{said}");
        }
    }
    for name in ["LLVM_VERSION", "KUBERNETES_VERSION", "QEMU_VERSION"] {
        for wrong in ["", "1", "1.2.x", "1.2.3-", "1.2.3-dirty"] {
            let said = repository.make(&["print-tags", &format!("{name}={wrong}")]).refused();
            assert!(said.contains(&format!("*** versions: {name}")), "{said}");
        }
    }
}

fn before_a_release(place: &Place) {
    let repository = place.repository();
    for (versions, tag) in [
        (
            &["GO_VERSION=1.27rc1", "KUBERNETES_VERSION=1.37.0-beta.0"][..],
            ":1.27rc1-llvm21.1.8-k8s1.37.0-beta.0-amd64\n",
        ),
        (&["GO_VERSION=1.27.0", "KUBERNETES_VERSION=1.37.0"], ":1.27.0-llvm21.1.8-k8s1.37.0-amd64\n"),
    ] {
        let mut arguments = vec!["print-tags", "ARCH=amd64", "LLVM_VERSION=21.1.8"];
        arguments.extend(versions);
        let tags = repository.make(&arguments).ok();
        assert!(tags.contains(tag), "{tags}");
    }
}

/// The tag that go-build images would have.
fn name_of(done: String) -> String {
    done.lines().next().unwrap().rsplit_once(':').unwrap().1.to_owned()
}

fn numbers(place: &Place) {
    let repository = place.repository();
    let version = go_build();
    let next = || name_of(repository.make(&["print-tags", "ARCH=s390x"]).ok());
    assert_eq!(next(), format!("{version}-s390x"));
    for (tag, number) in [("", 1), ("-1", 2), ("-9", 10), ("-10", 11)] {
        repository.git(&["tag", &format!("{version}{tag}")]);
        repository.commit("next");
        assert_eq!(next(), format!("{version}-{number}-s390x"));
    }
    // What only looks like one of them.
    for tag in [
        format!("{version}0"),
        format!("{version}-beta"),
        format!("{version}-011"),
        version.replace('.', "x"),
    ] {
        repository.git(&["tag", &tag]);
        repository.commit("next");
    }
    assert_eq!(next(), format!("{version}-11-s390x"));
    let said = name_of(repository.make(&["print-tags", "ARCH=s390x", "RELEASE_NUMBER=3"]).ok());
    assert_eq!(said, format!("{version}-3-s390x"));
}

fn tagged(place: &Place) {
    let repository = place.repository();
    let version = go_build();
    repository.git(&["tag", "--annotate", "--message=release", &version]);
    repository.commit("next");
    repository.git(&["tag", "--annotate", "--message=release", &format!("{version}-1")]);
    assert_eq!(name_of(repository.make(&["print-tags", "ARCH=amd64"]).ok()), format!("{version}-1-amd64"));
}

fn on_branches(place: &Place) {
    let repository = place.repository();
    for (branch, names) in [
        ("main", &["main", "latest"][..]),
        ("master", &["master", "latest"]),
        ("go1.26", &["go1.26"]),
        (&go_build(), &[&go_build()]),
        (&format!("{}-2", go_build()), &[&format!("{}-2", go_build())]),
    ] {
        let tags = repository.make(&["print-tags", "ARCH=arm64", &format!("BRANCH_NAME={branch}")]).ok();
        let tags: Vec<&str> = tags.lines().filter_map(|tag| tag.strip_prefix("calico/go-build:")).collect();
        let expected: Vec<String> = names.iter().map(|name| format!("{name}-arm64")).collect();
        assert_eq!(tags, expected, "{branch}");
    }
}

fn other_versions(place: &Place) {
    for release in
        ["1.2.3-llvm21.1.8-k8s1.32.3".to_owned(), format!("{}0", go_build()), format!("{}-01", go_build())]
    {
        let said = place.repository().make(&["print-tags", &format!("BRANCH_NAME={release}")]).refused();
        let expected = format!(
            "names: BRANCH_NAME={release} is not a release of {}, which docker/versions makes",
            go_build()
        );
        assert!(said.starts_with(&expected), "{said}");
    }
}

fn dates(place: &Place) {
    let repository = place.repository();
    let date = |settings: &[&str]| {
        let mut arguments = vec!["push-calico-base", "UBI_VERSIONS=ubi9", "ARCH=amd64", "DRYRUN=true"];
        arguments.extend(settings);
        let lines = repository.make(&arguments).ok();
        let (_, rest) = lines.split_once("calico/base:ubi9-1").unwrap();
        format!("1{}", rest.split('-').next().unwrap())
    };
    assert_eq!(date(&[]), DATE);
    assert_eq!(date(&["SOURCE_DATE_EPOCH=1234567890"]), "1234567890");
    assert_eq!(date(&["SOURCE_DATE_EPOCH=1234567890", "BASE_DATE=1222222222"]), "1222222222");
    assert_eq!(date(&["BASE_DATE=1222222222", "BRANCH_NAME=1111111111"]), "1111111111");
    let said = repository.make(&["print-tags", "BASE_DATE=today"]).refused();
    assert_eq!(said, "names: BASE_DATE=today is no date (seconds since 1970: date +%s)");
}

fn no_names(place: &Place) {
    let repository = place.repository();
    for (setting, said) in [
        ("BRANCH_NAME=feature/x", "names: BRANCH_NAME=feature/x can't be a tag"),
        ("BRANCH_NAME=$(id)", "names: BRANCH_NAME="),
        ("BRANCH_NAME=it's", "names: BRANCH_NAME=it's can't be a tag"),
        ("BRANCH_NAME=1700000000", "names: BRANCH_NAME=1700000000 is a date, by which only calico/base goes"),
        ("RELEASE_NUMBER=x", "names: RELEASE_NUMBER=x is no number"),
        ("ARCH=riscv64", "there is none for riscv64"),
    ] {
        let setting = setting.replace('$', "$$");
        let refused = repository.make(&["print-tags", &setting]).refused();
        assert!(refused.contains(said), "{refused}");
    }
}

fn taken(place: &Place) {
    let build = Build::new(place, place.registry());
    let next = || name_of(build.make(&["print-tags", "ARCH=amd64"]).ok());
    assert_eq!(next(), format!("{}-amd64", go_build()));
    build.go_build(&["s390x"]).make(&["push-calico-go-build", "VALIDARCHES=s390x", "CONFIRM=true"]).ok();
    // Half of this commit's release is there: it is still this one.
    assert_eq!(next(), format!("{}-amd64", go_build()));
    build.repository.commit("next");
    assert_eq!(next(), format!("{}-1-amd64", go_build()));
    build.go_build(&["amd64"]).make(&["push-calico-go-build", "VALIDARCHES=amd64", "CONFIRM=true"]).ok();
    assert_eq!(next(), format!("{}-1-amd64", go_build()));
    build.repository.commit("next");
    assert_eq!(next(), format!("{}-2-amd64", go_build()));
}
