#include "cli/weight_options.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "cli/option_table.h"
#include "cli/options.h"
#include "data/class_weights.h"
#include "data/number.h"
#include "data/place.h"
#include "support/memory.h"

enum { FLAG_CLASS_WEIGHT = FLAG_OWN + 0xa00 };

static const struct argp_option table[] = {
    {"class-weight", FLAG_CLASS_WEIGHT, "balanced|NAME=W,...", 0,
     "multiply the loss of a class's rows: by rows / (classes * rows of the class), or as given, others by "
     "1; "
     "default: by 1",
     0},
    ELSEWHERE("class-weights"),
    {0},
};

/* NAME=W; the name may have a = in it. */
static tanda_status add_weight(weight_options *options, const char *text, double *weight) {
    char buffer[SHOWN_SIZE];
    const char *sign = strrchr(text, '=');
    if (sign == NULL || sign == text)
        return fail(options->error, TANDA_USAGE, "--class-weight: '%s' is neither balanced nor like NAME=2.5",
                    shown(text, strlen(text), buffer));
    const size_t length = (size_t)(sign - text);
    for (size_t i = 0; i < options->names.count; i++)
        if (strlen(options->names.texts[i]) == length && memcmp(options->names.texts[i], text, length) == 0)
            return fail(options->error, TANDA_USAGE, "--class-weight: class '%s' has two weights",
                        shown(text, length, buffer));
    if (number_to_double(sign + 1, strlen(sign + 1), weight) != NUMBER_OK || !(*weight >= 0.0) ||
        !isfinite((float)*weight))
        return fail(options->error, TANDA_USAGE,
                    "--class-weight: '%s' is not a number of at least 0 that binary32 can hold",
                    shown(sign + 1, strlen(sign + 1), buffer));
    return value_append("--class-weight", text, length, &options->names, options->error);
}

static tanda_status set_class_weight(weight_options *options, const char *argument) {
    text_list parts = {0};
    weight_options_free(options);
    options->balanced = strcasecmp(argument, "balanced") == 0;
    if (options->balanced) return TANDA_OK;
    tanda_status status = value_list("--class-weight", argument, &parts, options->error);
    if (status == TANDA_OK)
        status =
            allocate(&options->weights, parts.count, sizeof *options->weights, "weights", options->error);
    for (size_t i = 0; status == TANDA_OK && i < parts.count; i++)
        status = add_weight(options, parts.texts[i], &options->weights[i]);
    text_list_free(&parts);
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    weight_options *options = state->input;
    if (key != FLAG_CLASS_WEIGHT) return ARGP_ERR_UNKNOWN;
    return parsed(set_class_weight(options, argument));
}

const struct argp weight_argp = {.options = table, .parser = parse};

/* weights (class_count) as given by name, 1 for the others. */
static tanda_status find_weights(const weight_options *options, const tanda_dataset *training,
                                 double *weights, tanda_error *error) {
    char buffer[SHOWN_SIZE];
    for (size_t c = 0; c < training->class_count; c++)
        weights[c] = 1.0;
    for (size_t i = 0; i < options->names.count; i++) {
        const char *name = options->names.texts[i];
        size_t c = 0;
        while (c < training->class_count && strcmp(training->class_names[c], name) != 0)
            c++;
        if (c == training->class_count)
            return fail(error, TANDA_USAGE,
                        "--class-weight: the data has no class '%s'; the first of %zu is '%s'",
                        shown(name, strlen(name), buffer), training->class_count, training->class_names[0]);
        weights[c] = options->weights[i];
    }
    return TANDA_OK;
}

tanda_status weight_options_apply(const weight_options *options, tanda_dataset *training,
                                  tanda_error *error) {
    double *weights = NULL;
    if (!options->balanced && options->names.count == 0) return TANDA_OK;
    if (training->task != TANDA_TASK_CLASSES)
        return fail(error, TANDA_USAGE, "--class-weight: %s; only classes have such weights",
                    training->task == TANDA_TASK_LABELS ? "there are several labels a row"
                                                        : "the target is a quantity");
    tanda_status status = allocate(&weights, training->class_count, sizeof *weights, "weights", error);
    if (status == TANDA_OK && options->balanced)
        class_weights_balanced(training, weights);
    else if (status == TANDA_OK)
        status = find_weights(options, training, weights, error);
    if (status == TANDA_OK) status = class_weights_apply(training, weights, error);
    free(weights);
    return status;
}

/* NAME=W with all the digits of W. */
static json_t *weight_text(const char *name, double weight) {
    char *text = NULL;
    json_t *made = NULL;
    if (asprintf(&text, "%s=%.17g", name, weight) >= 0) made = report_string(text);
    free(text);
    return made;
}

void weight_write_settings(const weight_options *options, report *settings) {
    if (options->balanced) report_text(settings, "class_weight", "balanced");
    if (options->names.count == 0) return;
    json_builder weights = json_array_begin();
    for (size_t i = 0; i < options->names.count; i++)
        json_push(&weights, weight_text(options->names.texts[i], options->weights[i]));
    report_value(settings, "class_weight", json_end(&weights));
}

void weight_options_free(weight_options *options) {
    text_list_free(&options->names);
    free(options->weights);
    options->weights = NULL;
    options->balanced = false;
}
