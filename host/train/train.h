/*
 * Training, for a program that has to know before it loads its data whether it may save its checkpoints, and in pieces.
 */
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

/* A training in progress. Begins with data sets and checkpoints, all else zero; they, model and options must outlive it. */
typedef struct training_run {
    const tanda_dataset *training, *validation; /* or NULL */
    checkpoints *checkpoints;
    trainer trainer;
    snapshot latest;
    double taken, taking; /* when, and the seconds it took */
    double told_at;       /* the latest line, or the start */
    uint64_t told_step;
    bool told; /* that there is no place for a checkpoint that was asked for */
    tanda_train_result result;
} training_run;

/* Released with training_run_free whatever it returns. */
tanda_status training_run_begin(training_run *run, tanda_device *device, tanda_model *model,
                                const tanda_train_options *options, tanda_error *error);

/* So many steps, or those that are left. */
tanda_status training_run_advance(training_run *run, uint64_t steps, tanda_error *error);
bool training_run_is_done(const training_run *run);
tanda_progress training_run_progress(const training_run *run);

/* The weights so far into the model. */
tanda_status training_run_read(const training_run *run, tanda_error *error);

/* The final weights, their evaluation in `result`, and the last checkpoint. */
tanda_status training_run_end(training_run *run, tanda_error *error);
void training_run_free(training_run *run);

#endif
