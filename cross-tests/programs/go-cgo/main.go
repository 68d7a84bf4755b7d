// A program in Go and C that call each other. It needs next to nothing of std, so that a cold cache is filled soon.
package main

/*
#include <stdlib.h>

void say(const char *goos, const char *goarch);
*/
import "C"

import (
	"runtime"
	"unsafe"
)

//export answer
func answer(half C.int) C.int {
	return 2 * half
}

func main() {
	goos, goarch := C.CString(runtime.GOOS), C.CString(runtime.GOARCH)
	defer C.free(unsafe.Pointer(goos))
	defer C.free(unsafe.Pointer(goarch))
	C.say(goos, goarch)
}
