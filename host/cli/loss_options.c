#include "cli/loss_options.h"

#include <string.h>

#include "cli/option_table.h"
#include "cli/options.h"
#include "data/number.h"
#include "data/place.h"

enum { FLAG_HUBER_DELTA = FLAG_OWN + 0xa00, FLAG_LABEL_SMOOTHING, FLAG_SCALE_TARGET };

static const struct argp_option table[] = {
    {"huber-delta", FLAG_HUBER_DELTA, "D", 0,
     "distance from the target beyond which the loss huber grows linearly; default 1", 0},
    {"label-smoothing", FLAG_LABEL_SMOOTHING, "S", 0,
     "part of a label that is spread over all classes, for the cross-entropies and kl_divergence; default 0",
     0},
    {"scale-target", FLAG_SCALE_TARGET, "MODE", 0,
     "of quantities: none (default), or standard: the loss is of targets of mean 0 and deviation 1, "
     "predictions and "
     "metrics stay in the units of the data",
     SECTION_TRAINING},
    {0},
};

static tanda_status set_smoothing(loss_options *options, const char *argument) {
    char buffer[SHOWN_SIZE];
    double number = 0.0;
    if (number_to_double(argument, strlen(argument), &number) != NUMBER_OK ||
        !(number >= 0.0 && number < 1.0))
        return fail(options->error, TANDA_USAGE,
                    "--label-smoothing: '%s' is not a number from 0 to below 1, such as 0.1",
                    shown(argument, strlen(argument), buffer));
    options->label_smoothing = number;
    return TANDA_OK;
}

static tanda_status set_scale_target(loss_options *options, const char *argument) {
    static const char *const names[] = {"none", "standard"};
    size_t index = 0;
    const tanda_status status = value_choice("--scale-target", argument, names, 2, &index, options->error);
    if (status != TANDA_OK) return status;
    options->has_scale_target = true;
    options->scale_target = index == 0 ? TANDA_SCALE_NONE : TANDA_SCALE_STANDARD;
    return TANDA_OK;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    loss_options *options = state->input;
    switch (key) {
    case FLAG_HUBER_DELTA:
        return parsed(value_positive("--huber-delta", argument, &options->huber_delta, options->error));
    case FLAG_LABEL_SMOOTHING:
        return parsed(set_smoothing(options, argument));
    case FLAG_SCALE_TARGET:
        return parsed(set_scale_target(options, argument));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp loss_argp = {.options = table, .parser = parse};

void loss_write_settings(const tanda_model *model, report *settings) {
    const loss_settings *of_loss = &model->loss_settings;
    if (model->loss == LOSS_HUBER)
        report_real(settings, "huber_delta", of_loss->huber_delta == 0.0 ? 1.0 : of_loss->huber_delta);
    if (of_loss->label_smoothing != 0.0) report_real(settings, "label_smoothing", of_loss->label_smoothing);
}
