/*
 * Steps that all ranks share. Each makes the sums of its pieces of the batch; then all have the sum of the step, by contract
 * 4's tree, and each applies it, so that weights and state are the same bits on all, those of one rank alone.
 *
 * Small models: the sums of all pieces come to every rank, which adds them (one exchange). Larger ones: each rank gets what
 * all have of its slice of the parameters, adds it, and what comes of it goes to all (two exchanges, and as much traffic
 * as a ring's all-reduce where each rank has one piece).
 */
#ifndef TANDA_HOSTS_SHARING_H
#define TANDA_HOSTS_SHARING_H

#include "backend/session.h"
#include "hosts/hosts.h"
#include "hosts/shares.h"

/* parameters x ranks x 4 bytes from which on slices are exchanged. */
#define SHARING_LEAST_SLICED 65536

typedef struct sharing sharing;

/* What session_partial does of a session: the sum of some tiles of a step. */
typedef tanda_status partial_maker(void *context, uint64_t step, size_t first_tile, size_t tiles,
                                   bool with_loss, partial_sum *sum, tanda_error *error);

/*
 * Of batches of these rows and so many parameters, 0 for an evaluation, whose partial sums `make` makes; hosts is not NULL
 * and outlives it. Released with sharing_free, which accepts NULL.
 */
typedef struct sharing_options {
    size_t rows, batch_rows, parameters;
    partial_maker *make;
    void *context;
} sharing_options;
tanda_status sharing_create(tanda_hosts *hosts, const sharing_options *options, sharing **result,
                            tanda_error *error);
void sharing_free(sharing *sharing);

/*
 * The sum of a step over all ranks; its gradient is valid until the next. status and error: how it went on this rank so
 * far; a failure of any becomes that of all. with_loss: see session_run.
 */
tanda_status sharing_sum(sharing *sharing, uint64_t step, bool with_loss, tanda_status status,
                         partial_sum *sum, tanda_error *error);

/* Whether there are other ranks to exchange with. */
bool sharing_goes_on(const sharing *sharing);

#endif
