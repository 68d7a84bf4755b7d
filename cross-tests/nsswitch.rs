//! nsswitch.conf as glibc reads it: the same files, given to both.

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    vec![Case::new(
        "an nsswitch.conf is read in a root as glibc reads it, and one that stops all names is told of",
        Needs::ArmImage,
        same,
    )]
}

/// What lines are made of. No module is there, so glibc goes on to the next one, whatever the actions say.
const PIECES: [&str; 20] = [
    "aa",
    "bb",
    "cc",
    "dd",
    "aa[NOTFOUND=return]",
    " ",
    "\t",
    " ",
    "[NOTFOUND=return]",
    "[!SUCCESS=continue ]",
    "[ Success = merge tryagain=continue]",
    "\nhosts: ",
    "\nhosts ",
    "\n",
    ":",
    " # xx",
    "\n#",
    "[NO=return]",
    "[NOTFOUND]",
    "[",
];

/// For each file of /work: what glibc looks for, and what gb does.
const SCRIPT: &str = r#"
    gb strip-libs --rootfs /r --with base /usr/bin/getent >/dev/null; echo 'root:x:0:0::/:/bin/sh' >/r/etc/passwd
    for file in $(ls /work | sort -n); do
        cp /work/$file /r/etc/nsswitch.conf
        # Of a comment's words glibc makes services, too; gb does not ask for those.
        tried=$(strace -f -e trace=openat chroot /r getent hosts nosuch.invalid 2>&1 | sed -n 's/.*libnss_\([^.]*\).so.*/\1/p' |
            sed '/^#/,$d' | sort -u | tr '\n' ' ')
        chroot /r getent passwd root >/dev/null || tried=fails
        gb strip-libs --check /r >/tmp/said 2>&1 || true
        asked=$(sed -n 's/.*libnss_\([^.]*\).so.*/\1/p' /tmp/said | sort -u | tr '\n' ' ')
        ! grep -q 'finds no service for anything' /tmp/said || asked=fails
        [ "$tried" = "$asked" ] || { echo "$file: glibc: $tried gb: $asked"; cat /work/$file /tmp/said; }
        echo "$asked" >>/tmp/all
    done
    echo "$(grep -c fails /tmp/all) fail, $(grep -vc 'fails\|^$' /tmp/all) name modules"
"#;

fn same(lab: &Lab) -> Verdict {
    let dir = lab.dir("nsswitch")?;
    // The same ones each time (Knuth's generator).
    let mut state = 7u64;
    let mut random = |below: usize| {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(state >> 33).unwrap_or_default() % below
    };
    for number in 0..120 {
        let pieces: Vec<_> = (0..=random(12)).map(|_| PIECES[random(PIECES.len())]).collect();
        std::fs::write(dir.join(number.to_string()), format!("hosts: {}\n", pieces.concat()))?;
    }
    let text = Container::new(lab.arm_image()?)
        .mount_read_only(&dir, "/work")
        .option("--cap-add=SYS_PTRACE")
        .bare_sh(SCRIPT)?;
    let text = text.ok()?;
    let (fail, rest) = text.split_once(" fail, ").ok_or_else(|| format!("they disagree: {text}"))?;
    ensure!(fail.parse::<u32>().is_ok_and(|fail| fail > 5), "{text}");
    let named = rest.strip_suffix(" name modules\n").and_then(|named| named.parse::<u32>().ok());
    ensure!(named.is_some_and(|named| named > 20), "{text}");
    ensure_eq!(text.lines().count(), 1);
    Ok(())
}
