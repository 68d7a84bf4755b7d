//! `gb binfmt export`.

use std::path::{Path, PathBuf};
use std::process::{Command, ExitCode};

use super::register::{Wanted, look};
use super::{platforms, read_flags};
use crate::binfmt::entry::Entry;
use crate::binfmt::persistent::{self, NoForm};
use crate::binfmt::registry::directory;
use crate::binfmt::verdict::Reason;
use crate::cli::build_systems::filled;
use crate::cli::output::print;
use crate::error::Error;
use crate::platform::{PLATFORMS, Platform};

const DAEMONSET: &str = include_str!("daemonset.yaml.in");

#[derive(Debug, clap::Args)]
#[group(id = "form", required = true, multiple = false, args = ["systemd", "debian", "daemonset"])]
pub(in crate::cli) struct Export {
    /// For systemd: a file in /etc/binfmt.d
    #[arg(long)]
    systemd: bool,
    /// For Debian's binfmt-support: a file for update-binfmts --import, one for each architecture
    #[arg(long)]
    debian: bool,
    /// For Kubernetes: a DaemonSet that registers on every node, and again what was lost
    #[arg(long)]
    daemonset: bool,
    /// Write the files into this directory: <name>.conf for systemd, <name> for Debian
    #[arg(long, value_name = "DIR", conflicts_with = "daemonset")]
    output: Option<PathBuf>,
    /// The DaemonSet's image; without, calico/binfmt of the version of the emulators that are here
    #[arg(long, value_name = "IMAGE")]
    image: Option<String>,
    /// Let the DaemonSet mount binfmt_misc on nodes that have not, which takes all privileges
    #[arg(long)]
    mount: bool,
    #[command(flatten)]
    wanted: Wanted,
}

impl Export {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        if self.daemonset {
            return print(&self.daemonset()?);
        }
        if self.image.is_some() || self.mount {
            return Err(refusal("--image and --mount are the DaemonSet's (--daemonset)"));
        }
        let form = if self.systemd { persistent::systemd } else { persistent::debian };
        let entries = self.entries()?;
        let texts = entries.iter().map(form).collect::<Result<Vec<_>, NoForm>>();
        let texts = texts.map_err(|error| refusal(&error.to_string()))?;
        if let Some(dir) = &self.output {
            let suffix = if self.systemd { ".conf" } else { "" };
            let files = entries.iter().zip(&texts).map(|(entry, text)| {
                let mut name = entry.name.clone();
                name.push(suffix);
                (dir.join(name), text)
            });
            return write(&files.collect::<Vec<_>>());
        }
        match texts.as_slice() {
            [_, _, ..] if self.debian => {
                Err(refusal("binfmt-support has a file for each architecture (--output DIR)"))
            }
            texts => print(&texts.concat()),
        }
    }

    /// The entries, without those for what the machine runs itself: with them nothing would run natively any more, from the start
    /// of the system on.
    fn entries(&self) -> Result<Vec<Entry>, Error> {
        let wanted = self.wanted.entries("export")?;
        let look = look(directory(), &[]);
        let is_native = |platform: &'static Platform| {
            Some(platform) == Platform::host()
                || look.verdicts(&[platform]).iter().any(|verdict| verdict.reason == Reason::Native)
        };
        let (native, foreign): (Vec<_>, Vec<_>) =
            wanted.into_iter().partition(|(platform, _)| is_native(platform));
        if let Some((platform, _)) = native.first().filter(|_| !self.wanted.platforms.is_empty()) {
            return Err(refusal(&format!("this machine runs linux/{} itself", platform.goarch)));
        }
        match foreign.is_empty() {
            true => Err(refusal("there are no emulators but this machine's own (--qemu DIR)")),
            false => Ok(foreign.into_iter().map(|(_, entry)| entry).collect()),
        }
    }

    fn daemonset(&self) -> Result<Vec<u8>, Error> {
        let host = Platform::host().ok_or_else(|| refusal("this machine's architecture is none of Go's"))?;
        // The emulators are the image's, and which ones it has is known by who names the image.
        let named = platforms(&self.wanted.platforms)?;
        let others = || PLATFORMS.iter().filter(|platform| *platform != host).collect();
        let named: Vec<&Platform> = if named.is_empty() { others() } else { named };
        let words =
            named.iter().map(|platform| format!("\"{}\"", platform.goarch)).collect::<Vec<_>>().join(", ");
        let flags = match &self.wanted.flags {
            Some(letters) => format!("--flags, \"{}\", ", read_flags(letters)?.letters()),
            None => String::new(),
        };
        let image = match &self.image {
            Some(image) => image.clone(),
            None => self.usual_image()?,
        };
        if image.is_empty()
            || image.bytes().any(|byte| !byte.is_ascii_graphic() || b"\"\\#,[]{}'".contains(&byte))
        {
            return Err(refusal(&format!("{image:?} is no image's name")));
        }
        let (pod, rights) = match self.mount {
            true => (
                "      # To mount binfmt_misc in the node's own mount namespace.\n      hostPID: true\n",
                "          privileged: true\n",
            ),
            false => (
                "",
                "          allowPrivilegeEscalation: false\n          capabilities:\n            drop: [ALL]\n          seccompProfile:\n            \
                 type: RuntimeDefault\n          # Where SELinux keeps containers from what is the node's.\n          seLinuxOptions:\n            \
                 type: spc_t\n",
            ),
        };
        let values = [
            ("HOST", host.goarch.into()),
            ("IMAGE", format!("\"{image}\"").into_bytes()),
            ("PLATFORMS", words.into_bytes()),
            ("FLAGS", flags.into_bytes()),
            ("POD", pod.into()),
            ("RIGHTS", rights.into()),
        ];
        Ok(filled(DAEMONSET, &values))
    }

    /// The image is tagged with the version of its emulators, which these here say.
    fn usual_image(&self) -> Result<String, Error> {
        let unknown = || {
            refusal(
                "there is no emulator here whose version could name the image (--image calico/binfmt:qemu-v…)",
            )
        };
        let wanted = Wanted { platforms: Vec::new(), all: true, ..self.wanted.clone() };
        let entries = wanted.entries("export").map_err(|_| unknown())?;
        let emulator = entries.into_iter().map(|(_, entry)| entry.interpreter).next().ok_or_else(unknown)?;
        let answer = Command::new(emulator).arg("--version").output().map_err(|_| unknown())?;
        let answer = String::from_utf8_lossy(&answer.stdout).into_owned();
        let version = answer.split_ascii_whitespace().skip_while(|word| *word != "version").nth(1);
        Ok(format!("calico/binfmt:qemu-v{}", version.ok_or_else(unknown)?))
    }
}

fn refusal(why: &str) -> Error {
    Error::Usage(format!("binfmt export: {why}"))
}

/// Writes files that are not there yet, or are the same: what a distribution's package has put there is its own.
fn write(files: &[(PathBuf, &Vec<u8>)]) -> Result<ExitCode, Error> {
    let is_there = |path: &Path| std::fs::symlink_metadata(path).is_ok();
    let is_same = |path: &Path, text: &[u8]| std::fs::read(path).is_ok_and(|found| found == text);
    if let Some((path, _)) = files.iter().find(|(path, text)| is_there(path) && !is_same(path, text)) {
        return Err(refusal(&format!(
            "{} is there, and is another (remove it, or choose another directory)",
            path.display()
        )));
    }
    let mut told = String::new();
    for (path, text) in files {
        if !is_there(path) {
            std::fs::write(path, text).map_err(|source| Error::Io {
                attempt: format!("binfmt export: write {}", path.display()),
                source,
            })?;
        }
        told.push_str(&format!("{}\n", path.display()));
    }
    print(told.as_bytes())
}
