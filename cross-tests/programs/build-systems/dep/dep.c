#include "dep.h"

int dep(void)
{
	return 42;
}
