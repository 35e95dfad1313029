/* A training in progress: what lies on the device, and the state that decides how it goes on. */
#ifndef TANDA_TRAIN_TRAINER_H
#define TANDA_TRAIN_TRAINER_H

#include "train/evaluator.h"
#include "train/full_batch.h"

#define TRAINER_NOTES_SIZE 640

typedef struct trainer {
    backend *backend;
    tanda_model *model;
    const tanda_train_options *options;
    const tanda_dataset *dataset, *validation_set; /* the latter NULL: there is none */
    supply training, validation;
    session session;
    stepper stepper;
    evaluator evaluator; /* of the validation set */
    size_t batch_rows, steps_per_epoch;
    size_t shuffle_block, shuffle_window; /* rows, as order_settle found them; 0 but for windows */
    uint64_t total_steps;                 /* of all epochs */
    progress progress;
    rates rates;
    update_rates *step_rates; /* of a run; NULL where all steps have the options' learning rate */
    float *best;              /* packed parameters of the best epoch; NULL unless they are kept */
    size_t state_count;       /* vectors of optimizer state */
    full_batch *full_batch;   /* of L-BFGS, which it computes the steps by; else NULL */
    uint64_t training_fingerprint, validation_fingerprint; /* where there are checkpoints */

    step_result *results;
    size_t most_steps;    /* that results has room for */
    size_t steps_per_run; /* so many take about RUN_SECONDS */
    double step_seconds;  /* of the latest run */
    bool diverged;        /* the latest step was not finite: in its loss, or else in a weight */
    bool bad_loss;
    char notes[TRAINER_NOTES_SIZE]; /* of the session, that were told */
} trainer;

/* Uploads and compiles; options are checked. Whatever it returns, the trainer is released with trainer_free. */
tanda_status trainer_create(trainer *trainer, const tanda_dataset *training, const tanda_dataset *validation,
                            tanda_train_result *result, tanda_error *error);
void trainer_free(trainer *trainer);

/* Of the latest step. */
double trainer_learning_rate(trainer *trainer);

/* What a checkpoint's path names: a folder unless it ends in .safetensors. */
bool checkpoint_is_folder(const char *path);

/*
 * Steps up to `end`, but no more than what is heard of in time, are done and added up. A step whose loss or weights are
 * not finite is the last that counts: TANDA_FAILED, and `diverged` is set.
 */
tanda_status trainer_advance(trainer *trainer, uint64_t end, bool with_loss, tanda_error *error);

/* What the training's session was made of. */
plan_options trainer_plan_options(const trainer *trainer);
program_options trainer_program_options(const trainer *trainer);

/* Of the epoch that the latest step belongs to, from 1; 0 before the first step. */
size_t trainer_epoch(const trainer *trainer);
size_t trainer_step_of_epoch(const trainer *trainer); /* from 1, likewise */

/* A training at one moment, in the host's memory: what a checkpoint holds, and what a diverged step is repeated from. */
typedef struct snapshot {
    progress progress;
    float *parameters; /* packed, as all of these */
    float *best;       /* of the best epoch; NULL without */
    size_t state_count;
    float **state; /* of the optimizer */
} snapshot;

/* Memory for a snapshot of this trainer; contents are zero. Released whatever it returns. */
tanda_status snapshot_create(const trainer *trainer, snapshot *snapshot, tanda_error *error);
void snapshot_free(snapshot *snapshot);

/* From the trainer and its device, and back. */
tanda_status snapshot_take(const trainer *trainer, snapshot *snapshot, tanda_error *error);
tanda_status snapshot_restore(trainer *trainer, const snapshot *snapshot, tanda_error *error);

#endif
