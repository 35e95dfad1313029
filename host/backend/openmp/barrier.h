/*
 * A barrier for a team of threads: it spins for the length of a small op, then sleeps. OpenMP's own either
 * sleeps at once or spins for milliseconds, and where other programs share the cores a long spin costs the
 * very time slice that the thread waited for. So a spin in vain halves the next ones, and a spin that was
 * worth it doubles them again.
 */
#ifndef TANDA_OPENMP_BARRIER_H
#define TANDA_OPENMP_BARRIER_H

#include <stdint.h>

typedef struct barrier {
    uint32_t generation; /* counts the times all have arrived; what sleepers watch */
    uint32_t arrived;
    uint32_t sleepers;
    uint32_t doubt; /* how often the spins are halved */
} barrier;

/* Returns when all `threads` have called it; a barrier of zeros is ready for use, again and again. */
void barrier_wait(barrier *barrier, uint32_t threads);

#endif
