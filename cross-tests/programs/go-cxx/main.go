// A program in Go and C++.
package main

// const char *caught(void);
import "C"

import "fmt"

func main() {
	fmt.Println(C.GoString(C.caught()))
}
