#include <dep.h>
#include <libelf.h>
#include <pcap.h>
#include <stdio.h>
#include <zlib.h>

const char *name(void);
extern const int zero;

int main(void)
{
	if (elf_version(EV_CURRENT) == EV_NONE || !pcap_lib_version())
		return 1;
	printf("%d from %s, zlib %s\n", dep() + zero, name(), zlibVersion());
	return 0;
}
