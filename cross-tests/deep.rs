//! `gb binfmt check --deep`: a program of Go's, built by the image's Go, and run.

use crate::binfmt::private;
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    vec![
        Case::new(
            "check --deep runs a program of Go's for every target, as any user, and leaves nothing",
            Needs::EveryEmulation,
            passes,
        ),
        case(
            "check --deep finds emulators that run a plain program and not Go's, and says where it ended",
            fails,
        ),
        case(
            "check --deep says 125 where there is no Go, and with Go's words where it does not build",
            without_go,
        ),
        case("check --deep builds what it means to, whatever the environment says", environment),
        case("check --deep leaves neither files nor processes, whatever ends it", ended),
    ]
}

/// An emulator that runs what is small, and does something else with the rest: `emulator SCRIPT`.
const EMULATOR: &str = r#"
emulator() {
    printf '#!/bin/sh\n[ "$(wc -c <"$1")" -gt 4096 ] || exec %s "$@"\n%s\n' $qemu "$1" >/tmp/emulator
    chmod 755 /tmp/emulator
}
emulator 'exit 0'; entry s /tmp/emulator ''
"#;

fn passes(lab: &Lab) -> Verdict {
    let container = Container::new(&lab.image);
    let read_only = container.clone().option("--read-only").option("--cap-drop=ALL");
    let script = "gb binfmt check --deep --json | jq -r '.platforms[] | [.platform, .level, .deep, .remarks[-1]] | join(\" \")'; ls -d /tmp/gb-deep-* 2>/dev/null || true";
    for run in [
        container.clone().caller(),
        container.clone().env("RUN_AS_ROOT", "true"),
        read_only.clone().option("--tmpfs=/tmp:exec").user("1000:5"),
    ] {
        let text = run.sh(script)?.ok()?;
        let lines: Vec<_> = text.lines().collect();
        ensure_eq!(lines.len(), crate::lab::TARGETS.len());
        for (line, target) in lines.iter().zip(["amd64", "arm64", "ppc64le", "riscv64", "s390x"]) {
            ensure!(line.starts_with(&format!("linux/{target} good true a program of go1.")), "{text}");
            ensure!(line.contains(" passes in "), "{text}");
        }
    }
    // Docker's own tmpfs lets nothing be run.
    let nowhere = read_only.option("--tmpfs=/tmp").option("--tmpfs=/var/tmp").user("1000");
    let output = nowhere.run(&["gb", "binfmt", "check", "--deep", "amd64"])?;
    ensure_eq!(
        (output.status, output.text()?),
        (
            Some(125),
            "linux/amd64: unknown: a program of Go's could not be tried: make a directory from which programs may be run: \
             Permission denied (os error 13) (docker run --tmpfs /tmp:exec)\n".to_owned()
        )
    );
    Ok(())
}

fn fails(lab: &Lab) -> Verdict {
    let script = format!(
        "{EMULATOR}
        check() {{ emulator \"$1\"; shift; gb binfmt check s390x \"$@\" >/tmp/line || echo $? $(sed 's/.*but/but/; s/[,;] no flag.*//' /tmp/line); }}
        gb binfmt check s390x | sed 's/;.*//'
        check 'echo \"runtime: morestack on g0\" >&2; echo more >&2; exit 2' --deep
        check 'echo ran memory; echo ran threads; kill -SEGV $$' --deep
        check 'exit 139' --deep
        check 'exec sleep infinity' --deep --timeout 1
        check 'echo ran memory; echo threads: 1 of 2 >&2; exit 1' --deep
        check 'echo ran memory; exit 0' --deep
        check 'exit 1'
        emulator 'exit 1'; gb binfmt check s390x --deep --json | jq -c '.platforms[] | [.reason, .deep, .fix]' || true"
    );
    let text = private(lab, &script)?.ok()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(lines[0].starts_with("linux/s390x: runs: /usr/bin/qemu-s390x"), "{text}");
    let expected = [
        "1 but a program of Go's crashes in its part memory: runtime: morestack on g0",
        "1 but a program of Go's is killed by signal 11 in its part preemption",
        "1 but a program of Go's crashes in its part memory",
        "1 but a program of Go's hangs, or needs more time (--timeout) in its part memory",
        "1 but a program of Go's ends with 1 in its part threads: threads: 1 of 2",
        "1 but a program of Go's ends with 0 in its part threads",
        // The plain check does not see it.
        "[\"deep-failure\",false,\"another version of QEMU: gb binfmt register s390x\"]",
    ];
    ensure_eq!(lines[1..], expected);
    Ok(())
}

fn without_go(lab: &Lab) -> Verdict {
    let container = Container::new(&lab.image);
    let none = container.bare_sh("PATH=/usr/bin exec /usr/local/bin/gb binfmt check --deep amd64")?;
    ensure!(none.status == Some(125) && none.text()?.is_empty(), "{none}");
    ensure_eq!(
        none.stderr,
        "gb: binfmt check --deep: build a program: there is no go in PATH (in the go-build image it is there)\n"
    );
    let script = "mkdir /tmp/go; printf '#!/bin/sh\\necho \"# deep\" >&2; echo \"link: no space left\" >&2; echo more >&2; exit 1\\n' >/tmp/go/go
        chmod 755 /tmp/go/go; PATH=/tmp/go:$PATH; exec gb binfmt check --deep amd64";
    let output = container.bare_sh(script)?;
    ensure_eq!(
        (output.status, output.text()?),
        (
            Some(125),
            "linux/amd64: unknown: a program of Go's could not be tried: build it: link: no space left\n"
                .to_owned()
        )
    );
    Ok(())
}

fn environment(lab: &Lab) -> Verdict {
    let script = "export GOFLAGS='-mod=vendor -tags=x -o=/tmp/else' GOOS=windows GOARM=5 GOEXPERIMENT=nonsense GOTOOLCHAIN=go1.99 GOWORK=/nowhere \
            CGO_ENABLED=1 CC=false GO111MODULE=off GODEBUG=panicnil=1 GOPATH=relative GOTMPDIR=/nowhere GOENV=/dev/stdin HOME=/nowhere
        echo 'module outer' >/tmp/go.mod; echo 'package broken {' >/tmp/broken.go
        gb binfmt check --deep amd64; ls -A /tmp
        # A cache that is not there, or is another's, is left alone.
        mkdir /tmp/cache; GOCACHE=/tmp/cache gb binfmt check --deep amd64 --timeout 59; ls -A /tmp/cache";
    let text = Container::new(&lab.image).bare_sh(script)?.ok()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(
        lines[0].starts_with("linux/amd64: runs: this machine runs it itself; a program of go1."),
        "{text}"
    );
    ensure_eq!(lines[1..3], ["broken.go", "go.mod"]);
    ensure!(lines[3].starts_with("linux/amd64: runs: ") && lines.len() == 4, "{text}");
    Ok(())
}

fn ended(lab: &Lab) -> Verdict {
    let script = format!(
        "{EMULATOR}
        emulator 'sleep infinity & exec sleep infinity'
        for signal in TERM INT HUP KILL; do
            # (A background job of a shell without job control ignores INT.)
            setpriv --pdeathsig KILL env --default-signal=INT gb binfmt check --deep s390x --timeout 3000 >/dev/null 2>&1 & check=$!
            until [ \"$(pgrep --count sleep)\" = 2 ]; do :; done
            kill -$signal $check; wait $check || echo $?
            while pgrep sleep >/dev/null || ls -d /tmp/gb-deep-* >/dev/null 2>&1; do :; done
        done
        pgrep gb || ls -A /tmp"
    );
    ensure_eq!(private(lab, &script)?.ok()?, "143\n130\n129\n137\nemulator\n");
    Ok(())
}
