/* --huber-delta, --label-smoothing and --scale-target of the commands that train: what a loss wants to know. */
#ifndef TANDA_CLI_LOSS_OPTIONS_H
#define TANDA_CLI_LOSS_OPTIONS_H

#include <argp.h>

#include "cli/report.h"
#include "model/model.h"

typedef struct loss_options {
    double huber_delta;     /* 0: not given */
    double label_smoothing; /* 0: none */
    bool has_scale_target;
    tanda_scale scale_target; /* none or standard */
    tanda_error *error;
} loss_options;

/* A child of the argp of training; its input is a loss_options *. */
extern const struct argp loss_argp;

/* What the model's loss uses, defaults included. */
void loss_write_settings(const tanda_model *model, report *settings);

#endif
