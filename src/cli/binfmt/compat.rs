//! The words of the programs that `gb binfmt` takes the place of: tonistiigi/binfmt (`--install all`) and
//! multiarch/qemu-user-static (`--reset -p yes`). Pure: words in, what to do out; `drop_in` does it.
//!
//! Sources: tonistiigi/binfmt's cmd/binfmt/main.go and Go's package flag; multiarch's register.sh and QEMU's
//! scripts/qemu-binfmt-conf.sh. docs/compat.md says where what is done differs.

use std::ffi::{OsStr, OsString};
use std::path::{Path, PathBuf};

use crate::binfmt::entry::Flags;
use crate::environment::Environment;
use crate::platform::{self, Platform};

/// What the words ask for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Asked {
    /// tonistiigi/binfmt's `--version`: of this program and of the emulators.
    Version(Emulators),
    /// tonistiigi/binfmt: changes, if any, and then what runs and which entries there are.
    Status(Changes),
    /// multiarch/qemu-user-static: every emulator.
    Every {
        /// Entries that are there are made anew, and other emulators' removed.
        reset: bool,
        /// How to register.
        how: How,
    },
}

/// What tonistiigi/binfmt is to change.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Changes {
    /// Where binfmt_misc is mounted, if somebody says so.
    pub(super) directory: Option<PathBuf>,
    /// What goes, which comes first.
    pub(super) uninstall: Vec<Going>,
    /// What comes.
    pub(super) install: Install,
    /// How.
    pub(super) how: How,
}

/// What is to be registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Install {
    /// Every emulator.
    All,
    /// Those of these architectures; a word that names none stays as it is.
    These(Vec<Result<&'static Platform, String>>),
}

/// What is to be removed.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Going {
    /// All emulators of an architecture.
    Platform(&'static Platform),
    /// The entry of this name, those whose name ends so after a dash, or those that the pattern fits.
    Name(String),
}

/// How emulators are registered.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct How {
    pub(super) emulators: Emulators,
    /// The flags that must not be there.
    pub(super) without: Flags,
}

/// Where the emulators are, and what they are called.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Emulators {
    pub(super) directory: PathBuf,
    prefix: String,
    /// What the names end with; without, any of the usual.
    suffix: Option<String>,
}

impl Emulators {
    /// What an architecture's emulator may be called, the likeliest first.
    pub(super) fn names(&self, platform: &Platform) -> Vec<String> {
        let own = format!("{}qemu-{}", self.prefix, platform.qemu);
        match &self.suffix {
            Some(suffix) => vec![format!("{own}{suffix}")],
            None => vec![own.clone(), format!("{own}-static")],
        }
    }

    /// What its entry is called.
    pub(super) fn entry_name(&self, platform: &Platform) -> String {
        format!("{}qemu-{}", self.prefix, platform.qemu)
    }
}

/// Words that mean nothing.
#[derive(Debug, thiserror::Error, Clone, PartialEq, Eq)]
pub(super) enum WordError {
    #[error("{0}: no such option (gb binfmt --help)")]
    Unknown(String),
    #[error("{0}: nothing comes after it (gb binfmt --help)")]
    NoValue(String),
    #[error("--{option}: {value}: it is one of {allowed}")]
    Value { option: &'static str, value: String, allowed: &'static str },
    #[error("{word}: nothing asks for it (several architectures are one word: --install arm64,s390x)")]
    LeftOver { word: String },
    #[error("--{0} writes files for another program, which this does not (gb binfmt --help)")]
    WritesFiles(&'static str),
    #[error("QEMU_BINARY_PREFIX: {0}: it is a part of a name (QEMU_BINARY_PATH names the directory)")]
    Prefix(String),
    #[error("{0}: it is not an absolute path")]
    Relative(String),
}

/// Reads the words after `gb binfmt`; `None` if they are gb's own.
pub(super) fn read(words: &[OsString], environment: &Environment) -> Option<Result<Asked, WordError>> {
    let (first, rest) = match words.split_first() {
        None => return Some(tonistiigi(words, environment)),
        Some((first, rest)) => (first.to_string_lossy(), rest),
    };
    let is_multiarch = |words: &[OsString]| words.iter().any(|word| multiarch_option(word).is_some());
    match first.as_ref() {
        "-h" | "--help" | "-help" => None,
        "register" => is_multiarch(rest).then(|| multiarch(rest, environment)),
        word if !word.starts_with('-') => None,
        _ if is_multiarch(words.get(..1).unwrap_or_default()) => Some(multiarch(words, environment)),
        _ => Some(tonistiigi(words, environment)),
    }
}

/// tonistiigi/binfmt, whose words are read as Go does: one dash or two, the value as the next word or after `=`.
fn tonistiigi(words: &[OsString], environment: &Environment) -> Result<Asked, WordError> {
    let (mut install, mut uninstall, mut directory) = (String::new(), String::new(), None);
    let mut is_version = false;
    let mut words = words.iter().map(|word| word.to_string_lossy().into_owned());
    while let Some(word) = words.next() {
        let name = word.strip_prefix("--").or(word.strip_prefix('-')).filter(|name| !name.starts_with('-'));
        let (name, given) = match name {
            None => return Err(WordError::LeftOver { word }),
            Some("") => match words.next() {
                None => break,
                Some(word) => return Err(WordError::LeftOver { word }),
            },
            Some(name) => match name.split_once('=') {
                Some((name, value)) => (name, Some(value.to_owned())),
                None => (name, None),
            },
        };
        let mut value = || given.clone().or_else(|| words.next()).ok_or(WordError::NoValue(word.clone()));
        match name {
            "install" => install = value()?,
            "uninstall" => uninstall = value()?,
            "mount" => directory = Some(absolute(value()?)?),
            "version" => is_version = go_bool(given.unwrap_or_else(|| "true".to_owned()))?,
            _ => return Err(WordError::Unknown(word)),
        }
    }
    let how = How::of_tonistiigi(environment)?;
    if is_version {
        return Ok(Asked::Version(how.emulators));
    }
    let list = |text: &str| -> Vec<String> {
        text.split(',').map(str::trim).filter(|word| !word.is_empty()).map(str::to_owned).collect()
    };
    let install = match install.as_str() {
        "all" => Install::All,
        // An emulator's name says as much.
        words => Install::These(
            list(words)
                .into_iter()
                .map(|word| platform_of(word.trim_start_matches("qemu-").to_owned()).map_err(|_| word))
                .collect(),
        ),
    };
    let going = |word: String| match word.as_str() {
        "all" => Going::Name("*".to_owned()),
        _ => platform_of(word).map_or_else(Going::Name, Going::Platform),
    };
    let uninstall = list(&uninstall).into_iter().map(going).collect();
    Ok(Asked::Status(Changes { directory, uninstall, install, how }))
}

/// The architecture that a word names, in any spelling; else the word.
fn platform_of(word: String) -> Result<&'static Platform, String> {
    platform::parse(&word).map(|target| target.platform).map_err(|_| word)
}

/// As strconv.ParseBool reads it.
fn go_bool(value: String) -> Result<bool, WordError> {
    match value.as_str() {
        "1" | "t" | "T" | "true" | "TRUE" | "True" => Ok(true),
        "0" | "f" | "F" | "false" | "FALSE" | "False" => Ok(false),
        _ => Err(WordError::Value { option: "version", value, allowed: "true, false" }),
    }
}

impl How {
    fn of_tonistiigi(environment: &Environment) -> Result<How, WordError> {
        let prefix = environment.get_nonempty("QEMU_BINARY_PREFIX").unwrap_or_default();
        let prefix = prefix.to_string_lossy().into_owned();
        if prefix.contains('/') {
            return Err(WordError::Prefix(prefix));
        }
        let directory = directory_of(environment.get_nonempty("QEMU_BINARY_PATH"))?;
        // Set and empty it says no; who says nothing gets what the kernel has.
        let preserve_argv0 = environment.get("QEMU_PRESERVE_ARGV0").is_some_and(OsStr::is_empty);
        let without = Flags { preserve_argv0, ..Flags::default() };
        Ok(How { emulators: Emulators { directory, prefix, suffix: None }, without })
    }
}

fn directory_of(given: Option<&OsStr>) -> Result<PathBuf, WordError> {
    absolute(given.unwrap_or(OsStr::new("/usr/bin")).to_string_lossy().into_owned())
}

fn absolute(path: String) -> Result<PathBuf, WordError> {
    if Path::new(&path).is_absolute() { Ok(path.into()) } else { Err(WordError::Relative(path)) }
}

/// multiarch/qemu-user-static's options, which are those of QEMU's script but for `--reset`.
const MULTIARCH: [(&str, Option<char>); 10] = [
    ("reset", None),
    ("persistent", Some('p')),
    ("credential", Some('c')),
    ("preserve-argv0", Some('g')),
    ("ignore-family", Some('i')),
    ("qemu-path", Some('Q')),
    ("qemu-suffix", Some('F')),
    ("debian", Some('d')),
    ("systemd", Some('s')),
    ("exportdir", Some('e')),
];

/// The option that a word is, and the value in the same word, as getopt(1) reads it.
fn multiarch_option(word: &OsStr) -> Option<(&'static str, Option<String>)> {
    let word = word.to_string_lossy();
    if let Some(long) = word.strip_prefix("--") {
        let (name, value) = match long.split_once('=') {
            Some((name, value)) => (name, Some(value.to_owned())),
            None => (long, None),
        };
        let (name, _) = MULTIARCH.iter().find(|(known, _)| *known == name)?;
        return Some((name, value));
    }
    let mut letters = word.strip_prefix('-')?.chars();
    let letter = letters.next()?;
    let (name, _) = MULTIARCH.iter().find(|(_, known)| *known == Some(letter))?;
    let rest = letters.as_str();
    // -install is no -i: what follows a letter is yes, no or a path.
    let is_value = rest.is_empty() || rest == "yes" || rest == "no" || rest.starts_with(['/', '-']);
    is_value.then(|| (*name, Some(rest.to_owned()).filter(|rest| !rest.is_empty())))
}

fn multiarch(words: &[OsString], environment: &Environment) -> Result<Asked, WordError> {
    let mut reset = false;
    let mut without = Flags::default();
    let mut suffix = None;
    let mut directory = directory_of(environment.get_nonempty("QEMU_BIN_DIR"))?;
    let mut words = words.iter();
    while let Some(word) = words.next() {
        let shown = word.to_string_lossy().into_owned();
        let (name, given) = match multiarch_option(word) {
            Some(option) => option,
            None if shown == "--" => continue,
            None if shown.starts_with('-') => return Err(WordError::Unknown(shown)),
            None => return Err(WordError::LeftOver { word: shown }),
        };
        let mut value = || {
            let next = given.clone().or_else(|| words.next().map(|word| word.to_string_lossy().into_owned()));
            next.ok_or(WordError::NoValue(shown.clone()))
        };
        match name {
            "reset" => reset = true,
            "persistent" => without.fix_binary = !yes(name, value()?)?,
            "credential" => {
                without.credentials = !yes(name, value()?)?;
                without.open_binary = without.credentials;
            }
            "preserve-argv0" => without.preserve_argv0 = !yes(name, value()?)?,
            // What the machine runs itself is found out by trying.
            "ignore-family" => {
                yes(name, value()?)?;
            }
            "qemu-path" => directory = absolute(value()?)?,
            "qemu-suffix" => suffix = Some(value()?),
            name => return Err(WordError::WritesFiles(name)),
        }
    }
    let emulators = Emulators { directory, prefix: String::new(), suffix };
    // What is looked for in each container has there the name that it has in Debian's packages and multiarch's images.
    let emulators = match emulators.suffix {
        None if without.fix_binary => Emulators { suffix: Some("-static".to_owned()), ..emulators },
        _ => emulators,
    };
    Ok(Asked::Every { reset, how: How { emulators, without } })
}

fn yes(option: &'static str, value: String) -> Result<bool, WordError> {
    match value.as_str() {
        "yes" => Ok(true),
        "no" => Ok(false),
        _ => Err(WordError::Value { option, value, allowed: "yes, no" }),
    }
}

/// Whether a pattern of Go's filepath.Match fits a name: `*`, `?`, `[a-z]`, `[^a-z]` and `\` before a character that means itself.
pub(super) fn fits(pattern: &str, name: &str) -> bool {
    let pattern: Vec<char> = pattern.chars().collect();
    let name: Vec<char> = name.chars().collect();
    fits_chars(&pattern, &name)
}

fn fits_chars(pattern: &[char], name: &[char]) -> bool {
    let Some((first, rest)) = pattern.split_first() else { return name.is_empty() };
    match first {
        '*' => (0..=name.len()).any(|at| name.get(at..).is_some_and(|name| fits_chars(rest, name))),
        '[' => {
            let Some((class, rest)) = rest.iter().position(|c| *c == ']').map(|end| rest.split_at(end))
            else {
                return false;
            };
            let (is_not, class) = match class.split_first() {
                Some(('^', class)) => (true, class),
                _ => (false, class),
            };
            let Some((c, name)) = name.split_first() else { return false };
            in_class(class, *c) != is_not && fits_chars(rest.get(1..).unwrap_or_default(), name)
        }
        _ => {
            let Some((c, name)) = name.split_first() else { return false };
            match (first, rest.split_first()) {
                ('?', _) => fits_chars(rest, name),
                ('\\', Some((escaped, rest))) => escaped == c && fits_chars(rest, name),
                _ => first == c && fits_chars(rest, name),
            }
        }
    }
}

fn in_class(class: &[char], c: char) -> bool {
    match class {
        [low, '-', high, rest @ ..] => (*low..=*high).contains(&c) || in_class(rest, c),
        [one, rest @ ..] => *one == c || in_class(rest, c),
        [] => false,
    }
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;

    use super::*;

    fn asked(line: &str, variables: &[&str]) -> Option<Result<Asked, WordError>> {
        let words: Vec<OsString> = line.split_whitespace().map(OsString::from).collect();
        let variables = variables.iter().map(|variable| CString::new(*variable).unwrap()).collect();
        read(&words, &Environment::new(variables))
    }

    /// What a line asks for, in short.
    fn short(line: &str) -> String {
        let install = |install: &Install| match install {
            Install::All => "all".to_owned(),
            Install::These(words) => {
                let word = |word: &Result<&'static Platform, String>| match word {
                    Ok(platform) => platform.goarch.to_owned(),
                    Err(word) => format!("?{word}"),
                };
                words.iter().map(word).collect::<Vec<_>>().join(" ")
            }
        };
        let going = |going: &Going| match going {
            Going::Platform(platform) => platform.goarch.to_owned(),
            Going::Name(name) => format!("={name}"),
        };
        match asked(line, &[]) {
            None => "gb".to_owned(),
            Some(Err(error)) => error.to_string(),
            Some(Ok(Asked::Version(_))) => "version".to_owned(),
            Some(Ok(Asked::Status(changes))) => {
                let gone = changes.uninstall.iter().map(going).collect::<Vec<_>>().join(" ");
                let at = changes.directory.map(|dir| format!(" at {}", dir.display())).unwrap_or_default();
                format!("-{gone} +{}{at}", install(&changes.install))
            }
            Some(Ok(Asked::Every { reset, how })) => {
                let emulators = &how.emulators;
                let names = emulators.names(Platform::by_goarch("arm64").unwrap()).join("|");
                let reset = if reset { "reset " } else { "" };
                format!("{reset}{}/{names} without {}", emulators.directory.display(), how.without.letters())
            }
        }
    }

    #[test]
    fn the_words_of_tonistiigi_binfmt_are_read_as_go_reads_them() {
        for (line, expected) in [
            ("", "- +"),
            ("--install all", "- +all"),
            ("-install all", "- +all"),
            ("--install=all", "- +all"),
            ("-install=arm64,riscv64,arm", "- +arm64 riscv64 arm"),
            ("--install linux/arm64", "- +arm64"),
            ("--install linux/arm/v7,linux/amd64", "- +arm amd64"),
            ("--install x86_64,aarch64,i386,armhf,armel,ppc64el", "- +amd64 arm64 386 arm arm ppc64le"),
            ("--install qemu-aarch64,qemu-vax", "- +arm64 ?qemu-vax"),
            ("--install arm64,vax", "- +arm64 ?vax"),
            ("--install arm64, --version=false", "- +arm64"),
            ("--install=", "- +"),
            ("--install arm64 --install s390x", "- +s390x"),
            ("--uninstall qemu-*", "-=qemu-* +"),
            ("--uninstall qemu-aarch64", "-=qemu-aarch64 +"),
            ("--uninstall arm64,aarch64,linux/arm/v7", "-arm64 arm64 arm +"),
            ("--uninstall all", "-=* +"),
            ("--uninstall qemu-* --install all", "-=qemu-* +all"),
            ("--mount /binfmt_misc --install s390x", "- +s390x at /binfmt_misc"),
            ("-mount=/b", "- + at /b"),
            ("--version", "version"),
            ("-version=1", "version"),
            ("--version --install all", "version"),
            ("--install all --", "- +all"),
            // What Go leaves out without a word.
            (
                "--install arm64 s390x",
                "s390x: nothing asks for it (several architectures are one word: --install arm64,s390x)",
            ),
            ("--install", "--install: nothing comes after it (gb binfmt --help)"),
            ("--instal all", "--instal: no such option (gb binfmt --help)"),
            (
                "---install all",
                "---install: nothing asks for it (several architectures are one word: --install arm64,s390x)",
            ),
            ("--mount b", "b: it is not an absolute path"),
            ("--version=maybe", "--version: maybe: it is one of true, false"),
        ] {
            assert_eq!(short(line), expected, "{line}");
        }
    }

    #[test]
    fn the_words_of_multiarch_are_read_as_its_script_reads_them() {
        let usual = "/usr/bin/qemu-aarch64|qemu-aarch64-static without ";
        let in_containers = "/usr/bin/qemu-aarch64-static without F";
        for (line, expected) in [
            ("--reset -p yes", format!("reset {usual}")),
            ("--reset --persistent yes", format!("reset {usual}")),
            ("--reset", format!("reset {usual}")),
            ("-p yes", usual.to_owned()),
            ("--persistent=yes --credential yes", usual.to_owned()),
            ("--reset -p yes -c yes", format!("reset {usual}")),
            ("--credential yes --reset", format!("reset {usual}")),
            ("register --reset -p yes", format!("reset {usual}")),
            ("register --reset", format!("reset {usual}")),
            ("register -p no", in_containers.to_owned()),
            ("--reset --persistent no", format!("reset {in_containers}")),
            ("-pyes -cno", format!("{usual}OC")),
            ("--preserve-argv0 no -i yes", format!("{usual}P")),
            ("-p yes --qemu-path /opt --qemu-suffix -s", "/opt/qemu-aarch64-s without ".to_owned()),
            ("-Q/opt -F-static", "/opt/qemu-aarch64-static without ".to_owned()),
            ("-p maybe", "--persistent: maybe: it is one of yes, no".to_owned()),
            ("--reset -p", "-p: nothing comes after it (gb binfmt --help)".to_owned()),
            ("--reset -x", "-x: no such option (gb binfmt --help)".to_owned()),
            (
                "--reset arm64",
                "arm64: nothing asks for it (several architectures are one word: --install arm64,s390x)"
                    .to_owned(),
            ),
            (
                "--systemd ALL",
                "--systemd writes files for another program, which this does not (gb binfmt --help)"
                    .to_owned(),
            ),
        ] {
            assert_eq!(short(line), expected, "{line}");
        }
    }

    #[test]
    fn gb_has_its_own_words() {
        for line in [
            "register",
            "register s390x --qemu /opt --dry-run",
            "check --all",
            "list",
            "--help",
            "chek",
            "unregister --all",
        ] {
            assert_eq!(short(line), "gb", "{line}");
        }
    }

    #[test]
    fn the_variables_are_those_of_the_originals() {
        let how = |variables: &[&str]| match asked("--install all", variables) {
            Some(Ok(Asked::Status(Changes { how, .. }))) => how,
            other => panic!("{other:?}"),
        };
        let arm64 = Platform::by_goarch("arm64").unwrap();
        let here = how(&["QEMU_BINARY_PATH=/opt", "QEMU_BINARY_PREFIX=my-", "QEMU_PRESERVE_ARGV0="]);
        assert_eq!(here.emulators.directory, Path::new("/opt"));
        assert_eq!(here.emulators.names(arm64), ["my-qemu-aarch64", "my-qemu-aarch64-static"]);
        assert_eq!(
            (here.emulators.entry_name(arm64).as_str(), here.without.letters().as_str()),
            ("my-qemu-aarch64", "P")
        );
        assert_eq!(how(&["QEMU_PRESERVE_ARGV0=1"]), how(&[]));
        let wrong = asked("--install all", &["QEMU_BINARY_PREFIX=/opt/my-"]);
        assert_eq!(wrong, Some(Err(WordError::Prefix("/opt/my-".to_owned()))));
        let Some(Ok(Asked::Every { how, .. })) = asked("--reset", &["QEMU_BIN_DIR=/opt"]) else { panic!() };
        assert_eq!(how.emulators.directory, Path::new("/opt"));
    }

    #[test]
    fn patterns_are_those_of_go() {
        for (pattern, name, expected) in [
            ("qemu-*", "qemu-aarch64", true),
            ("qemu-*", "qemu-", true),
            ("qemu-*", "my-qemu-arm", false),
            ("*", "", true),
            ("*arm*", "qemu-arm", true),
            ("qemu-?rm", "qemu-arm", true),
            ("qemu-?rm", "qemu-rm", false),
            ("qemu-[a-c]rm", "qemu-arm", true),
            ("qemu-[^a-c]rm", "qemu-arm", false),
            ("qemu-[xa]rm", "qemu-arm", true),
            ("qemu-[arm", "qemu-arm", false),
            (r"qemu-\*", "qemu-*", true),
            (r"qemu-\*", "qemu-arm", false),
            ("qemu-arm", "qemu-arm", true),
            ("", "qemu-arm", false),
        ] {
            assert_eq!(fits(pattern, name), expected, "{pattern} {name}");
        }
    }
}
