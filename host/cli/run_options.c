#include "cli/run_options.h"

#include <string.h>

#include "cli/options.h"
#include "data/number.h"
#include "data/place.h"

#define PATIENCE_MAX 1000000000

enum { FLAG_PATIENCE = FLAG_RUN, FLAG_MIN_DELTA, FLAG_RESTORE_BEST, FLAG_LOG, FLAG_CSV_LOG };

static const struct argp_option table[] = {
    {"patience", FLAG_PATIENCE, "N", 0,
     "stop after N epochs in a row without a better val_loss, or loss where there is no validation; default "
     "0: never",
     0},
    {"min-delta", FLAG_MIN_DELTA, "LOSS", 0, "better means lower by more than this; default 0", 0},
    {"restore-best", FLAG_RESTORE_BEST, "yes|no", 0,
     "end with the weights of the best epoch; default: yes with --patience, else no", 0},
    {"log", FLAG_LOG, "FILE", 0, "write a JSON object per reported epoch, and one at the end, a line each",
     0},
    {"csv-log", FLAG_CSV_LOG, "FILE", 0,
     "write a line per reported epoch as Keras's CSVLogger does, epochs from 0", 0},
    {0},
};

static tanda_status set_patience(run_options *options, const char *argument) {
    uint64_t epochs = 0;
    const tanda_status status = value_count("--patience", argument, 0, PATIENCE_MAX, &epochs, options->error);
    if (status == TANDA_OK) options->patience = (size_t)epochs;
    return status;
}

static tanda_status set_min_delta(run_options *options, const char *argument) {
    char buffer[SHOWN_SIZE];
    double number = 0.0;
    if (number_to_double(argument, strlen(argument), &number) == NUMBER_OK && number >= 0.0) {
        options->min_delta = number;
        return TANDA_OK;
    }
    return fail(options->error, TANDA_USAGE, "--min-delta: '%s' is not a number of at least 0, such as 0.001",
                shown(argument, strlen(argument), buffer));
}

static tanda_status set_restore_best(run_options *options, const char *argument) {
    static const char *const names[] = {"no", "yes"};
    size_t index = 0;
    const tanda_status status = value_choice("--restore-best", argument, names, 2, &index, options->error);
    if (status != TANDA_OK) return status;
    options->has_restore_best = true;
    options->restore_best = index == 1;
    return TANDA_OK;
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    run_options *options = state->input;
    switch (key) {
    case FLAG_PATIENCE:
        return parsed(set_patience(options, argument));
    case FLAG_MIN_DELTA:
        return parsed(set_min_delta(options, argument));
    case FLAG_RESTORE_BEST:
        return parsed(set_restore_best(options, argument));
    case FLAG_LOG:
        options->log = argument;
        return 0;
    case FLAG_CSV_LOG:
        options->csv_log = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp run_argp = {.options = table, .parser = parse};

bool run_restores_best(const run_options *options) {
    return options->has_restore_best ? options->restore_best : options->patience > 0;
}

void run_write_settings(const run_options *options, report *settings) {
    report_count(settings, "patience", options->patience);
    report_real(settings, "min_delta", options->min_delta);
    report_text(settings, "restore_best", run_restores_best(options) ? "yes" : "no");
}
