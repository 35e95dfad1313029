/* --class-weight: how much the rows of a class count in the loss. */
#ifndef TANDA_CLI_WEIGHT_OPTIONS_H
#define TANDA_CLI_WEIGHT_OPTIONS_H

#include <argp.h>

#include "cli/report.h"
#include "cli/value.h"
#include "data/dataset.h"

/* All zero: every class counts 1. */
typedef struct weight_options {
    bool balanced;
    text_list names;    /* of classes, and */
    double *weights;    /* names.count entries */
    tanda_error *error; /* set before parsing */
} weight_options;

/* Input: weight_options *. */
extern const struct argp weight_argp;

/*
 * Multiplies the rows' weights of the training set by those of their classes. TANDA_USAGE where it has none, or not a
 * class of that name.
 */
tanda_status weight_options_apply(const weight_options *options, tanda_dataset *training, tanda_error *error);

/* Adds what decides the weights. */
void weight_write_settings(const weight_options *options, report *settings);

void weight_options_free(weight_options *options);

#endif
