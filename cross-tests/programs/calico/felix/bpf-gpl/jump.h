static __attribute__((always_inline)) inline void bpf_exit(int verdict) {
    register int r0 asm("r0") = verdict;
    asm volatile("exit" ::"r"(r0));
    __builtin_unreachable();
}
