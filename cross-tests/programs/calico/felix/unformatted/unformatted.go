package unformatted

import (
	"github.com/projectcalico/calico/felix/bpf/libbpf"
	"fmt"
)

func Say() string { return fmt.Sprint(libbpf.Version(), ) }
