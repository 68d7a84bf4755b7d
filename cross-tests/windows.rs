//! Programs for Windows, and what there is to say of them: clang and lld against mingw-w64, run by Wine.

use std::path::PathBuf;
use std::sync::OnceLock;

use gb::platform::Platform;
use libtest_mimic::Failed;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::{Lab, own_user};

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new("Windows' compilers answer as GCC's do, and each tool is there", Needs::Image, names),
        Case::new("GOOS=windows is refused where there is nothing to build against", Needs::Image, refused),
        Case::new("the same program for Windows is the same file", Needs::Image, reproducible),
    ];
    // Wine runs programs of its own machine.
    if Platform::host().is_some_and(|host| host.windows_abi().is_some()) {
        let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::ArmImage, check);
        cases.extend([
            case("cgo for Windows runs, whoever names the compiler, and needs no DLL but Windows' own", cgo),
            case("net, os/user, threads, callbacks and C++ run on Windows", std_and_cxx),
            case("every mode of a Go program for Windows runs, the race detector too", modes),
            case("a DLL of Go's runs in a program of C", shared),
            case("C, C++, DLLs, resources and wmain run on Windows", c),
            case("go test for Windows runs by -exec", go_test),
            case("Go builds for Windows in a container for another target, and the other way round", follows),
        ]);
    }
    cases
}

/// Prints the DLLs of programs that not every Windows has.
const FOREIGN_DLLS: &str = "foreign() {
         for program in \"$@\"; do
             llvm-readobj --coff-imports $program | sed -n 's/^  Name: //p' |
                 grep -ivE '^((kernel32|msvcrt|advapi32|ws2_32|iphlpapi|user32)[.]dll|api-ms-win-core-synch-l1-2-0[.]dll)$' || true
         done
     }\n";

/// A container for windows/amd64, with cgo. All have one cache of Go's: the image's has nothing for Windows.
fn container(lab: &Lab) -> Result<Container, Failed> {
    static CACHE: OnceLock<Result<PathBuf, String>> = OnceLock::new();
    let make = || lab.dir("windows-cache").map_err(|error| error.message().unwrap_or_default().to_owned());
    let cache = CACHE.get_or_init(make).as_ref().map_err(String::as_str)?;
    let container = lab.arm_container()?.mount(cache, "/go-cache").env("GOCACHE", "/go-cache");
    Ok(container.env("GOOS", "windows").env("GOARCH", "amd64").env("CGO_ENABLED", "1"))
}

fn sh(lab: &Lab, script: &str) -> Result<String, Failed> {
    container(lab)?.caller().sh(&format!("{FOREIGN_DLLS}{script}"))?.ok().map(|text| text.replace('\r', ""))
}

fn names(lab: &Lab) -> Verdict {
    let script = "T=x86_64-w64-mingw32
         for cc in gcc cc clang g++ c++ clang++; do $T-$cc -E -dM -xc /dev/null | grep -c 'define _WIN64 1'; done
         for tool in ar ranlib strip nm objdump objcopy ld as windres; do $T-$tool --version >/dev/null || echo no $tool; done
         command -v $T-dlltool; $T-gcc -dumpmachine; test -e $($T-gcc -print-file-name=libws2_32.a); test -e $($T-gcc -print-libgcc-file-name)
         $T-clang --target=x86_64-pc-windows-gnu -E -dM -xc /dev/null | grep -c 'define _WIN64 1'
         GOOS=windows GOARCH=amd64 gb info --field cc --field sysroot
         $T-pkg-config --variable pc_path pkg-config >/dev/null; $T-pkg-config --exists libpcap || echo none of the machine\\'s
         # Where Fedora and RHEL have it.
         test -e /usr/$T/sys-root/mingw/include/windows.h";
    let said = lab.container().bare_sh(script)?.ok()?;
    ensure_eq!(
        said,
        format!(
            "{}/usr/local/bin/x86_64-w64-mingw32-dlltool\nx86_64-w64-mingw32\n1\nx86_64-w64-mingw32-clang\n/usr/x86_64-w64-mingw32/sys-root\nnone of the machine's\n",
            "1\n".repeat(6)
        )
    );
    Ok(())
}

fn refused(lab: &Lab) -> Verdict {
    let script = "GOARCH=arm64 gb env | grep windows
         CC=x86_64-w64-mingw32-gcc GOARCH=arm64 go build -o /tmp/a ./go-cgo 2>&1 || true
         GB_SYSROOT=/tmp GOARCH=amd64 gb run true 2>&1 || true
         go build -o /tmp/pure.exe ./go-pure; gb verify /tmp/pure.exe 2>&1 || true";
    let container = lab.container().env("GOOS", "windows").env("CGO_ENABLED", "1").env("GOARCH", "amd64");
    ensure_eq!(
        container.bare_sh(script)?.ok()?,
        "# target: windows, said by GOOS; host: linux/amd64\n\
         # GOOS=windows: the C compiler is left as it is, gb's are for linux and windows/amd64\n\
         # runtime/cgo\n\
         gb: compile a cgo package for windows/arm64: x86_64-w64-mingw32-gcc compiles for windows/amd64 (set CC to a compiler \
         for it, or CGO_ENABLED=0)\n\
         gb: build against GB_SYSROOT: no usable sysroot for x86_64-w64-mingw32: /tmp: no include/windows.h of mingw-w64 (set \
         GB_SYSROOT to a sysroot of windows/amd64, or unset it)\n\
         gb: verify /tmp/pure.exe: there is no ELF file or archive to look at among 1 files (gb does not look into programs \
         for Windows)\n"
            .replace("linux/amd64\n#", &format!("linux/{}\n#", Platform::host().map_or("", |host| host.goarch)))
    );
    Ok(())
}

fn reproducible(lab: &Lab) -> Verdict {
    let script = "build() { GOCACHE=/tmp/$1 go build -trimpath -o /tmp/$1.exe ./go-cgo; }
         build one; sleep 1; build two; cmp /tmp/one.exe /tmp/two.exe
         link() { SOURCE_DATE_EPOCH=1 $CC c/hello.c -o /tmp/$1.exe; }
         link one; sleep 1; link two; cmp /tmp/one.exe /tmp/two.exe";
    let container = lab.container().env("GOOS", "windows").env("GOARCH", "amd64").env("CGO_ENABLED", "1");
    ensure_eq!(container.sh(script)?.ok()?, "");
    Ok(())
}

const GREETING: &str = "hello windows/amd64 from C, Go says 42\n";

fn cgo(lab: &Lab) -> Verdict {
    let script = "go build -o /tmp/own.exe ./go-cgo
         CC=x86_64-w64-mingw32-gcc go build -o /tmp/gcc.exe ./go-cgo
         CC=\"ccache $CC\" CCACHE_DIR=/tmp/ccache go build -o /tmp/ccache.exe ./go-cgo
         for program in own gcc ccache; do wine /tmp/$program.exe; done; foreign /tmp/*.exe";
    ensure_eq!(sh(lab, script)?, GREETING.repeat(3));
    // Without gb run, as in docker exec.
    let script = format!(
        "{FOREIGN_DLLS}
         mkdir /tmp/home; CC=x86_64-w64-mingw32-gcc go build -o /tmp/bare.exe ./go-cgo; wine /tmp/bare.exe; foreign /tmp/bare.exe
         unset CC; go build -o /tmp/none.exe ./go-cgo 2>&1 | grep ^gb:"
    );
    let said = container(lab)?
        .user(&own_user())
        .env("HOME", "/tmp/home")
        .bare_sh(&script)?
        .text()?
        .replace('\r', "");
    let refusal = "gb: compile a cgo package for windows/amd64: gcc compiles for linux/amd64 (set \
                   CC=x86_64-w64-mingw32-clang, or run the command through gb run)\n";
    ensure_eq!(said, format!("{GREETING}{refusal}"));
    Ok(())
}

fn std_and_cxx(lab: &Lab) -> Verdict {
    let script = "go build -o /tmp/std.exe ./go-windows; go build -o /tmp/cxx.exe ./go-cxx
         wine /tmp/std.exe one two; wine /tmp/cxx.exe; foreign /tmp/std.exe /tmp/cxx.exe";
    ensure_eq!(sh(lab, script)?, "[one two] 41 514 <nil> <nil>\na thread has caught an exception of C++\n");
    Ok(())
}

fn modes(lab: &Lab) -> Verdict {
    let script = "n=0; for flags in -race -trimpath -buildmode=exe -buildmode=pie -ldflags=-H=windowsgui '-ldflags=-s -w' \
             '-ldflags=-linkmode=external -extldflags=-static'; do
             n=$((n + 1)); go build \"$flags\" -o /tmp/$n.exe ./go-cgo; wine /tmp/$n.exe
         done; foreign /tmp/*.exe
         printf 'package main\\nfunc main() { c := make(chan bool); x := 0; go func() { x++; c <- true }(); x++; <-c }\\n' >/tmp/race.go
         go build -race -o /tmp/race.exe /tmp/race.go; wine /tmp/race.exe 2>&1 | grep -o 'DATA RACE'";
    ensure_eq!(sh(lab, script)?, format!("{}DATA RACE\n", GREETING.repeat(7)));
    Ok(())
}

fn shared(lab: &Lab) -> Verdict {
    let script = "cd /tmp; go build -C /programs -buildmode=c-shared -o /tmp/libgreet.dll ./go-shared
         go build -C /programs -buildmode=c-archive -o /tmp/static/libgreet.a ./go-shared
         $CC -I. /programs/c/greet.c libgreet.dll -o shared.exe
         $CC -Istatic /programs/c/greet.c static/libgreet.a -o static.exe
         wine ./shared.exe; wine ./static.exe; foreign shared.exe static.exe libgreet.dll";
    let greeting = "hello C from Go on windows/amd64\n";
    ensure_eq!(sh(lab, script)?, format!("{}libgreet.dll\n", greeting.repeat(2)));
    Ok(())
}

fn c(lab: &Lab) -> Verdict {
    let script = "cd /tmp; T=x86_64-w64-mingw32; P=/programs
         $T-gcc -O2 -flto -fstack-protector-strong -D_FORTIFY_SOURCE=2 $P/c/hello.c -o hello.exe
         $T-g++ $P/cxx/hello.cc -o cxx.exe
         $T-windres -O coff $P/windows/wide.rc wide.o; $T-gcc -municode $P/windows/wide.c wide.o -o wide.exe
         $T-gcc -shared $P/windows/twice.c -o twice.dll -Wl,--out-implib,libtwice.dll.a
         $T-gcc -pthread $P/windows/main.c -L. -ltwice -o main.exe
         printf 'LIBRARY twice.dll\\nEXPORTS\\ntwice\\n' >twice.def; $T-dlltool -d twice.def -l libby.a
         $T-gcc -c $P/windows/main.c -o main.o; $T-ar rcs libmain.a main.o; $T-ranlib libmain.a
         $T-gcc -Wl,--whole-archive libmain.a -Wl,--no-whole-archive libby.a -lpthread -static -o by.exe; $T-strip by.exe
         $T-ld -o ld.exe /usr/$T/sys-root/lib/crt2.o -Map ld.map main.o libby.a -lwinpthread -lmingw32 -lgcc -lmoldname -lmingwex -lmsvcrt -lkernel32
         for program in hello cxx 'wide argument' main by ld; do set -- $program; wine ./$1.exe ${2-}; done; foreign *.exe";
    ensure_eq!(
        sh(lab, script)?,
        "hello from C, 64 bits, little-endian\nunwound, caught an exception of C++\n2 argument a resource\n\
         twice is 42\ntwice is 42\ntwice is 42\ntwice.dll\ntwice.dll\ntwice.dll\n"
    );
    Ok(())
}

fn go_test(lab: &Lab) -> Verdict {
    let said = sh(lab, "go test -v -exec wine ./go-pure | grep -o '^--- [A-Z]*'")?;
    ensure!(said.lines().all(|line| line == "--- PASS") && !said.is_empty(), "{said}");
    Ok(())
}

/// What gb has chosen follows Go.
fn follows(lab: &Lab) -> Verdict {
    let script =
        "export CGO_ENABLED=1; GOOS=windows GOARCH=amd64 go build -o /tmp/a.exe ./go-cgo; wine /tmp/a.exe";
    let foreign = lab.arm_container()?.caller().env("GOARCH", "s390x").sh(script)?.ok()?;
    ensure_eq!(foreign.replace('\r', ""), GREETING);
    let native = lab.arm_container()?.caller().sh(script)?.ok()?;
    ensure_eq!(native.replace('\r', ""), GREETING);
    let said = sh(
        lab,
        "GOOS= GOARCH= go run ./go-cgo; GOOS=linux GOARCH=arm64 go build -o /tmp/arm64 ./go-cgo; file -b /tmp/arm64 | cut -d, -f2",
    )?;
    ensure_eq!(said, "hello linux/amd64 from C, Go says 42\n ARM aarch64\n");
    Ok(())
}
