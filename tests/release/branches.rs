//! The release's branch and tag, in repositories made here.

use std::process::Stdio;

use crate::place::{Done, Place, Repository, command, finish};
use crate::{Case, Needs};

pub const CASES: [Case; 15] = [
    (
        "a new version on main makes a release branch and a tag, and running it again nothing",
        Needs::Nothing,
        new_version,
    ),
    ("a commit on main that changes no version releases nothing", Needs::Nothing, no_change),
    (
        "a further version of the same Go release has its tag, and the branch stays where it is",
        Needs::Nothing,
        existing_branch,
    ),
    (
        "another utility's version on main is a release of the same name with the next number",
        Needs::Nothing,
        other_utility,
    ),
    (
        "of several commits that come to main at once the last one's versions are released",
        Needs::Nothing,
        several_commits,
    ),
    ("a version that is taken back was released already", Needs::Nothing, revert),
    ("every commit on a release branch has its tag, with the next number", Needs::Nothing, on_the_branch),
    ("a tag that somebody made by hand is a release", Needs::Nothing, existing_tag),
    ("several runs at the same time make one branch and one tag", Needs::Nothing, concurrent),
    (
        "runs for different commits of a release branch at the same time give each its own number",
        Needs::Nothing,
        racing,
    ),
    (
        "a remote that takes no tag gets no branch either, and the refusal says why",
        Needs::Nothing,
        refused_by_the_remote,
    ),
    ("a remote that can't be read is one line", Needs::Nothing, no_remote),
    (
        "a release branch with another Go version, and a branch that is none, release nothing",
        Needs::Nothing,
        other_branches,
    ),
    ("a version that is none is refused before anything is pushed", Needs::Nothing, malformed),
    ("a shallow checkout releases as a whole one does, and stays as it is", Needs::Nothing, shallow),
];

/// A repository with docker/versions, and the bare one that it pushes to.
struct Project {
    work: Repository,
    remote: Repository,
}

/// docker/versions with a version of Go, and one that is no part of the tag.
fn versions(go: &str, qemu: &str) -> String {
    format!(
        "# What images are made of.\nGO_VERSION={go}\nLLVM_VERSION=21.1.8\nKUBERNETES_VERSION=1.32.3\nQEMU_VERSION={qemu}\n"
    )
}

fn tag_of(go: &str) -> String {
    format!("{go}-llvm21.1.8-k8s1.32.3")
}

impl Project {
    fn new(place: &Place) -> Project {
        let remote = Repository { dir: place.dir() };
        remote.git(&["init", "--quiet", "--bare"]);
        let project = Project { work: place.repository(), remote };
        project.work.git(&["remote", "add", "origin", project.remote.dir.to_str().unwrap()]);
        project.change("1.26.6", "10.0.13");
        project
    }

    /// Commits other versions.
    fn change(&self, go: &str, qemu: &str) -> String {
        std::fs::create_dir_all(self.work.dir.join("docker")).unwrap();
        std::fs::write(self.work.dir.join("docker/versions"), versions(go, qemu)).unwrap();
        self.work.commit(&format!("Go {go}, QEMU {qemu}"))
    }

    fn release(&self, settings: &[&str]) -> Done {
        let mut arguments = vec!["release-branch", "CONFIRM=true"];
        arguments.extend(settings);
        self.work.make(&arguments)
    }

    /// What the remote has: names with the commits that they lead to.
    fn refs(&self) -> Vec<String> {
        let format = "%(refname:lstrip=1) %(if)%(*objectname)%(then)%(*objectname)%(else)%(objectname)%(end)";
        let refs = self.remote.git(&["for-each-ref", &format!("--format={format}")]);
        refs.lines().map(str::to_owned).collect()
    }

    #[track_caller]
    fn has(&self, refs: &[(&str, &str)]) {
        let mut expected: Vec<String> =
            refs.iter().map(|(name, commit)| format!("{name} {commit}")).collect();
        expected.sort();
        assert_eq!(self.refs(), expected);
    }
}

fn new_version(place: &Place) {
    let project = Project::new(place);
    let (head, tag) = (project.work.head(), format!("tags/{}", tag_of("1.26.6")));
    let lines = project.work.make(&["release-branch", "DRYRUN=true", "CONFIRM=true"]).ok();
    project.has(&[]);
    assert!(lines.starts_with("git push --atomic origin --force-with-lease=refs/heads/go1.26: "), "{lines}");
    let said = project.release(&[]).ok();
    assert_eq!(said, format!("go1.26: made, {head}\n{}: pushed, {head}\n", tag_of("1.26.6")));
    let expected: &[(&str, &str)] = &[("heads/go1.26", &head), (&tag, &head)];
    project.has(expected);
    assert_eq!(project.release(&[]).ok(), format!("{}: is this commit's already\n", tag_of("1.26.6")));
    project.has(expected);
    let object = project.remote.git(&["cat-file", "tag", &tag_of("1.26.6")]);
    assert!(object.ends_with(&format!("Release {}", tag_of("1.26.6"))), "{object}");
    project.remote.git(&["fsck", "--strict"]);
    // And here nothing is left of it.
    assert_eq!(
        project.work.git(&["for-each-ref", "--format=%(refname)", "refs/heads", "refs/tags"]),
        "refs/heads/main"
    );
}

fn no_change(place: &Place) {
    let project = Project::new(place);
    project.release(&[]).ok();
    let before = project.refs();
    project.work.commit("documentation");
    // A comment is no version.
    let file = project.work.dir.join("docker/versions");
    std::fs::write(&file, format!("{}# more\n", versions("1.26.6", "10.0.13"))).unwrap();
    project.work.commit("a comment");
    let said = project.release(&[]).ok();
    assert_eq!(
        said,
        format!("{}: has the versions of this commit, so there is nothing to release\n", tag_of("1.26.6"))
    );
    assert_eq!(project.refs(), before);
}

fn existing_branch(place: &Place) {
    let project = Project::new(place);
    let first = project.work.head();
    project.release(&[]).ok();
    let second = project.change("1.26.7", "10.0.13");
    let said = project.release(&[]).ok();
    assert_eq!(
        said,
        format!("go1.26: is there already and stays, {first}\n{}: pushed, {second}\n", tag_of("1.26.7"))
    );
    let third = project.change("1.27.0", "10.0.13");
    project.release(&[]).ok();
    project.has(&[
        ("heads/go1.26", &first),
        ("heads/go1.27", &third),
        (&format!("tags/{}", tag_of("1.26.6")), &first),
        (&format!("tags/{}", tag_of("1.26.7")), &second),
        (&format!("tags/{}", tag_of("1.27.0")), &third),
    ]);
}

fn other_utility(place: &Place) {
    let project = Project::new(place);
    let first = project.work.head();
    project.release(&[]).ok();
    let second = project.change("1.26.6", "10.2.0");
    project.release(&[]).ok();
    project.work.commit("documentation");
    project.release(&[]).ok();
    project.has(&[
        ("heads/go1.26", &first),
        (&format!("tags/{}", tag_of("1.26.6")), &first),
        (&format!("tags/{}-1", tag_of("1.26.6")), &second),
    ]);
}

fn several_commits(place: &Place) {
    let project = Project::new(place);
    let first = project.work.head();
    project.release(&[]).ok();
    project.change("1.26.7", "10.0.13");
    project.change("1.26.8", "10.0.13");
    let last = project.work.commit("documentation");
    project.release(&[]).ok();
    project.has(&[
        ("heads/go1.26", &first),
        (&format!("tags/{}", tag_of("1.26.6")), &first),
        (&format!("tags/{}", tag_of("1.26.8")), &last),
    ]);
}

fn revert(place: &Place) {
    let project = Project::new(place);
    project.release(&[]).ok();
    project.change("1.26.7", "10.0.13");
    project.release(&[]).ok();
    let before = project.refs();
    project.work.git(&["revert", "--no-edit", "HEAD"]);
    let said = project.release(&[]).ok();
    assert_eq!(
        said,
        format!("{}: has the versions of this commit, so there is nothing to release\n", tag_of("1.26.6"))
    );
    assert_eq!(project.refs(), before);
}

fn on_the_branch(place: &Place) {
    let project = Project::new(place);
    let first = project.work.head();
    project.release(&[]).ok();
    project.work.git(&["switch", "--quiet", "--create", "go1.26"]);
    let mut expected =
        vec![("heads/go1.26".to_owned(), first.clone()), (format!("tags/{}", tag_of("1.26.6")), first)];
    // Ten comes after nine.
    for number in 1..=9 {
        let tag = format!("{}-{number}", tag_of("1.26.6"));
        let commit = project.work.commit("before");
        project.work.git(&["push", "--quiet", "origin", &format!("HEAD:refs/tags/{tag}")]);
        expected.push((format!("tags/{tag}"), commit));
    }
    for number in 10..=11 {
        let commit = project.work.commit("a utility");
        project.release(&[]).ok();
        project.release(&[]).ok();
        expected.push((format!("tags/{}-{number}", tag_of("1.26.6")), commit));
    }
    let expected: Vec<(&str, &str)> =
        expected.iter().map(|(name, commit)| (name.as_str(), commit.as_str())).collect();
    project.has(&expected);
    // A pipeline checks out a commit, not a branch.
    project.work.git(&["switch", "--quiet", "--detach"]);
    let said = project.release(&[]).refused();
    assert_eq!(
        said,
        "branch: releases are made on main and on release branches, and this is no branch (BRANCH_NAME says which one it is)"
    );
    let said = project.release(&["BRANCH_NAME=go1.26"]).ok();
    assert_eq!(said, format!("{}-11: is this commit's already\n", tag_of("1.26.6")));
}

fn existing_tag(place: &Place) {
    let project = Project::new(place);
    let first = project.work.head();
    // A light one, which is the commit itself, and one that only looks like a release's.
    project.work.git(&["push", "--quiet", "origin", &format!("HEAD:refs/tags/{}", tag_of("1.26.6"))]);
    project.work.git(&["push", "--quiet", "origin", &format!("HEAD:refs/tags/{}-rc", tag_of("1.26.6"))]);
    let said = project.release(&[]).ok();
    assert_eq!(said, format!("{}: is this commit's already\n", tag_of("1.26.6")));
    let second = project.change("1.26.6", "10.2.0");
    project.release(&[]).ok();
    project.has(&[
        ("heads/go1.26", &second),
        (&format!("tags/{}", tag_of("1.26.6")), &first),
        (&format!("tags/{}-1", tag_of("1.26.6")), &second),
        (&format!("tags/{}-rc", tag_of("1.26.6")), &first),
    ]);
}

/// Starts a release without waiting for its end.
fn start(repository: &Repository) -> std::process::Child {
    let mut make = repository.make_command();
    make.args(["release-branch", "CONFIRM=true"])
        .stdin(Stdio::null())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    make.spawn().unwrap()
}

fn concurrent(place: &Place) {
    let project = Project::new(place);
    let head = project.work.head();
    let runs: Vec<_> = (0..6).map(|_| start(&project.work)).collect();
    for run in runs {
        let done = run.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    project.has(&[("heads/go1.26", &head), (&format!("tags/{}", tag_of("1.26.6")), &head)]);
}

fn racing(place: &Place) {
    let project = Project::new(place);
    project.release(&[]).ok();
    let clones: Vec<Repository> = (0..4)
        .map(|number| {
            let clone = Repository { dir: place.dir() };
            clone.git(&["clone", "--quiet", project.work.dir.to_str().unwrap(), "."]);
            clone.git(&["remote", "set-url", "origin", project.remote.dir.to_str().unwrap()]);
            clone.git(&["switch", "--quiet", "--create", "go1.26"]);
            clone.commit(&format!("a utility's change {number}"));
            clone
        })
        .collect();
    let runs: Vec<_> = clones.iter().map(start).collect();
    for run in runs {
        let done = run.wait_with_output().unwrap();
        assert!(done.status.success(), "{}", String::from_utf8_lossy(&done.stderr));
    }
    let refs = project.refs();
    for number in 1..=4 {
        let tag = format!("tags/{}-{number} ", tag_of("1.26.6"));
        assert_eq!(refs.iter().filter(|line| line.starts_with(&tag)).count(), 1, "{refs:?}");
    }
    for clone in &clones {
        assert_eq!(refs.iter().filter(|line| line.ends_with(&clone.head())).count(), 1, "{refs:?}");
    }
}

fn refused_by_the_remote(place: &Place) {
    use std::os::unix::fs::PermissionsExt;

    let project = Project::new(place);
    let hook = project.remote.dir.join("hooks/update");
    std::fs::create_dir_all(hook.parent().unwrap()).unwrap();
    std::fs::write(&hook, "#!/bin/sh\ncase $1 in refs/tags/*) exit 1 ;; esac\n").unwrap();
    std::fs::set_permissions(&hook, std::fs::Permissions::from_mode(0o755)).unwrap();
    let said = project.release(&[]).refused();
    assert!(
        said.starts_with(&format!(
            "branch: {} was not pushed to origin, nor anything else: ",
            tag_of("1.26.6")
        )),
        "{said}"
    );
    assert!(said.ends_with(" (see whether you may push, then run this again)"), "{said}");
    project.has(&[]);
}

fn no_remote(place: &Place) {
    let project = Project::new(place);
    let said = project.release(&["GIT_REMOTE=/nowhere"]).refused();
    assert!(said.starts_with("branch: /nowhere can't be read: ") && said.ends_with(')'), "{said}");
}

fn other_branches(place: &Place) {
    let project = Project::new(place);
    for (branch, expected) in [
        ("go1.25", "branch: go1.25 has Go 1.26.6, which belongs on go1.26 (change docker/versions)"),
        (
            "go1.26-k8s1.33",
            "branch: go1.26-k8s1.33 has Go 1.26.6, which belongs on go1.26 (change docker/versions)",
        ),
        (
            "feature",
            "branch: releases are made on main and on release branches, and this is feature (BRANCH_NAME says which one it is)",
        ),
    ] {
        assert_eq!(project.release(&[&format!("BRANCH_NAME={branch}")]).refused(), expected);
    }
    project.has(&[]);
}

fn malformed(place: &Place) {
    let project = Project::new(place);
    project.change("1.x", "10.0.13");
    let said = project.release(&[]).refused();
    assert!(said.starts_with("versions: GO_VERSION=1.x is not a version"), "{said}");
    project.work.git(&["rm", "--quiet", "docker/versions"]);
    project.work.commit("none");
    let said = project.release(&[]).refused();
    assert!(said.contains("has no docker/versions"), "{said}");
    project.has(&[]);
}

fn shallow(place: &Place) {
    let project = Project::new(place);
    let first = project.work.head();
    project.release(&[]).ok();
    project.work.commit("documentation");
    project.work.git(&["push", "--quiet", "origin", "main"]);
    let clone = Repository { dir: place.dir() };
    let url = format!("file://{}", project.remote.dir.display());
    finish(command("git").args(["clone", "--quiet", "--depth=1", "--branch=main", &url]).arg(&clone.dir))
        .unwrap()
        .ok();
    let said = clone.make(&["release-branch", "CONFIRM=true"]).ok();
    assert!(said.ends_with(": has the versions of this commit, so there is nothing to release\n"), "{said}");
    project.has(&[
        ("heads/go1.26", &first),
        ("heads/main", &project.work.head()),
        (&format!("tags/{}", tag_of("1.26.6")), &first),
    ]);
    // A whole one is not cut off by it.
    project.work.git(&["fetch", "--quiet", "origin"]);
    project.work.make(&["release-branch", "CONFIRM=true"]).ok();
    assert_eq!(project.work.git(&["rev-parse", "--is-shallow-repository"]), "false");
}
