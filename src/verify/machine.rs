//! Whether a file is for the machine that it is to run on.

use super::facts::Facts;
use super::finding::Finding;
use super::wish::Wish;
use crate::elf::{FloatAbi, Header};
use crate::platform::{ElfClass, ElfData, Platform, Variant};

/// What a header says a file is for, in words: `linux/arm64`.
pub fn described(header: &Header) -> String {
    let order = if header.data == ElfData::Big { "big" } else { "little" };
    match Platform::by_identification(header.class, header.data, header.machine) {
        Some(platform) => format!("linux/{}", platform.goarch),
        None if header.machine.is_bpf() => format!("BPF, {order}-endian"),
        None => {
            let bits = if header.class == ElfClass::Elf64 { 64 } else { 32 };
            format!("machine {} ({bits}-bit, {order}-endian)", header.machine.0)
        }
    }
}

/// How a file hands over floating point numbers, where its machine has several ways and it says which.
pub(super) fn float_abi(header: &Header, floats: Option<FloatAbi>) -> Option<FloatAbi> {
    let by_flags = || {
        let platform = Platform::by_identification(header.class, header.data, header.machine)?;
        let has_several = platform.all_abis().nth(1).is_some();
        let abi = platform.abi_of_flags(header.flags).filter(|_| has_several)?;
        Some(if abi.has_soft_float() { FloatAbi::Soft } else { FloatAbi::Hard })
    };
    by_flags().or(floats)
}

/// Whether a file is for the target; the answer also of a member of an archive.
pub(super) fn check(header: &Header, floats: Option<FloatAbi>, wish: &Wish) -> Option<Finding> {
    let (platform, _) = wish.platform()?;
    let wanted = format!("linux/{}", platform.goarch);
    let elf = &platform.elf;
    // The kernel of every architecture has that machine, in its own byte order.
    if header.machine.is_bpf() && header.data == elf.data {
        return None;
    }
    if (header.class, header.data, header.machine) != (elf.class, elf.data, elf.machine) {
        let what = format!("is for {}, not for {wanted}", described(header));
        return Some(Finding::new("machine", what).with(format!("build it with GOARCH={}", platform.goarch)));
    }
    if !platform.has_own_flags(header.flags) {
        let what = format!(
            "has another ABI than programs for {wanted}: e_flags are {:#x} where those have {:#x} in {:#x}",
            header.flags, elf.flags, elf.flags_mask
        );
        return Some(Finding::new("abi", what));
    }
    let is_hard = float_abi(header, floats)? == FloatAbi::Hard;
    let should_be = platform.has_hard_float(wish.variant())?;
    (is_hard != should_be).then(|| {
        let word = |is_hard| if is_hard { "hard" } else { "soft" };
        let wanted = match wish.variant() {
            Some(variant) => format!("{wanted} with {}", assignment(variant)),
            None => wanted,
        };
        let what = format!("is for {} float, and {wanted} is {} float", word(is_hard), word(should_be));
        Finding::new("float-abi", what)
    })
}

fn assignment(variant: &Variant) -> String {
    format!("{}={}", variant.variable, variant.value())
}

/// Whether a processor of the variant that was asked for has all that the file takes.
pub(super) fn check_variant(facts: &Facts, wish: &Wish) -> Vec<Finding> {
    let mut findings = Vec::new();
    let Some(own) = wish.variant() else { return findings };
    let variable = wish.platform().and_then(|(platform, _)| platform.variable.as_ref());
    let of_go = facts.go.as_ref().and_then(|go| variable?.parse(go.setting(own.variable)?).ok());
    if let Some(built) = of_go.filter(|built| !own.covers(built)) {
        let what = format!("is built with {}, and is to run with {}", assignment(&built), assignment(own));
        findings.push(Finding::new("variant", what).with(format!("build it with {}", assignment(own))));
    }
    // Bit 0 is the baseline, GOAMD64=v1.
    let needed = facts.notes.x86_levels_needed;
    if let Some(highest) =
        needed.checked_ilog2().filter(|bit| usize::try_from(*bit).is_ok_and(|bit| bit > own.rank()))
    {
        let what =
            format!("needs a processor of x86-64-v{}, and is to run with {}", highest + 1, assignment(own));
        findings.push(Finding::new("processor", what));
    }
    findings
}
