/* tanda inspect: which kind of file it is decides which half does the work. */
#include "cli/inspect.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/reading_options.h"
#include "tanda_lab.h"

enum { FLAG_TASK = FLAG_OWN, FLAG_SETTINGS };

static const struct argp_option table[] = {
    {"task", FLAG_TASK, "TASK", 0,
     "auto (default: told from the target), classes, regression or labels (several targets, each 0 or 1)", 0},
    {"settings", FLAG_SETTINGS, NULL, 0,
     "only the settings of the model's training, as JSON that tanda train --config takes", 0},
    WITHOUT_OPTIONS("device require-device accept-flush threads isa math gemm kernels executor seed"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    inspection *inspection = state->input;
    tanda_error *error = inspection->common.error;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &inspection->data;
        state->child_inputs[1] = &inspection->common;
        state->child_inputs[2] = &inspection->data;
        return 0;
    case FLAG_TASK:
        return parsed(options_task(argument, &inspection->task, error));
    case FLAG_SETTINGS:
        inspection->settings = true;
        return 0;
    case ARGP_KEY_ARG:
        return options_argument(state, argument, &inspection->data.path, error);
    case ARGP_KEY_END:
        if (inspection->data.path != NULL) return 0;
        return parsed(options_lack(state->root_argp, "file", error));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&reading_argp, 0, NULL, SECTION_DATA},
                                             {&common_argp, 0, NULL, SECTION_COMMON},
                                             {&encoding_argp, 0, NULL, SECTION_DATA},
                                             {0}};

const struct argp inspect_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "FILE",
    .doc = "What a model file holds, or each column of a data file: its type, missing and distinct values, "
           "minimum, mean, maximum and most frequent value.\v"
           "Example: tanda inspect datasets/iris.csv",
    .children = children,
};

static tanda_status inspect(const inspection *inspection, tanda_error *error) {
    bool is_model = false;
    const tanda_status status = model_file_looks_right(inspection->data.path, &is_model, error);
    if (status != TANDA_OK) return status;
    if (is_model) return inspect_model(inspection, error);
    if (!inspection->settings) return inspect_data(inspection, error);
    return fail(error, TANDA_USAGE, "--settings: %s is no model file", inspection->data.path);
}

tanda_status inspect_command(int argc, char **argv, tanda_error *error) {
    inspection inspection = {.common.error = error, .data.error = error};
    tanda_status status = options_parse(&inspect_argp, argc, argv, &inspection, &inspection.common, error);
    if (status == TANDA_OK && !inspection.common.finished) status = inspect(&inspection, error);
    data_options_free(&inspection.data);
    return status;
}
