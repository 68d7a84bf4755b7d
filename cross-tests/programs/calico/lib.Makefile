# What Calico's Makefiles call the go-build image with, by the names that they have there (projectcalico/calico, lib.Makefile,
# felix/Makefile, in August 2026): the command lines that the image has to serve. The values are ours.
# calico_lines.rs runs recipes with this: make -C felix -f - ARCH=arm64.

BUILDOS := linux
BUILDARCH ?= amd64
ARCH ?= $(BUILDARCH)
PACKAGE_NAME ?= github.com/projectcalico/calico/felix

CALICO_BUILD = $(GO_BUILD_IMAGE):$(GO_BUILD_VER)

LOCAL_USER_ID ?= $(shell id -u)
LOCAL_GROUP_ID ?= $(shell id -g)
REPO_ROOT := $(shell git rev-parse --show-toplevel)
CERTS_PATH := $(REPO_ROOT)/hack/test/certs
GIT_CONFIG_SSH ?= git config --global url."ssh://git@github.com/".insteadOf "https://github.com/";
CALICO_API_GROUP ?= crd.projectcalico.org/v1

BUILD_ID := 0123456789abcdef0123456789abcdef01234567
LDFLAGS = -X github.com/projectcalico/calico/pkg/buildinfo.Version=v3.99.0-0.dev \
	-X github.com/projectcalico/calico/pkg/buildinfo.BuildDate=2026-08-22T06:33:20+0000 \
	-X github.com/projectcalico/calico/pkg/buildinfo.GitRevision=$(BUILD_ID) \
	-B 0x$(BUILD_ID)

# --- for another architecture ---
CLANG_CROSS_TRIPLE_arm64   := aarch64-linux-gnu
CLANG_CROSS_TRIPLE_ppc64le := powerpc64le-linux-gnu
CLANG_CROSS_TRIPLE_s390x   := s390x-linux-gnu
ifeq ($(BUILDARCH),amd64)
ifneq ($(ARCH),amd64)
CROSS_TRIPLE := $(CLANG_CROSS_TRIPLE_$(ARCH))
CROSS_SYSROOT := /usr/$(CROSS_TRIPLE)/sys-root
# Empty, where the caller leaves it to the image.
CROSS_CC ?= clang --target=$(CROSS_TRIPLE) --sysroot=$(CROSS_SYSROOT)
CROSS_LDFLAGS ?= -fuse-ld=lld
endif
endif
RUST_TARGET_amd64 := x86_64-unknown-linux-gnu
RUST_TARGET_arm64 := aarch64-unknown-linux-gnu
ifeq ($(BUILDARCH),amd64)
ifneq ($(ARCH),amd64)
RUST_CROSS_ENV := \
	-e CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_LINKER=clang \
	-e CARGO_TARGET_AARCH64_UNKNOWN_LINUX_GNU_RUSTFLAGS="-C link-arg=--target=$(CROSS_TRIPLE) -C link-arg=--sysroot=$(CROSS_SYSROOT) -C link-arg=-fuse-ld=lld" \
	-e CC_aarch64_unknown_linux_gnu=clang \
	-e CXX_aarch64_unknown_linux_gnu=clang++ \
	-e AR_aarch64_unknown_linux_gnu=$(CROSS_TRIPLE)-ar \
	-e CFLAGS_aarch64_unknown_linux_gnu="--sysroot=$(CROSS_SYSROOT) -fuse-ld=lld" \
	-e CXXFLAGS_aarch64_unknown_linux_gnu="--sysroot=$(CROSS_SYSROOT) -fuse-ld=lld" \
	-e BINDGEN_EXTRA_CLANG_ARGS_aarch64_unknown_linux_gnu="--target=$(CROSS_TRIPLE) --sysroot=$(CROSS_SYSROOT) -I$(CROSS_SYSROOT)/usr/include"
endif
endif

# --- a worktree, whose .git is a file ---
_GIT_DIR := $(shell git rev-parse --absolute-git-dir)
_GIT_COMMON_DIR := $(realpath $(shell git rev-parse --git-common-dir))
ifneq ($(_GIT_DIR),$(_GIT_COMMON_DIR))
DOCKER_GIT_WORK_TREE ?= /go/src/github.com/projectcalico/calico
DOCKER_GIT_WORKTREE_ARGS := \
	-v $(_GIT_COMMON_DIR):$(_GIT_COMMON_DIR):ro \
	-e GIT_DIR=$(_GIT_DIR) \
	-e GIT_WORK_TREE=$(DOCKER_GIT_WORK_TREE)
endif

# --- the containers ---
EXTRA_DOCKER_ARGS += -v $(GOMOD_CACHE):/go/pkg/mod:rw
GOARCH_FLAGS := -e GOARCH=$(ARCH)
ifeq ($(ARCH),amd64)
GOARCH_FLAGS += -e GOAMD64=v2
endif

DOCKER_RUN_PRIV_NET := mkdir -p $(REPO_ROOT)/.go-pkg-cache bin $(GOMOD_CACHE) && \
	docker run --rm \
		--init \
		$(EXTRA_DOCKER_ARGS) \
		$(DOCKER_GIT_WORKTREE_ARGS) \
		-e LOCAL_USER_ID=$(LOCAL_USER_ID) \
		-e GOCACHE=/go-cache \
		$(GOARCH_FLAGS) \
		-e GOPATH=/go \
		-e OS=$(BUILDOS) \
		-e GOOS=$(BUILDOS) \
		-e CALICO_API_GROUP=$(CALICO_API_GROUP) \
		-e "GOFLAGS=$(GOFLAGS)" \
		-v $(REPO_ROOT):/go/src/github.com/projectcalico/calico:rw \
		-v $(REPO_ROOT)/.go-pkg-cache:/go-cache:rw \
		-w /go/src/$(PACKAGE_NAME)

DOCKER_RUN := $(DOCKER_RUN_PRIV_NET) --net=host

DOCKER_GO_BUILD := $(DOCKER_RUN) $(CALICO_BUILD)

DOCKER_RUST_BUILD := mkdir -p bin && \
	docker run --rm \
		--init \
		--user $(LOCAL_USER_ID):$(LOCAL_GROUP_ID) \
		$(EXTRA_DOCKER_ARGS) \
		-e CARGO_BUILD_TARGET=$(RUST_TARGET_$(ARCH)) \
		$(RUST_CROSS_ENV) \
		-v $(REPO_ROOT):/rust/src/github.com/projectcalico/calico:rw \
		-w /rust/src/$(PACKAGE_NAME) \
		$(CALICO_BUILD)

# --- felix ---
LIBBPF_CONTAINER_PATH = /go/src/github.com/projectcalico/calico/felix/bpf-gpl/libbpf/src
BPFGPL_CONTAINER_PATH = /go/src/github.com/projectcalico/calico/felix/bpf-gpl
ARCH_CGO_CFLAGS =
ifeq ($(ARCH),ppc64le)
ARCH_CGO_CFLAGS = -D__SANE_USERSPACE_TYPES__
endif
CGO_LDFLAGS = "-L$(LIBBPF_CONTAINER_PATH)/$(ARCH) $(CROSS_LDFLAGS) -lbpf -lelf -lz"
CGO_CFLAGS = "-I$(LIBBPF_CONTAINER_PATH) -I$(BPFGPL_CONTAINER_PATH) $(ARCH_CGO_CFLAGS)"
DOCKER_GO_BUILD_CGO = $(DOCKER_RUN) -e CGO_ENABLED=1 $(if $(CROSS_CC),-e CC="$(CROSS_CC)") -e CGO_LDFLAGS=$(CGO_LDFLAGS) -e CGO_CFLAGS=$(CGO_CFLAGS) $(CALICO_BUILD)

define build_cgo_binary
	$(DOCKER_RUN) \
		-e CGO_ENABLED=1 \
		$(if $(CROSS_CC),-e CC="$(CROSS_CC)") \
		-e CGO_CFLAGS=$(CGO_CFLAGS) \
		-e CGO_LDFLAGS=$(CGO_LDFLAGS) \
		$(CALICO_BUILD) \
		sh -c '$(GIT_CONFIG_SSH) go build -o $(2) -v -buildvcs=false -ldflags "$(LDFLAGS)" $(1)'
endef

define build_binary
	$(DOCKER_RUN) \
		-e CGO_ENABLED=0 \
		$(CALICO_BUILD) \
		sh -c '$(GIT_CONFIG_SSH) go build -o $(2) -v -buildvcs=false -ldflags "$(LDFLAGS)" $(1)'
endef

define build_windows_binary
	$(DOCKER_RUN) \
		-e CGO_ENABLED=0 \
		-e GOARCH=amd64 \
		-e GOOS=windows \
		$(CALICO_BUILD) \
		sh -c '$(GIT_CONFIG_SSH) go build -o $(2) -v -buildvcs=false -ldflags "$(LDFLAGS) -s -w" $(1)'
endef

define get_remote_version
	$(shell $(DOCKER_RUN) $(CALICO_BUILD) sh -c '$(GIT_CONFIG_SSH) echo "commit-tag:$$(git ls-remote https://$(1) $(2) | cut -f1)"' | awk -F "commit-tag:" '{print $$2}')
endef

LINT_ARGS ?= --max-issues-per-linter 0 --max-same-issues 0 --timeout 8m
