#include "cli/waiting.h"

#include <stdlib.h>
#include <unistd.h>

/*
 * An OpenMP thread that waits for its next work spins for milliseconds. In a comparison that is in the way of an OpenCL
 * driver on the same cores, which then takes three times as long; where another process has a core, it is in the way of
 * the very thread that is waited for. A training has a step every few microseconds and is worth it, one pass over the rows
 * is not. libgomp reads the setting when it is loaded.
 */
void wait_passively(char **argv) {
    if (getenv("OMP_WAIT_POLICY") != NULL || getenv("GOMP_SPINCOUNT") != NULL) return;
    setenv("OMP_WAIT_POLICY", "passive", 1);
    execv("/proc/self/exe", argv); /* comes back only when that is impossible, which does no harm */
}
