//! What images have of other machines on purpose.

use std::path::{Component, Path};

use crate::elf::Header;
use crate::platform::{Abi, Platform};

/// Directories whose files this machine's programs read, or hand to others: what devices run, what debuggers read, what tests and
/// emulators are given.
const OF_DATA: [&str; 6] = ["firmware", "debug", "testdata", "tests", "share", "src"];

/// Whether a file for another machine is where such files belong: it does not matter that it does not run here.
///
/// A directory or a file that is named after its machine says so: a sysroot (`/usr/aarch64-linux-gnu`), a cross compiler's
/// libraries (`libclang_rt.asan-aarch64.so`).
pub fn belongs_elsewhere(path: &Path, header: &Header) -> bool {
    if is_given_to_others(path) || header.machine.is_bpf() {
        return true;
    }
    let Some(own) = header.platform() else {
        return false;
    };
    let is_own_triple = |part: &str| Platform::by_triple(part).is_some_and(|(platform, _)| platform == own);
    let is_word = |word: &str| {
        let of_abi =
            |abi: &Abi| abi.debian == word || abi.rpm == word || abi.triple.split('-').next() == Some(word);
        own.goarch == word || own.qemu == word || own.uname.contains(&word) || own.all_abis().any(of_abi)
    };
    parts(path).any(|part| is_own_triple(part) || part.split(['-', '.']).any(is_word))
}

/// Whether a file is in a directory of what other programs or devices are given.
pub fn is_given_to_others(path: &Path) -> bool {
    parts(path).any(|part| OF_DATA.contains(&part))
}

fn parts(path: &Path) -> impl Iterator<Item = &str> {
    path.components().filter_map(|part| match part {
        Component::Normal(name) => name.to_str(),
        _ => None,
    })
}

/// Whether somebody may start a file of this name and these permissions, or load it.
pub fn is_started(path: &Path, mode: u32) -> bool {
    let name = path.file_name().unwrap_or_default().as_encoded_bytes();
    let is_for_debuggers = name.ends_with(b".debug");
    !is_for_debuggers
        && (mode & 0o111 != 0 || name.ends_with(b".so") || name.windows(4).any(|part| part == b".so."))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::elf::sample::Sample;
    use crate::platform::{ElfClass, ElfData, Machine};

    #[test]
    fn files_of_another_machine_are_right_in_directories_of_their_own() {
        let sample = Sample { machine: Machine(183), ..Sample::new(ElfClass::Elf64, ElfData::Little) };
        let arm64 = Header::of(&sample.bytes()).unwrap();
        for path in [
            "/usr/aarch64-linux-gnu/sys-root/lib/libc.so.6",
            "/usr/lib/gcc-cross/aarch64-linux-gnu/14/libgcc_s.so",
            "/usr/lib/llvm/lib/linux/libclang_rt.asan-aarch64.so",
            "/usr/lib/firmware/dsp.so",
            "/usr/lib/debug/.build-id/ab/cd.debug",
            "/usr/local/go/src/debug/elf/testdata/libx.so",
            "/opt/arm64/bin/tool",
        ] {
            assert!(belongs_elsewhere(Path::new(path), &arm64), "{path}");
        }
        let sample = Sample { machine: Machine(21), ..Sample::new(ElfClass::Elf64, ElfData::Little) };
        let ppc64le = Header::of(&sample.bytes()).unwrap();
        for path in ["/usr/lib/clang/lib/libclang_rt.asan-powerpc64le.so", "/opt/ppc64el/x", "/opt/ppc64le/x"]
        {
            assert!(belongs_elsewhere(Path::new(path), &ppc64le), "{path}");
        }
        assert!(!belongs_elsewhere(Path::new("/opt/powerpc64/x"), &ppc64le));
        for path in [
            "/usr/bin/calico-node",
            "/usr/lib/x86_64-linux-gnu/libc.so.6",
            "/lib/libaarch64x.so",
            "/usr/powerpc64le-linux-gnu/bin/x",
        ] {
            assert!(!belongs_elsewhere(Path::new(path), &arm64), "{path}");
        }
    }
}
