// A program that uses a library of the target, found by pkg-config.
package main

// #cgo pkg-config: libpcap
// #include <pcap/pcap.h>
import "C"

import "fmt"

func main() {
	fmt.Println(C.GoString(C.pcap_lib_version()))
}
