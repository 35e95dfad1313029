#include "support/parallel.h"

#include <pthread.h>
#include <sched.h>
#include <stdlib.h>

#include "support/floating_mode.h"

#define MOST_THREADS 256

typedef struct shared_work {
    size_t next, count, grain;
    void (*work)(void *context, size_t first, size_t end);
    void *context;
} shared_work;

size_t parallel_threads(void) {
    cpu_set_t cores;
    size_t threads = 1;
    if (sched_getaffinity(0, sizeof cores, &cores) == 0) threads = (size_t)CPU_COUNT(&cores);
    const char *wanted = getenv("OMP_NUM_THREADS");
    const long limit = wanted == NULL ? 0 : strtol(wanted, NULL, 10);
    if (limit > 0 && (size_t)limit < threads) threads = (size_t)limit;
    return threads < MOST_THREADS ? threads : MOST_THREADS;
}

static void *take_ranges(void *argument) {
    shared_work *shared = argument;
    unsigned mode = enter_exact_mode();
    for (;;) {
        size_t first = __atomic_fetch_add(&shared->next, shared->grain, __ATOMIC_RELAXED);
        if (first >= shared->count) break;
        size_t left = shared->count - first;
        shared->work(shared->context, first, first + (left < shared->grain ? left : shared->grain));
    }
    leave_exact_mode(mode);
    return NULL;
}

void parallel_ranges(size_t count, size_t grain, void (*work)(void *context, size_t first, size_t end),
                     void *context) {
    shared_work shared = {.count = count, .grain = grain, .work = work, .context = context};
    pthread_t started[MOST_THREADS];
    size_t ranges = (count + grain - 1) / grain, threads = parallel_threads(), helpers = 0;
    if (threads > ranges) threads = ranges;
    while (helpers + 1 < threads && pthread_create(&started[helpers], NULL, take_ranges, &shared) == 0)
        helpers++;
    take_ranges(&shared);
    for (size_t i = 0; i < helpers; i++)
        pthread_join(started[i], NULL);
}

static void *run_job(void *context) {
    const side_job *job = context;
    job->work(job->context);
    return NULL;
}

void side_job_begin(side_job *job, void (*work)(void *context), void *context) {
    job->work = work;
    job->context = context;
    job->is_running = pthread_create(&job->thread, NULL, run_job, job) == 0;
    if (!job->is_running) work(context);
}

void side_job_wait(side_job *job) {
    if (job->is_running) pthread_join(job->thread, NULL);
    job->is_running = false;
}
