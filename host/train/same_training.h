/* Whether all ranks are about to do the same, and did so: to train a model, or to use one. */
#ifndef TANDA_TRAIN_SAME_TRAINING_H
#define TANDA_TRAIN_SAME_TRAINING_H

#include "train/trainer.h"

/*
 * One exchange, with which the work of the ranks begins. TANDA_USAGE on all, with the first rank that differs from rank 0
 * and the first thing in which it does; TANDA_USAGE for math fast, whose bits are each device's own. One rank: nothing.
 */
tanda_status same_training_check(const trainer *trainer, tanda_error *error);

/*
 * The same for a model that is used on data: TANDA_USAGE on all where versions, models or the shapes of the data differ. The
 * rows are not compared, as no rank reads all of them.
 */
tanda_status same_application_check(tanda_hosts *hosts, const backend *backend, const tanda_model *model,
                                    const tanda_dataset *dataset, tanda_error *error);

/*
 * At the end, of the weights in the models of all ranks. TANDA_FAILED on all where they are not the same bits: a device
 * or memory is at fault.
 */
tanda_status same_weights_check(const trainer *trainer, tanda_error *error);

#endif
