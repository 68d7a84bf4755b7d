// faults NAME: commits one fault that a sanitizer finds.
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static int shared;
static void *race(void *unused) {
    for (int i = 0; i < 1000; i++) shared++;
    return unused;
}

int main(int count, char **words) {
    const char *fault = count > 1 ? words[1] : "";
    char *volatile block = malloc(8);
    if (!strcmp(fault, "overflow")) return block[count + 6];
    if (!strcmp(fault, "uninitialised") && block[count]) puts("not zero");
    if (!strcmp(fault, "leak")) block = NULL;
    volatile int most = INT_MAX;
    if (!strcmp(fault, "signed")) most += count;
    if (!strcmp(fault, "race")) {
        pthread_t other[2];
        for (int i = 0; i < 2; i++) pthread_create(&other[i], NULL, race, NULL);
        for (int i = 0; i < 2; i++) pthread_join(other[i], NULL);
    }
    free(block);
    puts("done");
}
