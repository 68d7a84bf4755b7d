// calico-windows is for Windows alone.
package main

import (
	"fmt"
	"net"
	"os/user"

	"example.com/greeting"

	"github.com/projectcalico/calico/felix/bpf/libbpf"
)

func main() {
	_, _ = user.Current()
	_, _ = net.LookupHost("localhost")
	fmt.Println(greeting.For("windows"), libbpf.Version())
}
