# `make help` lists what there is. The targets for images are docker/Makefile's, which also works by itself
# (make -C images …).
.DEFAULT_GOAL := help

include docker/Makefile

##@ gb
build: ## gb itself, static: target/release/gb
	cargo static

# (setpriv: a make that is killed takes cargo with it; the tests end with cargo, and what they have started with them.)
test: build test-image peers-image packages-image registry-image register foreign-base-image foreign-host-image ## unit, CLI, entrypoint, package, release and cross tests
	exec env GB_TEST_REQUIRE=all GB_TEST_IMAGE=$(GO_BUILD_TAG) GB_TEST_ARM_IMAGE=$(TEST_TAG) GB_TEST_BINFMT_IMAGE=$(BINFMT_TAG) \
		GB_TEST_BASE_IMAGES="$(firstword $(BASE_TAGS)) $(FOREIGN_BASE_TAG)" GB_TEST_HOST_IMAGES=$(FOREIGN_HOST_TAG) GB_TEST_PEERS_IMAGE=$(PEERS_TAG) \
		GB_TEST_PACKAGES_IMAGE=$(PACKAGES_TAG) GB_TEST_REGISTRY_IMAGE=$(REGISTRY_TAG) \
		GB_TEST_RELEASED_IMAGES="$(GO_BUILD_TAG) $(BINFMT_TAG) $(BASE_TAGS) $(FOREIGN_BASE_TAG) $(FOREIGN_HOST_TAG)" GB_TEST_GB=$${CARGO_TARGET_DIR:-target}/release/gb \
		setpriv --pdeathsig TERM cargo test --locked

# One of another architecture than this machine's, and of the other byte order.
foreign := $(if $(filter s390x,$(own_arch)),amd64,s390x)
FOREIGN_BASE_TAG := $(CALICO_BASE_IMAGE):$(firstword $(UBI_VERSIONS))-latest-$(foreign)
foreign-base-image: register
	@$(MAKE) --silent -C $(docker) calico-base-image ARCH=$(foreign) UBI_VERSIONS=$(firstword $(UBI_VERSIONS))

# The go-build image of another machine.
foreign_host := $(if $(filter arm64,$(own_arch)),amd64,arm64)
FOREIGN_HOST_TAG := $(GO_BUILD_IMAGE):$(version)-$(foreign_host)
foreign-host-image: image register
	@$(MAKE) --silent -C $(docker) calico-go-build-image ARCH=$(foreign_host)

test-matrix: register image-all ## build hello-cgo in the image of each architecture for each target, and run it: a table
	@$(docker)/matrix $(OWN_TAG) $(arches:%=$(GO_BUILD_IMAGE):$(version)-%)

bench: build image peers-image ## what gb costs over what it becomes, and beside programs that do the same
	@cat benches/pairs benches/overhead | docker run --rm --interactive --env RUN_AS_ROOT=true --entrypoint bash $(GO_BUILD_TAG) -s
	@cat benches/pairs benches/users | docker run --rm --interactive --volume $(CURDIR)/target/release/gb:/usr/local/bin/gb:ro \
		--volume $(CURDIR)/target/release/gb:/usr/local/bin/su-exec:ro --entrypoint bash $(PEERS_TAG) -s

# cargo-fuzz asks for a nightly compiler because of the flags that it gives; RUSTC_BOOTSTRAP lets a stable one take them.
# What is found to be of interest is kept beside the build, so that the seeds stay as they are.
SECONDS ?= 60
FUZZ_TARGETS ?= $(patsubst fuzz/fuzz_targets/%.rs,%,$(wildcard fuzz/fuzz_targets/*.rs))
fuzz: ## give random account files, requests, kernel entries, package databases and archives to gb, SECONDS=60 for each of FUZZ_TARGETS
	@command -v cargo-fuzz >/dev/null || { echo 'make fuzz: cargo-fuzz is missing (cargo install cargo-fuzz)' >&2; exit 1; }
	@set -e; cd fuzz; for target in $(FUZZ_TARGETS); do \
		corpus=$${CARGO_TARGET_DIR:-target}/corpus/$$target; mkdir -p "$$corpus"; \
		RUSTC_BOOTSTRAP=1 nice cargo fuzz run $$target "$$corpus" corpus/$$target -- \
			-max_total_time=$(SECONDS) -max_len=4096 -timeout=10 -dict=dictionary -verbosity=0 -print_final_stats=1; \
	done

.PHONY: build test foreign-base-image foreign-host-image test-matrix bench fuzz
