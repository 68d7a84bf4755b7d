//! What callers of the go-build image rely on: its `entrypoint.sh`, followed by su-exec, as data, and what gb does.
//!
//! The original's column was measured with the script of projectcalico/toolchain (images/calico-go-build/entrypoint.sh)
//! on Debian's shadow 4.13. Where gb differs, the row names the line of docs/compat.md that says why.

use std::collections::BTreeSet;
use std::ffi::OsStr;
use std::os::unix::ffi::OsStrExt;

use crate::accounts::{GROUP, PASSWD, SHADOW_GID, WAYS, WHO, every_way, root, untouched};
use crate::case::Case;
use crate::compat::{Deviation, is_documented};
use crate::inside::ENTRYPOINT;
use crate::root::{PATH, Root};
use crate::running::Done;

use Gb::{Differs, Same};
use Outcome::{Fails, Runs, RunsAt};

/// What becomes of a command.
#[derive(Debug, Clone, Copy)]
enum Outcome {
    /// It runs as uid:gid:groups with HOME=/home/user.
    Runs(&'static str),
    /// It runs as uid:gid:groups with another HOME.
    RunsAt(&'static str, &'static str),
    /// It does not run, and this is the exit code.
    Fails(i32),
}

/// What gb does.
#[derive(Debug, Clone, Copy)]
enum Gb {
    /// As the original.
    Same,
    /// Something better.
    Differs(Deviation, Outcome),
}

/// Who the command runs as.
struct Identity {
    name: &'static str,
    root: fn() -> Root,
    env: &'static [(&'static str, &'static str)],
    original: Outcome,
    gb: Gb,
    /// What the original says too, after the line `Starting with UID`.
    says: &'static [&'static str],
    /// Words of the one message that gb adds; nothing if it has none to add.
    warns: &'static [&'static str],
}

/// A row where gb does as the original does.
const fn same(
    name: &'static str,
    env: &'static [(&'static str, &'static str)],
    original: Outcome,
    says: &'static [&'static str],
) -> Identity {
    Identity { name, root, env, original, gb: Same, says, warns: &[] }
}

/// A row where the original does something that helps nobody.
const fn better(
    name: &'static str,
    env: &'static [(&'static str, &'static str)],
    original: Outcome,
    deviation: Deviation,
    gb: Outcome,
    warns: &'static [&'static str],
) -> Identity {
    Identity { name, root, env, original, gb: Differs(deviation, gb), says: &[], warns }
}

fn identities() -> Vec<Identity> {
    let mut rows = vec![
        // C01, C02
        same(
            "LOCAL_USER_ID is the uid, the gid and the only group",
            &[("LOCAL_USER_ID", "4242")],
            Runs("4242:4242:4242"),
            &[],
        ),
        same(
            "LOCAL_USER_ID=60000 is within the range of the original",
            &[("LOCAL_USER_ID", "60000")],
            Runs("60000:60000:60000"),
            &[],
        ),
        same("without LOCAL_USER_ID the uid is 9001", &[], Runs("9001:9001:9001"), &[]),
        same("an empty LOCAL_USER_ID is none", &[("LOCAL_USER_ID", "")], Runs("9001:9001:9001"), &[]),
        same(
            "a LOCAL_USER_ID may have leading zeros",
            &[("LOCAL_USER_ID", "04242")],
            Runs("4242:4242:4242"),
            &[],
        ),
        // C06
        same(
            "HOME is /home/user whatever HOME the container was given",
            &[("LOCAL_USER_ID", "4242"), ("HOME", "/omg")],
            Runs("4242:4242:4242"),
            &[],
        ),
        // C04, C05
        same(
            "RUN_AS_ROOT=true runs as root, with nothing said and nothing touched",
            &[("RUN_AS_ROOT", "true")],
            RunsAt("0:0:0", "/root"),
            &[],
        ),
        same(
            "RUN_AS_ROOT=true counts more than LOCAL_USER_ID",
            &[("RUN_AS_ROOT", "true"), ("LOCAL_USER_ID", "4242")],
            RunsAt("0:0:0", "/root"),
            &[],
        ),
        same(
            "RUN_AS_ROOT=true leaves HOME as it was given",
            &[("RUN_AS_ROOT", "true"), ("HOME", "/omg")],
            RunsAt("0:0:0", "/omg"),
            &[],
        ),
        same(
            "RUN_AS_ROOT=true looks at no other variable",
            &[("RUN_AS_ROOT", "true"), ("LOCAL_USER_ID", "abc"), ("EXTRA_GROUP_ID", "-5")],
            RunsAt("0:0:0", "/root"),
            &[],
        ),
        same(
            "an empty RUN_AS_ROOT is none",
            &[("RUN_AS_ROOT", ""), ("LOCAL_USER_ID", "4242")],
            Runs("4242:4242:4242"),
            &[],
        ),
        same(
            "RUN_AS_ROOT=false is none",
            &[("RUN_AS_ROOT", "false"), ("LOCAL_USER_ID", "4242")],
            Runs("4242:4242:4242"),
            &[],
        ),
        // C09 - C13
        same(
            "EXTRA_GROUP_ID is joined",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "5555")],
            Runs("4242:4242:4242,5555"),
            &["Adding user to additional GID: 5555"],
        ),
        same(
            "EXTRA_GROUP_ID may be a group that exists",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "998")],
            Runs("4242:4242:4242,998"),
            &["Adding user to additional GID: 998", "Adding user to existing group instead"],
        ),
        same(
            "EXTRA_GROUP_ID may be 0",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "0")],
            Runs("4242:4242:4242,0"),
            &["Adding user to additional GID: 0", "Adding user to existing group instead"],
        ),
        same(
            "EXTRA_GROUP_ID may be the name of a group",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "docker")],
            Runs("4242:4242:4242,998"),
            &["Adding user to additional GID: docker", "Adding user to existing group instead"],
        ),
        same(
            "EXTRA_GROUP_ID may be the user's own",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "4242")],
            Runs("4242:4242:4242"),
            &["Adding user to additional GID: 4242", "Adding user to existing group instead"],
        ),
        same(
            "an empty EXTRA_GROUP_ID is none",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "")],
            Runs("4242:4242:4242"),
            &[],
        ),
        // What the original parses as strtol(3) does.
        better(
            "a plus sign before LOCAL_USER_ID is a mistake",
            &[("LOCAL_USER_ID", "+4242")],
            Runs("4242:4242:4242"),
            "uid-plus-sign",
            Fails(125),
            &["LOCAL_USER_ID", "+4242"],
        ),
        better(
            "a space before LOCAL_USER_ID is a mistake",
            &[("LOCAL_USER_ID", " 4242")],
            Runs("4242:4242:4242"),
            "uid-plus-sign",
            Fails(125),
            &["LOCAL_USER_ID", " 4242"],
        ),
        // EXTRA_GROUP_ID that is none
        better(
            "an EXTRA_GROUP_ID below 0 is a mistake",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "-5")],
            Runs("4242:4242:4242"),
            "extra-group-invalid",
            Fails(125),
            &["EXTRA_GROUP_ID", "-5"],
        ),
        better(
            "two gids in EXTRA_GROUP_ID are a mistake",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "100 101")],
            Runs("4242:4242:4242"),
            "extra-group-invalid",
            Fails(125),
            &["EXTRA_GROUP_ID", "100 101"],
        ),
        better(
            "an EXTRA_GROUP_ID that names no group is a mistake",
            &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "nosuch")],
            Runs("4242:4242:4242"),
            "extra-group-invalid",
            Fails(125),
            &["EXTRA_GROUP_ID", "nosuch"],
        ),
        // Accounts that are there already
        better(
            "a uid of the image's is used with its group",
            &[("LOCAL_USER_ID", "1000")],
            Fails(1),
            "existing-uid",
            Runs("1000:1000:1000"),
            &[],
        ),
        better(
            "a uid of the image's keeps its groups",
            &[("LOCAL_USER_ID", "5")],
            Fails(1),
            "existing-uid",
            Runs("5:60:60,100"),
            &[],
        ),
        better(
            "uid 1 is a uid as any other",
            &[("LOCAL_USER_ID", "1")],
            Fails(1),
            "existing-uid",
            Runs("1:1:1"),
            &[],
        ),
        better(
            "uid 65534 is a uid as any other",
            &[("LOCAL_USER_ID", "65534")],
            Fails(1),
            "existing-uid",
            Runs("65534:65534:65534"),
            &[],
        ),
        better(
            "uid 0 runs as root, and says so",
            &[("LOCAL_USER_ID", "0")],
            Fails(1),
            "existing-uid",
            Runs("0:0:0"),
            &["root"],
        ),
        Identity {
            name: "a group with the gid of LOCAL_USER_ID is shared",
            root: || root().group("root:x:0:\nbuilders:x:4242:\n"),
            env: &[("LOCAL_USER_ID", "4242")],
            original: Runs("4242:4243:4243"),
            gb: Differs("gid-equals-uid", Runs("4242:4242:4242")),
            says: &[],
            warns: &[],
        },
        Identity {
            name: "a group named user with another gid is in nobody's way",
            root: || root().group("root:x:0:\nuser:x:777:\n"),
            env: &[("LOCAL_USER_ID", "4242")],
            original: Fails(1),
            gb: Differs("name-user-taken", Runs("4242:4242:4242")),
            says: &[],
            warns: &[],
        },
        Identity {
            name: "an account named user with another uid is not run as",
            root: || {
                root().passwd("root:x:0:0:root:/root:/bin/sh\nuser:x:777:777:Jane:/home/jane:/bin/zsh\n")
            },
            env: &[("LOCAL_USER_ID", "4242")],
            original: RunsAt("777:777:777", "/home/jane"),
            gb: Differs("name-user-taken", Runs("4242:4242:4242")),
            says: &[],
            warns: &[],
        },
        Identity {
            name: "EXTRA_GROUP_ID is joined although a group named group exists",
            root: || root().group("root:x:0:\ngroup:x:700:\n"),
            env: &[("LOCAL_USER_ID", "4242"), ("EXTRA_GROUP_ID", "5555")],
            original: Runs("4242:4242:4242"),
            gb: Differs("name-group-taken", Runs("4242:4242:4242,5555")),
            says: &["Adding user to additional GID: 5555"],
            warns: &[],
        },
        // The container is not as usual.
        Identity {
            name: "docker run --user runs as that user",
            root: || root().user(5000, 6000),
            env: &[],
            original: Fails(1),
            gb: Differs("started-as-user", RunsAt("5000:6000:6000", "/tmp/gb-home-5000")),
            says: &[],
            warns: &[],
        },
        Identity {
            name: "docker run --user with the same LOCAL_USER_ID says nothing",
            root: || root().user(5000, 5000),
            env: &[("LOCAL_USER_ID", "5000")],
            original: Fails(1),
            gb: Differs("started-as-user", RunsAt("5000:5000:5000", "/tmp/gb-home-5000")),
            says: &[],
            warns: &[],
        },
        Identity {
            name: "docker run --user with another LOCAL_USER_ID runs as --user says, with a warning",
            root: || root().user(5000, 5000),
            env: &[("LOCAL_USER_ID", "4242")],
            original: Fails(1),
            gb: Differs("started-as-user", RunsAt("5000:5000:5000", "/tmp/gb-home-5000")),
            says: &[],
            warns: &["LOCAL_USER_ID", "4242", "5000"],
        },
        Identity {
            name: "docker run --user with RUN_AS_ROOT=true runs as --user says",
            root: || root().user(5000, 5000),
            env: &[("RUN_AS_ROOT", "true")],
            original: RunsAt("5000:5000:5000", "/"),
            gb: Differs("anonymous-home", RunsAt("5000:5000:5000", "/tmp/gb-home-5000")),
            says: &[],
            warns: &["RUN_AS_ROOT=true", "started as uid 5000"],
        },
        Identity {
            name: "a read-only root file system gets a HOME elsewhere, with a warning",
            root: || root().read_only(),
            env: &[("LOCAL_USER_ID", "4242")],
            original: Fails(1),
            gb: Differs("read-only-root", RunsAt("4242:4242:4242", "/dev/shm/gb-home-4242")),
            says: &[],
            warns: &["/home/user", "/dev/shm/gb-home-4242"],
        },
        Identity {
            name: "a file at /home/user gives a HOME elsewhere, with a warning",
            root: || root().file("/home/user", "", 0o644),
            env: &[("LOCAL_USER_ID", "4242")],
            original: Runs("4242:4242:4242"),
            gb: Differs("home-not-usable", RunsAt("4242:4242:4242", "/tmp/gb-home-4242")),
            says: &[],
            warns: &["/home/user", "/tmp/gb-home-4242"],
        },
    ];
    // C25, and what else useradd finds no group for: the gid is that of the next free group from 1000 upwards.
    macro_rules! outside_of_the_range {
        ($($uid:literal)+) => {
            $(rows.push(better(
                concat!("LOCAL_USER_ID=", $uid, " is the gid too"),
                &[("LOCAL_USER_ID", $uid)],
                Runs(concat!($uid, ":1001:1001")),
                "gid-equals-uid",
                Runs(concat!($uid, ":", $uid, ":", $uid)),
                &[],
            ));)+
        };
    }
    outside_of_the_range!["500" "777" "999" "60001" "65533" "65535" "100000" "713578628" "2147483648" "4294967294"];
    // B08
    macro_rules! invalid {
        ($($value:literal)+) => {
            $(rows.push(better(
                concat!("LOCAL_USER_ID=", $value, " is refused, and never root"),
                &[("LOCAL_USER_ID", $value)],
                Fails(1),
                "invalid-uid-125",
                Fails(125),
                &["LOCAL_USER_ID", $value],
            ));)+
        };
    }
    invalid!["abc" "-1" "-2" "+0" " 0" "0x0" "0x10" "1e3" "4242.0" "4242 " "root" "1000:0" "4294967295" "4294967296" "99999999999999999999" "٤٢" " "];
    // C05
    macro_rules! near_miss {
        ($($value:literal)+) => {
            $(rows.push(better(
                concat!("RUN_AS_ROOT=", $value, " does not count, and gb says so"),
                &[("RUN_AS_ROOT", $value), ("LOCAL_USER_ID", "4242")],
                Runs("4242:4242:4242"),
                "run-as-root-near-miss",
                Runs("4242:4242:4242"),
                &["RUN_AS_ROOT", $value],
            ));)+
        };
    }
    near_miss!["TRUE" "True" "1" "yes" "'true'" "\"true\"" "true "];
    rows
}

impl Identity {
    fn case(self) -> Case {
        Case::new(self.name, move || {
            for way in WAYS {
                self.check(way.run(&(self.root)().envs(self.env), &["sh", "-c", WHO]));
            }
        })
    }

    #[track_caller]
    fn check(&self, done: Done) {
        let outcome = match self.gb {
            Same => self.original,
            Differs(_, outcome) => outcome,
        };
        let (ids, home) = match outcome {
            Runs(ids) => (ids, "/home/user"),
            RunsAt(ids, home) => (ids, home),
            Fails(code) => {
                untouched(&done.refuses(code, self.warns));
                return;
            }
        };
        let done = done.code(0).prints(format!("{ids} {home}\n"));
        let done = if self.warns.is_empty() { done } else { done.warns(self.warns) };
        let said: Vec<_> = done.err().lines().filter(|line| !line.starts_with("gb: ")).collect();
        assert_eq!(said, self.said(), "{done}");
        assert!(!self.warns.is_empty() || done.messages().is_empty(), "a message nobody needs: {done}");
    }

    /// The lines of the original on standard error.
    fn said(&self) -> Vec<String> {
        let value = |name| self.env.iter().find(|(known, _)| *known == name).map_or("", |(_, value)| value);
        // It says nothing where it does not change the user.
        let stays = value("RUN_AS_ROOT") == "true" || matches!(self.gb, Differs("started-as-user", _));
        let uid = if value("LOCAL_USER_ID").is_empty() { "9001" } else { value("LOCAL_USER_ID") };
        let first = (!stays).then(|| format!("Starting with UID: {uid}"));
        first.into_iter().chain(self.says.iter().map(|line| (*line).to_owned())).collect()
    }
}

/// What a command finds and what its caller gets, with LOCAL_USER_ID=4242.
struct Behaviour {
    name: &'static str,
    root: fn(Root) -> Root,
    command: &'static [&'static str],
    /// Exit code and standard output of the original.
    original: (i32, &'static str),
    /// The same of gb where that differs, and words of its message.
    gb: Option<(Deviation, i32, &'static str, &'static [&'static str])>,
}

/// A row where gb does as the original does.
const fn as_ever(
    name: &'static str,
    root: fn(Root) -> Root,
    command: &'static [&'static str],
    original: (i32, &'static str),
) -> Behaviour {
    Behaviour { name, root, command, original, gb: None }
}

/// A row where gb fails as the original does, and says so in another way.
const fn fails(
    name: &'static str,
    root: fn(Root) -> Root,
    command: &'static [&'static str],
    original: (i32, &'static str),
    gb: (Deviation, i32),
    words: &'static [&'static str],
) -> Behaviour {
    Behaviour { name, root, command, original, gb: Some((gb.0, gb.1, "", words)) }
}

const SU_EXEC_USAGE: &str = "Usage: /usr/bin/su-exec user-spec command [args]\n";

fn behaviours() -> Vec<Behaviour> {
    vec![
        // C14, C22, C23
        as_ever(
            "a command's arguments arrive as they are",
            |r| r,
            &["printf", "[%s]", "a b", "", "$HOME", "*", "x\ny", "--", "-c", "--help"],
            (0, "[a b][][$HOME][*][x\ny][--][-c][--help]"),
        ),
        as_ever("a command's standard output is its own", |r| r, &["echo", "Hello", "x"], (0, "Hello x\n")),
        as_ever(
            "a command finds its name as it was typed",
            |r| r,
            &["cat", "/proc/self/cmdline"],
            (0, "cat\0/proc/self/cmdline\0"),
        ),
        // C16
        as_ever("exit code 0 is handed on", |r| r, &["sh", "-c", "exit 0"], (0, "")),
        as_ever("exit code 1 is handed on", |r| r, &["sh", "-c", "exit 1"], (1, "")),
        as_ever("exit code 2 is handed on", |r| r, &["sh", "-c", "exit 2"], (2, "")),
        as_ever("exit code 42 is handed on", |r| r, &["sh", "-c", "exit 42"], (42, "")),
        as_ever("exit code 125 is handed on", |r| r, &["sh", "-c", "exit 125"], (125, "")),
        as_ever("exit code 127 is handed on", |r| r, &["sh", "-c", "exit 127"], (127, "")),
        as_ever("exit code 255 is handed on", |r| r, &["sh", "-c", "exit 255"], (255, "")),
        // C17 - C19
        as_ever("standard input is the command's", |r| r.input("hi\n"), &["cat"], (0, "hi\n")),
        as_ever("the working directory stays", |r| r.workdir("/usr/share"), &["pwd"], (0, "/usr/share\n")),
        as_ever(
            "a working directory that the user can't enter stays",
            |r| r.prepare("chmod 700 /root").workdir("/root"),
            &["readlink", "/proc/self/cwd"],
            (0, "/root\n"),
        ),
        as_ever("the umask stays", |r| r.umask("027"), &["sh", "-c", "umask"], (0, "0027\n")),
        // C20
        as_ever(
            "only the standard streams are open",
            |r| r,
            &["sh", "-c", "ls -x /proc/self/fd"],
            (0, "0  1  2  3\n"),
        ),
        // C21, C26
        as_ever(
            "a script without #! is run by the shell",
            |r| r.file("/opt/script", "echo \"$1 $0\"\n", 0o755),
            &["/opt/script", "a b"],
            (0, "a b /opt/script\n"),
        ),
        as_ever(
            "a command is looked up as the user",
            |r| {
                r.file("/private/tool", "#!/bin/sh\necho private\n", 0o755)
                    .prepare("chmod 700 /private")
                    .file("/opt/tool", "#!/bin/sh\necho public\n", 0o755)
                    .env("PATH", "/private:/opt:/usr/bin:/bin")
            },
            &["tool"],
            (0, "public\n"),
        ),
        as_ever(
            "a file that only root may run is not found in PATH where another is",
            |r| {
                r.file("/private/tool", "#!/bin/sh\necho private\n", 0o700)
                    .file("/opt/tool", "#!/bin/sh\necho public\n", 0o755)
                    .env("PATH", "/private:/opt:/usr/bin:/bin")
            },
            &["tool"],
            (0, "public\n"),
        ),
        // Nothing of root's is left, and nothing else is changed.
        as_ever(
            "a command has no capabilities, and may get new privileges",
            |r| r,
            &["grep", "-E", "^(Cap(Inh|Prm|Eff|Amb)|NoNewPrivs)", "/proc/self/status"],
            (
                0,
                "CapInh:\t0000000000000000\nCapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\nNoNewPrivs:\t0\n",
            ),
        ),
        as_ever(
            "a command's four uids and gids are the user's",
            |r| r,
            &["grep", "-E", "^[UG]id|^Groups", "/proc/self/status"],
            (0, "Uid:\t4242\t4242\t4242\t4242\nGid:\t4242\t4242\t4242\t4242\nGroups:\t4242 \n"),
        ),
        // What cannot be run
        fails(
            "a command that is not there ends with 127",
            |r| r,
            &["no-such-command"],
            (1, ""),
            ("not-found-127", 127),
            &["no-such-command", "not found"],
        ),
        fails(
            "a path that is not there ends with 127",
            |r| r,
            &["/no/such/command"],
            (1, ""),
            ("not-found-127", 127),
            &["/no/such/command"],
        ),
        fails(
            "a word of the shell is no command",
            |r| r,
            &["cd", "/"],
            (1, ""),
            ("not-found-127", 127),
            &["cd"],
        ),
        fails(
            "a command -c is looked up as any other",
            |r| r,
            &["-c", "echo"],
            (1, ""),
            ("not-found-127", 127),
            &["-c"],
        ),
        fails(
            "a file that may not be run ends with 126",
            |r| r,
            &["/etc/passwd"],
            (1, ""),
            ("cannot-run-126", 126),
            &["/etc/passwd"],
        ),
        fails("a directory ends with 126", |r| r, &["/etc"], (1, ""), ("cannot-run-126", 126), &["/etc"]),
        fails(
            "without a command there is a message, on standard error",
            |r| r,
            &[],
            (1, SU_EXEC_USAGE),
            ("no-command", 125),
            &["command"],
        ),
        // RUN_AS_ROOT hands the command to bash's exec.
        as_ever(
            "with RUN_AS_ROOT a command that is not there ends with 127",
            |r| r.env("RUN_AS_ROOT", "true"),
            &["no-such-command"],
            (127, ""),
        ),
        as_ever(
            "with RUN_AS_ROOT a file that may not be run ends with 126",
            |r| r.env("RUN_AS_ROOT", "true"),
            &["/etc/passwd"],
            (126, ""),
        ),
        fails(
            "with RUN_AS_ROOT options before the command are no options of exec",
            |r| r.env("RUN_AS_ROOT", "true"),
            &["-a", "name", "sh", "-c", "echo $0"],
            (0, "name\n"),
            ("options-of-exec", 127),
            &["-a"],
        ),
        fails(
            "with RUN_AS_ROOT and without a command there is a message",
            |r| r.env("RUN_AS_ROOT", "true"),
            &[],
            (1, SU_EXEC_USAGE),
            ("no-command", 125),
            &["command"],
        ),
        Behaviour {
            name: "BASH_ENV is not run as root",
            root: |r| r.file("/x", "id -u\n", 0o644).env("BASH_ENV", "/x"),
            command: &["true"],
            original: (0, "0\n"),
            gb: Some(("bash-env", 0, "", &[])),
        },
    ]
}

impl Behaviour {
    fn case(self) -> Case {
        Case::new(self.name, move || {
            for way in WAYS {
                let root = (self.root)(root().env("LOCAL_USER_ID", "4242"));
                self.check(way.run(&root, self.command));
            }
        })
    }

    #[track_caller]
    fn check(&self, done: Done) {
        let (code, stdout) = self.gb.map_or(self.original, |(_, code, stdout, _)| (code, stdout));
        let done = done.code(code).prints(stdout);
        match self.gb {
            Some((_, _, _, words)) if !words.is_empty() => drop(done.warns(words)),
            // The original's failure has no name for the message.
            None if code == 126 || code == 127 && !self.command.contains(&"sh") => {
                drop(done.warns(self.command))
            }
            _ => assert!(done.messages().is_empty(), "a message nobody needs: {done}"),
        }
    }
}

/// What no row can state.
fn others() -> Vec<Case> {
    let user = || root().env("LOCAL_USER_ID", "4242");
    vec![
        Case::new("arguments and values that are no UTF-8 arrive byte for byte", move || {
            let odd = OsStr::from_bytes(b"\xff\xfe\n=\x1b");
            let root = user().env("ODD", odd).init();
            let words = [ENTRYPOINT, "sh", "-c", r#"printf '%s|%s' "$1" "$ODD""#, "sh"].map(OsStr::new);
            let done = root.run(words.into_iter().chain([odd])).code(0);
            done.prints(b"\xff\xfe\n=\x1b|\xff\xfe\n=\x1b");
        }),
        // C15. The original's bash adds PWD, SHLVL and OLDPWD: is_documented below.
        every_way(
            "a command's environment is the container's, with another HOME and nothing more",
            move || user().envs(&[("EMPTY", ""), ("LINES", "a\nb"), ("USER", "me")]),
            &["cat", "/proc/self/environ"],
            |done| {
                let mut found: Vec<_> = done.out().split_terminator('\0').collect();
                found.sort();
                let path = format!("PATH={PATH}");
                let expected = [
                    "EMPTY=",
                    "HOME=/home/user",
                    "HOSTNAME=case",
                    "LINES=a\nb",
                    "LOCAL_USER_ID=4242",
                    &path,
                    "USER=me",
                ];
                assert_eq!(found, expected, "{done}");
            },
        ),
        // C20
        Case::new("a descriptor of the caller's is the command's too", move || {
            let root = user().file("/etc/seven", "seven\n", 0o600);
            let done = root.sh("entrypoint.sh sh -c 'cat <&7; ls -x /proc/self/fd' 7</etc/seven");
            done.code(0).prints("seven\n0  1  2  3  7\n");
        }),
        // C07
        every_way(
            "the home is made from /etc/skel, and is the user's",
            move || user().file("/etc/skel/dir/file", "skel\n", 0o600).umask("077"),
            &["sh", "-c", "ls -A ~; cat ~/dir/file; touch ~/new"],
            |done| {
                let done = done.code(0).prints(".bash_logout\n.bashrc\n.profile\ndir\nskel\n");
                let modes =
                    ["/home/user", "/home/user/dir", "/home/user/dir/file"].map(|file| done.mode(file));
                assert_eq!(modes, [(0o755, 4242, 4242), (0o755, 4242, 4242), (0o600, 4242, 4242)], "{done}");
            },
        ),
        // C08. The original leaves it root's.
        every_way(
            "a home that is there keeps what is in it, and becomes the user's",
            move || {
                user().file("/home/user/.docker/config.json", "{}\n", 0o644).file_of(
                    "/home/user/own",
                    "",
                    0o640,
                    (7, 8),
                )
            },
            &["sh", "-c", "ls -A ~; touch ~/new ~/.docker/new"],
            |done| {
                let done = done.code(0).prints(".docker\nown\n").says("Starting with UID: 4242\n");
                let modes =
                    ["/home/user", "/home/user/.docker", "/home/user/own"].map(|file| done.mode(file));
                assert_eq!(modes, [(0o755, 4242, 4242), (0o755, 4242, 4242), (0o640, 7, 8)], "{done}");
            },
        ),
        // C24
        every_way("the account is the original's, with no password", user, &["id", "-un"], |done| {
            let done = done.code(0).prints("user\n");
            assert_eq!(
                done.file("/etc/passwd"),
                format!("{PASSWD}user:x:4242:4242::/home/user:/bin/bash\n"),
                "{done}"
            );
            assert_eq!(done.file("/etc/group"), format!("{GROUP}user:x:4242:\n"), "{done}");
            let shadow = done.line("/etc/shadow", "user:");
            let fields: Vec<_> = shadow.split(':').collect();
            assert!(fields.len() == 9 && fields[1].starts_with('!'), "{shadow}");
            assert!(fields[2].chars().all(|c| c.is_ascii_digit()), "{shadow}");
            let modes = ["/etc/passwd", "/etc/group", "/etc/shadow"].map(|file| done.mode(file));
            assert_eq!(modes, [(0o644, 0, 0), (0o644, 0, 0), (0o640, 0, SHADOW_GID)], "{done}");
            // No file of an unfinished change, no backup that somebody could take for an account file.
            let mut left = done.changed("/etc");
            left.retain(|name| {
                !["passwd", "group", "shadow", ".pwd.lock", "gshadow"].contains(&name.as_str())
            });
            assert!(left.is_empty(), "{left:?} in /etc: {done}");
        }),
        every_way(
            "an extra group has the user as its member",
            move || user().env("EXTRA_GROUP_ID", "5555"),
            &["true"],
            |done| {
                let done = done.code(0);
                assert_eq!(
                    done.file("/etc/group"),
                    format!("{GROUP}user:x:4242:\ngroup:x:5555:user\n"),
                    "{done}"
                );
            },
        ),
        every_way(
            "an extra group that is there gets the user as one more member",
            move || user().env("EXTRA_GROUP_ID", "100"),
            &["true"],
            |done| {
                assert_eq!(done.line("/etc/group", "users:"), "users:x:100:games,user");
            },
        ),
        every_way(
            "RUN_AS_ROOT=true makes no account",
            || root().env("RUN_AS_ROOT", "true"),
            &["true"],
            |done| {
                untouched(&done.code(0).prints("").says(""));
            },
        ),
        // As PID 1 the original is its command, which as PID 1 can't be ended by TERM.
        Case::new("as PID 1 a command that sends itself TERM is ended by it", move || {
            user().run([ENTRYPOINT, "sh", "-c", "kill -TERM $$; echo survived"]).code(143).prints("");
        }),
        Case::new("with GB_INIT=0 a command is PID 1 as it is with the original", move || {
            user()
                .env("GB_INIT", "0")
                .run([ENTRYPOINT, "sh", "-c", "echo $$; kill -TERM $$; echo survived"])
                .code(0)
                .prints("1\nsurvived\n");
        }),
    ]
}

/// Differences that only `others` looks at.
const OTHER_DEVIATIONS: [Deviation; 3] = ["environment-of-bash", "home-owner", "init"];

pub fn cases() -> Vec<Case> {
    let (identities, behaviours) = (identities(), behaviours());
    let of_identities = identities.iter().filter_map(|row| match row.gb {
        Same => None,
        Differs(id, _) => Some(id),
    });
    let of_behaviours = behaviours.iter().filter_map(|row| row.gb.map(|(id, ..)| id));
    let deviations: BTreeSet<_> = of_identities.chain(of_behaviours).chain(OTHER_DEVIATIONS).collect();
    let rows = identities.into_iter().map(Identity::case).chain(behaviours.into_iter().map(Behaviour::case));
    rows.chain(others()).chain(deviations.into_iter().map(is_documented)).collect()
}
