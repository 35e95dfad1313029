/* Work on many items by several threads, for the parts that lie below the backends: parsing, generating. */
#ifndef TANDA_SUPPORT_PARALLEL_H
#define TANDA_SUPPORT_PARALLEL_H

#include <pthread.h>
#include <stdbool.h>
#include <stddef.h>

/* Threads that this process may use: its cores, or fewer when OMP_NUM_THREADS says so. At least 1. */
size_t parallel_threads(void);

/*
 * Calls work(context, first, end) for ranges that cover [0, count) once, each of `grain` items but the last,
 * from parallel_threads() threads in no particular order, and returns when all are done. What a range computes
 * must not depend on the others. Where a thread cannot be started, the others do its share.
 */
void parallel_ranges(size_t count, size_t grain, void (*work)(void *context, size_t first, size_t end),
                     void *context);

/* One thing that is done beside others. All zero is one that is done; it stays where it is while it is not. */
typedef struct side_job {
    bool is_running;
    pthread_t thread;
    void (*work)(void *context);
    void *context;
} side_job;

/* Begins work(context) in a thread of its own or, where none can be started, does it at once. The one before is done. */
void side_job_begin(side_job *job, void (*work)(void *context), void *context);

/* Until it is done. */
void side_job_wait(side_job *job);

#endif
