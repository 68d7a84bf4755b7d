// Prints whether it runs in Go's FIPS 140 mode. Go checks the module's checksum before main, and panics where it differs.
package main

// int one(void) { return 1; }
import "C"

import (
	"crypto/fips140"
	"fmt"
)

func main() { fmt.Println("fips", fips140.Enabled(), C.one()) }
