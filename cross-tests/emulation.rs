//! What `gb run` says about emulation (GB_BINFMT), in a registry of the test's own.

use crate::binfmt::private_in;
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Output;
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    vec![
        case("gb run says in one line that a target's programs do not run, and starts the command", warns),
        case("gb run with GB_BINFMT=require refuses to start where a target's programs do not run", requires),
        case("gb run says nothing where a target's programs run, or where there are none", is_silent),
        case("gb run waits two seconds for an emulator that hangs, and ends it", hangs),
        case("gb run as PID 1 looks without a trace for its command", as_pid_1),
        case("gb env and gb run --dry-run say that gb run will look, and do not", shows),
    ]
}

fn run(lab: &Lab, script: &str) -> Result<Output, libtest_mimic::Failed> {
    private_in(lab.container(), &format!("export RUN_AS_ROOT=true GOARCH=s390x\n{script}"))
}

/// docs/compat.md: emulation
fn warns(lab: &Lab) -> Verdict {
    let output = run(
        lab,
        r#"gb run sh -c 'echo out; exit 3' || echo $?
        printf '#!/bin/sh\nkill -SEGV $$\n' >/tmp/crash; chmod 755 /tmp/crash; entry s /tmp/crash ''
        entrypoint.sh echo out
        GB_BINFMT= PATH=/usr/local/bin:/bin gb run echo out
        env --ignore-signal=CHLD gb run echo out
        # The look is the user's, who has no more of it than root.
        echo -1 >$registry/s; entry s $qemu F; chmod 700 /usr/bin/qemu-s390x; gb run echo out"#,
    )?;
    ensure_eq!(output.text()?, "out\n3\nout\nout\nout\nout\n");
    let lines: Vec<_> = output.stderr.lines().collect();
    let rest = "; GB_BINFMT=off to hear nothing of it)";
    let crash = "its emulator is killed by signal 11 (";
    let expected = ["the kernel has no entry for it (", crash, crash, crash];
    ensure_eq!(lines.len(), expected.len());
    for (line, why) in lines.iter().zip(expected) {
        let start = format!("gb: run programs of linux/s390x: {why}");
        ensure!(line.starts_with(&start) && line.ends_with(rest), "{start}: {output}");
        // An emulator that the kernel starts, go test and go run use as well.
        ensure_eq!(line.contains("; go test and go run need it not"), why != crash);
    }
    Ok(())
}

fn requires(lab: &Lab) -> Verdict {
    let output = run(
        lab,
        "export GB_BINFMT=require
        code=0; gb run echo started || code=$?; echo $code
        GOARCH=amd64 gb run echo native; GOOS=windows GOARCH=amd64 gb run echo windows
        entry s $qemu F; gb run echo started
        code=0; GB_BINFMT=requires gb run touch /tmp/started || code=$?; echo $code; test ! -e /tmp/started",
    )?;
    ensure!(output.status == Some(0), "{output}");
    ensure_eq!(output.text()?, "125\nnative\nwindows\nstarted\n125\n");
    let lines: Vec<_> = output.stderr.lines().collect();
    let [refusal, mistake] = lines[..] else { return Err(output.failed("two lines were to come")) };
    let start = "gb: run programs of linux/s390x: the kernel has no entry for it (";
    let end = "; GB_BINFMT=warn for a build that runs none)";
    ensure!(refusal.starts_with(start) && refusal.ends_with(end), "{output}");
    ensure_eq!(
        mistake,
        "gb: GB_BINFMT=requires: neither warn nor require nor off (off does not look whether the target's programs run)"
    );
    Ok(())
}

fn is_silent(lab: &Lab) -> Verdict {
    let output = run(
        lab,
        "GB_BINFMT=off gb run echo off; GOARCH=amd64 gb run echo native; GOARCH=386 gb run echo the machine runs it
        GOOS=windows GOARCH=amd64 gb run echo windows; GOOS=darwin GOARCH=arm64 gb run echo darwin
        entry s $qemu POCF; gb run echo emulated
        # Not as well as it could be, but they run.
        echo -1 >$registry/s; cp $qemu /tmp/stale; entry s /tmp/stale F; rm /tmp/stale; gb run echo stale",
    )?;
    ensure_eq!(output.text()?, "off\nnative\nthe machine runs it\nwindows\ndarwin\nemulated\nstale\n");
    ensure_eq!(output.stderr, "");
    Ok(())
}

/// A handler that never ends, and starts something that never ends either.
const HANGING: &str = r"printf '#!/bin/sh\nsleep infinity & wait\n' >/tmp/hang; chmod 755 /tmp/hang; entry s /tmp/hang ''
";

fn hangs(lab: &Lab) -> Verdict {
    let script = format!(
        "{HANGING} start=$(date +%s%N); gb run true; took=$(($(date +%s%N) - start)); [ $took -ge 1900000000 ]; pgrep -c sleep || true
        # Whoever ends gb ends what it waits for. (The shell's own wait is what tells that gb has ended.)
        GB_BINFMT=require gb run true & gb=$!; until pgrep -f '^/bin/sh /tmp/hang' >/dev/null; do :; done
        kill $gb; wait $gb || true; until ! pgrep -f '^/bin/sh /tmp/hang' >/dev/null; do :; done; echo gone"
    );
    let output = run(lab, &script)?;
    ensure_eq!(output.text()?, "0\ngone\n");
    ensure!(output.stderr.contains("linux/s390x: its emulator has not answered within 2 s ("), "{output}");
    ensure_eq!(output.stderr.lines().filter(|line| line.starts_with("gb: ")).count(), 1);
    Ok(())
}

fn as_pid_1(lab: &Lab) -> Verdict {
    let script = format!(
        "as_pid_1() {{ unshare --pid --fork --mount-proc --kill-child \"$@\"; }}
        # Nobody but init and the command (once init has reaped what was orphaned), which leads its session and has no signal blocked or waiting.
        look='until set -- /proc/[0-9]*; [ $# = 2 ]; do :; done; echo $# $(grep -E \"^(SigQ|SigPnd|ShdPnd|SigBlk)\" /proc/self/status | cut -f2 | tr \"\\n\" \" \" | sed \"s,/.*,,;s,^0$,0,\")'
        as_pid_1 gb run sh -c \"$look\" 2>/dev/null >/tmp/without; GB_BINFMT=off as_pid_1 gb run sh -c \"$look\" >/tmp/off
        entry s $qemu F; as_pid_1 gb run sh -c \"$look\" >/tmp/with
        echo -1 >$registry/s; {HANGING} as_pid_1 gb run sh -c \"$look\" >/tmp/hung 2>/tmp/said; echo -1 >$registry/s
        for each in without with hung; do cmp /tmp/off /tmp/$each; done; grep -c 'has not answered' /tmp/said
        code=0; as_pid_1 gb run sh -c 'exit 5' 2>/dev/null || code=$?; echo $code
        code=0; as_pid_1 gb run sh -c 'kill -TERM 1; sleep infinity' 2>/dev/null || code=$?; echo $code
        GB_INIT=0 as_pid_1 gb run sh -c 'set -- /proc/[0-9]*; echo $$ $#' 2>/dev/null"
    );
    ensure_eq!(run(lab, &script)?.text()?, "1\n5\n143\n1 1\n");
    Ok(())
}

fn shows(lab: &Lab) -> Verdict {
    let script = r#"
        gb env | grep emulation; gb run --dry-run true | grep emulation
        GB_BINFMT=require gb env --json | jq -r '.notes[] | select(startswith("emulation"))'
        GB_BINFMT=x gb env | grep emulation; GB_BINFMT=off gb env | grep emulation || GOARCH=amd64 gb env | grep emulation || echo none
        code=0; GB_BINFMT=x gb run --dry-run true 2>/dev/null || code=$?; echo $code"#;
    let output = run(lab, script)?;
    let text = output.text()?;
    let lines: Vec<_> = text.lines().collect();
    let will = "emulation: gb run tries whether programs of linux/s390x run here, and";
    let warns = format!("# {will} says so if they do not (GB_BINFMT=warn)");
    ensure_eq!(
        lines,
        [
            &warns,
            &warns,
            &format!("{will} refuses to start if they do not (GB_BINFMT=require)"),
            "# emulation: GB_BINFMT=x: neither warn nor require nor off (off does not look whether the target's programs run)",
            "none",
            "125"
        ]
    );
    ensure_eq!(output.stderr, "");
    Ok(())
}
