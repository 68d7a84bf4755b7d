//! What the names of GCC are asked, where clang has no answer or its own: `gcc -dumpmachine`.
//!
//! Makefiles and configure scripts build paths of these answers (`/usr/include/$(gcc -dumpmachine)`), and clang spells
//! the machine in a way of its own (`x86_64-unknown-linux-gnu`), which no directory is called.

use std::ffi::{OsStr, OsString};
use std::path::Path;

use super::Sysroot;
use crate::platform::Abi;

/// The answer of GCC to the first question on a command line; `None` if there is none, or clang's is the same.
///
/// The questions are GCC's (its manual, "Developer Options"). The version is that of the GCC whose libraries the sysroot
/// has, in the form of Debian's gcc: it is a part of their path. (`gcc --version` says that it is clang.)
pub(super) fn answer(args: &[OsString], abi: &Abi, sysroot: Option<&Sysroot>) -> Option<OsString> {
    // Each with one hyphen or two.
    let question = |word: &OsString| {
        let word = word.to_str()?.strip_prefix('-')?;
        Some(word.strip_prefix('-').unwrap_or(word).to_owned())
    };
    args.iter().filter_map(question).find_map(|question| match question.as_str() {
        "dumpmachine" => Some(abi.triple.into()),
        "print-multiarch" => Some(abi.multiarch.into()),
        "dumpversion" | "dumpfullversion" => {
            sysroot.and_then(|sysroot| sysroot.libgcc.file_name()).map(OsStr::to_owned)
        }
        "print-sysroot" => Some(sysroot.and_then(Sysroot::root).unwrap_or(Path::new("/")).into()),
        "print-multi-directory" => Some(".".into()),
        "print-multi-lib" => Some(".;".into()),
        "print-multi-os-directory" => Some("../lib".into()),
        _ => None,
    })
}

#[cfg(test)]
mod tests {
    use super::super::Layout;
    use super::*;
    use crate::platform::Platform;

    #[test]
    fn questions_are_answered_as_gcc_answers_them() {
        let (_, abi) = Platform::by_triple("i686-linux-gnu").unwrap();
        let sysroot = Sysroot {
            layout: Layout::Directory("/s".into()),
            lib: "/s/usr/lib/i386-linux-gnu".into(),
            libgcc: "/s/usr/lib/gcc/i686-linux-gnu/12".into(),
        };
        let ask = |words: &str, sysroot| {
            let words: Vec<OsString> = words.split_whitespace().map(OsString::from).collect();
            answer(&words, abi, sysroot).map(|answer| answer.into_string().unwrap())
        };
        for (question, expected) in [
            ("-dumpmachine", Some("i686-linux-gnu")),
            ("-O2 -dumpmachine x.c", Some("i686-linux-gnu")),
            ("--print-multiarch", Some("i386-linux-gnu")),
            ("-dumpfullversion -dumpversion", Some("12")),
            ("-print-sysroot", Some("/s")),
            ("-print-multi-lib", Some(".;")),
            ("-print-libgcc-file-name", None),
            ("-c dumpmachine.c", None),
        ] {
            assert_eq!(ask(question, Some(&sysroot)).as_deref(), expected, "{question}");
        }
        assert_eq!(ask("-dumpversion", None), None);
        assert_eq!(ask("-print-sysroot", None).as_deref(), Some("/"));
    }
}
