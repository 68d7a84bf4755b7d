// Compresses a text, and gets it back.
#include <stdio.h>
#include <string.h>
#include <zlib.h>

int main(void) {
	const char text[] = "a text was compressed";
	Bytef packed[128];
	char back[sizeof text];
	uLongf packed_size = sizeof packed, size = sizeof back;
	if (compress2(packed, &packed_size, (const Bytef *)text, sizeof text, 9) != Z_OK)
		return 1;
	if (uncompress((Bytef *)back, &size, packed, packed_size) != Z_OK)
		return 1;
	puts(back);
	return 0;
}
