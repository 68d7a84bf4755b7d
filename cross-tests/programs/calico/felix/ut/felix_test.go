package ut

import (
	"testing"

	"github.com/projectcalico/calico/felix/bpf/libbpf"
)

func TestChecksum(t *testing.T) {
	if sum := libbpf.Checksum("calico"); sum != 0x3edb7e13 {
		t.Fatalf("%08x", sum)
	}
}
