/*
 * The steps of a session that all ranks share. Each makes the sums of its pieces of the batch; then all have the sum of
 * the step, by contract 4's tree, and each applies it, so that weights and state are the same bits on all, those of one
 * rank alone.
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

/*
 * Of a session over these rows, which may be a training or an evaluation; hosts (not NULL) and session outlive it.
 * Released with sharing_free, which accepts NULL.
 */
tanda_status sharing_create(tanda_hosts *hosts, session *session, size_t rows, size_t batch_rows,
                            sharing **result, tanda_error *error);
void sharing_free(sharing *sharing);

/*
 * session_run of one step with session_results, by all ranks. status and error: how it went on this rank so far; a
 * failure of any becomes that of all. rates: of the step, or NULL.
 */
tanda_status sharing_step(sharing *sharing, uint64_t step, const update_rates *rates, tanda_status status,
                          step_result *result, tanda_error *error);

/* The same of step 0 at the constant rate, or without `sharing` session_run of it. */
tanda_status sharing_run_one(sharing *sharing, session *session, tanda_status status, step_result *result,
                             tanda_error *error);

/* Ranks that have tiles of a whole batch. */
size_t sharing_working(const sharing *sharing);

#endif
