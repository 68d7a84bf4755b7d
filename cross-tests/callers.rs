//! What callers do with the image: the documented commands, their own compilers, and their own machines' defects.

use std::path::Path;

use gb::platform::Platform;
use libtest_mimic::Failed;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::elf::Facts;
use crate::engine::Container;
use crate::lab::{Lab, TARGETS, own_user};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("README: the pure Go command leaves an arm64 program", Needs::Image, readme_pure),
        Case::new("README: the cgo command runs an s390x program", Needs::Emulation("s390x"), readme_cgo),
        Case::new("go run and go test run what they build for s390x", Needs::Emulation("s390x"), go_runs),
        Case::new("stdout of gb run is the command's, byte for byte", Needs::Image, stdout),
        Case::new("gb run within gb run builds for the inner target", Needs::Emulation("riscv64"), nested),
        Case::new("a program on a noexec file system is refused with the reason", Needs::Image, noexec),
        Case::new(
            "a caller's CC with a target of its own stays as given and builds",
            Needs::Emulation("arm64"),
            own_compiler,
        ),
        Case::new(
            "a host that can't link a program of its own builds cgo for every target",
            Needs::EveryEmulation,
            host_that_cannot_link,
        ),
    ]
}

/// A copy of the examples, in which a container may write.
fn examples(lab: &Lab, name: &str) -> Result<std::path::PathBuf, Failed> {
    let copy = lab.dir(name)?;
    let source = Path::new(env!("CARGO_MANIFEST_DIR")).join("examples");
    std::fs::create_dir(copy.join("hello-cgo"))?;
    for file in ["go.mod", "hello.go", "hello-cgo/main.go", "hello-cgo/hello.c", "hello-cgo/hello.h"] {
        std::fs::copy(source.join(file), copy.join(file)).map_err(|error| format!("copy {file}: {error}"))?;
    }
    Ok(copy)
}

/// `docker run -e LOCAL_USER_ID=$(id -u) -v $PWD:/src -w /src -e GOARCH=…`, as documented.
fn documented(lab: &Lab, dir: &Path, goarch: &str) -> Container {
    Container::new(&lab.image).mount(dir, "/src").workdir("/src").env("GOARCH", goarch).caller()
}

fn readme_pure(lab: &Lab) -> Verdict {
    let dir = examples(lab, "readme-pure")?;
    let output = documented(lab, &dir, "arm64").run(&["sh", "-c", "go build hello.go || ./hello"])?;
    ensure_eq!(output.ok()?, "");
    let elf = Facts::read(&dir.join("hello"))?;
    elf.is_for(Platform::by_goarch("arm64").ok_or("not in the table")?)
}

fn readme_cgo(lab: &Lab) -> Verdict {
    let dir = examples(lab, "readme-cgo")?;
    let container = documented(lab, &dir, "s390x").env("CGO_ENABLED", "1");
    let said = container.run(&["sh", "-c", "go build -o hello ./hello-cgo && ./hello"])?.ok()?;
    ensure_eq!(said, "hello linux/s390x from C\n");
    let elf = Facts::read(&dir.join("hello"))?;
    elf.is_for(Platform::by_goarch("s390x").ok_or("not in the table")?)
}

fn go_runs(lab: &Lab) -> Verdict {
    let container = lab.container().env("GOARCH", "s390x");
    let said = container.sh("go run ./go-pure; CGO_ENABLED=1 go run ./go-cgo; go test ./go-pure")?.ok()?;
    let (greetings, test) = said.split_at(said.find("ok ").unwrap_or(said.len()));
    ensure_eq!(greetings, "hello linux/s390x\nhello linux/s390x from C, Go says 42\n");
    ensure!(test.contains("example.com/programs/go-pure"), "go test said {test}");
    Ok(())
}

fn stdout(lab: &Lab) -> Verdict {
    let container = Container::new(&lab.image);
    for container in [container.clone(), container.env("GOARCH", "arm64").env("CPATH", "/usr/include")] {
        let output = container.run(&["printf", r"one\0two\377\nthree"])?;
        ensure!(output.stdout == b"one\0two\xff\nthree", "should have written other bytes: {output}");
        ensure_eq!(output.status, Some(0));
    }
    Ok(())
}

/// As in a script that builds for one target after the other: what the outer gb set is no word of the caller's.
fn nested(lab: &Lab) -> Verdict {
    let script =
        "export CGO_ENABLED=1; GOARCH=riscv64 gb run -- sh -euc 'go build -o /tmp/cgo ./go-cgo; /tmp/cgo'";
    let said = lab.container().env("GOARCH", "arm64").sh(script)?.ok()?;
    ensure_eq!(said, "hello linux/riscv64 from C, Go says 42\n");
    Ok(())
}

/// Docker mounts every tmpfs so, unless it is told otherwise.
fn noexec(lab: &Lab) -> Verdict {
    let script = "cp /bin/true /tmpfs/; status=0; gb run /tmpfs/true 2>&1 || status=$?; echo $status";
    let said = lab.container().option("--tmpfs=/tmpfs").sh(script)?.ok()?;
    ensure_eq!(said, "gb: run /tmpfs/true: the file system at /tmpfs is mounted noexec\n126\n");
    Ok(())
}

/// What Calico's Makefiles pass.
fn own_compiler(lab: &Lab) -> Verdict {
    const CC: &str = "clang --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu/sys-root";
    let out = lab.dir("own-compiler")?;
    let container = lab.container().caller().mount(&out, "/out");
    let container = container.env("GOARCH", "arm64").env("CGO_ENABLED", "1");
    let container = container.env("CC", CC).env("CGO_LDFLAGS", "-fuse-ld=lld");
    let script =
        r#"printf '%s\n' "$CC" "$CGO_LDFLAGS" "$(go env CC)"; go build -o /out/cgo ./go-cgo; /out/cgo"#;
    let said = container.sh(script)?.ok()?;
    ensure_eq!(said, format!("{CC}\n-fuse-ld=lld\n{CC}\nhello linux/arm64 from C, Go says 42\n"));
    Facts::read(&out.join("cgo"))?.is_for(Platform::by_goarch("arm64").ok_or("not in the table")?)
}

/// Go probes the C compiler and the linker, and a probe that tests the host's decides wrongly here (golang/go#73406).
/// With an empty cache, because the image's holds the compiler's probes of a good host.
fn host_that_cannot_link(lab: &Lab) -> Verdict {
    let out = lab.dir("host-that-cannot-link")?;
    let script = format!(
        "rm -rf /usr/include /usr/lib/gcc /usr/lib/x86_64-linux-gnu/*.o /usr/lib/x86_64-linux-gnu/libc.so
         rm -rf /usr/lib/x86_64-linux-gnu/libc.a
         echo 'int main(void) {{ return 0; }}' >/tmp/main.c
         if clang -fuse-ld=lld /tmp/main.c -o /tmp/main 2>/dev/null; then echo 'this host can link'; exit 1; fi
         for target in {}; do
             GOARCH=$target gb run -- go build -o /out/$target ./go-cgo
             GOARCH=$target gb run -- /out/$target
         done
         chown -R {} /out",
        TARGETS.join(" "),
        own_user()
    );
    let container = lab.container().user("0:0").mount(&out, "/out");
    let container = container.env("CGO_ENABLED", "1").env("GOCACHE", "/tmp/cache").env("GB_GO_CACHE", "0");
    let said = container.bare_sh(&script)?.ok()?;
    let mut expected = String::new();
    for goarch in TARGETS {
        expected.push_str(&format!("hello linux/{goarch} from C, Go says 42\n"));
        let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
        let elf = Facts::read(&out.join(goarch))?;
        elf.is_for(platform)?;
        elf.is_dynamic(platform.default_abi())?;
    }
    ensure_eq!(said, expected);
    Ok(())
}
