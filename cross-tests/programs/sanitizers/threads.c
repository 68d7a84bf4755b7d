#include <omp.h>
#include <stdio.h>

int main(void) {
    int threads = 0, sum = 0, tasks = 0;
#pragma omp parallel num_threads(4) reduction(+ : threads)
    threads = 1;
#pragma omp parallel for schedule(dynamic, 3) num_threads(3) reduction(+ : sum)
    for (int i = 0; i < 100; i++) sum += i;
#pragma omp parallel num_threads(2)
#pragma omp single
    for (int i = 0; i < 5; i++)
#pragma omp task shared(tasks)
    {
#pragma omp atomic
        tasks++;
    }
    printf("%d threads, sum %d, %d tasks\n", threads, sum, tasks);
}
