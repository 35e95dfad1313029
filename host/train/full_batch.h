/*
 * L-BFGS in a training: what it minimises is the mean loss of all rows and l2 / 2 times the squared weights. An epoch is
 * one iteration, which takes one pass over the rows unless the first length tried is refused.
 */
#ifndef TANDA_TRAIN_FULL_BATCH_H
#define TANDA_TRAIN_FULL_BATCH_H

#include "train/progress.h"
#include "train/stepper.h"

/* What it works on; all outlive it. */
typedef struct full_batch_training {
    session *session; /* of a program that is compiled, */
    stepper *stepper; /* who steps it */
    const tanda_train_options *options;
    size_t rows;
    progress *progress;
} full_batch_training;

typedef struct full_batch full_batch;

/* TANDA_USAGE for what L-BFGS has no use for, or would be misled by. */
tanda_status full_batch_check(const tanda_train_options *options, size_t layers, tanda_error *error);

/* Whatever it returns, *result is to be released with full_batch_free. */
tanda_status full_batch_create(const full_batch_training *training, full_batch **result, tanda_error *error);
void full_batch_free(full_batch *state);

/* One iteration, which counts as a step; stops the training where none is left to do, and notes why. */
tanda_status full_batch_advance(full_batch *state, tanda_error *error);

/* At the end, with the final weights on the device: whether they are an optimum; notes where the epochs were too few. */
tanda_status full_batch_end(full_batch *state, tanda_train_result *result, tanda_error *error);

/* Vectors of state: differences of points, then of gradients, the oldest first; progress->pairs of each mean something. */
size_t full_batch_state_count(const full_batch *state);
void full_batch_read_state(const full_batch *state, size_t index, float *packed);
void full_batch_write_state(full_batch *state, size_t index, const float *packed);

#endif
