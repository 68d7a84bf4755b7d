/* A list that the linker collects, as Linux and systemd have them: nothing but its ends is named. */
#include <stdio.h>

__attribute__((section("numbers"), used)) static const int one = 1;
__attribute__((section("numbers"), used)) static const int two = 2;
extern const int __start_numbers[], __stop_numbers[];

int main(void)
{
	int sum = 0;
	for (const int *number = __start_numbers; number < __stop_numbers; number++)
		sum += *number;
	printf("sum %d\n", sum);
	return 0;
}
