/* Calls a DLL, and a thread of pthread.h. */
#include <pthread.h>
#include <stdio.h>

__declspec(dllimport) int twice(int);

static void *run(void *number) {
    *(int *)number = twice(*(int *)number);
    return NULL;
}

int main(void) {
    pthread_t thread;
    int number = 21;
    pthread_create(&thread, NULL, run, &number);
    pthread_join(thread, NULL);
    printf("twice is %d\n", number);
    return 0;
}
