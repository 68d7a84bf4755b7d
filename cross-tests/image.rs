//! The image itself: what is in it, and what must not be.

use gb::platform::{PLATFORMS, Platform};

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::elf::Facts;
use crate::engine::Container;
use crate::lab::{Lab, TARGETS, own_user};

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("the image's gb is a static program", Needs::Image, gb_is_static),
        Case::new("the image has no GCC, and its cc is clang", Needs::Image, no_gcc),
        Case::new("no link in a sysroot leads out of it, or nowhere", Needs::Image, links_in_sysroots),
        Case::new(
            "every compiler's name leads to gb, and so do foreign linkers; every foreign archiver leads to LLVM",
            Needs::Image,
            names,
        ),
        Case::new("the image sets no CC, and starts with gb", Needs::Image, configuration),
    ]
}

fn gb_is_static(lab: &Lab) -> Verdict {
    let out = lab.dir("gb")?;
    let container = Container::new(&lab.image).user(&own_user()).mount(&out, "/out");
    container.bare_sh("cp $(command -v gb) /out/gb")?.ok()?;
    Facts::read(&out.join("gb"))?.is_static()
}

/// A name of GCC's may only be one of gb's.
fn no_gcc(lab: &Lab) -> Verdict {
    let script = "for dir in $(echo $PATH | tr : ' '); do
             if [ -d $dir ]; then find $dir/ -maxdepth 1 | grep -E '/(.*-)?(gcc|g\\+\\+|cpp|cc1)(-[0-9]+)?$' || true; fi
         done | while read -r file; do
             case $(readlink -f $file) in */gb | */clang*) ;; *) echo $file ;; esac
         done
         find / -xdev \\( -name cc1 -o -name cc1plus -o -name collect2 \\) -type f
         for name in cc c++; do $name --version | grep -q clang || echo $name; done";
    ensure_eq!(Container::new(&lab.image).bare_sh(script)?.ok()?, "");
    Ok(())
}

fn links_in_sysroots(lab: &Lab) -> Verdict {
    let script = "ls -d /usr/*/sys-root | wc -l
         find /usr/*/sys-root -type l \\( -lname '/*' -o -xtype l \\) -printf '%p -> %l\\n'";
    ensure_eq!(Container::new(&lab.image).bare_sh(script)?.ok()?, "6\n");
    Ok(())
}

fn names(lab: &Lab) -> Verdict {
    let mut script =
        "leads() { case $(readlink -f \"$(command -v $1)\") in $2) ;; *) echo $1 ;; esac; }\n".to_owned();
    let mut triples = 0;
    let abis = |platform: &'static Platform| platform.all_abis().chain(platform.windows_abi());
    for abi in PLATFORMS.iter().filter(|platform| platform.cgo).flat_map(abis) {
        triples += 1;
        for tool in ["clang", "clang++", "cc", "c++", "gcc", "g++", "pkg-config"] {
            script.push_str(&format!("leads {}-{tool} /usr/local/bin/gb\n", abi.triple));
        }
        script.push_str("leads gcc /usr/local/bin/gb; leads g++ /usr/local/bin/gb\n");
        // The image's own binutils handle its own machine's objects.
        if Platform::host().is_some_and(|host| host.default_abi() == abi) {
            continue;
        }
        for tool in ["ld", "as", "objcopy"] {
            script.push_str(&format!("leads {}-{tool} /usr/local/bin/gb\n", abi.triple));
        }
        for tool in ["ar", "ranlib", "nm", "strip", "objdump", "readelf"] {
            script.push_str(&format!("leads {}-{tool} '/usr/lib/llvm-*'\n", abi.triple));
        }
    }
    ensure!(triples > TARGETS.len(), "only {triples} triples");
    ensure_eq!(Container::new(&lab.image).bare_sh(&script)?.ok()?, "");
    Ok(())
}

/// A CC of the image's could not be told from one of the caller's.
fn configuration(lab: &Lab) -> Verdict {
    // docs/compat.md: image-cmd
    let format = "{{json .Config.Entrypoint}}{{json .Config.Cmd}} {{range .Config.Env}}{{println .}}{{end}}";
    let said = crate::engine::docker(["image", "inspect", "--format", format, &lab.image])?.ok()?;
    ensure!(
        said.starts_with(r#"["/usr/local/bin/gb","run","--"]["bash"] "#),
        "the entrypoint is another: {said}"
    );
    for name in ["CC=", "CXX=", "AR=", "CGO_ENABLED=", "GOARCH=", "GOFLAGS=", "PKG_CONFIG="] {
        ensure!(!said.split_whitespace().any(|word| word.starts_with(name)), "the image sets {said}");
    }
    Ok(())
}
