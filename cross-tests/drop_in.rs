//! The lines that people run today with tonistiigi/binfmt, calico/binfmt and multiarch/qemu-user-static, on the real kernel in a
//! registry of the test's own; and calico/binfmt by the real engine, with this machine's.

use std::path::{Path, PathBuf};
use std::process::Command;

use gb::platform::PLATFORMS;
use libtest_mimic::Failed;
use nix::fcntl::{Flock, FlockArg};

use crate::binfmt::{may_mount, private, private_in};
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Output, docker, export};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let image = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::BinfmtImage, check);
    let mut cases: Vec<_> =
        ROWS.iter().map(|row| Case::new(row.name(), Needs::Image, |lab| row.check(lab))).collect();
    cases.extend([
        Case::new(
            "a registration in a container's own mount is not called done when the host forgets it",
            Needs::Image,
            lost,
        ),
        Case::new(
            "with --pid=host a registration mounts binfmt_misc on the host, and outlives its container",
            Needs::Image,
            mounted_on_host,
        ),
        image(
            "docker/setup-qemu-action gets what it parses from calico/binfmt, call by call",
            setup_qemu_action,
        ),
        image("calico/binfmt runs a Go program of every port, in a root that has no emulator", every_port),
        image(
            "calico/binfmt registers with this machine's kernel without privileges, and unregisters",
            this_machine,
        ),
        image("calico/binfmt says without any privilege which platforms run", unprivileged),
        image("calico/binfmt is gb, emulators and licences", contents),
    ]);
    cases
}

/// A line, and what becomes of it.
struct Row {
    /// What is different from the original, as docs/compat.md calls it.
    id: &'static str,
    /// Makes the registry as it is before.
    setup: &'static str,
    /// The words after `gb binfmt`, as a shell reads them; variables may come before.
    line: &'static str,
    code: i32,
    /// Words on standard error, in this order.
    says: &'static [&'static str],
    /// The entries afterwards: name, interpreter, flags.
    entries: &'static str,
}

const NO_ENTRY: &str = "";
const OURS: &str = "qemu-s390x /usr/bin/qemu-s390x POCF\n";
const FOREIGN: &str = "printf ':WSLInterop:M::MZ::/usr/bin/true:PF' >$registry/register
    printf ':jar:E::jar::/usr/bin/true:' >$registry/register; entry rosetta /usr/bin/true ''";
const FOREIGN_ENTRIES: &str = "WSLInterop /usr/bin/true PF\njar /usr/bin/true \nrosetta /usr/bin/true \n";

const ROWS: [Row; 29] = [
    Row {
        id: "",
        setup: "",
        line: "--install s390x",
        code: 0,
        says: &["installing: s390x OK"],
        entries: OURS,
    },
    Row {
        id: "",
        setup: "",
        line: "-install=linux/s390x",
        code: 0,
        says: &["installing: s390x OK"],
        entries: OURS,
    },
    Row {
        id: "",
        setup: "",
        line: "--install arm64,s390x",
        code: 0,
        says: &["installing: arm64 OK", "installing: s390x OK"],
        entries: "qemu-aarch64 /usr/bin/qemu-aarch64 POCF\nqemu-s390x /usr/bin/qemu-s390x POCF\n",
    },
    Row {
        id: "",
        setup: "",
        line: "--install linux/arm/v7",
        code: 0,
        says: &["installing: arm OK"],
        entries: "qemu-arm /usr/bin/qemu-arm POCF\n",
    },
    Row {
        id: "",
        setup: "entry qemu-s390x $qemu POCF",
        line: "--uninstall 'qemu-*'",
        code: 0,
        says: &["uninstalling: qemu-s390x OK"],
        entries: NO_ENTRY,
    },
    Row {
        id: "",
        setup: "",
        line: "--uninstall 'qemu-*'",
        code: 0,
        says: &["uninstalling: qemu-* not found"],
        entries: NO_ENTRY,
    },
    Row {
        id: "",
        setup: "mkdir /tmp/q; cp $qemu /tmp/q/my-qemu-s390x",
        line: "QEMU_BINARY_PATH=/tmp/q QEMU_BINARY_PREFIX=my- --install s390x",
        code: 0,
        says: &["installing: s390x OK"],
        entries: "my-qemu-s390x /tmp/q/my-qemu-s390x POCF\n",
    },
    Row {
        id: "binfmt-argv0",
        setup: "",
        line: "QEMU_PRESERVE_ARGV0= --install s390x",
        code: 0,
        says: &["installing: s390x OK"],
        entries: "qemu-s390x /usr/bin/qemu-s390x OCF\n",
    },
    Row {
        id: "binfmt-version",
        setup: "",
        line: "--version",
        code: 0,
        says: &["binfmt/gb-", " qemu/v"],
        entries: NO_ENTRY,
    },
    Row {
        id: "binfmt-exit",
        setup: "",
        line: "--install vax,s390x",
        code: 1,
        says: &["installing: s390x OK", "installing: vax unsupported architecture: vax"],
        entries: OURS,
    },
    Row {
        id: "binfmt-exit",
        setup: "",
        line: "GB_BINFMT_COMPAT_EXIT=0 --install vax",
        code: 0,
        says: &["installing: vax unsupported architecture: vax"],
        entries: NO_ENTRY,
    },
    Row {
        id: "binfmt-exit",
        setup: "echo 0 >$registry/status",
        line: "--install s390x",
        code: 125,
        says: &["gb: ", "all entries are switched off"],
        entries: NO_ENTRY,
    },
    Row {
        id: "binfmt-exit",
        setup: "",
        line: "QEMU_BINARY_PATH=/nowhere --install all",
        code: 125,
        says: &["there are no emulators in /nowhere"],
        entries: NO_ENTRY,
    },
    Row {
        id: "binfmt-replaces",
        setup: "entry qemu-s390x /nowhere/qemu-s390x ''",
        line: "--install s390x",
        code: 0,
        says: &["installing: s390x OK"],
        entries: OURS,
    },
    Row {
        id: "binfmt-replaces",
        setup: "cp $qemu /tmp/old; entry qemu-s390x /tmp/old POCF; rm /tmp/old",
        line: "--install s390x",
        code: 0,
        says: &["installing: s390x OK"],
        entries: OURS,
    },
    Row {
        id: "binfmt-replaces",
        setup: "entry qemu-s390x $qemu ''",
        line: "--install s390x",
        code: 0,
        says: &["installing: s390x OK"],
        entries: OURS,
    },
    Row {
        id: "binfmt-replaces",
        setup: "entry mine $qemu F",
        line: "--install s390x",
        code: 0,
        says: &["installing: s390x runs already: /usr/bin/qemu-s390x runs it"],
        entries: "mine /usr/bin/qemu-s390x-static F\n",
    },
    Row {
        id: "binfmt-native",
        setup: "",
        line: "--install $(uname -m)",
        code: 0,
        says: &[" runs already: this machine runs it itself"],
        entries: NO_ENTRY,
    },
    Row {
        id: "binfmt-foreign",
        setup: FOREIGN,
        line: "--uninstall '*'",
        code: 0,
        says: &["WSLInterop stays: it is no emulator of QEMU's"],
        entries: FOREIGN_ENTRIES,
    },
    Row {
        id: "binfmt-foreign",
        setup: FOREIGN,
        line: "--uninstall jar",
        code: 1,
        says: &["uninstalling: jar stays"],
        entries: FOREIGN_ENTRIES,
    },
    Row {
        id: "binfmt-foreign",
        setup: FOREIGN,
        line: "--reset -p yes >/dev/null; gb binfmt unregister --all >/dev/null; gb binfmt --uninstall 'qemu-*'",
        code: 0,
        says: &[],
        entries: FOREIGN_ENTRIES,
    },
    Row {
        id: "binfmt-uninstall",
        setup: "entry mine $qemu F; entry qemu-s390x $qemu F",
        line: "--uninstall linux/s390x",
        code: 0,
        says: &["uninstalling: qemu-s390x OK", "uninstalling: mine OK"],
        entries: NO_ENTRY,
    },
    Row {
        id: "binfmt-words",
        setup: "",
        line: "--install arm64 s390x",
        code: 125,
        says: &["s390x: nothing asks for it (several architectures are one word: --install arm64,s390x)"],
        entries: NO_ENTRY,
    },
    Row {
        id: "binfmt-flags",
        setup: "",
        line: "--reset && ls $registry | grep -c qemu- && gb binfmt unregister arm arm64 ppc64le riscv64",
        code: 0,
        says: &[],
        entries: OURS,
    },
    Row {
        id: "binfmt-flags",
        setup: "",
        line: "register --reset -p no -c no && gb binfmt unregister arm arm64 ppc64le riscv64",
        code: 0,
        says: &["every container needs these emulators itself"],
        entries: "qemu-s390x /usr/bin/qemu-s390x-static P\n",
    },
    Row {
        id: "binfmt-reset",
        setup: "entry qemu-sparc64 $qemu F; entry qemu-s390x /nowhere ''; entry qemu-m68k $qemu F",
        line: "--reset --persistent yes --credential yes && gb binfmt unregister arm arm64 ppc64le riscv64",
        code: 0,
        says: &[],
        entries: OURS,
    },
    Row {
        id: "binfmt-files",
        setup: "",
        line: "--systemd ALL",
        code: 125,
        says: &["--systemd writes files for another program"],
        entries: NO_ENTRY,
    },
    Row {
        id: "binfmt-absent-emulator",
        setup: "",
        line: "--reset -p no --qemu-path /nowhere",
        code: 125,
        says: &["there are no emulators in /nowhere"],
        entries: NO_ENTRY,
    },
    Row { id: "binfmt-no-words", setup: "", line: "", code: 0, says: &[], entries: NO_ENTRY },
];

impl Row {
    fn name(&self) -> String {
        let before = if self.setup.is_empty() { String::new() } else { format!(" (after: {})", self.setup) };
        let id = if self.id.is_empty() { String::new() } else { format!(", docs/compat.md: {}", self.id) };
        let name = format!("gb binfmt {}{before}{id}", self.line);
        name.split_whitespace().collect::<Vec<_>>().join(" ")
    }

    fn check(&self, lab: &Lab) -> Verdict {
        let is_variable = |word: &&str| word.contains('=') && !word.starts_with('-');
        let variables: Vec<_> = self.line.split(' ').take_while(is_variable).collect();
        let words = self.line.split(' ').skip(variables.len()).collect::<Vec<_>>().join(" ");
        let script = format!(
            "{setup}
            code=0; {variables} gb binfmt {words} || code=$?
            for entry in $(ls $registry | grep -v -x -e status -e register); do
                echo \"entry $entry $(sed -n 's/^interpreter //p' $registry/$entry) $(sed -n 's/^flags: //p' $registry/$entry)\"
            done
            echo code $code",
            setup = self.setup,
            variables = variables.join(" "),
        );
        let output = private(lab, &script)?;
        let text = output.text()?;
        let lines = |prefix: &str| -> String {
            text.lines()
                .filter_map(|line| line.strip_prefix(prefix))
                .map(|line| format!("{line}\n"))
                .collect()
        };
        ensure!(lines("code ") == format!("{}\n", self.code), "{output}");
        ensure!(lines("entry ") == self.entries, "{output}");
        let mut rest = output.stderr.as_str();
        for words in self.says {
            let (_, after) =
                rest.split_once(words).ok_or_else(|| output.failed(&format!("{words:?} was to come")))?;
            rest = after;
        }
        Ok(())
    }
}

/// The first user namespace as far as its map of ids tells, with a kernel's registry of its own and nothing mounted: a
/// machine whose host has never mounted binfmt_misc.
fn fresh_machine(lab: &Lab, script: &str) -> Result<Output, Failed> {
    let container = may_mount(Container::new(&lab.image));
    container.env("SCRIPT", &format!("mount -t proc proc /proc\n{script}")).bare_sh(
        r#"mkfifo /tmp/go
        unshare --user --mount --pid --fork --kill-child sh -euc 'read go </tmp/go; eval "$SCRIPT"' & parent=$!
        until child=$(pgrep -P $parent) && [ "$(readlink /proc/$child/ns/user)" != "$(readlink /proc/self/ns/user)" ]; do :; done
        echo 0 0 4294967295 >/proc/$child/uid_map
        echo 0 0 4294967295 >/proc/$child/gid_map
        echo >/tmp/go
        wait $parent"#,
    )
}

/// docs/compat.md: binfmt-proof
fn lost(lab: &Lab) -> Verdict {
    let script = "for line in '--install s390x' '--reset -p yes' 'register s390x'; do
            code=0; gb binfmt $line >/tmp/status || code=$?; echo $code
            if grep -q supported /tmp/status; then grep -c -e s390x /tmp/status || true; fi
        done
        gb binfmt check --quiet s390x >/dev/null || echo not there";
    let output = fresh_machine(lab, script)?;
    ensure_eq!(output.text()?, "1\n0\n1\n1\nnot there\n");
    let why = "s390x it was registered, and forgotten when the container's own mount of binfmt_misc went, because the host has none \
               (docker run --privileged --pid=host, or on the host: mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc)";
    ensure!(output.stderr.contains(why), "{output}");
    Ok(())
}

/// The first process's mounts are the host's, and the container has others.
/// docs/compat.md: binfmt-pid-host
fn mounted_on_host(lab: &Lab) -> Verdict {
    let script = "unshare --mount gb binfmt >/dev/null; ls /proc/sys/fs/binfmt_misc
        unshare --mount gb binfmt --install s390x >/dev/null
        gb binfmt check s390x --require F,C,P >&2
        gb binfmt unregister s390x; gb binfmt register s390x
        ls /proc/sys/fs/binfmt_misc; grep -c binfmt_misc /proc/self/mountinfo";
    let output = fresh_machine(lab, script)?;
    let expected = "linux/s390x: remove qemu-s390x\n\
                    linux/s390x: registered /usr/bin/qemu-s390x-static as qemu-s390x, flags POCF\nqemu-s390x\nregister\nstatus\n1\n";
    ensure_eq!(output.text()?, expected);
    Ok(())
}

/// The root of calico/binfmt, in a directory.
fn root_of_image(lab: &Lab, name: &str) -> Result<PathBuf, Failed> {
    let image = lab.binfmt_image()?;
    let dir = lab.dir(name)?;
    let tar = lab.dir(&format!("{name}-tar"))?.join("root.tar");
    export(image, &tar)?;
    let unpacked =
        Command::new("tar").arg("--extract").arg("--file").arg(&tar).arg("--directory").arg(&dir).status();
    match unpacked {
        Ok(status) if status.success() => {}
        other => return Err(format!("unpack {}: {other:?}", tar.display()).into()),
    }
    std::fs::remove_file(&tar).map_err(|error| format!("remove {}: {error}", tar.display()))?;
    Ok(dir)
}

/// Runs a script in a registry of its own, where `image` is what the image's entrypoint is.
fn with_image(root: &Path, container: Container, script: &str) -> Result<Output, Failed> {
    let script = format!(
        "mount --rbind /proc /binfmt/proc; mount --rbind /dev /binfmt/dev
        image() {{ PATH=/usr/bin /usr/sbin/chroot /binfmt /usr/bin/gb binfmt \"$@\"; }}
        {script}"
    );
    private_in(container.mount(root, "/binfmt"), &script)
}

/// The calls of its src/main.ts, in its order: version, uninstall (`reset: true`), install, and the status, of which
/// `JSON.parse(stdout.trim()).supported.join(',')` is made. Whatever is on standard error with a code that is not 0 ends it.
fn setup_qemu_action(lab: &Lab) -> Verdict {
    let root = root_of_image(lab, "binfmt-action")?;
    let script = "image --version
        image --uninstall 'qemu-*' | jq -r '.supported | join(\",\")'
        image --install all | jq -r '.emulators | length'
        image | jq -r '.supported | join(\",\")'
        image --uninstall 'qemu-*' | jq -r '.emulators | length'
        image --install arm64,riscv64,arm | jq -r '.emulators | join(\" \")'
        image --uninstall aarch64,riscv64 | jq -r '.emulators | join(\" \")'";
    let output = with_image(&root, Container::new(&lab.image), script)?;
    let text = output.text()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(output.status == Some(0) && lines.len() == 6, "{output}");
    ensure!(lines[0].starts_with("linux/amd64") && !lines[0].contains("arm64"), "{output}");
    for platform in [
        "linux/arm64",
        "linux/arm/v7",
        "linux/arm/v6",
        "linux/s390x",
        "linux/ppc64le",
        "linux/riscv64",
        "linux/loong64",
    ] {
        ensure!(lines[2].split(',').any(|found| found == platform), "{platform}: {output}");
    }
    ensure_eq!(lines[3..], ["0", "qemu-aarch64 qemu-arm qemu-riscv64", "qemu-arm"]);
    ensure!(output.stderr.contains("qemu/v") && output.stderr.contains("installing: arm64 OK"), "{output}");
    Ok(())
}

/// In an empty root, as the kernel has opened the emulators.
/// docs/compat.md: binfmt-all
fn every_port(lab: &Lab) -> Verdict {
    let root = root_of_image(lab, "binfmt-ports")?;
    let programs = lab.dir("binfmt-programs")?;
    let goarchs: Vec<_> = PLATFORMS.iter().map(|platform| platform.goarch).collect();
    let build = "cat >/tmp/port.go
        for goarch in $GOARCHS; do GOARCH= gb run -- env GOARCH=$goarch CGO_ENABLED=0 go build -o /out/$goarch /tmp/port.go; done";
    let source = "package main\nimport \"runtime\"\nfunc main() {\n\tdone := make(chan int)\n\
                  \tfor i := range 8 {\n\t\tgo func() { b := make([]byte, 1<<20); runtime.GC(); done <- i + len(b) }()\n\t}\n\
                  \tsum := 0\n\tfor range 8 {\n\t\tsum += <-done\n\t}\n\tprintln(runtime.GOARCH, sum)\n}\n";
    let builder = Container::new(&lab.image).option("--interactive").mount(&programs, "/out").caller();
    builder.env("GOARCHS", &goarchs.join(" ")).run_with_input(&["sh", "-euc", build], source)?.ok()?;
    let script = "image --install all >/dev/null
        mkdir /tmp/empty; mount --bind /programs /tmp/empty
        for goarch in $(ls /programs); do /usr/sbin/chroot /tmp/empty /$goarch 2>&1; done
        image check --all --quiet";
    let output =
        with_image(&root, Container::new(&lab.image).mount_read_only(&programs, "/programs"), script)?;
    let mut expected: Vec<_> = goarchs.iter().map(|goarch| format!("{goarch} 8388636")).collect();
    expected.sort();
    ensure_eq!(output.text()?, format!("{}\n", expected.join("\n")));
    ensure!(output.status == Some(0), "{output}");
    Ok(())
}

/// Ports that nothing else here is built for.
const UNUSED: [&str; 3] = ["mips", "mips64le", "ppc64"];

/// What was found is there afterwards.
/// docs/compat.md: binfmt-unprivileged
fn this_machine(lab: &Lab) -> Verdict {
    let image = lab.binfmt_image()?;
    // Of several runs at a time one after the other.
    let lock = std::fs::File::create(std::env::temp_dir().join("gb-test-binfmt.lock"));
    let lock = lock.map_err(|error| Failed::from(format!("{error}")))?;
    let _lock =
        Flock::lock(lock, FlockArg::LockExclusive).map_err(|(_, errno)| Failed::from(errno.desc()))?;
    let bound = || {
        let bind = "type=bind,source=/proc/sys/fs/binfmt_misc,target=/binfmt_misc";
        Container::new(image).option("--mount").option(bind).option("--security-opt=label=disable")
    };
    let entries = || -> Result<String, Failed> { bound().option("--read-only").run(&["list"])?.ok() };
    let before = entries()?;
    let platforms: Vec<_> = UNUSED
        .into_iter()
        .filter(|goarch| before.contains(&format!("linux/{goarch} has no entry")))
        .collect();
    let list = platforms.join(",");
    let did = (|| -> Verdict {
        let output = bound().run(&["--install", &list])?;
        let status = output.text()?;
        ensure!(output.status == Some(0), "{output}");
        for goarch in &platforms {
            ensure!(output.stderr.contains(&format!("installing: {goarch} OK\n")), "{output}");
            ensure!(status.contains(&format!("\"linux/{goarch}\"")), "{output}");
            // In every container, whose binfmt_misc is out of sight.
            Container::new(image).run(&["check", goarch])?.ok()?;
        }
        let again = bound().run(&["--install", &list])?;
        ensure!(again.status == Some(0) && !again.stderr.contains(" OK\n"), "{again}");
        Ok(())
    })();
    let removed = match list.as_str() {
        "" => Ok(String::new()),
        list => bound().run(&["--uninstall", list])?.ok(),
    };
    did?;
    removed?;
    ensure_eq!(entries()?, before);
    // Root that the engine has given another user's id, or none of the registry, is told.
    // (`make register` may have registered every port: then there is nothing to install, and something to remove.)
    let word = if platforms.contains(&"mips") { "--install" } else { "--uninstall" };
    let refused = bound().user("1000").run(&[word, "mips"])?;
    ensure!(refused.status == Some(1) && refused.stderr.contains("as root of the host"), "{refused}");
    ensure_eq!(entries()?, before);
    Ok(())
}

fn unprivileged(lab: &Lab) -> Verdict {
    let image = lab.binfmt_image()?;
    for user in ["0", "1000"] {
        let container = Container::new(image).option("--cap-drop=ALL").option("--read-only").user(user);
        let status = container.run::<&str>(&[])?;
        ensure!(status.status == Some(0) && status.text()?.contains("\"linux/amd64\","), "{status}");
        ensure!(status.stderr.contains("gb: binfmt: the entries can't be seen: "), "{status}");
        let refused = container.run(&["--install", "all"])?;
        ensure!(refused.status == Some(125) && refused.stdout.is_empty(), "{refused}");
        ensure!(refused.stderr.contains("--volume /proc/sys/fs/binfmt_misc:/binfmt_misc"), "{refused}");
    }
    Ok(())
}

fn contents(lab: &Lab) -> Verdict {
    let image = lab.binfmt_image()?;
    let shown = docker([
        "image",
        "inspect",
        "--format",
        "{{json .Config.Entrypoint}} {{index .Config.Labels \"org.opencontainers.image.version\"}}",
        image,
    ])?
    .ok()?;
    let (entrypoint, version) = shown.trim().split_once(' ').ok_or("a version")?;
    ensure_eq!(entrypoint, "[\"gb\",\"binfmt\"]");
    let told = Container::new(image).run(&["--version"])?;
    let qemu = version.strip_prefix("qemu-").ok_or("no version of QEMU's")?;
    ensure!(told.stderr.contains(&format!(" qemu/{qemu}\n")), "{version}: {told}");
    let root = root_of_image(lab, "binfmt-contents")?;
    for platform in PLATFORMS {
        for name in gb::binfmt::emulator::names(platform) {
            let path = root.join("usr/bin").join(&name);
            let kind = gb::binfmt::emulator::Kind::of(&path);
            ensure_eq!(
                (name, kind),
                (
                    path.file_name().unwrap_or_default().to_string_lossy().into_owned(),
                    gb::binfmt::emulator::Kind::Static
                )
            );
        }
    }
    for file in ["usr/share/doc/qemu-user/copyright", "usr/share/doc/gb/copyright"] {
        ensure!(root.join(file).is_file(), "{file} is not there");
    }
    Ok(())
}
