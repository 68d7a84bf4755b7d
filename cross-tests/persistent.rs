//! Registrations that last: what `gb binfmt export` prints, taken by the kernel, by the real systemd-binfmt and the real
//! update-binfmts, makes the entries that `gb binfmt register` makes; and `--keep` brings back what was lost.

use crate::binfmt::private_in;
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Output};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    vec![
        case("gb binfmt export --systemd prints the bytes that register writes", kernel),
        Case::new("systemd-binfmt makes the entries of gb binfmt export --systemd", Needs::ArmImage, systemd),
        Case::new("update-binfmts makes the entries of gb binfmt export --debian", Needs::ArmImage, debian),
        case("gb binfmt export refuses what would overwrite another's file, and what has no form", refuses),
        case(
            "gb binfmt register --keep brings back what was lost, tells of it once, and ends at once",
            keeps,
        ),
        case("gb binfmt register --keep works as PID 1", keeps_as_pid_1),
        case("the DaemonSet's command registers what its probe then finds", daemonset),
    ]
}

fn run(container: Container, script: &str) -> Result<Output, libtest_mimic::Failed> {
    // What there is of gb's, in the order of names; and nothing of it.
    let words = r#"
        entries() { for each in $registry/qemu-*; do echo "$each"; cat "$each"; done; }
        flush() { for each in $registry/*-*; do [ ! -e "$each" ] || echo -1 >"$each"; done; }
        "#;
    private_in(container, &format!("{words}{script}"))
}

fn kernel(lab: &Lab) -> Verdict {
    let script = r#"
        for flags in '' --flags=F --flags=P --flags=; do
            gb binfmt register $flags >&2 || true; entries >/tmp/registered; flush
            gb binfmt export --systemd $flags >/tmp/conf
            while read -r line; do printf '%s' "$line" >$registry/register; done </tmp/conf
            entries | cmp - /tmp/registered; grep -c qemu- /tmp/conf; flush
        done"#;
    ensure_eq!(run(Container::new(&lab.image), script)?.text()?, "5\n5\n5\n5\n");
    Ok(())
}

fn systemd(lab: &Lab) -> Verdict {
    let script = r#"
        gb binfmt register >&2; entries >/tmp/registered
        gb binfmt export --systemd --output /etc/binfmt.d
        # As at the start of the system: without arguments it removes what there is.
        /usr/lib/systemd/systemd-binfmt; entries | cmp - /tmp/registered
        rm /etc/binfmt.d/*; gb binfmt export --systemd >/etc/binfmt.d/gb.conf
        /usr/lib/systemd/systemd-binfmt; entries | cmp - /tmp/registered"#;
    let names = ["aarch64", "arm", "ppc64le", "riscv64", "s390x"];
    let text = run(lab.arm_container()?, script)?.ok()?;
    let mut found: Vec<_> = text.lines().collect();
    found.sort_unstable();
    ensure_eq!(found, names.map(|name| format!("/etc/binfmt.d/qemu-{name}.conf")));
    Ok(())
}

fn debian(lab: &Lab) -> Verdict {
    let script = r#"
        gb binfmt register >&2; entries >/tmp/registered; flush
        gb binfmt export --debian --output /usr/share/binfmts | sort
        update-binfmts --import >&2; entries | cmp - /tmp/registered
        update-binfmts --disable qemu-s390x >&2; test ! -e $registry/qemu-s390x
        update-binfmts --enable qemu-s390x >&2; entries | cmp - /tmp/registered
        gb binfmt check s390x -q"#;
    let names = ["aarch64", "arm", "ppc64le", "riscv64", "s390x"];
    let text = run(lab.arm_container()?, script)?.ok()?;
    ensure_eq!(text.lines().collect::<Vec<_>>(), names.map(|name| format!("/usr/share/binfmts/qemu-{name}")));
    Ok(())
}

fn refuses(lab: &Lab) -> Verdict {
    let script = r#"
        mkdir /tmp/d; gb binfmt export --debian s390x --output /tmp/d; gb binfmt export --debian s390x --output /tmp/d
        echo other >/tmp/d/qemu-aarch64
        for words in '--debian --output /tmp/d' --debian '--debian s390x --flags OF' '--systemd mips' '' '--systemd --debian' \
            '--daemonset --image a,b' '--systemd --qemu /nowhere' '--systemd amd64' '--systemd --mount'; do
            code=0; gb binfmt export $words || code=$?; echo $code
        done; ls /tmp/d"#;
    let output = run(Container::new(&lab.image), script)?;
    let there = "/tmp/d/qemu-s390x\n";
    ensure_eq!(output.text()?, format!("{there}{there}{}qemu-aarch64\nqemu-s390x\n", "125\n".repeat(10)));
    let expected = [
        "/tmp/d/qemu-aarch64 is there, and is another (remove it",
        "a file for each architecture (--output DIR)",
        "binfmt-support has no flag O without C",
        "linux/mips: no qemu-mips in ",
        "--systemd|--debian|--daemonset",
        "cannot be used with",
        "\"a,b\" is no image's name",
        "there are no emulators in PATH",
        "this machine runs linux/amd64 itself",
        "--image and --mount are the DaemonSet's",
    ];
    let lines: Vec<_> = output.stderr.lines().collect();
    ensure_eq!(lines.len(), expected.len());
    for (line, words) in lines.iter().zip(expected) {
        ensure!(line.starts_with("gb: ") && line.contains(words), "{words}: {output}");
    }
    Ok(())
}

/// Waits until a line of the log has these words so often.
const TELLS: &str = "tells() { until [ \"$(grep -c \"$1\" /tmp/log)\" = $2 ]; do :; done; }
    touch /tmp/log
";

fn keeps(lab: &Lab) -> Verdict {
    let script = format!(
        "{TELLS} gb binfmt register --keep 1 s390x arm 2>/tmp/log & keeper=$!
        tells 'looks every 1 s' 1
        echo -1 >$registry/status; tells 'linux/s390x: registered' 2; tells 'linux/arm: registered' 2
        # Not what works, whoever it is of; and what can't be told of twice is told of once.
        echo -1 >$registry/qemu-s390x; entry mine $qemu F; echo 0 >$registry/status; tells 'switched off' 1
        echo 1 >$registry/status; echo -1 >$registry/qemu-arm; tells 'linux/arm: registered' 3
        kill -TERM $keeper; code=0; wait $keeper || code=$?; echo $code
        ls $registry; grep -c '^gb: ' /tmp/log
        for signal in INT HUP; do
            env --default-signal=$signal gb binfmt register --keep 86400 s390x 2>/tmp/log & keeper=$!
            tells 'looks every' 1; kill -$signal $keeper; wait $keeper; : >/tmp/log
        done
        code=0; gb binfmt register --keep 0 s390x 2>&1 || code=$?; gb binfmt register --keep 9 s390x --dry-run 2>&1 || echo $code $?
        code=0; gb binfmt register --keep 9 --dir /tmp s390x || code=$?; echo $code"
    );
    let output = run(Container::new(&lab.image), &script)?;
    let text = output.text()?;
    let (first, rest) = text.split_at(text.find("7\n").ok_or_else(|| output.failed("no count"))?);
    ensure_eq!(first, "0\nmine\nqemu-arm\nregister\nstatus\n");
    ensure!(rest.ends_with("125 125\n125\n"), "{output}");
    Ok(())
}

fn keeps_as_pid_1(lab: &Lab) -> Verdict {
    let script = format!(
        "{TELLS} unshare --pid --fork --mount-proc --kill-child env GOARCH=s390x gb binfmt register --dir /b --keep 1 s390x 2>/tmp/log & outer=$!
        tells 'looks every 1 s' 1; echo -1 >$registry/qemu-s390x; tells 'linux/s390x: registered' 2
        # (--mount-proc hides what is mounted in /proc, so the keeper has it at another place.)
        kill -TERM $(cat /proc/$outer/task/$outer/children); code=0; wait $outer || code=$?; echo $code; ls $registry"
    );
    let output = run(Container::new(&lab.image), &format!("mkdir /b; mount --bind $registry /b\n{script}"))?;
    ensure_eq!(output.text()?, "0\nqemu-s390x\nregister\nstatus\n");
    Ok(())
}

fn daemonset(lab: &Lab) -> Verdict {
    let script = format!(
        r#"{TELLS}
        export LC_ALL=C.UTF-8
        gb binfmt export --daemonset s390x arm64 --flags F >/tmp/set.yaml
        pod='.spec.template.spec' container='.spec.template.spec.containers[0]'
        yq -r "$pod.nodeSelector[\"kubernetes.io/arch\"], $container.image, $container.securityContext.capabilities.drop[0], $pod.hostPID" /tmp/set.yaml
        gb binfmt export --daemonset --mount --image one/two:3 | yq -r "$container.image, $container.securityContext.privileged, $pod.hostPID"
        gb binfmt export --daemonset | yq -r "[$container.args[] | select(. == \"mips\" or . == \"amd64\")] | join(\" \")"
        mkdir /binfmt_misc; mount --bind $registry /binfmt_misc
        $(yq -r "[$container.command[], $container.args[]] | join(\" \")" /tmp/set.yaml) 2>/tmp/log & keeper=$!
        tells 'looks every 60 s' 1; $(yq -r "$container.readinessProbe.exec.command | join(\" \")" /tmp/set.yaml)
        kill $keeper; wait $keeper; grep -h flags: $registry/qemu-*"#
    );
    let output = run(Container::new(&lab.image), &script)?;
    let text = output.text()?;
    let (image, rest) = text.split_once("\nALL\n").ok_or_else(|| output.failed("no rights"))?;
    ensure!(image.starts_with("amd64\ncalico/binfmt:qemu-v"), "{output}");
    ensure_eq!(rest, "null\none/two:3\ntrue\ntrue\nmips\nflags: F\nflags: F\n");
    Ok(())
}
