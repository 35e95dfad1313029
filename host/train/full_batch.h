/* L-BFGS in a training: the function that it minimises is the loss of all rows, and penalties. One iteration an epoch. */
#ifndef TANDA_TRAIN_FULL_BATCH_H
#define TANDA_TRAIN_FULL_BATCH_H

#include "train/trainer.h"

/* What an iteration needs besides the trainer. */
struct full_batch {
    lbfgs lbfgs;
    objective objective;
    double tolerance, l2;
    bool is_started;
    step_result latest; /* of the latest evaluation */
};

/* Of a trainer that is uploaded and compiled for UPDATE_nothing. */
tanda_status full_batch_create(trainer *trainer, size_t history, double tolerance, double l2, tanda_error *error);
void full_batch_free(full_batch *state);

/* One iteration, which counts as a step; stops the training where none is left to do. */
tanda_status full_batch_advance(trainer *trainer, tanda_error *error);

#endif
