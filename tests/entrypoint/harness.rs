//! The tests' own tools: a test that looks at the wrong thing would pass for ever.

use std::time::Duration;

use crate::case::Case;
use crate::root::Root;
use crate::running::Ending;

pub fn cases() -> Vec<Case> {
    vec![
        Case::new("a test has a root of its own, and sees afterwards what became of it", || {
            let done = Root::new()
                .file("/etc/own/file", "a\n", 0o640)
                .sh("cat /etc/own/file; echo b >/etc/own/file");
            let done = done.code(0).prints("a\n").says("");
            assert_eq!(
                (done.file("/etc/own/file"), done.mode("/etc/own/file")),
                ("b\n".into(), (0o640, 0, 0))
            );
            Root::new().sh("test -e /etc/own").code(1);
        }),
        Case::new("a test's program is PID 1, with the environment of a container and nothing else", || {
            let done = Root::new().run(["sh", "-c", "echo $$; exec env"]);
            done.code(0).prints(
                "1\nHOSTNAME=case\nHOME=/root\nPATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin\nPWD=/\n",
            );
            let done = Root::new().init().run(["sh", "-c", "test $$ != 1 && ps -o comm= 1"]);
            done.code(0).prints("tini\n");
        }),
        Case::new("a test tells an exit code from a signal", || {
            Root::new().sh("exit 42").code(42);
            let mut killed = Root::new().start(["sh", "-c", "echo ready; exec sleep 60"]);
            killed.expect("ready");
            killed.signal(9);
            assert_eq!(killed.wait().ending, Ending::Signal(9));
        }),
        Case::new("a test can be another user, without capabilities, with a read-only root", || {
            let done = Root::new().user(5000, 6000).run(["id"]);
            done.code(0).prints("uid=5000 gid=6000 groups=6000\n");
            let done = Root::new().setpriv(&["--bounding-set=-setuid"]).sh("setpriv --reuid 5 true");
            done.code(127);
            Root::new().read_only().sh("touch /x 2>/dev/null || touch /dev/shm/x").code(0);
            Root::new().read_only().sh("touch /x").code(1);
        }),
        Case::new("a test can be in a user namespace", || {
            let rootless = Root::new().user_namespace("0 1000 1\n1 100000 65536", "0 1000 1\n1 100000 65536");
            let done = rootless.sh("id -u; touch /root/x; setpriv --reuid 1 --clear-groups id -u");
            done.code(0).prints("0\n1\n").says("");
            let denied = Root::new().user_namespace_without_setgroups("0 0 65536", "0 0 65536");
            denied.sh("cat /proc/self/setgroups; setpriv --clear-groups true").code(127).prints("deny\n");
        }),
        Case::new("a test can type on a terminal", || {
            let mut shell =
                Root::new().start_on_terminal(["sh", "-c", "tty; trap 'echo INT; exit 3' INT; cat"]);
            shell.expect("/dev/pts/");
            shell.send("typed\n");
            shell.expect("typed\r\ntyped\r\n");
            shell.send("\x03");
            shell.expect("INT");
            shell.wait().code(3);
        }),
        Case::new("a test can wait for output and for silence", || {
            let mut program =
                Root::new().start(["sh", "-c", "echo ready >&2; read line; echo \"$line\"; cat"]);
            program.expect_error("ready");
            assert!(!program.writes_within("x", Duration::from_millis(50)));
            program.send("x\n");
            program.expect("x\n");
            assert!(program.ended_within(Duration::from_millis(50)).is_none());
            program.close_input();
            program.wait().code(0);
        }),
    ]
}
