//! What programs need: gb against the loaders of every target themselves, which run here (foreign ones by QEMU) and say what
//! they load.

use std::collections::BTreeSet;

use libtest_mimic::Failed;
use serde_json::Value;

use crate::case::{Case, Needs, Verdict, ensure};
use crate::engine::Container;
use crate::lab::{Lab, TARGETS};

pub fn cases() -> Vec<Case> {
    let mut cases: Vec<_> = TARGETS
        .into_iter()
        .map(|goarch| {
            let name =
                format!("{goarch}: gb strip-libs finds what the target's loader finds, in every small tree");
            Case::new(name, Needs::Emulation(goarch), move |lab| small_trees(lab, goarch))
        })
        .collect();
    cases.push(Case::new(
        "gb strip-libs finds what musl's loader finds, in every small tree",
        Needs::ArmImage,
        small_trees_of_musl,
    ));
    cases.push(Case::new(
        "gb strip-libs finds what the loader finds, for every ELF file of the image",
        Needs::Image,
        every_file,
    ));
    cases
}

/// A small tree.
struct Tree {
    /// What is particular to it.
    name: &'static str,
    /// Makes it in `$R`, and sets what is compared.
    script: &'static str,
    /// Part of what the loader says where it fails, so that the tree is known to be what its name says.
    says: &'static str,
}

const fn tree(name: &'static str, script: &'static str) -> Tree {
    Tree { name, script, says: "" }
}

const fn failing(name: &'static str, says: &'static str, script: &'static str) -> Tree {
    Tree { name, script, says }
}

const TREES: [Tree; 43] = [
    tree("a program and the C library", "prog"),
    tree(
        "RPATH counts for what libraries ask for",
        "lib /opt/a/liba.so $(need libb.so); lib /opt/a/libb.so; prog ${rpath}/opt/a $(need liba.so)",
    ),
    failing(
        "RUNPATH counts for what the file itself asks for alone",
        "libb.so => not found",
        "lib /opt/a/liba.so $(need libb.so); lib /opt/a/libb.so; prog ${runpath}/opt/a $(need liba.so)",
    ),
    tree(
        "RPATH counts up the chain of loaders",
        "lib /opt/a/liba.so ${rpath}/opt/b $(need libb.so); lib /opt/b/libb.so $(need libc1.so)
         lib /opt/b/libc1.so; prog ${rpath}/opt/a $(need liba.so)",
    ),
    failing(
        "RUNPATH of a library takes all RPATHs from what it asks for",
        "libb.so => not found",
        "lib /opt/a/liba.so ${runpath}/opt/c $(need libb.so); lib /opt/a/libb.so; prog ${rpath}/opt/a $(need liba.so)",
    ),
    failing(
        "RUNPATH beside RPATH takes it away, also from what is loaded for the file",
        "libb.so => not found",
        "lib /opt/a/liba.so ${rpath}/opt/b -Wl,-f,/opt/c $(need libm1.so); $work/tag $R/opt/a/liba.so 0x7ffffffd 29
         lib /opt/c/libm1.so $(need libb.so); lib /opt/b/libb.so; prog ${runpath}/opt/a $(need liba.so)",
    ),
    tree(
        "who asks first determines the file",
        "lib /opt/a/liba.so ${runpath}/opt/b $(need libc1.so); lib /opt/a/libb.so ${runpath}/opt/c $(need libd.so)
         lib /opt/b/libc1.so ${runpath}/opt/b $(need libd.so); lib /opt/b/libd.so; lib /opt/c/libd.so
         prog ${runpath}/opt/a $(need liba.so libb.so)",
    ),
    tree(
        "a library that is loaded under another name is known by its own",
        "lib /opt/a/libreal.so; mv $R/opt/a/libreal.so $R/opt/a/libother.so; lib /opt/a/libb.so $(need libreal.so)
         lib /opt/b/libreal.so; prog ${rpath}/opt/a:/opt/b $(need libother.so libb.so)",
    ),
    tree(
        "one file under two names is one library",
        "lib /opt/a/liba.so; ln $R/opt/a/liba.so $R/opt/a/libhard.so; ln -s liba.so $R/opt/a/libsoft.so
         prog ${rpath}/opt/a $(need libhard.so libsoft.so liba.so)",
    ),
    tree(
        "what one file is called by its second name is known later, too",
        "lib /opt/a/liba.so; ln -s liba.so $R/opt/a/libsoft.so; lib /opt/a/libb.so ${runpath}/opt/b $(need libsoft.so)
         lib /opt/b/libsoft.so; prog ${rpath}/opt/a $(need liba.so libsoft.so libb.so)",
    ),
    tree("a name with a slash is a path", "lib /opt/x/liby.so; prog $(need /opt/x/liby.so)"),
    tree(
        "tokens in a name",
        "lib /opt/a/liba.so $(need '$ORIGIN/../b/libb.so'); lib /opt/b/libb.so; prog ${rpath}/opt/a $(need liba.so)",
    ),
    failing(
        "a path that leads nowhere",
        "/opt/gone.so: cannot open shared object file",
        "prog $(need /opt/gone.so); L=--list",
    ),
    tree(
        "$LIB is the directory that the loader was built for",
        "lib /opt$system/liba.so; prog \"${runpath}/opt/\\$LIB:/opt/\\${LIB}x\" $(need liba.so)",
    ),
    tree(
        "the origin of a program is where it is, not where a link to it is",
        "lib /opt/lib/liba.so; mkdir -p $R/opt/bin; prog '-Wl,-rpath,$ORIGIN/../lib' $(need liba.so)
         mv $R/bin/prog $R/opt/bin/prog; ln -s ../opt/bin/prog $R/bin/prog",
    ),
    tree(
        "the origin of a library is where it was found, not where a link leads",
        "lib /opt/x/liba.so '-Wl,-rpath,${ORIGIN}' $(need libb.so); ln -s ../x/liba.so $R/opt/a/liba.so
         lib /opt/a/libb.so; lib /opt/x/libb.so; prog ${runpath}/opt/a $(need liba.so)",
    ),
    failing(
        "a longer word is no token",
        "liba.so => not found",
        "lib /bin/AL/liba.so; prog '-Wl,-rpath,$ORIGINAL:/opt/$LIBS:$NOTHING' $(need liba.so)",
    ),
    tree(
        "slashes at the end and directories twice",
        "lib /opt/a/liba.so; prog ${runpath}/opt//b///:/opt/a//:/opt/a:/opt/./c $(need liba.so)",
    ),
    tree(
        "links that are absolute, and those that climb out, lead to the root's own files",
        "lib /opt/real/liba.so; ln -s /opt/real $R/opt/a/dir; ln -s ../../../../../../opt/real/liba.so $R/opt/b/liba.so
         prog ${runpath}/opt/a/dir/nothing:/opt/b $(need liba.so)",
    ),
    tree(
        "a library of another machine is passed over",
        "lib /opt/b/liba.so; other=aarch64-linux-gnu; [ $T != $other ] || other=x86_64-linux-gnu
         $other-clang -shared -nostdlib -fPIC $work/empty.c -o $R/opt/a/liba.so; prog ${runpath}/opt/a:/opt/b $(need liba.so)",
    ),
    tree(
        "a library of another machine and byte order is passed over by Debian's loaders",
        "lib /opt/b/liba.so; other=s390x-linux-gnu; [ $T != $other ] || other=x86_64-linux-gnu
         $other-clang -shared -nostdlib -fPIC $work/empty.c -o $R/opt/a/liba.so; prog ${runpath}/opt/a:/opt/b $(need liba.so)",
    ),
    failing(
        "a text in a library's place ends the program although a good one follows",
        "/opt/a/liba.so: invalid ELF header",
        "lib /opt/b/liba.so; echo 'INPUT(libb.so) /* and more than sixty-four bytes of it, so that it is a header */' >$R/opt/a/liba.so
         prog ${runpath}/opt/a:/opt/b $(need liba.so)",
    ),
    failing(
        "a short file in a library's place",
        "/opt/a/liba.so: file too short",
        "lib /opt/b/liba.so; echo x >$R/opt/a/liba.so; prog ${runpath}/opt/a:/opt/b $(need liba.so)",
    ),
    failing(
        "a directory in a library's place",
        "/opt/a/liba.so: cannot read file data: ",
        "lib /opt/b/liba.so; mkdir $R/opt/a/liba.so; prog ${runpath}/opt/a:/opt/b $(need liba.so)",
    ),
    failing(
        "a program in a library's place",
        "cannot dynamically load position-independent executable",
        "prog -pie; mv $R/bin/prog $R/opt/a/liba.so; prog ${runpath}/opt/a $(need liba.so)",
    ),
    failing(
        "a program for one address in a library's place",
        "cannot dynamically load executable",
        "prog -no-pie; mv $R/bin/prog $R/opt/a/liba.so; prog ${runpath}/opt/a $(need liba.so)",
    ),
    failing(
        "an object in a library's place",
        "only ET_DYN and ET_EXEC can be loaded",
        "$T-clang -c $work/empty.c -o $R/opt/a/liba.so; prog ${runpath}/opt/a $(need liba.so)",
    ),
    tree(
        "links that lead nowhere are passed over",
        "lib /opt/b/liba.so; ln -s gone $R/opt/a/liba.so; prog ${runpath}/opt/a:/opt/b $(need liba.so)",
    ),
    failing(
        "a link to itself ends its list of directories",
        "liba.so => not found",
        "lib /opt/b/liba.so; ln -s liba.so $R/opt/a/liba.so; prog ${runpath}/opt/a:/opt/b $(need liba.so)",
    ),
    tree(
        "and the next list is looked in",
        "lib $system/liba.so; ln -s liba.so $R/opt/a/liba.so; prog ${runpath}/opt/a:/opt/b $(need liba.so)",
    ),
    tree(
        "the loader's own directories come last, in their order",
        "lib $system/liba.so; lib /usr/lib/liba.so; lib /usr/lib/libb.so; lib /lib/libc1.so; lib /opt/a/libd.so
         lib $system/libd.so; prog ${runpath}/opt/a $(need liba.so libb.so libc1.so libd.so)",
    ),
    failing(
        "nodefaultlib: not the loader's own directories",
        "libb.so => not found",
        "lib /opt/a/liba.so -Wl,-z,nodefaultlib $(need libb.so); lib $system/libb.so; prog ${runpath}/opt/a $(need liba.so)",
    ),
    tree(
        "a filter is loaded before what it filters",
        "lib /opt/a/liba.so -Wl,-F,libf.so $(need libb.so); lib /opt/a/libf.so ${rpath}/opt/c $(need libd.so)
         lib /opt/a/libb.so ${rpath}/opt/b $(need libd.so); lib /opt/b/libd.so; lib /opt/c/libd.so
         prog ${rpath}/opt/a $(need liba.so)",
    ),
    tree(
        "an auxiliary filter that is there, and one that is not",
        "lib /opt/a/liba.so -Wl,-f,libf.so -Wl,-f,libgone.so; lib /opt/a/libf.so $(need libg.so); lib /opt/a/libg.so
         prog ${rpath}/opt/a $(need liba.so)",
    ),
    failing(
        "versions that are missing",
        "version `V2' not found (required by /bin/prog)",
        "echo 'int f(void) { return 1; }' >$work/f.c; echo 'V1 { f; };' >$work/v1; echo 'V2 { f; };' >$work/v2
         build() { $T-clang -shared -nostdlib -fPIC $work/f.c -Wl,-soname,liba.so -Wl,--version-script,$work/$1 -o $2; }
         build v2 $work/liba.so; build v1 $R/opt/a/liba.so; echo 'int f(void); int main(void) { return f(); }' >$work/use.c
         $T-clang $work/use.c $work/liba.so -o $R/bin/prog ${runpath}/opt/a",
    ),
    tree(
        "a library without versions has them all",
        "echo 'int f(void) { return 1; }' >$work/f.c; echo 'V2 { f; };' >$work/v2
         $T-clang -shared -nostdlib -fPIC $work/f.c -Wl,-soname,liba.so -Wl,--version-script,$work/v2 -o $work/liba.so
         $T-clang -shared -nostdlib -fPIC $work/f.c -Wl,-soname,liba.so -o $R/opt/a/liba.so
         echo 'int f(void); int main(void) { return f(); }' >$work/use.c
         $T-clang $work/use.c $work/liba.so -o $R/bin/prog ${runpath}/opt/a",
    ),
    tree(
        "LD_LIBRARY_PATH comes after RPATH and before RUNPATH",
        "for dir in a b c; do lib /opt/$dir/liba.so; lib /opt/$dir/libb.so; done; rm $R/opt/a/libb.so
         lib /opt/c/libr.so ${runpath}/opt/c $(need libb.so); prog ${rpath}/opt/a $(need liba.so libr.so)
         E='LD_LIBRARY_PATH=/opt/b;/opt/c:/nothing'; G='--hwcaps none --library-path /opt/b;/opt/c:/nothing'",
    ),
    tree(
        "what /etc/ld.so.preload names is loaded first, and what is missing of it does not matter",
        "lib /opt/a/libp.so $(need liba.so); lib $system/liba.so; lib /opt/b/liba.so
         printf '# x\\n/opt/a/libp.so /opt/gone.so\\t' >$R/etc/ld.so.preload; prog ${runpath}/opt/b $(need liba.so)",
    ),
    tree(
        "a library by itself",
        "lib /opt/a/liba.so '-Wl,-rpath,$ORIGIN/../b' $(need libb.so libc.so.6); lib /opt/b/libb.so
         P=/opt/a/liba.so L=--list",
    ),
    tree(
        "a program that has a library's name is what is asked for by it",
        "lib /opt/a/liba.so $(need libprog.so); lib /opt/a/libprog.so; prog -Wl,-soname,libprog.so ${rpath}/opt/a $(need liba.so)",
    ),
    tree(
        "a file in a circle, and one that asks for itself",
        "lib /opt/a/liba.so $(need libb.so liba.so); lib /opt/a/libb.so $(need liba.so); prog ${rpath}/opt/a $(need liba.so)",
    ),
    tree(
        "no file has to have sections",
        "lib /opt/a/liba.so ${rpath}/opt/b $(need libb.so); lib /opt/b/libb.so; llvm-strip --strip-sections $R/opt/a/liba.so
         prog ${rpath}/opt/a $(need liba.so); llvm-strip --strip-sections $R/bin/prog",
    ),
    tree(
        "the loader asked for by its name and by another path",
        "lib /opt/a/liba.so $(need $(basename $(gb info $GOARCH --field loader))); prog ${rpath}/opt/a $(need liba.so)",
    ),
];

/// What only this machine's own ldconfig and processor can be asked.
const NATIVE_TREES: [Tree; 9] = [
    tree(
        "ld.so.cache names a directory of ld.so.conf",
        "lib /opt/a/liba.so; echo /opt/a >$R/etc/ld.so.conf; prog $(need liba.so); ldconfig -r $R",
    ),
    tree(
        "the file of the cache's entry is gone, and one is in the loader's directories",
        "lib /opt/a/liba.so; echo /opt/a >$R/etc/ld.so.conf; prog $(need liba.so); ldconfig -r $R; rm $R/opt/a/liba.so
         lib /usr/lib/liba.so",
    ),
    tree(
        "the cache's names have dates for versions, which are no numbers of 32 bits",
        "all=; for n in 1 10 2147483647 2147483648 4294967295 4294967297 20240101120000 20250101120000 20260101120000 99999999999
         do lib /opt/a/libd.so.$n; all=\"$all $(need libd.so.$n)\"; done
         echo /opt/a >$R/etc/ld.so.conf; prog $all; ldconfig -r $R",
    ),
    failing(
        "the cache's names are in no order, and one that is there is not found",
        "libb.so => not found",
        // libe.so, libd.so, libc.so.6, libc.so, libb.so, liba.so, the loader: 24 bytes each, after 48. The first and the last
        // library change places.
        "for n in a b c d e; do lib /opt/a/lib$n.so; done; echo /opt/a >$R/etc/ld.so.conf
         prog $(need libb.so) $(need libc.so); ldconfig -r $R -c new; c=$R/etc/ld.so.cache; cp $c /tmp/c
         dd if=/tmp/c of=$c bs=24 count=1 skip=2 seek=7 conv=notrunc; dd if=/tmp/c of=$c bs=24 count=1 skip=7 seek=2 conv=notrunc",
    ),
    failing(
        "ld.so.conf without a cache is read by nobody",
        "liba.so => not found",
        "lib /opt/a/liba.so; echo /opt/a >$R/etc/ld.so.conf; prog $(need liba.so)",
    ),
    tree(
        "nodefaultlib: the cache's entries of other directories count",
        "lib /opt/a/liba.so; lib /opt/b/libb.so -Wl,-z,nodefaultlib $(need liba.so); echo /opt/a >$R/etc/ld.so.conf
         prog ${runpath}/opt/b $(need libb.so); ldconfig -r $R",
    ),
    tree(
        "a variant for the processor in a directory",
        "lib /opt/a/liba.so; lib /opt/a/glibc-hwcaps/x86-64-v2/liba.so $(need libb.so); lib /opt/a/libb.so
         prog ${rpath}/opt/a $(need liba.so); G='--hwcaps x86-64-v2'; L='--glibc-hwcaps-mask x86-64-v2 --list'",
    ),
    tree(
        "a variant for the processor in the cache",
        "lib /opt/a/liba.so; lib /opt/a/glibc-hwcaps/x86-64-v2/liba.so; lib /opt/a/glibc-hwcaps/x86-64-v4/liba.so
         echo /opt/a >$R/etc/ld.so.conf; prog $(need liba.so); ldconfig -r $R
         G='--hwcaps x86-64-v2'; L='--glibc-hwcaps-mask x86-64-v2 --list'",
    ),
    tree(
        "a cache of the old format, which has the new one in it",
        "lib /opt/a/liba.so; echo /opt/a >$R/etc/ld.so.conf; prog $(need liba.so); ldconfig -r $R -c compat",
    ),
];

/// What musl does otherwise.
const MUSL_TREES: [Tree; 14] = [
    tree("a program and the C library by several names", "prog_musl $(need libc.so libm.so.6 libpthread.so.0 libc.musl-x86_64.so.1)"),
    tree(
        "RUNPATH counts for what libraries ask for, too",
        "lib /opt/a/liba.so $(need libb.so); lib /opt/a/libb.so; prog_musl ${runpath}/opt/a $(need liba.so)",
    ),
    tree(
        "a library's own paths come before those of the one that it is loaded for",
        "lib /opt/a/liba.so ${rpath}/opt/b $(need libb.so libd.so); lib /opt/a/libb.so; lib /opt/b/libb.so; lib /opt/a/libd.so
         prog_musl ${runpath}/opt/a $(need liba.so)",
    ),
    tree(
        "RUNPATH takes RPATH's place",
        "lib /opt/b/liba.so; lib /opt/a/libx.so ${rpath}/opt/c -Wl,-f,/opt/b $(need liba.so); lib /opt/c/liba.so
         $work/tag $R/opt/a/libx.so 0x7ffffffd 29; prog_musl ${rpath}/opt/a $(need libx.so)",
    ),
    tree(
        "LD_LIBRARY_PATH comes first",
        "lib /opt/a/liba.so; lib /opt/b/liba.so; prog_musl ${rpath}/opt/a $(need liba.so)
         E=LD_LIBRARY_PATH=/opt/b; G='--library-path /opt/b'",
    ),
    tree(
        "the usual directories in their order",
        "for dir in /lib /usr/local/lib /usr/lib; do lib $dir/liba.so; done; lib /usr/local/lib/libb.so; lib /usr/lib/libb.so
         lib /usr/lib/libd.so; prog_musl $(need liba.so libb.so libd.so)",
    ),
    failing(
        "or those of ld-musl-x86_64.path",
        "Error loading shared library libb.so",
        "lib /opt/a/liba.so; lib /usr/lib/libb.so; printf '/opt/a\n/opt/b:/opt/c\n' >$R/etc/ld-musl-x86_64.path
         prog_musl $(need liba.so libb.so)",
    ),
    failing(
        "a text in a library's place is an error",
        "liba.so",
        "lib /opt/b/liba.so; echo 'no library, and longer than the sixty-four bytes that a header of an ELF file has' >$R/opt/a/liba.so
         prog_musl ${rpath}/opt/a:/opt/b $(need liba.so)",
    ),
    failing(
        "a link to itself ends the search",
        "liba.so",
        "lib /opt/b/liba.so; ln -s liba.so $R/opt/a/liba.so; prog_musl ${rpath}/opt/a:/opt/b $(need liba.so)",
    ),
    tree(
        "origins",
        "lib /opt/x/liba.so '-Wl,-rpath,${ORIGIN}' $(need libb.so); ln -s ../x/liba.so $R/opt/a/liba.so; lib /opt/a/libb.so
         prog_musl '-Wl,-rpath,$ORIGIN/../opt/a' $(need liba.so)",
    ),
    failing(
        "an unknown token drops all paths",
        "liba.so",
        "lib /opt/a/liba.so; prog_musl '-Wl,-rpath,/opt/a:/$LIB' $(need liba.so)",
    ),
    tree(
        "a name with a slash is a path, and its file is not known by its short name",
        "lib /opt/a/liba.so; lib /usr/lib/liba.so; lib /usr/lib/libb.so $(need liba.so); prog_musl $(need /opt/a/liba.so libb.so)",
    ),
    tree(
        "one file under two names is one library",
        "lib /usr/lib/liba.so; ln -s liba.so $R/usr/lib/libb.so; prog_musl $(need liba.so libb.so)",
    ),
    tree(
        "who asks first determines the file",
        "lib /opt/a/liba.so ${runpath}/opt/b $(need libd.so); lib /opt/a/libb.so ${runpath}/opt/c $(need libd.so)
         lib /opt/b/libd.so; lib /opt/c/libd.so; prog_musl ${runpath}/opt/a $(need liba.so libb.so)",
    ),
];

fn small_trees_of_musl(lab: &Lab) -> Verdict {
    let trees: Vec<_> = MUSL_TREES.iter().collect();
    let begin = "LOADER=/lib/ld-musl-x86_64.so.1; P=/bin/prog E= G= L=--list; fresh_musl";
    compare(lab.arm_container()?, "amd64", begin, &trees)
}

/// Makes every tree for a target, and asks its loader and gb.
fn small_trees(lab: &Lab, goarch: &'static str) -> Verdict {
    let trees: Vec<_> = match goarch {
        "amd64" => TREES.iter().chain(&NATIVE_TREES).collect(),
        _ => TREES.iter().collect(),
    };
    compare(lab.container(), goarch, "P=/bin/prog E= G= L=; fresh", &trees)
}

/// Makes trees in a container, after some words before each, and compares what is said of them.
fn compare(container: Container, goarch: &str, begin: &str, trees: &[&Tree]) -> Verdict {
    let mut script = "R=$(mktemp -d); . /programs/loading/functions.sh\n".to_owned();
    for Tree { script: make, .. } in trees {
        script.push_str(&format!("echo '@@tree'; {begin}\n{make}\ncompare\n"));
    }
    let container = container
        .option("--cap-add=SYS_ADMIN")
        .option("--security-opt=apparmor=unconfined")
        .env("T", gb::platform::Platform::by_goarch(goarch).ok_or("not in the table")?.default_abi().triple)
        .env("GOARCH", goarch);
    let text = container.user("0:0").bare_sh(&script)?.ok()?;
    let answers: Vec<_> = text.split("@@tree\n").skip(1).collect();
    ensure!(answers.len() == trees.len(), "{} trees, {} answers", trees.len(), answers.len());
    let mut differ = Vec::new();
    for (tree, answer) in trees.iter().zip(answers) {
        let (said, gb) = answer.split_once("@@gb\n").ok_or("gb said nothing")?;
        let (loader, said) =
            said.strip_prefix("@@loader ").and_then(|rest| rest.split_once('\n')).ok_or("no loader")?;
        if !said.contains(tree.says) {
            differ.push(format!("{}: the loader does not say {:?}: {said}", tree.name, tree.says));
            continue;
        }
        let gb: Value = serde_json::from_str(gb).map_err(|error| format!("{}: {error}: {gb}", tree.name))?;
        if let Err(difference) = agree(&Said::read(said, loader), &gb["programs"][0], loader) {
            differ.push(format!("{}: {difference}\nthe loader: {said}", tree.name));
        }
    }
    ensure!(differ.is_empty(), "{} of {} differ:\n{}", differ.len(), trees.len(), differ.join("\n"));
    Ok(())
}

/// What a loader says that it loads, and what it lacks.
#[derive(Debug, Default)]
struct Said {
    paths: BTreeSet<String>,
    missing: BTreeSet<String>,
    versions: BTreeSet<(String, String)>,
    /// Why it does not start: the file or the name, and the reason.
    error: Option<(String, String)>,
    is_static: bool,
}

impl Said {
    /// Reads the answer to LD_TRACE_LOADED_OBJECTS, `ldd`, `--list`.
    fn read(text: &str, loader: &str) -> Said {
        let mut said = Said::default();
        for line in text.lines().map(str::trim) {
            let found = line.rsplit_once(" (0x").map(|(found, _)| found);
            if line == "statically linked" || line == "not a dynamic executable" {
                said.is_static = true;
            } else if let Some((_, error)) = line.split_once("error while loading shared libraries: ") {
                let (file, why) = error.split_once(": ").unwrap_or((error, ""));
                said.error = Some((file.to_owned(), why.to_owned()));
            } else if let Some((_, rest)) = line.split_once(": version `") {
                if let Some((version, by)) =
                    rest.trim_end_matches(')').split_once("' not found (required by ")
                {
                    said.versions.insert((version.to_owned(), by.to_owned()));
                }
            } else if let Some(rest) = line.strip_prefix("Error loading shared library ") {
                // musl's.
                said.missing.extend(rest.split_once(": ").map(|(name, _)| name.to_owned()));
            } else if let Some(name) = line.strip_suffix(" => not found") {
                said.missing.insert(name.to_owned());
            } else if let Some(found) = found {
                let path = found.split_once(" => ").map_or(found, |(_, path)| path);
                if !path.starts_with("linux-vdso") {
                    said.paths.insert(path.to_owned());
                }
            }
        }
        said.paths.remove(loader);
        said
    }
}

fn strings<'a>(list: &'a Value, key: &'a str) -> impl Iterator<Item = &'a str> {
    list.as_array().into_iter().flatten().filter_map(move |item| item[key].as_str())
}

/// Whether gb says the same of a program.
fn agree(said: &Said, gb: &Value, loader: &str) -> Result<(), String> {
    let variant = gb["variants"].as_array().and_then(|variants| variants.last());
    let Some(variant) = variant else {
        let nothing = said.paths.is_empty() && said.missing.is_empty() && gb["error"].is_null();
        let refused = said.error.is_some() && !gb["error"].is_null();
        return if nothing || refused { Ok(()) } else { Err(format!("gb says {gb}, the loader {said:?}")) };
    };
    let requests = variant["requests"].as_array().ok_or("no requests")?;
    let holes = || requests.iter().filter(|request| request["is_hole"] == true);
    if let Some((file, why)) = &said.error {
        let same = holes().any(|hole| {
            let tried = hole["tried"].as_array().into_iter().flatten();
            let reason = tried.filter(|tried| tried["outcome"] == "fatal").any(|tried| {
                let named = tried["path"] == **file || hole["name"] == **file;
                let reason = tried["reason"].as_str().unwrap_or("?");
                // Of a directory one says "Error 21", the other that it is one.
                let unreadable = "cannot read file data";
                named
                    && (why.starts_with(reason)
                        || [why.as_str(), reason].iter().all(|why| why.starts_with(unreadable)))
            });
            reason || hole["name"] == **file && hole["problem"] == "not-found"
        });
        return if same {
            Ok(())
        } else {
            Err(format!("gb has other holes: {:?}", holes().collect::<Vec<_>>()))
        };
    }
    let mut paths: BTreeSet<_> = strings(&variant["objects"], "path").skip(1).map(str::to_owned).collect();
    paths.remove(loader);
    // It tells of filters that are missing, too, which are no holes. To musl's loader a file that is none is as good as missing.
    let is_missing = |request: &&Value| {
        let problem = request["problem"].as_str();
        let is_musl = loader.contains("ld-musl-");
        problem == Some("not-found") && request["how"] != "preload" || problem == Some("fatal") && is_musl
    };
    let not_found = requests.iter().filter(is_missing);
    let missing: BTreeSet<_> =
        not_found.filter_map(|request| request["name"].as_str()).map(str::to_owned).collect();
    let versions = variant["missing_versions"].as_array().into_iter().flatten();
    let versions: BTreeSet<_> = versions
        .map(|missing| ["version", "asker"].map(|key| missing[key].as_str().unwrap_or_default().to_owned()))
        .map(|[version, asker]| (version, asker))
        .collect();
    match paths == said.paths && missing == said.missing && versions == said.versions {
        true => Ok(()),
        false => Err(format!("gb: {paths:?}, missing {missing:?}, versions {versions:?}")),
    }
}

/// Every ELF file of the image that its loader can be asked about.
fn every_file(lab: &Lab) -> Verdict {
    // Of set-user-ID programs and those that are not executable the loader is asked by its own name.
    let script = r#"
        find / -xdev \( -path /proc -o -path /sys -o -path /programs -o -path '/usr/*/sys-root' \) -prune \
            -o -type f -size +63c -print0 | xargs -0 -n 64 sh -c '
            for file; do
                case $(head -c 20 "$file" | od -An -tx1 | tr -d " \n") in
                    7f454c460201????????????????????02003e00|7f454c460201????????????????????03003e00) echo "$file";;
                esac
            done' sh >/tmp/files
        while read -r file; do
            echo "@@file $file"
            if [ -x "$file" ] && [ ! -u "$file" ] && [ ! -g "$file" ] && gb strip-libs --json "$file" 2>/dev/null |
                grep -q '"how": "loader"' && readelf -lW "$file" | grep -q INTERP
            then
                LD_TRACE_LOADED_OBJECTS=1 LD_WARN=1 "$file" 2>&1 </dev/null || true
            else
                /lib64/ld-linux-x86-64.so.2 --verify "$file" >/dev/null 2>&1 || [ $? = 2 ] || { echo "not a dynamic executable"; continue; }
                LD_TRACE_LOADED_OBJECTS=1 LD_WARN=1 /lib64/ld-linux-x86-64.so.2 "$file" 2>&1 </dev/null || true
            fi
        done </tmp/files
        echo "@@gb"
        xargs -d '\n' gb strip-libs --hwcaps none --json </tmp/files 2>/dev/null || true"#;
    let text = lab.container().user("0:0").workdir("/").bare_sh(script)?.ok()?;
    let (said, gb) = text.split_once("@@gb\n").ok_or("gb said nothing")?;
    let gb: Value = serde_json::from_str(gb).map_err(|error| error.to_string())?;
    let programs = gb["programs"].as_array().ok_or("no programs")?;
    let mut counted = 0;
    let mut differ = Vec::new();
    let loader = "/lib64/ld-linux-x86-64.so.2";
    for answer in said.split("@@file ").skip(1) {
        let (file, said) = answer.split_once('\n').ok_or("no file")?;
        let program = programs.iter().find(|program| program["path"] == file);
        let program = program.ok_or_else(|| Failed::from(format!("gb says nothing of {file}")))?;
        let said = Said::read(said, loader);
        counted += 1;
        if said.is_static && program["variants"].is_null() {
            continue;
        }
        if let Err(difference) = agree(&said, program, loader) {
            differ.push(format!("{file}: {difference}; the loader: {said:?}"));
        }
    }
    ensure!(counted > 500, "only {counted} files");
    ensure!(differ.is_empty(), "{} of {counted} differ:\n{}", differ.len(), differ.join("\n"));
    Ok(())
}
