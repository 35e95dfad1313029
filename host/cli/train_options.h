/* What `tanda train` is told. */
#ifndef TANDA_CLI_TRAIN_OPTIONS_H
#define TANDA_CLI_TRAIN_OPTIONS_H

#include "cli/dropout_options.h"
#include "cli/loss_options.h"
#include "cli/optimizer_options.h"
#include "cli/options.h"
#include "cli/run_options.h"
#include "cli/validation_options.h"
#include "cli/weight_options.h"

/* Texts point into argv. Flags that were not given keep their NULL, 0 or has_... = false. */
typedef struct train_options {
    common_options common;
    data_options data;
    tanda_task task;
    bool has_scale;
    tanda_scale scale;
    double validation_fraction;  /* 0: none */
    const char *validation_path; /* or NULL */
    const char *validation_labels;
    validation_options holding_out;
    text_list hidden;      /* as given, for the settings */
    size_t *hidden_units;  /* hidden.count entries */
    text_list activations; /* empty, one, or one per hidden layer */
    bool has_output_activation;
    activation output_activation;
    bool has_loss;
    loss loss;
    loss_options loss_options;
    dropout_options dropout;
    double learning_rate; /* 0 until train_options_check: the optimizer's */
    optimizer_options optimizing;
    weight_options weight;
    size_t epochs;
    bool full_batch;
    size_t batch; /* rows, unless full_batch */
    bool no_shuffle;
    const char *init;    /* a model file, or NULL */
    const char *output;  /* or NULL */
    const char *config;  /* or NULL: config_expand has put its options in */
    size_t report_every; /* 0: not given */
    run_options run;     /* of tanda train alone */
} train_options;

/* All of them as a group for the argp of another command that trains; its input is a train_options *. */
extern const struct argp train_options_argp;

/* For such a command: the defaults before parsing, and, after it, what one option alone cannot tell. */
void train_options_begin(train_options *options, tanda_error *error);
tanda_status train_options_check(train_options *options, tanda_error *error);

/*
 * Fills options, with defaults for what is not given. Fails with TANDA_USAGE. Whatever it returns, options
 * are released with train_options_free. Ends with common.finished when --help was answered.
 */
tanda_status train_options_parse(int argc, char **argv, train_options *options, tanda_error *error);
void train_options_free(train_options *options);

#endif
