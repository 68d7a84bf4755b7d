# What cases are made of. $T is the target's triple, $R the root that a case works in.

work=$(mktemp -d)
here=/programs/loading
x86_64-linux-gnu-clang -static -O1 $here/enter.c -o $work/enter
x86_64-linux-gnu-clang -O1 $here/tag.c -o $work/tag
echo 'int main(void) { return 0; }' >$work/main.c
echo 'int nothing;' >$work/empty.c
mkdir $work/stubs

# A root with the target's loader and C library, where its distribution has them.
fresh() {
    if mountpoint -q $R/proc; then umount $R/proc; fi
    rm -rf $R
    mkdir -p $R/bin $R/proc $R/etc $R/opt/a $R/opt/b $R/opt/c
    mount --bind /proc $R/proc
    cd /usr/$T/sys-root
    for file in lib64/ld* lib/ld* lib/$T/ld* lib/$T/libc.so.6 usr/lib/ld* usr/lib/$T/ld* usr/lib/$T/libc.so.6; do
        if [ -e "$file" ] && [ ! -d "$file" ]; then cp -a --parents $file $R/; fi
    done
    # A root of a merged /usr.
    for link in lib lib64; do
        if [ -L $link ] && [ ! -e $R/$link ]; then cp -a $link $R/; fi
    done
    cd /
}

# A root with musl's loader, which is its C library, too.
fresh_musl() {
    if mountpoint -q $R/proc; then umount $R/proc; fi
    rm -rf $R
    mkdir -p $R/bin $R/proc $R/etc $R/lib $R/usr/lib $R/usr/local/lib $R/opt/a $R/opt/b $R/opt/c
    mount --bind /proc $R/proc
    cp -L /lib/ld-musl-x86_64.so.1 $R/lib/
}

# prog_musl [WORD]...: a program of musl's that is only to be loaded.
prog_musl() {
    $T-clang $work/main.c -nostdlib -Wl,-e,main -Wl,--dynamic-linker=/lib/ld-musl-x86_64.so.1 -Wl,--no-as-needed -o $R/bin/prog "$@"
}

# need NAME...: words for a linker that make a file ask for these names.
need() {
    for name; do
        stub=$work/stubs/$(echo "$name" | tr -c 'A-Za-z0-9.\n' _).so
        $T-clang -shared -nostdlib -fPIC $work/empty.c -Wl,-soname,"$name" -o "$stub"
        echo "$stub"
    done
}

# lib PATH [WORD]...: a library in the root, with its file's name as its own.
lib() {
    path=$1
    shift
    mkdir -p $R${path%/*}
    $T-clang -shared -nostdlib -fPIC $work/empty.c -Wl,--no-as-needed -Wl,-soname,${path##*/} -o $R$path "$@"
}

# prog [WORD]...: the program.
prog() {
    $T-clang $work/main.c -Wl,--no-as-needed -o $R/bin/prog "$@"
}

rpath=-Wl,--disable-new-dtags,-rpath,
runpath=-Wl,--enable-new-dtags,-rpath,
system=/lib/$T

# compare: what the target's own loader says, and what gb says. $P is the program, $E has variables for the loader, $G
# options for gb, $L arguments for the loader, if it is what is started.
compare() {
    loader=${LOADER:-$(gb info $GOARCH --field loader)}
    echo "@@loader $loader"
    if [ -n "$L" ]; then
        $work/enter $R "$E" $loader $L $P 2>&1 || true
    else
        $work/enter $R "LD_TRACE_LOADED_OBJECTS=1 LD_WARN=1 $E" $P 2>&1 || true
    fi
    echo "@@gb"
    gb strip-libs --root $R --json ${G:---hwcaps none} $P 2>/dev/null || true
}
