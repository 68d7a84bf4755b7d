//! `gb env --format cmake` and `--format meson`: a target's compilers, sysroot and runner as these two want to be told.

use std::os::unix::ffi::OsStrExt;
use std::path::{Path, PathBuf};

use crate::environment::Environment;
use crate::error::Error;
use crate::platform::{Abi, ElfData, Platform};
use crate::toolchain::{Facts, Programs, Request, cmake_toolchain};

const CMAKE: &str = include_str!("toolchain.cmake.in");

/// LLVM's tools by CMake's names for them; Meson's are the same in small letters. Each handles the objects of every machine.
const TOOLS: [&str; 7] = ["AR", "RANLIB", "NM", "STRIP", "OBJCOPY", "OBJDUMP", "READELF"];

/// What a file for a build system is made of.
pub(super) struct Toolchain<'a> {
    platform: &'static Platform,
    abi: &'static Abi,
    host: Option<&'static Platform>,
    /// The root of the sysroot, which may be the system's own.
    root: PathBuf,
    /// Whether it is the caller's GB_SYSROOT, and not what the compiler finds by itself.
    named: bool,
    runner: Option<&'a Path>,
    /// LLVM's tools that PATH has.
    tools: Vec<&'static str>,
}

impl<'a> Toolchain<'a> {
    /// Refuses what no file can be right for: another system than Linux, and a target without a sysroot.
    pub(super) fn new(
        request: &Request,
        facts: Option<&'a Facts>,
        environment: &Environment,
    ) -> Result<Toolchain<'a>, Error> {
        let (Request::Linux { target, .. }, Some(facts)) = (request, facts) else {
            return Err(Error::Usage(
                "env: there are files for build systems of linux alone (gb env PLATFORM)".to_owned(),
            ));
        };
        let sysroot = facts.sysroot.as_ref().map_err(|error| Error::Usage(format!("env: {error}")))?;
        let programs = Programs::new(environment);
        Ok(Toolchain {
            platform: target.platform,
            abi: target.platform.abi(request.variant(environment).as_ref()),
            host: facts.host,
            root: sysroot.loader_prefix().unwrap_or_else(|| "/".into()),
            named: environment.get_nonempty("GB_SYSROOT").is_some(),
            runner: facts.runner.as_deref(),
            tools: TOOLS.into_iter().filter(|tool| programs.has(&llvm(tool))).collect(),
        })
    }

    fn is_cross(&self) -> bool {
        Some(self.platform) != self.host
    }

    /// What `uname -m` says there; of an ABI that is not the usual one, its own name.
    fn processor(&self) -> &'static str {
        match self.platform.uname.first() {
            Some(name) if self.abi == self.platform.default_abi() => name,
            _ => self.abi.rpm,
        }
    }

    /// The sysroot that the compiler takes when nobody names one.
    fn usual_root(&self) -> PathBuf {
        if self.named { format!("/usr/{}/sys-root", self.abi.triple).into() } else { self.root.clone() }
    }

    /// CMake's toolchain file.
    pub(super) fn cmake(&self) -> Vec<u8> {
        let words = |words: &[String]| words.iter().map(|word| format!(" {word}")).collect::<String>();
        let spelled = |rust: &str| format!("\"${{_gb_variable}}_{rust}\"");
        let rust = self.abi.rust.map(|rust| [spelled(rust), spelled(&rust.replace('-', "_"))]);
        let values: [(&str, Vec<u8>); 10] = [
            ("TRIPLE", self.abi.triple.into()),
            ("GOARCH", self.platform.goarch.into()),
            ("MULTIARCH", self.abi.multiarch.into()),
            ("CROSS", if self.is_cross() { "ON" } else { "OFF" }.into()),
            ("PROCESSOR", self.processor().into()),
            ("USUAL", cmake_quoted(&self.usual_root())),
            ("SYSROOT", cmake_quoted(&self.root)),
            ("RUST", words(rust.as_ref().map_or(&[], |rust| rust.as_slice())).into()),
            ("TOOLS", words(&self.tools.iter().map(|tool| (*tool).to_owned()).collect::<Vec<_>>()).into()),
            ("RUNNER", self.runner.map(cmake_quoted).unwrap_or_default()),
        ];
        filled(CMAKE, &values)
    }

    /// Meson's machine file: a cross file for every target, which for this machine's own architecture asks for no
    /// emulator, and serves as a native file as well.
    pub(super) fn meson(&self) -> Vec<u8> {
        let triple = self.abi.triple;
        let mut text = format!(
            "# {triple} for Meson. Made by `gb env {} --format meson`.\n#\n\
             # meson setup --cross-file FILE …, where FILE is {triple} if this is in /usr/local/share/meson/cross.\n\n\
             [binaries]\n",
            self.platform.goarch
        )
        .into_bytes();
        let root = |start: &str| [start.as_bytes(), self.root.as_os_str().as_bytes()].concat();
        let mut list = |name: &str, words: &[&[u8]]| {
            let words: Vec<_> = words.iter().map(|word| meson_quoted(word)).collect();
            text.extend_from_slice(name.as_bytes());
            text.extend_from_slice(b" = [");
            text.extend(words.join(&b", "[..]));
            text.extend_from_slice(b"]\n");
        };
        for (language, compiler) in [("c", "clang"), ("cpp", "clang++")] {
            let compiler = format!("{triple}-{compiler}");
            match self.named {
                true => list(language, &[compiler.as_bytes(), &root("--sysroot=")]),
                false => list(language, &[compiler.as_bytes()]),
            }
        }
        for tool in &self.tools {
            list(&tool.to_lowercase(), &[llvm(tool).as_bytes()]);
        }
        let pkg_config = format!("{triple}-pkg-config");
        // Meson before 1.3 knows the second name alone.
        for name in ["pkg-config", "pkgconfig"] {
            match self.named {
                true => list(name, &[b"env", &root("GB_SYSROOT="), pkg_config.as_bytes()]),
                false => list(name, &[pkg_config.as_bytes()]),
            }
        }
        list("cmake", &[b"cmake"]);
        if let Some(runner) = self.runner {
            list("exe_wrapper", &[b"env", &root("QEMU_LD_PREFIX="), runner.as_os_str().as_bytes()]);
        }
        let endian = match self.platform.elf.data {
            ElfData::Little => "little",
            ElfData::Big => "big",
        };
        text.extend_from_slice(
            format!("\n[properties]\nneeds_exe_wrapper = {}\n", self.is_cross()).as_bytes(),
        );
        if let Some(file) = cmake_toolchain(self.abi) {
            text.extend_from_slice(b"cmake_toolchain_file = ");
            text.extend(meson_quoted(file.as_os_str().as_bytes()));
            text.push(b'\n');
        }
        text.extend_from_slice(
            format!(
                "\n[host_machine]\nsystem = 'linux'\ncpu_family = '{}'\ncpu = '{}'\nendian = '{endian}'\n",
                self.platform.meson,
                self.processor()
            )
            .as_bytes(),
        );
        text
    }
}

fn llvm(tool: &str) -> String {
    format!("llvm-{}", tool.to_lowercase())
}

/// A template with each `@NAME@` replaced by its value.
pub(super) fn filled(template: &str, values: &[(&str, Vec<u8>)]) -> Vec<u8> {
    let mut text = Vec::new();
    // The pieces between the marks are text and names in turn; a piece that is no name was between two other marks.
    let mut pieces = template.split('@');
    text.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
    while let Some(piece) = pieces.next() {
        match values.iter().find(|(name, _)| *name == piece) {
            Some((_, value)) => {
                text.extend_from_slice(value);
                text.extend_from_slice(pieces.next().unwrap_or_default().as_bytes());
            }
            None => text.extend_from_slice(format!("@{piece}").as_bytes()),
        }
    }
    text
}

/// For between the double quotes of CMake's quoted arguments.
fn cmake_quoted(path: &Path) -> Vec<u8> {
    let mut text = Vec::new();
    for byte in path.as_os_str().as_bytes() {
        if b"\\\"$".contains(byte) {
            text.push(b'\\');
        }
        text.push(*byte);
    }
    text
}

/// Meson's strings: a backslash keeps what follows, and a line's end must be written as an escape.
fn meson_quoted(value: &[u8]) -> Vec<u8> {
    let mut text = vec![b'\''];
    for byte in value {
        match byte {
            b'\n' => text.extend_from_slice(b"\\n"),
            b'\'' | b'\\' => text.extend_from_slice(&[b'\\', *byte]),
            _ => text.push(*byte),
        }
    }
    text.push(b'\'');
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_template_is_filled_at_its_marks_alone() {
        let values = [("A", b"1".to_vec()), ("B", b"@C@".to_vec())];
        assert_eq!(filled("x@A@y@B@@A@ a@b.c @", &values), b"x1y@C@1 a@b.c @");
        assert!(!CMAKE.is_empty());
    }

    #[test]
    fn paths_are_quoted_for_each_reader() {
        assert_eq!(cmake_quoted(Path::new("/a \"$b\\")), b"/a \\\"\\$b\\\\");
        assert_eq!(meson_quoted(b"it's\n\\"), b"'it\\'s\\n\\\\'");
    }
}
