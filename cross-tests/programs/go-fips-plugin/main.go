// A plugin that says whether Go's FIPS 140 mode is on.
package main

import "C"

import (
	"crypto/fips140"
	"fmt"
)

func Say() { fmt.Println("plugin", fips140.Enabled()) }
