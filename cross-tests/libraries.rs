//! What the sysroots' libraries promise: each of them for each target, shared and static, by what pkg-config says.

use crate::case::{Case, Needs, Verdict, ensure_eq};
use crate::lab::{Lab, TARGETS, Workshop};

/// A library, by the names that differ, and what the program says that uses it.
pub struct Library {
    pub package: &'static str,
    /// The program, without its `.c`.
    pub program: &'static str,
    pub soname: &'static str,
    pub says: &'static str,
}

const LIBRARIES: [Library; 4] = [
    Library {
        package: "libpcap",
        program: "pcap",
        soname: "libpcap.so.0.8",
        says: "a filter was compiled\n",
    },
    Library {
        package: "libelf",
        program: "elf",
        soname: "libelf.so.1",
        says: "an ELF file was written and read\n",
    },
    Library { package: "zlib", program: "z", soname: "libz.so.1", says: "a text was compressed\n" },
    Library {
        package: "libbpf",
        program: "bpf",
        soname: "libbpf.so.1",
        says: "libbpf knows an object when it sees one\n",
    },
];

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for goarch in TARGETS {
        for library in &LIBRARIES {
            let name = format!("{goarch}: a C program with {} runs, shared and static", library.package);
            let check = move |lab: &Lab| shared_and_static(lab.workshop(goarch)?, library);
            cases.push(Case::new(name, Needs::Emulation(goarch), check));
        }
        let name = format!("{goarch}: nothing but libc is needed beside libpcap");
        cases.push(Case::new(name, Needs::Emulation(goarch), |lab| alone(lab.workshop(goarch)?)));
    }
    cases
}

/// What a script does to build a program that uses a library, both ways, and to run it by some words.
pub fn script(triple: &str, library: &Library, dir: &str, by: &str) -> String {
    let Library { package, program, .. } = library;
    format!(
        "compile() {{ {triple}-clang -Wall -Werror libraries/{program}.c \"$@\"; }}
         compile $({triple}-pkg-config --cflags --libs {package}) -o {dir}/{program}-shared
         compile -static $({triple}-pkg-config --static --cflags --libs {package}) -o {dir}/{program}-static
         for how in shared static; do {by} {dir}/{program}-$how; done\n"
    )
}

fn shared_and_static(shop: &Workshop, library: &Library) -> Verdict {
    let said = shop.sh(&script(shop.abi.triple, library, "/out", ""))?;
    ensure_eq!(said, library.says.repeat(2));
    let elf = shop.elf(&format!("{}-shared", library.program))?;
    elf.is_for(shop.platform)?;
    elf.is_position_independent(shop.abi)?;
    elf.needs_library(library.soname)?;
    let elf = shop.elf(&format!("{}-static", library.program))?;
    elf.is_for(shop.platform)?;
    elf.is_static()
}

/// Debian's own drags in D-Bus and systemd, which a machine that runs the program need not have.
fn alone(shop: &Workshop) -> Verdict {
    let triple = shop.abi.triple;
    let said = shop.sh(&format!(
        "{triple}-pkg-config --static --libs libpcap
         llvm-readelf --needed-libs /usr/{triple}/sys-root/usr/lib/{triple}/libpcap.so | grep '\\.so' | grep -v ld-linux"
    ))?;
    let named: Vec<_> = said.split_whitespace().filter(|word| !word.starts_with("-L")).collect();
    ensure_eq!(named, ["-lpcap", "libc.so.6"]);
    Ok(())
}
