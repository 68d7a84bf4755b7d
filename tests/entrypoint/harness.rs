//! The tests' own tools: a test that looks at the wrong thing would pass for ever.

use crate::case::Case;
use crate::processes::{children, is_idle, state};
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
            let mut killed = Root::new().start(["sh", "-c", "echo ready; exec sleep infinity"]);
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
        Case::new("a test can wait for output, and tells who waits from who hangs", || {
            let mut program = Root::new().start([
                "sh",
                "-c",
                "echo ready >&2; read line; echo \"$line\"; sh -c 'kill -STOP $$'; echo end",
            ]);
            program.expect_error("ready");
            let pid_1 = program.pid_1();
            program.wait_until("it waits", || is_idle(pid_1));
            program.send("x\ny\n");
            assert_eq!(program.expect("x\n"), "x\n");
            assert!(program.hangs());
            let child = children(pid_1)[0];
            assert_eq!(state(child), Some('T'));
            crate::running::signal(child, libc::SIGCONT);
            assert!(!program.hangs());
            program.wait().code(0).prints("x\nend\n");
        }),
        Case::new("a test can end what hangs", || {
            let mut program = Root::new().start(["sh", "-c", "echo ready; exec sleep infinity"]);
            program.expect("ready");
            assert_eq!(program.kill().ending, Ending::Signal(9));
        }),
    ]
}
