/* Prints a text that was made into an object. */
#include <stdio.h>

extern const char _binary_text_start[], _binary_text_end[];

int main(void)
{
	printf("%.*s", (int)(_binary_text_end - _binary_text_start), _binary_text_start);
	return 0;
}
