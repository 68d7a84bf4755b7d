//! Calico's own lines that call the Go utilities and Kubernetes' programs. An image may leave some of these out; then the lines
//! that need them are ignored, and which they are is told and counted.

use crate::calico_lines::{Arch, ROW, Row, case};
use crate::calico_tree::{Gives, Line, Stdout, Tree};
use crate::case::{Case, Needs, Verdict, ensure};
use crate::engine::Container;
use crate::lab::Lab;

/// What Calico's lines call, of what an image may leave out.
pub const TOOLS: [&str; 18] = [
    "controller-gen",
    "crane",
    "deepcopy-gen",
    "ginkgo",
    "go-junit-report",
    "gocovmerge",
    "gofumpt",
    "goimports",
    "golangci-lint",
    "gotestsum",
    "kube-apiserver",
    "kube-controller-manager",
    "mockery",
    "ocb",
    "openapi-gen",
    "protoc-gen-go",
    "protoc-gen-go-grpc",
    "stringer",
];

/// Where the image says which of them it has, and which it leaves out and why.
pub const LIST: &str = "/usr/local/share/go-build";

/// What a script begins with that fetches Go modules in the test image. Where the image was built without a module proxy, the test
/// image has those that tests import as a proxy of files; else a proxy can be asked.
pub const ASK_PROXY: &str = "if [ -e /usr/local/share/go-proxy/tools ]; then
    export GOPROXY=file:///usr/local/share/go-proxy GOSUMDB=off
fi\n";

pub fn cases() -> Vec<Case> {
    let mut cases = vec![Case::new(
        format!("a utility of Calico's that the image leaves out is in its lists, {LIST}"),
        Needs::Image,
        told,
    )];
    cases.extend(ROWS.iter().map(case));
    cases
}

/// Those of TOOLS that an image has.
pub fn present(image: &str) -> Result<Vec<&'static str>, libtest_mimic::Failed> {
    let script =
        format!("for tool in {}; do command -v $tool >&2 && echo $tool; done; true", TOOLS.join(" "));
    let said = Container::new(image).bare_sh(&script)?.ok()?;
    Ok(TOOLS.into_iter().filter(|tool| said.lines().any(|line| line == *tool)).collect())
}

/// Whoever misses a utility finds it there, with the reason.
fn told(lab: &Lab) -> Verdict {
    let list = Container::new(&lab.image).bare_sh(&format!("cat {LIST}/*"))?.ok()?;
    let has = present(&lab.image)?;
    let named = |tool: &str| list.split_whitespace().any(|word| word.trim_matches([',', ':', ';']) == tool);
    let silent: Vec<_> = TOOLS.into_iter().filter(|tool| !has.contains(tool) && !named(tool)).collect();
    ensure!(silent.is_empty(), "{LIST} says nothing of {silent:?}");
    Ok(())
}

/// Makes the vendor directory of the suites, by what the test image has. A proxy may lack what only tests of the modules and
/// other systems import; what the lines need and do not find, they say themselves.
pub fn vendor(lab: &Lab, tree: &Tree) -> Verdict {
    let container = Container::new(lab.arm_image()?).mount(&tree.suites(), "/suites").workdir("/suites");
    let container = container.env("LOCAL_USER_ID", &tree.uid().to_string());
    let script = format!("{ASK_PROXY}go get -t ./... && go mod vendor -e");
    container.env("GOFLAGS", "-mod=mod").sh(&script)?.ok().map(drop)
}

const SUITES: Row = Row { component: "suites", needs: Needs::Modules(&[]), ..ROW };

const ROWS: &[Row] = &[
    Row {
        name: "kube-apiserver and kube-controller-manager, which the image lacks, end with 127 and a line",
        needs: Needs::Lacks("kube-apiserver"),
        lines: &[
            Line::new(
                "docker run --detach --net=host \\\n\t\t\t--name $(RUN_NAME)-apiserver \\\n\t\t\t-v $(REPO_ROOT):/go/src/github.com/projectcalico/calico \\\n\t\t\t-v $(CERTS_PATH):/home/user/certs \\\n\t\t\t-e KUBECONFIG=/home/user/certs/kubeconfig \\\n\t\t\t$(CALICO_BUILD) kube-apiserver \\\n\t\t\t--etcd-servers=http://127.0.0.1:2379 \\\n\t\t\t--service-cluster-ip-range=10.101.0.0/16,fd00:96::/112 \\\n\t\t\t--authorization-mode=RBAC >/dev/null",
            ),
            Line::new("docker wait $(RUN_NAME)-apiserver; docker logs $(RUN_NAME)-apiserver")
                .stdout(Stdout::Is("127\n"))
                .says(&["gb: run kube-apiserver: not found in PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]),
            Line::new(
                "docker run --rm --net=host \\\n\t\t\t-v $(CERTS_PATH):/home/user/certs \\\n\t\t\t$(CALICO_BUILD) kube-controller-manager \\\n\t\t\t--master=https://127.0.0.1:6443 \\\n\t\t\t--v=5",
            )
            .code(127)
            .says(&["gb: run kube-controller-manager: not found in PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"]),
        ],
        ..ROW
    },
    Row {
        name: "kube-apiserver and kube-controller-manager are the tag's",
        needs: Needs::Tools(&["kube-apiserver", "kube-controller-manager"]),
        lines: &[
            Line::new("docker run --rm --net=host $(CALICO_BUILD) kube-apiserver --version").stdout(Stdout::Is("Kubernetes v$(K8S)\n")),
            Line::new("docker run --rm --net=host $(CALICO_BUILD) kube-controller-manager --version").stdout(Stdout::Is("Kubernetes v$(K8S)\n")),
        ],
        ..ROW
    },
    Row {
        name: "kubectl in a container that runs, by docker exec",
        lines: &[
            Line::new("docker run --detach --net=host --name $(RUN_NAME)-kubectl $(CALICO_BUILD) sleep 600 >/dev/null"),
            Line::new("docker exec $(RUN_NAME)-kubectl kubectl version --client; docker rm --force $(RUN_NAME)-kubectl >/dev/null")
                .stdout(Stdout::Has(&["Client Version: v$(K8S)"])),
        ],
        ..ROW
    },
    Row {
        name: "gotestsum --junitfile with cover, race and count, and --raw-command behind a pipe",
        arch: Arch::OwnWithLibbpf,
        needs: Needs::Tools(&["gotestsum"]),
        lines: &[
            Line::new("$(DOCKER_GO_BUILD_CGO) gotestsum --junitfile report/goldmane_ut.xml -- ./ut/... -coverprofile coverage.profile -race -count 1")
                .stdout(Stdout::Has(&["✓", "DONE 1 tests"]))
                .gives(&[Gives::Part("report/goldmane_ut.xml", "name=\"TestChecksum\""), Gives::Part("coverage.profile", "mode: atomic\n")]),
            Line::new("$(DOCKER_RUN) $(CALICO_BUILD) /bin/bash -c \"cd /go/src/$(PACKAGE_NAME) && gotestsum --junitfile report/app_policy_ut.xml -- -v -race ./race/...\"")
                .code(1)
                .stdout(Stdout::Has(&["=== FAIL: ", "WARNING: DATA RACE", "1 failure"]))
                .gives(&[Gives::Part("report/app_policy_ut.xml", "failures=\"1\"")]),
            Line::new("$(DOCKER_GO_BUILD_CGO) go test ./ut -c -o bin/bpf.test"),
            Line::new(
                "$(DOCKER_RUN) \\\n\t\t--privileged \\\n\t\t-e RUN_AS_ROOT=true \\\n\t\t$(CALICO_BUILD) bash -o pipefail -c ' \\\n\t\tmount bpffs /sys/fs/bpf -t bpf && \\\n\t\tcd /go/src/$(PACKAGE_NAME)/bpf/ && \\\n\t\tBPF_FORCE_REAL_LIB=true ../bin/bpf.test -test.v=test2json -test.run \"$(FOCUS)\" |& \\\n\t\tgotestsum --format testname --junitfile ../bin/felix_bpf.xml --raw-command -- go tool test2json -t -p $(PACKAGE_NAME)/bpf && chown $(LOCAL_USER_ID):$(LOCAL_GROUP_ID) ../bin/felix_bpf.xml'",
            )
            .stdout(Stdout::Has(&["PASS", "TestChecksum", "DONE 1 tests"]))
            .gives(&[Gives::Part("bin/felix_bpf.xml", "name=\"TestChecksum\"")]),
        ],
        ..ROW
    },
    Row {
        name: "go-junit-report behind a pipe, and of a log",
        arch: Arch::OwnWithLibbpf,
        needs: Needs::Tools(&["go-junit-report"]),
        lines: &[
            Line::new("$(DOCKER_RUN) --privileged $(CALICO_BUILD) sh -c 'set -o pipefail && cd /go/src/$(PACKAGE_NAME) && go test -v ./ut/... | go-junit-report > ./report/pod2daemon.xml'")
                .gives(&[Gives::Part("report/pod2daemon.xml", "name=\"TestChecksum\"")]),
            Line::new("$(DOCKER_GO_BUILD) sh -c 'go test -v ./ut >report/k8s-go-tests.log && go-junit-report -package-name k8st-go < report/k8s-go-tests.log > report/k8s-go-tests.xml'")
                .gives(&[Gives::Part("report/k8s-go-tests.xml", "<testsuite")]),
        ],
        ..ROW
    },
    Row {
        name: "go generate by stringer",
        needs: Needs::Tools(&["stringer"]),
        lines: &[Line::new("$(DOCKER_GO_BUILD) go generate ./routetable/")
            .gives(&[Gives::Part("routetable/routeclass_string.go", "RouteClassLocalWorkloadRouteClassIPAMTunnel")])],
        ..ROW
    },
    Row {
        name: "protoc with both plugins",
        needs: Needs::Tools(&["protoc-gen-go", "protoc-gen-go-grpc"]),
        lines: &[
            Line::new("$(DOCKER_RUN) -v $(CURDIR)/proto:/proto:rw \\\n\t\t$(CALICO_BUILD) sh -c 'protoc --proto_path=/proto --go_out=/proto --go-grpc_out=. --go_opt=paths=source_relative felixbackend.proto'")
                .gives(&[
                    Gives::Part("proto/felixbackend.pb.go", "\ntype ToDataplane struct"),
                    Gives::Part("proto/felixbackend_grpc.pb.go", "RegisterPolicySyncServer"),
                ]),
        ],
        ..ROW
    },
    Row {
        name: "goimports of every file, with the project's own imports apart",
        needs: Needs::Tools(&["goimports"]),
        lines: &[
            Line::new("$(DOCKER_RUN) $(CALICO_BUILD) sh -c 'find ./unformatted -iname \"*.go\" ! -wholename \"./vendor/*\" | xargs goimports -w -local github.com/projectcalico/calico/'")
                .gives(&[Gives::Part(
                    "unformatted/unformatted.go",
                    "import (\n\t\"fmt\"\n\n\t\"github.com/projectcalico/calico/felix/bpf/libbpf\"\n)\n",
                )]),
            Line::new("if $(DOCKER_GO_BUILD) goimports -l unformatted | grep -v zz_generated | grep .; then exit 3; fi"),
        ],
        ..ROW
    },
    Row {
        name: "gofumpt lists what it would change",
        needs: Needs::Tools(&["gofumpt"]),
        lines: &[Line::new("$(DOCKER_GO_BUILD) gofumpt -l ../pkg ../hack")],
        ..ROW
    },
    Row {
        name: "deepcopy-gen of an API",
        component: "libcalico-go",
        needs: Needs::Tools(&["deepcopy-gen"]),
        lines: &[Line::new("$(DOCKER_GO_BUILD) sh -c 'deepcopy-gen \\\n\t\t--v 1 --logtostderr \\\n\t\t--go-header-file \"./docs/boilerplate.go.txt\" \\\n\t\t--output-file zz_generated.deepcopy.go \\\n\t\t\"$(PACKAGE_NAME)/lib/apis/v1\"'")
            .gives(&[Gives::Part("lib/apis/v1/zz_generated.deepcopy.go", "func (in *BlockAffinity) DeepCopy() *BlockAffinity")])],
        ..ROW
    },
    Row {
        name: "crane's version",
        needs: Needs::Tools(&["crane"]),
        lines: &[Line::new("$(DOCKER_GO_BUILD) sh -c 'crane version >bin/crane.txt'").gives(&[Gives::Part("bin/crane.txt", "\n")])],
        ..ROW
    },
    Row {
        name: "golangci-lint run",
        needs: Needs::Tools(&["golangci-lint"]),
        lines: &[
            Line::new("$(DOCKER_RUN) $(CALICO_BUILD) sh -c '$(GIT_CONFIG_SSH) golangci-lint run $(LINT_ARGS) ../pkg/...'")
                .stdout(Stdout::Has(&["0 issues"])),
        ],
        ..ROW
    },
    Row {
        name: "ginkgo -r -race --junit-report runs a suite",
        needs: Needs::Modules(&["ginkgo"]),
        lines: &[
            Line::new("$(DOCKER_RUN) $(CALICO_BUILD) sh -c 'cd /go/src/$(PACKAGE_NAME) && ginkgo -r -race --junit-report=confd_ut.xml --output-dir=report/ --skip-package=tests .'")
                .stdout(Stdout::Has(&["Running Suite: Store Suite", "Ran 3 of 3 Specs", "SUCCESS!", "Test Suite Passed"]))
                .gives(&[Gives::Part("report/confd_ut.xml", "tests=\"3\"")]),
        ],
        ..SUITES
    },
    Row {
        name: "ginkgo -cover and gocovmerge give a report in columns",
        needs: Needs::Modules(&["ginkgo", "gocovmerge"]),
        lines: &[
            Line::new("$(DOCKER_GO_BUILD) sh -c 'ginkgo -cover -covermode=count -keep-going -r store >report/cover.txt && gocovmerge $$(find . -name coverprofile.out) > combined.coverprofile && go tool cover -func combined.coverprofile | column -t'")
                .stdout(Stdout::Has(&["store/store.go:11:  Names", "100.0%", "total:"])),
        ],
        ..SUITES
    },
    Row {
        name: "mockery makes what a suite compiles with",
        needs: Needs::Modules(&["mockery"]),
        lines: &[
            Line::new("$(DOCKER_RUN) $(CALICO_BUILD) sh -c 'mockery'")
                .stdout(Stdout::Has(&[]))
                .gives(&[Gives::Part("store/mocks/Store.go", "type Store struct")]),
            Line::new("$(DOCKER_GO_BUILD) go vet ./store/mocks"),
        ],
        ..SUITES
    },
    Row {
        name: "what protoc and its plugins make compiles against the modules",
        needs: Needs::Modules(&["protoc-gen-go", "protoc-gen-go-grpc"]),
        lines: &[
            Line::new("$(DOCKER_RUN) -v $(CURDIR):/code $(CALICO_BUILD) sh -c 'protoc --proto_path=/code/proto --go_out=/code/proto --go-grpc_out=. --go_opt=paths=source_relative /code/proto/api.proto'")
                .gives(&[Gives::Part("proto/api_grpc.pb.go", "package proto")]),
            Line::new("$(DOCKER_GO_BUILD) go build ./proto"),
        ],
        ..SUITES
    },
];
