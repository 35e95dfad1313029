#include "cli/options.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "cli/device_spec.h"
#include "cli/help.h"
#include "cli/option_fault.h"
#include "cli/option_table.h"
#include "cli/reading_options.h"
#include "tanda_lab.h"

#define FORMAT_NAME(name, title, extension, bound) #name,
#define FORMAT_WORD(name, title, extension, bound) ", " #name
#define COUNT_OF(table) (sizeof(table) / sizeof((table)[0]))
#define THREADS_MAX 4096

enum {
    FLAG_DEVICE = 0x100,
    FLAG_REQUIRE_DEVICE,
    FLAG_ACCEPT_FLUSH,
    FLAG_THREADS,
    FLAG_ISA,
    FLAG_MATH,
    FLAG_GEMM,
    FLAG_KERNELS,
    FLAG_EXECUTOR,
    FLAG_SEED,
    FLAG_JSON,
    FLAG_DATA,
    FLAG_LABELS,
    FLAG_TARGET,
    FLAG_SAMPLE_WEIGHT,
    FLAG_FEATURES,
    FLAG_IGNORE,
    FLAG_FORMAT,
    FLAG_TEST_ROWS,
    FLAG_DROP_MISSING_TARGETS,
};

/* ---- the common group --------------------------------------------------------------------------------- */

static const struct argp_option common_table[] = {
    {"device", FLAG_DEVICE, "DEVICE", 0,
     "auto, cpu, gpu, opencl, opencl:NAME or opencl:P.D (see tanda devices), and its settings behind commas, "
     "as "
     "in cpu,threads=1 or opencl,executor=ops; default auto: gpu, the first "
     "OpenCL GPU or accelerator, else OpenMP",
     SECTION_DEVICE},
    {"require-device", FLAG_REQUIRE_DEVICE, NULL, 0, "fail rather than fall back to OpenMP", SECTION_DEVICE},
    {"accept-flush", FLAG_ACCEPT_FLUSH, NULL, 0, "take a device that flushes subnormal numbers to zero",
     SECTION_DEVICE},
    {"threads", FLAG_THREADS, "N", 0, "OpenMP threads; default: one per core", SECTION_DEVICE},
    ELSEWHERE("n-jobs"),
    ELSEWHERE("num-threads"),
    ELSEWHERE("workers"),
    {"isa", FLAG_ISA, "NAME", 0,
     "OpenMP code for x86-64-v4, x86-64-v3 or generic; default: the best there is", SECTION_DEVICE},
    {"math", FLAG_MATH, "MODE", 0,
     "exact: the same bits on every device (default); fast: what is quickest on this one (OpenCL)",
     SECTION_DEVICE},
    {"gemm", FLAG_GEMM, "NAME", 0,
     "who multiplies matrices in fast mode: auto (default: measured per shape), tanda or clblast",
     SECTION_DEVICE},
    {"kernels", FLAG_KERNELS, "FOLDER", 0, "take the OpenCL kernels from FOLDER, not the built-in ones",
     SECTION_DEVICE},
    {"executor", FLAG_EXECUTOR, "NAME", 0,
     "the way of computing, of those that tanda devices lists; default: the best that fits", SECTION_DEVICE},
    {"seed", FLAG_SEED, "N", 0, "seed of everything that is drawn; default 0", SECTION_COMMON},
    ELSEWHERE("random-state"),
    ELSEWHERE("random-seed"),
    {"quiet", LETTER_QUIET, NULL, 0, "no banner and no progress on standard error", SECTION_COMMON},
    {"json", FLAG_JSON, NULL, 0, "one JSON object on standard output, and nothing else there",
     SECTION_COMMON},
    {"help", LETTER_HELP, NULL, 0, "this text", SECTION_COMMON},
    {"version", LETTER_VERSION, NULL, 0, "the version", SECTION_COMMON},
    {0},
};

static tanda_status set_isa(common_options *options, const char *argument) {
    static const char *const names[] = {"x86-64-v4", "x86-64-v3", "generic"};
    size_t index = 0;
    const tanda_status status =
        value_choice("--isa", argument, names, COUNT_OF(names), &index, options->error);
    if (status == TANDA_OK) options->device.isa = names[index];
    return status;
}

/* Names in the order of tanda_math and tanda_gemm. */
static tanda_status set_math(common_options *options, const char *argument) {
    static const char *const names[] = {"exact", "fast"};
    size_t index = 0;
    const tanda_status status =
        value_choice("--math", argument, names, COUNT_OF(names), &index, options->error);
    if (status == TANDA_OK) options->device.math = (tanda_math)index;
    return status;
}

static tanda_status set_gemm(common_options *options, const char *argument) {
    static const char *const names[] = {"auto", "tanda", "clblast"};
    size_t index = 0;
    const tanda_status status =
        value_choice("--gemm", argument, names, COUNT_OF(names), &index, options->error);
    if (status == TANDA_OK) options->gemm = (tanda_gemm)index;
    return status;
}

static tanda_status set_threads(common_options *options, const char *argument) {
    uint64_t threads = 0;
    const tanda_status status = value_count("--threads", argument, 1, THREADS_MAX, &threads, options->error);
    if (status == TANDA_OK) options->device.threads = (size_t)threads;
    return status;
}

static tanda_status set_device(common_options *options, char *argument) {
    options->device.device = argument;
    if (options->keeps_spec) return TANDA_OK;
    const tanda_status status =
        device_spec_take("--device", argument, &options->device, &options->gemm, options->error);
    return status == TANDA_OK ? device_name_check(argument, options->error) : status;
}

static error_t parse_common(int key, char *argument, struct argp_state *state) {
    common_options *options = state->input;
    switch (key) {
    case FLAG_DEVICE:
        return parsed(set_device(options, argument));
    case FLAG_REQUIRE_DEVICE:
        options->device.require_device = true;
        return 0;
    case FLAG_ACCEPT_FLUSH:
        options->device.accept_flush = true;
        return 0;
    case FLAG_THREADS:
        return parsed(set_threads(options, argument));
    case FLAG_ISA:
        return parsed(set_isa(options, argument));
    case FLAG_MATH:
        return parsed(set_math(options, argument));
    case FLAG_GEMM:
        return parsed(set_gemm(options, argument));
    case FLAG_KERNELS:
        options->device.kernel_folder = argument;
        return 0;
    case FLAG_EXECUTOR:
        options->device.executor = argument;
        return 0;
    case FLAG_SEED:
        return parsed(value_count("--seed", argument, 0, INT64_MAX, &options->seed, options->error));
    case LETTER_QUIET:
        options->quiet = true;
        return 0;
    case FLAG_JSON:
        options->json = true;
        return 0;
    case LETTER_HELP:
        options->help = true;
        return ECANCELED;
    case LETTER_VERSION:
        options->finished = true;
        printf("tanda %s\n", tanda_version());
        return ECANCELED;
    case ARGP_KEY_ERROR: /* getopt has just gone past what it could not take */
        options->stopped_at = state->argv[state->next - 1];
        return 0;
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

const struct argp common_argp = {.options = common_table, .parser = parse_common};

/* ---- the data group ----------------------------------------------------------------------------------- */

static const struct argp_option reading_table[] = {
    {"labels", FLAG_LABELS, "FILE", 0,
     "one label per row (.npy, one-hot .npy, IDX, a CSV column) in a file of its own", 0},
    {"target", FLAG_TARGET, "COLUMN", 0,
     "the column to learn, by name or index from 0, or several, quantities or labels of 0 and 1, e.g. x,y; "
     "default: the last",
     0},
    ELSEWHERE("target-column"),
    {"drop-missing-targets", FLAG_DROP_MISSING_TARGETS, NULL, 0,
     "leave out rows whose target is missing; default: they are refused", 0},
    {"sample-weight", FLAG_SAMPLE_WEIGHT, "COLUMN", 0,
     "a column of weights, each 0 or more, that the rows' losses are multiplied by", 0},
    {"features", FLAG_FEATURES, "LIST", 0, "the columns to learn from, e.g. age,height; default: all others",
     0},
    ELSEWHERE("feature-columns"),
    {"ignore", FLAG_IGNORE, "LIST", 0,
     "columns to leave out, whatever they hold, e.g. id,note; may be given several times", 0},
    {"format", FLAG_FORMAT, "NAME", 0, "auto (default: told from the content)" FORMAT_LIST(FORMAT_WORD), 0},
    {0},
};

static tanda_status set_format(data_options *options, const char *argument) {
    static const char *const names[] = {"auto", FORMAT_LIST(FORMAT_NAME)};
    size_t index = 0;
    const tanda_status status =
        value_choice("--format", argument, names, COUNT_OF(names), &index, options->error);
    if (status == TANDA_OK) options->read.format = index == 0 ? NULL : names[index];
    return status;
}

static error_t parse_reading(int key, char *argument, struct argp_state *state) {
    data_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        return 0;
    case FLAG_LABELS:
        options->read.labels = argument;
        return 0;
    case FLAG_DROP_MISSING_TARGETS:
        options->read.drop_missing_targets = true;
        return 0;
    case FLAG_TARGET:
        options->read.target = argument;
        return 0;
    case FLAG_SAMPLE_WEIGHT:
        options->read.sample_weight = argument;
        return 0;
    case FLAG_FEATURES:
        return parsed(value_list("--features", argument, &options->features, options->error));
    case FLAG_IGNORE:
        return parsed(value_list("--ignore", argument, &options->ignore, options->error));
    case FLAG_FORMAT:
        return parsed(set_format(options, argument));
    case ARGP_KEY_END:
        if (options->read.labels == NULL || options->read.target == NULL) return 0;
        return parsed(fail(options->error, TANDA_USAGE,
                           "--target and --labels both say where the labels are; give one of them"));
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child reading_children[] = {{&dialect_argp, 0, NULL, 0}, {0}};

const struct argp reading_argp = {
    .options = reading_table, .parser = parse_reading, .children = reading_children};

static const struct argp_option data_table[] = {
    {"data", FLAG_DATA, "FILE", OPTION_REPEATS,
     "the rows: CSV or libsvm text, .npy, .npz, FILE.npz:NAME or IDX, also packed (gzip, xz, zstd, bzip2), a "
     "folder of CSV files, - for standard input, or synthetic:KIND,key=value,... (tanda generate --help); "
     "the argument DATA is another way to write it; given several times, rows follow one another (needed)",
     0},
    {"test-rows", FLAG_TEST_ROWS, "N", 0,
     "of synthetic data: hold out the N rows behind the others, to validate, evaluate or predict; as "
     ",test-rows=N in "
     "--data",
     0},
    {0},
};

/* The flag is another way to write the key, so it is put into the description; both mean and refuse the same. */
static tanda_status join_test_rows(data_options *options) {
    uint64_t rows = 0;
    if (!synthetic_is_named(options->path))
        return fail(options->error, TANDA_USAGE,
                    "--test-rows: %s is a file; it is for --data synthetic:KIND,... (a part of a file is a "
                    "file of its "
                    "own, or train's --validation FRACTION)",
                    options->path);
    tanda_status status =
        value_count("--test-rows", options->test_rows, 0, SYNTHETIC_ROWS_MOST, &rows, options->error);
    if (status != TANDA_OK) return status;
    const size_t size = strlen(options->path) + sizeof ",test-rows=" + strlen(options->test_rows);
    char *joined = NULL;
    status = allocate(&joined, size, 1, "the data's description", options->error);
    if (status != TANDA_OK) return status;
    text_put(joined, size, "%s,test-rows=%s", options->path, options->test_rows);
    options->path = options->joined_path = joined;
    return TANDA_OK;
}

static error_t end_data(const struct argp_state *state, data_options *options) {
    if (options->path == NULL) return parsed(options_lack(state->root_argp, "data", options->error));
    return options->test_rows == NULL ? 0 : parsed(join_test_rows(options));
}

static error_t parse_data(int key, char *argument, struct argp_state *state) {
    data_options *options = state->input;
    switch (key) {
    case ARGP_KEY_INIT:
        state->child_inputs[0] = options;
        return 0;
    case FLAG_DATA:
        if (options->path == NULL) options->path = argument;
        return parsed(value_append("--data", argument, strlen(argument), &options->paths, options->error));
    case FLAG_TEST_ROWS:
        options->test_rows = argument;
        return 0;
    case ARGP_KEY_END:
        return end_data(state, options);
    default:
        return ARGP_ERR_UNKNOWN;
    }
}

static const struct argp_child data_children[] = {{&reading_argp, 0, NULL, 0}, {0}};

const struct argp data_argp = {.options = data_table, .parser = parse_data, .children = data_children};

/* ---- parsing ------------------------------------------------------------------------------------------ */

tanda_status options_parse(const struct argp *argp, int argc, char **argv, void *input,
                           common_options *common, tanda_error *error) {
    common->device.size = sizeof common->device;
    const error_t result = argp_parse(argp, argc, argv, ARGP_NO_ERRS | ARGP_NO_HELP, NULL, input);
    if (common->help) help_print(argp, argv[0]);
    common->finished |= common->help;
    if (common->finished || result == 0) return TANDA_OK;
    if (result == ENOMEM) return fail(error, TANDA_FAILED, "out of memory while reading the options");
    if (error->status != TANDA_OK) return error->status;
    return option_fault(argp, argv[0], common->stopped_at == NULL ? "" : common->stopped_at, error);
}

tanda_status options_lack(const struct argp *argp, const char *what, tanda_error *error) {
    return fail(error, TANDA_USAGE, "no %s; for example: %s", what, option_example(argp));
}

error_t options_argument(struct argp_state *state, const char *argument, const char **place,
                         tanda_error *error) {
    char buffer[SHOWN_SIZE];
    if (place != NULL && *place == NULL) {
        *place = argument;
        return 0;
    }
    return parsed(fail(error, TANDA_USAGE, "'%s' is one argument too many; see tanda %s --help",
                       shown(argument, strlen(argument), buffer), state->argv[0]));
}

tanda_status options_task(const char *text, tanda_task *task, tanda_error *error) {
    size_t index = 0;
    const tanda_status status = vocabulary_read(&task_words, "--task", text, &index, NULL, error);
    if (status == TANDA_OK) *task = (tanda_task)index;
    return status;
}
