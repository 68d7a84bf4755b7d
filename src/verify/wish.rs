//! What is asked of files.

use super::versions::{FAMILIES, Number};
use crate::platform::{Abi, Platform, Target, Variant};

/// What is asked of files; what is not asked does not matter.
#[derive(Debug, Clone, Default)]
pub struct Wish {
    /// What they are to run on.
    pub target: Option<Target>,
    /// The newest versions that there are.
    pub ceilings: Vec<Ceiling>,
    /// Whether they are to need nothing else.
    pub is_static: bool,
}

/// The newest version of a family.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Ceiling {
    /// The family: `GLIBC`.
    pub family: &'static str,
    /// The version.
    pub number: Number,
}

/// What is no version.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0:?} is no version (2.34, or several: 2.34,GLIBCXX_3.4.29,CXXABI_1.3.13,GCC_12.0.0)")]
pub struct BadCeiling(pub String);

impl Ceiling {
    /// Reads versions with commas between them. One without a family is glibc's.
    pub fn parse(text: &str) -> Result<Vec<Ceiling>, BadCeiling> {
        let bad = || BadCeiling(text.to_owned());
        let one = |word: &str| {
            let of_family = FAMILIES.iter().find_map(|family| {
                Number::of(word.as_bytes(), family).map(|number| Ceiling { family, number })
            });
            let glibc = || Number::parse(word).map(|number| Ceiling { family: FAMILIES[0], number });
            of_family.or_else(glibc).ok_or_else(bad)
        };
        text.split(',').map(one).collect()
    }
}

impl Wish {
    /// The architecture and the ABI.
    pub fn platform(&self) -> Option<(&'static Platform, &'static Abi)> {
        let target = self.target.as_ref()?;
        Some((target.platform, target.platform.abi(target.variant.as_ref())))
    }

    /// The variant.
    pub fn variant(&self) -> Option<&Variant> {
        self.target.as_ref()?.variant.as_ref()
    }
}
