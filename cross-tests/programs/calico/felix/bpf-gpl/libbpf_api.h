#include <libbpf.h>
