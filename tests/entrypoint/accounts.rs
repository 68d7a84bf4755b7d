//! The accounts that a test's root has, whatever the image has.

use crate::case::Case;
use crate::inside::{ENTRYPOINT, GB};
use crate::root::Root;
use crate::running::Done;

pub const PASSWD: &str = "\
root:x:0:0:root:/root:/bin/bash
daemon:x:1:1:daemon:/usr/sbin:/usr/sbin/nologin
games:x:5:60:games:/usr/games:/usr/sbin/nologin
nobody:x:65534:65534:nobody:/nonexistent:/usr/sbin/nologin
dev:x:1000:1000::/home/dev:/bin/bash
";

/// games is in users as well; 998 is what a Docker socket would belong to.
pub const GROUP: &str = "\
root:x:0:
daemon:x:1:
games:x:60:
users:x:100:games
docker:x:998:
dev:x:1000:
nogroup:x:65534:
";

pub const SHADOW: &str = "\
root:*:20000:0:99999:7:::
daemon:*:20000:0:99999:7:::
games:*:20000:0:99999:7:::
nobody:*:20000:0:99999:7:::
dev:!:20000:0:99999:7:::
";

/// The group of /etc/shadow in Debian.
pub const SHADOW_GID: u32 = 42;

/// A script that prints `uid:gid:gid,other groups in ascending order HOME`.
pub const WHO: &str = r#"printf '%s:%s:%s %s\n' "$(id -u)" "$(id -g)" "$(id -G | tr ' ' ',')" "$HOME""#;

/// A root with these accounts.
pub fn root() -> Root {
    Root::new().passwd(PASSWD).group(GROUP).file_of("/etc/shadow", SHADOW, 0o640, (0, SHADOW_GID))
}

/// A root with these accounts, and a LOCAL_USER_ID.
pub fn asking_for(uid: &str) -> Root {
    root().env("LOCAL_USER_ID", uid)
}

/// How an image can start the entrypoint. What comes out must not depend on it.
#[derive(Debug, Clone, Copy)]
pub struct Way {
    pub name: &'static str,
    words: &'static [&'static str],
    init: bool,
}

pub const WAYS: [Way; 3] = [
    Way { name: "as entrypoint.sh below an init", words: &[ENTRYPOINT], init: true },
    Way { name: "as entrypoint.sh being PID 1", words: &[ENTRYPOINT], init: false },
    Way { name: "as gb run -- below an init", words: &[GB, "run", "--"], init: true },
];

impl Way {
    /// Runs a command by gb.
    #[track_caller]
    pub fn run(self, root: &Root, command: &[&str]) -> Done {
        let root = if self.init { root.clone().init() } else { root.clone() };
        root.run(self.words.iter().chain(command)).started(self.name)
    }
}

/// A test that gb gives the same answer however it is started.
pub fn every_way(
    name: impl Into<String>,
    root: impl Fn() -> Root + Send + 'static,
    command: &'static [&'static str],
    check: impl Fn(Done) + Send + 'static,
) -> Case {
    Case::new(name, move || {
        for way in WAYS {
            check(way.run(&root(), command));
        }
    })
}

/// Expects that nothing was written: no account, no group, no home.
#[track_caller]
pub fn untouched(done: &Done) {
    let now = ["/etc/passwd", "/etc/group", "/etc/shadow"].map(|file| done.file(file));
    assert_eq!(now, [PASSWD, GROUP, SHADOW], "{done}");
    assert!(done.changed("/home").is_empty(), "{:?} in /home: {done}", done.changed("/home"));
}
