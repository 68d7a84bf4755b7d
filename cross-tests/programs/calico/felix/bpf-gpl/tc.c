// A classifier, compiled by way of llc as felix's programs are, with a map and an end in assembly.
#include <stddef.h>
#include <sys/socket.h>
#include <linux/bpf.h>
#include <linux/pkt_cls.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_endian.h>
#include "jump.h"

struct state {
    __u32 mark, hits;
};

struct {
    __uint(type, BPF_MAP_TYPE_PERCPU_ARRAY);
    __uint(max_entries, 1);
    __type(key, __u32);
    __type(value, struct state);
} cali_state SEC(".maps");

SEC("tc")
int cali_tc(struct __sk_buff *skb) {
    __u32 key = 0;
    struct state *state = bpf_map_lookup_elem(&cali_state, &key);
    if (!state || skb->family != AF_INET || skb->protocol != bpf_htons(0x0800)) bpf_exit(TC_ACT_UNSPEC);
    state->hits += skb->mark == state->mark;
    return TC_ACT_OK;
}

char LICENSE[] SEC("license") = "GPL";
