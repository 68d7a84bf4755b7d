//! calico/base: what runs on it, and how it is made.

use std::process::Command;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, docker, export};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::BaseImage, check);
    vec![
        case(
            "programs of Go with C run on calico/base of each architecture, look up names, and end threads",
            runs,
        ),
        case("calico/base has what today's has, and finds all it needs", contents),
        case(
            "calico/base is made of another image, whole if that is asked for, and refuses what it does not know",
            made,
        ),
    ]
}

fn runs(lab: &Lab) -> Verdict {
    let dir = lab.dir("base")?;
    let script = r#"mkdir /tmp/p; cd /tmp/p; cat >go.mod <<'END'
module example.com/p
go 1.24
END
        cat >p.go <<'END'
package main

/*
#include <pthread.h>
static void *end(void *p) { pthread_exit(p); }
static int thread(void) { pthread_t t; return pthread_create(&t, 0, end, 0) || pthread_join(t, 0); }
*/
import "C"

import (
	"context"
	"fmt"
	"net"
	"os"
)

func main() {
	fmt.Println(C.thread())
	addresses, err := (&net.Resolver{PreferGo: false}).LookupHost(context.Background(), "localhost")
	fmt.Println(len(addresses) > 0, err)
	f, err := os.CreateTemp("", "x")
	fmt.Println(f != nil, err)
}
END
        CGO_ENABLED=1 GOFLAGS=-tags=netcgo go build -o /out/$GOARCH ."#;
    for image in lab.base_images() {
        let arch = docker(["image", "inspect", "--format", "{{.Architecture}}", image])?.ok()?;
        let arch = arch.trim();
        lab.container().caller().env("GOARCH", arch).mount(&dir, "/out").sh(script)?.ok()?;
        for user in ["0", "1000:7"] {
            let base = Container::new(image).option(format!("--platform=linux/{arch}"));
            let output = base.mount_read_only(&dir, "/out").user(user).run(&[format!("/out/{arch}")])?;
            ensure_eq!((arch, output.ok()?), (arch, "0\ntrue <nil>\ntrue <nil>\n".to_owned()));
        }
    }
    Ok(())
}

fn contents(lab: &Lab) -> Verdict {
    // The image has no shell to look with; gb looks at what it is exported as.
    let dir = lab.dir("base-root")?;
    export(lab.base_image()?, &dir.join("root.tar"))?;
    let script = "mkdir /root-of-it; tar -C /root-of-it -xf /base/root.tar; gb strip-libs --check /root-of-it
        cd /root-of-it; stat -c %a tmp; cat etc/nsswitch.conf | grep -c dns; find . -type f | sed 's/.*\\///'";
    let output = Container::new(&lab.image).mount_read_only(&dir, "/base").bare_sh(script)?;
    let text = output.text()?;
    ensure!(text.starts_with("/root-of-it: ") && text.contains("find all they need\n1777\n2\n"), "{output}");
    for name in [
        "libc.so.6",
        "libpthread.so.0",
        "libresolv.so.2",
        "nsswitch.conf",
        "host.conf",
        "os-release",
        "copyright",
        "manifest.json",
        "rootfs.spdx.json",
    ] {
        ensure!(text.lines().any(|line| line == name), "{name}: {output}");
    }
    // Scanners find the packages, and their licences are with them (projectcalico/calico#8051).
    ensure!(text.lines().any(|line| line == "libc6" || line == "container-manifest-2"), "{output}");
    ensure!(!text.contains("bash") && text.lines().count() < 80, "{output}");
    Ok(())
}

fn made(_: &Lab) -> Verdict {
    let make = |words: &[&str]| {
        let images = concat!(env!("CARGO_MANIFEST_DIR"), "/images");
        let output =
            Command::new("make").args(["-s", "-n", "-C", images, "calico-base-image"]).args(words).output();
        let output = output.map_err(|error| format!("make: {error}"))?;
        let text = [output.stdout, output.stderr].concat();
        Ok::<_, libtest_mimic::Failed>((output.status.success(), String::from_utf8_lossy(&text).into_owned()))
    };
    let (is_made, text) = make(&["BASE_BASEIMG=some/ubi", "BASE_CLEANUP_LEVEL=unstripped"])?;
    ensure!(
        is_made && text.contains("BASE_NAME=some/ubi") && text.contains("BASE_CLEANUP_LEVEL=unstripped"),
        "{text}"
    );
    ensure!(text.contains("calico/base:latest-") && !text.contains("ubi9"), "{text}");
    let (is_made, text) = make(&["UBI_VERSIONS=ubi10"])?;
    ensure!(
        is_made && text.contains("calico/base:ubi10-latest-") && text.contains("BASE_CLEANUP_LEVEL=stripped"),
        "{text}"
    );
    let (is_made, text) = make(&["BASE_CLEANUP_LEVEL=small"])?;
    ensure!(
        !is_made && text.contains("BASE_CLEANUP_LEVEL=small is neither stripped nor unstripped"),
        "{text}"
    );
    Ok(())
}
