//! `gb strip-libs`: what programs of a root need, why, and a root of its own made of it.

mod before;
mod build;
mod check;
mod documents;
mod json;
mod packages;
mod progress;
mod taken;
mod tree;
mod why;

pub(super) use self::build::times;
pub(super) use self::documents::Sbom;
pub(super) use self::packages::Of;

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use clap::ValueEnum;

use super::output::print;
use crate::closure::{self, Closure, PROFILES, Profile, Request};
use crate::elf::Priority;
use crate::error::{Error, one_line, tell};
use crate::rootfs::{Hwcaps, Root};
use crate::{layers, platform};

/// The arguments of `gb strip-libs`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Programs, libraries, scripts and other files of the root, with what they need; of a directory all that is in it. (Paths
    /// from the root, or without --root from the working directory)
    #[arg(value_name = "FILE")]
    files: Vec<OsString>,
    /// Make a root of all this: a directory that is not there yet, or empty
    #[arg(long, value_name = "OUT")]
    rootfs: Option<PathBuf>,
    /// The root that the files are in, of any architecture; nothing of it is run. A directory, or an image as --check takes it
    #[arg(long, value_name = "DIR", default_value = "/")]
    root: PathBuf,
    /// Which image of an archive of several
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<OsString>,
    /// A library, by the name that programs ask for
    #[arg(long = "lib", value_name = "SONAME")]
    libraries: Vec<OsString>,
    /// Files that match a pattern, such as plugins ('/usr/lib64/xtables/*.so')
    #[arg(long = "dir", value_name = "GLOB")]
    patterns: Vec<OsString>,
    /// What programs open when they run: base ca-certificates gconv idn locale openssl pam tzdata xtables
    #[arg(long = "with", value_name = "NAME,…", value_delimiter = ',')]
    profiles: Vec<String>,
    /// Further arguments, a line each; empty lines and those that begin with # are left out
    #[arg(long, value_name = "FILE")]
    config: Option<PathBuf>,
    /// The variants of libraries for newer processors that are taken beside those for all: all, none, or names of glibc-hwcaps
    #[arg(long, value_name = "all|none|NAME,…", default_value = "all")]
    hwcaps: OsString,
    /// The services of nsswitch.conf whose modules are taken: those that the result's file names, none, or these
    #[arg(long, value_name = "auto|none|NAME,…", default_value = "auto")]
    nss: String,
    /// How much a library must matter that a file says it loads when it runs
    #[arg(long, value_enum, default_value_t = Dlopen::Recommended)]
    dlopen: Dlopen,
    /// What LD_LIBRARY_PATH is to be where the programs run
    #[arg(long, value_name = "DIR:…")]
    library_path: Option<OsString>,
    /// Write nothing of packages: neither what scanners read of them, nor their licences
    #[arg(long)]
    no_metadata: bool,
    /// Write no manifest of OUT (/var/lib/gb/manifest.json: each file with its checksum, where it is from, whose it is and why it
    /// is there)
    #[arg(long)]
    no_manifest: bool,
    /// Write what is in OUT in this form as well, into /var/lib/db/sbom, where scanners look
    #[arg(
        long = "sbom",
        value_name = "spdx,cyclonedx",
        value_enum,
        value_delimiter = ',',
        conflicts_with = "no_metadata"
    )]
    sboms: Vec<documents::Sbom>,
    /// Add to what is in OUT
    #[arg(long, requires = "rootfs")]
    merge: bool,
    /// List what would be in OUT, and write nothing
    #[arg(long, group = "form")]
    dry_run: bool,
    /// The same
    #[arg(long, group = "form")]
    list: bool,
    /// Show who needs what, and by which rule it was found
    #[arg(long, group = "form")]
    tree: bool,
    /// Show why a file is needed; exit code 1 if it is not
    #[arg(long, value_name = "PATH", group = "form")]
    why: Option<PathBuf>,
    /// Look whether everything in a finished root finds what it needs: a directory, an archive of docker save or docker export, or an
    /// OCI image layout
    #[arg(long, value_name = "ROOTFS", group = "form", conflicts_with_all = ["rootfs", "files", "libraries", "patterns", "profiles"])]
    check: Option<PathBuf>,
    /// Write JSON: everything, with every path that was tried
    #[arg(long)]
    json: bool,
}

/// How much a library must matter that a file says it loads when it runs.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
enum Dlopen {
    /// The file does not work without it
    Required,
    /// Most users need it
    Recommended,
    /// Something optional needs it
    Suggested,
    /// None is taken
    None,
}

/// A root that is a directory or an image; of several images the one for a platform.
pub(super) fn open_of(path: &Path, platform: Option<&OsStr>) -> Result<Root, Error> {
    let platform = platform.map(|name| platform::parse(&name.to_string_lossy()));
    let platform = platform.transpose().map_err(|error| Error::Usage(format!("--platform {error}")))?;
    match &platform {
        Some(platform) => layers::choose(path, platform),
        None => layers::open(path, None),
    }
    .map_err(|error| Error::Usage(format!("open {}: {error}", path.display())))
}

impl Arguments {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        if let Some(rootfs) = &self.check {
            return check::check(
                rootfs,
                &open_of(rootfs, self.platform.as_deref())?,
                self.library_path(),
                self.json,
            );
        }
        let root = open_of(&self.root, self.platform.as_deref())?;
        let closure = closure::gather(&root, &self.request()?)
            .map_err(|error| Error::Usage(format!("look into {}: {error}", self.root.display())))?;
        for note in &closure.notes {
            tell(note);
        }
        let only_shows = self.dry_run || self.list || self.tree || self.why.is_some();
        match self.rootfs.as_deref().filter(|_| !only_shows) {
            Some(rootfs) => build::build(self, &root, &closure, rootfs),
            None => self.show(&root, &closure),
        }
    }

    fn show(&self, root: &Root, closure: &Closure) -> Result<ExitCode, Error> {
        let text = match &self.why {
            Some(path) => {
                let text = why::write(root, closure, path);
                if text.is_empty() {
                    let none = format!("tell why {} is needed: none of these needs it", path.display());
                    return Err(Error::NoValue(none));
                }
                text
            }
            None if self.tree => tree::write(&closure.starts),
            None => {
                let mut taken = taken::take(self, root, closure)?;
                packages::databases(&mut taken, None, None)?;
                // With holes nothing would be written, and so there would be nothing to describe.
                if closure.holes.is_empty() {
                    documents::Documents::asked(self, None)?.list(&mut taken)?;
                }
                if self.json { json::write(&self.root, closure, &taken) } else { taken::listing(&taken.tree) }
            }
        };
        print(text.as_bytes())?;
        Ok(tell_of(closure))
    }

    /// A file's path from the root. Of this machine's own root it may be one from the working directory, as everywhere.
    fn in_root(&self, file: &OsStr) -> Vec<u8> {
        let absolute = match self.root == Path::new("/") {
            true => std::path::absolute(file).ok(),
            false => None,
        };
        absolute.map_or_else(|| file.as_bytes().to_vec(), |path| path.into_os_string().into_vec())
    }

    fn library_path(&self) -> Option<Vec<u8>> {
        self.library_path.clone().map(OsStringExt::into_vec)
    }

    fn request(&self) -> Result<Request, Error> {
        let bytes =
            |words: &[OsString]| words.iter().map(|word| word.as_bytes().to_vec()).collect::<Vec<_>>();
        let is_empty = self.files.is_empty()
            && self.libraries.is_empty()
            && self.patterns.is_empty()
            && self.profiles.is_empty();
        let mut profiles = Vec::new();
        for name in &self.profiles {
            profiles.push(Profile::by_name(name).ok_or_else(|| {
                let names: Vec<_> = PROFILES.iter().map(|profile| profile.name).collect();
                Error::Usage(format!("--with {name}: there is no such set ({})", names.join(" ")))
            })?);
        }
        Ok(Request {
            files: self.files.iter().map(|file| self.in_root(file)).collect(),
            libraries: bytes(&self.libraries),
            patterns: bytes(&self.patterns),
            profiles: if is_empty { Request::default().profiles } else { profiles },
            hwcaps: hwcaps(self.hwcaps.clone())?,
            library_path: self.library_path(),
            cache: self.rootfs.as_deref().filter(|_| self.merge).and_then(build::cache),
            dlopen: match self.dlopen {
                Dlopen::Required => Some(Priority::Required),
                Dlopen::Recommended => Some(Priority::Recommended),
                Dlopen::Suggested => Some(Priority::Suggested),
                Dlopen::None => None,
            },
            services: match self.nss.as_str() {
                "auto" => None,
                "none" => Some(Vec::new()),
                list => Some(list.split(',').map(str::to_owned).collect()),
            },
        })
    }
}

/// The arguments with those of a file that they name (`--config FILE`), each line an argument.
pub(super) fn with_config(args: &[OsString]) -> Result<Vec<OsString>, Error> {
    let mut all = Vec::new();
    let mut words = args.iter();
    while let Some(word) = words.next() {
        let file = match word.as_bytes().strip_prefix(b"--config=") {
            Some(file) => Some(OsStr::from_bytes(file)),
            // Without a value it is left to clap, which says so.
            None if word == "--config" => words.next().map(OsString::as_os_str),
            None => None,
        };
        let Some(file) = file else {
            all.push(word.clone());
            continue;
        };
        let text = crate::file::read_part(Path::new(file), 0, 1 << 20).map_err(|source| Error::Io {
            attempt: format!("read {}", one_line(&file.to_string_lossy())),
            source,
        })?;
        let lines = text.split(|byte| *byte == b'\n').map(<[u8]>::trim_ascii);
        let lines = lines.filter(|line| !line.is_empty() && !line.starts_with(b"#"));
        all.extend(lines.map(|line| OsStr::from_bytes(line).to_owned()));
    }
    Ok(all)
}

/// A root that was just written.
fn open(path: &Path) -> Result<Root, Error> {
    Root::open(path).map_err(|source| Error::Io { attempt: format!("open {}", path.display()), source })
}

/// Tells of everything that is missing; the exit code.
fn tell_of(closure: &Closure) -> ExitCode {
    for hole in &closure.holes {
        tell(hole);
    }
    ExitCode::from(u8::from(!closure.holes.is_empty()))
}

fn hwcaps(word: OsString) -> Result<Hwcaps, Error> {
    match word.into_vec().as_slice() {
        b"all" => Ok(Hwcaps::All),
        b"none" => Ok(Hwcaps::None),
        names => {
            let names: Vec<_> = names.split(|byte| *byte == b',').map(<[u8]>::to_vec).collect();
            let is_name = |name: &Vec<u8>| {
                !name.is_empty() && name.iter().all(|byte| byte.is_ascii_alphanumeric() || *byte == b'-')
            };
            match names.iter().all(is_name) {
                true => Ok(Hwcaps::Only(names)),
                false => {
                    Err(Error::Usage("--hwcaps is all, none, or names like x86-64-v3,x86-64-v2".to_owned()))
                }
            }
        }
    }
}

/// Bytes of a root as a line for people has them.
fn shown(bytes: &[u8]) -> String {
    one_line(&String::from_utf8_lossy(bytes))
}
