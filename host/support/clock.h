/* Time for measuring. */
#ifndef TANDA_SUPPORT_CLOCK_H
#define TANDA_SUPPORT_CLOCK_H

#include <time.h>

/* Seconds of a clock that only goes forward. */
static inline double seconds_now(void) {
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec * 1e-9;
}

#endif
