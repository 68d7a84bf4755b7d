//! What a loader's own file says: the directories that it was built to look in, and what else differs between
//! distributions. Nothing of it is run.
//!
//! glibc's loader has these texts among its constants, each with a NUL byte at its end: the directories one after the other
//! (`system_dirs` in elf/dl-load.c), the names of glibc-hwcaps, best first (`_dl_hwcaps_subdirs`), the path of the cache.

use super::paths::join;
use crate::elf::{Dynamic, Elf, ElfError, Header};
use crate::platform::{Abi, Platform};

/// A loader.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Own {
    /// Its path, as what it loads names it.
    pub path: Vec<u8>,
    /// Its header, which what it loads must match.
    pub header: Header,
    /// Its own name (DT_SONAME).
    pub soname: Option<Vec<u8>>,
    /// The architecture.
    pub platform: &'static Platform,
    /// The ABI.
    pub abi: &'static Abi,
    /// What it is.
    pub kind: Kind,
}

/// The loaders that gb knows the rules of.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Kind {
    /// The GNU C library's.
    Glibc(Glibc),
    /// musl's.
    Musl(Musl),
}

/// What distributions choose when they build glibc.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Glibc {
    /// Where it looks last, in order; a slash at the end of each.
    pub directories: Vec<Vec<u8>>,
    /// What `$LIB` stands for.
    pub lib: Vec<u8>,
    /// The subdirectories of glibc-hwcaps that it knows, best first; none if it knows of no such directories.
    pub hwcaps: Vec<Vec<u8>>,
    /// Where its cache is.
    pub cache: Vec<u8>,
    /// Whether the directories were not found in it, and are those of other distributions.
    pub is_guess: bool,
    /// Whether a library of another machine is passed over even if its byte order differs, too (a patch of Debian's).
    pub skips_other_order: bool,
}

/// What distributions choose when they install musl.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Musl {
    /// The file that may name the directories to look in.
    pub path_file: Vec<u8>,
}

/// Why a file is no loader that gb can stand in for.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
pub enum NoLoader {
    /// It is no ELF file.
    #[error("{0}")]
    Elf(#[from] ElfError),
    /// It is of a machine that gb does not know.
    #[error("gb knows no loader of machine {machine} ({class:?})")]
    Machine {
        /// e_machine
        machine: u16,
        /// EI_CLASS
        class: crate::platform::ElfClass,
    },
    /// It is neither glibc's nor musl's.
    #[error("it is the loader of neither glibc nor musl, and gb knows the rules of these two")]
    Unknown,
}

/// The beginning of the names of musl's loaders, which have the architecture behind it.
const MUSL: &[u8] = b"ld-musl-";
const HWCAPS_DIRECTORY: &[u8] = b"glibc-hwcaps";
const CACHE: &[u8] = b"/ld.so.cache";

impl Own {
    /// Reads a loader from its bytes; `path` is what programs call it.
    pub fn read(path: &[u8], bytes: &[u8]) -> Result<Own, NoLoader> {
        let elf = Elf::read(&bytes)?;
        let header = elf.header;
        let platform =
            header.platform().ok_or(NoLoader::Machine { machine: header.machine.0, class: header.class })?;
        let name = path.rsplit(|byte| *byte == b'/').next().unwrap_or_default();
        let has_name = |loader: &str| loader.as_bytes().ends_with(&join(&[b"/", name]));
        let abi = platform.all_abis().find(|abi| has_name(abi.loader)).unwrap_or(platform.default_abi());
        let kind = match name.strip_prefix(MUSL) {
            Some(rest) => Kind::Musl(Musl::new(path, rest.strip_suffix(b".so.1").unwrap_or(rest))),
            None => Kind::Glibc(Glibc::read(bytes, abi).ok_or(NoLoader::Unknown)?),
        };
        let soname = elf.dynamic.and_then(|Dynamic { soname, .. }| soname);
        Ok(Own { path: path.to_vec(), header, soname, platform, abi, kind })
    }

    /// Where the loader of a file is that names none: a library's. The likelier C library first.
    pub fn usual_paths(elf: &Elf) -> Vec<Vec<u8>> {
        let header = &elf.header;
        let platform = header.platform();
        let Some(platform) = platform else { return Vec::new() };
        let glibc = platform.all_abis().map(|abi| (abi, abi.loader.as_bytes().to_vec()));
        let musl = platform.all_abis().map(|abi| (abi, abi.loading.musl_loader().into_bytes()));
        let mut paths: Vec<_> = glibc.chain(musl).collect();
        let names = || {
            elf.dynamic.iter().flat_map(|dynamic| &dynamic.requests).map(|request| request.name.as_slice())
        };
        if names().any(|name| name.starts_with(b"libc.musl-") || name == b"libc.so") {
            let half = paths.len() / 2;
            paths.rotate_right(half);
        }
        // That of the ABI that the file is for before the platform's others.
        paths.sort_by_key(|(abi, _)| !abi.loading.is_likely(header.flags));
        paths.into_iter().map(|(_, path)| path).collect()
    }
}

impl Musl {
    /// The file is in the etc beside the directory that the loader is in (`ldso/dynlink.c`).
    fn new(path: &[u8], architecture: &[u8]) -> Musl {
        let mut slashes = path.iter().enumerate().rev().filter(|(_, byte)| **byte == b'/').map(|(at, _)| at);
        let prefix = slashes.nth(1).and_then(|at| path.get(..at)).unwrap_or_default();
        Musl { path_file: join(&[prefix, b"/etc/ld-musl-", architecture, b".path"]) }
    }
}

impl Glibc {
    /// Reads what is chosen from a loader's bytes; `None` if it is none of glibc's.
    pub fn read(bytes: &[u8], abi: &Abi) -> Option<Glibc> {
        let mut runs: Vec<Vec<&[u8]>> = vec![Vec::new()];
        let (mut hwcaps, mut cache, mut knows_hwcaps) = (None, None, false);
        for text in bytes.split(|byte| *byte == 0) {
            if is_directory(text) {
                runs.last_mut()?.push(text);
                continue;
            }
            if runs.last().is_some_and(|run| !run.is_empty()) {
                runs.push(Vec::new());
            }
            if text.ends_with(CACHE) && is_path(text) {
                cache = cache.or(Some(text));
            } else if text.len() < 4096 && text.windows(HWCAPS_DIRECTORY.len()).any(|w| w == HWCAPS_DIRECTORY)
            {
                knows_hwcaps = true;
            } else if let Some(oldest) = abi.loading.oldest_hwcap {
                if text.ends_with(oldest.as_bytes()) {
                    let names: Vec<_> = text.split(|byte| *byte == b':').map(<[u8]>::to_vec).collect();
                    let last = names.last().is_some_and(|name| name == oldest.as_bytes());
                    let plain = |name: &Vec<u8>| {
                        !name.is_empty()
                            && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
                    };
                    if last && names.iter().all(plain) {
                        // Of several, the list with the most names.
                        let more = hwcaps.as_ref().is_none_or(|found: &Vec<_>| found.len() < names.len());
                        hwcaps = if more { Some(names) } else { hwcaps };
                    }
                }
            }
        }
        let cache = cache?.to_vec();
        let found = runs.into_iter().filter(|run| run.iter().any(|path| is_of_libraries(path, abi)));
        let found = found.max_by_key(Vec::len);
        let is_guess = found.is_none();
        let directories: Vec<_> = match found {
            Some(run) => run.into_iter().map(<[u8]>::to_vec).collect(),
            None => {
                let multiarch = abi.multiarch;
                let lib = abi.loading.lib;
                [
                    format!("/lib/{multiarch}/"),
                    format!("/usr/lib/{multiarch}/"),
                    format!("/{lib}/"),
                    format!("/usr/{lib}/"),
                    "/lib/".to_owned(),
                    "/usr/lib/".to_owned(),
                ]
                .map(String::into_bytes)
                .to_vec()
            }
        };
        let first = directories.first().map(Vec::as_slice).unwrap_or_default();
        let lib = first.strip_prefix(b"/").unwrap_or(first);
        Some(Glibc {
            lib: lib.strip_suffix(b"/").unwrap_or(lib).to_vec(),
            skips_other_order: first.ends_with(&join(&[abi.multiarch.as_bytes(), b"/"])),
            hwcaps: if knows_hwcaps { hwcaps.unwrap_or_default() } else { Vec::new() },
            directories,
            cache,
            is_guess,
        })
    }
}

fn is_path(text: &[u8]) -> bool {
    text.starts_with(b"/") && text.len() < 4096 && text.iter().all(u8::is_ascii_graphic)
}

fn is_directory(text: &[u8]) -> bool {
    text.len() > 2 && text.ends_with(b"/") && is_path(text)
}

/// Whether a directory is one that distributions keep libraries in: `/usr/lib64/`, `/lib/<multiarch>/`.
fn is_of_libraries(path: &[u8], abi: &Abi) -> bool {
    let name = path.rsplit(|byte| *byte == b'/').nth(1).unwrap_or_default();
    name.starts_with(b"lib") || name == abi.multiarch.as_bytes()
}
