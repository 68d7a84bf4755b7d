//! What the caller mounts: the places that a build writes to around it, and the Git trees in it.

use crate::accounts::{asking_for, root};
use crate::case::Case;
use crate::inside::ENTRYPOINT;
use crate::root::Root;
use crate::running::Done;

const STARTING: &str = "Starting with UID: 4242\n";

pub fn cases() -> Vec<Case> {
    [above_mounts(), given_away(), remedies(), trees(), distrusted(), bounds()]
        .into_iter()
        .flatten()
        .collect()
}

#[track_caller]
fn gb(root: Root, script: &str) -> Done {
    root.init().run([ENTRYPOINT, "sh", "-c", script])
}

/// A script beside gb, as root.
#[track_caller]
fn sh(root: &Root, script: &str) -> Done {
    root.clone().init().sh(script)
}

/// A volume of uid 4242's at a path. What is above it is made as engines do.
fn volume(root: Root, path: &str) -> Root {
    volume_of(root, path, 4242)
}

fn volume_of(root: Root, path: &str, uid: u32) -> Root {
    root.prepare(&format!("mkdir -p {path}; mount -t tmpfs -o uid={uid},gid={uid},mode=755 volume {path}"))
}

/// Directories that the engine makes.
fn above_mounts() -> Vec<Case> {
    let usable = |name: &str, variable: &'static str, mount: &'static str, script: &'static str| {
        Case::new(name, move || {
            let (name, value) = variable.split_once('=').unwrap();
            gb(volume(asking_for("4242"), mount).env(name, value), script).code(0).prints("").says(STARTING);
        })
    };
    vec![
        usable(
            "with a volume at the module cache the rest of GOPATH can be written to",
            "GOPATH=/build/go",
            "/build/go/pkg/mod",
            "mkdir -p /build/go/pkg/sumdb /build/go/bin /build/go/pkg/mod/x && ! mkdir /build/x 2>/dev/null",
        ),
        usable(
            "every element of GOPATH counts",
            "GOPATH=/tmp/own:/build/go:/tmp/go",
            "/tmp/go/src/example.com/x",
            "mkdir /tmp/go/src/example.com/y",
        ),
        usable(
            "a cache beside a volume can be made",
            "GOCACHE=/build/cache/go",
            "/build/src",
            "mkdir -p /build/cache/go",
        ),
        usable(
            "with a volume in CARGO_HOME the rest of it can be written to",
            "CARGO_HOME=/cargo",
            "/cargo/registry/cache",
            "mkdir /cargo/registry/index /cargo/git",
        ),
        usable(
            "with a volume in XDG_CACHE_HOME the rest of it can be written to",
            "XDG_CACHE_HOME=/tmp/cache",
            "/tmp/cache/go-build/x",
            "mkdir /tmp/cache/git /tmp/cache/go-build/y",
        ),
        Case::new("two volumes and a mounted file in one place are no obstacle", || {
            let root = volume(volume(asking_for("4242"), "/go/pkg/mod"), "/go/src/x");
            let root = root.prepare("touch /go/env; mount --bind /etc/hostname /go/env").env("GOPATH", "/go");
            gb(root, "mkdir /go/pkg/sumdb /go/bin /go/src/y").code(0).says(STARTING);
        }),
        Case::new("a second start finds the places as the first has left them", || {
            let root = volume(asking_for("4242"), "/build/go/pkg/mod").env("GOPATH", "/build/go");
            let script =
                "entrypoint.sh mkdir /build/go/bin && entrypoint.sh touch /build/go/bin/x /build/go/pkg/x";
            root.init().sh(script).code(0).says(&STARTING.repeat(2));
        }),
        // docs/compat.md: above-mounts
        Case::new("what is mounted keeps its owner", || {
            let root = volume_of(asking_for("4242"), "/go/pkg/mod", 0).env("GOPATH", "/go");
            let done = gb(root, "stat -c %u /go /go/pkg /go/pkg/mod").code(0).prints("4242\n4242\n0\n");
            done.warns(&[
                "GOPATH /go/pkg/mod: Permission denied",
                "chown 4242 what is mounted at /go/pkg/mod",
            ]);
        }),
        Case::new("LOCAL_USER_ID=0 and RUN_AS_ROOT=true need nothing given", || {
            for variable in ["LOCAL_USER_ID=0", "RUN_AS_ROOT=true"] {
                let (name, value) = variable.split_once('=').unwrap();
                let root = volume(root(), "/go/pkg/mod").envs(&[("GOPATH", "/go"), (name, value)]);
                let done = gb(root, "mkdir /go/bin; stat -c %u /go /go/pkg").code(0).prints("0\n0\n");
                assert!(done.messages().iter().all(|line| line.contains("run as uid 0")), "{done}");
            }
        }),
    ]
}

/// What is root's or another user's stays so, whatever a variable says.
fn given_away() -> Vec<Case> {
    let kept = |name: &str, prepare: &'static str, place: &'static str, paths: &'static str| {
        Case::new(name, move || {
            for variable in ["GOPATH", "GOCACHE", "CARGO_HOME", "XDG_DATA_HOME"] {
                let root = asking_for("4242").prepare(prepare).env(variable, place);
                let script = format!("stat -c '%u %n' {paths} | grep -v ^0 || true");
                let done = root.init().run([ENTRYPOINT, "sh", "-c", &script]).code(0);
                done.prints("");
            }
        })
    };
    let tmpfs = "mount -t tmpfs volume";
    vec![
        kept(
            "a directory of the image's with a mount in it is not given away",
            "mkdir -p /etc/own/mod; mount -t tmpfs volume /etc/own/mod",
            "/etc",
            "/etc /etc/passwd /etc/own/mod",
        ),
        kept(
            "a directory with a file beside the mount is not given away",
            "mkdir -p /srv/x/mod; touch /srv/x/file; mount -t tmpfs volume /srv/x/mod",
            "/srv/x",
            "/srv /srv/x /srv/x/file",
        ),
        kept(
            "an empty directory of the image's is not given away",
            "mkdir /empty",
            "/empty",
            "/empty /mnt /srv",
        ),
        kept(
            "a directory that is deeper than the engine's is not given away",
            "mkdir -p /srv/x/mod /srv/x/other/empty; mount -t tmpfs volume /srv/x/mod",
            "/srv/x",
            "/srv/x /srv/x/other /srv/x/other/empty",
        ),
        kept(
            "a link to a mount is none, and links are not followed",
            "mkdir -p /engine/go/mod /engine/up; mount -t tmpfs volume /engine/go/mod
             ln -s /proc /engine/go/proc; ln -s ../go/mod /engine/up/link",
            "/engine",
            "/engine /engine/go /engine/up",
        ),
        kept(
            "a path with .. is not followed",
            "mkdir -p /engine/go/mod; mount -t tmpfs volume /engine/go/mod",
            "/engine/../engine/go",
            "/engine /engine/go",
        ),
        kept(
            "the root directory is nobody's",
            "mkdir -p /engine/go/mod; mount -t tmpfs volume /engine/go/mod",
            "/",
            "/ /engine /engine/go",
        ),
        kept(
            "what is in a mount is not given away",
            "mkdir /m; mount -t tmpfs volume /m; mkdir -p /m/go/pkg/mod; mount -t tmpfs volume /m/go/pkg/mod",
            "/m/go",
            "/m /m/go /m/go/pkg",
        ),
        Case::new(
            "a directory that everybody may write to, and another user's, stay as they are",
            move || {
                let prepare = format!(
                    "mkdir -p /go/pkg/mod /own/go/mod; {tmpfs} /go/pkg/mod; {tmpfs} /own/go/mod; chmod 777 /go; chown 7 /own"
                );
                let root = asking_for("4242").prepare(&prepare).env("GOPATH", "/go:/own/go");
                let script = "stat -c '%u:%a %n' /go /go/pkg /own /own/go";
                gb(root, script).code(0).prints("0:777 /go\n4242:755 /go/pkg\n7:755 /own\n0:755 /own/go\n");
            },
        ),
        Case::new("a user who is running can't make root give away anything else", || {
            // In a directory that everybody may write to: the engine's directory and links to the image's take turns.
            let race = "
                setpriv --reuid 7777 --clear-groups sh -c 'cd /open; ln -s /etc link; ln -s /open/a/b more
                    while test ! -e /tmp/done; do mv -T go away; mv -T link go; mv -T go link; mv -T away go; done' 2>/dev/null &
                for n in $(seq 40); do LOCAL_USER_ID=$((4000 + n)) gb run true 2>/dev/null; done
                touch /tmp/done; wait
                find /etc /opt -xdev ! -user 0";
            let root =
                volume(root(), "/open/go/pkg/mod").prepare("chmod 777 /open").env("GOPATH", "/open/go");
            root.sh(race).code(0).prints("");
        }),
    ]
}

/// One line, with what helps.
fn remedies() -> Vec<Case> {
    let told =
        |name: &str, variables: &'static [(&str, &str)], prepare: &'static str, words: &'static str| {
            Case::new(name, move || {
                let root = asking_for("4242").prepare(prepare).envs(variables);
                let done = gb(root, "true").code(0);
                done.says(&format!("{STARTING}gb: prepare for uid 4242: {words}\n"));
            })
        };
    let mut cases = vec![
        told(
            "where nothing is mounted nobody is told to chown what is",
            &[("GOCACHE", "/opt/cache/go")],
            "",
            "GOCACHE /opt/cache/go: /opt is root's (-e GOCACHE=/tmp/gocache, or mount a directory for GOCACHE)",
        ),
        told(
            "another user's directory is called that",
            &[("XDG_STATE_HOME", "/own")],
            "mkdir /own; chown 7 /own",
            "XDG_STATE_HOME /own: /own is uid 7's (-e XDG_STATE_HOME=/tmp/xdg_state_home, or mount a directory for \
             XDG_STATE_HOME)",
        ),
        told(
            "what can't be looked into is named",
            &[("CCACHE_DIR", "/root/a/b")],
            "chmod 700 /root",
            "CCACHE_DIR /root/a/b: /root is root's (-e CCACHE_DIR=/tmp/ccache_dir, or mount a directory for CCACHE_DIR)",
        ),
        told(
            "a directory of root's in a mount of the user's is the mount's matter",
            &[("GOCACHE", "/m/cache")],
            "mkdir /m; mount -t tmpfs -o uid=4242,mode=755 volume /m; mkdir /m/cache",
            "GOCACHE /m/cache: Permission denied (chown -R 4242 what is mounted at /m)",
        ),
        told(
            "a directory of the user's own that is closed is told of as such",
            &[("GOCACHE", "/m/cache")],
            "mkdir /m; mount -t tmpfs -o uid=4242,mode=555 volume /m",
            "GOCACHE /m/cache: Permission denied (chmod u+rwx /m)",
        ),
        told(
            "a file in the way is called that",
            &[("GOCACHE", "/etc/passwd/cache")],
            "",
            "GOCACHE /etc/passwd/cache: /etc/passwd is no directory (-e GOCACHE=/tmp/gocache)",
        ),
        told(
            "a link to nothing is called that",
            &[("GOCACHE", "/tmp/link")],
            "ln -s /nowhere /tmp/link",
            "GOCACHE /tmp/link: /tmp/link is a link to nothing (-e GOCACHE=/tmp/gocache)",
        ),
        told(
            "a cache that Go does not take is told of",
            &[("GOCACHE", "off"), ("GOPATH", "~/go")],
            "",
            "GOCACHE off: Go takes nothing but an absolute path; GOPATH ~/go/pkg/mod: Go takes nothing but an absolute path \
             (-e GOCACHE=/tmp/gocache; -e GOPATH=/tmp/gopath)",
        ),
        told(
            "a GOTMPDIR that is not there is told of, for Go does not make it",
            &[("GOTMPDIR", "/tmp/go")],
            "",
            "GOTMPDIR /tmp/go: No such file or directory (make it, or -e GOTMPDIR=/tmp)",
        ),
        told(
            "a mount that is read-only is told of with another place",
            &[("GOMODCACHE", "/m")],
            "mkdir /m; mount -t tmpfs -o ro,uid=4242 volume /m",
            "GOMODCACHE /m: Read-only file system (-e GOMODCACHE=/tmp/gomodcache)",
        ),
        told(
            "GOPATH is told of once",
            &[("GOPATH", "/opt")],
            "",
            "GOPATH /opt/pkg/mod: /opt is root's (-e GOPATH=/tmp/gopath, or mount a directory for GOPATH)",
        ),
    ];
    cases.extend([
        Case::new("what works is not told of", || {
            let variables = [
                ("GOPATH", "/tmp/go"),
                ("GOCACHE", "/tmp/a/b"),
                ("GOTMPDIR", "."),
                ("GOBIN", "bin"),
                ("CCACHE_DIR", "cache"),
                ("TMPDIR", "/tmp"),
                ("RUSTUP_HOME", "/opt"),
                ("CARGO_HOME", ""),
            ];
            gb(asking_for("4242").envs(&variables), "true").code(0).says(STARTING);
        }),
        Case::new("docker run --user is told what is root's, and what is mounted", || {
            let root = volume_of(Root::new().user(5000, 0), "/go/pkg/mod", 0).env("GOPATH", "/go");
            let done = gb(root, "true").code(0);
            done.says(
                "gb: prepare for uid 5000: GOPATH /go/pkg/mod: Permission denied; GOPATH /go/pkg/sumdb: /go/pkg is root's \
                 (chown 5000 what is mounted at /go/pkg/mod, or make it before docker run does; -e GOPATH=/tmp/gopath, or \
                 mount a directory for GOPATH)\n",
            );
        }),
        Case::new("on a read-only root the remedy brings a place to write to", || {
            let root = volume(asking_for("4242"), "/go/pkg/mod").env("GOPATH", "/go").read_only();
            let done = gb(root, "true").code(0);
            done.warns(&["GOPATH /go/pkg/sumdb: ", "--tmpfs /tmp:exec -e GOPATH=/tmp/gopath"]);
        }),
    ]);
    cases
}

/// Makes Git trees at paths, with a commit, for a script that gives them away and mounts them.
fn trees_at(paths: &str) -> String {
    format!(
        "export HOME=/tmp/git
        for tree in {paths}; do
            mkdir -p \"$tree\"; cd \"$tree\"; git -c init.defaultBranch=main init --quiet .
            echo text >file; git add file
            git -c user.name=x -c user.email=x@example.com commit --quiet --message=x; echo more >>file
        done\n"
    )
}

/// A mount of uid 1234's at /w with trees at these paths.
fn mounted(root: Root, paths: &str) -> Root {
    root.prepare(&trees_at(paths)).prepare("chown -R 1234:1234 /w; mount --bind /w /w")
}

/// What a script does to see that Git works.
fn status(tree: &str) -> String {
    format!("cd {tree} && git status --short && ")
}

const WORKS: &str = " M file\n";

fn trees() -> Vec<Case> {
    vec![
        Case::new("git works in a mounted tree that the script changes into", || {
            gb(mounted(asking_for("4242"), "/w"), &(status("/w") + "true"))
                .code(0)
                .prints(WORKS)
                .says(STARTING);
        }),
        Case::new("git works in a tree below the working directory", || {
            let root = mounted(asking_for("4242"), "/w/main /w/a/b/c/deep").workdir("/w");
            let script = status("main") + &status("../a/b/c/deep") + "true";
            gb(root, &script).code(0).prints(WORKS.repeat(2)).says(STARTING);
        }),
        Case::new("git works at the working directory however deep it is", || {
            let root = mounted(asking_for("4242"), "/w/1/2/3/4/5/6/tree").workdir("/w/1/2/3/4/5/6/tree");
            gb(root, "git status --short").code(0).prints(WORKS);
        }),
        Case::new(
            "git works as GitLab runs it: a script that changes into a tree of root's in a volume",
            || {
                let prepare = "chmod -R a+rwX /builds; mount --bind /builds /builds";
                let root =
                    asking_for("4242").prepare(&trees_at("/builds/group/sub/project")).prepare(prepare);
                let done = root
                    .init()
                    .input("cd /builds/group/sub/project\ngit status --short\n")
                    .run([ENTRYPOINT, "sh"]);
                done.code(0).prints(WORKS).says(STARTING);
            },
        ),
        Case::new("git works for root in the caller's tree", || {
            let root = mounted(root().env("RUN_AS_ROOT", "true"), "/w/main");
            gb(root, &(status("/w/main") + "true")).code(0).prints(WORKS).says("");
        }),
        Case::new("git works below docker run --user", || {
            let root = mounted(Root::new().user(1_000_650_000, 0), "/w/main");
            gb(root, &(status("/w/main") + "true")).code(0).prints(WORKS).says("");
        }),
        Case::new("git works in submodules, in other work trees, and in a bare repository", || {
            let more = "
                chown -R 0:0 /w; cd /w/main; git worktree add --quiet ../feature >/dev/null; git clone --quiet --bare . ../bare.git
                git -c protocol.file.allow=always submodule --quiet add /w/bare.git sub/module
                echo more >>sub/module/file; chown -R 1234:1234 /w";
            let root = mounted(asking_for("4242"), "/w/main").prepare(more);
            let script =
                status("/w/main/sub/module") + &status("/w/feature") + "git -C /w/bare.git log --format=%s";
            gb(root, &script).code(0).prints(" M file\nx\n").says(STARTING);
        }),
        Case::new("names with spaces, quotes and newlines are trees like others", || {
            let prepare = "chown -R 1234:1234 /w; mkdir '/m \\$\n'; mount --bind /w '/m \\$\n'";
            let root = asking_for("4242").prepare(&trees_at("'/w/a \"b\nc'")).prepare(prepare);
            gb(root, "cd '/m \\$\n/a \"b\nc' && git status --short").code(0).prints(WORKS);
        }),
        Case::new("a mount in a mount has trees of its own owner", || {
            let more = "mkdir /w/inner; mount -t tmpfs -o uid=77,mode=777 volume /w/inner; cp -r /w/main /w/inner/tree
                cp -r /w/main /w/inner/not; chown -R 77:77 /w/inner/tree; chown -R 1234:1234 /w/inner/not";
            let root = mounted(asking_for("4242"), "/w/main").prepare(more);
            gb(root.clone(), &(status("/w/main") + &status("/w/inner/tree") + "true"))
                .code(0)
                .prints(WORKS.repeat(2));
            gb(root, &(status("/w/inner/not") + "true")).code(128);
        }),
        Case::new("gb env has the same for whoever asks, in every form", || {
            let root = mounted(root(), "/w/main").prepare("chown -R 4242:4242 /w/main /w");
            let names = "GIT_CONFIG_KEY_0\nGIT_CONFIG_VALUE_0\nGIT_CONFIG_KEY_1\nGIT_CONFIG_VALUE_1\nGIT_CONFIG_COUNT\n";
            let script =
                |form: &str| format!("gb env --format {form} 2>/dev/null | grep -o 'GIT_CONFIG_[A-Z0-9_]*'");
            for form in ["sh", "json", "dotenv", "github"] {
                sh(&root, &script(form)).code(0).prints(names);
            }
            sh(&root, "gb env | grep -B1 VALUE_1").code(0).prints(
                "# Git may work in /w/main, which is mounted and belongs to uid 4242\nexport GIT_CONFIG_VALUE_1='/w/main/*'\n",
            );
            sh(&root, "cd /w/main; eval \"$(gb env)\"; git status --short").code(0).prints(WORKS);
            // The tree's owner needs none, and neither does who has them already.
            sh(&root, "setpriv --reuid=4242 --clear-groups gb env | grep -c GIT_; true")
                .code(0)
                .prints("0\n");
            sh(&root, "eval \"$(gb env)\"; gb env | grep -c GIT_; true").code(0).prints("0\n");
        }),
        Case::new("gb run --dry-run has what the command would have", || {
            let root = mounted(asking_for("4242"), "/w/main");
            let shown = sh(&root, "gb run --dry-run true | grep VALUE_0").code(0);
            shown.prints("export GIT_CONFIG_VALUE_0=/w/main\n");
            let own = root.env("LOCAL_USER_ID", "1234");
            sh(&own, "gb run --dry-run true | grep -c GIT_; true").code(0).prints("0\n");
        }),
    ]
}

/// Trees that Git is to refuse, and settings that nobody needs.
fn distrusted() -> Vec<Case> {
    let refused = |name: &str, prepare: &'static str, tree: &'static str| {
        Case::new(name, move || {
            let root = mounted(asking_for("4242"), "/w/main /w/other").prepare(prepare);
            let done =
                gb(root, &format!("git -C /w/other status >/dev/null && cd {tree} && git status --short"));
            assert!(done.err().contains("dubious ownership"), "{done}");
            done.code(128);
        })
    };
    vec![
        refused(
            "a tree that a third user has put into the mount is not trusted",
            "chown -R 666 /w/main",
            "/w/main",
        ),
        refused(
            "a .git that a third user has put into the mount is not trusted",
            "chown 666 /w/main/.git",
            "/w/main",
        ),
        refused(
            "a .git that a third user has put at the top of the mount is not trusted, and hides no tree",
            "chmod 777 /w; cp -r /w/main/.git /w/.git; chown -R 666 /w/.git",
            "/w",
        ),
        refused(
            "a bare repository that a third user has put into the mount is not trusted",
            "cp -r /w/main/.git /w/bare; chown -R 666 /w/bare",
            "/w/bare",
        ),
        refused(
            "a tree that names a third user's repository is not trusted",
            "mv /w/main/.git /tmp/repository; chown -R 666 /tmp/repository
             echo 'gitdir: /tmp/repository' >/w/main/.git; chown 1234 /w/main/.git",
            "/w/main",
        ),
        refused("a tree that is not mounted is not trusted", "cp -r /w/main /x; chown -R 1234 /x", "/x"),
        refused(
            "a tree that is beside the mounts is not trusted for its name",
            "cp -r /w/main /w2; chown -R 1234 /w2",
            "/w2",
        ),
        Case::new("a planted .git above the working directory is not trusted", || {
            let more = "mkdir /w/dir; chown 1234 /w/dir; chmod 777 /w; cp -r /w/main/.git /w/.git; chown -R 666 /w/.git";
            let root = mounted(asking_for("4242"), "/w/main").prepare(more).workdir("/w/dir");
            gb(root, "git status").code(128);
        }),
        Case::new("a host's mounts are nobody's word, but for where the command starts", || {
            let root = mounted(asking_for("4242"), "/w/main").prepare("mkdir -p /run/systemd/system");
            gb(root.clone(), &(status("/w/main") + "true")).code(128);
            gb(root.workdir("/w/main"), "git status --short").code(0).prints(WORKS);
        }),
        Case::new("users whom the user namespace does not have are not taken for one", || {
            // The namespace's root does not see who owns the mount, nor who owns the tree.
            let root = mounted(asking_for("42"), "/w/main").user_namespace("0 0 1000", "0 0 65536");
            gb(root, &(status("/w/main") + "true")).code(128);
        }),
        Case::new("caches and hidden directories are not looked into", || {
            let prepare = "mkdir /w/cache /w/.hidden; mv /w/main /w/cache; mv /w/other /w/.hidden";
            let root =
                mounted(asking_for("4242"), "/w/main /w/other").prepare(prepare).env("GOCACHE", "/w/cache");
            gb(root, "env | grep GIT_; true").code(0).prints("");
        }),
        Case::new("a setting of the caller's is counted, and one that is no number is left alone", || {
            let root = mounted(asking_for("4242"), "/w/main");
            let given = root.clone().envs(&[
                ("GIT_CONFIG_COUNT", "1"),
                ("GIT_CONFIG_KEY_0", "safe.directory"),
                ("GIT_CONFIG_VALUE_0", "/w/main"),
            ]);
            gb(given, "env | grep GIT_CONFIG_VALUE; echo $GIT_CONFIG_COUNT")
                .code(0)
                .prints("GIT_CONFIG_VALUE_0=/w/main\nGIT_CONFIG_VALUE_1=/w/main/*\n2\n");
            gb(root.env("GIT_CONFIG_COUNT", "many"), "env | grep GIT_")
                .code(0)
                .prints("GIT_CONFIG_COUNT=many\n");
        }),
    ]
}

/// What it costs.
fn bounds() -> Vec<Case> {
    vec![
        Case::new("however large a mount is, gb looks at a few hundred directories of it", || {
            // Trees are found that are close to the top, whatever else is there.
            let large =
                "cd /w; for a in $(seq 40); do mkdir -p $(seq -f $a/%g/x/y 40); done; chown -R 1234:1234 /w";
            let root = mounted(asking_for("4242"), "/w/zz").prepare(large);
            let script = "strace -f -qq -o /tmp/trace entrypoint.sh sh -c 'echo; git -C /w/zz status --short'
                grep -B9999 'execve(\"/usr/bin/sh\"' /tmp/trace | grep -c '\"/w'";
            let done = sh(&root, script).code(0);
            let lines: Vec<_> = done.out().lines().collect();
            let calls: usize = lines[2].parse().unwrap();
            assert!(lines[1] == " M file" && (100..1000).contains(&calls), "{calls} calls: {done}");
        }),
        Case::new("no more than 64 trees are named", || {
            let more = "cd /w; for n in $(seq 70); do cp -r main tree$n; done; chown -R 1234:1234 /w";
            let root = mounted(asking_for("4242"), "/w/main").prepare(more);
            gb(root, "echo $GIT_CONFIG_COUNT").code(0).prints("128\n");
        }),
        Case::new("where nothing of another user's is mounted nothing is looked for", || {
            let root = volume(asking_for("4242"), "/w")
                .prepare("mkdir /w/tree; mkdir /w/tree/.git; chown -R 4242 /w");
            let script =
                "strace -f -qq -e trace=file -o /tmp/trace entrypoint.sh true; grep -c '\"/w' /tmp/trace";
            sh(&root, script).code(0).prints("1\n");
        }),
    ]
}
