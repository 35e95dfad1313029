#include "cli/bench_options.h"

#include <stdio.h>
#include <string.h>

#include "cli/command.h"
#include "cli/option_table.h"

#define LEAST_SECONDS 0.2
#define REPETITIONS 9 /* as many as compare.py of Google Benchmark asks for */

enum {
    FLAG_FILTER = FLAG_OWN,
    FLAG_REPETITIONS,
    FLAG_MIN_TIME,
    FLAG_LIST,
    FLAG_EXPORT,
    FLAG_SKIP_LIMITS,
};

static const struct argp_option table[] = {
    {"filter", FLAG_FILTER, "REGEX", 0, "the workloads whose names match (extended regular expression)", 0},
    {"repetitions", FLAG_REPETITIONS, "N", 0, "timed runs of each workload; default 9", 0},
    {"min-time", FLAG_MIN_TIME, "SECONDS", 0, "what each of them takes at least; default 0.2", 0},
    {"output", LETTER_OUTPUT, "FILE", 0, "write the figures as JSON in Google Benchmark's shape", 0},
    {"list", FLAG_LIST, NULL, 0, "only name the workloads", 0},
    {"export", FLAG_EXPORT, "FOLDER", 0,
     "write each training's data (.npy), initial model and first losses for others to start from", 0},
    {"skip-limits", FLAG_SKIP_LIMITS, NULL, 0, "do not measure the devices' limits", 0},
    WITHOUT_OPTIONS("require-device gemm seed"),
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

static tanda_status set_repetitions(bench_command_options *options, const char *argument) {
    uint64_t value = 0;
    const tanda_status status =
        value_count("--repetitions", argument, 1, BENCH_MOST_REPETITIONS, &value, options->common.error);
    if (status == TANDA_OK) options->bench.repetitions = (size_t)value;
    return status;
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
    case FLAG_REPETITIONS:
        return parsed(set_repetitions(options, argument));
    case FLAG_MIN_TIME:
        return parsed(
            value_positive("--min-time", argument, &options->bench.least_seconds, options->common.error));
    case LETTER_OUTPUT:
        options->output = argument;
        return 0;
    case FLAG_LIST:
        options->list = true;
        return 0;
    case FLAG_EXPORT:
        options->bench.export_folder = argument;
        return 0;
    case FLAG_SKIP_LIMITS:
        options->bench.with_limits = false;
        return 0;
    case ARGP_KEY_ARG:
        return options_argument(state, argument, NULL, options->common.error);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child children[] = {{&common_argp, 0, NULL, SECTION_COMMON}, {0}};

const struct argp bench_argp = {
    .options = table,
    .parser = parse,
    .doc = "Measures what the devices can do at best, then the workloads on each of them. --device takes "
           "several, "
           "with commas between them.",
    .children = children,
};

/* Devices behind commas; what has a = belongs to the one before it: opencl,executor=ops,cpu. */
static tanda_status read_devices(const char *text, text_list *devices, tanda_error *error) {
    tanda_status status = TANDA_OK;
    for (const char *end; status == TANDA_OK && text != NULL; text = end != NULL ? end + 1 : NULL) {
        end = strchr(text, ',');
        while (end != NULL && memchr(end + 1, '=', strcspn(end + 1, ",")) != NULL)
            end = strchr(end + 1, ',');
        status =
            value_append("--device", text, end != NULL ? (size_t)(end - text) : strlen(text), devices, error);
    }
    return status;
}

tanda_status bench_options_read(int argc, char **argv, bench_command_options *options, tanda_error *error) {
    *options = (bench_command_options){
        .common = {.error = error, .keeps_spec = true},
        .bench = {.repetitions = REPETITIONS, .least_seconds = LEAST_SECONDS, .with_limits = true},
    };
    const tanda_status status = options_parse(&bench_argp, argc, argv, options, &options->common, error);
    if (status != TANDA_OK || options->common.device.device == NULL) return status;
    return read_devices(options->common.device.device, &options->devices, error);
}

void bench_options_free(bench_command_options *options) {
    if (options->has_filter) regfree(&options->filter);
    options->has_filter = false;
    text_list_free(&options->devices);
}

bool bench_options_take(const bench_command_options *options, const bench_workload *workload) {
    if (!options->has_filter) return !workload->on_request;
    return regexec(&options->filter, workload->name, 0, NULL, 0) == 0;
}
