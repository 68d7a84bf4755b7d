//! CMake, Meson and autoconf, which look for libraries by themselves: what they find is the sysroot's or what the caller
//! names, and nothing that only this machine has.

use std::collections::HashMap;

use gb::platform::{ElfData, Platform};
use libtest_mimic::Failed;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::{Lab, TARGETS};

/// Puts a header, a library and packages where only this machine may look, and `local.h` where a native build may; then
/// builds and installs a dependency with CMake, as the caller would who brings one along.
const GIVEN: &str = r#"
    export TRAP_LIB=/usr/lib/$(gb info $(uname -m) --field multiarch) w=/tmp/w p=/programs/build-systems
    mkdir -p /usr/include/trap /usr/lib/cmake/trap $w/own/include $w/hinted
    touch /usr/include/trap.h /usr/include/trap/trap-below.h /usr/local/include/local.h $w/own/include/pcap.h $w/hinted/hinted.h
    cp $TRAP_LIB/libz.so.1 $TRAP_LIB/libtrap.so
    printf 'Name: trap\nDescription: trap\nVersion: 1\nLibs: -ltrap\n' >$TRAP_LIB/pkgconfig/trap.pc
    echo 'add_library(trap INTERFACE IMPORTED)' >/usr/lib/cmake/trap/trap-config.cmake
    export HINTED=$w/hinted CMAKE_GENERATOR=Ninja
    cmake -S $p/dep -B $w/dep >/dev/null
    cmake --build $w/dep >/dev/null
    cmake --install $w/dep --prefix $w/stage >/dev/null
    cd $w
"#;

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for goarch in TARGETS {
        let name = format!(
            "{goarch}: CMake finds the sysroot's libraries and the caller's, and this machine's in a native build alone"
        );
        cases.push(Case::new(name, Needs::ArmImage, move |lab| cmake(lab, goarch)));
        let name = format!(
            "{goarch}: Meson finds the sysroot's libraries and the caller's, and this machine's in a native build alone"
        );
        cases.push(Case::new(name, Needs::ArmImage, move |lab| meson(lab, goarch)));
        let name =
            format!("{goarch}: a dynamic C program and go test run by docker exec with no variable set");
        cases.push(Case::new(name, Needs::Emulation(goarch), move |lab| no_variable(lab, goarch)));
    }
    cases.extend([
        Case::new(
            "configure --host finds a target's own tools, libraries and macros",
            Needs::ArmImage,
            autoconf,
        ),
        Case::new(
            "CMake takes packages from wherever the caller says, in a cross build as in a native one",
            Needs::ArmImage,
            callers_packages,
        ),
        Case::new(
            "CMake takes the caller's compiler and sysroot, and no compiler of another target's",
            Needs::ArmImage,
            callers_compiler,
        ),
    ]);
    cases
}

/// A container of the image that has the build systems; its command is root, who may change what the machine has.
fn container(lab: &Lab, goarch: &str) -> Result<Container, Failed> {
    Ok(lab.arm_container()?.env("RUN_AS_ROOT", "true").env("GOARCH", goarch))
}

/// The `NAME=value` lines of the CMake project; what was not found is left out.
fn found(said: &str) -> HashMap<&str, &str> {
    let pairs = said.lines().filter_map(|line| line.split_once('='));
    pairs.filter(|(_, value)| !value.is_empty() && !value.ends_with("-NOTFOUND")).collect()
}

fn order(platform: &Platform) -> &'static str {
    match platform.elf.data {
        ElfData::Little => "little",
        ElfData::Big => "big",
    }
}

fn cmake(lab: &Lab, goarch: &str) -> Verdict {
    let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
    let triple = platform.default_abi().triple;
    let native = Platform::host() == Some(platform);
    let script = format!(
        "{GIVEN}
         cmake -S $p/cmake -B app -DCMAKE_PREFIX_PATH=\"$w/stage;$w/own\" >log
         cat app/found
         cmake --build app >/dev/null
         ctest --test-dir app >/dev/null
         {triple}-readelf -h app/app | sed -n 's/ *Machine: */Machine=/p'"
    );
    let said = container(lab, goarch)?.sh(&script)?.ok()?;
    let mut found = found(&said);
    ensure!(found.remove("Machine").is_some(), "no program: {said}");
    ensure!(found.remove("Python3_EXECUTABLE").is_some_and(|p| p.starts_with("/usr/bin/")), "{said}");
    let (root, multiarch) = (format!("/usr/{triple}/sys-root/usr"), platform.default_abi().multiarch);
    let library = |name: &str| format!("{root}/lib/{multiarch}/{name}");
    let mut expected: HashMap<_, _> = [
        ("CMAKE_CROSSCOMPILING", if native { "FALSE" } else { "TRUE" }.to_owned()),
        ("CMAKE_SYSTEM_PROCESSOR", platform.uname[0].to_owned()),
        ("ZLIB_INCLUDE_DIRS", format!("{root}/include")),
        ("ZLIB_LIBRARIES", library("libz.so")),
        ("PCAP_H", "/tmp/w/own/include".to_owned()),
        ("PCAP", library("libpcap.so")),
        ("ELF_LIBRARY_DIRS", library("")),
        ("ELF_LINK_LIBRARIES", library("libelf.so")),
        ("dep_DIR", "/tmp/w/stage/lib/cmake/dep".to_owned()),
        ("HINTED_H", "/tmp/w/hinted".to_owned()),
        ("order", order(platform).to_owned()),
    ]
    .into();
    if native {
        expected.insert("LOCAL_H", "/usr/local/include".to_owned());
    }
    for (name, expected) in &expected {
        let value = found.remove(name).map(|value| value.trim_end_matches('/'));
        ensure!(value == Some(expected.trim_end_matches('/')), "{name} is {value:?}, not {expected}: {said}");
    }
    // What is installed on this machine serves a native build, after the sysroot.
    let traps =
        ["trap_DIR", "TRAP_H", "TRAP_HINTED_H", "TRAP_BELOW_H", "TRAP", "TRAP_HINTED", "TRAP_PC_FOUND"];
    for name in traps.iter().filter(|_| native) {
        ensure!(found.remove(name).is_some(), "{name} was not found: {said}");
    }
    ensure!(found.is_empty(), "this machine's was found: {found:?}");
    Ok(())
}

fn meson(lab: &Lab, goarch: &str) -> Verdict {
    let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
    let script = format!(
        "{GIVEN}
         meson setup --cross-file $GB_TRIPLE $p/meson app -Dcmake_prefix_path=$w/stage >log || {{ cat log; exit 1; }}
         sed -n 's/^ *\\(cpu\\|endian\\) *: /\\1=/p' log
         ninja -C app >/dev/null
         meson test -C app >log || {{ cat log; exit 1; }}
         if [ -e /usr/local/share/meson/native/$GB_TRIPLE ]; then
             meson setup --native-file $GB_TRIPLE $p/meson native -Dcmake_prefix_path=$w/stage | sed -n 's/^ *cross *: /cross=/p'
         fi"
    );
    let said = container(lab, goarch)?.sh(&script)?.ok()?;
    let native = if Platform::host() == Some(platform) { "cross=false\n" } else { "" };
    ensure_eq!(said, format!("cpu={}\nendian={}\n{native}", platform.meson, order(platform)));
    Ok(())
}

/// As a Makefile or a shell in `docker exec` does it: with the names of the tools and nothing else. Where a whole container
/// is emulated, its own programs must not get the sysroot's libc, so there is no such place for the image's architecture.
fn no_variable(lab: &Lab, goarch: &str) -> Verdict {
    let triple = Platform::by_goarch(goarch).ok_or("not in the table")?.default_abi().triple;
    let script = format!(
        "test ! -e /usr/gnemul/qemu-$(uname -m); test ! -e /etc/qemu-binfmt/$(uname -m)
         mkdir /tmp/work; cp -r /programs/go-cgo /programs/go.mod /tmp/work/; cd /tmp/work
         printf 'package main\\n\\nimport \"testing\"\\n\\nfunc TestHello(*testing.T) {{ main() }}\\n' >go-cgo/main_test.go
         {triple}-clang /programs/c/hello.c -o hello
         {triple}-clang++ /programs/cxx/hello.cc -o hello-cxx
         export HOME=/tmp
         env -u QEMU_LD_PREFIX ./hello
         env -u QEMU_LD_PREFIX ./hello-cxx
         GOARCH={goarch} CGO_ENABLED=1 CC={triple}-clang go test -vet=off -v ./go-cgo | grep '^hello'"
    );
    let said = lab.container().bare_sh(&script)?.ok()?;
    let lines: Vec<_> = said.lines().collect();
    ensure!(lines.len() == 3 && lines[0].starts_with("hello from C"), "it said: {said}");
    ensure_eq!(lines[2], format!("hello linux/{goarch} from C, Go says 42"));
    Ok(())
}

/// The macro is in the sysroots' own directory, as a package unpacked there would have it.
fn autoconf(lab: &Lab) -> Verdict {
    let mut script = format!(
        "{GIVEN}
         cp -r $p/autoconf $w/src
         for root in /usr/*/sys-root; do mkdir -p $root/usr/share/aclocal; echo \
             'AC_DEFUN([OF_THE_SYSROOT], [AC_SUBST([macro], [of-the-sysroot])])' >$root/usr/share/aclocal/of-the-sysroot.m4; done
         gb run -- autoreconf --install --force $w/src 2>/dev/null
         build() {{
             mkdir $w/$1; cd $w/$1
             of_this_machine=no; if [ $1 = $(go env GOHOSTARCH) ]; then of_this_machine=yes; fi; export of_this_machine
             ../src/configure --host=$2 >log 2>&1 || {{ cat log; exit 1; }}
             make -s app say; $2-readelf -d app | sed -n 's/.*NEEDED.*\\[\\(lib[zp].*\\)\\]/\\1/p'
         }}\n"
    );
    let mut expected = String::new();
    for goarch in TARGETS {
        let platform = Platform::by_goarch(goarch).ok_or("not in the table")?;
        let triple = platform.default_abi().triple;
        // Without a variable the names that begin with the triple are all that configure goes by.
        script.push_str(&format!(
            "(unset $(gb env {goarch} --json | jq -r '.set[].name'); build {goarch} {triple})\n"
        ));
        let compilers = format!(
            "{triple}-gcc {triple}-g++ {triple}-ar {triple}-ranlib {triple}-readelf {triple}-objdump"
        );
        expected.push_str(&format!(
            "{compilers} {} of-the-sysroot\nlibpcap.so.0.8\nlibz.so.1\n",
            order(platform)
        ));
    }
    ensure_eq!(container(lab, "arm64")?.sh(&script)?.ok()?, expected);
    Ok(())
}

fn callers_packages(lab: &Lab) -> Verdict {
    let script = format!(
        "{GIVEN}
         mkdir root; cp -r stage root/usr
         look() {{ rm -rf app; cmake -S $p/cmake -B app \"$@\" >log; echo \"$(sed -n 's/^dep_DIR=//p' app/found) $(grep -c '^-- gb: ' log)\"
             ! grep '^L\\?TRAP.*=/\\|^trap_DIR=/' app/found; }}
         CMAKE_PREFIX_PATH=/nowhere:$w/stage look
         look -Ddep_ROOT=$w/stage
         look -Ddep_DIR=$w/dep
         look -DCMAKE_INSTALL_PREFIX=$w/stage
         look -DCMAKE_INSTALL_PREFIX=/usr -DCMAKE_STAGING_PREFIX=$w/stage
         look -DCMAKE_FIND_ROOT_PATH=$w/root
         look -DCMAKE_FIND_ROOT_PATH=$w/root -DCMAKE_FIND_ROOT_PATH_MODE_LIBRARY=ONLY -DCMAKE_FIND_ROOT_PATH_MODE_PACKAGE=ONLY
         look -DCMAKE_PREFIX_PATH=\"/usr;$w/stage\"
         CMAKE_PREFIX_PATH=/usr/ look -Ddep_ROOT=$w/stage
         cp -r stage/* /usr/local/
         look -DCMAKE_PREFIX_PATH=/usr/local"
    );
    let said = container(lab, "arm64")?.sh(&script)?.ok()?;
    let installed = "/tmp/w/stage/lib/cmake/dep";
    let in_root = "/tmp/w/root/usr/lib/cmake/dep";
    ensure_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            &format!("{installed} 0"),
            &format!("{installed} 0"),
            "/tmp/w/dep 0",
            &format!("{installed} 0"),
            &format!("{installed} 0"),
            &format!("{in_root} 0"),
            &format!("{in_root} 0"),
            // A prefix of this machine's is left out, and that is said.
            &format!("{installed} 1"),
            &format!("{installed} 1"),
            "/usr/local/lib/cmake/dep 0",
        ]
    );
    Ok(())
}

fn callers_compiler(lab: &Lab) -> Verdict {
    const OWN: &str =
        "clang --target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu/sys-root -fuse-ld=lld";
    let script = format!(
        "{GIVEN}
         cp -a /usr/aarch64-linux-gnu/sys-root /tmp/root
         look() {{ rm -rf app; cmake -S $p/cmake -B app -Ddep_ROOT=$w/stage \"$@\" >log
             sed -n 's/^set(CMAKE_C_COMPILER \"\\(.*\\)\")/\\1/p' app/CMakeFiles/*/CMakeCCompiler.cmake; sed -n 's/^ZLIB_LIBRARIES=//p' app/found; }}
         compile() {{ cmake --build app >/dev/null; aarch64-linux-gnu-readelf -h app/app | sed -n 's/ *Machine: */is for /p'; }}
         look -DCMAKE_C_COMPILER=aarch64-linux-gnu-gcc; compile
         CC='{OWN}' look --toolchain $CMAKE_TOOLCHAIN_FILE; compile
         CC_aarch64_unknown_linux_gnu='{OWN}' look; compile
         GB_SYSROOT=/tmp/root look; mv /usr/aarch64-linux-gnu/sys-root /usr/gone; compile; mv /usr/gone /usr/aarch64-linux-gnu/sys-root
         CMAKE_TOOLCHAIN_FILE=/usr/s390x-linux-gnu/toolchain.cmake look"
    );
    let said = container(lab, "arm64")?.sh(&script)?.ok()?;
    let zlib = |root: &str, triple: &str| format!("{root}/usr/lib/{triple}/libz.so");
    let usual = zlib("/usr/aarch64-linux-gnu/sys-root", "aarch64-linux-gnu");
    let role = "/usr/local/bin/aarch64-linux-gnu-clang";
    ensure_eq!(
        said.lines().collect::<Vec<_>>(),
        [
            "/usr/local/bin/aarch64-linux-gnu-gcc",
            &usual,
            "is for AArch64",
            "/usr/bin/clang",
            &usual,
            "is for AArch64",
            "/usr/bin/clang",
            &usual,
            "is for AArch64",
            role,
            &zlib("/tmp/root", "aarch64-linux-gnu"),
            "is for AArch64",
            "/usr/local/bin/s390x-linux-gnu-clang",
            &zlib("/usr/s390x-linux-gnu/sys-root", "s390x-linux-gnu"),
        ]
    );
    Ok(())
}
