/* What `tanda train` is told, and in part the other commands that train. */
#ifndef TANDA_CLI_TRAIN_OPTIONS_H
#define TANDA_CLI_TRAIN_OPTIONS_H

#include "cli/optimizer_options.h"
#include "cli/options.h"

/* Texts point into argv. Flags that were not given keep their NULL, 0 or has_... = false. Stays where it is. */
typedef struct train_options {
    common_options common;
    data_options data;
    optimizer_options optimizing;

    /* What the library is told: train_options_check puts in what is not given, or stands above. */
    tanda_fit_options fit;
    tanda_dataset_options reading;
    tanda_model_options model;
    tanda_train_options training;

    /* What these point to. */
    size_t *hidden;
    text_list activations;
    double *dropout;
    text_list weighted_classes;
    double *class_weights;

    bool has_batch, has_restore_best;
    const char *output; /* or NULL */
    bool with_pictures,
        is_picture;     /* set by a command whose output is a page with pictures, or one picture */
    const char *config; /* or NULL: config_expand has put its options in */

    /* Of tanda train alone. */
    size_t folds;        /* 0: no cross-validation */
    const char *log;     /* or NULL */
    const char *csv_log; /* or NULL */
    bool profile;
    bool plot;
    const char *profile_trace; /* or NULL */
} train_options;

/* Inputs: a train_options *. What is trained; how a run goes, of tanda train alone. */
extern const struct argp network_argp, run_argp;

/* All but run_argp as a group for the argp of another command that trains; its input is a train_options *. */
extern const struct argp train_options_argp;

/* For such a command: the defaults before parsing, and, after it, what one option alone cannot tell. */
void train_options_begin(train_options *options, tanda_error *error);
tanda_status train_options_check(train_options *options, tanda_error *error);

/* The same of run_argp. */
tanda_status run_options_check(train_options *options, tanda_error *error);

/*
 * Fills options, with defaults for what is not given. Fails with TANDA_USAGE. Whatever it returns, options
 * are released with train_options_free. Ends with common.finished when --help was answered.
 */
tanda_status train_options_parse(int argc, char **argv, train_options *options, tanda_error *error);
void train_options_free(train_options *options);

/* files_check of what the options name (support/file_check.h), before anything is opened. */
tanda_status train_files_check(const train_options *options, tanda_error *error);

#endif
