/* tag FILE FROM TO: makes the entries of one kind in a 64-bit file's dynamic section entries of another kind, in whatever byte
   order. For the kinds that no linker at hand writes. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static unsigned char data[1 << 22];
static int big;

static uint64_t get(size_t at, int size)
{
	uint64_t value = 0;
	for (int i = 0; i < size; i++)
		value |= (uint64_t)data[at + (big ? size - 1 - i : i)] << (8 * i);
	return value;
}

static void put(size_t at, uint64_t value)
{
	for (int i = 0; i < 8; i++)
		data[at + (big ? 7 - i : i)] = value >> (8 * i);
}

int main(int argc, char **argv)
{
	FILE *file = fopen(argv[1], "r+b");
	uint64_t from = strtoull(argv[2], 0, 0), to = strtoull(argv[3], 0, 0);
	int changed = 0;
	size_t size, table, count;

	if (argc != 4 || !file || !(size = fread(data, 1, sizeof data, file)))
		return 1;
	big = data[5] == 2;
	table = get(32, 8);
	count = get(56, 2);
	for (size_t i = 0; i < count; i++) {
		size_t entry = table + i * get(54, 2);
		if (get(entry, 4) != 2)
			continue;
		for (size_t at = get(entry + 8, 8); get(at, 8); at += 16)
			if (get(at, 8) == from) {
				put(at, to);
				changed++;
			}
	}
	rewind(file);
	if (!changed || fwrite(data, 1, size, file) != size || fclose(file))
		return 1;
	return 0;
}
