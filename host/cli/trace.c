/* tanda trace */
#include <stdio.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/page_words.h"
#include "cli/trace_report.h"
#include "cli/train_options.h"

/* One run of the command. */
typedef struct tracing {
    train_options train;
    size_t row, step;  /* from 1; 0: not given */
    language language; /* of text and page */
    fit fit;
    tanda_device *device;
    char reason[256];
    trace trace;
} tracing;

#define VALUE(member) VALUE_AT(tracing, member)

static const struct argp_option table[] = {
    {"row", VALUE(row), "N", 0, "the row of the training rows, from 1; default: the first of the step", 0},
    {"step", VALUE(step), "N", 0,
     "the step of the training, from 1; default: the one of the first epoch that has the row, or 1", 0},
    {"language", VALUE(language), "LANGUAGE", 0, "of text and page: en (default) or es", 0},
    WITHOUT_OPTIONS("report-every math gemm"),
    {0},
};

static const option_place places[] = {
    {VALUE(row), .kind = PLACE_SIZE, .flag = "--row", .least = 1},
    {VALUE(step), .kind = PLACE_SIZE, .flag = "--step", .least = 1},
    {VALUE(language), .kind = PLACE_WORD, .flag = "--language", .words = &language_words},
    {0},
};

static error_t parse(int key, char *argument, struct argp_state *state) {
    tracing *run = state->input;
    if (key == ARGP_KEY_INIT) {
        state->child_inputs[0] = &run->train;
        return 0;
    }
    return option_put(places, key, argument, run, run->train.common.error);
}

const struct argp trace_argp = {
    .options = table,
    .parser = parse,
    .args_doc = "DATA",
    .doc = "One row through one step of a training, as on a blackboard: features, z, a, loss, deltas, "
           "gradient and new "
           "weights, each with its formula and its numbers, and beside each derivative its finite "
           "difference. The "
           "numbers are the training's own bits. --init MODEL starts from a model's weights, --output writes "
           "a page; "
           "up to 250 weights. Ends with exit code 1 if a derivative differs.\v"
           "Example: tanda trace datasets/perceptron.csv --row 1 --batch 1",
    .children = (const struct argp_child[]){{&train_options_argp, 0, NULL, 0}, {0}},
};

static tanda_status parse_options(int argc, char **argv, tracing *run, tanda_error *error) {
    train_options_begin(&run->train, error);
    tanda_status status = options_parse(&trace_argp, argc, argv, run, &run->train.common, error);
    if (status != TANDA_OK || run->train.common.finished) return status;
    status = train_options_check(&run->train, error);
    return status == TANDA_OK ? optimizer_options_check_fixed(&run->train.optimizing, "trace", error)
                              : status;
}

/* ---- telling --------------------------------------------------------------------------------------------- */

static tanda_status print_json(const tracing *run, const trace_view *view, tanda_error *error) {
    report report = report_begin("trace");
    report_device(&report, run->device, &run->train.common.device);
    report_trace(&report, view);
    if (run->train.output != NULL) json_put_text(&report, "page", run->train.output);
    return report_print(&report, error);
}

static tanda_status tell(const tracing *run, tanda_error *error) {
    const trace_view view = {.trace = &run->trace,
                             .path = run->train.data.path,
                             .optimizer = optimizer_name(run->fit.train.optimizer.kind),
                             .device = tanda_device_describe(run->device)->name,
                             .data_rows = run->fit.training->rows,
                             .language = run->language};
    char title[TRACE_TITLE_SIZE];
    trace_title_text(&view, title);
    const document_source source = {.write = write_trace,
                                    .content = &view,
                                    .title = title,
                                    .path = run->train.output,
                                    .json = run->train.common.json,
                                    .language = run->language};
    const tanda_status status = document_put(&source, error);
    return status == TANDA_OK && source.json ? print_json(run, &view, error) : status;
}

/* ---- the work -------------------------------------------------------------------------------------------- */

static tanda_status trace_step(tracing *run, tanda_error *error) {
    golden_options training;
    const tanda_train_options *train = &run->fit.train;
    const tanda_status status =
        golden_options_of(train, run->fit.training->rows, run->step, &training, error);
    if (status != TANDA_OK) return status;
    const trace_options options = {
        .step = run->step, .row = run->row, .training = lockstep_options_of(&training)};
    return trace_run(run->device, run->fit.model, run->fit.training, &options, &run->trace, error);
}

static tanda_status trace_row(tracing *run, tanda_error *error) {
    const common_options *common = &run->train.common;
    tanda_status status = fit_begin(&run->train.fit, &run->fit, error);
    run->fit.whole_for = "a trace";
    if (status == TANDA_OK) status = fit_make(&run->fit, error);
    if (status == TANDA_OK)
        status = opening_of(&common->device, common->quiet, &run->device, run->reason, error);
    if (status == TANDA_OK && !common->quiet)
        print_device_line(run->device, common->device.math, run->reason);
    if (status == TANDA_OK) status = trace_step(run, error);
    if (status == TANDA_OK) status = tell(run, error);
    if (status != TANDA_OK) return status;
    return trace_count(&run->trace).differing == 0 ? TANDA_OK : TANDA_FAILED;
}

tanda_status trace_command(int argc, char **argv, tanda_error *error) {
    tracing run = {0};
    tanda_status status = parse_options(argc, argv, &run, error);
    if (status == TANDA_OK && !run.train.common.finished) status = train_files_check(&run.train, error);
    if (status == TANDA_OK && !run.train.common.finished) status = trace_row(&run, error);
    trace_free(&run.trace);
    tanda_device_close(run.device);
    fit_free(&run.fit);
    train_options_free(&run.train);
    return status;
}
