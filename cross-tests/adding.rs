//! `sysroot add`: libraries of the user's own, in an image that is made from this one. Needs Debian's mirror.

use std::path::Path;
use std::process::Command;
use std::sync::OnceLock;

use gb::platform::Platform;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::elf::Facts;
use crate::engine::{Container, Output};
use crate::lab::{Lab, TARGETS, own_user};
use crate::libraries::{Library, script};

const ADDED: [Library; 2] = [
    Library {
        package: "libnl-3.0",
        program: "nl",
        soname: "libnl-3.so.200",
        says: "libnl built a message\n",
    },
    Library { package: "sqlite3", program: "sqlite3", soname: "libsqlite3.so.0", says: "SQLite says 42\n" },
];

/// Prints what would show any change of the sysroots.
const SNAPSHOT: &str = "snapshot() {
        find /usr/*-linux-*/sys-root /usr/*-linux-*/dpkg -printf '%p %T@ %s %m %l\\n' | sort | sha256sum
    }\n";

pub fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "sysroot add: one line adds libraries for every target, shared and static",
            Needs::EveryEmulation,
            every_target,
        ),
        Case::new("sysroot add: what fails leaves every sysroot as it was", Needs::Image, failures),
        Case::new("sysroot add: what it cannot do is one line with the remedy", Needs::Image, refusals),
        Case::new("sysroot add: works with Debian's own form of sources", Needs::Image, deb822),
    ]
}

/// A container as root, as a Dockerfile's RUN has it, that reaches the mirror if a container can.
pub fn derived(lab: &Lab) -> Container {
    lab.container().option(network(lab))
}

/// The engine's option for such a container.
pub fn network(lab: &Lab) -> String {
    static NETWORK: OnceLock<String> = OnceLock::new();
    let network = NETWORK.get_or_init(|| {
        let script = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker/bootstrap/network");
        let output = Command::new(script).env("BASE_IMAGE", &lab.image).output();
        let said = output.map(|output| String::from_utf8_lossy(&output.stdout).trim().to_owned());
        said.ok().filter(|said| !said.is_empty()).unwrap_or_else(|| "default".to_owned())
    });
    format!("--network={network}")
}

/// The lines that say that there are no security updates differ with the mirror's state.
fn lines(output: &Output) -> Vec<&str> {
    output.stderr.lines().filter(|line| !line.contains("no security updates")).collect()
}

fn every_target(lab: &Lab) -> Verdict {
    let out = lab.dir("added")?;
    let mut programs = String::new();
    let mut expected = String::new();
    for goarch in TARGETS {
        let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
        let triple = platform.default_abi().triple;
        // The machine itself has none of the shared libraries, which the native program would look for there.
        let by = format!("qemu-{} -L /usr/{triple}/sys-root", platform.qemu);
        programs.push_str(&format!("mkdir /out/{goarch}\n"));
        for library in &ADDED {
            programs.push_str(&script(triple, library, &format!("/out/{goarch}"), &by));
            expected.push_str(&library.says.repeat(2));
        }
    }
    let output = derived(lab).mount(&out, "/out").bare_sh(&format!(
        "{SNAPSHOT}
         machine() {{ cat /var/lib/dpkg/status; find /var/lib/apt /var/cache/apt -printf '%p %T@\\n'; }}
         machine >/tmp/machine
         sysroot add libnl-3-dev libsqlite3-dev
         machine | cmp - /tmp/machine
         snapshot >/tmp/once
         sysroot add libnl-3-dev libsqlite3-dev
         snapshot | cmp - /tmp/once
         {programs}
         chown -R {} /out",
        own_user()
    ))?;
    let told = lines(&output);
    let (added, again) = told.split_at(told.len().min(TARGETS.len()));
    ensure!(added.iter().all(|line| line.ends_with(": packages added: 4")), "{output}");
    ensure!(again.iter().all(|line| line.contains(": nothing to add: ")), "{output}");
    ensure_eq!(again.len(), TARGETS.len());
    ensure_eq!(output.ok()?, expected);
    for goarch in TARGETS {
        let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
        for library in &ADDED {
            let elf = Facts::read(&out.join(goarch).join(format!("{}-shared", library.program)))?;
            elf.is_for(platform)?;
            elf.needs_library(library.soname)?;
            // Debian has no older one for riscv64.
            if goarch != "riscv64" {
                elf.needs_glibc_at_most((2, 34))?;
            }
            let elf = Facts::read(&out.join(goarch).join(format!("{}-static", library.program)))?;
            elf.is_for(platform)?;
            elf.is_static()?;
        }
    }
    Ok(())
}

/// A package that one suite lacks, one that is found to be broken when the first sysroot has it already, and a signal.
fn failures(lab: &Lab) -> Verdict {
    let output = derived(lab).bare_sh(&format!(
        "{SNAPSHOT}
         snapshot >/tmp/before
         unchanged() {{ snapshot | cmp - /tmp/before; ls -d /usr/*-linux-*/* /tmp/* | grep -v -E '/(sys-root|dpkg|toolchain.cmake|before)$' || true; }}
         add() {{ sysroot add --target s390x --target arm64 \"$@\"; }}
         if add libmnl-dev no-such-library-dev; then exit 1; fi
         unchanged
         mv /usr/local/bin/sysroot-proof /usr/local/bin/real-proof
         proof() {{ printf '#!/bin/sh\\n%s\\nexec real-proof \"$@\"\\n' \"$1\" >/usr/local/bin/sysroot-proof; chmod +x /usr/local/bin/sysroot-proof; }}
         proof 'if [ $1 = aarch64-linux-gnu ]; then echo the proof fails >&2; exit 1; fi'
         if add libmnl-dev; then exit 1; fi
         unchanged
         proof 'if [ $1 = aarch64-linux-gnu ]; then kill $PPID; fi'
         if add libmnl-dev; then exit 1; fi
         unchanged"
    ))?;
    ensure_eq!(
        lines(&output),
        [
            "sysroot s390x-linux-gnu: Debian bookworm has no package no-such-library-dev for s390x \
             (packages.debian.org lists what there is)",
            "the proof fails"
        ]
    );
    ensure_eq!(output.ok()?, "");
    Ok(())
}

fn refusals(lab: &Lab) -> Verdict {
    let refused = |container: Container, words: &str, beginning: &str, remedy: &str| -> Verdict {
        let output = container.bare_sh(&format!("sysroot add {words}"))?;
        ensure!(output.status.is_some_and(|code| code != 0), "should have failed: {output}");
        let told: Vec<_> = output.stderr.lines().collect();
        ensure!(told.len() == 1, "should be one line: {output}");
        ensure!(
            told[0].starts_with(beginning) && told[0].contains(remedy),
            "should be {beginning}: {output}"
        );
        Ok(())
    };
    let root = Container::new(&lab.image).option("--network=none");
    refused(root.clone(), "", "sysroot add: no package is named", "sysroot add [--target ARCH]... PACKAGE")?;
    refused(root.clone(), "--target mips libmnl-dev", "sysroot add: no sysroot for mips", "s390x-linux-gnu")?;
    refused(root.clone(), "'libnl*'", "sysroot add: libnl* is no name", "libnl-3-dev")?;
    refused(root.clone(), "--for arm64 libmnl-dev", "sysroot add: no option --for", "--target")?;
    refused(root.clone().user("1000:1000"), "libmnl-dev", "sysroot add: only root can", "USER root")?;
    refused(
        root.env("DEBIAN_MIRROR", "http://mirror.invalid/debian"),
        "--target ppc64el libmnl-dev",
        "sysroot powerpc64le-linux-gnu: cannot fetch bookworm's lists: Failed to fetch http://mirror.invalid/debian/",
        "is there a network? docker build --network host; DEBIAN_MIRROR",
    )
}

/// The official image's; a build of ours has one.list.
fn deb822(lab: &Lab) -> Verdict {
    let output = derived(lab).bare_sh(
        "mirror=$(sed -n 's/^deb .*\\(http[^ ]*\\) trixie main.*/\\1/p' /etc/apt/sources.list 2>/dev/null | head -n 1)
         if [ -n \"$mirror\" ]; then
             rm /etc/apt/sources.list
             printf 'Types: deb\\nURIs: %s\\nSuites: trixie trixie-updates\\nComponents: main\\nSigned-By: %s\\n' \"$mirror\" \\
                 /usr/share/keyrings/debian-archive-keyring.pgp >/etc/apt/sources.list.d/debian.sources
             echo 'APT::Default-Release \"trixie\"; APT::Install-Recommends \"true\";' >/etc/apt/apt.conf.d/own
         fi
         sysroot add --target s390x libmnl-dev
         sed -n 's/^Package: libmnl/&/p' /usr/s390x-linux-gnu/dpkg/status",
    )?;
    // Debian has no static one, which is told.
    ensure_eq!(
        lines(&output),
        ["sysroot s390x-linux-gnu: packages added: 2; shared only: libmnl (no libmnl.a)"]
    );
    ensure_eq!(output.ok()?, "Package: libmnl-dev\nPackage: libmnl0\n");
    Ok(())
}
