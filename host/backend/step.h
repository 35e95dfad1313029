/*
 * The course of a step, once for all backends: which tiles go in which wave, how the sums of waves become that of the
 * step (contract 4), and when the update follows. A backend's hands do the work: on the CPU each thread of a team goes
 * through the same course, on OpenCL the host does, queueing.
 */
#ifndef TANDA_BACKEND_STEP_H
#define TANDA_BACKEND_STEP_H

#include "backend/backend.h"

/* The rows of one step. */
typedef struct batch {
    uint64_t step, epoch;
    size_t first_row; /* position of its first row in the epoch's order */
    size_t rows, tiles;
    size_t index;     /* of the epoch, or of the rows that are there */
    size_t position;  /* of its first row in the step, where that is more than these rows */
    size_t step_rows; /* that the step's sum is divided by */
} batch;

batch batch_of(const program_options *options, uint64_t step);

/* Other rows take the place of those of the options. */
static inline void program_options_take(program_options *options, const program_rows *rows) {
    options->features = rows->features;
    options->labels = rows->labels;
    options->weights = rows->weights;
    options->rows = rows->rows;
    options->place = rows->place;
}

/* What a backend does of a step. `worker` is its own: a thread of a team, or the host's queue. */
typedef struct step_hands {
    /* Makes the sum of tiles first ... first + tiles - 1 of the batch: a wave. is_all: no other wave follows or was. */
    tanda_status (*partial)(void *worker, const batch *batch, size_t first, size_t tiles, bool is_all,
                            tanda_error *error);
    tanda_status (*add)(void *worker, unsigned level, tanda_error *error);  /* sum = waiting[level] + sum */
    tanda_status (*keep)(void *worker, unsigned level, tanda_error *error); /* waiting[level] = sum */
    /* The update from the step's sum; `result` is the step's number in the run. */
    tanda_status (*apply)(void *worker, const batch *batch, size_t result, tanda_error *error);
} step_hands;

/* Levels on which sums may wait, of so many waves. */
size_t step_levels(size_t waves);

/*
 * The sum of tiles [first, end) of a batch in waves of wave_tiles; `first` is a multiple of the power of two from
 * end - first on, as hosts share a batch, or 0.
 */
tanda_status step_sum(const step_hands *hands, void *worker, const batch *batch, size_t first, size_t end,
                      size_t wave_tiles, tanda_error *error);

/*
 * The latest sum is that of run `index` of tiles of 2^k each, but for the last: it goes through the tree over runs, from whose
 * last one on it is the sum of all.
 */
tanda_status step_add(const step_hands *hands, void *worker, size_t index, bool is_last, tanda_error *error);

/* A step: the sum of all tiles, and the update. */
tanda_status step_run(const step_hands *hands, void *worker, const batch *batch, size_t wave_tiles,
                      size_t result, tanda_error *error);

#endif
