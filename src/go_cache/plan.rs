//! Whether a cache of the caller's is filled from the image's, and why not.

use std::os::unix::fs::MetadataExt;
use std::path::{Path, PathBuf};

use nix::sys::statvfs::statvfs;

use super::list::{self, HEADER, Header};
use super::settings::{GoSettings, Place};
use crate::environment::Environment;
use crate::file;

/// The image's own cache (docker/go-build/Dockerfile).
const IMAGE: &str = "/var/cache/go-build";

/// So many times the room that is needed has to be free: what was free was meant for the build.
const ROOM: u64 = 4;

/// What is going to be built.
pub struct Build<'a> {
    /// The target, as Go calls it.
    pub goarch: &'static str,
    /// The variable with another instruction set than the one that Go takes by itself.
    pub variant: Option<&'static str>,
    /// Looks for the `go` in PATH.
    pub go: &'a dyn Fn() -> Option<PathBuf>,
}

/// What was found.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Facts {
    goarch: &'static str,
    /// The caller's cache, and what the image has for it; `None` if the two are the same, or one of them is not there.
    caches: Option<Caches>,
    /// Whether the caller's has had it already.
    filled: bool,
    /// What of the caller's words makes the image's of no use.
    other: Option<String>,
    /// The version of the `go` in PATH.
    go: Option<String>,
    /// How many bytes are free in the caller's, where that can be told.
    free: Option<u64>,
}

#[derive(Debug, Clone, PartialEq, Eq)]
struct Caches {
    own: PathBuf,
    image: PathBuf,
    list: PathBuf,
    header: Header,
}

/// What is to be done.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing, and there is nothing to say about it.
    Nothing,
    /// Nothing, and why.
    Left(String),
    /// The caller's cache is filled, and what there is to be said about it.
    Fill(Filling, String),
}

/// What is copied where.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Filling {
    /// The caller's cache.
    pub own: PathBuf,
    /// The image's.
    pub image: PathBuf,
    /// The names of what is copied.
    pub list: PathBuf,
}

impl Plan {
    /// What there is to be said about it.
    pub fn note(&self) -> Option<&str> {
        match self {
            Plan::Nothing => None,
            Plan::Left(note) | Plan::Fill(_, note) => Some(note),
        }
    }
}

impl Facts {
    /// Looks at both caches, as the user. Of a cache that has been filled, which is the usual case, at as little as can be.
    pub fn gather(build: &Build<'_>, environment: &Environment) -> Facts {
        Facts::of(Path::new(IMAGE), build, environment)
    }

    fn of(image: &Path, build: &Build<'_>, environment: &Environment) -> Facts {
        let settings = GoSettings::new(environment);
        let mut facts = Facts {
            goarch: build.goarch,
            caches: caches(image, build.goarch, &settings),
            filled: false,
            other: None,
            go: None,
            free: None,
        };
        let Some(Caches { own, header, .. }) = &facts.caches else { return facts };
        facts.filled = own.join(header.last.path()).exists();
        if !facts.filled {
            facts.other = other(build, &settings);
            facts.go = (build.go)().as_deref().and_then(version);
            facts.free = free(own);
        }
        facts
    }
}

/// Decides.
pub fn plan(facts: &Facts, wanted: bool) -> Plan {
    let Some(Caches { own, image, list, header }) = &facts.caches else { return Plan::Nothing };
    let cache = format!("GOCACHE {}", own.display());
    let size = megabytes(header.bytes);
    let left = |why: &str| Plan::Left(format!("{cache}: {why}"));
    let compiles = |why: &str| left(&format!("Go compiles its standard library into it: {why}"));
    match (&facts.other, &facts.go, facts.free) {
        _ if facts.filled => {
            left(&format!("has Go's standard library for {} from the image's cache", facts.goarch))
        }
        _ if !wanted => compiles("GB_GO_CACHE=0"),
        (Some(other), ..) => compiles(other),
        // Without a go there is nothing to say.
        (None, None, _) => Plan::Nothing,
        (None, Some(go), _) if *go != header.go => {
            compiles(&format!("the go in PATH is {go}, the image's cache is of {}", header.go))
        }
        (None, Some(_), Some(free)) if free < header.bytes.saturating_mul(ROOM) => compiles(&format!(
            "{size} would be copied from the image's cache, but only {} are free (it takes {ROOM} times as much)",
            megabytes(free)
        )),
        (None, Some(_), _) => Plan::Fill(
            Filling { own: own.clone(), image: image.clone(), list: list.clone() },
            format!(
                "{cache}: gb run copies Go's standard library for {} into it, {size} of the image's cache \
                 (GB_GO_CACHE=0 does not)",
                facts.goarch
            ),
        ),
    }
}

fn caches(image: &Path, goarch: &str, settings: &GoSettings<'_>) -> Option<Caches> {
    let Place::Directory(own) = settings.cache() else { return None };
    if own == image {
        return None;
    }
    let list = image.join("std").join(goarch);
    let header = list::header(&file::read_part(&list, 0, HEADER).ok()?)?;
    let number = |dir: &Path| dir.metadata().map(|metadata| (metadata.dev(), metadata.ino())).ok();
    let same = number(&own).is_some_and(|own| number(image) == Some(own));
    (!same).then(|| Caches { own, image: image.to_owned(), list, header })
}

/// The caller's word that makes Go compile the standard library in another way than the image has it, or look elsewhere.
fn other(build: &Build<'_>, settings: &GoSettings<'_>) -> Option<String> {
    const FLAGS: [&str; 10] = [
        "-a",
        "-asan",
        "-compiler",
        "-cover",
        "-linkshared",
        "-msan",
        "-overlay",
        "-race",
        "-toolexec",
        "-trimpath",
    ];
    if let Some(variable) = build.variant {
        return Some(format!("{variable} is not Go's default"));
    }
    for name in ["GOCACHEPROG", "GOEXPERIMENT", "GOFIPS140"] {
        let value = settings.get(name).filter(|value| name != "GOFIPS140" || value != "off");
        if value.is_some() {
            return Some(format!("{name} is set"));
        }
    }
    let flags = settings.get("GOFLAGS").unwrap_or_default();
    let flags = flags.to_string_lossy();
    // Quotes may be around a whole word; two hyphens are as good as one (cmd/go/internal/base, InitGOFLAGS).
    let words = flags.split_ascii_whitespace().map(|word| word.trim_matches(['\'', '"']));
    words.map(|word| word.strip_prefix('-').filter(|word| word.starts_with('-')).unwrap_or(word)).find_map(
        |word| {
            let (flag, value) = word.split_once('=').unwrap_or((word, "true"));
            let is_other = match flag {
                "-buildmode" => !["default", "exe", "archive", "c-archive"].contains(&value),
                "-gcflags" | "-asmflags" => value.starts_with("all="),
                _ => FLAGS.contains(&flag) && value != "false",
            };
            is_other.then(|| format!("GOFLAGS has {flag}"))
        },
    )
}

/// The version of a go, from the file beside its directory; `None` for what is no go of a usual installation.
fn version(go: &Path) -> Option<String> {
    let root = go.canonicalize().ok()?.parent()?.parent()?.to_owned();
    let text = file::read_part(&root.join("VERSION"), 0, HEADER).ok()?;
    let line = String::from_utf8(text).ok()?.lines().next()?.to_owned();
    Some(line)
}

/// How much is free for a directory that need not be there yet.
fn free(dir: &Path) -> Option<u64> {
    let existing = dir.ancestors().find(|dir| dir.is_dir())?;
    let found = statvfs(existing).ok()?;
    Some(found.blocks_available().saturating_mul(found.fragment_size()))
}

fn megabytes(bytes: u64) -> String {
    format!("{} MB", bytes / 1_000_000)
}

#[cfg(test)]
mod tests {
    use std::ffi::CString;
    use std::fs;

    use super::*;

    const LAST: &str = "ab/abababababababababababababababababababababababababababababababab-d";

    fn environment(variables: &[String]) -> Environment {
        Environment::new(variables.iter().map(|v| CString::new(v.as_bytes()).unwrap()).collect())
    }

    /// A machine with an image's cache, a Go, and a directory for a cache of the caller's.
    struct Machine {
        dir: tempfile::TempDir,
        variant: Option<&'static str>,
    }

    impl Machine {
        fn new() -> Machine {
            let dir = tempfile::tempdir().unwrap();
            let machine = Machine { dir, variant: None };
            for place in ["image/std", "go/bin", "own"] {
                fs::create_dir_all(machine.path(place)).unwrap();
            }
            let name = LAST.split_once('/').unwrap().1;
            fs::write(machine.path("image/std/arm64"), format!("v1 2000000 {name} go1.26.6\n{name}\n"))
                .unwrap();
            fs::write(machine.path("go/VERSION"), "go1.26.6\ntime 2026-08-11T00:40:52Z\n").unwrap();
            fs::write(machine.path("go/bin/go"), "").unwrap();
            machine
        }

        fn path(&self, name: &str) -> PathBuf {
            self.dir.path().join(name)
        }

        fn facts(&self, variables: &[&str]) -> Facts {
            let top = self.dir.path().to_str().unwrap();
            let variables: Vec<_> = variables.iter().map(|variable| variable.replace('~', top)).collect();
            let go = || Some(self.path("go/bin/go"));
            let build = Build { goarch: "arm64", variant: self.variant, go: &go };
            Facts::of(&self.path("image"), &build, &environment(&variables))
        }

        fn note(&self, variables: &[&str]) -> String {
            let plan = plan(&self.facts(variables), true);
            let top = self.dir.path().to_str().unwrap();
            let kind = if matches!(plan, Plan::Fill(..)) { "fill" } else { "left" };
            format!("{kind} {}", plan.note().unwrap_or("nothing")).replace(top, "~")
        }
    }

    #[test]
    fn a_cache_of_the_callers_is_filled_once() {
        let machine = Machine::new();
        let fill = "fill GOCACHE ~/own: gb run copies Go's standard library for arm64 into it, 2 MB of the image's cache \
                    (GB_GO_CACHE=0 does not)";
        assert_eq!(machine.note(&["GOCACHE=~/own"]), fill);
        assert_eq!(machine.note(&["GOCACHE=~/new/one"]), fill.replace("own", "new/one"));
        assert_eq!(machine.note(&["XDG_CACHE_HOME=~"]), fill.replace("own", "go-build"));
        fs::create_dir_all(machine.path("own/ab")).unwrap();
        fs::write(machine.path("own").join(LAST), "x").unwrap();
        assert_eq!(
            machine.note(&["GOCACHE=~/own"]),
            "left GOCACHE ~/own: has Go's standard library for arm64 from the image's cache"
        );
    }

    #[test]
    fn of_the_images_own_cache_and_of_one_that_go_refuses_nothing_is_said() {
        let machine = Machine::new();
        std::os::unix::fs::symlink(machine.path("image"), machine.path("link")).unwrap();
        for variables in
            [&["GOCACHE=~/image"][..], &["GOCACHE=~/link"], &["GOCACHE=off"], &["GOCACHE=own"], &[]]
        {
            assert_eq!(machine.note(variables), "left nothing", "{variables:?}");
        }
        // Of an image without lists, and of a machine without Go.
        fs::remove_file(machine.path("go/bin/go")).unwrap();
        assert_eq!(machine.note(&["GOCACHE=~/own"]), "left nothing");
        fs::write(machine.path("image/std/arm64"), "what else\n").unwrap();
        assert_eq!(machine.facts(&["GOCACHE=~/own"]).caches, None);
        fs::remove_dir_all(machine.path("image")).unwrap();
        assert_eq!(machine.facts(&["GOCACHE=~/own"]).caches, None);
    }

    #[test]
    fn what_makes_go_compile_the_library_in_another_way_keeps_the_cache_as_it_is() {
        let mut machine = Machine::new();
        let why = |machine: &Machine, variable: &str| {
            let note = machine.note(&["GOCACHE=~/own", variable]);
            let start = "left GOCACHE ~/own: Go compiles its standard library into it: ";
            note.strip_prefix(start).map(str::to_owned)
        };
        for (variable, expected) in [
            ("GOCACHEPROG=mine", "GOCACHEPROG is set"),
            ("GOEXPERIMENT=boringcrypto", "GOEXPERIMENT is set"),
            ("GOFIPS140=latest", "GOFIPS140 is set"),
            ("GOFLAGS=-mod=vendor -trimpath", "GOFLAGS has -trimpath"),
            ("GOFLAGS=--race", "GOFLAGS has -race"),
            ("GOFLAGS='-gcflags=all=-N -l' -v", "GOFLAGS has -gcflags"),
            ("GOFLAGS=-buildmode=pie", "GOFLAGS has -buildmode"),
        ] {
            assert_eq!(why(&machine, variable).as_deref(), Some(expected), "{variable}");
        }
        for harmless in [
            "GOFIPS140=off",
            "GOFLAGS=-mod=vendor -tags=x -ldflags=-s -race=false -buildvcs=false",
            "GOFLAGS=-gcflags=-N -buildmode=exe",
        ] {
            assert_eq!(why(&machine, harmless), None, "{harmless}");
        }
        machine.variant = Some("GOARM64");
        assert_eq!(why(&machine, "X=").unwrap(), "GOARM64 is not Go's default");
        machine.variant = None;
        fs::write(machine.path("go/VERSION"), "go1.27").unwrap();
        assert_eq!(
            why(&machine, "X=").unwrap(),
            "the go in PATH is go1.27, the image's cache is of go1.26.6"
        );
    }

    #[test]
    fn the_callers_no_counts_and_so_does_a_lack_of_room() {
        let machine = Machine::new();
        let mut facts = machine.facts(&["GOCACHE=~/own"]);
        let left = |facts: &Facts, wanted| match plan(facts, wanted) {
            Plan::Left(note) => note.rsplit_once("into it: ").unwrap().1.to_owned(),
            other => panic!("{other:?}"),
        };
        assert_eq!(left(&facts, false), "GB_GO_CACHE=0");
        assert!(facts.free.is_some());
        facts.free = Some(7_999_999);
        assert_eq!(
            left(&facts, true),
            "2 MB would be copied from the image's cache, but only 7 MB are free (it takes 4 times as much)"
        );
        for enough in [Some(8_000_000), None] {
            facts.free = enough;
            assert!(matches!(plan(&facts, true), Plan::Fill(..)), "{enough:?}");
        }
    }
}
