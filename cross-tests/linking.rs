//! What programs expect of a linker because GNU's does it: FIPS 140 checksums of every kind of Go program, and C's habits.

use crate::case::{Case, Needs, Verdict, ensure_eq};
use crate::lab::{Lab, TARGETS, Workshop};

type Check = fn(&Workshop) -> Verdict;

pub fn cases() -> Vec<Case> {
    let kinds: [(&str, Check); 4] = [
        ("Go programs of every build mode start with and without FIPS 140", fips),
        ("C programs link as GNU's ld links them: version scripts, lists, static-pie", habits),
        ("its ld, objcopy and as make objects of it without being told", binutils),
        ("its gcc answers as GCC does", gcc_answers),
    ];
    let mut cases = Vec::new();
    for (name, check) in kinds {
        for goarch in TARGETS {
            let needs = Needs::Emulation(goarch);
            cases
                .push(Case::new(format!("{goarch}: {name}"), needs, move |lab| check(lab.workshop(goarch)?)));
        }
    }
    cases.push(Case::new("a Go program runs with std as a shared library", Needs::Image, linkshared));
    cases
}

/// Go's linker computes the checksum of position-independent code from the addends of relocations in the file.
fn fips(shop: &Workshop) -> Verdict {
    let dir = "/out/fips";
    // Debian's glibc for ppc64le has no start file for static-pie.
    let static_pie = match shop.platform.goarch {
        "ppc64le" => String::new(),
        _ => format!(
            "go build -buildmode=pie -ldflags '-linkmode external -extldflags=-static-pie' -o {dir}/static-pie ./go-fips"
        ),
    };
    let script = format!(
        "export CGO_ENABLED=1; mkdir -p {dir}
         for GOFIPS140 in off v1.0.0; do
             export GOFIPS140; rm -f {dir}/*
             go build -o {dir}/dynamic ./go-fips
             go build -ldflags '-linkmode external -extldflags=-static' -o {dir}/static ./go-fips
             go build -buildmode=pie -o {dir}/pie ./go-fips
             {static_pie}
             go build -buildmode=c-shared -o {dir}/libfips.so ./go-fips-shared
             $CC c/fips.c -o {dir}/shared -L{dir} -lfips -Wl,-rpath,'$ORIGIN'
             go build -buildmode=plugin -o {dir}/plugin.so ./go-fips-plugin
             go build -o {dir}/host ./go-fips-host
             cd {dir}
             for program in dynamic static pie static-pie shared host; do
                 if [ -e $program ]; then echo $program: $(./$program 2>&1); fi
             done
             cd /programs
         done"
    );
    let mut expected = String::new();
    for (on, number) in [("false", 0), ("true", 1)] {
        for program in ["dynamic", "static", "pie", "static-pie"] {
            if program != "static-pie" || shop.platform.goarch != "ppc64le" {
                expected.push_str(&format!("{program}: fips {on} 1\n"));
            }
        }
        expected.push_str(&format!("shared: shared {number}\nhost: plugin {on}\n"));
    }
    ensure_eq!(shop.sh(&script)?, expected);
    Ok(())
}

fn habits(shop: &Workshop) -> Verdict {
    let static_pie = match shop.platform.goarch {
        "ppc64le" => "",
        _ => "$CC -static-pie c/list.c -o /out/static-pie && /out/static-pie",
    };
    let said = shop.sh(&format!(
        "mkdir -p /tmp/habits; cd /tmp/habits; cp -r /programs/c .
         $CC -O2 -fdata-sections -ffunction-sections -Wl,--gc-sections c/list.c -o /out/list; /out/list
         {static_pie}
         echo 'int there(void) {{ return 1; }}' >part.c
         echo 'V1 {{ global: there; left_out; local: *; }};' >part.map
         $CC -shared -fPIC part.c -Wl,--version-script=part.map -o part.so
         readelf --dyn-syms --wide part.so | grep -c there@@V1
         {0}-ld -shared --version-script=part.map part.so -o again.so
         $CC -c part.c c/list.c
         $CC -r part.o list.o -o both.o; $CC both.o -o both; ./both
         echo 'static inline int one(void) {{ return 1; }}' >one.h
         $CC one.h -o one.h.pch; $CC -x c-header one.h -o again.pch
         echo 'int main(void) {{ return one() - 1; }}' | $CC -include-pch one.h.pch -x c - -o precompiled; ./precompiled",
        shop.abi.triple
    ))?;
    let sums = if static_pie.is_empty() { "sum 3\n" } else { "sum 3\nsum 3\n" };
    ensure_eq!(said, format!("{sums}1\nsum 3\n"));
    Ok(())
}

/// A plain file says nothing of a machine: what makes an object of it has to know. And the object has to be linked.
fn binutils(shop: &Workshop) -> Verdict {
    let said = shop.sh(&format!(
        "mkdir -p /out/binutils; cd /out/binutils; rm -f -- *; echo from a text >text; T={0}
         $T-ld -r -b binary -o by-ld.o text
         $T-objcopy -I binary -O default text by-objcopy.o
         for object in by-ld by-objcopy; do $CC /programs/c/embedded.c $object.o -o $object; ./$object; done
         $CC -O2 -fno-addrsig -S /programs/c/hello.c -o hello.s
         $T-as hello.s -o by-as.o; $T-as <hello.s; cmp by-as.o a.out
         $CC by-as.o -o by-as; ./by-as >/dev/null
         lib=$($CC -print-file-name=crt1.o); lib=${{lib%/*}}
         # GNU's own has an idea of its own of the loader.
         case $($T-ld --version) in GNU*) loader=--dynamic-linker={1} ;; *) loader= ;; esac
         $T-ld -o by-hand $loader $lib/crt1.o $lib/crti.o by-as.o -lc $lib/crtn.o; ./by-hand >/dev/null
         for tool in ar nm ranlib strip readelf objdump addr2line c++filt size strings gcc-ar gcov; do
             $T-$tool --version >/dev/null || echo no $T-$tool
         done",
        shop.abi.triple, shop.abi.loader
    ))?;
    ensure_eq!(said, "from a text\n".repeat(2));
    for object in ["by-ld.o", "by-objcopy.o", "by-as.o"] {
        shop.elf(&format!("binutils/{object}"))?.is_for(shop.platform)?;
    }
    let by_hand = shop.elf("binutils/by-hand")?;
    by_hand.is_for(shop.platform)?;
    by_hand.is_dynamic(shop.abi)
}

/// Calico's release and others build paths of these answers.
fn gcc_answers(shop: &Workshop) -> Verdict {
    let said = shop.sh(&format!(
        "for name in gcc g++; do
             ask() {{ {0}-$name \"$@\"; }}
             ask -dumpmachine; ask -print-multiarch
             test -d $(ask -print-sysroot)/usr/include/$(ask -print-multiarch)
             test -f $(ask -print-sysroot)/usr/lib/gcc/$(ask -dumpmachine)/$(ask -dumpversion)/libgcc.a
             test $(ask -dumpfullversion -dumpversion) -ge 12
             test -f $(ask -print-file-name=libc.so)
             test -f $(ask -print-libgcc-file-name)
             test -f $(ask -print-file-name=include)/stddef.h
             test $(ask -print-file-name=nothing-of-that-name) = nothing-of-that-name
             for tool in ld as ar nm objcopy; do test -x $(ask -print-prog-name=$tool); done
             ask --version | grep -c clang
         done",
        shop.abi.triple
    ))?;
    ensure_eq!(said, format!("{0}\n{0}\n1\n", shop.abi.triple).repeat(2));
    Ok(())
}

/// Go writes std into its own directory then, so it needs a copy. (For one target, because it takes a minute.)
fn linkshared(lab: &Lab) -> Verdict {
    let script = "cp -r /usr/local/go /tmp/go; export GOROOT=/tmp/go PATH=/tmp/go/bin:$PATH CGO_ENABLED=1
         gb run -- go install -buildmode=shared std
         gb run -- go build -linkshared -o /tmp/linked ./go-fips; /tmp/linked; readelf -d /tmp/linked | grep -c libstd.so";
    let said = lab.container().bare_sh(script)?.ok()?;
    ensure_eq!(said, "fips false 1\n1\n");
    Ok(())
}
