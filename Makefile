# `make help` lists what there is. The targets for images are docker/Makefile's, which also works by itself
# (make -C images …).
.DEFAULT_GOAL := help

include docker/Makefile

##@ gb
build: ## gb itself, static: target/release/gb
	cargo static

test: build test-image peers-image register ## everything: unit, CLI, entrypoint and cross tests; nothing is left out
	GB_TEST_REQUIRE=all GB_TEST_IMAGE=$(GO_BUILD_TAG) GB_TEST_ARM_IMAGE=$(TEST_TAG) \
		GB_TEST_PEERS_IMAGE=$(PEERS_TAG) GB_TEST_GB=$${CARGO_TARGET_DIR:-target}/release/gb cargo test --locked

bench: image ## what gb costs over what it becomes
	@docker run --rm --interactive --entrypoint bash $(GO_BUILD_TAG) -s <benches/overhead

.PHONY: build test bench
