//! Becoming the command: what it inherits, and what is told of one that can't be run.
//!
//! Exit codes were seen with su-exec 0.3 and with Debian 13's gosu 1.17, setpriv 2.41, dumb-init 1.2.5, tini 0.19.0,
//! catatonit 0.2.1 and coreutils 9.7.

use crate::accounts::{asking_for, every_way, root};
use crate::case::Case;
use crate::inside::{ENTRYPOINT, GB as GB_PATH, REAL_SU_EXEC, SU_EXEC};
use crate::root::Root;

/// Something that can become a command.
struct Tool {
    name: &'static str,
    words: &'static [&'static str],
}

/// In the order of a row's columns after gb's.
const TOOLS: [Tool; 8] = [
    Tool { name: "su-exec", words: &[REAL_SU_EXEC, "dev"] },
    Tool { name: "gosu", words: &["gosu", "dev"] },
    Tool { name: "setpriv", words: &["setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"] },
    Tool { name: "dumb-init", words: &["dumb-init"] },
    Tool { name: "tini", words: &["tini", "-s", "--"] },
    Tool { name: "catatonit", words: &["catatonit", "--"] },
    Tool { name: "env", words: &["env"] },
    Tool { name: "chroot", words: &["chroot", "--userspec=dev", "/"] },
];

/// The ways in which gb becomes a command.
const GB: [Tool; 4] = [
    Tool { name: "entrypoint.sh", words: &[ENTRYPOINT] },
    Tool { name: "gb run", words: &["gb", "run", "--"] },
    Tool { name: "gb run --no-init", words: &["gb", "run", "--no-init"] },
    Tool { name: "su-exec", words: &[SU_EXEC, "dev"] },
];

/// A command that can't be run, or only just.
struct Row {
    what: &'static str,
    command: &'static str,
    gb: i32,
    /// Words of gb's message.
    says: &'static [&'static str],
    /// What [`TOOLS`] end with.
    others: [i32; 8],
}

const ROWS: &[Row] = &[
    Row {
        what: "a name that PATH does not have",
        command: "no-such",
        gb: 127,
        says: &["no-such", "not found"],
        others: [1, 1, 127, 2, 127, 1, 127, 127],
    },
    Row {
        what: "a path that leads nowhere",
        command: "/no/such",
        gb: 127,
        says: &["/no/such"],
        others: [1, 1, 127, 2, 127, 1, 127, 127],
    },
    Row {
        what: "a directory",
        command: "/opt/dir",
        gb: 126,
        says: &["/opt/dir", "directory"],
        others: [1, 1, 126, 2, 126, 1, 126, 126],
    },
    Row {
        what: "a file that may not be run",
        command: "/opt/text",
        gb: 126,
        says: &["/opt/text"],
        others: [1, 1, 126, 2, 126, 1, 126, 126],
    },
    Row {
        what: "a script whose interpreter is missing",
        command: "/opt/missing",
        gb: 127,
        says: &["/opt/missing", "/nonexistent"],
        others: [1, 1, 127, 2, 127, 1, 127, 127],
    },
    Row {
        what: "a link to itself",
        command: "/opt/loop",
        gb: 126,
        says: &["/opt/loop"],
        others: [1, 1, 126, 2, 1, 1, 126, 126],
    },
    Row {
        what: "a script without #!",
        command: "/opt/script",
        gb: 3,
        says: &[],
        others: [3, 1, 3, 3, 3, 3, 3, 3],
    },
    Row {
        what: "a program of another machine",
        command: "/opt/elf",
        gb: 126,
        says: &["/opt/elf"],
        others: [127, 1, 127, 127, 127, 127, 127, 127],
    },
    Row {
        what: "a file on a file system without programs",
        command: "/noexec/true",
        gb: 126,
        says: &["/noexec/true"],
        others: [1, 1, 126, 2, 126, 1, 126, 126],
    },
];

/// docs/compat.md: path-search
/// A search for a command through PATH that does not go smoothly.
struct Search {
    what: &'static str,
    path: &'static str,
    command: &'static str,
    gb: i32,
    /// Words of gb's message.
    says: &'static [&'static str],
    /// What env, bash and dash end with: coreutils 9.7, bash 5.2, dash 0.5.12.
    others: [i32; 3],
}

/// In paths and commands LONG is a name longer than a file's may be, and LONGER a path longer than any.
const SEARCHES: &[Search] = &[
    Search {
        what: "a directory of PATH with a name that is too long is skipped",
        path: "/opt/LONG:/opt/good",
        command: "tool",
        gb: 0,
        says: &[],
        others: [126, 0, 0],
    },
    Search {
        what: "a directory of PATH that is too long as a whole is skipped",
        path: "/opt/LONGER:/opt/good",
        command: "tool",
        gb: 0,
        says: &[],
        others: [0, 0, 0],
    },
    Search {
        what: "what is nowhere is not found, although a directory of PATH is too long",
        path: "/opt/LONG:/opt/LONGER",
        command: "tool",
        gb: 127,
        says: &["tool", "not found"],
        others: [126, 127, 127],
    },
    Search {
        what: "a directory of PATH that is a loop of links is skipped",
        path: "/opt/loop:/opt/good",
        command: "tool",
        gb: 0,
        says: &[],
        others: [126, 0, 0],
    },
    Search {
        what: "what is nowhere is not found, although a directory of PATH is a loop of links",
        path: "/opt/loop",
        command: "tool",
        gb: 127,
        says: &["tool", "not found"],
        others: [126, 127, 127],
    },
    Search {
        what: "a program that is a link to itself does not hide a good one",
        path: "/opt/self:/opt/good",
        command: "tool",
        gb: 0,
        says: &[],
        others: [126, 0, 0],
    },
    Search {
        what: "a program that is a link to itself is there and can't be run",
        path: "/opt/self",
        command: "tool",
        gb: 126,
        says: &["/opt/self/tool"],
        others: [126, 127, 127],
    },
    Search {
        what: "a file in PATH is skipped",
        path: "/opt/text:/opt/good",
        command: "tool",
        gb: 0,
        says: &[],
        others: [0, 0, 0],
    },
    Search {
        what: "a directory of PATH that the user may not search is skipped",
        path: "/hidden:/opt/good",
        command: "tool",
        gb: 0,
        says: &[],
        others: [0, 0, 0],
    },
    Search {
        what: "a file that may not be run does not hide a good one",
        path: "/opt/plain:/opt/good",
        command: "tool",
        gb: 0,
        says: &[],
        others: [0, 0, 0],
    },
    Search {
        what: "a file that may not be run is there and can't be run",
        path: "/opt/plain",
        command: "tool",
        gb: 126,
        says: &["/opt/plain/tool", "chmod +x"],
        others: [126, 126, 127],
    },
    Search {
        what: "a name longer than any file's is not found",
        path: "/opt/good",
        command: "LONG",
        gb: 127,
        says: &["not found"],
        others: [126, 127, 127],
    },
    Search {
        what: "a path with a name that is too long can't be run",
        path: "/opt/good",
        command: "/opt/LONG",
        gb: 126,
        says: &["File name too long"],
        others: [126, 126, 127],
    },
];

/// A 64 bit program header of the machine EM_AARCH64 + 0x100, which nothing runs.
const ELF: [u8; 64] = {
    let mut elf = [0; 64];
    let start = [0x7f, b'E', b'L', b'F', 2, 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 2, 0, 0xb7, 1, 1];
    let mut at = 0;
    while at < start.len() {
        elf[at] = start[at];
        at += 1;
    }
    elf
};

fn lab() -> Root {
    asking_for("1000")
        .file("/opt/text", "text\n", 0o644)
        .file("/opt/missing", "#!/nonexistent -x\n", 0o755)
        .file("/opt/script", "exit 3\n", 0o755)
        .file("/opt/elf", ELF, 0o755)
        .prepare(
            "mkdir /opt/dir /noexec; ln -s loop /opt/loop
             mount -t tmpfs -o noexec none /noexec; cp /bin/true /noexec",
        )
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for row in ROWS {
        // docs/compat.md: su-exec-codes
        cases.push(Case::new(format!("{} ends with {} and gb's reason", row.what, row.gb), || {
            for way in &GB {
                for root in [lab(), lab().init()] {
                    let done =
                        root.run(way.words.iter().chain([&row.command])).started(way.name).code(row.gb);
                    if row.says.is_empty() {
                        assert!(done.messages().is_empty(), "a message nobody needs: {done}");
                    } else {
                        done.prints("").warns(row.says);
                    }
                }
            }
        }));
        for (tool, code) in TOOLS.iter().zip(row.others) {
            let name = format!("{}: {} ends with {code}", row.what, tool.name);
            let check = move || {
                lab().init().run(tool.words.iter().chain([&row.command])).code(code);
            };
            let make = if tool.words[0] == REAL_SU_EXEC { Case::original } else { Case::new };
            cases.push(make(name, Box::new(check)));
        }
    }
    cases.extend(inherited());
    cases.extend(paths());
    cases.extend(SEARCHES.iter().flat_map(Search::cases));
    cases.push(Case::new("a directory of PATH whose file system fails does not hide a good program", || {
        for (path, code, says) in [("/opt/bad:/opt/good", 0, ""), ("/opt/bad", 126, "I/O error")] {
            let root = lab().file("/opt/good/tool", "#!/bin/sh\n", 0o755);
            // strace stands for the file system.
            let script = format!(
                "PATH={path} exec /usr/bin/strace -qq -o /opt/trace -P /opt/bad/tool -e inject=%file:error=EIO \
                 {GB_PATH} run --no-init tool"
            );
            let done = root.init().sh(&script).code(code);
            assert!(done.err().contains(says), "{done}");
        }
    }));
    cases
}

impl Search {
    fn root(&self) -> Root {
        let root = lab().file("/opt/good/tool", "#!/bin/sh\n", 0o755).file("/opt/plain/tool", "", 0o644);
        root.file("/hidden/tool", "#!/bin/sh\n", 0o755)
            .prepare("mkdir /opt/self; ln -s tool /opt/self/tool; chmod 700 /hidden")
            .env("PATH", long(self.path))
    }

    fn cases(&'static self) -> [Case; 2] {
        let by_gb = Case::new(self.what, || {
            for words in [&[ENTRYPOINT][..], &[GB_PATH, "run", "--no-init"], &[SU_EXEC, "dev"]] {
                let done = self.root().init().run(words.iter().map(|w| long(w)).chain([long(self.command)]));
                let done = done.started(words[0]).code(self.gb);
                match self.says {
                    [] => assert!(done.messages().is_empty(), "a message nobody needs: {done}"),
                    says => drop(done.prints("").warns(says)),
                }
            }
        });
        let by_others = Case::new(format!("{}: what env, bash and dash make of that", self.what), || {
            const BY_SHELL: &str = "\"$0\"; exit $?";
            let tools =
                [&["/usr/bin/env"][..], &["/bin/bash", "-c", BY_SHELL], &["/bin/dash", "-c", BY_SHELL]];
            let user = ["/usr/bin/setpriv", "--reuid=1000", "--regid=1000", "--clear-groups"];
            for (tool, code) in tools.into_iter().zip(self.others) {
                let words = user.iter().chain(tool).map(|w| long(w)).chain([long(self.command)]);
                self.root().init().run(words).started(tool[0]).code(code);
            }
        });
        [by_gb, by_others]
    }
}

fn long(text: &str) -> String {
    let long = "n".repeat(256);
    text.replace("LONGER", &format!("{}/", "n".repeat(200)).repeat(25)).replace("LONG", &long)
}

/// B22
fn paths() -> Vec<Case> {
    let hidden = || {
        asking_for("4242")
            .file("/hidden/tool", "#!/bin/sh\n", 0o755)
            .prepare("chmod 700 /hidden")
            .env("PATH", "/hidden:/usr/bin:/bin")
    };
    vec![
        every_way(
            "a name is not found although PATH has a directory that the user can't look into",
            hidden,
            &["no-such"],
            |done| {
                drop(done.code(127).prints("").warns(&["no-such", "not found"]));
            },
        ),
        Case::original("the original su-exec takes that for a lack of permission", move || {
            let done = hidden().init().run([REAL_SU_EXEC, "4242", "no-such"]).code(1);
            assert!(done.err().contains("Permission denied"), "{done}");
        }),
        every_way("what only root finds is not found by the user", hidden, &["tool"], |done| {
            drop(done.code(127).prints("").warns(&["tool"]));
        }),
        every_way(
            "without PATH a command is looked for where the C library looks",
            || asking_for("4242").started_with("--unset=PATH"),
            &["true"],
            |done| drop(done.code(0)),
        ),
    ]
}

/// X01 - X04
fn inherited() -> Vec<Case> {
    vec![
        Case::new("not as PID 1 gb is gone when the command runs, and the pid is the command's", || {
            for way in &GB {
                let script = format!(
                    "{} sh -c 'echo $$; read end' >/opt/pid 2>/dev/null </opt/end & pid=$!
                     exec 9>/opt/end; until [ -s /opt/pid ]; do sleep 0.01; done
                     test \"$(cat /opt/pid)\" = $pid && ps -o comm= $pid && ps -A -o comm= | grep -c gb",
                    way.words.join(" ")
                );
                lab().prepare("mkfifo /opt/end").sh(&script).started(way.name).code(1).prints("sh\n0\n");
            }
        }),
        Case::new("not as PID 1 gb has nothing to say about that", || {
            for way in &GB[1..] {
                let done = lab().init().run(way.words.iter().chain(&["true"])).code(0);
                assert!(done.messages().is_empty(), "{done}");
            }
        }),
        signals(
            "signals that were ignored and blocked are so for the command",
            &["--ignore-signal=TTOU,SEGV,INT", "--block-signal=TTIN,ILL,TERM"],
        ),
        signals("an ignored SIGPIPE stays ignored", &["--ignore-signal=PIPE"]),
        signals("a SIGPIPE that is not ignored is not", &["--default-signal=PIPE"]),
        signals("a blocked SIGCHLD stays blocked", &["--block-signal=CHLD,USR1,RTMIN,RTMAX"]),
        signals("an ignored SIGCHLD stays ignored", &["--ignore-signal=CHLD,HUP,TSTP,RTMIN+1"]),
        Case::new("yes | head ends", || {
            let done = asking_for("4242").init().run([ENTRYPOINT, "sh", "-c", "yes | head -n 1; echo $?"]);
            done.code(0).prints("y\n0\n");
        }),
        Case::new("limits, niceness and the out-of-memory score are the command's", || {
            let show = "ulimit -n; ulimit -c; nice; cat /proc/self/oom_score_adj";
            let script = format!(
                "ulimit -n 77; ulimit -c 0; echo 500 >/proc/self/oom_score_adj; exec nice -n 5 {ENTRYPOINT} sh -c '{show}'"
            );
            root().env("LOCAL_USER_ID", "4242").sh(&script).code(0).prints("77\n0\n5\n500\n");
        }),
        Case::new("closed standard streams stay closed", || {
            for (closed, left) in [("<&-", "12"), (">&-", "02"), ("2>&-", "01")] {
                // With builtins alone: what a program opens is in the place of what is closed.
                let show =
                    "for n in 0 1 2; do if [ -e /proc/$$/fd/$n ]; then s=$s$n; fi; done; [ \"$s\" = \"$0\" ]";
                for way in &GB {
                    let script = format!("{} sh -c '{show}' {left} {closed}", way.words.join(" "));
                    lab().sh(&script).started(way.name).code(0);
                }
            }
        }),
    ]
}

/// A test that the command has the signal dispositions and mask that gb was started with, however gb was started.
fn signals(name: &'static str, options: &'static [&'static str]) -> Case {
    const SHOW: [&str; 4] = ["grep", "-E", "^Sig(Blk|Ign)", "/proc/self/status"];
    Case::new(name, move || {
        for way in &GB {
            for init in [false, true] {
                let root = options.iter().fold(lab(), Root::started_with);
                let root = if init { root.init() } else { root };
                let without = root.run(SHOW).code(0);
                let with = root.run(way.words.iter().chain(&SHOW)).started(way.name).code(0);
                with.prints(&without.stdout);
            }
        }
    })
}
