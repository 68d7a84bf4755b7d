//! Where lld by itself differs from GNU's ld, and programs rely on what GNU's does.
//!
//! gb chooses lld, because one lld links for every machine; so gb also asks it for GNU's habits. Where the caller chooses a
//! linker, no habit is asked for. docs/linker.md lists the differences that stay.

use crate::platform::{Abi, Platform};

/// What makes lld behave as GNU's ld does by default.
const HABITS: [&str; 4] = [
    // The addends of dynamic relocations also stand where they apply. Go's linker reads them from there to compute the
    // checksum of its FIPS module (cmd/link/internal/ld/fips140.go), and the start code of glibc's static-pie programs
    // on s390x reads pointers before it has relocated them.
    "--apply-dynamic-relocs",
    // A version script may name a symbol that is not defined.
    "--undefined-version",
    // --gc-sections keeps what __start_NAME and __stop_NAME enclose (sections as lists: Linux, systemd, linker sets).
    "-z",
    "nostart-stop-gc",
];

/// For machines on which GNU's makes the stack executable because the C library asks for it.
const EXECUTABLE_STACK: [&str; 2] = ["-z", "execstack"];

/// The words for the linker itself.
pub(super) fn habits(platform: &Platform, abi: &Abi) -> impl Iterator<Item = &'static str> + use<> {
    let (habits, stack): (&[&str], &[&str]) = match platform.needs_executable_stack() {
        // They are of ELF files.
        _ if abi.is_windows() => (&[], &[]),
        true => (&HABITS, &EXECUTABLE_STACK),
        false => (&HABITS, &[]),
    };
    habits.iter().chain(stack).copied()
}

/// The word for the compiler that hands them on.
pub(super) fn habits_by_compiler(platform: &Platform, abi: &Abi) -> String {
    format!("-Wl,{}", habits(platform, abi).collect::<Vec<_>>().join(","))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_stack_is_executable_for_mips_alone() {
        for platform in crate::platform::PLATFORMS {
            let executable = habits_by_compiler(platform, platform.default_abi()).ends_with(",-z,execstack");
            assert_eq!(executable, platform.goarch.starts_with("mips"), "{}", platform.goarch);
        }
    }
}
