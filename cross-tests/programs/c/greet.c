/* Uses the library that Go made of go-shared. */
#include "libgreet.h"

#include <stdio.h>
#include <stdlib.h>

int main(void) {
    char name[] = "C";
    char *greeting = Greet(name);
    puts(greeting);
    free(greeting);
    return 0;
}
