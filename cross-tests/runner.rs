//! `go_linux_<goarch>_exec`, by which the go command and build systems run what was built for another machine: in a
//! registry of the test's own, with no handler, a good one, and broken ones.

use crate::binfmt::private_in;
use crate::case::{Case, Needs, Verdict, ensure_eq};
use crate::lab::Lab;

pub fn cases() -> Vec<Case> {
    let case = |name: &str, check: fn(&Lab) -> Verdict| Case::new(name, Needs::Image, check);
    let mut cases: Vec<Case> = ["arm64", "s390x"]
        .map(|goarch| {
            let name = format!(
                "{goarch}: go test and go run work on a kernel without handlers, with cgo and without"
            );
            Case::new(name, Needs::Image, move |lab| without_handlers(lab, goarch))
        })
        .into();
    cases.extend([
        case("go run leaves a program to the kernel's handler where there is one that works", a_good_handler),
        case("go run works in spite of a handler that is broken, in whichever way", broken_handlers),
        case("a test's exit code, signals and arguments pass through, as PID 1 as well", passes_through),
        case("go test -exec of the caller's wins over gb's", callers_exec),
        case("a program that go run starts for one target finds no other target's libraries", another_target),
        case("what a foreign program starts still needs a handler", children),
        Case::new(
            "CMake and Meson run a target's programs on a kernel without handlers",
            Needs::ArmImage,
            build_systems,
        ),
    ]);
    cases
}

/// A copy of the programs that can be written to, and gb run with no user to become, and nothing to say.
const PRELUDE: &str = "cp -r /programs /tmp/p; cd /tmp/p; export RUN_AS_ROOT=true GB_BINFMT=off\n";

fn run(lab: &Lab, script: &str) -> Result<String, libtest_mimic::Failed> {
    private_in(lab.container(), &format!("{PRELUDE}{script}"))?.ok()
}

fn without_handlers(lab: &Lab, goarch: &str) -> Verdict {
    let script = format!(
        "code=0; gb binfmt check -q {goarch} >&2 || code=$?; echo $code
        export GOARCH={goarch}
        gb run go test -count=1 ./go-pure | cut -f1
        gb run go run ./go-pure
        CGO_ENABLED=1 gb run go run ./go-cgo
        # As docker exec has it: no variable of gb's.
        go test -count=1 ./go-pure | cut -f1
        CGO_ENABLED=1 CC=$(gb info --field cc) go run ./go-cgo
        ls -A $registry"
    );
    let (pure, cgo) =
        (format!("hello linux/{goarch}\n"), format!("hello linux/{goarch} from C, Go says 42\n"));
    ensure_eq!(run(lab, &script)?, format!("1\nok  \n{pure}{cgo}ok  \n{cgo}register\nstatus\n"));
    Ok(())
}

/// A handler that says that it was asked.
const TELLING: &str = "printf '#!/bin/sh\\necho handled >&2; exec qemu-s390x \"$@\"\\n' >/tmp/telling
    chmod 755 /tmp/telling; entry s /tmp/telling ''\n";

fn a_good_handler(lab: &Lab) -> Verdict {
    let script = format!("{TELLING} GOARCH=s390x CGO_ENABLED=1 gb run go run ./go-cgo 2>&1");
    ensure_eq!(run(lab, &script)?, "handled\nhello linux/s390x from C, Go says 42\n");
    Ok(())
}

fn broken_handlers(lab: &Lab) -> Verdict {
    let script = r#"
        printf '\177ELF nothing' >/tmp/nothing; cp $qemu /tmp/denied; chmod 755 /tmp/nothing; chmod 644 /tmp/denied
        echo 'int main(void) { return 0; }' | s390x-linux-gnu-clang -static -x c - -o /tmp/foreign
        export GOARCH=s390x GB_BINFMT=off
        for handler in /nowhere/qemu /tmp/denied/qemu /tmp/denied /tmp/nothing /tmp/foreign; do
            entry s $handler ''
            code=0; /bin/true; /tmp/foreign 2>/dev/null || code=$?; [ $code -gt 125 ]
            echo $handler; CGO_ENABLED=1 gb run go run ./go-cgo 2>&1
            echo -1 >$registry/s
        done
        entry s /nowhere/qemu ''; gb run /tmp/foreign 2>&1 | grep -c 'the emulator that the kernel knows for it is not here'; echo -1 >$registry/s
        entry s $qemu F; echo 0 >$registry/s; echo off; gb run go run ./go-pure
        echo 1 >$registry/s; echo 0 >$registry/status; echo all off; gb run go run ./go-pure"#;
    let mut expected = String::new();
    for handler in ["/nowhere/qemu", "/tmp/denied/qemu", "/tmp/denied", "/tmp/nothing", "/tmp/foreign"] {
        expected.push_str(&format!("{handler}\nhello linux/s390x from C, Go says 42\n"));
    }
    expected.push_str("1\noff\nhello linux/s390x\nall off\nhello linux/s390x\n");
    ensure_eq!(run(lab, script)?, expected);
    Ok(())
}

fn passes_through(lab: &Lab) -> Verdict {
    let script = r#"
        mkdir /tmp/q; cd /tmp/q; echo 'module q' >go.mod; cat >q_test.go <<'GO'
package main
import ("fmt"; "os"; "os/signal"; "testing")
func TestMain(m *testing.M) {
    fmt.Println(len(os.Args) > 1, os.Args[len(os.Args)-1])
    if os.Args[len(os.Args)-1] == "wait" {
        told := make(chan os.Signal, 1); signal.Notify(told, os.Interrupt)
        fmt.Println("ready"); <-told; os.Exit(43)
    }
    os.Exit(42)
}
GO
        export GOARCH=s390x
        go test . -args a 'b c' || echo $?
        go test -c -o t .; code=0; go_linux_s390x_exec ./t 'd e' || code=$?; echo $code
        mkfifo out; go_linux_s390x_exec ./t wait >out & exec 3<out; read -r line <&3; read -r ready <&3; kill -INT $!; code=0; wait $! || code=$?
        echo $ready $code
        # PID 1 of a namespace of its own.
        code=0; unshare --pid --fork --mount-proc go_linux_s390x_exec ./t last || code=$?; echo $code"#;
    let expected = "true b c\nFAIL\tq\n1\ntrue d e\n42\nready 43\ntrue last\n42\n";
    let said = run(lab, script)?;
    // Go tells how long it took.
    let said: String = said
        .lines()
        .filter(|line| *line != "FAIL")
        .map(|line| {
            format!(
                "{}\n",
                line.rsplit_once('\t')
                    .filter(|(_, last)| last.ends_with('s'))
                    .map_or(line, |(start, _)| start)
            )
        })
        .collect();
    ensure_eq!(said, expected);
    Ok(())
}

fn callers_exec(lab: &Lab) -> Verdict {
    let script = "export GOARCH=s390x
        GOFLAGS=-count=1 go test -v -exec 'echo mine' ./go-pure | head -1 | cut -d' ' -f1
        go run -exec 'echo mine' ./go-pure | cut -d' ' -f1
        GOOS=windows GOARCH=amd64 go test -v -exec 'echo mine' ./go-pure | head -1 | cut -d' ' -f1
        ls /usr/local/bin | grep -c '^go_linux_.*_exec$'; ls /usr/local/bin | grep -c '^go_[^l].*_exec$' || true";
    ensure_eq!(run(lab, script)?, "mine\nmine\nmine\n13\n0\n");
    Ok(())
}

fn another_target(lab: &Lab) -> Verdict {
    let script = format!(
        "cat >/tmp/prefix.go <<'GO'
package main
import (\"fmt\"; \"os\")
func main() {{ fmt.Println(os.Getenv(\"QEMU_LD_PREFIX\")) }}
GO
        export CC=s390x-linux-gnu-clang
        inner='env GOARCH=s390x CGO_ENABLED=1 go run'
        GOARCH=arm64 gb run $inner ./go-cgo; GOARCH=arm64 gb run $inner /tmp/prefix.go
        {TELLING}
        GOARCH=arm64 gb run $inner ./go-cgo; GOARCH=arm64 gb run $inner /tmp/prefix.go
        GOARCH=arm64 QEMU_LD_PREFIX=/mine gb run $inner /tmp/prefix.go"
    );
    let said = "hello linux/s390x from C, Go says 42\n/usr/s390x-linux-gnu/sys-root\n";
    ensure_eq!(run(lab, &script)?, format!("{said}{said}/mine\n"));
    Ok(())
}

fn children(lab: &Lab) -> Verdict {
    let script = "cat >/tmp/again.go <<'GO'
package main
import (\"fmt\"; \"os\"; \"os/exec\")
func main() {
    if len(os.Args) > 1 { fmt.Println(\"again\"); return }
    out, err := exec.Command(\"/proc/self/exe\", \"x\").CombinedOutput()
    fmt.Print(string(out), err, \"\\n\")
}
GO
        GOARCH=s390x go run /tmp/again.go | grep -o 'exec format error'
        entry s $qemu POCF; GOARCH=s390x go run /tmp/again.go";
    ensure_eq!(run(lab, script)?, "exec format error\nagain\n<nil>\n");
    Ok(())
}

fn build_systems(lab: &Lab) -> Verdict {
    let script = r#"
        mkdir /tmp/b; cd /tmp/b; cp -r /programs/build-systems/meson/tool.c .
        cat >CMakeLists.txt <<'END'
cmake_minimum_required(VERSION 3.25)
project(app LANGUAGES C)
try_run(ran compiled SOURCE_FROM_CONTENT order.c "int main(void) { int one = 1; return *(char *)&one ? 1 : 2; }")
message(NOTICE "ran=${ran}")
add_executable(app app.c)
enable_testing()
add_test(NAME app COMMAND app x)
add_custom_target(use ALL COMMAND app y)
END
        cat >meson.build <<'END'
project('app', 'c')
message('ran=@0@'.format(meson.get_compiler('c').run('int main(void) { int one = 1; return *(char *)&one ? 1 : 2; }').returncode()))
app = executable('app', 'app.c')
test('app', app, args: 'x')
custom_target('use', command: [app, 'y'], output: 'used', capture: true, build_by_default: true)
END
        cat >app.c <<'END'
#include <stdio.h>
int main(int argc, char **argv) { printf("app %s\n", argv[1]); return argc != 2; }
END
        GOARCH=s390x gb run cmake -S . -B cmake -G Ninja 2>&1 | grep ran=
        GOARCH=s390x gb run cmake --build cmake | grep -o 'app y$' | uniq
        ctest --test-dir cmake | grep -o '100% tests passed'
        meson setup --cross-file s390x-linux-gnu meson | sed -n 's/^Message: //p'
        ninja -C meson >/dev/null; cat meson/used
        meson test -C meson | sed -n 's/^Ok: *\([0-9]*\).*/ok=\1/p'"#;
    let output = private_in(lab.arm_container()?, &format!("{PRELUDE}{script}"))?;
    ensure_eq!(output.ok()?, "ran=2\napp y\n100% tests passed\nran=2\napp y\nok=1\n");
    Ok(())
}
