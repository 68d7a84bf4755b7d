//! The Go utilities and those of Kubernetes, each doing its work in the image; and the lists of them, which must be true.

use std::collections::BTreeMap;
use std::path::Path;

use libtest_mimic::Failed;

use crate::calico_tools::{ASK_PROXY, LIST};
use crate::case::{Case, Needs, Verdict, ensure, ensure_eq};
use crate::engine::{Container, Output, docker};
use crate::lab::Lab;

/// What each does, as a script that ends with "done" if it did. It runs in a directory of its own.
const DOES: &[(&str, Needs, &str)] = &[
    (
        "goimports",
        Needs::Image,
        // new(3) is Go 1.26's, an alias with a parameter 1.24's, a function to range over 1.23's.
        "printf 'package p\\n\\ntype A[T any] = []T\\n\\nfunc F(seq func(func(int) bool)) A[*int] {\\n\\tfor i := range seq {\\n\\t\\tfmt.Println(i)\\n\\t}\\n\\treturn A[*int]{new(3)}\\n}\\n' >p.go
         goimports -w p.go
         grep -qx 'import \"fmt\"' p.go && go vet p.go && echo done",
    ),
    (
        "stringer",
        Needs::Image,
        "go mod init example.test/pills 2>/dev/null
         printf 'package main\\n\\nimport \"fmt\"\\n\\n//go:generate stringer -type=Pill\\ntype Pill int\\n\\nconst (\\n\\tPlacebo Pill = iota\\n\\tAspirin\\n)\\n\\ntype List[T any] = []T\\n\\nfunc main() {\\n\\tfor _, pill := range (List[*Pill]{new(Aspirin)}) {\\n\\t\\tfmt.Println(*pill)\\n\\t}\\n}\\n' >main.go
         go generate && test \"$(go run .)\" = Aspirin && echo done",
    ),
    (
        "gofumpt",
        Needs::Image,
        "printf 'package p\\n\\ntype A[T any] = []T\\n\\nfunc f() A[*int] {\\n\\n\\tfor range 3 {\\n\\t}\\n\\treturn A[*int]{new(0o3)}\\n\\n}\\n' >p.go
         gofumpt -w p.go
         test \"$(grep -c '^$' p.go)\" = 2 && echo done",
    ),
    (
        "gotestsum",
        Needs::Image,
        "go mod init example.test/t 2>/dev/null
         printf 'package t\\n\\nimport \"testing\"\\n\\nfunc TestGood(t *testing.T) {}\\n\\nfunc TestBad(t *testing.T) { t.Error(\"as it should\") }\\n' >t_test.go
         status=0; gotestsum --junitfile report.xml >said || status=$?
         test $status = 1 && grep -q '2 tests, 1 failure' said && grep -q 'tests=\"2\" failures=\"1\"' report.xml && echo done",
    ),
    (
        "go-junit-report",
        Needs::Image,
        "go mod init example.test/t 2>/dev/null
         printf 'package t\\n\\nimport \"testing\"\\n\\nfunc TestGood(t *testing.T) {}\\n' >t_test.go
         go test -v | go-junit-report >report.xml
         grep -q 'testcase name=\"TestGood\"' report.xml && echo done",
    ),
    (
        "ginkgo",
        Needs::ArmImage,
        "go mod init example.test/suite 2>/dev/null
         printf 'package suite\\n\\nimport (\\n\\t\"testing\"\\n\\n\\t. \"github.com/onsi/ginkgo/v2\"\\n\\t. \"github.com/onsi/gomega\"\\n)\\n\\nfunc TestSuite(t *testing.T) {\\n\\tRegisterFailHandler(Fail)\\n\\tRunSpecs(t, \"suite\")\\n}\\n\\nvar _ = It(\"adds\", func() { Expect(1 + 1).To(Equal(2)) })\\n' >suite_test.go
         go get github.com/onsi/ginkgo/v2 github.com/onsi/gomega 2>/dev/null
         ginkgo -r -race --junit-report=report.xml >said
         grep -q '1 Passed' said && grep -q 'tests=\"1\"' report.xml && echo done",
    ),
    (
        "protoc-gen-go-grpc",
        Needs::ArmImage,
        "go mod init example.test/proto 2>/dev/null
         printf 'syntax = \"proto3\";\\npackage hello;\\noption go_package = \"example.test/proto/hello\";\\nimport \"google/protobuf/timestamp.proto\";\\nmessage Name { string name = 1; google.protobuf.Timestamp at = 2; }\\nservice Hello { rpc Greet(Name) returns (Name); }\\n' >hello.proto
         protoc --go_out=. --go_opt=module=example.test/proto --go-grpc_out=. --go-grpc_opt=module=example.test/proto hello.proto
         go get google.golang.org/grpc google.golang.org/protobuf 2>/dev/null
         go build ./hello && grep -q 'func NewHelloClient' hello/hello_grpc.pb.go && echo done",
    ),
    (
        "protoc-gen-go",
        Needs::Image,
        "printf 'syntax = \"proto3\";\\npackage hello;\\noption go_package = \"example.test/proto/hello\";\\nmessage Name { string name = 1; }\\n' >hello.proto
         protoc --go_out=. hello.proto && grep -q 'type Name struct' example.test/proto/hello/hello.pb.go && echo done",
    ),
    (
        "mockery",
        Needs::Image,
        "go mod init example.test/m 2>/dev/null
         printf 'package m\\n\\ntype Doer interface{ Do(what string) error }\\n' >m.go
         printf 'template: testify\\npackages:\\n  example.test/m:\\n    interfaces:\\n      Doer:\\n' >.mockery.yaml
         mockery >/dev/null 2>&1 && grep -rq 'func (_mock \\*MockDoer) Do' . && echo done",
    ),
    (
        "golangci-lint",
        Needs::Image,
        "go mod init example.test/l 2>/dev/null
         printf 'package l\\n\\nimport \"os\"\\n\\nfunc F() { os.Remove(\"x\") }\\n' >l.go
         status=0; golangci-lint run >said 2>&1 || status=$?
         test $status = 1 && grep -q errcheck said && echo done",
    ),
    (
        "crane",
        Needs::Image,
        "echo hello >file && tar -cf layer.tar file
         crane append --new_layer layer.tar --new_tag example.test/image:1 --output image.tar 2>/dev/null
         crane validate --tarball image.tar >said && grep -q PASS said && crane export - - <image.tar | tar -xOf - file | grep -qx hello && echo done",
    ),
    (
        "openapi-gen",
        Needs::Image,
        "go mod init example.test/api 2>/dev/null
         printf 'package api\\n\\n// A thing.\\n// +k8s:openapi-gen=true\\ntype Thing struct {\\n\\tName string `json:\"name\"`\\n}\\n' >types.go
         : >header.txt; openapi-gen --go-header-file header.txt --output-dir out --output-pkg example.test/api/out --output-file openapi.go . >said 2>&1
         grep -q 'schema_.*Thing' out/openapi.go && echo done",
    ),
    (
        "controller-gen",
        Needs::Image,
        "go mod init example.test/api 2>/dev/null
         printf '// +kubebuilder:object:generate=true\\npackage api\\n\\ntype Thing struct {\\n\\tNames []string `json:\"names\"`\\n}\\n' >types.go
         controller-gen object paths=. && grep -q 'func (in \\*Thing) DeepCopy()' zz_generated.deepcopy.go && echo done",
    ),
    (
        "deepcopy-gen",
        Needs::Image,
        "go mod init example.test/api 2>/dev/null
         printf '// +k8s:deepcopy-gen=package\\npackage api\\n\\ntype Thing struct {\\n\\tNames []string\\n}\\n' >types.go
         : >header.txt; deepcopy-gen --go-header-file header.txt --output-file zz.go . && grep -q 'func (in \\*Thing) DeepCopy()' zz.go && echo done",
    ),
    ("gocovmerge", Needs::Image, "printf 'mode: set\\n' >a && gocovmerge a a | grep -qx 'mode: set' && echo done"),
    ("ocb", Needs::Image, "ocb version | grep -q 'ocb version' && echo done"),
    ("applyconfiguration-gen", Needs::Image, "applyconfiguration-gen --help 2>&1 | grep -q output-dir && echo done"),
    ("client-gen", Needs::Image, "client-gen --help 2>&1 | grep -q output-dir && echo done"),
    ("conversion-gen", Needs::Image, "conversion-gen --help 2>&1 | grep -q output-file && echo done"),
    ("defaulter-gen", Needs::Image, "defaulter-gen --help 2>&1 | grep -q output-file && echo done"),
    ("informer-gen", Needs::Image, "informer-gen --help 2>&1 | grep -q output-dir && echo done"),
    ("lister-gen", Needs::Image, "lister-gen --help 2>&1 | grep -q output-dir && echo done"),
    ("kubectl", Needs::Image, "test \"$(kubectl version --client | sed -n 's/Client Version: v//p')\" = \"$VERSION\" && echo done"),
    ("kube-apiserver", Needs::Image, "test \"$(kube-apiserver --version)\" = \"Kubernetes v$VERSION\" && echo done"),
    (
        "kube-controller-manager",
        Needs::Image,
        "test \"$(kube-controller-manager --version)\" = \"Kubernetes v$VERSION\" && echo done",
    ),
];

pub fn cases() -> Vec<Case> {
    let mut cases = vec![
        Case::new(
            "each utility of the image's lists is tried here, and no other",
            Needs::Image,
            every_utility_is_tried,
        ),
        Case::new(
            "the image's labels say which utilities it has, and which are missing",
            Needs::Image,
            labels,
        ),
        Case::new(
            "docker/README.md's table of utilities is what docker/go-build/tools says",
            Needs::Image,
            table,
        ),
        Case::new(
            "the utilities are in GOPATH, too, where a caller can install another version of one",
            Needs::ArmImage,
            another_version,
        ),
        Case::new("a mount over /go hides none of the utilities", Needs::Image, mounted_gopath),
        Case::new(
            "a Kubernetes release with its checksums is taken whole; what is not as it was is refused",
            Needs::Image,
            kubernetes_release,
        ),
        Case::new(
            "where a Kubernetes release can't be reached the build says so, and which versions there are",
            Needs::Image,
            kubernetes_unreachable,
        ),
        Case::new(
            "make kubernetes-checksums writes what a release says, or nothing",
            Needs::Image,
            kubernetes_checksums,
        ),
        Case::new(
            "a Go utility is built from the caller's own proxy, and one that can't be built is named",
            Needs::ArmImage,
            own_proxy,
        ),
        Case::new(
            "GO_TOOLS names fewer utilities, or none, and none that there is not",
            Needs::ArmImage,
            fewer,
        ),
    ];
    for (name, needs, script) in DOES {
        cases.push(Case::new(
            format!("{name} does its work, or is said to be missing"),
            *needs,
            move |lab| does(lab, name, *needs, script),
        ));
    }
    cases
}

/// What the image says of each utility: its version, or that it is left out (None).
fn listed(lab: &Lab) -> Result<BTreeMap<String, Option<String>>, Failed> {
    let lists = Container::new(&lab.image).bare_sh(&format!("cat {LIST}/*"))?;
    let mut found = BTreeMap::new();
    for line in lists.ok()?.lines() {
        let [name, version, _] = line.split_whitespace().collect::<Vec<_>>()[..] else {
            return Err(format!("want PROGRAM VERSION ORIGIN, and found {line:?}").into());
        };
        found.insert(name.to_owned(), (version != "-").then(|| version.to_owned()));
    }
    Ok(found)
}

fn every_utility_is_tried(lab: &Lab) -> Verdict {
    let mut tried: Vec<_> = DOES.iter().map(|(name, _, _)| (*name).to_owned()).collect();
    tried.sort();
    ensure_eq!(listed(lab)?.into_keys().collect::<Vec<_>>(), tried);
    Ok(())
}

fn does(lab: &Lab, name: &str, needs: Needs, script: &str) -> Verdict {
    let version = listed(lab)?.remove(name).ok_or_else(|| format!("the image's lists do not have {name}"))?;
    let image = if needs == Needs::ArmImage { lab.arm_image()? } else { &lab.image };
    let container = Container::new(image).caller();
    let Some(version) = version else {
        let output = container.run(&[name])?;
        ensure_eq!(output.status, Some(127));
        return Ok(());
    };
    let script =
        format!("{ASK_PROXY}export GOFLAGS=-modcacherw VERSION={version}; cd \"$(mktemp -d)\"\n{script}");
    let output = container.sh(&script)?;
    ensure!(output.text()?.ends_with("done\n"), "{name} {version}: {}", described(&output));
    Ok(())
}

fn described(output: &Output) -> String {
    format!("exit {:?}: {}{}", output.status, String::from_utf8_lossy(&output.stdout), output.stderr)
}

fn labels(lab: &Lab) -> Verdict {
    let (mut there, mut missing) = (vec![], vec![]);
    for (name, version) in listed(lab)? {
        match version {
            Some(version) => there.push(format!("{name}@{version}")),
            None => missing.push(name),
        }
    }
    let label = |name: &str| -> Result<Vec<String>, Failed> {
        let format = format!("{{{{index .Config.Labels \"io.github.go-build.{name}\"}}}}");
        let said = docker(["image", "inspect", "--format", &format, &lab.image])?.ok()?;
        let mut words: Vec<_> = said.split_whitespace().map(str::to_owned).collect();
        words.sort();
        Ok(words)
    };
    there.sort();
    ensure_eq!(label("utilities")?, there);
    ensure_eq!(label("missing")?, missing);
    Ok(())
}

/// The table is made by docker/go-build/tools-table (make utilities-table). Its last column is of an image without a proxy.
fn table(lab: &Lab) -> Verdict {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let readme = std::fs::read_to_string(root.join("docker/README.md"))?;
    let container = Container::new(&lab.image).mount_read_only(&root.join("docker"), "/docker");
    let script =
        format!("cat {LIST}/* | /docker/go-build/tools-table /docker/go-build/tools /docker/versions");
    let made = container.bare_sh(&script)?.ok()?;
    let of_debian = listed(lab)?.values().any(Option::is_none);
    let compared = |row: &str| {
        let row = row.trim_end_matches('|');
        if of_debian { row.to_owned() } else { row.rsplit_once('|').unwrap_or_default().0.to_owned() }
    };
    let rows: Vec<_> = readme.lines().map(compared).collect();
    ensure!(made.lines().count() > 20, "the table has {} lines", made.lines().count());
    for row in made.lines() {
        ensure!(rows.contains(&compared(row)), "docker/README.md lacks (make utilities-table):\n{row}");
    }
    Ok(())
}

fn another_version(lab: &Lab) -> Verdict {
    let script = ASK_PROXY.to_owned()
        + "export GOFLAGS=-modcacherw
         test -L /go/bin/stringer
         version=$(sed -n 's/^stringer \\(.*\\) golang.org.*/\\1/p' /usr/local/share/go-build/go-tools)
         go install -tags mine golang.org/x/tools/cmd/stringer@$version
         test ! -L /go/bin/stringer && go version -m \"$(command -v stringer)\" | grep -q -- '-tags=mine' && echo done";
    let output = Container::new(lab.arm_image()?).caller().sh(&script)?;
    ensure!(output.text()?.ends_with("done\n"), "{}", described(&output));
    Ok(())
}

fn mounted_gopath(lab: &Lab) -> Verdict {
    let container = Container::new(&lab.image).caller().option("--tmpfs").option("/go:mode=1777");
    ensure_eq!(container.sh("command -v ginkgo")?.ok()?, "/usr/local/bin/ginkgo\n");
    Ok(())
}

/// A container that sees how the image is built, in which a script of that can be tried.
fn builder(image: &str) -> Container {
    let docker = Path::new(env!("CARGO_MANIFEST_DIR")).join("docker");
    Container::new(image).mount_read_only(&docker, "/docker").env("TARGETARCH", "amd64")
}

fn kubernetes_release(lab: &Lab) -> Verdict {
    let script = "mkdir -p /release/v1.99.0/bin/linux/amd64 && cd /release/v1.99.0/bin/linux/amd64
         for program in kubectl kube-apiserver kube-controller-manager; do
             echo \"#!/bin/sh\" >$program; sum=$(sha256sum $program); sums=${sums:-}${sums:+,}$program:${sum%% *}
         done
         export KUBERNETES_RELEASE=file:///release
         KUBERNETES_SHA256=$sums /docker/go-build/kubernetes 1.99.0 /out && cat /out/kubernetes && ls /out/bin && test -x /out/bin/kubectl
         echo another >>kube-apiserver
         KUBERNETES_SHA256=$sums /docker/go-build/kubernetes 1.99.0 /again 2>&1 || echo $?
         rm kubectl
         KUBERNETES_SHA256=$sums /docker/go-build/kubernetes 1.99.0 /without 2>&1 | tail -n 1";
    let said = builder(&lab.image).bare_sh(script)?.ok()?;
    ensure_eq!(
        said,
        "kubectl 1.99.0 file:///release\nkube-apiserver 1.99.0 file:///release\nkube-controller-manager 1.99.0 file:///release\n\
         kube-apiserver\nkube-controller-manager\nkubectl\n\
         kubernetes: kube-apiserver of 1.99.0 for amd64 is not what docker/versions says (make kubernetes-checksums, if you have changed KUBERNETES_VERSION)\n1\n\
         kubernetes: file:///release does not give kubectl 1.99.0 for amd64 (see above; KUBERNETES_VERSION is in docker/versions)\n"
    );
    Ok(())
}

fn kubernetes_unreachable(lab: &Lab) -> Verdict {
    // fetch-package by another that knows two suites.
    let script = "mkdir /scripts && cp /docker/go-build/kubernetes /scripts
         printf '#!/bin/sh\\ncase \"$*\" in --versions*testing*) echo 1.98.1+ds-1; echo 1.98.0-2 ;; --versions*unstable*) echo 1.98.1+ds-1 ;; esac\\n' >/scripts/fetch-package
         chmod +x /scripts/fetch-package
         KUBERNETES_RELEASE=http://127.0.0.1:9 KUBERNETES_SHA256=kubectl:0 PATH=/scripts:$PATH kubernetes 1.99.0 /out 2>/dev/null && exit 1
         KUBERNETES_RELEASE=http://127.0.0.1:9 KUBERNETES_SHA256=kubectl:0 PATH=/scripts:$PATH kubernetes 1.99.0 /out 2>&1 | tail -n 1";
    ensure_eq!(
        builder(&lab.image).bare_sh(script)?.ok()?,
        "kubernetes: http://127.0.0.1:9 can't be reached, and no suite of Debian has kubectl 1.99.0 \
         (set KUBERNETES_VERSION in docker/versions to one of: 1.98.0 1.98.1)\n"
    );
    Ok(())
}

fn kubernetes_checksums(lab: &Lab) -> Verdict {
    let script = "mkdir -p /tree/bootstrap && cd /tree && cp /docker/bootstrap/kubernetes-checksums bootstrap
         printf 'GO_VERSION=1\\nKUBERNETES_VERSION=1.99.0\\nKUBERNETES_SHA256_amd64=old\\n' >versions
         for arch in arm64 ppc64le s390x; do echo KUBERNETES_SHA256_$arch= >>versions; done
         for arch in amd64 arm64 ppc64le s390x; do
             mkdir -p /release/v1.99.0/bin/linux/$arch
             for program in kubectl kube-apiserver kube-controller-manager; do
                 echo $arch$program | sha256sum | cut -c1-64 >/release/v1.99.0/bin/linux/$arch/$program.sha256
             done
         done
         bootstrap/kubernetes-checksums file:///release amd64 arm64 ppc64le s390x
         grep -c '^KUBERNETES_SHA256_[a-z0-9]*=kubectl:[0-9a-f]\\{64\\},kube-apiserver:[0-9a-f]\\{64\\},kube-controller-manager:[0-9a-f]\\{64\\}$' versions
         cp versions before
         echo '<html>' >/release/v1.99.0/bin/linux/s390x/kubectl.sha256
         bootstrap/kubernetes-checksums file:///release amd64 arm64 ppc64le s390x 2>&1 || echo $?
         rm /release/v1.99.0/bin/linux/arm64/kubectl.sha256
         bootstrap/kubernetes-checksums file:///release amd64 arm64 ppc64le s390x 2>&1 | tail -n 1
         cmp before versions && head -n 2 versions";
    ensure_eq!(
        builder(&lab.image).bare_sh(script)?.ok()?,
        "4\n\
         kubernetes-checksums: file:///release/v1.99.0/bin/linux/s390x/kubectl.sha256 is no checksum (docker/versions is as it was)\n2\n\
         kubernetes-checksums: no answer from file:///release/v1.99.0/bin/linux/arm64/kubectl.sha256 (is there a release 1.99.0? docker/versions is as it was)\n\
         GO_VERSION=1\nKUBERNETES_VERSION=1.99.0\n"
    );
    Ok(())
}

/// What go-tools is given in a build, with the proxy of Debian's sources as somebody's own.
const TOOLS: &str = "export CACHE=/cache KUBERNETES_VERSION=1.36.4
     version=$(sed -n 's/^stringer \\(.*\\) golang.org.*/\\1/p' /usr/local/share/go-build/go-tools)
     mkdir -p /run/secrets
     if [ -e /usr/local/share/go-proxy/tools ]; then
         printf \"GOPROXY='file:///usr/local/share/go-proxy'\\nGOSUMDB='off'\\n\" >/run/secrets/go-env
     fi
     echo \"# a list\n\ngolang.org/x/tools $version stringer=cmd/stringer imports=cmd/goimports\nk8s.io/none KUBERNETES none=cmd/none\" >/tools\n";

fn own_proxy(lab: &Lab) -> Verdict {
    let script = TOOLS.to_owned()
        + "GO_TOOLS='stringer imports' /docker/go-build/go-tools /tools /out
           sed \"s/$version/V/\" /out/go-tools; ls /out/bin; /out/bin/stringer -h 2>&1 | head -n 1
           go version -m /out/bin/imports | grep -c -e trimpath=true -e CGO_ENABLED=0
           # Again: what is built already is taken, for which nothing is fetched.
           rm /run/secrets/go-env; GOPROXY=off GO_TOOLS=stringer /docker/go-build/go-tools /tools /again && ls /again/bin
           GOPROXY=off GO_TOOLS=none /docker/go-build/go-tools /tools /third 2>&1 | tail -n 1
           echo 'example.com/m v1.0.0 cmd/x' >/tools; GO_TOOLS=all /docker/go-build/go-tools /tools /fourth 2>&1 | tail -n 1";
    ensure_eq!(
        builder(lab.arm_image()?).bare_sh(&script)?.ok()?,
        "stringer V golang.org/x/tools\nimports V golang.org/x/tools\nimports\nstringer\nUsage of stringer:\n2\nstringer\n\
         go-tools: none: k8s.io/none/cmd/none@v0.36.4 can't be built (see above; GO_TOOLS=… leaves it out)\n\
         go-tools: example.com/m: cmd/x is not NAME=DIRECTORY (docker/go-build/tools)\n"
    );
    Ok(())
}

fn fewer(lab: &Lab) -> Verdict {
    let script = TOOLS.to_owned()
        + "GO_TOOLS= /docker/go-build/go-tools /tools /none && ls /none/bin && cat /none/go-tools
           GO_TOOLS='stringer strnger' /docker/go-build/go-tools /tools /two 2>&1 || echo $?
           cd /docker && GO_TOOLS= MODULES=/usr/local/share/go-proxy /docker/go-build/go-tools /tools /debian | grep -c 'left out' || true";
    ensure_eq!(
        builder(lab.arm_image()?).bare_sh(&script)?.ok()?,
        "go-tools: GO_TOOLS: there is no strnger (there are: stringer imports none)\n1\n0\n"
    );
    Ok(())
}
