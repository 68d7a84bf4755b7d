//! Which words are gb's, and which are the command's.

use crate::accounts::root;
use crate::case::Case;
use crate::inside::{ENTRYPOINT, GB, SU_EXEC};

/// Words, and what comes of them: an exit code, standard output, and words of gb's message.
struct Row {
    name: &'static str,
    words: &'static [&'static str],
    code: i32,
    stdout: &'static str,
    says: &'static [&'static str],
}

const fn runs(name: &'static str, words: &'static [&'static str], stdout: &'static str) -> Row {
    Row { name, words, code: 0, stdout, says: &[] }
}

const fn fails(
    name: &'static str,
    words: &'static [&'static str],
    code: i32,
    says: &'static [&'static str],
) -> Row {
    Row { name, words, code, stdout: "", says }
}

const ROWS: &[Row] = &[
    // L01
    runs("-- ends gb's options", &["gb", "run", "--", "echo", "x"], "x\n"),
    runs("a command needs no --", &["gb", "run", "echo", "x"], "x\n"),
    runs("a -- after the command is the command's", &["gb", "run", "printf", "[%s]", "--", "x"], "[--][x]"),
    runs("only the first -- is gb's", &["gb", "run", "--", "printf", "[%s]", "--", "--", "x"], "[--][--][x]"),
    fails("a second -- is the command", &["gb", "run", "--", "--", "true"], 127, &["run --"]),
    // L02
    runs(
        "-c after the command is the command's",
        &["gb", "run", "sh", "-c", "echo $0 $1", "a", "b"],
        "a b\n",
    ),
    runs(
        "-h after the command is the command's",
        &["gb", "run", "printf", "[%s]", "-h", "--help", "-V"],
        "[-h][--help][-V]",
    ),
    runs(
        "gb's own options after the command are the command's",
        &["gb", "run", "printf", "[%s]", "--no-init", "--no-new-privs", "--dry-run"],
        "[--no-init][--no-new-privs][--dry-run]",
    ),
    fails(
        "after -- an option is the command",
        &["gb", "run", "--", "--no-init", "true"],
        127,
        &["--no-init"],
    ),
    // L03
    fails("an unknown option is a mistake", &["gb", "run", "--no-such", "true"], 125, &["--no-such"]),
    fails("an unknown short option is a mistake", &["gb", "run", "-x", "true"], 125, &["-x"]),
    fails("-c before the command is a mistake", &["gb", "run", "-c", "true"], 125, &["-c"]),
    // L04
    fails("gb run without a command is a mistake", &["gb", "run"], 125, &["command"]),
    fails("gb run -- without a command is a mistake", &["gb", "run", "--"], 125, &["command"]),
    fails("entrypoint.sh without a command is a mistake", &["entrypoint.sh"], 125, &["command"]),
    fails("su-exec without words is a mistake", &["su-exec"], 125, &["su-exec"]),
    fails("gb without words is a mistake", &["gb"], 125, &["subcommand"]),
    fails("an empty word is no command", &["entrypoint.sh", ""], 127, &["run"]),
    // L05
    runs("entrypoint.sh by its path takes a command", &[ENTRYPOINT, "echo", "x"], "x\n"),
    runs(
        "entrypoint.sh takes the name of a subcommand for a command",
        &["entrypoint.sh", "env", "-i", "A=1", "/usr/bin/env"],
        "A=1\n",
    ),
    fails("entrypoint.sh has no options", &["entrypoint.sh", "--no-init", "true"], 127, &["--no-init"]),
    fails("entrypoint.sh has no --", &["entrypoint.sh", "--", "true"], 127, &["run --"]),
    fails("entrypoint.sh has no --help", &["entrypoint.sh", "--help"], 127, &["--help"]),
    fails(
        "entrypoint.sh has no subcommand",
        &["entrypoint.sh", "install-links", "/opt"],
        127,
        &["install-links"],
    ),
    runs(
        "entrypoint.sh hands on options after the command",
        &["entrypoint.sh", "printf", "[%s]", "-c", "--", "-a"],
        "[-c][--][-a]",
    ),
    runs("su-exec by its path takes a user and a command", &[SU_EXEC, "games", "echo", "x"], "x\n"),
    runs(
        "su-exec hands on options after the command",
        &["su-exec", "games", "printf", "[%s]", "-c", "--", "-h"],
        "[-c][--][-h]",
    ),
    fails("su-exec takes an option for a user", &["su-exec", "--help", "true"], 125, &["--help"]),
    runs("a link to a link is what it is called", &["/opt/su-exec", "games", "id", "-u"], "5\n"),
    runs("argv[0] counts, not the file", &["env", "--argv0=su-exec", GB, "games", "id", "-u"], "5\n"),
    runs("argv[0] may be a path", &["env", "--argv0=/sbin/entrypoint.sh", GB, "id", "-u"], "9001\n"),
    runs("argv[0] of a login shell is that of gb", &["env", "--argv0=-gb", GB, "run", "id", "-u"], "9001\n"),
    // L06
    runs(
        "a command named as a subcommand is a command after run",
        &["gb", "run", "env", "-i", "A=1", "/usr/bin/env"],
        "A=1\n",
    ),
    runs("a command named run is found in PATH", &["gb", "run", "run", "x"], "run x\n"),
    runs(
        "a command named as a subcommand is a command by its path",
        &["gb", "run", "/opt/bin/info"],
        "info\n",
    ),
    runs("a command with = in its name is a command", &["gb", "run", "/opt/bin/A=1"], "A=1\n"),
];

pub fn cases() -> Vec<Case> {
    let case = |row: &'static Row| {
        Case::new(row.name, move || {
            let mut root = root().prepare("ln -s /usr/local/bin/su-exec /opt/su-exec");
            for name in ["run", "info", "A=1"] {
                let script = format!("#!/bin/sh\necho {name} $*\n");
                root = root.file(
                    &format!("/opt/bin/{name}"),
                    script.replace(" $*", if name == "run" { " $*" } else { "" }),
                    0o755,
                );
            }
            let root = root.env("PATH", "/usr/local/bin:/usr/bin:/bin:/opt/bin");
            for root in [root.clone(), root.init()] {
                let done = root.run(row.words).code(row.code).prints(row.stdout);
                if row.says.is_empty() {
                    assert!(done.messages().is_empty(), "a message nobody needs: {done}");
                } else {
                    done.warns(row.says);
                }
            }
        })
    };
    ROWS.iter().map(case).collect()
}
