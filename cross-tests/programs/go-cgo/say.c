#include "_cgo_export.h"

#include <stdio.h>

void say(const char *goos, const char *goarch) {
    printf("hello %s/%s from C, Go says %d\n", goos, goarch, answer(21));
    fflush(stdout);
}
