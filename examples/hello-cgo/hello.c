#include "hello.h"

#include <stdio.h>

/* Go says GOARCH_…, the C compiler says the other name; a compiler for another machine does not get past this. */
#if defined(GOARCH_386) && defined(__i386__)
#define ARCH "386"
#elif defined(GOARCH_amd64) && defined(__x86_64__)
#define ARCH "amd64"
#elif defined(GOARCH_arm) && defined(__arm__)
#define ARCH "arm"
#elif defined(GOARCH_arm64) && defined(__aarch64__)
#define ARCH "arm64"
#elif defined(GOARCH_ppc64le) && defined(__powerpc64__) && defined(__LITTLE_ENDIAN__)
#define ARCH "ppc64le"
#elif defined(GOARCH_riscv64) && defined(__riscv) && __riscv_xlen == 64
#define ARCH "riscv64"
#elif defined(GOARCH_s390x) && defined(__s390x__)
#define ARCH "s390x"
#else
#error "Go and the C compiler build for different machines"
#endif

void hello(void) {
    printf("hello linux/" ARCH " from C\n");
    fflush(stdout);
}
