//! `gb verify --image-root`: a whole root's own view. Everything in it finds what it needs, is for one machine, and no link that
//! loaders and shells look at leads nowhere.

use std::collections::HashSet;
use std::path::{Path, PathBuf};
use std::process::ExitCode;

use serde_json::Value;

use super::json::{self, maybe, object, word};
use super::list::walk;
use super::{lines, stand};
use crate::cli::output::print;
use crate::closure::{Proof, prove};
use crate::elf::Header;
use crate::error::{Error, tell};
use crate::loader::FileId;
use crate::platform::{PLATFORMS, Platform, Target};
use crate::rootfs::{self, Finder, Kind, Root};
use crate::verify::{belongs_elsewhere, described, is_given_to_others, is_started};

/// What is in a root that its machine does not run.
struct Machines {
    /// The machine.
    platform: &'static Platform,
    /// How many programs and libraries are for it.
    own: usize,
    /// Programs and libraries for others, in places where this one's are.
    foreign: Vec<(PathBuf, String)>,
    /// What could not be looked at.
    failed: Vec<String>,
}

pub(super) fn verify(path: &Path, asked: Option<&Target>, as_json: bool) -> Result<ExitCode, Error> {
    let shown = lines::path(path);
    let root = stand::root(path, asked)?;
    let mut machines = Machines::of(&root, asked.map(|target| target.platform))
        .ok_or_else(|| Error::Usage(format!("verify {shown}: there is no program or library in it")))?;
    let mut proof = prove(&root, None);
    // What could not be looked at is neither good nor bad.
    for hole in &proof.unseen {
        let of = format!("look at {}: ", lines::clean(&hole.by));
        if !machines.failed.iter().any(|failed| failed.starts_with(&of)) {
            machines.failed.push(of + &lines::clean(&hole.why));
        }
    }
    let unseen = std::mem::take(&mut proof.unseen);
    proof.holes.retain(|hole| !unseen.contains(hole));
    let is_good = proof.holes.is_empty() && machines.foreign.is_empty();
    let wanted = format!("linux/{}", machines.platform.goarch);
    match as_json {
        true => print(format!("{:#}\n", value(path, &proof, &machines)).as_bytes())?,
        false => {
            let mut text = String::new();
            for (file, machine) in &machines.foreign {
                text.push_str(&format!("{}: is for {machine}, not for {wanted}\n", lines::path(file)));
            }
            for hole in &proof.holes {
                text.push_str(&lines::clean(&format!("{}: misses {}: {}", hole.by, hole.missing, hole.why)));
                if !hole.searched.is_empty() {
                    text.push_str(&lines::clean(&format!("; looked in {}", hole.searched.join("; "))));
                }
                text.push_str(
                    &hole.hint.as_ref().map(|hint| format!(" ({})", lines::clean(hint))).unwrap_or_default(),
                );
                text.push('\n');
            }
            if is_good && machines.failed.is_empty() {
                text.push_str(&format!(
                    "{shown}: {} programs and libraries for {wanted} among {} files find all they need\n",
                    machines.own, proof.files
                ));
            }
            print(text.as_bytes())?
        }
    };
    for note in proof.notes.iter().filter(|_| !as_json) {
        tell(note);
    }
    for failed in &machines.failed {
        tell(failed);
    }
    Ok(ExitCode::from(match (is_good, machines.failed.is_empty()) {
        (false, _) => 1,
        (true, false) => 125,
        (true, true) => 0,
    }))
}

fn value(path: &Path, proof: &Proof, machines: &Machines) -> Value {
    let texts = |texts: &[String]| Value::Array(texts.iter().map(|text| word(text)).collect());
    let platform = format!("linux/{}", machines.platform.goarch);
    let foreign = machines.foreign.iter().map(|(path, machine)| {
        object(vec![
            ("code", word("machine")),
            ("level", word("finding")),
            ("path", word(&path.to_string_lossy())),
            ("what", word(&format!("is for {machine}, not for {platform}"))),
            ("remedy", Value::Null),
        ])
    });
    let holes = proof.holes.iter().map(|hole| {
        object(vec![
            ("code", word("missing")),
            ("level", word("finding")),
            ("path", word(&hole.by)),
            ("what", word(&format!("misses {}: {}", hole.missing, hole.why))),
            ("searched", texts(&hole.searched)),
            ("remedy", maybe(hole.hint.as_deref())),
        ])
    });
    object(vec![
        ("schema", json::SCHEMA.into()),
        ("root", word(&path.to_string_lossy())),
        ("platform", word(&platform)),
        ("files_seen", proof.files.into()),
        ("objects", machines.own.into()),
        ("findings", Value::Array(foreign.chain(holes).collect())),
        ("notes", texts(&proof.notes)),
        ("not_looked_at", texts(&machines.failed)),
    ])
}

impl Machines {
    /// Looks at everything in a root. Its machine is the one that is asked for, else that of the programs that every system has, else
    /// the one that most programs are for; none if there are none.
    fn of(root: &Root, asked: Option<&'static Platform>) -> Option<Machines> {
        let mut headers = Vec::new();
        let mut failed = Vec::new();
        walk(root, &mut |path, found| {
            let path = Path::new("/").join(path);
            let read = match found {
                Ok(found) if found.kind == Kind::File && is_started(&path, found.mode) => {
                    let id = found.id;
                    root.open_regular(&path).map(|file| Header::of(&file).ok().map(|header| (header, id)))
                }
                Ok(_) => return,
                Err(error) => Err(error),
            };
            match read {
                Ok(Some((header, id))) => headers.push((path, header, id)),
                Ok(None) => {}
                Err(error) => failed.push(format!("look at {}: {error}", lines::path(&path))),
            }
        });
        headers.retain(|(_, header, _)| header.is_loaded());
        let request = rootfs::Request::default();
        let usual = || Finder::new(root, &request).usual().map(|own| own.platform);
        let platform = asked.or_else(usual).or_else(|| most(&headers))?;
        let is_own = |header: &Header| header.platform().is_some_and(|of| platform.runs(of));
        let foreign =
            headers.iter().filter(|(path, header, _)| !is_own(header) && !belongs_elsewhere(path, header));
        let foreign = foreign.map(|(path, header, _)| (path.clone(), described(header))).collect();
        // A file of several names is one.
        let own = headers.iter().filter(|(_, header, _)| is_own(header)).map(|(_, _, id)| *id);
        let own = own.collect::<HashSet<_>>().len();
        Some(Machines { platform, own, foreign, failed })
    }
}

/// What most programs and libraries are for.
fn most(headers: &[(PathBuf, Header, FileId)]) -> Option<&'static Platform> {
    let count = |platform: &Platform| {
        let own = headers
            .iter()
            .filter(|(path, header, _)| header.platform() == Some(platform) && !is_given_to_others(path));
        own.count()
    };
    PLATFORMS.iter().max_by_key(|platform| count(platform)).filter(|platform| count(platform) > 0)
}
