//! That nothing of root's is left after the drop, and that nothing of the caller's is obeyed before it.

use crate::accounts::{GROUP, PASSWD, asking_for, every_way, root};
use crate::case::Case;
use crate::inside::{ENTRYPOINT, GB, REAL_SU_EXEC, SU_EXEC};
use crate::root::Root;

pub fn cases() -> Vec<Case> {
    [dropped(), beside(), obeyed(), privileged_file()].into_iter().flatten().collect()
}

/// The ids, groups and capabilities of a process.
const STATUS: &[&str] = &["grep", "-E", "^([UG]id|Groups|Cap(Inh|Prm|Eff|Amb))", "/proc/self/status"];

const NOTHING_LEFT: &str = "\
Uid:\t4242\t4242\t4242\t4242
Gid:\t4242\t4242\t4242\t4242
Groups:\t4242 
CapInh:\t0000000000000000
CapPrm:\t0000000000000000
CapEff:\t0000000000000000
CapAmb:\t0000000000000000
";

/// B21
fn dropped() -> Vec<Case> {
    // What it tries comes after it has shown that it runs, as somebody else than root.
    let no_way_back = |name: &'static str, attempt: &'static str| {
        every_way(
            name,
            move || asking_for("4242").env("ATTEMPT", attempt),
            &["sh", "-c", "id -u; $ATTEMPT 2>/dev/null && echo still; exit 3"],
            |done| drop(done.code(3).prints("4242\n")),
        )
    };
    vec![
        every_way(
            // docs/compat.md: added-groups
            "groups that root has in the image are gone",
            || {
                let group = GROUP
                    .replace("docker:x:998:", "docker:x:998:dev,root")
                    .replace("daemon:x:1:", "daemon:x:1:toor");
                let toor = format!("{PASSWD}toor:x:0:100::/:/bin/sh\n");
                asking_for("4242").passwd(toor).group(group).setpriv(&["--groups=0,1,100,998"])
            },
            STATUS,
            |done| drop(done.code(0).prints(NOTHING_LEFT)),
        ),
        every_way(
            "capabilities to inherit are gone",
            || {
                asking_for("4242").setpriv(&[
                    "--inh-caps=+net_raw,+setuid,+dac_override",
                    "--ambient-caps=+net_raw,+setuid,+dac_override",
                ])
            },
            STATUS,
            |done| drop(done.code(0).prints(NOTHING_LEFT)),
        ),
        every_way(
            "capabilities are gone where the kernel does not take them with the uid",
            || asking_for("4242").setpriv(&["--securebits=+no_setuid_fixup"]),
            STATUS,
            |done| drop(done.code(0).prints(NOTHING_LEFT)),
        ),
        every_way(
            "capabilities are gone below an engine that makes them inheritable",
            || {
                asking_for("4242")
                    .setpriv(&["--inh-caps=+chown,+dac_override,+fowner,+setuid,+setgid,+net_raw"])
            },
            STATUS,
            |done| drop(done.code(0).prints(NOTHING_LEFT)),
        ),
        no_way_back("a command can't become root", "setpriv --reuid=0 true"),
        no_way_back("a command can't take root's group", "setpriv --regid=0 --keep-groups true"),
        no_way_back("a command can't take other groups", "setpriv --groups=0 true"),
        no_way_back("a command can't read what is root's", "cat /etc/shadow"),
    ]
}

/// What a program in the container can do to the starts of others.
fn beside() -> Vec<Case> {
    let has_account = "LOCAL_USER_ID=5353 gb run -- id -un";
    vec![
        Case::new("a user who stops all programs of its own keeps no other from an account", move || {
            // Somebody else's directory as the home: gb asks a child whether it can be written to.
            let mounted = "mkdir -p /home/user; mount -t tmpfs -o mode=755 home /home/user";
            let script = format!(
                "setpriv --reuid=4242 --clear-groups sh -c 'while :; do kill -STOP -1; done' 2>/dev/null &
                for n in $(seq 60); do LOCAL_USER_ID=4242 gb run -- true 2>/dev/null & done
                {has_account}"
            );
            let done = root().prepare(mounted).sh(&script).code(0);
            assert!(done.out().starts_with("user"), "{done}");
        }),
        Case::new("a start whose standard error nobody reads keeps no other from an account", move || {
            let script = format!(
                "mkfifo /opt/full; exec 3<>/opt/full
                dd if=/dev/zero of=/opt/full oflag=nonblock bs=4096 2>/dev/null
                LOCAL_USER_ID=4242 gb run -- true 2>/opt/full & first=$!
                until grep -q gb /proc/$first/comm && grep -q 'State:.S' /proc/$first/status; do sleep 0.01; done
                {has_account}; kill -9 $first"
            );
            root().sh(&script).code(0).prints("user-5353\n");
        }),
        Case::new("a mounted group file does not make root's groups of the image the user's", || {
            let mounted = "cp /etc/group /opt/group; mount --bind /opt/group /etc/group";
            let root =
                || asking_for("4242").passwd(format!("{PASSWD}me:x:4242:4242::/:/bin/sh\n")).prepare(mounted);
            let done = root().setpriv(&["--groups=0,4,6"]).run([GB, "run", "--", "id", "-G"]);
            done.code(0).prints("4242\n").warns(&["root's groups 4 6", "/etc/group", "EXTRA_GROUP_IDS"]);
            let asked = root().env("EXTRA_GROUP_IDS", "4,6").setpriv(&["--groups=0,4,6"]);
            asked.run([GB, "run", "--", "id", "-G"]).code(0).prints("4242 4 6\n");
        }),
    ]
}

/// Variables by which a program of the C library, of bash or of a dynamic linker is made to load a file.
const BAIT: [(&str, &str); 12] = [
    ("LD_PRELOAD", "/bait/preload.so"),
    ("LD_LIBRARY_PATH", "/bait"),
    ("LD_AUDIT", "/bait/audit.so"),
    ("GCONV_PATH", "/bait"),
    ("LOCPATH", "/bait"),
    ("NLSPATH", "/bait/%N"),
    ("LANG", "de_DE.UTF-8"),
    ("TZ", "/bait/zone"),
    ("RESOLV_HOST_CONF", "/bait/host.conf"),
    ("BASH_ENV", "/bait/env"),
    ("ENV", "/bait/env"),
    ("GLIBC_TUNABLES", "glibc.malloc.check=3"),
];

/// What a program does with files, programs and sockets before it becomes /bin/true, and after.
fn traced(root: &Root, words: &str) -> (Vec<String>, Vec<String>) {
    let done = root.sh(&format!("strace -f -e trace=file,network,process -o /opt/trace {words}")).code(0);
    let trace = done.file("/opt/trace");
    // Each line starts with a pid.
    let call = |line: &str| line.split_once(' ').map_or(String::new(), |(_, call)| call.trim().to_owned());
    let mut calls: Vec<_> = trace.lines().map(call).collect();
    let end = calls.iter().position(|call| call.starts_with("execve(\"/bin/true\""));
    let after = calls.split_off(end.unwrap_or_else(|| panic!("no execve of the command in\n{trace}")));
    (calls, after)
}

/// The calls by which something is loaded or a name service is asked.
fn foreign(calls: &[String]) -> Vec<&String> {
    let bad = ["nsswitch", ".so", "nscd", "socket(", "connect(", "locale", "gconv"];
    calls.iter().filter(|call| bad.iter().any(|bad| call.contains(bad))).collect()
}

/// B17, B23
fn obeyed() -> Vec<Case> {
    let mut cases = Vec::new();
    for words in [
        format!("{GB} run -- /bin/true"),
        format!("{ENTRYPOINT} /bin/true"),
        format!("{SU_EXEC} games:users /bin/true"),
        format!("{SU_EXEC} games /bin/true"),
    ] {
        let root = || asking_for("4242").env("EXTRA_GROUP_ID", "docker");
        let again = words.clone();
        cases.push(Case::new(
            format!("{words} loads no library and asks no name service as root"),
            move || {
                let (before, _) = traced(&root(), &words);
                assert!(foreign(&before).is_empty(), "{:#?}", foreign(&before));
                let programs = before.iter().filter(|call| call.starts_with("execve(")).count();
                assert_eq!(programs, 1, "nothing runs as root but gb: {before:#?}");
            },
        ));
        let words = again;
        cases.push(Case::new(
            format!("{words} obeys no variable as root that makes programs load files"),
            move || {
                let root = root().file("/bait/env", "touch /opt/ran\n", 0o755);
                // strace is to hand the variables on, and not to obey them itself.
                let bait: Vec<_> = BAIT.iter().map(|(name, value)| format!("-E {name}={value}")).collect();
                let (before, after) = traced(&root, &format!("{} {words}", bait.join(" ")));
                let found: Vec<_> = before.iter().skip(1).filter(|call| call.contains("/bait")).collect();
                assert!(found.is_empty(), "{found:#?}");
                let took = after.iter().any(|call| call.contains("/bait/preload.so"));
                assert!(took, "the command was to take the bait: {after:#?}");
            },
        ));
    }
    cases.push(Case::new("a GB_SYSROOT that is none is refused, and looked at by the user alone", || {
        for (root, lack) in [
            (asking_for("4242").prepare("mkdir /bait"), "/bait: no C headers"),
            (asking_for("4242").prepare("mkdir -p /bait/root; chmod 700 /bait").env("GB_SYSROOT", "/bait/root"), "permission denied"),
        ] {
            let done = root
                .sh(&format!(
                    "strace -f -e trace=file,setresuid -o /opt/trace env GB_SYSROOT=${{GB_SYSROOT:-/bait}} {GB} run -- touch /opt/ran"
                ))
                .code(125);
            assert!(done.err().contains(lack), "{done}");
            let trace = done.file("/opt/trace");
            let (as_root, as_user) = trace.split_once("setresuid(").unwrap_or_else(|| panic!("{trace}"));
            let looks = |text: &str| text.lines().filter(|line| line.contains("/bait") && !line.contains("execve(")).count();
            assert!(looks(as_root) == 0 && looks(as_user) > 0, "{trace}");
            assert!(!trace.contains("/touch\", ["), "the command was started: {trace}");
        }
    }));
    cases.push(Case::original(
        "the original su-exec, linked statically, asks the name service as root",
        || {
            let (before, _) = traced(&root(), &format!("{REAL_SU_EXEC} games /bin/true"));
            assert!(!foreign(&before).is_empty(), "{before:#?}");
        },
    ));
    cases.push(Case::new("the entrypoint's way by bash runs what BASH_ENV names as root", || {
        let root = root().file("/bait/env", "id -u\n", 0o644).env("BASH_ENV", "/bait/env");
        root.run(["bash", "-c", "exec gosu games true"]).code(0).prints("0\n");
    }));
    cases
}

/// B18: any user could become anybody by such a file.
fn privileged_file() -> Vec<Case> {
    let mut cases = Vec::new();
    for (what, script) in [
        ("setuid", "chmod u+s /usr/local/bin/gb"),
        ("setgid", "chmod g+s /usr/local/bin/gb"),
        ("file capabilities", "setcap cap_setuid,cap_setgid+ep /usr/local/bin/gb"),
    ] {
        for (as_whom, user) in [("a user", true), ("root", false)] {
            cases.push(Case::new(format!("a gb with {what} refuses to work for {as_whom}"), move || {
                let words: [&[&str]; 4] = [
                    &["gb", "run", "--", "id"],
                    &["entrypoint.sh", "id"],
                    &["su-exec", "0", "id"],
                    &["su-exec", "games", "id"],
                ];
                for words in words {
                    let root = asking_for("4242").prepare(script);
                    let root = if user { root.user(5000, 5000) } else { root };
                    root.run(words).refuses(125, &["gb"]);
                }
            }));
        }
    }
    cases.push(Case::new("a gb that is not privileged works for a user", || {
        root().user(5000, 5000).run(["gb", "run", "--", "id", "-u"]).code(0).prints("5000\n");
    }));
    cases
}
