# Releases: what images are called, pushing them, manifest lists, and the release's branch and tag. docker/Makefile includes this;
# docs/releasing.md says how it is used. What decides is in docker/release.

# --- variables to set ---------------------------------------------------------------------------------------------
# REGISTRIES      where images go, what stands before their names there: calico, 127.0.0.1:5000/calico … (or DEV_REGISTRIES)
# VALIDARCHES     the architectures to push and to make lists of (ARCH, else ARCHES without EXCLUDEARCH)
# BRANCH_NAME     what is pushed: a branch, a release's tag, for calico/base a date (what a pipeline says, else HEAD's release or the next one)
# RELEASE_NUMBER  the number of a release, instead of the next one
# BASE_DATE       what calico/base is tagged with, in seconds since 1970 (SOURCE_DATE_EPOCH, else HEAD's)
# CONFIRM         true: change what is outside of this machine
# DRYRUN          true: print the lines that would
# SBOM_DIR        where sbom puts the documents (target/sbom)
# GIT_REMOTE      where release-branch makes the branch and the tag (origin)
REGISTRIES ?= $(or $(DEV_REGISTRIES),calico)
ARCHES ?= amd64 arm64 ppc64le s390x
VALIDARCHES ?= $(if $(ARCH),$(arch),$(filter-out $(EXCLUDEARCH),$(ARCHES)))
GIT_REMOTE ?= origin
SBOM_DIR ?= $(docker)/../target/sbom
BRANCH_NAME ?= $(or $(SEMAPHORE_GIT_TAG_NAME),$(SEMAPHORE_GIT_WORKING_BRANCH),$(GITHUB_REF_NAME))
REVISION ?= $(shell git -C $(docker) rev-parse HEAD 2>/dev/null)
# Where the source is, for the images' labels: this checkout's origin, if that is on the web.
IMAGE_SOURCE ?= $(shell git -C $(docker) remote get-url origin 2>/dev/null | sed -n -e 's,^git@\([^:]*\):,https://\1/,' -e 's,^\(https://\)[^/@]*@,\1,' -e 's,\.git$$,,' -e '/^https:/p')

quoted = '$(subst ','\'',$(1))'
wrong_version := $(shell $(docker)/release/versions $(foreach name,GO LLVM KUBERNETES QEMU,$(call quoted,$($(name)_VERSION))) 2>&1 >/dev/null)
ifneq ($(wrong_version),)
$(error $(wrong_version))
endif

release := $(docker)/release
commit_date = $(shell git -C $(docker) log -1 --format=%ct 2>/dev/null)
is_date = $(shell echo $(call quoted,$(BRANCH_NAME)) | grep -Ex '[0-9]+')
base_date := $(or $(if $(BRANCH_NAME),$(is_date)),$(BASE_DATE),$(SOURCE_DATE_EPOCH),$(commit_date))

# What every image's labels have of the checkout, and the time that a newer BuildKit gives everything.
label_args = --build-arg REVISION=$(REVISION) --build-arg SOURCE=$(IMAGE_SOURCE) $(if $(SOURCE_DATE_EPOCH),--build-arg SOURCE_DATE_EPOCH=$(SOURCE_DATE_EPOCH))

# What the scripts go by.
released = REGISTRIES=$(call quoted,$(REGISTRIES)) ARCHES=$(call quoted,$(ARCHES)) VALIDARCHES=$(call quoted,$(VALIDARCHES)) \
	BRANCH_NAME=$(call quoted,$(BRANCH_NAME)) RELEASE_NUMBER=$(call quoted,$(RELEASE_NUMBER)) REVISION=$(call quoted,$(REVISION)) \
	VERSION=$(version) QEMU_VERSION=$(QEMU_VERSION) BASE_DATE=$(call quoted,$(base_date)) BASE_NAMES=$(call quoted,$(base_names)) \
	GO_BUILD_IMAGE=$(call quoted,$(GO_BUILD_IMAGE)) BINFMT_IMAGE=$(call quoted,$(BINFMT_IMAGE)) CALICO_BASE_IMAGE=$(call quoted,$(CALICO_BASE_IMAGE)) \
	CONFIRM=$(call quoted,$(CONFIRM)) DRYRUN=$(call quoted,$(DRYRUN)) GOAL=$(call quoted,$(firstword $(MAKECMDGOALS)))

REGISTRY_TAG ?= $(GO_BUILD_IMAGE)-registry:$(arch)

##@ releases
# Registries are asked which numbers are taken only where somebody has named them: this is to work without a network.
print-tags: ## every name that the images get (ARCH: those of one architecture)
	@$(released) ASK=$(if $(filter-out default undefined file,$(origin REGISTRIES) $(origin DEV_REGISTRIES)),true) $(release)/print-tags go-build binfmt base

sbom: ## the SBOM of each image that is here, for VALIDARCHES, into SBOM_DIR
	@$(released) $(release)/sbom $(call quoted,$(SBOM_DIR))

push: confirmed ## this machine's images to REGISTRIES (CONFIRM=true, or DRYRUN=true)
	@$(released) $(release)/push go-build binfmt base

push-manifests: confirmed ## lists of what was pushed for each architecture
	@$(released) $(release)/manifests go-build binfmt base

push-calico-go-build push-calico-binfmt push-calico-base: push-calico-%: confirmed
	@$(released) $(release)/push $*

push-calico-go-build-manifests push-calico-binfmt-manifests push-calico-base-manifests: push-calico-%-manifests: confirmed
	@$(released) $(release)/manifests $*

# What pipelines call, under the names that they know: the images of VALIDARCHES, built and pushed. The lists of go-build are made when
# every machine has pushed its own.
cd: calico-go-build-cd push-calico-go-build-manifests calico-binfmt-cd calico-base-cd ## build, push and list everything

calico-go-build-cd: confirmed calico-go-build-of-each push-calico-go-build

calico-binfmt-cd: confirmed calico-binfmt-of-each push-calico-binfmt push-calico-binfmt-manifests

calico-base-cd: confirmed calico-base-of-each push-calico-base push-calico-base-manifests

calico-go-build-of-each calico-binfmt-of-each calico-base-of-each: calico-%-of-each: confirmed
	@for arch in $(VALIDARCHES); do \
		if [ "$(DRYRUN)" = true ]; then echo "make calico-$*-image ARCH=$$arch"; \
		else $(MAKE) --no-print-directory -C $(docker) calico-$*-image ARCH=$$arch || exit; fi; \
	done

# BAKE: what of docker-bake.hcl, and options: --print, --load, go-build-arm64 …
BUILDERS ?= $(own_arch)
GO_MODULES ?= proxy
bake_variables := ARCHES BUILDERS GO_VERSION LLVM_VERSION KUBERNETES_VERSION QEMU_VERSION GO_BUILD_IMAGE BINFMT_IMAGE CALICO_BASE_IMAGE BASE_IMAGE \
	GO_IMAGE UBI_VERSIONS BASE_BASEIMG BASE_CLEANUP_LEVEL DEBIAN_MIRROR DEBIAN_CHECK_VALID_UNTIL GO_MODULES GO_TOOLS KUBERNETES_RELEASE $(ARCHES:%=KUBERNETES_SHA256_%) \
	REVISION IMAGE_SOURCE
bake: ## every image for every architecture by one BuildKit or many, as docker-bake.hcl has it (BAKE: targets, options)
	@$(foreach variable,$(bake_variables),$(variable)=$(call quoted,$($(variable)))) VERSION=$(version) BASE_DATE=$(call quoted,$(base_date)) \
		REGISTRIES=$(call quoted,$(REGISTRIES)) CONFIRM=$(call quoted,$(CONFIRM)) DRYRUN=$(call quoted,$(DRYRUN)) \
		$(release)/bake $(BAKE)

registry-image: own-arch debian-image ## a registry, and what reads the definitions of pipelines, for tests/release
	@$(docker)/bootstrap/build --tag $(REGISTRY_TAG) \
		--build-arg BASE_IMAGE=$(BASE_IMAGE) \
		$(docker)/../tests/release

release-branch: confirmed ## the release branch and the tag that docker/versions asks for, at GIT_REMOTE
	@$(released) $(release)/branch $(GIT_REMOTE)

confirmed:
	@$(released) $(release)/confirmed $(firstword $(MAKECMDGOALS))

.PHONY: print-tags sbom push push-manifests push-calico-go-build push-calico-binfmt push-calico-base push-calico-go-build-manifests \
	push-calico-binfmt-manifests push-calico-base-manifests cd calico-go-build-cd calico-binfmt-cd calico-base-cd calico-go-build-of-each \
	calico-binfmt-of-each calico-base-of-each bake registry-image release-branch confirmed
