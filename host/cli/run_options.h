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
    tanda_error *error;                  /* set before parsing */
} run_options;

/* Input: run_options *. */
extern const struct argp run_argp;

/* As asked; else whenever there is early stopping. */
bool run_restores_best(const run_options *options);

/* Adds what decides the weights. */
void run_write_settings(const run_options *options, report *settings);

#endif
