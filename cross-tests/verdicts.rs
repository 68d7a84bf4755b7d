//! What `gb binfmt check` says of every way in which emulation fails, each produced on the real kernel.

use crate::binfmt::{private, private_in};
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    let mut cases = vec![
        Case::new(
            "check says that a user namespace goes by entries of its own",
            Needs::Emulation("s390x"),
            own_instance,
        ),
        case("check ends what hangs, with all that it has started, and leaves no core", leaves_nothing),
        case("check ends what an emulator leaves behind that has ended", leaves_no_child),
        case("check blames no emulator for a limit of processes", few_processes),
        case("check finds a place to run from where memfd_create is forbidden", without_memfd),
        case("check says 125 where there can be no process, no descriptor and no file", without_means),
        case(
            "check says what to run to whoever can register, and where to run it to whoever can't",
            remedies,
        ),
        case("list shows in order what the kernel considers, and what is never asked", considers),
        case(
            "without a platform check is about the target, else what can be built for, else what can be emulated",
            chooses,
        ),
    ];
    cases.extend(VERDICTS.iter().map(|row| Case::new(row.name, Needs::Image, |lab| row.check(lab))));
    cases
}

/// What one of the verdicts is made of.
struct Row {
    name: &'static str,
    /// Makes it so. `GB`, `PLATFORM` and `OPTIONS` may be set.
    script: &'static str,
    code: i32,
    reason: &'static str,
    /// Words of the line for people.
    says: &'static [&'static str],
    /// Words that are not in it.
    not: &'static [&'static str],
}

/// A row without forbidden words.
const ROW: Row = Row { name: "", script: "", code: 1, reason: "", says: &[], not: &[] };

const VERDICTS: &[Row] = &[
    Row {
        name: "check says that a program of this machine runs natively",
        script: "PLATFORM=amd64",
        code: 0,
        reason: "native",
        says: &["linux/amd64: runs: this machine runs it itself"],
        ..ROW
    },
    Row {
        name: "check says which emulator runs a program, and its version",
        script: "entry s $qemu POCF",
        code: 0,
        reason: "emulated",
        says: &["linux/s390x: runs: /usr/bin/qemu-s390x", "(qemu-s390x version ", "flags POCF"],
        not: &["no flag", "(gb "],
    },
    Row {
        name: "check says what it means that an entry has no flag F, no C and no P",
        script: "entry s $qemu ''",
        code: 0,
        reason: "emulated",
        says: &[
            "no flags; argv[0] is the file's path (no flag P); ",
            "; no flag F: it runs because /usr/bin/qemu-s390x",
            "is in this container, too; no flag C: set-user-ID programs such as sudo don't work",
        ],
        ..ROW
    },
    Row {
        name: "check says that the emulator is this container's where the entry can't be seen",
        script: "entry s $qemu ''; OPTIONS=--dir=/nowhere",
        code: 0,
        reason: "emulated",
        says: &["is a file of this container: without the flag F, which can't be seen here, not where that is missing"],
        ..ROW
    },
    Row {
        name: "check knows that the flag F is set where neither the entry nor the emulator can be seen",
        script: "entry s $qemu PF; bare; GB='chroot /tmp/root /gb'; OPTIONS='--require=F,P --dir=/nowhere'",
        code: 0,
        reason: "emulated",
        says: &["/usr/bin/qemu-s390x"],
        not: &["flag"],
    },
    Row {
        name: "check says which of the required flags an entry lacks",
        script: "entry s $qemu F; OPTIONS=--require=F,C,P",
        code: 2,
        reason: "flag-missing",
        says: &["without the flag PC", "argv[0] is the file's path (no flag P)", "(gb binfmt register s390x)"],
        ..ROW
    },
    Row {
        name: "check says that a required flag can't be seen",
        script: "entry s $qemu PCF; OPTIONS='--require=C --dir=/nowhere'",
        code: 2,
        reason: "flag-missing",
        says: &["its entry can't be seen here, so not the flag C; ",
            "(docker run --volume /proc/sys/fs/binfmt_misc:/binfmt_misc:ro)"],
        ..ROW
    },
    Row {
        name: "check says that there is no entry, and what to do",
        script: "",
        reason: "no-handler",
        says: &["linux/s390x: does not run: the kernel has no entry for it (gb binfmt register s390x)"],
        ..ROW
    },
    Row {
        name: "check says that there may be entries of the user namespace's own where none can be seen",
        script: "OPTIONS=--dir=/nowhere",
        reason: "no-handler",
        says: &[
            "no entry for it, or this user namespace goes by entries of its own \
             (docker run --privileged --rm calico/binfmt --install s390x, on the host)",
        ],
        ..ROW
    },
    Row {
        name: "check says that the kernel has not loaded binfmt_misc",
        script: "umount $registry; grep -v binfmt_misc /proc/filesystems >/tmp/filesystems
            mount --bind /tmp/filesystems /proc/filesystems",
        reason: "no-binfmt-misc",
        says: &["the kernel has no binfmt_misc, or has not loaded it (modprobe binfmt_misc, as root of the host)"],
        ..ROW
    },
    Row {
        name: "check says that the entry is switched off",
        script: "entry s $qemu F; echo 0 >$registry/s",
        reason: "entry-disabled",
        says: &["the entry s is switched off (echo 1 >/proc/sys/fs/binfmt_misc/s)"],
        ..ROW
    },
    Row {
        name: "check says that all entries are switched off",
        script: "entry s $qemu F; echo 0 >$registry/status",
        reason: "switched-off",
        says: &["all entries of the kernel are switched off (echo 1 >/proc/sys/fs/binfmt_misc/status)"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter is not there",
        script: "entry s /nowhere/qemu ''",
        reason: "interpreter-missing",
        says: &["/nowhere/qemu is not here, and its entry lacks the flag F"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter is below a file",
        script: "entry s /etc/passwd/qemu ''",
        reason: "interpreter-missing",
        says: &["/etc/passwd/qemu is not here"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter is not there where the entry can't be seen",
        script: "entry s /nowhere/qemu ''; OPTIONS=--dir=/nowhere",
        reason: "interpreter-missing",
        says: &["the interpreter, or what it needs to be run, is not here"],
        ..ROW
    },
    Row {
        name: "check says that an older entry is never asked",
        script: "entry old $qemu F; entry new /nowhere/qemu ''",
        reason: "interpreter-missing",
        says: &["/nowhere/qemu is not here", "; the entry old is never asked: new is younger"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter's loader is not there",
        script: "cp /usr/bin/true /tmp/dynamic; entry s /tmp/dynamic F; bare; GB='chroot /tmp/root /gb'",
        reason: "interpreter-dynamic",
        says: &["/tmp/dynamic needs a loader and libraries that are not here"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter is no program",
        script: "printf '\\177ELF nothing' >/tmp/nothing; chmod 755 /tmp/nothing; entry s /tmp/nothing ''",
        reason: "interpreter-foreign",
        says: &["/tmp/nothing is no program of this machine"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter is itself interpreted",
        script: "gcc() { s390x-linux-gnu-gcc -static -x c - -o /tmp/foreign; }; echo 'int main(void) { return 0; }' | gcc
            entry s /tmp/foreign ''",
        reason: "interpreter-foreign",
        says: &["the interpreter is itself a program that an interpreter runs"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter may not be run",
        script: "cp $qemu /tmp/denied; chmod 644 /tmp/denied; entry s /tmp/denied ''",
        reason: "interpreter-denied",
        says: &["the interpreter may not be run (chmod 755 /tmp/denied)"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter is where nothing may be run",
        script: "mkdir /tmp/noexec; mount -t tmpfs -o noexec tmpfs /tmp/noexec; cp $qemu /tmp/noexec/; entry s /tmp/noexec/qemu-s390x-static ''",
        reason: "interpreter-denied",
        says: &["the interpreter may not be run"],
        ..ROW
    },
    Row {
        name: "check says that the interpreter is for another architecture",
        script: "entry s /usr/bin/qemu-arm-static F",
        reason: "wrong-interpreter",
        says: &["Invalid ELF image for this architecture"],
        ..ROW
    },
    Row {
        name: "check says that the emulator is a file that has been removed",
        script: "cp $qemu /tmp/stale; entry s /tmp/stale PCF; rm /tmp/stale",
        code: 2,
        reason: "stale-interpreter",
        says: &["/tmp/stale", "a file that has been removed or replaced since"],
        ..ROW
    },
    Row {
        name: "check says that the emulator is a file that has been replaced",
        script: "cp $qemu /tmp/stale; entry s /tmp/stale PCF; cp $qemu /tmp/new; mv /tmp/new /tmp/stale",
        code: 2,
        reason: "stale-interpreter",
        says: &["/tmp/stale", "a file that has been removed or replaced since"],
        ..ROW
    },
    Row {
        name: "check takes no emulator for a removed one because of its name",
        script: "cp $qemu '/tmp/qemu (deleted)'; entry s '/tmp/qemu (deleted)' PCF",
        code: 0,
        reason: "emulated",
        says: &["/tmp/qemu (deleted) (qemu-s390x version"],
        not: &["removed"],
    },
    Row {
        name: "check says which programs an entry leaves out",
        script: "entry s $qemu F \"$strict\"",
        code: 2,
        reason: "not-every-program",
        says: &["leaves out static programs of glibc (OSABI 3)"],
        ..ROW
    },
    Row {
        name: "check finds out which programs are left out where no entry can be seen",
        script: "entry s $qemu F \"$strict\"; OPTIONS=--dir=/nowhere",
        code: 2,
        reason: "not-every-program",
        says: &["leaves out static programs of glibc (OSABI 3)"],
        ..ROW
    },
    Row {
        name: "check says that an entry without a mask is for one kind of programs alone",
        script: "entry s $qemu F ''",
        code: 2,
        reason: "not-every-program",
        says: &["leaves out"],
        ..ROW
    },
    Row {
        name: "check finds programs that another entry takes, and does not run",
        script: "entry s $qemu F; magic=$(echo $magic | sed 's/x00/x03/'); entry other /nowhere/qemu '' \"$strict\"",
        code: 2,
        reason: "not-every-program",
        says: &["but not static programs of glibc (OSABI 3), which go elsewhere"],
        ..ROW
    },
    Row {
        name: "check finds an emulator that ignores the flag P",
        script: "script /tmp/e 'exec $qemu \"$@\"'; entry s /tmp/e P",
        reason: "arguments-shifted",
        says: &["do not agree about argv[0]"],
        ..ROW
    },
    Row {
        name: "check finds an emulator that takes the flag P for granted",
        script: "script /tmp/e 'exec $qemu -0 \"$2\" \"$1\"'; entry s /tmp/e ''",
        reason: "arguments-shifted",
        says: &["do not agree about argv[0]"],
        ..ROW
    },
    Row {
        name: "check says which signal kills an emulator",
        script: "script /tmp/e 'kill -SEGV $$'; entry s /tmp/e ''",
        reason: "crash",
        says: &["its emulator is killed by signal 11 (another version of /tmp/e, or gb binfmt register s390x)"],
        ..ROW
    },
    Row {
        name: "check takes a shell's code for a signal for what it is",
        script: "script /tmp/qemu-s390x 'echo no luck >&2; exit 139'; entry s /tmp/qemu-s390x ''",
        reason: "crash",
        says: &["its emulator crashes: no luck (another version of QEMU: gb binfmt register s390x)"],
        ..ROW
    },
    Row {
        name: "check says that an emulator hangs",
        script: "script /tmp/e 'exec sleep infinity'; entry s /tmp/e ''; OPTIONS='--timeout 0.2'",
        reason: "hang",
        says: &["its emulator hangs, or needs more time (--timeout)"],
        ..ROW
    },
    Row {
        name: "check says that an emulator hangs after the program's end",
        script: "script /tmp/e '$qemu \"$@\"; exec sleep infinity'; entry s /tmp/e ''; OPTIONS='--timeout 1'",
        reason: "hang",
        says: &["its emulator hangs"],
        ..ROW
    },
    Row {
        name: "check says with which code and words an emulator ends, without what steers a terminal",
        script: "script /tmp/e 'printf \"\\n no\\033[2Jluck\\r\\n more\\n\" >&2; exit 3'; entry s /tmp/e ''",
        reason: "failure",
        says: &["its emulator ends with 3: no?[2Jluck ("],
        not: &["more"],
        ..ROW
    },
    Row {
        name: "check takes no emulator for one that hangs because it writes much",
        script: "script /tmp/e 'yes | head -c 1000000 >&2; yes | head -c 1000000; exit 3'; entry s /tmp/e ''",
        reason: "failure",
        says: &["its emulator ends with 3: y, no flags (another version of /tmp/e, or "],
        ..ROW
    },
    Row {
        name: "check takes no emulator for a good one because it ends with 0",
        script: "script /tmp/e 'exit 0'; entry s /tmp/e ''",
        reason: "failure",
        says: &["its emulator ends with 0"],
        ..ROW
    },
    Row {
        name: "check says that an emulator finds no room for its programs",
        script: "script /tmp/e 'echo \"Unable to reserve 0xffff0000 bytes of virtual address space\" >&2; exit 1'; entry s /tmp/e ''",
        reason: "address-space",
        says: &["does not get the memory that it needs: Unable to reserve", "(sysctl vm.mmap_min_addr=65536 on the host, or another"],
        ..ROW
    },
    Row {
        name: "check says that the emulator of 32 bit programs is limited",
        script: "m='\\x7f\\x45\\x4c\\x46\\x01\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x28\\x00'
            printf '%s' \":a:M::$m::/usr/bin/qemu-arm-static:F\" >$registry/register; PLATFORM=arm; ulimit -Sv 500000",
        reason: "address-space",
        says: &["does not get the memory that it needs", "(ulimit -v unlimited)"],
        ..ROW
    },
    Row {
        name: "check says that the emulator may not have data enough",
        script: "entry s $qemu F; ulimit -Sd 50000",
        reason: "address-space",
        says: &["does not get the memory that it needs", "(ulimit -d unlimited)"],
        ..ROW
    },
    Row {
        name: "check says that an emulator is limited that the kernel can't even load",
        script: "entry s $qemu F; ulimit -Sv 20000",
        reason: "address-space",
        says: &["(ulimit -v unlimited)"],
        ..ROW
    },
    Row {
        name: "check calls nothing QEMU that is not, and waits for no version",
        script: "cat >/tmp/e.c <<'C'
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], \"--version\")) { printf(\"\\033[2Jversion 1\"); fflush(stdout); pause(); }
    if (fork() == 0) { argv[0] = \"qemu\"; execv(\"/usr/bin/qemu-s390x-static\", argv); _exit(9); }
    int status; wait(&status); return WEXITSTATUS(status);
}
C
            cc -static -o /tmp/translator /tmp/e.c; entry s /tmp/translator ''",
        code: 0,
        reason: "emulated",
        says: &["runs: /tmp/translator runs it"],
        not: &["qemu", "QEMU", "version"],
    },
    Row {
        name: "check shows one line of what an interpreter says of itself",
        script: "cat >/tmp/e.c <<'C'
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>
int main(int argc, char **argv) {
    if (argc == 2 && !strcmp(argv[1], \"--version\")) { for (int n = 0; n < 100000; n++) printf(\"\\033[2Jtranslator 1 \"); return 0; }
    if (fork() == 0) { argv[0] = \"qemu\"; execv(\"/usr/bin/qemu-s390x-static\", argv); _exit(9); }
    int status; wait(&status); return WEXITSTATUS(status);
}
C
            cc -static -o /tmp/translator /tmp/e.c; entry s /tmp/translator ''",
        code: 0,
        reason: "emulated",
        says: &["runs: /tmp/translator ([2Jtranslator 1 [2J"],
        not: &["\x1b", "qemu"],
    },
    Row {
        name: "check runs from a directory where nothing may be run from memory",
        script: "entry s $qemu PCF; echo 2 >/proc/sys/vm/memfd_noexec",
        code: 0,
        reason: "emulated",
        says: &["runs: /usr/bin/qemu-s390x"],
        ..ROW
    },
    Row {
        name: "check runs from the one directory from which programs may be run",
        script: "entry s $qemu PCF; echo 2 >/proc/sys/vm/memfd_noexec; mkdir /place; export TMPDIR=/place
            for dir in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o noexec tmpfs $dir; done",
        code: 0,
        reason: "emulated",
        says: &["runs: /usr/bin/qemu-s390x"],
        ..ROW
    },
    Row {
        name: "check says 125 where there is no place from which programs may be run",
        script: "entry s $qemu PCF; echo 2 >/proc/sys/vm/memfd_noexec
            for dir in /tmp /var/tmp /dev/shm; do mount -t tmpfs -o noexec tmpfs $dir; done; cd /tmp",
        code: 125,
        reason: "untried",
        says: &["unknown: it could not be tried: find a place from which programs may be run: Permission denied (docker run --tmpfs /tmp:exec)"],
        ..ROW
    },
    Row {
        name: "check blames the interpreter and not the place where the place will do",
        script: "cp $qemu /tmp/denied; chmod 644 /tmp/denied; entry s /tmp/denied ''; echo 2 >/proc/sys/vm/memfd_noexec",
        reason: "interpreter-denied",
        says: &["the interpreter may not be run"],
        ..ROW
    },
    Row {
        name: "check works without /proc, and says that it can't see by what",
        script: "entry s $qemu POCF; bare; umount -l /tmp/root/proc; mkdir /tmp/root/tmp; GB='chroot /tmp/root /gb'",
        code: 0,
        reason: "runs",
        says: &["linux/s390x: runs: it runs; by what can't be seen without /proc"],
        ..ROW
    },
    Row {
        name: "check works in a root that has nothing in it",
        script: "entry s $qemu POCF; bare; umount -l /tmp/root/proc; rmdir /tmp/root/proc; GB='chroot /tmp/root /gb'",
        code: 0,
        reason: "runs",
        says: &["linux/s390x: runs: it runs"],
        ..ROW
    },
    Row {
        name: "check works in a root that has nothing in it and can't be written to, for this machine",
        script: "bare; umount -l /tmp/root/proc; rmdir /tmp/root/proc; mount --bind -o ro /tmp/root /tmp/root; mount -o remount,bind,ro /tmp/root
            GB='chroot /tmp/root /gb'; PLATFORM=amd64",
        code: 0,
        reason: "runs",
        says: &["linux/amd64: runs: it runs"],
        ..ROW
    },
    Row {
        name: "check sees by what programs run where /proc hides the processes of others",
        script: "entry s $qemu POCF; mount -t proc -o hidepid=2 proc /proc",
        code: 0,
        reason: "emulated",
        says: &["runs: /usr/bin/qemu-s390x"],
        ..ROW
    },
    Row {
        name: "check runs an emulator that nobody may read, and does not claim to know it",
        script: "cp $qemu /tmp/unreadable; chmod 111 /tmp/unreadable; entry s /tmp/unreadable F
            GB='setpriv --bounding-set=-all gb'",
        code: 0,
        reason: "runs",
        says: &["linux/s390x: runs: it runs"],
        ..ROW
    },
    Row {
        name: "check takes no other process for an emulator where /proc is another namespace's",
        script: "entry s $qemu POCF; n=0; while [ $n -lt 40 ]; do sleep infinity & n=$((n + 1)); done
            echo 'n=0; while [ $n -lt 15 ]; do /bin/true; n=$((n + 1)); done; gb \"$@\"' >/tmp/later
            GB='unshare --pid --fork --kill-child sh /tmp/later'",
        code: 0,
        reason: "runs",
        says: &["linux/s390x: runs: it runs; by what can't be seen"],
        not: &["sleep"],
    },
    Row {
        name: "check knows how a program ended where SIGCHLD is ignored",
        script: "entry s $qemu POCF; trap '' CHLD",
        code: 0,
        reason: "emulated",
        says: &["runs: /usr/bin/qemu-s390x"],
        ..ROW
    },
];

impl Row {
    fn check(&self, lab: &Lab) -> Verdict {
        let script = format!(
            "strict=$(echo $mask | sed 's/x00/xff/')
            script() {{ printf '#!/bin/sh\\nqemu=%s\\n%s\\n' $qemu \"$2\" >$1; chmod 755 $1; }}
            # A root with nothing but gb.
            bare() {{ mkdir /tmp/root /tmp/root/proc; cp /usr/local/bin/gb /tmp/root; mount --rbind /proc /tmp/root/proc; }}
            {}
            GB=${{GB-gb}} PLATFORM=${{PLATFORM-s390x}}
            reason() {{ sed -n 's/.*\"reason\": \"\\(.*\\)\".*/\\1/p'; }}
            ($GB binfmt check $PLATFORM ${{OPTIONS-}} --json || true) | (ulimit -Sv unlimited; reason)
            code=0; $GB binfmt check $PLATFORM ${{OPTIONS-}} || code=$?
            echo $code",
            self.script
        );
        let output = private(lab, &script)?;
        let text = output.text()?;
        let lines: Vec<_> = text.lines().collect();
        let [reason, line, code] = lines[..] else { return Err(output.failed("three lines were to come")) };
        ensure!(reason == self.reason && code == self.code.to_string(), "{output}");
        for words in self.says {
            ensure!(line.contains(words), "{words:?}: {output}");
        }
        for words in self.not {
            ensure!(!line.contains(words), "{words:?}: {output}");
        }
        Ok(())
    }
}

/// The machine's entries can be seen, and are not those of the user namespace.
fn own_instance(lab: &Lab) -> Verdict {
    let container = Container::new(&lab.image).option("--volume=/proc/sys/fs/binfmt_misc:/hosts:ro");
    let script = "code=0; gb binfmt check s390x --dir /hosts || code=$?
        gb binfmt check s390x --dir /hosts --json | jq -r .platforms[].reason || true
        echo $code; umount $registry; gb binfmt check s390x || true; gb binfmt check s390x --dir /hosts || true";
    let text = private_in(container, script)?.text()?;
    let lines: Vec<_> = text.lines().collect();
    let own = "linux/s390x: does not run: there is an entry, but this user namespace goes by others, of its own, since binfmt_misc \
               was mounted in it (make the user namespace anew (podman system migrate), and don't mount binfmt_misc there)";
    ensure_eq!(lines[..3], [own, "own-instance", "1"]);
    // With the mount gone it is no better.
    ensure!(lines[3].contains("or this user namespace goes by entries of its own"), "{text}");
    ensure_eq!(lines[4], own);
    Ok(())
}

fn leaves_nothing(lab: &Lab) -> Verdict {
    let script = "cd /tmp; ulimit -c unlimited 2>/dev/null || true
        printf '#!/bin/sh\\nsleep infinity & sleep infinity\\n' >/tmp/hangs; chmod 755 /tmp/hangs
        printf '#!/bin/sh\\nulimit -c >/tmp/cores; kill -SEGV $$\\n' >/tmp/crashes; chmod 755 /tmp/crashes
        entry s /tmp/hangs ''; gb binfmt check s390x --timeout 0.3 >/dev/null || echo $?
        pgrep sleep || echo none
        entry t /tmp/crashes ''; gb binfmt check s390x >/dev/null || echo $?
        cat /tmp/cores; ls -A /tmp";
    ensure_eq!(private(lab, script)?.ok()?, "1\nnone\n1\n0\ncores\ncrashes\nhangs\n");
    Ok(())
}

fn leaves_no_child(lab: &Lab) -> Verdict {
    let script =
        "printf '#!/bin/sh\\nsleep infinity & sleep infinity & exit 3\\n' >/tmp/leaves; chmod 755 /tmp/leaves
        entry s /tmp/leaves ''; gb binfmt check s390x >/dev/null || echo $?
        pgrep sleep || echo none";
    ensure_eq!(private(lab, script)?.ok()?, "1\nnone\n");
    Ok(())
}

fn few_processes(lab: &Lab) -> Verdict {
    // timeout, unshare, the shell, gb, and QEMU with its one thread: two at a time are too many, and so is the thread.
    for (limit, code, says) in [
        (6, 0, "linux/s390x: runs: /usr/bin/qemu-s390x"),
        (
            5,
            125,
            "linux/s390x: unknown: it could not be tried: start a thread of its emulator: Try again (more processes: ulimit -u, ",
        ),
    ] {
        let container = Container::new(&lab.image).option(format!("--pids-limit={limit}"));
        let script =
            "entry s $qemu POCF; code=0; gb binfmt check s390x --dir /nowhere || code=$?; echo $code";
        let text = private_in(container, script)?.text()?;
        ensure!(text.starts_with(says) && text.ends_with(&format!("\n{code}\n")), "{limit}: {text}");
    }
    Ok(())
}

fn without_memfd(lab: &Lab) -> Verdict {
    let profile = lab.dir("without-memfd")?.join("profile.json");
    let forbidden = r#"{"defaultAction": "SCMP_ACT_ALLOW", "syscalls": [{"names": ["memfd_create"], "action": "SCMP_ACT_ERRNO", "errnoRet": NUMBER}]}"#;
    for errno in ["1", "38"] {
        std::fs::write(&profile, forbidden.replace("NUMBER", errno)).map_err(|error| error.to_string())?;
        let container =
            Container::new(&lab.image).option(format!("--security-opt=seccomp={}", profile.display()));
        let own = "linux/amd64: runs: this machine runs it itself\n";
        for user in ["0", "1000"] {
            let run = container.clone().user(user).env("RUN_AS_ROOT", "true");
            ensure_eq!(run.run(&["gb", "binfmt", "check", "amd64"])?.ok()?, own);
        }
        // Nowhere else either.
        let nowhere = container.option("--read-only").option("--workdir=/").user("1000");
        let nowhere = nowhere.option("--mount=type=tmpfs,destination=/dev/shm,tmpfs-mode=0700");
        let output = nowhere.run(&["gb", "binfmt", "check", "amd64"])?;
        ensure!(
            output.status == Some(125)
                && output.text()?.contains("unknown: it could not be tried: find a place"),
            "{output}"
        );
    }
    Ok(())
}

fn without_means(lab: &Lab) -> Verdict {
    let container = Container::new(&lab.image);
    let pids = container.clone().option("--pids-limit=1").option("--entrypoint=gb");
    for (run, words) in [
        (
            pids.run(&["binfmt", "check", "amd64"])?,
            "start a process: Try again (more processes: ulimit -u, docker run --pids-limit)",
        ),
        (container.bare_sh("ulimit -n 6; exec gb binfmt check amd64")?, "make a pipe: Too many open files"),
        (container.bare_sh("ulimit -f 0; exec gb binfmt check amd64")?, "File too large"),
        (
            container.user("4242").bare_sh("exec prlimit --nproc=1 gb binfmt check amd64")?,
            "start a process: Try again (more processes: ulimit -u, docker run --pids-limit)",
        ),
    ] {
        ensure!(run.status == Some(125), "{run}");
        ensure!(run.text()?.starts_with("linux/amd64: unknown: it could not be tried: "), "{run}");
        ensure!(run.text()?.contains(words), "{words}: {run}");
    }
    Ok(())
}

/// Each as somebody reads it who is there, and what can be run there is run.
fn remedies(lab: &Lab) -> Verdict {
    // No entry can be seen, as in most containers.
    let plain = private(lab, "umount $registry; gb binfmt check mips || true")?.text()?;
    ensure!(
        plain.ends_with("(docker run --privileged --rm calico/binfmt --install mips, on the host)\n"),
        "{plain}"
    );
    // Of what is written to a registry every word works.
    let script = "fix() { gb binfmt check s390x \"$@\" --json | jq -r .platforms[].fix || true; }
        run() { fix=$(fix \"$@\"); echo \"$fix\"; sh -c \"$fix\" >/dev/null; gb binfmt check -q s390x \"$@\"; }
        entry s $qemu F; echo 0 >$registry/s; run
        echo 0 >$registry/status; run
        echo -1 >$registry/s; run
        gb binfmt unregister s390x >/dev/null; entry s /nowhere ''; run
        gb binfmt unregister --all >/dev/null; echo -1 >$registry/s
        cp $qemu /tmp/denied; chmod 644 /tmp/denied; entry s /tmp/denied ''; run; echo -1 >$registry/s
        mkdir /elsewhere; mount --bind $registry /elsewhere; run --dir /elsewhere
        gb binfmt unregister s390x >/dev/null; mount --bind -o ro /elsewhere /elsewhere; mount -o remount,bind,ro /elsewhere
        fix --dir /elsewhere; PATH=/usr/local/bin; /usr/bin/rm -f /usr/local/bin/qemu-s390x
        gb binfmt check s390x || true";
    let text = private(lab, script)?.ok()?;
    let expected = [
        "echo 1 >/proc/sys/fs/binfmt_misc/s",
        "echo 1 >/proc/sys/fs/binfmt_misc/status",
        "gb binfmt register s390x",
        "gb binfmt register s390x",
        "chmod 755 /tmp/denied",
        "gb binfmt register s390x --dir /elsewhere",
        "docker run --privileged --rm calico/binfmt --install s390x, on the host",
        "linux/s390x: does not run: the kernel has no entry for it (docker run --privileged --rm calico/binfmt --install s390x, on the host)",
    ];
    ensure_eq!(text.lines().collect::<Vec<_>>(), expected);
    Ok(())
}

fn considers(lab: &Lab) -> Verdict {
    let script = "strict=$(echo $mask | sed 's/x00/xff/')
        entry oldest /x/qemu-s390x ''; entry strict $qemu F \"$strict\"; entry off $qemu F; echo 0 >$registry/off
        printf '%s' ':WSLInterop:M::MZ::/tmp/init:' >$registry/register
        printf '%s' ':all:M::\\x7fELF\\x02\\x01::/opt/translator:' >$registry/register
        echo 0 >$registry/all
        printf '%s' ':java:E::jar::/usr/bin/jexec:' >$registry/register
        printf '%s' ':rosetta:M:18:\\xb7\\x00\\x01::/run/rosetta/rosetta:' >$registry/register
        printf '%s' ':some:M::\\x7fELF\\x01\\x01\\x01\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x00\\x02\\x00\\x28\\x00\\x01\\x00\\x00\\x00\\xff::/x/qemu-arm:' >$registry/register
        gb binfmt list; gb binfmt list --json >/tmp/json; jq -c '.platforms[] | select(.platform == \"linux/s390x\")' /tmp/json
        echo 0 >$registry/status; gb binfmt list | sed -n '1p;$p'";
    let text = private(lab, script)?.ok()?;
    let lines: Vec<_> = text.lines().collect();
    let entries = [
        "some: other files, by /x/qemu-arm, no flags",
        "rosetta: linux/arm64, by /run/rosetta/rosetta (not QEMU, by its name), no flags",
        "java: *.jar, whatever is in it, by /usr/bin/jexec, no flags",
        "all: linux/amd64 linux/arm64 linux/loong64 linux/mips64le linux/ppc64le linux/riscv64, by /opt/translator (not QEMU, by its name), no flags, switched off",
        "WSLInterop: programs of Windows, by /tmp/init, no flags",
        "off: linux/s390x, by /usr/bin/qemu-s390x-static, flags F, switched off",
        "strict: linux/s390x, by /usr/bin/qemu-s390x-static, flags F",
        "oldest: linux/s390x, by /x/qemu-s390x, no flags",
    ];
    ensure_eq!(lines[..8], entries);
    for line in [
        "linux/amd64 is this machine's own; all is switched off",
        "linux/arm some programs go to some, by more bytes than tell the architecture; nothing takes the rest",
        "linux/arm64 goes to rosetta; all is switched off",
        "linux/riscv64 has no entry; all is switched off",
        "linux/s390x strict takes usual programs, position-independent programs; oldest takes static programs of glibc (OSABI 3), \
         static position-independent programs of glibc (OSABI 3); off is switched off",
    ] {
        ensure!(lines.contains(&line), "{line}: {text}");
    }
    let considered = r#"{"considered":[{"enabled":false,"entry":"off","loses":[],"partly":false,"takes":[]},{"enabled":true,"entry":"strict","loses":[],"partly":false,"takes":["exec","pie"]},{"enabled":true,"entry":"oldest","loses":[{"kind":"exec","to":"strict"},{"kind":"pie","to":"strict"}],"partly":false,"takes":["exec-osabi3","pie-osabi3"]}],"entry":"strict","platform":"linux/s390x","unclaimed":[]}"#;
    ensure_eq!(lines[21], considered);
    ensure!(lines[22].starts_with("all entries are switched off"), "{text}");
    ensure_eq!(lines[23], "linux/s390x has no entry");
    Ok(())
}

fn chooses(lab: &Lab) -> Verdict {
    let script = "names() { sed 's/:.*//' | tr '\\n' ' '; echo; }
        check() { (gb binfmt check \"$@\" || true) | names; }
        check; GOARCH=arm64 check; TARGETPLATFORM=linux/arm/v7 check
        GOOS=windows gb binfmt check || echo $?
        mkdir /gone; mount --bind /gone /usr/s390x-linux-gnu; check
        for root in aarch64 powerpc64le riscv64; do mount --bind /gone /usr/$root-linux-gnu; done; check
        mkdir /some; cp /usr/local/bin/gb /usr/bin/sed /usr/bin/tr /some; cp /usr/bin/qemu-arm-static /some/qemu-arm; PATH=/some check
        rm /some/qemu-arm; PATH=/some check";
    let output = private(lab, script)?;
    let text = output.text()?;
    let lines: Vec<_> = text.lines().collect();
    let expected = [
        "linux/amd64 linux/arm64 linux/ppc64le linux/riscv64 linux/s390x ",
        "linux/arm64 ",
        "linux/arm ",
        "125",
        "linux/amd64 linux/arm64 linux/ppc64le linux/riscv64 ",
        "linux/amd64 linux/arm linux/arm64 linux/ppc64le linux/riscv64 linux/s390x ",
        "linux/arm ",
    ];
    ensure_eq!(lines[..7], expected);
    ensure_eq!(lines[7].split_whitespace().count(), 13);
    ensure!(
        output.stderr.contains("GOOS asks for windows, whose programs no emulator runs here"),
        "{output}"
    );
    Ok(())
}
