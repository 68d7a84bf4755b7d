//! What Go calls by itself: for a target that is not the container's, without gb's variables, through a compiler cache.

use gb::platform::Platform;

use crate::case::{Case, Needs, Verdict, ensure_eq};
use crate::elf::Facts;
use crate::lab::{Lab, TARGETS, Workshop};

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("go run of a host's tool works in a container for s390x", Needs::Image, host_tool),
        Case::new("GOARCH set in a shell of another target builds for that one", Needs::Image, other_target),
        Case::new(
            "a compiler for another target that the caller chose is refused once, with the remedy",
            Needs::Image,
            refused_once,
        ),
        Case::new(
            "without the entrypoint a native cgo build works, and a cross build is refused",
            Needs::Image,
            bare,
        ),
        Case::new("ccache tells the variants and the sysroots of a compiler apart", Needs::Image, cache_key),
        Case::new(
            "ccache's directory in PATH caches what Go and make compile",
            Needs::Emulation("arm64"),
            masquerade,
        ),
    ];
    for goarch in TARGETS {
        let name = format!("{goarch}: CC=\"ccache <triple>-clang\" builds what Go links");
        cases.push(Case::new(name, Needs::Emulation(goarch), move |lab| launcher(lab.workshop(goarch)?)));
    }
    cases
}

/// Go gives the host's GOARCH to the compiler that gb has set for the container's target.
fn host_tool(lab: &Lab) -> Verdict {
    let host = Platform::host().ok_or("this machine is not in the table")?.goarch;
    let script = "GOOS= GOARCH= go run ./go-cgo; GOOS= GOARCH= go run ./go-pcap | cut -d ' ' -f 1-2
         GOARCH=$(go env GOHOSTARCH) CGO_ENABLED=1 go run ./go-cgo
         # A name that somebody has typed says what it compiles for, whoever calls it.
         mkdir /tmp/m; cd /tmp/m; go mod init m 2>/dev/null; cp /programs/c/hello.c hello.c.in
         printf 'package m\n\n//go:generate s390x-linux-gnu-clang -x c -c hello.c.in -o typed.o\n' >m.go
         GOARCH= go generate; s390x-linux-gnu-readelf -h typed.o | sed -n 's/ *Machine: */typed: /p'";
    let said = lab.container().env("GOARCH", "s390x").sh(script)?.ok()?;
    let greeting = format!("hello linux/{host} from C, Go says 42\n");
    ensure_eq!(said, format!("{greeting}libpcap version\n{greeting}typed: IBM S/390\n"));
    Ok(())
}

fn other_target(lab: &Lab) -> Verdict {
    let out = lab.dir("other-target")?;
    let script = "export CGO_ENABLED=1
         GOARCH=arm64 go build -o /out/cgo ./go-cgo; GOARCH=riscv64 go build -o /out/pcap ./go-pcap";
    let container = lab.container().caller().env("GOARCH", "ppc64le").mount(&out, "/out");
    ensure_eq!(container.sh(script)?.ok()?, "");
    for (name, goarch) in [("cgo", "arm64"), ("pcap", "riscv64")] {
        let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
        let elf = Facts::read(&out.join(name))?;
        elf.is_for(platform)?;
        elf.is_dynamic(platform.default_abi())?;
    }
    Ok(())
}

fn refused_once(lab: &Lab) -> Verdict {
    let script = "export CC=riscv64-linux-gnu-clang CGO_ENABLED=1 GOCACHE=/tmp/cache
         ! GOARCH=arm64 go build ./go-cgo net 2>&1
         ! GOOS=windows GOARCH=amd64 go build -o /tmp/cgo ./go-cgo 2>&1";
    let said = lab.container().env("GOARCH", "ppc64le").sh(script)?.ok()?;
    let message = |wanted: &str, triple: &str| {
        format!(
            "# runtime/cgo\ngb: compile a cgo package for {wanted}: riscv64-linux-gnu-clang compiles for linux/riscv64 \
             (set CC={triple}-clang, or run the command through gb run)\n"
        )
    };
    let arm64 = message("linux/arm64", "aarch64-linux-gnu");
    ensure_eq!(said, arm64 + &message("windows/amd64", "x86_64-w64-mingw32"));
    Ok(())
}

/// As docker exec, or another entrypoint, has it: CC is not set, and Go asks for gcc.
fn bare(lab: &Lab) -> Verdict {
    let script = "go env CC CGO_ENABLED; go build -o /tmp/cgo ./go-cgo; /tmp/cgo
         ! GOARCH=arm64 CGO_ENABLED=1 go build -o /tmp/arm64 ./go-cgo 2>&1 | grep ^gb:
         ls /tmp/arm64 2>&1 || true";
    let host = Platform::host().ok_or("this machine is not in the table")?;
    let goarch = host.goarch;
    for user in ["0:0", "5000"] {
        let container = lab.container().user(user).env("HOME", "/tmp");
        let said = container.bare_sh(&script.replace("! ", ""))?.ok()?;
        ensure_eq!(
            said,
            format!(
                "gcc\n1\nhello linux/{goarch} from C, Go says 42\n\
                 gb: compile a cgo package for linux/arm64: gcc compiles for linux/{goarch} (set \
                 CC=aarch64-linux-gnu-clang, or run the command through gb run)\n\
                 ls: cannot access '/tmp/arm64': No such file or directory\n"
            )
        );
    }
    Ok(())
}

/// ccache hashes what the preprocessor prints and what the command line says, and neither says for which variant.
fn cache_key(lab: &Lab) -> Verdict {
    let script = "cd /tmp; export CCACHE_DIR=/tmp/ccache
         echo 'void f(float *a) { for (int i = 0; i < 64; i++) a[i] = a[i] * 2 + 1; }' >a.c
         compile() { out=$1; shift; env \"$@\" -O3 -c a.c -o $out; }
         for way in 'ccache x86_64-linux-gnu-clang' '/usr/lib/ccache/x86_64-linux-gnu-clang'; do
             ccache --clear >/dev/null
             compile v3.o GOAMD64=v3 $way; compile v1.o GOAMD64=v1 $way; compile again.o GOAMD64=v1 $way
             cmp v1.o again.o; cmp -s v1.o v3.o || echo two variants
         done
         echo '#include <zlib.h>
         int size = sizeof(z_stream);' >a.c
         compile own.o ccache s390x-linux-gnu-clang
         sed 's/gz_header;/gz_header; typedef int other_sysroot;/' -i /usr/s390x-linux-gnu/sys-root/usr/include/zlib.h
         cp -a /usr/s390x-linux-gnu/sys-root /tmp/root
         gb identity s390x-linux-gnu-clang >own; GB_SYSROOT=/tmp/root gb identity s390x-linux-gnu-clang >other
         cmp -s own other || echo two sysroots
         ccache --print-stats | grep -E '^(direct|preprocessed)_cache_hit' | cut -f 2 | paste -sd+ | sed 's/^/0+/' | xargs -I, sh -c 'echo hits $((,))'";
    ensure_eq!(
        lab.container().user("0:0").bare_sh(script)?.ok()?,
        "two variants\ntwo variants\ntwo sysroots\nhits 2\n"
    );
    Ok(())
}

fn masquerade(lab: &Lab) -> Verdict {
    let script = "export PATH=/usr/lib/ccache:$PATH CGO_ENABLED=1
         build() { rm -rf /tmp/go; GOCACHE=/tmp/go go build -o /tmp/cgo ./go-cgo; /tmp/cgo; }
         misses() { ccache --print-stats | sed -n 's/^cache_miss\\t//p'; }
         build; first=$(misses); build; second=$(misses); test $first -gt 0
         # Paths of Go's work directory are in some of what the preprocessor prints.
         test $second -lt $((2 * first))
         printf 'all: ; $(CC) -c /programs/c/hello.c -o /tmp/hello.o\\n' >/tmp/Makefile
         make -s -f /tmp/Makefile; make -s -f /tmp/Makefile; test $(misses) = $((second + 1))";
    let said = lab.container().env("GOARCH", "arm64").env("CCACHE_DIR", "/tmp/ccache").sh(script)?.ok()?;
    ensure_eq!(said, "hello linux/arm64 from C, Go says 42\n".repeat(2));
    Ok(())
}

/// Go probes the compiler with the first word of CC, so that it learns nothing.
fn launcher(shop: &Workshop) -> Verdict {
    let script = "export CC=\"ccache $CC\" CGO_ENABLED=1 CCACHE_DIR=/tmp/ccache
         go build -o /out/launched ./go-cgo; go build -buildmode=pie -o /out/launched-pie ./go-cgo
         /out/launched; /out/launched-pie";
    let greeting = format!("hello linux/{} from C, Go says 42\n", shop.platform.goarch);
    ensure_eq!(shop.sh(script)?, greeting.repeat(2));
    shop.elf("launched")?.is_dynamic(shop.abi)?;
    shop.elf("launched-pie")?.is_position_independent(shop.abi)
}
