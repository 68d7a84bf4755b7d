// Compiles a filter, which needs what libpcap looks up names with, and asks for the machine's devices, which needs its modules.
#include <pcap/pcap.h>
#include <stdio.h>

int main(void) {
	char error[PCAP_ERRBUF_SIZE];
	struct bpf_program program;
	pcap_if_t *devices;
	pcap_t *pcap = pcap_open_dead(DLT_EN10MB, 1500);
	if (!pcap || pcap_compile(pcap, &program, "udp port 4789 or ip proto 4", 1, PCAP_NETMASK_UNKNOWN))
		return 1;
	if (pcap_findalldevs(&devices, error) == 0)
		pcap_freealldevs(devices);
	printf("%s\n", program.bf_len > 8 ? "a filter was compiled" : "the filter is too short");
	return 0;
}
