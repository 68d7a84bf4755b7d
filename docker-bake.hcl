# Every image for every architecture, for one BuildKit or many: make bake (docs/releasing.md). Make sets the variables, from docker/versions
# and what docker/Makefile is told.
#
# The same as make builds with any engine, and held to that by tests/release/bake.rs: what is changed here or there is changed in both.
# It takes a BuildKit of 0.10 or later, which can hand the result of one target to another. SOURCE_DATE_EPOCH the plugin itself takes from
# the environment.

variable "ARCHES" { default = "amd64 arm64 ppc64le s390x" }
variable "GO_VERSION" {}
variable "LLVM_VERSION" {}
variable "KUBERNETES_VERSION" {}
variable "QEMU_VERSION" {}
variable "VERSION" { default = "${GO_VERSION}-llvm${LLVM_VERSION}-k8s${KUBERNETES_VERSION}" }
variable "GO_BUILD_IMAGE" { default = "calico/go-build" }
variable "BINFMT_IMAGE" { default = "calico/binfmt" }
variable "CALICO_BASE_IMAGE" { default = "calico/base" }
variable "BASE_IMAGE" { default = "debian:trixie-slim" }
variable "GO_IMAGE" { default = "golang:${GO_VERSION}" }
variable "UBI_VERSIONS" { default = "ubi9 ubi10" }
variable "BASE_BASEIMG" { default = "" }
variable "BASE_CLEANUP_LEVEL" { default = "stripped" }
variable "BASE_DATE" { default = "" }
# true: names are those at a registry, where calico/base has one of its date, too (docker/release/bake).
variable "PUSHED" { default = "" }
variable "DEBIAN_MIRROR" { default = "" }
variable "DEBIAN_CHECK_VALID_UNTIL" { default = "" }
variable "GO_MODULES" { default = "proxy" }
variable "GO_TOOLS" { default = "all" }
variable "KUBERNETES_RELEASE" { default = "https://dl.k8s.io" }
variable "KUBERNETES_SHA256_amd64" { default = "" }
variable "KUBERNETES_SHA256_arm64" { default = "" }
variable "KUBERNETES_SHA256_ppc64le" { default = "" }
variable "KUBERNETES_SHA256_s390x" { default = "" }
# What labels say of the utilities that there are, of each architecture: made of the target utilities (docker/release/bake).
variable "UTILITIES_amd64" { default = "" }
variable "UTILITIES_arm64" { default = "" }
variable "UTILITIES_ppc64le" { default = "" }
variable "UTILITIES_s390x" { default = "" }
variable "MISSING_amd64" { default = "" }
variable "MISSING_arm64" { default = "" }
variable "MISSING_ppc64le" { default = "" }
variable "MISSING_s390x" { default = "" }
variable "LISTS" { default = "target/utilities" }
variable "REVISION" { default = "" }
variable "IMAGE_SOURCE" { default = "" }
# The architectures of the machines that build. An image for another one takes from that of the first what is the same in both.
variable "BUILDERS" { default = ARCHES }
# Whose results an image takes: of the machine that builds it, as a builder hands nothing to another one. That is one of its own
# architecture, else the first.
function "on" {
  params = [arch]
  result = contains(split(" ", BUILDERS), arch) ? arch : element(split(" ", BUILDERS), 0)
}
# The network of a build's steps (which older plugins do not read), and the certificates that they trust.
variable "BUILD_NETWORK" { default = "default" }
variable "CA_BUNDLE" { default = "" }
variable "GO_ENV" { default = "" }

group "default" { targets = ["go-build", "binfmt", "base"] }

# --- what they have in common -----------------------------------------------------------------------------------------
target "build" {
  context = "."
  network = BUILD_NETWORK
  secret  = concat(CA_BUNDLE == "" ? [] : ["id=ca,src=${CA_BUNDLE}"], GO_ENV == "" ? [] : ["id=go-env,src=${GO_ENV}"])
}

target "image" {
  inherits = ["build"]
  args = {
    REVISION = REVISION
    SOURCE   = IMAGE_SOURCE
    GB_IMAGE = "built-gb"
  }
}

# gb, for the machine that an image is for and for those that build.
target "gb" {
  inherits   = ["build"]
  name       = "gb-${arch}"
  matrix     = { arch = distinct(split(" ", "${ARCHES} ${BUILDERS}")) }
  dockerfile = "docker/gb/Dockerfile"
  platforms  = ["linux/${arch}"]
  args = {
    BASE_IMAGE    = BASE_IMAGE
    DEBIAN_MIRROR = DEBIAN_MIRROR
  }
}

# --- the images -------------------------------------------------------------------------------------------------------
target "go-build" {
  inherits   = ["image"]
  name       = "go-build-${arch}"
  matrix     = { arch = split(" ", ARCHES) }
  dockerfile = "docker/go-build/Dockerfile"
  platforms  = ["linux/${arch}"]
  tags       = ["${GO_BUILD_IMAGE}:${VERSION}-${arch}", "${GO_BUILD_IMAGE}:latest-${arch}"]
  contexts = merge(
    { for gb in distinct([arch, on(arch)]) : "built-gb::linux/${gb}" => "target:gb-${gb}" },
    on(arch) == arch ? {} : { "built-own::linux/${on(arch)}" = "target:go-build-${on(arch)}" },
  )
  args = {
    BASE_IMAGE               = BASE_IMAGE
    OWN_BASE_IMAGE           = BASE_IMAGE
    OWN_IMAGE                = on(arch) == arch ? "" : "built-own"
    OWN_GB_IMAGE             = "built-gb"
    GO_IMAGE                 = GO_IMAGE
    GO_MODULES               = GO_MODULES
    GO_TOOLS                 = GO_TOOLS
    DEBIAN_MIRROR            = DEBIAN_MIRROR
    DEBIAN_CHECK_VALID_UNTIL = DEBIAN_CHECK_VALID_UNTIL
    GO_VERSION               = GO_VERSION
    LLVM_VERSION             = LLVM_VERSION
    KUBERNETES_VERSION       = KUBERNETES_VERSION
    KUBERNETES_RELEASE       = KUBERNETES_RELEASE
    KUBERNETES_SHA256 = lookup({
      amd64   = KUBERNETES_SHA256_amd64
      arm64   = KUBERNETES_SHA256_arm64
      ppc64le = KUBERNETES_SHA256_ppc64le
      s390x   = KUBERNETES_SHA256_s390x
    }, arch, "")
    VERSION = VERSION
    UTILITIES = lookup({
      amd64   = UTILITIES_amd64
      arm64   = UTILITIES_arm64
      ppc64le = UTILITIES_ppc64le
      s390x   = UTILITIES_s390x
    }, arch, "")
    MISSING = lookup({
      amd64   = MISSING_amd64
      arm64   = MISSING_arm64
      ppc64le = MISSING_ppc64le
      s390x   = MISSING_s390x
    }, arch, "")
  }
}

# What there is of utilities, into a directory for each architecture.
target "utilities" {
  inherits = ["go-build-${arch}"]
  name     = "utilities-${arch}"
  matrix   = { arch = split(" ", ARCHES) }
  target   = "utilities"
  tags     = []
  output   = ["type=local,dest=${LISTS}/${arch}"]
}

target "binfmt" {
  inherits   = ["image"]
  contexts   = { for gb in distinct([arch, on(arch)]) : "built-gb::linux/${gb}" => "target:gb-${gb}" }
  name       = "binfmt-${arch}"
  matrix     = { arch = split(" ", ARCHES) }
  dockerfile = "docker/binfmt/Dockerfile"
  platforms  = ["linux/${arch}"]
  tags       = ["${BINFMT_IMAGE}:qemu-v${QEMU_VERSION}-${arch}", "${BINFMT_IMAGE}:latest-${arch}"]
  args = {
    BASE_IMAGE        = BASE_IMAGE
    OWN_GB_IMAGE      = "built-gb"
    DEBIAN_MIRROR     = DEBIAN_MIRROR
    EMULATORS_VERSION = QEMU_VERSION
  }
}

target "base" {
  inherits   = ["image"]
  contexts   = { for gb in distinct([arch, on(arch)]) : "built-gb::linux/${gb}" => "target:gb-${gb}" }
  name       = BASE_BASEIMG == "" ? "base-${ubi}-${arch}" : "base-${arch}"
  matrix = {
    ubi  = BASE_BASEIMG == "" ? split(" ", UBI_VERSIONS) : [""]
    arch = split(" ", ARCHES)
  }
  dockerfile = "docker/calico-base/Dockerfile"
  platforms  = ["linux/${arch}"]
  tags = concat(
    ["${CALICO_BASE_IMAGE}:${BASE_BASEIMG == "" ? "${ubi}-" : ""}latest-${arch}"],
    PUSHED == "" ? [] : ["${CALICO_BASE_IMAGE}:${BASE_BASEIMG == "" ? "${ubi}-" : ""}${BASE_DATE}-${arch}"],
  )
  args = {
    BASE_BASEIMG       = BASE_BASEIMG == "" ? "redhat/${ubi}-minimal:latest" : BASE_BASEIMG
    BASE_NAME          = BASE_BASEIMG == "" ? "redhat/${ubi}-minimal:latest" : BASE_BASEIMG
    BASE_CLEANUP_LEVEL = BASE_CLEANUP_LEVEL
    VERSION            = "${BASE_BASEIMG == "" ? "${ubi}-" : ""}${BASE_DATE}"
  }
}
