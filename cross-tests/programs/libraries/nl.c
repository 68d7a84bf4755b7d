// Builds a netlink message.
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <stdio.h>

int main(void) {
	struct nl_msg *message = nlmsg_alloc_simple(16, 0);
	if (!message || nla_put_u32(message, 1, 42) || nla_get_u32(nlmsg_find_attr(nlmsg_hdr(message), 0, 1)) != 42)
		return 1;
	nlmsg_free(message);
	puts("libnl built a message");
	return 0;
}
