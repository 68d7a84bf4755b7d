//! `gb verify`: what files are, whether they will run where they are to run, and a whole image's own view.

mod image;
mod json;
mod lines;
mod list;
mod look;
mod stand;

use std::ffi::OsString;
use std::path::PathBuf;
use std::process::ExitCode;

use self::list::List;
pub(super) use self::list::walk;
use self::look::{Report, What};
use self::stand::{Place, Places};
use super::output::print;
use super::target::request;
use crate::environment::Environment;
use crate::error::{Error, tell};
use crate::platform::{Platform, Target};
use crate::sys;
use crate::toolchain::{Layout, Request, Source, Sysroot, given};
use crate::verify::{Ceiling, Format, Weight, Wish};

/// The arguments of `gb verify`.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Programs, libraries, objects and archives; of a directory all that is below it
    #[arg(value_name = "FILE", required_unless_present = "image_root")]
    files: Vec<OsString>,
    /// What they are to run on, in any spelling: arm64, linux/arm/v7, amd64/v3; any: whatever each is for (where no target
    /// is set by GOARCH and the like, and this is no go-build image, that is the default)
    #[arg(long, value_name = "PLATFORM")]
    platform: Option<OsString>,
    /// The newest glibc that they may ask for: 2.34, or also 2.34,GLIBCXX_3.4.29,CXXABI_1.3.13
    #[arg(long, value_name = "MAX")]
    glibc: Option<String>,
    /// Whether they find all that they need in this root, of any architecture; nothing of it is run: a directory, an archive of
    /// docker save or docker export, or an OCI image layout (of several images the one for --platform)
    #[arg(long, value_name = "ROOTFS|IMAGE")]
    against: Option<PathBuf>,
    /// Where in that root they are to stand
    #[arg(long, value_name = "DIR", default_value = "/usr/bin", requires = "against")]
    at: PathBuf,
    /// They are to need nothing else
    #[arg(long = "static")]
    is_static: bool,
    /// A whole root instead, a directory or an image as above: does everything in it find what it needs, and is it all for one machine?
    #[arg(long, value_name = "ROOTFS|IMAGE", conflicts_with_all = ["files", "against", "is_static", "glibc"])]
    image_root: Option<PathBuf>,
    /// Write JSON: everything
    #[arg(long)]
    json: bool,
}

/// What was looked at, in numbers.
#[derive(Debug, Default)]
struct Counts {
    good: usize,
    degraded: usize,
    findings: usize,
    /// Regular files that are none of those that are looked at.
    passed_over: usize,
    /// Files and directories that could not be looked at.
    failed: usize,
}

impl Counts {
    fn looked_at(&self) -> usize {
        self.good + self.degraded + self.findings
    }

    /// A finding is one, whatever could not be looked at; without one the answer has to be complete.
    fn exit_code(&self) -> ExitCode {
        ExitCode::from(match self {
            Counts { findings: 1.., .. } => 1,
            Counts { failed: 1.., .. } => 125,
            Counts { degraded: 1.., .. } => 2,
            _ => 0,
        })
    }
}

impl Arguments {
    pub(super) fn run(&self) -> Result<ExitCode, Error> {
        let target = self.target()?;
        if let Some(root) = &self.image_root {
            return image::verify(root, target.as_ref(), self.json);
        }
        let ceilings = self.glibc.as_deref().map(Ceiling::parse).transpose();
        let wish = Wish {
            target,
            ceilings: ceilings
                .map_err(|error| Error::Usage(format!("--glibc: {error}")))?
                .unwrap_or_default(),
            is_static: self.is_static,
        };
        let (list, mut counts) = List::of(&self.files);
        let open = |root| stand::open(root, wish.target.as_ref());
        let root = self.against.as_deref().map(open).transpose()?;
        let settings = crate::rootfs::Request::default();
        let places = root.map(|root| Places::new(root, &self.at, &list));
        let mut place = places.as_ref().map(|places| Place::new(places, &settings));
        let mut written = Writer::new(self.json, &wish);
        let mut foreign = None;
        for file in &list.files {
            let mut report = match look::look(file, &wish) {
                Ok(report) => report,
                Err(error) => {
                    tell(format!("look at {}: {error}", lines::path(&file.path)));
                    counts.failed += 1;
                    continue;
                }
            };
            if let (Some(place), What::Elf(facts)) = (&mut place, &report.what) {
                report.findings.extend(place.lacks(file, facts).into_iter().map(|finding| (finding, None)));
            }
            if let What::Other(Format::Foreign(system)) = report.what {
                foreign = Some(system);
            }
            match report.weight() {
                _ if report.is_passed_over() => counts.passed_over += 1,
                None => counts.good += 1,
                Some(Weight::Degraded) => counts.degraded += 1,
                Some(Weight::Finding) => counts.findings += 1,
            }
            written.add(&report)?;
        }
        if counts.looked_at() == 0 && counts.failed == 0 {
            let others = foreign.map(|system| format!(" (gb does not look into programs for {system})"));
            let names: Vec<_> = self.files.iter().map(|file| lines::path(file.as_ref())).collect();
            let files = counts.passed_over;
            return Err(Error::Usage(format!(
                "verify {}: there is no ELF file or archive to look at among {files} files{}",
                names.join(" "),
                others.unwrap_or_default()
            )));
        }
        written.end(&counts, list.has_directories)?;
        Ok(counts.exit_code())
    }

    /// What the files are to run on: what is asked for, what the environment says, or in a go-build image the machine itself.
    fn target(&self) -> Result<Option<Target>, Error> {
        let environment = given(&Environment::new(sys::environ()));
        if self.platform.as_ref().is_some_and(|platform| platform == "any") {
            return Ok(None);
        }
        // Outside of an image a root's own programs tell what it is for.
        let request = match (&self.platform, &self.image_root) {
            (None, Some(_)) => return Ok(None),
            (None, None) if Platform::host().is_none() => return Ok(None),
            (platform, _) => request(platform.as_deref(), &environment)?,
        };
        let variant = match (&request, &self.platform) {
            // Of another target than the environment's its variables say nothing.
            (Request::Linux { target, .. }, Some(_)) => target.variant.clone(),
            _ => request.variant(&environment),
        };
        let (platform, source) = match (request, &self.platform) {
            (Request::Linux { target, source }, _) => (target.platform, source),
            (Request::Other { goos, .. }, Some(_)) => {
                return Err(Error::Usage(format!(
                    "verify: --platform asks for {goos}, gb looks at programs of linux (--platform any)"
                )));
            }
            (Request::Other { .. }, None) => return Ok(None),
        };
        let is_set = source != Source::Host || {
            let abi = platform.abi(variant.as_ref());
            let sysroot = Sysroot::find(platform, abi, environment.get_nonempty("GB_SYSROOT"));
            sysroot.is_ok_and(|sysroot| matches!(sysroot.layout, Layout::Directory(_)))
        };
        Ok(is_set.then_some(Target { platform, variant }))
    }
}

/// What is written to standard output, bit by bit: all that is known of thousands of files is more than has to be in memory.
struct Writer<'a> {
    as_json: bool,
    wish: &'a Wish,
    text: String,
    reports: usize,
}

impl Writer<'_> {
    /// As much is kept until it is written.
    const PIECE: usize = 1 << 16;

    fn new(as_json: bool, wish: &Wish) -> Writer<'_> {
        Writer { as_json, wish, text: String::new(), reports: 0 }
    }

    fn add(&mut self, report: &Report) -> Result<(), Error> {
        match self.as_json {
            false => self.text.push_str(&lines::of(report)),
            true if report.is_passed_over() && !report.is_named => return Ok(()),
            true => {
                let start = if self.reports == 0 { json::start(self.wish) } else { ",\n".to_owned() };
                self.text.push_str(&start);
                self.text.push_str(&json::of(report));
            }
        }
        self.reports += 1;
        if self.text.len() > Writer::PIECE {
            print(self.text.as_bytes())?;
            self.text.clear();
        }
        Ok(())
    }

    fn end(&mut self, counts: &Counts, has_directories: bool) -> Result<(), Error> {
        match self.as_json {
            true if self.reports == 0 => self.text.push_str(&(json::start(self.wish) + &json::end(counts))),
            true => self.text.push_str(&json::end(counts)),
            false if has_directories => self.text.push_str(&lines::end(counts)),
            false => {}
        }
        print(self.text.as_bytes()).map(drop)
    }
}
