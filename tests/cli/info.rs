//! `gb info`, `gb --help`, and gb used wrongly.

use crate::env::make_sysroot;
use crate::gb::{Dir, gb};

#[test]
fn a_platform_in_any_spelling_is_one_row() {
    let text = gb(["info", "armv6l"]).stdout();
    for line in
        ["Go        linux/arm", "Debian    armel", "triple    arm-linux-gnueabi", "C flags   -march=armv6"]
    {
        assert!(text.lines().any(|l| l == line), "{line}\n{text}");
    }
    assert_eq!(gb(["info", "x86_64"]).stdout(), gb(["info", "linux/amd64"]).stdout());
    assert_eq!(gb(["info"]).env("GOARCH", "ppc64le").stdout(), gb(["info", "ppc64el"]).stdout());
    assert_eq!(gb(["info"]).env("GOARCH", "arm").env("GOARM", "6").stdout(), text);
    assert_eq!(gb(["info", "armv6l"]).env("GOARM", "7").stdout(), text);
}

#[test]
fn programs_read_it_as_json() {
    let json: serde_json::Value = serde_json::from_str(&gb(["info", "--json", "s390x"]).stdout()).unwrap();
    assert_eq!(json["schema"], 1);
    for (key, value) in [
        ("goarch", "s390x"),
        ("debian_arch", "s390x"),
        ("triple", "s390x-linux-gnu"),
        ("rust", "s390x-unknown-linux-gnu"),
        ("qemu", "s390x"),
        ("loader", "/lib/ld64.so.1"),
    ] {
        assert_eq!(json[key], value);
    }
    assert_eq!(json["elf"]["machine"], 22);
    assert_eq!(json["elf"]["data"], "big");
    assert_eq!(json["binfmt"]["magic"], "7f454c4602020100000000000000000000020016");
}

/// docs/compat.md: xx-names
#[test]
fn a_script_gets_a_single_value_and_a_line_feed() {
    for (platform, field, value) in [
        ("ppc64el", "goarch", "ppc64le"),
        ("ppc64el", "arch", "ppc64le"),
        ("ppc64el", "os", "linux"),
        ("ppc64el", "march", "ppc64le"),
        ("linux/arm/v6", "variant", "6"),
        ("linux/arm/v6", "triple", "arm-linux-gnueabi"),
        ("linux/arm/v6", "debian-arch", "armel"),
        ("armhf", "rpm-arch", "armv7hl"),
        ("armhf", "rhel-arch", "armv7hl"),
        ("386", "multiarch", "i386-linux-gnu"),
        ("386", "bits", "32"),
        ("s390x", "endian", "big"),
        ("s390x", "elf-machine", "22"),
        ("s390x", "rust", "s390x-unknown-linux-gnu"),
        ("s390x", "loader", "/lib/ld64.so.1"),
        ("riscv64", "cc", "riscv64-linux-gnu-clang"),
        ("riscv64", "cxx", "riscv64-linux-gnu-clang++"),
        ("x86_64", "qemu", "x86_64"),
    ] {
        assert_eq!(gb(["info", platform, "--field", field]).stdout(), format!("{value}\n"));
    }
    assert_eq!(gb(["info", "--field", "debian-arch"]).env("TARGETPAIR", "linux-armv7").stdout(), "armhf\n");
    let several = ["info", "arm64", "--field", "triple", "--field=goarch"];
    assert_eq!(gb(several).stdout(), "aarch64-linux-gnu\narm64\n");
    gb(["info", "--field", "tripel"]).fails(
        125,
        "invalid value 'tripel' for '--field <NAME>' [possible values: goos, goarch, variant, triple, multiarch, debian-arch, \
         rpm-arch, uname, rust, qemu, loader, sysroot, is-cross, endian, bits, elf-machine, cc, cxx] (a similar value exists: \
         'triple'; gb --help)",
    );
    gb(["info", "--field", "triple", "--json"])
        .fails(125, "the argument '--field <NAME>' cannot be used with '--json' (gb --help)");
}

/// docs/compat.md: xx-no-value
#[test]
fn a_value_that_there_is_not_is_a_failure_with_nothing_to_be_taken_for_it() {
    let dir = Dir::new();
    gb(["info", "arm64", "--field", "variant"])
        .fails(1, "info --field variant: nothing says a variant (set GOARM64, whose default for Go is v8.0)");
    gb(["info", "s390x", "--field", "triple", "--field", "variant"])
        .fails(1, "info --field variant: s390x has no variants");
    let result = gb(["info", "s390x", "--field", "sysroot"]).env("GB_SYSROOT", dir.path()).go();
    assert_eq!((result.status, result.stdout.as_str()), (Some(1), ""));
    assert!(result.stderr.starts_with("gb: info --field sysroot: no usable sysroot for s390x-linux-gnu: "));
    make_sysroot(dir.path());
    let sysroot = gb(["info", "s390x", "--field", "sysroot"]).env("GB_SYSROOT", dir.path()).stdout();
    assert_eq!(sysroot, format!("{}\n", dir.path().display()));
    assert_eq!(gb(["info", "--field", "goos"]).env("TARGETPLATFORM", "windows/amd64").stdout(), "windows\n");
    gb(["info", "--field", "triple"]).env("GOOS", "darwin").fails(
        1,
        "info --field triple: the target is darwin, of which gb does not know it (gb info PLATFORM)",
    );
    let fields = ["goos", "goarch", "triple", "cc", "cxx", "is-cross"];
    let windows = || gb(["info"]).args(fields.iter().flat_map(|field| ["--field", field]));
    let known =
        "windows\namd64\nx86_64-w64-mingw32\nx86_64-w64-mingw32-clang\nx86_64-w64-mingw32-clang++\ntrue\n";
    assert_eq!(windows().env("GOOS", "windows").env("GOARCH", "amd64").stdout(), known);
    assert_eq!(windows().env("TARGETPLATFORM", "windows/x86_64").stdout(), known);
    assert_eq!(windows().args(["windows/amd64"]).stdout(), known);
}

/// docs/compat.md: xx-is-cross
#[test]
fn whether_it_is_a_cross_build_is_an_exit_code_or_a_word() {
    let host = gb(["info", "--field", "goarch"]).stdout();
    let host = host.trim_end();
    let other = if host == "s390x" { "arm64" } else { "s390x" };
    for (target, cross) in [(host, false), (other, true)] {
        let result = gb(["info", "--is-cross"]).env("TARGETARCH", target).go();
        assert_eq!((result.status, result.stdout + &result.stderr), (Some(i32::from(!cross)), String::new()));
        assert_eq!(gb(["info", target, "--field", "is-cross"]).stdout(), format!("{cross}\n"));
    }
    assert_eq!(gb(["info", "--is-cross"]).env("GOOS", "windows").stdout(), "");
    gb(["info", "--is-cross"]).env("TARGETPLATFORM", "/").fails(
        125,
        "read the target from TARGETPLATFORM: \"/\": the operating system before the slash is empty (linux/arm64)",
    );
}

#[test]
fn each_value_is_also_a_key_of_the_json() {
    let json: serde_json::Value = serde_json::from_str(&gb(["info", "--json", "armv6l"]).stdout()).unwrap();
    let help = gb(["info", "--help"]).stdout();
    let fields: Vec<_> =
        help.lines().filter_map(|line| line.trim().strip_prefix("- ")?.split_once(':')).collect();
    assert!(fields.len() > 15, "{help}");
    for (field, _) in fields {
        let value = match &json[field.replace('-', "_")] {
            serde_json::Value::Null => continue,
            serde_json::Value::String(text) => text.clone(),
            serde_json::Value::Array(all) => all[0].as_str().unwrap().to_owned(),
            other => other.to_string(),
        };
        let asked = gb(["info", "armv6l", "--field", field]).stdout();
        // The most usual of several.
        assert_eq!(asked, format!("{value}\n"), "{field}");
    }
}

#[test]
fn another_operating_system_is_refused() {
    gb(["info"])
        .env("GOOS", "windows")
        .fails(125, "info: GOOS asks for windows, gb knows linux (gb info PLATFORM)");
    gb(["info", "windows/amd64"])
        .fails(125, "info: the argument asks for windows, gb knows linux (gb info PLATFORM)");
}

#[test]
fn help_and_version_are_on_standard_output() {
    let help = gb(["--help"]).stdout();
    for command in ["run", "env", "info", "install-links"] {
        assert!(help.contains(&format!("\n  {command} ")), "{help}");
        assert!(gb([command, "--help"]).stdout().contains("Usage: gb "));
    }
    assert_eq!(gb(["--version"]).stdout(), concat!("gb ", env!("CARGO_PKG_VERSION"), "\n"));
}

#[test]
fn a_mistake_is_one_line_and_125() {
    let none: [&str; 0] = [];
    gb(none).fails(125, "no subcommand given (gb --help)");
    gb(["runn"]).fails(125, "unrecognized subcommand 'runn' (a similar subcommand exists: 'run'; gb --help)");
    gb(["info", "a", "b"]).fails(125, "unexpected argument 'b' found (gb --help)");
}

#[test]
fn a_closed_standard_output_is_an_error_and_not_success() {
    let result = crate::gb::sh("exec \"$GB\" info arm64 >&-").go();
    assert_eq!(result.status, Some(125));
    assert!(result.stderr.starts_with("gb: write to standard output: "), "{}", result.stderr);
}

#[test]
fn a_reader_that_goes_away_ends_gb_quietly() {
    let output = crate::gb::sh("\"$GB\" env arm64 | true; echo done").go();
    assert_eq!((output.stdout.as_str(), output.stderr.as_str()), ("done\n", ""));
}
