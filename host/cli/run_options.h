/* Options of `tanda train` on how a run goes: when it stops early, what it writes on the way. */
#ifndef TANDA_CLI_RUN_OPTIONS_H
#define TANDA_CLI_RUN_OPTIONS_H

#include <argp.h>

#include "cli/report.h"

/* Texts point into argv. All zero is the default. */
typedef struct run_options {
    size_t patience;
    double min_delta;
    bool has_restore_best, restore_best; /* see run_restores_best */
    const char *log;                     /* or NULL */
    const char *csv_log;                 /* or NULL */
    const char *checkpoint;              /* or NULL */
    size_t checkpoint_epochs;            /* 0: not by epochs */
    double checkpoint_seconds;           /* 0: not by time */
    size_t keep;                         /* 0: not given */
    const char *resume;                  /* or NULL */
    tanda_error *error;                  /* set before parsing */
} run_options;

/* Input: run_options *. */
extern const struct argp run_argp;

/* As asked; else whenever there is early stopping. */
bool run_restores_best(const run_options *options);

/* What one option alone cannot tell; fills in where checkpoints go when only --resume is given. */
tanda_status run_options_check(run_options *options, tanda_error *error);

/* Adds what decides the weights. */
void run_write_settings(const run_options *options, report *settings);

#endif
