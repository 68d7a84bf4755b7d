// What BPF programs of real projects rely on: headers of kernel, C library and libbpf, a map with types, an outside
// that is relocated by its type (CO-RE), atomics of 32 bits that give the old value, and an end that the compiler
// takes for unreachable.
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <netinet/in.h>
#include <linux/bpf.h>
#include <linux/if_ether.h>
#include <linux/ip.h>
#include <linux/pkt_cls.h>
#include <linux/types.h>
#include <bpf/bpf_helpers.h>
#include <bpf/bpf_core_read.h>
#include <bpf/bpf_endian.h>

struct counter {
    __u32 packets, state;
    __u64 bytes;
};

struct {
    __uint(type, BPF_MAP_TYPE_HASH);
    __uint(max_entries, 16);
    __type(key, __u32);
    __type(value, struct counter);
} counters SEC(".maps");

static __always_inline void leave(int verdict) {
    register int r0 asm("r0") = verdict;
    asm volatile("exit" ::"r"(r0));
    __builtin_unreachable();
}

SEC("tc")
int count(struct __sk_buff *skb) {
    void *data = (void *)(long)skb->data, *end = (void *)(long)skb->data_end;
    struct ethhdr *eth = data;
    struct iphdr *ip = data + sizeof *eth;
    if ((void *)(ip + 1) > end || eth->h_proto != bpf_htons(ETH_P_IP) || ip->protocol != IPPROTO_TCP)
        leave(TC_ACT_UNSPEC);
    struct counter none;
    __builtin_memset(&none, 0, sizeof none);
    __u32 key = AF_INET + (ip->saddr & 7);
    struct counter *counter = bpf_map_lookup_elem(&counters, &key);
    if (!counter) {
        bpf_map_update_elem(&counters, &key, &none, BPF_ANY);
        return TC_ACT_OK;
    }
    __u32 before = __sync_fetch_and_add(&counter->packets, 1);
    __sync_val_compare_and_swap(&counter->state, 0, before);
    __sync_fetch_and_add(&counter->bytes, skb->len);
    return TC_ACT_OK;
}

struct task_struct {
    int pid;
} __attribute__((preserve_access_index));

SEC("raw_tp/sys_enter")
int pid(void *context) {
    struct task_struct *task = (void *)bpf_get_current_task();
    return BPF_CORE_READ(task, pid) == 1;
}

char LICENSE[] SEC("license") = "GPL";
