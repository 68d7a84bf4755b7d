//! Where the entrypoint is not in the path, or other programs choose how it is: docker exec, GitHub, GitLab, Jenkins,
//! Kubernetes. As root, and as a uid without an account.

use std::path::PathBuf;

use gb::platform::Platform;
use libtest_mimic::Failed;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Running};
use crate::lab::Lab;

/// Root, and how OpenShift starts containers.
const USERS: [&str; 2] = ["0:0", "1000650000:0"];

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    vec![
        case("by docker exec C, C++, pkg-config, cgo, -race and a cross build work, for any user", exec),
        case(
            "so they do with a shell as the entrypoint, as Kubernetes and Argo start it",
            another_entrypoint,
        ),
        case("README: GitHub's container jobs build a tree of another user's with its version", github),
        case(
            "README: GitLab's way, a script on standard input, builds a tree of root's with its version",
            gitlab,
        ),
        case(
            "Jenkins' way, a user of its own, cat on a terminal and docker exec, finds what it asks for",
            jenkins,
        ),
        case("gb env says in every form what gb run would tell Git, for the user that asks", env),
    ]
}

/// Builds for the machine itself with every compiler that somebody may ask for, and for another machine.
const BUILD: &str = r#"
    cd "$(mktemp -d)"
    printf '#include <pcap.h>\n#include <stdio.h>\nint main(void) { puts(pcap_lib_version()); }\n' >a.c
    printf '#include <iostream>\nint main() { std::cout << "C++\\n"; }\n' >a.cc
    gcc a.c -o a $(pkg-config --cflags --libs libpcap); ./a | cut -d ' ' -f 1
    cc a.c -o a -lpcap; ./a | cut -d ' ' -f 1
    g++ a.cc -o a; ./a; c++ a.cc -o a; ./a
    mkdir r; cd r; printf 'module example.com/r\n\ngo 1.26\n' >go.mod
    printf 'package r\n\nimport "testing"\n\nfunc TestR(*testing.T) { c := make(chan int); go close(c); <-c }\n' >r_test.go
    go test -race . | cut -f 1
    cd /programs; go run ./go-cgo
    GOARCH=arm64 CC=aarch64-linux-gnu-clang CGO_ENABLED=1 go build -o /tmp/arm64-$(id -u) ./go-cgo
    file --brief /tmp/arm64-$(id -u) | cut -d , -f 2
    GOBIN= go install ./go-pure; ls /go/bin/go-pure
"#;

fn built() -> Result<String, Failed> {
    let goarch = Platform::host().ok_or("this machine is not in the table")?.goarch;
    Ok(format!(
        "libpcap\nlibpcap\nC++\nC++\nok  \nhello linux/{goarch} from C, Go says 42\n ARM aarch64\n/go/bin/go-pure\n"
    ))
}

/// A container as GitHub starts it, by tail. It ends by itself if this process can't end it.
fn waiting(container: Container) -> Result<Running, Failed> {
    container.option("--entrypoint=timeout").start_with(&["3600", "tail", "-f", "/dev/null"])
}

fn exec(lab: &Lab) -> Verdict {
    let by_gb = lab.container().env("LOCAL_USER_ID", "1000").start()?;
    let by_tail = waiting(lab.container())?;
    for user in USERS {
        for running in [&by_gb, &by_tail] {
            let output = running.exec_sh(&["--user", user], BUILD)?;
            ensure_eq!(output.ok()?, built()?);
        }
    }
    Ok(())
}

fn another_entrypoint(lab: &Lab) -> Verdict {
    for user in USERS {
        let container = lab.container().user(user).option("--entrypoint=/bin/sh");
        ensure_eq!(container.run(&["-euc", BUILD])?.ok()?, built()?);
    }
    Ok(())
}

/// A directory with a Git tree in it, which belongs to a user.
fn tree(lab: &Lab, name: &str, place: &str, uid: u32) -> Result<PathBuf, Failed> {
    let dir = lab.dir(name)?;
    let script = format!(
        "mkdir -p /given/{place}; cd /given/{place}; git init --quiet
         printf 'module example.com/hello\n\ngo 1.26\n' >go.mod
         printf 'package main\n\nimport \"C\"\n\nfunc main() {{ println(\"hello\") }}\n' >main.go
         git add .; git -c user.name=x -c user.email=x@example.com commit --quiet --message x
         chown -R {uid}:{uid} /given"
    );
    Container::new(&lab.image).mount(&dir, "/given").bare_sh(&script)?.ok()?;
    Ok(dir)
}

const STAMPED: &str = "go build -o /tmp/hello . && go version -m /tmp/hello | grep -o vcs=git";

/// The runner's user is 1001, and a job's container root, whose Git makes the checkout in the runner's directory.
fn github(lab: &Lab) -> Verdict {
    let work = tree(lab, "github", "repo/repo", 1001)?;
    let home = lab.dir("github-home")?;
    let container = Container::new(&lab.image).mount(&work, "/__w").mount(&home, "/github/home");
    let container = container.env("HOME", "/github/home").workdir("/__w/repo/repo");
    let running = waiting(container)?;
    let as_checkout = "find .git * | xargs chown 0:0; git -c safe.directory=* config --local gc.auto 0";
    running.exec_sh(&["--user", "0:0", "--workdir", "/__w/repo/repo"], as_checkout)?.ok()?;
    let host = Platform::host().ok_or("this machine is not in the table")?.goarch;
    for (target, goarch) in [("", host), ("arm64", "arm64")] {
        let step = |script: &str| running.exec_sh(&["--user", "0:0", "--workdir", "/__w/repo/repo"], script);
        let refused = step(STAMPED)?;
        ensure!(refused.stderr.contains("error obtaining VCS status"), "{refused}");
        step(&format!("gb env --format github {target} >>/tmp/env 2>/dev/null"))?.ok()?;
        // As the runner hands it to the next step.
        let next = format!(
            "while IFS= read -r line; do export \"$line\"; done </tmp/env; rm /tmp/env
             export CGO_ENABLED=1; {STAMPED}; git status --short; go version -m /tmp/hello | grep -o 'GOARCH=.*'"
        );
        ensure_eq!(step(&next)?.ok()?, format!("vcs=git\nGOARCH={goarch}\n"));
    }
    Ok(())
}

fn gitlab(lab: &Lab) -> Verdict {
    let builds = tree(lab, "gitlab", "group/project", 0)?;
    Container::new(&lab.image).mount(&builds, "/builds").bare_sh("chmod -R a+rwX /builds")?.ok()?;
    let container = Container::new(&lab.image).mount(&builds, "/builds").option("--interactive");
    let script = format!("cd /builds/group/project\n{STAMPED}\ntouch out\n");
    for container in [container.clone().env("LOCAL_USER_ID", "1000"), container.env("RUN_AS_ROOT", "true")] {
        ensure_eq!(container.run_with_input(&["sh"], &script)?.ok()?, "vcs=git\n");
    }
    Ok(())
}

fn jenkins(lab: &Lab) -> Verdict {
    let workspace = tree(lab, "jenkins", ".", 1000)?;
    let container = lab.container().mount(&workspace, "/workspace").workdir("/workspace").user("1000:1000");
    let running = container.option("--tty").start_with(&["cat"])?;
    // The plugin looks for the command that it gave, once the container counts as started.
    let top = running
        .until(&["top"], &["-eo", "pid,comm"], |top| top.lines().any(|line| line.ends_with(" cat")))?;
    ensure!(top.lines().count() == 3, "{top}");
    let script = format!(
        "{STAMPED}; eval \"$(gb env arm64)\"; CGO_ENABLED=1 go build -o /tmp/a .; file -b /tmp/a | cut -d , -f 2"
    );
    let output = running.exec_sh(&["--workdir", "/workspace"], &script)?;
    ensure_eq!(output.ok()?, "vcs=git\n ARM aarch64\n");
    Ok(())
}

fn env(lab: &Lab) -> Verdict {
    let dir = tree(lab, "env", "main", 1001)?;
    let container = Container::new(&lab.image).mount(&dir, "/w");
    let text = |form| {
        format!("gb env --format {form} 2>/dev/null | grep 'GIT_CONFIG_VALUE_1=' | grep -o '/w/main/[*]'")
    };
    for form in ["sh", "dotenv", "github"] {
        ensure_eq!(container.bare_sh(&text(form))?.ok()?, "/w/main/*\n");
    }
    let script = "gb env --json | jq -r '.set[] | select(.name == \"GIT_CONFIG_VALUE_1\") | .value, .reason'";
    let reason = "Git may work in /w/main, which is mounted and belongs to uid 1001\n";
    ensure_eq!(container.bare_sh(script)?.ok()?, format!("/w/main/*\n{reason}"));
    let script = "gb env | grep -c GIT_ || true; gb env --format json | jq -r '.set[] | select(.name == \"GIT_CONFIG_COUNT\").value'";
    ensure_eq!(container.clone().user("1001").bare_sh(script)?.ok()?, "0\n");
    ensure_eq!(container.clone().user("77").bare_sh(script)?.ok()?, "5\n2\n");
    let dry_run = container.env("LOCAL_USER_ID", "1000").option("--entrypoint=gb").run(&[
        "run",
        "--dry-run",
        "true",
    ])?;
    let shown = dry_run.ok()?;
    ensure!(shown.contains(&format!("# {reason}export GIT_CONFIG_VALUE_0=/w/main\n")), "{shown}");
    Ok(())
}
