//! The rules by which dynamic loaders find what a program needs. No I/O: what there is in a root, [`Files`] tells.
//!
//! | file | what it is |
//! |---|---|
//! | `glibc.rs`, `musl.rs` | the order in which either loads objects, and where it looks for each |
//! | `own.rs` | what a loader's own file says: its directories, `$LIB`, the names of glibc-hwcaps |
//! | `cache.rs`, `cache_writing.rs`, `name_order.rs`, `conf.rs` | ld.so.cache, and ld.so.conf, which it is made from |
//! | `tokens.rs`, `trust.rs`, `paths.rs` | `$ORIGIN` and the like, and which of them a set-user-ID program takes; lists of directories |
//! | `search.rs` | where glibc's looks for one name |
//! | `verify.rs` | which files fit, which are passed over, and which are the program's end |
//! | `versions.rs` | whether every version of a symbol that is asked for is there |
//! | `graph.rs` | the answer: what is loaded, who asked for it, by which rule, and every path that was tried |
//!
//! Sources: glibc 2.41 (elf/dl-load.c, dl-deps.c, dl-cache.c, dl-version.c, rtld.c; "to the letter" means these) and musl
//! 1.2.5 (ldso/dynlink.c).

mod cache;
mod cache_writing;
mod conf;
mod files;
mod glibc;
mod graph;
mod musl;
mod name_order;
mod own;
mod paths;
mod search;
mod tokens;
mod trust;
mod verify;
mod versions;

pub use cache::{Cache, CacheError, Entry, Hwcap};
pub use cache_writing::cache as write_cache;
pub use conf::{Conf, Line, directories, glob};
pub use files::{FileId, Files, Opened};
pub use graph::{
    Answer, Asker, Graph, How, Limit, MissingVersion, Object, Outcome, Place, Problem, Rule, Try,
};
pub use own::{Glibc, Kind, Musl, NoLoader, Own};
pub use paths::NO_PLATFORM;
pub use tokens::PLATFORM;
pub use verify::{Machine, Verdict};

/// The number of an error of the system.
pub use nix::errno::Errno;

use crate::elf::Elf;

/// What is asked of a resolution beside the program itself.
#[derive(Debug, Clone, Default)]
pub struct Settings {
    /// LD_LIBRARY_PATH
    pub library_path: Option<Vec<u8>>,
    /// The names of glibc-hwcaps that the processor has, best first. None: a processor of the oldest kind.
    pub hwcaps: Vec<Vec<u8>>,
    /// What `$PLATFORM` stands for, which only the processor knows.
    pub platform: Option<Vec<u8>>,
    /// The working directory, which paths that are not absolute begin in; without it they lead nowhere.
    pub directory: Option<Vec<u8>>,
}

/// What is started.
#[derive(Debug, Clone)]
pub struct Program<'a> {
    /// Its path, as whoever starts it names it.
    pub path: &'a [u8],
    /// The same without links, as the kernel tells (/proc/self/exe); none if it is a library that is looked at by itself.
    pub real_path: Option<&'a [u8]>,
    /// Which file it is.
    pub id: FileId,
    /// What it says of itself.
    pub elf: std::rc::Rc<Elf>,
    /// Whether it runs with other rights than whoever starts it has (AT_SECURE; `__libc_enable_secure`): set-user-ID,
    /// set-group-ID or with capabilities.
    pub is_secure: bool,
}

/// What a program's loader would load, and what it would miss.
pub fn resolve(files: &dyn Files, own: &Own, program: &Program<'_>, settings: &Settings) -> Graph {
    match &own.kind {
        Kind::Glibc(loader) => glibc::resolve(files, own, loader, program, settings),
        Kind::Musl(loader) => musl::resolve(files, own, loader, program, settings),
    }
}

#[cfg(test)]
mod tests {
    use std::collections::HashMap;
    use std::rc::Rc;

    use super::*;
    use crate::elf::sample::Sample;
    use crate::platform::{ElfClass, ElfData};

    /// A root in memory.
    #[derive(Default)]
    struct Fake {
        files: HashMap<String, (u64, Vec<u8>)>,
        errors: HashMap<String, Errno>,
        is_secure: bool,
    }

    impl Fake {
        fn lib(&mut self, path: &str, entries: &[(u64, &str)]) -> &mut Fake {
            let names = entries.iter().map(|(tag, name)| (*tag, (*name).to_owned())).collect();
            let sample = Sample { names, ..Sample::new(ElfClass::Elf64, ElfData::Little) };
            self.file(path, sample.bytes())
        }

        /// What a kernel starts.
        fn program(&mut self, entries: &[(u64, &str)]) -> &mut Fake {
            let names = entries.iter().map(|(tag, name)| (*tag, (*name).to_owned())).collect();
            let sample = Sample::new(ElfClass::Elf64, ElfData::Little);
            self.file("/bin/prog", Sample { interpreter: Some(GLIBC), names, ..sample }.bytes())
        }

        fn file(&mut self, path: &str, bytes: Vec<u8>) -> &mut Fake {
            let inode = self.files.len() as u64 + 1;
            self.files.insert(path.to_owned(), (inode, bytes));
            self
        }

        fn link(&mut self, path: &str, to: &str) -> &mut Fake {
            let file = self.files[to].clone();
            self.files.insert(path.to_owned(), file);
            self
        }

        /// What `/bin/prog` loads with a loader, and what it misses.
        fn resolve(&self, loader: &str, settings: &Settings) -> Graph {
            let own = Own::read(loader.as_bytes(), &self.files[loader].1).unwrap();
            let opened = self.open(b"/bin/prog").unwrap();
            let program = Program {
                path: b"/bin/prog",
                real_path: Some(b"/bin/prog"),
                id: opened.id,
                elf: opened.elf.unwrap(),
                is_secure: self.is_secure,
            };
            resolve(self, &own, &program, settings)
        }

        fn shown(&self, loader: &str, settings: &Settings) -> String {
            shown(&self.resolve(loader, settings))
        }
    }

    fn shown(graph: &Graph) -> String {
        let text = |bytes: &[u8]| String::from_utf8_lossy(bytes).into_owned();
        let loaded = graph.objects.iter().skip(2).map(|object| text(&object.path));
        let holes = graph.answers.iter().filter(|answer| answer.is_hole());
        loaded.chain(holes.map(|hole| format!("!{}", text(&hole.name)))).collect::<Vec<_>>().join(" ")
    }

    impl Files for Fake {
        fn open(&self, path: &[u8]) -> Result<Opened, Errno> {
            let path = std::str::from_utf8(path).unwrap();
            if let Some(errno) = self.errors.get(path) {
                return Err(*errno);
            }
            let (inode, bytes) = self.files.get(path).ok_or(Errno::ENOENT)?;
            Ok(Opened { id: FileId { device: 1, inode: *inode }, elf: Elf::read(bytes).map(Rc::new) })
        }

        fn is_directory(&self, path: &[u8]) -> bool {
            let path = std::str::from_utf8(path).unwrap();
            self.files.keys().any(|file| file.starts_with(path))
        }

        fn names(&self, directory: &[u8]) -> Vec<Vec<u8>> {
            let directory = format!("{}/", std::str::from_utf8(directory).unwrap());
            let names = self.files.keys().filter_map(|file| file.strip_prefix(&directory));
            let mut names: Vec<_> = names.map(|name| name.as_bytes().to_vec()).collect();
            names.sort();
            names
        }

        fn contents(&self, path: &[u8]) -> Result<Rc<[u8]>, Errno> {
            let path = std::str::from_utf8(path).unwrap();
            self.files.get(path).map(|(_, bytes)| Rc::from(bytes.as_slice())).ok_or(Errno::ENOENT)
        }
    }

    const NEEDED: u64 = 1;
    const SONAME: u64 = 14;
    const RPATH: u64 = 15;
    const RUNPATH: u64 = 29;
    const DEPAUDIT: u64 = 0x6fff_fefb;
    const AUDIT: u64 = 0x6fff_fefc;
    const GLIBC: &str = "/lib64/ld-linux-x86-64.so.2";
    const MUSL: &str = "/lib/ld-musl-x86_64.so.1";

    /// A loader as Red Hat builds it, and one as Alpine does.
    fn fake() -> Fake {
        let mut fake = Fake::default();
        let sample = Sample::new(ElfClass::Elf64, ElfData::Little);
        let own = Sample { names: vec![(SONAME, "ld-linux-x86-64.so.2".to_owned())], ..sample.clone() };
        let texts =
            b"\0/etc/ld.so.cache\0glibc-hwcaps/\0x86-64-v4:x86-64-v3:x86-64-v2\0/lib64/\0/usr/lib64/\0";
        fake.file(GLIBC, [own.bytes().as_slice(), texts].concat());
        fake.file(MUSL, sample.bytes());
        fake
    }

    #[test]
    fn a_loaders_own_file_says_where_it_looks() {
        let fake = fake();
        let own = Own::read(GLIBC.as_bytes(), &fake.files[GLIBC].1).unwrap();
        let Kind::Glibc(loader) = &own.kind else { panic!("{own:?}") };
        assert_eq!(loader.directories, [b"/lib64/".to_vec(), b"/usr/lib64/".to_vec()]);
        assert_eq!(loader.lib, b"lib64");
        assert_eq!(loader.hwcaps, [b"x86-64-v4", b"x86-64-v3", b"x86-64-v2"]);
        assert!(!loader.is_guess && !loader.skips_other_order);
        let own = Own::read(b"/opt/sys/lib/ld-musl-x86_64.so.1", &fake.files[MUSL].1).unwrap();
        assert_eq!(own.kind, Kind::Musl(Musl { path_file: b"/opt/sys/etc/ld-musl-x86_64.path".to_vec() }));
        // Neither: a loader of Android's, say.
        assert_eq!(Own::read(b"/system/bin/linker64", &fake.files[MUSL].1), Err(NoLoader::Unknown));
    }

    #[test]
    fn libraries_that_watch_the_loader_have_libraries_of_their_own() {
        let mut fake = fake();
        fake.lib(
            "/bin/prog",
            &[(NEEDED, "liba.so"), (AUDIT, "w.so:gone.so"), (DEPAUDIT, "/opt/x.so"), (RUNPATH, "/opt")],
        );
        fake.lib("/opt/liba.so", &[]).lib("/opt/w.so", &[(NEEDED, "liba.so"), (RUNPATH, "/w")]);
        fake.lib("/w/liba.so", &[(NEEDED, "libgone.so")])
            .lib("/opt/x.so", &[(NEEDED, "ld-linux-x86-64.so.2")]);
        assert_eq!(
            fake.shown(GLIBC, &Settings::default()),
            "/opt/liba.so /opt/w.so /w/liba.so /opt/x.so !libgone.so"
        );
    }

    #[test]
    fn what_only_the_processor_or_the_caller_knows_is_left_out_unless_it_is_said() {
        let mut fake = fake();
        fake.lib("/bin/prog", &[(NEEDED, "liba.so"), (RPATH, "/opt/$PLATFORM:relative")]);
        fake.lib("/opt/haswell/liba.so", &[]).lib("/here/relative/liba.so", &[]);
        let settings = Settings::default();
        assert_eq!(fake.shown(GLIBC, &settings), "!liba.so");
        let platform = Settings { platform: Some(b"haswell".to_vec()), ..settings.clone() };
        assert_eq!(fake.shown(GLIBC, &platform), "/opt/haswell/liba.so");
        let directory = Settings { directory: Some(b"/here".to_vec()), ..settings };
        assert_eq!(fake.shown(GLIBC, &directory), "/here/relative/liba.so");
    }

    #[test]
    fn a_program_with_rights_of_its_own_takes_nothing_from_where_its_caller_could_lead_it() {
        let mut fake = fake();
        fake.is_secure = true;
        fake.program(&[
            (NEEDED, "liba.so"),
            (NEEDED, "libb.so"),
            (AUDIT, "/opt/w.so"),
            (RUNPATH, "$ORIGIN/../opt:/fix"),
        ]);
        fake.lib("/bin/../opt/liba.so", &[])
            .lib("/opt/w.so", &[])
            .lib("/mine/libb.so", &[])
            .lib("/fix/libb.so", &[]);
        let settings = Settings { library_path: Some(b"/mine".to_vec()), ..Settings::default() };
        assert_eq!(fake.shown(GLIBC, &settings), "/fix/libb.so !liba.so");
        assert_eq!(fake.shown(MUSL, &settings), "!liba.so !libb.so");
        let skipped =
            fake.resolve(GLIBC, &settings).answers.into_iter().find(|answer| answer.is_hole()).unwrap();
        assert!(
            matches!(skipped.tried[0].outcome, Outcome::Skipped(why) if why.contains("rights of its own"))
        );
        fake.is_secure = false;
        assert_eq!(fake.shown(GLIBC, &settings), "/bin/../opt/liba.so /mine/libb.so /opt/w.so");
        // A token in a name is the program's end.
        fake.is_secure = true;
        fake.program(&[(NEEDED, "$ORIGIN/liba.so")]).lib("/bin/liba.so", &[]);
        assert_eq!(fake.shown(GLIBC, &settings), "!$ORIGIN/liba.so");
    }

    #[test]
    fn newer_processors_take_other_files_and_fall_back_to_the_usual_ones() {
        let mut fake = fake();
        fake.lib("/bin/prog", &[(NEEDED, "liba.so"), (NEEDED, "libb.so")]);
        for path in ["/lib64/liba.so", "/usr/lib64/libb.so", "/lib64/glibc-hwcaps/x86-64-v3/liba.so"] {
            fake.lib(path, &[]);
        }
        let with = |names: &[&str]| {
            let hwcaps = names.iter().map(|name| name.as_bytes().to_vec()).collect();
            fake.shown(GLIBC, &Settings { hwcaps, ..Settings::default() })
        };
        assert_eq!(with(&[]), "/lib64/liba.so /usr/lib64/libb.so");
        assert_eq!(with(&["x86-64-v2"]), "/lib64/liba.so /usr/lib64/libb.so");
        assert_eq!(
            with(&["x86-64-v3", "x86-64-v2"]),
            "/lib64/glibc-hwcaps/x86-64-v3/liba.so /usr/lib64/libb.so"
        );
    }

    #[test]
    fn an_error_that_is_not_absence_ends_its_list_alone() {
        let mut fake = fake();
        fake.lib("/bin/prog", &[(NEEDED, "liba.so"), (RUNPATH, "/a:/b")]);
        fake.lib("/a/other.so", &[]).lib("/b/liba.so", &[]).lib("/usr/lib64/liba.so", &[]);
        let settings = Settings::default();
        assert_eq!(fake.shown(GLIBC, &settings), "/b/liba.so");
        for (errno, expected) in [
            (Errno::EACCES, "/b/liba.so"),
            (Errno::EIO, "/usr/lib64/liba.so"),
            (Errno::ELOOP, "/usr/lib64/liba.so"),
        ] {
            fake.errors.insert("/a/liba.so".to_owned(), errno);
            assert_eq!(fake.shown(GLIBC, &settings), expected, "{errno}");
        }
    }

    #[test]
    fn musl_looks_where_it_does() {
        let mut fake = fake();
        fake.lib(
            "/bin/prog",
            &[
                (NEEDED, "libc.musl-x86_64.so.1"),
                (NEEDED, "liba.so"),
                (NEEDED, "libm.so.6"),
                (NEEDED, "libd.so"),
                (RUNPATH, "$ORIGIN/../opt"),
                (RPATH, "/never"),
            ],
        );
        // RUNPATH is handed on; a library by its own name that was loaded by another one is looked for again.
        fake.lib("/bin/../opt/liba.so", &[(NEEDED, "libb.so"), (SONAME, "libz.so")]);
        fake.lib("/bin/../opt/libb.so", &[(NEEDED, "libz.so"), (NEEDED, "libe.so")])
            .lib("/never/libz.so", &[]);
        fake.lib("/usr/local/lib/libd.so", &[]).lib("/usr/lib/libz.so", &[]);
        fake.link("/lib/libe.so", "/usr/lib/libz.so");
        let settings = Settings::default();
        assert_eq!(
            fake.shown(MUSL, &settings),
            "/bin/../opt/liba.so /usr/local/lib/libd.so /bin/../opt/libb.so /usr/lib/libz.so"
        );
        fake.file("/etc/ld-musl-x86_64.path", b"/x\n/y:/lib".to_vec()).lib("/y/libd.so", &[]);
        assert_eq!(
            fake.shown(MUSL, &settings),
            "/bin/../opt/liba.so /y/libd.so /bin/../opt/libb.so /lib/libe.so !libz.so"
        );
        let first = Settings { library_path: Some(b"/z".to_vec()), ..settings };
        fake.file("/z/libd.so", b"text, not passed over".to_vec());
        assert!(fake.shown(MUSL, &first).ends_with("!libd.so !libz.so"), "{}", fake.shown(MUSL, &first));
    }

    #[test]
    fn a_program_that_asks_for_too_much_is_given_up() {
        let mut fake = fake();
        let entries: Vec<_> = (0..2000).map(|number| (NEEDED, format!("lib{number}.so"))).collect();
        let directories = (0..2000).map(|number| format!("/{number}")).collect::<Vec<_>>().join(":");
        let mut entries: Vec<_> = entries.iter().map(|(tag, name)| (*tag, name.as_str())).collect();
        entries.push((RPATH, &directories));
        fake.lib("/bin/prog", &entries);
        for loader in [GLIBC, MUSL] {
            let graph = fake.resolve(loader, &Settings::default());
            assert!(matches!(graph.limit, Some(Limit::Tries(_))), "{loader}");
            assert!(!graph.is_closed());
        }
    }

    #[test]
    fn a_configuration_that_includes_itself_ends() {
        let mut fake = fake();
        fake.file("/etc/ld.so.conf", b"/a\ninclude ld.so.conf.d/*.conf\n/b\n/a\nrelative\n".to_vec());
        fake.file("/etc/ld.so.conf.d/1.conf", b"include /etc/ld.so.conf\n/c\ninclude 2.conf\n".to_vec());
        fake.file("/etc/ld.so.conf.d/2.conf", b"/d/\n".to_vec());
        fake.file("/etc/ld.so.conf.d/no", b"/e\n".to_vec());
        let found = directories(&fake, b"/etc/ld.so.conf");
        let found: Vec<_> = found.iter().map(|path| std::str::from_utf8(path).unwrap()).collect();
        assert_eq!(found, ["/a", "/c", "/d", "/b"]);
    }
}
