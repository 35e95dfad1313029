#include "cli/validation_options.h"

#include "cli/option_table.h"
#include "cli/options.h"

#define FOLDS_MAX 1000000

enum { FLAG_STRATIFY = FLAG_OWN + 0x800, FLAG_FOLDS };

static const struct argp_option table[] = {
    {"stratify", FLAG_STRATIFY, "MODE", 0,
     "hold out each class in proportion to its rows: yes (default for classes) or no", 0},
    {0},
};

static const struct argp_option folds_table[] = {
    {"folds", FLAG_FOLDS, "K", 0,
     "cross-validation: K trainings, each judged by another part of the rows; with --output one more on all "
     "rows",
     0},
    ELSEWHERE("cv"),
    ELSEWHERE("n-splits"),
    {0},
};

static tanda_status set_stratify(validation_options *options, const char *argument) {
    bool yes = false;
    const tanda_status status = value_yes_no("--stratify", argument, &yes, options->error);
    if (status == TANDA_OK) options->stratify = yes ? STRATIFY_YES : STRATIFY_NO;
    return status;
}

static tanda_status set_folds(validation_options *options, const char *argument) {
    uint64_t folds = 0;
    const tanda_status status = value_count("--folds", argument, 2, FOLDS_MAX, &folds, options->error);
    if (status == TANDA_OK) options->folds = (size_t)folds;
    return status;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    validation_options *options = state->input;
    switch (key) {
    case FLAG_STRATIFY:
        return parsed(set_stratify(options, argument));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp validation_argp = {.options = table, .parser = parse};

static error_t parse_folds(int key, char *argument, struct argp_state *state) {
    if (key != FLAG_FOLDS) return ARGP_ERR_UNKNOWN;
    return parsed(set_folds(state->input, argument));
}

const struct argp folds_argp = {.options = folds_table, .parser = parse_folds};

tanda_status validation_options_check(const validation_options *options, bool has_fraction, bool has_file,
                                      tanda_error *error) {
    if (options->folds > 0 && (has_fraction || has_file))
        return fail(error, TANDA_USAGE,
                    "--folds holds out every row once, which leaves none for --validation; give one of them");
    if (options->stratify != STRATIFY_AUTO && options->folds == 0 && !has_fraction)
        return fail(error, TANDA_USAGE, "--stratify goes with --validation FRACTION or --folds K");
    return TANDA_OK;
}

tanda_status validation_by_class(const validation_options *options, const tanda_dataset *dataset,
                                 bool *by_class, tanda_error *error) {
    const bool classes = dataset->task == TANDA_TASK_CLASSES;
    if (options->stratify == STRATIFY_YES && !classes)
        return fail(error, TANDA_USAGE, "--stratify: %s; only classes can be stratified",
                    dataset->task == TANDA_TASK_LABELS ? "there are several labels a row"
                                                       : "the target is a quantity");
    *by_class = classes && options->stratify != STRATIFY_NO;
    return TANDA_OK;
}
