// What of std has C code on other systems, threads of Windows', thread-local variables of C, and a call back into Go.
package main

/*
#cgo LDFLAGS: -lws2_32 -liphlpapi
#include <winsock2.h>
#include <windows.h>

static __thread int calls;
int callback(int);
static int count(int x) { return ++calls + callback(x); }
static unsigned long version(void) { WSADATA data; return WSAStartup(MAKEWORD(2, 2), &data) ? 0 : data.wVersion; }
*/
import "C"

import (
	"fmt"
	"net"
	"os"
	"os/user"
)

//export callback
func callback(x C.int) C.int { return 2 * x }

func main() {
	_, err := user.Current()
	_, lookup := net.LookupHost("localhost")
	fmt.Println(os.Args[1:], C.count(20), C.version(), err, lookup)
}
