/* Cross-validation: one training for each part of the rows that is held out; and what held-out rows have alone. */
#ifndef TANDA_FIT_FOLDS_H
#define TANDA_FIT_FOLDS_H

#include "fit/fit.h"

/* Stays where it is. All zero is one, for folds_free. */
typedef struct folds {
    fit all; /* whose training set is all rows; its lack_note is of every fold */
    size_t count, next;
    bool by_class;
    size_t smallest_class,
        smallest_rows; /* by class: some folds hold out none of one with fewer rows than folds */
} folds;

/* Reads the rows. Release folds whatever it returns. */
tanda_status folds_begin(const tanda_fit_options *options, size_t count, bool wants_doubts, folds *folds,
                         tanda_error *error);

/* What a fold's training would stumble over, before the first one. */
tanda_status folds_look_ahead(folds *folds, tanda_error *error);

/* The next fold, for fit_train: of the same first weights, encoded and scaled by the rows that are trained on. */
tanda_status folds_next(folds *folds, fit *fit, tanda_error *error);
void folds_free(folds *folds);

#endif
