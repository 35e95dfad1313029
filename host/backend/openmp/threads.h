/* Whether there are threads to be had: OpenMP's runtime ends the whole process where it gets none. */
#ifndef TANDA_BACKEND_OPENMP_THREADS_H
#define TANDA_BACKEND_OPENMP_THREADS_H

#include "support/status.h"

/*
 * Starts so many threads less one, as large as the runtime will make them, and ends them again. TANDA_FAILED when they
 * cannot be there at once. It takes some 20 microseconds for each.
 */
tanda_status openmp_try_threads(size_t threads, tanda_error *error);

#endif
