// Prints what a library of the caller's says, found by pkg-config.
package main

// #cgo pkg-config: dep
// #include <dep.h>
import "C"

import "fmt"

func main() { fmt.Println(C.GoString(C.dep())) }
