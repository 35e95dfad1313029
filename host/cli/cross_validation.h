/* --folds: one training for each part of the rows that is held out. */
#ifndef TANDA_CLI_CROSS_VALIDATION_H
#define TANDA_CLI_CROSS_VALIDATION_H

#include "cli/report.h"
#include "cli/train_setup.h"
#include "support/digest.h"

typedef struct fold {
    size_t rows, validation_rows;
    tanda_train_result result;
    char digest[DIGEST_TEXT_SIZE]; /* of the weights */
} fold;

/* All zero is none. */
typedef struct cross_validation {
    size_t count;
    size_t done; /* folds that have been trained */
    fold *folds; /* count entries */
    bool by_class;
} cross_validation;

/* Trains the setup's model; fold counts from 1. */
typedef tanda_status fold_trainer(const train_setup *setup, size_t fold, tanda_train_result *result,
                                  void *context, tanda_error *error);

/*
 * Reads the rows once, and for each fold makes a model of the same first weights, encodes and scales by the rows that
 * are trained on, and calls train. Prints a line on standard output for each fold as it is done, unless it is to be
 * JSON. Release result whatever it returns.
 */
tanda_status cross_validate(const train_options *options, fold_trainer *train, void *context,
                            cross_validation *result, tanda_error *error);
void cross_validation_free(cross_validation *validation);

/* Mean and standard deviation of each figure, for people. */
void cross_validation_print(const cross_validation *validation);

/* Rows, figures and hash of one of them; NULL for want of memory. */
json_t *cross_validation_fold_json(const fold *fold);

/* {"folds": [...], "stratify": ..., "val_loss": {"mean": ..., "std": ...}, ...}; NULL for want of memory. */
json_t *cross_validation_json(const cross_validation *validation);

#endif
