/* What felix asks of a libbpf: something of its own, of libelf and of zlib. */
#include <stddef.h>

#if defined(__GNUC__)
#define LIBBPF_API __attribute__((visibility("default")))
#endif

LIBBPF_API const char *libbpf_version_string(void);
LIBBPF_API unsigned long bpf_checksum(const void *bytes, size_t size);
LIBBPF_API long bpf_object__sections(const char *path);
