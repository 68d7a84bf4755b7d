// Loads the plugin beside it.
package main

import (
	"crypto/fips140"
	"os"
	"plugin"
)

func main() {
	_ = fips140.Enabled()
	loaded, err := plugin.Open("plugin.so")
	if err != nil {
		panic(err)
	}
	say, err := loaded.Lookup("Say")
	if err != nil {
		panic(err)
	}
	say.(func())()
	os.Exit(0)
}
