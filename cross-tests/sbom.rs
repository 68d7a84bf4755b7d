//! The documents that the images have of what is in them (SBOM), beside what dpkg, Go, Cargo and the files themselves say.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use libtest_mimic::Failed;
use serde_json::Value;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, docker};
use crate::lab::Lab;

const PLACE: &str = "/var/lib/db/sbom/rootfs.spdx.json";

pub fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "the image's SBOM has every package of dpkg's and the sysroots', and what was unpacked",
            Needs::Image,
            packages,
        ),
        Case::new(
            "the image's SBOM has the modules of every Go program, Go itself and the crates of gb",
            Needs::Image,
            modules,
        ),
        Case::new(
            "the image's SBOM has every file of /usr/local/bin, each by its checksum",
            Needs::Image,
            programs,
        ),
        Case::new(
            "the image's SBOM is made again in the image, and packages that were only unpacked can be installed",
            Needs::Image,
            again,
        ),
        Case::new(
            "calico/binfmt's SBOM has QEMU, what is built into it, and gb with its crates",
            Needs::BinfmtImage,
            binfmt,
        ),
    ]
}

/// The document that an image's label names, taken out of it without running anything.
fn document(lab: &Lab, image: &str, name: &str) -> Result<Value, Failed> {
    let label = r#"{{index .Config.Labels "io.github.go-build.sbom"}}"#;
    ensure_label(&docker(["image", "inspect", "--format", label, image])?.ok()?)?;
    let made = docker(["create", image, "none"])?.ok()?;
    let file = lab.dir(name)?.join("sbom.json");
    let from = format!("{}:{PLACE}", made.trim());
    let copied = docker(["cp", &from, &file.to_string_lossy()]);
    docker(["rm", made.trim()])?.ok()?;
    copied?.ok()?;
    read(&file)
}

fn ensure_label(label: &str) -> Verdict {
    ensure_eq!(label.trim(), PLACE);
    Ok(())
}

fn read(file: &Path) -> Result<Value, Failed> {
    let text = std::fs::read_to_string(file).map_err(|error| format!("read {}: {error}", file.display()))?;
    Ok(serde_json::from_str(&text)?)
}

/// The packages of a document of one kind, by their purls.
fn of_kind<'a>(document: &'a Value, kind: &str) -> BTreeMap<&'a str, &'a Value> {
    let packages = document["packages"].as_array().into_iter().flatten();
    let named = packages
        .filter_map(|package| Some((package["externalRefs"][0]["referenceLocator"].as_str()?, package)));
    named.filter(|(purl, _)| purl.starts_with(kind)).collect()
}

/// Names, versions, and of packages their architecture and distribution.
type Known = BTreeSet<String>;

fn differences(ours: &Known, theirs: &Known) -> Verdict {
    let only = |one: &Known, other: &Known| one.difference(other).cloned().collect::<Vec<_>>();
    let (more, less) = (only(ours, theirs), only(theirs, ours));
    ensure!(more.is_empty() && less.is_empty(), "there is too much: {more:?}\nthere is missing: {less:?}");
    Ok(())
}

/// The value of a qualifier.
fn qualifier<'a>(purl: &'a str, name: &str) -> &'a str {
    let mut all = purl.split(['?', '&']).filter_map(|part| part.split_once('='));
    all.find(|(key, _)| *key == name).map_or("", |(_, value)| value)
}

fn string(value: &Value) -> &str {
    value.as_str().unwrap_or_default()
}

fn packages(lab: &Lab) -> Verdict {
    let document = document(lab, &lab.image, "sbom-packages")?;
    let ours: Known = of_kind(&document, "pkg:deb/")
        .iter()
        .filter(|(purl, _)| qualifier(purl, "arch") != "source")
        .map(|(purl, package)| {
            let (arch, distribution) = (qualifier(purl, "arch"), qualifier(purl, "distro"));
            format!("{} {} {arch} {distribution}", string(&package["name"]), string(&package["versionInfo"]))
        })
        .collect();
    // Release numbers are Debian's own, of a package that has them.
    let script = r#"show() {
            dpkg-query "$@" --show --showformat '${db:Status-Status} ${Package} ${Version} ${Architecture}\n' | sed -n 's/^installed //p' | sed "s/\$/ $release/"
        }
        . /etc/os-release
        release=debian-$VERSION_ID
        show
        for dir in /usr/*/dpkg; do
            case $(cat $dir/suite) in bookworm) release=debian-12 ;; trixie) release=debian-13 ;; *) release=unknown ;; esac
            show --admindir=$dir
            fields "$dir"
        done
        release=debian-$VERSION_ID; fields /var/lib/dpkg
        if [ -e /usr/local/share/dpkg ]; then release=debian-$(cat /usr/local/share/dpkg/suite); fields /usr/local/share/dpkg; fi"#;
    let fields = r#"fields() {
            for file in "$1"/status.d/*; do
                case $file in *.md5sums | *'*') continue ;; esac
                awk -v release="$release" '/^Package:/ { p = $2 } /^Version:/ { v = $2 } /^Architecture:/ { a = $2 } END { print p, v, a, release }' "$file"
            done
        }
        "#;
    let theirs = Container::new(&lab.image).bare_sh(&format!("{fields}{script}"))?.ok()?;
    let theirs: Known = theirs.lines().map(str::to_owned).collect();
    ensure!(theirs.len() > 300, "{theirs:?}");
    differences(&ours, &theirs)?;
    // What the scripts of the image unpack.
    for (package, count) in [
        ("qemu-user", 1),
        ("libtool", 1),
        ("libprotobuf-dev", 1),
        ("libomp5-19", 4),
        ("libomp-19-dev", 4),
        ("mingw-w64-x86-64-dev", 1),
        ("g++-mingw-w64-x86-64-win32", 1),
    ] {
        let found = ours.iter().filter(|line| line.split(' ').next() == Some(package)).count();
        // A mirror may be without one of another machine's.
        ensure!((1..=count).contains(&found), "{package} is there {found} times of {count}");
    }
    let runtimes = ours.iter().filter(|line| line.starts_with("libclang-rt-")).count();
    ensure!((1..=5).contains(&runtimes), "{ours:?}");
    Ok(())
}

fn modules(lab: &Lab) -> Verdict {
    let document = document(lab, &lab.image, "sbom-modules")?;
    let names = |kind: &str| -> Known {
        let of_kind = of_kind(&document, kind);
        let named = of_kind
            .values()
            .map(|package| format!("{} {}", string(&package["name"]), string(&package["versionInfo"])));
        named.collect()
    };
    // Every program that Go knows to be its own, wherever it is.
    let said = Container::new(&lab.image)
        .bare_sh("go version -m /usr/local/bin /usr/local/go/bin /usr/local/go/pkg /usr/bin /usr/sbin /usr/libexec /usr/lib; head -n 1 /usr/local/go/VERSION")?
        .ok()?;
    let mut theirs = Known::new();
    let mut last = String::new();
    for line in said.lines() {
        let words: Vec<&str> = line.split('\t').collect();
        match words[..] {
            [program] if program.starts_with('/') => {
                let version = program.rsplit(": go").next().unwrap_or_default();
                theirs.insert(format!("stdlib {}", version.split(' ').next().unwrap_or_default()));
            }
            [version] => _ = theirs.insert(format!("toolchain {}", version.trim_start_matches("go"))),
            ["", "mod" | "dep", path, version, ..] => {
                last = format!("{path} {}", version.replace("(devel)", ""));
                theirs.insert(last.clone());
            }
            ["", "=>", path, version, ..] => {
                theirs.remove(&last);
                theirs.insert(format!("{path} {version}"));
            }
            _ => {}
        }
    }
    ensure!(theirs.len() > 20, "{theirs:?}");
    differences(&names("pkg:golang/"), &theirs)?;

    let crates = "import zlib, json, sys; d = open('/usr/local/bin/gb', 'rb').read(); i = d.index(b'\\x78', int(sys.argv[1], 16)); \
        print('\\n'.join(p['name'] + ' ' + p['version'] for p in json.loads(zlib.decompress(d[i:]))['packages'] if p.get('kind') != 'build'))";
    let script = format!(
        "offset=$(llvm-readelf --sections --wide /usr/local/bin/gb | sed -n 's/.* \\.dep-v0 *PROGBITS *[0-9a-f]* \\([0-9a-f]*\\) .*/\\1/p'); \
         python3 -c \"{crates}\" $offset"
    );
    let theirs: Known =
        Container::new(&lab.image).bare_sh(&script)?.ok()?.lines().map(str::to_owned).collect();
    let ours = names("pkg:cargo/");
    differences(&ours, &theirs)?;
    let lock = std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("Cargo.lock"))?;
    for known in ["gb", "clap", "goblin", "nix", "serde_json"] {
        let locked =
            lock.split("[[package]]").find(|package| package.contains(&format!("name = \"{known}\"\n")));
        let version = locked.and_then(|package| package.split("version = \"").nth(1)?.split('"').next());
        let line = format!("{known} {}", version.unwrap_or_default());
        ensure!(ours.contains(&line), "{line} is not in {ours:?}");
    }
    Ok(())
}

fn programs(lab: &Lab) -> Verdict {
    let document = document(lab, &lab.image, "sbom-programs")?;
    let ours = of_kind(&document, "pkg:generic/");
    let sums =
        Container::new(&lab.image).bare_sh("find /usr/local/bin -type f -exec sha256sum {} +")?.ok()?;
    let mut owned = 0;
    for line in sums.lines() {
        let (sum, path) = line.split_once("  ").ok_or_else(|| format!("what is {line}?"))?;
        let found: Vec<_> =
            ours.values().filter(|package| string(&package["packageFileName"]) == path).collect();
        ensure_eq!(found.len(), 1);
        ensure_eq!(string(&found[0]["checksums"][0]["checksumValue"]), sum);
        owned += 1;
    }
    ensure!(owned > 5, "{sums}");
    for script in ["sysroot", "sysroot-proof", "debian-mirror"] {
        let licence = ours
            .values()
            .find(|package| package["name"] == script)
            .map(|package| string(&package["licenseDeclared"]));
        ensure_eq!(licence, Some("Apache-2.0"));
    }
    Ok(())
}

fn again(lab: &Lab) -> Verdict {
    let first = document(lab, &lab.image, "sbom-first")?;
    let made = Container::new(&lab.image).bare_sh("gb sbom")?.ok()?;
    let made: Value = serde_json::from_str(&made)?;
    let all = |document: &Value| of_kind(document, "pkg:").into_keys().map(str::to_owned).collect::<Known>();
    differences(&all(&made), &all(&first))?;
    // dpkg and apt know nothing of what was only unpacked.
    let said = Container::new(&lab.image)
        .bare_sh(
            "dpkg --audit; apt-get -qq check; dpkg-query --show libtool qemu-user 2>&1 || echo not there",
        )?
        .ok()?;
    ensure!(said.ends_with("not there\n") && said.lines().count() == 3, "{said}");
    // Who may not look at everything gets no half of it.
    let refused = Container::new(&lab.image).user("1000").run(&["gb", "sbom"])?;
    ensure!(refused.status == Some(125) && refused.text()?.is_empty(), "{refused}");
    ensure!(refused.stderr.contains("(run it as root: docker run --entrypoint gb IMAGE sbom)"), "{refused}");
    Ok(())
}

fn binfmt(lab: &Lab) -> Verdict {
    let document = document(lab, lab.binfmt_image()?, "sbom-binfmt")?;
    let named = |kind: &str| {
        let of_kind = of_kind(&document, kind);
        of_kind.values().map(|package| string(&package["name"]).to_owned()).collect::<Known>()
    };
    let debs = named("pkg:deb/");
    for name in ["qemu-user", "glibc", "glib2.0"] {
        ensure!(debs.contains(name), "{name} is not in {debs:?}");
    }
    ensure_eq!(named("pkg:generic/"), Known::from(["gb".to_owned()]));
    ensure!(named("pkg:cargo/").contains("goblin"), "gb's crates are not there");
    Ok(())
}
