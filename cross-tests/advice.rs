//! What messages tell people to do, done. Needs Debian's mirror.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};
use std::process::Command;

use gb::platform::{Abi, PLATFORMS, Platform};

use crate::adding::derived;
use crate::binfmt::may_mount;
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::docker;
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("every package that a message advises to install is there", Needs::Image, packages),
        Case::new("a target is built for after the apt-get install that gb advises", Needs::Image, followed),
        Case::new("options of docker and targets of make that messages name exist", Needs::Image, options),
    ]
}

/// Has gb complain of everything on a machine that lacks everything, for each target in `$rows` (GOARCH:triple), into
/// /tmp/said.
///
/// The names are those of install-links, and the ones that it leaves out because Go has no cgo for the target.
const COMPLAIN: &str = r#"
    mkdir /links /nothing /lone
    ln -s "$(readlink -f "$(command -v clang)")" /lone/clang
    for root in /usr/*-linux-*/sys-root; do mv "$root" "$root.gone"; done
    mv /usr/include/stdio.h /usr/include/gone.h
    cd /tmp
    echo 'int main(void) { return 0; }' >x.c
    complain() { "$@" >>/tmp/said 2>&1 || true; }
    for row in $rows; do
        arch=${row%%:*} triple=${row#*:}
        for tool in clang pkg-config ld as objcopy; do ln -sf "$(command -v gb)" "/links/$triple-$tool"; done
        complain env PATH=/lone "/links/$triple-clang" -c x.c
        complain env PATH=/nothing "/links/$triple-clang" -c x.c
        complain env PATH=/nothing "/links/$triple-pkg-config" --libs zlib
        for tool in ld as objcopy; do complain env PATH=/nothing "/links/$triple-$tool" x.o; done
        complain gb env "$arch"
        complain gb info "$arch" --field sysroot
        # A program for it, of an ELF version that no emulator is registered for.
        magic=$(gb info "$arch" --json | jq -er .binfmt.magic | sed 's/../\\x&/g; s/^\(.\{24\}\)\\x01/\1\\x02/')
        { bash -c "printf '$magic'"; head -c 64 /dev/zero; } >foreign
        chmod +x foreign
        complain gb run ./foreign
        complain env PATH=/nothing "$(command -v gb)" run ./foreign
    done
    mv /usr/include/gone.h /usr/include/stdio.h
"#;

/// The lines of a script that set `$rows`.
fn rows() -> String {
    let rows =
        PLATFORMS.iter().flat_map(|p| p.all_abis().map(|abi| format!("{}:{}", abi.debian, abi.triple)));
    format!("rows='{}'\n", rows.collect::<Vec<_>>().join(" "))
}

/// What stands behind each `apt-get install` of a text, to the end of the advice.
fn advised(text: &str) -> BTreeSet<&str> {
    let advice = text.split("apt-get install ").skip(1);
    advice.filter_map(|rest| rest.split([',', ')', '\n', '"', '`']).next()).map(str::trim).collect()
}

/// The files that have messages for people: gb's, and the scripts'.
fn sources() -> Vec<(PathBuf, String)> {
    let mut found = Vec::new();
    let mut places = ["src", "docker"].map(|dir| Path::new(env!("CARGO_MANIFEST_DIR")).join(dir)).to_vec();
    while let Some(place) = places.pop() {
        match std::fs::read_dir(&place) {
            Ok(list) => places.extend(list.flatten().map(|entry| entry.path())),
            Err(_) => found.extend(std::fs::read_to_string(&place).ok().map(|text| (place, text))),
        }
    }
    found
}

fn packages(lab: &Lab) -> Verdict {
    let said = derived(lab).bare_sh(&format!("{}{COMPLAIN} cat /tmp/said", rows()))?.ok()?;
    let mut all: BTreeSet<String> = advised(&said).into_iter().map(str::to_owned).collect();
    for platform in PLATFORMS.iter().filter(|platform| Some(*platform) != Platform::host()) {
        for package in platform.all_abis().map(Abi::debian_compiler) {
            ensure!(all.contains(&package), "nothing says {package}: {said}");
        }
    }
    for package in ["build-essential", "clang lld", "pkgconf", "lld", "clang", "llvm", "qemu-user"] {
        ensure!(all.contains(package), "nothing says {package}: {all:?}");
    }
    // What the scripts say, between brackets as every remedy.
    let scripts = sources();
    let lines = scripts.iter().filter(|(path, _)| path.components().any(|part| part.as_os_str() == "docker"));
    let lines = lines.flat_map(|(_, text)| text.lines()).filter(|line| line.contains("(apt-get install "));
    all.extend(lines.flat_map(advised).map(str::to_owned));
    ensure!(all.contains("mmdebstrap arch-test"), "{all:?}");

    let tries = all.iter().map(|packages| {
        format!("apt-get -qq install --simulate --no-install-recommends {packages} >/dev/null 2>/tmp/why || {{ echo '{packages}:'; cat /tmp/why; }}\n")
    });
    let script = format!("apt-get -qq update\n{}", tries.collect::<String>());
    ensure_eq!(derived(lab).bare_sh(&script)?.ok()?, "");
    Ok(())
}

/// A target of which crossbuild-essential has no package, one whose loader Debian puts elsewhere, and whose start files ask lld
/// for more than others do; run by the emulator that gb advises.
fn followed(lab: &Lab) -> Verdict {
    let output = may_mount(derived(lab)).bare_sh(&format!(
        r#"apt-get -qq update
        cd /tmp
        printf '#include <cstdio>\nint main() {{ try {{ throw 42; }} catch (int n) {{ printf("caught %%d\\n", n); }} }}\n' >x.cc
        advice() {{ sed 's/.*apt-get install \([^,)]*\).*/\1/'; }}
        follow() {{ DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends $(advice) >/tmp/log 2>&1 || cat /tmp/log >&2; }}
        # With a registry that has no entry, whatever this kernel has.
        without() {{ unshare --user --map-root-user --mount sh -c 'mount -t binfmt_misc binfmt_misc /proc/sys/fs/binfmt_misc && exec "$@"' sh "$@"; }}
        for triple in loongarch64-linux-gnu mips64el-linux-gnuabi64; do
            $triple-clang++ x.cc -o x 2>&1 | follow
            $triple-clang++ x.cc -o x
            $triple-clang++ -static x.cc -o y
            # Where no emulator is registered gb advises one.
            {{ without gb run ./y || true; }} 2>&1 | follow
            emulator=$({{ without gb run ./y || true; }} 2>&1 | sed 's/.*run it as: \([^ ]*\) .*/\1/')
            QEMU_LD_PREFIX=/usr/$triple $emulator ./x
            $emulator ./y
        done
        for name in {names}; do command -v qemu-$name >/dev/null || echo "there is no qemu-$name"; done"#,
        names = PLATFORMS.iter().map(|p| p.qemu).collect::<Vec<_>>().join(" ")
    ))?;
    ensure_eq!(output.ok()?, "caught 42\n".repeat(4));
    Ok(())
}

fn options(_: &Lab) -> Verdict {
    let help = |command: &str| docker([command, "--help"])?.ok();
    let (run, build) = (help("run")?, help("build")?);
    let mut seen = 0;
    for (path, text) in sources() {
        for line in text.lines() {
            for (command, help) in [("docker run ", &run), ("docker build ", &build)] {
                let Some((_, rest)) = line.split_once(command).filter(|_| line.contains('(')) else {
                    continue;
                };
                let words = rest.split([' ', '=', ')', '"', '\'', '`', ',', ';']);
                // What stands behind the image's name is for the image.
                let words = words.take_while(|word| !word.contains('{') && !word.starts_with("calico/"));
                for option in words.filter(|word| word.starts_with("--")) {
                    seen += 1;
                    let known =
                        help.contains(&format!(" {option} ")) || help.contains(&format!(" {option}\n"));
                    ensure!(known, "{}: {command}has no {option}", path.display());
                }
            }
            for (_, rest) in ["(make ", "or make "].iter().filter_map(|before| line.split_once(before)) {
                // "(make it relative)" is another matter.
                let Some(target) = rest.split([')', ',']).next().filter(|target| !target.contains(' '))
                else {
                    continue;
                };
                seen += 1;
                let there = Command::new("make").args(["--question", "--silent", target]).output()?;
                let unknown = String::from_utf8_lossy(&there.stderr).contains("No rule");
                ensure!(!unknown, "{}: make {target}", path.display());
            }
        }
    }
    ensure!(seen > 10, "{seen} options");
    Ok(())
}
