//! Go's build cache: warm in the image, shared by targets without harm, and never older than a sysroot.

use std::path::Path;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::lab::{Lab, TARGETS, own_user};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("root finds std compiled for every target", Needs::Image, |lab| warm(lab, "0:0")),
        Case::new("any user finds std compiled for every target", Needs::Image, |lab| warm(lab, "5000")),
        Case::new(
            "one cache for every target in turn leaves the native build as with a cache of its own",
            Needs::EveryEmulation,
            shared,
        ),
        Case::new(
            "a changed sysroot builds the cgo packages again, and nothing else",
            Needs::Image,
            changed_sysroot,
        ),
    ]
}

/// In a fresh container nothing but the program itself is compiled.
fn warm(lab: &Lab, user: &str) -> Verdict {
    let script = format!(
        "for target in {}; do
             export GOARCH=$target
             for build in '0 ./go-pure' '1 ./go-pure' '1 ./go-cgo'; do
                 set -- $build
                 CGO_ENABLED=$1 gb run -- go build -x -o /tmp/out $2 >/tmp/log 2>&1 || {{ cat /tmp/log; exit 1; }}
                 echo \"$target $1 $2 $(grep -o '/compile .*' /tmp/log | grep -o ' -p [^ ]*' | xargs)\"
             done
             CGO_ENABLED=1 gb run -- go build -v std 2>&1
         done",
        TARGETS.join(" ")
    );
    let said = lab.container().user(user).bare_sh(&script)?.ok()?;
    let line = |goarch, build| format!("{goarch} {build} -p main\n");
    let lines =
        |goarch| ["0 ./go-pure", "1 ./go-pure", "1 ./go-cgo"].map(|build| line(goarch, build)).concat();
    ensure_eq!(said, TARGETS.map(lines).concat());
    Ok(())
}

/// Go keeps what it found out about a compiler in the cache, under the compiler's name.
fn shared(lab: &Lab) -> Verdict {
    let [shared, own] = [lab.dir("shared-cache")?, lab.dir("own-cache")?];
    let build = |cache: &Path, script: &str| {
        let container = lab.container().user(&own_user()).mount(cache, "/cache").env("GOCACHE", "/cache");
        // Without what the image knows of compilers.
        container.env("CGO_ENABLED", "1").env("GB_GO_CACHE", "0").bare_sh(script)?.ok()
    };
    // A caller's own compiler for another machine comes first: one that can't link, then Calico's.
    let script = format!(
        "CC='clang --target=s390x-linux-gnu' GOARCH=s390x gb run -- go build -o /tmp/none ./go-cgo 2>/dev/null || true
         CC='clang --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu/sys-root' CGO_LDFLAGS=-fuse-ld=lld \\
             GOARCH=arm64 gb run -- go build -o /tmp/calico ./go-cgo
         for target in {}; do
             GOARCH=$target gb run -- go build -o /tmp/$target ./go-cgo
             GOARCH=$target gb run -- /tmp/$target
         done",
        ["arm64", "ppc64le", "s390x", "riscv64", "amd64"].join(" ")
    );
    let said = build(&shared, &script)?;
    let greetings = ["arm64", "ppc64le", "s390x", "riscv64", "amd64"]
        .map(|goarch| format!("hello linux/{goarch} from C, Go says 42\n"));
    ensure_eq!(said, greetings.concat());

    // All options that the native build of one more program gives to compilers and linkers, but for what depends on
    // the names of temporary files, and on how busy the machine is (the Go compiler's -c).
    let script = r"gb run -- go build -o /tmp/native ./go-cgo; /tmp/native >/dev/null
         gb run -- go build -x -o /tmp/pcap ./go-pcap 2>&1 | tr ' ' '\n' | grep '^-' |
             grep -vE '^-(frandom-seed|ffile-prefix-map|c)=' | sort | uniq -c";
    let [after, alone] = [build(&shared, script)?, build(&own, script)?];
    for probed in ["-Wl,--no-gc-sections", "-Qunused-arguments", "-gno-record-gcc-switches"] {
        ensure!(alone.contains(probed), "the build does not say that it was given {probed}:\n{alone}");
    }
    ensure_eq!(after, alone);
    Ok(())
}

/// Headers and libraries of a sysroot are in no key of Go's cache (golang/go#24355); gb puts them there.
fn changed_sysroot(lab: &Lab) -> Verdict {
    let script = "build() { echo \"$1\"; gb run -- go build -v $packages 2>&1 | sort; }
         packages='./go-cgo net os/user encoding/json'
         header=/usr/aarch64-linux-gnu/sys-root/usr/include/new.h
         echo cgo; go list -deps -f '{{if .CgoFiles}}{{.ImportPath}}{{end}}' $packages | grep . | sort
         gb run -- go build $packages
         build unchanged
         echo '#define NEW' >$header
         build added; build again
         echo '#define NEWER' >$header
         build edited; build again";
    let container = lab.container().user("0:0").env("GOARCH", "arm64").env("CGO_ENABLED", "1");
    let said = container.bare_sh(script)?.ok()?;
    let (cgo, rest) = said.split_once("unchanged\n").ok_or("the script said nothing")?;
    let cgo = cgo.strip_prefix("cgo\n").unwrap_or(cgo);
    ensure!(cgo.contains("runtime/cgo\n") && cgo.contains("go-cgo\n"), "the cgo packages are: {cgo}");
    ensure_eq!(rest, format!("added\n{cgo}again\nedited\n{cgo}again\n"));
    Ok(())
}
