// Lets C say what it was built for.
package main

/*
#cgo 386 CFLAGS: -DGOARCH_386
#cgo amd64 CFLAGS: -DGOARCH_amd64
#cgo arm CFLAGS: -DGOARCH_arm
#cgo arm64 CFLAGS: -DGOARCH_arm64
#cgo ppc64le CFLAGS: -DGOARCH_ppc64le
#cgo riscv64 CFLAGS: -DGOARCH_riscv64
#cgo s390x CFLAGS: -DGOARCH_s390x
#include "hello.h"
*/
import "C"

func main() {
	C.hello()
}
