//! gb as su-exec, next to su-exec, gosu and setpriv: who a user-spec means.
//!
//! The specs are those of gosu's test suite and of moby/sys's, the traps among them with what falls into them. Seen with
//! su-exec 0.3, and Debian 13's gosu 1.17 and setpriv 2.41.

use std::path::Path;

use crate::accounts::{PASSWD, WHO, root};
use crate::case::Case;
use crate::compat::{Deviation, is_documented};
use crate::inside::{REAL_SU_EXEC, SU_EXEC};
use crate::root::Root;
use crate::running::{Done, Ending};

/// A user-spec, and whom it means: `uid:gid:groups HOME`, or None where it is refused.
struct Row {
    spec: &'static str,
    gb: Option<&'static str>,
    su_exec: Option<&'static str>,
    gosu: Option<&'static str>,
    /// Where gb differs from su-exec.
    deviation: Option<Deviation>,
}

const ROOT: Option<&str> = Some("0:0:0,4 /root");
const ROOT_ONLY: Option<&str> = Some("0:0:0 /root");

/// A row where all agree.
const fn same(spec: &'static str, who: Option<&'static str>) -> Row {
    Row { spec, gb: who, su_exec: who, gosu: who, deviation: None }
}

/// A row where su-exec takes something for an id that is none.
const fn no_id(spec: &'static str, su_exec: Option<&'static str>, gosu: Option<&'static str>) -> Row {
    Row { spec, gb: None, su_exec, gosu, deviation: Some("user-spec-strict") }
}

/// A row where gosu takes less for an id than there is.
const fn large(spec: &'static str, who: &'static str) -> Row {
    Row { spec, gb: Some(who), su_exec: Some(who), gosu: None, deviation: None }
}

const ROWS: &[Row] = &[
    // gosu's test suite
    same("0", ROOT),
    same("0:0", ROOT_ONLY),
    same("root", ROOT),
    same("0:root", ROOT_ONLY),
    same("root:0", ROOT_ONLY),
    same("root:root", ROOT_ONLY),
    same("1000", Some("1000:1000:1000 /home/dev")),
    same("dev", Some("1000:1000:1000 /home/dev")),
    same("1000:1000", Some("1000:1000:1000 /home/dev")),
    same("1000:0", Some("1000:0:0 /home/dev")),
    same("4242", Some("4242:0:0 /")),
    same("4242:4242", Some("4242:4242:4242 /")),
    same("4242:root", Some("4242:0:0 /")),
    same("4242:daemon", Some("4242:1:1 /")),
    same("0:4242", Some("0:4242:4242 /root")),
    same("root:4242", Some("0:4242:4242 /root")),
    same("games", Some("5:60:60,100 /usr/games")),
    same("games:daemon", Some("5:1:1 /usr/games")),
    same("games:users", Some("5:100:100 /usr/games")),
    same("games:", Some("5:60:60,100 /usr/games")),
    same("0:", ROOT),
    same("bogus", None),
    same("0day", None),
    same("0:bogus", None),
    same("0:0day", None),
    same("00", ROOT),
    // moby/sys's: an account that is named 111 has uid 3000
    same("111:111", Some("111:111:111 /")),
    same("-1", None),
    same("-1:0", None),
    no_id("-42", Some("4294967254:0:0 /"), None),
    no_id("0:-3", Some("0:4294967293:4294967293 /root"), None),
    same("9223372036854775808", None),
    same("2147483647", Some("2147483647:0:0 /")),
    large("2147483648", "2147483648:0:0 /"),
    large("42:2147483648", "42:2147483648:2147483648 /"),
    large("4294967294", "4294967294:0:0 /"),
    // What becomes root, or somebody else, where 32 bits or strtol(3) are taken for granted
    no_id("4294967296", ROOT, None),
    no_id("4294967297", Some("1:1:1 /usr/sbin"), None),
    no_id("4294967301:0", Some("5:0:0 /usr/games"), None),
    no_id("0:4294967296", ROOT_ONLY, None),
    no_id("-2", Some("4294967294:0:0 /"), None),
    no_id("+0", ROOT, ROOT),
    no_id(" 0", ROOT, None),
    same("4294967295", None),
    same("0:4294967295", None),
    same("99999999999999999999", None),
    same("0x0", None),
    same("1e3", None),
    same("4242.0", None),
    same("4242 ", None),
    same("٤٢", None),
    // gosu leaves off what comes after a second colon.
    Row { spec: "root:0:0", gb: None, su_exec: None, gosu: ROOT_ONLY, deviation: None },
    Row { spec: "4242:1:1", gb: None, su_exec: None, gosu: Some("4242:1:1 /"), deviation: None },
    // `su-exec "$APP_USER" …` with no such variable: to stay root then is what nobody wants who calls it.
    no_id("", ROOT, ROOT),
    no_id(":", ROOT, ROOT),
    no_id(":0", ROOT_ONLY, ROOT_ONLY),
    no_id(":60", Some("0:60:60 /root"), Some("0:60:60 /root")),
];

/// What setpriv --reuid makes of an id: the uid, or None where it refuses. gb refuses each.
const SETPRIV: &[(&str, Option<&str>)] = &[
    ("4294967295", Some("0")),
    ("4294967296", Some("0")),
    ("4294967297", Some("1")),
    ("-1", Some("0")),
    ("-2", Some("4294967294")),
    ("+0", Some("0")),
    (" 0", Some("0")),
    ("0x0", None),
    ("1e3", None),
    ("4242.0", None),
    ("99999999999999999999", None),
    ("bogus", None),
];

/// A root in which root has a group more, and an account is named as a number.
fn lab() -> Root {
    root()
        .passwd(format!("{PASSWD}111:x:3000:3000::/named:/bin/sh\n"))
        .group("root:x:0:\ndaemon:x:1:\nadm:x:4:root\ngames:x:60:\nusers:x:100:games\ndev:x:1000:\n")
        .env("HOME", "/omg/really/nowhere")
}

fn run(tool: &str, spec: &str) -> Done {
    lab().init().run([tool, spec, "sh", "-c", WHO])
}

#[track_caller]
fn means(done: Done, who: Option<&str>) {
    match who {
        Some(who) => drop(done.code(0).prints(format!("{who}\n"))),
        None => drop(done.code(1).prints("")),
    }
}

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    for row in ROWS {
        let what = row.gb.map_or("nobody".to_owned(), |who| who.to_owned());
        cases.push(Case::new(format!("su-exec {:?} is {what}", row.spec), || {
            let done = run(SU_EXEC, row.spec);
            match row.gb {
                Some(who) => drop(done.code(0).prints(format!("{who}\n")).says("")),
                None => drop(done.refuses(125, &["user-spec", row.spec])),
            }
        }));
        let what = if row.gosu == row.gb { "too" } else { "unlike gb" };
        cases.push(Case::new(format!("gosu {:?}: {} {what}", row.spec, shown(row.gosu)), || {
            means(run("gosu", row.spec), row.gosu);
        }));
        let what = if row.su_exec == row.gb { "too" } else { "unlike gb" };
        cases.push(Case::original(
            format!("the original su-exec {:?}: {} {what}", row.spec, shown(row.su_exec)),
            || {
                means(run(REAL_SU_EXEC, row.spec), row.su_exec);
            },
        ));
        assert_eq!(row.deviation.is_some(), row.gb != row.su_exec, "{}", row.spec);
    }
    for (id, uid) in SETPRIV {
        let becomes = uid.map_or("is refused".to_owned(), |uid| format!("is uid {uid}"));
        cases.push(Case::new(format!("setpriv --reuid={id:?} {becomes}, which gb refuses"), move || {
            let done = lab().init().run(["setpriv", &format!("--reuid={id}"), "--clear-groups", "id", "-u"]);
            match uid {
                Some(uid) => drop(done.code(0).prints(format!("{uid}\n"))),
                None => drop(done.code(1).prints("")),
            }
            run(SU_EXEC, id).refuses(125, &["user-spec", id]);
        }));
    }
    cases.extend(others());
    cases.push(is_documented("user-spec-strict"));
    cases
}

fn shown(who: Option<&str>) -> &str {
    who.unwrap_or("nobody")
}

fn others() -> Vec<Case> {
    vec![
        Case::new("su-exec execs: one process, the pid it was started with", || {
            let script = "su-exec games sh -c 'echo $$; read end' >/opt/pid </opt/end & pid=$!
                exec 9>/opt/end; until [ -s /opt/pid ]; do sleep 0.01; done
                test \"$(cat /opt/pid)\" = $pid && ps -o uid=,comm= $pid";
            lab().prepare("mkfifo /opt/end; chmod 777 /opt").sh(script).code(0).prints("    5 sh\n");
        }),
        Case::new("su-exec as PID 1 execs as well, and is no init", || {
            lab().run([SU_EXEC, "games", "sh", "-c", "echo $$; cat /proc/1/comm"]).code(0).prints("1\nsh\n");
        }),
        Case::new("su-exec makes no account and no home", || {
            let done = lab()
                .sh("cp -a /etc /opt && su-exec 4242 true && ls /home && diff -r --no-dereference /etc /opt/etc && echo same");
            done.code(0).prints("same\n");
        }),
        Case::new("su-exec obeys none of the entrypoint's variables", || {
            let variables = [
                ("LOCAL_USER_ID", "abc"),
                ("RUN_AS_ROOT", "true"),
                ("EXTRA_GROUP_ID", "-5"),
                ("LOCAL_GROUP_ID", "x"),
                ("GB_USER", "owner"),
            ];
            let done = lab().envs(&variables).init().run([SU_EXEC, "games", "sh", "-c", WHO]);
            done.code(0).prints("5:60:60,100 /usr/games\n").says("");
        }),
        // docs/compat.md: su-exec-capabilities
        Case::new("su-exec leaves nothing of root's behind", || {
            let root = lab().setpriv(&[
                "--groups=0,27",
                "--inh-caps=+setuid,+net_raw",
                "--ambient-caps=+setuid,+net_raw",
            ]);
            let done = root.init().run([
                SU_EXEC,
                "games",
                "grep",
                "-E",
                "^([UG]id|Groups|Cap(Inh|Prm|Eff|Amb))",
                "/proc/self/status",
            ]);
            done.code(0).prints(
                "Uid:\t5\t5\t5\t5\nGid:\t60\t60\t60\t60\nGroups:\t60 100 \nCapInh:\t0000000000000000\n\
                 CapPrm:\t0000000000000000\nCapEff:\t0000000000000000\nCapAmb:\t0000000000000000\n",
            );
        }),
        Case::new("gosu leaves the primary group out of the groups, and su-exec does not", || {
            let groups =
                |tool: &str| lab().init().run([tool, "games", "grep", "^Groups", "/proc/self/status"]);
            groups("gosu").code(0).prints("Groups:\t100 \n");
            groups(SU_EXEC).code(0).prints("Groups:\t60 100 \n");
        }),
        Case::new("su-exec without the capabilities to change users says so", || {
            for (option, name) in [("-setuid", "SETUID"), ("-setgid", "SETGID")] {
                let root = lab().setpriv(&[&format!("--bounding-set={option}")]);
                root.init().run([SU_EXEC, "games", "id"]).refuses(125, &[name]);
            }
        }),
        Case::new("su-exec as somebody else than root says so, and stays nobody's", || {
            lab().user(5000, 5000).init().run([SU_EXEC, "games", "id"]).refuses(125, &["5"]);
            lab().user(5000, 5000).init().run([SU_EXEC, "0", "id"]).refuses(125, &["0"]);
        }),
        Case::new("su-exec without a command is a mistake, on standard error", || {
            for words in [&[SU_EXEC][..], &[SU_EXEC, "games"]] {
                lab().init().run(words).refuses(125, &["su-exec"]);
            }
        }),
        Case::original("the original su-exec tells its usage on standard output", || {
            let done = lab().init().run([REAL_SU_EXEC]);
            assert!(done.out().starts_with("Usage: ") && done.ending == Ending::Code(1), "{done}");
        }),
        // docs/compat.md: su-exec-nss
        Case::new("su-exec without /etc/passwd knows ids, and no names", || {
            let root = lab().prepare("rm /etc/passwd /etc/group").init();
            root.run([SU_EXEC, "5:6", "sh", "-c", WHO]).code(0).prints("5:6:6 /\n");
            root.run([SU_EXEC, "games", "id"]).refuses(125, &["games"]);
        }),
    ]
}

/// Whether there is an original to compare with.
pub fn has_original() -> bool {
    Path::new(REAL_SU_EXEC).exists()
}
