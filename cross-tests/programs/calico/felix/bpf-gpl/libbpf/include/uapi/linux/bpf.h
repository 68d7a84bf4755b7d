/* Comes before the system's, as libbpf's own does. */
#include_next <linux/bpf.h>
#define LIBBPF_UAPI_IS_OWN "libbpf"
