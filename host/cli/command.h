/*
 * The commands of the program. Each parses its own arguments, does its work and writes results to standard
 * output; a failure is handed back and reported by main.c, so there is one place that words errors. A failure
 * without a message is one that the command has told already: a comparison that does not hold is a result.
 */
#ifndef TANDA_CLI_COMMAND_H
#define TANDA_CLI_COMMAND_H

#include <argp.h>

#include "tanda.h"

typedef struct command {
    const char *name;
    const char *summary;
    const struct argp *argp;                                        /* its options */
    tanda_status (*run)(int argc, char **argv, tanda_error *error); /* argv[0] is the command's name */
    void (*prepare)(char **argv); /* called with the whole command line before anything else; or NULL */
} command;

/* All of them; one without a name ends them. */
extern const command commands[];

extern const struct argp train_argp, evaluate_argp, predict_argp, verify_argp, record_argp, trace_argp,
    surface_argp, report_argp, generate_argp, shuffle_argp, inspect_argp, devices_argp, bench_argp, lab_argp;

tanda_status train_command(int argc, char **argv, tanda_error *error);
tanda_status evaluate_command(int argc, char **argv, tanda_error *error);
tanda_status predict_command(int argc, char **argv, tanda_error *error);
tanda_status verify_command(int argc, char **argv, tanda_error *error);
tanda_status record_command(int argc, char **argv, tanda_error *error);
tanda_status trace_command(int argc, char **argv, tanda_error *error);
tanda_status surface_command(int argc, char **argv, tanda_error *error);
tanda_status report_command(int argc, char **argv, tanda_error *error);
tanda_status generate_command(int argc, char **argv, tanda_error *error);
tanda_status shuffle_command(int argc, char **argv, tanda_error *error);
tanda_status inspect_command(int argc, char **argv, tanda_error *error);
tanda_status devices_command(int argc, char **argv, tanda_error *error);
tanda_status bench_command(int argc, char **argv, tanda_error *error);
tanda_status lab_command(int argc, char **argv, tanda_error *error);

#endif
