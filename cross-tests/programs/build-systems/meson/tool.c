#include <stdio.h>

int main(void)
{
	puts("#define MADE_BY_A_TOOL 42");
	return 0;
}
