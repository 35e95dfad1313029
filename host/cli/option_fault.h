/* What is wrong with an option that cannot be taken. */
#ifndef TANDA_CLI_OPTION_FAULT_H
#define TANDA_CLI_OPTION_FAULT_H

#include <argp.h>

#include "tanda_lab.h"

/*
 * Fails with TANDA_USAGE, saying of the word of a command line why it is no option of the command: what to write for an
 * option of other software, else the closest name; or what its value lacks.
 */
tanda_status option_fault(const struct argp *argp, const char *command, const char *argument,
                          tanda_error *error);

/*
 * What to write here for an option of other software that means something else or that is none here, by its name without
 * dashes: "scikit-learn's C is --l2 X, X = 1 / (C rows)". NULL where it is unknown, or the command lacks what is to be
 * written.
 */
const char *option_advice(const struct argp *argp, const char *name);

#endif
