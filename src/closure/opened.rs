//! What programs open when they run, beside what they are linked to.

use std::os::unix::ffi::{OsStrExt, OsStringExt};
use std::path::Path;
use std::rc::Rc;

use super::base::NSSWITCH_PATH;
use super::gather::{GatherError, Gathering, path};
use super::script;
use super::words::text;
use super::{Item, Profile, Why, data, nsswitch};
use crate::elf::Priority;
use crate::loader::{Kind, Object, Own, glob};
use crate::platform::PLATFORMS;

const LIBGCC: &str = "libgcc_s.so.1";

impl Gathering<'_> {
    /// What an object opens by itself when it runs.
    pub(super) fn object(&mut self, own: &Rc<Own>, object: &Object) {
        if !self.objects.insert(object.id) {
            return;
        }
        if nsswitch::is_glibc(own, object) {
            self.libc.get_or_insert_with(|| (object.clone(), Rc::clone(own)));
        }
        if !self.unwinds && self.ends_threads(object) {
            self.unwinds = true;
            // glibc ends the process where it is not there.
            if !self.library(own, None, LIBGCC.as_bytes(), &Why::Unwinding, false) {
                let what = format!("{LIBGCC} is not there, which glibc loads to end a thread for it");
                self.closure.notes.push(format!("{}: {what}", text(&object.path)));
            }
        }
        for problem in &object.elf.notes.unreadable {
            self.closure.notes.push(format!("{}: {problem}", text(&object.path)));
        }
        for note in object
            .elf
            .notes
            .dlopen
            .iter()
            .filter(|note| self.request.dlopen.is_some_and(|least| note.priority >= least))
        {
            let why = Why::Dlopen { by: path(&object.path), feature: note.feature.clone() };
            let is_there =
                note.soname.iter().any(|name| self.library(own, Some(object), name.as_bytes(), &why, false));
            if !is_there {
                let names = note.soname.join(" or ");
                match note.priority {
                    Priority::Required => {
                        self.hole(text(&object.path), names, "not found, and it loads it when it runs");
                    }
                    _ => self.closure.notes.push(format!(
                        "{} loads {names} when it runs, if it is there ({}): it is not",
                        text(&object.path),
                        note.feature
                    )),
                }
            }
        }
    }

    /// Whether an object asks glibc for something that takes libgcc_s.so.1 (`__libc_unwind_link_get` in misc/unwind-link.c).
    pub(super) fn ends_threads(&self, object: &Object) -> bool {
        const NAMES: [&[u8]; 4] = [b"pthread_exit", b"pthread_cancel", b"thrd_exit", b"backtrace"];
        const MOST: u64 = 64 << 20;
        let is_libc = object.elf.soname().is_some_and(|soname| {
            [b"libc.so.6".as_slice(), b"libpthread.so.0"].contains(&soname) || soname.starts_with(b"ld")
        });
        let names = object.elf.dynamic.as_ref().and_then(|dynamic| dynamic.names);
        let Some((start, length)) = names.filter(|_| !is_libc) else {
            return false;
        };
        let read = self.root.open_regular(&path(&object.path));
        let read = read.and_then(|file| file.read_part(start, length.min(MOST)));
        // One name may be the end of another one.
        let ends = |name: &[u8]| NAMES.iter().any(|wanted| name.ends_with(wanted));
        read.is_ok_and(|names| names.split(|byte| *byte == 0).any(ends))
    }

    pub(super) fn profile(&mut self, profile: &'static Profile) -> Result<(), GatherError> {
        let needs_loader = profile.paths.iter().any(|pattern| pattern.contains("{lib}"));
        let directories = match needs_loader {
            true => match &self.own()?.kind {
                Kind::Glibc(loader) => loader.directories.clone(),
                Kind::Musl(_) => vec![b"/lib/".to_vec(), b"/usr/lib/".to_vec()],
            },
            false => vec![Vec::new()],
        };
        let mut is_empty = profile.libraries.is_empty();
        for pattern in profile.paths {
            for lib in &directories {
                let pattern = pattern.replace("{lib}", &text(lib));
                for file in self.expand(pattern.as_bytes()) {
                    is_empty = false;
                    self.queue.push_back(Item { path: path(&file), why: Why::Profile(profile.name) });
                }
            }
        }
        if is_empty {
            let why = "nothing of it is in this root (install what has it)";
            self.hole(Why::Profile(profile.name).by(), profile.about, why);
        }
        Ok(())
    }

    /// The files that a pattern names.
    pub(super) fn expand(&self, pattern: &[u8]) -> Vec<Vec<u8>> {
        let pattern = pattern.strip_suffix(b"/**").unwrap_or(pattern);
        let pattern = Path::new("/").join(path(pattern)).into_os_string().into_vec();
        let found = glob(self.finder.seen(), &pattern);
        found.into_iter().filter(|file| self.root.stat(&path(file)).is_ok()).collect()
    }

    /// The modules of the services that the result's nsswitch.conf names.
    pub(super) fn services(&mut self) {
        let Some((libc, own)) = self.libc.clone() else { return };
        let made = self.closure.made.iter().find(|(path, _)| path == Path::new(NSSWITCH_PATH));
        let text = match made {
            Some((_, made)) => made.contents.clone(),
            None if self.names.contains(Path::new(NSSWITCH_PATH)) => {
                self.root.read(Path::new(NSSWITCH_PATH), 1 << 20).ok()
            }
            None => None,
        };
        let databases = match (&self.request.services, text) {
            (Some(services), _) => vec![(String::new(), services.clone())],
            (None, Some(text)) => nsswitch::databases(&text).unwrap_or_else(|error| {
                match error.hole(&libc) {
                    Ok(hole) => self.closure.holes.push(hole),
                    Err(note) => self.closure.notes.push(note),
                }
                nsswitch::default()
            }),
            (None, None) => nsswitch::default(),
        };
        let mut is_there = |module: &str| {
            self.library(&own, Some(&libc), module.as_bytes(), &Why::Service(module.to_owned()), false)
        };
        for absent in nsswitch::absent(&databases, &libc, &mut is_there) {
            match (&self.request.services, &absent.leaves) {
                (Some(_), _) => self.hole("--nss", absent.module, "not found"),
                (None, Some(_)) => {
                    let why = format!("{absent} (name others with --nss)");
                    self.hole(NSSWITCH_PATH, absent.module, why);
                }
                (None, None) => self.closure.notes.push(absent.to_string()),
            }
        }
    }

    /// What a library's integrity is tested against, beside it: `.NAME.hmac` or fipscheck/`NAME.hmac`.
    pub(super) fn sidecars(&mut self, file: &Path) {
        let (Some(directory), Some(name)) = (file.parent(), file.file_name()) else { return };
        if !name.as_bytes().starts_with(b"lib") {
            return;
        }
        let name = |before: &str| {
            let mut whole = std::ffi::OsString::from(before);
            whole.push(name);
            whole.push(".hmac");
            whole
        };
        for sidecar in [directory.join(name(".")), directory.join("fipscheck").join(name(""))] {
            if self.root.stat(&sidecar).is_ok() {
                self.queue.push_back(Item { path: sidecar, why: Why::Integrity(file.to_owned()) });
            }
        }
    }

    /// The loader of the root's programs, where no program was named.
    pub(super) fn own(&mut self) -> Result<Rc<Own>, GatherError> {
        if let Some(own) = &self.own {
            return Ok(Rc::clone(own));
        }
        if let Some(own) = self.finder.usual() {
            self.own = Some(Rc::clone(&own));
            return Ok(own);
        }
        let abis = PLATFORMS.iter().flat_map(|platform| platform.all_abis());
        let loaders = abis.flat_map(|abi| [abi.loader.to_owned(), abi.loading.musl_loader()]);
        let mut found: Vec<Rc<Own>> =
            loaders.filter_map(|loader| self.finder.loader(loader.as_bytes()).ok()).collect();
        found.dedup_by(|one, two| one.path == two.path);
        match found.as_slice() {
            [own] => {
                self.own = Some(Rc::clone(own));
                Ok(Rc::clone(own))
            }
            [] => Err(GatherError::NoLoader("this root".to_owned())),
            several => {
                let paths: Vec<_> = several.iter().map(|own| text(&own.path)).collect();
                Err(GatherError::Loaders(paths.join(" ")))
            }
        }
    }

    pub(super) fn script(&mut self, item: &Item) {
        for interpreter in script::of(self.root, &item.path) {
            match script::find(self.root, &item.path, &interpreter) {
                Ok(path) => {
                    self.queue.push_back(Item { path, why: Why::Interpreter(item.path.clone()) });
                }
                Err(hole) if item.why.is_within() && !data::is_started(&item.path, &interpreter) => {
                    self.closure
                        .notes
                        .push(format!("{} is for {}, which is not there", hole.by, hole.missing));
                }
                Err(hole) => self.closure.holes.push(hole),
            }
        }
    }
}
