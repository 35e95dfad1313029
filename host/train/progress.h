/* How far a training is. */
#ifndef TANDA_TRAIN_PROGRESS_H
#define TANDA_TRAIN_PROGRESS_H

#include "train/schedule.h"

/*
 * What Keras 3's EarlyStopping does with a loss (keras.io/api/callbacks/early_stopping): an epoch is better when
 * its score + min_delta < best; `patience` epochs in a row that are not better end the training. All zero is the
 * beginning. It is a part of every checkpoint.
 */
typedef struct stopping {
    double best;       /* score of best_epoch */
    size_t best_epoch; /* from 1; 0: none yet */
    size_t waited;     /* epochs since */
    bool stopped;
} stopping;

/* Sums of an epoch's steps, in step order and double precision (contract 7). */
typedef struct running {
    double loss;
    uint64_t correct;
} running;

/* With parameters and optimizer state, all that the rest of a training depends on. All zero is the beginning. */
typedef struct progress {
    uint64_t step;   /* steps done */
    running running; /* of the steps done in the epoch of the latest step */
    stopping stopping;
    plateau plateau;
    size_t pairs; /* of L-BFGS */
} progress;

#endif
