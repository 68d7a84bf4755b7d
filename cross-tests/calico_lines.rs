//! Calico's own lines, as its Makefiles have them in August 2026, unchanged but for the image's name: each with what must come
//! out. programs/calico/lib.Makefile has the words that they are made of.

use gb::platform::Platform;

use crate::calico_tools::vendor;
use crate::calico_tree::{Gives, Line, Setting, Stdout, Tree};
use crate::case::{Case, Needs, Verdict};
use crate::lab::Lab;

/// Lines that belong together, in the order in which they are run.
pub struct Row {
    /// What a caller gets.
    pub name: &'static str,
    pub arch: Arch,
    pub component: &'static str,
    /// Further variables of make's.
    pub make: &'static [&'static str],
    pub extra: &'static str,
    /// Who owns what is made, if it is not the caller.
    pub owner: Option<u32>,
    pub needs: Needs,
    pub lines: &'static [Line],
}

/// What a row builds for.
#[derive(Clone, Copy, PartialEq, Eq)]
pub enum Arch {
    /// This machine itself.
    Own,
    /// This machine itself, with libbpf made before.
    OwnWithLibbpf,
    Named(&'static str),
    /// Another one, by variables that Calico sets on amd64 alone.
    FromAmd64(&'static str),
}

/// Calico's four, by ARCH.
const ARCHES: [&str; 4] = ["amd64", "arm64", "ppc64le", "s390x"];

pub const ROW: Row = Row {
    name: "",
    arch: Arch::Own,
    component: "felix",
    make: &[],
    extra: "",
    owner: None,
    needs: Needs::Image,
    lines: &[],
};

pub fn cases() -> Vec<Case> {
    let host = Platform::host().map_or("", |host| host.goarch);
    let mut cases = Vec::new();
    for arch in ARCHES {
        let name = format!("ARCH={arch}: Calico's lines for libbpf and cgo give felix, which runs");
        cases.push(Case::new(name, Needs::Emulation(arch), move |lab| felix(lab, arch)));
        let name = format!("ARCH={arch}: Calico's build_binary gives a static program");
        let check = move |lab: &Lab| Tree::of(lab)?.run(&at(arch, &ROW), BUILD_BINARY);
        cases.push(Case::new(name, Needs::Image, check));
        if arch != host && host == "amd64" {
            let name = format!("ARCH={arch}: Calico's lines without CC and -fuse-ld=lld give the same felix");
            cases.push(Case::new(name, Needs::Emulation(arch), move |lab| felix_without_cc(lab, arch)));
        }
    }
    let is_for_others = |row: &&Row| matches!(row.arch, Arch::FromAmd64(_)) && host != "amd64";
    cases.extend(ROWS.iter().filter(|row| !is_for_others(row)).map(case));
    cases
}

/// A row as a test.
pub fn case(row: &'static Row) -> Case {
    Case::new(format!("Calico's lines: {}", row.name), row.needs, move |lab| row.check(lab))
}

/// Where a row's lines are run.
fn at<'a>(arch: &'a str, row: &Row) -> Setting<'a> {
    Setting { arch, component: row.component, make: row.make, extra: row.extra, owner: row.owner }
}

impl Row {
    fn check(&self, lab: &Lab) -> Verdict {
        let tree = Tree::of(lab)?;
        let host = Platform::host().ok_or("this machine is not in the table")?.goarch;
        let arch = match self.arch {
            Arch::Own | Arch::OwnWithLibbpf => host,
            Arch::Named(arch) | Arch::FromAmd64(arch) => arch,
        };
        if self.arch == Arch::OwnWithLibbpf {
            tree.native_libbpf(&at(host, &ROW), &[LIBBPF])?;
        }
        if let Needs::Modules(_) = self.needs {
            tree.modules(|| vendor(lab, tree))?;
        }
        tree.run(&at(arch, self), self.lines)
    }
}

/// felix/Makefile, $(LIBBPF_A).
const LIBBPF: Line = Line::new(
    r#"mkdir -p bpf-gpl/libbpf/src/$(ARCH)
	$(DOCKER_RUN) $(if $(CROSS_CC),-e CC="$(CROSS_CC)") $(CALICO_BUILD) sh -c "make -j$$(nproc) -C bpf-gpl/libbpf/src BUILD_STATIC_ONLY=1 OBJDIR=$(ARCH) EXTRA_CFLAGS=-fPIC""#,
)
.stdout(Stdout::Has(&["/felix/bpf-gpl/libbpf/src'\n", " rcs $(ARCH)/libbpf.a ", "make: Leaving directory"]))
.gives(&[Gives::Part("bpf-gpl/libbpf/src/$(ARCH)/libbpf.a", "!<arch>\n")]);

/// bin/calico-felix-$(ARCH), and what it says.
const FELIX: [Line; 2] = [
    Line::new("$(call build_cgo_binary, $(PACKAGE_NAME)/cmd/calico-felix, bin/calico-felix-$(ARCH))")
        .gives(&[Gives::Program("bin/calico-felix-$(ARCH)")]),
    Line::new("$(DOCKER_GO_BUILD) bin/calico-felix-$(ARCH)")
        .stdout(Stdout::Is("hello felix linux/$(ARCH) v3.99.0-0.dev libbpf 1.6.2 3edb7e13 true\n")),
];

const BUILD_BINARY: &[Line] = &[Line::new(
    "$(call build_binary, $(PACKAGE_NAME)/cmd/calico-felix, bin/calico-static-$(ARCH))",
)
.gives(&[
    Gives::Static("bin/calico-static-$(ARCH)"),
    Gives::Part("bin/calico-static-$(ARCH)", "v3.99.0-0.dev"),
])];

fn felix(lab: &Lab, arch: &'static str) -> Verdict {
    let tree = Tree::of(lab)?;
    let setting = at(arch, &ROW);
    match Platform::host().map(|host| host.goarch) {
        Some(host) if host == arch => tree.native_libbpf(&setting, &[LIBBPF])?,
        _ => tree.run(&setting, &[LIBBPF])?,
    }
    tree.run(&setting, &FELIX)
}

/// As a Makefile reads that has moved here: no CROSS_CC, no CROSS_LDFLAGS. In the worktree, because the others use their own
/// libbpf at the same time.
fn felix_without_cc(lab: &Lab, arch: &'static str) -> Verdict {
    let row = Row { component: "worktree/felix", make: &["CROSS_CC=", "CROSS_LDFLAGS="], ..ROW };
    Tree::of(lab)?.run(&at(arch, &row), &[LIBBPF, FELIX[0], FELIX[1]])
}

const ROWS: &[Row] = &[
    Row {
        name: "build_cgo_binary with empty CGO_CFLAGS and CGO_LDFLAGS, of a package's own #cgo lines",
        arch: Arch::OwnWithLibbpf,
        make: &["CGO_CFLAGS=", "CGO_LDFLAGS=", r#"GOFLAGS="-mod=vendor" -p=2"#],
        lines: &[Line::new("$(call build_cgo_binary, ./cmd/calico-felix, bin/calico-own-flags)")
            .gives(&[Gives::Program("bin/calico-own-flags")])],
        ..ROW
    },
    Row {
        name: "build_windows_binary, and go test -c for Windows beside cgo's variables",
        arch: Arch::OwnWithLibbpf,
        lines: &[
            Line::new("$(call build_windows_binary, ../cmd/calico-windows, bin/calico-felix.exe)")
                .gives(&[Gives::Exe("bin/calico-felix.exe")]),
            Line::new("$(DOCKER_GO_BUILD_CGO) sh -c '$(GIT_CONFIG_SSH) \\\n\t\tGOOS=windows go test ./fv/winfv -c -o bin/win-fv.exe'")
                .gives(&[Gives::Exe("bin/win-fv.exe")]),
            Line::new("$(DOCKER_RUN) -e GOOS=windows $(CALICO_BUILD) sh -c '$(GIT_CONFIG_SSH) go test ./fv/winfv -c -o bin/cni-fv.exe'")
                .gives(&[Gives::Exe("bin/cni-fv.exe")]),
        ],
        ..ROW
    },
    Row {
        name: "felix with the race detector, go test -c, and go test -race, which finds a race",
        arch: Arch::OwnWithLibbpf,
        lines: &[
            Line::new(
                "$(DOCKER_GO_BUILD_CGO) sh -c '$(GIT_CONFIG_SSH) \\\n\t     go build -v -race -o bin/calico-felix-race-$(ARCH) -v -buildvcs=false -ldflags \"$(LDFLAGS)\" \"$(PACKAGE_NAME)/cmd/calico-felix\"'",
            )
            .gives(&[Gives::Part("bin/calico-felix-race-$(ARCH)", "WARNING: DATA RACE")]),
            Line::new("$(DOCKER_GO_BUILD) bin/calico-felix-race-$(ARCH)")
                .stdout(Stdout::Is("hello felix linux/$(ARCH) v3.99.0-0.dev libbpf 1.6.2 3edb7e13 true\n")),
            Line::new("$(DOCKER_GO_BUILD_CGO) go test ./ut -c -o bin/ut.test").gives(&[Gives::Program("bin/ut.test")]),
            Line::new("$(DOCKER_GO_BUILD) bin/ut.test").stdout(Stdout::Is("PASS\n")),
            Line::new("$(DOCKER_GO_BUILD_CGO) go test ./ut/... -race -count 1").stdout(Stdout::Has(&["ok  \t"])),
            Line::new("$(DOCKER_RUN) $(CALICO_BUILD) go test -race -count 1 ./race").code(1).stdout(Stdout::Has(&[
                "WARNING: DATA RACE\n",
                "--- FAIL: TestRace",
                "FAIL\tgithub.com/projectcalico/calico/felix/race",
            ])),
        ],
        ..ROW
    },
    Row {
        name: "go test and go run of another architecture, and what they write is kept",
        arch: Arch::Named("arm64"),
        needs: Needs::Emulation("arm64"),
        lines: &[
            Line::new(r#"$(DOCKER_GO_BUILD) sh -c "CGO_ENABLED=0 go test -cover -count=1 ./ut""#)
                .stdout(Stdout::Has(&["ok  \tgithub.com/projectcalico/calico/felix/ut"])),
            Line::new("$(DOCKER_GO_BUILD) go run ./cmd/calico-felix-docgen --format=json > docs/config-params.json; cat docs/config-params.json")
                .stdout(Stdout::Is("{\"json\": \"arm64\"}\n")),
            Line::new("$(DOCKER_GO_BUILD) go generate ./bpf/asm/").gives(&[
                Gives::Part("bpf/asm/opcode_gen.go", "generated by gen on arm64"),
                Gives::Text("bpf/asm/generated_for.txt", "arm64 asm.go\n"),
            ]),
        ],
        ..ROW
    },
    Row {
        name: "the BPF programs, by clang and llc",
        lines: &[
            Line::new("$(DOCKER_GO_BUILD) make -j$$(nproc) -C bpf-gpl ARCH=$(ARCH) all")
                .stdout(Stdout::Has(&["-target bpf", "llc -march=bpf"]))
                .gives(&[Gives::Part("bpf-gpl/bin/tc.o", ".BTF.ext"), Gives::Part("bpf-gpl/bin/common_map_stub.o", "xdp_prog")]),
            Line::new("$(DOCKER_GO_BUILD) make -j$$(nproc) -C bpf-gpl ARCH=s390x OUT=bin-s390x all")
                .stdout(Stdout::Has(&["-target bpfeb", "llc -march=bpfeb"]))
                .gives(&[Gives::Part("bpf-gpl/bin-s390x/tc.o", ".BTF.ext")]),
            Line::new(
                "$(DOCKER_GO_BUILD) sh -c 'clang -g -O2 -target bpf -D__TARGET_ARCH_x86 -c bpf-gpl/tc.c -o bin/tc.bpf.o && llvm-strip -g bin/tc.bpf.o && bpftool gen skeleton bin/tc.bpf.o > bin/tc.skel.h'",
            )
            .gives(&[Gives::Part("bin/tc.bpf.o", ".BTF.ext"), Gives::Part("bin/tc.skel.h", "struct bpf_map *cali_state;")]),
        ],
        ..ROW
    },
    Row {
        name: "--privileged as root mounts bpffs, with the tree in a second place",
        extra: "-e RUN_AS_ROOT='true'",
        make: &["LOCAL_USER_ID=0"],
        owner: Some(0),
        lines: &[Line::new(
            "$(DOCKER_RUN) \\\n\t\t--privileged \\\n\t\t-e RUN_AS_ROOT=true \\\n\t\t-v `pwd`:/code \\\n\t\t-v `pwd`/bpf-gpl/bin:/usr/lib/calico/bpf \\\n\t\t$(CALICO_BUILD) sh -c ' \\\n\t\tmount bpffs /sys/fs/bpf -t bpf && \\\n\t\tcd /go/src/$(PACKAGE_NAME)/bpf/ && id -u && touch /code/bin/roots && stat -f -c %T /sys/fs/bpf'",
        )
        .stdout(Stdout::Is("0\nbpf_fs\n"))
        .gives(&[Gives::Text("bin/roots", "")])],
        ..ROW
    },
    Row {
        name: "a pipe that fails is told, by sh and by bash",
        lines: &[
            Line::new("$(DOCKER_RUN) --privileged $(CALICO_BUILD) sh -c 'set -o pipefail && cd /go/src/$(PACKAGE_NAME) && false | cat > ./report/tests.xml'")
                .code(1)
                .gives(&[Gives::Text("report/tests.xml", "")]),
            Line::new("$(DOCKER_RUN) $(CALICO_BUILD) bash -o pipefail -c ' \\\n\t\tls /lost |& grep -o lost; false |& cat'")
                .code(1)
                .stdout(Stdout::Is("lost\n")),
        ],
        ..ROW
    },
    Row {
        name: "a coverage report in columns",
        arch: Arch::OwnWithLibbpf,
        lines: &[
            Line::new("$(DOCKER_GO_BUILD_CGO) go test -coverpkg ./bpf/libbpf -coverprofile combined.coverprofile ./ut")
                .stdout(Stdout::Has(&["ok  \t"]))
                .gives(&[Gives::Part("combined.coverprofile", "mode: set\n")]),
            Line::new("@$(DOCKER_GO_BUILD) sh -c \"CGO_ENABLED=1 go tool cover -func combined.coverprofile | \\\n\t\t\t\t   sed 's=$(PACKAGE_NAME)/==' | \\\n\t\t\t\t   column -t | \\\n\t\t\t\t   grep -v '100\\.0%'\"")
                .stdout(Stdout::Has(&["bpf/libbpf/libbpf.go:21:  Version       0.0%\n", "total:", "(statements)  "])),
        ],
        ..ROW
    },
    Row {
        name: "docker run --user with the variables of Rust's cross builds compiles for the target, and takes none of gb's",
        arch: Arch::FromAmd64("arm64"),
        lines: &[
            Line::new(
                "$(DOCKER_RUST_BUILD) sh -c 'id -u; echo $$CC_aarch64_unknown_linux_gnu $$AR_aarch64_unknown_linux_gnu $$CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER'",
            )
            .stdout(Stdout::Is("$(UID)\nclang aarch64-linux-gnu-ar clang\n")),
            Line::new(
                "$(DOCKER_RUST_BUILD) sh -c 'cd bpf-gpl && $$CC_aarch64_unknown_linux_gnu --target=$(CROSS_TRIPLE) $$CFLAGS_aarch64_unknown_linux_gnu -fPIC -shared -I libbpf/src -I libbpf/include/uapi libbpf/src/*.c -lelf -lz -o ../bin/rust.so && file -b ../bin/rust.so | cut -d , -f 1-2'",
            )
            .stdout(Stdout::Is("ELF 64-bit LSB shared object, ARM aarch64\n"))
            .gives(&[Gives::Part("bin/rust.so", "libelf.so.1")]),
        ],
        ..ROW
    },
    Row {
        name: "a worktree, with its parent's .git read-only, has its version and its state",
        component: "worktree/felix",
        lines: &[
            Line::new("$(DOCKER_GO_BUILD) sh -c 'git describe --tags --dirty --always && touch bin/kept && git status --porcelain'")
                .stdout(Stdout::Is("v3.99.0\n")),
            Line::new("$(call build_binary, ./cmd/calico-felix, bin/of-worktree)")
                .gives(&[Gives::Static("bin/of-worktree")]),
        ],
        ..ROW
    },
    Row {
        name: "git goes by the caller's GIT_CONFIG_ variables beside git config --global",
        extra: "-e GIT_CONFIG_COUNT=1 -e GIT_CONFIG_KEY_0=url.file:///go/src/github.com/projectcalico/.insteadOf -e GIT_CONFIG_VALUE_0=https://github.com/projectcalico/",
        lines: &[Line::new(
            "$(eval new_ver := $(call get_remote_version,github.com/projectcalico/calico,v3.99.0))test $(new_ver) = $(shell git rev-parse v3.99.0)",
        )],
        ..ROW
    },
    Row {
        name: "standard input is the command's, and a module's file is changed",
        lines: &[Line::new(
            "$(DOCKER_RUN) -i $(CALICO_BUILD) sh -c '\\\n\t\tif [ ! -z \"v1\" ]; then \\\n\t\t\t$(GIT_CONFIG_SSH) \\\n\t\t\tcat >bin/go.mod; \\\n\t\t\tgo mod edit -replace github.com/tigera/api=../api bin/go.mod; \\\n\t\tfi' <../go.mod",
        )
        .gives(&[Gives::Part("bin/go.mod", "replace github.com/tigera/api => ../api\n")])],
        ..ROW
    },
    Row {
        name: "ssh knows GitHub, and finds what is mounted below the home",
        extra: "-v $(REPO_ROOT)/hack/test/certs:/home/user/.ssh",
        lines: &[
            Line::new("echo 'example.com ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIOMqqnkVzrm0SdG6UOoqKLsabgH5C9okWi0dh2l9GKJl' >hack-known_hosts; $(DOCKER_GO_BUILD) cp hack-known_hosts /home/user/.ssh/known_hosts"),
            Line::new("$(DOCKER_GO_BUILD) sh -c 'ssh -G github.com | grep -e ^userk -e ^globalk; for file in /home/user/.ssh/known_hosts /etc/ssh/ssh_known_hosts; do ssh-keygen -l -f $$file; done'")
                .stdout(Stdout::Is(
                    "globalknownhostsfile /etc/ssh/ssh_known_hosts /etc/ssh/ssh_known_hosts2\nuserknownhostsfile /home/user/.ssh/known_hosts /home/user/.ssh/known_hosts2\n\
                     256 SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU example.com (ED25519)\n\
                     256 SHA256:p2QAMXNIC1TJYWeIOttrVc98/R1BUFWu3/LiyKgUfQM github.com (ECDSA)\n\
                     256 SHA256:+DiY3wvvV6TuJJhbpZisF/zLDA0zPMSvHdkr4UvCOqU github.com (ED25519)\n\
                     3072 SHA256:uNiVztksCsDhcc0u9e8BujQXVUpKZIDTMczCvj3tD2s github.com (RSA)\n",
                )),
        ],
        ..ROW
    },
    Row {
        name: "go install to GOBIN, go list, and another project mounted where it belongs",
        arch: Arch::Named("arm64"),
        lines: &[
            Line::new("$(DOCKER_RUN) -e CGO_ENABLED=0 -e GOARCH= -e GOBIN=/go/src/$(PACKAGE_NAME)/bin/ $(CALICO_BUILD) go install ./cmd/calico-felix-docgen")
                .gives(&[Gives::Part("bin/calico-felix-docgen", "calico-felix-docgen")]),
            Line::new("@IMPORTED=$$($(DOCKER_GO_BUILD) sh -c 'go list -m github.com/tigera/api > /dev/null 2>&1 && echo yes || echo no'); \\\n\techo Is tigera/api imported? $$IMPORTED")
                .stdout(Stdout::Is("Is tigera/api imported? no\n")),
            Line::new(
                "docker run \\\n\t\t$(EXTRA_DOCKER_ARGS) \\\n\t\t-v $(REPO_ROOT):/go/src/github.com/containernetworking/plugins:z \\\n\t\t-e LOCAL_USER_ID=$(LOCAL_USER_ID) -w /go/src/github.com/containernetworking/plugins/felix --rm $(CALICO_BUILD) \\\n\t\t/bin/sh -xe -c 'GOFLAGS=\"-buildvcs=false\" CGO_ENABLED=0 GOARCH=$(ARCH) go build -o bin/portmap ./cmd/calico-felix'",
            )
            .gives(&[Gives::Static("bin/portmap")]),
        ],
        ..ROW
    },
    Row {
        name: "as root, by RUN_AS_ROOT='true' of a root's Makefile, what is made is root's",
        extra: "-e RUN_AS_ROOT='true'",
        make: &["LOCAL_USER_ID=0"],
        owner: Some(0),
        lines: &[Line::new("$(DOCKER_RUN) $(CALICO_BUILD) sh -c 'id -u && touch bin/of-root'")
            .stdout(Stdout::Is("0\n"))
            .gives(&[Gives::Text("bin/of-root", "")])],
        ..ROW
    },
];
