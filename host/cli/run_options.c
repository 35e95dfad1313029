/* Options on how a run goes: when it stops early, what it writes on the way, cross-validation. */

#include <string.h>

#include "cli/option_table.h"
#include "cli/train_options.h"
#include "tanda_lab.h"

#define TEXT(member) TEXT_AT(train_options, member)
#define VALUE(member) VALUE_AT(train_options, member)
#define PATIENCE_MAX 1000000000
#define EVERY_MAX 1000000000
#define FOLDS_MAX 1000000

enum {
    FLAG_MIN_DELTA = FLAG_RUN,
    FLAG_RESTORE_BEST,
    FLAG_CHECKPOINT_EVERY,
};

static const struct argp_option table[] = {
    {"patience", VALUE(training.patience), "N", 0,
     "stop after N epochs in a row without a better val_loss, or loss where there is no validation; default "
     "0: never",
     0},
    {"min-delta", FLAG_MIN_DELTA, "LOSS", 0, "better means lower by more than this; default 0", 0},
    {"restore-best", FLAG_RESTORE_BEST, "yes|no", 0,
     "end with the weights of the best epoch; default: yes with --patience, else no", 0},
    ELSEWHERE("restore-best-weights"),
    {"log", TEXT(log), "FILE", 0, "write a JSON object per reported epoch, and one at the end, a line each",
     SECTION_OUTPUT},
    {"csv-log", TEXT(csv_log), "FILE", 0,
     "write a line per reported epoch as Keras's CSVLogger does, epochs from 0", SECTION_OUTPUT},
    {"plot", SWITCH_AT(train_options, plot), NULL, 0,
     "show the losses of the reported epochs at the end, in letters, drawn by gnuplot", SECTION_OUTPUT},
    {"checkpoint", TEXT(training.checkpoint), "FILE|FOLDER", 0,
     "save the training here from time to time, at SIGINT, SIGTERM, SIGHUP, SIGXCPU and SIGUSR1 (which goes "
     "on), and at the end: a file that ends in .safetensors, or a folder",
     SECTION_OUTPUT},
    {"checkpoint-every", FLAG_CHECKPOINT_EVERY, "N|TIME", 0,
     "so many epochs, or a time such as 30s, 10m or 2h; default 1m", SECTION_OUTPUT},
    {"keep", VALUE(training.checkpoint_keep), "N", 0,
     "checkpoints that a folder keeps, beside best.safetensors; default 3", SECTION_OUTPUT},
    {"resume", TEXT(training.resume), "FILE|FOLDER", 0,
     "go on from a checkpoint, or from the newest whole one of a folder, to the same bits; it goes on saving "
     "there unless --checkpoint says otherwise",
     SECTION_OUTPUT},
    {"profile", SWITCH_AT(train_options, profile), NULL, 0,
     "tell what the time went into: kernels, transfers, compiling and gaps of an OpenCL device, ops and "
     "waiting of the CPU's threads",
     SECTION_OUTPUT},
    {"profile-trace", TEXT(profile_trace), "FILE", 0,
     "write each launch and transfer of an OpenCL device as a trace for chrome://tracing or ui.perfetto.dev; "
     "implies --profile",
     SECTION_OUTPUT},
    {"folds", VALUE(folds), "K", 0,
     "cross-validation: K trainings, each judged by another part of the rows; with --output one more on all "
     "rows",
     0},
    ELSEWHERE("cv"),
    ELSEWHERE("n-splits"),
    {0},
};

static const option_place places[] = {
    {VALUE(training.patience), .kind = PLACE_SIZE, .flag = "--patience", .most = PATIENCE_MAX},
    {VALUE(training.checkpoint_keep), .kind = PLACE_SIZE, .flag = "--keep", .least = 1, .most = EVERY_MAX},
    {VALUE(folds), .kind = PLACE_SIZE, .flag = "--folds", .least = 2, .most = FOLDS_MAX},
    {0},
};

/* "12": epochs; "30s", "10m", "2h": time. */
static tanda_status set_every(train_options *options, const char *argument) {
    static const struct {
        char unit;
        double seconds;
    } units[] = {{'s', 1.0}, {'m', 60.0}, {'h', 3600.0}};
    char buffer[SHOWN_SIZE];
    uint64_t epochs = 0;
    double number = 0.0;
    const size_t length = strlen(argument);
    options->training.checkpoint_epochs = 0;
    options->training.checkpoint_seconds = 0.0;
    if (value_count("", argument, 1, EVERY_MAX, &epochs, NULL) == TANDA_OK) {
        options->training.checkpoint_epochs = (size_t)epochs;
        return TANDA_OK;
    }
    for (size_t i = 0; length > 0 && i < sizeof units / sizeof *units; i++) {
        if (argument[length - 1] != units[i].unit ||
            number_to_double(argument, length - 1, &number) != NUMBER_OK || !(number > 0.0) ||
            number > EVERY_MAX)
            continue;
        options->training.checkpoint_seconds = number * units[i].seconds;
        return TANDA_OK;
    }
    return fail(options->common.error, TANDA_USAGE,
                "--checkpoint-every: '%s' is neither a number of epochs, such as 5, nor a time such as 30s, "
                "10m or 2h",
                shown(argument, length, buffer));
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    train_options *options = state->input;
    double *min_delta = &options->training.min_delta;
    char buffer[SHOWN_SIZE];
    switch (key) {
    case FLAG_MIN_DELTA:
        if (number_to_double(argument, strlen(argument), min_delta) == NUMBER_OK && *min_delta >= 0.0)
            return 0;
        return parsed(fail(options->common.error, TANDA_USAGE,
                           "--min-delta: '%s' is not a number of at least 0, such as 0.001",
                           shown(argument, strlen(argument), buffer)));
    case FLAG_RESTORE_BEST:
        options->has_restore_best = true;
        return parsed(
            value_yes_no("--restore-best", argument, &options->training.restore_best, options->common.error));
    case FLAG_CHECKPOINT_EVERY:
        return parsed(set_every(options, argument));
    default:
        return option_put(places, key, argument, options, options->common.error);
    }
}

const struct argp run_argp = {.options = table, .parser = parse};

tanda_status run_options_check(train_options *options, tanda_error *error) {
    tanda_train_options *training = &options->training;
    if (options->folds > 0 && (training->checkpoint != NULL || training->resume != NULL))
        return fail(error, TANDA_USAGE,
                    "--folds makes several trainings, and %s is for one; leave one of them away",
                    training->checkpoint != NULL ? "--checkpoint" : "--resume");
    if (options->folds > 0 && options->output == NULL && (options->log != NULL || options->csv_log != NULL))
        return fail(error, TANDA_USAGE,
                    "--%s is of the training on all rows, which --folds makes with --output",
                    options->log != NULL ? "log" : "csv-log");
    if (options->folds > 0 && options->output == NULL && options->plot)
        return fail(error, TANDA_USAGE,
                    "--plot is of the training on all rows, which --folds makes with --output");
    if (options->profile_trace != NULL) options->profile = true;
    if (options->folds > 0 && options->profile)
        return fail(error, TANDA_USAGE,
                    "--folds makes several trainings, and --profile is of one; leave one of them away");
    if (!options->has_restore_best) training->restore_best = training->patience > 0;
    if (training->checkpoint == NULL) training->checkpoint = training->resume;
    const char *alone = training->checkpoint_keep > 0 ? "--keep"
                        : training->checkpoint_epochs > 0 || training->checkpoint_seconds > 0.0
                            ? "--checkpoint-every"
                            : NULL;
    if (training->checkpoint == NULL && alone != NULL)
        return fail(error, TANDA_USAGE, "%s is for checkpoints; give --checkpoint FILE or FOLDER", alone);
    if (training->checkpoint_keep > 0 && !checkpoint_is_folder(training->checkpoint))
        return fail(error, TANDA_USAGE,
                    "--keep is for a folder, and --checkpoint %s is one file; leave .safetensors away",
                    training->checkpoint);
    return TANDA_OK;
}
