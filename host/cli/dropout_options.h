/* Options of `tanda train` on dropout. */
#ifndef TANDA_CLI_DROPOUT_OPTIONS_H
#define TANDA_CLI_DROPOUT_OPTIONS_H

#include <argp.h>

#include "cli/report.h"
#include "cli/value.h"

/* All zero is none. */
typedef struct dropout_options {
    text_list texts;
    double *rates; /* texts.count entries: one, or one per hidden layer */
    double input;
    tanda_error *error; /* set before parsing */
} dropout_options;

/* Input: dropout_options *. */
extern const struct argp dropout_argp;

/* TANDA_USAGE where the rates do not go with so many hidden layers. */
tanda_status dropout_options_check(const dropout_options *options, size_t hidden, tanda_error *error);

/* *rates: of each layer's inputs, hidden + 1 entries for the caller to free, or NULL where nothing is dropped. */
tanda_status dropout_options_rates(const dropout_options *options, size_t hidden, double **rates,
                                   tanda_error *error);

/* Adds what decides the weights. */
void dropout_write_settings(const dropout_options *options, size_t hidden, report *settings);

void dropout_options_free(dropout_options *options);

#endif
