//! BPF programs, as real projects write and compile them: by plain clang and by every role, opened by bpftool and taken
//! by the kernel. The headers are the image's own, whatever the role's target.

use gb::platform::{PLATFORMS, Platform};

use crate::case::{Case, Needs, Verdict, ensure_eq};
use crate::engine::Container;
use crate::lab::Lab;

/// Compiles /programs/bpf/filter.c with $1 to $2.o in one step, and to $2.llc.o as Calico does: by way of llc.
const COMPILE: &str = "flags='-mcpu=v3 -O2 -g -Wall -Werror -fno-stack-protector'
    compile() {
        $1 -target ${3:-bpf} $flags -mllvm -bpf-stack-size=512 -mllvm -bpf-disable-trap-unreachable \\
            -c /programs/bpf/filter.c -o $2.o
        $1 -target ${3:-bpf} $flags -emit-llvm -c /programs/bpf/filter.c -o $2.ll
        llc -march=${3:-bpf} -mcpu=v3 -filetype=obj -bpf-disable-trap-unreachable -o $2.llc.o $2.ll
    }
    cd /tmp\n";

pub fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "a BPF program with every kind of header is compiled, and bpftool opens it",
            Needs::Image,
            opened,
        ),
        Case::new("every role compiles a BPF program to what plain clang makes of it", Needs::Image, roles),
        Case::new(
            "headers of the C library and the kernel compile for BPF, as on other distributions",
            Needs::Image,
            headers,
        ),
        Case::new("the kernel takes a BPF program, if it lets the tests ask", Needs::Image, loaded),
    ]
}

fn opened(lab: &Lab) -> Verdict {
    let script = format!(
        "{COMPILE}
         compile clang a; compile 'clang -D__x86_64__ -D__TARGET_ARCH_x86' x86; compile clang eb bpfeb
         for object in a.o a.llc.o x86.o x86.llc.o; do
             bpftool gen skeleton $object >skeleton.h; grep -o -m 1 'struct bpf_map \\*counters' skeleton.h
             bpftool btf dump file $object | grep -o \"STRUCT 'task_struct'\"
             llvm-objdump -d $object | grep -oE 'cmpxchg32_32|atomic_fetch_add..u32' | sort | tr '\\n' ' '
             if llvm-objdump -dr $object | grep -q __bpf_trap; then echo a trap; fi
             llvm-readelf --sections $object | grep -o -m 1 '\\.BTF.ext'
         done
         llvm-readelf -h eb.o eb.llc.o | grep -c 'big endian'"
    );
    let object =
        "struct bpf_map *counters\nSTRUCT 'task_struct'\natomic_fetch_add((u32 cmpxchg32_32 .BTF.ext\n";
    ensure_eq!(lab.container().sh(&script)?.ok()?, format!("{}2\n", object.repeat(4)));
    Ok(())
}

fn roles(lab: &Lab) -> Verdict {
    let mut script = format!("{COMPILE}compile clang plain; compile clang plain-eb bpfeb\n");
    for triple in
        PLATFORMS.iter().filter(|platform| platform.cgo).map(|platform| platform.default_abi().triple)
    {
        script.push_str(&format!(
            "if [ -d /usr/{triple}/sys-root ]; then
                 compile {triple}-clang role; compile {triple}-gcc role-eb bpfeb
                 for way in .o .llc.o; do cmp plain$way role$way; cmp plain-eb$way role-eb$way; done
                 echo {triple}
             fi\n"
        ));
    }
    let targets = crate::lab::TARGETS.iter().filter_map(|goarch| Platform::by_goarch(goarch));
    let mut expected: Vec<&str> = targets.map(|platform| platform.default_abi().triple).collect();
    let said = lab.container().sh(&script)?.ok()?;
    let mut found: Vec<&str> = said.lines().collect();
    expected.sort_unstable();
    found.sort_unstable();
    ensure_eq!(found, expected);
    Ok(())
}

/// Each alone: by itself it includes what it needs, and Debian has that in two places.
fn headers(lab: &Lab) -> Verdict {
    let script = "cd /usr/include
         compiles() {
             printf '#include <%s>\\n' stddef.h $1 >/tmp/x.c; shift
             clang -w -fsyntax-only $* /tmp/x.c 2>/dev/null
         }
         for header in a.out.h arpa/inet.h asm/*.h bpf/*.h byteswap.h elf.h endian.h errno.h fpu_control.h gnu/stubs.h limits.h \\
             linux/bpf*.h linux/i[fnp]*.h linux/perf_event.h linux/pkt_*.h linux/ptrace.h linux/stddef.h linux/tcp.h \\
             linux/types.h linux/udp.h linux/unistd.h math.h net/if*.h netinet/*.h netpacket/packet.h pthread.h signal.h \\
             stdbool.h stdint.h stdio.h stdlib.h string.h sys/[a-i]*.h sys/s*.h sys/t*.h time.h unistd.h; do
             if compiles $header -target bpf || ! compiles $header; then continue; fi
             echo $header
         done";
    // It is machine instructions.
    ensure_eq!(lab.container().sh(script)?.ok()?, "sys/io.h\n");
    Ok(())
}

fn loaded(lab: &Lab) -> Verdict {
    let container: Container = lab.container().option("--cap-add=SYS_ADMIN").option("--cap-add=NET_ADMIN");
    let container =
        container.option("--security-opt=apparmor=unconfined").option("--security-opt=seccomp=unconfined");
    let script = format!(
        "{COMPILE}
         compile clang a; mkdir pins
         if ! mount -t bpf bpf pins || ! bpftool prog show || ! [ -r /sys/kernel/btf/vmlinux ]; then echo not asked; exit; fi >&2
         for object in a.o a.llc.o; do
             bpftool prog loadall $object pins/all >&2; ls pins/all; rm -r pins/all
         done"
    );
    // Not every machine lets its containers ask.
    let said = container.bare_sh(&script)?.ok()?;
    if said.is_empty() {
        eprintln!(
            "cross-tests: no BPF program was loaded: this machine's kernel does not let containers ask"
        );
        return Ok(());
    }
    ensure_eq!(said, "count\npid\ncount\npid\n");
    Ok(())
}
