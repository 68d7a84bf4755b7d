//! gb as PID 1, next to the inits that containers have today.
//!
//! Each row of [`ROWS`] is one thing that an init's user sees, and what was seen with each program: gb, and of Debian 13
//! tini 0.19.0 (which is `docker run --init`), dumb-init 1.2.5 and catatonit 0.2.1 (which is `podman run --init`). What
//! the others do is here so that a reason for gb's init can be checked, and goes away when the others have it.

use std::ffi::OsString;
use std::time::Duration;

use crate::case::Case;
use crate::root::{Root, shell};
use crate::running::{Done, Ending, Running};

/// A program that can be PID 1.
#[derive(Clone, Copy)]
struct Init {
    name: &'static str,
    words: &'static [&'static str],
}

/// In the order of the columns of a row.
const INITS: [Init; 5] = [
    Init { name: "gb", words: &["gb", "run", "--"] },
    Init { name: "tini", words: &["tini", "--"] },
    Init { name: "tini -g", words: &["tini", "-g", "--"] },
    Init { name: "dumb-init", words: &["dumb-init", "--"] },
    Init { name: "catatonit", words: &["catatonit", "--"] },
];

/// The columns.
const GB: Init = INITS[0];

/// What a user sees.
struct Row {
    /// The subject of the sentence.
    what: &'static str,
    see: fn(Init) -> String,
    /// What is seen, with each of [`INITS`].
    seen: [&'static str; 5],
}

const ROWS: &[Row] = &[
    Row {
        what: "a command that sends itself SIGTERM ends with",
        see: |init| ending(&run(init, "kill -TERM $$; sleep 1")),
        seen: ["143"; 5],
    },
    Row {
        what: "a command's own exit codes are",
        see: |init| {
            let codes = ["0", "1", "2", "42", "125", "127", "255"];
            codes.map(|code| ending(&run(init, &format!("exit {code}")))).join(" ")
        },
        seen: ["0 1 2 42 125 127 255"; 5],
    },
    Row {
        what: "a command that TERM, HUP, QUIT, KILL, SEGV, 34, 64 ends gives",
        see: |init| {
            let signals = ["TERM", "HUP", "QUIT", "KILL", "SEGV", "34", "64"];
            signals
                .map(|signal| {
                    ending(&root().run(words(init, ["perl", "-e", "kill shift, $$; sleep 1", signal])))
                })
                .join(" ")
        },
        seen: ["143 129 131 137 139 162 192"; 5],
    },
    Row {
        what: "the command's exit code next to those of orphans is",
        see: |init| {
            ending(&run(init, "(sleep 0.1; exit 3) & (exit 9) & (sh -c 'kill -9 $$') & sleep 0.3; exit 7"))
        },
        seen: ["7"; 5],
    },
    Row {
        what: "signals that are not handed on to the command are",
        see: not_handed_on,
        seen: [
            "none",
            "4 5 6 7 8 11 21 22 31",
            "4 5 6 7 8 11 21 22 31",
            "20 21 22",
            "4 5 6 7 8 11 20 21 22 31",
        ],
    },
    Row {
        // docs/compat.md: init-real-time
        what: "a signal that glibc uses itself (33)",
        see: |init| {
            let mut running = root().start(words(init, ["sh", "-c", "echo ready; exec sleep 2"]));
            running.expect("ready");
            settle();
            running.signal(33);
            match ending(&running.wait()).as_str() {
                "161" => "ends the command".into(),
                other => format!("is lost: {other}"),
            }
        },
        seen: ["ends the command", "is lost: 0", "is lost: 0", "is lost: 0", "is lost: 0"],
    },
    Row {
        what: "of 100 orphans there stay as zombies",
        see: |init| {
            let script = "for i in $(seq 100); do (true &); done
                for i in $(seq 100); do n=$(ps -e -o stat= | grep -c ^Z); [ $n = 0 ] && break; sleep 0.05; done; echo $n";
            run(init, script).out().trim().to_owned()
        },
        seen: ["0"; 5],
    },
    Row {
        what: "when orphans and the command end while init does not run, init ends with",
        see: |init| {
            let script = "for i in $(seq 50); do (sleep 0.2 & exit); done; echo ready; sleep 0.2; exit 5";
            let mut running = root().start(words(init, shell(script)));
            running.expect("ready");
            running.signal(libc::SIGSTOP);
            std::thread::sleep(Duration::from_millis(400));
            running.signal(libc::SIGCONT);
            ending(&running.wait())
        },
        seen: ["5"; 5],
    },
    Row {
        what: "a command that is missing, and one that can't be run, give",
        see: |init| {
            ["/nowhere", "/etc/passwd"].map(|file| ending(&root().run(words(init, [file])))).join(" ")
        },
        seen: ["127 126", "127 126", "127 126", "2 2", "1 1"],
    },
    Row {
        // docs/compat.md: init-stdin
        what: "with standard input closed the command",
        see: |init| {
            let script = format!("exec {} sh -c 'echo runs' <&-", init.words.join(" "));
            let done = root().run(["sh", "-c", &script]);
            format!("{}{}", done.out(), ending(&done)).replace('\n', ", ")
        },
        seen: ["runs, 0", "1", "1", "runs, 0", "runs, 0"],
    },
    Row {
        what: "init that has nothing to do",
        see: |init| {
            let script = "wakes() { sed -n 's/^voluntary_ctxt_switches:[^0-9]*//p' /proc/1/status; }
                sleep 0.2; a=$(wakes); sleep 2.5; b=$(wakes); echo $((b - a))";
            // The shell's own processes are its children, not init's.
            match run(init, script).out().trim() {
                "0" => "sleeps".into(),
                _ => "wakes up".into(),
            }
        },
        seen: ["sleeps", "wakes up", "wakes up", "sleeps", "sleeps"],
    },
    Row {
        what: "init's working directory, and the command's, in /tmp are",
        see: |init| {
            let done = root().workdir("/tmp").run(words(init, shell("sleep 0.1; readlink /proc/1/cwd; pwd")));
            done.out().replace('\n', " ").trim_end().to_owned()
        },
        seen: ["/ /tmp", "/tmp /tmp", "/tmp /tmp", "/ /tmp", "/ /tmp"],
    },
    Row {
        what: "a pipe that the command closes",
        see: |init| {
            // The reader is a sibling, and descriptor 7 is at first the command's and init's.
            let script = format!(
                "mkfifo /tmp/pipe; (cat /tmp/pipe; echo closed) & exec 7>/tmp/pipe
                exec {} sh -c 'exec 7>&-; sleep 1; echo end'",
                init.words.join(" ")
            );
            let done = root().run(["sh", "-c", &script]);
            if done.out().starts_with("closed") { "is closed".into() } else { "is kept open".into() }
        },
        seen: ["is closed", "is kept open", "is kept open", "is kept open", "is closed"],
    },
    Row {
        // docs/compat.md: init-mask
        what: "of ignored INT, SEGV, TTOU and blocked ILL, TERM, TTIN the command has",
        see: |init| {
            let inherited = root()
                .started_with("--ignore-signal=INT,SEGV,TTOU")
                .started_with("--block-signal=ILL,TERM,TTIN");
            signals_of(&inherited, init)
        },
        seen: [SIGNALS_KEPT, SIGNALS_KEPT, SIGNALS_KEPT, NO_SIGNALS, "blocked 384008, ignored 200402"],
    },
    Row {
        what: "of ignored CHLD and PIPE the command has",
        see: |init| signals_of(&root().started_with("--ignore-signal=CHLD,PIPE"), init),
        seen: [
            "blocked 0, ignored 11000",
            "blocked 0, ignored 11000",
            "blocked 0, ignored 11000",
            NO_SIGNALS,
            "blocked 380000, ignored 11000",
        ],
    },
    Row {
        what: "of nothing ignored or blocked the command has",
        see: |init| signals_of(&root(), init),
        seen: [NO_SIGNALS, NO_SIGNALS, NO_SIGNALS, NO_SIGNALS, "blocked 380000, ignored 0"],
    },
    Row {
        what: "with SIGCHLD ignored by the caller the exit code 42 becomes",
        see: |init| {
            let ignoring = root().started_with("--ignore-signal=CHLD");
            let mut running = ignoring.start(words(init, ["sh", "-c", "exit 42"]));
            match running.ended_within(Duration::from_secs(3)).map(|_| ending(&running.wait())).as_deref() {
                Some("42") => "42".into(),
                // Init hangs, or ends with another.
                _ => "lost".into(),
            }
        },
        seen: ["42", "lost", "lost", "42", "lost"],
    },
    Row {
        // docs/compat.md: init-session
        what: "`kill 0` in the command",
        see: |init| {
            let done = run(init, "trap 'echo reaches its group; exit 4' TERM; kill 0; sleep 1");
            format!("{}{}", done.out(), ending(&done)).replace('\n', ", ")
        },
        seen: ["reaches its group, 4"; 5],
    },
    Row {
        what: "SIGTERM to init reaches",
        see: |init| {
            let script = "(trap 'echo other' TERM; echo ready; while :; do sleep 0.02; done) &
                trap 'echo command; sleep 0.5; exit 3' TERM; while :; do sleep 0.02; done";
            let mut running = root().start(words(init, shell(script)));
            running.expect("ready");
            settle();
            running.signal(libc::SIGTERM);
            let done = running.wait().code(3);
            match done.out().contains("other") {
                true => "the command and what it has started".into(),
                false => "the command".into(),
            }
        },
        seen: [
            "the command",
            "the command",
            "the command and what it has started",
            "the command and what it has started",
            "the command",
        ],
    },
    Row {
        // docs/compat.md: init-eperm
        what: "a signal that init may not send to the command",
        see: |init| {
            // Root without CAP_KILL.
            let bounded = root().setpriv(&["--bounding-set=-kill"]);
            // (catatonit needs the permission once at its start.)
            let command =
                "sleep 0.3; exec setpriv --reuid=5000 --clear-groups sh -c 'echo ready; sleep 0.5; exit 6'";
            let mut running = bounded.start(words(init, shell(command)));
            running.expect("ready");
            running.signal(libc::SIGUSR1);
            let done = running.wait();
            match (ending(&done).as_str(), done.err()) {
                ("6", "") => "does nothing".into(),
                ("6", _) => "is a warning".into(),
                (code, _) => format!("ends init: {code}"),
            }
        },
        seen: ["is a warning", "ends init: 1", "ends init: 1", "does nothing", "does nothing"],
    },
    Row {
        what: "Ctrl-C gives",
        see: |init| {
            let mut running = on_terminal(init, "echo ready; exec sleep 60");
            running.expect("ready");
            running.send("\x03");
            ending(&running.wait())
        },
        seen: ["130"; 5],
    },
    Row {
        // docs/compat.md: init-ctrl-z
        what: "after Ctrl-Z the command",
        see: |init| after_ctrl_z(init, "echo ready; sleep 1; exit 8"),
        seen: ["runs on: 8", "hangs", "hangs", "runs on: 8", "hangs"],
    },
    Row {
        what: "after Ctrl-Z a pager that the command has started",
        see: |init| {
            // It stops itself after it has tidied up, as less does, which may be when the others go on already.
            let pager = "$SIG{CONT} = sub { $SIG{CONT} = q(DEFAULT); select undef, undef, undef, 0.1; kill TSTP => $$ };
                $| = 1; print qq(ready\n); select undef, undef, undef, 0.2 for 1 .. 5";
            after_ctrl_z(init, &format!("perl -e '{pager}'; exit 8"))
        },
        seen: ["runs on: 8", "hangs", "hangs", "runs on: 8", "hangs"],
    },
    Row {
        what: "after Ctrl-Z a command that ignores it while what it has started does not",
        see: |init| {
            let program = "$| = 1; $SIG{TSTP} = q(IGNORE); exit(wait > 0 ? 8 : 9) if fork;
                $SIG{TSTP} = q(DEFAULT); print qq(ready\\n); sleep 1";
            after_ctrl_z(init, &format!("exec perl -e '{program}'"))
        },
        seen: ["runs on: 8", "hangs", "hangs", "runs on: 8", "runs on: 8"],
    },
    Row {
        what: "a command that reads the terminal which something that has died had taken",
        see: |init| {
            // A job in the foreground kills the shell whose job it is, which so can't take the terminal back.
            let script =
                r#"bash -mc 'sh -c "kill -9 $$"; :'; sleep 0.2; echo ready; read line; echo got $line"#;
            let mut running = on_terminal(init, script);
            running.expect("ready");
            running.send("typed\n");
            match (
                running.writes_within("got typed", Duration::from_secs(3)),
                running.ended_within(Duration::from_secs(1)),
            ) {
                (true, _) => "gets what is typed".into(),
                (false, Some(_)) => "gets an error".into(),
                (false, None) => "is stopped for ever".into(),
            }
        },
        seen: [
            "gets an error",
            "is stopped for ever",
            "is stopped for ever",
            "gets an error",
            "is stopped for ever",
        ],
    },
    Row {
        what: "a shell on the terminal",
        see: |init| {
            let mut running = on_terminal(init, "exec bash --norc -i");
            running.send("sleep 0.1 & fg; tty >/dev/null && echo has\" \"one; exit 3\n");
            let done = running.wait();
            let control =
                if done.out().contains("no job control") { "lacks job control" } else { "has job control" };
            format!("{control}: {}", ending(&done))
        },
        seen: ["has job control: 3"; 5],
    },
    Row {
        what: "text typed on the terminal",
        see: |init| {
            let mut running = root().start_on_terminal(words(init, ["tac"]));
            running.send("a\nb\n\x04");
            let done = running.wait();
            if done.out().ends_with("b\r\na\r\n") { "arrives".into() } else { format!("{:?}", done.out()) }
        },
        seen: ["arrives"; 5],
    },
];

/// Bit n - 1 stands for signal n (proc_pid_status(5)).
const SIGNALS_KEPT: &str = "blocked 104008, ignored 200402";
const NO_SIGNALS: &str = "blocked 0, ignored 0";

pub fn cases() -> Vec<Case> {
    let rows = ROWS.iter().flat_map(|row| {
        INITS.into_iter().zip(row.seen).map(move |(init, seen)| {
            Case::new(format!("as PID 1, {}: {seen} ({})", row.what, init.name), move || {
                assert_eq!((row.see)(init), seen, "{} with {}", row.what, init.name);
            })
        })
    });
    rows.chain(own()).collect()
}

/// What the others do not have.
fn own() -> Vec<Case> {
    vec![
        Case::new("as PID 1, a signal that comes before the command is started is not lost", || {
            // gb has something to tell, and its standard error takes nothing more, so it stands still before it starts
            // the command.
            let script = "mkfifo /tmp/full; exec 8<&0 9<>/tmp/full; head -c 65536 /dev/zero >&9
                (read go <&8; exec cat <&9 >/dev/null) &
                echo ready; exec gb run sh -c 'echo started; exec sleep 60' 2>&9";
            let waiting = root().env("GOARCH", "mips").env("LIBRARY_PATH", "/usr/lib");
            let mut running = waiting.start(["sh", "-c", script]);
            running.expect("ready");
            assert!(!running.writes_within("started", Duration::from_millis(300)), "gb does not stand still");
            running.signal(libc::SIGTERM);
            running.send("go\n");
            running.wait().code(143);
        }),
        Case::new("as PID 1, a signal that comes while the command is started is not lost", || {
            let delayed =
                ["strace", "-D", "-f", "-qq", "-o", "/dev/null", "-e", "inject=execve:delay_enter=700000"];
            let running = root().start(delayed.into_iter().chain(["gb", "run", "sh", "-c", "echo lost"]));
            while std::fs::read_to_string(format!("/proc/{}/comm", running.pid_1()))
                .is_ok_and(|name| name != "gb\n")
            {
                std::thread::sleep(Duration::from_millis(10));
            }
            std::thread::sleep(Duration::from_millis(300));
            running.signal(libc::SIGTERM);
            running.wait().code(143).prints("");
        }),
        Case::new(
            "as PID 1, what the command leaves behind may clean up with --grace, and init's code is the command's",
            || {
                let script =
                    "(trap 'sleep 1; echo cleaned; exit 9' TERM; while :; do sleep 0.05; done) 2>/dev/null &
                sleep 0.2; exit 5";
                root()
                    .sh_of(&["gb", "run", "--grace", "10", "--"], script)
                    .code(5)
                    .prints("cleaned\n")
                    .says("");
                root().env("GB_GRACE", "10").sh_of(GB.words, script).code(5).prints("cleaned\n");
                root().sh_of(GB.words, script).code(5).prints("");
            },
        ),
        // docs/compat.md: init-grace
        Case::new("as PID 1, what does not end within the grace is named and killed", || {
            let script = "sh -c 'trap \"\" TERM; sleep 100; :' & sleep 0.2; exit 5";
            let done = root().sh_of(&["gb", "run", "--grace=1", "--"], script).code(5);
            let done =
                done.warns(&["end what the command left behind: killed after 1 s: ", "sh (", "sleep ("]);
            assert_eq!(done.err().lines().count(), 1, "{done}");
            // Without /proc, the grace is the same.
            let script = format!("umount -l /proc; {script}");
            let done = root().sh_of(&["gb", "run", "--grace=1", "--"], &script).code(5);
            done.says("gb: end what the command left behind: killed after 1 s: processes that /proc does not show\n");
        }),
        Case::new(
            "as PID 1, a second SIGTERM ends the grace, and a command without descendants has none",
            || {
                let script = "sh -c 'trap \"\" TERM; sleep 100; :' & sleep 0.2; echo ready; exit 5";
                let mut running = root().start(
                    ["gb", "run", "--grace=60", "--"].map(OsString::from).into_iter().chain(shell(script)),
                );
                running.expect("ready");
                settle();
                running.signal(libc::SIGTERM);
                running.wait().code(5).warns(&["killed after 0 s: "]);
                root().sh_of(&["gb", "run", "--grace=60", "--"], "exit 5").code(5).says("");
            },
        ),
        Case::new("as PID 1, a process that is stopped gets the grace too", || {
            let script = "(trap 'echo cleaned; exit' TERM; while :; do sleep 0.05; done) 2>/dev/null &
                sleep 0.2; kill -STOP $!; exit 5";
            root().sh_of(&["gb", "run", "--grace", "10", "--"], script).code(5).prints("cleaned\n").says("");
        }),
        Case::new("as PID 1, --group and GB_INIT=group send signals to the command's whole group", || {
            let script = "(trap 'echo reached; exit' TERM; echo ready; while :; do sleep 0.02; done) & trap 'wait; exit 4' TERM; wait";
            for (root, gb) in
                [(root(), &["gb", "run", "--group", "--"][..]), (root().env("GB_INIT", "group"), GB.words)]
            {
                let mut running = root.start(gb.iter().map(OsString::from).chain(shell(script)));
                running.expect("ready");
                settle();
                running.signal(libc::SIGTERM);
                running.wait().code(4).prints("ready\nreached\n");
            }
        }),
        Case::new("as PID 1, --no-init and GB_INIT=0 become the command", || {
            for (root, gb) in
                [(root(), &["gb", "run", "--no-init", "--"][..]), (root().env("GB_INIT", "0"), GB.words)]
            {
                root.sh_of(gb, "echo $$; ps -o comm= 1").code(0).prints("1\nsh\n").says("");
                // What was blocked meanwhile is not any more.
                let done = root.sh_of(gb, "grep SigBlk /proc/self/status");
                done.prints("SigBlk:\t0000000000000000\n");
            }
        }),
        Case::new("as PID 1, a value of GB_INIT or GB_GRACE that makes no sense is refused", || {
            root().env("GB_INIT", "yes").run(["gb", "run", "true"]).refuses(125, &["GB_INIT=yes", "0"]);
            root().env("GB_GRACE", "10s").run(["gb", "run", "true"]).refuses(125, &["GB_GRACE=10s", "86400"]);
            root().run(["gb", "run", "--grace", "-1", "true"]).code(125);
        }),
        Case::new("as PID 1, gb has the terminal back when the command has ended", || {
            let script =
                // HUP is for those in the foreground when a session's leader ends, as the command does.
                "(trap '' HUP; trap 'ps -o pgid=,tpgid= 1; exit' TERM; while :; do sleep 0.05; done) 2>/dev/null &
                sleep 0.2; ps -o pgid=,tpgid= $$";
            let gb = ["gb", "run", "--grace=10", "--"].map(OsString::from);
            let done = root().start_on_terminal(gb.into_iter().chain(shell(script))).wait().code(0);
            let groups: Vec<Vec<&str>> = done.out().lines().map(|l| l.split_whitespace().collect()).collect();
            assert_eq!(groups.len(), 2, "{done}");
            assert!(groups[0][0] != "1" && groups[0][0] == groups[0][1], "the command's: {done}");
            assert_eq!(groups[1], ["1", "1"], "gb's: {done}");
        }),
        Case::new(
            "below a shell with job control, Ctrl-C, Ctrl-Z and fg act on gb's pid namespace once",
            || {
                let mut shell = root().start_on_terminal(["bash", "--norc", "--noediting", "-i"]);
                let own = "unshare --pid --fork --kill-child --mount-proc gb run";
                shell.send(format!(
                "{own} sh -c 'trap \"echo INT\" INT; echo rea\"\"dy; sleep 2; sleep 0.5; echo o\"\"ver; exit 6'; echo co\"\"de $?\n"
            ));
                shell.expect("ready");
                shell.send("\x03");
                shell.expect("INT");
                shell.expect("over");
                shell.expect("code 6");
                shell.send(format!("{own} sh -c 'echo rea\"\"dy; sleep 1; echo o\"\"ver; exit 6'\n"));
                shell.expect("ready");
                shell.send("\x1a");
                shell.expect("Stopped");
                assert!(!shell.writes_within("over", Duration::from_millis(1500)), "it is stopped");
                shell.send("fg; echo co\"\"de $?\n");
                shell.expect("over");
                shell.expect("code 6");
                shell.send("exit 0\n");
                let done = shell.wait().code(0);
                assert_eq!(done.out().matches("INT\r\n").count(), 1, "{done}");
            },
        ),
        // docs/compat.md: init-user
        Case::new("as PID 1, gb is the command's user and keeps nothing of root's", || {
            let show = [
                "gb",
                "run",
                "grep",
                "-hE",
                "^(Uid|Gid|Groups|CapEff|CapPrm):",
                "/proc/1/status",
                "/proc/self/status",
            ];
            let done = root().env("RUN_AS_ROOT", "").env("LOCAL_USER_ID", "4242").run(show).code(0);
            let lines: Vec<_> = done.out().lines().collect();
            assert_eq!(lines.len(), 10, "{done}");
            assert_eq!(lines[..5], lines[5..], "{done}");
            assert_eq!(lines[0], "Uid:\t4242\t4242\t4242\t4242", "{done}");
        }),
        // docs/compat.md: init-hangup
        Case::new(
            "as PID 1, what is in the foreground of the terminal is told when the command ends",
            || {
                let script = "(trap '' TERM; trap 'echo hung up; exit' HUP; touch /ready; while :; do sleep 0.05; done) &
                until test -e /ready; do sleep 0.05; done";
                let gb = ["gb", "run", "--grace=10", "--"].map(OsString::from);
                let done = root().start_on_terminal(gb.into_iter().chain(shell(script))).wait().code(0);
                assert!(done.out().contains("hung up"), "{done}");
            },
        ),
        Case::new("as PID 1, gb that waits takes less than 1.5 MB of memory", || {
            let done = root().sh_of(GB.words, "sleep 0.2; grep VmRSS /proc/1/status");
            let digits: String = done.out().chars().filter(char::is_ascii_digit).collect();
            let rss: u32 = digits.parse().unwrap_or_else(|_| panic!("a number: {done}"));
            assert!((1..1536).contains(&rss), "{rss} KiB");
        }),
        Case::new(
            "as PID 1, gb holds the standard streams alone, and the command has what gb was given",
            || {
                let list = "ls /proc/$$/fd >/tmp/list; xargs </tmp/list";
                let script = format!(
                    "exec 7</dev/null 9</dev/null; {list}; exec {} sh -c 'sleep 0.1; {list}; ls /proc/1/fd | xargs'",
                    GB.words.join(" ")
                );
                let done = root().run(["sh", "-c", &script]).code(0).says("");
                let lists: Vec<_> = done.out().lines().collect();
                assert!(lists[0].ends_with(" 7 9"), "{done}");
                assert_eq!((lists[1], lists[2]), (lists[0], "0 1 2"), "{done}");
            },
        ),
        // docs/compat.md: init-not-pid-1
        Case::new("not as PID 1, gb is gone once the command runs, and says nothing", || {
            let below = root().init();
            let done = below.run([
                "sh",
                "-c",
                "echo $$; exec gb run -- sh -c 'echo $$; ps -e -o comm= >/list; cat /list | xargs'",
            ]);
            let done = done.code(0).says("");
            let lines: Vec<_> = done.out().lines().collect();
            assert_eq!(lines[0], lines[1], "the same process: {done}");
            // tini, the shell, and ps itself.
            let programs: Vec<_> = lines[2].split(' ').collect();
            assert!(programs.len() == 3 && programs.contains(&"tini") && !programs.contains(&"gb"), "{done}");
        }),
        Case::new("not as PID 1, SIGPIPE is as the caller had it", || {
            for (option, expected) in [("--default-signal=PIPE", "0"), ("--ignore-signal=PIPE", "1000")] {
                let expected = format!("blocked 0, ignored {expected}");
                assert_eq!(signals_of(&root().init().started_with(option), GB), expected);
            }
        }),
        Case::new("not as PID 1, ignored and blocked signals stay so", || {
            let inherited = root()
                .init()
                .started_with("--ignore-signal=INT,SEGV,TTOU")
                .started_with("--block-signal=ILL,TERM,TTIN");
            assert_eq!(signals_of(&inherited, GB), SIGNALS_KEPT);
        }),
    ]
}

/// A root in which gb does not change the user.
fn root() -> Root {
    Root::new().env("RUN_AS_ROOT", "true")
}

/// An init's words, and those of its command.
fn words<S: Into<OsString>>(init: Init, command: impl IntoIterator<Item = S>) -> Vec<OsString> {
    init.words.iter().map(OsString::from).chain(command.into_iter().map(Into::into)).collect()
}

/// Runs a shell script below init.
#[track_caller]
fn run(init: Init, script: &str) -> Done {
    root().run(words(init, shell(script)))
}

#[track_caller]
fn on_terminal(init: Init, script: &str) -> Running {
    root().start_on_terminal(words(init, shell(script)))
}

trait ShellOf {
    /// Runs a shell script below a program.
    fn sh_of(&self, program: &[&str], script: &str) -> Done;
}

impl ShellOf for Root {
    #[track_caller]
    fn sh_of(&self, program: &[&str], script: &str) -> Done {
        self.run(program.iter().map(OsString::from).chain(shell(script)))
    }
}

/// Lets a program get from its last words to waiting.
fn settle() {
    std::thread::sleep(Duration::from_millis(100));
}

fn ending(done: &Done) -> String {
    match done.ending {
        Ending::Code(code) => code.to_string(),
        Ending::Signal(signal) => format!("killed by {signal}"),
    }
}

/// Whether a command that takes a second, and is stopped by the key right after it has said that it is ready, ends.
#[track_caller]
fn after_ctrl_z(init: Init, script: &str) -> String {
    let mut running = on_terminal(init, script);
    running.expect("ready");
    running.send("\x1a");
    if running.ended_within(Duration::from_secs(5)).is_none() {
        return "hangs".into();
    }
    format!("runs on: {}", ending(&running.wait()))
}

/// The mask and the ignored signals that the command has.
#[track_caller]
fn signals_of(root: &Root, init: Init) -> String {
    // (grep would catch SIGSEGV.)
    let mut running = root.start(words(init, ["cat", "/proc/self/status"]));
    if running.ended_within(Duration::from_secs(3)).is_none() {
        running.signal(libc::SIGKILL);
    }
    let done = running.wait();
    let set = |name: &str| {
        let line = done.out().lines().find_map(|line| line.strip_prefix(name));
        let set = u64::from_str_radix(line.unwrap_or_else(|| panic!("{name} of {done}")).trim(), 16).unwrap();
        // 32 and 33 are as the container's engine has left them.
        set & !(0b11 << 31)
    };
    format!("blocked {:x}, ignored {:x}", set("SigBlk:"), set("SigIgn:"))
}

/// Sends init every signal that a command may catch, from outside, and lists those that the command has not got.
#[track_caller]
fn not_handed_on(init: Init) -> String {
    let uncatchable = [libc::SIGKILL, libc::SIGSTOP];
    // SIGCHLD is about init's own children; 32 and 33 a program of glibc's can't catch.
    let left_out = [libc::SIGCHLD, 32, 33];
    let numbers: Vec<i32> = (1..=64).filter(|n| !uncatchable.contains(n) && !left_out.contains(n)).collect();
    // One process without children, as some inits send to all of a group, and a stopped child would stop a shell.
    let script = "use POSIX; $| = 1;
        for my $n (@ARGV) { sigaction($n, POSIX::SigAction->new(sub { print qq(got $n.\n) })) }
        print qq(ready\n); sleep 1 while 1;";
    let command =
        ["perl", "-e", script].map(str::to_owned).into_iter().chain(numbers.iter().map(i32::to_string));
    let mut running = root().start(words(init, command));
    running.expect("ready");
    let lost = numbers.iter().filter(|number| {
        running.signal(**number);
        let got = running.writes_within(&format!("got {number}."), Duration::from_millis(400));
        if !got {
            // It may have been stopped instead.
            running.signal(libc::SIGCONT);
        }
        !got
    });
    let lost: Vec<String> = lost.map(i32::to_string).collect();
    if lost.is_empty() { "none".into() } else { lost.join(" ") }
}
