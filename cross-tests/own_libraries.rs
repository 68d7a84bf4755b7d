//! Libraries that the image does not have: the caller's, for the machine itself and for a target.

use gb::platform::Platform;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::elf::Facts;
use crate::lab::{Lab, own_user};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("a native build finds what is installed in /usr/local", Needs::Image, usr_local),
        Case::new(
            "a native build finds a package that is installed on the machine, and asks for no newer glibc",
            Needs::Image,
            package,
        ),
        Case::new("a cross build finds nothing of the machine's own", Needs::Image, not_the_hosts),
        Case::new(
            "a cross build finds what PKG_CONFIG_PATH names outside of the sysroot",
            Needs::Emulation("s390x"),
            pkg_config_path,
        ),
    ]
}

/// Installs the library in the directories of a prefix, with `$CC`.
const INSTALL: &str = "install_dep() {
         prefix=$1 include=$2 lib=$3
         mkdir -p $include $lib/pkgconfig
         cp /programs/dep/dep.h $include/
         $CC -O2 -fPIC -shared -Wl,-soname,libdep.so.1 /programs/dep/dep.c -o $lib/libdep.so.1
         ln -s libdep.so.1 $lib/libdep.so
         printf 'Name: dep\\nDescription: a test\\nVersion: 1\\nCflags: -I%s\\nLibs: -L%s -ldep\\n' $include $lib >$lib/pkgconfig/dep.pc
     }\n";

fn usr_local(lab: &Lab) -> Verdict {
    let script = format!(
        "{INSTALL} CC=gcc; install_dep /usr/local /usr/local/include /usr/local/lib; ldconfig
         unset CC; gb run -- go build -o /tmp/dep ./go-dep; /tmp/dep
         echo '#include <dep.h>
         int main(void) {{ return dep()[0] != 97; }}' >/tmp/main.c
         for cc in gcc x86_64-linux-gnu-clang 'g++ -x c++ -include stdlib.h'; do
             $cc -c /tmp/main.c -o /tmp/main.o || echo $cc
         done
         gcc /tmp/main.c -ldep -o /tmp/main; /tmp/main"
    );
    ensure_eq!(lab.container().user("0:0").bare_sh(&script)?.ok()?, "a library of the caller's\n");
    Ok(())
}

/// A package of the machine's distribution is made against a newer glibc than the sysroot has: `clang` has that one.
fn package(lab: &Lab) -> Verdict {
    let out = lab.dir("package")?;
    let script = format!(
        "{INSTALL} CC=clang; multiarch=$(gcc -print-multiarch)
         install_dep /usr /usr/include/$multiarch/dep /usr/lib/$multiarch; ldconfig
         unset CC; gb run -- go build -o /out/dep ./go-dep; /out/dep
         gcc -I/usr/include/$multiarch/dep /programs/dep/dep.c -c -o /dev/null
         readelf --version-info --wide /usr/lib/$multiarch/libdep.so.1 | grep -o GLIBC_2.38 | sort -u | wc -l
         chown {} /out/dep",
        own_user()
    );
    let container = lab.container().user("0:0").mount(&out, "/out");
    ensure_eq!(container.bare_sh(&script)?.ok()?, "a library of the caller's\n1\n");
    let elf = Facts::read(&out.join("dep"))?;
    elf.needs_library("libdep.so.1")?;
    elf.needs_glibc_at_most((2, 34))
}

fn not_the_hosts(lab: &Lab) -> Verdict {
    let script = format!(
        "{INSTALL} CC=clang; install_dep /usr /usr/include /usr/lib/x86_64-linux-gnu
         echo '#include <dep.h>' >/tmp/main.c
         for triple in aarch64 powerpc64le s390x riscv64; do
             triple=$triple-linux-gnu
             $triple-clang -c /tmp/main.c -o /tmp/main.o 2>/tmp/log && echo $triple finds the header
             grep -q 'dep.h.* file not found' /tmp/log || cat /tmp/log
             echo 'int main(void) {{ return 0; }}' | $triple-clang -x c - -ldep -o /tmp/main 2>/tmp/log && echo $triple finds the library
             grep -q 'unable to find library -ldep' /tmp/log || cat /tmp/log
             $triple-pkg-config --exists dep && echo $triple finds the package
             PKG_CONFIG_PATH=/usr/lib/x86_64-linux-gnu/pkgconfig $triple-pkg-config --exists dep 2>/tmp/log && echo $triple finds it
             grep -q \"is the host's, and left out\" /tmp/log || cat /tmp/log
         done; true"
    );
    ensure_eq!(lab.container().user("0:0").bare_sh(&script)?.ok()?, "");
    Ok(())
}

fn pkg_config_path(lab: &Lab) -> Verdict {
    let out = lab.dir("pkg-config-path")?;
    let script = format!(
        "{INSTALL} install_dep /out/dep /out/dep/include /out/dep/lib
         export PKG_CONFIG_PATH=/out/dep/lib/pkgconfig:/usr/lib/x86_64-linux-gnu/pkgconfig CGO_ENABLED=1
         $PKG_CONFIG --cflags --libs dep 2>/dev/null
         $PKG_CONFIG --cflags libpcap --keep-system-cflags 2>/dev/null | grep -o -- '-I/usr/s390x[^ ]*include' | head -n 1
         go build -o /out/program ./go-dep
         LD_LIBRARY_PATH=/out/dep/lib /out/program"
    );
    let container = lab.container().caller().env("GOARCH", "s390x").mount(&out, "/out");
    let said = container.sh(&script)?.ok()?;
    let (flags, said) = said.split_once('\n').ok_or("pkg-config said nothing")?;
    ensure_eq!(flags.trim_end(), "-I/out/dep/include -L/out/dep/lib -ldep");
    ensure_eq!(said, "-I/usr/s390x-linux-gnu/sys-root/usr/include\na library of the caller's\n");
    let elf = Facts::read(&out.join("program"))?;
    ensure!(elf.needs_library("libdep.so.1").is_ok(), "the library is not needed: {elf:?}");
    elf.is_for(Platform::by_goarch("s390x").ok_or("not in the table")?)
}
