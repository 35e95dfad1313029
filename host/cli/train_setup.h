/* From the options of `tanda train` to scaled data and a model with its first weights. */
#ifndef TANDA_CLI_TRAIN_SETUP_H
#define TANDA_CLI_TRAIN_SETUP_H

#include "cli/train_options.h"
#include "data/column_check.h"
#include "model/first_weights.h"

typedef struct train_setup {
    tanda_dataset *training;
    tanda_dataset *validation;  /* or NULL */
    doubtful_columns doubtful;  /* of the file, all rows; none when quiet */
    first_weights first_file;   /* open until the model has its first weights; empty without --init */
    const first_weights *first; /* first_file or, in a fold, that of all folds; NULL: weights are drawn */
    tanda_model *model;
    size_t dropped;         /* rows of --data without a target, which were left out */
    char *lack_note;        /* on categories that only held-out rows have, or NULL */
    double *dropout;        /* of each layer's inputs, or NULL */
    const char *task_note;  /* who decided the task, where it was not told from the target; static storage */
    const char *scale_note; /* why the features are scaled as they are; static storage */
} train_setup;

/* Reads the data, holds rows out, scales, makes the model. Release setup whatever it returns. */
tanda_status train_setup_make(const train_options *options, train_setup *setup, tanda_error *error);

/* The two halves of it: the rows as they were read, held out or not; then all else. */
tanda_status train_setup_load(const train_options *options, train_setup *setup, tanda_error *error);
tanda_status train_setup_finish(const train_options *options, train_setup *setup, tanda_error *error);
void train_setup_free(train_setup *setup);

#endif
