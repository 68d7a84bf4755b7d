//! Registering emulators, and taking them away.
//!
//! What is to be done is decided first, as steps that can be shown. At no step, and whatever ends gb between two of them, is
//! an architecture without a handler that it had: an entry that is to be replaced stays until another is there, of a
//! name of its own, which the kernel then goes by because it is the younger one.

use std::ffi::OsString;
use std::path::{Path, PathBuf};

use super::entry::{Entry, Flags, Pattern, from_hex};
use super::order::{entry_for, serves};
use super::registry::{DIRECTORY, Mount, WriteError};
use super::surroundings::shell_word;
use super::verdict::{Level, Verdict};
use crate::binfmt::program::PLAIN;
use crate::platform::Platform;

/// What an entry's name ends with that stands in for another one for a moment.
const SHORT_LIVED: &str = ".gb";

/// A step.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Step {
    /// An entry is made.
    Register(Entry),
    /// An entry is removed.
    Remove(OsString),
}

/// What is to be done for an architecture.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Plan {
    /// Nothing.
    Keep {
        /// Why.
        why: String,
    },
    /// Steps.
    Change(Vec<Step>),
    /// Nothing: what has the name is somebody else's.
    Refuse {
        /// Why.
        why: String,
    },
}

/// The flags that the kernel has: all that are of use from Linux 5.12 on, without P before, without F before 4.8.
///
/// Sources: commits 2347961b11d4 (AT_FLAGS tells the interpreter of P) and 948b701a607f (F) of the kernel.
pub fn usual_flags(kernel: (u32, u32)) -> Flags {
    Flags {
        preserve_argv0: kernel >= (5, 12),
        open_binary: true,
        credentials: true,
        fix_binary: kernel >= (4, 8),
    }
}

/// The entry that an architecture is to have; `None` if the table's bytes are none.
pub fn wanted(platform: &Platform, interpreter: PathBuf, flags: Flags) -> Option<Entry> {
    let bytes = |digits: &str| from_hex(digits.as_bytes());
    let (magic, mask) = (bytes(platform.binfmt.magic)?, bytes(platform.binfmt.mask)?);
    let name = OsString::from(format!("qemu-{}", platform.qemu));
    let pattern = Pattern::Magic { offset: 0, magic, mask: Some(mask) };
    Some(Entry { name, is_enabled: true, interpreter, flags, pattern })
}

/// Which entries are made anew.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Replace {
    /// Those that do not work, or not well.
    Broken,
    /// Also those that work, and are others than is wanted.
    Different,
    /// All: the kernel may have opened another file of the same name.
    All,
}

/// Decides for an architecture, from what there is. What the machine runs itself needs nothing.
pub fn plan(wanted: Entry, verdict: &Verdict, entries: &[Entry], replace: Replace) -> Plan {
    let runs = verdict.level == Level::Good;
    let current = entry_for(entries, verdict.platform, PLAIN, true);
    let has = |name: &OsString| entries.iter().any(|entry| entry.name == *name);
    let mut short_lived = wanted.name.clone();
    short_lived.push(SHORT_LIVED);
    // What an earlier gb has left, which was ended, goes in any case. It may be what programs run by now.
    let is_left = has(&short_lived);
    let runs_by_it = current.is_some_and(|entry| entry.name == short_lived);
    let keeps = runs
        && current.is_none_or(|entry| match replace {
            Replace::Broken => true,
            Replace::Different => *entry == wanted,
            Replace::All => false,
        });
    if keeps && !runs_by_it {
        return match is_left {
            true => Plan::Change(vec![Step::Remove(short_lived)]),
            false => Plan::Keep { why: verdict.sentence.clone() },
        };
    }
    let is_others = |entry: &&Entry| !serves(entry, verdict.platform) && !is_emulator(entry);
    if let Some(entry) = entries.iter().filter(|entry| entry.name == wanted.name).find(is_others) {
        let name = entry.name.to_string_lossy();
        let file = shell_word(&format!("{DIRECTORY}/{name}"));
        let why = format!("the entry {name} is no emulator's, and stays (echo -1 >{file})");
        return Plan::Refuse { why };
    }
    let mut steps = Vec::new();
    if is_left && !runs_by_it && has(&wanted.name) {
        steps.push(Step::Remove(short_lived.clone()));
    }
    if has(&wanted.name) {
        if !runs_by_it {
            steps.push(Step::Register(Entry { name: short_lived.clone(), ..wanted.clone() }));
        }
        steps.push(Step::Remove(wanted.name.clone()));
        steps.push(Step::Register(wanted));
        steps.push(Step::Remove(short_lived));
    } else {
        steps.push(Step::Register(wanted));
        if is_left {
            steps.push(Step::Remove(short_lived));
        }
    }
    Plan::Change(steps)
}

/// The entries to remove for an architecture: those that are for its programs and name an emulator, whatever their names are.
/// Other handlers (`WSLInterop`, Rosetta, interpreters that are no QEMU) stay, and with a directory all whose interpreter is in
/// another one.
pub fn to_remove(platform: &Platform, entries: &[Entry], directory: Option<&Path>) -> Vec<Step> {
    let is_emulator = |entry: &&Entry| {
        let name = entry.interpreter.file_name().unwrap_or_default().to_string_lossy().into_owned();
        // Debian's own name is <arch>-binfmt-P.
        [format!("qemu-{}", platform.qemu), format!("{}-binfmt-P", platform.qemu)].iter().any(|known| {
            name == *known || name.strip_prefix(known.as_str()).is_some_and(|rest| rest.starts_with('-'))
        })
    };
    let is_in =
        |entry: &&Entry| directory.is_none_or(|directory| entry.interpreter.parent() == Some(directory));
    let found = entries.iter().filter(|entry| serves(entry, platform)).filter(is_emulator).filter(is_in);
    found.map(|entry| Step::Remove(entry.name.clone())).collect()
}

/// Whether an entry gives ELF files to an emulator of QEMU's, of an architecture that Go has or of another: its interpreter is
/// called so, or it is itself, and is not Rosetta. Everything else is somebody else's (`WSLInterop`, jar …).
pub fn is_emulator(entry: &Entry) -> bool {
    let Pattern::Magic { offset: 0, magic, .. } = &entry.pattern else { return false };
    let interpreter = entry.interpreter.file_name().unwrap_or_default().to_string_lossy();
    let is_qemu = interpreter.contains("qemu-") || interpreter.ends_with("-binfmt-P");
    let is_called_so = entry.name.to_string_lossy().starts_with("qemu-") && !interpreter.contains("rosetta");
    magic.starts_with(b"\x7fELF") && (is_qemu || is_called_so)
}

/// Takes the steps, up to the first that fails.
pub fn act(steps: &[Step], mount: &Mount) -> Result<(), WriteError> {
    for step in steps {
        match step {
            Step::Register(entry) => mount.register(entry)?,
            Step::Remove(name) => mount.remove(name)?,
        }
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binfmt::probe::Runner;
    use crate::binfmt::verdict::Reason;

    fn s390x() -> &'static Platform {
        Platform::by_goarch("s390x").unwrap()
    }

    fn entry() -> Entry {
        wanted(s390x(), "/usr/bin/qemu-s390x-static".into(), usual_flags((6, 12))).unwrap()
    }

    fn verdict(level: Level, entry: Option<Entry>) -> Verdict {
        let runner = Some(Runner::Machine);
        let (sentence, fix) = ("it is so".to_owned(), String::new());
        Verdict {
            platform: s390x(),
            level,
            reason: Reason::Emulated,
            sentence,
            fix,
            remarks: Vec::new(),
            runner,
            entry,
            loses_argv0: false,
            runs_deep: None,
        }
    }

    fn steps(entries: &[Entry], level: Level, replaces: Replace) -> String {
        match plan(entry(), &verdict(level, entries.first().cloned()), entries, replaces) {
            Plan::Keep { .. } => "keep".to_owned(),
            Plan::Refuse { .. } => "refuse".to_owned(),
            Plan::Change(steps) => {
                let word = |step: &Step| match step {
                    Step::Register(entry) => format!("+{}", entry.name.to_string_lossy()),
                    Step::Remove(name) => format!("-{}", name.to_string_lossy()),
                };
                steps.iter().map(word).collect::<Vec<_>>().join(" ")
            }
        }
    }

    #[test]
    fn at_no_step_is_an_architecture_without_a_handler_that_it_had() {
        let named = |name: &str, interpreter: &str| Entry {
            name: name.into(),
            interpreter: interpreter.into(),
            ..entry()
        };
        let other = || named("qemu-s390x", "/other/qemu-s390x");
        let left = || named("qemu-s390x.gb", "/usr/bin/qemu-s390x-static");
        use Replace::{All, Broken, Different};
        let all = "+qemu-s390x.gb -qemu-s390x +qemu-s390x -qemu-s390x.gb";
        for (entries, level, replaces, expected) in [
            (vec![], Level::Broken, Broken, "+qemu-s390x"),
            (vec![], Level::Good, Broken, "keep"),
            (vec![entry()], Level::Good, Broken, "keep"),
            (vec![entry()], Level::Good, Different, "keep"),
            (vec![], Level::Good, All, "keep"),
            (vec![entry()], Level::Good, All, all),
            (vec![other()], Level::Good, Broken, "keep"),
            (vec![other()], Level::Good, Different, all),
            (vec![other()], Level::Broken, Broken, all),
            (vec![entry()], Level::Degraded, Broken, all),
            // Another's entry of another name: ours is younger, and the kernel goes by it.
            (vec![named("s390x", "/x")], Level::Broken, Broken, "+qemu-s390x"),
            // An earlier gb was ended after its first step, its second, its third.
            (vec![left(), other()], Level::Degraded, Broken, "-qemu-s390x +qemu-s390x -qemu-s390x.gb"),
            (vec![left(), other()], Level::Good, Broken, "-qemu-s390x +qemu-s390x -qemu-s390x.gb"),
            (vec![left()], Level::Degraded, Broken, "+qemu-s390x -qemu-s390x.gb"),
            (vec![left()], Level::Good, Broken, "+qemu-s390x -qemu-s390x.gb"),
            (vec![entry(), left()], Level::Good, Broken, "-qemu-s390x.gb"),
            (vec![entry(), left()], Level::Degraded, Broken, &format!("-qemu-s390x.gb {all}")),
        ] {
            let found = steps(&entries, level, replaces);
            assert_eq!(found, expected, "{entries:?} {level:?} {replaces:?}");
            // Played on a list of names: whoever had a handler has one at every step.
            let mut names: Vec<String> =
                entries.iter().map(|entry| entry.name.to_string_lossy().into_owned()).collect();
            let had = !names.is_empty();
            for step in found.split(' ').filter(|step| *step != "keep") {
                match step.split_at(1) {
                    ("+", name) => {
                        assert!(!names.iter().any(|known| known == name), "{name} is there: {found}");
                        names.insert(0, name.to_owned());
                    }
                    (_, name) => names.retain(|known| known != name),
                }
                assert!(!had || !names.is_empty(), "nothing is left after {step}: {found}");
            }
        }
    }

    #[test]
    fn what_has_the_name_and_is_no_emulators_stays() {
        let magic = |magic: &[u8]| Pattern::Magic { offset: 0, magic: magic.to_vec(), mask: None };
        for (pattern, expected) in [
            (magic(b"MZ"), "refuse"),
            (Pattern::Extension("jar".into()), "refuse"),
            // Of a table with errors, or of another architecture of QEMU's.
            (magic(b"\x7fELF"), "+qemu-s390x.gb -qemu-s390x +qemu-s390x -qemu-s390x.gb"),
        ] {
            let others = Entry { pattern, ..entry() };
            assert_eq!(steps(&[others], Level::Broken, Replace::Broken), expected);
        }
    }

    #[test]
    fn what_is_removed_is_told_by_what_it_matches_and_names() {
        let of = |name: &str, interpreter: &str| Entry {
            name: name.into(),
            interpreter: interpreter.into(),
            ..entry()
        };
        let wsl = Pattern::Magic { offset: 0, magic: b"MZ".to_vec(), mask: None };
        let arm =
            wanted(Platform::by_goarch("arm64").unwrap(), "/usr/bin/qemu-aarch64".into(), Flags::default());
        let entries = [
            of("anything", "/usr/bin/qemu-s390x-static"),
            of("debian", "/usr/libexec/qemu-binfmt/s390x-binfmt-P"),
            of("off", "/usr/bin/qemu-s390x"),
            of("another", "/usr/bin/qemu-s390"),
            of("rosetta", "/run/rosetta/rosetta"),
            arm.unwrap(),
            Entry { pattern: wsl, ..of("WSLInterop", "/init") },
        ];
        let expected = ["anything", "debian", "off"].map(|name| Step::Remove(name.into()));
        assert_eq!(to_remove(s390x(), &entries, None), expected);
        let own = ["anything", "off"].map(|name| Step::Remove(name.into()));
        assert_eq!(to_remove(s390x(), &entries, Some(Path::new("/usr/bin"))), own);
    }

    #[test]
    fn an_emulator_is_told_from_what_is_somebody_elses() {
        let of = |name: &str, interpreter: &str, magic: &[u8]| Entry {
            name: name.into(),
            interpreter: interpreter.into(),
            pattern: Pattern::Magic { offset: 0, magic: magic.to_vec(), mask: None },
            ..entry()
        };
        for (name, interpreter, magic, expected) in [
            ("qemu-m68k", "/usr/bin/qemu-m68k-static", b"\x7fELF\x01".as_slice(), true),
            ("anything", "/usr/bin/buildkit-qemu-aarch64", b"\x7fELF", true),
            ("debian", "/usr/libexec/qemu-binfmt/sparc64-binfmt-P", b"\x7fELF", true),
            ("qemu-aarch64", "/opt/emulator", b"\x7fELF", true),
            ("qemu-x86_64", "/run/rosetta/rosetta", b"\x7fELF", false),
            ("rosetta", "/run/rosetta/rosetta", b"\x7fELF", false),
            ("FEX-x86_64", "/usr/bin/FEXInterpreter", b"\x7fELF", false),
            ("WSLInterop", "/init", b"MZ", false),
            ("qemu-windows", "/usr/bin/qemu-windows", b"MZ", false),
            ("python3.13", "/usr/bin/python3.13", b"\xf3\r\r\n", false),
        ] {
            assert_eq!(is_emulator(&of(name, interpreter, magic)), expected, "{name} {interpreter}");
        }
        let jar = Pattern::Extension("jar".into());
        assert!(!is_emulator(&Entry { pattern: jar, ..of("qemu-jar", "/qemu-jar", b"") }));
    }

    #[test]
    fn flags_are_those_that_the_kernel_has() {
        for (kernel, letters) in
            [((4, 4), "OC"), ((4, 18), "OCF"), ((5, 11), "OCF"), ((5, 12), "POCF"), ((6, 1), "POCF")]
        {
            assert_eq!(usual_flags(kernel).letters(), letters, "{kernel:?}");
        }
    }
}
