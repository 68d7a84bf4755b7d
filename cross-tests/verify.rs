//! `gb verify`: each fact of every ELF file, archive and Go program of the image, against LLVM's and Go's own tools; and programs
//! that need a newer C library than a root has.

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::path::Path;

use libtest_mimic::Failed;
use serde_json::Value;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "gb verify says of every ELF file of the image what llvm-readelf says",
            Needs::Image,
            every_file,
        ),
        Case::new(
            "gb verify says of every archive of the image what llvm-readelf and llvm-ar say",
            Needs::Image,
            every_archive,
        ),
        Case::new(
            "gb verify says of Go programs of every architecture what go version -m says",
            Needs::Image,
            every_go_program,
        ),
        Case::new(
            "gb verify finds programs that need a newer glibc than a root has, with the symbol",
            Needs::Image,
            newer_glibc,
        ),
        Case::new(
            "gb verify says that what the image builds for its base image runs there, for every target",
            Needs::Image,
            own_programs,
        ),
        Case::new(
            "gb verify tells ARM's two float ABIs apart, in programs, objects and archives",
            Needs::ArmImage,
            float_abis,
        ),
        Case::new(
            "gb verify --image-root has nothing to say of the go-build image",
            Needs::Image,
            image_itself,
        ),
        Case::new("gb verify --image-root has nothing to say of calico/base", Needs::BaseImage, base_itself),
        Case::new(
            "gb verify takes the target of the container, unless it is told another",
            Needs::Image,
            own_target,
        ),
        Case::new("gb verify --static knows every way of linking", Needs::Image, ways_of_linking),
    ]
}

/// Writes to `/out/files` the files of the image that begin with certain bytes, each file once.
const FIND: &str = r#"
find() { perl -e '
    use File::Find; my $magic = shift; my %seen;
    find({ no_chdir => 1, wanted => sub {
        if (-d $_ && !-l $_ && m{^/(proc|sys|programs|out)$}) { $File::Find::prune = 1; return }
        return if -l $_ || !-f _ || -s _ < 8;
        my ($device, $inode) = stat _; return if $seen{"$device $inode"}++;
        open my $file, "<:raw", $_ or die "$_: $!"; read $file, my $head, 8;
        print "$_\n" if $head =~ /^$magic/;
    } }, "/")' "$1"; }
"#;

fn text<'a>(value: &'a Value, key: &str) -> &'a str {
    value[key].as_str().unwrap_or_default()
}

fn list<'a>(value: &'a Value, key: &str) -> impl Iterator<Item = &'a Value> {
    value[key].as_array().into_iter().flatten()
}

/// Reads what gb has written, by path.
fn by_path(dir: &Path) -> Result<HashMap<String, Value>, Failed> {
    let mut all: Value = serde_json::from_slice(&std::fs::read(dir.join("gb.json"))?)?;
    ensure_eq!(all["schema"], 1);
    let Some(files) = all["files"].as_array_mut() else { return Err("no files".into()) };
    Ok(files.drain(..).map(|file| (text(&file, "path").to_owned(), file)).collect())
}

/// A fact of a file, by two tellers.
fn differ(file: &str, fact: &str, gb: &Value, other: &Value, differences: &mut Vec<String>) {
    if gb != other {
        differences.push(format!("{file}: {fact}: gb {gb}, llvm-readelf {other}"));
    }
}

fn every_file(lab: &Lab) -> Verdict {
    let out = lab.dir("verify-files")?;
    // Files that llvm-readelf itself does not read are Go's own test data, made to be wrong.
    let script = format!(
        r#"{FIND}
        find '\x7fELF' >/out/files
        gb verify --platform any --json $(cat /out/files) >/out/gb.json || [ $? -le 2 ]
        xargs -n 32 llvm-readelf -lW </out/files >/out/loaders 2>/dev/null || true
        mkdir /out/json
        n=0; while read -r file; do
            n=$((n + 1)); echo "llvm-readelf --elf-output-style=JSON -hldVn --dyn-syms $file >/out/json/$n 2>/out/json/$n.err"
        done </out/files | xargs -d '\n' -P 2 -n 1 sh -c 'eval "$0" || true'
        chmod -R a+rX /out"#
    );
    lab.container().user("0:0").workdir("/").mount(&out, "/out").bare_sh(&script)?.ok()?;
    let gb = by_path(&out)?;
    let loaders = std::fs::read_to_string(out.join("loaders"))?;
    let mut loader_of = HashMap::new();
    let mut file = "";
    for line in loaders.lines() {
        if let Some(name) = line.strip_prefix("File: ") {
            file = name;
        } else if let Some((_, loader)) = line.split_once("[Requesting program interpreter: ") {
            loader_of.insert(file, loader.trim_end_matches(']'));
        }
    }
    let files = std::fs::read_to_string(out.join("files"))?;
    let mut differences = Vec::new();
    let (mut counted, mut refused, mut facts) = (0, Vec::new(), 0);
    for (number, file) in files.lines().enumerate() {
        let own = gb.get(file).ok_or_else(|| format!("gb says nothing of {file}"))?;
        let read = std::fs::read_to_string(out.join("json").join((number + 1).to_string()))?;
        let warned = std::fs::read(out.join("json").join(format!("{}.err", number + 1)))?;
        let read: Option<Value> =
            serde_json::from_str(&without_predecessors(&read)).ok().filter(|_| warned.is_empty());
        let other = read.as_ref().map(|all| &all[0]);
        let Some(other) = other.filter(|_| own["kind"] != "damaged" && own["kind"] != "debug") else {
            refused.push(file);
            continue;
        };
        counted += 1;
        facts += compare(file, own, other, loader_of.get(file).copied(), &mut differences);
    }
    eprintln!("{counted} ELF files, {facts} facts, {} are test data that one of both refuses", refused.len());
    ensure!(counted > 1300 && facts > 20 * counted, "{counted} files, {facts} facts");
    // All of them are of tests of Go's that read wrong files.
    let strange = refused.iter().filter(|file| !file.contains("/testdata/")).collect::<Vec<_>>();
    ensure!(strange.is_empty() && refused.len() < 10, "not compared: {refused:?}");
    let some = differences.iter().take(50).map(String::as_str).collect::<Vec<_>>().join("\n");
    ensure!(differences.is_empty(), "{} differences in {counted} files:\n{some}", differences.len());
    Ok(())
}

/// LLVM 21 leaves a line of its other form in the JSON of each version: `Predecessors: [V1, V2]`.
fn without_predecessors(text: &str) -> String {
    let mut parts = text.split("Predecessors: [");
    let mut whole = parts.next().unwrap_or_default().to_owned();
    for part in parts {
        whole.push_str(part.split_once("]\n").map_or(part, |(_, rest)| rest));
    }
    whole
}

/// Compares what is said of a file; the number of facts.
fn compare(
    file: &str,
    own: &Value,
    other: &Value,
    loader: Option<&str>,
    differences: &mut Vec<String>,
) -> usize {
    let mut facts = 0;
    let mut same = |fact: &str, gb: &Value, other: Value| {
        facts += 1;
        differ(file, fact, gb, &other, differences);
    };
    let header = &other["ElfHeader"];
    let ident = &header["Ident"];
    let class = if ident["Class"]["Value"] == 2 { "ELF64" } else { "ELF32" };
    let data = if ident["DataEncoding"]["Value"] == 2 { "big" } else { "little" };
    // "SharedObject (0x3)"
    let kind = text(header, "Type").rsplit("(0x").next().unwrap_or_default().trim_end_matches(')');
    let kind = u16::from_str_radix(kind, 16).unwrap_or(u16::MAX);
    same("class", &own["elf"]["class"], class.into());
    same("data", &own["elf"]["data"], data.into());
    same("machine", &own["elf"]["machine"], header["Machine"]["Value"].clone());
    same("flags", &own["elf"]["flags"], header["Flags"]["Value"].clone());
    same("OS ABI", &own["elf"]["os_abi"], ident["OS/ABI"]["Value"].clone());
    same("type", &own["elf"]["type"], kind.into());
    same("loader", &own["interpreter"], loader.map(Value::from).unwrap_or_default());

    let segments: Vec<_> = list(other, "ProgramHeaders").map(|segment| &segment["ProgramHeader"]).collect();
    let of_kind = |kind: u32| segments.iter().rev().find(|segment| segment["Type"]["Value"] == kind);
    let stack =
        of_kind(0x6474_e551).map(|segment| segment["Flags"]["Value"].as_u64().unwrap_or_default() & 1 != 0);
    same("stack", &own["executable_stack"], stack.map(Value::from).unwrap_or_default());

    let tagged = |tag: u64| list(other, "DynamicSection").filter(move |entry| entry["Tag"] == tag);
    let last = |tag: u64| tagged(tag).last();
    let number = |tag: u64| {
        let value = last(tag).map(|entry| &entry["Value"]);
        value.and_then(|value| value.as_u64().or_else(|| value["Value"].as_u64())).unwrap_or_default()
    };
    let name = |entry: Option<&Value>| -> Value {
        let Some(entry) = entry else { return Value::Null };
        let names = ["Library", "Name"].iter().map(|key| entry[*key].clone()).find(Value::is_string);
        // Paths are lists.
        let paths = list(entry, "Path").filter_map(Value::as_str).collect::<Vec<_>>().join(":");
        names.unwrap_or_else(|| paths.into())
    };
    let needed: Vec<_> = tagged(1).map(|entry| name(Some(entry))).collect();
    same("NEEDED", &own["needed"], needed.clone().into());
    same("SONAME", &own["soname"], name(last(14)));
    same("RPATH", &own["rpath"], name(last(15)));
    same("RUNPATH", &own["runpath"], name(last(29)));
    let (flags, flags_1) = (number(30), number(0x6fff_fffb));
    let text_relocations = last(22).is_some() || flags & 4 != 0;
    let binds_now = last(24).is_some() || flags & 8 != 0 || flags_1 & 1 != 0;
    same("TEXTREL", &own["text_relocations"], text_relocations.into());
    same("BIND_NOW", &own["bind_now"], binds_now.into());
    let relro = match (of_kind(0x6474_e552), binds_now) {
        (None, _) => "none",
        (Some(_), false) => "partial",
        (Some(_), true) => "full",
    };
    same("RELRO", &own["relro"], relro.into());
    let is_pie = kind == 3 && (flags_1 & 0x0800_0000 != 0 || loader.is_some() && last(14).is_none());
    same("PIE", &own["pie"], is_pie.into());
    same("static", &own["static"], (loader.is_none() && needed.is_empty()).into());

    // Versions, with the symbols by which they are asked for.
    let mut symbols: BTreeMap<u64, BTreeSet<(String, bool)>> = BTreeMap::new();
    for (symbol, version) in list(other, "DynamicSymbols").zip(list(other, "VersionSymbols")) {
        let (symbol, version) = (&symbol["Symbol"], &version["Symbol"]);
        let name = text(&symbol["Name"], "Name").split('@').next().unwrap_or_default().to_owned();
        let index = version["Version"].as_u64().unwrap_or_default() & 0x7fff;
        symbols.entry(index).or_default().insert((name, symbol["Binding"]["Value"] == 2));
    }
    let mut wanted = BTreeSet::new();
    for library in list(other, "VersionRequirements").map(|library| &library["Dependency"]) {
        for version in list(library, "Entries").map(|entry| &entry["Entry"]) {
            let is_weak = version["Flags"]["Value"].as_u64().unwrap_or_default() & 2 != 0;
            let symbols =
                version["Index"].as_u64().and_then(|index| symbols.get(&index)).cloned().unwrap_or_default();
            wanted.insert((text(library, "FileName"), text(version, "Name"), is_weak, symbols));
        }
    }
    let found: BTreeSet<_> = list(own, "versions")
        .map(|need| {
            let symbols =
                list(need, "symbols").map(|symbol| (text(symbol, "name").to_owned(), symbol["weak"] == true));
            (
                text(need, "library"),
                text(need, "version"),
                need["weak"] == true,
                symbols.collect::<BTreeSet<_>>(),
            )
        })
        .collect();
    same("versions", &format!("{found:?}").into(), format!("{wanted:?}").into());
    same("symbols", &own["symbols_error"], Value::Null);
    let defined: Vec<Value> =
        list(other, "VersionDefinitions").map(|version| version["Definition"]["Name"].clone()).collect();
    same("defined versions", &own["defined_versions"], defined.into());

    // Notes: the oldest kernel, and the levels of x86-64. (Of objects there are none for loaders.)
    let notes = || list(other, "NoteSections").flat_map(|section| list(&section["NoteSection"], "Notes"));
    if kind != 1 {
        let tag =
            notes().find(|note| text(note, "Type").starts_with("NT_GNU_ABI_TAG") && note["OS"] == "Linux");
        same("oldest kernel", &own["oldest_kernel"], tag.map(|tag| tag["ABI"].clone()).unwrap_or_default());
        let properties = notes().flat_map(|note| list(note, "Property")).filter_map(Value::as_str);
        let levels = properties
            .filter_map(|property| property.strip_prefix("x86 ISA needed: "))
            .flat_map(|levels| levels.split(", "));
        let bits = levels.map(|level| match level {
            "x86-64-baseline" => 1,
            "x86-64-v2" => 2,
            "x86-64-v3" => 4,
            "x86-64-v4" => 8,
            _ => u64::MAX,
        });
        same("levels", &own["x86_levels_needed"], bits.fold(0, |all, bit| all | bit).into());
    }
    facts
}

fn every_archive(lab: &Lab) -> Verdict {
    let out = lab.dir("verify-archives")?;
    // Beside those of the image, archives of every form.
    let script = format!(
        r#"{FIND}
        mkdir -p /tmp/a/sub; cd /tmp/a
        echo 'int f(void) {{ return 1; }}' >f.c
        clang -c -emit-llvm f.c -o bitcode.o
        name=$(printf 'a_name_that_is_longer_than_sixteen_bytes%.0s' 1 2 3 4 5)
        for target in x86_64 aarch64 s390x powerpc64le riscv64; do
            $target-linux-gnu-clang -c f.c -o $target.o; cp $target.o sub/$name.$target.o
        done
        for format in gnu bsd darwin coff; do
            llvm-ar --format=$format rcS one.$format.a x86_64.o sub/$name.x86_64.o f.c
            llvm-ar --format=$format rcs mixed.$format.a *.o sub/*.o f.c
        done
        llvm-ar rcsT thin.a *.o sub/*.o; ar rcsT gnuthin.a *.o sub/*.o; ar rcs gnu.a *.o sub/*.o; llvm-ar rcs empty.a
        echo 'package p' >p.go; go build -o go.a -buildmode=archive p.go
        find '!<(arch|thin)>' | grep -v /testdata/ >/out/files
        gb verify --platform any --json $(cat /out/files) >/out/gb.json || [ $? -le 1 ]
        while read -r file; do
            echo "@@ $file"; llvm-ar t "$file"; echo "@@@"
            llvm-readelf --elf-output-style=JSON -h "$file" 2>/dev/null || true; echo
        done </out/files >/out/said; chmod -R a+rX /out"#
    );
    lab.container().user("0:0").workdir("/").mount(&out, "/out").bare_sh(&script)?.ok()?;
    let gb = by_path(&out)?;
    let said = std::fs::read_to_string(out.join("said"))?;
    let (mut archives, mut members, mut objects) = (0, 0, 0);
    let mut differences = Vec::new();
    for answer in said.split("@@ ").skip(1) {
        let (file, rest) = answer.split_once('\n').ok_or("no file")?;
        let (names, headers) = rest.split_once("@@@\n").ok_or("no headers")?;
        let own = gb.get(file).ok_or_else(|| format!("gb says nothing of {file}"))?;
        // Of a thin archive llvm-ar tells the paths from where it stands.
        let is_thin = own["thin"] == true;
        let base = |name: &str| {
            if is_thin { name.rsplit('/').next().unwrap_or_default().to_owned() } else { name.to_owned() }
        };
        let names: Vec<_> = names.lines().map(base).collect();
        let found: Vec<_> = list(own, "members").map(|member| base(text(member, "name"))).collect();
        archives += 1;
        members += names.len();
        if names != found {
            differences.push(format!("{file}: members: gb {found:?}, llvm-ar {names:?}"));
        }
        // It stops at the first member that is no object; then what came before is compared.
        let headers: Value = serde_json::from_str(headers.trim())
            .or_else(|_| serde_json::from_str(&format!("{}]", headers.trim().trim_end_matches(','))))
            .unwrap_or_default();
        let headers: Vec<_> =
            headers.as_array().into_iter().flatten().map(|member| &member["ElfHeader"]).collect();
        objects += headers.len();
        let fact = |header: &Value| {
            let wide = header["Ident"]["Class"]["Value"] == 2;
            let big = header["Ident"]["DataEncoding"]["Value"] == 2;
            format!("{wide} {big} {} {}", header["Machine"]["Value"], header["Flags"]["Value"])
        };
        let others: Vec<_> = headers.into_iter().map(fact).collect();
        let own: Vec<_> = list(own, "members")
            .map(|member| &member["elf"])
            .filter(|elf| !elf.is_null())
            .map(|elf| {
                format!(
                    "{} {} {} {}",
                    elf["class"] == "ELF64",
                    elf["data"] == "big",
                    elf["machine"],
                    elf["flags"]
                )
            })
            .collect();
        if own.get(..others.len()) != Some(&others) {
            differences.push(format!("{file}: objects: gb {own:?}, llvm-readelf {others:?}"));
        }
    }
    eprintln!("{archives} archives, {members} members, {objects} objects");
    ensure!(
        archives > 100 && members > 10_000 && objects > 10_000,
        "{archives} archives, {members} members, {objects} objects"
    );
    ensure!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    // Mixed ones are told member by member.
    for form in ["gnu", "bsd", "darwin", "coff"] {
        let codes = |name: &str| {
            let own = gb.get(&format!("/tmp/a/{name}.{form}.a")).cloned().unwrap_or_default();
            list(&own, "findings").map(|finding| text(finding, "code").to_owned()).collect::<Vec<_>>()
        };
        ensure_eq!(codes("one"), Vec::<String>::new());
        ensure_eq!(codes("mixed"), vec!["mixed"; 8]);
    }
    Ok(())
}

fn every_go_program(lab: &Lab) -> Verdict {
    let out = lab.dir("verify-go")?;
    let script = format!(
        r#"{FIND}
        export GOFLAGS=-mod=mod HOME=/tmp GOPROXY=off
        mkdir -p /tmp/m/dep /tmp/b && cd /tmp/m
        printf 'module example.org/m\n\ngo 1.24\n\nrequire example.org/dep v1.2.3\n\nreplace example.org/dep => ./dep\n' >go.mod
        printf 'module example.org/dep\n' >dep/go.mod; printf 'package dep\n\nvar X = 1\n' >dep/dep.go
        printf 'package main\n\nimport "example.org/dep"\n\nvar v string\n\nfunc main() {{ println(v, dep.X) }}\n' >main.go
        git init -q .; git add .; git -c user.name=a -c user.email=a@b commit -qm x; git tag v0.1.0
        for arch in $(go tool dist list | sed -n 's,^linux/,,p'); do
            export GOARCH=$arch CGO_ENABLED=0
            go build -o /tmp/b/$arch .
            go build -ldflags "-s -w -X 'main.v=a b\"c\`é'" -o /tmp/b/$arch.s .
            cp /tmp/b/$arch.s /tmp/b/$arch.bare; llvm-strip --strip-sections /tmp/b/$arch.bare
        done
        unset CGO_ENABLED
        GOARCH=arm GOARM=5 go build -o /tmp/b/arm5 .; GOARCH=amd64 GOAMD64=v3 go build -o /tmp/b/amd64v3 .
        GOARCH=mips GOMIPS=softfloat go build -o /tmp/b/mipssoft .; GOARCH=arm64 GOARM64=v8.2,lse,crypto go build -o /tmp/b/arm64v82 .
        for arch in amd64 arm64 ppc64le s390x riscv64; do
            for mode in exe $([ $arch != s390x ] && [ $arch != amd64 ] || echo pie c-shared); do
                GOARCH=$arch CGO_ENABLED=1 gb run -- go build -ldflags '-linkmode=external' -buildmode=$mode -o /tmp/b/$arch.$mode .
                cp /tmp/b/$arch.$mode /tmp/b/$arch.$mode.bare; llvm-strip --strip-sections /tmp/b/$arch.$mode.bare
            done
        done
        GOARCH=amd64 CGO_ENABLED=1 go build -race -o /tmp/b/race .
        unset GOARCH; cd /
        find '\x7fELF' | grep -v /testdata/ >/out/files
        gb verify --platform any --json $(cat /out/files) >/out/gb.json || [ $? -le 2 ]
        go version -m $(cat /out/files) >/out/go 2>/dev/null || true
        chmod -R a+rX /out"#
    );
    lab.container().user("0:0").workdir("/").mount(&out, "/out").bare_sh(&script)?.ok()?;
    let gb = by_path(&out)?;
    let mut said: HashMap<String, Vec<String>> = HashMap::new();
    let mut file = String::new();
    for line in std::fs::read_to_string(out.join("go"))?.lines() {
        match (line.strip_prefix('\t'), line.rsplit_once(": ")) {
            // One that is replaced has an empty line behind it.
            (Some(""), _) => {}
            (Some(line), _) => said.entry(file.clone()).or_default().push(line.to_owned()),
            (None, Some((name, version))) => {
                file = name.to_owned();
                said.entry(file.clone()).or_default().push(version.to_owned());
            }
            _ => {}
        }
    }
    let mut differences = Vec::new();
    let mut beyond = Vec::new();
    for (path, own) in &gb {
        let go = &own["go"];
        match (said.get(path), go.is_null()) {
            (None, true) => {}
            (Some(_), true) => differences.push(format!("{path}: gb says that Go has not built it")),
            // Go looks through the first part of a file's data alone, where linkers make several.
            (None, false) if path.ends_with(".bare") => beyond.push(path),
            (None, false) => differences.push(format!("{path}: gb alone says that Go has built it: {go}")),
            (Some(lines), false) => {
                let own = as_lines(go);
                // Go's order of settings is kept by the file, and not by JSON.
                let sorted = |lines: &[String]| lines.iter().cloned().collect::<BTreeSet<_>>();
                if sorted(lines) != sorted(&own) {
                    differences.push(format!("{path}: gb {own:?}, go {lines:?}"));
                }
            }
        }
    }
    eprintln!("{} programs of Go's, {} more that gb alone finds without sections", said.len(), beyond.len());
    ensure!(said.len() > 60, "only {} programs of Go's", said.len());
    ensure!(differences.is_empty(), "{} differences:\n{}", differences.len(), differences.join("\n"));
    for (path, name, value) in [
        ("/tmp/b/arm5", "GOARM", "5"),
        ("/tmp/b/amd64v3", "GOAMD64", "v3"),
        ("/tmp/b/mipssoft", "GOMIPS", "softfloat"),
        ("/tmp/b/arm64v82", "GOARM64", "v8.2,lse,crypto"),
        ("/tmp/b/race", "-race", "true"),
        ("/tmp/b/s390x.pie", "CGO_ENABLED", "1"),
    ] {
        ensure_eq!(gb.get(path).map(|own| own["go"]["settings"][name].clone()), Some(Value::from(value)));
    }
    Ok(())
}

/// What gb says, in the form of `go version -m`.
fn as_lines(go: &Value) -> Vec<String> {
    let mut lines = vec![text(go, "version").to_owned()];
    lines.extend(go["path"].as_str().map(|path| format!("path\t{path}")));
    // Of a replaced one it tells no checksum.
    let plain =
        |kind: &str, module: &Value| format!("{kind}\t{}\t{}", text(module, "path"), text(module, "version"));
    let summed = |kind: &str, module: &Value| format!("{}\t{}", plain(kind, module), text(module, "sum"));
    let mut module = |kind: &str, module: &Value| match &module["replaced_by"] {
        Value::Null => lines.push(summed(kind, module)),
        other => lines.extend([plain(kind, module), summed("=>", other)]),
    };
    if !go["module"].is_null() {
        module("mod", &go["module"]);
    }
    for dependency in list(go, "dependencies") {
        module("dep", dependency);
    }
    for (key, value) in go["settings"].as_object().into_iter().flatten() {
        let value = value.as_str().unwrap_or_default();
        let quoted = if value.contains(['"', '`', '\\']) || value.contains(char::is_whitespace) {
            format!("{value:?}")
        } else {
            value.to_owned()
        };
        lines.push(format!("build\t{key}={quoted}"));
    }
    lines
}

/// The C library of Debian 13 where the sysroots have that of Debian 12.
fn newer_glibc(lab: &Lab) -> Verdict {
    let script = r#"
        root=/usr/x86_64-linux-gnu/sys-root; cd /tmp; export HOME=/tmp GOCACHE=/tmp/cache
        mkdir new && cd new && printf 'module new\n' >go.mod
        printf 'package main\n\n/*\n#cgo LDFLAGS: /lib/x86_64-linux-gnu/libc.so.6\n#include <stddef.h>\nsize_t strlcpy(char *, const char *, size_t);\n*/\nimport "C"\n\nfunc main() { C.strlcpy(nil, nil, 0) }\n' >main.go
        export CGO_LDFLAGS_ALLOW='.*'; CGO_ENABLED=1 gb run -- go build -o new .
        printf 'module old\n' >go.mod
        printf 'package main\n\n// #include <stdlib.h>\nimport "C"\n\nfunc main() { C.abs(1) }\n' >main.go
        CGO_ENABLED=1 gb run -- go build -o old .
        for file in old new; do
            echo "@ $file"; gb verify --against $root --glibc 2.36 $file || echo "exit code $?"
        done
        echo "@ system"; gb verify --against $root /usr/bin/wc || echo "exit code $?"
        echo "@ own"; gb verify --against / /usr/bin/wc new old || echo "exit code $?""#;
    let text = lab.container().user("0:0").bare_sh(script)?.ok()?;
    let answers: Vec<_> = text.split("@ ").skip(1).collect();
    let [old, new, system, own] = answers.as_slice() else { return Err(text.into()) };
    ensure!(
        old.starts_with("old\nold: linux/amd64 program for /lib64/ld-linux-x86-64.so.2, GLIBC_2.34, go1."),
        "{old}"
    );
    ensure!(old.lines().count() == 2, "{old}");
    ensure!(
        new.contains("\nnew: asks for GLIBC_2.38 (strlcpy), and GLIBC_2.36 is the newest that it may (build it in the go-build image"),
        "{new}"
    );
    ensure!(
        new.contains("\nnew: misses version GLIBC_2.38 (asked for by strlcpy): it is not in /lib/x86_64-linux-gnu/libc.so.6\nexit code 1"),
        "{new}"
    );
    ensure!(system.contains("wc: misses version GLIBC_2.38 (asked for by __isoc23_"), "{system}");
    ensure!(
        system.ends_with("exit code 1\n") && own.lines().count() == 4 && !own.contains("exit code"),
        "{system}{own}"
    );
    Ok(())
}

/// For every target: cgo programs and C++ libraries find everything in the sysroot, are for it, and ask for no newer glibc.
fn own_programs(lab: &Lab) -> Verdict {
    for goarch in crate::lab::TARGETS {
        let workshop = lab.workshop(goarch)?;
        let newest = if goarch == "riscv64" { "2.41" } else { "2.36" };
        let others = crate::lab::TARGETS
            .iter()
            .filter(|other| **other != goarch)
            .copied()
            .collect::<Vec<_>>()
            .join(" ");
        let script = format!(
            r#"
            dir=$(mktemp -d); cd $dir; printf 'module m\n' >go.mod
            printf 'package main\n\n// #include <stdlib.h>\nimport "C"\n\nfunc main() {{ C.abs(1) }}\n' >main.go
            printf '//go:build !cgo\n\npackage main\n\nfunc main() {{}}\n' >pure.go
            CGO_ENABLED=1 go build -o cgo .; CGO_ENABLED=0 go build -o pure .
            CGO_ENABLED=1 go build -buildmode=c-archive -o cgo.a .
            printf '#include <iostream>\nint f() {{ std::cout << 1; return 0; }}\n' >f.cc; printf 'int f(); int main() {{ return f(); }}\n' >main.cc
            $CXX -shared -fPIC f.cc -Wl,-soname,libf.so -o libf.so; $CXX main.cc libf.so '-Wl,-rpath,$ORIGIN' -o main
            $CXX -c f.cc -o f.o
            gb verify --glibc {newest} --against /usr/$GB_TRIPLE/sys-root . || exit 9
            for other in {others}; do
                ! gb verify --platform $other cgo pure libf.so f.o cgo.a >said || exit 8
                [ $(grep -c ": is for linux/{goarch}, not for linux/$other (build it with GOARCH=$other)$" said) = 5 ] || {{ cat said; exit 7; }}
            done"#
        );
        let text = workshop.sh(&script)?;
        for part in [
            "./cgo: ",
            "./cgo.a: archive of ",
            "./f.o: ",
            "./libf.so: ",
            "./main: ",
            "./pure: ",
            "files: 6 good, 5 of other kinds passed over",
        ] {
            ensure!(text.contains(part), "{goarch}: {part}: {text}");
        }
        ensure!(text.contains(&format!("./pure: linux/{goarch} static program, go1.")), "{text}");
        ensure!(text.contains(", GLIBCXX_3.4"), "{text}");
    }
    Ok(())
}

fn float_abis(lab: &Lab) -> Verdict {
    let script = r#"
        cd /tmp; echo 'double f(double x) { return x; }' >f.c; echo 'double f(double); int main() { return (int)f(1); }' >main.c
        for triple in arm-linux-gnueabihf arm-linux-gnueabi; do
            $triple-clang -c f.c -o $triple.o; llvm-ar rcs $triple.a $triple.o; $triple-clang main.c f.c -o $triple
            $triple-clang -shared -fPIC f.c -o $triple.so
        done
        files() { echo arm-linux-$1 arm-linux-$1.o arm-linux-$1.a arm-linux-$1.so; }
        gb verify --platform arm/v7 $(files gnueabihf); gb verify --platform armel $(files gnueabi)
        # Distributions for GOARM=6 have either.
        gb verify --platform linux/arm/v6 $(files gnueabihf)
        echo @; ! gb verify --platform linux/arm/v7 $(files gnueabi)
        echo @; ! gb verify --platform linux/arm/v5 $(files gnueabihf)
        echo @; llvm-ar rcs both.a *.o; ! gb verify --platform any both.a"#;
    let text = lab.arm_container()?.user("0:0").bare_sh(script)?.ok()?;
    let answers: Vec<_> = text.split("@\n").collect();
    let [good, soft, hard, both] = answers.as_slice() else { return Err(text.into()) };
    ensure!(good.lines().count() == 12 && good.contains("linux/arm"), "{good}");
    ensure!(
        soft.matches(": is for soft float, and linux/arm with GOARM=7 is hard float\n").count() == 4,
        "{soft}"
    );
    ensure!(
        hard.matches(": is for hard float, and linux/arm with GOARM=5 is soft float\n").count() == 4,
        "{hard}"
    );
    ensure!(both.lines().count() == 1 && both.contains("both.a: member arm-linux-gnueabi"), "{both}");
    Ok(())
}

fn image_itself(lab: &Lab) -> Verdict {
    let script = "gb verify --image-root / 2>/dev/null
        # And a program of another machine beside its own is found, as is a link that leads nowhere.
        cp /usr/aarch64-linux-gnu/sys-root/lib/ld-linux-aarch64.so.1 /usr/bin/stranger; ln -s gone /usr/lib/libgone.so.1
        ! gb verify --image-root / 2>/dev/null";
    let text = lab.container().user("0:0").bare_sh(script)?.ok()?;
    let lines: Vec<_> = text.lines().collect();
    let [good, machine, link] = lines.as_slice() else { return Err(text.into()) };
    ensure!(
        good.starts_with("/: ") && good.contains(" programs and libraries for linux/amd64 among "),
        "{good}"
    );
    ensure_eq!(*machine, "/usr/bin/stranger: is for linux/arm64, not for linux/amd64");
    ensure!(link.starts_with("/usr/lib/libgone.so.1: misses what the link leads to: "), "{link}");
    Ok(())
}

fn base_itself(lab: &Lab) -> Verdict {
    let dir = lab.dir("verify-base")?;
    let tar = dir.join("base.tar");
    crate::engine::export(lab.base_image()?, &tar)?;
    let script = "mkdir /tmp/root; tar -xf /dir/base.tar -C /tmp/root; gb verify --image-root /tmp/root";
    let container = lab.container().user("0:0").mount_read_only(&dir, "/dir");
    let text = container.bare_sh(script)?.ok()?;
    ensure!(
        text.starts_with("/tmp/root: ") && text.contains(" programs and libraries for linux/amd64 among "),
        "{text}"
    );
    Ok(())
}

fn own_target(lab: &Lab) -> Verdict {
    let script = r#"
        cd /tmp; export HOME=/tmp; printf 'package main\n\nfunc main() {}\n' >main.go
        for arch in amd64 s390x; do GOARCH=$arch gb run -- go build -o $arch main.go; done
        GOARCH=amd64 GOAMD64=v3 gb run -- go build -o v3 main.go
        try() { "$@" >said; code=$?; echo "$code $(wc -l <said)"; }
        set +e
        try gb verify amd64; try gb verify s390x; try gb run -- gb verify s390x
        try env GOARCH=s390x gb verify s390x; try env GOARCH=s390x gb verify amd64; try env TARGETPLATFORM=linux/s390x gb verify s390x
        try gb verify --platform any amd64 s390x; try gb verify --platform amd64/v2 v3; try env GOAMD64=v2 gb verify v3; try gb verify v3"#;
    let text = lab.container().user("0:0").bare_sh(script)?.ok()?;
    ensure_eq!(
        text.lines().collect::<Vec<_>>(),
        ["0 1", "1 1", "1 1", "0 1", "1 1", "0 1", "0 2", "1 1", "1 1", "0 1"]
    );
    Ok(())
}

fn ways_of_linking(lab: &Lab) -> Verdict {
    let script = r#"
        cd /tmp; echo 'int main(void) { return 0; }' >main.c; echo 'int f(void) { return 0; }' >f.c
        x86_64-linux-gnu-clang main.c -static -o static; x86_64-linux-gnu-clang main.c -static-pie -o static-pie
        x86_64-linux-gnu-clang main.c -pie -o pie; x86_64-linux-gnu-clang main.c -no-pie -o no-pie
        x86_64-linux-gnu-clang f.c -shared -fPIC -o lib.so; x86_64-linux-gnu-clang f.c -shared -fPIC -nostdlib -o alone.so
        x86_64-linux-gnu-clang main.c -Wl,-z,execstack -o stack
        x86_64-linux-gnu-clang main.c -Wl,-rpath,/home/me/lib:/opt/lib -o path
        printf '.globl main\nmain: movabs $main, %%rax\nret\n' >text.s; x86_64-linux-gnu-clang -pie text.s -Wl,-z,notext -o text
        set +e
        for file in static static-pie pie no-pie lib.so alone.so; do gb verify --static $file; echo "exit code $?"; done
        for file in stack path text; do gb verify $file; echo "exit code $?"; done"#;
    let text = lab.container().user("0:0").bare_sh(script)?.ok()?;
    let loader = "/lib64/ld-linux-x86-64.so.2";
    let expected = format!(
        "static: linux/amd64 static program\nexit code 0\nstatic-pie: linux/amd64 static-pie program\nexit code 0\n\
        pie: is not static: it asks for libc.so.6 (link it with -static)\nexit code 1\n\
        no-pie: is not static: it asks for libc.so.6 (link it with -static)\nexit code 1\n\
        lib.so: is not static: it asks for libc.so.6 (link it with -static)\nexit code 1\nalone.so: linux/amd64 library\nexit code 0\n\
        stack: linux/amd64 program for {loader}, GLIBC_2.34\n\
        stack: degraded: asks for a stack whose contents can be run (link it with -Wl,-z,noexecstack; assembler files lack .note.GNU-stack)\n\
        exit code 2\npath: linux/amd64 program for {loader}, GLIBC_2.34\n\
        path: degraded: looks for libraries where it was built: RUNPATH /home/me/lib (link it without -rpath, or patchelf --remove-rpath)\n\
        exit code 2\ntext: linux/amd64 program for {loader}, GLIBC_2.34\n\
        text: degraded: has its code changed when it is loaded (compile all of it with -fPIC)\nexit code 2\n"
    );
    ensure_eq!(text, expected);
    Ok(())
}
