#include <stdio.h>

int Fips(void);

int main(void)
{
	printf("shared %d\n", Fips());
	return 0;
}
