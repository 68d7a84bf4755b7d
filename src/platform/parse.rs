//! Reading a platform in any of its spellings.

use super::shown;
use super::spelling::{Parts, Separator, split, system};
use super::table::{PLATFORMS, Platform, SYSTEMS};
use super::variant::{BadVariant, Variant};

/// What somebody asked to build for.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Target {
    /// The architecture.
    pub platform: &'static Platform,
    /// The variant, where the spelling had one (`linux/arm/v6`, `armv6l`, `x86_64_v3`).
    pub variant: Option<Variant>,
}

/// A platform of any operating system.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Named {
    /// A Linux platform: what gb builds for.
    Linux(Target),
    /// One that Go alone builds for.
    Other {
        /// Go's name of the operating system.
        goos: &'static str,
        /// Go's name of the architecture.
        goarch: &'static str,
    },
}

/// A name that no platform has.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", shown(name))]
pub struct UnknownPlatform {
    /// The name as given.
    pub name: String,
    /// What is wrong with it.
    pub why: Why,
}

/// Why a name is no platform.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum Why {
    /// There is nothing to read.
    #[error("there is nothing in it (name one, as arm64 or linux/arm64, or unset it)")]
    Blank,
    /// A variable of a Dockerfile's before the slash was not set.
    #[error("the operating system before the {0} is empty (linux{sep}arm64)", sep = .0.char())]
    NoSystem(Separator),
    /// The operating system stands alone.
    #[error("the operating system has no architecture after it (linux{sep}arm64)", sep = .0.char())]
    NoArchitecture(Separator),
    /// There is more than a variant at the end.
    #[error("it has more parts than operating system, architecture and variant (linux{sep}arm{sep}v7)", sep = .0.char())]
    TooManyParts(Separator),
    /// Nothing is called so.
    #[error("no such architecture{} (known: {})", did_you_mean(.nearest), known())]
    NoSuchName {
        /// The known name that differs least, if one is near.
        nearest: Option<&'static str>,
    },
    /// No operating system is called so.
    #[error("no such operating system{} (known: {})", did_you_mean(.nearest), known_systems())]
    NoSuchSystem {
        /// The known name that differs least, if one is near.
        nearest: Option<&'static str>,
    },
    /// The architecture is known, the variant is not.
    #[error(transparent)]
    BadVariant(#[from] BadVariant),
    /// The architecture has no variants.
    #[error("{0} has no variants")]
    NoVariants(&'static str),
    /// It names another operating system.
    #[error("the operating system is {0}, not linux")]
    NotLinux(&'static str),
}

fn did_you_mean(name: &Option<&'static str>) -> String {
    name.map(|n| format!(", did you mean {n}?")).unwrap_or_default()
}

fn known() -> String {
    PLATFORMS.iter().map(|p| p.goarch).collect::<Vec<_>>().join(" ")
}

fn known_systems() -> String {
    SYSTEMS.iter().map(|system| system.goos).collect::<Vec<_>>().join(" ")
}

/// Reads a Linux platform: Go's, `uname -m`'s, Debian's, RPM's, Rust's, QEMU's and Docker's names, GNU triples, and the
/// common nicknames; upper or lower case.
pub fn parse(name: &str) -> Result<Target, UnknownPlatform> {
    match parse_any(name)? {
        Named::Linux(target) => Ok(target),
        Named::Other { goos, .. } => Err(UnknownPlatform { name: name.to_owned(), why: Why::NotLinux(goos) }),
    }
}

/// Reads a platform of any operating system that Go builds for, which is linux where the name has none.
pub fn parse_any(name: &str) -> Result<Named, UnknownPlatform> {
    let lower = name.trim().to_ascii_lowercase();
    split(&lower).and_then(named).map_err(|why| UnknownPlatform { name: name.to_owned(), why })
}

/// Reads the name of an operating system as Go, uname(1) and image platforms write it; upper or lower case.
pub fn parse_system(name: &str) -> Result<&'static str, UnknownPlatform> {
    let lower = name.trim().to_ascii_lowercase();
    let why = match lower.as_str() {
        "" => Why::Blank,
        lower => match system(lower) {
            Some(goos) => return Ok(goos),
            None => no_such_system(lower),
        },
    };
    Err(UnknownPlatform { name: name.to_owned(), why })
}

/// Reads a platform whose parts are given one by one. The architecture is one word, the variant may be empty; an error that
/// is about the variant has its name.
pub fn parse_parts(goos: &'static str, arch: &str, variant: &str) -> Result<Named, UnknownPlatform> {
    let fail = |name: &str, why| UnknownPlatform { name: name.to_owned(), why };
    let (lower, lower_variant) = (arch.trim().to_ascii_lowercase(), variant.trim().to_ascii_lowercase());
    if lower.is_empty() {
        return Err(fail(arch, Why::Blank));
    }
    let parts = |variant| Parts { goos, arch: &lower, variant };
    let alone = named(parts("")).map_err(|why| fail(arch, why))?;
    match variant {
        "" => Ok(alone),
        _ if lower_variant.is_empty() => Err(fail(variant, Why::Blank)),
        _ => named(parts(&lower_variant)).map_err(|why| fail(variant, why)),
    }
}

fn named(parts: Parts<'_>) -> Result<Named, Why> {
    let Parts { goos, arch, variant } = parts;
    if goos != "linux" {
        let goarch = find(arch)
            .map(|(platform, _)| platform.goarch)
            .or(WEB_ASSEMBLY.contains(&arch).then_some("wasm"));
        return Ok(Named::Other { goos, goarch: goarch.ok_or_else(|| no_such_name(arch))? });
    }
    let (platform, implied) = find(arch).ok_or_else(|| no_such_name(arch))?;
    let variant = match variant {
        "" => implied,
        text => docker_variant(platform, text)?,
    };
    Ok(Named::Linux(Target { platform, variant }))
}

/// The one architecture of Go's that no Linux has: `wasm` (Go), `wasm32` (compilers).
const WEB_ASSEMBLY: [&str; 2] = ["wasm", "wasm32"];

/// The platform that one word names, and the variant that the word implies.
pub(super) fn find(word: &str) -> Option<(&'static Platform, Option<Variant>)> {
    let whole = PLATFORMS.iter().find(|p| {
        p.goarch == word
            || p.qemu == word
            || p.aliases.contains(&word)
            || p.uname.contains(&word)
            || p.all_abis().any(|a| a.debian == word || a.rpm == word || a.rust == Some(word))
    });
    if let Some(platform) = whole {
        return Some((platform, implied(platform, word)));
    }
    if let Some((platform, abi)) = Platform::by_triple(word) {
        return Some((platform, implied(platform, abi.debian)));
    }
    // The micro-architecture levels: x86_64_v3 (RPM), x86-64-v3 (compilers).
    for prefix in ["x86_64_", "x86-64-"] {
        if let Some(level) = word.strip_prefix(prefix) {
            let amd64 = Platform::by_goarch("amd64")?;
            return Some((amd64, Some(go_variant(amd64, level).ok()?)));
        }
    }
    // An architecture with a variant right behind it: amd64v3 (Go's archives), arm64v8 and arm32v7 (Docker's official
    // images), armv7 (TARGETPAIR of tonistiigi/xx).
    let pair = word.rfind('v').and_then(|at| word.split_at_checked(at));
    if let Some((arch, variant)) = pair {
        let platform = PLATFORMS.iter().find(|p| p.goarch == arch || p.aliases.contains(&arch));
        if let Some((platform, Ok(variant))) = platform.map(|p| (p, docker_variant(p, variant))) {
            return Some((platform, variant));
        }
    }
    // Every other name of 32-bit ARM: armv7a, armv7hl, armv6kz, armv5te, thumbv7neon-unknown-linux-…
    let arm = word.strip_prefix("armv").or_else(|| word.strip_prefix("thumbv"))?;
    let level = arm.get(..1).filter(|l| ["5", "6", "7"].contains(l))?;
    let rest = arm.get(1..)?;
    if !rest.is_empty() && !rest.starts_with(|c: char| c.is_ascii_alphabetic() || c == '-') {
        return None;
    }
    let arm = Platform::by_goarch("arm")?;
    Some((arm, Some(go_variant(arm, level).ok()?)))
}

/// The variant that a name of the platform implies.
fn implied(platform: &'static Platform, word: &str) -> Option<Variant> {
    if platform.goarch != "arm" || word == "arm" || word == "arm32" {
        return None;
    }
    let level = match word {
        "armel" => "5",
        _ if word.starts_with("armv5") => "5",
        _ if word.starts_with("armv6") => "6",
        // armhf, armv7…, and armv8l: a 64-bit CPU that runs 32-bit code.
        _ => "7",
    };
    go_variant(platform, level).ok()
}

/// A variant as OCI image platforms write it: `v7`, `v8`, `v3`, `power9`.
///
/// `arm64/v8` is the same as `arm64`, and `arm/v8` is 32-bit code on a 64-bit CPU (containerd's normalisation).
fn docker_variant(platform: &'static Platform, text: &str) -> Result<Option<Variant>, Why> {
    let value = match (platform.goarch, text) {
        ("arm64", "v8" | "8") => return Ok(None),
        ("arm64", "v9" | "9") => "v9.0",
        ("arm", "v8" | "8") => "7",
        ("arm", version) => version.strip_prefix('v').unwrap_or(version),
        (_, value) => value,
    };
    go_variant(platform, value).map(Some)
}

fn go_variant(platform: &'static Platform, value: &str) -> Result<Variant, Why> {
    match &platform.variable {
        Some(variable) => Ok(variable.parse(value)?),
        None => Err(Why::NoVariants(platform.goarch)),
    }
}

/// The known name that is a typing error away, if any.
pub(super) fn no_such_name(word: &str) -> Why {
    let names = PLATFORMS.iter().flat_map(|p| {
        std::iter::once(p.goarch)
            .chain(p.uname.iter().copied())
            .chain(p.aliases.iter().copied())
            .chain(p.all_abis().flat_map(|a| [a.debian, a.triple]))
    });
    Why::NoSuchName { nearest: nearest(word, names) }
}

pub(super) fn no_such_system(word: &str) -> Why {
    Why::NoSuchSystem { nearest: nearest(word, SYSTEMS.iter().map(|system| system.goos)) }
}

fn nearest(word: &str, names: impl Iterator<Item = &'static str>) -> Option<&'static str> {
    // Names are short, and a value may be as long as an environment holds.
    let near = names.filter(|name| word.len() <= 2 * name.len());
    near.map(|name| (strsim::osa_distance(word, name), name))
        .filter(|(distance, name)| *distance <= 1 + name.len() / 5)
        .min_by_key(|(distance, _)| *distance)
        .map(|(_, name)| name)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn read(name: &str) -> String {
        let target = parse(name).unwrap();
        let variant = target.variant.map(|v| format!(" {}={}", v.variable, v.value())).unwrap_or_default();
        format!("{}{variant}", target.platform.goarch)
    }

    #[test]
    fn every_spelling_of_a_platform_is_read() {
        for (name, expected) in [
            ("amd64", "amd64"),
            ("x86_64", "amd64"),
            ("X64", "amd64"),
            ("x86-64-v3", "amd64 GOAMD64=v3"),
            ("x86_64_v2", "amd64 GOAMD64=v2"),
            ("amd64v4", "amd64 GOAMD64=v4"),
            ("linux/amd64/v2", "amd64 GOAMD64=v2"),
            ("x86_64-unknown-linux-gnu", "amd64"),
            ("x86_64-redhat-linux-gnu", "amd64"),
            ("i386", "386"),
            ("i486", "386"),
            ("i686", "386"),
            ("x86", "386"),
            ("i386-linux-gnu", "386"),
            ("i686-linux-gnu", "386"),
            ("arm64", "arm64"),
            ("ARM64", "arm64"),
            ("aarch64", "arm64"),
            ("arm64/v8", "arm64"),
            ("linux/arm64/v8", "arm64"),
            ("linux/arm64/", "arm64"),
            ("arm64/", "arm64"),
            ("linux-arm64", "arm64"),
            ("linux-arm64-", "arm64"),
            ("linux-arm-v7", "arm GOARM=7"),
            ("linux-armv6", "arm GOARM=6"),
            ("linux-arm64v8", "arm64"),
            ("linux-x86-64", "amd64"),
            ("linux-x86-64-v3", "amd64 GOAMD64=v3"),
            ("arm32v5", "arm GOARM=5"),
            ("arm64/v9", "arm64 GOARM64=v9.0"),
            ("arm64/v8.2", "arm64 GOARM64=v8.2"),
            ("aarch64-linux-gnu", "arm64"),
            ("arm", "arm"),
            ("armhf", "arm GOARM=7"),
            ("armel", "arm GOARM=5"),
            ("armv7", "arm GOARM=7"),
            ("armv7l", "arm GOARM=7"),
            ("armv7hl", "arm GOARM=7"),
            ("armv6l", "arm GOARM=6"),
            ("armv6hl", "arm GOARM=6"),
            ("armv5tel", "arm GOARM=5"),
            ("armv5te", "arm GOARM=5"),
            ("armv8l", "arm GOARM=7"),
            ("linux/arm/v7", "arm GOARM=7"),
            ("arm/v6", "arm GOARM=6"),
            ("linux/arm/v5", "arm GOARM=5"),
            ("arm-linux-gnueabihf", "arm GOARM=7"),
            ("arm-linux-gnueabi", "arm GOARM=5"),
            ("armv7-unknown-linux-gnueabihf", "arm GOARM=7"),
            ("arm-unknown-linux-gnueabi", "arm GOARM=5"),
            ("ppc64el", "ppc64le"),
            ("ppc64le", "ppc64le"),
            ("powerpc64le", "ppc64le"),
            ("linux/ppc64le/power9", "ppc64le GOPPC64=power9"),
            ("ppc64", "ppc64"),
            ("s390x", "s390x"),
            ("s390x-linux-gnu", "s390x"),
            ("riscv64", "riscv64"),
            ("riscv64gc-unknown-linux-gnu", "riscv64"),
            ("linux/riscv64/rva22u64", "riscv64 GORISCV64=rva22u64"),
            ("loongarch64", "loong64"),
            ("mipsel", "mipsle"),
            ("mips64el", "mips64le"),
            ("mips64el-linux-gnuabi64", "mips64le"),
            (" arm64\n", "arm64"),
        ] {
            assert_eq!(read(name), expected, "{name:?}");
        }
    }

    #[test]
    fn every_name_in_the_table_leads_back_to_its_row() {
        for platform in PLATFORMS {
            let words = [platform.goarch, platform.qemu];
            let abis = platform.all_abis().flat_map(|a| [a.triple, a.multiarch, a.debian, a.rpm]);
            let rust = platform.all_abis().filter_map(|a| a.rust);
            let all = words.into_iter().chain(abis).chain(rust).chain(platform.uname.iter().copied());
            for name in all.chain(platform.aliases.iter().copied()) {
                assert_eq!(parse(name).unwrap().platform.goarch, platform.goarch, "{name}");
            }
        }
    }

    #[test]
    fn an_unknown_name_is_refused_with_the_nearest_and_the_known_ones() {
        let error = parse("amd46").unwrap_err().to_string();
        assert!(
            error.starts_with("\"amd46\": no such architecture, did you mean amd64? (known: 386 amd64 "),
            "{error}"
        );
        for (name, near) in [("arch64", "aarch64"), ("s309x", "s390x"), ("ppcle64", ""), ("sparc64", "")] {
            let found = match parse(name) {
                Err(UnknownPlatform { why: Why::NoSuchName { nearest }, .. }) => nearest.unwrap_or_default(),
                _ => "",
            };
            assert_eq!(found, near, "{name}");
        }
        for name in [
            "",
            "/",
            "linux/",
            "linux/arm/v7/x",
            "armv9x",
            "armv71",
            "amd64/v9",
            "amd64v9",
            "s390x/z13",
            "a\u{e9}",
        ] {
            assert!(parse(name).is_err(), "{name:?}");
        }
    }

    #[test]
    fn another_operating_system_is_named() {
        assert_eq!(
            parse("windows/amd64").unwrap_err().to_string(),
            "\"windows/amd64\": the operating system is windows, not linux"
        );
    }
}
