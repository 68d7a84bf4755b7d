#include <stdio.h>
#include <linux/bpf.h>
#include <zlib.h>
#include "libbpf.h"

const char *libbpf_version_string(void) { return LIBBPF_UAPI_IS_OWN " 1.6.2"; }

unsigned long bpf_checksum(const void *bytes, size_t size) {
    /* A symbol of the C library's that code without -fPIC would copy. */
    if (!bytes) fprintf(stderr, "no bytes\n");
    return crc32(0, bytes, size);
}
