//! HOME and passwd tell the same home, whoever the command is: ssh, `~user` and whatever else asks getpwuid(3) would
//! otherwise read another user's files.

use crate::accounts::{GROUP, PASSWD, asking_for, every_way, root, untouched};
use crate::case::Case;
use crate::inside::GB;
use crate::root::Root;
use crate::running::Done;

/// Prints the home that passwd has for the command's user, HOME, and its owner; fails where they differ or nothing can be
/// written.
const SAME: &[&str] = &["sh", "-euc", SAME_SCRIPT];
/// `docker run --cap-drop DAC_OVERRIDE`, of which Docker gives no DAC_READ_SEARCH either.
const NO_OVERRIDE: &str = "--bounding-set=-dac_override,-dac_read_search";
const SAME_SCRIPT: &str = r#"test "$(getent passwd "$(id -u)" | cut -d: -f6)" = "$HOME"
    touch "$HOME/own"
    echo "$(id -u) $(stat -c %u "$HOME") $HOME""#;

pub fn cases() -> Vec<Case> {
    [told(), anonymous()].into_iter().flatten().collect()
}

fn told() -> Vec<Case> {
    let home = |script: &'static str| move || asking_for("4242").prepare(script);
    let elsewhere = "4242 4242 /tmp/gb-home-4242\n";
    vec![
        every_way("passwd tells the home that HOME is", home(""), SAME, |done| {
            done.code(0).prints("4242 4242 /home/user\n");
        }),
        every_way(
            "passwd tells the home that is taken for a mounted one of somebody else's",
            home("mkdir -p /home/user; mount -t tmpfs -o mode=755 home /home/user"),
            SAME,
            move |done| drop(done.code(0).prints(elsewhere)),
        ),
        every_way(
            "passwd tells a mounted home that anybody may write to",
            home("mkdir -p /home/user; mount -t tmpfs -o mode=1777 home /home/user"),
            SAME,
            |done| drop(done.code(0).prints("4242 0 /home/user\n")),
        ),
        every_way(
            "passwd tells a mounted home that one of the user's groups may write to",
            || {
                asking_for("4242")
                    .env("EXTRA_GROUP_ID", "998")
                    .prepare("mkdir -p /home/user; mount -t tmpfs -o mode=775,gid=998 home /home/user")
            },
            SAME,
            |done| drop(done.code(0).prints("4242 0 /home/user\n")),
        ),
        every_way(
            "passwd tells the home that is taken for a file",
            || asking_for("4242").file("/home/user", "", 0o644),
            SAME,
            move |done| drop(done.code(0).prints(elsewhere)),
        ),
        // docs/compat.md: account-home
        every_way(
            "an account of the image's is told the home that the command gets, and nothing else of it is changed",
            || asking_for("1000"),
            SAME,
            |done| {
                let done = done.code(0).prints("1000 1000 /home/user\n").says("Starting with UID: 1000\n");
                let moved = PASSWD.replace("::/home/dev:", "::/home/user:");
                assert_eq!([done.file("/etc/passwd"), done.file("/etc/group")], [&moved, GROUP], "{done}");
            },
        ),
        every_way(
            "an account in a mounted passwd keeps its home, silently",
            || asking_for("1000").prepare("cp /etc/passwd /opt/passwd; mount --bind /opt/passwd /etc/passwd"),
            &["sh", "-c", "id -un; echo $HOME"],
            |done| {
                let done = done.code(0).prints("dev\n/home/user\n").says("Starting with UID: 1000\n");
                assert_eq!(done.file("/opt/passwd"), PASSWD, "{done}");
            },
        ),
        every_way(
            "root's account keeps its home, which other programs of root's go by",
            || asking_for("0"),
            &["sh", "-c", "echo $HOME"],
            |done| assert_eq!(done.code(0).prints("/home/user\n").file("/etc/passwd"), PASSWD),
        ),
        Case::new("a second user beside a running one has a home of its own, in passwd as well", || {
            let script = format!(
                "LOCAL_USER_ID=4242 gb run -- sh -c 'touch ~/ready; exec sleep 1000' & first=$!
                until test -e /home/user/ready; do sleep 0.01; done
                LOCAL_USER_ID=5353 gb run -- sh -euc '{SAME_SCRIPT}' 2>/dev/null
                # Whoever asks after a user that has a name of its own is told the same.
                LOCAL_USER_ID=5353 gb run -- sh -euc 'eval echo ~user-5353' 2>/dev/null
                kill $first"
            );
            root().sh(&script).code(0).prints("5353 5353 /tmp/gb-home-5353\n/tmp/gb-home-5353\n");
        }),
        Case::new(
            "thirty parallel starts of three users: each has an account, and a home that passwd tells",
            || {
                let script = format!(
                    "for n in $(seq 10); do for uid in 20001 20002 20003; do
                    LOCAL_USER_ID=$uid gb run -- sh -euc '{SAME_SCRIPT}' 2>>/opt/err &
                done; done
                wait"
                );
                let done = root().sh(&script).code(0);
                let lines: Vec<_> = done.out().lines().map(str::to_owned).collect();
                assert_eq!(lines.len(), 30, "{done}\n{}", done.file("/opt/err"));
                for uid in ["20001", "20002", "20003"] {
                    let own = lines.iter().filter(|line| line.starts_with(&format!("{uid} {uid} /"))).count();
                    assert_eq!(own, 10, "{done}");
                }
            },
        ),
        every_way(
            "passwd tells the home that is taken where the user may not enter /home",
            home("chmod 700 /home"),
            SAME,
            move |done| drop(done.code(0).prints(elsewhere)),
        ),
        every_way(
            "an account is told the home of its command where root may not read shadow, as on Red Hat's images",
            || asking_for("1000").prepare("chmod 0 /etc/shadow").setpriv(&[NO_OVERRIDE]),
            SAME,
            |done| drop(done.code(0).prints("1000 1000 /home/user\n").says("Starting with UID: 1000\n")),
        ),
        Case::new("where an earlier account can't be made over, its home is not either", || {
            let earlier = format!("{PASSWD}user:x:4242:4242::/home/user:/bin/bash\n");
            let root = asking_for("5353").passwd(earlier).setpriv(&[NO_OVERRIDE]);
            let root = root.prepare(
                "chmod 0 /etc/shadow; mkdir /home/user; touch /home/user/own; chown -R 4242 /home/user",
            );
            let done = root.run([GB, "run", "--", "sh", "-c", "echo $HOME; stat -c %u /home/user/own"]);
            done.code(0).prints("/tmp/gb-home-5353\n4242\n");
        }),
        Case::new("where account files may not become as large, the command runs without an account", || {
            let script = "cp -p /etc/passwd /etc/group /etc/shadow /opt
                # In blocks of 512 bytes, and the image's files are larger than one.
                (ulimit -f 0; LOCAL_USER_ID=4242 gb run -- id -u 2>&1 | cat)
                for file in passwd group shadow; do cmp /etc/$file /opt/$file; done
                ls -A /etc | grep gb";
            let done = root().sh(script).code(1);
            assert!(done.out().contains("File too large") && done.out().ends_with("\n4242\n"), "{done}");
            assert_eq!(done.out().lines().count(), 3, "{done}");
        }),
    ]
}

/// A user whom the engine chose, as OpenShift does.
fn chosen(gid: u32) -> Root {
    root().user(1_000_650_000, gid)
}

fn run(root: Root, words: &[&str]) -> Done {
    root.init().run([GB, "run", "--"].iter().chain(words))
}

fn anonymous() -> Vec<Case> {
    let home = "/tmp/gb-home-1000650000\n";
    vec![
        // docs/compat.md: anonymous-home
        Case::new("a uid without an account has a HOME to write to, and nothing is said", move || {
            let done = run(chosen(0), &["sh", "-euc", "echo $HOME; touch ~/x; git config --global a.b c"]);
            untouched(&done.code(0).prints(home).says(""));
        }),
        Case::new("so it has where root is asked for, which it can't be", move || {
            let done = run(chosen(0).env("RUN_AS_ROOT", "true"), &["sh", "-c", "echo $HOME"]);
            done.code(0).prints(home).warns(&["RUN_AS_ROOT=true", "started as uid 1000650000"]);
        }),
        Case::new("a HOME that was given to a uid without an account stays", || {
            for value in ["/root", "/nowhere", "", "relative"] {
                let done = run(chosen(0).env("HOME", value), &["sh", "-c", "echo $HOME"]);
                done.code(0).prints(format!("{value}\n")).says("");
            }
            let own = chosen(0).prepare("mkdir -m 777 /own").env("HOME", "/own");
            run(own, &["sh", "-c", "echo $HOME"]).code(0).prints("/own\n").says("");
        }),
        Case::new("an account whose home is not there has a HOME to write to", || {
            let nobody = root().user(65534, 65534).env("HOME", "/nonexistent");
            run(nobody, &["sh", "-euc", "echo $HOME; touch ~/x"])
                .code(0)
                .prints("/tmp/gb-home-65534\n")
                .says("");
        }),
        Case::new("a user whose home is usable keeps it", || {
            let dev = root()
                .user(1000, 1000)
                .prepare("mkdir /home/dev; chown 1000 /home/dev")
                .env("HOME", "/home/dev");
            run(dev, &["sh", "-c", "echo $HOME"]).code(0).prints("/home/dev\n").says("");
        }),
        // docs/compat.md: anonymous-account
        Case::new(
            "with group 0 and a passwd that it may write, a uid without an account adds itself once",
            || {
                let may = || chosen(0).prepare("chmod g=u /etc/passwd");
                let done = run(may(), &["sh", "-euc", "id -un; gb run id -un; gb run true"]);
                let done = done.code(0).prints("user\nuser\n").says("");
                let line = "user:*:1000650000:0::/tmp/gb-home-1000650000:/bin/bash\n";
                assert_eq!(done.file("/etc/passwd"), format!("{PASSWD}{line}"), "{done}");
                // With a HOME that the image gives, which that group may write to.
                let own = may().prepare("mkdir -m 775 /app").env("HOME", "/app");
                let done = run(own, &["sh", "-euc", "id -un; getent passwd user"]);
                done.code(0).prints("user\nuser:*:1000650000:0::/app:/bin/bash\n").says("");
            },
        ),
        Case::new("many starts of a uid without an account add it once", || {
            let script = "for n in $(seq 20); do gb run -- id -un & done; wait";
            let done = run(chosen(0).prepare("chmod g=u /etc/passwd"), &["sh", "-c", script]);
            let done = done.code(0).prints("user\n".repeat(20));
            done.line("/etc/passwd", "user:");
        }),
        Case::new(
            "a passwd that may not become larger stays whole, and the uid without an account runs",
            || {
                for room in [0, 10] {
                    let script =
                        format!("prlimit --fsize=$(($(stat -c %s /etc/passwd) + {room})) gb run -- id -u");
                    let done = chosen(0).prepare("chmod g=u /etc/passwd").init().sh(&script);
                    untouched(&done.code(0).prints("1000650000\n").says(""));
                }
            },
        ),
        Case::new(
            "whoever keeps passwd locked for reading keeps no uid without an account from running",
            || {
                // perlfunc(1), fcntl; the fields are those of struct flock on 64-bit machines.
                let script = "chmod g=u /etc/passwd; chmod 777 /opt
                setpriv --reuid=7777 --clear-groups perl -e 'use Fcntl; open F, q(<), q(/etc/passwd);
                    my $l = pack q(ssx4qqix4), F_RDLCK, 0, 0, 0, 0; fcntl(F, F_SETLK, $l) or die; mkdir q(/opt/locked); sleep' &
                until test -d /opt/locked; do sleep 0.01; done
                HOME=/ setpriv --reuid=1000650000 --regid=0 --clear-groups gb run -- id -u";
                untouched(&root().sh(script).code(0).prints("1000650000\n").says(""));
            },
        ),
        Case::new("a HOME that would be more than a field of passwd adds nothing", || {
            let root =
                chosen(0).prepare("chmod g=u /etc/passwd; mkdir -m 777 '/a:0:0::'").env("HOME", "/a:0:0::");
            let done = run(root, &["sh", "-c", "echo $HOME"]).code(0).prints("/a:0:0::\n");
            untouched(&done);
        }),
        Case::new(
            "a dry run tells of the home and the account of a uid without one, and makes neither",
            || {
                let root = chosen(0).prepare("chmod g=u /etc/passwd");
                let done = root.init().run([GB, "run", "--dry-run", "true"]).code(0);
                let expected = "# account: to be added to /etc/passwd\n# home: one in /tmp, /var/tmp or /dev/shm, as the engine's \
                            can't be written to\n";
                assert!(done.out().contains(expected), "{done}");
                assert!(done.changed("/tmp").is_empty(), "{done}");
                untouched(&done);
            },
        ),
        Case::new("without group 0, or with a mounted passwd, no account is added", || {
            let done = run(chosen(5).prepare("chmod g=u /etc/passwd"), &["true"]);
            untouched(&done.code(0).says(""));
            let mounted =
                "cp /etc/passwd /opt/passwd; chmod 666 /opt/passwd; mount --bind /opt/passwd /etc/passwd";
            let done = run(chosen(0).prepare(mounted), &["true"]).code(0).says("");
            assert_eq!(done.file("/opt/passwd"), PASSWD, "{done}");
        }),
    ]
}
