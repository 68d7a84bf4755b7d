//! Where the usual entrypoints fail, or do harm in silence: what gb does there.

use crate::accounts::{GROUP, PASSWD, WHO, asking_for, every_way, root, untouched};
use crate::case::Case;
use crate::inside::ENTRYPOINT;
use crate::root::Root;
use crate::running::{Done, Ending};

/// Prints who the command is, and fails where HOME can't be written to.
const WHO_IN_HOME: &[&str] = &[
    "sh",
    "-c",
    r#"printf '%s:%s:%s %s\n' "$(id -u)" "$(id -g)" "$(id -G | tr ' ' ',')" "$HOME" && touch "$HOME/own""#,
];

const AS_4242: &str = "4242:4242:4242 /home/user\n";
const STARTING: &str = "Starting with UID: 4242\n";

/// A test that the command runs as it should and gb has nothing to say.
fn runs(name: &'static str, root: impl Fn() -> Root + Send + 'static, prints: &'static str) -> Case {
    every_way(name, root, WHO_IN_HOME, move |done| {
        let done = done.code(0).prints(prints);
        assert!(done.messages().is_empty(), "a message nobody needs: {done}");
    })
}

/// A test that the command runs as it should, and gb says one thing.
fn runs_and_warns(
    name: &'static str,
    root: impl Fn() -> Root + Send + 'static,
    prints: &'static str,
    words: &'static [&'static str],
) -> Case {
    every_way(name, root, WHO_IN_HOME, move |done| drop(done.code(0).prints(prints).warns(words)))
}

/// A test that gb refuses, with nothing written.
fn refuses(
    name: &'static str,
    root: impl Fn() -> Root + Send + 'static,
    words: &'static [&'static str],
) -> Case {
    every_way(name, root, WHO_IN_HOME, move |done| untouched(&done.refuses(125, words)))
}

pub fn cases() -> Vec<Case> {
    [accounts(), groups(), second_start(), odd_files(), containers(), homes(), hints(), options()]
        .into_iter()
        .flatten()
        .collect()
}

/// B01, B02, B14: which uid and gid.
fn accounts() -> Vec<Case> {
    vec![
        every_way(
            "a uid of the image's changes nothing but the home that its account has",
            || asking_for("1000"),
            WHO_IN_HOME,
            |done| {
                let done = done.code(0).prints("1000:1000:1000 /home/user\n");
                assert_eq!(done.file("/etc/group"), GROUP, "{done}");
                assert_eq!(done.mode("/home/user"), (0o755, 1000, 1000), "{done}");
            },
        ),
        every_way(
            "uid 0 changes no account file",
            || asking_for("0"),
            &["true"],
            |done| {
                let done = done.code(0);
                assert_eq!([done.file("/etc/passwd"), done.file("/etc/group")], [PASSWD, GROUP], "{done}");
            },
        ),
        every_way(
            "LOCAL_GROUP_ID is the gid",
            || asking_for("4242").env("LOCAL_GROUP_ID", "5353"),
            WHO_IN_HOME,
            |done| {
                let done = done.code(0).prints("4242:5353:5353 /home/user\n").says(STARTING);
                assert_eq!(done.line("/etc/passwd", "user:"), "user:x:4242:5353::/home/user:/bin/bash");
                assert_eq!(done.line("/etc/group", "user:"), "user:x:5353:");
                assert_eq!(done.mode("/home/user"), (0o755, 4242, 5353), "{done}");
            },
        ),
        every_way(
            "LOCAL_GROUP_ID may be a group that exists",
            || asking_for("4242").env("LOCAL_GROUP_ID", "998"),
            WHO_IN_HOME,
            |done| {
                let done = done.code(0).prints("4242:998:998 /home/user\n").says(STARTING);
                assert_eq!(done.file("/etc/group"), GROUP, "{done}");
            },
        ),
        runs(
            "LOCAL_GROUP_ID counts for an account of the image's too",
            || asking_for("1000").env("LOCAL_GROUP_ID", "100"),
            "1000:100:100 /home/user\n",
        ),
        runs("an empty LOCAL_GROUP_ID is none", || asking_for("4242").env("LOCAL_GROUP_ID", ""), AS_4242),
        refuses(
            "a LOCAL_GROUP_ID that is no gid is refused",
            || asking_for("4242").env("LOCAL_GROUP_ID", "4294967296"),
            &["LOCAL_GROUP_ID", "4294967296"],
        ),
        refuses(
            "a LOCAL_GROUP_ID is no name",
            || asking_for("4242").env("LOCAL_GROUP_ID", "docker"),
            &["LOCAL_GROUP_ID", "docker"],
        ),
        every_way(
            "an account that is named as a number is not the account of that uid",
            || asking_for("111").passwd("root:x:0:0::/root:/bin/sh\n111:x:3000:3000::/:/bin/sh\n"),
            WHO_IN_HOME,
            |done| {
                let done = done.code(0).prints("111:111:111 /home/user\n");
                assert_eq!(done.line("/etc/passwd", "user:"), "user:x:111:111::/home/user:/bin/bash");
            },
        ),
        every_way(
            "a new account's name is another where user is somebody's",
            || {
                asking_for("4242")
                    .passwd("root:x:0:0:root:/root:/bin/sh\nuser:x:777:777:Jane:/home/jane:/bin/zsh\n")
            },
            &["id", "-un"],
            |done| {
                let done = done.code(0).prints("user-4242\n");
                assert_eq!(done.line("/etc/passwd", "user:"), "user:x:777:777:Jane:/home/jane:/bin/zsh");
                assert_eq!(
                    done.line("/etc/passwd", "user-4242:"),
                    "user-4242:x:4242:4242::/home/user:/bin/bash"
                );
            },
        ),
    ]
}

/// EXTRA_GROUP_IDS.
fn groups() -> Vec<Case> {
    vec![
        every_way(
            "EXTRA_GROUP_IDS are all joined, by gid and by name",
            || asking_for("4242").env("EXTRA_GROUP_IDS", "998,5555 users\t6666\n"),
            WHO_IN_HOME,
            |done| {
                let done = done.code(0).prints("4242:4242:4242,100,998,5555,6666 /home/user\n");
                let done = done.says(
                    "Starting with UID: 4242\n\
                     Adding user to additional GID: 998\n\
                     Adding user to existing group instead\n\
                     Adding user to additional GID: 5555\n\
                     Adding user to additional GID: users\n\
                     Adding user to existing group instead\n\
                     Adding user to additional GID: 6666\n",
                );
                assert_eq!(done.line("/etc/group", "docker:"), "docker:x:998:user");
                assert_eq!(done.line("/etc/group", "users:"), "users:x:100:games,user");
                let names: Vec<_> = done
                    .file("/etc/group")
                    .lines()
                    .map(|l| l.split(':').next().unwrap().to_owned())
                    .collect();
                let mut once = names.clone();
                once.sort();
                once.dedup();
                assert_eq!(once.len(), names.len(), "two groups of one name: {names:?}");
            },
        ),
        runs(
            "EXTRA_GROUP_ID and EXTRA_GROUP_IDS add up",
            || asking_for("4242").envs(&[("EXTRA_GROUP_ID", "5555"), ("EXTRA_GROUP_IDS", "5555,998")]),
            "4242:4242:4242,998,5555 /home/user\n",
        ),
        runs(
            "an empty EXTRA_GROUP_IDS is none",
            || asking_for("4242").env("EXTRA_GROUP_IDS", " , "),
            AS_4242,
        ),
        refuses(
            "one wrong word in EXTRA_GROUP_IDS is refused",
            || asking_for("4242").env("EXTRA_GROUP_IDS", "998,-5"),
            &["EXTRA_GROUP_IDS", "-5"],
        ),
        refuses(
            "an extra group can't bring a line of its own into /etc/group",
            || asking_for("4242").env("EXTRA_GROUP_ID", "5555\nroot:x:0:user"),
            &["EXTRA_GROUP_ID"],
        ),
        refuses(
            "an extra group can't bring fields of its own into /etc/group",
            || asking_for("4242").env("EXTRA_GROUP_ID", "docker:x:0:user"),
            &["EXTRA_GROUP_ID"],
        ),
        runs(
            "groups that the engine was told to add are kept, after all others",
            || {
                let group = GROUP.replace("daemon:x:1:", "daemon:x:1:root");
                let root = asking_for("4242").group(group).env("EXTRA_GROUP_ID", "100");
                root.setpriv(&["--groups=0,1,7777,998"])
            },
            "4242:4242:4242,100,998,7777 /home/user\n",
        ),
        runs(
            "a group that the engine was told to add and EXTRA_GROUP_ID names is there once",
            || asking_for("4242").env("EXTRA_GROUP_ID", "998").setpriv(&["--groups=0,998,7777"]),
            "4242:4242:4242,998,7777 /home/user\n",
        ),
        runs(
            "extra groups come on top of those that an account of the image's has",
            || asking_for("5").env("EXTRA_GROUP_IDS", "998"),
            "5:60:60,100,998 /home/user\n",
        ),
    ]
}

/// B06, B16: more than one start in one container.
fn second_start() -> Vec<Case> {
    vec![
        // docs/compat.md: second-start
        Case::new("a second start with another uid runs as that, with a HOME to write to", || {
            let done = root().sh(&format!(
                "LOCAL_USER_ID=4242 entrypoint.sh id -u && LOCAL_USER_ID=5353 entrypoint.sh sh -c '{WHO_ALONE}; touch ~/own'"
            ));
            let done = done.code(0).prints("4242\n5353:5353:5353\n");
            assert_eq!(done.line("/etc/passwd", "user:"), "user:x:5353:5353::/home/user:/bin/bash");
            assert_eq!(done.line("/etc/group", "user:"), "user:x:5353:");
            assert_eq!(done.file("/etc/shadow").matches("user:").count(), 1, "{done}");
        }),
        Case::new("a second start with the same uid changes nothing", || {
            let done = asking_for("4242").env("EXTRA_GROUP_ID", "5555").sh(
                "entrypoint.sh id -u && cp -a /etc/passwd /etc/group /etc/shadow /opt && entrypoint.sh id -u \
                 && cmp /etc/passwd /opt/passwd && cmp /etc/group /opt/group && cmp /etc/shadow /opt/shadow",
            );
            done.code(0).prints("4242\n4242\n");
        }),
        Case::new("a second start with another uid is in no group that was the first one's", || {
            let done = root().sh(&format!(
                "LOCAL_USER_ID=4242 EXTRA_GROUP_IDS=998,5555 entrypoint.sh true 2>/dev/null \
                 && LOCAL_USER_ID=5353 entrypoint.sh sh -c '{WHO_ALONE}'"
            ));
            done.code(0).prints("5353:5353:5353\n");
        }),
        Case::new("parallel starts of many users leave every account file in order", parallel_starts),
        Case::new("parallel starts of one user share an account and a home", parallel_starts_of_one_user),
        Case::new("a start that was killed before any file was replaced leaves whole account files", || {
            // Shadow, group and passwd are renamed into place one after the other, and strace(1) kills before each.
            // What is left of the first two is what the next start finds.
            let script = "cp -p /etc/passwd /etc/group /etc/shadow /opt
                for n in 1 2 3; do
                    cp -p /opt/passwd /opt/group /opt/shadow /etc
                    LOCAL_USER_ID=4242 EXTRA_GROUP_ID=5555 strace -qq -o /opt/trace -e inject=rename:signal=KILL:when=$n \
                        gb run true 2>/dev/null
                    test $? = 137 || exit $n
                done
                LOCAL_USER_ID=4242 entrypoint.sh id -u";
            let done = root().sh(script).code(0).prints("4242\n");
            in_order(&done, &["4242"]);
        }),
    ]
}

const WHO_ALONE: &str = r#"printf "%s:%s:%s\n" "$(id -u)" "$(id -g)" "$(id -G | tr " " ",")""#;

fn parallel_starts() {
    let script = "
        for uid in $(seq 20001 20020); do
            LOCAL_USER_ID=$uid EXTRA_GROUP_ID=$((uid + 10000)) gb run -- sh -c 'echo $(id -u) $(id -G)' 2>>/opt/err &
        done
        wait";
    let done = root().sh(script).code(0);
    let mut found: Vec<_> = done.out().lines().collect();
    found.sort();
    let expected: Vec<_> = (20001..=20020).map(|uid| format!("{uid} {uid} {}", uid + 10000)).collect();
    assert_eq!(found, expected, "{done}");
    in_order(&done, &[]);
    // One home can't be twenty users' at once. Who lost it is told which one they have.
    let said = done.file("/opt/err");
    let told = said.lines().filter(|line| line.starts_with("gb: "));
    let lost = |line: &str| {
        line.contains("/home/user: it belongs to uid 200") && line.contains("HOME is /tmp/gb-home-2")
    };
    told.for_each(|line| assert!(lost(line), "{line}"));
}

fn parallel_starts_of_one_user() {
    let script = "
        for n in $(seq 20); do
            LOCAL_USER_ID=20001 EXTRA_GROUP_ID=30001 gb run -- sh -c 'echo $(id -u) $(id -G) $HOME; touch ~/$$' 2>>/opt/err &
        done
        wait
        ls /home/user | wc -l";
    let done = root().sh(script).code(0);
    assert_eq!(done.out(), format!("{}20\n", "20001 20001 30001 /home/user\n".repeat(20)), "{done}");
    in_order(&done, &["20001"]);
    let said = done.file("/opt/err");
    assert!(!said.contains("gb: "), "messages nobody needs: {said}");
}

/// Expects account files that every program can read: whole lines, no uid, gid or name twice, the image's lines kept, no
/// account without a lock on its password, nothing left of a change.
#[track_caller]
fn in_order(done: &Done, uids: &[&str]) {
    let (passwd, group, shadow) =
        (done.file("/etc/passwd"), done.file("/etc/group"), done.file("/etc/shadow"));
    assert!(passwd.starts_with(PASSWD), "{passwd}");
    for (file, text, fields, unique) in
        [("passwd", &passwd, 7, &[0, 2][..]), ("group", &group, 4, &[0, 2]), ("shadow", &shadow, 9, &[0])]
    {
        assert!(text.ends_with('\n'), "{file} ends within a line: {text}");
        let rows: Vec<Vec<_>> = text.lines().map(|line| line.split(':').collect()).collect();
        assert!(rows.iter().all(|row| row.len() == fields), "{file}: {text}");
        for column in unique {
            let mut values: Vec<_> = rows.iter().map(|row| row[*column]).collect();
            values.sort();
            let all = values.len();
            values.dedup();
            assert_eq!(values.len(), all, "twice the same in column {column} of {file}: {text}");
        }
    }
    assert!(passwd.lines().all(|line| line.split(':').nth(1) == Some("x")), "{passwd}");
    assert!(
        shadow.lines().all(|line| line.split(':').nth(1).is_some_and(|p| p.starts_with(['!', '*']))),
        "{shadow}"
    );
    for uid in uids {
        assert!(passwd.lines().any(|line| line.split(':').nth(2) == Some(uid)), "uid {uid}: {passwd}");
    }
    let modes = ["/etc/passwd", "/etc/group", "/etc/shadow"].map(|file| done.mode(file).0);
    assert_eq!(modes, [0o644, 0o644, 0o640], "{done}");
    let mut left = done.changed("/etc");
    left.retain(|name| !["passwd", "group", "shadow", "gshadow", ".pwd.lock"].contains(&name.as_str()));
    assert!(left.is_empty(), "{left:?} in /etc: {done}");
}

/// B15, B19, B20: account files as they should not be.
fn odd_files() -> Vec<Case> {
    let added = "user:x:4242:4242::/home/user:/bin/bash";
    vec![
        Case::new("a bind-mounted /etc/passwd is left alone, with a warning", || {
            let root = asking_for("4242")
                .prepare("cp /etc/passwd /opt/passwd; mount --bind /opt/passwd /etc/passwd");
            let done = root.init().run([ENTRYPOINT].iter().chain(WHO_IN_HOME));
            let done = done.code(0).prints(AS_4242).warns(&["/etc/passwd"]);
            assert_eq!(done.file("/opt/passwd"), PASSWD, "{done}");
        }),
        every_way(
            "without account files there is an account afterwards, without a password",
            || asking_for("4242").prepare("rm /etc/passwd /etc/group /etc/shadow"),
            WHO_IN_HOME,
            move |done| {
                let done = done.code(0).prints(AS_4242).says(STARTING);
                assert_eq!(done.file("/etc/passwd"), "user:*:4242:4242::/home/user:/bin/bash\n", "{done}");
                assert_eq!(done.file("/etc/group"), "user:x:4242:\n", "{done}");
                assert_eq!(
                    (done.mode("/etc/passwd"), done.mode("/etc/group")),
                    ((0o644, 0, 0), (0o644, 0, 0))
                );
            },
        ),
        every_way(
            "without /etc/shadow the account's password is * in /etc/passwd",
            || asking_for("4242").prepare("rm /etc/shadow"),
            &["sh", "-c", "test ! -e /etc/shadow"],
            |done| {
                assert_eq!(
                    done.code(0).line("/etc/passwd", "user:"),
                    "user:*:4242:4242::/home/user:/bin/bash"
                )
            },
        ),
        every_way(
            "without /etc a command runs as the user all the same",
            || asking_for("4242").prepare("rm -r /etc"),
            WHO_IN_HOME,
            |done| drop(done.code(0).prints(AS_4242)),
        ),
        every_way(
            "an account file without a last newline gets one",
            || asking_for("4242").passwd(PASSWD.trim_end()).group(GROUP.trim_end()),
            WHO_IN_HOME,
            move |done| {
                let done = done.code(0).prints(AS_4242).says(STARTING);
                assert_eq!(done.file("/etc/passwd"), format!("{PASSWD}{added}\n"), "{done}");
                assert_eq!(done.file("/etc/group"), format!("{GROUP}user:x:4242:\n"), "{done}");
            },
        ),
        every_way(
            "lines that nobody can read stay as they are",
            || asking_for("4242").passwd(ODD_PASSWD).group(ODD_GROUP),
            &["true"],
            move |done| {
                let done = done.code(0).says(STARTING);
                assert_eq!(done.file("/etc/passwd"), format!("{ODD_PASSWD}{added}\n"), "{done}");
                assert_eq!(done.file("/etc/group"), format!("{ODD_GROUP}user:x:4242:\n"), "{done}");
            },
        ),
        runs(
            "lines that end as on Windows are read",
            || {
                asking_for("1234")
                    .passwd("root:x:0:0::/root:/bin/sh\r\nwin:x:1234:1235::/:/bin/sh\r\n")
                    .group("root:x:0:\r\nextra:x:77:win\r\n")
            },
            "1234:1235:1235,77 /home/user\n",
        ),
        Case::new("a group line of any length is read", || {
            let members: Vec<_> = (0..20_000).map(|n| format!("member{n}")).collect();
            let group = format!("{GROUP}big:x:7777:{},games\n", members.join(","));
            let root = asking_for("5").group(&group);
            let done = root.init().run([ENTRYPOINT, "sh", "-c", WHO]);
            done.code(0).prints("5:60:60,100,7777 /home/user\n");
        }),
        Case::new("account files that never end do not hold gb up for ever", || {
            for file in ["/etc/passwd", "/etc/group", "/etc/shadow"] {
                let root = asking_for("4242").prepare(&format!("rm {file}; ln -s /dev/zero {file}"));
                let done = root.init().run([ENTRYPOINT, "id", "-u"]);
                match done.ending {
                    Ending::Code(0) => drop(done.prints("4242\n")),
                    _ => drop(done.refuses(125, &[file])),
                }
            }
        }),
        Case::new("an account file that is a pipe does not hold gb up for ever", || {
            let root = asking_for("4242").prepare("rm /etc/group; mkfifo /etc/group");
            let done = root.init().run([ENTRYPOINT, "id", "-u"]);
            match done.ending {
                Ending::Code(0) => drop(done.prints("4242\n")),
                _ => drop(done.refuses(125, &["/etc/group"])),
            }
        }),
        every_way(
            "on a host of systemd's no account is made",
            || asking_for("4242").prepare("mkdir -p /run/systemd/system"),
            &["sh", "-c", "id -u; id -g"],
            |done| {
                let done = done.code(0).prints("4242\n4242\n");
                assert_eq!([done.file("/etc/passwd"), done.file("/etc/group")], [PASSWD, GROUP], "{done}");
            },
        ),
    ]
}

const ODD_PASSWD: &str = "# comment:x:4242:0::/:\nroot:x:0:0:root:/root:/bin/bash\n\n:::\nshort:x:4242\n\
    big:x:99999999999999999999:0::/:/bin/sh\nnegative:x:-4242:0::/:/bin/sh\nplus:x:+4242:0::/:/bin/sh\n\
    hex:x:0x1092:0::/:/bin/sh\nspace:x: 4242:0::/:/bin/sh\n+::::::\n:x:4242:4242::/:/bin/sh\n";
const ODD_GROUP: &str = "# comment\nroot:x:0:\n\n:::\nshort:x\nbig:x:99999999999999999999:user\nnegative:x:-4242:user\n\
    :x:4242:user\n";

/// B10 - B13: containers that may not do everything.
fn containers() -> Vec<Case> {
    vec![
        refuses(
            "docker run --cap-drop SETUID is refused with the capability's name",
            || asking_for("4242").setpriv(&["--bounding-set=-setuid"]),
            &["CAP_SETUID", "("],
        ),
        refuses(
            "docker run --cap-drop SETGID is refused with the capability's name",
            || asking_for("4242").setpriv(&["--bounding-set=-setgid"]),
            &["CAP_SETGID", "("],
        ),
        refuses(
            "docker run --cap-drop ALL is refused with the capabilities' names",
            || asking_for("4242").setpriv(&["--bounding-set=-all"]),
            &["CAP_SETUID", "SETGID", "("],
        ),
        every_way(
            "docker run --cap-drop ALL with RUN_AS_ROOT=true runs as root",
            || root().env("RUN_AS_ROOT", "true").setpriv(&["--bounding-set=-all"]),
            &["id", "-u"],
            |done| drop(done.code(0).prints("0\n").says("")),
        ),
        every_way(
            "docker run --cap-drop ALL with LOCAL_USER_ID=0 runs as root",
            || asking_for("0").setpriv(&["--bounding-set=-all"]),
            &["id", "-u"],
            |done| drop(done.code(0).prints("0\n")),
        ),
        every_way(
            "SETUID and SETGID are all the capabilities that gb needs",
            || asking_for("4242").setpriv(&["--bounding-set=-all,+setuid,+setgid"]),
            &["sh", "-c", r#"id -u; touch "$HOME/own""#],
            |done| drop(done.code(0).prints("4242\n")),
        ),
        Case::new("a uid that the user namespace does not have is refused, and said to be so", || {
            let root = asking_for("4242").user_namespace("0 0 1000", "0 0 65536");
            root.init().run([ENTRYPOINT, "id"]).refuses(125, &["4242", "namespace"]);
        }),
        Case::new("a uid in the last of many ranges of the user namespace is found", || {
            // More than a page of /proc/self/uid_map, in less than one page to be written.
            let lines: Vec<_> = (0..300).map(|n| format!("{0} {0} 9", n * 10)).collect();
            let map: &str = lines.join("\n").leak();
            let done = asking_for("2995").user_namespace(map, map).init().run([ENTRYPOINT, "id", "-u"]);
            done.code(0).prints("2995\n");
        }),
        Case::new("a gid that the user namespace does not have is refused, and said to be so", || {
            let root = asking_for("4242").user_namespace("0 0 65536", "0 0 1000");
            root.init().run([ENTRYPOINT, "id"]).refuses(125, &["4242", "namespace"]);
        }),
        Case::new("an extra gid that the user namespace does not have is refused", || {
            let root = asking_for("42").env("EXTRA_GROUP_ID", "998").user_namespace("0 0 65536", "0 0 900");
            root.init().run([ENTRYPOINT, "id"]).refuses(125, &["998", "namespace"]);
        }),
        Case::new("below rootless podman the caller's uid is root's there, and the command stays it", || {
            let root = asking_for("1000").passwd("root:x:0:0:root:/root:/bin/sh\n").group("root:x:0:\n");
            let root = root.user_namespace(ROOTLESS, ROOTLESS);
            let done = root.init().run([ENTRYPOINT].iter().chain(WHO_IN_HOME));
            done.code(0).prints("0:0:0 /home/user\n").warns(&["1000"]);
        }),
        Case::new("below rootless podman another uid is that uid", || {
            let root = asking_for("4242").user_namespace(ROOTLESS, ROOTLESS);
            root.init().run([ENTRYPOINT].iter().chain(WHO_IN_HOME)).code(0).prints(AS_4242);
        }),
        Case::new("where setgroups is denied gb says so", || {
            let root = asking_for("4242").user_namespace_without_setgroups("0 0 65536", "0 0 65536");
            root.init().run([ENTRYPOINT, "id"]).refuses(125, &["setgroups"]);
        }),
        Case::new("where setgroups is denied RUN_AS_ROOT=true needs none", || {
            let root = root().env("RUN_AS_ROOT", "true");
            let root = root.user_namespace_without_setgroups("0 0 65536", "0 0 65536");
            root.init().run([ENTRYPOINT, "id", "-u"]).code(0).prints("0\n").says("");
        }),
    ]
}

/// As `podman unshare cat /proc/self/uid_map` of uid 1000 prints it.
const ROOTLESS: &str = "0 1000 1\n1 100000 65536";

/// B03, B24: a HOME to write to, and nothing else of the container's given away.
fn homes() -> Vec<Case> {
    vec![
        every_way(
            "a mount in the home keeps its owner, and the directories around it are the user's",
            || {
                asking_for("4242").prepare(
                    "mkdir -p /home/user/.docker /home/user/.config/gcloud /opt/docker
                     echo '{}' >/opt/docker/config.json
                     mount --bind /opt/docker /home/user/.docker
                     mount -t tmpfs -o mode=755 gcloud /home/user/.config/gcloud",
                )
            },
            &[
                "sh",
                "-c",
                "cat ~/.docker/config.json; touch ~/own ~/.config/own; stat -c %u ~/.docker ~/.config ~/.config/gcloud",
            ],
            |done| {
                let done = done.code(0).prints("{}\n0\n4242\n0\n").says(STARTING);
                assert_eq!(done.mode("/opt/docker"), (0o755, 0, 0), "{done}");
            },
        ),
        runs(
            "a mount at the home that is the user's is used",
            || {
                asking_for("4242")
                    .prepare("mkdir -p /home/user; mount -t tmpfs -o uid=4242,mode=700 home /home/user")
            },
            AS_4242,
        ),
        every_way(
            "a mount at the home that is somebody else's stays so, and HOME is elsewhere",
            || asking_for("4242").prepare("mkdir -p /home/user; mount -t tmpfs -o mode=755 home /home/user"),
            &["sh", "-c", r#"echo "$HOME"; touch "$HOME/own"; stat -c %u:%g:%a /home/user "$HOME""#],
            |done| {
                let done = done.code(0).prints("/tmp/gb-home-4242\n0:0:755\n4242:4242:700\n");
                done.warns(&["/home/user", "/tmp/gb-home-4242"]);
            },
        ),
        every_way(
            "a link in the home gives nothing away",
            || {
                asking_for("4242").prepare(
                    "mkdir -p /home/user/dir; ln -s /opt /home/user/opt; ln -s /etc /home/user/dir/etc",
                )
            },
            &["sh", "-c", "stat -c %u /opt /etc ~/dir"],
            |done| drop(done.code(0).prints("0\n0\n4242\n")),
        ),
        every_way(
            "a home that is a link gives nothing away",
            || asking_for("4242").prepare("ln -s /opt /home/user"),
            &["sh", "-c", r#"id -u; stat -c %u /opt; touch "$HOME/own""#],
            |done| drop(done.code(0).prints("4242\n0\n")),
        ),
        every_way(
            "what somebody has put in the place of the other HOME is not used",
            || {
                asking_for("4242")
                    .file("/home/user", "", 0o644)
                    .prepare("ln -s /opt /tmp/gb-home-4242; mkdir -m 777 /var/tmp/gb-home-4242; chown 7 /var/tmp/gb-home-4242")
            },
            &[
                "sh",
                "-c",
                r#"touch "$HOME/own"; stat -c %u:%a "$HOME/." /opt /var/tmp/gb-home-4242; echo "$HOME""#,
            ],
            |done| {
                let done = done.code(0);
                assert!(done.out().starts_with("4242:700\n0:755\n7:777\n"), "{done}");
            },
        ),
        every_way(
            "a read-only root file system with a tmpfs at /tmp has HOME there",
            || asking_for("4242").prepare("mount -t tmpfs -o mode=1777 tmp /tmp").read_only(),
            WHO_IN_HOME,
            |done| drop(done.code(0).prints("4242:4242:4242 /tmp/gb-home-4242\n").warns(&["/home/user"])),
        ),
        Case::new("a second start finds the other HOME again", || {
            let done = asking_for("4242")
                .file("/home/user", "", 0o644)
                .sh("for i in 1 2; do entrypoint.sh sh -c 'echo $HOME; touch $HOME/own' 2>/dev/null; done");
            done.code(0).prints("/tmp/gb-home-4242\n/tmp/gb-home-4242\n");
        }),
        every_way(
            "a home that is private stays private",
            || asking_for("4242").prepare("mkdir -m 700 /home/user"),
            WHO_IN_HOME,
            |done| assert_eq!(done.code(0).prints(AS_4242).mode("/home/user"), (0o700, 4242, 4242)),
        ),
    ]
}

/// B25, B26, and what else a user would wonder about.
fn hints() -> Vec<Case> {
    let mounted = || {
        root()
            .prepare("mkdir /src; mount -t tmpfs -o uid=1234,gid=1234,mode=755 src /src; echo text >/src/file; chown 1234:1234 /src/file")
            .workdir("/src")
    };
    vec![
        runs_and_warns(
            "a GOCACHE that the user can't write to is told of",
            || asking_for("4242").prepare("mkdir /go-cache").env("GOCACHE", "/go-cache"),
            AS_4242,
            &["GOCACHE", "/go-cache"],
        ),
        runs_and_warns(
            "a GOMODCACHE that the user can't write to is told of",
            || asking_for("4242").prepare("mkdir -p /mod").env("GOMODCACHE", "/mod"),
            AS_4242,
            &["GOMODCACHE", "/mod"],
        ),
        runs_and_warns(
            "a module cache in GOPATH that the user can't write to is told of",
            || asking_for("4242").prepare("mkdir -p /go/pkg/mod").env("GOPATH", "/go"),
            AS_4242,
            &["/go/pkg/mod"],
        ),
        runs(
            "caches that the user can write to are nothing to talk of",
            || {
                asking_for("4242")
                    .prepare("mkdir -m 1777 /go-cache /go; mkdir /mod; chown 4242 /mod")
                    .envs(&[("GOCACHE", "/go-cache"), ("GOPATH", "/go"), ("GOMODCACHE", "/mod")])
            },
            AS_4242,
        ),
        runs(
            "caches are nothing to talk of below RUN_AS_ROOT",
            || {
                root()
                    .prepare("mkdir -m 700 /go-cache")
                    .envs(&[("GOCACHE", "/go-cache"), ("RUN_AS_ROOT", "true")])
            },
            "0:0:0 /root\n",
        ),
        every_way(
            // docs/compat.md: git-config
            "git works in a work tree of somebody else's",
            || git(asking_for("4242")),
            &[
                "sh",
                "-c",
                "git status --short && cd sub && git status --short && git config --get-all user.name",
            ],
            |done| drop(done.code(0).prints("?? sub/\n?? ./\nTester\n").says(STARTING)),
        ),
        every_way(
            "git works in a directory of somebody else's work tree",
            || git(asking_for("4242")).workdir("/src/sub"),
            &["git", "status", "--short"],
            |done| drop(done.code(0).prints("?? ./\n").says(STARTING)),
        ),
        every_way(
            "git's own word of trust is kept, and gb's comes after it",
            || {
                git(asking_for("4242")).envs(&[
                    ("GIT_CONFIG_COUNT", "1"),
                    ("GIT_CONFIG_KEY_0", "user.email"),
                    ("GIT_CONFIG_VALUE_0", "a@example.com"),
                ])
            },
            &["sh", "-c", "git config user.email; git status --short"],
            |done| drop(done.code(0).prints("a@example.com\n?? sub/\n")),
        ),
        every_way(
            "the user's and the system's git configuration are not touched",
            || git(asking_for("4242")),
            &[
                "sh",
                "-c",
                "ls -A ~; test ! -e /etc/gitconfig; git config --list --show-scope | grep -v ^local",
            ],
            |done| {
                let done = done.code(0);
                let rest = done.out().strip_prefix(".bash_logout\n.bashrc\n.profile\n");
                let mut scopes = rest.unwrap_or_default().lines();
                assert!(
                    rest.is_some() && scopes.all(|line| line.starts_with("command\tsafe.directory=/src")),
                    "{done}"
                );
            },
        ),
        every_way(
            "a work tree that nobody has mounted is somebody else's, and git says so",
            || git(asking_for("4242")).prepare("umount /src"),
            &["git", "status", "--short"],
            |done| drop(done.code(128)),
        ),
        every_way(
            "a work tree in a mount of another owner is not trusted",
            || {
                git(asking_for("4242"))
                    .prepare("chown 5678 /src; mkdir /src/tree; mv /src/.git /src/tree; chown 1234 /src/tree")
                    .workdir("/src/tree")
            },
            &["git", "status", "--short"],
            |done| drop(done.code(128)),
        ),
        every_way(
            "GB_USER=owner is not root because a mount was forgotten",
            || root().env("GB_USER", "owner").workdir("/usr"),
            &["id", "-u"],
            |done| drop(done.refuses(125, &["GB_USER=owner", "/usr", "root"])),
        ),
        every_way(
            "a home of another user's is not taken, though anybody may write to it",
            || asking_for("4242").prepare("mkdir -p /home/user; chown 7777 /home/user; chmod 777 /home/user"),
            &["sh", "-c", "echo $HOME"],
            |done| {
                drop(done.code(0).prints("/tmp/gb-home-4242\n").warns(&[
                    "/home/user",
                    "7777",
                    "/tmp/gb-home-4242",
                ]))
            },
        ),
        every_way(
            "root does not get another user's home",
            || asking_for("0").prepare("mkdir -p /home/user; chown 7777 /home/user"),
            &["sh", "-c", "echo $HOME"],
            |done| drop(done.code(0).prints("/tmp/gb-home-0\n")),
        ),
        Case::new("links that an earlier user has left in the home are not followed", || {
            let script = "LOCAL_USER_ID=4242 gb run sh -c 'ln -s /etc ~/a; ln -s /etc/passwd ~/b; mkdir ~/c; ln ~/.bashrc ~/c/d' 2>/dev/null
                LOCAL_USER_ID=5353 gb run sh -c 'touch ~/c/new; stat -c %u ~ ~/c ~/c/d /etc /etc/profile.d /etc/passwd; stat -c %u ~/a'";
            root().sh(script).code(0).prints("5353\n5353\n5353\n0\n0\n0\n5353\n");
        }),
        Case::new("an account whose user is running stays that user's, and so does the home", || {
            let script = "LOCAL_USER_ID=4242 gb run sh -c 'echo > ~/ready; while ! test -e /tmp/done; do sleep 0.05; done; id -un; touch ~/own' 2>/dev/null &
                until test -e /home/user/ready; do sleep 0.05; done
                LOCAL_USER_ID=5353 gb run sh -c 'id -un; echo $HOME; touch /tmp/done' 2>/dev/null
                wait";
            root().sh(script).code(0).prints("user-5353\n/tmp/gb-home-5353\nuser\n");
        }),
        every_way(
            "a work tree of the user's own needs no word of trust",
            || git(asking_for("1234")),
            &["sh", "-c", "env | grep GIT_ | sort; git status --short"],
            |done| drop(done.code(0).prints("?? sub/\n")),
        ),
        every_way(
            "where there is no work tree git is told nothing",
            || asking_for("4242").prepare("mkdir /src; chown 1234 /src").workdir("/src"),
            &["sh", "-c", "env | grep GIT_ | sort"],
            |done| drop(done.code(0).prints("")),
        ),
        every_way(
            "without an id, in a mount of somebody's, LOCAL_USER_ID is proposed",
            mounted,
            &["id", "-u"],
            |done| drop(done.code(0).prints("9001\n").warns(&["LOCAL_USER_ID=1234"])),
        ),
        every_way(
            "with an id nothing is proposed",
            move || mounted().env("LOCAL_USER_ID", "4242"),
            &["id", "-u"],
            |done| drop(done.code(0).prints("4242\n").says(STARTING)),
        ),
        every_way(
            "in a mount of root's nothing is proposed",
            || root().prepare("mkdir /src; mount -t tmpfs src /src").workdir("/src"),
            &["id", "-u"],
            |done| drop(done.code(0).prints("9001\n").says("Starting with UID: 9001\n")),
        ),
        every_way(
            "in a directory of the image's nothing is proposed",
            || root().prepare("mkdir /src; chown 1234 /src").workdir("/src"),
            &["id", "-u"],
            |done| drop(done.code(0).prints("9001\n").says("Starting with UID: 9001\n")),
        ),
        every_way(
            "GB_USER=owner runs as the owner of the working directory",
            move || mounted().env("GB_USER", "owner"),
            &["sh", "-c", "id -u; id -g; echo more >>file"],
            |done| drop(done.code(0).prints("1234\n1234\n").says("Starting with UID: 1234\n")),
        ),
        every_way(
            "LOCAL_USER_ID counts more than GB_USER=owner",
            move || mounted().envs(&[("GB_USER", "owner"), ("LOCAL_USER_ID", "4242")]),
            &["id", "-u"],
            |done| drop(done.code(0).prints("4242\n").says(STARTING)),
        ),
    ]
}

/// A mounted work tree of uid 1234's at the working directory.
fn git(root: Root) -> Root {
    root.file("/src/sub/file", "text\n", 0o644)
        .prepare(
            "cd /src; git -c init.defaultBranch=main init --quiet .; git config user.name Tester; chown -R 1234:1234 /src
            mount --bind /src /src",
        )
        .workdir("/src")
}

/// Flags of gb run, and their variables.
fn options() -> Vec<Case> {
    let no_new_privs =
        |name: &'static str, words: &'static [&'static str], value: &'static str, expected: &'static str| {
            Case::new(name, move || {
                let root = asking_for("4242").env("GB_NO_NEW_PRIVS", value).init();
                let done = root.run(words.iter().chain(&["grep", "NoNewPrivs", "/proc/self/status"]));
                done.code(0).prints(format!("NoNewPrivs:\t{expected}\n")).says(STARTING);
            })
        };
    vec![
        no_new_privs(
            "gb run --no-new-privs takes setuid programs their effect",
            &["gb", "run", "--no-new-privs", "--"],
            "",
            "1",
        ),
        no_new_privs("GB_NO_NEW_PRIVS=1 is --no-new-privs", &[ENTRYPOINT], "1", "1"),
        no_new_privs("GB_NO_NEW_PRIVS=0 is none", &[ENTRYPOINT], "0", "0"),
        no_new_privs("an empty GB_NO_NEW_PRIVS is none", &[ENTRYPOINT], "", "0"),
        Case::new("gb run --dry-run tells who the command would be, and does nothing", || {
            let root = asking_for("4242").env("EXTRA_GROUP_ID", "998");
            let done = root.init().run(["gb", "run", "--dry-run", "--", "touch", "/opt/ran"]);
            let done = done.code(0);
            for word in ["4242", "998", "/home/user"] {
                assert!(done.out().contains(word), "{word}: {done}");
            }
            assert!(done.changed("/opt").is_empty(), "{done}");
            untouched(&done);
        }),
        Case::new("gb run --dry-run refuses what gb run refuses", || {
            asking_for("abc")
                .init()
                .run(["gb", "run", "--dry-run", "--", "true"])
                .refuses(125, &["LOCAL_USER_ID", "abc"]);
        }),
    ]
}
