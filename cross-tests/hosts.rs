//! Images for other machines than the one that made them: they build for every target, too, with the same sysroots and Go's
//! standard library compiled. What is here is emulated; what is built is the matter, and how long it takes is not.

use std::path::Path;

use gb::platform::Platform;

use crate::adding::network;
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::elf::Facts;
use crate::engine::{Container, docker};
use crate::lab::{Lab, TARGETS, own_user};

/// What gb may have on any machine.
const SIZE_OF_GB: usize = 3 * 1024 * 1024;

/// A file that only glibc's NSS reads.
const OF_NSS: &[u8] = b"/etc/ethers";

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = TARGETS
        .into_iter()
        .map(|goarch| {
            let name = format!("an image for another machine builds C and Go for {goarch}, and runs that");
            Case::new(name, Needs::HostImage, move |lab| builds(lab, goarch))
        })
        .collect();
    let mut case = |name: &str, check: fn(&Lab) -> Verdict| {
        cases.push(Case::new(name, Needs::HostImage, check));
    };
    case("in an image for another machine a first build compiles nothing of Go's standard library", std);
    case("an image for another machine has the sysroots of this machine's", sysroots);
    case(
        "an image has a small static gb for its machine, without glibc's NSS, and says which machine it is for",
        gb,
    );
    cases.push(Case::new(
        "packages of an image for another machine are unpacked by this machine's dpkg-deb",
        Needs::Image,
        own_programs,
    ));
    cases
}

/// What the engine says that an image is for.
fn machine(image: &str) -> Result<&'static Platform, libtest_mimic::Failed> {
    let said = docker(["image", "inspect", "--format", "{{.Architecture}}", image])?.ok()?;
    Platform::by_goarch(said.trim()).ok_or_else(|| format!("{image} is for {said}").into())
}

fn builds(lab: &Lab, goarch: &str) -> Verdict {
    let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
    let examples = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    for image in lab.host_images() {
        let out = lab.dir(&format!("host-{}-{goarch}", machine(image)?.goarch))?;
        let builder = |image: &str| {
            Container::new(image)
                .caller()
                .env("GOARCH", goarch)
                .env("CGO_ENABLED", "1")
                .mount_read_only(&examples, "/src")
                .mount(&out, "/out")
                .workdir("/src")
        };
        builder(image).sh("go build -o /out/hello ./hello-cgo")?.ok()?;
        Facts::read(&out.join("hello"))?.is_for(platform)?;
        // A kernel runs its own machine's programs itself, and looks for their loader in the root alone.
        let is_own = Platform::host() == Some(platform);
        let said = builder(if is_own { &lab.image } else { image }).sh("/out/hello")?.ok()?;
        ensure_eq!(said, format!("hello linux/{goarch} from C\n"));
    }
    Ok(())
}

/// For the machine itself, for the one that made the image, which had been its own there, and for another one.
fn std(lab: &Lab) -> Verdict {
    let script = r#"mkdir /tmp/p; cd /tmp/p; cat >go.mod <<'END'
module example.com/p
go 1.24
END
        cat >p.go <<'END'
package main

import (
	"net/http"
	"os/user"
)

import "C"

func main() {
	_, _ = http.Get("http://localhost/")
	_, _ = user.Current()
}
END
        for goarch in $TARGETS; do
            GOARCH=$goarch gb run -- go build -x -o /dev/null . 2>log || { cat log >&2; exit 1; }
            sed -n "s,.*/compile .* -p \([^ ]*\) .*,$goarch \1,p" log
        done"#;
    for image in lab.host_images() {
        let host = machine(image)?.goarch;
        let own = Platform::host().ok_or("not in the table")?.goarch;
        let other = TARGETS.into_iter().find(|target| ![host, own].contains(target)).unwrap_or("riscv64");
        let targets = [host, own, other];
        let container =
            Container::new(image).caller().env("CGO_ENABLED", "1").env("TARGETS", &targets.join(" "));
        let compiled = container.sh(script)?.ok()?;
        ensure_eq!(compiled, targets.map(|target| format!("{target} main\n")).concat());
    }
    Ok(())
}

fn sysroots(lab: &Lab) -> Verdict {
    let script =
        "cd /usr; find *-linux-gnu/sys-root *-linux-gnu/dpkg ! -type d -printf '%p %s %T@ %l\\n' | sort";
    let here = Container::new(&lab.image).bare_sh(script)?.ok()?;
    ensure!(here.lines().count() > 10_000, "only {} files", here.lines().count());
    for image in lab.host_images() {
        let there = Container::new(image).bare_sh(script)?.ok()?;
        let first = here.lines().zip(there.lines()).find(|(here, there)| here != there);
        ensure!(here == there, "{image} has other files: {first:?}");
    }
    Ok(())
}

fn gb(lab: &Lab) -> Verdict {
    for image in lab.host_images().iter().chain([&lab.image]) {
        let platform = machine(image)?;
        let out = lab.dir(&format!("host-gb-{}", platform.goarch))?;
        let container = Container::new(image).user(&own_user()).mount(&out, "/out");
        let said = container.bare_sh("cp $(command -v gb) /out/gb; GOARCH= gb info --field goarch")?.ok()?;
        ensure_eq!(said.trim(), platform.goarch);
        let facts = Facts::read(&out.join("gb"))?;
        facts.is_for(platform)?;
        facts.is_static()?;
        // (Debian's C library for ppc64le has no start file for such programs.)
        if platform.goarch != "ppc64le" {
            facts.is_movable()?;
        }
        let bytes = std::fs::read(out.join("gb")).map_err(|error| error.to_string())?;
        ensure!(bytes.len() <= SIZE_OF_GB, "gb for {} has {} bytes", platform.goarch, bytes.len());
        let has = bytes.windows(OF_NSS.len()).any(|window| window == OF_NSS);
        ensure!(!has, "gb for {} has glibc's NSS", platform.goarch);
    }
    Ok(())
}

fn own_programs(lab: &Lab) -> Verdict {
    // As the image's Dockerfile does it, but that both machines are one, and that dpkg-deb says when it is called.
    let script = r#"set -e
        rm -d -f /programs /own # places of mounts when the image was built
        /docker/go-build/own-programs && ln -s / /own && mv /programs/dpkg-deb /programs/real
        printf '#!/bin/sh\necho "$1" >>/called\nexec /programs/real "$@"\n' >/programs/dpkg-deb && chmod 755 /programs/dpkg-deb
        apt-get -qq update
        PATH=/programs:$PATH apt-get -qq install -y --no-install-recommends bc >/dev/null 2>&1
        sort -u /called; echo 6*7 | bc"#;
    let docker = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker");
    let said = Container::new(&lab.image)
        .option(network(lab))
        .mount_read_only(&docker, "/docker")
        .bare_sh(script)?
        .ok()?;
    ensure_eq!(said, "--control\n--fsys-tarfile\n42\n");
    Ok(())
}
