//! Every kind of program for every target: built, looked at on this side, and run in the container.

use gb::platform::ElfData;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::lab::{TARGETS, Workshop};

type Check = fn(&Workshop) -> Verdict;

pub fn cases() -> Vec<Case> {
    let kinds: [(&str, Check); 9] = [
        ("a pure Go program is built and runs", pure_go),
        ("a cgo program is linked for it and runs", cgo),
        ("a static cgo program needs no loader and runs", cgo_static),
        ("a position-independent cgo program runs", cgo_pie),
        ("a cgo program finds libpcap by pkg-config and runs", libpcap),
        ("C programs of $CC and of the compiler's other names run", c),
        ("C++ programs of $CXX and of the compiler's other names run, with exceptions", cxx),
        ("clang's own BPF target stays BPF", bpf),
        // Far from the other kind for which Go compiles std anew, so that it is not compiled twice at a time.
        ("a C program runs with a library made of Go", c_shared),
    ];
    let mut cases = Vec::new();
    for goarch in TARGETS {
        for (name, check) in kinds {
            let needs = Needs::Emulation(goarch);
            cases
                .push(Case::new(format!("{goarch}: {name}"), needs, move |lab| check(lab.workshop(goarch)?)));
        }
        // Debian has no older one for riscv64, and UBI has none at all.
        if goarch != "riscv64" {
            let name = format!("{goarch}: a cgo program needs no glibc newer than UBI 9's");
            cases.push(Case::new(name, Needs::Image, move |lab| glibc_floor(lab.workshop(goarch)?)));
        }
    }
    cases
}

fn pure_go(shop: &Workshop) -> Verdict {
    let said = shop.sh("CGO_ENABLED=0 go build -o /out/pure ./go-pure; cd /out; ./pure")?;
    ensure_eq!(said, format!("hello linux/{}\n", shop.platform.goarch));
    let elf = shop.elf("pure")?;
    elf.is_for(shop.platform)?;
    elf.is_static()
}

fn greeting(shop: &Workshop) -> String {
    format!("hello linux/{} from C, Go says 42\n", shop.platform.goarch)
}

/// Go asks for no PIE here, and finds out by a probe whether the linker understands that. A probe of another
/// machine's linker shows in the type of the program (golang/go#73406).
fn cgo(shop: &Workshop) -> Verdict {
    let said = shop.sh("CGO_ENABLED=1 go build -o /out/cgo ./go-cgo; cd /out; ./cgo")?;
    ensure_eq!(said, greeting(shop));
    let elf = shop.elf("cgo")?;
    elf.is_for(shop.platform)?;
    elf.is_dynamic(shop.abi)?;
    elf.needs_library("libc.so.6")
}

fn cgo_static(shop: &Workshop) -> Verdict {
    let said = shop.sh("CGO_ENABLED=1 go build -ldflags '-linkmode external -extldflags=-static' \
         -o /out/static ./go-cgo; cd /out; ./static")?;
    ensure_eq!(said, greeting(shop));
    let elf = shop.elf("static")?;
    elf.is_for(shop.platform)?;
    elf.is_static()
}

fn cgo_pie(shop: &Workshop) -> Verdict {
    let said = shop.sh("CGO_ENABLED=1 go build -buildmode=pie -o /out/pie ./go-cgo; cd /out; ./pie")?;
    ensure_eq!(said, greeting(shop));
    let elf = shop.elf("pie")?;
    elf.is_for(shop.platform)?;
    elf.is_position_independent(shop.abi)
}

fn c_shared(shop: &Workshop) -> Verdict {
    let said = shop.sh("CGO_ENABLED=1 go build -buildmode=c-shared -o /out/libgreet.so ./go-shared
         $CC -Wall -Werror -I/out c/greet.c -o /out/greet -L/out -lgreet -Wl,-rpath,'$ORIGIN'
         cd /out; ./greet")?;
    ensure_eq!(said, format!("hello C from Go on linux/{}\n", shop.platform.goarch));
    let library = shop.elf("libgreet.so")?;
    library.is_for(shop.platform)?;
    library.is_shared_library()?;
    let program = shop.elf("greet")?;
    program.is_for(shop.platform)?;
    program.needs_library("libgreet.so")
}

fn libpcap(shop: &Workshop) -> Verdict {
    let said = shop.sh("CGO_ENABLED=1 go build -o /out/pcap ./go-pcap; cd /out; ./pcap")?;
    ensure!(said.starts_with("libpcap version 1."), "it said: {said}");
    let elf = shop.elf("pcap")?;
    elf.is_for(shop.platform)?;
    elf.needs_library("libpcap.so")
}

/// With the warnings that Go turns into errors, in one step and in two.
fn c(shop: &Workshop) -> Verdict {
    let triple = shop.abi.triple;
    let order = match shop.platform.elf.data {
        ElfData::Little => "little",
        ElfData::Big => "big",
    };
    let expected = format!("hello from C, 64 bits, {order}-endian\n");
    let said = shop.sh(&format!(
        "flags='-O2 -Wall -Wextra -Werror'
         $CC $flags c/hello.c -o /out/c-CC
         for name in clang cc gcc; do
             {triple}-$name $flags -c c/hello.c -o /out/c-$name.o
             {triple}-$name $flags /out/c-$name.o -o /out/c-$name
         done
         $CC $flags -static c/hello.c -o /out/c-static
         cd /out
         for name in CC clang cc gcc static; do ./c-$name; done"
    ))?;
    ensure_eq!(said, expected.repeat(5));
    for name in ["c-CC", "c-clang", "c-cc", "c-gcc"] {
        let elf = shop.elf(name)?;
        elf.is_for(shop.platform)?;
        elf.is_position_independent(shop.abi)?;
    }
    let elf = shop.elf("c-static")?;
    elf.is_for(shop.platform)?;
    elf.is_static()
}

fn cxx(shop: &Workshop) -> Verdict {
    let triple = shop.abi.triple;
    let said = shop.sh(&format!(
        "flags='-O2 -Wall -Wextra -Werror'
         $CXX $flags cxx/hello.cc -o /out/cxx-CXX
         for name in clang++ c++ g++; do {triple}-$name $flags cxx/hello.cc -o /out/cxx-$name; done
         $CXX $flags -static cxx/hello.cc -o /out/cxx-static
         cd /out
         for name in CXX clang++ c++ g++ static; do ./cxx-$name; done"
    ))?;
    ensure_eq!(said, "unwound, caught an exception of C++\n".repeat(5));
    for name in ["cxx-CXX", "cxx-clang++", "cxx-c++", "cxx-g++"] {
        let elf = shop.elf(name)?;
        elf.is_for(shop.platform)?;
        elf.is_position_independent(shop.abi)?;
        elf.needs_library("libstdc++.so.6")?;
    }
    let elf = shop.elf("cxx-static")?;
    elf.is_for(shop.platform)?;
    elf.is_static()
}

fn bpf(shop: &Workshop) -> Verdict {
    const EM_BPF: u16 = 247;
    shop.sh(&format!(
        "echo 'int f(int x) {{ return x + 1; }}' >/out/bpf.c
         clang -Werror -O2 -target bpf -c /out/bpf.c -o /out/bpf-clang.o
         {}-clang -Werror -O2 -target bpf -c /out/bpf.c -o /out/bpf-role.o",
        shop.abi.triple
    ))?;
    shop.elf("bpf-clang.o")?.is_object(EM_BPF)?;
    shop.elf("bpf-role.o")?.is_object(EM_BPF)
}

fn glibc_floor(shop: &Workshop) -> Verdict {
    shop.sh("CGO_ENABLED=1 go build -o /out/floor ./go-cgo")?;
    shop.elf("floor")?.needs_glibc_at_most((2, 34))
}
