/*
 * L-BFGS in a training: what it minimises is the mean loss of all rows and l2 / 2 times the squared weights. An epoch is
 * one iteration, which takes one pass over the rows unless the first length tried is refused.
 */
#ifndef TANDA_TRAIN_FULL_BATCH_H
#define TANDA_TRAIN_FULL_BATCH_H

#include "train/trainer.h"

/* TANDA_USAGE for what L-BFGS has no use for, or would be misled by. */
tanda_status full_batch_check(const tanda_train_options *options, size_t layers, tanda_error *error);

/* Sets trainer->full_batch, of a trainer whose program is compiled, and the vectors of its state. */
tanda_status full_batch_create(trainer *trainer, tanda_error *error);
void full_batch_free(full_batch *state);

/* One iteration, which counts as a step; stops the training where none is left to do, and notes why. */
tanda_status full_batch_advance(trainer *trainer, tanda_error *error);

/* At the end, with the final weights on the device: whether they are an optimum; notes where the epochs were too few. */
tanda_status full_batch_end(trainer *trainer, tanda_train_result *result, tanda_error *error);

/* The state: differences of points, then of gradients, the oldest first; progress.pairs of each mean something. */
void full_batch_read_state(const trainer *trainer, size_t index, float *packed);
void full_batch_write_state(trainer *trainer, size_t index, const float *packed);

#endif
