/*
 * Options that several commands share, as groups for argp. A command's own argp lists the groups it takes as
 * children, in the order of its struct members, and hands each its part of the options in ARGP_KEY_INIT.
 */
#ifndef TANDA_CLI_OPTIONS_H
#define TANDA_CLI_OPTIONS_H

#include <argp.h>

#include "cli/option_groups.h"

/* Inputs: common_options *, data_options *, data_options *. data_argp is reading_argp and --data. */
extern const struct argp common_argp;
extern const struct argp reading_argp;
extern const struct argp data_argp;

/*
 * Parses argv into input (common is the part of it that common_argp fills) and answers --help and --version.
 * error is the one the groups were given. Fails with TANDA_USAGE; an option that does not exist is named with
 * the closest one that does.
 */
tanda_status options_parse(const struct argp *argp, int argc, char **argv, void *input,
                           common_options *common, tanda_error *error);

/* Takes one positional argument into *place; more than one is TANDA_USAGE. */
error_t options_argument(struct argp_state *state, const char *argument, const char **place,
                         tanda_error *error);

/* Fails with TANDA_USAGE for want of "data" or the like, and shows the command's example. */
tanda_status options_lack(const struct argp *argp, const char *what, tanda_error *error);

/* The names --task takes, in the order of tanda_task. */
tanda_status options_task(const char *text, tanda_task *task, tanda_error *error);

#endif
