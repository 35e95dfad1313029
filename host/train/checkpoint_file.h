/*
 * The checkpoint file: a model file (model/model_file.h) whose weights are those of the moment, so that it can be
 * evaluated like any other, with what the rest of the training depends on beside them. Tensors are in the order of
 * the model's parameters, whatever the device: "checkpoint.best", the weights of the best epoch, and
 * "checkpoint.state.0", ..., the optimizer's state. The JSON under "checkpoint" holds
 *   format            1
 *   step              steps done since the start of the training
 *   steps_per_epoch   so that epoch and step of the epoch can be told
 *   running_loss, running_correct   sums over the steps done of the current epoch
 *   best_epoch, best_score, waited, stopped   of early stopping
 *   data, validation  {"rows", "features", "fingerprint"} of the data sets as trained on, see data/dataset.h
 *   options           those of tanda_train_options that decide the weights
 * Doubles are written as the 16 hexadecimal digits of their bits, and so are fingerprints.
 */
#ifndef TANDA_TRAIN_CHECKPOINT_FILE_H
#define TANDA_TRAIN_CHECKPOINT_FILE_H

#include "support/json.h"
#include "train/trainer.h"

#define CHECKPOINT_FORMAT 1

/* Atomic and flushed, see support/file.h; TANDA_FAILED when it cannot be written. */
tanda_status checkpoint_file_write(const trainer *trainer, const snapshot *snapshot, const char *path,
                                   tanda_error *error);

/* The options that decide the weights, as a JSON object, which is the caller's; NULL without memory. */
json_t *checkpoint_file_options(const trainer *trainer);

/* What a checkpoint tells of itself. */
typedef struct checkpoint_facts {
    progress progress;
    size_t steps_per_epoch;
} checkpoint_facts;

/* Whole and of this format, or TANDA_BAD_INPUT with what is wrong. facts may be NULL. */
tanda_status checkpoint_file_check(const char *path, checkpoint_facts *facts, tanda_error *error);

/*
 * Fills a snapshot that snapshot_create made for this trainer. TANDA_USAGE when the checkpoint is of another training:
 * other data, layers or options, of which the first is named; TANDA_BAD_INPUT when it is damaged.
 */
tanda_status checkpoint_file_read(const trainer *trainer, snapshot *snapshot, const char *path,
                                  tanda_error *error);

#endif
