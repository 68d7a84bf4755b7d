// calico-felix-docgen writes to standard output, which its caller keeps.
package main

import (
	"flag"
	"fmt"
	"runtime"
)

func main() {
	format := flag.String("format", "json", "")
	flag.Parse()
	fmt.Printf("{%q: %q}\n", *format, runtime.GOARCH)
}
