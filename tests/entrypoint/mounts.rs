//! What the caller mounts: the places that a build writes to around it.

use crate::accounts::{asking_for, root};
use crate::case::Case;
use crate::inside::ENTRYPOINT;
use crate::root::Root;
use crate::running::Done;

const STARTING: &str = "Starting with UID: 4242\n";

pub fn cases() -> Vec<Case> {
    [above_mounts(), given_away(), remedies()].into_iter().flatten().collect()
}

#[track_caller]
fn gb(root: Root, script: &str) -> Done {
    root.init().run([ENTRYPOINT, "sh", "-c", script])
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
            "links are not followed",
            "mkdir -p /engine/go/mod; mount -t tmpfs volume /engine/go/mod; ln -s /engine /link; ln -s /opt /engine/opt",
            "/link/go",
            "/engine /engine/go /opt",
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
