//! Go's instruction set variants (`GOARM=6`, `GOAMD64=v3` …) and what they mean for the C compiler.
//!
//! Go itself hands none of them to the C compiler (`gccArchArgs` in cmd/go/internal/work/exec.go): without the flags
//! here, the C side of a `GOAMD64=v3` program is built for v1, and the C side of a `GOARM=5` program does not run.

use super::plain;
use super::table::{Abi, Platform, Variable};

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
