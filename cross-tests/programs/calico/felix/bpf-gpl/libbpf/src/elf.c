#include <fcntl.h>
#include <gelf.h>
#include <libelf.h>
#include <unistd.h>
#include "libbpf.h"

long bpf_object__sections(const char *path) {
    size_t sections = 0;
    int fd = open(path, O_RDONLY);
    Elf *elf = NULL;

    if (fd >= 0 && elf_version(EV_CURRENT) != EV_NONE)
        elf = elf_begin(fd, ELF_C_READ, NULL);
    if (elf)
        elf_getshdrnum(elf, &sections);
    elf_end(elf);
    close(fd);
    return elf ? (long)sections : -1;
}
