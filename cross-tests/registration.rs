//! What is written to the kernel's registry, and what becomes of it: against the kernel itself, and with gb ended at each step.

use std::ffi::{OsStr, OsString};
use std::os::unix::ffi::OsStrExt;
use std::os::unix::fs::PermissionsExt;
use std::path::Path;

use gb::binfmt::entry::{Entry, Flags, HEAD, Pattern};

use crate::binfmt::{private, private_in};
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    vec![
        Case::new(
            "the kernel takes every entry that gb writes, and shows what gb reads",
            Needs::Image,
            round_trip,
        ),
        Case::new("several registrations at once all succeed", Needs::Image, at_once),
        Case::new("gb says of every program what the kernel does with it", Needs::Image, matching),
        Case::new(
            "a registration that is killed at any system call leaves an emulator that works, and the next one tidies up",
            Needs::ArmImage,
            killed,
        ),
        Case::new(
            "a registration whose writes fail leaves an emulator that works, and says so",
            Needs::ArmImage,
            failing,
        ),
    ]
}

fn at_once(lab: &Lab) -> Verdict {
    let script = "for round in 1 2 3 4 5; do
            all=; for each in 1 2 3 4; do gb binfmt register s390x >/dev/null & all=\"$all $!\"; done
            for each in $all; do wait $each; done
            gb binfmt check s390x --quiet; gb binfmt unregister s390x
        done; ls $registry";
    let output = private(lab, script)?;
    ensure_eq!(output.stderr, "");
    ensure_eq!(output.ok()?, format!("{}register\nstatus\n", "linux/s390x: remove qemu-s390x\n".repeat(5)));
    Ok(())
}

/// Numbers that look like any (xorshift64*), the same in every run.
struct Random(u64);

impl Random {
    fn below(&mut self, limit: usize) -> usize {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        let number = self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 33;
        usize::try_from(number).unwrap_or_default() % limit
    }

    fn byte(&mut self) -> u8 {
        u8::try_from(self.below(256)).unwrap_or_default()
    }

    fn bytes(&mut self, length: usize) -> Vec<u8> {
        (0..length).map(|_| self.byte()).collect()
    }

    /// Bytes of a path's element: any but NUL and the slash.
    fn name(&mut self, limit: usize) -> OsString {
        let length = 1 + self.below(limit);
        let name: Vec<u8> = self
            .bytes(length)
            .into_iter()
            .map(|byte| if b"\0/".contains(&byte) { b':' } else { byte })
            .collect();
        OsStr::from_bytes(&name).to_owned()
    }

    fn entry(&mut self) -> Entry {
        let letters: Vec<u8> = b"POCF".iter().copied().filter(|_| self.below(2) == 0).collect();
        let flags = Flags::parse(&letters).unwrap_or_default();
        // The kernel opens what is registered with F.
        let interpreter = match flags.fix_binary {
            true => "/usr/bin/true".into(),
            false => Path::new("/").join(self.name(60)),
        };
        let pattern = match self.below(5) {
            0 => Pattern::Extension(self.name(20)),
            _ => {
                let offset = if self.below(2) == 0 { 0 } else { self.below(HEAD) };
                let length = 1 + self.below((HEAD - offset).min(100));
                let mask = (self.below(3) > 0).then(|| self.bytes(length));
                Pattern::Magic { offset, magic: self.bytes(length), mask }
            }
        };
        Entry { name: self.name(60), is_enabled: true, interpreter, flags, pattern }
    }
}

fn write(path: &Path, text: &[u8]) -> Verdict {
    std::fs::write(path, text).map_err(|error| format!("write {}: {error}", path.display()))?;
    let modes = std::fs::set_permissions(path, PermissionsExt::from_mode(0o755));
    Ok(modes.map_err(|error| format!("change {}: {error}", path.display()))?)
}

/// Writes each /work/in/N to the registry and takes what is there then to /work/out/N, the name to /work/out/N.name.
const EACH: &str = r#"
cat >/tmp/each <<'END'
shopt -s dotglob nullglob
LC_ALL=C
for file in /work/in/*; do
    number=${file##*/}
    dd if="$file" of=$1/register bs=4k conv=notrunc status=none || { echo "$number is refused"; continue; }
    for entry in "$1"/*; do
        case ${entry##*/} in register | status) continue ;; esac
        # No program: the entry may be for all of them.
        printf '%s\n' "$(<"$entry")" >/work/out/$number
        printf %s "${entry##*/}" >/work/out/$number.name
        echo -1 >"$entry"
    done
done
END
bash /tmp/each $registry
"#;

fn round_trip(lab: &Lab) -> Verdict {
    let dir = lab.dir("entries")?;
    for name in ["in", "out"] {
        let made = std::fs::create_dir(dir.join(name));
        made.and_then(|()| std::fs::set_permissions(dir.join(name), PermissionsExt::from_mode(0o777)))
            .map_err(|error| format!("make {name}: {error}"))?;
    }
    let mut random = Random(0x6762);
    let entries: Vec<Entry> = (0..200).map(|_| random.entry()).collect();
    let mut written = 0;
    for (number, entry) in entries.iter().enumerate() {
        // What is too long, or can't be said, gb does not write.
        if let Ok(line) = entry.registration() {
            write(&dir.join(format!("in/{number}")), &line)?;
            written += 1;
        }
    }
    ensure!(written > 150, "{written}");
    ensure_eq!(private_in(Container::new(&lab.image).mount(&dir, "/work"), EACH)?.ok()?, "");
    for (number, entry) in entries.iter().enumerate().filter(|(_, entry)| entry.registration().is_ok()) {
        let read = |suffix: &str| {
            let path = dir.join(format!("out/{number}{suffix}"));
            std::fs::read(&path).map_err(|error| format!("read {}: {error}: {entry:?}", path.display()))
        };
        let name = read(".name")?;
        let shown = Entry::parse(OsStr::from_bytes(&name), &read("")?).map_err(|error| error.to_string())?;
        ensure_eq!(shown, *entry);
    }
    Ok(())
}

/// Makes the entry /work/N.entry, runs /work/N, and says whether it ran; its interpreter is true(1). (Without gb's own refusal
/// a shell would read what the kernel does not run.)
const RUN: &str = r"
for number in $(seq 0 149); do
    dd if=/work/$number.entry of=$registry/register bs=4k conv=notrunc status=none
    code=0; RUN_AS_ROOT=true gb run -- /work/$number 2>/dev/null || code=$?
    echo $code
    echo -1 >$registry/it
done
";

fn matching(lab: &Lab) -> Verdict {
    let dir = lab.dir("programs-that-are-none")?;
    let mut random = Random(0x656c66);
    let mut expected = String::new();
    for number in 0..150 {
        // An ELF file to everybody else, or nearly.
        let mut head = [b"\x7fELF".to_vec(), random.bytes(300)].concat();
        // Not what this machine's own programs begin with, the interpreter among them.
        let (offset, length) = match random.below(2) {
            0 => (4, 12 + random.below(20)),
            _ => (64 + random.below(HEAD - 94), 6 + random.below(20)),
        };
        let magic = head[offset..offset + length].to_vec();
        let mask = (random.below(3) > 0).then(|| random.bytes(length));
        if random.below(3) > 0 {
            // One bit is another one, which may be masked.
            let at = offset + random.below(length);
            head[at] ^= 1 << random.below(8);
        }
        if random.below(4) == 0 {
            head.truncate(5 + random.below(HEAD));
        }
        let pattern = Pattern::Magic { offset, magic, mask };
        let entry = Entry {
            name: "it".into(),
            is_enabled: true,
            interpreter: "/usr/bin/true".into(),
            flags: Flags::default(),
            pattern,
        };
        let line = entry.registration().map_err(|error| error.to_string())?;
        write(&dir.join(format!("{number}.entry")), &line)?;
        write(&dir.join(number.to_string()), &head)?;
        expected.push_str(if entry.matches(&head) { "0\n" } else { "126\n" });
    }
    let (runs, others) = (expected.matches("0\n").count(), expected.matches("126\n").count());
    ensure!(runs > 40 && others > 40, "{runs} and {others}");
    ensure_eq!(private_in(Container::new(&lab.image).mount_read_only(&dir, "/work"), RUN)?.ok()?, expected);
    Ok(())
}

/// An entry that has to be replaced, because its emulator has been removed, and what is asked after each attempt: that programs
/// run, whatever came of it; that the next registration leaves the one entry that there should be.
const REPLACE: &str = r"
reset() {
    for name in $(ls $registry | grep -v -e status -e register); do echo -1 >$registry/$name; done
    rm -f /tmp/stale; cp $qemu /tmp/stale; entry qemu-s390x /tmp/stale F; rm /tmp/stale
}
runs() { gb binfmt check -q s390x >/dev/null || [ $? = 2 ]; }
tidies() {
    gb binfmt register s390x >/dev/null
    gb binfmt check s390x --require F,C,P >/dev/null
    [ $(ls $registry | grep -v -e status -e register) = qemu-s390x ]
}
";

fn killed(lab: &Lab) -> Verdict {
    let script = r"
        for call in openat write; do
            step=0; code=137
            while [ $code = 137 ]; do
                step=$((step + 1)); reset; code=0
                strace -o /dev/null -e trace=$call -e inject=$call:signal=KILL:when=$step gb binfmt register s390x >/dev/null || code=$?
                runs; tidies
            done
            echo $call $code
            [ $step -gt 5 ]
        done";
    ensure_eq!(strace(lab, script)?, "openat 0\nwrite 0\n");
    Ok(())
}

fn failing(lab: &Lab) -> Verdict {
    // Those that are refused before anything is written are refused with 125, the others told with 1.
    let script = r"
        for error in EIO ENOSPC EINVAL EEXIST EACCES EPERM; do
            reset
            # The first four writes are the registry's: a stand-in, the old one's end, the new one, the stand-in's end.
            for step in 1 2 3 4; do
                code=0
                strace -o /dev/null -P $registry/register -P $registry/qemu-s390x -P $registry/qemu-s390x.gb \
                    -e trace=write -e inject=write:error=$error:when=$step gb binfmt register s390x >/dev/null 2>/tmp/told || code=$?
                [ $code != 0 ] && grep -q '^gb: ' /tmp/told || { echo $error $step $code; cat /tmp/told; }
                runs; tidies; reset
            done
        done; echo all";
    ensure_eq!(strace(lab, script)?, "all\n");
    Ok(())
}

/// Runs a script in the image that has strace(1).
fn strace(lab: &Lab, script: &str) -> Result<String, libtest_mimic::Failed> {
    private_in(Container::new(lab.arm_image()?), &format!("{REPLACE}\n{script}"))?.ok()
}
