// A library for C that says whether Go's FIPS 140 mode is on.
package main

import "C"

import "crypto/fips140"

//export Fips
func Fips() C.int {
	if fips140.Enabled() {
		return 1
	}
	return 0
}

func main() {}
