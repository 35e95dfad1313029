/*
 * Where the threads' time goes, for --profile. A thread adds what has passed since it looked last to what it has just done,
 * in memory of its own: so its parts sum to its whole time. Without --profile there are no clocks, and nobody looks.
 */
#ifndef TANDA_OPENMP_CLOCKS_H
#define TANDA_OPENMP_CLOCKS_H

#include <time.h>

#include "backend/plan.h"
#include "support/memory.h"

/* What is no op of a plan; the ops have their own numbers. */
typedef enum clock_part {
    CLOCK_perceptron = TILE_OP_COUNT, /* all ops of a perceptron in one pass */
    CLOCK_tree,                       /* sums of tiles and waves become one */
    CLOCK_update,
    CLOCK_results, /* predictions and other tensors are handed over */
    CLOCK_threads, /* waited for other threads, */
    CLOCK_host,    /* and for the host, which has nothing to do yet */
    CLOCK_PARTS
} clock_part;

/* On cache lines of its own, so that no thread waits for another's. */
typedef struct thread_clock {
    _Alignas(MEMORY_ALIGNMENT) uint64_t latest;
    uint64_t ticks[CLOCK_PARTS], counts[CLOCK_PARTS];
} thread_clock;

/* Of a counter that only goes forward, at a speed that openmp_profile_end finds out. */
static inline uint64_t ticks_now(void) {
#if defined(__x86_64__)
    return __builtin_ia32_rdtsc();
#else
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec;
#endif
}

/* The counters of two processors may differ by a little. */
static inline void clock_add(thread_clock *clock, size_t part) {
    const uint64_t now = ticks_now();
    if (now > clock->latest) clock->ticks[part] += now - clock->latest;
    clock->counts[part]++;
    clock->latest = now;
}

#endif
