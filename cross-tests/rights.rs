//! What only the start of a program decides: rights of its own (set-user-ID and the like), with which its loader does not trust
//! all that it is told; and the processor.

use crate::case::{Case, Needs, Verdict, ensure_eq};
use crate::engine::Container;
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "a program with rights of its own finds in a root what its loader finds for those who have not",
            Needs::Image,
            rights,
        ),
        Case::new(
            "what a processor decides is there in a root for each that there are files for",
            Needs::Image,
            platforms,
        ),
    ]
}

/// For each program: what it says when somebody else starts it, and whether gb finds all that it needs. `put MODE FILE RPATH`
/// makes one that needs libmine.so.
const SCRIPT: &str = r#"
    cd /tmp; echo 'int f(void) { return 7; }' >f.c; echo 'int f(void); int main(void) { return f(); }' >p.c
    cc=x86_64-linux-gnu-clang own=/usr/lib/x86_64-linux-gnu
    mkdir -p /opt/x/bin /opt/x/lib $own/mine
    for dir in /opt/x/lib $own/mine; do $cc -shared -Wl,-soname,libmine.so -o $dir/libmine.so f.c; done
    put() { $cc -o $2 p.c /opt/x/lib/libmine.so -Wl,-rpath,"$3"; chmod $1 $2; }
    try() {
        code=0; setpriv --reuid 1000 --regid 1000 --clear-groups env LD_LIBRARY_PATH=${2-} $1 2>/dev/null || code=$?
        found=found; gb strip-libs ${2:+--library-path $2} --rootfs /tmp/root $1 >/dev/null 2>/tmp/why || found='not found'
        rm -rf /tmp/root; echo "$code $found"
    }
    put 755 /opt/x/bin/plain '$ORIGIN/../lib'; try /opt/x/bin/plain
    put 4755 /opt/x/bin/user '$ORIGIN/../lib'; try /opt/x/bin/user; grep -o 'it runs with rights of its own' /tmp/why
    put 2755 /opt/x/bin/group '$ORIGIN/../lib'; try /opt/x/bin/group
    put 2745 /opt/x/bin/lock '$ORIGIN/../lib'; try /opt/x/bin/lock
    put 755 /opt/x/bin/caps '$ORIGIN/../lib'; setcap cap_net_bind_service+ep /opt/x/bin/caps; try /opt/x/bin/caps
    put 4755 /usr/bin/trusted '$ORIGIN/../lib/x86_64-linux-gnu/mine'; try /usr/bin/trusted
    put 4755 /usr/bin/late '/usr/$ORIGIN/../lib/x86_64-linux-gnu/mine'; try /usr/bin/late
    put 4755 /opt/x/bin/fixed /opt/x/lib; try /opt/x/bin/fixed
    put 755 /opt/x/bin/path /nowhere; try /opt/x/bin/path /opt/x/lib
    put 4755 /opt/x/bin/path /nowhere; try /opt/x/bin/path /opt/x/lib
"#;

fn rights(lab: &Lab) -> Verdict {
    let text = Container::new(&lab.image).bare_sh(SCRIPT)?.ok()?;
    let lines: Vec<_> = text.lines().collect();
    let found = "7 found";
    let lost = "127 not found";
    ensure_eq!(
        lines,
        [found, lost, "it runs with rights of its own", lost, found, lost, found, lost, found, found, lost]
    );
    Ok(())
}

fn platforms(lab: &Lab) -> Verdict {
    let script = r#"
        cd /tmp; echo 'int f(void) { return 7; }' >f.c; echo 'int f(void); int main(void) { return f(); }' >p.c
        for name in haswell x86_64 xeon_phi; do
            mkdir -p /opt/$name/lib; x86_64-linux-gnu-clang -shared -Wl,-soname,libp.so -o /opt/$name/lib/libp.so f.c
        done
        mkdir /opt/other; x86_64-linux-gnu-clang -o /usr/bin/p p.c /opt/haswell/lib/libp.so '-Wl,-rpath,/opt/$PLATFORM/lib'
        gb strip-libs --rootfs /r /usr/bin/p 2>&1 >/dev/null; ls /r/opt
        gb strip-libs --tree /usr/bin/p | grep -e PLATFORM -e libp
        # This loader says x86_64, others haswell.
        chroot /r /usr/bin/p || echo $?
        rm -r /r/opt/xeon_phi/lib/*; gb strip-libs --check /r 2>/dev/null || echo "not closed: $?"
        rm -r /opt/*/lib; gb strip-libs /usr/bin/p 2>&1 | grep -o 'only the processor knows.*PLATFORM'"#;
    let text = Container::new(&lab.image).bare_sh(script)?.ok()?;
    ensure_eq!(
        text,
        "gb: /usr/bin/p looks in directories of $PLATFORM, which the processor decides: taken for haswell, x86_64, xeon_phi
haswell
x86_64
xeon_phi
/usr/bin/p with $PLATFORM haswell
  libp.so => /opt/haswell/lib/libp.so [RUNPATH of /usr/bin/p]
with $PLATFORM x86_64
  libp.so => /opt/x86_64/lib/libp.so [RUNPATH of /usr/bin/p]
with $PLATFORM xeon_phi
  libp.so => /opt/xeon_phi/lib/libp.so [RUNPATH of /usr/bin/p]
7
not closed: 1
only the processor knows what $PLATFORM
"
    );
    Ok(())
}
