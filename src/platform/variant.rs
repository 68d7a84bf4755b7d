//! Go's instruction set variants (`GOARM=6`, `GOAMD64=v3` …) and what they mean for the C compiler.
//!
//! Go itself hands none of them to the C compiler (`gccArchArgs` in cmd/go/internal/work/exec.go): without the flags
//! here, the C side of a `GOAMD64=v3` program is built for v1, and the C side of a `GOARM=5` program does not run.

use super::plain;
use super::table::{Abi, PLATFORMS, Platform, Variable};

/// A valid value of a platform's variant variable.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Variant {
    /// `GOARM`, `GOAMD64`, …
    pub variable: &'static str,
    /// The value without options: `6`, `v3`, `power9`.
    base: &'static str,
    /// The options, without commas: `softfloat`, `lse`.
    options: Vec<&'static str>,
}

/// A value that Go does not know for a variable.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{variable}={}: no such variant (Go accepts {accepted})", plain(value))]
pub struct BadVariant {
    /// The variable.
    pub variable: &'static str,
    /// Its value.
    pub value: String,
    /// What would have been accepted, for the message.
    pub accepted: String,
}

impl Variable {
    /// Reads a value of this variable as Go does (internal/buildcfg/cfg.go).
    pub fn parse(&self, value: &str) -> Result<Variant, BadVariant> {
        let bad = || BadVariant { variable: self.name, value: value.to_owned(), accepted: self.accepted() };
        let mut words = value.split(',');
        let base = words.next().unwrap_or_default();
        let base = self.values.iter().find(|v| **v == base).ok_or_else(bad)?;
        let mut options = Vec::new();
        for word in words {
            let option = self.options.iter().find(|o| o.strip_prefix(',') == Some(word)).ok_or_else(bad)?;
            options.push(option.trim_start_matches(','));
        }
        Ok(Variant { variable: self.name, base, options })
    }

    fn accepted(&self) -> String {
        let mut text = match self.values {
            [first, .., last] if self.values.len() > 4 => format!("{first} to {last}"),
            values => values.join(", "),
        };
        if !self.options.is_empty() {
            text.push_str(&format!(", optionally with {}", self.options.join(" or ")));
        }
        text
    }
}

impl Variant {
    /// The value as Go writes it: `7`, `v8.2,lse`.
    pub fn value(&self) -> String {
        let mut text = self.base.to_owned();
        for option in &self.options {
            text.push(',');
            text.push_str(option);
        }
        text
    }

    /// Where it stands among the variable's values, of which a later one has more; 0 is the first.
    pub fn rank(&self) -> usize {
        let mut variables = PLATFORMS.iter().filter_map(|platform| platform.variable.as_ref());
        let variable = variables.find(|variable| variable.name == self.variable);
        variable.and_then(|v| v.values.iter().position(|value| *value == self.base)).unwrap_or_default()
    }

    /// Whether a machine of this variant runs what was built for another one of the same variable.
    ///
    /// Source: internal/buildcfg/cfg.go (`GoarmFeatures`, `Goarm64Features.Supports`: 9.x has what 8.x+5 has, LSE is part of 8.1).
    pub fn covers(&self, other: &Variant) -> bool {
        const SOFT: &str = "softfloat";
        if self.variable != other.variable {
            return false;
        }
        match self.variable {
            "GOARM" => {
                // Only 5 has no floating point unit unless it is told to.
                let is_hard = |variant: &Variant| {
                    !variant.has(SOFT) && (variant.base != "5" || variant.has("hardfloat"))
                };
                other.rank() <= self.rank() && (is_hard(self) || !is_hard(other))
            }
            "GO386" | "GOMIPS" | "GOMIPS64" => self.base == other.base || other.base == SOFT,
            "GOARM64" => {
                let version = |variant: &Variant| {
                    let mut numbers = variant.base.trim_start_matches('v').split('.').map(str::parse::<u32>);
                    let mut next = || numbers.next().and_then(Result::ok).unwrap_or_default();
                    (next(), next())
                };
                let has_version = match (version(self), version(other)) {
                    ((9, minor), (8, wanted)) => wanted <= minor + 5,
                    (own, wanted) => own.0 == wanted.0 && wanted.1 <= own.1,
                };
                let has = |option: &str| self.has(option) || (option == "lse" && version(self) > (8, 0));
                has_version && other.options.iter().all(|option| has(option))
            }
            _ => other.rank() <= self.rank(),
        }
    }

    /// Whether it is without a floating point unit, where its variable is about that.
    pub(super) fn is_soft(&self) -> bool {
        self.base == "softfloat" || self.has("softfloat")
    }

    fn has(&self, option: &str) -> bool {
        self.options.contains(&option)
    }

    /// The C ABI that this variant needs, where the platform has several.
    ///
    /// Debian's armhf libc is ARMv7 code, so GOARM 5 and 6 must link armel's, and so must a build without hardware
    /// floating point.
    pub(super) fn abi(&self, platform: &'static Platform) -> Option<&'static Abi> {
        if self.variable != "GOARM" {
            return None;
        }
        let soft = self.base != "7" || self.has("softfloat");
        platform.all_abis().find(|a| a.triple.ends_with("gnueabi") == soft)
    }

    /// The flags by which clang generates code for this variant on the given ABI; none for a default.
    pub(super) fn c_flags(&self, abi: &Abi) -> Vec<String> {
        let flag = |text: &str| vec![text.to_owned()];
        match (self.variable, self.base) {
            ("GOARM", _) if abi.triple.ends_with("gnueabihf") => Vec::new(),
            ("GOARM", "5") => Vec::new(),
            ("GOARM", "6") => flag("-march=armv6"),
            ("GOARM", _) => vec!["-march=armv7-a".to_owned(), "-mfloat-abi=soft".to_owned()],
            ("GOAMD64", "v1") | ("GOPPC64", "power8") | ("GORISCV64", "rva20u64") => Vec::new(),
            ("GOAMD64", level) => flag(&format!("-march=x86-64-{level}")),
            ("GOARM64", "v8.0") if self.options.is_empty() => Vec::new(),
            ("GOARM64", version) => {
                let number = version.trim_start_matches('v').trim_end_matches(".0");
                let mut march = format!("-march=armv{number}-a");
                for option in &self.options {
                    march.push('+');
                    march.push_str(option);
                }
                vec![march]
            }
            ("GOPPC64", cpu) => flag(&format!("-mcpu=pwr{}", cpu.trim_start_matches("power"))),
            // LLVM calls the 2023 profile experimental until version 20, so its mandatory extensions are spelled out.
            ("GORISCV64", "rva23u64") => flag(
                "-march=rv64gcv_zihintntl_zicbom_zicbop_zicboz_zicond_zcb_zfa_zfhmin_zawrs_zba_zbb_zbs_zkt_zvbb_zvkt_zvfhmin",
            ),
            ("GORISCV64", profile) => flag(&format!("-march={profile}")),
            // GO386 and GOMIPS: Go passes the C side's float ABI itself.
            _ => Vec::new(),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn variant(goarch: &str, value: &str) -> Result<Variant, BadVariant> {
        Platform::by_goarch(goarch).unwrap().variable.as_ref().unwrap().parse(value)
    }

    #[test]
    fn a_variant_selects_the_triple_and_the_flags_of_the_c_side() {
        for (goarch, value, triple, flags) in [
            ("arm", "7", "arm-linux-gnueabihf", ""),
            ("arm", "7,hardfloat", "arm-linux-gnueabihf", ""),
            ("arm", "7,softfloat", "arm-linux-gnueabi", "-march=armv7-a -mfloat-abi=soft"),
            ("arm", "6", "arm-linux-gnueabi", "-march=armv6"),
            ("arm", "5", "arm-linux-gnueabi", ""),
            ("amd64", "v1", "x86_64-linux-gnu", ""),
            ("amd64", "v3", "x86_64-linux-gnu", "-march=x86-64-v3"),
            ("arm64", "v8.0", "aarch64-linux-gnu", ""),
            ("arm64", "v8.0,lse", "aarch64-linux-gnu", "-march=armv8-a+lse"),
            ("arm64", "v8.2,crypto", "aarch64-linux-gnu", "-march=armv8.2-a+crypto"),
            ("arm64", "v9.0", "aarch64-linux-gnu", "-march=armv9-a"),
            ("ppc64le", "power8", "powerpc64le-linux-gnu", ""),
            ("ppc64le", "power10", "powerpc64le-linux-gnu", "-mcpu=pwr10"),
            ("riscv64", "rva20u64", "riscv64-linux-gnu", ""),
            ("riscv64", "rva22u64", "riscv64-linux-gnu", "-march=rva22u64"),
            ("386", "softfloat", "i686-linux-gnu", ""),
        ] {
            let platform = Platform::by_goarch(goarch).unwrap();
            let variant = variant(goarch, value).unwrap();
            let abi = platform.abi(Some(&variant));
            assert_eq!(abi.triple, triple, "{goarch} {value}");
            assert_eq!(variant.c_flags(abi).join(" "), flags, "{goarch} {value}");
            assert_eq!(variant.value(), value);
        }
    }

    #[test]
    fn a_machine_runs_what_was_built_for_less_of_it() {
        for (goarch, machine, runs, not) in [
            ("amd64", "v3", &["v1", "v3"][..], &["v4"][..]),
            ("arm", "7", &["5", "6", "7", "7,softfloat", "5,hardfloat"], &[]),
            ("arm", "5", &["5", "5,softfloat"], &["5,hardfloat", "6", "6,softfloat"]),
            ("arm", "7,softfloat", &["5", "6,softfloat"], &["6", "7"]),
            ("arm64", "v8.0", &["v8.0"], &["v8.1", "v8.0,lse", "v8.0,crypto", "v9.0"]),
            ("arm64", "v8.2,crypto", &["v8.0", "v8.0,lse,crypto", "v8.2"], &["v8.3", "v9.0"]),
            ("arm64", "v9.1", &["v8.6", "v9.0", "v9.1,lse"], &["v8.7", "v9.2", "v8.0,crypto"]),
            ("386", "softfloat", &["softfloat"], &["sse2"]),
            ("386", "sse2", &["softfloat", "sse2"], &[]),
            ("mips", "hardfloat", &["softfloat"], &[]),
            ("ppc64le", "power9", &["power8", "power9"], &["power10"]),
            ("riscv64", "rva22u64", &["rva20u64"], &["rva23u64"]),
        ] {
            let own = variant(goarch, machine).unwrap();
            for (others, expected) in [(runs, true), (not, false)] {
                for other in others {
                    assert_eq!(
                        own.covers(&variant(goarch, other).unwrap()),
                        expected,
                        "{goarch} {machine} {other}"
                    );
                }
            }
        }
        assert!(!variant("amd64", "v1").unwrap().covers(&variant("ppc64le", "power8").unwrap()));
    }

    #[test]
    fn a_variant_that_go_would_refuse_is_refused_with_the_accepted_ones() {
        for (goarch, value) in
            [("arm", "8"), ("arm", "7,"), ("arm", "7,lse"), ("amd64", "3"), ("arm64", "v8"), ("ppc64le", "9")]
        {
            assert!(variant(goarch, value).is_err(), "{goarch} {value}");
        }
        assert_eq!(
            variant("amd64", "v9").unwrap_err().to_string(),
            "GOAMD64=v9: no such variant (Go accepts v1, v2, v3, v4)"
        );
        assert_eq!(
            variant("arm64", "8").unwrap_err().to_string(),
            "GOARM64=8: no such variant (Go accepts v8.0 to v9.5, optionally with ,lse or ,crypto)"
        );
    }
}
