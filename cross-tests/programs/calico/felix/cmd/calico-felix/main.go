// calico-felix says what it was built with.
package main

import (
	"fmt"
	"runtime"

	"example.com/greeting"

	"github.com/projectcalico/calico/felix/bpf/libbpf"
	"github.com/projectcalico/calico/pkg/buildinfo"
)

func main() {
	fmt.Printf("%s %s/%s %s %s %08x %v\n", greeting.For("felix"), runtime.GOOS, runtime.GOARCH, buildinfo.Version,
		libbpf.Version(), libbpf.Checksum("calico"), libbpf.IsELF())
}
