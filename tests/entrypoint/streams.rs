//! The standard streams are the command's: what opens `/dev/stderr` can write to it, and nothing else of root's is given.

use crate::accounts::{asking_for, every_way, root};
use crate::case::Case;
use crate::inside::{ENTRYPOINT, GB, SU_EXEC};

/// Opens all three by their names in /dev.
const OPENS: &str =
    "cat /dev/stdin >/dev/stdout; echo out >/dev/stdout; echo error >/dev/stderr; echo tee | tee /dev/stderr";

pub fn cases() -> Vec<Case> {
    vec![
        // docs/compat.md: streams
        every_way(
            "a command can open /dev/stdin, /dev/stdout and /dev/stderr",
            || asking_for("4242").input("in\n"),
            &["sh", "-euc", OPENS],
            |done| drop(done.code(0).prints("in\nout\ntee\n").says("Starting with UID: 4242\nerror\ntee\n")),
        ),
        Case::new("a command that su-exec starts can, too", || {
            let done = root().input("in\n").init().run([SU_EXEC, "games", "sh", "-euc", OPENS]);
            done.code(0).prints("in\nout\ntee\n").says("error\ntee\n");
        }),
        Case::new("on a terminal a command can open the terminal by these names", || {
            for words in [&[GB, "run", "--"][..], &[ENTRYPOINT], &[SU_EXEC, "4242"]] {
                for root in [asking_for("4242"), asking_for("4242").init()] {
                    let script = "stat -c %u:%a /dev/fd/0/. $(tty); echo x >/dev/stderr; read line </dev/stdin; echo got $line >/dev/stdout";
                    let command: Vec<_> = words.iter().copied().chain(["sh", "-c", script]).collect();
                    let mut running = root.start_on_terminal(command);
                    running.expect("4242:");
                    running.expect("x\r\n");
                    running.send("typed\n");
                    running.expect("got typed");
                    running.wait().code(0);
                }
            }
        }),
        Case::new("a file that a stream leads to stays root's", || {
            let script =
                "LOCAL_USER_ID=4242 gb run -- sh -c 'id -u; echo >&2' >/opt/out 2>/opt/err </etc/hostname
                su-exec games true >/opt/su
                stat -c %u /opt/out /opt/err /opt/su /etc/hostname; cat /opt/out";
            root().prepare("echo case >/etc/hostname").sh(script).code(0).prints("0\n0\n0\n0\n4242\n");
        }),
        Case::new("a named pipe stays root's", || {
            let script = "mkfifo /opt/pipe; cat /opt/pipe & exec 3>/opt/pipe
                LOCAL_USER_ID=4242 gb run -- id -u >&3; su-exec games id -u >&3
                exec 3>&-; wait; stat -c %u /opt/pipe";
            root().sh(script).code(0).prints("4242\n5\n0\n");
        }),
        Case::new("a device stays root's", || {
            let script = "mknod -m 600 /dev/shm/null c 1 3
                LOCAL_USER_ID=4242 gb run -- true </dev/shm/null >/dev/shm/null 2>/dev/shm/null
                stat -c %u /dev/shm/null /dev/null";
            root().sh(script).code(0).prints("0\n0\n");
        }),
        Case::new("a pipe of another user's stays that user's", || {
            // A pipe belongs to whoever called pipe(2).
            let script = "setpriv --reuid=7777 --clear-groups sh -c 'sleep 1000 | cat' &
                until reader=$(pgrep -x cat); do sleep 0.01; done
                LOCAL_USER_ID=4242 gb run -- true </proc/$reader/fd/0
                su-exec games true </proc/$reader/fd/0
                stat -Lc %u /proc/$reader/fd/0
                # As opposed to one of root's.
                true | { LOCAL_USER_ID=4242 gb run -- true; stat -Lc %u /dev/stdin; }";
            root().sh(script).code(0).prints("7777\n4242\n");
        }),
        Case::new("a terminal on which a shell of root's waits stays root's", || {
            let all = "LOCAL_USER_ID=4242 gb run -- id -u; su-exec games id -u; setsid -w su-exec games id -u
                # What the shell no longer knows of is init's child.
                (sh -c 'until grep -q \"^PPid:.1$\" /proc/$$/status; do :; done; exec su-exec games touch /opt/it' &)
                until test -e /opt/it; do sleep 0.01; done; stat -c %u:. $(tty)";
            for script in [format!("{all}; exit"), format!("bash -c '{}'; exit", all.replace('\'', "'\\''"))]
            {
                for root in [root(), root().init()] {
                    let root = root.prepare("chmod 777 /opt");
                    let mut running = root.start_on_terminal(["bash", "--norc", "-ic", &script]);
                    running.expect("4242\r\n5\r\n5\r\n");
                    running.expect("0:.");
                    running.wait().code(0);
                }
            }
        }),
        Case::new("streams are left alone where the command stays root, and closed ones stay closed", || {
            let done = asking_for("0").init().run([GB, "run", "--", "stat", "-Lc", "%u", "/dev/stdout"]);
            done.code(0).prints("0\n");
            let done =
                asking_for("4242").sh("gb run -- sh -c 'ls /proc/self/fd | tr \"\\n\" \" \"' <&- 2>&-");
            assert!(!done.code(0).out().contains('2'), "closed");
        }),
    ]
}
