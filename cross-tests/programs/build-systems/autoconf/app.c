#include <pcap.h>
#include <stdio.h>
#include <zlib.h>

int main(void)
{
	printf("zlib %s, %s\n", zlibVersion(), pcap_lib_version());
	return 0;
}
