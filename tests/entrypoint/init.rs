//! gb as PID 1, next to the inits that containers have today.
//!
//! Each row of [`ROWS`] is one thing that an init's user sees, and what was seen with each program: gb, and of Debian 13
//! tini 0.19.0 (which is `docker run --init`), dumb-init 1.2.5 and catatonit 0.2.1 (which is `podman run --init`). What
//! the others do is here so that a reason for gb's init can be checked, and goes away when the others have it.

use std::ffi::OsString;

use crate::case::Case;
use crate::processes::{children, descendants, is_idle, name, state};
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
            // cat reads the end when the last of them has ended.
            let orphans = "(sh -c 'exit 3' &); (sh -c 'exit 9' &); (sh -c 'kill -9 $$' &)";
            ending(&run(init, &format!("{{ {orphans}; }} | cat; exit 7")))
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
            let mut running = root().start(words(init, ["sh", "-c", "echo ready; exec sleep infinity"]));
            running.expect("ready");
            running.signal(33);
            running.wait_until_handled();
            // The next one gets there.
            running.signal(34);
            match ending(&running.wait()).as_str() {
                "161" => "ends the command".into(),
                "162" => "is lost".into(),
                other => other.into(),
            }
        },
        seen: ["ends the command", "is lost", "is lost", "is lost", "is lost"],
    },
    Row {
        what: "of 100 orphans there stay as zombies",
        see: |init| {
            // An init that leaves one there hangs.
            let script = "for i in $(seq 100); do (true &); done | cat
                while ps -e -o stat= | grep -q ^Z; do sleep 0.01; done; echo 0";
            run(init, script).out().trim().to_owned()
        },
        seen: ["0"; 5],
    },
    Row {
        what: "when orphans and the command end while init does not run, init ends with",
        see: |init| {
            let script = "echo ready; read go; for i in $(seq 50); do (true &); done | cat; exit 5";
            let mut running = root().start(words(init, shell(script)));
            running.expect("ready");
            let pid_1 = running.pid_1();
            running.signal(libc::SIGSTOP);
            running.wait_until("init is stopped", || state(pid_1) == Some('T'));
            running.send("go\n");
            running.wait_until("51 are dead", || {
                children(pid_1).iter().filter(|pid| state(**pid) == Some('Z')).count() == 51
            });
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
                idle; a=$(wakes); sleep 2.5; b=$(wakes); echo $((b - a))";
            // The shell's own processes are its children, not init's. A busy machine only makes the time longer.
            match run(init, &format!("{IDLE}; {script}")).out().trim() {
                "0" => "sleeps".into(),
                _ => "wakes up".into(),
            }
        },
        seen: ["sleeps", "wakes up", "wakes up", "sleeps", "sleeps"],
    },
    Row {
        what: "init's working directory, and the command's, in /tmp are",
        see: |init| {
            let script = format!("{IDLE}; idle; readlink /proc/1/cwd; pwd");
            let done = root().workdir("/tmp").run(words(init, shell(&script)));
            done.out().replace('\n', " ").trim_end().to_owned()
        },
        seen: ["/ /tmp", "/tmp /tmp", "/tmp /tmp", "/ /tmp", "/ /tmp"],
    },
    Row {
        what: "a pipe that the command closes",
        see: |init| {
            // The reader is a sibling, and descriptor 7 is at first the command's and init's.
            let command = "exec 7>&-; idle; if [ -e /proc/1/fd/7 ]; then echo open; else until [ -e /tmp/end ]; do sleep 0.01; done; fi";
            let script = format!(
                "mkfifo /tmp/pipe; (cat /tmp/pipe; echo closed; touch /tmp/end) & exec 7>/tmp/pipe
                exec {} sh -c '{}; {command}'",
                init.words.join(" "),
                IDLE.replace('\'', r"'\''")
            );
            let done = root().run(["sh", "-c", &script]);
            // At init's own end it is closed in any case.
            match done.out().lines().next() {
                Some("closed") => "is closed".into(),
                Some("open") => "is kept open".into(),
                _ => done.to_string(),
            }
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
            let mut running = ignoring.start(words(init, ["sh", "-c", "echo ready; exit 42"]));
            running.expect("ready");
            // Init hangs, or ends with another.
            if !running.hangs() && ending(&running.wait()) == "42" { "42".into() } else { "lost".into() }
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
            // The other one answers a later signal when it has done with SIGTERM, if that was sent to it. (A shell that has
            // got both takes the lower number first.)
            let script = "trap 'kill -WINCH $other; until [ -e /tmp/answer ]; do sleep 0.01; done; exit 3' TERM
                (trap 'echo other' TERM; trap 'touch /tmp/answer' WINCH; touch /tmp/there; while :; do sleep 0.02; done) &
                other=$!; until [ -e /tmp/there ]; do sleep 0.01; done; echo ready; while :; do sleep 0.02; done";
            let mut running = root().start(words(init, shell(script)));
            running.expect("ready");
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
                "idle; exec setpriv --reuid=5000 --clear-groups sh -c 'echo ready; read end; exit 6'";
            let mut running = bounded.start(words(init, shell(&format!("{IDLE}; {command}"))));
            running.expect("ready");
            running.signal(libc::SIGUSR1);
            running.wait_until_handled();
            running.send("\n");
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
            let mut running = on_terminal(init, "echo ready; exec sleep infinity");
            running.expect("ready");
            running.send("\x03");
            ending(&running.wait())
        },
        seen: ["130"; 5],
    },
    Row {
        // docs/compat.md: init-ctrl-z
        what: "after Ctrl-Z the command",
        see: |init| after_ctrl_z(init, "sh -c 'echo ready; read line'; exit 8"),
        seen: ["runs on: 8", "hangs", "hangs", "runs on: 8", "hangs"],
    },
    Row {
        what: "after Ctrl-Z a pager that the command has started",
        see: |init| {
            // It stops itself after it has tidied up, as less does.
            let pager = "$SIG{TSTP} = sub { $SIG{TSTP} = q(DEFAULT); kill TSTP => $$ }; $| = 1; print qq(ready\n); <STDIN>";
            after_ctrl_z(init, &format!("perl -e '{pager}'; exit 8"))
        },
        seen: ["runs on: 8", "hangs", "hangs", "runs on: 8", "hangs"],
    },
    Row {
        what: "after Ctrl-Z a command that ignores it while what it has started does not",
        see: |init| {
            let program = "$| = 1; $SIG{TSTP} = q(IGNORE); exit(wait > 0 ? 8 : 9) if fork;
                $SIG{TSTP} = q(DEFAULT); print qq(ready\\n); <STDIN>";
            after_ctrl_z(init, &format!("exec perl -e '{program}'"))
        },
        seen: ["runs on: 8", "hangs", "hangs", "runs on: 8", "runs on: 8"],
    },
    Row {
        // docs/compat.md: init-stop
        what: "on a terminal a shell that is told to suspend",
        see: |init| {
            let mut running = on_terminal(init, "exec bash --norc --noediting -i");
            running.send("echo rea\"\"dy; suspend; echo o\"\"n; kill -STOP $$; exit 9\n");
            running.expect("ready");
            if running.hangs() { "hangs".into() } else { format!("goes on: {}", ending(&running.wait())) }
        },
        seen: ["goes on: 9", "hangs", "hangs", "hangs", "hangs"],
    },
    Row {
        what: "a command that reads the terminal which something that has died had taken",
        see: |init| {
            // A job in the foreground kills the shell whose job it is, which so can't take the terminal back.
            let script = r#"bash -mc 'sh -c "kill -9 $$"; :'; echo ready; read line; echo got $line"#;
            let mut running = on_terminal(init, script);
            running.expect("ready");
            running.send("typed\n");
            if running.hangs() {
                return "is stopped for ever".into();
            }
            match running.wait().out().contains("got typed") {
                true => "gets what is typed".into(),
                false => "gets an error".into(),
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

/// A shell function that waits until init waits, with no signal to act on.
const IDLE: &str = r#"idle() { until [ "$(sed -n 's/^State:.\(.\).*/\1/p; s/^S[ih][gd]Pnd:.//p' /proc/1/status | tr -d '0\n')" = S ]; do sleep 0.01; done; }"#;

/// Starts something that does not hear SIGTERM.
const DEAF: &str = r#"sh -c 'trap "" TERM; touch /tmp/there; sleep infinity; :' & until [ -e /tmp/there ]; do sleep 0.01; done"#;

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
                echo ready; exec gb run sh -c 'echo started; exec sleep infinity' 2>&9";
            let waiting = root().env("GOARCH", "mips").env("LIBRARY_PATH", "/usr/lib");
            let mut running = waiting.start(["sh", "-c", script]);
            running.expect("ready");
            let pid_1 = running.pid_1();
            running.wait_until("gb stands still", || name(pid_1) == "gb" && is_idle(pid_1));
            running.signal(libc::SIGTERM);
            running.send("go\n");
            running.wait().code(143);
        }),
        Case::new("as PID 1, a signal that comes while the command is started is not lost", || {
            // strace stops the command before its first instruction.
            let stopping = [
                "strace",
                "-D",
                "-f",
                "-qq",
                "-o",
                "/dev/null",
                "-P",
                "/bin/sh",
                "-e",
                "inject=execve:signal=STOP",
            ];
            let running =
                root().start(stopping.into_iter().chain(["gb", "run", "/bin/sh", "-c", "echo lost"]));
            let pid_1 = running.pid_1();
            let command = || children(pid_1).into_iter().find(|pid| name(*pid) == "sh");
            let is_stopped = || matches!(command().and_then(state), Some('T' | 't'));
            running.wait_until("the command is stopped", is_stopped);
            running.signal(libc::SIGTERM);
            running.wait_until("gb has sent the signal", || is_idle(pid_1));
            crate::running::signal(command().expect("it is stopped"), libc::SIGCONT);
            running.wait().code(143).prints("");
        }),
        Case::new(
            "as PID 1, what the command leaves behind may clean up with --grace, and init's code is the command's",
            || {
                let script =
                    "(trap 'sleep 0.3; echo cleaned; exit 9' TERM; touch /tmp/there; while :; do sleep 0.05; done) 2>/dev/null &
                until [ -e /tmp/there ]; do sleep 0.01; done; exit 5";
                root()
                    .sh_of(&["gb", "run", "--grace", "1000", "--"], script)
                    .code(5)
                    .prints("cleaned\n")
                    .says("");
                root().env("GB_GRACE", "1000").sh_of(GB.words, script).code(5).prints("cleaned\n");
                root().sh_of(GB.words, script).code(5).prints("");
            },
        ),
        // docs/compat.md: init-grace
        Case::new("as PID 1, what does not end within the grace is named and killed", || {
            let script = format!("{DEAF}; exit 5");
            let done = root().sh_of(&["gb", "run", "--grace=1", "--"], &script).code(5);
            let seconds = killed_after(&done, &["sh (", "sleep ("]);
            assert!(seconds >= 1, "{done}");
            // Without /proc, the grace is the same.
            let script = format!("umount -l /proc; {script}");
            let done = root().sh_of(&["gb", "run", "--grace=1", "--"], &script).code(5);
            let seconds = killed_after(&done, &["processes that /proc does not show"]);
            assert!(seconds >= 1, "{done}");
        }),
        Case::new(
            "as PID 1, a second SIGTERM ends the grace, and a command without descendants has none",
            || {
                let script = format!("{DEAF}; echo ready; read end; exit 5");
                let gb = ["gb", "run", "--grace=86400", "--"].map(OsString::from);
                let mut running = root().start(gb.into_iter().chain(shell(&script)));
                running.expect("ready");
                let (pid_1, command) = (running.pid_1(), children(running.pid_1())[0]);
                running.send("\n");
                running.wait_until("the command is reaped", || !children(pid_1).contains(&command));
                running.signal(libc::SIGTERM);
                let done = running.wait().code(5);
                assert!(killed_after(&done, &["sh ("]) < 86400, "{done}");
                root().sh_of(&["gb", "run", "--grace=86400", "--"], "exit 5").code(5).says("");
            },
        ),
        Case::new("as PID 1, a process that is stopped gets the grace too", || {
            let script = "(trap 'echo cleaned; exit' TERM; touch /tmp/there; while :; do sleep 0.05; done) 2>/dev/null &
                until [ -e /tmp/there ]; do sleep 0.01; done; kill -STOP $!; exit 5";
            let done = root().sh_of(&["gb", "run", "--grace", "1000", "--"], script);
            done.code(5).prints("cleaned\n").says("");
        }),
        Case::new("as PID 1, on a terminal a command that is stopped goes on, and that is said once", || {
            // Group and all, and as often as it happens.
            let script = "echo ready; for i in $(seq 20); do kill -STOP 0; done; echo o\"\"n; exit 4";
            for gb in [GB.words, &["gb", "run", "--group", "--"]] {
                let gb = gb.iter().map(OsString::from);
                let done = root().start_on_terminal(gb.chain(shell(script))).wait().code(4);
                let said = "gb: let the command go on: it was stopped, and on this terminal nobody could continue it \
                            (docker pause stops a container)\r\n";
                assert_eq!(done.out(), format!("ready\r\n{said}on\r\n"), "{done}");
            }
        }),
        Case::new("as PID 1, on a terminal an editor that stops itself for Ctrl-Z goes on", || {
            // As programs do that draw on the terminal: they take the key, tidy up and send themselves SIGSTOP.
            let editor =
                "$| = 1; $SIG{TSTP} = sub { print qq(tidied\n); kill STOP => $$; print qq(drawn\n) };
                print qq(ready\n); exit 6 if <STDIN>";
            let mut running = root().start_on_terminal(words(GB, ["perl", "-e", editor]));
            running.expect("ready");
            running.send("\x1a");
            running.expect("tidied");
            running.expect("drawn");
            running.send("quit\n");
            running.wait().code(6);
        }),
        Case::new("as PID 1, on a terminal a shell's own stopped jobs stay stopped", || {
            let mut running = on_terminal(GB, "exec bash --norc --noediting -i");
            running.send("sh -c 'echo rea\"\"dy; exec sleep infinity'\n");
            running.expect("ready");
            running.send("\x1a");
            running.expect("Stopped");
            running.send("kill -STOP $$; echo o\"\"n\n");
            running.expect("let the command go on");
            running.expect("on\r\n");
            running.wait_until_handled();
            let pid_1 = running.pid_1();
            let jobs = children(children(pid_1)[0]);
            assert_eq!(jobs.into_iter().map(state).collect::<Vec<_>>(), [Some('T')]);
            running.send("kill %1; fg; exit 7\n");
            running.wait().code(7);
        }),
        Case::new("as PID 1, without a terminal a stop lasts until somebody continues the command", || {
            // As `docker exec` would, another process does that.
            let mut running =
                root().start(words(GB, shell("echo ready; kill -STOP $$; echo went on; exit 3")));
            running.expect("ready");
            running.expect_error("gb: wait for the command: signal 19 has stopped it (kill -CONT ");
            assert!(running.hangs());
            let command = children(running.pid_1())[0];
            for _ in 0..3 {
                crate::running::signal(command, libc::SIGCONT);
                crate::running::signal(command, libc::SIGSTOP);
            }
            crate::running::signal(command, libc::SIGCONT);
            let done = running.wait().code(3).prints("ready\nwent on\n");
            assert_eq!(done.err().lines().count(), 1, "said once: {done}");
        }),
        Case::new("as PID 1, on a terminal a debugger's stops are the debugger's", || {
            let script = "$| = 1; my $ptrace = shift; my $target = $$;
                if (!fork) {
                    syscall($ptrace, 16, $target, 0, 0) == 0 or die qq(attach: $!);
                    waitpid($target, 0) == $target or die qq(wait: $!);
                    print qq(held\n); <STDIN>;
                    syscall($ptrace, 17, $target, 0, 0); print qq(free\n); exit;
                }
                wait; exit 6";
            let ptrace = libc::SYS_ptrace.to_string();
            let mut running = root().start_on_terminal(words(GB, ["perl", "-e", script, &ptrace]));
            running.expect("held");
            running.wait_until_handled();
            let command = children(running.pid_1())[0];
            assert_eq!(state(command), Some('t'));
            running.send("\n");
            running.expect("free");
            let done = running.wait().code(6);
            assert!(!done.out().contains("gb: "), "{done}");
        }),
        Case::new("as PID 1, --group and GB_INIT=group send signals to the command's whole group", || {
            let script = "trap 'wait; exit 4' TERM
                (trap 'echo reached; exit' TERM; touch /tmp/there; while :; do sleep 0.02; done) &
                until [ -e /tmp/there ]; do sleep 0.01; done; echo ready; wait";
            for (root, gb) in
                [(root(), &["gb", "run", "--group", "--"][..]), (root().env("GB_INIT", "group"), GB.words)]
            {
                let mut running = root.start(gb.iter().map(OsString::from).chain(shell(script)));
                running.expect("ready");
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
                "(trap '' HUP; trap 'ps -o pgid=,tpgid= 1; exit' TERM; touch /tmp/there; while :; do sleep 0.05; done) 2>/dev/null &
                until [ -e /tmp/there ]; do sleep 0.01; done; ps -o pgid=,tpgid= $$";
            let gb = ["gb", "run", "--grace=1000", "--"].map(OsString::from);
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
                // Whoever sends the signal a second time has done so when gb waits again.
                let script = "trap \"echo INT\" INT; echo rea\"\"dy; read line; idle; echo o\"\"ver; exit 6";
                shell.send(format!("cat >/tmp/script <<'END'\n{IDLE}\n{script}\nEND\n"));
                shell.send(format!("{own} sh /tmp/script; echo co\"\"de $?\n"));
                shell.expect("ready");
                shell.send("\x03");
                shell.expect("INT");
                // If it came before the script began to read, that goes on.
                shell.send("\n");
                shell.expect("over");
                shell.expect("code 6");
                shell.send(format!("{own} sh -c 'echo rea\"\"dy; read line; echo o\"\"ver; exit 6'\n"));
                shell.expect("ready");
                shell.send("\x1a");
                shell.expect("Stopped");
                let command = descendants(shell.pid_1()).into_iter().find(|pid| name(*pid) == "sh");
                // The shell has seen unshare stop, which may be the first of them.
                shell.wait_until("the command is stopped", || command.and_then(state) == Some('T'));
                shell.send("fg; echo co\"\"de $?\n");
                // What is typed while the shell has the terminal is the shell's.
                shell.expect("unshare");
                shell.wait_until("it goes on", || command.and_then(state) == Some('S'));
                shell.send("\n");
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
                let gb = ["gb", "run", "--grace=1000", "--"].map(OsString::from);
                let done = root().start_on_terminal(gb.into_iter().chain(shell(script))).wait().code(0);
                assert!(done.out().contains("hung up"), "{done}");
            },
        ),
        Case::new("as PID 1, gb that waits takes less than 1.5 MB of memory", || {
            let done = root().sh_of(GB.words, &format!("{IDLE}; idle; grep VmRSS /proc/1/status"));
            let digits: String = done.out().chars().filter(char::is_ascii_digit).collect();
            let rss: u32 = digits.parse().unwrap_or_else(|_| panic!("a number: {done}"));
            assert!((1..1536).contains(&rss), "{rss} KiB");
        }),
        Case::new(
            "as PID 1, gb holds the standard streams alone, and the command has what gb was given",
            || {
                let list = "ls /proc/$$/fd >/tmp/list; xargs </tmp/list";
                let script = format!(
                    "exec 7</dev/null 9</dev/null; {list}; exec {} sh -c '{}; idle; {list}; ls /proc/1/fd | xargs'",
                    GB.words.join(" "),
                    IDLE.replace('\'', r"'\''")
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

fn ending(done: &Done) -> String {
    match done.ending {
        Ending::Code(code) => code.to_string(),
        Ending::Signal(signal) => format!("killed by {signal}"),
    }
}

/// What becomes of a command that is stopped by the key after it has said that it is ready, and then would read a line.
#[track_caller]
fn after_ctrl_z(init: Init, script: &str) -> String {
    let mut running = on_terminal(init, script);
    running.expect("ready");
    running.send("\x1a");
    running.send("go on\n");
    if running.hangs() { "hangs".into() } else { format!("runs on: {}", ending(&running.wait())) }
}

/// After how many seconds init says that it has killed what the command left behind; the message has all of these words.
#[track_caller]
fn killed_after(done: &Done, words: &[&str]) -> u32 {
    let [message] = done.messages()[..] else { panic!("one message: {done}") };
    assert!(words.iter().all(|word| message.contains(word)) && done.err().lines().count() == 1, "{done}");
    let rest = message.strip_prefix("gb: end what the command left behind: killed after ");
    let seconds = rest.and_then(|rest| rest.split_once(" s: ")).and_then(|(seconds, _)| seconds.parse().ok());
    seconds.unwrap_or_else(|| panic!("a number of seconds: {done}"))
}

/// The mask and the ignored signals that the command has.
#[track_caller]
fn signals_of(root: &Root, init: Init) -> String {
    // (grep would catch SIGSEGV.)
    let mut running = root.start(words(init, ["cat", "/proc/self/status"]));
    running.expect("nonvoluntary_ctxt_switches");
    // Not every init ends then.
    let done = running.kill();
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
        for my $n (@ARGV) {
            my $action = POSIX::SigAction->new(sub { print qq(got $n.\n) });
            $action->safe(1);
            sigaction($n, $action);
        }
        print qq(ready\n); sleep 1 while 1;";
    let command =
        ["perl", "-e", script].map(str::to_owned).into_iter().chain(numbers.iter().map(i32::to_string));
    let mut running = root().start(words(init, command));
    running.expect("ready");
    let (pid_1, last) = (running.pid_1(), libc::SIGRTMAX());
    let lost = numbers.iter().filter(|number| {
        running.signal(**number);
        running.wait_until_handled();
        let command = children(pid_1)[0];
        running.wait_until("the command has handled the signal", || {
            if state(command) == Some('T') {
                // Some make SIGSTOP of it.
                running.signal(libc::SIGCONT);
            }
            is_idle(command)
        });
        // All hand on the last one, and what was written before has been read when that is.
        running.signal(last);
        let got = running.expect(&format!("got {last}."));
        // Perl handles a few of them at once, even while it writes.
        running.wait_until("the command waits", || is_idle(command));
        !got.contains(&format!("got {number}."))
    });
    let lost: Vec<String> = lost.map(i32::to_string).collect();
    if lost.is_empty() { "none".into() } else { lost.join(" ") }
}
