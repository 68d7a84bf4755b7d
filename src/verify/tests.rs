//! Files that are made for the tests, and what is said of them.

use goblin::elf::dynamic::{DF_BIND_NOW, DT_FLAGS, DT_FLAGS_1, DT_NEEDED, DT_RUNPATH, DT_SONAME, DT_TEXTREL};
use goblin::elf::program_header::{PT_GNU_RELRO, PT_GNU_STACK};

use super::*;
use crate::elf::sample::Sample;
use crate::elf::{FloatAbi, Header};
use crate::platform::{self, ElfClass, ElfData, Machine, PLATFORMS, Platform};

const EVERY_LAYOUT: [(ElfClass, ElfData); 4] = [
    (ElfClass::Elf32, ElfData::Little),
    (ElfClass::Elf32, ElfData::Big),
    (ElfClass::Elf64, ElfData::Little),
    (ElfClass::Elf64, ElfData::Big),
];

/// A program for a port of Go's.
fn program(goarch: &str) -> Sample {
    let platform = Platform::by_goarch(goarch).unwrap();
    let elf = &platform.elf;
    Sample {
        machine: elf.machine,
        flags: elf.flags,
        interpreter: Some(platform.default_abi().loader),
        names: vec![(DT_NEEDED, "libc.so.6".to_owned())],
        ..Sample::new(elf.class, elf.data)
    }
}

fn facts(sample: &Sample) -> Facts {
    Facts::read(&sample.bytes()).unwrap()
}

fn wish(platform: &str) -> Wish {
    Wish { target: Some(platform::parse(platform).unwrap()), ..Wish::default() }
}

fn codes(sample: &Sample, wish: &Wish) -> Vec<&'static str> {
    check(&facts(sample), wish).iter().map(|finding| finding.code).collect()
}

fn texts(sample: &Sample, wish: &Wish) -> Vec<String> {
    check(&facts(sample), wish).iter().map(ToString::to_string).collect()
}

#[test]
fn a_file_of_any_class_and_byte_order_tells_what_it_needs() {
    for (class, data) in EVERY_LAYOUT {
        let sample = Sample {
            needed: vec![
                ("libc.so.6", vec![("GLIBC_2.34", false), ("GLIBC_2.38", true)]),
                ("libstdc++.so.6", vec![("GLIBCXX_3.4.30", false), ("CXXABI_1.3", false)]),
            ],
            symbols: vec![
                ("__libc_start_main", 2, false),
                ("strlcpy", 3, true),
                ("main", 1, false),
                ("_Zx", 0x8004, false),
                ("stdout", 2, true),
            ],
            interpreter: Some("/lib/ld.so"),
            names: vec![(DT_NEEDED, "libc.so.6".to_owned()), (DT_RUNPATH, "/opt".to_owned())],
            numbers: vec![(DT_FLAGS, DF_BIND_NOW), (DT_FLAGS_1, 0x0800_0000)],
            segments: vec![(PT_GNU_STACK, 7), (PT_GNU_RELRO, 4)],
            ..Sample::new(class, data)
        };
        let facts = facts(&sample);
        assert_eq!((facts.kind, facts.is_pie, facts.relro), (Kind::Program, true, Relro::Full));
        assert_eq!((facts.executable_stack, facts.binds_now, facts.is_static()), (Some(true), true, false));
        assert_eq!(facts.symbols_error, None);
        let needs: Vec<_> = facts
            .versions
            .iter()
            .map(|need| {
                let symbols = need
                    .symbols
                    .iter()
                    .map(|(name, weak)| format!("{}{weak}", String::from_utf8_lossy(name)));
                (
                    String::from_utf8_lossy(&need.version).into_owned(),
                    need.is_weak,
                    symbols.collect::<Vec<_>>().join(" "),
                )
            })
            .collect();
        let expected = [
            ("GLIBC_2.34", false, "__libc_start_mainfalse stdouttrue"),
            ("GLIBC_2.38", true, "strlcpytrue"),
            ("GLIBCXX_3.4.30", false, "_Zxfalse"),
            ("CXXABI_1.3", false, ""),
        ];
        assert_eq!(
            needs,
            expected.map(|(version, weak, symbols)| (version.to_owned(), weak, symbols.to_owned()))
        );
        let highest =
            FAMILIES.map(|family| highest(&facts.versions, family).map(|number| number.to_string()));
        assert_eq!(highest.map(Option::unwrap_or_default), ["2.34", "3.4.30", "1.3", ""]);
    }
}

#[test]
fn a_file_that_is_damaged_anywhere_does_no_harm() {
    for (class, data) in EVERY_LAYOUT {
        let sample = Sample {
            needed: vec![("libc.so.6", vec![("GLIBC_2.34", false)])],
            symbols: vec![("main", 2, false)],
            written: inline("go1.26.6", "path\tm\n"),
            ..Sample::new(class, data)
        };
        let bytes = sample.bytes();
        assert!(Facts::read(&bytes).unwrap().go.is_some());
        for at in 0..bytes.len() {
            let _either = Facts::read(&bytes[..at].to_vec());
            for value in [0, 1, 0x7f, 0x80, 0xff] {
                let mut changed = bytes.clone();
                changed[at] = value;
                let _either = Facts::read(&changed);
            }
        }
    }
}

#[test]
fn each_port_takes_its_own_programs_alone() {
    for own in PLATFORMS {
        for other in PLATFORMS {
            let expected: &[&str] = if own == other { &[] } else { &["machine"] };
            assert_eq!(
                codes(&program(own.goarch), &wish(other.goarch)),
                expected,
                "{} {}",
                own.goarch,
                other.goarch
            );
        }
    }
    assert_eq!(
        texts(&program("arm64"), &wish("linux/amd64")),
        ["is for linux/arm64, not for linux/amd64 (build it with GOARCH=amd64)"]
    );
    let odd = Sample { machine: Machine(2), ..Sample::new(ElfClass::Elf32, ElfData::Big) };
    assert!(texts(&odd, &wish("amd64"))[0].starts_with("is for machine 2 (32-bit, big-endian), not for"));
    // What the kernel itself runs is for every machine of its byte order.
    let bpf = |data| Sample { machine: Machine(247), kind: 1, ..Sample::new(ElfClass::Elf64, data) };
    assert_eq!(codes(&bpf(ElfData::Little), &wish("amd64")), [""; 0]);
    assert_eq!(codes(&bpf(ElfData::Little), &wish("s390x")), ["machine"]);
}

#[test]
fn another_abi_of_the_same_machine_is_told() {
    for (goarch, flags, code) in [
        ("ppc64le", 1, "abi"),
        ("ppc64le", 0, ""),
        ("ppc64", 2, "abi"),
        ("ppc64", 1, ""),
        ("riscv64", 0, "abi"),
        ("riscv64", 2, "abi"),
        ("riscv64", 5, ""),
        ("loong64", 0x41, "abi"),
        ("loong64", 0x43, ""),
        ("mips", 0x7000_1000, ""),
        ("mips", 0x20, "abi"),
        ("mips64", 0x20, "abi"),
        ("arm", 0x0400_0000, "abi"),
        ("arm", 0x0500_0200, "float-abi"),
        ("arm", 0x0500_0400, ""),
        // Go's own linker says nothing.
        ("arm", 0x0500_0002, ""),
    ] {
        let found = codes(&Sample { flags, ..program(goarch) }, &wish(goarch));
        assert_eq!(found.first().copied().unwrap_or_default(), code, "{goarch} {flags:#x}");
    }
    let soft = Sample { flags: 0x0500_0200, ..program("arm") };
    assert_eq!(codes(&soft, &wish("armel")), [""; 0]);
    assert_eq!(
        texts(&soft, &wish("linux/arm/v7")),
        ["is for soft float, and linux/arm with GOARM=7 is hard float"]
    );
}

/// What Go's linker has written since 1.18.
fn inline(version: &str, text: &str) -> Vec<u8> {
    let text = [&[b'<'; 16][..], text.as_bytes(), &[b'>'; 16]].concat();
    let counted = |bytes: &[u8]| {
        let (low, high) = (bytes.len() & 0x7f, bytes.len() >> 7);
        [&[low as u8 | 0x80, high as u8][..], bytes].concat()
    };
    let mut head = b"\xff Go buildinf:\x08\x02".to_vec();
    head.resize(32, 0);
    [&b"0123456789abcdef"[..], &head, &counted(version.as_bytes()), &counted(&text)].concat()
}

#[test]
fn what_go_has_written_is_read() {
    let text = "path\texample.org/cmd\nmod\texample.org\tv1.2.3\th1:x=\ndep\ta.b/c\tv0.1.0\n=>\t../c\t(devel)\t\n\
                build\tGOARCH=amd64\nbuild\tGOAMD64=v3\nbuild\tCGO_ENABLED=1\nbuild\t-ldflags=\"-X \\\"a b\\\" \\u00e9\\x41\\t\"\n\
                build\t`a=b`=`c`\nbuild\tnonsense\nbuild\t\"open\nodd\n";
    for (class, data) in EVERY_LAYOUT {
        let sample = Sample { written: inline("go1.26.6", text), ..Sample::new(class, data) };
        let go = facts(&sample).go.unwrap();
        assert_eq!((go.version.as_str(), go.path.as_deref()), ("go1.26.6", Some("example.org/cmd")));
        let module = go.module.as_ref().unwrap();
        assert_eq!(
            (module.path.as_str(), module.version.as_str(), module.sum.as_str()),
            ("example.org", "v1.2.3", "h1:x=")
        );
        assert_eq!(go.dependencies.len(), 1);
        assert_eq!(go.dependencies[0].replaced_by.as_ref().unwrap().path, "../c");
        assert_eq!(go.setting("-ldflags"), Some("-X \"a b\" éA\t"));
        assert_eq!(go.setting("a=b"), Some("c"));
        assert_eq!(go.settings.len(), 5);
    }
}

#[test]
fn what_go_wrote_before_1_18_is_read_by_its_pointers() {
    for (class, data) in EVERY_LAYOUT {
        let (word, is_big) = (if class == ElfClass::Elf64 { 8usize } else { 4 }, data == ElfData::Big);
        let number = |value: u64| match is_big {
            true => value.to_be_bytes()[8 - word..].to_vec(),
            false => value.to_le_bytes()[..word].to_vec(),
        };
        let text = [&[b'<'; 16][..], b"path\tm\nmod\tm\t(devel)\t\n", &[b'>'; 16]].concat();
        let made = |start: u64| {
            let mut bytes = [&b"\xff Go buildinf:"[..], &[word as u8, u8::from(is_big)]].concat();
            let at = |offset: usize| number(start + offset as u64);
            bytes.extend([at(32), at(48)].concat());
            bytes.resize(32, 0);
            bytes.extend([at(64), number(8)].concat());
            bytes.resize(48, 0);
            bytes.extend([at(72), number(text.len() as u64)].concat());
            bytes.resize(64, 0);
            [bytes, b"go1.17.1".to_vec(), text.clone()].concat()
        };
        // Where it is loaded is known when it is made.
        let sample = |start| Sample { written: made(start), ..Sample::new(class, data) };
        let bytes = sample(0).bytes();
        let offset = bytes.windows(14).position(|part| part == b"\xff Go buildinf:").unwrap() as u64;
        let go = facts(&sample(0x10000 + offset)).go.unwrap();
        assert_eq!((go.version.as_str(), go.path.as_deref()), ("go1.17.1", Some("m")));
        assert_eq!(go.module.unwrap().version, "(devel)");
        assert_eq!(facts(&sample(0)).go, None);
    }
}

#[test]
fn a_variant_of_more_than_was_asked_for_is_told() {
    let built = |value: &str| Sample {
        written: inline("go1.26.6", &format!("build\tGOAMD64={value}\n")),
        ..program("amd64")
    };
    assert_eq!(codes(&built("v3"), &wish("amd64/v3")), [""; 0]);
    assert_eq!(codes(&built("v3"), &wish("amd64")), [""; 0]);
    assert_eq!(
        texts(&built("v3"), &wish("amd64/v2")),
        ["is built with GOAMD64=v3, and is to run with GOAMD64=v2 (build it with GOAMD64=v2)"]
    );
    let property =
        [0xc000_8002u32, 4, 0b101, 0].iter().flat_map(|word| word.to_le_bytes()).collect::<Vec<u8>>();
    let noted = Sample { notes: vec![("GNU", 5, property)], ..program("amd64") };
    assert_eq!(facts(&noted).notes.x86_levels_needed, 0b101);
    assert_eq!(codes(&noted, &wish("amd64/v3")), [""; 0]);
    assert_eq!(codes(&noted, &wish("amd64/v2")), ["processor"]);
}

#[test]
fn newer_versions_than_there_are_are_told_with_the_symbols() {
    let sample = Sample {
        needed: vec![
            (
                "libc.so.6",
                vec![
                    ("GLIBC_2.34", false),
                    ("GLIBC_2.38", false),
                    ("GLIBC_2.41", true),
                    ("GLIBC_ABI_DT_RELR", false),
                ],
            ),
            ("libstdc++.so.6", vec![("GLIBCXX_3.4.30", false)]),
        ],
        symbols: vec![
            ("a", 3, false),
            ("b", 3, true),
            ("c", 3, false),
            ("d", 3, false),
            ("e", 4, false),
            ("f", 6, false),
        ],
        ..program("amd64")
    };
    let asked = |ceiling: &str| {
        let wish = Wish { ceilings: Ceiling::parse(ceiling).unwrap(), ..Wish::default() };
        texts(&sample, &wish)
    };
    assert_eq!(
        asked("2.35"),
        [
            "asks for GLIBC_2.38 (a, b weakly, c, 1 more), GLIBC_ABI_DT_RELR, and GLIBC_2.35 is the newest that it may \
          (build it in the go-build image, or on a system as old as that)"
        ]
    );
    assert_eq!(asked("GLIBC_2.38,GLIBCXX_3.4.30"), [""; 0]);
    assert_eq!(asked("2.41,GLIBCXX_3.4.29").len(), 1);
    assert_eq!(asked("2.9").len(), 1);
    let relr = Sample { needed: vec![("libc.so.6", vec![("GLIBC_ABI_DT_RELR", false)])], ..program("amd64") };
    let wish = |text: &str| Wish { ceilings: Ceiling::parse(text).unwrap(), ..Wish::default() };
    assert!(texts(&relr, &wish("2.34"))[0].ends_with("(link it with -Wl,-z,nopack-relative-relocs)"));
    assert_eq!(codes(&relr, &wish("2.36")), [""; 0]);
    let private = Sample { needed: vec![("libc.so.6", vec![("GLIBC_PRIVATE", false)])], ..program("amd64") };
    assert_eq!(codes(&private, &wish("2.36")), ["glibc-private"]);
    assert_eq!(codes(&private, &Wish::default()), [""; 0]);
    assert_eq!(
        codes(&Sample { defined: vec!["libm.so.6", "GLIBC_2.2.5"], ..private }, &wish("2.36")),
        [""; 0]
    );
    for bad in ["", "2.x", "2.34,", "MUSL_1.2", "-2"] {
        assert!(Ceiling::parse(bad).is_err(), "{bad}");
    }
}

#[test]
fn what_runs_but_not_as_it_should_is_degraded() {
    let sample = Sample {
        names: vec![
            (DT_NEEDED, "libc.so.6".to_owned()),
            (DT_RUNPATH, "$ORIGIN:/home/me/lib::/opt/lib".to_owned()),
        ],
        numbers: vec![(DT_TEXTREL, 0)],
        segments: vec![(PT_GNU_STACK, 7)],
        ..program("amd64")
    };
    let findings = check(&facts(&sample), &Wish::default());
    let found: Vec<_> = findings.iter().map(|finding| (finding.code, finding.weight)).collect();
    let expected = ["build-path", "relative-path", "executable-stack", "text-relocations"];
    assert_eq!(found, expected.map(|code| (code, Weight::Degraded)));
    // glibc's start files for MIPS ask for such a stack.
    let mips = Sample { segments: vec![(PT_GNU_STACK, 7)], ..program("mips") };
    assert_eq!(codes(&mips, &Wish::default()), [""; 0]);
    let loader =
        Sample { interpreter: Some("/usr/x86_64-linux-gnu/sys-root/lib64/ld.so"), ..program("amd64") };
    assert_eq!(codes(&loader, &Wish::default()), ["build-loader"]);
    let flags = Sample { numbers: vec![(DT_FLAGS, 4)], ..program("amd64") };
    assert_eq!(codes(&flags, &Wish::default()), ["text-relocations"]);
}

#[test]
fn what_is_static_is_told_from_what_is_not() {
    let wish = Wish { is_static: true, ..Wish::default() };
    assert_eq!(
        texts(&program("amd64"), &wish),
        ["is not static: it asks for libc.so.6 (link it with -static)"]
    );
    let alone = Sample { names: Vec::new(), ..program("amd64") };
    assert!(texts(&alone, &wish)[0].starts_with("is not static: /lib64/ld-linux-x86-64.so.2 loads it"));
    let pie = Sample { interpreter: None, numbers: vec![(DT_FLAGS_1, 0x0800_0000)], ..alone };
    assert_eq!(codes(&pie, &wish), [""; 0]);
    assert!(facts(&pie).is_pie && facts(&pie).kind == Kind::Program);
    let library =
        Sample { interpreter: None, names: vec![(DT_SONAME, "libx.so".to_owned())], ..program("amd64") };
    assert_eq!(facts(&library).kind, Kind::Library);
}

/// A member of an archive, in GNU's form.
fn member(name: &str, contents: &[u8]) -> Vec<u8> {
    let mut bytes =
        format!("{name:<16}{:<12}{:<6}{:<6}{:<8}{:<10}`\n", 0, 0, 0, 644, contents.len()).into_bytes();
    bytes.extend_from_slice(contents);
    bytes.resize(bytes.len().next_multiple_of(2), b'\n');
    bytes
}

fn archive(magic: &[u8], members: &[Vec<u8>]) -> Vec<u8> {
    [magic.to_vec(), members.concat()].concat()
}

fn object(goarch: &str) -> Vec<u8> {
    Sample { kind: 1, ..program(goarch) }.bytes()
}

fn read(bytes: Vec<u8>) -> (Archive, Vec<Item>) {
    let read = Archive::read(&bytes).unwrap();
    let items = items(&bytes, &read, &|name| match name {
        b"sub/there.o" => Ok(Box::new(object("arm64"))),
        _ => Err(std::io::Error::other("gone")),
    });
    (read, items)
}

#[test]
fn archives_of_every_form_are_read() {
    let long = "a_name_of_more_than_sixteen_bytes.o";
    let table = format!("{long}/\nsub/there.o/\ngone.o/\n");
    let gnu = archive(
        b"!<arch>\n",
        &[
            member("/", &[0; 4]),
            member("//", table.as_bytes()),
            member("short.o/", &object("amd64")),
            member("/0", &object("amd64")),
            member("bit.o/", b"BC\xc0\xde...."),
            member("text/", b"odd"),
        ],
    );
    let front = [long.as_bytes(), b"\0", &object("amd64")].concat();
    let bsd = archive(
        b"!<arch>\n",
        &[
            member("#1/20", b"__.SYMDEF SORTED\0\0\0\0...."),
            member("short.o", &object("amd64")),
            member(&format!("#1/{}", long.len() + 1), &front),
        ],
    );
    let go = archive(
        b"!<arch>\n",
        &[
            member("__.PKGDEF", b"go object linux arm64 go1.26.6 X:none\nbuild id\n"),
            member("_go_.o", b"go object linux arm64 go1.26.6\n"),
        ],
    );
    let thin = |names: &[&str]| {
        let header = |name: &&str| member(name, &[0; 100]).into_iter().take(60).collect();
        let mut all = vec![member("/", &[0; 4]), member("//", table.as_bytes())];
        all.extend(names.iter().map(header));
        archive(b"!<thin>\n", &all)
    };
    let x = long.len() + 2;
    for (bytes, form, names, of) in [
        (gnu, Form::Full, vec!["short.o", long, "bit.o", "text"], vec![("linux/amd64".to_owned(), 2)]),
        (bsd, Form::Full, vec!["short.o", long], vec![("linux/amd64".to_owned(), 2)]),
        (go, Form::Full, vec!["__.PKGDEF", "_go_.o"], vec![("linux/arm64".to_owned(), 2)]),
        (thin(&[&format!("/{x}")]), Form::Thin, vec!["sub/there.o"], vec![("linux/arm64".to_owned(), 1)]),
        (thin(&[&format!("/{}", x + 13)]), Form::Thin, vec!["gone.o"], vec![]),
        (archive(b"!<arch>\n", &[]), Form::Full, vec![], vec![]),
    ] {
        let (archive, items) = read(bytes);
        assert_eq!((archive.form, archive.damage), (form, None));
        assert_eq!(items.iter().map(|item| String::from_utf8_lossy(&item.name)).collect::<Vec<_>>(), names);
        assert_eq!(machines(&items), of);
    }
}

#[test]
fn a_mixed_archive_is_told_member_by_member_and_one_of_another_machine_at_once() {
    let of = |members: &[(&str, &str)], wish: &Wish| {
        let members: Vec<_> = members.iter().map(|(name, goarch)| member(name, &object(goarch))).collect();
        let (_, items) = read(archive(b"!<arch>\n", &members));
        let findings = check_archive(&items, None, wish);
        findings
            .into_iter()
            .map(|(finding, member)| (finding.what, member.map(|name| String::from_utf8(name).unwrap())))
            .collect::<Vec<_>>()
    };
    let mixed = [("a.o", "amd64"), ("b.o", "arm64"), ("c.o", "amd64")];
    assert_eq!(
        of(&mixed, &Wish::default()),
        [(
            "is for linux/arm64, and most objects of the archive are for linux/amd64".to_owned(),
            Some("b.o".to_owned())
        )]
    );
    assert_eq!(
        of(&mixed, &wish("amd64")),
        [("is for linux/arm64, not for linux/amd64".to_owned(), Some("b.o".to_owned()))]
    );
    assert_eq!(of(&mixed, &wish("s390x")).len(), 3);
    let others = [("a.o", "arm64"), ("b.o", "arm64")];
    assert_eq!(of(&others, &Wish::default()), []);
    assert_eq!(of(&others, &wish("amd64")), [("is for linux/arm64, not for linux/amd64".to_owned(), None)]);
}

#[test]
fn a_damaged_archive_is_told_with_the_place() {
    let whole = archive(b"!<arch>\n", &[member("a.o/", &object("amd64")), member("b.o/", b"text")]);
    let second = whole.len() - 64;
    for (bytes, expected) in [
        (whole[..whole.len() - 3].to_vec(), "a member is longer than what is left of the archive"),
        (whole[..second + 30].to_vec(), "a member's header is cut off"),
        ([&whole[..second], &[b' '; 64]].concat(), "there is no member's header"),
        ([&whole[..second], &member("/7", b"x")].concat(), "a member's long name is not there"),
        ([&whole[..second], &member("#1/9", b"x")].concat(), "a member's long name is not there"),
        ([&whole[..second], &member("/x", b"x")].concat(), "a member's name makes no sense"),
    ] {
        let (archive, items) = read(bytes);
        let damage = archive.damage.unwrap();
        assert_eq!((damage.offset, damage.what.as_str()), (second as u64, expected));
        let findings = check_archive(&items, Some(&damage), &Wish::default());
        assert_eq!(findings.len(), 1);
        assert_eq!(findings[0].0.what, format!("is damaged at byte {second}: {expected}"));
    }
    for at in 0..whole.len() {
        let _either = read([&b"!<arch>\n"[..], &whole[..at]].concat());
    }
}

#[test]
fn float_abis_go_by_the_header_and_else_by_attributes() {
    let header = |flags| Header::of(&Sample { flags, ..program("arm") }.bytes()).unwrap();
    let both = [Some(FloatAbi::Hard), Some(FloatAbi::Soft), None];
    for floats in both {
        assert_eq!(machine::float_abi(&header(0x0500_0400), floats), Some(FloatAbi::Hard));
        assert_eq!(machine::float_abi(&header(0x0500_0000), floats), floats);
    }
}

#[test]
fn a_long_name_for_many_versions_is_refused() {
    let library: &'static str = Box::leak("x".repeat(60_000).into_boxed_str());
    let sample = |count| Sample { needed: vec![(library, vec![("V", false); count])], ..program("amd64") };
    assert_eq!(facts(&sample(10)).versions.len(), 10);
    let error = Facts::read(&sample(1000).bytes()).unwrap_err();
    assert_eq!(error.to_string(), "the name of a library is larger than any real one");
}

#[test]
fn a_member_that_cannot_be_read_is_none_of_another_kind() {
    struct Bad;
    impl crate::elf::Bytes for Bad {
        fn length(&self) -> u64 {
            100
        }
        fn read_at(&self, _: u64, _: &mut [u8]) -> std::io::Result<usize> {
            Err(std::io::Error::from_raw_os_error(5))
        }
    }
    let member = Member { name: b"a.o".to_vec(), offset: 8, place: None, nested: None };
    let archive = Archive { form: Form::Thin, members: vec![member], damage: None };
    let items = items(&Bad, &archive, &|_| Ok(Box::new(Bad)));
    assert!(matches!(&items[0].content, Content::Gone(_)), "{:?}", items[0].content);
}

#[test]
fn a_go_program_for_android_is_for_no_linux() {
    let sample = |goos: &str| Sample {
        written: inline("go1.26.6", &format!("path\tm\nbuild\tGOOS={goos}\n")),
        ..program("arm64")
    };
    assert_eq!(codes(&sample("linux"), &wish("arm64")), [""; 0]);
    assert_eq!(codes(&sample("android"), &wish("arm64")), ["system"]);
    assert_eq!(codes(&sample("android"), &Wish::default()), ["system"]);
}
