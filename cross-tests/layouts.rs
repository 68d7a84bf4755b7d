//! Machines that are not the image: sysroots as Debian's packages install them, and the user's own.

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("Debian's cross packages are built against", Needs::ArmImage, cross_packages),
        Case::new(
            "Debian's multiarch packages are built against",
            Needs::Emulation("riscv64"),
            multiarch_packages,
        ),
        Case::new("GB_SYSROOT is built against, wherever it is", Needs::Emulation("s390x"), gb_sysroot),
    ]
}

/// Builds C, C++ and cgo with the compilers of `$T`, and runs all.
const BUILD: &str = "
    mkdir /tmp/out
    $T-clang -Wall -Werror -O2 c/hello.c -o /tmp/out/c
    $T-clang -Wall -Werror -O2 -static c/hello.c -o /tmp/out/static
    $T-clang++ -Wall -Werror -O2 cxx/hello.cc -o /tmp/out/cxx
    go build -o /tmp/out/cgo ./go-cgo
    for program in c static cxx cgo; do /tmp/out/$program; done";

fn ran(said: &str, goarch: &str) -> Verdict {
    let endian = if goarch == "s390x" { "big" } else { "little" };
    let c = format!("hello from C, 64 bits, {endian}-endian\n");
    let cgo = format!("hello linux/{goarch} from C, Go says 42\n");
    ensure_eq!(said, [c.as_str(), &c, "unwound, caught an exception of C++\n", &cgo].concat());
    Ok(())
}

/// `libc6-dev-arm64-cross` and its like: no sysroot is given to clang, which finds the parts by itself.
fn cross_packages(lab: &Lab) -> Verdict {
    let container = lab.arm_container()?.env("CGO_ENABLED", "1").env("T", "aarch64-linux-gnu");
    // The image's own sysroot would be preferred.
    let script = format!(
        "mv /usr/aarch64-linux-gnu/sys-root /usr/gone; export GOARCH=arm64
         exec gb run -- sh -euc 'echo $CC $QEMU_LD_PREFIX; {BUILD}'"
    );
    let said = container.user("0:0").bare_sh(&script)?.ok()?;
    let (env, said) = said.split_once('\n').ok_or("nothing was said")?;
    ensure_eq!(env, "aarch64-linux-gnu-clang /usr/aarch64-linux-gnu");
    ran(said, "arm64")
}

/// `libc6-dev:riscv64` and its like: the files of the image's sysroot, which is made of these packages, in the places
/// where installing them puts them.
fn multiarch_packages(lab: &Lab) -> Verdict {
    let container = lab.container().env("CGO_ENABLED", "1").env("T", "riscv64-linux-gnu");
    let script = format!(
        "cd /usr/riscv64-linux-gnu/sys-root
         cp -a usr/include/riscv64-linux-gnu usr/include/c++ /usr/include/
         cp -a usr/include/stdio.h usr/include/features.h /usr/include/
         cp -a usr/lib/riscv64-linux-gnu usr/lib/ld-linux-riscv64-lp64d.so.1 /usr/lib/
         mkdir -p /usr/lib/gcc && cp -a usr/lib/gcc/riscv64-linux-gnu /usr/lib/gcc/
         mv /usr/riscv64-linux-gnu /usr/gone
         cd /programs; export GOARCH=riscv64
         exec gb run -- sh -euc 'echo $CC ${{QEMU_LD_PREFIX:-none}}; riscv64-linux-gnu-pkg-config --libs zlib; {BUILD}'"
    );
    let said = container.user("0:0").bare_sh(&script)?.ok()?;
    let (env, said) = said.split_once('\n').ok_or("nothing was said")?;
    ensure_eq!(env, "riscv64-linux-gnu-clang none");
    let (libraries, said) = said.split_once('\n').ok_or("pkg-config said nothing")?;
    ensure!(libraries.contains("-lz") && !libraries.contains("x86_64"), "pkg-config said {libraries}");
    ran(said, "riscv64")
}

/// A path with a space in it, of which the caller alone knows.
fn gb_sysroot(lab: &Lab) -> Verdict {
    let container = lab.container().env("CGO_ENABLED", "1").env("T", "s390x-linux-gnu");
    let script = format!(
        "mv /usr/s390x-linux-gnu/sys-root '/opt/my root'
         export GOARCH=s390x GB_SYSROOT='/opt/my root'
         exec gb run -- sh -euc '{BUILD}'"
    );
    ran(&container.user("0:0").bare_sh(&script)?.ok()?, "s390x")
}
