//! `gb info`, `gb --help`, and gb used wrongly.

use crate::gb::gb;

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
        ("debian", "s390x"),
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

#[test]
fn another_operating_system_is_refused() {
    gb(["info"])
        .env("GOOS", "windows")
        .fails(125, "info: GOOS asks for windows, gb knows linux (gb info PLATFORM)");
    gb(["info", "windows/amd64"]).fails(
        125,
        "read the target from the argument: \"windows/amd64\": the operating system is windows, not linux",
    );
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
