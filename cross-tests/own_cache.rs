//! A GOCACHE of the caller's, which `gb run` fills from the image's, and which is a cache like any other from then on.

use std::path::Path;

use libtest_mimic::Failed;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::{Lab, TARGETS};

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = TARGETS
        .into_iter()
        .map(|goarch| {
            let name = format!("{goarch}: with an empty GOCACHE of the caller's nothing of std is compiled");
            Case::new(name, Needs::Image, move |lab| first_build(lab, goarch))
        })
        .collect();
    cases.extend([
        Case::new("a filled GOCACHE serves Go without gb, and as Go's own does", Needs::Image, without_gb),
        Case::new("two containers may fill one GOCACHE at once", Needs::Image, at_once),
        Case::new("a GOCACHE whose filling was killed is filled the next time", Needs::Image, killed),
        Case::new("what is broken in either cache is compiled again", Needs::Image, broken),
        Case::new(
            "a GOCACHE that can't be filled is no reason not to run the command",
            Needs::Image,
            refused,
        ),
        Case::new(
            "a GOCACHE is left as it is where the caller wants that or it would not help",
            Needs::Image,
            left,
        ),
        Case::new(
            "in a container for one target another one is filled by gb run",
            Needs::Image,
            second_target,
        ),
    ]);
    cases
}

/// What the image's list of a target names and a cache does not have as its name says: an output's name is its digest.
const CHECK: &str = r#"
    check() {
        sed 1d /var/cache/go-build/std/$1 | while read -r name; do
            file=$GOCACHE/$(echo $name | cut -c1-2)/$name
            case $name in
                *-d) echo "${name%-d}  $file" ;;
                *) cmp "$file" /var/cache/go-build/${file#$GOCACHE/} >&2 || echo "$name differs" ;;
            esac
        done | sha256sum --check --quiet --strict
        echo "$1 is whole"
    }
"#;

/// Calico's `-e GOCACHE=/go-cache -v ….go-pkg-cache:/go-cache`.
fn own(lab: &Lab, cache: &Path) -> Container {
    lab.container().mount(cache, "/go-cache").env("GOCACHE", "/go-cache").caller()
}

fn first_build(lab: &Lab, goarch: &str) -> Verdict {
    let cache = lab.dir(&format!("own-cache-{goarch}"))?;
    let script = "for build in '0 ./go-pure' '1 ./go-pure' '1 ./go-cgo'; do
             set -- $build
             CGO_ENABLED=$1 go build -x -o /tmp/out $2 >/tmp/log 2>&1 || { cat /tmp/log; exit 1; }
             echo \"$1 $2 $(grep -o '/compile .*' /tmp/log | grep -o ' -p [^ ]*' | xargs)\"
         done
         for cgo in 0 1; do CGO_ENABLED=$cgo go build -v std 2>&1; done
         find $GOCACHE -name '*-[ad]' -newermt 2030-01-01 | head -n 3
         find $GOCACHE ! -user $(id -u) | head -n 3";
    let said = own(lab, &cache).env("GOARCH", goarch).sh(script)?.ok()?;
    ensure_eq!(said, "0 ./go-pure -p main\n1 ./go-pure -p main\n1 ./go-cgo -p main\n");
    Ok(())
}

fn without_gb(lab: &Lab) -> Verdict {
    let cache = lab.dir("own-cache-without-gb")?;
    ensure_eq!(own(lab, &cache).env("GOARCH", "arm64").sh("true")?.ok()?, "");
    // The image's cache is hidden, and so is gb.
    let script = "mkdir /tmp/test && cd /tmp/test
         printf 'module example.com/test\\n\\ngo 1.24\\n' >go.mod
         printf 'package test\\n\\nimport (\"net/http\"; \"testing\")\\n\\nfunc Test(t *testing.T) { http.NewServeMux() }\\n' >x_test.go
         export GOARCH=arm64
         echo compiled: $(CGO_ENABLED=0 go build -v std 2>&1)
         GODEBUG=gocacheverify=1 CGO_ENABLED=0 go build errors internal/abi unicode/utf8
         unset GOARCH
         go test . | grep -o ok; go test . | grep -o cached

         files() { find $GOCACHE -name '*-[ad]' | wc -l; }
         touch -d '10 days ago' $GOCACHE/??/*
         echo 0 >$GOCACHE/trim.txt
         before=$(files)
         GOARCH=arm64 CGO_ENABLED=0 go build -v net 2>&1
         if [ $(files) -lt $((before / 2)) ]; then echo trimmed; fi
         GOARCH=arm64 CGO_ENABLED=0 go build -v net 2>&1
         go clean -cache && files";
    let bare = |container: Container| {
        let words = [
            "--tmpfs=/var/cache/go-build",
            "--entrypoint=sh",
            "--env=HOME=/tmp",
            "--env=GOFLAGS=-buildvcs=false",
        ];
        words.into_iter().fold(container, |container, word| container.option(word))
    };
    let user = crate::lab::own_user();
    let said = bare(own(lab, &cache).user(&user)).run(&["-euc", script])?.ok()?;
    ensure_eq!(said, "compiled:\nok\ncached\ntrimmed\n0\n");
    // After that it is filled again.
    let script = "CGO_ENABLED=1 go build -v std 2>&1";
    ensure_eq!(own(lab, &cache).env("GOARCH", "arm64").sh(script)?.ok()?, "");
    Ok(())
}

fn at_once(lab: &Lab) -> Verdict {
    let cache = lab.dir("own-cache-at-once")?;
    let container = own(lab, &cache).env("GOARCH", "ppc64le").env("CGO_ENABLED", "0");
    let script = format!("{CHECK}\ngo build -v std 2>&1; check ppc64le");
    let said = std::thread::scope(|scope| {
        let builds =
            [(); 3].map(|()| scope.spawn(|| -> Result<String, Failed> { container.sh(&script)?.ok() }));
        builds.map(|build| build.join().unwrap_or_else(|_| Err("panicked".into())))
    });
    for said in said {
        ensure_eq!(said?, "ppc64le is whole\n");
    }
    Ok(())
}

fn killed(lab: &Lab) -> Verdict {
    let script = format!(
        "{CHECK}
         export GOARCH=s390x GOCACHE=/tmp/cache
         kills=0
         for seconds in 0.005 0.01 0.02 0.03 0.05; do
             timeout --signal=KILL $seconds gb run -- true || kills=$((kills + 1))
         done
         [ $kills -gt 0 ]
         [ ! -e \"$GOCACHE/$(head -n 1 /var/cache/go-build/std/s390x | cut -d ' ' -f 3)\" ]
         gb run -- true
         check s390x"
    );
    ensure_eq!(lab.container().bare_sh(&script)?.ok()?, "s390x is whole\n");
    Ok(())
}

fn broken(lab: &Lab) -> Verdict {
    let script = format!(
        "{CHECK}
         export GOARCH=riscv64 CGO_ENABLED=0 GOCACHE=/tmp/cache
         list=/var/cache/go-build/std/riscv64
         in_cache() {{ echo $1/$(echo $2 | cut -c1-2)/$2; }}
         every() {{ sed 1d $list | grep -e \"-$1\\$\" | awk \"NR % 20 == $2\"; }}
         last=$(in_cache $GOCACHE $(tail -n 1 $list))

         gb run -- true; check riscv64
         echo own: cut off, too long, missing
         for name in $(every d 0) $(every a 0); do truncate --size=-1 $(in_cache $GOCACHE $name) 2>/dev/null || true; done
         for name in $(every d 1) $(every a 1); do echo more >>$(in_cache $GOCACHE $name); done
         for name in $(every d 2) $(every a 2); do rm -f $(in_cache $GOCACHE $name); done
         go build std; go build -v std 2>&1
         rm $last
         gb run -- true; go build -v std 2>&1

         echo the image\\'s: cut off, missing entry, nonsense
         rm -r $GOCACHE
         for name in $(every d 0) $(every a 0); do truncate --size=-1 $(in_cache /var/cache/go-build $name) 2>/dev/null || true; done
         for name in $(every a 1); do echo nonsense >$(in_cache /var/cache/go-build $name); done
         gb run -- true; go build std; go build -v std 2>&1
         gb run -- go build -o /tmp/out ./go-pure; file -b /tmp/out | grep -o RISC-V | head -n 1"
    );
    let said = lab.container().bare_sh(&script)?.ok()?;
    let expected = "riscv64 is whole\nown: cut off, too long, missing\nthe image's: cut off, missing entry, nonsense\nRISC-V\n";
    ensure_eq!(said, expected);
    Ok(())
}

fn refused(lab: &Lab) -> Verdict {
    let container =
        || lab.container().env("GOCACHE", "/go-cache").env("GOARCH", "arm64").env("LOCAL_USER_ID", "1234");
    let cache = lab.dir("own-cache-refused")?;
    let read_only = container().mount_read_only(&cache, "/go-cache").sh("echo $GOARCH")?;
    let line = "prepare for uid";
    let said = |stderr: &str| {
        stderr.lines().filter(|line| line.starts_with("gb: ")).map(str::to_owned).collect::<Vec<_>>()
    };
    let gb = said(&read_only.stderr);
    ensure!(gb.len() == 1 && gb[0].contains(line) && gb[0].contains("GOCACHE /go-cache"), "{gb:?}");
    ensure_eq!(read_only.ok()?, "arm64\n");

    // Another user's.
    let others = container().option("--tmpfs=/go-cache:mode=0755").sh("echo $GOARCH")?;
    let gb = said(&others.stderr);
    ensure!(gb.len() == 1 && gb[0].contains(line), "{gb:?}");
    ensure_eq!(others.ok()?, "arm64\n");

    // No room for it all, but enough for a build.
    let small = container().option("--tmpfs=/go-cache:mode=1777,size=400m");
    let small = small.sh("find /go-cache -name '*-d' | wc -l; gb env | grep GOCACHE; CGO_ENABLED=0 go build -o /tmp/out ./go-pure")?;
    ensure!(said(&small.stderr).is_empty(), "{}", small.stderr);
    let small = small.ok()?;
    ensure!(
        small.starts_with("0\n# GOCACHE /go-cache: Go compiles its standard library into it: "),
        "{small}"
    );
    ensure!(small.contains("are free"), "{small}");

    // Full in the middle, of files.
    let full = container().option("--tmpfs=/go-cache:mode=1777,size=2g,nr_inodes=500").sh("echo $GOARCH")?;
    let gb = said(&full.stderr);
    ensure!(
        gb.len() == 1
            && ["write", "make"].iter().any(|attempt| {
                gb[0].starts_with(&format!(
                    "gb: fill GOCACHE /go-cache from the image's: {attempt} /go-cache/"
                ))
            }),
        "{gb:?}"
    );
    ensure!(gb[0].contains("No space left on device") && gb[0].ends_with("(GB_GO_CACHE=0)"), "{gb:?}");
    ensure_eq!(full.ok()?, "arm64\n");
    Ok(())
}

fn left(lab: &Lab) -> Verdict {
    let cache = lab.dir("own-cache-left")?;
    let files = |container: Container| -> Result<String, Failed> {
        container.sh("find /go-cache -name '*-[ad]' | wc -l; gb env | grep '^# GOCACHE'")?.ok()
    };
    let compiles = "0\n# GOCACHE /go-cache: Go compiles its standard library into it:";
    for (name, value, reason) in [
        ("GB_GO_CACHE", "0", "GB_GO_CACHE=0"),
        ("GOCACHEPROG", "/bin/mine -x", "GOCACHEPROG is set"),
        ("GOFLAGS", "-trimpath", "GOFLAGS has -trimpath"),
        ("GOARM64", "v8.1", "GOARM64 is not Go's default"),
        ("GOEXPERIMENT", "boringcrypto", "GOEXPERIMENT is set"),
    ] {
        let said = files(own(lab, &cache).env("GOARCH", "arm64").env(name, value))?;
        ensure_eq!(said, format!("{compiles} {reason}\n"));
    }
    let callers = own(lab, &cache).env("GOCACHEPROG", "/bin/mine -x").sh("echo $GOCACHEPROG")?.ok()?;
    ensure_eq!(callers, "/bin/mine -x\n");
    let refused = own(lab, &cache).env("GB_GO_CACHE", "perhaps").sh("true")?;
    ensure_eq!(refused.status, Some(125));

    // What is to come is shown, and not done.
    let shown = own(lab, &cache)
        .env("GOARCH", "arm64")
        .option("--entrypoint=gb")
        .run(&["run", "--dry-run", "true"])?
        .ok()?;
    let line = "\n# GOCACHE /go-cache: gb run copies Go's standard library for arm64 into it, ";
    ensure!(
        shown.contains(line) && shown.contains("of the image's cache (GB_GO_CACHE=0 does not)\n"),
        "{shown}"
    );
    ensure!(cache.read_dir()?.next().is_none(), "something is in the cache");
    Ok(())
}

fn second_target(lab: &Lab) -> Verdict {
    let cache = lab.dir("own-cache-second")?;
    let script = "GOARCH=s390x gb run -- sh -c 'go build -v std 2>&1' 2>/dev/null
        go build -v std 2>&1
        gb env s390x | grep '^# GOCACHE'";
    let said = own(lab, &cache).env("GOARCH", "amd64").env("CGO_ENABLED", "0").sh(script)?.ok()?;
    ensure_eq!(said, "# GOCACHE /go-cache: has Go's standard library for s390x from the image's cache\n");
    Ok(())
}
