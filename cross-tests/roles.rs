//! The compiler and pkg-config roles outside of `go build`: under every restriction, with every question, and in want
//! of what they need.

use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::Container;
use crate::lab::Lab;

type Restriction = fn(Container) -> Container;

pub fn cases() -> Vec<Case> {
    let mut cases = Vec::new();
    let restricted: [(&str, Restriction); 5] = [
        ("without any environment", |c| c),
        ("as a user that the image does not know", |c| c.user("12345:12345")),
        ("on a read-only disk", |c| c.option("--read-only").option("--tmpfs=/tmp:exec")),
        ("without a network", |c| c.option("--network=none")),
        ("with all of these at once", |c| {
            let c = c.user("12345:12345").option("--network=none");
            c.option("--read-only").option("--tmpfs=/tmp:exec").option("--cap-drop=ALL")
        }),
    ];
    for (name, restrict) in restricted {
        let name = format!("the compiler roles work {name}");
        cases.push(Case::new(name, Needs::Emulation("arm64"), move |lab| {
            compiles(&restrict(lab.container()))
        }));
    }
    cases.extend([
        Case::new("a role without its sysroot says which, and how to get it", Needs::Image, no_sysroot),
        Case::new("a role without clang says so", Needs::Image, no_clang),
        Case::new("questions to a role get clang's own answers", Needs::Image, questions),
        Case::new(
            "a role compiles from response files and standard input",
            Needs::Emulation("arm64"),
            inputs,
        ),
        Case::new("<triple>-pkg-config names the sysroot's libraries alone", Needs::Image, pkg_config),
    ]);
    cases
}

/// By their full names, with nothing in the environment: no PATH, no HOME.
fn compiles(container: &Container) -> Verdict {
    let script = "cd /tmp
         role() { env -i /usr/local/bin/aarch64-linux-gnu-$@; }
         role clang -Werror -O2 /programs/c/hello.c -o c
         role clang++ -Werror -O2 /programs/cxx/hello.cc -o cxx
         role pkg-config --libs zlib
         export QEMU_LD_PREFIX=/usr/aarch64-linux-gnu/sys-root
         ./c; ./cxx";
    let said = container.bare_sh(script)?.ok()?;
    let (libraries, said) = said.split_once('\n').ok_or("pkg-config said nothing")?;
    ensure!(libraries.contains("-lz"), "pkg-config said {libraries}");
    ensure_eq!(said, "hello from C, 64 bits, little-endian\nunwound, caught an exception of C++\n");
    Ok(())
}

fn no_sysroot(lab: &Lab) -> Verdict {
    let script = "mv /usr/aarch64-linux-gnu /usr/gone; mkdir /tmp/work; cd /tmp/work; cp /programs/c/hello.c x.c
         for compile in 'aarch64-linux-gnu-clang x.c' 'aarch64-linux-gnu-clang -c x.c' 'aarch64-linux-gnu-clang++ x.c' \
             'aarch64-linux-gnu-pkg-config --libs zlib'
         do
             status=0; $compile >stdout 2>stderr || status=$?
             echo $status $(wc -c <stdout) $(wc -l <stderr); cat stderr
         done
         status=0; (cd /programs; GOARCH=arm64 CGO_ENABLED=1 gb run -- go build -o /tmp/work/cgo ./go-cgo) 2>stderr || status=$?
         echo $status; grep -m 1 '^gb: ' stderr
         ls";
    let said = lab.container().user("0:0").bare_sh(script)?.ok()?;
    let lines: Vec<_> = said.lines().collect();
    ensure!(lines.len() == 13, "one line of message each, and nothing made: {said}");
    for message in lines[..8].chunks(2) {
        ensure_eq!(message[0], "125 0 1");
        for part in [
            "gb: ",
            "aarch64-linux-gnu",
            "no usable sysroot",
            "/usr/aarch64-linux-gnu/sys-root",
            "GB_SYSROOT",
        ] {
            ensure!(message[1].contains(part), "{part:?} is not in {:?}", message[1]);
        }
    }
    ensure!(lines[8] != "0" && lines[9].contains("no usable sysroot"), "go build: {said}");
    ensure_eq!(lines[10..], ["stderr", "stdout", "x.c"]);
    Ok(())
}

fn no_clang(lab: &Lab) -> Verdict {
    let script = "cd /tmp; status=0; PATH=/nowhere /usr/local/bin/aarch64-linux-gnu-clang /programs/c/hello.c 2>&1 || status=$?; echo $status; ls -A";
    let said = lab.container().bare_sh(script)?.ok()?;
    ensure_eq!(
        said,
        "gb: compile for aarch64-linux-gnu: no clang in PATH (apt-get install clang lld)\n125\n"
    );
    Ok(())
}

fn questions(lab: &Lab) -> Verdict {
    let questions = [
        "--version",
        "-dumpmachine",
        "-dumpversion",
        "-print-search-dirs",
        "-print-libgcc-file-name",
        "--help",
    ];
    let script = format!(
        "flags='--target=aarch64-linux-gnu --sysroot=/usr/aarch64-linux-gnu/sys-root'
         for question in {}; do
             aarch64-linux-gnu-clang $question >/tmp/role 2>/tmp/role.stderr
             clang $flags $question >/tmp/clang 2>/tmp/clang.stderr
             cmp /tmp/role /tmp/clang
             cmp /tmp/role.stderr /tmp/clang.stderr
             test -s /tmp/role
         done
         aarch64-linux-gnu-clang -print-libgcc-file-name; aarch64-linux-gnu-clang -dumpmachine",
        questions.join(" ")
    );
    let said = lab.container().bare_sh(&script)?.ok()?;
    let (libgcc, machine) = said.split_once('\n').ok_or("no answer")?;
    ensure!(libgcc.starts_with("/usr/aarch64-linux-gnu/sys-root/"), "libgcc is {libgcc}");
    ensure!(machine.starts_with("aarch64-"), "the machine is {machine}");
    Ok(())
}

fn inputs(lab: &Lab) -> Verdict {
    let script = "cd /tmp
         echo '-Werror \"/programs/c/hello.c\" -o' >args; echo \"'with space'\" >>args
         aarch64-linux-gnu-clang @args; './with space'
         aarch64-linux-gnu-clang -Werror -x c - -o stdin </programs/c/hello.c; ./stdin
         echo '-Werror -c /programs/c/hello.c -o hello.o' >args
         aarch64-linux-gnu-clang @args; aarch64-linux-gnu-clang hello.o -o two-steps; ./two-steps";
    let said = lab.container().env("GOARCH", "arm64").sh(script)?.ok()?;
    ensure_eq!(said, "hello from C, 64 bits, little-endian\n".repeat(3));
    Ok(())
}

fn pkg_config(lab: &Lab) -> Verdict {
    const SYSROOT: &str = "/usr/aarch64-linux-gnu/sys-root/";
    let script = "aarch64-linux-gnu-pkg-config --cflags --libs libpcap
         aarch64-linux-gnu-pkg-config --cflags --libs --static --keep-system-cflags --keep-system-libs libpcap libelf zlib libbpf
         export PKG_CONFIG_PATH=/usr/lib/x86_64-linux-gnu/pkgconfig
         aarch64-linux-gnu-pkg-config --cflags --libs --keep-system-cflags --keep-system-libs libpcap";
    let said = lab.container().bare_sh(script)?.ok()?;
    let lines: Vec<_> = said.lines().collect();
    ensure_eq!(lines.len(), 3);
    for (number, line) in lines.iter().enumerate() {
        ensure!(line.contains("-lpcap"), "line {number} has no -lpcap: {said}");
        let paths = line.split_whitespace().filter_map(|w| w.strip_prefix("-I").or(w.strip_prefix("-L")));
        let mut paths = paths.peekable();
        ensure!(number == 0 || paths.peek().is_some(), "line {number} has no directories: {said}");
        for path in paths {
            ensure!(path.starts_with(SYSROOT), "{path} is the host's: {said}");
        }
    }
    Ok(())
}
