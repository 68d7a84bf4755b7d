//! What build systems read besides the compilers' variables: CMake's toolchain files, and aclocal's macros.

use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::platform::{Abi, PLATFORMS, Platform};

/// The variable by which CMake is told of a toolchain file (since 3.21).
pub(super) const CMAKE: &str = "CMAKE_TOOLCHAIN_FILE";

/// What was found for build systems.
#[derive(Debug, Clone, Default)]
pub struct BuildSystems {
    /// CMake's toolchain files, of every target that has one.
    pub cmake: Vec<(&'static Abi, PathBuf)>,
    /// The sysroot's directory of aclocal's macros, if it has one.
    pub aclocal: Option<PathBuf>,
}

impl BuildSystems {
    pub(super) fn find(root: Option<&Path>) -> BuildSystems {
        let abis = PLATFORMS.iter().flat_map(Platform::all_abis);
        BuildSystems {
            cmake: abis.filter_map(|abi| Some((abi, cmake_toolchain(abi)?))).collect(),
            aclocal: root.map(|root| root.join("usr/share/aclocal")).filter(|dir| dir.is_dir()),
        }
    }

    pub(super) fn cmake_of(&self, abi: &Abi) -> Option<&Path> {
        self.cmake.iter().find(|(of, _)| *of == abi).map(|(_, file)| file.as_path())
    }

    /// The variables of Cargo's crate cmake, which would otherwise take [`CMAKE`] for every target: what runs in a cross
    /// build is built for the host. The crate asks for a target's name with dashes, with underscores, and for its kind;
    /// one of these that the caller has set must not be overtaken.
    pub(super) fn cmake_of_crates(
        &self,
        host: Option<&'static Platform>,
        environment: &Environment,
    ) -> Vec<(String, PathBuf)> {
        let variable = |(abi, file): &(&'static Abi, PathBuf)| {
            let rust = abi.rust?;
            let kind = if host.is_some_and(|host| host.default_abi() == *abi) { "HOST" } else { "TARGET" };
            let mut others = [format!("{CMAKE}_{rust}"), format!("{kind}_{CMAKE}")].into_iter();
            let free = others.all(|name| environment.get_nonempty(&name).is_none());
            free.then(|| (format!("{CMAKE}_{}", rust.replace('-', "_")), file.clone()))
        };
        self.cmake.iter().filter_map(variable).collect()
    }
}

/// The place of CMake's toolchain file for an ABI (`gb env PLATFORM --format cmake`), if it has been made.
pub fn cmake_toolchain(abi: &Abi) -> Option<PathBuf> {
    let file = PathBuf::from(format!("/usr/{}/toolchain.cmake", abi.triple));
    file.is_file().then_some(file)
}
