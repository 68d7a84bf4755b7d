// Makes type information, and lets libbpf refuse an object that is none, for which it needs libelf.
#include <bpf/btf.h>
#include <bpf/libbpf.h>
#include <stdarg.h>
#include <stdio.h>

static int silent(enum libbpf_print_level level, const char *format, va_list arguments) {
	(void)level;
	(void)format;
	(void)arguments;
	return 0;
}

int main(void) {
	libbpf_set_print(silent);
	struct btf *btf = btf__new_empty();
	if (!btf || btf__add_int(btf, "long", sizeof(long), BTF_INT_SIGNED) != 1)
		return 1;
	btf__free(btf);
	if (bpf_object__open_mem("no object", 9, NULL))
		return 1;
	puts("libbpf knows an object when it sees one");
	return 0;
}
