//! The real image's entrypoint under the real engine: whose the results are, on every way to start a container.
//!
//! (Everything that needs no engine is in tests/entrypoint, with many more cases.)

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use libtest_mimic::Failed;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Output};
use crate::guard;
use crate::lab::Lab;
use crate::terminal::Terminal;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    vec![
        case("LOCAL_USER_ID=1000: what is built belongs to 1000, who has a name and a home", built_for_1000),
        case("LOCAL_USER_ID can be any id, 4294967294 and 0 included", any_id),
        case("LOCAL_USER_ID=abc is refused, and nothing is started", no_id),
        case("docker run --user 5000 runs as 5000", started_as_user),
        case("docker run --read-only builds, pure Go and cgo, with one warning", read_only),
        case(
            "docker run --cap-drop ALL says which capability is missing, and never runs as root",
            no_capabilities,
        ),
        case(
            "README: the dry run shows the user, the home, the init and the command, and makes nothing",
            dry_run,
        ),
        case("RUN_AS_ROOT=true changes nothing and says nothing", as_root),
        case(
            "without an id the owner of a mounted work tree is named, and GB_USER=owner is that owner",
            owner,
        ),
        case(
            "Go stamps the version of a mounted work tree of another user, and no Git configuration is written",
            git,
        ),
        case("a volume that the user can't write to is reported once, by the name of the cache", caches),
        case("Calico's own -v cache:/go/pkg/mod leaves all of GOPATH to any user", gopath),
        case("credentials mounted below /home/user leave the home usable", credentials),
        case(
            "docker run --init leaves one process of the command, and docker exec gb run is the same user",
            one_process,
        ),
        case("docker stop ends a command of the shell at once", stopped),
        case("on a terminal Ctrl-C ends the command with 130", ctrl_c),
        case("on a terminal Ctrl-Z does not hang a command, and stops a job of a shell", ctrl_z),
        case("on a terminal a shell answers after suspend", suspend),
        case("entrypoint.sh and su-exec are where derived images look for them", names),
    ]
}

fn container(lab: &Lab) -> Container {
    Container::new(&lab.image)
}

/// Both streams of a command, to the letter.
fn writes(output: &Output, stdout: &str, stderr: &str) -> Verdict {
    ensure_eq!(output.text()?, stdout);
    ensure_eq!(output.stderr, stderr);
    Ok(())
}

/// A directory on this side that belongs to somebody.
fn dir_of(lab: &Lab, name: &str, uid: u32) -> Result<PathBuf, Failed> {
    let dir = lab.dir(name)?;
    std::fs::write(dir.join("go.mod"), "module example.com/hello\n\ngo 1.26\n")?;
    std::fs::write(dir.join("main.go"), "package main\n\nfunc main() { println(\"hello\") }\n")?;
    give(lab, &dir, uid)?;
    Ok(dir)
}

/// Gives a directory away; by a container, because whoever runs the tests may not be root.
fn give(lab: &Lab, dir: &Path, uid: u32) -> Verdict {
    container(lab).mount(dir, "/given").bare_sh(&format!("chown -R {uid}:{uid} /given"))?.ok().map(drop)
}

fn built_for_1000(lab: &Lab) -> Verdict {
    let dir = dir_of(lab, "built-for-1000", 1000)?;
    let run = container(lab).env("LOCAL_USER_ID", "1000").mount(&dir, "/src").workdir("/src");
    let output = run.sh("go build -o hello . && id && echo $HOME && touch ~/x && getent passwd 1000")?;
    ensure_eq!(output.stderr, "Starting with UID: 1000\n");
    let expected = "uid=1000(user) gid=1000(user) groups=1000(user)\n/home/user\nuser:x:1000:1000::/home/user:/bin/bash\n";
    ensure_eq!(output.ok()?, expected);
    ensure_eq!(std::fs::metadata(dir.join("hello"))?.uid(), 1000);
    Ok(())
}

fn any_id(lab: &Lab) -> Verdict {
    for (uid, notes) in [("4294967294", 0), ("713578628", 0), ("1", 0), ("0", 1)] {
        let output =
            container(lab).env("LOCAL_USER_ID", uid).run(&["sh", "-c", "id -u; id -g; echo $HOME"])?;
        ensure_eq!(output.stderr.lines().count(), 1 + notes);
        ensure!(output.stderr.starts_with(&format!("Starting with UID: {uid}\n")), "{output}");
        ensure_eq!(output.ok()?, format!("{uid}\n{uid}\n/home/user\n"));
    }
    Ok(())
}

fn no_id(lab: &Lab) -> Verdict {
    let output = container(lab).env("LOCAL_USER_ID", "abc").run(&["echo", "started"])?;
    let message = "gb: LOCAL_USER_ID=abc: an id is decimal digits (LOCAL_USER_ID=$(id -u))\n";
    ensure_eq!(output.status, Some(125));
    writes(&output, "", message)?;
    Ok(())
}

fn started_as_user(lab: &Lab) -> Verdict {
    let run = |container: Container| container.user("5000").run(&["id", "-u"]);
    for quiet in [container(lab), container(lab).env("LOCAL_USER_ID", "5000")] {
        let output = run(quiet)?;
        writes(&output, "5000\n", "")?;
    }
    let output = run(container(lab).env("LOCAL_USER_ID", "77"))?;
    let warning = "gb: run as LOCAL_USER_ID=77: the container was started as uid 5000 and stays so (docker run without \
                   --user)\n";
    writes(&output, "5000\n", warning)?;
    Ok(())
}

fn read_only(lab: &Lab) -> Verdict {
    let run = lab.container().option("--read-only").option("--tmpfs=/tmp:exec").env("LOCAL_USER_ID", "1000");
    let script =
        "echo $HOME; touch ~/x; export GOCACHE=/tmp/cache; go run ./go-pure; CGO_ENABLED=1 go run ./go-cgo";
    let output = run.sh(script)?;
    let warnings: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("gb: ")).collect();
    ensure!(warnings.len() == 1 && warnings[0].contains("HOME is /tmp/gb-home-1000"), "{output}");
    ensure_eq!(output.ok()?, "/tmp/gb-home-1000\nhello linux/amd64\nhello linux/amd64 from C, Go says 42\n");
    Ok(())
}

fn no_capabilities(lab: &Lab) -> Verdict {
    let powerless = container(lab).option("--cap-drop=ALL");
    let output = powerless.clone().env("LOCAL_USER_ID", "1000").run(&["echo", "started"])?;
    ensure!(output.stderr.starts_with("gb: run as uid 1000: CAP_SETUID is missing"), "{output}");
    ensure_eq!(output.status, Some(125));
    ensure_eq!(output.text()?, "");
    let output = powerless.user("1000:1000").run(&["id", "-u"])?;
    writes(&output, "1000\n", "")?;
    Ok(())
}

fn dry_run(lab: &Lab) -> Verdict {
    let run = container(lab).option("--entrypoint=gb").env("LOCAL_USER_ID", "1000");
    let said = run.run(&["run", "--dry-run", "go", "build"])?.ok()?;
    let shown: Vec<_> = said.lines().filter(|line| line.starts_with("# ") || !line.contains('=')).collect();
    let expected = [
        "# user: uid 1000, gid 1000, groups 1000 (LOCAL_USER_ID=1000)",
        "# account: user, to be written to /etc/passwd and /etc/group",
        "# home: /home/user",
        "# process: gb is PID 1 and stays as init: it forwards signals to the command",
        "go build",
    ];
    ensure!(shown.ends_with(&expected), "{said}");
    let said = run.option("--read-only").run(&["run", "--dry-run", "true"])?.ok()?;
    ensure!(
        said.contains("# account: none: /etc: Read-only file system\n# home: not /home/user: Read-only"),
        "{said}"
    );
    Ok(())
}

fn as_root(lab: &Lab) -> Verdict {
    let output =
        container(lab).env("RUN_AS_ROOT", "true").run(&["sh", "-c", "id -u; echo $HOME; ls /home"])?;
    writes(&output, "0\n/root\n", "")?;
    Ok(())
}

fn owner(lab: &Lab) -> Verdict {
    let dir = dir_of(lab, "owner", 1234)?;
    let run = container(lab).mount(&dir, "/src").workdir("/src");
    let output = run.run(&["id", "-u"])?;
    let hint = "gb: run as uid 9001: the working directory /src belongs to uid 1234 (docker run -e LOCAL_USER_ID=1234, or -e \
                GB_USER=owner)\n";
    ensure_eq!(output.stderr, format!("Starting with UID: 9001\n{hint}"));
    let output = run.env("GB_USER", "owner").run(&["sh", "-c", "id -u; id -g; go build -o hello ."])?;
    writes(&output, "1234\n1234\n", "Starting with UID: 1234\n")?;
    ensure_eq!(std::fs::metadata(dir.join("hello"))?.uid(), 1234);
    Ok(())
}

fn git(lab: &Lab) -> Verdict {
    let dir = dir_of(lab, "git", 1234)?;
    let git = |run: &Container| {
        run.sh("git init --quiet && git add . && git -c user.name=x -c user.email=x@example.com commit --quiet -m x")
    };
    git(&container(lab).env("GB_USER", "owner").mount(&dir, "/src").workdir("/src"))?.ok()?;
    let stranger = container(lab).env("LOCAL_USER_ID", "4321").mount_read_only(&dir, "/src").workdir("/src");
    let script = "go build -o /tmp/hello . && go version -m /tmp/hello | grep -o 'vcs=git'
         git status --porcelain; git config --list --show-scope | grep safe; cat ~/.gitconfig /etc/gitconfig 2>/dev/null || true";
    let output = stranger.sh(script)?;
    ensure_eq!(output.ok()?, "vcs=git\ncommand\tsafe.directory=/src\ncommand\tsafe.directory=/src/*\n");
    // A copy is the user's own, and needs no word.
    stranger.sh("cp -r /src /tmp/other; git -C /tmp/other status --porcelain")?.ok()?;
    // And it does not matter where the command starts.
    let elsewhere = container(lab).env("LOCAL_USER_ID", "4321").mount_read_only(&dir, "/elsewhere/src");
    elsewhere
        .sh("cd /elsewhere/src && go build -o /tmp/hello . && go version -m /tmp/hello | grep 'vcs=git'")?
        .ok()?;
    Ok(())
}

fn caches(lab: &Lab) -> Verdict {
    let dir = lab.dir("caches")?;
    give(lab, &dir, 0)?;
    let run = container(lab).env("LOCAL_USER_ID", "1000").env("GOCACHE", "/cache").mount(&dir, "/cache");
    let output = run.run(&["true"])?;
    let warning = "gb: prepare for uid 1000: GOCACHE /cache: Permission denied (chown 1000 what is mounted at /cache, \
                   or make it before docker run does)";
    ensure_eq!(output.stderr, format!("Starting with UID: 1000\n{warning}\n"));
    Ok(())
}

fn gopath(lab: &Lab) -> Verdict {
    // What the checksum database does (go help module-auth), and go install.
    let script = "mkdir -p /go/pkg/sumdb/sum.golang.org /go/pkg/mod/cache/download/sumdb/x /go/pkg/mod/example.com /go/bin/x
         go env GOMODCACHE";
    // A volume without a name is new, and goes with its container.
    for volume in ["/go/pkg/mod", "/go/pkg", "/go/pkg/mod/cache", "/go/pkg/sumdb", "/go/bin"] {
        let run = container(lab).option("--volume").option(volume);
        for run in [run.clone().env("LOCAL_USER_ID", "1000"), run.user("1000650000:0")] {
            let output = run.sh(script)?;
            ensure!(!output.stderr.contains("gb: prepare"), "{output}");
            ensure_eq!(output.ok()?, "/go/pkg/mod\n");
        }
    }
    Ok(())
}

/// What Calico's Makefiles do for crane.
fn credentials(lab: &Lab) -> Verdict {
    let dir = lab.dir("credentials")?;
    std::fs::write(dir.join("config.json"), "{}")?;
    give(lab, &dir, 0)?;
    let run = container(lab)
        .env("LOCAL_USER_ID", "1000")
        .mount(&dir.join("config.json"), "/home/user/.docker/config.json")
        .mount(&dir, "/home/user/.config/gcloud");
    let output =
        run.sh("touch ~/x ~/.docker/x ~/.config/x; stat -c %u ~/.docker/config.json ~/.config/gcloud")?;
    ensure_eq!(output.stderr, "Starting with UID: 1000\n");
    ensure_eq!(output.ok()?, "0\n0\n");
    ensure_eq!(std::fs::metadata(dir.join("config.json"))?.uid(), 0);
    Ok(())
}

fn one_process(lab: &Lab) -> Verdict {
    let running = container(lab).env("LOCAL_USER_ID", "1000").start()?;
    // A container counts as started before its entrypoint has done its work.
    let mut top = Vec::new();
    running.wait_until("the command runs", || {
        let answer = running.docker(&["top"], &["-o", "pid,uid,args"])?.ok()?;
        let words = |line: &str| line.split_whitespace().skip(1).collect::<Vec<_>>().join(" ");
        top = answer.lines().skip(1).map(words).collect();
        Ok(top.iter().any(|line| line.ends_with("sleep infinity") && !line.contains("gb run")))
    })?;
    ensure!(top.len() == 2 && top[0].contains("init"), "{top:?}");
    ensure_eq!(top[1], "1000 sleep infinity");
    let output = running.sh("id -un; pwd")?;
    writes(&output, "user\n/\n", "Starting with UID: 1000\n")?;
    Ok(())
}

/// Without gb's init TERM would be lost: PID 1 has no default actions, and dash waits for its child.
fn stopped(lab: &Lab) -> Verdict {
    let running = container(lab).start_with(&["sh", "-c", "sleep infinity; true"])?;
    // The engine would kill it only after that time, with 137.
    running.docker(&["stop", "--time", "3600"], &[])?.ok()?;
    let code = running.docker(&["inspect", "--format", "{{.State.ExitCode}}"], &[])?.ok()?;
    ensure_eq!(code.trim(), "143");
    Ok(())
}

/// A container on a terminal, removed when dropped: with the engine's command line alone it would not end.
struct OnTerminal {
    terminal: Terminal,
    name: String,
}

impl OnTerminal {
    fn start(lab: &Lab, name: &str, command: &[&str]) -> Result<OnTerminal, Failed> {
        let name = format!("gb-test-{name}-{}", std::process::id());
        let mut docker = guard::docker();
        docker.args(["run", "--rm", "--interactive", "--tty", "--name", &name]).arg(guard::label());
        docker.args(["--env", "LOCAL_USER_ID=1000", &lab.image]).args(command);
        Ok(OnTerminal { terminal: Terminal::start(docker)?, name })
    }
}

impl Drop for OnTerminal {
    fn drop(&mut self) {
        // Of a test that has passed it is gone.
        let _removed = crate::engine::docker(["rm", "--force", &self.name]);
    }
}

fn ctrl_c(lab: &Lab) -> Verdict {
    // exec, because dash loses a signal that comes while it is inside vfork(2).
    let script = "echo ready; exec sleep infinity";
    let OnTerminal { terminal, .. } = &mut OnTerminal::start(lab, "ctrl-c", &["sh", "-c", script])?;
    terminal.expect("ready")?;
    terminal.send("\x03")?;
    ensure_eq!(terminal.exit_code()?, Some(130));
    Ok(())
}

fn ctrl_z(lab: &Lab) -> Verdict {
    let script = "echo ready; read line; echo went on; exit 42";
    let OnTerminal { terminal, .. } = &mut OnTerminal::start(lab, "ctrl-z", &["sh", "-c", script])?;
    terminal.expect("ready")?;
    terminal.send("\x1a")?;
    terminal.send("\r")?;
    terminal.expect("went on")?;
    ensure_eq!(terminal.exit_code()?, Some(42));

    let OnTerminal { terminal, .. } = &mut OnTerminal::start(lab, "job", &["bash", "--norc", "-i"])?;
    terminal.expect("$ ")?;
    // Until the job has the terminal, the key would be the shell's.
    terminal.send("sh -c 'echo rea\"\"dy; exec sleep infinity'\r")?;
    terminal.expect("ready")?;
    terminal.send("\x1a")?;
    terminal.expect("Stopped")?;
    // Not exit, which a shell with stopped jobs asks about first.
    terminal.send("exec sh -c 'exit 7'\r")?;
    ensure_eq!(terminal.exit_code()?, Some(7));
    Ok(())
}

fn suspend(lab: &Lab) -> Verdict {
    let OnTerminal { terminal, .. } = &mut OnTerminal::start(lab, "suspend", &["bash", "--norc", "-i"])?;
    terminal.expect("$ ")?;
    terminal.send("suspend\r")?;
    terminal.expect("gb: let the command go on: it was stopped")?;
    terminal.send("kill -STOP $$; exit 9\r")?;
    ensure_eq!(terminal.exit_code()?, Some(9));
    Ok(())
}

fn names(lab: &Lab) -> Verdict {
    let run = container(lab).env("LOCAL_USER_ID", "1000").option("--entrypoint=/usr/local/bin/entrypoint.sh");
    let output = run.run(&["id", "-u"])?;
    writes(&output, "1000\n", "Starting with UID: 1000\n")?;
    let output = container(lab).option("--entrypoint=/usr/bin/su-exec").run(&["nobody", "id", "-un"])?;
    writes(&output, "nobody\n", "")?;
    Ok(())
}
