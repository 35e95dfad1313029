/* Which epochs of a training somebody looks at, and what the end of one brings. Epochs count from 1. */
#ifndef TANDA_TRAIN_EPOCH_H
#define TANDA_TRAIN_EPOCH_H

#include "train/trainer.h"

/* The first epoch from `epoch` on that is reported, or whose loss is looked at. */
typedef size_t next_epoch(const tanda_train_options *options, size_t epoch);
next_epoch epoch_next_report, epoch_next_look;

/* An epoch has just ended that is the next of the kind, or the last one. */
bool epoch_is_due(const trainer *trainer, next_epoch *next);

/* The results of the epoch that has ended; they steer schedule and stopping, and the best weights are kept. */
tanda_status epoch_end(trainer *trainer, tanda_epoch *line, tanda_error *error);

#endif
