/* Early stopping: the best epoch so far, and when to give up. */
#ifndef TANDA_TRAIN_STOPPING_H
#define TANDA_TRAIN_STOPPING_H

#include "tanda.h"

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

/* Takes the score of an epoch; true when it is the best so far. patience 0: never stops. */
bool stopping_hear(stopping *stopping, const tanda_train_options *options, size_t epoch, double score);

#endif
