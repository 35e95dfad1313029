/* The self-test at start (contract 12): what grade a device and its driver reach. */
#ifndef TANDA_BACKEND_SELFTEST_H
#define TANDA_BACKEND_SELFTEST_H

#include "backend/backend.h"

/* What the hashed probes gave; the expected values are constants of selftest.c. */
typedef struct selftest_hashes {
    uint64_t functions; /* of every exact function over 2^16 bit patterns */
    uint64_t training;  /* of the weights of a small training */
} selftest_hashes;

/*
 * Runs every probe and sets backend->grade and backend->missed_probe. hashes may be NULL. Fails only when the
 * device itself fails.
 */
tanda_status selftest_run(backend *backend, selftest_hashes *hashes, tanda_error *error);

#endif
