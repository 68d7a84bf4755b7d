//! 32 bit ARM: GOARM chooses between two ABIs, and a program of the wrong one dies of an illegal instruction.

use gb::platform::Platform;

use crate::case::{Case, Needs, Verdict, ensure_eq};
use crate::elf::Facts;
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    // The oldest processors of each version that QEMU has.
    [
        ("5", "arm-linux-gnueabi", "arm926"),
        ("6", "arm-linux-gnueabi", "arm1176"),
        ("7", "arm-linux-gnueabihf", "cortex-a15"),
    ]
    .into_iter()
    .map(|(goarm, triple, cpu)| {
        let name = format!("GOARM={goarm}: Go, cgo, C and C++ programs of {triple} run on QEMU's {cpu}");
        Case::new(name, Needs::ArmImage, move |lab| runs(lab, goarm, triple, cpu))
    })
    .collect()
}

fn runs(lab: &Lab, goarm: &str, triple: &str, cpu: &str) -> Verdict {
    let out = lab.dir(&format!("goarm{goarm}"))?;
    let container = lab.arm_container()?.caller().mount(&out, "/out");
    let container = container.env("GOARCH", "arm").env("GOARM", goarm).env("CGO_ENABLED", "1");
    let script = format!(
        "echo $CC $QEMU_LD_PREFIX
         go build -o /out/cgo ./go-cgo
         go build -ldflags '-linkmode external -extldflags=-static' -o /out/static ./go-cgo
         $CC -Wall -Werror -O2 c/hello.c -o /out/c
         $CXX -Wall -Werror -O2 cxx/hello.cc -o /out/cxx
         for name in cgo static c cxx; do qemu-arm -cpu {cpu} /out/$name; done"
    );
    let said = container.sh(&script)?.ok()?;
    let expected = [
        format!("{triple}-clang /usr/{triple}/sys-root\n").as_str(),
        "hello linux/arm from C, Go says 42\n",
        "hello linux/arm from C, Go says 42\n",
        "hello from C, 32 bits, little-endian\n",
        "unwound, caught an exception of C++\n",
    ]
    .concat();
    ensure_eq!(said, expected);
    let (platform, abi) = Platform::by_triple(triple).ok_or("not in the table")?;
    for name in ["cgo", "static", "c", "cxx"] {
        Facts::read(&out.join(name))?.is_for(platform)?;
    }
    Facts::read(&out.join("cgo"))?.is_dynamic(abi)?;
    Facts::read(&out.join("static"))?.is_static()?;
    Facts::read(&out.join("c"))?.is_position_independent(abi)
}
