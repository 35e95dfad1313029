/* Training, for a program that has to know before it loads its data whether it may save its checkpoints. */
#ifndef TANDA_TRAIN_TRAIN_H
#define TANDA_TRAIN_TRAIN_H

#include "train/checkpoint.h"

/*
 * tanda_train with checkpoints that have begun, at the options' place and resuming what they resume (all zero: none). The
 * caller frees them.
 */
tanda_status train_saving(tanda_device *device, tanda_model *model, const tanda_dataset *training,
                          const tanda_dataset *validation, const tanda_train_options *options,
                          checkpoints *checkpoints, tanda_train_result *result, tanda_error *error);

#endif
