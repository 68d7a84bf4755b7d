//! Roots made by gb strip-libs, and what runs in them.

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Output};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    vec![
        case("strip-libs makes a base for programs of the C library, which is the same each time", base),
        case("programs run in a root of what they need, and need every library in it", programs),
        case("names are looked up in a root by what its nsswitch.conf says", names),
        case("a thread ends in a root although no program names the library for that", threads),
        case("what a library says it loads, and what it compares itself to, comes with it", notes),
        case("a library that only ld.so.cache leads to is found in a root as well", cached),
        case("scanners find the packages of what is in a root, and nothing of others", packages),
        case("scripts come with their interpreters, and directories with all that is in them", scripts),
        case("a library that is missing is named with who needs it, and nothing is written", holes),
        case("an output that is full, in use or hostile is left as it was", outputs),
        case("a root of another machine is made without running anything of it", foreign),
        case("strip-libs --check tells a root that is closed from one that is not", checks),
        Case::new(
            "roots that are laid out as RPM's distributions and Alpine's make bases, and run programs",
            Needs::ArmImage,
            layouts,
        ),
        Case::new(
            "a strip-libs that is killed at any system call leaves no root, or a whole one",
            Needs::ArmImage,
            killed,
        ),
        Case::new(
            "a strip-libs of which any system call fails leaves no root, or the whole one, and says why",
            Needs::ArmImage,
            failing,
        ),
    ]
}

fn sh(lab: &Lab, script: &str) -> Result<Output, libtest_mimic::Failed> {
    Container::new(&lab.image).bare_sh(script)
}

fn base(lab: &Lab) -> Verdict {
    let script = "export SOURCE_DATE_EPOCH=1700000000
        digest() { tar --sort=name --xattrs --pax-option=delete=atime,delete=ctime --numeric-owner -C $1 -c . | sha256sum; }
        gb strip-libs --rootfs /one; gb strip-libs --rootfs /two
        [ \"$(digest /one)\" = \"$(digest /two)\" ]
        unset SOURCE_DATE_EPOCH; gb strip-libs --rootfs /three; gb strip-libs --rootfs /four
        [ \"$(digest /three)\" = \"$(digest /four)\" ]
        cd /one; find . -newermt @1700000000 -o ! -newermt @1699999999; stat -c '%a %n' tmp etc/nsswitch.conf
        readlink lib lib64; find . -type f | sed 's/\\.so.*/.so/' | sort -u | tr '\\n' ' '";
    let text = sh(lab, script)?.ok()?;
    let lines: Vec<_> = text.lines().filter(|line| !line.contains("find all they need")).collect();
    ensure_eq!(lines[..4], ["1777 tmp", "644 etc/nsswitch.conf", "usr/lib", "usr/lib64"]);
    for file in [
        "libc.so",
        "libresolv.so",
        "libgcc_s.so",
        "libstdc++.so",
        "etc/hosts",
        "etc/host.conf",
        "lib/os-release",
    ] {
        ensure!(lines[4].contains(file), "{file}: {}", lines[4]);
    }
    ensure!(!lines[4].contains("bash"), "{}", lines[4]);
    Ok(())
}

fn programs(lab: &Lab) -> Verdict {
    // Each library is taken away in turn: what needs it says so, and the check as well.
    let script = "gb strip-libs --rootfs /r /usr/bin/bash /usr/bin/python3 /usr/lib/python3.* /usr/bin/git /usr/bin/xz >/dev/null
        mkdir /r/dev; touch /r/dev/null
        runs() {
            chroot /r bash -c : && chroot /r git --version && chroot /r xz --version &&
            chroot /r python3 -c 'import ssl, lzma, bz2, sqlite3, ctypes, decimal, hashlib, zlib, pyexpat, _uuid, readline, _curses_panel, _dbm'
        }
        runs >/dev/null; gb strip-libs --check /r >/dev/null
        for library in $(find /r -path '*/python3*' -prune -o -name '*.so*' -type f -print | grep -v libgcc_s); do
            mv $library /kept
            if gb strip-libs --check /r >/dev/null 2>&1; then echo closed without $library; fi
            if runs >/dev/null 2>&1; then echo runs without $library; fi
            mv /kept $library
        done; find /r -name '*.so*' -type f | wc -l";
    let output = sh(lab, script)?;
    let text = output.text()?;
    ensure!(output.status == Some(0) && !text.contains("without"), "{output}");
    let count: usize = text.trim().parse().map_err(|_| output.failed("a number was to come"))?;
    ensure!(count > 20, "{output}");
    Ok(())
}

fn names(lab: &Lab) -> Verdict {
    let script = "gb strip-libs --rootfs /r --with base /usr/bin/getent >/dev/null
        echo '192.0.2.7 some.test' >>/r/etc/hosts; echo 'me:x:7:8::/:/bin/sh' >/r/etc/passwd
        chroot /r getent hosts some.test; chroot /r getent passwd me
        code=0; gb strip-libs --rootfs /s --with base --nss files,nowhere /usr/bin/getent || code=$?; echo $code; ls / | grep -c '^s$' || true";
    let output = sh(lab, script)?;
    let text = output.text()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(
        lines.first().is_some_and(|line| line.starts_with("192.0.2.7") && line.ends_with("some.test")),
        "{output}"
    );
    ensure_eq!(lines[1..], ["me:x:7:8::/:/bin/sh", "1", "0"]);
    ensure!(output.stderr.contains("find libnss_nowhere.so.2 for --nss: not found"), "{output}");
    Ok(())
}

fn threads(lab: &Lab) -> Verdict {
    let script = "cd /tmp; cat >t.c <<'END'
#include <pthread.h>
#include <stdio.h>
static void *end(void *p) { pthread_exit(p); }
int main(void) { pthread_t t; pthread_create(&t, 0, end, 0); pthread_join(t, 0); puts(\"ended\"); }
END
        x86_64-linux-gnu-clang -o /usr/bin/ends t.c
        gb strip-libs --rootfs /r /usr/bin/ends >/dev/null; chroot /r /usr/bin/ends
        rm /r/usr/lib/*/libgcc_s.so.1; chroot /r /usr/bin/ends 2>&1 || true";
    let text = sh(lab, script)?.ok()?;
    let (first, rest) = text.split_once('\n').ok_or("two lines were to come")?;
    ensure_eq!(first, "ended");
    ensure!(rest.contains("libgcc_s.so.1 must be installed"), "{text}");
    Ok(())
}

fn notes(lab: &Lab) -> Verdict {
    let script = r#"cd /tmp; cat >n.s <<'END'
.section .note.dlopen,"a"
.balign 4
.long 4, 2f-1f, 0x407c0c0a
.asciz "FDO"
1: .asciz "[{\"soname\":[\"libnowhere.so.1\",\"liblzma.so.5\"],\"feature\":\"xz\",\"priority\":\"recommended\"},{\"soname\":[\"libother.so.1\"],\"priority\":\"PRIORITY\"}]"
2: .balign 4
END
        build() { sed "s/PRIORITY/$1/" n.s >m.s; x86_64-linux-gnu-clang -shared -o /usr/lib/x86_64-linux-gnu/libnoted.so.1 m.s; }
        build suggested; : >/usr/lib/x86_64-linux-gnu/.libnoted.so.1.hmac
        gb strip-libs --rootfs /r --lib libnoted.so.1 >/dev/null; cd /r/usr/lib/x86_64-linux-gnu; ls -A | grep -e noted -e lzma
        cd /tmp; build required; gb strip-libs --rootfs /s --lib libnoted.so.1 || echo $?
        gb strip-libs --rootfs /s --dlopen none --lib libnoted.so.1 >/dev/null; ls /s/usr/lib/x86_64-linux-gnu | grep -c lzma || true"#;
    let output = sh(lab, script)?;
    let text = output.text()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(
        lines[0] == ".libnoted.so.1.hmac" && lines[1] == "liblzma.so.5" && lines.contains(&"libnoted.so.1"),
        "{output}"
    );
    ensure_eq!(lines[lines.len() - 2..], ["1", "0"]);
    ensure!(output.stderr.contains("libnoted.so.1: not found, and it loads it when it runs"), "{output}");
    Ok(())
}

fn cached(lab: &Lab) -> Verdict {
    let script = "cd /tmp; mkdir /opt/l; echo 'int f(void) { return 7; }' >f.c; echo 'int f(void); int main(void) { return f(); }' >p.c
        x86_64-linux-gnu-clang -shared -Wl,-soname,libopt.so.10 -o /opt/l/libopt.so.10 f.c
        x86_64-linux-gnu-clang -o /usr/bin/p p.c /opt/l/libopt.so.10
        gb strip-libs --rootfs /r /usr/bin/p 2>&1 | grep -c ldconfig || true
        echo /opt/l >/etc/ld.so.conf.d/opt.conf; gb strip-libs /usr/bin/p 2>&1 | grep -o 'ld.so.conf names that directory: run ldconfig'
        ldconfig; gb strip-libs --rootfs /r /usr/bin/p >/dev/null; chroot /r /usr/bin/p || echo $?
        ldconfig -C /r/etc/ld.so.cache -p
        mkdir /opt/m; echo 'int f(void); int main(void) { return f() + 1; }' >q.c
        x86_64-linux-gnu-clang -shared -Wl,-soname,libmore.so.1 -o /opt/m/libmore.so.1 f.c; x86_64-linux-gnu-clang -o /usr/bin/q q.c /opt/m/libmore.so.1
        echo /opt/m >>/etc/ld.so.conf.d/opt.conf; ldconfig; gb strip-libs --rootfs /r --merge /usr/bin/q >/dev/null
        chroot /r /usr/bin/p || echo $?; chroot /r /usr/bin/q || echo $?; gb strip-libs --rootfs /s /usr/bin/true >/dev/null; ls /s/etc 2>&1 | grep -c cache || true";
    let text = sh(lab, script)?.ok()?;
    ensure!(text.starts_with("0\nld.so.conf names that directory: run ldconfig\n7\n1 libs found"), "{text}");
    ensure!(
        text.contains("libopt.so.10 (libc6,x86-64) => /opt/l/libopt.so.10") && text.ends_with("\n7\n8\n0\n"),
        "{text}"
    );
    Ok(())
}

fn packages(lab: &Lab) -> Verdict {
    let script = "gb strip-libs --rootfs /r /usr/bin/git >/dev/null; cd /r/var/lib/dpkg/status.d; ls | grep -v sums | tr '\n' ' '; echo
        grep -h ^Version: git; dpkg-query --showformat 'Version: ${Version}\n' --show git
        (cd /r; md5sum --quiet -c var/lib/dpkg/status.d/*.md5sums)
        manifest=/r/var/lib/gb/manifest.json; sed -n 's/.*\"path\":\"\\([^\"]*\\)\".*\"sha256\":\"\\([0-9a-f]*\\)\".*/\\2  .\\1/p' $manifest >/sums
        (cd /r; sha256sum --quiet --strict -c /sums); [ $(wc -l </sums) = $(find /r -type f ! -path $manifest | wc -l) ]; ls -d /r/usr/share/doc/*/copyright | wc -l
        gb strip-libs --rootfs /s --no-metadata --no-manifest /usr/bin/git >/dev/null; ls /s; gb strip-libs /usr/bin/git --list | grep -c status.d/git";
    let output = sh(lab, script)?;
    let text = output.text()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(
        output.status == Some(0) && lines[0].starts_with("base-files git libc6 libgcc-s1 libpcre2-8-0"),
        "{output}"
    );
    ensure!(lines[1] == lines[2] && lines[1].starts_with("Version: "), "{output}");
    // As many texts as packages, and a database only where it was asked for.
    ensure_eq!(lines[3], lines[0].split_whitespace().count().to_string());
    ensure!(!lines[4..].contains(&"var") && lines.last() == Some(&"2"), "{output}");
    Ok(())
}

fn scripts(lab: &Lab) -> Verdict {
    let script = "mkdir -p /opt/tool/sub; printf '#!/bin/sh\\necho one\\n' >/opt/tool/one; printf '#!/usr/bin/env bash\\necho two\\n' >/opt/tool/sub/two
        ln -s sub/two /opt/tool/link; chmod 755 /opt/tool/one /opt/tool/sub/two
        gb strip-libs --rootfs /r /opt/tool >/dev/null; chroot /r /opt/tool/one; chroot /r /opt/tool/link; readlink /r/opt/tool/link
        gb strip-libs --rootfs /s --dir '/opt/tool/o*' >/dev/null; ls /s/opt/tool
        gb strip-libs --rootfs /t --dir '/opt/tool/z*' || echo $?
        cd /opt; gb strip-libs tool/one --list | grep -c opt/tool/one; gb strip-libs --root /opt tool/one 2>&1 | grep -c 'for /tool/one: not found\\|/bin/sh' || true";
    let output = sh(lab, script)?;
    ensure_eq!(output.text()?, "one\ntwo\nsub/two\none\n1\n1\n1\n");
    ensure!(output.stderr.contains("find /opt/tool/z* for --dir: no file matches it"), "{output}");
    Ok(())
}

fn holes(lab: &Lab) -> Verdict {
    let script = "cd /tmp; echo 'int f(void) { return 0; }' >f.c; echo 'int f(void); int main(void) { return f(); }' >p.c
        x86_64-linux-gnu-clang -shared -Wl,-soname,libgone.so.1 -o libgone.so f.c; x86_64-linux-gnu-clang -o /usr/bin/p p.c -L. -lgone
        code=0; gb strip-libs --rootfs /r /usr/bin/p || code=$?; echo $code; ls -A / | grep -e '^r$' -e gb-unf || true
        for bad in /nowhere /dev/null; do gb strip-libs --rootfs /r $bad || true; done
        gb strip-libs --rootfs /r --with nothing || echo $?
        SOURCE_DATE_EPOCH=now gb strip-libs --rootfs /r || echo $?; ls -A / | grep -e '^r$' -e gb-unf || true";
    let output = sh(lab, script)?;
    ensure_eq!(output.text()?, "1\n125\n125\n");
    let lines: Vec<_> = output.stderr.lines().collect();
    let expected = [
        "gb: find libgone.so.1 for /usr/bin/p: not found; looked in ",
        "gb: find /nowhere for the command line: ",
        "gb: take /dev/null: a device, which is nothing to copy",
        "gb: --with nothing: there is no such set (base ",
        "gb: SOURCE_DATE_EPOCH is now, which is no number of seconds since 1970",
    ];
    ensure_eq!(lines.len(), expected.len());
    for (line, expected) in lines.iter().zip(expected) {
        ensure!(line.starts_with(expected), "{line}\n{output}");
    }
    Ok(())
}

fn outputs(lab: &Lab) -> Verdict {
    let script = "mkdir -p /full/etc; echo mine >/full/etc/mine; gb strip-libs --rootfs /full || echo $?; ls -A /full
        gb strip-libs --rootfs /full --merge >/dev/null; cat /full/etc/mine; ls /full
        ln -s /etc /link; gb strip-libs --rootfs /link || echo $?
        mkdir /small; mount -t tmpfs -o size=1m tmpfs /small; gb strip-libs --rootfs /small || echo $?; ls -A /small
        gb strip-libs --rootfs /small/r || echo $?; ls -A /small
        umount /small; mount -t tmpfs tmpfs /small; gb strip-libs --rootfs /small >/dev/null; ls /small; ls -A / | grep gb-unf || true";
    let container = Container::new(&lab.image)
        .option("--cap-add=SYS_ADMIN")
        .option("--security-opt=apparmor=unconfined")
        .option("--security-opt=seccomp=unconfined");
    let output = container.bare_sh(script)?;
    let all = "etc\nlib\nlib64\ntmp\nusr\nvar\n";
    ensure_eq!(output.text()?, format!("125\netc\nmine\n{all}125\n125\n125\n{all}"));
    let lines: Vec<_> = output.stderr.lines().collect();
    for (line, expected) in lines.iter().zip([
        "write /full: it is not empty (remove it, or add to it with --merge)",
        "write /link: it is there, and no directory (remove it)",
        "No space left on device",
        "No space left on device",
    ]) {
        ensure!(line.contains(expected), "{expected}: {output}");
    }
    ensure_eq!(lines.len(), 4);
    Ok(())
}

/// The sysroot of a target is a root, with its C library and no program.
fn foreign(lab: &Lab) -> Verdict {
    for (goarch, triple) in
        [("arm64", "aarch64-linux-gnu"), ("s390x", "s390x-linux-gnu"), ("ppc64le", "powerpc64le-linux-gnu")]
    {
        let script = format!(
            "cp -a /usr/{triple}/sys-root /root-of-it; cd /tmp
            echo '#include <iostream>
int main() {{ std::cout << \"hello\" << std::endl; }}' >h.cc; {triple}-clang++ -o /root-of-it/usr/bin/hello h.cc || {{
                mkdir -p /root-of-it/usr/bin; {triple}-clang++ -o /root-of-it/usr/bin/hello h.cc; }}
            gb strip-libs --root /root-of-it --rootfs /r /usr/bin/hello >/dev/null
            qemu=$(gb info {goarch} --field qemu); qemu-$qemu -L /r /r/usr/bin/hello; gb strip-libs --check /r"
        );
        let text = sh(lab, &script)?.ok()?;
        ensure!(text.starts_with("hello\n") && text.contains("find all they need"), "{goarch}: {text}");
    }
    Ok(())
}

fn checks(lab: &Lab) -> Verdict {
    let script = "gb strip-libs --rootfs /r /usr/bin/git >/dev/null; gb strip-libs --check /r; gb strip-libs --check /r --json | jq -c '[.schema, .holes]'
        rm /r/usr/lib/*/libz.so.1; gb strip-libs --check /r || echo $?; gb strip-libs --check /r --json 2>/dev/null | jq -r '.holes[].missing'
        gb strip-libs --check /nowhere || echo $?";
    let output = sh(lab, script)?;
    let text = output.text()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(
        lines[0].starts_with("/r: ") && lines[0].ends_with("find all they need") && lines[1] == "[1,[]]",
        "{output}"
    );
    ensure_eq!(lines[2..], ["1", "libz.so.1", "125"]);
    ensure!(output.stderr.contains("gb: find libz.so.1 for /usr/bin/git: not found; looked in"), "{output}");
    Ok(())
}

fn layouts(lab: &Lab) -> Verdict {
    let image = lab.arm_image()?;
    let script = "cd /roots; echo '#include <stdio.h>
int main(void) { puts(\"hello\"); }' >/tmp/h.c
        x86_64-linux-gnu-clang -o rpm/usr/bin/h /tmp/h.c
        gb strip-libs --root rpm --rootfs /r --with base /usr/bin/h >/dev/null; chroot /r /usr/bin/h; ls /r /r/usr/lib64
        gb strip-libs --root rpm --tree /usr/bin/h | grep -c \"the loader's directories\"
        loader=$(ls musl/usr/lib/ld-musl-*.so.1); loader=/lib/${loader##*/}
        x86_64-linux-gnu-clang -nostdlib -Wl,--dynamic-linker=$loader -Wl,-e,main -o musl/usr/bin/m -x c - -Lmusl/usr/lib/x86_64-linux-musl -lc <<'END'
int puts(const char *); int fflush(void *); void _Exit(int);
int main(void) { puts(\"musl\"); _Exit(fflush(0)); }
END
        gb strip-libs --root musl --rootfs /m --with base /usr/bin/m >/dev/null; chroot /m /usr/bin/m; find /m -name '*musl*'";
    let output = Container::new(image).bare_sh(script)?;
    let text = output.text()?;
    let lines: Vec<_> = text.lines().collect();
    ensure!(output.status == Some(0) && lines.first() == Some(&"hello"), "{output}");
    for line in ["lib64", "libc.so.6", "libresolv.so.2", "1", "musl", "/m/usr/lib/ld-musl-x86_64.so.1"] {
        ensure!(lines.contains(&line), "{line}: {output}");
    }
    ensure!(!lines.contains(&"lib"), "{output}");
    Ok(())
}

fn killed(lab: &Lab) -> Verdict {
    let image = lab.arm_image()?;
    let script = r"
        for call in openat mkdirat fchmod rename; do
            step=0; code=137
            while [ $code = 137 ]; do
                step=$((step + 1)); code=0
                strace -f -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$step gb strip-libs --rootfs /r /usr/bin/true >/dev/null 2>&1 || code=$?
                if [ -e /r ]; then gb strip-libs --check /r >/dev/null; rm -r /r; fi
            done
            echo $call $code; ls -A / | grep gb-unf || true
        done";
    let text = Container::new(image).option("--cap-add=SYS_PTRACE").bare_sh(script)?.ok()?;
    ensure_eq!(text, "openat 0\nmkdirat 0\nfchmod 0\nrename 0\n");
    Ok(())
}

/// (A failed write is the last line's, to standard output, when the root is there.)
fn failing(lab: &Lab) -> Verdict {
    let script = r#"
        make() { gb strip-libs --no-metadata --no-manifest --rootfs $1 /usr/bin/true; }
        digest() { (cd $1; find . -printf '%p %y %m %U %G %s %l\n' | sort; find . -type f -exec sha256sum {} + | sort) | sha256sum; }
        make /whole >/dev/null; whole=$(digest /whole)
        for pair in openat2:EIO getdents64:EIO read:EIO pread64:EIO readlinkat:EIO fgetxattr:EIO copy_file_range:ENOSPC ftruncate:ENOSPC \
            mkdir:EROFS mkdirat:ENOSPC symlinkat:ENOSPC fchown:EPERM fchown:EIO fchmod:EIO utimensat:EIO rename:EIO flock:EIO; do
            call=${pair%:*}; step=0
            while :; do
                step=$((step + 1)); code=0
                strace -f -o /tmp/trace -e trace=$call -e inject=$call:error=${pair#*:}:when=$step \
                    gb strip-libs --no-metadata --no-manifest --rootfs /r /usr/bin/true >/dev/null 2>/tmp/why || code=$?
                if ! grep -q INJECTED /tmp/trace; then rm -r /r; break; fi
                case $code in
                    0) [ "$(digest /r)" = "$whole" ] || echo "$pair $step: another root"; rm -r /r ;;
                    1 | 125) grep -q '^gb: ' /tmp/why && [ ! -e /r ] || { echo "$pair $step: $code"; cat /tmp/why; ls /r; } ;;
                    *) echo "$pair $step: $code"; cat /tmp/why ;;
                esac
                echo $code >>/tmp/codes.$call
            done
        done
        ls -A / | grep gb-unf || true
        for call in getdents64 pread64 copy_file_range rename fchmod; do echo $call $(sort -u /tmp/codes.$call); done
        echo "$(cat /tmp/codes.* | wc -l) failures""#;
    let text = Container::new(lab.arm_image()?).option("--cap-add=SYS_PTRACE").bare_sh(script)?.ok()?;
    let (told, count) = text.rsplit_once("fchmod 125\n").ok_or_else(|| text.clone())?;
    ensure_eq!(told, "getdents64 1\npread64 0 1\ncopy_file_range 125\nrename 125\n");
    let count = count.strip_suffix(" failures\n").and_then(|count| count.parse::<u32>().ok());
    ensure!(count.is_some_and(|count| count > 100), "{text}");
    Ok(())
}
