#include <dep.h>
#include <pcap.h>
#include <zlib.h>

#include "tool.h"

int main(void)
{
	return !(dep() == MADE_BY_A_TOOL && zlibVersion() && pcap_lib_version());
}
