// A program without C code.
package main

import (
	"fmt"
	"runtime"
)

func main() {
	fmt.Printf("hello %s/%s\n", runtime.GOOS, runtime.GOARCH)
}
