//! What clang links into a program when it is asked to look after it: sanitizers, coverage, profiles; and OpenMP.

use gb::platform::Platform;

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::Lab;

/// The flag, the fault that /programs/sanitizers/faults.c commits, and what is said about it.
const SANITIZERS: [(&str, &str, &str); 5] = [
    ("address", "overflow", "AddressSanitizer: heap-buffer-overflow"),
    ("undefined", "signed", "runtime error: signed integer overflow"),
    ("thread", "race", "ThreadSanitizer: data race"),
    ("memory", "uninitialised", "MemorySanitizer: use-of-uninitialized-value"),
    ("leak", "leak", "LeakSanitizer: detected memory leaks"),
];

/// These find their faults under qemu-user, too; the others want an address space or a debugger that it has not.
const EMULATED: [&str; 2] = ["address", "undefined"];

/// The runtime that a program is given, by the part of its file's name.
const COVERAGE: &str = "profile";

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    // By what gb sets for a native build, against an older C library than this machine's, and by clang as it is.
    for (compilers, name) in [("$CC", "the native role"), ("clang", "plain clang")] {
        for (flag, fault, said) in SANITIZERS {
            cases.push(Case::new(
                format!("-fsanitize={flag} of {name} finds a fault"),
                Needs::Image,
                move |lab| finds(&native(lab), compilers, flag, fault, said),
            ));
        }
        cases.extend([
            Case::new(
                format!("-fsanitize=fuzzer of {name} finds a bug by following the branches"),
                Needs::Image,
                move |lab| fuzzes(&native(lab), compilers),
            ),
            Case::new(format!("--coverage and profiles of {name} count lines"), Needs::Image, move |lab| {
                counts(&native(lab), compilers)
            }),
            Case::new(format!("-fopenmp of {name} runs with several threads"), Needs::Image, move |lab| {
                threads(&native(lab), compilers)
            }),
        ]);
    }
    for (flag, fault, said) in [
        ("asan", "overflow", "AddressSanitizer: heap-buffer-overflow"),
        ("msan", "uninitialised", "MemorySanitizer: use-of-uninitialized-value"),
        ("race", "race", "WARNING: DATA RACE"),
    ] {
        cases.push(Case::new(
            format!("go build -{flag} of a cgo program finds a fault"),
            Needs::Image,
            move |lab| {
                let script = format!(
                    "CGO_ENABLED=1 go build -{flag} -o /tmp/faults ./go-faults; cd /tmp
                 FAULT=none ./faults; FAULT={fault} ./faults 2>&1 | tr -d '\\0' || true"
                );
                told(&native(lab), &script, said)
            },
        ));
    }
    for goarch in ["arm64", "ppc64le", "s390x", "riscv64"] {
        for (flag, fault, said) in SANITIZERS.into_iter().filter(|(flag, ..)| EMULATED.contains(flag)) {
            // On these two the emulator has no place for the shadow.
            if flag == "address" && ["ppc64le", "s390x"].contains(&goarch) {
                continue;
            }
            let name = format!("{goarch}: -fsanitize={flag} finds a fault");
            cases.push(Case::new(name, Needs::Emulation(goarch), move |lab| {
                let part = if flag == "undefined" { "ubsan_standalone" } else { "asan" };
                if lacks(lab, goarch, part)? {
                    refused(lab, goarch, &format!("-fsanitize={flag}"), part)
                } else {
                    finds(&foreign(lab, goarch), "$CC", flag, fault, said)
                }
            }));
        }
        cases.push(Case::new(
            format!("{goarch}: --coverage and profiles count lines"),
            Needs::Emulation(goarch),
            move |lab| {
                if lacks(lab, goarch, COVERAGE)? {
                    refused(lab, goarch, "--coverage", COVERAGE)
                } else {
                    counts(&foreign(lab, goarch), "$CC")
                }
            },
        ));
        // Debian has no libomp for s390x.
        if goarch != "s390x" {
            let name = format!("{goarch}: -fopenmp runs with several threads");
            cases.push(Case::new(name, Needs::Emulation(goarch), move |lab| {
                threads(&foreign(lab, goarch), "$CC")
            }));
        }
    }
    cases
}

/// What the thread and memory sanitizers do to have their address space is not among what the engine lets containers do.
fn native(lab: &Lab) -> Container {
    lab.container().option("--security-opt=seccomp=unconfined")
}

/// A debugger, by which leaks are looked for, cannot be had under an emulator.
fn foreign(lab: &Lab, goarch: &str) -> Container {
    lab.container().env("GOARCH", goarch).env("ASAN_OPTIONS", "detect_leaks=0")
}

/// Whether the image was built where a mirror did not have this target's runtimes; the build said so, then. Those of
/// arm64 are never to be missing.
fn lacks(lab: &Lab, goarch: &str, part: &str) -> Result<bool, libtest_mimic::Failed> {
    let machine = Platform::by_goarch(goarch).ok_or("not in the table")?.default_abi().triple;
    let machine = machine.split('-').next().unwrap_or_default();
    let script = format!("ls $(clang -print-resource-dir)/lib/linux/libclang_rt.{part}-{machine}.a");
    let found = lab.container().bare_sh(&script)?;
    if found.status == Some(0) {
        return Ok(false);
    }
    ensure!(goarch != "arm64", "the image has no runtimes for arm64: {found}");
    eprintln!(
        "cross-tests: the image was built without clang's runtimes for {goarch}: {part} must be refused"
    );
    Ok(true)
}

/// What the image has not is an error that names it, and no program.
fn refused(lab: &Lab, goarch: &str, flag: &str, part: &str) -> Verdict {
    let script = format!(
        "if $CC {flag} /programs/c/hello.c -o /tmp/hello 2>/tmp/log; then echo it was linked; fi
         grep -c 'cannot open .*libclang_rt.{part}' /tmp/log; ls /tmp/hello 2>/dev/null || true"
    );
    let said = foreign(lab, goarch).sh(&script)?.ok()?;
    ensure!(said.trim_end().parse::<u32>().is_ok_and(|lines| lines > 0), "{flag} should be refused: {said}");
    Ok(())
}

/// Runs a script whose output ends with a line that a good program wrote, and then has what was said of a bad one.
fn told(container: &Container, script: &str, said: &str) -> Verdict {
    let output = container.sh(script)?.ok()?;
    let (good, bad) = output.split_once("done\n").ok_or_else(|| format!("the good program said {output}"))?;
    ensure_eq!(good, "");
    ensure!(bad.contains(said), "nothing of {said} in {bad}");
    Ok(())
}

fn finds(container: &Container, compilers: &str, flag: &str, fault: &str, said: &str) -> Verdict {
    let script = format!(
        "{compilers} -g -O1 -fsanitize={flag} /programs/sanitizers/faults.c -o /tmp/faults; cd /tmp
         ./faults none; ./faults {fault} 2>&1 | tr -d '\\0' || true"
    );
    told(container, &script, said)
}

fn fuzzes(container: &Container, compilers: &str) -> Verdict {
    let script = format!(
        "cd /tmp
         for with in '' ,address ,undefined; do
             {compilers} -g -O1 -fsanitize=fuzzer$with /programs/sanitizers/fuzz.c -o fuzz
             ./fuzz -seed=1 -runs=2000000 2>log || true
             grep -o 'ERROR: libFuzzer: deadly signal' log
             head -c 3 crash-*; echo; rm crash-*
         done"
    );
    ensure_eq!(container.sh(&script)?.ok()?, "ERROR: libFuzzer: deadly signal\nBUG\n".repeat(3));
    Ok(())
}

/// One line is passed seven times by each run; gcov adds up two runs.
fn counts(container: &Container, compilers: &str) -> Verdict {
    let script = format!(
        "cd /tmp; cp /programs/sanitizers/fuzz.c .
         printf '%s\\n' '#include <stdio.h>' 'int LLVMFuzzerTestOneInput(const unsigned char *, unsigned long);' 'int main(void) {{' \\
             'for (int i = 0; i < 7; i++) LLVMFuzzerTestOneInput((void *)\"BUS\", i); puts(\"done\"); }}' >main.c
         {compilers} --coverage -c fuzz.c main.c; {compilers} --coverage fuzz.o main.o -o covered; ./covered; ./covered
         llvm-cov gcov fuzz.gcda >/dev/null; grep -o '14:.*5:.*' fuzz.c.gcov
         {compilers} -fprofile-instr-generate -fcoverage-mapping fuzz.c main.c -o profiled
         LLVM_PROFILE_FILE=1.profraw ./profiled; llvm-profdata merge 1.profraw -o all
         llvm-cov show profiled -instr-profile=all fuzz.c | grep -oE '5\\| *7\\|'
         {compilers} -O2 -fprofile-use=all fuzz.c main.c -o used; ./used"
    );
    let said = container.sh(&script)?.ok()?;
    let line = "    if (size > 2 && data[0] == 'B' && data[1] == 'U' && data[2] == 'G') __builtin_trap();";
    ensure_eq!(said, format!("done\ndone\n14:    5:{line}\ndone\n5|      7|\ndone\n"));
    Ok(())
}

fn threads(container: &Container, compilers: &str) -> Verdict {
    let script =
        format!("{compilers} -O2 -fopenmp /programs/sanitizers/threads.c -o /tmp/threads; /tmp/threads");
    ensure_eq!(container.sh(&script)?.ok()?, "4 threads, sum 4950, 5 tasks\n");
    Ok(())
}
