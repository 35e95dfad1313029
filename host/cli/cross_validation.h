/* --folds: what each of the trainings gave, for people and as JSON. */
#ifndef TANDA_CLI_CROSS_VALIDATION_H
#define TANDA_CLI_CROSS_VALIDATION_H

#include "cli/report.h"
#include "tanda_lab.h"

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

/* TANDA_FAILED for want of memory. Release validation whatever it returns. */
tanda_status cross_validation_begin(const folds *folds, cross_validation *validation, tanda_error *error);

/* Takes in the next fold, which has been trained; with a line on standard output unless it is to be JSON. */
void cross_validation_add(cross_validation *validation, const fit *fit, const tanda_train_result *result,
                          bool prints);
void cross_validation_free(cross_validation *validation);

/* Mean and standard deviation of each figure, for people. */
void cross_validation_print(const cross_validation *validation);

/* Rows, figures and hash of one of them; NULL for want of memory. */
json_t *cross_validation_fold_json(const fold *fold);

/* {"folds": [...], "stratify": ..., "val_loss": {"mean": ..., "std": ...}, ...}; NULL for want of memory. */
json_t *cross_validation_json(const cross_validation *validation);

#endif
