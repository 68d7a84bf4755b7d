// A bug that is found only by following the branches.
#include <stddef.h>

int LLVMFuzzerTestOneInput(const unsigned char *data, size_t size) {
    if (size > 2 && data[0] == 'B' && data[1] == 'U' && data[2] == 'G') __builtin_trap();
    return 0;
}
