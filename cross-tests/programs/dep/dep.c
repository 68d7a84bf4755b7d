#define _GNU_SOURCE
#include <stdlib.h>

#include "dep.h"

const char *dep(void)
{
	/* A function that glibc 2.38 has a new version of. */
	return strtol("7", NULL, 0) == 7 ? "a library of the caller's" : "?";
}
