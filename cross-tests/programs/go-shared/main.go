// A library in Go, for programs in C.
package main

import "C"

import (
	"fmt"
	"runtime"
)

//export Greet
func Greet(name *C.char) *C.char {
	return C.CString(fmt.Sprintf("hello %s from Go on %s/%s", C.GoString(name), runtime.GOOS, runtime.GOARCH))
}

func main() {}
