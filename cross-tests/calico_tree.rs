//! Where Calico's lines are run: a project in the shape of Calico's own (programs/calico) in a Git tree of the caller's, whose
//! recipes make and a shell of this machine expand, as a developer's do. Only the image has another name.

use std::ffi::OsStr;
use std::os::unix::fs::{MetadataExt, PermissionsExt};
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

use gb::platform::Platform;
use libtest_mimic::Failed;

use crate::case::{Verdict, ensure, ensure_eq};
use crate::elf::Facts;
use crate::engine::{Container, Output, PATIENCE, finish};
use crate::guard;
use crate::lab::Lab;

/// Who calls when root runs the tests, so that what is built is somebody's.
const CALLER: u32 = 1000;

/// The tree of this run. The lines share it, and its caches, as they do with Calico's.
static TREE: OnceLock<Result<Tree, String>> = OnceLock::new();

/// The engine's client for the lines: the guard knows their containers by a label. Where the engine may not start privileged
/// ones, as in some virtual machines, they get what the lines need of that.
const CLIENT: &str = r#"#!/bin/sh
PATH=${PATH#*:}
if [ "$1" != run ]; then exec docker "$@"; fi
shift
for word; do
    shift
    if [ "$word" = --privileged ] && [ -e "${0%/*}/unprivileged" ]; then
        set -- "$@" --cap-add=SYS_ADMIN --security-opt=apparmor=unconfined --security-opt=seccomp=unconfined
    else
        set -- "$@" "$word"
    fi
done
exec docker run 'LABEL' "$@"
"#;

/// A checkout, and what lies beside it.
pub struct Tree {
    /// The directory of the checkout, of the module cache and of the engine's client.
    place: PathBuf,
    image: String,
    uid: u32,
    libbpf: OnceLock<Result<(), String>>,
    modules: OnceLock<Result<(), String>>,
}

/// A recipe of a Makefile, as Calico has it, and what must come out.
#[derive(Clone, Copy)]
pub struct Line {
    /// Of lib.Makefile's words. More than one line, where a target has them.
    pub recipe: &'static str,
    /// What the engine's client ends with.
    pub code: i32,
    pub stdout: Stdout,
    /// What gb says beside `Starting with UID`, to the letter.
    pub says: &'static [&'static str],
    pub gives: &'static [Gives],
}

/// All that is on standard output.
#[derive(Clone, Copy)]
pub enum Stdout {
    Is(&'static str),
    /// What somebody else writes there, in which these words come in this order, and none of gb's does.
    Has(&'static [&'static str]),
}

/// A file below the component's directory that the line makes, the caller's.
#[derive(Clone, Copy)]
pub enum Gives {
    /// A program of the target's, which its loader starts on a UBI 9.
    Program(&'static str),
    Static(&'static str),
    /// One for Windows on amd64.
    Exe(&'static str),
    /// A file with exactly this.
    Text(&'static str, &'static str),
    /// A file in which this is.
    Part(&'static str, &'static str),
}

/// What a recipe is run with.
#[derive(Clone, Copy)]
pub struct Setting<'a> {
    /// The target, by Calico's name.
    pub arch: &'a str,
    /// The directory of the component.
    pub component: &'a str,
    /// Further variables on make's command line.
    pub make: &'a [&'a str],
    /// What EXTRA_DOCKER_ARGS has already.
    pub extra: &'a str,
    /// The owner of what is made, if not the caller.
    pub owner: Option<u32>,
}

impl Line {
    /// A line that succeeds, and says nothing.
    pub const fn new(recipe: &'static str) -> Line {
        Line { recipe, code: 0, stdout: Stdout::Is(""), says: &[], gives: &[] }
    }

    pub const fn stdout(self, stdout: Stdout) -> Line {
        Line { stdout, ..self }
    }

    pub const fn code(self, code: i32) -> Line {
        Line { code, ..self }
    }

    pub const fn says(self, says: &'static [&'static str]) -> Line {
        Line { says, ..self }
    }

    pub const fn gives(self, gives: &'static [Gives]) -> Line {
        Line { gives, ..self }
    }
}

impl Tree {
    /// The tree, made by the first test that needs it.
    pub fn of(lab: &Lab) -> Result<&'static Tree, Failed> {
        let open =
            || Tree::open(lab).map_err(|error| error.message().unwrap_or("no reason given").to_owned());
        TREE.get_or_init(open).as_ref().map_err(|error| error.as_str().into())
    }

    fn open(lab: &Lab) -> Result<Tree, Failed> {
        let place = lab.dir("calico-lines")?;
        let own = nix::unistd::getuid();
        let uid = if own.is_root() { CALLER } else { own.as_raw() };
        // At the place that it has on this side, which a worktree's files name. What make makes here has to be the caller's, and
        // would be root's who makes it.
        let outside = place.to_string_lossy().into_owned();
        let script = format!(
            "cp -r /programs/calico {outside}/calico; cd {outside}/calico
             printf '%s\\n' .go-pkg-cache bin report /suites/vendor '*.[oad]' '*.ll' /felix/bpf-gpl/libbpf/src/'*/' >.gitignore
             git init --quiet; git add .
             git -c user.name=x -c user.email=x@example.com commit --quiet --message x; git tag v3.99.0
             git worktree add --quiet --detach {outside}/worktree
             for tree in {outside}/calico {outside}/worktree; do
                 mkdir -p $tree/hack/test/certs $tree/felix/bin
                 for arch in amd64 arm64 ppc64le s390x; do mkdir $tree/felix/bpf-gpl/libbpf/src/$arch; done
             done
             mkdir .go-pkg-cache; ln -s {outside}/calico/.go-pkg-cache {outside}/worktree/.go-pkg-cache
             mkdir {outside}/mod felix/report felix/docs suites/bin suites/report libcalico-go/bin
             chown -R {uid}:{uid} {outside}"
        );
        lab.container().mount(&place, &outside).bare_sh(&script)?.ok()?;
        let client = lab.dir("calico-client")?.join("docker");
        std::fs::write(&client, CLIENT.replace("LABEL", &guard::label().to_string_lossy()))?;
        std::fs::set_permissions(&client, std::fs::Permissions::from_mode(0o755))?;
        let privileged = Container::new(&lab.image).option("--privileged").run(&["true"])?;
        if privileged.status != Some(0) {
            eprintln!(
                "cross-tests: this engine starts no container --privileged: Calico's lines that say so get SYS_ADMIN alone"
            );
            std::fs::write(client.with_file_name("unprivileged"), "")?;
        }
        Ok(Tree { place, image: lab.image.clone(), uid, libbpf: OnceLock::new(), modules: OnceLock::new() })
    }

    /// Runs lines one after the other, and looks at what came out of each.
    pub fn run(&self, setting: &Setting, lines: &[Line]) -> Verdict {
        lines.iter().try_for_each(|line| self.check(setting, line))
    }

    /// libbpf for this machine, which others link at the same time: made once.
    pub fn native_libbpf(&self, setting: &Setting, lines: &[Line]) -> Verdict {
        once(&self.libbpf, || self.run(setting, lines))
    }

    /// What suites import, made once.
    pub fn modules(&self, make: impl FnOnce() -> Verdict) -> Verdict {
        once(&self.modules, make)
    }

    /// The module that needs others.
    pub fn suites(&self) -> PathBuf {
        self.place.join("calico/suites")
    }

    /// The caller.
    pub fn uid(&self) -> u32 {
        self.uid
    }

    fn check(&self, setting: &Setting, line: &Line) -> Verdict {
        let output = self.make(setting, line.recipe)?;
        let code = match output.status {
            Some(0) => Some(0),
            // make has a code of its own, and tells the recipe's.
            _ => output.stderr.rsplit_once("] Error ").and_then(|(_, code)| code.trim().parse().ok()),
        };
        ensure!(code == Some(line.code), "{output}");
        let text = output.text()?;
        let right = match line.stdout {
            Stdout::Is(expected) => text == self.expand(expected, setting),
            Stdout::Has(words) => {
                let words: Vec<_> = words.iter().map(|word| self.expand(word, setting)).collect();
                !text.contains("gb: ") && !text.contains("Starting with") && has(&text, &words)
            }
        };
        ensure!(right, "standard output should be {:?}: {output}", line.stdout.words());
        let said: Vec<_> = output.stderr.lines().filter(|line| line.starts_with("gb: ")).collect();
        ensure!(said == line.says, "gb should say {:?}: {output}", line.says);
        line.gives.iter().try_for_each(|file| self.look_at(setting, *file))
    }

    /// Expands a recipe by make, and runs it.
    fn make(&self, setting: &Setting, recipe: &str) -> Result<Output, Failed> {
        let host = Platform::host().ok_or("this machine is not in the table")?.goarch;
        let (name, tag) = self.image.rsplit_once(':').unwrap_or((&self.image, "latest"));
        // GNU make's way to read from standard input is a file there.
        let makefile = format!("include ../lib.Makefile\n\nline:\n\t{recipe}\n");
        let words = [
            format!("--directory={}", self.component(setting).display()),
            format!("ARCH={}", setting.arch),
            format!("BUILDARCH={host}"),
            format!("PACKAGE_NAME=github.com/projectcalico/calico/{}", component_name(setting)),
            format!("GO_BUILD_IMAGE={name}"),
            format!("GO_BUILD_VER={tag}"),
            format!("LOCAL_USER_ID={}", self.uid),
            format!("LOCAL_GROUP_ID={}", self.uid),
            format!("GOMOD_CACHE={}", self.place.join("mod").display()),
            format!("RUN_NAME={}", guard::run()),
        ];
        // The tests may be run by a make of their own, and in a Git hook.
        let mut make = Command::new("timeout");
        make.env_clear().envs(std::env::vars_os().filter(|(name, _)| {
            let name = name.to_string_lossy();
            name == "HOME" || name.starts_with("DOCKER_")
        }));
        let client = self.place.with_file_name("calico-client").into_os_string();
        let path = std::env::var_os("PATH").unwrap_or_default();
        make.env("PATH", [client, path].join(OsStr::new(":")));
        make.envs([
            ("EXTRA_DOCKER_ARGS", setting.extra),
            ("GIT_CONFIG_COUNT", "1"),
            ("GIT_CONFIG_KEY_0", "safe.directory"),
            ("GIT_CONFIG_VALUE_0", "*"),
        ]);
        make.arg(PATIENCE.as_secs().to_string());
        make.args(["make", "--silent", "--no-print-directory", "--file=-"]).args(words).args(setting.make);
        finish(make.arg("line"), format!("make: {}", recipe.trim()), &makefile)
    }

    /// The words that depend on the target, the caller and the tag.
    fn expand(&self, text: &str, setting: &Setting) -> String {
        let kubernetes = self.image.rsplit_once("-k8s").map_or("", |(_, rest)| rest);
        let kubernetes = kubernetes.split_once('-').map_or(kubernetes, |(version, _)| version);
        text.replace("$(ARCH)", setting.arch)
            .replace("$(UID)", &self.uid.to_string())
            .replace("$(K8S)", kubernetes)
    }

    fn component(&self, setting: &Setting) -> PathBuf {
        let tree = if setting.component.starts_with("worktree/") { "" } else { "calico" };
        self.place.join(tree).join(setting.component)
    }

    fn look_at(&self, setting: &Setting, file: Gives) -> Verdict {
        let (Gives::Program(name)
        | Gives::Static(name)
        | Gives::Exe(name)
        | Gives::Text(name, _)
        | Gives::Part(name, _)) = file;
        let path = self.component(setting).join(self.expand(name, setting));
        let found = std::fs::metadata(&path).map_err(|error| format!("{}: {error}", path.display()))?;
        let owner = setting.owner.unwrap_or(self.uid);
        ensure!(
            (found.uid(), found.gid()) == (owner, owner),
            "{} belongs to {}:{}, not {owner}:{owner}",
            path.display(),
            found.uid(),
            found.gid()
        );
        let platform = Platform::by_goarch(setting.arch).ok_or("not in the table")?;
        match file {
            Gives::Program(_) => {
                let elf = Facts::read(&path)?;
                elf.is_for(platform)?;
                elf.is_dynamic(platform.default_abi())?;
                elf.needs_glibc_at_most((2, 34))
            }
            Gives::Static(_) => {
                let elf = Facts::read(&path)?;
                elf.is_for(platform)?;
                elf.is_static()
            }
            Gives::Exe(_) => is_exe(&path),
            Gives::Text(_, expected) => {
                ensure_eq!(std::fs::read_to_string(&path)?, self.expand(expected, setting));
                Ok(())
            }
            Gives::Part(_, part) => {
                let text = String::from_utf8_lossy(&std::fs::read(&path)?).into_owned();
                ensure!(text.contains(&self.expand(part, setting)), "{} lacks {part:?}", path.display());
                Ok(())
            }
        }
    }
}

impl Stdout {
    fn words(self) -> Vec<&'static str> {
        match self {
            Stdout::Is(text) => vec![text],
            Stdout::Has(words) => words.to_vec(),
        }
    }
}

/// Does something for whoever comes first, and tells all how it went.
fn once(done: &OnceLock<Result<(), String>>, act: impl FnOnce() -> Verdict) -> Verdict {
    let act = || act().map_err(|error| error.message().unwrap_or("no reason given").to_owned());
    done.get_or_init(act).clone().map_err(Failed::from)
}

fn component_name<'a>(setting: &Setting<'a>) -> &'a str {
    setting.component.trim_start_matches("worktree/")
}

/// Whether words come in this order.
fn has(text: &str, words: &[String]) -> bool {
    let mut rest = Some(text);
    for word in words {
        rest = rest.and_then(|rest| rest.split_once(word.as_str())).map(|(_, after)| after);
    }
    rest.is_some()
}

/// A program in the format of Windows, for amd64.
fn is_exe(path: &Path) -> Verdict {
    let bytes = std::fs::read(path)?;
    let at = bytes.get(0x3c..0x40).and_then(|at| at.try_into().ok()).map(u32::from_le_bytes);
    let start = at.and_then(|at| usize::try_from(at).ok()).and_then(|at| bytes.get(at..)?.get(..6));
    ensure!(bytes.starts_with(b"MZ") && start == Some(b"PE\0\0\x64\x86"), "{} is no program", path.display());
    Ok(())
}
