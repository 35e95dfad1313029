#include "cli/run_options.h"

#include <string.h>

#include "cli/option_table.h"
#include "cli/options.h"
#include "data/number.h"
#include "data/place.h"
#include "train/checkpoint.h"

#define PATIENCE_MAX 1000000000
#define EVERY_MAX 1000000000

enum {
    FLAG_PATIENCE = FLAG_RUN,
    FLAG_MIN_DELTA,
    FLAG_RESTORE_BEST,
    FLAG_LOG,
    FLAG_CSV_LOG,
    FLAG_CHECKPOINT,
    FLAG_CHECKPOINT_EVERY,
    FLAG_KEEP,
    FLAG_RESUME
};

static const struct argp_option table[] = {
    {"patience", FLAG_PATIENCE, "N", 0,
     "stop after N epochs in a row without a better val_loss, or loss where there is no validation; default "
     "0: never",
     0},
    {"min-delta", FLAG_MIN_DELTA, "LOSS", 0, "better means lower by more than this; default 0", 0},
    {"restore-best", FLAG_RESTORE_BEST, "yes|no", 0,
     "end with the weights of the best epoch; default: yes with --patience, else no", 0},
    ELSEWHERE("restore-best-weights"),
    {"log", FLAG_LOG, "FILE", 0, "write a JSON object per reported epoch, and one at the end, a line each",
     SECTION_OUTPUT},
    {"csv-log", FLAG_CSV_LOG, "FILE", 0,
     "write a line per reported epoch as Keras's CSVLogger does, epochs from 0", SECTION_OUTPUT},
    {"checkpoint", FLAG_CHECKPOINT, "FILE|FOLDER", 0,
     "save the training here from time to time, at SIGINT, SIGTERM, SIGHUP, SIGXCPU and SIGUSR1 (which goes "
     "on), "
     "and at the end: a file that ends in .safetensors, or a folder",
     SECTION_OUTPUT},
    {"checkpoint-every", FLAG_CHECKPOINT_EVERY, "N|TIME", 0,
     "so many epochs, or a time such as 30s, 10m or 2h; default 1m", SECTION_OUTPUT},
    {"keep", FLAG_KEEP, "N", 0, "checkpoints that a folder keeps, beside best.safetensors; default 3",
     SECTION_OUTPUT},
    {"resume", FLAG_RESUME, "FILE|FOLDER", 0,
     "go on from a checkpoint, or from the newest whole one of a folder, to the same bits; it goes on saving "
     "there unless --checkpoint says otherwise",
     SECTION_OUTPUT},
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
    const tanda_status status =
        value_yes_no("--restore-best", argument, &options->restore_best, options->error);
    if (status == TANDA_OK) options->has_restore_best = true;
    return status;
}

/* "12": epochs; "30s", "10m", "2h": time. */
static tanda_status set_every(run_options *options, const char *argument) {
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1.0}, {'m', 60.0}, {'h', 3600.0}};
    char buffer[SHOWN_SIZE];
    uint64_t epochs = 0;
    double number = 0.0;
    const size_t length = strlen(argument);
    options->checkpoint_epochs = 0;
    options->checkpoint_seconds = 0.0;
    if (value_count("", argument, 1, EVERY_MAX, &epochs, NULL) == TANDA_OK) {
        options->checkpoint_epochs = (size_t)epochs;
        return TANDA_OK;
    }
    for (size_t i = 0; length > 0 && i < sizeof units / sizeof *units; i++) {
        if (argument[length - 1] != units[i].unit ||
            number_to_double(argument, length - 1, &number) != NUMBER_OK || !(number > 0.0) ||
            number > EVERY_MAX)
            continue;
        options->checkpoint_seconds = number * units[i].seconds;
        return TANDA_OK;
    }
    return fail(options->error, TANDA_USAGE,
                "--checkpoint-every: '%s' is neither a number of epochs, such as 5, nor a time such as 30s, "
                "10m or 2h",
                shown(argument, length, buffer));
}

static tanda_status set_keep(run_options *options, const char *argument) {
    uint64_t number = 0;
    const tanda_status status = value_count("--keep", argument, 1, EVERY_MAX, &number, options->error);
    if (status == TANDA_OK) options->keep = (size_t)number;
    return status;
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
    case FLAG_CHECKPOINT:
        options->checkpoint = argument;
        return 0;
    case FLAG_CHECKPOINT_EVERY:
        return parsed(set_every(options, argument));
    case FLAG_KEEP:
        return parsed(set_keep(options, argument));
    case FLAG_RESUME:
        options->resume = argument;
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp run_argp = {.options = table, .parser = parse};

tanda_status run_options_check(run_options *options, tanda_error *error) {
    if (options->checkpoint == NULL) options->checkpoint = options->resume;
    const char *alone = options->keep > 0 ? "--keep"
                        : options->checkpoint_epochs > 0 || options->checkpoint_seconds > 0.0
                            ? "--checkpoint-every"
                            : NULL;
    if (options->checkpoint == NULL && alone != NULL)
        return fail(error, TANDA_USAGE, "%s is for checkpoints; give --checkpoint FILE or FOLDER", alone);
    if (options->keep > 0 && !checkpoint_is_folder(options->checkpoint))
        return fail(error, TANDA_USAGE,
                    "--keep is for a folder, and --checkpoint %s is one file; leave .safetensors away",
                    options->checkpoint);
    return TANDA_OK;
}

bool run_restores_best(const run_options *options) {
    return options->has_restore_best ? options->restore_best : options->patience > 0;
}

void run_write_settings(const run_options *options, report *settings) {
    report_count(settings, "patience", options->patience);
    report_real(settings, "min_delta", options->min_delta);
    report_text(settings, "restore_best", run_restores_best(options) ? "yes" : "no");
}
