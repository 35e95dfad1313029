/* tanda bench */
#include <regex.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/bar.h"
#include "cli/bench_report.h"
#include "cli/command.h"
#include "cli/option_table.h"
#include "cli/options.h"
#include "tanda_lab.h"

#define TEXT(member) TEXT_AT(bench_command_options, member)
#define SWITCH(member) SWITCH_AT(bench_command_options, member)
#define VALUE(member) VALUE_AT(bench_command_options, member)
#define LEAST_SECONDS 0.2
#define REPETITIONS 9 /* as many as compare.py of Google Benchmark asks for */

/* The options of tanda bench. */
typedef struct bench_command_options {
    common_options common;
    text_list devices; /* empty: the CPU and the first OpenCL device */
    bench_options bench;
    const char *output; /* or NULL */
    bool has_filter;
    regex_t filter;
    bool list;
} bench_command_options;

enum {
    FLAG_FILTER = FLAG_OWN,
    FLAG_SKIP_LIMITS,
};

static const struct argp_option table[] = {
    {"filter", FLAG_FILTER, "REGEX", 0, "the workloads whose names match (extended regular expression)", 0},
    {"repetitions", VALUE(bench.repetitions), "N", 0, "timed runs of each workload; default 9", 0},
    {"min-time", VALUE(bench.least_seconds), "SECONDS", 0, "what each of them takes at least; default 0.2",
     0},
    {"output", LETTER_OUTPUT, "FILE", 0, "write the figures as JSON in Google Benchmark's shape", 0},
    {"list", SWITCH(list), NULL, 0, "only name the workloads", 0},
    {"export", TEXT(bench.export_folder), "FOLDER", 0,
     "write each training's data (.npy), initial model and first losses for others to start from", 0},
    {"skip-limits", FLAG_SKIP_LIMITS, NULL, 0, "do not measure the devices' limits", 0},
    WITHOUT_OPTIONS("require-device gemm seed"),
    {0},
};

static const option_place places[] = {
    {VALUE(bench.repetitions), .kind = PLACE_SIZE, .flag = "--repetitions", .least = 1,
     .most = BENCH_MOST_REPETITIONS},
    {VALUE(bench.least_seconds), .kind = PLACE_POSITIVE, .flag = "--min-time"},
    {0},
};

static tanda_status set_filter(bench_command_options *options, const char *argument) {
    char reason[128];
    const int code = regcomp(&options->filter, argument, REG_EXTENDED | REG_NOSUB);
    options->has_filter = code == 0;
    if (code == 0) return TANDA_OK;
    if (code == REG_ESPACE) return fail(options->common.error, TANDA_FAILED, "--filter: no memory for it");
    regerror(code, &options->filter, reason, sizeof reason);
    return fail(options->common.error, TANDA_USAGE, "--filter: %s", reason);
}

static error_t parse(int key, char *argument, struct argp_state *state) {
    bench_command_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = &options->common;
        return 0;
    case FLAG_FILTER:
        if (options->has_filter) regfree(&options->filter);
        return parsed(set_filter(options, argument));
    case LETTER_OUTPUT:
        options->output = argument;
        return 0;
    case FLAG_SKIP_LIMITS:
        options->bench.with_limits = false;
        return 0;
    case ARGP_KEY_ARG:
        return options_argument(state, argument, NULL, options->common.error);
    default:
        return option_put(places, key, argument, options, options->common.error);
    }
}

const struct argp bench_argp = {
    .options = table,
    .parser = parse,
    .doc = "Measures what the devices can do at best, then the workloads on each of them. --device takes "
           "several, with commas between them.",
    .children = (const struct argp_child[]){{&common_argp, 0, NULL, SECTION_COMMON}, {0}},
};

static tanda_status read_options(int argc, char **argv, bench_command_options *options, tanda_error *error) {
    *options = (bench_command_options){
        .common = {.error = error, .keeps_spec = true},
        .bench = {.repetitions = REPETITIONS, .least_seconds = LEAST_SECONDS, .with_limits = true},
    };
    tanda_status status = options_parse(&bench_argp, argc, argv, options, &options->common, error);
    return status == TANDA_OK ? device_specs_split(options->common.device.device, &options->devices, error)
                              : status;
}

static bool is_wanted(const bench_command_options *options, const bench_workload *workload) {
    if (!options->has_filter) return !workload->on_request;
    return regexec(&options->filter, workload->name, 0, NULL, 0) == 0;
}

/* ---- the work ------------------------------------------------------------------------------------------- */

#define EXPORT_LENGTH 900 /* which leaves room for the files' names */

typedef struct lab {
    const bench_command_options *options;
    bench_options bench; /* with the mathematics of the device */
    bench_report report;
    bench_data data;
    bool is_disturbed;    /* some line of this device is marked so */
    bool outside_is_done; /* what needs no device has been timed beside an earlier one */
    tanda_error *error;
} lab;

/* *best becomes the best of the limits measured so far. */
static tanda_status run_workload(lab *lab, const bench_workload *workload, backend *device,
                                 device_limits *best) {
    bench_result *result = malloc(sizeof *result);
    if (result == NULL) return fail(lab->error, TANDA_FAILED, "no memory for the figures");
    tanda_status status = bench_run(workload, device, &lab->bench, &lab->data, result, lab->error);
    if (status == TANDA_OK && !lab->options->common.json) print_bench_line(workload, result);
    lab->is_disturbed |= status == TANDA_OK && result->is_disturbed;
    if (status == TANDA_OK) bench_report_add(&lab->report, workload, tanda_device_describe(device), result);
    if (status == TANDA_OK && result->has_limit) *best = bench_better_limits(best, &result->limits);
    free(result);
    return status;
}

static tanda_status run_all(lab *lab, backend *device) {
    const tanda_device_information *information = tanda_device_describe(device);
    const bool speaks = !lab->options->common.json;
    device_limits best = {0};
    tanda_status status = TANDA_OK;
    if (lab->options->bench.with_limits) status = backend_limits(device, false, &best, lab->error);
    if (status != TANDA_OK) return status;
    if (speaks) print_limits(information, &best);
    if (speaks) print_bench_heading(information);
    lab->is_disturbed = false;
    for (size_t i = 0; status == TANDA_OK && i < bench_workload_count; i++) {
        const bench_workload *workload = &bench_workloads[i];
        if (!is_wanted(lab->options, workload)) continue;
        if (lab->outside_is_done && !bench_needs_device(workload)) continue;
        status = run_workload(lab, workload, device, &best);
    }
    if (speaks && lab->is_disturbed) print_bench_footnote();
    bench_report_device(&lab->report, information, &best);
    lab->outside_is_done = true;
    return status;
}

static tanda_status run_device(lab *lab, const char *text) {
    const common_options *common = &lab->options->common;
    device_spec spec;
    backend *device = NULL;
    tanda_status status = device_spec_read("--device", text, common, &spec, lab->error);
    spec.common.device.require_device = true;
    lab->bench = lab->options->bench;
    lab->bench.math = spec.common.device.math;
    if (status == TANDA_OK)
        status = opening_of(&spec.common.device, common->quiet, &device, NULL, lab->error);
    if (status == TANDA_OK) status = run_all(lab, device);
    tanda_device_close(device);
    device_spec_free(&spec);
    return status;
}

static tanda_status run_devices(lab *lab) {
    const text_list *asked = &lab->options->devices;
    tanda_device_information *found = NULL;
    size_t count = asked->count;
    char remark[256] = "";
    tanda_status status = TANDA_OK;
    if (asked->count == 0) { /* the CPU, and OpenCL where there is any */
        status = tanda_device_list(&found, &count, remark, lab->error);
        if (count > 2) count = 2;
    }
    if (remark[0] != '\0' && !lab->options->common.quiet) fprintf(stderr, "note: %s\n", remark);
    for (size_t i = 0; status == TANDA_OK && i < count; i++) {
        if (i > 0 && !lab->options->common.json) putchar('\n');
        status = run_device(lab, found != NULL ? found[i].id : asked->texts[i]);
    }
    free(found);
    return status;
}

static tanda_status check_files(const bench_command_options *options, tanda_error *error) {
    const named_file files[] = {
        {"--export", options->bench.export_folder, FILE_REPLACED, bench_export_holds},
        {"--output", options->output, FILE_REPLACED, NULL},
    };
    const char *folder = options->bench.export_folder;
    const tanda_status status = files_check(files, sizeof files / sizeof *files, error);
    if (status != TANDA_OK || folder == NULL) return status;
    if (strlen(folder) > EXPORT_LENGTH)
        return fail(error, TANDA_FAILED, "--export: the folder's name has more than %d bytes", EXPORT_LENGTH);
    return file_make_folder(folder, error);
}

static tanda_status run_lab(const bench_command_options *options, tanda_error *error) {
    tanda_status status = check_files(options, error), printed = TANDA_OK;
    if (status != TANDA_OK) return status;
    lab lab = {.options = options, .report = bench_report_begin(), .error = error};
    report *report = &lab.report.report;
    status = run_devices(&lab);
    const bool is_done = status == TANDA_OK;
    bench_data_free(&lab.data);
    if (is_done && options->output != NULL) status = bench_report_write(&lab.report, options->output, error);
    /* Figures that could not be written are worth minutes: --json prints them all the same. */
    report_outcome(report, status, error);
    if (is_done && options->common.json) printed = report_print(report, status == TANDA_OK ? error : NULL);
    json_drop(report);
    return status == TANDA_OK ? printed : status;
}

tanda_status bench_command(int argc, char **argv, tanda_error *error) {
    bench_command_options options;
    /* Before OpenCL is loaded: PoCL's threads otherwise may share a core while another is idle. */
    setenv("POCL_AFFINITY", "1", 0);
    tanda_status status = read_options(argc, argv, &options, error);
    if (status == TANDA_OK && !options.common.finished) {
        for (size_t i = 0; options.list && i < bench_workload_count; i++)
            if (is_wanted(&options, &bench_workloads[i])) puts(bench_workloads[i].name);
        if (!options.list) status = run_lab(&options, error);
    }
    if (options.has_filter) regfree(&options.filter);
    text_list_free(&options.devices);
    return status;
}
