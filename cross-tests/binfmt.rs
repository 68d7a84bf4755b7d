//! Emulation as it is, on the real kernel, in a registry of the test's own: a user namespace that mounts binfmt_misc has one
//! from Linux 6.7 on, so that nothing of the machine's is touched.

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Output};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    vec![
        case("gb binfmt register lets the kernel run every target, and says so when asked again", registers),
        case("gb binfmt register replaces an entry that does not work, and leaves one that does", replaces),
        case("gb binfmt unregister goes by what an entry matches, and leaves other handlers", unregisters),
        case(
            "gb binfmt register refuses an emulator that would not run in containers, and writes nothing",
            refuses,
        ),
        case("gb binfmt never mounts a registry in a user namespace", never_mounts),
        case("gb binfmt check needs no /proc entries, no root and no writable disk", check_is_unprivileged),
        case("gb binfmt list shows every entry, and what the kernel does for each platform", lists),
        case("gb binfmt check --wait goes on as soon as there is an emulator", waits),
    ]
}

/// Before each script: a registry of its own, and words to write to it.
const PRELUDE: &str = r#"
mount -t proc proc /proc
mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc
registry=/proc/sys/fs/binfmt_misc
magic='\x7f\x45\x4c\x46\x02\x02\x01\x00\x00\x00\x00\x00\x00\x00\x00\x00\x00\x02\x00\x16'
mask='\xff\xff\xff\xff\xff\xff\xff\x00\xff\xff\xff\xff\xff\xff\xff\xff\xff\xfe\xff\xff'
# entry NAME INTERPRETER FLAGS [MASK]: one for s390x
entry() { printf '%s' ":$1:M::$magic:${4-$mask}:$2:$3" >$registry/register; }
qemu=/usr/bin/qemu-s390x-static
"#;

/// A container in which a user namespace may be made, and mounted in.
pub fn may_mount(container: Container) -> Container {
    container
        .option("--cap-add=SYS_ADMIN")
        .option("--security-opt=seccomp=unconfined")
        .option("--security-opt=apparmor=unconfined")
        .option("--security-opt=systempaths=unconfined")
}

/// Runs a script as root of a user namespace that has a registry of its own.
pub fn private(lab: &Lab, script: &str) -> Result<Output, libtest_mimic::Failed> {
    private_in(Container::new(&lab.image), script)
}

/// The same in a container that has more than the image.
pub fn private_in(container: Container, script: &str) -> Result<Output, libtest_mimic::Failed> {
    let script = format!("{PRELUDE}\n{script}");
    may_mount(container)
        .env("SCRIPT", &script)
        .bare_sh(r#"exec unshare --user --map-root-user --mount --pid --fork --kill-child sh -euc "$SCRIPT""#)
}

fn registers(lab: &Lab) -> Verdict {
    let output = private(
        lab,
        "gb binfmt register; echo again; gb binfmt register arm64 s390x
        gb binfmt check --require F,C,P arm arm64 ppc64le riscv64 s390x >&2",
    )?;
    let text = output.text()?;
    for target in ["arm", "arm64", "ppc64le", "riscv64", "s390x"] {
        ensure!(text.contains(&format!("linux/{target}: registered /usr/bin/qemu-")), "{target}: {output}");
    }
    let (_, again) = text.split_once("again\n").ok_or("again")?;
    ensure!(
        again.contains("linux/s390x: stays: /usr/bin/qemu-s390x") && !again.contains("registered"),
        "{output}"
    );
    ensure!(output.stderr.matches(": runs: ").count() == 5, "{output}");
    Ok(())
}

fn replaces(lab: &Lab) -> Verdict {
    let script = "entry qemu-s390x /nowhere ''; entry other $qemu F
        gb binfmt register s390x; echo 0 >$registry/other
        gb binfmt register s390x; cat $registry/qemu-s390x; ls $registry";
    let text = private(lab, script)?.ok()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(lines[0].starts_with("linux/s390x: stays: "), "{text}");
    ensure_eq!(lines[1], "linux/s390x: registered /usr/bin/qemu-s390x-static as qemu-s390x, flags POCF");
    ensure!(text.contains("interpreter /usr/bin/qemu-s390x-static\nflags: POCF\n"), "{text}");
    ensure!(!text.contains(".gb") && text.contains("\nother\n"), "{text}");
    Ok(())
}

fn unregisters(lab: &Lab) -> Verdict {
    let script = "entry odd $qemu F; entry rosetta /usr/bin/true ''; printf '%s' ':WSLInterop:M::MZ::/init:PF' >$registry/register || true
        printf '%s' ':jar:E::jar::/usr/bin/true:' >$registry/register
        gb binfmt unregister s390x --dry-run; gb binfmt unregister --all; ls $registry";
    let text = private(lab, script)?.ok()?;
    ensure_eq!(text, "linux/s390x: remove odd\nlinux/s390x: remove odd\njar\nregister\nrosetta\nstatus\n");
    Ok(())
}

fn refuses(lab: &Lab) -> Verdict {
    let script = "mkdir /tmp/q; cp /usr/bin/true /tmp/q/qemu-s390x; code=0
        gb binfmt register s390x --qemu /tmp/q || code=$?; echo $code
        chmod 644 /tmp/q/qemu-s390x; gb binfmt register s390x --qemu /tmp/q || true
        gb binfmt register s390x --qemu /nowhere || true
        gb binfmt register s390x --flags X || true
        gb binfmt register amd46 || true
        ls $registry";
    let output = private(lab, script)?;
    ensure_eq!(output.text()?, "125\nregister\nstatus\n");
    let lines: Vec<_> = output.stderr.lines().collect();
    let expected = [
        "/tmp/q/qemu-s390x: it is not static, so it would not run in containers",
        "/tmp/q/qemu-s390x: it may not be run",
        "no qemu-s390x in /nowhere",
        "X: the flags are F, C, P and O",
        "did you mean amd64",
    ];
    ensure!(lines.len() == expected.len(), "{output}");
    for (line, words) in lines.iter().zip(expected) {
        ensure!(line.starts_with("gb: ") && line.contains(words), "{words}: {output}");
    }
    Ok(())
}

fn never_mounts(lab: &Lab) -> Verdict {
    let script = "umount $registry; before=$(cat /proc/self/mountinfo)
        code=0; gb binfmt register s390x || code=$?; echo $code
        gb binfmt check s390x >/dev/null || true; gb binfmt list || true
        [ \"$before\" = \"$(cat /proc/self/mountinfo)\" ] && echo same";
    let output = private(lab, script)?;
    ensure_eq!(output.text()?, "125\nsame\n");
    ensure!(output.stderr.contains("not in a user namespace"), "{output}");
    Ok(())
}

fn check_is_unprivileged(lab: &Lab) -> Verdict {
    let container = Container::new(&lab.image).option("--read-only").option("--cap-drop=ALL");
    for user in ["0", "1000", "2147483647:5"] {
        let run = container.clone().user(user).env("RUN_AS_ROOT", "true");
        let text = run.run(&["gb", "binfmt", "check", "amd64"])?.ok()?;
        ensure_eq!(text, "linux/amd64: runs: this machine runs it itself\n");
    }
    Ok(())
}

fn lists(lab: &Lab) -> Verdict {
    let script = "entry s $qemu POCF; printf '%s' ':jar:E::jar::/usr/bin/true:' >$registry/register
        gb binfmt list; gb binfmt list --json | jq -r '.entries[].name, .platforms[12].entry'";
    let text = private(lab, script)?.ok()?;
    let lines: Vec<_> = text.lines().collect();
    ensure_eq!(
        lines[..2],
        [
            "jar: *.jar, whatever is in it, by /usr/bin/true, no flags",
            "s: linux/s390x, by /usr/bin/qemu-s390x-static, flags POCF"
        ]
    );
    ensure_eq!(lines.len(), 2 + 13 + 3);
    ensure!(
        lines.contains(&"linux/s390x goes to s") && lines.contains(&"linux/amd64 is this machine's own"),
        "{text}"
    );
    ensure_eq!(lines[15..], ["jar", "s", "s"]);
    Ok(())
}

fn waits(lab: &Lab) -> Verdict {
    let script = "gb binfmt check s390x --wait 600 & check=$!
        # It has looked once, at least.
        until [ -n \"$(cat /proc/$check/task/$check/children 2>/dev/null)\" ] || grep -q nanosleep /proc/$check/wchan 2>/dev/null; do :; done
        entry s $qemu POCF; wait $check";
    ensure!(private(lab, script)?.ok()?.starts_with("linux/s390x: runs: "), "it was to run");
    Ok(())
}
