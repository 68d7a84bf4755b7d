// A program that uses a library of the target, found by pkg-config.
package main

/*
#cgo pkg-config: libpcap
#include <pcap/pcap.h>
#include <stdio.h>

static void say(void) {
	puts(pcap_lib_version());
	fflush(stdout);
}
*/
import "C"

func main() {
	C.say()
}
