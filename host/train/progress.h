/* How far a training is. */
#ifndef TANDA_TRAIN_PROGRESS_H
#define TANDA_TRAIN_PROGRESS_H

#include "train/schedule.h"
#include "train/stopping.h"

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
