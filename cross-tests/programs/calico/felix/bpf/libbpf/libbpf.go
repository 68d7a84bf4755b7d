//go:build cgo && linux

// Package libbpf is what felix asks of libbpf, by cgo.
package libbpf

// #cgo CFLAGS: -I${SRCDIR}/../../bpf-gpl/libbpf/src -I${SRCDIR}/../../bpf-gpl/libbpf/include/uapi -I${SRCDIR}/../../bpf-gpl -Werror
// #cgo amd64 LDFLAGS: -L${SRCDIR}/../../bpf-gpl/libbpf/src/amd64 -lbpf -lelf -lz
// #cgo arm64 LDFLAGS: -L${SRCDIR}/../../bpf-gpl/libbpf/src/arm64 -lbpf -lelf -lz
// #cgo ppc64le LDFLAGS: -L${SRCDIR}/../../bpf-gpl/libbpf/src/ppc64le -lbpf -lelf -lz
// #cgo s390x LDFLAGS: -L${SRCDIR}/../../bpf-gpl/libbpf/src/s390x -lbpf -lelf -lz
// #include <stdlib.h>
// #include "libbpf_api.h"
import "C"

import (
	"os"
	"unsafe"
)

// Version is the library's own.
func Version() string { return C.GoString(C.libbpf_version_string()) }

// Checksum is zlib's.
func Checksum(text string) uint32 {
	bytes := C.CString(text)
	defer C.free(unsafe.Pointer(bytes))
	return uint32(C.bpf_checksum(unsafe.Pointer(bytes), C.size_t(len(text))))
}

// IsELF asks libelf about this program.
func IsELF() bool {
	path, err := os.Executable()
	if err != nil {
		return false
	}
	name := C.CString(path)
	defer C.free(unsafe.Pointer(name))
	return C.bpf_object__sections(name) > 0
}
