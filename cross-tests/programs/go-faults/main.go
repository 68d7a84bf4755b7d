// FAULT=NAME go-faults: commits one fault, in C or in Go, that a sanitizer finds. (Without os and fmt, whose packages Go
// would compile anew for each sanitizer.)
package main

/*
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int asked(const char *fault) { return !strcmp(getenv("FAULT"), fault); }

static void in_c(int i) {
    volatile char *block = malloc(8);
    if (asked("overflow")) i += 8;
    if (asked("overflow") || asked("uninitialised")) {
        if (block[i]) puts("not zero");
    }
    free((void *)block);
}

static int race(void) { return asked("race"); }
static void done(void) { puts("done"); fflush(stdout); }
*/
import "C"

func main() {
	C.in_c(0)
	if C.race() != 0 {
		shared, done := 0, make(chan bool)
		for range 2 {
			go func() {
				for range 1000 {
					shared++
				}
				done <- true
			}()
		}
		<-done
		<-done
	}
	C.done()
}
