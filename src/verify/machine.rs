//! Whether a file is for the machine that it is to run on.

use super::facts::Facts;
use super::finding::Finding;
use super::go::Go;
use super::wish::Wish;
use crate::elf::{FloatAbi, Header, Notes};
use crate::platform::{ElfClass, ElfData, Variant};

/// The systems that EI_OSABI tells, by Go's names where Go has them (the gABI; binutils' elf/common.h).
const SYSTEMS: [(u8, &str); 13] = [
    (1, "hpux"),
    (2, "netbsd"),
    (4, "hurd"),
    (6, "solaris"),
    (7, "aix"),
    (8, "irix"),
    (9, "freebsd"),
    (10, "tru64"),
    (11, "modesto"),
    (12, "openbsd"),
    (13, "openvms"),
    (14, "nonstop"),
    (17, "cloudabi"),
];
/// Those of NT_GNU_ABI_TAG (glibc's abi-tags): Linux is 0.
const NOTED: [&str; 5] = ["hurd", "solaris", "freebsd", "netbsd", "syllable"];

/// The system that a header tells, if that is not Linux. Numbers from 64 are a processor's own; ARM's 97 is in old programs.
fn of_header(header: &Header) -> Option<String> {
    match header.os_abi {
        0 | 3 | 64..=254 => None,
        other => match SYSTEMS.iter().find(|(number, _)| *number == other) {
            Some((_, name)) => Some((*name).to_owned()),
            None => Some(format!("system {other}")),
        },
    }
}

/// The system that a file is for, if that is not Linux.
pub(super) fn system(header: &Header, notes: &Notes, go: Option<&Go>) -> Option<String> {
    let noted = || {
        let number = notes.system.filter(|number| *number != 0)?;
        let name = usize::try_from(number - 1).ok().and_then(|at| NOTED.get(at));
        Some(name.map_or_else(|| format!("system {number}"), |name| (*name).to_owned()))
    };
    let of_go = go.and_then(|go| go.setting("GOOS")).filter(|goos| *goos != "linux").map(str::to_owned);
    of_go.or_else(|| of_header(header)).or_else(noted)
}

/// What a header says a file is for, in words: `linux/arm64`.
pub fn described(header: &Header) -> String {
    let order = if header.data == ElfData::Big { "big" } else { "little" };
    match header.platform() {
        Some(platform) => {
            format!("{}/{}", of_header(header).as_deref().unwrap_or("linux"), platform.goarch)
        }
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
        let platform = header.platform()?;
        let has_several = platform.all_abis().nth(1).is_some();
        let abi = platform.abi_of_flags(header.flags).filter(|_| has_several)?;
        Some(if abi.has_soft_float() { FloatAbi::Soft } else { FloatAbi::Hard })
    };
    by_flags().or(floats)
}

/// Whether a program or library is for Linux at all.
pub(super) fn check_system(facts: &Facts, wish: &Wish) -> Option<Finding> {
    let of = facts.system.as_deref()?;
    let header = &facts.header;
    let of = match header.platform() {
        Some(platform) => format!("{of}/{}", platform.goarch),
        None => of.to_owned(),
    };
    let wanted = wish.platform().map(|(platform, _)| platform.goarch);
    let what =
        format!("is for {of}, not for {}", wanted.map_or("Linux".to_owned(), |own| format!("linux/{own}")));
    let remedy =
        format!("build it with GOOS=linux{}", wanted.map_or(String::new(), |own| format!(" GOARCH={own}")));
    Some(Finding::new("system", what).with(remedy))
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
    if of_header(header).is_some() {
        let what = format!("is for {}, not for {wanted}", described(header));
        return Some(Finding::new("system", what).with("build it with GOOS=linux"));
    }
    if !platform.has_own_flags(header.flags) {
        let what = format!(
            "has another ABI than programs for {wanted}: e_flags are {:#x} where those have {:#x} in {:#x}",
            header.flags, elf.flags, elf.flags_mask
        );
        return Some(Finding::new("abi", what));
    }
    let is_hard = float_abi(header, floats)? == FloatAbi::Hard;
    // Debian's programs for ARMv6 hand them over in integer registers; Alpine's and Raspbian's, whose platform is called the same,
    // in those of the floating point unit, which such processors have.
    if wish.variant().is_some_and(|variant| assignment(variant) == "GOARM=6") {
        return None;
    }
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
