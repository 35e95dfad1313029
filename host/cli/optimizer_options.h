/* Options on how a training changes the weights: the optimizer, penalties, clipping, and the learning rate's schedule. */
#ifndef TANDA_CLI_OPTIMIZER_OPTIONS_H
#define TANDA_CLI_OPTIMIZER_OPTIONS_H

#include <argp.h>
#include <stdio.h>

#include "tanda.h"

#define MOST_CONSTANTS 16

/* A number that was given, or not. */
typedef struct given_number {
    bool is_given;
    double value;
} given_number;

typedef struct optimizer_options {
    tanda_optimizer kind;
    tanda_schedule schedule_kind;
    const char *remark; /* on a name of the optimizer that is not ours, or NULL */
    bool amsgrad, centered;
    given_number constants[MOST_CONSTANTS], members[MOST_CONSTANTS]; /* of optimizer and schedule */
    tanda_error *error;                                              /* set before parsing */
} optimizer_options;

/* Input: optimizer_options *. */
extern const struct argp optimizer_argp;

/*
 * Puts defaults and what was given together: optimizer and schedule of training, and its learning rate unless it has one.
 * TANDA_USAGE for an option of another optimizer or schedule, or a value out of range.
 */
tanda_status optimizer_options_finish(const optimizer_options *options, tanda_train_options *training,
                                      tanda_error *error);

/*
 * Of options for several optimizers in company, those of one of them: what it has, and what none has, which is refused then.
 * L-BFGS finds its lengths itself, so it has no schedule.
 */
optimizer_options optimizer_options_among(const optimizer_options *given, const tanda_optimizer *kinds,
                                          size_t count, size_t index);

/* TANDA_USAGE where the rate depends on how the training goes, which `command` cannot follow. */
tanda_status optimizer_options_check_fixed(const optimizer_options *options, const char *command,
                                           tanda_error *error);

/* For the manual: the learning rate and the constants of each optimizer, and what each schedule has. */
void optimizer_write_defaults(FILE *stream);

/* A line, where the name that was given asks for one. */
void print_optimizer_remark(FILE *stream, const optimizer_options *options);

/* For a banner: "adam, one-cycle, learning rate 0.001"; the name is left out for plain descent. */
#define OPTIMIZER_TEXT_SIZE 96
const char *optimizer_text(const tanda_train_options *training, char text[OPTIMIZER_TEXT_SIZE]);

#endif
