/* How rows are held out: --stratify and --folds, beside --validation. */
#ifndef TANDA_CLI_VALIDATION_OPTIONS_H
#define TANDA_CLI_VALIDATION_OPTIONS_H

#include <argp.h>

#include "data/dataset.h"

typedef enum stratify { STRATIFY_AUTO, STRATIFY_YES, STRATIFY_NO } stratify;

typedef struct validation_options {
    stratify stratify;
    size_t folds;       /* 0: no cross-validation */
    tanda_error *error; /* set before parsing */
} validation_options;

/* --stratify, and --folds for commands that can; their input is a validation_options *. */
extern const struct argp validation_argp, folds_argp;

/* What goes with what: has_fraction and has_file tell of --validation. TANDA_USAGE. */
tanda_status validation_options_check(const validation_options *options, bool has_fraction, bool has_file,
                                      tanda_error *error);

/* *by_class: whether rows are held out by class. TANDA_USAGE for --stratify yes where there are no classes. */
tanda_status validation_by_class(const validation_options *options, const tanda_dataset *dataset,
                                 bool *by_class, tanda_error *error);

#endif
