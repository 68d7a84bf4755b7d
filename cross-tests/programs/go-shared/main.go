// A library in Go, for programs in C.
package main

import "C"

import "runtime"

//export Greet
func Greet(name *C.char) *C.char {
	return C.CString("hello " + C.GoString(name) + " from Go on " + runtime.GOOS + "/" + runtime.GOARCH)
}

func main() {}
