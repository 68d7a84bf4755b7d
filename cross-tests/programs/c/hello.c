/* Says what the compiler built for: the size of a pointer and the order of bytes. */
#include <stdint.h>
#include <stdio.h>
#include <string.h>

int main(void) {
    const uint16_t one = 1;
    uint8_t first;
    memcpy(&first, &one, 1);
    printf("hello from C, %d bits, %s-endian\n", (int)(8 * sizeof(void *)), first == 1 ? "little" : "big");
    return 0;
}
