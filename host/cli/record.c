/* tanda record */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/report.h"
#include "cli/train_options.h"
#include "tanda_lab.h"

enum { FLAG_STEPS = FLAG_OWN + 0x100 };

/* One run of the command. */
typedef struct recording {
    train_options train;
    size_t steps; /* 0: those of --epochs */
    fit fit;
    tanda_device *device;
    char reason[256];
    golden golden;
} recording;

static const struct argp_option table[] = {
    {"steps", FLAG_STEPS, "N", 0, "steps to record; default: those of --epochs", 0},
    WITHOUT_OPTIONS("gemm report-every"),
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    recording *run = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &run->train;
        return 0;
    case FLAG_STEPS:
        return parsed(value_size("--steps", argument, 1, SIZE_MAX, &run->steps, run->train.common.error));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp record_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "DATA",
    .doc =
        "Trains, and keeps the training's fingerprint: hashes of data and weights and the bits of the "
        "losses, "
        "for every step up to 1,000, then for at most 1,000 more and the last. tanda verify --golden repeats "
        "it on any device.\v"
        "Example: tanda record datasets/iris.csv --hidden 16 --output iris.golden.json",
    .children = (const struct argp_child[]){{&train_options_argp, 0, NULL, 0}, {0}},
};

static tanda_status parse_options(int argc, char **argv, recording *run, tanda_error *error) {
    train_options_begin(&run->train, error);
    tanda_status status = options_parse(&record_argp, argc, argv, run, &run->train.common, error);
    if (status != TANDA_OK || run->train.common.finished) return status;
    if (run->train.output == NULL)
        return fail(error, TANDA_USAGE, "no golden file: name it with --output FILE.json");
    if (run->train.common.device.math != TANDA_MATH_EXACT)
        return fail(error, TANDA_USAGE, "--math fast: only exact trainings can be repeated to the bit");
    status = train_options_check(&run->train, error);
    return status == TANDA_OK ? optimizer_options_check_fixed(&run->train.optimizing, "record", error)
                              : status;
}

/* ---- the arguments that decide the training ------------------------------------------------------------ */

/* An option and its value, as they were given but for names that are not ours. */
static tanda_status keep_argument(const json_t *settings, const struct argp_option *option, char **argv,
                                  golden *golden, tanda_error *error) {
    const char *sign = strchr(argv[0], '=');
    char **kept = golden->arguments + golden->argument_count;
    if (option->arg == NULL) {
        golden->argument_count++;
        return copy_text(kept, argv[0], error);
    }
    char *value = golden_value(settings, option->name, sign != NULL ? sign + 1 : argv[1]);
    if (value == NULL) return fail(error, TANDA_FAILED, "out of memory for the arguments");
    if (sign == NULL) {
        kept[1] = value;
        golden->argument_count += 2;
        return copy_text(kept, argv[0], error);
    }
    const int length = (int)(sign - argv[0]);
    const bool made = asprintf(kept, "%.*s=%s", length, argv[0], value) >= 0;
    golden->argument_count += made;
    free(value);
    return made ? TANDA_OK : fail(error, TANDA_FAILED, "out of memory for the arguments");
}

/* argp has taken all, so each is an option of ours, abbreviated or not, or the value of one. "--" is the last. */
static tanda_status keep_arguments(int argc, char **argv, const tanda_model *model, golden *golden,
                                   tanda_error *error) {
    tanda_status status =
        allocate(&golden->arguments, (size_t)argc, sizeof *golden->arguments, "arguments", error);
    json_t *settings =
        model->settings == NULL ? NULL : json_read(model->settings, strlen(model->settings), 0, NULL);
    if (status == TANDA_OK && settings == NULL)
        status = fail(error, TANDA_FAILED, "out of memory for the settings");
    for (int i = 1, next = 0; status == TANDA_OK && i < argc; i = next) {
        const struct argp_option *option = option_of_argument(&record_argp, argv[i]);
        if (option == NULL) break;
        next = i + 1 + (option->arg != NULL && strchr(argv[i], '=') == NULL);
        if (golden_keeps(option->name)) status = keep_argument(settings, option, argv + i, golden, error);
    }
    json_decref(settings);
    return status;
}

/* ---- the command -------------------------------------------------------------------------------------- */

/* status and error: of what was done; error becomes that of printing where all went well. */
static tanda_status print_result(const recording *run, tanda_status status, tanda_error *error) {
    const golden *golden = &run->golden;
    if (!run->train.common.json) {
        printf("recorded: %llu steps, %zu entries\ndata_sha256: %s\nweights_sha256: %s\n",
               (unsigned long long)golden->steps, golden->entry_count, golden->data, golden->final);
        if (run->train.output != NULL) print_named(stdout, "golden: ", run->train.output, "\n");
        return TANDA_OK;
    }
    report report = report_begin("record");
    report_device(&report, run->device, &run->train.common.device);
    json_put_count(&report, "rows", golden->rows);
    json_put_count(&report, "features", golden->features);
    json_put_count(&report, "parameters", golden->parameters);
    json_put_count(&report, "steps", golden->steps);
    json_put_count(&report, "entries", golden->entry_count);
    json_put_text(&report, "data_sha256", golden->data);
    json_put_text(&report, "weights_sha256", golden->final);
    json_put_text(&report, "golden", run->train.output);
    report_outcome(&report, status, error);
    return report_print(&report, status == TANDA_OK ? error : NULL);
}

static tanda_status record(recording *run, int argc, char **argv, tanda_error *error) {
    uint64_t steps = run->steps;
    golden_difference unused;
    tanda_status status = train_files_check(&run->train, error);
    if (status == TANDA_OK) status = fit_begin(&run->train.fit, &run->fit, error);
    run->fit.whole_for = "a record";
    if (status == TANDA_OK) status = fit_make(&run->fit, error);
    if (status == TANDA_OK && steps == 0)
        status = golden_all_steps(&run->fit.train, run->fit.training->rows, &steps, error);
    if (status == TANDA_OK)
        status =
            opening_of(&run->train.common.device, run->train.common.quiet, &run->device, run->reason, error);
    if (status != TANDA_OK) return status;
    if (!run->train.common.quiet) {
        print_model_line(run->fit.model);
        print_optimizer_remark(stderr, &run->train.optimizing);
        print_device_line(run->device, TANDA_MATH_EXACT, run->reason);
    }
    golden_options options;
    status = golden_options_of(&run->fit.train, run->fit.training->rows, steps, &options, error);
    if (status != TANDA_OK) return status;
    status = golden_run(run->device, run->fit.model, run->fit.training, &options, NULL, &run->golden, &unused,
                        error);
    if (status != TANDA_OK) return status;
    run->golden.settings = golden_settings(run->fit.model);
    if (run->golden.settings == NULL)
        return fail(error, TANDA_FAILED, "%s: no memory for the settings", run->train.output);
    status = keep_arguments(argc, argv, run->fit.model, &run->golden, error);
    if (status != TANDA_OK) return status;
    status = golden_save(&run->golden, run->train.output, error);
    if (status != TANDA_OK) run->train.output = NULL; /* the hashes are worth telling all the same */
    const tanda_status printed = print_result(run, status, error);
    return status == TANDA_OK ? printed : status;
}

tanda_status record_command(int argc, char **argv, tanda_error *error) {
    recording run = {0};
    tanda_status status = parse_options(argc, argv, &run, error);
    if (status == TANDA_OK && !run.train.common.finished) status = record(&run, argc, argv, error);
    golden_free(&run.golden);
    tanda_device_close(run.device);
    fit_free(&run.fit);
    train_options_free(&run.train);
    return status;
}
